"""A table of a filing as aligned lines of text.

Reports spread one figure over cells for the currency, the number and the closing bracket, and titles
over several columns. Cells that belong together are joined, and columns are found by which cells stand
above one another. This module must not know where a table comes from.
"""

from __future__ import annotations

import re
import textwrap
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

_BEFORE = frozenset({"$", "(", "€", "£", "¥", "$(", "US$", "C$"})
_AFTER = frozenset({")", "%", ")%", "%)", "),", "]", "pts", "x"})
_NUMBER = re.compile(r"[($€£¥\s]*[-–—]?[\d.,]*\d?[)%\s]*|[–—-]|n/?m|n/?a", re.IGNORECASE)
_LABEL_WIDTH = 64
#: A cell with more characters holds a paragraph: such a table only places text on a page.
_PARAGRAPH = 240
_GAP = 2
_MAX_SPAN = 200


@dataclass(slots=True)
class Cell:
    """A cell with text, and the columns that it covers."""

    start: int
    end: int
    text: str

    @property
    def is_number(self) -> bool:
        """Whether it stands to the right in its column."""
        return _NUMBER.fullmatch(self.text) is not None


@dataclass(slots=True)
class _Column:
    start: int
    end: int
    width: int = 0

    def meets(self, cell: Cell) -> bool:
        return cell.start < self.end and self.start < cell.end


def lines(rows: Iterable[Sequence[tuple[str, int]]]) -> list[str]:
    """Return a table as lines.

    Args:
        rows: of each cell its text and how many columns it covers.
    """
    placed = [joined(_placed(row)) for row in rows]
    placed = [row for row in placed if row]
    if any(len(cell.text) > _PARAGRAPH for row in placed for cell in row):
        return [" ".join(cell.text for cell in row) for row in placed]
    columns = _columns(placed)
    _measure(placed, columns)
    return [line for row in placed for line in _line(row, columns)]


def _placed(row: Sequence[tuple[str, int]]) -> list[Cell]:
    cells: list[Cell] = []
    column = 0
    for text, span in row:
        end = column + max(1, min(span, _MAX_SPAN))
        if text:
            cells.append(Cell(column, end, text))
        column = end
    return cells


def joined(cells: Sequence[Cell]) -> list[Cell]:
    """Return the cells of a row with currency signs and closing brackets joined to their numbers."""
    result: list[Cell] = []
    before: Cell | None = None
    for cell in cells:
        if cell.text in _AFTER and result and before is None:
            last = result[-1]
            result[-1] = Cell(last.start, cell.end, last.text + cell.text)
        elif before is not None:
            result.append(Cell(before.start, cell.end, before.text + cell.text))
            before = None
        elif cell.text in _BEFORE:
            before = cell
        else:
            result.append(cell)
    if before is not None:
        result.append(before)
    return result


def _columns(rows: Sequence[Sequence[Cell]]) -> list[_Column]:
    """Return the columns: narrow cells make them, wider ones above or below only one widen it."""
    columns: list[_Column] = []
    for cell in sorted((cell for row in rows for cell in row), key=lambda cell: cell.end - cell.start):
        met = [column for column in columns if column.meets(cell)]
        if not met:
            columns.append(_Column(cell.start, cell.end))
        elif len(met) == 1:
            met[0].start, met[0].end = min(met[0].start, cell.start), max(met[0].end, cell.end)
    return sorted(columns, key=lambda column: column.start)


def _measure(rows: Sequence[Sequence[Cell]], columns: Sequence[_Column]) -> None:
    for row in rows:
        for cell in row:
            met = [column for column in columns if column.meets(cell)]
            if len(met) == 1:
                most = _LABEL_WIDTH if met[0] is columns[0] else len(cell.text)
                met[0].width = max(met[0].width, min(len(cell.text), most))


def _line(row: Sequence[Cell], columns: Sequence[_Column]) -> list[str]:
    """Return a row as a line, with lines before it for what its label has too much."""
    result: list[str] = []
    line = ""
    for cell in row:
        place = next((index for index, column in enumerate(columns) if column.meets(cell)), 0)
        offset = sum(column.width + _GAP for column in columns[:place])
        spans = sum(column.meets(cell) for column in columns) > 1
        text = cell.text
        if place == 0 and not spans and len(text) > _LABEL_WIDTH and len(row) > 1:
            *first, text = textwrap.wrap(text, _LABEL_WIDTH)
            result.extend(first)
        if cell.is_number and place > 0 and not spans:
            offset += max(0, columns[place].width - len(text))
        line = (line.ljust(offset) if len(line) < offset else f"{line}  " if line else "") + text
    return [*result, line.rstrip()]
