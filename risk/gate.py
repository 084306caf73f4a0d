"""The gate's judgement: may this order leave, given the books, the prices and the limits?

Exposure is judged at its worst: every order already working or leaving on the same side counts as
filled. What cannot be judged is denied. This module is arithmetic only; it must not know how an
order came or where it goes.
"""

from __future__ import annotations

from collections import deque
from decimal import ROUND_DOWN, Decimal

import msgspec

from data.limits import LimitEffect
from data.records import Side
from risk.limits import GateLimits, OrderRate

_SECOND_NS = 1_000_000_000


class OrderIntent(msgspec.Struct, frozen=True, kw_only=True):
    """What an order would do. ``price`` is the worst price it could be done at, None if unknown."""

    instrument: str
    side: Side
    qty: Decimal
    price: Decimal | None
    multiplier: Decimal
    lot_size: Decimal
    rate: Decimal | None  #: account currency for one unit of the instrument's currency; None if unknown
    reduce_only: bool = False


class Exposure(msgspec.Struct, frozen=True, kw_only=True):
    """What is held and what is on its way in one instrument, in its own units."""

    position: Decimal = Decimal(0)  #: signed
    buying: Decimal = Decimal(0)  #: open quantity of buy orders that may increase
    selling: Decimal = Decimal(0)  #: the same of sell orders, positive


class Denial(msgspec.Struct, frozen=True, kw_only=True):
    """Why an order may not leave, what it would lead to, and what would pass."""

    rule: str
    detail: str
    value: Decimal | None = None
    limit: Decimal | None = None
    largest_qty: Decimal | None = None

    def sentence(self) -> str:
        """Return the reason in one line, the rule first."""
        tail = "" if self.largest_qty is None else f"; largest quantity that passes: {self.largest_qty:f}"
        return f"{self.rule}: {self.detail}{tail}"


def judge(intent: OrderIntent, exposure: Exposure, limits: GateLimits) -> Denial | None:
    """Return why the order is denied, or None if it may leave."""
    if intent.reduce_only:
        return None
    if limits.order_notional is None and limits.position_size is None:
        return None
    if intent.price is None or intent.price <= 0:
        return Denial(rule="price", detail=f"no price for {intent.instrument} to judge the order by")
    if intent.rate is None:
        return Denial(
            rule="rate", detail=f"no exchange rate from {intent.instrument}'s currency to the account's"
        )
    unit = abs(intent.price) * intent.multiplier * intent.rate
    return _order_notional(intent, unit, limits.order_notional) or _position_size(
        intent, exposure, unit, limits.position_size
    )


def _order_notional(intent: OrderIntent, unit: Decimal, limit: Decimal | None) -> Denial | None:
    value = intent.qty * unit
    if limit is None or value <= limit:
        return None
    return Denial(
        rule="order_notional",
        detail=f"{intent.qty:f} {intent.instrument} is {value:,.2f}, the limit is {limit:,.2f}",
        value=value,
        limit=limit,
        largest_qty=_lots(limit / unit, intent.lot_size),
    )


def _position_size(
    intent: OrderIntent, exposure: Exposure, unit: Decimal, limit: Decimal | None
) -> Denial | None:
    if limit is None:
        return None
    if intent.side == "buy":
        present = exposure.position + exposure.buying
    else:
        present = -exposure.position + exposure.selling
    after = present + intent.qty
    if after * unit <= limit:
        return None
    room = max(limit / unit - present, Decimal(0))
    return Denial(
        rule="position_size",
        detail=f"{intent.instrument} could reach {after * unit:,.2f}, the limit is {limit:,.2f}",
        value=after * unit,
        limit=limit,
        largest_qty=_lots(room, intent.lot_size),
    )


def effects(intent: OrderIntent, exposure: Exposure, limits: GateLimits, currency: str) -> list[LimitEffect]:
    """Return what the order would do to the limits on size, at its worst."""
    unit = None
    if intent.price is not None and intent.rate is not None:
        unit = abs(intent.price) * intent.multiplier * intent.rate
    present = exposure.position + exposure.buying
    if intent.side == "sell":
        present = exposure.selling - exposure.position
    adds = Decimal(0) if intent.reduce_only else intent.qty
    rows = [
        ("order_notional", Decimal(0), adds, limits.order_notional),
        ("position_size", present, present + adds, limits.position_size),
    ]
    return [
        LimitEffect(
            rule=rule,
            scope=intent.instrument,
            used=None if unit is None else _cents(abs(used) * unit),
            after=None if unit is None else _cents(abs(after) * unit),
            limit=limit,
            unit=currency,
            passes=limit is None or intent.reduce_only or (unit is not None and after * unit <= limit),
        )
        for rule, used, after, limit in rows
    ]


def _cents(value: Decimal) -> Decimal:
    return value.quantize(Decimal("0.01"))


def _lots(qty: Decimal, lot: Decimal) -> Decimal:
    return (qty / lot).to_integral_value(ROUND_DOWN) * lot


class RateWindow:
    """Counts order commands in a sliding window; those it denies do not count."""

    def __init__(self, rate: OrderRate | None) -> None:
        self._rate = rate
        self._times: deque[int] = deque()

    def effect(self, now_ns: int) -> LimitEffect:
        """Return what one more command would do to the rate."""
        count = self._count(now_ns)
        limit = None if self._rate is None else self._rate.orders
        return LimitEffect(
            rule="order_rate",
            scope="engine",
            used=Decimal(count),
            after=Decimal(count + 1),
            limit=None if limit is None else Decimal(limit),
            unit="orders",
            passes=limit is None or count < limit,
        )

    def _count(self, now_ns: int) -> int:
        """Return how many commands the window holds, having dropped those that left it."""
        if self._rate is None:
            return 0
        horizon = now_ns - self._rate.seconds * _SECOND_NS
        while self._times and self._times[0] <= horizon:
            self._times.popleft()
        return len(self._times)

    def judge(self, now_ns: int) -> Denial | None:
        """Count one command at ``now_ns``, or return why it may not leave."""
        if self._rate is None:
            return None
        if self._count(now_ns) >= self._rate.orders:
            return Denial(
                rule="order_rate",
                detail=f"{len(self._times)} orders within {self._rate.seconds} s, the limit is {self._rate}",
                value=Decimal(len(self._times) + 1),
                limit=Decimal(self._rate.orders),
            )
        self._times.append(now_ns)
        return None
