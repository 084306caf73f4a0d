"""Doing what concerns the Research workspace: which company, which filing. No I/O."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from nautilus_tui.terminal.research_lines import ResearchLine

if TYPE_CHECKING:
    from nautilus_tui.terminal.app import Terminal

Handler = Callable[[], None]
RowHandler = Callable[[str], None]


class ResearchDesk:
    """Looks at companies."""

    def __init__(self, app: Terminal) -> None:
        self._app = app

    def handlers(self) -> dict[str, Handler]:
        """Return the method of each action."""
        return {}

    def highlighted(self) -> dict[str, RowHandler]:
        """Return what the cursor of each table selects."""
        return {}

    def selected(self) -> dict[str, RowHandler]:
        """Return what enter does in each table."""
        return {}

    def open_filing(self, company: str, accession: str) -> None:
        """Go to a filing of a company."""
        research = self._app.view.research
        research.company, research.accession = company, accession
        self._app.looking.workspace("research")
        self._app.selection_changed()

    def say(self, line: ResearchLine) -> None:
        """Do what a ``research`` line says."""
        if line.query:
            self._app.view.research.text = line.query
        self._app.looking.workspace("research")
        self._app.selection_changed()
