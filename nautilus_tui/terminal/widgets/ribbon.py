"""A live table with a line between its title and its header: a choice, a summary, a warning.

It must not know what its rows are about.
"""

from __future__ import annotations

from collections.abc import Sequence

from textual.geometry import Region
from textual.strip import Strip

from nautilus_tui.terminal.theme import palette_of
from nautilus_tui.terminal.widgets.lines import Line, Part, merged, spread, width_of
from nautilus_tui.terminal.widgets.strips import joined
from nautilus_tui.terminal.widgets.table import LiveTable


class RibbonTable(LiveTable):
    """A table under a ribbon."""

    _ribbon: tuple[list[Part], list[Part]] = ([], [])

    @property
    def title_lines(self) -> int:
        """The title and the ribbon under it."""
        return 2

    @property
    def ribbon(self) -> str:
        """What the ribbon says, without styles."""
        return "".join(text for text, _ in (*self._ribbon[0], *self._ribbon[1]))

    def set_ribbon(self, left: Line, right: Line = ()) -> None:
        """Say something in the ribbon; the right part goes where there is no room for both."""
        new = (merged(left), merged(right))
        if new != self._ribbon:
            self._ribbon = new
            self.refresh(Region(0, 1, max(1, self.content_size.width), 1))

    def render_line(self, y: int) -> Strip:
        """Draw one line."""
        if y != 1:
            return super().render_line(y)
        width = self.content_size.width
        left, right = self._ribbon
        if width_of(left) + width_of(right) >= width:
            right = []
        palette = palette_of(self.app)
        return joined([(text, palette.style(keys)) for text, keys in spread(left, right, width)], width)


def chips(words: Sequence[str], chosen: int | None) -> list[Part]:
    """Return words to choose from on one line; the chosen one stands out."""
    parts: list[Part] = [(" ", "")]
    for index, word in enumerate(words):
        parts.append((f" {word} ", "accent bold under" if index == chosen else "dim"))
    return parts
