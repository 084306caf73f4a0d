"""The top line of a pane: its title at the left, a word about its contents at the right.

One rule above each pane is all the border there is; it takes the accent colour with the focus.
"""

from __future__ import annotations

from typing import ClassVar

from textual.geometry import Region, Size
from textual.strip import Strip
from textual.widget import Widget

from nautilus_tui.terminal.theme import glyphs_of, palette_of
from nautilus_tui.terminal.widgets.strips import joined


class Titled(Widget):
    """A widget that may draw a title as its first line."""

    #: The title a pane starts with; empty panes have no title line at all.
    TITLE: ClassVar[str] = ""

    _title: str | None = None
    _subtitle: str = ""
    _title_style: str = ""

    @property
    def title(self) -> str:
        """What the pane shows."""
        return self.TITLE if self._title is None else self._title

    @title.setter
    def title(self, text: str) -> None:
        if text != self.title:
            self._title = text
            self._refresh_title()

    @property
    def subtitle(self) -> str:
        """A word about the contents: how many, how old, where from."""
        return self._subtitle

    @subtitle.setter
    def subtitle(self, text: str) -> None:
        if text != self._subtitle:
            self._subtitle = text
            self._refresh_title()

    @property
    def title_style(self) -> str:
        """A style key that tells what the pane is about, a side for instance; empty: none."""
        return self._title_style

    @title_style.setter
    def title_style(self, key: str) -> None:
        if key != self._title_style:
            self._title_style = key
            self._refresh_title()

    @property
    def title_lines(self) -> int:
        """How many lines the title takes: one, or none."""
        return 1 if self.TITLE else 0

    @property
    def room(self) -> Size:
        """The size left under the title."""
        width, height = self.content_size
        return Size(width, max(0, height - self.title_lines))

    def _refresh_title(self) -> None:
        if self.title_lines:
            self.refresh(Region(0, 0, max(1, self.content_size.width), 1))

    def title_strip(self, width: int) -> Strip:
        """Draw the title line."""
        palette, rule = palette_of(self.app), glyphs_of(self.app).rule
        focused = self.has_focus
        own = self._title_style
        line = palette.style((own or "accent") if focused else "rule")
        words = palette.style(f"{own} bold" if own else "accent bold" if focused else "label")
        title = f" {self.title} "[: max(0, width - 2)]
        subtitle = f" {self._subtitle} " if self._subtitle else ""
        room = width - 2 - len(title)
        if len(subtitle) > room:
            subtitle = ""
        return joined(
            [
                (rule, line),
                (title, words),
                (rule * max(0, room - len(subtitle)), line),
                (subtitle, palette.style("dim")),
                (rule, line),
            ],
            width,
        )
