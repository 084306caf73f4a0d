"""Workspace Trade: watchlist, chart, book, ticket, positions, orders."""

from __future__ import annotations

from collections.abc import Callable

from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical

from data.commands import PreviewOrder
from nautilus_tui.terminal.panes.book import Book
from nautilus_tui.terminal.panes.chart import ChartPane
from nautilus_tui.terminal.panes.orders import Orders
from nautilus_tui.terminal.panes.positions import Positions
from nautilus_tui.terminal.panes.watchlist import Watchlist
from nautilus_tui.terminal.screens.ticket_pane import TicketPane


class Trade(Vertical):
    """Look above, act below; the ticket stands where the book was when there is little room."""

    def __init__(self, blocked: Callable[[], str | None], ask: Callable[[PreviewOrder | None], None]) -> None:
        super().__init__(id="trade", classes="workspace")
        self._blocked = blocked
        self._ask = ask

    def compose(self) -> ComposeResult:
        """Lay out the panes."""
        with Horizontal(id="upper"):
            yield Watchlist(id="watchlist")
            yield ChartPane(id="chart")
        with Horizontal(id="lower"):
            yield Book(id="book")
            yield TicketPane(id="ticket", blocked=self._blocked, ask=self._ask)
            with Vertical(id="blotter"):
                yield Positions(id="positions")
                yield Orders(id="orders")
