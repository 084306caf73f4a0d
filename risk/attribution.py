"""Profit from fills: realised and unrealised, by strategy, instrument, sector, engine and day; round trips.

Positions are netted by engine, strategy and instrument at average cost: a fill that adds averages the cost,
one that reduces realises (price − average cost) × quantity × multiplier, one that goes through zero does
both. Realised is after commission. Amounts are decimals; what is in another currency is converted at the
present rate, because rates of the past are not kept, and what has no rate is left out and said.
Contributions add up to the whole: no benchmark weights are assumed, so there is no Brinson attribution.
This module must not know where fills come from.
"""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import ROUND_HALF_EVEN, Decimal, localcontext
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt

from data.analytics import (
    AggregateRow,
    Contribution,
    Dimension,
    FactorContribution,
    TradeStatistics,
)
from data.records import Fill
from risk.measures.sample import Floats
from risk.performance import beta, paired
from risk.terms import Terms as Terms

UNKNOWN: Final = "unknown"
DIMENSIONS: Final[tuple[Dimension, ...]] = ("engine", "instrument", "strategy", "sector", "day")
_CENTS: Final = Decimal("0.01")
_HOUR_NS: Final = 3_600 * 1_000_000_000
_ZERO: Final = Decimal(0)
_DIGITS: Final = 40

type Key = tuple[str, str, str]  #: engine, strategy, instrument


class Realised(NamedTuple):
    """A fill and what it realised, in the book's currency, after its commission."""

    fill: Fill
    key: Key
    value: Decimal  #: quantity × price × multiplier
    commission: Decimal
    profit: Decimal


class Trip(NamedTuple):
    """A stretch from flat to flat."""

    key: Key
    profit: Decimal
    opened: int
    closed: int


@dataclass(slots=True)
class _Net:
    """A netted position on its way through the fills; cost and profit in the instrument's currency."""

    qty: Decimal = _ZERO
    cost: Decimal = _ZERO  #: signed quantity × average price
    opened: int = 0
    trip: Decimal = _ZERO  #: profit since it was flat, in the book's currency


@dataclass(slots=True)
class Ledger:
    """All that follows from fills. ``problems`` says what was left out."""

    realised: list[Realised] = field(default_factory=list)
    trips: list[Trip] = field(default_factory=list)
    open: dict[Key, tuple[Decimal, Decimal]] = field(default_factory=dict)  #: quantity, average price
    problems: list[str] = field(default_factory=list)

    @property
    def profit(self) -> Decimal:
        """What was realised, after commission."""
        return sum((one.profit for one in self.realised), _ZERO)

    @property
    def commission(self) -> Decimal:
        """What was paid."""
        return sum((one.commission for one in self.realised), _ZERO)


def ledger(
    fills: Iterable[Fill], terms: Mapping[str, Terms], rate: Callable[[str], Decimal | None]
) -> Ledger:
    """Return what fills realised.

    Args:
        fills: In any order; they are taken by time and journal number.
        terms: Of every instrument; fills of one without are left out and said.
        rate: The book's currency for one unit of another; None: not known.
    """
    book = Ledger()
    nets: dict[Key, _Net] = defaultdict(_Net)
    without: set[str] = set()
    with localcontext() as context:
        context.prec = _DIGITS
        for fill in sorted(fills, key=lambda one: (one.ts, one.engine, one.seq)):
            term = terms.get(fill.instrument)
            if term is None:
                without.add(f"fills of {fill.instrument} are left out: its terms are not known")
                continue
            factor, paid = rate(term.currency), rate(fill.commission_currency)
            if factor is None or paid is None:
                missing = term.currency if factor is None else fill.commission_currency
                without.add(f"fills of {fill.instrument} are left out: no exchange rate for {missing}")
                continue
            key = (fill.engine, fill.strategy or UNKNOWN, fill.instrument)
            _take(book, nets[key], key, fill, term.multiplier * factor, fill.commission * paid)
        book.open = {key: (net.qty, net.cost / net.qty) for key, net in nets.items() if net.qty}
    book.problems = sorted(without)
    return book


def _take(book: Ledger, net: _Net, key: Key, fill: Fill, factor: Decimal, commission: Decimal) -> None:
    signed = fill.qty if fill.side == "buy" else -fill.qty
    profit = -commission
    if not net.qty:
        net.opened, net.trip = fill.ts, _ZERO
    if net.qty and (net.qty > 0) != (signed > 0):
        closed = min(abs(signed), abs(net.qty)) * (1 if net.qty > 0 else -1)
        of_cost = net.cost * (closed / net.qty)
        profit += (closed * fill.price - of_cost) * factor
        net.qty -= closed
        net.cost = net.cost - of_cost if net.qty else _ZERO
        signed += closed
        if not net.qty and not signed:
            book.trips.append(Trip(key, net.trip + profit, net.opened, fill.ts))
        elif not net.qty:  # through zero: the trip ends, and what is left of the fill begins another
            book.trips.append(Trip(key, net.trip + profit, net.opened, fill.ts))
            net.opened, net.trip = fill.ts, -profit
    net.trip += profit
    net.qty += signed
    net.cost += signed * fill.price
    value = fill.qty * fill.price * abs(factor)
    book.realised.append(Realised(fill, key, value, commission, profit))


def unrealised(
    book: Ledger,
    terms: Mapping[str, Terms],
    rate: Callable[[str], Decimal | None],
    mark: Callable[[str, str], Decimal | None],
) -> dict[Key, Decimal | None]:
    """Return what open positions would gain at their marks; None without a price or rate.

    Args:
        book: The ledger.
        terms, rate: As in ``ledger``.
        mark: The price of an engine's instrument.
    """
    found: dict[Key, Decimal | None] = {}
    for key, (qty, average) in book.open.items():
        engine, _, instrument = key
        term, price = terms[instrument], mark(engine, instrument)
        factor = rate(term.currency)
        known = price is not None and factor is not None
        found[key] = (
            qty * (price - average) * term.multiplier * factor
            if known and price is not None and factor is not None
            else None
        )
    return found


def contributions(
    book: Ledger,
    open_profit: Mapping[Key, Decimal | None],
    terms: Mapping[str, Terms],
    dimension: Dimension,
    equity: Decimal | None,
) -> tuple[Contribution, ...]:
    """Return what each value of a dimension contributed, the largest first; they add up to the whole.

    By day, what is open is not counted: it is not any day's.

    Args:
        book: The ledger.
        open_profit: From ``unrealised``.
        terms: As in ``ledger``.
        dimension: What to sum by.
        equity: At the beginning; None: no fractions.
    """
    realised: dict[str, Decimal] = defaultdict(Decimal)
    paid: dict[str, Decimal] = defaultdict(Decimal)
    count: dict[str, int] = defaultdict(int)
    for one in book.realised:
        name = value_of(dimension, one, terms)
        realised[name] += one.profit
        paid[name] += one.commission
        count[name] += 1
    gain: dict[str, Decimal | None] = defaultdict(Decimal)
    for key, profit in {} if dimension == "day" else open_profit.items():
        name = _name(dimension, key, terms, 0)
        before = gain[name]
        gain[name] = None if profit is None or before is None else before + profit
    found = []
    for name in realised:
        unreal = gain.get(name, _ZERO)
        total = None if unreal is None else realised[name] + unreal
        found.append(
            Contribution(
                dimension=dimension,
                key=name,
                realized=_cents(realised[name]),
                unrealized=None if unreal is None else _cents(unreal),
                commission=_cents(paid[name]),
                total=None if total is None else _cents(total),
                of_equity=float(total / equity) if total is not None and equity else None,
                fills=count[name],
            )
        )
    if dimension == "day":
        return tuple(sorted(found, key=lambda one: one.key))
    return tuple(sorted(found, key=lambda one: -abs(one.total if one.total is not None else one.realized)))


def aggregated(book: Ledger, terms: Mapping[str, Terms], by: Sequence[Dimension]) -> tuple[AggregateRow, ...]:
    """Return fills summed up by combinations of dimensions, in the order of their values."""
    groups: dict[tuple[str, ...], list[Realised]] = defaultdict(list)
    for one in book.realised:
        groups[tuple(value_of(dimension, one, terms) for dimension in by)].append(one)
    rows = []
    for names, found in sorted(groups.items()):
        bought = sum((one.value for one in found if one.fill.side == "buy"), _ZERO)
        sold = sum((one.value for one in found if one.fill.side == "sell"), _ZERO)
        rows.append(
            AggregateRow(
                keys=dict(zip(by, names, strict=True)),
                fills=len(found),
                orders=len({(one.fill.engine, one.fill.client_order_id) for one in found}),
                bought=_cents(bought),
                sold=_cents(sold),
                traded=_cents(bought + sold),
                commission=_cents(sum((one.commission for one in found), _ZERO)),
                realized=_cents(sum((one.profit for one in found), _ZERO)),
            )
        )
    return tuple(rows)


def value_of(dimension: Dimension, one: Realised, terms: Mapping[str, Terms]) -> str:
    """Return where a fill belongs in a dimension."""
    return _name(dimension, one.key, terms, one.fill.ts)


def _name(dimension: Dimension, key: Key, terms: Mapping[str, Terms], ts: int) -> str:
    engine, strategy, instrument = key
    if dimension == "sector":
        return terms[instrument].sector or UNKNOWN
    if dimension == "day":
        return dt.datetime.fromtimestamp(ts // 1_000_000_000, dt.UTC).date().isoformat()
    return {"engine": engine, "strategy": strategy, "instrument": instrument}[dimension]


def trade_statistics(trips: Sequence[Trip]) -> TradeStatistics:
    """Return how round trips went.

    Win rate is of those that won or lost; profit factor the sum won over the sum lost; expectancy the mean
    of those that won or lost. None where there are none of a kind.
    """
    wins = [one.profit for one in trips if one.profit > 0]
    losses = [one.profit for one in trips if one.profit < 0]
    decided = len(wins) + len(losses)
    won, lost = sum(wins, _ZERO), -sum(losses, _ZERO)
    hours = [(one.closed - one.opened) / _HOUR_NS for one in trips]
    return TradeStatistics(
        closed=len(trips),
        won=len(wins),
        lost=len(losses),
        win_rate=len(wins) / decided if decided else None,
        profit_factor=float(won / lost) if lost else None,
        expectancy=_cents((won - lost) / decided) if decided else None,
        average_win=_cents(won / len(wins)) if wins else None,
        average_loss=_cents(-lost / len(losses)) if losses else None,
        average_hours=float(np.mean(hours)) if hours else None,
    )


def factor_contributions(
    returns: npt.ArrayLike, factor: npt.ArrayLike, name: str
) -> tuple[FactorContribution, ...]:
    """Return what a factor and what is specific contributed to the sum of returns.

    Contribution of the factor: β times the sum of its returns, β by least squares; specific is the rest, so
    that both add up to the sum of the returns. Empty where the factor does not vary.
    Source: Sharpe (1992), "Asset allocation: management style and performance measurement", Journal of
    Portfolio Management 18, with one factor.

    Raises:
        InvalidRequestError: The series are not equally long or not finite.
    """
    values, market = paired(returns, factor)
    loading = beta(values, market)
    if loading is None:
        return ()
    by_factor = loading * _sum(market)
    return (
        FactorContribution(factor=name, loading=loading, contribution=by_factor),
        FactorContribution(factor="specific", loading=None, contribution=_sum(values) - by_factor),
    )


def _sum(values: Floats) -> float:
    return float(values.sum())


def _cents(value: Decimal) -> Decimal:
    return value.quantize(_CENTS, ROUND_HALF_EVEN)
