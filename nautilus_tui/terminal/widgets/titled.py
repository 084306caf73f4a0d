"""The top line of a pane: its title at the left, a word about its contents at the right.

One rule above each pane is all the border there is; it takes the accent colour with the focus.
"""

from __future__ import annotations

from typing import ClassVar, Self

from textual.geometry import Region, Size
from textual.strip import Strip
from textual.widget import Widget

from nautilus_tui.terminal.theme import glyphs_of, palette_of
from nautilus_tui.terminal.widgets.strips import joined


class Titled(Widget):
    """A widget that may draw a title as its first line."""

    #: The title a pane starts with; empty panes have no title line at all.
    TITLE: ClassVar[str] = ""

    def __init__(self, *, name: str | None = None, id: str | None = None, classes: str | None = None) -> None:
        self._painted: dict[int, Strip] = {}  #: lines as they were last drawn
        self._painted_width = -1
        self._title: str | None = None
        self._subtitle = ""
        self._title_style = ""
        super().__init__(name=name, id=id, classes=classes)

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

    def refresh(
        self, *regions: Region, repaint: bool = True, layout: bool = False, recompose: bool = False
    ) -> Self:
        """Paint these regions again, or everything; see :meth:`textual.widget.Widget.refresh`."""
        if regions:
            for region in regions:
                for y in region.line_range:
                    self._painted.pop(y, None)
        elif repaint:
            self._painted.clear()
        return super().refresh(*regions, repaint=repaint, layout=layout, recompose=recompose)

    def render_lines(self, crop: Region) -> list[Strip]:
        """Hand the compositor our strips as they are.

        Textual's way here pads, filters and caches every strip once more, for borders and colours
        that panes do not have: it doubles the cost of a frame. With a border, a padding, an opacity
        or a filter that matters, its way is taken.
        """
        if self.gutter.totals != (0, 0) or self.opacity != 1.0 or self.app.no_color:
            return super().render_lines(crop)
        left, right = crop.column_span
        width = self.scrollable_content_region.width
        if width != self._painted_width:
            self._painted_width = width
            self._painted.clear()
        strips = []
        for y in crop.line_range:
            strip = self._painted.get(y)
            if strip is None:
                strip = self._painted[y] = self.render_line(y)
            whole = left == 0 and strip.cell_length == right
            strips.append(strip if whole else strip.crop_extend(left, right, None))
        return strips

    def _refresh_title(self) -> None:
        if self.title_lines:
            self.refresh(Region(0, 0, max(1, self.content_size.width), 1))

    def part_shown(self) -> str:
        """Return which part of the contents is in sight, before how many there are; empty for all."""
        return ""

    def title_strip(self, width: int) -> Strip:
        """Draw the title line."""
        palette, glyphs = palette_of(self.app), glyphs_of(self.app)
        rule = glyphs.rule
        focused = self.has_focus
        own = self._title_style
        line = palette.style((own or "accent") if focused else "rule")
        heading = palette.style(f"{own} bold" if own else "accent bold" if focused else "label")
        title = f" {self.title} "[: max(0, width - 2)]
        part = self.part_shown()
        subtitle = f" {part}{self._subtitle} " if self._subtitle else ""
        room = width - 2 - len(title)
        while len(subtitle) > room:
            # What is said last is the most worth saying: the age, the state.
            _, _, subtitle = subtitle.partition(f" {glyphs.dot}")
        return joined(
            [
                (rule, line),
                (title, heading),
                (rule * max(0, room - len(subtitle)), line),
                (subtitle, palette.style("dim")),
                (rule, line),
            ],
            width,
        )
