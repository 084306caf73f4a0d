"""One line that names the panes of the workspace with the letters that go to them, the seen one marked."""

from __future__ import annotations

from typing import ClassVar

from nautilus_tui.terminal.mirror import Kind, Mirror
from nautilus_tui.terminal.places import BY_PLACE
from nautilus_tui.terminal.view import View
from nautilus_tui.terminal.widgets.lines import Lines, Part

NAMES = {"overview": "Company", "facts": "Figures"}


class ResearchTabs(Lines):
    """The panes, where not all of them fit."""

    watches: ClassVar[frozenset[Kind]] = frozenset({"research"})
    shows_ages: ClassVar[bool] = False

    DEFAULT_CSS = "ResearchTabs { height: 1; }"

    def refresh_from(self, mirror: Mirror, view: View) -> None:
        """Mark the pane in front."""
        parts: list[Part] = [("g", "faint")]
        for spot in BY_PLACE["research"].panes:
            name = NAMES.get(spot.id, spot.id.capitalize())
            here = spot.id == view.research.front
            parts.append((f" {spot.letter} ", "accent"))
            parts.append((name, "bright under" if here else "dim"))
        self.set_lines([parts])
