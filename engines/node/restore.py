"""Rebuilds a paper engine's books from its journal, before the node starts.

Every journalled event is applied again, in order, through the node's own execution engine, so that
orders, positions and the account come out as they were by the same rules. What was working goes
back to the venue; what had not reached it is rejected, because the paper venue lived and died with
the engine. This module must not know how the journal was written.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import msgspec
from nautilus_trader.core.uuid import UUID4
from nautilus_trader.model.enums import OrderStatus
from nautilus_trader.model.events import (
    AccountState,
    OrderDenied,
    OrderEvent,
    OrderFilled,
    OrderInitialized,
    OrderRejected,
)
from nautilus_trader.model.orders import Order, OrderUnpacker
from nautilus_trader.serialization.serializer import MsgSpecSerializer
from nautilus_trader.system.kernel import NautilusKernel

from data.journal import Journal
from data.records import AccountUpdate, OrderUpdate
from engines import books
from engines.node.bookkeeper import Bookkeeper

NEVER_ARRIVED = "the engine stopped before the order reached the venue"
#: While its entry works, the exit of a bracket waits at the venue; the entry's fill releases it.
_ENTRY_WORKS = (
    OrderStatus.ACCEPTED,
    OrderStatus.TRIGGERED,
    OrderStatus.PARTIALLY_FILLED,
    OrderStatus.PENDING_UPDATE,
    OrderStatus.PENDING_CANCEL,
)


class Restored(msgspec.Struct, kw_only=True):
    """What came back."""

    entries: int = 0
    orders: int = 0
    working: int = 0
    refused: int = 0
    accounts: dict[str, AccountUpdate] = {}  #: the latest of each account
    openings: dict[str, AccountUpdate] = {}  #: the first of each account
    days: dict[str, AccountUpdate] = {}  #: the last journalled equity of each account, with its day


def replay(journal: Journal, kernel: NautilusKernel, bookkeeper: Bookkeeper) -> Restored:
    """Apply the whole journal to a node that is built and not started."""
    restored = Restored()
    accounts: dict[str, AccountState] = {}
    for record, event in _events(journal):
        restored.entries += 1
        if isinstance(record, AccountUpdate):
            if record.equity is not None:
                restored.days[record.account_id] = record
            else:
                restored.accounts[record.account_id] = record
                restored.openings.setdefault(record.account_id, record)
        if isinstance(event, AccountState):
            accounts[record.account_id] = event
        elif isinstance(event, OrderInitialized):
            kernel.cache.add_order(OrderUnpacker.from_init(event))
            restored.orders += 1
        elif isinstance(event, OrderEvent):
            if isinstance(record, OrderUpdate) and record.denial is not None:
                bookkeeper.note_denial(event, record.denial)
            if isinstance(event, OrderFilled):
                bookkeeper.note_fill(event)
            kernel.exec_engine._handle_event(event)
    for state in accounts.values():
        kernel.portfolio.update_account(state)
    return restored


def _events(journal: Journal) -> Iterator[tuple[Any, Any]]:
    serializer = MsgSpecSerializer(encoding=msgspec.msgpack)
    for seq, payload in journal.read():
        entry = books.decode(payload, seq)
        yield entry.record, serializer.deserialize(entry.native) if entry.native else None


def hand_back(kernel: NautilusKernel, exchanges: dict[str, Any], restored: Restored) -> None:
    """Give working orders back to the venue and refuse those that never reached it.

    To be called when the node runs and the books are attached, so that every refusal is journalled.
    """
    for order in kernel.cache.orders():
        if order.is_closed:
            continue
        if order.status == OrderStatus.INITIALIZED:
            _refuse(kernel, order, denied=True)
            restored.refused += 1
            continue
        engine = exchanges[order.instrument_id.venue.value].get_matching_engine(order.instrument_id)
        if order.status != OrderStatus.SUBMITTED:
            # `accept_order` puts it among the working orders without judging it anew: a stop that
            # the market has gone through meanwhile fills, as it would have, and is not rejected.
            engine.accept_order(order)
            restored.working += 1
        elif _parent_status(kernel, order) == OrderStatus.FILLED:
            engine.process_order(order, order.account_id)  # the exit that the entry's fill released
            restored.working += 1
        elif _parent_status(kernel, order) not in _ENTRY_WORKS:
            _refuse(kernel, order, denied=False)
            restored.refused += 1


def _parent_status(kernel: NautilusKernel, order: Order) -> OrderStatus | None:
    parent = None if order.parent_order_id is None else kernel.cache.order(order.parent_order_id)
    return None if parent is None else parent.status


def _refuse(kernel: NautilusKernel, order: Order, *, denied: bool) -> None:
    now = kernel.clock.timestamp_ns()
    common = {
        "trader_id": order.trader_id,
        "strategy_id": order.strategy_id,
        "instrument_id": order.instrument_id,
        "client_order_id": order.client_order_id,
        "reason": NEVER_ARRIVED,
        "event_id": UUID4(),
        "ts_init": now,
    }
    if denied:
        event = OrderDenied(**common)
    else:
        event = OrderRejected(account_id=order.account_id, ts_event=now, **common)
    kernel.msgbus.send(endpoint="ExecEngine.process", msg=event)
