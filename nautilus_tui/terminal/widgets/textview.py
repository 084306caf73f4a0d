"""A document on the screen: scrolling, searching, jumping between sections.

Only the rows in sight are laid out and drawn, whatever the length of the text. It must not know
where documents come from.
"""

from __future__ import annotations

from typing import ClassVar

from rich.cells import cell_len
from textual import events
from textual.binding import Binding, BindingType
from textual.strip import Strip
from textual.widget import Widget

from nautilus_tui.terminal.theme import glyphs_of, palette_of
from nautilus_tui.terminal.widgets.document import Document, Place, TextRow, plain
from nautilus_tui.terminal.widgets.lines import Line, Part, spread, width_of
from nautilus_tui.terminal.widgets.rows import fit
from nautilus_tui.terminal.widgets.strips import Piece, joined
from nautilus_tui.terminal.widgets.titled import Titled

#: Blank columns at the left of the text.
MARGIN = 1
_WHEEL = 3
#: Lines between the title and the text: where one is, and the address.
_HEAD = 2


class TextView(Titled, Widget, can_focus=True):
    """One document, or why there is none."""

    ALLOW_SELECT = False
    TITLE = "Text"

    DEFAULT_CSS = """
    TextView { background: $background; }
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up,k", "rows(-1)", "Up", show=False, id="reader.up"),
        Binding("down,j", "rows(1)", "Down", show=False, id="reader.down"),
        Binding("pageup", "pages(-1)", "Page up", show=False, id="reader.page_up"),
        Binding("pagedown,space", "pages(1)", "Page down", show=False, id="reader.page_down"),
        Binding("u", "pages(-0.5)", "Half a page up", show=False, id="reader.half_up"),
        Binding("d", "pages(0.5)", "Half a page down", show=False, id="reader.half_down"),
        Binding("home", "first", "Beginning", show=False, id="reader.first"),
        Binding("end,G", "last", "End", show=False, id="reader.last"),
        Binding("n", "match(1)", "Next match", show=False, id="reader.next_match"),
        Binding("N", "match(-1)", "Match before", show=False, id="reader.previous_match"),
        Binding("]", "section(1)", "Next section", show=False, id="reader.next_section"),
        Binding("[", "section(-1)", "Section before", show=False, id="reader.previous_section"),
        Binding("left,h", "columns(-1)", "Table to the left", show=False, id="reader.left"),
        Binding("right,l", "columns(1)", "Table to the right", show=False, id="reader.right"),
    ]

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self.document: Document | None = None
        self.url = ""
        self.truncated = False
        self.top = Place(0)
        self.shift = 0  #: tables wider than the pane are seen from this column on
        self._remarks: list[Line] = []
        self._rows: list[TextRow] | None = None
        self._laid_for = (0, 0)

    # ------------------------------------------------------------ what it shows

    def open(self, document: Document, *, url: str, truncated: bool) -> None:
        """Show a document from its beginning."""
        self.document, self.url, self.truncated = document, url, truncated
        self.top, self.shift = Place(0), 0
        self._again()

    def say(self, remarks: list[Line]) -> None:
        """Show words in place of a document: what is asked, or what went wrong."""
        if self.document is not None or remarks != self._remarks:
            self.document, self._remarks = None, remarks
            self._again()

    @property
    def filter(self) -> str:
        """What is searched for; setting it goes to the first match from here on."""
        return self.document.query if self.document is not None else ""

    @filter.setter
    def filter(self, text: str) -> None:
        if self.document is not None and text != self.document.query:
            self.document.search(text, self.top.line)
            self._to_match()

    @property
    def section(self) -> int | None:
        """Which section is at the top."""
        return None if self.document is None else self.document.section_at(self.top.line)

    @property
    def text(self) -> str:
        """What is in sight, without styles."""
        return "\n".join(self.render_line(y).text.rstrip() for y in range(self.content_size.height))

    # ------------------------------------------------------------ moving

    @property
    def _page(self) -> int:
        return max(1, self.room.height - _HEAD)

    @property
    def _width(self) -> int:
        return max(8, self.content_size.width - 2 * MARGIN)

    def _last_top(self, document: Document) -> Place:
        """Return what is at the top when the end is in sight, and under it that there is more elsewhere."""
        return document.last_top(self._width, self._page - (1 if self.truncated else 0))

    def go_to(self, place: Place) -> None:
        """Bring a place to the top, or as near as the end of the text lets it."""
        if self.document is None:
            return
        self.top = max(Place(0), min(place, self._last_top(self.document)))
        self._again()

    def _again(self) -> None:
        self._rows = None
        self.refresh()
        self.moved()

    def moved(self) -> None:
        """Another part of the text is in sight."""

    def whereabouts(self) -> str:
        """Return which lines are in sight, of how many."""
        document = self.document
        if document is None or not self.content_size.height:
            return ""
        count, glyphs = len(document.lines), glyphs_of(self.app)
        end = document.forward(self.top, self._page - 1, self._width).line
        share = 100 if end >= count - 1 else round(100 * end / max(1, count))
        return f"{self.top.line + 1:,}–{end + 1:,} of {count:,} {glyphs.dot} {share}%"

    def action_rows(self, by: int) -> None:
        """Scroll by rows."""
        document = self.document
        if document is not None:
            move = document.forward if by > 0 else document.backward
            self.go_to(move(self.top, abs(by), self._width))

    def action_pages(self, by: float) -> None:
        """Scroll by pages, or a part of one; a row stays in sight."""
        rows = max(1, round(abs(by) * self._page) - (1 if abs(by) >= 1 and self._page > 1 else 0))
        self.action_rows(rows if by > 0 else -rows)

    def action_first(self) -> None:
        """Go to the beginning."""
        self.go_to(Place(0))

    def action_last(self) -> None:
        """Go to the end."""
        if self.document is not None:
            self.go_to(self._last_top(self.document))

    def action_columns(self, by: int) -> None:
        """Move along tables that are wider than the pane."""
        step = max(8, self._width // 4)
        self.shift = max(0, min(self.shift + by * step, 2000))
        self._again()

    def action_section(self, by: int) -> None:
        """Go to the next section or the one before."""
        if self.document is None:
            return
        line = self.document.next_section(self.top.line + (1 if by < 0 and self.top.row else 0), by)
        if line is not None:
            self.go_to(Place(line))
        elif by < 0:
            self.go_to(Place(0))

    def action_match(self, by: int) -> None:
        """Go to the next match or the one before, around the end."""
        if self.document is not None and self.document.walk(by) is not None:
            self._to_match()

    def _to_match(self) -> None:
        """Bring the match into sight, a few rows below the top, and its column too."""
        document = self.document
        place = document.place_of_match(self._width) if document is not None else None
        if document is None or place is None:
            self._again()
            return
        columns = document.column_of_match(self._width)
        if columns is not None and not self.shift <= columns[0] <= columns[1] <= self.shift + self._width:
            self.shift = max(0, columns[1] - self._width + 4)
        bottom = document.forward(self.top, self._page - 1, self._width)
        if self.top <= place <= bottom:
            self._again()
        else:
            self.go_to(document.backward(place, self._page // 3, self._width))

    # ------------------------------------------------------------ painting

    def render_line(self, y: int) -> Strip:
        """Draw the title, the line under it, or a row of text."""
        width = self.content_size.width
        if y < self.title_lines:
            return self.title_strip(width)
        y -= self.title_lines
        if self.document is None:
            return self._line(self._remarks[y] if y < len(self._remarks) else (), width)
        if y < _HEAD:
            return self._line((self._where(self.document, width), self._address(width))[y], width)
        rows, y = self._laid_rows(self.document), y - _HEAD
        if y < len(rows):
            return self._text_row(rows[y], width)
        if y == len(rows) and self.truncated:
            return self._line([(" The text is longer; the rest is at the address above.", "warn")], width)
        return self._line((), width)

    def _laid_rows(self, document: Document) -> list[TextRow]:
        size = (self._width, self._page)
        if self._rows is None or self._laid_for != size:
            self._laid_for = size
            self._rows = list(document.page(self.top, self._page, self._width, self.shift))
        return self._rows

    def _where(self, document: Document, width: int) -> Line:
        """Return the line under the title: the match, or the section."""
        if document.query:
            found = (f" {_counted(document)}", "dim" if document.matches else "warn")
            return spread(
                [(f" /{document.query} ", "accent"), found], [("n N next, before ", "faint")], width
            )
        at = document.section_at(self.top.line)
        names = document.sections
        left: list[Part] = [(f" {plain(names[at][0])}" if at is not None else " ", "bright")]
        right: list[Part] = []
        if names:
            right = [
                (f" {len(names)} sections " if at is None else f" section {at + 1} of {len(names)} ", "dim")
            ]
        return spread(left, right, width)

    def _address(self, width: int) -> Line:
        """Return the line with the address of the whole document."""
        flag: list[Part] = [(" TRUNCATED ", "warn")] if self.truncated else []
        address = self.url.removeprefix("https://")
        room = max(0, width - 2 - width_of(flag))
        return [
            *flag,
            (f" {fit(address, min(room, len(address)), 'left', glyphs_of(self.app).ellipsis)}", "faint"),
        ]

    def _line(self, line: Line, width: int) -> Strip:
        palette = palette_of(self.app)
        pieces: list[Piece] = [(text, palette.style(keys)) for text, keys in spread(line, (), width)]
        return joined(pieces, width)

    def _text_row(self, row: TextRow, width: int) -> Strip:
        palette, glyphs = palette_of(self.app), glyphs_of(self.app)
        base = palette.style("title" if row.heading else "")
        pieces: list[Piece] = [(" " * MARGIN, base)]
        at = 0
        for start, end, here in row.spans:
            pieces.append((row.text[at:start], base))
            pieces.append(
                (row.text[start:end], palette.style("tag-accent" if here else "on-rule bright under"))
            )
            at = end
        pieces.append((row.text[at:], base))
        used = MARGIN + cell_len(row.text)
        pieces.append((" " * max(0, width - used - MARGIN), base))
        pieces.append((glyphs.ellipsis if row.cut else " ", palette.style("accent") if row.cut else base))
        return joined([piece for piece in pieces if piece[0]], width)

    # ------------------------------------------------------------ Textual's events

    def on_mount(self) -> None:
        """Draw anew when the theme changes."""
        self.app.theme_changed_signal.subscribe(self, lambda _: self.repaint())

    def repaint(self) -> None:
        """Draw everything again, for instance in another theme."""
        self.refresh()

    def on_resize(self, event: events.Resize) -> None:
        """Lay the text out for the new width; the line at the top stays there."""
        if self._laid_for[0] != self._width:
            self.top = Place(self.top.line)
        self._again()

    def on_focus(self) -> None:
        """Show that keys come here."""
        self._refresh_title()

    def on_blur(self) -> None:
        """Show that keys go elsewhere."""
        self._refresh_title()

    def on_mouse_scroll_down(self, event: events.MouseScrollDown) -> None:
        """Scroll with the wheel."""
        self.action_rows(_WHEEL)

    def on_mouse_scroll_up(self, event: events.MouseScrollUp) -> None:
        """Scroll with the wheel."""
        self.action_rows(-_WHEEL)


def _counted(document: Document) -> str:
    """Return which match one stands on and of how many."""
    if document.current is None:
        return "no match"
    most = "+" if document.capped else ""
    return f"{document.current + 1:,} of {len(document.matches):,}{most}"
