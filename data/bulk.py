"""Plainly written rows, read column by column: what nearly every row of nearly every file is.

A row is plain if its time reads and its numbers are digits with a point, in their places and in
order. All others are left to ``data.parsing``, which reads them one by one and says what is wrong. This
module must not know of bad rows or of files.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from data.arrays import integers as integers_of
from data.arrays import numbers as numbers_of
from data.arrays import texts
from data.rows import NUMBERS, Kind, Number, Rows
from data.scaled import common, narrowed, wholes_of

#: Up to 12 digits and 9 places: 21 digits, which DECIMAL(38, 9) holds.
_PLAIN = r"^[0-9]{1,12}(\.[0-9]{1,9})?$"
#: Fields of a file that are numbers, for each kind, and the column of the rows they become.
_FIELDS: dict[Kind, tuple[str, ...]] = {
    "bars": ("open", "high", "low", "close", "volume", "count"),
    "quotes": ("bid", "ask", "bid_size", "ask_size"),
    "trades": ("price", "size"),
}


def read(
    rows: Sequence[Sequence[str]],
    lines: Sequence[int],
    kind: Kind,
    place: Mapping[str, int],
    time_at: Callable[[Sequence[str]], int],
    aggressor_at: Callable[[Sequence[str]], int],
) -> tuple[Rows | None, NDArray[np.bool_]]:
    """Return the plain rows, and which rows those are. All rows must be wide enough.

    ``time_at`` raises ValueError for a row whose time cannot be read.
    """
    if not rows or "bid_close" in place or (kind == "bars" and "open" not in place):
        return None, np.zeros(len(rows), np.bool_)
    columns = {
        field: texts([row[at] for row in rows])
        for field in _FIELDS[kind]
        if (at := place.get(field)) is not None
    }
    plain = np.ones(len(rows), np.bool_)
    for column in columns.values():
        plain &= _flags(pc.match_substring_regex(column, _PLAIN))
    ts = np.zeros(len(rows), np.int64)
    for at in np.flatnonzero(plain).tolist():
        try:
            ts[at] = time_at(rows[at])
        except (ValueError, OverflowError):
            plain[at] = False
    written = np.flatnonzero(plain)
    numbers = {field: _number(column, written) for field, column in columns.items()}
    good = _in_order(kind, numbers)
    chosen = written[good]
    plain[written[~good]] = False
    if len(chosen) == 0:
        return None, plain
    numbers = {field: Number(one.wholes[good], one.scale) for field, one in numbers.items()}
    count = len(chosen)
    unknown = Number(np.zeros(count, np.int64), 0, np.zeros(count, np.bool_))
    integers = {"line": np.asarray(lines, np.int64)[chosen]}
    found_texts = {}
    if kind == "bars":
        integers["count"] = _whole(numbers["count"]) if "count" in numbers else np.zeros(count, np.int64)
    else:
        integers["lag"] = np.zeros(count, np.int64)
    if kind == "trades":
        integers["aggressor"] = np.array([aggressor_at(rows[at]) for at in chosen.tolist()], np.int64)
        ident = place.get("trade_id")
        ids = [None] * count if ident is None else [rows[at][ident].strip() or None for at in chosen.tolist()]
        found_texts["trade_id"] = texts(ids)
    decimal = {name: numbers.get(name, unknown) for name in NUMBERS[kind]}
    return Rows(kind, ts[chosen], decimal, integers, found_texts), plain


def _flags(column: pa.Array) -> NDArray[np.bool_]:
    """Return a boolean column as an array."""
    bits = np.unpackbits(np.frombuffer(column.buffers()[1], np.uint8), bitorder="little")
    return bits[column.offset : column.offset + len(column)].astype(np.bool_)


def _number(column: pa.Array, chosen: NDArray[np.int64]) -> Number:
    """Return the chosen cells as numbers at the smallest scale that holds all as they are written."""
    cells = column.take(integers_of(chosen))
    point = numbers_of(pc.find_substring(cells, "."))
    length = numbers_of(pc.binary_length(cells))
    scale = int(np.where(point >= 0, length - point - 1, 0).max(initial=0))
    wholes, _, _ = wholes_of(pc.cast(cells, pa.decimal128(38, scale)))
    return Number(narrowed(wholes), scale)


def _in_order(kind: Kind, numbers: Mapping[str, Number]) -> NDArray[np.bool_]:
    """Return which rows have high above low, bid below ask, and so on."""
    if kind == "trades":
        return np.ones(len(numbers["price"].wholes), np.bool_)
    if kind == "quotes":
        (bid, ask), _ = common([numbers["bid"][:2], numbers["ask"][:2]])
        return np.asarray(bid <= ask, np.bool_)
    (opened, high, low, close), _ = common([numbers[name][:2] for name in ("open", "high", "low", "close")])
    inside = (high >= opened) & (high >= close) & (low <= opened) & (low <= close)
    return np.asarray(inside & (high >= low), np.bool_)


def _whole(number: Number) -> NDArray[np.int64]:
    return np.asarray(number.wholes // 10**number.scale, np.int64)
