"""How orders were executed: slippage, implementation shortfall, times, participation, impact, grade.

With s = 1 for a buy and −1 for a sell, M0 the mid when the order was made, P the average price of its
fills, F of its quantity Q filled, and costs positive:

- slippage to arrival: s(P − M0)/M0; to the limit: s(P − limit)/limit; to the interval's VWAP:
  s(P − VWAP)/VWAP, each in basis points (1/100 of a percent);
- implementation shortfall: s·F(P − M0) + s·(Q − F)(M1 − M0) + commission, in money, with M1 the mid when
  the order ended; in basis points of Q·M0. Source: Perold (1988), "The implementation shortfall: paper
  versus reality", Journal of Portfolio Management 14;
- participation: F over the quantity traded from arrival to the last fill, a minute at least;
- impact: s(M2 − M0)/M0 with M2 the first mid after the last fill;
- the grade by slippage to arrival in half spreads of the quote at arrival: A at the mid or better (≤ 0),
  B no worse than the touch (≤ 1), C ≤ 2, D ≤ 4, F beyond.

What was not recorded is None with the reason. This module must not know where quotes and orders come from.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from decimal import ROUND_HALF_EVEN, Decimal
from typing import Final

import msgspec
import numpy as np

from data.analytics import ExecutionAnswer, ExecutionRow, Grade, ImpactRow, VenueRow
from data.records import FINAL_STATUSES, Fill, OrderUpdate
from risk.measures.sample import Floats

GRADE_RULE: Final = (
    "slippage to the arrival mid in half spreads at arrival: A ≤ 0 (the mid or better), B ≤ 1 (the touch), "
    "C ≤ 2, D ≤ 4, F beyond; several orders: mean weighted by value"
)
_GRADES: Final[tuple[tuple[float, Grade], ...]] = ((0.0, "A"), (1.0, "B"), (2.0, "C"), (4.0, "D"))
#: What is said of figures that are there.
_REMARKS: Final = frozenset({"interval"})
_ROUNDING: Final = 1e-9
_BPS: Final = 10_000.0
_CENTS: Final = Decimal("0.01")
_BANDS: Final = ((0.01, "below 1 %"), (0.05, "1 to 5 %"), (0.20, "5 to 20 %"), (math.inf, "20 % and more"))


class Touch(msgspec.Struct, frozen=True, kw_only=True):
    """The best bid and ask at a moment."""

    bid: Decimal
    ask: Decimal
    ts: int

    @property
    def mid(self) -> Decimal:
        """Halfway between."""
        return (self.bid + self.ask) / 2


class OrderFacts(msgspec.Struct, frozen=True, kw_only=True):
    """An order with all that was recorded around it. ``reasons`` says why something is not there."""

    order: OrderUpdate
    fills: tuple[Fill, ...] = ()
    currency: str
    multiplier: Decimal = Decimal(1)
    rate: Decimal | None = None  #: the book's currency for one unit of the instrument's
    arrival: Touch | None = None
    after: Touch | None = None  #: the first after the last fill
    end: Touch | None = None  #: when the order ended
    vwap: Decimal | None = None
    volume: Decimal | None = None
    ts_ack: int | None = None
    reasons: dict[str, str] = {}


def grade(spreads: float | None) -> Grade | None:
    """Return the grade of a slippage in half spreads; None without one."""
    if spreads is None:
        return None
    return next((name for most, name in _GRADES if spreads <= most + _ROUNDING), "F")


def row(facts: OrderFacts) -> ExecutionRow:
    """Return how one order was executed; see the module."""
    order, fills = facts.order, facts.fills
    side = 1 if order.side == "buy" else -1
    filled = sum((one.qty for one in fills), Decimal(0))
    average = sum((one.qty * one.price for one in fills), Decimal(0)) / filled if filled else None
    reasons = dict(facts.reasons)
    arrival = facts.arrival
    slippage = None if arrival is None else _bps(side, average, arrival.mid)
    spreads = None
    if slippage is not None and arrival is not None and average is not None:
        half = arrival.ask - arrival.mid
        spreads = float(side * (average - arrival.mid) / half) if half > 0 else None
        if spreads is None:
            reasons["grade"] = "the quote at arrival had no spread"
    if not filled:
        reasons["slippage"] = "nothing was filled"
    shortfall, of_order = _shortfall(facts, side, filled, average, reasons)
    commission = _commission(fills, facts.currency)
    if order.ts_init and fills and facts.ts_ack is None:
        reasons.setdefault("ack", "its acknowledgement is not in the journal")
    live = "time" not in facts.reasons
    return ExecutionRow(
        engine=order.engine,
        client_order_id=order.client_order_id,
        instrument=order.instrument,
        venue=order.instrument.rpartition(".")[2],
        side=order.side,
        order_type=order.order_type,
        status=order.status,
        strategy=order.strategy,
        qty=order.qty,
        filled_qty=filled,
        avg_price=None if average is None else _shown(average, fills),
        limit_price=order.price,
        arrival_bid=None if arrival is None else arrival.bid,
        arrival_ask=None if arrival is None else arrival.ask,
        arrival_mid=None if arrival is None else arrival.mid,
        interval_vwap=facts.vwap,
        interval_volume=facts.volume,
        slippage_arrival_bps=slippage,
        slippage_limit_bps=_bps(side, average, order.price),
        slippage_vwap_bps=_bps(side, average, facts.vwap),
        shortfall=shortfall,
        shortfall_bps=of_order,
        spreads=spreads,
        participation=float(filled / facts.volume) if filled and facts.volume else None,
        impact_bps=_bps(side, facts.after.mid, arrival.mid) if facts.after and arrival else None,
        commission=commission,
        fills=len(fills),
        maker_fills=sum(one.liquidity == "maker" for one in fills),
        ack_ms=_ms(order.ts_init, facts.ts_ack) if live else None,
        first_fill_ms=_ms(order.ts_init, min((one.ts for one in fills), default=None)) if live else None,
        grade=grade(spreads),
        currency=facts.currency,
        reasons=reasons,
        ts_init=order.ts_init,
        synthetic=order.synthetic,
    )


def _shown(average: Decimal, fills: Sequence[Fill]) -> Decimal:
    """Return an average price with four decimals more than the prices it is made of, at most."""
    digits = max(-int(one.price.as_tuple().exponent) for one in fills)
    short = average.quantize(Decimal(1).scaleb(-digits))
    return short if short == average else average.quantize(Decimal(1).scaleb(-digits - 4))


def _bps(side: int, price: Decimal | None, reference: Decimal | None) -> float | None:
    if price is None or not reference:
        return None
    return float(side * (price - reference) / reference) * _BPS


def _ms(start: int, end: int | None) -> float | None:
    return None if end is None else (end - start) / 1e6


def _commission(fills: Sequence[Fill], currency: str) -> Decimal | None:
    """Return what was paid, if it was in the instrument's currency."""
    if any(one.commission_currency != currency for one in fills):
        return None
    return sum((one.commission for one in fills), Decimal(0))


def _shortfall(
    facts: OrderFacts, side: int, filled: Decimal, average: Decimal | None, reasons: dict[str, str]
) -> tuple[Decimal | None, float | None]:
    order, arrival = facts.order, facts.arrival
    paid = _commission(facts.fills, facts.currency)
    if arrival is None or paid is None:
        if arrival is not None:
            reasons["shortfall"] = "commission was in another currency"
        return None, None
    mid, unfilled = arrival.mid, order.qty - filled
    missed = Decimal(0)
    if unfilled and order.status not in FINAL_STATUSES:
        reasons["shortfall"] = "the order still works: what is not filled is not counted yet"
        unfilled = Decimal(0)
    if unfilled:
        if facts.end is None:
            reasons["shortfall"] = "the mid when the order ended is not recorded"
            return None, None
        missed = side * unfilled * (facts.end.mid - mid)
    executed = side * filled * ((average or mid) - mid)
    total = (executed + missed) * facts.multiplier + paid
    counted = (filled + unfilled) * mid * facts.multiplier
    cents = total.quantize(_CENTS, ROUND_HALF_EVEN)
    return cents, float(total / counted) * _BPS if counted else None


# ---------------------------------------------------------------- several orders


def summary(
    execution_id: str, facts: Sequence[OrderFacts], *, ts: int, notes: Sequence[str] = (), shown: int = 200
) -> ExecutionAnswer:
    """Return how orders were executed together, the latest ``shown`` of them one by one.

    Means are weighted by the value of what was filled; times are medians; orders that never left for the
    venue (denied) are left out.
    """
    sent = [one for one in facts if one.order.status != "denied"]
    rows = [row(one) for one in sent]
    weights = np.array([_weight(one) for one in sent])
    notes = list(notes)
    if len(sent) < len(facts):
        notes.append(f"{len(facts) - len(sent):,} denied orders are left out: they were not sent")
    if any(_is_unweighted(one) for one in sent):
        notes.append("orders without an exchange rate do not count in weighted means")
    if len(rows) > shown:
        notes.append(f"the latest {shown:,} of {len(rows):,} orders are shown one by one")
    commission: dict[str, Decimal] = defaultdict(Decimal)
    unknown: dict[str, int] = defaultdict(int)
    for one in sent:
        for fill in one.fills:
            commission[fill.commission_currency] += fill.commission
    for found in rows:
        for name, reason in found.reasons.items():
            if name not in _REMARKS:
                unknown[f"{name}: {reason}"] += 1
    mean = _Means(rows, weights)
    order = sorted(range(len(rows)), key=lambda at: -rows[at].ts_init)[:shown]
    return ExecutionAnswer(
        execution_id=execution_id,
        orders=len(rows),
        filled_orders=sum(one.filled_qty > 0 for one in rows),
        fill_rate=_fill_rate(sent),
        slippage_arrival_bps=mean.of(lambda one: one.slippage_arrival_bps),
        slippage_limit_bps=mean.of(lambda one: one.slippage_limit_bps),
        slippage_vwap_bps=mean.of(lambda one: one.slippage_vwap_bps),
        shortfall_bps=mean.of(lambda one: one.shortfall_bps),
        median_ack_ms=_median(one.ack_ms for one in rows),
        median_first_fill_ms=_median(one.first_fill_ms for one in rows),
        participation=_participation(sent),
        grade=grade(mean.of(lambda one: one.spreads)),
        grade_rule=GRADE_RULE,
        commission=dict(commission),
        venues=_venues(sent, rows, weights),
        impact=_impact(rows, weights),
        rows=tuple(rows[at] for at in order),
        unknown=dict(unknown),
        notes=tuple(notes),
        synthetic=any(one.synthetic for one in rows),
        ts=ts,
    )


class _Means:
    """Means weighted by value, over the rows that have a figure."""

    def __init__(self, rows: Sequence[ExecutionRow], weights: Floats) -> None:
        self._rows = rows
        self._weights = weights

    def of(self, figure: Callable[[ExecutionRow], float | None]) -> float | None:
        known = [(value, at) for at, one in enumerate(self._rows) if (value := figure(one)) is not None]
        if not known:
            return None
        values = np.array([value for value, _ in known])
        weights = self._weights[[at for _, at in known]]
        total = float(weights.sum())
        return float(values @ weights) / total if total > 0.0 else None


def _price(one: OrderFacts) -> Decimal | None:
    """Return what tells an order's value: the arrival mid, else its limit, else its first fill."""
    if one.arrival is not None:
        return one.arrival.mid
    return one.order.price or (one.fills[0].price if one.fills else None)


def _weight(one: OrderFacts) -> float:
    """Return the value of what was filled, in the book's currency."""
    if one.rate is None:
        return 0.0
    return float(sum(fill.qty * fill.price for fill in one.fills) * one.multiplier * one.rate)


def _is_unweighted(one: OrderFacts) -> bool:
    return bool(one.fills) and one.rate is None


def _fill_rate(facts: Sequence[OrderFacts]) -> float | None:
    """Return the value filled over the value ordered; None where no order can be valued."""
    ordered = filled = 0.0
    for one in facts:
        price = _price(one)
        if price is not None and one.rate is not None:
            unit = float(price * one.multiplier * one.rate)
            ordered += float(one.order.qty) * unit
            filled += float(sum(fill.qty for fill in one.fills)) * unit
    return filled / ordered if ordered else None


def _participation(facts: Sequence[OrderFacts]) -> float | None:
    known = [one for one in facts if one.fills and one.volume]
    volume = sum(float(one.volume or 0) for one in known)
    return sum(float(sum(fill.qty for fill in one.fills)) for one in known) / volume if volume else None


def _median(values: Iterable[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return float(np.median(known)) if known else None


def _venues(
    facts: Sequence[OrderFacts], rows: Sequence[ExecutionRow], weights: Floats
) -> tuple[VenueRow, ...]:
    places: dict[str, list[int]] = defaultdict(list)
    for at, one in enumerate(rows):
        places[one.venue].append(at)
    found = []
    for venue, own in sorted(places.items()):
        mine = [rows[place] for place in own]
        mean = _Means(mine, weights[own])
        fills = sum(one.fills for one in mine)
        found.append(
            VenueRow(
                venue=venue,
                orders=len(mine),
                filled_orders=sum(one.filled_qty > 0 for one in mine),
                fill_rate=_fill_rate([facts[place] for place in own]),
                slippage_arrival_bps=mean.of(lambda one: one.slippage_arrival_bps),
                shortfall_bps=mean.of(lambda one: one.shortfall_bps),
                median_ack_ms=_median(one.ack_ms for one in mine),
                median_first_fill_ms=_median(one.first_fill_ms for one in mine),
                maker_share=sum(one.maker_fills for one in mine) / fills if fills else None,
                rejected=sum(one.status == "rejected" for one in mine),
                grade=grade(mean.of(lambda one: one.spreads)),
            )
        )
    return tuple(found)


def _impact(rows: Sequence[ExecutionRow], weights: Floats) -> tuple[ImpactRow, ...]:
    places: dict[str, list[int]] = defaultdict(list)
    for at, one in enumerate(rows):
        share = one.participation
        if share is not None:
            places[next(name for most, name in _BANDS if share < most)].append(at)
    found = []
    for _, name in _BANDS:
        own = places.get(name)
        if own:
            mean = _Means([rows[place] for place in own], weights[own])
            found.append(
                ImpactRow(
                    participation=name,
                    orders=len(own),
                    slippage_arrival_bps=mean.of(lambda one: one.slippage_arrival_bps),
                    impact_bps=mean.of(lambda one: one.impact_bps),
                )
            )
    return tuple(found)
