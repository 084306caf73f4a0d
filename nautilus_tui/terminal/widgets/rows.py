"""Rows and columns of a live table: typed values, their differences, and how columns share a width.

Pure: no Textual. A row is compared cell by cell with the one it replaces, so that what changed is
data and not a guess of the painter.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from typing import Literal, NamedTuple

from rich.cells import cell_len, set_cell_size

Align = Literal["left", "right", "center"]
Value = Decimal | float | int | str | None
SortKey = tuple[int, float | Decimal | int, str]


class Cell(NamedTuple):
    """What one cell shows. ``value`` sorts it and tells up from down when it changes."""

    text: str
    style: str = ""  #: space-separated style keys of the palette
    value: Value = None
    tail: str = ""  #: shown after the text, dim: a venue, a unit


class Row(NamedTuple):
    """One row. ``key`` is its identity; ``style`` applies under every cell's own.

    A row with fewer cells than there are columns says its last one across all that are left.
    """

    key: str
    cells: tuple[Cell, ...]
    style: str = ""


class Column(NamedTuple):
    """One column.

    ``width`` is fixed when positive, else the widest cell so far between ``least`` and ``most``.
    Columns with the highest ``drop`` go first, together, where there is no room; 0 never goes.
    A column with ``grow`` is ``least`` wide and takes what room is left; one with ``glow`` shows its
    changes.
    """

    key: str
    title: str
    align: Align = "right"
    width: int = 0
    least: int = 3
    most: int = 40
    drop: int = 0
    grow: bool = False
    glow: bool = False


class Changes(NamedTuple):
    """The difference between two sets of rows, by key."""

    added: tuple[str, ...]
    updated: tuple[str, ...]
    deleted: tuple[str, ...]


class Slot(NamedTuple):
    """Where a column was placed: which column, its first cell and its width."""

    column: int
    x: int
    width: int


def difference(old: Mapping[str, Row], new: Sequence[Row]) -> Changes:
    """Return which rows were added, which changed and which are gone."""
    added, updated = [], []
    seen = set()
    for row in new:
        seen.add(row.key)
        known = old.get(row.key)
        if known is None:
            added.append(row.key)
        elif known != row:
            updated.append(row.key)
    return Changes(tuple(added), tuple(updated), tuple(k for k in old if k not in seen))


def changed_cells(old: Row, new: Row) -> list[int]:
    """Return the indices of cells that look different."""
    if old.style != new.style or len(old.cells) != len(new.cells):
        return list(range(len(new.cells)))
    return [
        i
        for i, (a, b) in enumerate(zip(old.cells, new.cells, strict=True))
        if a.text != b.text or a.style != b.style or a.tail != b.tail
    ]


def direction(old: Value, new: Value) -> int:
    """Return 1 when a number rose, -1 when it fell, 0 where neither can be said."""
    if isinstance(old, str) or isinstance(new, str) or old is None or new is None:
        return 0
    return (new > old) - (new < old)


def content_widths(columns: Sequence[Column], rows: Iterable[Row]) -> list[int]:
    """Return the width every column's content wants."""
    widths = [column.width or max(column.least, cell_len(column.title)) for column in columns]
    for row in rows:
        across = len(row.cells) - 1 if len(row.cells) < len(columns) else None
        for i, cell in enumerate(row.cells):
            column = columns[i]
            if i == across:
                break
            if column.width or column.grow:
                continue
            if len(cell.text) + len(cell.tail) > widths[i]:
                widths[i] = min(column.most, max(widths[i], cell_len(cell.text + cell.tail)))
    return widths


def place(columns: Sequence[Column], wanted: Sequence[int], room: int) -> list[Slot]:
    """Place columns on a line of ``room`` cells.

    Gaps are two cells, one where that saves a column, up to four where there is room to spare.
    Columns that do not fit are left out in the order of their ``drop``; what never goes is cut short.
    """
    kept = list(range(len(columns)))

    def needed(gap: int) -> int:
        return sum(wanted[i] for i in kept) + gap * max(0, len(kept) - 1)

    gap = 2
    while needed(gap) > room:
        if gap > 1 and needed(1) <= room:
            gap = 1
            break
        droppable = [i for i in kept if columns[i].drop]
        if not droppable:
            gap = 1
            break
        first = max(columns[i].drop for i in droppable)
        kept = [i for i in kept if columns[i].drop != first]
    spare = max(0, room - needed(gap))
    growing = [i for i in kept if columns[i].grow]
    if not growing and len(kept) > 1:
        extra = min(2, spare // (len(kept) - 1))
        gap += extra
    slots, x = [], 0
    for i in kept:
        width = wanted[i]
        if growing:
            share, rest = divmod(spare, len(growing))
            if i in growing:
                width += share + (rest if i == growing[-1] else 0)
        width = max(0, min(width, room - x))
        if width == 0:
            break
        slots.append(Slot(i, x, width))
        x += width + gap
    return slots


def fit(text: str, width: int, align: Align, ellipsis: str) -> str:
    """Return text of exactly ``width`` cells: padded by alignment, or cut with an ellipsis."""
    length = len(text) if text.isascii() else cell_len(text)
    if length > width:
        return set_cell_size(text, width - 1) + ellipsis if width > 1 else ellipsis[:width]
    if length == width:
        return text
    if align == "right":
        return text.rjust(width) if length == len(text) else " " * (width - length) + text
    if align == "left":
        return text + " " * (width - length)
    left = (width - length) // 2
    return " " * left + text + " " * (width - length - left)


def fit_cell(cell: Cell, width: int, align: Align, ellipsis: str) -> tuple[str, str]:
    """Return a cell's text and tail, together exactly ``width`` cells; the tail is cut first."""
    if not cell.tail:
        return fit(cell.text, width, align, ellipsis), ""
    room = width - cell_len(cell.text)
    if room <= 0:
        return fit(cell.text, width, align, ellipsis), ""
    tail = cell.tail if cell_len(cell.tail) <= room else set_cell_size(cell.tail, room)
    if align == "right":
        return " " * (room - cell_len(tail)) + cell.text, tail
    return cell.text, tail + " " * (room - cell_len(tail))


def sort_key(cell: Cell) -> SortKey:
    """Return the key a cell sorts by: numbers by value, then texts, what is not known last."""
    value = cell.value
    if value is None:
        return (2, 0, cell.text) if not cell.text else (1, 0, cell.text)
    if isinstance(value, str):
        return (1, 0, value)
    return (0, value, "")
