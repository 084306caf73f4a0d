"""Returns from a file: CSV or Parquet with a column ``return``, and from equity.

Nothing is padded, filled or guessed. A cell without a value is an error, unless the caller wants such rows
dropped, and then their number is told. Rows are counted from 1, without the header.
This module must not know what returns are for.
"""

from __future__ import annotations

import codecs
import datetime as dt
import gzip
import math
import zlib
from pathlib import Path
from typing import Final, NamedTuple

import msgspec
import numpy as np
import numpy.typing as npt
import polars as pl

from data import times
from data.problems import InvalidRequestError
from risk.measures.sample import Floats, TooLittleDataError, finite

COLUMN: Final = "return"
_TIMES: Final = ("date", "time", "datetime", "timestamp", "day", "ts")
_MISSING: Final = frozenset({"", "nan", "na", "n/a", "null", "none", "-nan"})
_SEPARATORS: Final = ",;\t|"
_SAMPLE: Final = 2_000

type Times = npt.NDArray[np.int64]


class Returns(msgspec.Struct, frozen=True, kw_only=True):
    """Simple returns as fractions, oldest first."""

    name: str  #: of the file
    values: Floats
    days: tuple[dt.date, ...] | None = None  #: UTC; None: the file has no dates
    dropped: int = 0  #: rows without a value that were left out
    notes: tuple[str, ...] = ()


class Aligned(NamedTuple):
    """Returns and a benchmark's over the same days."""

    returns: Floats
    benchmark: Floats
    days: tuple[dt.date, ...] | None
    notes: tuple[str, ...]


def read(path: Path, *, column: str = COLUMN, drop_missing: bool = False) -> Returns:
    """Read returns from a CSV file, plain or gzipped, or a Parquet file.

    Args:
        path: The file; CSV may be parted by commas, semicolons, tabs or bars.
        column: Where the returns are; capitals do not matter.
        drop_missing: Leave out rows without a value instead of refusing them.

    Raises:
        InvalidRequestError: The file, the column or a row is wrong; ``file``, ``column`` and ``row`` say
            which.
        TooLittleDataError: There are no rows.
    """
    table = _table(path)
    notes: list[str] = []
    names = {name.strip().lower(): name for name in reversed(table.columns)}
    if column.lower() not in names:
        raise InvalidRequestError(
            f"{path.name} has no column {column!r}; it has {', '.join(map(repr, table.columns))}",
            rule=f"returns stand in a column named {column!r}",
            fix="rename the column, or say which it is",
            file=path.name,
            column=column,
        )
    values = _numbers(table[names[column.lower()]], path, column)
    missing = np.isnan(values)
    if missing.any() and not drop_missing:
        raise _missing_value(np.flatnonzero(missing), path, column)
    when = next((names[name] for name in _TIMES if name in names and name != column.lower()), None)
    stamps = None
    if when is not None:
        kept = table[when].filter(pl.Series(~missing))
        stamps = _times(kept, path, when, notes)
    values = values[~missing]
    if values.size == 0:
        raise TooLittleDataError(path.name, needed=1, given=0)
    if stamps is not None and when is not None:
        values, stamps = _in_order(values, stamps, path, when, notes)
    if (worst := float(values.min())) < -1.0:
        notes.append(
            f"{path.name}: a return of {worst:g} loses more than everything; are these percentages? "
            "returns are fractions"
        )
    return Returns(
        name=path.name,
        values=values,
        days=None if stamps is None else _days(stamps),
        dropped=int(missing.sum()),
        notes=tuple(notes),
    )


def aligned(returns: Returns, benchmark: Returns) -> Aligned:
    """Return both series over the same days, and what to know of that.

    With dates in both, the days that both have; without, they must be equally long.

    Raises:
        InvalidRequestError: One has no dates and they are not equally long, a date stands twice, or they
            have no day in common.
    """
    if returns.days is None or benchmark.days is None:
        if len(returns.values) != len(benchmark.values):
            raise InvalidRequestError(
                f"{returns.name} has {len(returns.values):,} returns, {benchmark.name} "
                f"{len(benchmark.values):,}, and they cannot be matched by date",
                rule="dates in both files, or as many rows in both",
                file=benchmark.name,
            )
        notes: tuple[str, ...] = ("matched row by row, without dates",)
        return Aligned(returns.values, benchmark.values, returns.days or benchmark.days, notes)
    for one in (returns, benchmark):
        if len(set(one.days or ())) != len(one.days or ()):
            raise InvalidRequestError(
                f"{one.name} has more than one return a day", rule="one return a day to match by date"
            )
    at = {day: place for place, day in enumerate(benchmark.days)}
    pairs = [(place, at[day]) for place, day in enumerate(returns.days) if day in at]
    if not pairs:
        raise InvalidRequestError(
            f"{returns.name} and {benchmark.name} have no day in common", rule="days that both files have"
        )
    mine, theirs = (np.array(places, dtype=np.intp) for places in zip(*pairs, strict=True))
    left = len(returns.values) - len(mine), len(benchmark.values) - len(theirs)
    notes = () if left == (0, 0) else (f"days that only one file has: {left[0]:,} and {left[1]:,}",)
    days = tuple(returns.days[place] for place in mine)
    return Aligned(returns.values[mine], benchmark.values[theirs], days, notes)


def time_weighted(equity: npt.ArrayLike, flows: npt.ArrayLike | None = None) -> Floats:
    """Return time-weighted returns from equity at the end of each period.

    r(t) = (E(t) − F(t)) / E(t−1) − 1, where F(t) is what was paid in (negative: taken out) during the
    period; it is taken to have come at the period's end. One return less than there are values.
    Units: fractions. Source: CFA Institute, "GIPS Standards Handbook", time-weighted return.

    Raises:
        TooLittleDataError: There are fewer than two values.
        InvalidRequestError: A value is not finite, equity is not positive, or flows do not match.
    """
    values = finite(equity, "a return")
    if len(values) < 2:
        raise TooLittleDataError("a return from equity", needed=2, given=len(values))
    paid = np.zeros_like(values) if flows is None else finite(flows, "a return")
    if len(paid) != len(values):
        raise InvalidRequestError(
            f"{len(paid)} flows for {len(values)} values of equity", rule="one flow for each value"
        )
    if (values[:-1] <= 0.0).any():
        raise InvalidRequestError(
            "equity is not positive at the start of a period", rule="a return needs positive equity"
        )
    returns: Floats = (values[1:] - paid[1:]) / values[:-1] - 1.0
    return returns


# ---------------------------------------------------------------- files


def _table(path: Path) -> pl.DataFrame:
    """Return a file as it is; CSV as text, so that every cell can be judged."""
    try:
        with path.open("rb") as file:
            magic = file.read(4)
        if magic == b"PAR1":
            return pl.read_parquet(path)
        data = gzip.decompress(path.read_bytes()) if magic[:2] == b"\x1f\x8b" else path.read_bytes()
        data = data.removeprefix(codecs.BOM_UTF8).rstrip(b"\r\n")
        if not data.strip():
            raise TooLittleDataError(path.name, needed=1, given=0)
        header = data.split(b"\n", 1)[0].decode("utf-8", "replace")
        return pl.read_csv(data, separator=max(_SEPARATORS, key=header.count), infer_schema=False)
    except FileNotFoundError as error:
        raise InvalidRequestError(
            f"there is no file {path}", rule="FILE is a CSV or Parquet file", file=path.name
        ) from error
    except (OSError, EOFError, zlib.error, pl.exceptions.PolarsError) as error:
        reason = (str(error).splitlines() or ["unreadable"])[0]
        raise InvalidRequestError(
            f"{path.name} cannot be read: {reason}", rule="FILE is a CSV or Parquet file", file=path.name
        ) from error


def _numbers(cells: pl.Series, path: Path, column: str) -> Floats:
    """Return a column as floats, NaN where a cell has no value."""
    if cells.dtype.is_numeric():
        values: Floats = cells.cast(pl.Float64).fill_null(math.nan).to_numpy()
    elif cells.dtype == pl.String:
        texts = cells.fill_null("").str.strip_chars()
        numbers = texts.cast(pl.Float64, strict=False)
        blank = texts.str.to_lowercase().is_in(list(_MISSING))
        bad = (numbers.is_null() & ~blank).arg_true()
        if len(bad):
            raise _bad_number(texts[int(bad[0])], path, column, int(bad[0]), len(bad))
        values = numbers.fill_null(math.nan).to_numpy()
    elif cells.dtype == pl.Null:
        values = np.full(len(cells), math.nan)
    else:
        raise InvalidRequestError(
            f"{path.name}: column {column!r} holds {cells.dtype}, not numbers",
            rule="returns are numbers",
            file=path.name,
            column=column,
        )
    endless = np.flatnonzero(np.isinf(values))
    if len(endless):
        raise _bad_number(str(values[endless[0]]), path, column, int(endless[0]), len(endless))
    return values


def _bad_number(text: str, path: Path, column: str, at: int, count: int) -> InvalidRequestError:
    return InvalidRequestError(
        f"{path.name}: row {at + 1:,} of column {column!r} is {text[:40]!r}, not a finite number"
        + (f" ({count:,} such rows)" if count > 1 else ""),
        rule="returns are finite fractions, such as -0.0123",
        fix="repair the row; percent signs and decimal commas are not taken",
        file=path.name,
        column=column,
        row=str(at + 1),
    )


def _missing_value(rows: npt.NDArray[np.intp], path: Path, column: str) -> InvalidRequestError:
    return InvalidRequestError(
        f"{path.name}: row {rows[0] + 1:,} of column {column!r} has no value ({len(rows):,} such rows)",
        rule="every row has a return",
        fix="repair the rows, or ask for them to be dropped",
        file=path.name,
        column=column,
        row=str(rows[0] + 1),
    )


def _times(cells: pl.Series, path: Path, column: str, notes: list[str]) -> Times | None:
    """Return a column as times, ns UTC; None, and a note, where they are no times that can be read."""
    if cells.dtype == pl.Date or isinstance(cells.dtype, pl.Datetime):
        stamps = cells.cast(pl.Datetime("ns")).to_physical()
        empty = stamps.is_null().arg_true()
        if len(empty):
            raise _bad_time("", path, column, int(empty[0]))
        return stamps.to_numpy()
    texts = cells.cast(pl.String).fill_null("").to_list()
    how, remark = times.guess(texts[:_SAMPLE], "UTC")
    if how is None:
        notes.append(f"{path.name}: column {column!r} holds no dates; rows are taken in their order")
        return None
    notes += [f"{path.name}: {remark}"] if remark else []
    read_time = times.reader(how)
    found = np.empty(len(texts), dtype=np.int64)
    for at, text in enumerate(texts):
        try:
            found[at] = read_time(text)
        except ValueError as error:
            raise _bad_time(text, path, column, at) from error
    return found


def _bad_time(text: str, path: Path, column: str, at: int) -> InvalidRequestError:
    return InvalidRequestError(
        f"{path.name}: row {at + 1:,} of column {column!r} is {text[:40]!r}, not a date like the others",
        rule="dates are written in one way throughout, such as 2024-12-01",
        file=path.name,
        column=column,
        row=str(at + 1),
    )


def _in_order(
    values: Floats, stamps: Times, path: Path, column: str, notes: list[str]
) -> tuple[Floats, Times]:
    """Return returns and times from old to new; a time that stands twice is refused."""
    order = np.argsort(stamps, kind="stable")
    in_order = stamps[order]
    twice = np.flatnonzero(np.diff(in_order) == 0)
    if len(twice):
        row = int(order[twice[0] + 1]) + 1
        raise InvalidRequestError(
            f"{path.name}: row {row:,} of column {column!r} repeats a time ({len(twice):,} such rows)",
            rule="one return for each time",
            fix="give a file of one series",
            file=path.name,
            column=column,
            row=str(row),
        )
    if (np.diff(order) != 1).any():
        notes.append(f"{path.name}: rows were not in order of time; they were sorted")
    return values[order], in_order


def _days(stamps: Times) -> tuple[dt.date, ...]:
    days = stamps.astype("datetime64[ns]").astype("datetime64[D]").tolist()
    return tuple(days)
