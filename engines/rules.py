"""An instrument's rules for an order: ticks, lots, sizes, and which prices and times a type needs.

Each broken rule is a typed denial that names the field, the value, the rule and the nearest value
that would pass. This module must not know where an order comes from or goes to.
"""

from __future__ import annotations

import re
from decimal import ROUND_DOWN, ROUND_HALF_EVEN, Decimal

from data.access import TOKEN_PREFIX
from data.commands import ModifyOrder, SubmitBracket, SubmitOco, SubmitOrder
from data.problems import DeniedError, InvalidRequestError
from data.records import Instrument, OrderType

_NEEDS_PRICE: frozenset[OrderType] = frozenset({"limit", "stop_limit", "limit_if_touched"})
_NEEDS_TRIGGER: frozenset[OrderType] = frozenset(
    {"stop_market", "stop_limit", "market_if_touched", "limit_if_touched"}
)
_IMMEDIATE = frozenset({"ioc", "fok"})
ID_LENGTH = 64
#: How much longer the ids of exits and of closing orders are, which are made from their command's id.
_SUFFIX_LENGTH = 16
_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:@-]*")


def check_id(field: str, value: str, *, new: bool = True) -> None:
    """Check that a text can name a command or an order, a new one or one there is.

    Raises
    ------
    InvalidRequestError
        If it cannot.

    """
    if value.startswith(TOKEN_PREFIX):
        raise InvalidRequestError(  # not repeated: ids are written everywhere
            f"{field} looks like an access token",
            rule=f"an id does not begin with {TOKEN_PREFIX}",
            fix="use a new random id, and revoke that token",
            field=field,
        )
    longest = ID_LENGTH if new else ID_LENGTH + _SUFFIX_LENGTH
    if len(value) > longest or not _ID.fullmatch(value):
        raise InvalidRequestError(
            f"{field} {value[:80]!r} cannot be used as an id",
            rule=f"an id is 1 to {longest} of A-Z a-z 0-9 . _ : @ -, starting with a letter or digit",
            fix="use a new random id" if new else "use the id that the order has",
            field=field,
            value=value[:80],
        )


def check_order(instrument: Instrument, order: SubmitOrder, now_ns: int) -> None:
    """Check a single order.

    Raises
    ------
    DeniedError
        If a rule of the instrument or of the order's type is broken.

    """
    check_quantity(instrument, order.qty)
    _check_field(order.order_type, "price", order.price, order.order_type in _NEEDS_PRICE)
    _check_field(order.order_type, "trigger_price", order.trigger_price, order.order_type in _NEEDS_TRIGGER)
    _check_field(
        order.order_type, "trailing_offset", order.trailing_offset, order.order_type == "trailing_stop"
    )
    for field in ("price", "trigger_price", "trailing_offset"):
        check_price(instrument, field, getattr(order, field))
    if order.tif in _IMMEDIATE and order.order_type not in ("market", "limit"):
        raise DeniedError(
            f"a {order.order_type} order cannot be {order.tif}",
            rule="ioc and fok are for market and limit orders",
            fix="use tif day, gtc or gtd",
            field="tif",
        )
    check_expiry(order.tif, order.ts_expire, now_ns)


def check_bracket(instrument: Instrument, order: SubmitBracket, now_ns: int) -> None:
    """Check an entry with its two exits; raises as `check_order`."""
    check_quantity(instrument, order.qty)
    _check_field(order.order_type, "price", order.price, order.order_type == "limit")
    for field in ("price", "take_profit", "stop_loss"):
        check_price(instrument, field, getattr(order, field))
    _check_between(order)
    check_expiry(order.tif, order.ts_expire, now_ns)


def check_oco(instrument: Instrument, order: SubmitOco, now_ns: int) -> None:
    """Check two orders of which one cancels the other; raises as `check_order`."""
    check_quantity(instrument, order.qty)
    for field in ("limit_price", "stop_price"):
        check_price(instrument, field, getattr(order, field))
    wrong = (
        order.limit_price >= order.stop_price
        if order.side == "buy"
        else order.limit_price <= order.stop_price
    )
    if wrong:
        below = "below" if order.side == "buy" else "above"
        raise DeniedError(
            f"limit {order.limit_price:f} and stop {order.stop_price:f} are on the wrong sides",
            rule=f"a {order.side} pair has its limit {below} its stop",
            fix="exchange the two prices",
            field="limit_price",
        )
    check_expiry(order.tif, order.ts_expire, now_ns)


def check_modification(instrument: Instrument, change: ModifyOrder, filled: Decimal) -> None:
    """Check the fields that a modification changes; raises as `check_order`."""
    if change.qty is None and change.price is None and change.trigger_price is None:
        raise DeniedError(
            "nothing to modify", rule="a modification changes qty, price or trigger_price", field="qty"
        )
    if change.qty is not None:
        check_quantity(instrument, change.qty)
        if change.qty <= filled:
            raise DeniedError(
                f"quantity {change.qty:f} is not more than the {filled:f} already filled",
                rule="a modified quantity is the order's total and exceeds what is filled",
                fix="cancel the order instead",
                field="qty",
            )
    check_price(instrument, "price", change.price)
    check_price(instrument, "trigger_price", change.trigger_price)


def check_quantity(instrument: Instrument, qty: Decimal) -> None:
    """Check lots and sizes; raises `DeniedError`."""
    lot = instrument.lot_size
    if qty <= 0:
        raise DeniedError(
            f"quantity {qty:f} is not positive",
            rule="a quantity is greater than zero",
            field="qty",
            value=f"{qty:f}",
        )
    if qty % lot:
        nearest = max((qty / lot).to_integral_value(ROUND_DOWN) * lot, lot)
        raise DeniedError(
            f"quantity {qty:f} is not a multiple of the lot of {instrument.id}",
            rule=f"lot size {lot:f}",
            fix=f"use {nearest:f}",
            field="qty",
            value=f"{qty:f}",
        )
    if qty < instrument.min_qty:
        raise DeniedError(
            f"quantity {qty:f} is below the smallest of {instrument.id}",
            rule=f"minimum quantity {instrument.min_qty:f}",
            fix=f"use {instrument.min_qty:f}",
            field="qty",
            value=f"{qty:f}",
            limit=f"{instrument.min_qty:f}",
        )
    if instrument.max_qty is not None and qty > instrument.max_qty:
        raise DeniedError(
            f"quantity {qty:f} is above the largest of {instrument.id}",
            rule=f"maximum quantity {instrument.max_qty:f}",
            fix=f"use {instrument.max_qty:f}",
            field="qty",
            value=f"{qty:f}",
            limit=f"{instrument.max_qty:f}",
            max_quantity=f"{instrument.max_qty:f}",
        )


def check_price(instrument: Instrument, field: str, price: Decimal | None) -> None:
    """Check that a price, if there is one, is positive and on a tick; raises `DeniedError`."""
    if price is None:
        return
    if price <= 0:
        raise DeniedError(
            f"{field} {price:f} is not positive",
            rule="prices are above zero",
            field=field,
            value=f"{price:f}",
        )
    tick = instrument.tick_size
    if price % tick:
        nearest = (price / tick).to_integral_value(ROUND_HALF_EVEN) * tick
        raise DeniedError(
            f"{field} {price:f} is not on a tick of {instrument.id}",
            rule=f"tick size {tick:f}",
            fix=f"use {nearest:f}",
            field=field,
            value=f"{price:f}",
        )


def check_expiry(tif: str, ts_expire: int | None, now_ns: int) -> None:
    """Check that a good-till-date order has a date ahead; raises `DeniedError`."""
    if tif == "gtd" and (ts_expire is None or ts_expire <= now_ns):
        raise DeniedError(
            "a gtd order needs a time in the future to expire at",
            rule="gtd means good till a date",
            fix="give ts_expire, or use tif gtc",
            field="ts_expire",
        )
    if tif != "gtd" and ts_expire is not None:
        raise DeniedError(
            f"a {tif} order has no expiry of its own", rule="only gtd orders name a time", field="ts_expire"
        )


def _check_field(order_type: str, field: str, value: Decimal | None, needed: bool) -> None:
    if needed and value is None:
        raise DeniedError(
            f"a {order_type} order needs a {field}", rule=f"{order_type} orders carry {field}", field=field
        )
    if not needed and value is not None:
        raise DeniedError(
            f"a {order_type} order has no {field}", rule=f"{order_type} orders carry no {field}", field=field
        )


def _check_between(order: SubmitBracket) -> None:
    low, high = order.stop_loss, order.take_profit
    if order.side == "sell":
        low, high = high, low
    entry_outside = order.price is not None and not low < order.price < high
    if low >= high or entry_outside:
        raise DeniedError(
            f"take profit {order.take_profit:f} and stop loss {order.stop_loss:f} do not enclose the entry",
            rule="a buy has its stop below and its target above the entry, a sell the other way round",
            fix="exchange the two prices",
            field="stop_loss",
        )
