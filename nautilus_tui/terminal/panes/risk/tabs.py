"""One line that names the panes which share a place, with the letters that go to them."""

from __future__ import annotations

from typing import ClassVar

from nautilus_tui.terminal.mirror import Kind, Mirror
from nautilus_tui.terminal.places import BY_PLACE
from nautilus_tui.terminal.view import View
from nautilus_tui.terminal.widgets.lines import Lines, Part

NAMES = {"limit_detail": "Detail", "var": "VaR"}


class RiskTabs(Lines):
    """The panes under the limits, where not all of them fit; an open breach is said here too."""

    watches: ClassVar[frozenset[Kind]] = frozenset({"breaches"})
    shows_ages: ClassVar[bool] = False

    DEFAULT_CSS = "RiskTabs { height: 1; display: none; }"

    def refresh_from(self, mirror: Mirror, view: View) -> None:
        """Mark the pane in front."""
        parts: list[Part] = [("g", "faint")]
        for spot in BY_PLACE["risk"].panes[1:]:
            name = NAMES.get(spot.id, spot.id.capitalize())
            here = spot.id == view.risk.front
            count = len(mirror.risk.open_breaches()) if spot.id == "breaches" else 0
            parts.append((f" {spot.letter} ", "accent"))
            parts.append((name, "bright under" if here else "dim"))
            parts.append((f" {count}" if count else "", "error"))
        self.set_lines([parts])
