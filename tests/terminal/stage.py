"""A stage for panes: an application that shows them with the scene's mirror and nothing else."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import ClassVar

from textual.app import App, ComposeResult
from textual.containers import Horizontal, Vertical
from textual.widget import Widget

import nautilus_tui.terminal
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

    CSS_PATH = Path(nautilus_tui.terminal.__file__).with_name("terminal.tcss")
    HORIZONTAL_BREAKPOINTS: ClassVar = [(0, "-narrow"), (100, "-normal"), (160, "-wide")]
    VERTICAL_BREAKPOINTS: ClassVar = [(0, "-short"), (30, "-tall"), (50, "-high")]

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
            with Vertical(id="blotter"):
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
