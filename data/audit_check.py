"""The store's chain and the log beside it, checked against each other entry by entry.

Each is a chain that proves itself; together they show what neither shows alone: a tail that was cut
off, and entries that were written anew with fitting hashes. Rows are handed in piece by piece, so
that a long chain holds nobody up. This module must not know how rows are read.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import msgspec

from data.audit import ChainReport, Findings, Head, LogReport, Part, Walk, missing
from data.audit_file import FileWalk, compare_head, decode_line, head_or_none, lines_of
from data.audit_log import SLACK
from data.records import AuditEntry


class Row(NamedTuple):
    """An entry as the store has it: the columns that are searched, and the entry itself as a line."""

    seq: int
    command: str
    outcome: str
    body: str


class LogToCheck(NamedTuple):
    """The log as it was before the store was looked at, so that the store has whatever is in it."""

    path: Path
    size: int | None  #: bytes that were written; None: all there are
    sure: int  #: up to this entry it has to be whole


class Check:
    """One look at the whole chain. Hand in the store's rows in order, then ask for the report."""

    def __init__(self, log: LogToCheck | None, expected: Head | None = None) -> None:
        self._findings = Findings()
        self._walk = Walk("store", self._findings)
        self._log = _Log(log, self._findings) if log is not None else None
        self._expected = expected
        self._seen = expected is None or expected.seq == 0

    def take(self, rows: Iterable[Row]) -> None:
        """Check the next rows, which come in the order of their numbers."""
        for row in rows:
            self._take(row)

    def twice(self, seqs: Sequence[int]) -> None:
        """Take note of numbers that several rows have."""
        for seq in seqs:
            self._findings.add("store", seq, seq, f"entry {seq} is there twice in the store")

    def report(self) -> ChainReport:
        """Return what was found."""
        log = self._log.finish(self._walk.head.seq) if self._log is not None else None
        if not self._seen and self._expected is not None:
            seq = self._expected.seq
            detail = f"entry {seq}, whose hash was kept elsewhere, is missing"
            if seq > self._walk.head.seq:
                gone = missing(self._walk.head.seq + 1, seq)
                detail = f"{gone} at the end: the head that was kept elsewhere says {seq}"
            self._findings.add("head", min(seq, self._walk.head.seq + 1), seq, detail)
        report = self._findings.report(self._walk.head, self._walk.entries)
        remarks: tuple[str, ...] = ()
        if log is None:
            remarks = ("there is no log beside the chain yet: that its end was not cut off is not proven",)
        else:
            begun = head_or_none(log.after)
            if begun is not None and begun.seq:
                remarks = (f"the log begins behind entry {begun.seq}: earlier ones are in the store alone",)
            if log.behind:
                remarks += (
                    f"the last {log.behind} of the store are not in the log yet: a daemon that runs is about"
                    " to add them, after a daemon that was killed the next start does",
                )
        return msgspec.structs.replace(report, log=log, remarks=remarks)

    def _take(self, row: Row) -> None:
        raw = row.body.encode(errors="surrogatepass")
        entry = decode_line(raw)
        if self._log is not None:
            self._log.pass_to(row.seq)
        sound = False
        if not isinstance(entry, AuditEntry):
            self._walk.pass_over(row.seq, f"entry {row.seq} of the store is not as it was written")
        elif entry.seq != row.seq:
            self._walk.pass_over(row.seq, f"entry {row.seq} of the store holds entry {entry.seq}")
        else:
            self._walk.take(entry)
            if (entry.command, entry.outcome) != (row.command, row.outcome):
                self._walk.note(row.seq, f"what entry {row.seq} is listed under in the store was changed")
            sound = not self._findings.has("store", row.seq)
            self._look_up(entry)
        if self._log is not None:
            self._log.compare(row.seq, raw, entry if isinstance(entry, AuditEntry) else None, sound=sound)

    def _look_up(self, entry: AuditEntry) -> None:
        if self._expected is not None and entry.seq == self._expected.seq and not self._seen:
            self._seen = True
            compare_head(self._findings, entry, self._expected)


class _Log:
    """The log's side: reads along with the store, and tells ranges as one finding."""

    def __init__(self, log: LogToCheck, findings: Findings) -> None:
        self._findings = findings
        self._file = FileWalk("log", findings)
        self._sure = log.sure
        self._differ: tuple[int, int] | None = None  #: a range that store and log tell differently
        self._lacking: tuple[int, int] | None = None  #: a range of the store that is not in the log
        self._gone = False
        self._lines = self._entries(log)
        self._next = next(self._lines, None)

    def _entries(self, log: LogToCheck) -> Iterator[tuple[bytes, AuditEntry, bool]]:
        """Return line, entry, and whether the log's own chain holds at it; each number once, rising."""
        last = 0
        try:
            for raw in lines_of(log.path, log.size):
                entry = self._file.take(raw)
                if entry is not None and last < entry.seq == self._file.walk.head.seq:
                    last = entry.seq
                    yield raw, entry, not self._findings.has("log", entry.seq)
        except OSError as error:
            self._gone = True
            missing_file = isinstance(error, FileNotFoundError)
            detail = "the log is gone" if missing_file else f"the log cannot be read: {error.strerror}"
            self._findings.add("log", 1, log.sure, f"{detail}; it went to entry {log.sure}")

    def _advance(self) -> None:
        self._next = next(self._lines, None)

    def pass_to(self, seq: int) -> None:
        """Go on to the first entry that is not before ``seq``: those in between are not in the store."""
        first = last = 0
        while self._next is not None and self._next[1].seq < seq:
            first = first or self._next[1].seq
            last = self._next[1].seq
            self._advance()
        if first:
            self._tell_gone("store", first, last, "from the store: the log has what is missing")

    def compare(self, seq: int, raw: bytes, entry: AuditEntry | None, *, sound: bool) -> None:
        """Compare a row of the store with what the log has for it; ``sound``: by itself the row is right."""
        begun = self._begun()
        if seq <= begun.seq:
            if seq == begun.seq and entry is not None and entry.hash != begun.hash:
                self._findings.add(
                    "store", seq, seq, f"entry {seq} is not the one that the log begins behind"
                )
            return
        if self._next is None or self._next[1].seq != seq:
            self._tell_differing()
            self._lacking = (self._lacking or (seq, seq))[0], seq
            return
        self._tell_lacking("from the log")
        line, _, holds = self._next
        self._advance()
        if line != raw and sound and holds:
            self._differ = (self._differ or (seq, seq))[0], seq
            return
        self._tell_differing()
        if line != raw and sound:
            self._findings.add("log", seq, seq, f"entry {seq} of the log was changed after it was written")
            self._findings.amend("log", seq, "the store has it as it was")
        elif line != raw and holds:
            self._findings.amend("store", seq, "the log has it as it was")

    def finish(self, store_end: int) -> LogReport:
        """Compare the ends and return how far the log goes."""
        self._tell_differing()
        first = last = 0
        while self._next is not None:
            first = first or self._next[1].seq
            last = max(last, self._next[1].seq)
            self._advance()
        if first:
            self._tell_gone("store", first, last, f"at the end of the store: the log goes on to {last}")
        end = max(store_end, self._file.walk.head.seq)
        if self._sure > end and not self._gone:
            where = "at the end of the store and of the log: both are known to have had more"
            self._tell_gone("store", end + 1, self._sure, where)
        behind = 0
        if self._lacking is not None and not self._gone:
            start, end = self._lacking
            behind = end - start + 1
            if start <= self._sure or behind > SLACK:
                behind = 0
                self._tell_lacking("at the end of the log")
        walk = self._file.walk
        return LogReport(after=str(self._begun()), head=walk.head.known, entries=walk.entries, behind=behind)

    def _begun(self) -> Head:
        start = self._file.start
        return (head_or_none(start.after) if start is not None else None) or Head()

    def _tell_gone(self, part: Part, first: int, last: int, where: str) -> None:
        self._findings.add(part, first, last, f"{missing(first, last)} {where}")

    def _tell_lacking(self, where: str) -> None:
        if self._lacking is not None:
            first, last = self._lacking
            self._tell_gone("log", first, last, f"{where}: the store has what is missing")
            self._lacking = None

    def _tell_differing(self) -> None:
        if self._differ is None:
            return
        first, last = self._differ
        self._differ = None
        which = f"entry {first} is" if first == last else f"entries {first} to {last} are"
        self._findings.add(
            "store",
            first,
            last,
            f"{which} not the same in the store and in the log, though the hashes fit in both: one was"
            " written anew, and a head that was kept elsewhere tells which",
        )
