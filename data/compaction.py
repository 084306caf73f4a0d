"""Compaction: closed segments become partition files, and many small partition files become one.

Order of things, so that a crash anywhere loses nothing and doubles nothing: rows are counted, written,
read back and compared; then one entry in the manifest makes the new files count and the old ones not;
then the old ones are deleted. Whatever a crash leaves is put in order by whoever writes next. This
module must not know who records or who reads.
"""

from __future__ import annotations

import os
import time
from collections import defaultdict
from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import Path

import msgspec
import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from data import partitions, segments
from data.arrays import integers, numbers, one_chunk
from data.manifest import Change, Manifest, Writer
from data.partitions import Part
from data.problems import StoreFailedError
from data.rows import NUMBERS, Number, Rows, Series, joined
from data.segments import Frame, Origin, TickKind
from data.timeframes import DAY

#: Segments are taken together up to this many rows: memory stays bounded.
_BATCH_ROWS = 2_000_000
#: Files of one series and period are merged when there are this many, or when the period is over.
_MANY = 8
#: Larger files stay as they are: merging them would cost more than it saves.
_MERGE_ROWS = 4_000_000


class CompactionReport(msgspec.Struct, kw_only=True):
    """What a compaction did."""

    segments: int = 0  #: segments taken in and deleted
    rows: int = 0  #: rows moved from segments into partitions
    parts_written: int = 0
    parts_merged: int = 0  #: files that were merged into others
    bytes_before: int = 0  #: of segments taken in
    bytes_after: int = 0  #: of the files made from them
    damaged: dict[str, int] = {}  #: segments with unreadable bytes, kept aside as ``.damaged``
    adopted: list[str] = []  #: files that a damaged manifest had forgotten
    missing: list[str] = []  #: files that should be there and are not
    seconds: float = 0.0


def compact(manifest: Manifest, now: int) -> CompactionReport:
    """Move closed segments into partitions and merge partitions that have become many.

    Args:
        manifest: Of the history to compact.
        now: ns UTC; periods that ended a day before are merged whatever their number of files.

    Raises:
        StoreFailedError: The disk refused or did not hold what was written; nothing is lost.
        ConflictError: Another process is writing.
    """
    began = time.perf_counter()
    report = CompactionReport()
    with manifest.writing() as writer:
        report.adopted, report.missing = list(writer.adopted), list(writer.missing)
        for batch in _batches(closed(manifest.root / "segments")):
            _absorb(manifest.root, writer, batch, report)
        _merge(manifest.root, writer, now, report)
    report.seconds = time.perf_counter() - began
    return report


def closed(folder: Path) -> list[Path]:
    """Return the segments that nobody writes, those of dead writers renamed as finished."""
    found = []
    for path in segments.waiting(folder):
        if segments.is_being_written(path):
            continue
        if path.suffix == ".open":
            finished = path.with_suffix(".seg")
            with suppress(FileNotFoundError):
                os.rename(path, finished)
            path = finished
        found.append(path)
    return found


def by_series(frames: Sequence[Frame]) -> dict[Series, list[Rows]]:
    """Return the rows of frames, a list for each series in the order in which they were recorded."""
    # Frames of one kind and origin are taken apart together: they are many and small.
    tables: dict[tuple[TickKind, Origin], list[pa.Table]] = defaultdict(list)
    for frame in frames:
        tables[frame.kind, frame.origin].append(frame.table)
    found: dict[Series, list[Rows]] = defaultdict(list)
    for (kind, origin), some in tables.items():
        for series, rows in _series_of(kind, origin, pa.concat_tables(some)):
            found[series].append(rows)
    return found


def _series_of(kind: TickKind, origin: Origin, table: pa.Table) -> Iterator[tuple[Series, Rows]]:
    known: dict[str, int] = {}
    codes: list[NDArray[np.int64]] = []
    for chunk in table.column("instrument").chunks:  # each frame numbers instruments its own way
        ids = [known.setdefault(name, len(known)) for name in chunk.dictionary.to_pylist()]
        codes.append(np.array(ids, np.int64)[numbers(chunk.indices)])
    names = list(known)
    scales = numbers(table.column("price_scale")).astype(np.int64)
    sizes = numbers(table.column("size_scale")).astype(np.int64)
    if not codes:
        return
    groups = (np.concatenate(codes) * 256 + scales) * 256 + sizes
    order = np.argsort(groups, kind="stable")
    cuts = np.flatnonzero(np.diff(groups[order])) + 1
    ts = numbers(table.column("ts"))
    lag = numbers(table.column("ts_recv")) - ts
    columns = {name: numbers(table.column(name)) for name in NUMBERS[kind]}
    for which in np.split(order, cuts):
        first = int(which[0])
        numbers_of = {
            name: Number(column[which], int((sizes if "size" in name else scales)[first]))
            for name, column in columns.items()
        }
        rows = Rows(kind, ts[which], numbers_of, {"lag": lag[which]})
        if kind == "trades":
            rows.integers["aggressor"] = numbers(table.column("aggressor"))[which].astype(np.int64)
            rows.texts["trade_id"] = one_chunk(table.column("trade_id")).take(integers(which))
        series = Series(
            kind=kind,
            instrument=names[int(groups[first]) >> 16],
            source=origin.source,
            engine=origin.engine,
            synthetic=origin.synthetic,
        )
        yield series, rows


def _batches(paths: Sequence[Path]) -> Iterator[list[tuple[Path, segments.SegmentReading]]]:
    batch: list[tuple[Path, segments.SegmentReading]] = []
    rows = 0
    for path in paths:
        reading = segments.read(path)
        batch.append((path, reading))
        rows += sum(frame.table.num_rows for frame in reading.frames)
        if rows >= _BATCH_ROWS:
            yield batch
            batch, rows = [], 0
    if batch:
        yield batch


def _absorb(
    root: Path,
    writer: Writer,
    batch: Sequence[tuple[Path, segments.SegmentReading]],
    report: CompactionReport,
) -> None:
    names = tuple(f"{path.parent.name}/{path.name}" for path, _ in batch)
    frames = [frame for _, reading in batch for frame in reading.frames]
    counted = sum(frame.table.num_rows for frame in frames)
    sizes = sum(path.stat().st_size for path, _ in batch)
    parts: list[Part] = []
    for series, rows in by_series(frames).items():
        parts += partitions.write(root, series, joined(rows), names)
    written = sum(part.rows for part in parts)
    if written != counted:
        raise StoreFailedError(
            f"{counted} rows were recorded and {written} written: the segments are kept",
            rule="no segment is deleted before all its rows are stored",
        )
    for path, reading in batch:
        if reading.damaged_bytes:
            with suppress(FileExistsError):
                os.link(path, path.with_suffix(".damaged"))
            report.damaged[f"{path.parent.name}/{path.name}"] = reading.damaged_bytes
    change = Change(add=tuple(parts), absorb=names)
    writer.commit(change)
    writer.delete_dropped(change, lambda name: root / "segments" / name)
    report.segments += len(batch)
    report.rows += counted
    report.parts_written += len(parts)
    report.bytes_before += sizes
    report.bytes_after += sum(part.size for part in parts)


def _merge(root: Path, writer: Writer, now: int, report: CompactionReport) -> None:
    groups: dict[tuple[Series, str], list[Part]] = defaultdict(list)
    for part in writer.state.parts.values():
        groups[part.series, Path(part.path).parent.name].append(part)
    for (series, _), parts in groups.items():
        over = max(part.last for part in parts) < now - 2 * DAY
        if len(parts) < (2 if over else _MANY) or sum(part.rows for part in parts) > _MERGE_ROWS:
            continue
        rows = joined([partitions.read(root, part) for part in parts])
        merged = partitions.write(root, series, rows, [part.path for part in parts])
        change = Change(add=tuple(merged), drop=tuple(part.path for part in parts))
        writer.commit(change)
        writer.delete_dropped(change, lambda name: root / "segments" / name)
        report.parts_merged += len(parts)
