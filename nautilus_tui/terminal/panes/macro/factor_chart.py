"""To come."""

from __future__ import annotations

from typing import ClassVar

from nautilus_tui.terminal.mirror import Kind, Mirror
from nautilus_tui.terminal.view import View
from nautilus_tui.terminal.widgets.lines import Lines


class FactorChart(Lines, can_focus=True):
    """To come."""

    watches: ClassVar[frozenset[Kind]] = frozenset({"macro", "connection"})
    shows_ages: ClassVar[bool] = True
    TITLE = "Chart"

    def refresh_from(self, mirror: Mirror, view: View) -> None:
        """Show it."""
