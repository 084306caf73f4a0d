"""Rows of text to rows of numbers, each checked; what is wrong is kept with its line and the reason.

This module must not know where rows come from or go to.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal, InvalidOperation

import msgspec
import numpy as np

from data import bulk
from data.arrays import texts
from data.columns import AGGRESSOR_WORDS
from data.records import PriceSide
from data.rows import Kind, Number, Rows, joined
from data.rows_of import number_of
from data.scaled import narrowed
from data.tabular import Batch

_UNKNOWN = frozenset({"", ".", "nan", "null", "none", "na", "n/a", "-", "#n/a"})
_SIDES: tuple[PriceSide, ...] = ("bid", "ask")
_PRICES = ("open", "high", "low", "close")
_DIGITS = 18  #: more than any market has; a number that needs more is taken for damage

_POWERS = {"K": 3, "M": 6, "B": 9}


class BadRow(msgspec.Struct, frozen=True):
    """A row that was left out: where, why, and what stands there."""

    line: int
    reason: str
    text: str = ""


class Reading:
    """What was read so far."""

    def __init__(self, listed: int) -> None:
        self._listed = listed
        self.rows: dict[PriceSide | None, list[Rows]] = defaultdict(list)
        self.bad: list[BadRow] = []
        self.bad_count = 0
        self.reasons: Counter[str] = Counter()
        self.read = 0
        self.kept = 0
        self.other_symbols = 0
        self.rounded = 0

    def reject(self, line: int, reason: str, row: Sequence[str] = ()) -> None:
        """Count a bad row, and list it if there are not too many."""
        self.bad_count += 1
        self.reasons[reason] += 1
        if len(self.bad) < self._listed:
            self.bad.append(BadRow(line, reason, ",".join(row)[:160]))


class Layout(msgspec.Struct, frozen=True, kw_only=True):
    """Where in a row each field stands."""

    kind: Kind
    place: dict[str, int]
    names: tuple[str, ...]
    width: int  #: cells that a row must have at least
    time: Callable[[str], int]
    symbol: str | None
    decimal_comma: bool

    @classmethod
    def of(
        cls,
        kind: Kind,
        columns: Mapping[str, str],
        names: Sequence[str],
        time: Callable[[str], int],
        symbol: str | None,
        decimal_comma: bool,
    ) -> Layout:
        """Return the layout of a file with these columns."""
        place = {field: list(names).index(column) for field, column in columns.items()}
        return cls(
            kind=kind,
            place=place,
            names=tuple(names),
            width=max(place.values()) + 1,
            time=time,
            symbol=symbol,
            decimal_comma=decimal_comma,
        )


class _RowError(Exception):
    """A row is wrong; the message is the reason."""


def read(batch: Batch, layout: Layout, reading: Reading) -> None:
    """Read a batch of rows into ``reading``."""
    reading.rounded += batch.rounded
    rows, lines = batch.rows, batch.lines
    if layout.symbol is not None:
        mine = [at for at, row in enumerate(rows) if not _other_symbol(row, layout)]
        reading.other_symbols += len(rows) - len(mine)
        rows, lines = [rows[at] for at in mine], [lines[at] for at in mine]
    reading.read += len(rows)
    found: dict[PriceSide | None, list[Rows]] = defaultdict(list)
    rest: Sequence[int] = range(len(rows))
    if not layout.decimal_comma and min(map(len, rows), default=0) >= layout.width:
        some, plain = bulk.read(
            rows,
            lines,
            layout.kind,
            layout.place,
            lambda row: layout.time(_time_text(row, layout)),
            lambda row: _aggressor(row, layout),
        )
        rest = np.flatnonzero(~plain).tolist()
        reading.kept += len(rows) - len(rest)
        if some is not None:
            found[None].append(some)
    for side, one in _one_by_one([(lines[at], rows[at]) for at in rest], layout, reading).items():
        found[side].append(one)
    for side, parts in found.items():
        both = joined(parts)
        reading.rows[side].append(both.take(np.argsort(both.integers["line"], kind="stable")))


def _one_by_one(
    rows: Sequence[tuple[int, Sequence[str]]], layout: Layout, reading: Reading
) -> dict[PriceSide | None, Rows]:
    """Read rows that are not plainly written; those that are wrong are kept with the reason."""
    found: dict[PriceSide | None, _Columns] = defaultdict(lambda: _Columns(layout.kind))
    for line, row in rows:
        try:
            if len(row) < layout.width:
                raise _RowError(f"{len(row)} cells where {layout.width} are needed")
            ts = _time(row, layout)
            sides = _values(row, layout)
        except _RowError as error:
            reading.reject(line, str(error), row)
            continue
        reading.kept += 1
        for side, values in sides:
            found[side].add(line, ts, values)
    return {side: columns.rows() for side, columns in found.items()}


class _Columns:
    """Values of good rows, column by column."""

    def __init__(self, kind: Kind) -> None:
        self.kind = kind
        self.lines: list[int] = []
        self.ts: list[int] = []
        self.values: list[tuple[object, ...]] = []

    def add(self, line: int, ts: int, values: tuple[object, ...]) -> None:
        self.lines.append(line)
        self.ts.append(ts)
        self.values.append(values)

    def rows(self) -> Rows:
        columns = list(zip(*self.values, strict=True))
        integers = {"line": np.array(self.lines, np.int64)}
        zeros = np.zeros(len(self.ts), np.int64)
        ts = np.array(self.ts, np.int64)
        if self.kind == "bars":
            names: tuple[str, ...] = ("open", "high", "low", "close", "volume")
            integers["count"] = np.array(columns[5], np.int64)
        elif self.kind == "quotes":
            names = ("bid", "ask", "bid_size", "ask_size")
            integers["lag"] = zeros
        else:
            names = ("price", "size")
            integers |= {"lag": zeros, "aggressor": np.array(columns[2], np.int64)}
        numbers = {name: _number_column(column) for name, column in zip(names, columns, strict=False)}
        ids = (
            {"trade_id": texts([str(one) if one else None for one in columns[3]])}
            if self.kind == "trades"
            else {}
        )
        return Rows(self.kind, ts, numbers, integers, ids)


#: A number as digits and decimal places: 1.50 is (150, 2).
_Digits = tuple[int, int]


def _number_column(values: Sequence[object]) -> Number:
    known = [value if isinstance(value, tuple) else None for value in values]
    scale = max((one[1] for one in known if one is not None), default=0)
    powers = [10**n for n in range(scale + 1)]
    wholes = np.array([0 if one is None else one[0] * powers[scale - one[1]] for one in known], object)
    valid = None if None not in known else np.array([one is not None for one in known], np.bool_)
    return Number(narrowed(wholes), scale, valid)


def _other_symbol(row: Sequence[str], layout: Layout) -> bool:
    at = layout.place.get("symbol")
    if at is None or at >= len(row):
        return False  # reported as too short
    return "".join(sign for sign in row[at].upper() if sign.isascii() and sign.isalnum()) != layout.symbol


def _time_text(row: Sequence[str], layout: Layout) -> str:
    text = row[layout.place["time"]]
    if "clock" in layout.place:
        text = f"{text.strip()} {row[layout.place['clock']].strip()}"
    return text


def _time(row: Sequence[str], layout: Layout) -> int:
    try:
        return layout.time(_time_text(row, layout))
    except (ValueError, OverflowError) as error:
        raise _RowError(f"{layout.names[layout.place['time']]} is no time: {error}") from error


def _values(row: Sequence[str], layout: Layout) -> list[tuple[PriceSide | None, tuple[object, ...]]]:
    if layout.kind == "quotes":
        return [(None, _quote(row, layout))]
    if layout.kind == "trades":
        return [(None, _trade(row, layout))]
    if "bid_close" in layout.place:
        return [(side, _bar(row, layout, f"{side}_")) for side in _SIDES]
    return [(None, _bar(row, layout, ""))]


def _bar(row: Sequence[str], layout: Layout, prefix: str) -> tuple[object, ...]:
    if f"{prefix}open" in layout.place:
        prices = [_needed(row, layout, prefix + name) for name in _PRICES]
    else:
        prices = [_needed(row, layout, f"{prefix}close")] * 4
    opened, high, low, close = (_comparable(price) for price in prices)
    if high < low:
        raise _RowError("high is below low")
    if high < max(opened, close):
        raise _RowError("high is below open or close")
    if low > min(opened, close):
        raise _RowError("low is above open or close")
    volume = _optional(row, layout, "volume")
    if volume is not None and volume[0] < 0:
        raise _RowError("volume is negative")
    count = _optional(row, layout, "count")
    return (*prices, volume, 0 if count is None else count[0] // 10 ** count[1])


def _quote(row: Sequence[str], layout: Layout) -> tuple[object, ...]:
    bid, ask = _needed(row, layout, "bid"), _needed(row, layout, "ask")
    if _comparable(bid) > _comparable(ask):
        raise _RowError("bid is above ask")
    return bid, ask, _size(row, layout, "bid_size"), _size(row, layout, "ask_size")


def _trade(row: Sequence[str], layout: Layout) -> tuple[object, ...]:
    price = _needed(row, layout, "price")
    ident = row[layout.place["trade_id"]].strip() if "trade_id" in layout.place else ""
    return price, _size(row, layout, "size"), _aggressor(row, layout), ident


def _aggressor(row: Sequence[str], layout: Layout) -> int:
    if "maker" in layout.place:
        said = row[layout.place["maker"]].strip().lower()
        return {"true": 2, "1": 2, "t": 2, "false": 1, "0": 1, "f": 1}.get(said, 0)
    if "aggressor" in layout.place:
        return AGGRESSOR_WORDS.get(row[layout.place["aggressor"]].strip().lower(), 0)
    return 0


def _size(row: Sequence[str], layout: Layout, field: str) -> _Digits | None:
    size = _optional(row, layout, field)
    if size is not None and size[0] < 0:
        raise _RowError(f"{field.replace('_', ' ')} is negative")
    return size


def _needed(row: Sequence[str], layout: Layout, field: str) -> _Digits:
    value = _optional(row, layout, field)
    if value is None:
        raise _RowError(f"{field.replace('_', ' ')} is missing")
    return value


def _optional(row: Sequence[str], layout: Layout, field: str) -> _Digits | None:
    at = layout.place.get(field)
    if at is None:
        return None
    text = row[at].strip()
    if text.lower() in _UNKNOWN:
        return None
    return _digits(text, layout.decimal_comma, field)


def _digits(text: str, decimal_comma: bool, field: str) -> _Digits:
    """Return a number exactly as written."""
    if decimal_comma:
        text = text.replace(".", "").replace(",", ".")
    whole, _, fraction = text.partition(".")
    digits = whole + fraction
    if digits.isascii() and digits.isdigit() and len(digits) <= _DIGITS:  # nearly always
        return int(digits), len(fraction)
    text = text.lstrip("$€£")
    power = _POWERS.get(text[-1:].upper(), 0)  # 1.2M
    text = text[:-1] if power else text
    whole = text.partition(".")[0]
    if "," in whole and all(len(group) == 3 for group in whole.split(",")[1:]):
        text = text.replace(",", "")  # thousands
    try:
        value = Decimal(text).scaleb(power)
    except InvalidOperation:
        value = Decimal("NaN")
    if not value.is_finite():
        raise _RowError(f"{field.replace('_', ' ')} is no number")
    if len(value.as_tuple().digits) > _DIGITS or abs(value.adjusted()) > _DIGITS:
        raise _RowError(f"{field.replace('_', ' ')} has more than {_DIGITS} digits")
    number = number_of([value])
    return int(number.wholes[0]), number.scale


def _comparable(value: _Digits) -> int:
    whole: int = value[0] * 10 ** (2 * _DIGITS - value[1])
    return whole
