"""Workspace Engines: the engine table, the selected engine's replay, its log and its account."""

from __future__ import annotations

from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical

from nautilus_tui.terminal.panes.account import Account
from nautilus_tui.terminal.panes.engines import Engines
from nautilus_tui.terminal.panes.feed import Feed
from nautilus_tui.terminal.panes.logs import Logs


class EnginesWorkspace(Vertical):
    """Engines above, what the selected one says below."""

    def __init__(self) -> None:
        super().__init__(id="engines", classes="workspace")

    def compose(self) -> ComposeResult:
        """Lay out the panes."""
        with Horizontal(id="machines"):
            yield Engines(id="engine_table")
        yield Feed(id="feed")
        with Horizontal(id="records"):
            yield Logs(id="logs")
            yield Account(id="account")
