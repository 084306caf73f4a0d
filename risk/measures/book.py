"""A whole book measured: VaR and ES by every method, shared out among its positions, volatility, correlation.

The book as it stands now is measured on past returns: a position's value times its returns, as if it had
been held all along. Positions whose returns or value are not known are left out, and said. With 5-minute
returns a figure is that of one period times √(periods of the horizon): five minutes' losses say little
about days, and the answer says what it is made of. This module must not know where positions or returns
come from.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from decimal import ROUND_HALF_EVEN, Decimal
from typing import Final, NamedTuple

import msgspec
import numpy as np

from data.analytics import CapitalFigure, Component, ComponentMethod, RiskMeasures, VarRow
from data.problems import InvalidRequestError
from risk.correlation import mean_of_pairs
from risk.frames import ReturnsFrame
from risk.measures.components import BookMeasure, contributions
from risk.measures.empirical import tail
from risk.measures.methods import METHODS, Options, measure
from risk.measures.sample import Floats, Measure, checked_confidence, checked_horizon
from risk.measures.simulated import PATHS, book_paths
from risk.portfolio import Holding, Portfolio

CONFIDENCES: Final = (0.95, 0.99)
HORIZONS: Final = (1, 10)
_CENTS: Final = Decimal("0.01")
#: Simulated numbers of one Monte Carlo: with many positions there are fewer paths, and it is told.
_DRAWS: Final = 5_000_000
_FEWEST_PATHS: Final = 10_000


class Held(NamedTuple):
    """What of a book can be measured: positions with their values, and returns of the same columns."""

    holdings: tuple[Holding, ...]
    values: Floats  #: money, signed
    returns: Floats  #: a row for each time, a column for each position
    missing: dict[str, str]  #: instruments left out, and why
    covered: float | None  #: part of the gross value that is measured; None: nothing is known of it


class Wanted(msgspec.Struct, frozen=True, kw_only=True):
    """What is to be measured."""

    methods: Sequence[str] = METHODS
    confidences: Sequence[float] = CONFIDENCES
    horizons: Sequence[int] = HORIZONS
    component_method: ComponentMethod = "normal"
    options: Options = Options()


def held(portfolio: Portfolio, frame: ReturnsFrame) -> Held:
    """Return what can be measured of a book with the returns there are."""
    missing: dict[str, str] = {}
    kept: list[Holding] = []
    left_out = Decimal(0)
    unknown = False
    for one in portfolio.holdings:
        if not one.qty:
            continue
        if one.value is None:
            missing[one.instrument] = "no price" if one.mark is None else f"no rate for {one.currency}"
            unknown = True
        elif one.instrument not in frame.instruments:
            missing[one.instrument] = frame.missing.get(one.instrument, "no returns are known")
            left_out += abs(one.value)
        else:
            kept.append(one)
    values = np.array([float(one.value or 0) for one in kept])
    known = float(np.abs(values).sum())
    total = known + float(left_out)
    return Held(
        holdings=tuple(kept),
        values=values,
        returns=frame.columns([one.instrument for one in kept]) if kept else np.empty((len(frame), 0)),
        missing=missing,
        covered=None if unknown or not total else known / total,
    )


def measure_book(
    portfolio: Portfolio,
    frame: ReturnsFrame,
    *,
    portfolio_id: str = "portfolio",
    wanted: Wanted | None = None,
    capital: tuple[CapitalFigure, ...] = (),
) -> RiskMeasures:
    """Measure a book.

    Args:
        portfolio: What is held.
        frame: Returns of what is held.
        portfolio_id: Its name.
        wanted: Methods, confidences and horizons; None: all methods at 95 and 99 %, 1 and 10 days.
        capital: Regulatory figures that go with it.

    Raises:
        InvalidRequestError: A confidence, horizon or method makes no sense.
    """
    want = wanted or Wanted()
    for horizon in want.horizons:
        checked_horizon(horizon)
    of = held(portfolio, frame)
    sums = totals(portfolio)
    equity = portfolio.equity
    usable = equity is not None and equity > 0
    reasons: dict[str, str] = {}
    if not usable:
        reasons["equity"] = _no_equity(portfolio)
    nothing = _nothing(portfolio, of)
    rows: list[VarRow] = []
    parts: BookMeasure | None = None
    volatility = correlation = None
    if nothing is None:
        measured = _Measured(of, frame, equity if usable else None, want.options)
        rows = [
            measured.row(method, confidence, horizon)
            for method in want.methods
            for confidence in want.confidences
            for horizon in want.horizons
        ]
        try:
            parts = _parts(of, want)
        except InvalidRequestError as error:
            reasons["components"] = error.detail
        book = of.returns @ of.values
        if usable and equity is not None:
            volatility = float(book.std(ddof=1)) / float(equity) * math.sqrt(frame.periods_per_year)
        correlation = average_correlation(frame, of)
        if correlation is None:
            reasons["correlation"] = "fewer than two instruments with returns that vary"
    else:
        reasons |= dict.fromkeys(("measures", "components", "volatility", "correlation"), nothing)
    notes = list(frame.notes) if len(frame) else []
    if of.missing:
        notes.append(f"left out, because returns or value are not known: {', '.join(sorted(of.missing))}")
    notes += portfolio.problems
    return RiskMeasures(
        portfolio_id=portfolio_id,
        currency=portfolio.currency,
        equity=equity,
        gross=sums.gross,
        net=sums.net,
        leverage=float(sums.gross / equity) if usable and equity and sums.gross is not None else None,
        basis=frame.basis if len(frame) else None,
        returns=len(frame),
        periods_per_year=frame.periods_per_year if len(frame) else None,
        ts_first=int(frame.times[0]) if len(frame) else None,
        ts_last=int(frame.times[-1]) if len(frame) else None,
        volatility=volatility,
        correlation=correlation,
        measures=tuple(rows),
        component_method=None if parts is None else parts.method,
        components=() if parts is None else _components(of, parts, frame, equity if usable else None),
        capital=capital,
        missing=of.missing,
        covered=of.covered,
        reasons=reasons,
        notes=tuple(notes),
        synthetic=portfolio.synthetic or frame.synthetic,
        ts=portfolio.ts,
    )


class Totals(NamedTuple):
    """Sums of values in the book's currency; None where the value of a position is not known."""

    gross: Decimal | None
    net: Decimal | None
    long: Decimal | None
    short: Decimal | None  #: positive


def totals(portfolio: Portfolio) -> Totals:
    """Return gross, net, long and short value of a book."""
    values = [one.value for one in portfolio.holdings if one.qty]
    known = [value for value in values if value is not None]
    if len(known) < len(values):
        return Totals(None, None, None, None)
    long = sum((value for value in known if value > 0), Decimal(0))
    short = -sum((value for value in known if value < 0), Decimal(0))
    return Totals(long + short, long - short, long, short)


def average_correlation(frame: ReturnsFrame, of: Held) -> float | None:
    """Return the mean of Pearson's correlation over all pairs of held instruments; None for fewer than two.

    Instruments whose returns do not vary have no correlation and are left out.
    """
    names = list(dict.fromkeys(one.instrument for one in of.holdings))
    values = frame.columns(names) if names else np.empty((0, 0))
    if len(values):
        values = values[:, np.ptp(values, axis=0) > 0.0]
    count = values.shape[1] if values.ndim == 2 else 0
    if count < 2:
        return None
    return mean_of_pairs((values - values.mean(axis=0)) / values.std(axis=0))


def scaled(found: Measure, frame: ReturnsFrame, horizon: int) -> Measure:
    """Return a measure of one 5-minute period as one of ``horizon`` days, times the root of time."""
    periods = horizon * frame.periods_per_day
    factor = math.sqrt(periods)
    return msgspec.structs.replace(
        found,
        horizon=horizon,
        var=found.var * factor,
        es=None if found.es is None else found.es * factor,
        rule=f"one 5-minute return times sqrt({periods:.0f})",
    )


# ---------------------------------------------------------------- within


class _Measured:
    """A book's returns, measured by one method after the other."""

    def __init__(self, of: Held, frame: ReturnsFrame, equity: Decimal | None, options: Options) -> None:
        self._equity = equity
        self._scale = _scale(of, equity)
        self._frame = frame
        self._options = options
        self._positions = of.returns
        self._weights = of.values / self._scale
        self._returns: Floats = of.returns @ self._weights
        self._paths: dict[int, tuple[Floats, dict[str, float]]] = {}

    def row(self, method: str, confidence: float, horizon: int) -> VarRow:
        """Return one figure, or why there is none; raises InvalidRequestError for what makes no sense."""
        checked_confidence(confidence)
        checked_method(method)
        days = horizon if self._frame.basis == "1d" else 1
        try:
            if method == "monte_carlo":
                found = self._simulated(confidence, days)
            else:
                found = measure(method, self._returns, confidence, days, self._options)
        except InvalidRequestError as error:
            return VarRow(
                method=method,
                confidence=confidence,
                horizon=horizon,
                n=len(self._returns),
                reason=error.detail,
            )
        if self._frame.basis != "1d":
            found = scaled(found, self._frame, horizon)
        known = self._equity is not None
        return VarRow(
            method=method,
            confidence=confidence,
            horizon=horizon,
            var=found.var if known else None,
            es=found.es if known else None,
            var_money=money(found.var * self._scale),
            es_money=None if found.es is None else money(found.es * self._scale),
            n=found.n,
            rule=found.rule,
            notes=found.notes,
        )

    def _simulated(self, confidence: float, days: int) -> Measure:
        """Return the figure of simulated days, which are the same for every confidence."""
        if days not in self._paths:
            options = self._options
            self._paths[days] = book_paths(
                self._positions, self._weights, days, seed=options.seed, paths=options.paths
            )
        drawn, parameters = self._paths[days]
        var, es = tail(drawn, confidence)
        return Measure(
            method="monte_carlo",
            confidence=confidence,
            horizon=days,
            var=var,
            es=es,
            n=len(self._returns),
            rule=f"sums of {days} independent simulated days of correlated positions",
            parameters=parameters,
        )


def _parts(of: Held, want: Wanted) -> BookMeasure:
    confidence = max(want.confidences)
    return contributions(
        of.returns,
        of.values,
        confidence,
        1,
        method=want.component_method,
        seed=want.options.seed,
        paths=_paths(len(of.values), want.options.paths),
    )


def _components(
    of: Held, parts: BookMeasure, frame: ReturnsFrame, equity: Decimal | None
) -> tuple[Component, ...]:
    factor = 1.0 if frame.basis == "1d" else math.sqrt(frame.periods_per_day)
    scale = _scale(of, equity)
    return tuple(
        Component(
            engine=one.engine,
            instrument=one.instrument,
            qty=one.qty,
            value=one.value or Decimal(0),
            weight=part.weight / scale,
            marginal_var=part.marginal_var * factor,
            component_var=money(part.component_var * factor),
            component_es=money(part.component_es * factor),
            share=part.share,
        )
        for one, part in zip(of.holdings, parts.positions, strict=True)
    )


def _scale(of: Held, equity: Decimal | None) -> float:
    """Return what values are divided by: equity, or where there is none the gross value."""
    return float(equity) if equity is not None else float(np.abs(of.values).sum())


def _paths(positions: int, most: int = PATHS) -> int:
    return max(_FEWEST_PATHS, min(most, _DRAWS // max(positions, 1)))


def _nothing(portfolio: Portfolio, of: Held) -> str | None:
    """Return why nothing can be measured; None if something can."""
    if not any(one.qty for one in portfolio.holdings):
        return "nothing is held"
    if not of.holdings:
        return "; ".join(f"{name}: {reason}" for name, reason in sorted(of.missing.items())[:5])
    if not np.abs(of.values).sum():
        return "what is held is worth nothing"
    return None


def _no_equity(portfolio: Portfolio) -> str:
    if not portfolio.money:
        return "no account is known"
    unknown = [one.engine for one in portfolio.money if one.equity is None]
    if unknown:
        return f"equity of {', '.join(unknown)} is not known"
    other = [one.engine for one in portfolio.money if one.currency != portfolio.currency]
    return f"accounts of {', '.join(other)} are in another currency" if other else "equity is not positive"


def money(value: float) -> Decimal:
    """Return an amount that a statistic came to, rounded to cents."""
    return Decimal(repr(value)).quantize(_CENTS, ROUND_HALF_EVEN)


def checked_method(method: str) -> str:
    """Return the name of a method; raises InvalidRequestError if there is none of that name."""
    if method not in METHODS:
        raise InvalidRequestError(
            f"there is no method {method!r}",
            rule=f"method is one of {', '.join(METHODS)}",
            field="method",
            value=method,
        )
    return method
