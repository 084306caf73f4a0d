"""Commands about orders on their way out and their answers on the way back.

This module must not know which command line made a command.
"""

from __future__ import annotations

import contextlib
from collections.abc import Sequence
from typing import TYPE_CHECKING

import typer

from data.commands import AnyCommand, Outcome
from data.problems import InvalidRequestError, NotFoundError
from data.records import OrderUpdate
from nautilus_tui.cli import output
from nautilus_tui.cli.session import Session

if TYPE_CHECKING:
    from nautilus_tui.client import ApiClient


def resolve(session: Session, engine: str, symbol: str) -> str:
    """Return the instrument a symbol means; one without a venue must be unambiguous."""
    if "." in symbol:
        return symbol
    named = symbol.upper()
    found = [i.id for i in session.ask(lambda api: api.instruments(engine)) if i.symbol == named]
    if len(found) == 1:
        return found[0]
    if found:
        raise InvalidRequestError(
            f"{symbol} could be {', '.join(found)}",
            rule="a symbol without a venue means one instrument",
            fix="name the instrument in full",
        )
    return symbol  # the daemon refuses it and says what comes near


def send(
    session: Session,
    command: AnyCommand,
    order_id: str,
    *,
    key: str | None = None,
    wait: bool = False,
    timeout: float = 10.0,
) -> None:
    """Send a command for one order, report the order and exit with the code of how it ended."""

    async def conversation(api: ApiClient) -> tuple[Outcome, OrderUpdate | None]:
        outcome = await api.execute(command, command_id=key, wait="final" if wait else "ack", timeout=timeout)
        order = next((o for o in outcome.orders if o.client_order_id == order_id), None)
        if order is None and key is None:  # an order that was there before: tell how it stands
            with contextlib.suppress(NotFoundError):
                order = await api.order(order_id)
        return outcome, order

    outcome, order = session.ask(conversation)
    if session.json:
        output.show_json(output.order_facts(order, order_id, outcome, new=key is not None))
    else:
        _tell(outcome, [order] if order is not None else [])
    raise typer.Exit(output.code_of_outcome(outcome))


def send_many(
    session: Session,
    command: AnyCommand,
    *,
    ids: Sequence[str] = (),
    key: str | None = None,
    wait: bool = False,
    timeout: float = 10.0,
) -> None:
    """Send a command for several orders, report them and exit with the code of how it ended.

    ``ids`` are the orders it makes: those that the first answer leaves out are told as they stand.
    """

    async def conversation(api: ApiClient) -> tuple[Outcome, list[OrderUpdate]]:
        outcome = await api.execute(command, command_id=key, wait="final" if wait else "ack", timeout=timeout)
        told = {order.client_order_id for order in outcome.orders}
        late = [id_ for id_ in ids if id_ not in told] if outcome.outcome == "done" else []
        return outcome, [*outcome.orders, *[await api.order(id_) for id_ in late]]

    outcome, orders = session.ask(conversation)
    if session.json:
        facts = output.outcome_facts(outcome) | output.denial_facts(outcome)
        output.show_json(facts | {"orders": orders})
    else:
        _tell(outcome, orders)
    raise typer.Exit(output.code_of_outcome(outcome))


def _tell(outcome: Outcome, orders: Sequence[OrderUpdate]) -> None:
    for order in orders:
        output.show(sentence(order))
    if outcome.problem is not None:
        output.say_problem(outcome.problem)
    elif outcome.detail:
        output.say(outcome.detail)
    elif not orders:
        output.show("nothing to do")


def sentence(order: OrderUpdate) -> str:
    """Return an order in one line."""
    prices = [
        f"{label} {value}"
        for label, value in (
            ("@", order.price),
            ("trigger", order.trigger_price),
            ("trail", order.trailing_offset),
        )
        if value is not None
    ]
    filled = f", filled {order.filled_qty} at {order.avg_price}" if order.filled_qty else ""
    reason = f" ({order.reason})" if order.reason else ""
    kind = order.order_type.replace("_", " ")
    what = " ".join((order.side, str(order.qty), order.instrument, kind, *prices, order.tif))
    return f"{order.client_order_id}  {what}: {order.status.replace('_', ' ')}{filled}{reason}"
