"""What a book is exposed to: each position's factor and sensitivity, and the book under stress.

Equities and indices move with ``equity`` by their beta to the market's returns, where those are known,
else one for one; currencies, crypto-currencies and commodities with a factor of their own; a future with
what it is a contract on, told by its root symbol. What a rate future gains per basis point (its DV01)
depends on the bond that is cheapest to deliver and is not known here: it is listed as left out, not
guessed. Closing at a wider spread costs half the spread on what is held. This module must not know where
positions, quotes or returns come from.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from typing import Final

from data.analytics import (
    ExposureAnswer,
    ExposureRow,
    StressAnswer,
    StressItem,
    StressOutcome,
    StressShock,
)
from data.problems import InvalidRequestError
from risk.frames import ReturnsFrame
from risk.measures.book import money, totals
from risk.portfolio import Holding, Portfolio
from risk.stress import SCENARIOS, Exposure, Scenario, Shock, ShockUnit, apply

#: Roots of CME Group's contracts, and what they are on.
_ROOTS: Final[Mapping[str, str]] = {
    **dict.fromkeys(("ES", "MES", "NQ", "MNQ", "YM", "MYM", "RTY", "M2K"), "equity"),
    **dict.fromkeys(("CL", "MCL", "NG", "HO", "RB", "GC", "MGC", "SI", "HG", "PL"), "commodity"),
    **dict.fromkeys(("ZC", "ZS", "ZW", "ZL", "ZM", "LE", "HE", "GF"), "commodity"),
    **dict.fromkeys(("6E", "6B", "6J", "6A", "6C", "6S", "6N"), "fx"),
    **dict.fromkeys(("BTC", "MBT", "ETH", "MET"), "crypto"),
    **dict.fromkeys(("ZN", "TN", "ZB", "UB", "ZF", "ZT", "SR3", "ZQ"), "rates"),
}
_CONTRACT = re.compile(r"([A-Z0-9]{2,3}?)(?:[FGHJKMNQUVXZ]\d{1,2})?")
_OWN: Final = ("fx", "crypto", "commodity")
#: How a shock is written; see ``shock``.
_SHOCK = re.compile(
    r"(?P<factor>[A-Za-z][\w:. &/-]*?)\s*=\s*(?P<size>[+-]?\d+(?:\.\d+)?|[+-]?\.\d+)\s*(?P<unit>%|bp|x)?",
    re.IGNORECASE,
)
_MULTIPLES: Final = frozenset({"volatility", "liquidity"})

type HeldKey = tuple[str, str]  #: engine, instrument


def shock(text: str) -> Shock:
    """Return a shock from text: ``equity=-0.2``, ``equity=-20%``, ``rates=+100bp``, ``volatility=2x``.

    Raises:
        InvalidRequestError: It is no shock, or in a unit that its factor does not have.
    """
    found = _SHOCK.fullmatch(text.strip())
    if found is None:
        raise _no_shock(text)
    factor = found["factor"].strip()
    head = factor.partition(":")[0].lower()
    factor = head + factor[len(head) :]
    size, unit = float(found["size"]), (found["unit"] or "").lower()
    kind: ShockUnit = "relative"
    if head == "rates":
        if unit != "bp":
            raise _no_shock(text, "a shock to rates is in basis points")
        kind = "basis_points"
    elif head in _MULTIPLES:
        if unit not in ("", "x"):
            raise _no_shock(text, f"a shock to {head} is how many times it becomes what it was")
        kind = "multiple"
    elif unit in ("bp", "x"):
        raise _no_shock(text, f"a shock to {head} is a fraction of its price")
    elif unit == "%":
        size /= 100.0
    return Shock(factor=factor, unit=kind, size=size, source="given by the user")


def _no_shock(text: str, rule: str = "factor=size") -> InvalidRequestError:
    return InvalidRequestError(
        f"{text!r} is not a shock",
        rule=rule,
        fix="for example equity=-0.2, equity:Energy=-15%, crypto=-0.5, rates=+100bp, liquidity=3x",
        field="shock",
        value=text,
    )


# ---------------------------------------------------------------- exposures


def factor_of(holding: Holding) -> tuple[str | None, str | None]:
    """Return the factor that moves a position, or why it is not known."""
    symbol = holding.instrument.rpartition(".")[0] or holding.instrument
    kind = holding.asset_class
    if kind == "future":
        root = _CONTRACT.fullmatch(symbol)
        kind = _ROOTS.get(root[1] if root else "", "")
        if not kind:
            return None, f"what {symbol} is a contract on is not known"
    if kind in ("equity", "index"):
        return ("equity" if holding.sector is None else f"equity:{holding.sector}"), None
    if kind in _OWN:
        return f"{kind}:{symbol}", None
    if kind in ("rate", "rates"):
        return None, "its gain per basis point (DV01) is not known"
    return None, f"an asset class {holding.asset_class!r} has no factor"


def betas(frame: ReturnsFrame, market: str | None) -> dict[str, float]:
    """Return each instrument's beta to the market, covariance over the market's variance."""
    if market is None or market not in frame.instruments or len(frame) < 2:
        return {}
    base = frame.columns([market])[:, 0]
    centred = base - base.mean()
    variance = float(centred @ centred)
    if not variance:
        return {}
    found = centred @ (frame.values - frame.values.mean(axis=0)) / variance
    return dict(zip(frame.instruments, found.tolist(), strict=True))


def betas_at(frames: Mapping[str, ReturnsFrame], market: str | None) -> dict[HeldKey, float]:
    """Return the betas of what engines hold, each to the market in the frame of its engine."""
    return {
        (engine, instrument): beta
        for engine, frame in frames.items()
        for instrument, beta in betas(frame, market).items()
    }


def exposures(
    portfolio: Portfolio,
    *,
    portfolio_id: str = "portfolio",
    beta: Mapping[HeldKey, float] | None = None,
    half_spreads: Mapping[HeldKey, Decimal] | None = None,
    market: str | None = None,
) -> ExposureAnswer:
    """Return what a book is exposed to.

    Args:
        portfolio: What is held.
        portfolio_id: Its name.
        beta: To the market, by engine and instrument; what is not there counts as 1, and is told.
        half_spreads: Half of the present spread in price, by engine and instrument.
        market: The instrument that the betas are to.
    """
    known, spreads = beta or {}, half_spreads or {}
    equity = portfolio.equity
    rows = tuple(_exposure(one, equity, known, spreads) for one in portfolio.holdings if one.qty)
    sums = totals(portfolio)
    notes = list(portfolio.problems)
    plain = [one.instrument for one in rows if _is_equity(one.factor) and one.beta is None]
    if plain:
        notes.append(f"beta taken as 1, because returns are not known: {', '.join(sorted(set(plain)))}")
    if market is not None and any(one.beta is not None for one in rows):
        notes.append(f"beta is to {market}")
    usable = equity is not None and equity > 0 and sums.gross is not None
    return ExposureAnswer(
        portfolio_id=portfolio_id,
        currency=portfolio.currency,
        equity=equity,
        gross=sums.gross,
        net=sums.net,
        long=sums.long,
        short=sums.short,
        leverage=float(sums.gross / equity) if usable and sums.gross is not None and equity else None,
        rows=rows,
        sums=_sums(rows),
        notes=tuple(notes),
        synthetic=portfolio.synthetic,
        ts=portfolio.ts,
    )


def _exposure(
    one: Holding,
    equity: Decimal | None,
    known: Mapping[HeldKey, float],
    spreads: Mapping[HeldKey, Decimal],
) -> ExposureRow:
    factor, reason = factor_of(one)
    value = one.value
    beta = known.get((one.engine, one.instrument)) if _is_equity(factor) else None
    sensitivity = None
    if value is None:
        reason = "no price" if one.mark is None else f"no exchange rate for {one.currency}"
    elif factor is not None:
        sensitivity = money(float(value) * (1.0 if beta is None else beta))
    half = spreads.get((one.engine, one.instrument))
    cost = None
    if half is not None and one.rate is not None:
        cost = money(float(abs(one.qty) * half * one.multiplier * one.rate))
    return ExposureRow(
        engine=one.engine,
        instrument=one.instrument,
        strategy=one.strategy,
        asset_class=one.asset_class,
        sector=one.sector,
        currency=one.currency,
        qty=one.qty,
        mark=one.mark,
        value=value,
        weight=float(value / equity) if value is not None and equity is not None and equity > 0 else None,
        factor=factor,
        beta=beta,
        sensitivity=sensitivity,
        half_spread=cost,
        reason=reason,
        synthetic=one.synthetic,
    )


def _is_equity(factor: str | None) -> bool:
    return factor is not None and factor.partition(":")[0] == "equity"


def _sums(rows: Iterable[ExposureRow]) -> dict[str, dict[str, Decimal]]:
    sums: dict[str, dict[str, Decimal]] = {
        name: defaultdict(Decimal)
        for name in ("asset_class", "sector", "engine", "strategy", "currency", "factor")
    }
    for one in rows:
        if one.value is not None:
            for name, by in sums.items():
                by[getattr(one, name) or "unknown"] += one.value
    return {name: dict(sorted(by.items())) for name, by in sums.items()}


# ---------------------------------------------------------------- stress


def stress(answer: ExposureAnswer, scenarios: Sequence[Scenario] | None = None) -> StressAnswer:
    """Return what a book gains or loses under scenarios; None: all there are.

    Raises:
        InvalidRequestError: A scenario shocks a factor in a unit that exposures to it do not have.
    """
    chosen = tuple(SCENARIOS.values()) if scenarios is None else tuple(scenarios)
    notes = list(answer.notes)
    notes.append("to first order: no convexity, and volatility itself moves no position that is held")
    return StressAnswer(
        portfolio_id=answer.portfolio_id,
        currency=answer.currency,
        equity=answer.equity,
        outcomes=tuple(_outcome(one, answer) for one in chosen),
        notes=tuple(notes),
        synthetic=answer.synthetic,
        ts=answer.ts,
    )


def _outcome(scenario: Scenario, answer: ExposureAnswer) -> StressOutcome:
    shocked = {one.factor for one in scenario.shocks}
    at: dict[str, ExposureRow] = {}
    given: list[Exposure] = []
    reasons: dict[str, list[str]] = defaultdict(list)
    spread_is_shocked = "liquidity" in shocked
    factors_are_shocked = bool(shocked - {"liquidity"})
    for row in answer.rows:
        name = f"{row.engine}/{row.instrument}"
        at[name] = row
        if factors_are_shocked or not spread_is_shocked:
            if row.factor is None or row.sensitivity is None:
                reasons[name].append(row.reason or "its factor is not known")
            else:
                given.append(
                    Exposure(
                        name=name, factor=row.factor, unit="relative", sensitivity=float(row.sensitivity)
                    )
                )
        if spread_is_shocked:
            if row.half_spread is None:
                reasons[name].append("there is no quote to tell its spread")
            else:
                given.append(
                    Exposure(
                        name=name, factor="liquidity", unit="multiple", sensitivity=-float(row.half_spread)
                    )
                )
    found = apply(scenario, given)
    for name in found.left_out:
        reasons[name].append(f"the scenario says nothing about {at[name].factor}")
    items = tuple(
        StressItem(
            engine=at[line.name].engine,
            instrument=at[line.name].instrument,
            factor=line.factor,
            shock=line.shock,
            unit=line.unit,
            sensitivity=_sensitivity(at[line.name], line.factor),
            pnl=money(line.pnl),
        )
        for line in found.lines
    )
    by_position: dict[str, Decimal] = defaultdict(Decimal)
    by_factor: dict[str, Decimal] = defaultdict(Decimal)
    for item in items:
        by_position[f"{item.engine}/{item.instrument}"] += item.pnl
        by_factor[item.factor] += item.pnl
    pnl = sum((item.pnl for item in items), Decimal(0)) if items else None
    equity = answer.equity
    return StressOutcome(
        scenario=scenario.name,
        description=scenario.description,
        start=scenario.start,
        end=scenario.end,
        shocks=tuple(
            StressShock(factor=one.factor, unit=one.unit, size=one.size, source=one.source)
            for one in scenario.shocks
        ),
        pnl=pnl,
        of_equity=float(pnl / equity) if pnl is not None and equity is not None and equity > 0 else None,
        by_factor=dict(by_factor),
        by_position=dict(by_position),
        items=items,
        left_out={name: "; ".join(why) for name, why in reasons.items()},
    )


def _sensitivity(row: ExposureRow, factor: str) -> Decimal:
    if factor == "liquidity":
        return -(row.half_spread or Decimal(0))
    return row.sensitivity or Decimal(0)
