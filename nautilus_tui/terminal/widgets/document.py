"""A long text as something to be read: wrapped prose, tables kept whole, places, sections and matches.

Pure: no Textual. Only the lines asked for are laid out, so that ten megabytes read like ten lines.
A place is a line of the text and a row of that line as it is wrapped at some width.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from itertools import accumulate
from typing import NamedTuple

from rich.cells import cell_len

#: What must never reach a terminal as it is.
_CONTROLS = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]")
_WORDS = re.compile(r"\S+(?: {1,2}\S+)*")
_COLUMNS = re.compile(r"\S {3,}\S")
_GAPS = re.compile(r" {2,}(?=\S)")
#: Between columns of a table this many blanks are left.
_GAP = 2
#: A table is looked for so many lines around a line of it.
_BLOCK = 300
#: Lines longer than this and without columns end a table.
_SHORT = 100
#: Lines longer than this are prose, whatever stands in them.
_LONGEST_ROW = 6000
#: Prose is not wider than this: longer rows lose the eye on its way back.
MEASURE = 100
#: So many laid out lines are kept.
_KEPT = 4000
#: After so many matches no more are looked for.
MOST_MATCHES = 50_000


class Place(NamedTuple):
    """A row of a line."""

    line: int
    row: int = 0


class Span(NamedTuple):
    """Part of a row that matches what is searched for; ``here``: the match one stands on."""

    start: int
    end: int
    here: bool


class TextRow(NamedTuple):
    """One row as it is drawn: its text and what in it matches."""

    text: str
    spans: tuple[Span, ...] = ()
    cut: bool = False  #: a table goes on to the right
    heading: bool = False


class _Laid(NamedTuple):
    """A line laid out at one width: its text, where rows begin and end in it, and their indent."""

    text: str
    slices: tuple[tuple[int, int], ...]
    indent: int
    table: bool


class Document:
    """A text, its sections and what is searched for in it."""

    def __init__(self, text: str = "", sections: Sequence[tuple[str, int]] = ()) -> None:
        self.lines: list[str] = text.split("\n")
        while len(self.lines) > 1 and not self.lines[-1].strip():
            self.lines.pop()
        last = len(self.lines) - 1
        self.sections = tuple(sorted(((name, at) for name, at in sections if 0 <= at <= last), key=_line_of))
        self._starts = [at for _, at in self.sections]
        self.query = ""
        self.matches: list[int] = []  #: lines, one for each match, in order
        self.current: int | None = None  #: which match one stands on
        self.capped = False  #: there may be more matches than were looked for
        self._pattern: re.Pattern[str] | None = None
        self._folded: str | None = None  #: the text in lower case, once something was searched for
        self._line_starts: list[int] = []  #: where each line begins in it
        self._laid: dict[tuple[int, int], _Laid] = {}
        self._tables: dict[int, tuple[int, int, tuple[tuple[int, int], ...]]] = {}

    # ------------------------------------------------------------ laying out

    def rows_of(self, line: int, width: int) -> int:
        """Return how many rows a line takes at a width."""
        return len(self._lay(line, width).slices)

    def row(self, place: Place, width: int, shift: int = 0) -> TextRow:
        """Return a row as it is drawn; tables wider than the width are seen from column ``shift`` on."""
        laid = self._lay(place.line, width)
        start, end = laid.slices[min(place.row, len(laid.slices) - 1)]
        indent = laid.indent if place.row else 0
        cut = False
        if laid.table:
            start = min(len(laid.text), shift)
            end = start + _cells_end(laid.text[start:], width)
            cut = end < len(laid.text)
        text = " " * indent + laid.text[start:end]
        spans = tuple(
            Span(max(s, start) - start + indent, min(e, end) - start + indent, here)
            for s, e, here in self._found(place.line, laid.text)
            if s < end and e > start
        )
        return TextRow(text, spans, cut, heading=place.line in self._starts)

    def _lay(self, line: int, width: int) -> _Laid:
        key = (line, width)
        laid = self._laid.get(key)
        if laid is None:
            if len(self._laid) > _KEPT:
                self._laid.clear()
            laid = self._laid[key] = self._laid_out(line, max(8, width))
        return laid

    def _laid_out(self, line: int, width: int) -> _Laid:
        text = plain(self.lines[line])
        measure = min(width, MEASURE)
        table = _COLUMNS.search(text) is not None and len(text) <= _LONGEST_ROW
        if table:
            text = squeezed(text, self._gaps(line))
        text = text.rstrip()
        if cell_len(text) <= (width if table else measure):
            return _Laid(text, ((0, len(text)),), 0, table)
        if table:
            hang = _hanging(text, measure)
            if hang is None:
                return _Laid(text, ((0, len(text)),), 0, table=True)
            return _Laid(text, tuple(wrapped(text, measure, hang)), hang, table=False)
        stripped = text.lstrip()
        indent = min(len(text) - len(stripped), measure // 3)
        text = " " * indent + stripped
        return _Laid(text, tuple(wrapped(text, measure, indent)), indent, table=False)

    def _gaps(self, line: int) -> tuple[tuple[int, int], ...]:
        """Return the columns that are blank through the whole table a line is in."""
        known = self._tables.get(line)
        if known is not None and known[0] <= line < known[1]:
            return known[2]
        first, end = self._table_around(line)
        covered: list[tuple[int, int]] = []
        for at in range(first, end):
            text = plain(self.lines[at])
            if _COLUMNS.search(text):
                covered += (m.span() for m in _WORDS.finditer(text))
        gaps = tuple(_blank(covered))
        if len(self._tables) > _KEPT:
            self._tables.clear()
        for at in range(first, end):
            self._tables[at] = (first, end, gaps)
        return gaps

    def _table_around(self, line: int) -> tuple[int, int]:
        first, blanks = line, 0
        while first > 0 and line - first < _BLOCK and blanks < 3:
            text = self.lines[first - 1]
            if not _COLUMNS.search(text) and len(text.strip()) > _SHORT:
                break
            blanks = blanks + 1 if not text.strip() else 0
            first -= 1
        end, blanks = line + 1, 0
        while end < len(self.lines) and end - line < _BLOCK and blanks < 3:
            text = self.lines[end]
            if not _COLUMNS.search(text) and len(text.strip()) > _SHORT:
                break
            blanks = blanks + 1 if not text.strip() else 0
            end += 1
        return first, end

    # ------------------------------------------------------------ places

    def forward(self, place: Place, rows: int, width: int) -> Place:
        """Return the place so many rows further on, the last row at most."""
        line, row = place.line, min(place.row, self.rows_of(place.line, width) - 1) + rows
        while row >= (count := self.rows_of(line, width)):
            if line + 1 >= len(self.lines):
                return Place(line, count - 1)
            row -= count
            line += 1
        return Place(line, row)

    def backward(self, place: Place, rows: int, width: int) -> Place:
        """Return the place so many rows before, the first at least."""
        line, row = place.line, min(place.row, self.rows_of(place.line, width) - 1) - rows
        while row < 0:
            if line == 0:
                return Place(0)
            line -= 1
            row += self.rows_of(line, width)
        return Place(line, row)

    def last_top(self, width: int, height: int) -> Place:
        """Return the place that is at the top when the end is in sight."""
        line = len(self.lines) - 1
        return self.backward(Place(line, self.rows_of(line, width) - 1), max(0, height - 1), width)

    def page(self, top: Place, height: int, width: int, shift: int = 0) -> Iterator[TextRow]:
        """Yield the rows from a place on, at most ``height``."""
        line, row = top.line, min(top.row, self.rows_of(top.line, width) - 1)
        for _ in range(height):
            if line >= len(self.lines):
                return
            yield self.row(Place(line, row), width, shift)
            row += 1
            if row >= self.rows_of(line, width):
                line, row = line + 1, 0

    # ------------------------------------------------------------ sections

    def section_at(self, line: int) -> int | None:
        """Return which section a line is in; None before the first."""
        at = bisect_right(self._starts, line) - 1
        return at if at >= 0 else None

    def next_section(self, line: int, by: int) -> int | None:
        """Return the line of the next section (``by`` 1) or of the one before (-1)."""
        at = bisect_right(self._starts, line) if by > 0 else bisect_right(self._starts, line - 1) - 1
        return self._starts[at] if 0 <= at < len(self._starts) else None

    # ------------------------------------------------------------ searching

    def search(self, query: str, start: int = 0) -> None:
        """Find a text, whatever its case; one stands on the first match at or after line ``start``."""
        self.query = query
        self.matches, self.current, self._pattern, self.capped = [], None, None, False
        if not query:
            return
        # A blank matches any run of blanks: columns and narrow spaces are laid out anew.
        words = query.lower().split() or [query.lower()]
        self._pattern = re.compile(r"[^\S\n]+".join(map(re.escape, words)), re.IGNORECASE)
        self.matches = self._lines_matching(self._pattern, words[0])
        self.capped = len(self.matches) >= MOST_MATCHES
        if self.matches:
            self.current = next((i for i, line in enumerate(self.matches) if line >= start), 0)

    def _lines_matching(self, pattern: re.Pattern[str], first: str) -> list[int]:
        """Return the line of every match; finding the first word alone is much faster than the pattern."""
        if self._folded is None:
            self._folded = "\n".join(self.lines).lower()
            lengths = (len(line) + 1 for line in self._folded.split("\n"))
            self._line_starts = [0, *accumulate(lengths)][:-1]
        found: list[int] = []
        at = self._folded.find(first)
        while at >= 0 and len(found) < MOST_MATCHES:
            match = pattern.match(self._folded, at)
            if match is not None:
                found.append(bisect_right(self._line_starts, at) - 1)
            at = self._folded.find(first, at + 1 if match is None else match.end())
        return found

    def walk(self, by: int) -> int | None:
        """Go to another match, around the end; return its line."""
        if not self.matches:
            return None
        self.current = ((self.current or 0) + by) % len(self.matches)
        return self.matches[self.current]

    def place_of_match(self, width: int) -> Place | None:
        """Return the row of the match one stands on."""
        if self.current is None:
            return None
        line = self.matches[self.current]
        laid = self._lay(line, width)
        at = next((s for s, _, here in self._found(line, laid.text) if here), 0)
        row = next((i for i, (start, end) in enumerate(laid.slices) if start <= at < end), 0)
        return Place(line, row)

    def column_of_match(self, width: int) -> tuple[int, int] | None:
        """Return where in its line, as laid out, the match one stands on begins and ends; tables only."""
        if self.current is None:
            return None
        line = self.matches[self.current]
        laid = self._lay(line, width)
        if not laid.table:
            return None
        return next(((s, e) for s, e, here in self._found(line, laid.text) if here), None)

    def _found(self, line: int, text: str) -> list[tuple[int, int, bool]]:
        """Return what matches in a line as it is laid out."""
        if self._pattern is None:
            return []
        here = -1
        if self.current is not None and self.matches[self.current] == line:
            here = self.current - self.matches.index(line)
        return [(m.start(), m.end(), i == here) for i, m in enumerate(self._pattern.finditer(text))]


def plain(text: str) -> str:
    """Return text without anything that would command a terminal; such signs become blanks."""
    return _CONTROLS.sub(" ", text).replace("\xa0", " ")


def squeezed(text: str, gaps: Sequence[tuple[int, int]]) -> str:
    """Return a line of a table with its blank columns narrowed to two."""
    parts, at = [], 0
    for start, end in gaps:
        if start >= len(text):
            break
        parts.append(text[at : start + _GAP])
        at = end
    parts.append(text[at:])
    return "".join(parts)


def _blank(covered: list[tuple[int, int]]) -> Iterator[tuple[int, int]]:
    """Yield the columns that no interval covers, where there are more than the gap."""
    covered.sort()
    reached = 0
    for start, end in covered:
        if start - reached > _GAP:
            yield reached, start
        reached = max(reached, end)


def _hanging(text: str, width: int) -> int | None:
    """Return where the long text of a list item begins; None for a table of several columns."""
    stripped = text.lstrip()
    gaps = list(_GAPS.finditer(stripped))
    begin = len(text) - len(stripped) + gaps[0].end() if len(gaps) == 1 else width
    return begin if begin <= width // 3 else None


def wrapped(text: str, width: int, indent: int) -> Iterator[tuple[int, int]]:
    """Yield where the rows of a text begin and end, broken at blanks; later rows leave room for an indent."""
    start, first = 0, True
    while start < len(text):
        room = max(4, width if first else width - indent)
        end = start + _cells_end(text[start : start + room + 1], room)
        if end < len(text):
            lead = start + (len(text[start:end]) - len(text[start:end].lstrip()))
            blank = text.rfind(" ", lead, end + 1)
            end = blank if blank > lead else end
        yield start, end
        start, first = end, False
        while start < len(text) and text[start] == " ":
            start += 1
    if first:
        yield 0, 0


def _cells_end(text: str, room: int) -> int:
    """Return how many characters fit into so many cells."""
    if text.isascii():
        return min(len(text), room)
    taken = 0
    for index, sign in enumerate(text):
        taken += cell_len(sign)
        if taken > room:
            return max(1, index)
    return len(text)


def _line_of(section: tuple[str, int]) -> int:
    return section[1]
