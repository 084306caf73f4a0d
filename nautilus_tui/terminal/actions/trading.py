"""Actions on orders and positions, each with why it cannot be done now."""

from __future__ import annotations

from typing import Final

from data.commands import CancelAll, CancelOrder, ClosePosition, Flatten, ModifyOrder, SubmitOrder
from data.records import WORKING_STATUSES
from nautilus_tui.terminal.actions.action import SEND_KEYS, Action, engine_runs
from nautilus_tui.terminal.situation import Situation


def _can_order(situation: Situation) -> str | None:
    reason = engine_runs(situation)
    if reason is not None:
        return reason
    if situation.view.instrument is None:
        return "no instrument is selected"
    if situation.instrument is None:
        return f"the rules of {situation.view.instrument} are not known yet"
    return None


def _order_works(situation: Situation) -> str | None:
    order = situation.order
    if order is None:
        return "no order is under the cursor"
    if order.status not in WORKING_STATUSES:
        return f"{order.client_order_id} is {order.status.replace('_', ' ')}"
    return engine_runs(situation)


def _orders_chosen(situation: Situation) -> str | None:
    if situation.chosen_orders:
        return engine_runs(situation)
    return _order_works(situation) or "none of the marked orders is working"


def _any_working(situation: Situation) -> str | None:
    return engine_runs(situation) or (None if situation.working else "no order is working")


def _any_exposure(situation: Situation) -> str | None:
    reason = engine_runs(situation)
    if reason is None and not situation.working and not situation.open_positions:
        return "no order is working and no position is open"
    return reason


def _position_open(situation: Situation) -> str | None:
    position = situation.position
    if position is None or position.qty == 0:
        return "no open position is under the cursor"
    return engine_runs(situation)


def _ticket_ready(situation: Situation) -> str | None:
    return situation.ticket_sendable


def _ticket_open(situation: Situation) -> str | None:
    return None if situation.ticket_open else "no ticket is open"


TRADING: Final = (
    Action(
        id="order.buy",
        keys=("b",),
        name="ticket-buy",
        scope="trade",
        command=SubmitOrder,
        label="Open a buy ticket",
        hint="buy",
        check=_can_order,
    ),
    Action(
        id="order.sell",
        keys=("s",),
        name="ticket-sell",
        scope="trade",
        command=SubmitOrder,
        label="Open a sell ticket",
        hint="sell",
        check=_can_order,
    ),
    Action(
        id="ticket.send",
        keys=SEND_KEYS,
        name="send",
        scope="ticket",
        command=SubmitOrder,
        label="Send the ticket's order",
        hint="send",
        check=_ticket_ready,
    ),
    Action(
        id="ticket.largest",
        keys=("ctrl+l",),
        name="largest-quantity",
        scope="ticket",
        label="Take the largest quantity that passes every limit",
        check=lambda situation: situation.no_largest,
    ),
    Action(
        id="ticket.close",
        keys=("escape",),
        name="ticket-close",
        scope="ticket",
        label="Close the ticket",
        hint="close",
        check=_ticket_open,
    ),
    Action(
        id="order.modify",
        keys=("m",),
        name="ticket-modify",
        scope="orders",
        command=ModifyOrder,
        hint="modify",
        check=_order_works,
    ),
    Action(
        id="order.cancel",
        keys=("x", "c"),
        name="cancel-order",
        scope="orders",
        command=CancelOrder,
        hint="cancel",
        check=_orders_chosen,
    ),
    Action(
        id="order.cancel_all",
        keys=("X",),
        name="cancel-all",
        scope="trade",
        command=CancelAll,
        check=_any_working,
    ),
    Action(
        id="position.close",
        keys=("x", "c"),
        name="close-position",
        scope="positions",
        command=ClosePosition,
        hint="close",
        check=_position_open,
    ),
    Action(
        id="position.reverse",
        keys=("r",),
        name="reverse",
        scope="positions",
        command=SubmitOrder,
        label="Open a ticket that reverses the position",
        hint="reverse",
        check=_position_open,
    ),
    Action(
        id="position.flatten",
        keys=("f",),
        name="flatten-all",
        command=Flatten,
        hint="flatten",
        check=_any_exposure,
    ),
)
