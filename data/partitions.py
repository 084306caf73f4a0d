"""Partition files: one Parquet file holds rows of one series and one period, sorted by time.

Path: ``<kind>/date=YYYY-MM-DD/<instrument>-<hash>.parquet``. The date is the first day of the period
that the file covers: a day for ticks and for bars shorter than a minute, a month for bars shorter
than an hour, a year for longer ones, so that twenty years of daily bars are not five thousand files.
Every file names its own series and what it was made from, so that a lost manifest can be rebuilt.
This module must not know which files count: that is the manifest's business.

How it gets small: prices are integers with delta encoding, times have the coarsest unit that holds
them exactly, receipt time is stored as its distance from event time, and all of it is zstd-compressed.
"""

from __future__ import annotations

import itertools
import os
import re
import secrets
from collections.abc import Collection, Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, Final

import msgspec
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from numpy.typing import NDArray

from data.arrays import constant, flags, integers, numbers, one_chunk, texts
from data.durable import sync_folder
from data.problems import StoreFailedError
from data.rows import INTEGERS, NUMBERS, TEXTS, Kind, Number, Rows, Series
from data.scaled import NARROW, column, wholes_of
from data.segments import AGGRESSORS
from data.timeframes import DAY, timeframe

_FACTS = b"nautilus_tui"
_GROUP_ROWS: Final = 131_072
_UNITS: Final = ((1_000_000, "ms"), (1_000, "us"), (1, "ns"))
_MINUTE, _HOUR = 60_000_000_000, 3_600_000_000_000


class Part(msgspec.Struct, frozen=True, kw_only=True):
    """One partition file. ``path`` is relative to the history's folder."""

    series: Series
    path: str
    rows: int
    first: int  #: time of the first row, ns UTC
    last: int  #: time of the last row
    size: int  #: bytes
    inputs: tuple[str, ...] = ()  #: the segments or files it was made from


#: Columns to read as codes instead of texts.
_AS_CODES: Final[dict[Kind, list[str]]] = {"quotes": [], "trades": ["aggressor"], "bars": []}


def periods(series: Series, ts: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return for each time the start of the period whose file it goes into, in days since the epoch."""
    unit = "D"
    if series.timeframe is not None:
        width = timeframe(series.timeframe).width
        unit = "D" if width < _MINUTE else "M" if width < _HOUR else "Y"
    days = (ts // DAY).astype("datetime64[D]")
    return days.astype(f"datetime64[{unit}]").astype("datetime64[D]").astype(np.int64)


def split(series: Series, rows: Rows) -> Iterator[tuple[int, Rows]]:
    """Yield ``(period, rows)`` of rows that are in order."""
    starts = periods(series, rows.ts)
    cuts = [0, *(np.flatnonzero(np.diff(starts)) + 1).tolist(), len(rows)]
    for begin, end in itertools.pairwise(cuts):
        if begin < end:
            yield int(starts[begin]), rows.take(slice(begin, end))


def write(root: Path, series: Series, rows: Rows, inputs: Sequence[str] = ()) -> list[Part]:
    """Write rows (any order) to files, read them back, and return the parts.

    Nothing counts until the manifest says so; files of a failed call are removed.

    Raises:
        StoreFailedError: The disk refused, or what was read back is not what was written.
    """
    parts: list[Part] = []
    try:
        for period, some in split(series, rows.in_order().trimmed()):
            parts.append(_write_one(root, series, some, period, tuple(inputs)))
    except (OSError, pa.ArrowException) as error:
        for part in parts:
            with suppress(OSError):
                (root / part.path).unlink()
        raise StoreFailedError(
            f"{series.kind} of {series.instrument} could not be written: {error}",
            fix="free disk space and try again; what was stored before is still there",
        ) from error
    return parts


def read(
    root: Path,
    part: Part,
    start: int | None = None,
    end: int | None = None,
    columns: Collection[str] | None = None,
) -> Rows:
    """Return a part's rows with ``start <= ts < end``; row groups outside are not read.

    With ``columns`` only times and these decimal columns are read.

    Raises:
        FileNotFoundError: The file was replaced meanwhile: ask the manifest again.
        StoreFailedError: The file cannot be read.
    """
    kind = part.series.kind
    wanted = ["ts", *(columns or [*INTEGERS[kind], *NUMBERS[kind], *TEXTS[kind]])]
    try:
        codes = _AS_CODES[kind] if columns is None else []
        with pq.ParquetFile(root / part.path, read_dictionary=codes) as file:
            groups = _groups(file, start, end)
            table = file.read_row_groups(groups, columns=wanted, use_threads=len(groups) > 1)
    except FileNotFoundError:
        raise
    except (OSError, pa.ArrowException) as error:
        raise StoreFailedError(f"{part.path} could not be read: {error}", path=part.path) from error
    return _rows(kind, table).between(start, end)


def described(root: Path, path: Path) -> Part | None:
    """Return what a partition file says of itself; None if it is not one of ours or is not whole."""
    try:
        with pq.ParquetFile(path) as file:
            facts = (file.metadata.metadata or {}).get(_FACTS)
            if facts is None:
                return None
            part = msgspec.json.decode(facts, type=Part)
            if file.metadata.num_rows != part.rows:
                return None
    except (OSError, pa.ArrowException, msgspec.DecodeError):
        return None
    return msgspec.structs.replace(part, path=str(path.relative_to(root)), size=path.stat().st_size)


def _write_one(root: Path, series: Series, rows: Rows, period: int, inputs: tuple[str, ...]) -> Part:
    day = str(np.datetime64(period, "D"))
    name = re.sub(r"[^A-Za-z0-9.=_-]", "_", series.instrument)
    path = f"{series.kind}/date={day}/{name}-{secrets.token_hex(6)}.parquet"
    part = Part(
        series=series,
        path=path,
        rows=len(rows),
        first=int(rows.ts[0]),
        last=int(rows.ts[-1]),
        size=0,
        inputs=inputs,
    )
    target = root / path
    target.parent.mkdir(parents=True, exist_ok=True)
    fresh = target.with_suffix(".tmp")
    try:
        _write_table(fresh, table_of(series, rows), {_FACTS: msgspec.json.encode(part)})
        if not read(root, msgspec.structs.replace(part, path=str(fresh.relative_to(root)))).equals(rows):
            raise StoreFailedError(f"{path} does not read back as it was written", path=path)
        os.rename(fresh, target)
        sync_folder(target.parent)
    finally:
        fresh.unlink(missing_ok=True)
    return msgspec.structs.replace(part, size=target.stat().st_size)


def _write_table(path: Path, table: pa.Table, facts: dict[bytes, bytes]) -> None:
    delta = [field.name for field in table.schema if field.name in _DELTA and not _is_wide(field.type)]
    with open(path, "wb") as file:
        writer = pq.ParquetWriter(
            file,
            table.schema,
            compression="zstd",
            compression_level=3,
            use_dictionary=[name for name in table.column_names if name not in delta and name != "trade_id"],
            column_encoding=dict.fromkeys(delta, "DELTA_BINARY_PACKED")
            | ({"trade_id": "DELTA_BYTE_ARRAY"} if "trade_id" in table.column_names else {}),
            store_decimal_as_integer=True,
            store_schema=False,
            write_statistics=["ts"],
        )
        with writer:
            writer.write_table(table, row_group_size=_GROUP_ROWS)
            writer.add_key_value_metadata(facts)
        file.flush()
        os.fsync(file.fileno())


#: Columns whose neighbours are near each other. Sizes repeat few values: a dictionary suits them better.
_DELTA: Final = frozenset({"ts", "lag", "bid", "ask", "price", "open", "high", "low", "close"})


def _is_wide(kind: pa.DataType) -> bool:
    return bool(pa.types.is_decimal(kind)) and kind.precision > NARROW


def table_of(series: Series, rows: Rows) -> pa.Table:
    """Return rows with the columns of a partition file."""
    count = len(rows)
    columns: dict[str, Any] = {"instrument": constant(series.instrument, count)}
    if series.kind == "bars":
        columns |= {"timeframe": constant(series.timeframe, count), "side": constant(series.side, count)}
    columns["ts"] = _times(rows.ts)
    for name, number in rows.numbers.items():
        columns[name] = column(number.wholes, number.scale, number.valid)
    if "aggressor" in rows.integers:
        codes = integers(rows.integers["aggressor"], pa.int32())
        columns["aggressor"] = pa.DictionaryArray.from_arrays(codes, texts(AGGRESSORS))
    columns |= rows.texts
    columns |= {name: integers(rows.integers[name]) for name in INTEGERS[series.kind] if name != "aggressor"}
    columns["synthetic"] = flags(np.full(count, series.synthetic))
    columns["source"] = constant(series.source, count)
    columns["engine"] = constant(series.engine, count)
    return pa.Table.from_arrays(list(columns.values()), names=list(columns))


def _times(ts: NDArray[np.int64]) -> pa.Array:
    step, unit = next((step, unit) for step, unit in _UNITS if not (ts % step).any())
    return integers(ts // step, pa.timestamp(unit))


def _rows(kind: Kind, table: pa.Table) -> Rows:
    times = table.column("ts")
    step = {unit: step for step, unit in _UNITS}[times.type.unit]
    ts = numbers(times) * step
    there = set(table.column_names)
    whole = {
        name: numbers(table.column(name)) for name in INTEGERS[kind] if name in there and name != "aggressor"
    }
    if "aggressor" in there:
        whole["aggressor"] = _aggressors(table.column("aggressor"))
    return Rows(
        kind,
        ts,
        {name: Number(*wholes_of(table.column(name))) for name in NUMBERS[kind] if name in there},
        whole,
        {
            name: pc.cast(one_chunk(table.column(name)), pa.large_string())
            for name in TEXTS[kind]
            if name in there
        },
    )


def _aggressors(column: pa.ChunkedArray) -> NDArray[np.int64]:
    codes = [np.empty(0, np.int64)]
    for chunk in column.chunks:
        meaning = np.array([AGGRESSORS.index(one) for one in chunk.dictionary.to_pylist()], np.int64)
        codes.append(meaning[numbers(chunk.indices)])
    return np.concatenate(codes)


def _groups(file: pq.ParquetFile, start: int | None, end: int | None) -> list[int]:
    """Return the row groups that may hold rows of ``[start, end)``, by their statistics."""
    facts = file.metadata
    at = file.schema_arrow.get_field_index("ts")
    step = {unit: step for step, unit in _UNITS}[file.schema_arrow.field(at).type.unit]
    wanted = []
    for group in range(facts.num_row_groups):
        seen = facts.row_group(group).column(at).statistics
        if seen is not None and seen.has_min_max:
            if end is not None and seen.min_raw * step >= end:
                continue
            if start is not None and seen.max_raw * step < start:
                continue
        wanted.append(group)
    return wanted
