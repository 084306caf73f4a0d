"""From NautilusTrader's objects to our records, one function a kind.

Values pass as `Decimal` through the engine's own value types, never through floats. This module
must not know who asks.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Any, Literal

from nautilus_trader.model import Position
from nautilus_trader.model.enums import (
    ContingencyType,
    LiquiditySide,
    OrderSide,
    OrderStatus,
    OrderType,
    TimeInForce,
)
from nautilus_trader.model.events import AccountState, OrderFilled
from nautilus_trader.model.orders import Order

from data import records
from data.limits import Denial
from data.records import AccountUpdate, Balance, Fill, OrderUpdate, PositionUpdate

SIDES: dict[OrderSide, records.Side] = {OrderSide.BUY: "buy", OrderSide.SELL: "sell"}

ORDER_TYPES: dict[OrderType, records.OrderType] = {
    OrderType.MARKET: "market",
    OrderType.LIMIT: "limit",
    OrderType.STOP_MARKET: "stop_market",
    OrderType.STOP_LIMIT: "stop_limit",
    OrderType.TRAILING_STOP_MARKET: "trailing_stop",
    OrderType.MARKET_IF_TOUCHED: "market_if_touched",
    OrderType.LIMIT_IF_TOUCHED: "limit_if_touched",
}

TIMES_IN_FORCE: dict[TimeInForce, records.TimeInForce] = {
    TimeInForce.DAY: "day",
    TimeInForce.GTC: "gtc",
    TimeInForce.GTD: "gtd",
    TimeInForce.IOC: "ioc",
    TimeInForce.FOK: "fok",
}

STATUSES: dict[OrderStatus, records.OrderStatus] = {
    OrderStatus.INITIALIZED: "sent",
    OrderStatus.EMULATED: "sent",
    OrderStatus.RELEASED: "sent",
    OrderStatus.SUBMITTED: "sent",
    OrderStatus.DENIED: "denied",
    OrderStatus.ACCEPTED: "accepted",
    OrderStatus.TRIGGERED: "accepted",
    OrderStatus.PENDING_UPDATE: "accepted",
    OrderStatus.PENDING_CANCEL: "accepted",
    OrderStatus.PARTIALLY_FILLED: "partially_filled",
    OrderStatus.FILLED: "filled",
    OrderStatus.CANCELED: "cancelled",
    OrderStatus.REJECTED: "rejected",
    OrderStatus.EXPIRED: "expired",
}

_CONTINGENCIES = {ContingencyType.OCO: "oco", ContingencyType.OTO: "oto", ContingencyType.OUO: "ouo"}
_LIQUIDITY = {LiquiditySide.MAKER: "maker", LiquiditySide.TAKER: "taker"}
#: A DAY order rests as GTD to the session's close, because the venue knows dates and not days.
DAY_TAG = "tif=day"


def _decimal(value: Any) -> Decimal | None:
    return None if value is None else value.as_decimal()


def order_status(order: Order) -> records.OrderStatus:
    """Return the state that a person is shown."""
    status = STATUSES[order.status]
    if status == "accepted" and order.filled_qty.as_decimal() > 0:
        return "partially_filled"
    return status


def order_update(
    engine: str,
    order: Order,
    event: Any,
    avg_price: Decimal | None,
    *,
    denial: Denial | None = None,
    seq: int,
    synthetic: bool,
) -> OrderUpdate:
    """Return the whole state of ``order`` after ``event``."""
    expire = getattr(order, "expire_time_ns", 0)
    offset = getattr(order, "trailing_offset", None)
    is_day = order.tags is not None and DAY_TAG in order.tags
    return OrderUpdate(
        engine=engine,
        client_order_id=order.client_order_id.value,
        venue_order_id=None if order.venue_order_id is None else order.venue_order_id.value,
        instrument=order.instrument_id.value,
        side=SIDES[order.side],
        order_type=ORDER_TYPES[order.order_type],
        tif="day" if is_day else TIMES_IN_FORCE[order.time_in_force],
        qty=order.quantity.as_decimal(),
        filled_qty=order.filled_qty.as_decimal(),
        price=_decimal(order.price) if order.has_price else None,
        trigger_price=_decimal(order.trigger_price) if order.has_trigger_price else None,
        trailing_offset=None if offset is None else Decimal(str(offset)),
        ts_expire=expire or None,
        reduce_only=order.is_reduce_only,
        avg_price=avg_price,
        status=order_status(order),
        pending=_pending(order),
        reason=getattr(event, "reason", None),
        denial=denial,
        strategy=order.strategy_id.value,
        event=type(event).__name__,
        contingency=_CONTINGENCIES.get(order.contingency_type),  # type: ignore[arg-type]  # a dict of literals
        parent_id=None if order.parent_order_id is None else order.parent_order_id.value,
        linked_ids=tuple(linked.value for linked in order.linked_order_ids or ()),
        ts_init=order.ts_init,
        ts=event.ts_event,
        seq=seq,
        synthetic=synthetic,
    )


def _pending(order: Order) -> Literal["modify", "cancel"] | None:
    if order.is_pending_update:
        return "modify"
    return "cancel" if order.is_pending_cancel else None


def fill(engine: str, event: OrderFilled, *, seq: int, synthetic: bool) -> Fill:
    """Return the execution that ``event`` reports."""
    return Fill(
        engine=engine,
        trade_id=event.trade_id.value,
        client_order_id=event.client_order_id.value,
        venue_order_id=event.venue_order_id.value,
        position_id=None if event.position_id is None else event.position_id.value,
        instrument=event.instrument_id.value,
        side=SIDES[event.order_side],
        qty=event.last_qty.as_decimal(),
        price=event.last_px.as_decimal(),
        commission=event.commission.as_decimal(),
        commission_currency=event.commission.currency.code,
        liquidity=_LIQUIDITY.get(event.liquidity_side, "unknown"),  # type: ignore[arg-type]  # a dict of literals
        strategy=event.strategy_id.value,
        ts=event.ts_event,
        seq=seq,
        synthetic=synthetic,
    )


def position_update(
    engine: str,
    position: Position,
    avg_open: Decimal,
    *,
    seq: int,
    synthetic: bool,
    ts: int,
    unrealized_pnl: Decimal | None = None,
    mark: Decimal | None = None,
    rate: Decimal | None = None,
) -> PositionUpdate:
    """Return the state of a position; ``avg_open`` is the exact average the books keep."""
    realized = position.realized_pnl
    return PositionUpdate(
        engine=engine,
        position_id=position.id.value,
        instrument=position.instrument_id.value,
        qty=position.signed_decimal_qty(),
        avg_open=avg_open,
        realized_pnl=Decimal(0) if realized is None else realized.as_decimal(),
        unrealized_pnl=unrealized_pnl,
        mark=mark,
        rate=rate,
        currency=position.settlement_currency.code,
        multiplier=position.multiplier.as_decimal(),
        ts_opened=position.ts_opened,
        ts_closed=position.ts_closed or None,
        ts=ts,
        seq=seq,
        synthetic=synthetic,
    )


def account_update(engine: str, event: AccountState, *, seq: int, synthetic: bool) -> AccountUpdate:
    """Return the balances that ``event`` reports."""
    balances = tuple(
        Balance(
            currency=balance.currency.code,
            total=balance.total.as_decimal(),
            locked=balance.locked.as_decimal(),
            free=balance.free.as_decimal(),
        )
        for balance in event.balances
    )
    margins = [m.initial.as_decimal() + m.maintenance.as_decimal() for m in event.margins]
    base = event.base_currency.code if event.base_currency is not None else balances[0].currency
    return AccountUpdate(
        engine=engine,
        account_id=event.account_id.value,
        currency=base,
        balances=balances,
        margin_used=sum(margins, Decimal(0)),
        ts=event.ts_event,
        seq=seq,
        synthetic=synthetic,
    )
