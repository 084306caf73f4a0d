"""The log beside the store: every audit entry a second time, in a file that is only ever added to.

An entry is in the store first and in the log a moment later, before anybody acts on it. So a process
that is killed leaves a log that is at most one commit behind, which the next start makes good; a log
that is ahead, that differs, or that lacks more, was not left by us. Nothing is ever put right here in
silence: what is found is written down in the log itself and stays there.
This module must not know of the store's tables.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final, NamedTuple

from data.audit import Head, missing
from data.audit_file import LONGEST_LINE, FileNote, FileStart, decode_line, head_or_none, line_of
from data.durable import sync_folder
from data.records import AuditEntry

#: Entries that a killed process may have left out: those of one commit.
SLACK: Final = 256

type Stored = Callable[[int], Sequence[tuple[int, bytes]]]


class Reach(NamedTuple):
    """How far the log goes at a moment: its bytes and its last entry."""

    size: int
    head: Head


class AuditLog:
    """The open log. One thread writes it; ``reach`` and ``problems`` may be asked from any."""

    def __init__(self, path: Path, clock: Callable[[], int] = time.time_ns) -> None:
        self.path = path
        self.problems: tuple[str, ...] = ()  #: what was found wrong with it, and with the store beside it
        self.reach = Reach(0, Head())
        self.clock = clock
        self._descriptor = -1
        self._owed: list[AuditEntry] = []

    def open(self, store: Head, noted: int | None, stored: Stored) -> Head:
        """Open the log or begin it, bring it level with the store, and return what the next entry follows.

        Args:
            store: the last entry in the store.
            noted: up to where the store remembers the log to be whole; None: it never had one.
            stored: returns the store's entries from a number on, as (number, line without its end).

        Raises:
            OSError: it cannot be read or written.
        """
        self.close()
        if not self.path.exists():
            self._begin(store, lost=noted is not None)
            return store
        self._descriptor = os.open(self.path, os.O_RDWR | os.O_APPEND | os.O_CLOEXEC)
        last = self._take_end()
        if last is None:
            self._note("the end of the log was not readable when the daemon started", store)
            return store
        if last.seq > store.seq:
            gone = missing(store.seq + 1, last.seq)
            self._found(f"{gone} at the end of the store: the log has them")
            return last
        if noted is not None and noted > store.seq:
            self._note(f"{missing(store.seq + 1, noted)} at the end of the store and of the log")
        rows = stored(last.seq)
        if rows and rows[0][0] == last.seq:
            if _hash_of(rows[0][1]) not in (None, last.hash):
                self._found(f"entry {last.seq} of the store is not what the log has")
            rows = rows[1:]
        if rows and (last.seq < (noted or 0) or store.seq - last.seq > SLACK):
            gone = missing(last.seq + 1, store.seq)
            self._note(f"{gone} at the end of the log, and come from the store when the daemon started")
        self._put(b"".join(line + b"\n" for _, line in rows), store if rows else last)
        return store

    def close(self) -> None:
        """Close the file. Idempotent."""
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1

    def ready(self) -> None:
        """Make up for what could not be written before; raises OSError where it still cannot."""
        if self._owed:
            self.follow(())

    def follow(self, entries: Sequence[AuditEntry]) -> None:
        """Write entries that are in the store; on the disk when this returns.

        Raises:
            OSError: they could not be written; they are kept, and written by ``ready``.
        """
        self._owed.extend(entries)
        if self._descriptor < 0 or not self._owed:
            return
        self._notice()
        last = self._owed[-1]
        self._put(b"".join(line_of(entry) for entry in self._owed), Head(last.seq, last.hash))
        self._owed = []

    # ------------------------------------------------------------ the file

    def _begin(self, after: Head, *, lost: bool) -> None:
        flags = os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC
        self._hold(os.open(self.path, flags, 0o600))
        self.reach = Reach(0, after)
        start = FileStart(kind="log", after=str(after), ts=self.clock(), lost=lost)
        try:
            self._put(line_of(start), after)
            sync_folder(self.path.parent)
        except OSError:
            self.path.unlink(missing_ok=True)  # one without its first line would be taken for a changed one
            raise
        if lost:
            self._found(f"the log was gone, and begun anew behind entry {after.seq}")

    def _hold(self, descriptor: int) -> None:
        """Take another file for the log; the one before is let go only now that there is another."""
        self.close()
        self._descriptor = descriptor

    def _take_end(self) -> Head | None:
        """Find the last entry, cut off a line that a killed process left torn, and note where we are."""
        size = os.fstat(self._descriptor).st_size
        begin = max(0, size - 2 * LONGEST_LINE)
        tail = os.pread(self._descriptor, size - begin, begin)
        whole = tail.rfind(b"\n") + 1
        if whole < len(tail):
            os.ftruncate(self._descriptor, begin + whole)
            os.fdatasync(self._descriptor)
        self.reach = Reach(begin + whole, Head())
        for raw in reversed(tail[:whole].split(b"\n")[:-1]):
            line = decode_line(raw)
            if isinstance(line, FileNote) and line.after is None:
                continue
            head = (
                Head(line.seq, line.hash)
                if isinstance(line, AuditEntry)
                else head_or_none(getattr(line, "after", None) or "")
            )
            if head is not None:
                self.reach = Reach(self.reach.size, head)
            return head
        return None

    def _notice(self) -> None:
        """Notice that somebody else took the file away or wrote in it while it was open."""
        try:
            there = self.path.stat()
        except FileNotFoundError:
            self._begin(self.reach.head, lost=True)
            return
        ours = os.fstat(self._descriptor)
        if (there.st_dev, there.st_ino) != (ours.st_dev, ours.st_ino):
            head = self.reach.head
            self._hold(os.open(self.path, os.O_RDWR | os.O_APPEND | os.O_CLOEXEC))
            self._take_end()
            self._note("another file was put in the log's place while the daemon ran", head)
        elif ours.st_size != self.reach.size:
            self.reach = Reach(ours.st_size, self.reach.head)
            if ours.st_size and os.pread(self._descriptor, 1, ours.st_size - 1) != b"\n":
                self._put(b"\n", self.reach.head)
            self._note("somebody else wrote in the log, or cut it, while the daemon ran", self.reach.head)

    def _note(self, detail: str, after: Head | None = None) -> None:
        self._found(detail)
        note = FileNote(detail=detail, ts=self.clock(), after=None if after is None else str(after))
        self._put(line_of(note), after or self.reach.head)

    def _found(self, detail: str) -> None:
        self.problems = (*self.problems, f"audit: {detail}; see nautilus-tui audit verify")

    def _put(self, content: bytes, head: Head) -> None:
        size = self.reach.size
        try:
            done = 0
            while done < len(content):
                done += os.write(self._descriptor, content[done:])
            os.fdatasync(self._descriptor)
        except OSError:
            os.ftruncate(self._descriptor, size)  # half a line must not come to lie before the next
            raise
        self.reach = Reach(size + len(content), head)


def _hash_of(raw: bytes) -> str | None:
    line = decode_line(raw)
    return line.hash if isinstance(line, AuditEntry) else None
