"""Segments: where an engine's recorder puts ticks first, cheaply and so that a crash costs one batch.

An engine appends quotes and trades to buffers; ``flush`` writes what has gathered as one checksummed
frame per kind. A segment being written is ``<start>-<n>.open`` and is locked by its writer; when it
is large or old enough it is finished and renamed ``<start>-<n>.seg``. An ``.open`` segment that
nobody holds was left by a writer that died: it is read like a finished one. This module must not
know of partitions or of who reads.

Frame: marker 4s · length u32 · CRC-32 u32 · an Arrow IPC stream of one record batch. Prices and sizes
are whole numbers with a scale beside them (see ``data.scaled``); each frame is complete in itself.
"""

from __future__ import annotations

import fcntl
import os
import struct
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Final, Literal
from zlib import crc32

import msgspec
import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from data.arrays import integers, texts
from data.problems import InvalidRequestError, StoreFailedError

TickKind = Literal["quotes", "trades"]
AGGRESSORS: Final[tuple[Literal["none", "buyer", "seller"], ...]] = ("none", "buyer", "seller")

_FRAME = struct.Struct("<4sII")
_MARKER = b"NTSG"
_MAX_FRAME = 1 << 30

_QUOTE = struct.Struct("7q").pack  #: instrument, ts, ts_recv, bid, ask, bid_size, ask_size
_QUOTE_BYTES = 7 * 8
_TRADE = struct.Struct("6q").pack  #: instrument, ts, ts_recv, price, size, aggressor
_TRADE_BYTES = 6 * 8

_NUMBERS = {"quotes": ("bid", "ask", "bid_size", "ask_size"), "trades": ("price", "size")}
_COMMON = [
    pa.field("instrument", pa.dictionary(pa.int16(), pa.large_string())),
    pa.field("price_scale", pa.int8()),
    pa.field("size_scale", pa.int8()),
    pa.field("ts", pa.int64()),
    pa.field("ts_recv", pa.int64()),
]
SCHEMAS: Final[dict[TickKind, pa.Schema]] = {
    "quotes": pa.schema([*_COMMON, *(pa.field(name, pa.int64()) for name in _NUMBERS["quotes"])]),
    "trades": pa.schema(
        [
            *_COMMON,
            *(pa.field(name, pa.int64()) for name in _NUMBERS["trades"]),
            pa.field("aggressor", pa.int8()),
            pa.field("trade_id", pa.large_string()),
        ]
    ),
}


class Origin(msgspec.Struct, frozen=True, kw_only=True):
    """Whose ticks these are; true of every row of a segment."""

    engine: str
    source: str
    synthetic: bool


class Frame(msgspec.Struct, frozen=True):
    """One batch of a segment as read back."""

    kind: TickKind
    origin: Origin
    table: pa.Table


class SegmentReading(msgspec.Struct):
    """All that could be read of a segment."""

    frames: list[Frame]
    end: int  #: bytes up to the end of the last good frame
    damaged_bytes: int = 0  #: bytes that belong to no good frame, a torn last one included


class SegmentWriter:
    """Records ticks of one engine. Not for use from several threads at once.

    Prices and sizes are whole numbers at the instrument's precision: ``1.23456`` of an instrument
    with five places is ``123456``. From a NautilusTrader price that is
    ``price.raw // 10 ** (FIXED_PRECISION - price.precision)``.

    Args:
        folder: Where this engine's segments go; made if it is not there.
        origin: Whose ticks they are.
        rotate_bytes: Finish a segment when it has become this large.
        rotate_s: Finish a segment when it has become this old.
        keep_rows: While the disk refuses, keep at most this many rows in memory; older ones are
            dropped and counted in ``dropped``.
        clock: Wall clock in ns UTC.
    """

    def __init__(
        self,
        folder: Path,
        origin: Origin,
        *,
        rotate_bytes: int = 8 * 1024 * 1024,
        rotate_s: float = 300.0,
        keep_rows: int = 2_000_000,
        clock: Callable[[], int] = time.time_ns,
    ) -> None:
        self.folder = folder
        self.origin = origin
        self.rows = 0  #: rows written
        self.dropped = 0  #: rows lost because the disk refused them for too long
        self._rotate_bytes = rotate_bytes
        self._rotate_ns = int(rotate_s * 1e9)
        self._keep_rows = keep_rows
        self._clock = clock
        self._scales: dict[str, tuple[int, int]] = {}
        self._index: dict[str, int] = {}
        self._quotes = bytearray()
        self._trades = bytearray()
        self._trade_ids: list[str] = []
        self._fd = -1
        self._path: Path | None = None
        self._size = 0
        self._began = 0
        self._number = 0

    def instrument(self, instrument: str, price_precision: int, size_precision: int) -> None:
        """Say how many places an instrument's prices and sizes have; before its first tick."""
        if self._scales.get(instrument) not in (None, (price_precision, size_precision)):
            self.flush()  # rows that wait were scaled the old way
        self._scales[instrument] = (price_precision, size_precision)
        self._index.setdefault(instrument, len(self._index))

    def quote(
        self, instrument: str, bid: int, ask: int, bid_size: int, ask_size: int, ts: int, ts_recv: int
    ) -> None:
        """Take one quote. Costs a look-up and 56 bytes.

        Raises:
            KeyError: ``instrument`` was not announced.
            struct.error: A number is no integer of 64 bits.
        """
        self._quotes += _QUOTE(self._index[instrument], ts, ts_recv, bid, ask, bid_size, ask_size)

    def trade(
        self, instrument: str, price: int, size: int, aggressor: int, trade_id: str, ts: int, ts_recv: int
    ) -> None:
        """Take one trade; ``aggressor`` is an index into ``AGGRESSORS``.

        Raises:
            KeyError: ``instrument`` was not announced.
            struct.error: A number is no integer of 64 bits.
        """
        self._trades += _TRADE(self._index[instrument], ts, ts_recv, price, size, aggressor)
        self._trade_ids.append(trade_id)

    @property
    def waiting(self) -> int:
        """Rows that are not written yet."""
        return len(self._quotes) // _QUOTE_BYTES + len(self._trade_ids)

    def flush(self, *, sync: bool = False) -> int:
        """Write what has gathered and return the number of rows; finish the segment if it is time.

        After a flush the rows survive the death of the process; with ``sync`` also that of the machine.

        Raises:
            StoreFailedError: The disk refused. The rows are kept for the next flush, up to ``keep_rows``.
        """
        rows = self.waiting
        try:
            if rows:
                self._write_frames()
            if self._fd >= 0:
                if sync:
                    os.fsync(self._fd)
                if self._size >= self._rotate_bytes or self._clock() - self._began >= self._rotate_ns:
                    self.rotate()
        except OSError as error:
            self._forget_excess()
            raise StoreFailedError(
                f"ticks of {self.origin.engine} could not be recorded: {error.strerror or error}",
                fix="free disk space; recording goes on by itself",
                path=str(self._path or self.folder),
            ) from error
        return rows

    def rotate(self) -> None:
        """Finish the present segment; the next flush begins another."""
        if self._fd < 0 or self._path is None:
            return
        os.fsync(self._fd)
        os.rename(self._path, self._path.with_suffix(".seg"))
        os.close(self._fd)
        self._fd, self._path = -1, None

    def close(self) -> None:
        """Write what has gathered and finish the segment.

        Raises:
            StoreFailedError: The disk refused.
        """
        self.flush()
        self.rotate()

    def _write_frames(self) -> None:
        if self._fd < 0:
            self._begin()
        frames = b""
        if self._quotes:
            frames += _frame("quotes", self.origin, self._quote_batch())
        if self._trades:
            frames += _frame("trades", self.origin, self._trade_batch())
        try:
            written = os.pwrite(self._fd, frames, self._size)
            while written < len(frames):
                written += os.pwrite(self._fd, frames[written:], self._size + written)
        except OSError:
            with suppress(OSError):  # else the torn frame is passed over when the segment is read
                os.ftruncate(self._fd, self._size)
            raise
        self._size += len(frames)
        self.rows += self.waiting
        self._quotes.clear()
        self._trades.clear()
        self._trade_ids.clear()

    def _begin(self) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        self._began = self._clock()
        self._number += 1
        path = self.folder / f"{self._began:020d}-{os.getpid()}-{self._number}.open"
        # Locked before it has a name that others look for: nobody may take it for a dead writer's.
        fresh = path.with_suffix(".new")
        fd = os.open(fresh, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        fcntl.flock(fd, fcntl.LOCK_EX)
        os.rename(fresh, path)
        self._fd, self._path, self._size = fd, path, 0

    def _quote_batch(self) -> pa.RecordBatch:
        # Arrow copies while it encodes; the buffer may be cleared after that.
        numbers = np.frombuffer(bytes(self._quotes), np.int64).reshape(-1, _QUOTE_BYTES // 8)
        columns = [*self._instrument_columns(numbers[:, 0]), *(integers(numbers[:, i]) for i in range(1, 7))]
        return pa.RecordBatch.from_arrays(columns, schema=SCHEMAS["quotes"])

    def _trade_batch(self) -> pa.RecordBatch:
        numbers = np.frombuffer(bytes(self._trades), np.int64).reshape(-1, _TRADE_BYTES // 8)
        columns = [*self._instrument_columns(numbers[:, 0]), *(integers(numbers[:, i]) for i in range(1, 5))]
        columns += [integers(numbers[:, 5], pa.int8()), texts(self._trade_ids)]
        return pa.RecordBatch.from_arrays(columns, schema=SCHEMAS["trades"])

    def _instrument_columns(self, which: NDArray[np.int64]) -> list[pa.Array]:
        scales = np.array([self._scales[name] for name in self._index], np.int8)
        names = pa.DictionaryArray.from_arrays(integers(which, pa.int16()), texts(list(self._index)))
        return [names, integers(scales[which, 0], pa.int8()), integers(scales[which, 1], pa.int8())]

    def _forget_excess(self) -> None:
        quotes = len(self._quotes) // _QUOTE_BYTES - self._keep_rows
        if quotes > 0:
            del self._quotes[: quotes * _QUOTE_BYTES]
            self.dropped += quotes
        trades = len(self._trade_ids) - self._keep_rows
        if trades > 0:
            del self._trades[: trades * _TRADE_BYTES]
            del self._trade_ids[:trades]
            self.dropped += trades


def write_batch(folder: Path, kind: TickKind, origin: Origin, table: pa.Table) -> Path:
    """Write one finished segment from a table that has the columns of ``SCHEMAS``; for bulk loads.

    Raises:
        StoreFailedError: The disk refused; no segment is left.
        InvalidRequestError: The table has other columns.
    """
    if not table.schema.equals(SCHEMAS[kind]):
        raise InvalidRequestError("the table does not have the columns of a segment", rule=str(SCHEMAS[kind]))
    path = folder / f"{time.time_ns():020d}-{os.getpid()}-b.seg"
    fresh = path.with_suffix(".new")
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with open(fresh, "wb") as file:
            for batch in table.to_batches(max_chunksize=1_000_000):
                file.write(_frame(kind, origin, batch))
            file.flush()
            os.fsync(file.fileno())
        os.rename(fresh, path)
    except OSError as error:
        with suppress(OSError):
            fresh.unlink(missing_ok=True)
        raise StoreFailedError(f"a segment could not be written: {error.strerror or error}") from error
    return path


def read(path: Path, start: int = 0) -> SegmentReading:
    """Read a segment from byte ``start``, passing over frames that are torn or damaged.

    Raises:
        FileNotFoundError: It is gone; whoever asks must look where its rows went.
        StoreFailedError: The file cannot be read.
    """
    try:
        with open(path, "rb") as file:
            file.seek(start)
            content = file.read()
    except FileNotFoundError:
        raise
    except OSError as error:
        raise StoreFailedError(f"segment {path.name} could not be read: {error.strerror or error}") from error
    reading = SegmentReading([], start)
    good = 0
    for offset, payload in _payloads(content):
        reading.frames.append(_decode(payload))
        good += _FRAME.size + len(payload)
        reading.end = start + offset + _FRAME.size + len(payload)
    reading.damaged_bytes = len(content) - good
    return reading


def waiting(root: Path) -> list[Path]:
    """Return the segments under ``root`` (``history/segments``) in the order they were begun.

    One that is finished meanwhile is listed under its old name, its new one or both, never under none.
    """
    if not root.is_dir():
        return []
    # First what is being written: a segment that is renamed in between is then found a second time.
    found = [path for pattern in ("*/*.open", "*/*.seg") for path in root.glob(pattern)]
    return sorted(found, key=lambda path: (path.stem, path.parent.name))


def is_being_written(path: Path) -> bool:
    """True if a writer that is alive holds this segment."""
    if path.suffix != ".open":
        return False
    try:
        fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except FileNotFoundError:  # finished and renamed this moment
        return True
    try:
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(fd)
    return False


def _frame(kind: TickKind, origin: Origin, batch: pa.RecordBatch) -> bytes:
    facts = {b"kind": kind.encode(), b"origin": msgspec.json.encode(origin)}
    schema = batch.schema.with_metadata(facts)
    sink = pa.BufferOutputStream()
    options = pa.ipc.IpcWriteOptions(compression=pa.Codec("zstd", compression_level=1))
    with pa.ipc.new_stream(sink, schema, options=options) as stream:
        stream.write_batch(batch.replace_schema_metadata(facts))
    payload: bytes = sink.getvalue().to_pybytes()
    return _FRAME.pack(_MARKER, len(payload), crc32(payload)) + payload


def _payloads(content: bytes) -> Iterator[tuple[int, bytes]]:
    at = 0
    while at + _FRAME.size <= len(content):
        marker, length, checksum = _FRAME.unpack_from(content, at)
        payload = content[at + _FRAME.size : at + _FRAME.size + min(length, _MAX_FRAME)]
        if marker == _MARKER and len(payload) == length and crc32(payload) == checksum:
            yield at, payload
            at += _FRAME.size + length
            continue
        at = content.find(_MARKER, at + 1)
        if at < 0:
            return


def _decode(payload: bytes) -> Frame:
    table = pa.ipc.open_stream(payload).read_all()
    facts = table.schema.metadata
    kind: TickKind = "quotes" if facts[b"kind"] == b"quotes" else "trades"
    return Frame(
        kind, msgspec.json.decode(facts[b"origin"], type=Origin), table.replace_schema_metadata(None)
    )
