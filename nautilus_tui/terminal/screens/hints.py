"""The bottom line: the workspaces there are, and the keys that do something here now."""

from __future__ import annotations

from typing import ClassVar

from textual import events

from nautilus_tui.terminal.actions import BY_ID, hints
from nautilus_tui.terminal.keymap import Keymap
from nautilus_tui.terminal.mirror import Kind, Mirror
from nautilus_tui.terminal.places import PLACES
from nautilus_tui.terminal.situation import Situation
from nautilus_tui.terminal.view import View
from nautilus_tui.terminal.widgets.lines import Lines, Part, spread, width_of

#: Always at the end, in this order.
_LAST = ("risk.kill", "app.command", "app.help", "app.quit")

#: So many of these are shown however little room there is.
_NEVER_GO = 3


class Hints(Lines):
    """One live line."""

    watches: ClassVar[frozenset[Kind]] = frozenset({"orders", "positions", "engines", "connection"})
    shows_ages: ClassVar[bool] = True

    DEFAULT_CSS = "Hints { height: 1; dock: bottom; }"

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(base="on-bar", id=id)

    def on_resize(self, event: events.Resize) -> None:
        """Say what fits the new width."""
        self.app.call_later(self.again)

    def again(self) -> None:
        """Draw with what is there now."""
        from nautilus_tui.terminal.app import Terminal

        if isinstance(self.app, Terminal):
            self.refresh_from(self.app.mirror, self.app.view)

    def refresh_from(self, mirror: Mirror, view: View) -> None:
        """Show what can be done here now."""
        from nautilus_tui.terminal.app import Terminal

        if isinstance(self.app, Terminal) and self.content_size.width:
            self.set_lines([hints_line(self.app.situation(), self.app.keymap, self.content_size.width)])


def hints_line(situation: Situation, keymap: Keymap, width: int) -> list[Part]:
    """Return workspaces at the left and as many hints at the right as there is room for."""
    left: list[Part] = []
    for place in PLACES:
        key = keymap.first(f"workspace.{place.id}")
        here = place.id == situation.workspace
        left.append((f" {key} ", "accent" if here else "dim"))
        left.append((f"{place.title} ", "bright" if here else "dim"))
    working = hints(situation)
    found = [a for a in working if a.id not in _LAST]
    last = [a for action_id in _LAST if (a := BY_ID[action_id]) in working]
    room = width - width_of(left) - 1
    while True:
        right: list[Part] = []
        for action in (*found, *last):
            key = keymap.first(action.id)
            if key:
                right += [(f" {key}", "accent"), (f" {action.hint} ", "dim")]
        if width_of(right) <= room or len(last) <= _NEVER_GO:
            return spread(left, right, width)
        (found or last).pop()
