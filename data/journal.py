"""The journal: an append-only file of batches that are wholly there or not at all after a crash.

This module must not know what an entry means: entries are bytes, numbered from 1. It promises:
- ``append`` returns only after the batch is on the disk (one write, one sync);
- opening verifies every frame, keeps the good prefix and moves the rest aside, never deletes it;
- after any error the journal refuses to be written until it is opened anew, so that nobody trades
  on unjournalled;
- a sequence number that was ever seen in the file is never given out twice.

Layout (little endian). File header: magic, version, checksum. Then frames::

    marker 4s · payload length u32 · entries u32 · first sequence u64 · link 8s · checksum 8s · payload

``link`` is the checksum of the frame before, so frames can neither be swapped nor spliced. The
checksum is BLAKE2b-64 over the frame's header (without the checksum) and payload. The payload is
``length u32 · bytes`` for each entry.
"""

from __future__ import annotations

import fcntl
import os
import struct
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from contextlib import suppress
from hashlib import blake2b
from pathlib import Path
from typing import BinaryIO

import msgspec

from data.durable import sync_folder
from data.problems import ConflictError, InvalidRequestError, JournalFailedError, NotFoundError

_MAGIC = b"NTJRNL"
_VERSION = 1
_FILE_HEADER = struct.Struct("<6sH8s")
_FRAME_HEAD = struct.Struct("<4sIIQ8s")
_FRAME_SUM = 8
_FRAME_OVERHEAD = _FRAME_HEAD.size + _FRAME_SUM
_MARKER = b"NTJF"
_LENGTH = struct.Struct("<I")
_NO_LINK = b"\0" * 8

#: A batch larger than this is refused: a damaged length must not make a reader allocate gigabytes.
MAX_BATCH_BYTES = 64 * 1024 * 1024


class JournalReport(msgspec.Struct, frozen=True, kw_only=True):
    """What was found when a journal was opened or verified."""

    path: str
    entries: int  #: entries in the good prefix
    last_seq: int  #: the last good sequence number; 0: none
    size: int  #: bytes of the good prefix, file header included
    torn_bytes: int = 0  #: bytes behind the good prefix
    torn_path: str | None = None  #: where they were moved; None: nothing moved
    reason: str | None = None  #: why the bytes are not good
    lost_to_seq: int = 0  #: intact frames behind the damage reach to this number; 0: there are none
    header_repaired: bool = False

    @property
    def clean(self) -> bool:
        """True if nothing was torn, damaged or repaired."""
        return self.torn_bytes == 0 and not self.header_repaired


class _Frame(msgspec.Struct, frozen=True):
    first_seq: int
    count: int
    checksum: bytes
    payload: bytes
    size: int

    @property
    def last_seq(self) -> int:
        return self.first_seq + self.count - 1

    def entries(self) -> Iterator[tuple[int, bytes]]:
        at = 0
        for seq in range(self.first_seq, self.first_seq + self.count):
            (length,) = _LENGTH.unpack_from(self.payload, at)
            at += _LENGTH.size
            yield seq, self.payload[at : at + length]
            at += length


class _DamageError(Exception):
    """The bytes at this place are not a good frame; the message says why."""


class Journal:
    """One process's journal, open for appending. Only one process may hold it.

    Args:
        path: The file; created with its folder if it is not there.
        sync: Sync each batch to the disk. False is for measuring only.

    Raises:
        ConflictError: Another process holds the journal, or a newer version wrote it.
        JournalFailedError: The file cannot be opened, read, or put in order.
    """

    def __init__(self, path: Path, *, sync: bool = True) -> None:
        self.path = path
        self._sync = sync
        self._failure: str | None = None
        self._fd = -1
        try:
            _create(path)
            self._fd = os.open(path, os.O_RDWR | os.O_CLOEXEC)
            self._lock()
            scan = _scan(self._fd)
            self.report = self._put_in_order(scan)
        except OSError as error:
            self.close()
            raise _failed(path, "opened", error) from error
        except BaseException:
            self.close()
            raise
        self._end = scan.end
        self._link = scan.link
        self._seqs = scan.seqs
        self._offsets = scan.offsets
        self._last_seq = max(scan.last_seq, scan.lost_to_seq)

    @property
    def last_seq(self) -> int:
        """The last sequence number given out; 0 if none."""
        return self._last_seq

    @property
    def size(self) -> int:
        """Bytes in the file."""
        return self._end

    @property
    def failure(self) -> str | None:
        """Why the journal refuses to be written; None while it is well."""
        return self._failure

    def append(self, entries: Sequence[bytes]) -> int:
        """Write entries as one batch and return the sequence number of the last.

        When it returns the batch is on the disk. When it raises, the batch is taken back where the
        disk lets us; where it does not, the next opening shows whether it is whole.

        Raises:
            JournalFailedError: This write failed, or an earlier one did.
            InvalidRequestError: The batch is larger than ``MAX_BATCH_BYTES``; nothing was written.
        """
        if self._failure is not None:
            raise JournalFailedError(
                f"journal {self.path.name} failed earlier and takes no more entries: {self._failure}",
                rule="nothing is traded unjournalled",
                fix="free or repair the disk and restart the engine",
            )
        if not entries:
            return self._last_seq
        payload = b"".join(part for entry in entries for part in (_LENGTH.pack(len(entry)), entry))
        if len(payload) > MAX_BATCH_BYTES:
            raise InvalidRequestError(
                f"a journal batch of {len(payload)} bytes", rule=f"at most {MAX_BATCH_BYTES} bytes a batch"
            )
        first_seq = self._last_seq + 1
        head = _FRAME_HEAD.pack(_MARKER, len(payload), len(entries), first_seq, self._link)
        checksum = _checksum(head, payload)
        frame = head + checksum + payload
        try:
            self._write(frame)
        except OSError as error:
            self._failure = os.strerror(error.errno) if error.errno else str(error)
            self._take_back()
            raise _failed(self.path, "written", error) from error
        self._seqs.append(first_seq)
        self._offsets.append((self._end, self._link))
        self._end += len(frame)
        self._link = checksum
        self._last_seq += len(entries)
        return self._last_seq

    def read(self, after: int = 0) -> Iterator[tuple[int, bytes]]:
        """Yield ``(seq, entry)`` for all entries behind ``after``.

        Raises:
            JournalFailedError: The file cannot be read.
        """
        # An iterator begun now must not see what is appended while it runs: offsets would move under it.
        end = self._end
        at = max(bisect_right(self._seqs, after + 1) - 1, 0)
        offset, link = self._offsets[at] if self._offsets else (end, _NO_LINK)
        try:
            with open(self.path, "rb") as file:
                file.seek(offset)
                while offset < end:
                    frame = _read_frame(file, link)
                    yield from ((seq, entry) for seq, entry in frame.entries() if seq > after)
                    offset += frame.size
                    link = frame.checksum
        except OSError as error:
            raise _failed(self.path, "read", error) from error
        except _DamageError as error:
            raise JournalFailedError(f"journal {self.path.name} changed under us: {error}") from error

    def close(self) -> None:
        """Let go of the file. Closing twice does nothing."""
        if self._fd >= 0:
            os.close(self._fd)
            self._fd = -1
            if self._failure is None:
                self._failure = "closed"

    def __enter__(self) -> Journal:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _lock(self) -> None:
        try:
            fcntl.flock(self._fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise ConflictError(
                f"journal {self.path.name} is held by another process",
                rule="one process writes a journal",
                fix="stop the other engine of this name first",
            ) from error

    def _write(self, frame: bytes) -> None:
        # One call in the ordinary case. A short write means the disk is filling up: the next call says why.
        written = os.pwrite(self._fd, frame, self._end)
        while written < len(frame):
            written += os.pwrite(self._fd, frame[written:], self._end + written)
        if self._sync:
            _sync_data(self._fd)

    def _take_back(self) -> None:
        # If this fails as well, the bytes stay: torn ones are moved aside by the next opening.
        with suppress(OSError):
            os.ftruncate(self._fd, self._end)
            _sync_data(self._fd)

    def _put_in_order(self, scan: _Scan) -> JournalReport:
        """Move what is not good aside, repair the header, and report."""
        torn_path: Path | None = None
        if scan.torn_bytes:
            torn_path = _copy_aside(self._fd, scan.end, scan.torn_bytes, self.path)
            os.ftruncate(self._fd, scan.end)
        if scan.header_bad:
            os.pwrite(self._fd, _file_header(), 0)
            scan.end = max(scan.end, _FILE_HEADER.size)
        if scan.torn_bytes or scan.header_bad:
            os.fsync(self._fd)
        return scan.report(self.path, torn_path)


def read(path: Path, after: int = 0) -> Iterator[tuple[int, bytes]]:
    """Yield ``(seq, entry)`` behind ``after`` from a journal that another process may be appending to.

    Stops at the first frame that is not whole: it is being written now, or it is torn. A batch may
    be seen an instant before it is synced.

    Raises:
        NotFoundError: There is no such journal.
        JournalFailedError: The file cannot be read.
    """
    try:
        with open(path, "rb") as file:
            file.seek(_FILE_HEADER.size)
            link = _NO_LINK
            while True:
                try:
                    frame = _read_frame(file, link)
                except _DamageError:
                    return
                yield from ((seq, entry) for seq, entry in frame.entries() if seq > after)
                link = frame.checksum
    except FileNotFoundError as error:
        raise NotFoundError(f"no journal {path.name}") from error
    except OSError as error:
        raise _failed(path, "read", error) from error


def verify(path: Path) -> JournalReport:
    """Check a journal without changing it; it may be in use.

    Raises:
        NotFoundError: There is no such journal.
        JournalFailedError: The file cannot be read.
    """
    try:
        fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
        try:
            return _scan(fd).report(path, None)
        finally:
            os.close(fd)
    except FileNotFoundError as error:
        raise NotFoundError(f"no journal {path.name}") from error
    except OSError as error:
        raise _failed(path, "read", error) from error


class _Scan(msgspec.Struct):
    """The good prefix of a file, and what is behind it."""

    end: int = _FILE_HEADER.size
    link: bytes = _NO_LINK
    last_seq: int = 0
    entries: int = 0
    seqs: list[int] = []
    offsets: list[tuple[int, bytes]] = []
    torn_bytes: int = 0
    reason: str | None = None
    lost_to_seq: int = 0
    header_bad: bool = False

    def report(self, path: Path, torn_path: Path | None) -> JournalReport:
        return JournalReport(
            path=str(path),
            entries=self.entries,
            last_seq=self.last_seq,
            size=self.end,
            torn_bytes=self.torn_bytes,
            torn_path=None if torn_path is None else str(torn_path),
            reason=self.reason,
            lost_to_seq=self.lost_to_seq,
            header_repaired=self.header_bad,
        )


def _scan(fd: int) -> _Scan:
    size = os.fstat(fd).st_size
    scan = _Scan()
    with open(fd, "rb", closefd=False) as file:
        file.seek(0)
        scan.header_bad = not _header_is_good(file.read(_FILE_HEADER.size))
        file.seek(_FILE_HEADER.size)
        while scan.end < size:
            try:
                frame = _read_frame(file, scan.link)
                if frame.first_seq <= scan.last_seq:
                    raise _DamageError(f"sequence {frame.first_seq} comes again")
            except _DamageError as error:
                scan.reason = f"at byte {scan.end}: {error}"
                break
            scan.seqs.append(frame.first_seq)
            scan.offsets.append((scan.end, scan.link))
            scan.link = frame.checksum
            scan.last_seq = frame.last_seq
            scan.entries += frame.count
            scan.end += frame.size
        if scan.header_bad and not scan.entries:
            # Nothing in it can be trusted; all of it is put aside and the file begins anew.
            scan.end = 0
            scan.reason = "at byte 0: this is not the header of a journal"
        scan.torn_bytes = max(size - scan.end, 0)
        if scan.torn_bytes:
            file.seek(scan.end)
            scan.lost_to_seq = _highest_seq(file.read())
    return scan


def _header_is_good(header: bytes) -> bool:
    if len(header) < _FILE_HEADER.size:
        return False
    magic, version, checksum = _FILE_HEADER.unpack(header)
    if _checksum(header[:-8], b"") != checksum or magic != _MAGIC:
        return False
    if version != _VERSION:
        raise ConflictError(
            f"the journal has version {version}",
            rule=f"this program reads version {_VERSION}",
            fix="use the program that wrote it",
        )
    return True


def _read_frame(file: BinaryIO, link: bytes) -> _Frame:
    head = file.read(_FRAME_OVERHEAD)
    if len(head) < _FRAME_OVERHEAD:
        raise _DamageError("the frame's header is cut off")
    marker, length, count, first_seq, its_link = _FRAME_HEAD.unpack_from(head)
    if marker != _MARKER:
        raise _DamageError("no frame begins here")
    if length > MAX_BATCH_BYTES:
        raise _DamageError(f"a frame of {length} bytes cannot be")
    if its_link != link:
        raise _DamageError("the frame does not belong behind the one before it")
    payload = file.read(length)
    if len(payload) < length:
        raise _DamageError("the frame is cut off")
    checksum = head[_FRAME_HEAD.size :]
    if _checksum(head[: _FRAME_HEAD.size], payload) != checksum:
        raise _DamageError("the frame's checksum does not match")
    return _Frame(first_seq, count, checksum, payload, _FRAME_OVERHEAD + length)


def _highest_seq(tail: bytes) -> int:
    """Return the highest sequence number of intact frames in ``tail``; 0 if there are none.

    Those numbers were given out once. They are not good any more, for what stood before them is
    damaged, but they must not be used for something else.
    """
    highest = 0
    at = tail.find(_MARKER)
    while at >= 0:
        head = tail[at : at + _FRAME_OVERHEAD]
        if len(head) == _FRAME_OVERHEAD:
            _, length, count, first_seq, _ = _FRAME_HEAD.unpack_from(head)
            payload = tail[at + _FRAME_OVERHEAD : at + _FRAME_OVERHEAD + min(length, MAX_BATCH_BYTES)]
            if _checksum(head[: _FRAME_HEAD.size], payload) == head[_FRAME_HEAD.size :]:
                highest = max(highest, first_seq + count - 1)
        at = tail.find(_MARKER, at + 1)
    return highest


def _create(path: Path) -> None:
    """Make an empty journal appear at once, header and all, if there is none."""
    if path.exists():
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    fresh = path.with_name(f".{path.name}.new-{os.getpid()}")
    fd = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
    try:
        os.write(fd, _file_header())
        os.fsync(fd)
    finally:
        os.close(fd)
    try:
        # A link, not a rename: it does not replace a journal that another process made meanwhile.
        with suppress(FileExistsError):
            os.link(fresh, path)
    finally:
        fresh.unlink()
    sync_folder(path.parent)


def _copy_aside(fd: int, start: int, length: int, path: Path) -> Path:
    number = 1
    while (torn := path.with_name(f"{path.name}.torn-{number}")).exists():
        number += 1
    out = os.open(torn, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    try:
        with open(out, "wb", closefd=False) as file:
            file.write(os.pread(fd, length, start))
        os.fsync(out)
    finally:
        os.close(out)
    sync_folder(path.parent)
    return torn


def _file_header() -> bytes:
    head = _FILE_HEADER.pack(_MAGIC, _VERSION, _NO_LINK)[:-8]
    return head + _checksum(head, b"")


def _checksum(head: bytes, payload: bytes) -> bytes:
    summer = blake2b(head, digest_size=_FRAME_SUM)
    summer.update(payload)
    return summer.digest()


def _sync_data(fd: int) -> None:
    # fdatasync writes the file's new length too, and leaves out only its times.
    if hasattr(os, "fdatasync"):
        os.fdatasync(fd)
    else:
        os.fsync(fd)


def _failed(path: Path, done: str, error: OSError) -> JournalFailedError:
    return JournalFailedError(
        f"journal {path.name} could not be {done}: {error.strerror or error}",
        rule="nothing is traded unjournalled",
        fix="free or repair the disk and restart the engine",
        path=str(path),
    )
