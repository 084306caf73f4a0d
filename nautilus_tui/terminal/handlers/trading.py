"""Doing what trades: tickets, cancels, closes. Nothing leaves here without the chord or a named order.

It must not do I/O: commands go through the application's inquiry, answers come back as messages.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from data.commands import CancelAll, CancelOrder, ClosePosition, Flatten
from data.records import OrderUpdate, PositionUpdate, Side
from nautilus_tui.terminal import figures
from nautilus_tui.terminal.messages import CommandAnswered, PreviewAnswered
from nautilus_tui.terminal.screens.ticket_pane import orders_of
from nautilus_tui.terminal.statements import BracketLine, ModifyLine, OcoLine, OrderLine
from nautilus_tui.terminal.ticket import (
    Ticket,
    mint_command_id,
    mint_order_id,
    modify_from_line,
    modify_ticket,
    open_ticket,
    reverse_ticket,
    ticket_from_line,
)
from nautilus_tui.terminal.widgets.lines import Line

if TYPE_CHECKING:
    from nautilus_tui.terminal.app import Terminal

Handler = Callable[[], None]


class Trading:
    """The hands of the trader."""

    def __init__(self, app: Terminal) -> None:
        self._app = app

    def handlers(self) -> dict[str, Handler]:
        """Return the method of each action."""
        return {
            "order.buy": lambda: self.open("buy"),
            "order.sell": lambda: self.open("sell"),
            "ticket.send": self.send,
            "ticket.close": self.close_ticket,
            "ticket.largest": lambda: self._app.ticket_pane.take_largest(),
            "order.modify": self.modify,
            "order.cancel": self.cancel,
            "order.cancel_all": self.cancel_all,
            "position.close": self.close_position,
            "position.reverse": self.reverse,
            "position.flatten": self.flatten,
        }

    # ------------------------------------------------------------ the ticket

    def open(self, side: Side) -> None:
        """Open a ticket for the selected instrument, staged at the touch."""
        here = self._app.situation()
        if here.instrument is not None and here.view.engine is not None:
            presets = self._app.settings.presets
            self._show(open_ticket(here.view.engine, here.instrument, side, here.quote, presets))

    def stage(self, line: OrderLine | BracketLine | OcoLine) -> None:
        """Open the ticket that a line describes; the chord sends it."""
        here = self._app.situation()
        rules = here.mirror.instrument(here.view.engine, line.instrument)
        if rules is None or here.view.engine is None:
            self._app.tell(f"the rules of {line.instrument} are not known yet", "warning")
            return
        self._app.looking.select_instrument(line.instrument)
        quote = here.mirror.quote(here.view.engine, line.instrument)
        self._show(ticket_from_line(line, here.view.engine, rules, quote))

    def modify(self) -> None:
        """Open the ticket on the order under the cursor."""
        order = self._app.situation().order
        if order is not None:
            self._show(modify_ticket(order))

    def stage_modification(self, line: ModifyLine) -> None:
        """Open the ticket on the order a line names."""
        engine = self._app.view.engine
        order = None if engine is None else self._app.mirror.order(engine, line.order)
        if order is None:
            self._app.tell(f"no order {line.order} is known", "warning")
        else:
            self._show(modify_from_line(line, order))

    def reverse(self) -> None:
        """Open a ticket that turns the position under the cursor over."""
        here = self._app.situation()
        if here.position is None or here.view.engine is None:
            return
        name = here.position.instrument
        rules = here.mirror.instrument(here.view.engine, name)
        if rules is None:
            self._app.tell(f"the rules of {name} are not known yet", "warning")
            return
        quote = here.mirror.quote(here.view.engine, name)
        self._show(reverse_ticket(here.view.engine, rules, here.position.qty, quote))

    def _show(self, ticket: Ticket) -> None:
        self._app.looking.workspace("trade")
        pane, first = self._app.ticket_pane, self._app.keymap.first
        pane.hints = (first("ticket.send"), first("ticket.close"))
        pane.take_key, pane.authority_key = first("ticket.largest"), first("authority.take")
        self._app.ticket_pane.show(ticket, self._app.mirror, self._app.view)
        self._app.trade.add_class("-with-ticket")
        self._app.ticket_pane.focus()

    def close_ticket(self) -> None:
        """Put the ticket away; what was sent stays sent, and the cursor goes to its order."""
        pane = self._app.ticket_pane
        ticket = pane.ticket
        pane.show(None, self._app.mirror, self._app.view)
        self._app.trade.remove_class("-with-ticket")
        if ticket is None or ticket.phase == "editing" or ticket.refused:
            self._app.looking.focus("watchlist")
            return
        self._app.looking.focus("orders")
        for order in orders_of(ticket, self._app.mirror):
            if self._app.orders.move_to(order.client_order_id):
                break

    def send(self) -> None:
        """Send the ticket's order once; while it is not answered, nothing."""
        pane = self._app.ticket_pane
        ticket, result = pane.ticket, pane.assessment
        if ticket is None:
            return
        if ticket.unknown:
            command = ticket.ask_again()
        elif result is not None and result.command is not None and ticket.send(result.command):
            command = result.command
        else:
            return
        if command is not None:
            self._app.inquiry.execute(command, ticket.command_id)
        pane.refresh_from(self._app.mirror, self._app.view)

    def answered(self, message: CommandAnswered) -> bool:
        """Give an answer to the ticket that waits for it; false when none does."""
        pane = self._app.ticket_pane
        ticket = pane.ticket
        if ticket is None or ticket.phase != "sent" or ticket.command_id != message.command_id:
            return False
        if message.outcome is not None:
            ticket.answer(message.outcome)
        elif message.problem is not None:
            ticket.fail(message.problem)
        pane.refresh_from(self._app.mirror, self._app.view)
        return True

    def previewed(self, message: PreviewAnswered) -> None:
        """Give the ticket an answer about its limits."""
        pane = self._app.ticket_pane
        pane.preview.take(message.question, message.effects, message.problem, self._app.now_ns())
        pane.refresh_from(self._app.mirror, self._app.view)

    # ------------------------------------------------------------ ending things

    def cancel(self) -> None:
        """Cancel the marked orders, or the one under the cursor."""
        chosen = self._app.situation().chosen_orders
        for order in chosen:
            self.cancel_order(order.engine, order.client_order_id)
        self._app.orders.clear_marks()

    def cancel_order(self, engine: str, client_order_id: str) -> None:
        """Ask for one order to be cancelled."""
        command = CancelOrder(engine=engine, client_order_id=client_order_id)
        self._app.inquiry.execute(command, mint_command_id())

    def cancel_all(self, instrument: str | None = None) -> None:
        """Cancel every working order, after saying which they are."""
        engine = self._app.view.engine
        if engine is None:
            return

        def describe() -> Sequence[Line]:
            return [*_cancelled(self._app.mirror.working_orders(engine, instrument))]

        what = "Cancel all orders" if instrument is None else f"Cancel all orders of {instrument}"
        command = CancelAll(engine=engine, instrument=instrument)
        self._app.confirm(f"{what} · {engine}", describe, "cancel them", command)

    def close_position(self, instrument: str | None = None) -> None:
        """Close one position at market, after saying with what."""
        here = self._app.situation()
        name = instrument or (here.position.instrument if here.position is not None else None)
        engine = here.view.engine
        if name is None or engine is None:
            return

        def describe() -> Sequence[Line]:
            row = self._app.mirror.position_of(engine, name)
            return [*self._closed([] if row is None else [row.position])]

        command = ClosePosition(engine=engine, instrument=name, client_order_id=mint_order_id())
        self._app.confirm(f"Close position · {engine}", describe, "close it", command)

    def flatten(self, instrument: str | None = None) -> None:
        """Cancel and close everything, after saying what that is."""
        engine = self._app.view.engine
        if engine is None:
            return

        def describe() -> Sequence[Line]:
            return self.flattened(engine, instrument)

        what = "Flatten everything" if instrument is None else f"Flatten {instrument}"
        command = Flatten(engine=engine, instrument=instrument, client_order_id=mint_order_id())
        self._app.confirm(f"{what} · {engine}", describe, "flatten", command)

    def flattened(self, engine: str, instrument: str | None = None) -> list[Line]:
        """Say which orders a flatten cancels and which positions it closes."""
        mirror = self._app.mirror
        positions = [
            row.position
            for row in mirror.position_rows(engine)
            if instrument in (None, row.position.instrument)
        ]
        return [*_cancelled(mirror.working_orders(engine, instrument)), [], *self._closed(positions)]

    def _closed(self, positions: Sequence[PositionUpdate]) -> list[Line]:
        if not positions:
            return [[(" No position is open.", "dim")]]
        lines: list[Line] = [[(" Closed at market:", "label")]]
        for position in positions:
            selling = position.qty > 0
            quote = self._app.mirror.quote(position.engine, position.instrument)
            at = None if quote is None else (quote.bid if selling else quote.ask)
            precision = self._app.mirror.precision(position.engine, position.instrument)
            lines.append(
                [
                    ("   SELL " if selling else "   BUY  ", "sell" if selling else "buy"),
                    (f"{figures.quantity(abs(position.qty))} {position.instrument}", "bright"),
                    (f"  now {figures.price(at, precision)}", "dim"),
                ]
            )
        return lines


def _cancelled(orders: Sequence[OrderUpdate]) -> list[Line]:
    if not orders:
        return [[(" No order is working.", "dim")]]
    lines: list[Line] = [[(f" Cancelled, {len(orders)} working:", "label")]]
    for order in orders:
        rest = figures.quantity(order.qty - order.filled_qty)
        at = order.trigger_price if order.trigger_price is not None else order.price
        lines.append(
            [
                (f"   {order.side.upper():<4} ", order.side),
                (f"{rest} {order.instrument} ", "bright"),
                (f"{order.order_type.replace('_', ' ')} ", ""),
                ("" if at is None else f"{at} ", ""),
                (order.client_order_id, "dim"),
            ]
        )
    return lines
