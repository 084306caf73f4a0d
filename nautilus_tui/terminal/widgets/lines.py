"""A widget made of whole lines: given what the lines say, it paints only what is different.

For panes that are not tables: status line, book, account, charts. It must not know what they say.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from rich.cells import cell_len, set_cell_size
from textual import events
from textual.geometry import Region
from textual.strip import Strip

from nautilus_tui.terminal.theme import palette_of
from nautilus_tui.terminal.widgets.strips import joined
from nautilus_tui.terminal.widgets.titled import Titled

#: Text and its style keys.
Part = tuple[str, str]
Line = Sequence[Part]


class Lines(Titled):
    """Lines of styled text, cut and padded to the widget's width."""

    ALLOW_SELECT = False

    DEFAULT_CSS = """
    Lines {
        background: $background;
        height: 1fr;
    }
    """

    def __init__(
        self,
        *,
        base: str = "",
        name: str | None = None,
        id: str | None = None,
        classes: str | None = None,
    ) -> None:
        super().__init__(name=name, id=id, classes=classes)
        self._base = base  #: style keys under every line
        self._lines: list[list[Part]] = []
        self._strips: dict[int, Strip] = {}

    @property
    def text(self) -> str:
        """What is written, without styles."""
        return "\n".join("".join(text for text, _ in line).rstrip() for line in self._lines)

    def set_base(self, base: str) -> None:
        """Change the style under every line."""
        if base != self._base:
            self._base = base
            self.repaint()

    def set_lines(self, lines: Iterable[Line]) -> None:
        """Make these the lines and paint those that differ."""
        new = [merged(line) for line in lines]
        old, self._lines = self._lines, new
        if len(old) != len(new):
            self._strips.clear()
            self.refresh()
            return
        regions, width = [], max(1, self.content_size.width)
        for y, (before, after) in enumerate(zip(old, new, strict=True)):
            if before != after:
                self._strips.pop(y, None)
                regions.append(Region(0, y + self.title_lines, width, 1))
        if regions:
            self.refresh(*regions)

    def repaint(self) -> None:
        """Draw everything again, for instance in another theme."""
        self._strips.clear()
        self.refresh()

    def render_line(self, y: int) -> Strip:
        """Draw one line."""
        width = self.content_size.width
        if y < self.title_lines:
            return self.title_strip(width)
        y -= self.title_lines
        strip = self._strips.get(y)
        if strip is None or strip.cell_length != width:
            strip = self._strips[y] = self._strip(self._lines[y] if y < len(self._lines) else (), width)
        return strip

    def _strip(self, line: Line, width: int) -> Strip:
        palette = palette_of(self.app)
        pieces = []
        x = 0
        for text, keys in line:
            length = len(text) if text.isascii() else cell_len(text)
            if x + length > width:
                text, length = set_cell_size(text, width - x), width - x
            pieces.append((text, palette.style(f"{self._base} {keys}" if self._base else keys)))
            x += length
            if x >= width:
                break
        pieces.append((" " * max(0, width - x), palette.style(self._base)))
        return joined(pieces, width)

    def on_mount(self) -> None:
        """Draw anew when the theme changes."""
        self.app.theme_changed_signal.subscribe(self, lambda _: self.repaint())

    def on_focus(self) -> None:
        """Show that keys come here."""
        self._refresh_title()

    def on_blur(self) -> None:
        """Show that keys go elsewhere."""
        self._refresh_title()

    def on_resize(self, event: events.Resize) -> None:
        """Draw for the new size."""
        self.repaint()


def merged(line: Line) -> list[Part]:
    """Join neighbours of one style and leave out empty parts."""
    parts: list[Part] = []
    for text, keys in line:
        if not text:
            continue
        if parts and parts[-1][1] == keys:
            parts[-1] = (parts[-1][0] + text, keys)
        else:
            parts.append((text, keys))
    return parts


def width_of(line: Line) -> int:
    """Return how many cells a line takes."""
    return sum(cell_len(text) for text, _ in line)


def spread(left: Line, right: Line, width: int) -> list[Part]:
    """Return one line with a part at each end; the left one is cut where they meet."""
    room = width - width_of(right)
    parts: list[Part] = []
    for text, keys in left:
        length = cell_len(text)
        if length > room:
            parts.append((set_cell_size(text, max(0, room)), keys))
            room = 0
            break
        parts.append((text, keys))
        room -= length
    return [*parts, (" " * max(0, room), ""), *right]
