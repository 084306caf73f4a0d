"""From our order commands to NautilusTrader's orders. Rules have been checked before.

A DAY order becomes good-till-date to the session's close and carries a tag that says so. This
module must not know who sends the orders.
"""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import Any

from nautilus_trader.common.factories import OrderFactory
from nautilus_trader.core.uuid import UUID4
from nautilus_trader.model import Price, Quantity
from nautilus_trader.model.enums import (
    ContingencyType,
    OrderSide,
    OrderType,
    TimeInForce,
    TrailingOffsetType,
    TriggerType,
)
from nautilus_trader.model.identifiers import ClientOrderId, InstrumentId
from nautilus_trader.model.orders import (
    LimitOrder,
    Order,
    OrderList,
    StopMarketOrder,
)

from data.commands import SubmitBracket, SubmitOco, SubmitOrder
from data.records import Instrument, Side
from engines.node.translate import DAY_TAG

_SIDES: dict[Side, OrderSide] = {"buy": OrderSide.BUY, "sell": OrderSide.SELL}
_TIFS = {
    "gtc": TimeInForce.GTC,
    "gtd": TimeInForce.GTD,
    "ioc": TimeInForce.IOC,
    "fok": TimeInForce.FOK,
    "day": TimeInForce.GTD,
}


def order_side(side: Side) -> OrderSide:
    """Return the engine's name of a side."""
    return _SIDES[side]


def price_of(instrument: Instrument, price: Decimal) -> Price:
    """Return a price at the instrument's precision, exactly."""
    return Price.from_str(f"{price:.{instrument.price_precision}f}")


def quantity_of(instrument: Instrument, qty: Decimal) -> Quantity:
    """Return a quantity at the instrument's precision, exactly."""
    return Quantity.from_str(f"{qty:.{instrument.size_precision}f}")


def single(factory: OrderFactory, instrument: Instrument, command: SubmitOrder, day_end_ns: int) -> Order:
    """Return the order that ``command`` describes; ``day_end_ns`` is when a DAY order ends."""
    common: dict[str, Any] = {
        "instrument_id": InstrumentId.from_str(instrument.id),
        "order_side": _SIDES[command.side],
        "quantity": quantity_of(instrument, command.qty),
        "client_order_id": ClientOrderId(command.client_order_id),
        "reduce_only": command.reduce_only,
    }
    if command.order_type == "market":
        # A market order does not rest: day, gtc and gtd all mean "now" to the venue.
        tif = _TIFS[command.tif] if command.tif in ("ioc", "fok") else TimeInForce.GTC
        return factory.market(time_in_force=tif, tags=_tags(command.tif), **common)
    common |= _lifetime(command.tif, command.ts_expire, day_end_ns)
    if command.price is not None:
        common["price"] = price_of(instrument, command.price)
    if command.trigger_price is not None:
        common["trigger_price"] = price_of(instrument, command.trigger_price)
    if command.trailing_offset is not None:
        common["trailing_offset"] = command.trailing_offset
        common["trailing_offset_type"] = TrailingOffsetType.PRICE
    makers = {
        "limit": factory.limit,
        "stop_market": factory.stop_market,
        "stop_limit": factory.stop_limit,
        "trailing_stop": factory.trailing_stop_market,
        "market_if_touched": factory.market_if_touched,
        "limit_if_touched": factory.limit_if_touched,
    }
    return makers[command.order_type](**common)


def bracket(
    factory: OrderFactory, instrument: Instrument, command: SubmitBracket, day_end_ns: int
) -> OrderList:
    """Return an entry whose fill releases a target and a stop, of which one cancels the other."""
    life = _lifetime(command.tif, command.ts_expire, day_end_ns)
    entry_type = OrderType.LIMIT if command.order_type == "limit" else OrderType.MARKET
    if entry_type == OrderType.MARKET:
        life = {"time_in_force": TimeInForce.GTC, "tags": _tags(command.tif)}
    return factory.bracket(
        instrument_id=InstrumentId.from_str(instrument.id),
        order_side=_SIDES[command.side],
        quantity=quantity_of(instrument, command.qty),
        entry_order_type=entry_type,
        entry_price=None if command.price is None else price_of(instrument, command.price),
        time_in_force=life["time_in_force"],
        expire_time=life.get("expire_time"),
        entry_tags=life.get("tags"),
        entry_client_order_id=ClientOrderId(command.client_order_id),
        tp_price=price_of(instrument, command.take_profit),
        tp_post_only=False,
        tp_client_order_id=ClientOrderId(f"{command.client_order_id}-TP"),
        sl_trigger_price=price_of(instrument, command.stop_loss),
        sl_client_order_id=ClientOrderId(f"{command.client_order_id}-SL"),
    )


def one_cancels_other(
    factory: OrderFactory, instrument: Instrument, command: SubmitOco, day_end_ns: int, ts: int
) -> OrderList:
    """Return a limit and a stop order of one side, of which one cancels the other."""
    list_id = factory.generate_order_list_id()
    limit_id = ClientOrderId(f"{command.client_order_id}-A")
    stop_id = ClientOrderId(f"{command.client_order_id}-B")
    life = _lifetime(command.tif, command.ts_expire, day_end_ns)
    expire = life.get("expire_time")
    common: dict[str, Any] = {
        "trader_id": factory.trader_id,
        "strategy_id": factory.strategy_id,
        "instrument_id": InstrumentId.from_str(instrument.id),
        "order_side": _SIDES[command.side],
        "quantity": quantity_of(instrument, command.qty),
        "ts_init": ts,
        "time_in_force": life["time_in_force"],
        "expire_time_ns": 0 if expire is None else _nanoseconds(expire),
        "reduce_only": command.reduce_only,
        "contingency_type": ContingencyType.OCO,
        "order_list_id": list_id,
        "tags": life.get("tags"),
    }
    limit = LimitOrder(
        client_order_id=limit_id,
        price=price_of(instrument, command.limit_price),
        init_id=UUID4(),
        linked_order_ids=[stop_id],
        **common,
    )
    stop = StopMarketOrder(
        client_order_id=stop_id,
        trigger_price=price_of(instrument, command.stop_price),
        trigger_type=TriggerType.DEFAULT,
        init_id=UUID4(),
        linked_order_ids=[limit_id],
        **common,
    )
    return OrderList(order_list_id=list_id, orders=[limit, stop])


def _tags(tif: str) -> list[str] | None:
    return [DAY_TAG] if tif == "day" else None


def _lifetime(tif: str, ts_expire: int | None, day_end_ns: int) -> dict[str, Any]:
    life: dict[str, Any] = {"time_in_force": _TIFS[tif]}
    if tif == "day":
        life |= {"expire_time": _datetime(day_end_ns), "tags": _tags(tif)}
    elif tif == "gtd" and ts_expire is not None:
        life["expire_time"] = _datetime(ts_expire)
    return life


def _datetime(ts: int) -> dt.datetime:
    # Rounded up to a microsecond: what datetimes can hold, and never earlier than asked for.
    return dt.datetime.fromtimestamp(0, dt.UTC) + dt.timedelta(microseconds=-(-ts // 1000))


def _nanoseconds(moment: dt.datetime) -> int:
    return ((moment - dt.datetime.fromtimestamp(0, dt.UTC)) // dt.timedelta(microseconds=1)) * 1000
