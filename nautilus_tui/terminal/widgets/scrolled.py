"""Lines of text that may be more than there is room for, scrolled by keys and wheel.

It must not know what the lines say.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import ClassVar

from textual import events
from textual.binding import Binding, BindingType

from nautilus_tui.terminal.widgets.lines import Line, Lines

_WHEEL = 3


class ScrolledLines(Lines, can_focus=True):
    """Lines seen from an offset on."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up,k", "scroll_lines(-1)", "Up", show=False, id="lines.up"),
        Binding("down,j", "scroll_lines(1)", "Down", show=False, id="lines.down"),
        Binding("pageup", "scroll_pages(-1)", "Page up", show=False, id="lines.page_up"),
        Binding("pagedown,space", "scroll_pages(1)", "Page down", show=False, id="lines.page_down"),
        Binding("home", "scroll_pages(-1000)", "Beginning", show=False, id="lines.first"),
        Binding("end,G", "scroll_pages(1000)", "End", show=False, id="lines.last"),
    ]

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._whole: Sequence[Line] = ()
        self._offset = 0

    @property
    def whole(self) -> str:
        """Everything that is written, in sight or not, without styles."""
        return "\n".join("".join(text for text, _ in line).rstrip() for line in self._whole)

    def set_text(self, lines: Iterable[Line], *, anew: bool = False) -> None:
        """Make these the lines; ``anew`` begins at the first."""
        self._whole = list(lines)
        self._offset = 0 if anew else self._offset
        self._show()

    def _show(self) -> None:
        height = max(1, self.room.height)
        self._offset = max(0, min(self._offset, len(self._whole) - height))
        shown = self._whole[self._offset : self._offset + height]
        self.set_lines([*shown, *([()] * (height - len(shown)))])
        self._refresh_title()

    def part_shown(self) -> str:
        """Return which lines are in sight; empty where all are."""
        if len(self._whole) <= self.room.height:
            return ""
        last = min(len(self._whole), self._offset + self.room.height)
        return f"{self._offset + 1}–{last}/{len(self._whole)} "

    def action_scroll_lines(self, by: int) -> None:
        """Scroll by lines."""
        self._offset += by
        self._show()

    def action_scroll_pages(self, by: int) -> None:
        """Scroll by pages."""
        self.action_scroll_lines(by * max(1, self.room.height - 1))

    def on_mouse_scroll_down(self, event: events.MouseScrollDown) -> None:
        """Scroll with the wheel."""
        self.action_scroll_lines(_WHEEL)

    def on_mouse_scroll_up(self, event: events.MouseScrollUp) -> None:
        """Scroll with the wheel."""
        self.action_scroll_lines(-_WHEEL)
