"""Insiders in the Research workspace."""

from __future__ import annotations

from typing import ClassVar

from nautilus_tui.terminal.mirror import Kind, Mirror
from nautilus_tui.terminal.panes.provenance import message
from nautilus_tui.terminal.view import View
from nautilus_tui.terminal.widgets.lines import Lines

EMPTY = "No company is picked yet: search for one in Companies."


class Insiders(Lines, can_focus=True):
    """Insiders of what is looked at."""

    watches: ClassVar[frozenset[Kind]] = frozenset({"research", "connection"})
    shows_ages: ClassVar[bool] = True
    TITLE = "Insiders"

    def refresh_from(self, mirror: Mirror, view: View) -> None:
        """Say why there is nothing."""
        self.set_lines(message(EMPTY, self.room.width))
