"""A table that lives: rows that change many times a second, drawn line by line.

It is built on Textual's line API: a row is one cached strip, and only the cells that changed are
painted again. It must not know what its rows are about.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Sequence
from typing import ClassVar

from textual import events
from textual.binding import Binding, BindingType
from textual.geometry import Region, Size
from textual.message import Message
from textual.scroll_view import ScrollView
from textual.strip import Strip

from nautilus_tui.terminal.theme import RowState, glyphs_of, palette_of
from nautilus_tui.terminal.widgets.glow import Glows
from nautilus_tui.terminal.widgets.rows import (
    Cell,
    Changes,
    Column,
    Row,
    Slot,
    changed_cells,
    content_widths,
    place,
)
from nautilus_tui.terminal.widgets.rowset import RowSet, Step
from nautilus_tui.terminal.widgets.strips import header_strip, message_strip, row_strip
from nautilus_tui.terminal.widgets.titled import Titled

__all__ = ["Cell", "Changes", "Column", "LiveTable", "Row"]


class LiveTable(Titled, ScrollView, can_focus=True):
    """Rows with a cursor, a filter, marks and an order, painted as they change."""

    ALLOW_SELECT = False

    DEFAULT_CSS = """
    LiveTable {
        overflow-x: hidden;
        overflow-y: auto;
        scrollbar-size-vertical: 0;
        background: $background;
    }
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up,k", "cursor_up", "Up", show=False, id="table.up"),
        Binding("down,j", "cursor_down", "Down", show=False, id="table.down"),
        Binding("pageup", "page_up", "Page up", show=False, id="table.page_up"),
        Binding("pagedown", "page_down", "Page down", show=False, id="table.page_down"),
        Binding("home", "first", "First row", show=False, id="table.first"),
        Binding("end,G", "last", "Last row", show=False, id="table.last"),
        Binding("space", "mark", "Mark row", show=False, id="table.mark"),
        Binding("o", "sort_next", "Sort by next column", show=False, id="table.sort"),
        Binding("O", "sort_reverse", "Reverse order", show=False, id="table.reverse"),
        Binding("enter", "select", "Select", show=False, id="table.select"),
    ]

    class RowHighlighted(Message):
        """The cursor came to another row."""

        def __init__(self, table: LiveTable, key: str) -> None:
            super().__init__()
            self.table = table
            self.key = key

        @property
        def control(self) -> LiveTable:
            """The table it happened in."""
            return self.table

    class RowSelected(RowHighlighted):
        """A row was chosen with enter or a double click."""

    class RowsMarked(Message):
        """The set of marked rows changed."""

        def __init__(self, table: LiveTable, keys: frozenset[str]) -> None:
            super().__init__()
            self.table = table
            self.keys = keys

        @property
        def control(self) -> LiveTable:
            """The table it happened in."""
            return self.table

    def __init__(
        self,
        columns: Sequence[Column],
        *,
        empty: str = "",
        header: bool = True,
        cursor: bool = True,
        name: str | None = None,
        id: str | None = None,
        classes: str | None = None,
    ) -> None:
        super().__init__(name=name, id=id, classes=classes)
        self.columns: tuple[Column, ...] = tuple(columns)
        self.show_header = header
        self.show_cursor = cursor
        self.marked: set[str] = set()
        self.glows = Glows(time.monotonic)
        self._empty = empty
        self._row_height = 1
        self._set = RowSet()
        self._cursor_key: str | None = None
        self._widths: list[int] = content_widths(self.columns, ())
        self._slots: list[Slot] = []
        self._room = 0
        self._strips: dict[str, Strip] = {}
        self._cooling = False

    # ------------------------------------------------------------ what it shows

    @property
    def rows(self) -> list[Row]:
        """The rows that are shown, in their order."""
        return [self._set.rows[k] for k in self._set.shown]

    @property
    def row_count(self) -> int:
        """How many rows there are, shown or filtered out."""
        return len(self._set.rows)

    @property
    def cursor_key(self) -> str | None:
        """The key of the row under the cursor."""
        return self._cursor_key

    @property
    def filter(self) -> str:
        """Only rows with this text in a cell are shown; empty shows all. Case does not matter."""
        return self._set.filter

    @filter.setter
    def filter(self, text: str) -> None:
        if text != self._set.filter:
            self._set.filter = text
            self._reorder()

    @property
    def empty(self) -> str:
        """Why there are no rows, and which key helps."""
        return self._empty

    @empty.setter
    def empty(self, text: str) -> None:
        if text != self._empty:
            self._empty = text
            if not self._set.shown:
                self.refresh()

    @property
    def comfortable(self) -> bool:
        """Whether rows are two lines apart."""
        return self._row_height == 2

    @comfortable.setter
    def comfortable(self, on: bool) -> None:
        height = 2 if on else 1
        if height != self._row_height:
            self._row_height = height
            self._resize_virtual()
            self.refresh()

    def set_columns(self, columns: Sequence[Column]) -> None:
        """Replace the columns; rows must be given anew."""
        if tuple(columns) != self.columns:
            self.columns = tuple(columns)
            self._set.sort = None
            self._widths = content_widths(self.columns, ())
            self.set_rows(())
            self._relayout()

    def set_rows(self, rows: Sequence[Row]) -> Changes:
        """Make these the rows, in this order, and paint what is different."""
        step = self._set.replace(rows)
        for key in step.changes.deleted:
            self._strips.pop(key, None)
            self.marked.discard(key)
            self.glows.forget(key, len(self.columns))
        return self._after(step)

    def update_rows(self, rows: Iterable[Row]) -> Changes:
        """Change or add these rows and leave all others as they are."""
        return self._after(self._set.update(rows))

    def sort_by(self, column: str | None, *, reverse: bool = False) -> None:
        """Order rows by a column's values; None goes back to the order they are given in."""
        index = next((i for i, c in enumerate(self.columns) if c.key == column), None)
        self._set.sort = None if index is None else (index, reverse)
        self._reorder()

    def move_to(self, key: str, *, announce: bool = True) -> bool:
        """Put the cursor on a row; say whether there is such a row to be seen."""
        if key not in self._set.index:
            return False
        if key != self._cursor_key:
            old, self._cursor_key = self._cursor_key, key
            self._repaint_row(old)
            self._repaint_row(key)
            if announce:
                self.post_message(self.RowHighlighted(self, key))
        self._scroll_to_cursor()
        return True

    # ------------------------------------------------------------ changes

    def _after(self, step: Step) -> Changes:
        """Paint what a step made different."""
        changes, old, structural = step
        if not structural and not changes.updated:
            return changes
        rows = self._set.rows
        widths = content_widths(self.columns, (rows[k] for k in changes.added + changes.updated))
        wider = [max(a, b) for a, b in zip(self._widths, widths, strict=True)]
        grown = wider != self._widths
        self._widths = wider
        seen: list[str] = []
        for key in changes.updated:
            changed = changed_cells(old[key], rows[key])
            if changed:
                self._strips.pop(key, None)
                self.glows.light(self.columns, old[key], rows[key], changed)
                seen.append(key)
        self._cool_later()
        if grown:
            self._relayout()
        if structural or self._set.filter or self._set.sort:
            self._reorder()
        elif not grown:
            regions = self._regions(seen)
            if regions:
                self.refresh(*regions)
        return changes

    def _cool_later(self) -> None:
        if self.glows and not self._cooling and self.is_attached:
            self._cooling = True
            self.set_timer(self.glows.duration / 2, self._cool)

    def _cool(self) -> None:
        """Paint the cells calm again whose glow is over."""
        self._cooling = False
        cooled = {key for key, _ in self.glows.cool()}
        for key in cooled:
            self._strips.pop(key, None)
        regions = self._regions(cooled)
        if regions:
            self.refresh(*regions)
        self._cool_later()

    def _reorder(self) -> None:
        """Apply filter and order; the cursor stays with its row, or near where it was."""
        at = self._set.index.get(self._cursor_key or "", 0)
        if self._set.arrange():
            self._resize_virtual()
        shown = self._set.shown
        if self._cursor_key not in self._set.index:
            self._cursor_key = shown[min(at, len(shown) - 1)] if shown else None
            if self._cursor_key is not None and self.show_cursor:
                self._strips.pop(self._cursor_key, None)
                self.post_message(self.RowHighlighted(self, self._cursor_key))
        self.refresh()

    @property
    def _top(self) -> int:
        """How many lines stand above the rows and do not scroll: title and header."""
        return self.title_lines + (1 if self.show_header else 0)

    def _resize_virtual(self) -> None:
        self.virtual_size = Size(0, len(self._set.shown) * self._row_height + self._top)

    def _relayout(self) -> None:
        self._place()
        self.refresh()

    def _place(self) -> None:
        self._room = max(0, self.scrollable_content_region.width - 1)
        self._slots = place(self.columns, self._widths, self._room)
        self._strips.clear()

    # ------------------------------------------------------------ painting

    def _regions(self, keys: Iterable[str]) -> list[Region]:
        """Where these rows are on the widget, as far as they are in sight.

        Whole lines: Textual writes a line from its start anyway, and what has not changed in it is
        left out on the way to the terminal.
        """
        top, offset, width = self._top, round(self.scroll_offset.y), self._room + 1
        height, bottom, index = self._row_height, self.size.height, self._set.index
        lines = (index[key] * height + top - offset for key in keys if key in index)
        return [Region(0, y, width, height) for y in lines if top <= y < bottom]

    def _repaint_row(self, key: str | None) -> None:
        if key is None:
            return
        self._strips.pop(key, None)
        regions = self._regions((key,))
        if regions:
            self.refresh(*regions)

    def render_line(self, y: int) -> Strip:
        """Draw one line: the header, a row, or nothing."""
        width = self.scrollable_content_region.width
        if width != self._room + 1:
            # A scroll bar came or went since the columns were placed.
            self._place()
        palette, glyphs = palette_of(self.app), glyphs_of(self.app)
        if y < self.title_lines:
            return self.title_strip(width)
        if y < self._top:
            return header_strip(
                self.columns, self._slots, width, palette=palette, glyphs=glyphs, sort=self._set.sort
            )
        y -= self._top
        if not self._set.shown:
            text = self._empty
            if self._set.rows and self._set.filter:
                text = f"Nothing matches “{self._set.filter}”. esc clears the filter."
            return message_strip(text, y, width, self.size.height - self._top, palette)
        index, within = divmod(y + round(self.scroll_offset.y), self._row_height)
        if index >= len(self._set.shown):
            return Strip.blank(width, palette.style(""))
        key = self._set.shown[index]
        if within:
            return Strip.blank(width, palette.style("", self._state_of(key)))
        strip = self._strips.get(key)
        if strip is None or strip.cell_length != width:
            strip = self._strips[key] = row_strip(
                self._set.rows[key],
                self.columns,
                self._slots,
                width,
                palette=palette,
                glyphs=glyphs,
                state=self._state_of(key),
                marked=key in self.marked,
                glow_of=self.glows.style_of if self.glows else None,
            )
        return strip

    def part_shown(self) -> str:
        """Return which rows are in sight, before how many there are; empty where all are."""
        page = self._page()
        if len(self._set.shown) <= page:
            return ""
        first = round(self.scroll_offset.y) // self._row_height
        return f"{first + 1}–{min(len(self._set.shown), first + page)} of "

    def _state_of(self, key: str) -> RowState:
        if not self.show_cursor or key != self._cursor_key:
            return ""
        return "cursor" if self.has_focus else "cursor-blur"

    # ------------------------------------------------------------ Textual's events

    def on_mount(self) -> None:
        """Draw anew when the theme changes; glow unless the reader's settings say no."""
        if not getattr(getattr(self.app, "settings", None), "glow", True):
            self.glows.duration = 0.0
        self.app.theme_changed_signal.subscribe(self, lambda _: self.repaint())

    def repaint(self) -> None:
        """Draw everything again, for instance in another theme."""
        self._strips.clear()
        self.refresh()

    def on_resize(self, event: events.Resize) -> None:
        """Place the columns for the new width."""
        self._relayout()
        self._resize_virtual()

    def on_focus(self) -> None:
        """Show the cursor as active."""
        self._repaint_row(self._cursor_key)
        self._refresh_title()

    def on_blur(self) -> None:
        """Show the cursor as at rest."""
        self._repaint_row(self._cursor_key)
        self._refresh_title()

    def on_click(self, event: events.Click) -> None:
        """Move the cursor to the row clicked; a double click selects it."""
        y = event.get_content_offset_capture(self).y - self._top
        index = (y + round(self.scroll_offset.y)) // self._row_height
        if y < 0 or index >= len(self._set.shown):
            return
        self.move_to(self._set.shown[index])
        if event.chain == 2:
            self.action_select()

    # ------------------------------------------------------------ actions

    def _page(self) -> int:
        return max(1, (self.size.height - self._top) // self._row_height)

    def _step(self, by: int) -> None:
        if self._set.shown and self.show_cursor:
            at = self._set.index.get(self._cursor_key or "", 0)
            self.move_to(self._set.shown[max(0, min(len(self._set.shown) - 1, at + by))])
        elif self._set.shown:
            self.scroll_relative(y=by * self._row_height, animate=False)

    def _scroll_to_cursor(self) -> None:
        if self._cursor_key is None or not self.size.height:
            return
        top = self._set.index[self._cursor_key] * self._row_height
        page = self._page() * self._row_height
        offset = round(self.scroll_offset.y)
        if top < offset:
            self.scroll_to(y=top, animate=False, force=True)
        elif top + self._row_height > offset + page:
            self.scroll_to(y=top + self._row_height - page, animate=False, force=True)

    def action_cursor_up(self) -> None:
        """Move the cursor up a row."""
        self._step(-1)

    def action_cursor_down(self) -> None:
        """Move the cursor down a row."""
        self._step(1)

    def action_page_up(self) -> None:
        """Move the cursor up a page."""
        self._step(-self._page())

    def action_page_down(self) -> None:
        """Move the cursor down a page."""
        self._step(self._page())

    def action_first(self) -> None:
        """Move the cursor to the first row."""
        self._step(-len(self._set.shown))

    def action_last(self) -> None:
        """Move the cursor to the last row."""
        self._step(len(self._set.shown))

    def action_mark(self) -> None:
        """Mark or unmark the row under the cursor and go to the next."""
        if self._cursor_key is None or not self.show_cursor:
            return
        self.marked ^= {self._cursor_key}
        self._repaint_row(self._cursor_key)
        self.post_message(self.RowsMarked(self, frozenset(self.marked)))
        self._step(1)

    def clear_marks(self) -> None:
        """Unmark every row."""
        keys, self.marked = self.marked, set()
        for key in keys:
            self._repaint_row(key)
        if keys:
            self.post_message(self.RowsMarked(self, frozenset()))

    def action_select(self) -> None:
        """Choose the row under the cursor."""
        if self._cursor_key is not None:
            self.post_message(self.RowSelected(self, self._cursor_key))

    def action_sort_next(self) -> None:
        """Order by the next column shown; after the last, go back to the given order."""
        shown = [slot.column for slot in self._slots]
        at = shown.index(self._set.sort[0]) + 1 if self._set.sort and self._set.sort[0] in shown else 0
        self._set.sort = (shown[at], False) if at < len(shown) else None
        self._reorder()

    def action_sort_reverse(self) -> None:
        """Reverse the order."""
        if self._set.sort:
            self._set.sort = (self._set.sort[0], not self._set.sort[1])
            self._reorder()
