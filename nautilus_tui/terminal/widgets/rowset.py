"""The rows of one table: which there are, which are shown, and in what order.

Pure: no Textual. It says what changed; the widget decides what that means for the screen.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from nautilus_tui.terminal.widgets.rows import Cell, Changes, Row, SortKey, difference, sort_key


class Step(NamedTuple):
    """What giving rows to a set did."""

    changes: Changes
    old: Mapping[str, Row]  #: the rows as they were, of those that changed at least
    structural: bool  #: rows came, went or changed places


class RowSet:
    """Rows by key, with a filter and an order."""

    def __init__(self) -> None:
        self.rows: dict[str, Row] = {}
        self.shown: list[str] = []  #: keys, in the order they are shown
        self.index: dict[str, int] = {}  #: key → place in ``shown``
        self.filter = ""  #: only rows with this text in a cell are shown
        self.sort: tuple[int, bool] | None = None  #: column and whether reversed; None: as given

    def replace(self, rows: Sequence[Row]) -> Step:
        """Make these the rows, in this order."""
        old = self.rows
        changes = difference(old, rows)
        same = not changes.added and not changes.deleted
        structural = not (same and all(a == b.key for a, b in zip(old, rows, strict=True)))
        if structural or changes.updated:
            self.rows = {row.key: row for row in rows}
        return Step(changes, old, structural)

    def update(self, rows: Iterable[Row]) -> Step:
        """Change or add these rows and leave all others as they are."""
        given = list(rows)
        old = {row.key: self.rows[row.key] for row in given if row.key in self.rows}
        changes = difference(old, given)
        self.rows.update((row.key, row) for row in given)
        return Step(changes, old, bool(changes.added))

    def arrange(self) -> bool:
        """Apply filter and order anew; say whether there are more or fewer rows to be seen."""
        keys = list(self.rows)
        if self.filter:
            wanted = self.filter.casefold()
            keys = [key for key in keys if self._has(key, wanted)]
        if self.sort is not None:
            column, reverse = self.sort
            keys.sort(key=lambda key: self._sort_key(key, column), reverse=reverse)
        other = len(keys) != len(self.shown)
        self.shown = keys
        self.index = {key: i for i, key in enumerate(keys)}
        return other

    def _sort_key(self, key: str, column: int) -> SortKey:
        cells = self.rows[key].cells
        return sort_key(cells[column] if column < len(cells) else Cell(""))

    def _has(self, key: str, wanted: str) -> bool:
        return any(wanted in f"{cell.text}{cell.tail}".casefold() for cell in self.rows[key].cells)
