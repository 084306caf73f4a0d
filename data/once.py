"""Each row once: rows of a file that repeat one another, and rows that are stored already.

This module must not know of files.
"""

from __future__ import annotations

from collections import Counter

import numpy as np
from numpy.typing import NDArray

from data.parsing import Reading
from data.rows import Rows, Series


class Sorter:
    """Puts rows in order of time and leaves out those that repeat another row of the file."""

    def __init__(self, reading: Reading) -> None:
        self._reading = reading
        self.duplicates = 0
        self.out_of_order = 0

    def distinct(self, rows: Rows) -> Rows:
        """Return the rows in order, each once."""
        self.out_of_order += int((np.diff(rows.ts) < 0).sum())
        rows = rows.in_order()
        again = np.flatnonzero(rows.ts[1:] == rows.ts[:-1]) + 1
        if len(again) == 0:
            return rows
        suspects = np.unique(np.concatenate((again, again - 1)))
        keep = np.ones(len(rows), np.bool_)
        if rows.kind == "trades":
            self._mark_trades(rows, suspects, keep)
        else:
            self._mark(rows, suspects, keep)
        return rows.take(keep)

    def _mark(self, rows: Rows, suspects: NDArray[np.int64], keep: NDArray[np.bool_]) -> None:
        some = rows.take(suspects)
        names = [*rows.numbers, *(name for name in rows.integers if name != "line")]
        first: dict[object, int] = {}
        for at, row, line in zip(
            suspects.tolist(), some.keys(names), some.integers["line"].tolist(), strict=True
        ):
            identity = row[0] if rows.kind == "bars" else row
            earlier = first.setdefault(identity, at)
            if earlier == at:
                continue
            keep[at] = False
            if rows.kind == "bars" and rows.take(slice(earlier, earlier + 1)).keys(names) != [row]:
                self._reading.reject(line, "another bar for the same time with other values stands before")
            else:
                self.duplicates += 1

    def _mark_trades(self, rows: Rows, suspects: NDArray[np.int64], keep: NDArray[np.bool_]) -> None:
        # Two trades of one price, size and time can be two trades: only a repeated id makes a duplicate.
        ids = rows.take(suspects).texts["trade_id"].to_pylist()
        seen: set[tuple[int, str]] = set()
        for at, ident in zip(suspects.tolist(), ids, strict=True):
            if ident is None:
                continue
            if (int(rows.ts[at]), ident) in seen:
                keep[at] = False
                self.duplicates += 1
            seen.add((int(rows.ts[at]), ident))


class Comparison:
    """Leaves out rows that are stored already; bars that differ from stored ones are reported."""

    def __init__(self, reading: Reading) -> None:
        self._reading = reading
        self.already = 0

    def __call__(self, series: Series, rows: Rows, stored: Rows | None) -> Rows:
        lines = rows.integers["line"]
        plain = Rows(
            rows.kind,
            rows.ts,
            rows.numbers,
            {name: column for name, column in rows.integers.items() if name != "line"},
            rows.texts,
        )
        if stored is None:
            return plain
        names = [*plain.numbers, *plain.integers, *plain.texts]
        there = Counter(stored.keys(names))
        known_times = set(stored.ts.tolist()) if series.kind == "bars" else set()
        keep = np.ones(len(plain), np.bool_)
        for at, row in enumerate(plain.keys(names)):
            if there[row] > 0:
                there[row] -= 1
                keep[at] = False
                self.already += 1
            elif row[0] in known_times:
                keep[at] = False
                self._reading.reject(int(lines[at]), "the history holds another bar for the same time")
        return plain.take(keep)
