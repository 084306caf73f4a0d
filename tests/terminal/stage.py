"""A stage for panes: an application that shows them with the scene's mirror and nothing else."""

from __future__ import annotations

from collections.abc import Iterable

from textual.app import App, ComposeResult
from textual.containers import Horizontal, Vertical
from textual.widget import Widget

from nautilus_tui.terminal.glyphs import UNICODE, Glyphs
from nautilus_tui.terminal.mirror import Mirror
from nautilus_tui.terminal.panes.account import Account
from nautilus_tui.terminal.panes.book import Book
from nautilus_tui.terminal.panes.chart import ChartPane
from nautilus_tui.terminal.panes.engines import Engines
from nautilus_tui.terminal.panes.feed import Feed
from nautilus_tui.terminal.panes.header import Header
from nautilus_tui.terminal.panes.logs import Logs
from nautilus_tui.terminal.panes.logstrip import LogStrip
from nautilus_tui.terminal.panes.orders import Orders
from nautilus_tui.terminal.panes.positions import Positions
from nautilus_tui.terminal.panes.watchlist import Watchlist
from nautilus_tui.terminal.theme import DEFAULT_THEME, register_themes, variables
from nautilus_tui.terminal.view import View


class Stage(App[None]):
    """Shows panes; a test feeds them."""

    CSS = """
    Screen { background: $background; layout: vertical; }
    #upper { height: 3fr; }
    #lower { height: 2fr; }
    #right { width: 2fr; }
    Watchlist { width: 52; }
    ChartPane { width: 1fr; margin-left: 1; }
    Book { width: 28; margin-right: 1; }
    Account { width: 30; margin-right: 1; }
    """

    def __init__(
        self,
        mirror: Mirror,
        view: View,
        panes: Iterable[Widget] = (),
        *,
        theme: str = DEFAULT_THEME,
        glyphs: Glyphs = UNICODE,
    ) -> None:
        super().__init__()
        register_themes(self)
        self.glyphs = glyphs
        self.theme = theme
        self.mirror = mirror
        self.view = view
        self._given = list(panes)

    def get_theme_variable_defaults(self) -> dict[str, str]:
        """Answer the variables of our own."""
        return variables()

    def compose(self) -> ComposeResult:
        """Show the panes given, or something like the Trade workspace."""
        if self._given:
            yield from self._given
            return
        yield Header()
        with Horizontal(id="upper"):
            yield Watchlist(id="watchlist")
            yield ChartPane(id="chart")
        with Horizontal(id="lower"):
            yield Book(id="book")
            yield Account(id="account")
            with Vertical(id="right"):
                yield Positions(id="positions")
                yield Orders(id="orders")
        yield LogStrip()

    def on_resize(self) -> None:
        """Feed the panes once they have a size."""
        self.call_after_refresh(self.feed)

    def feed(self) -> None:
        """Let every pane look at the mirror."""
        for pane in self.query("*"):
            if isinstance(
                pane,
                Header
                | Watchlist
                | ChartPane
                | Book
                | Account
                | Positions
                | Orders
                | LogStrip
                | Engines
                | Feed
                | Logs,
            ):
                pane.refresh_from(self.mirror, self.view)
        self.mirror.clear_dirty()
