"""The audit chain as a file of JSON lines: the log beside the store, and what is exported.

The first line says what the file follows, then there is one entry a line as it was hashed, and an
export ends with a line that says how many there are and which is the last, so that a cut file shows.
This module must not know of the store.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Final, Literal

import msgspec

from data.audit import ChainReport, Findings, Head, Walk, read_head
from data.facts import Record
from data.problems import InvalidRequestError, NotFoundError
from data.records import AuditEntry

#: Longer lines are not ours: a body is cut at 16,384 characters, which JSON may write in six signs each.
LONGEST_LINE: Final = 1_000_000
CONTENT_TYPE: Final = "application/jsonl"


class FileStart(Record, frozen=True, kw_only=True, tag="audit_start"):
    """The first line of a file."""

    kind: Literal["log", "export"]
    after: str  #: the head that the first entry follows
    ts: int
    version: int = 1
    lost: bool = False  #: of a log: it was begun anew because the one before was gone


class FileNote(Record, frozen=True, kw_only=True, tag="audit_note"):
    """A line of the log about itself: what was found wrong with it, and when."""

    detail: str
    ts: int
    after: str | None = None  #: what the next entry follows, where that is not the line before


class FileEnd(Record, frozen=True, kw_only=True, tag="audit_end"):
    """The last line of an export."""

    entries: int
    head: str


type Line = AuditEntry | FileStart | FileNote | FileEnd
_decoder = msgspec.json.Decoder(AuditEntry | FileStart | FileNote | FileEnd)
_encode = msgspec.json.Encoder().encode


def line_of(record: Line) -> bytes:
    """Return a record as a line, its end included."""
    return _encode(record) + b"\n"


def decode_line(raw: bytes) -> Line | None:
    """Return what a line says; None if it is not one of ours, to the letter."""
    try:
        line: Line = _decoder.decode(raw)
    except (msgspec.MsgspecError, UnicodeDecodeError):
        return None
    return line if _encode(line) == raw else None


def lines_of(path: Path, upto: int | None = None) -> Iterator[bytes]:
    """Return the lines of a file without their ends; ``upto`` limits it to its first bytes.

    The last one may be torn: a line counts when its end is there, and one without is left out.

    Raises
    ------
    OSError
        If it cannot be read.

    """
    left = path.stat().st_size if upto is None else upto
    with path.open("rb") as file:
        while left > 0:
            raw = file.readline(min(left, LONGEST_LINE))
            if not raw:
                return
            left -= len(raw)
            if raw.endswith(b"\n"):
                yield raw[:-1]
            elif left > 0:  # longer than any of ours: told as a line that is not readable
                yield raw


class FileWalk:
    """Goes along the lines of a file and notes what is wrong with them."""

    def __init__(self, part: Literal["log", "file"], findings: Findings) -> None:
        self.walk = Walk(part, findings)
        self.start: FileStart | None = None
        self.end: FileEnd | None = None
        self._findings = findings
        self._name = "the log" if part == "log" else "the file"
        self._lines = 0

    def take(self, raw: bytes) -> AuditEntry | None:
        """Check the next line and return the entry in it, if there is one."""
        self._lines += 1
        line = decode_line(raw)
        at = self.walk.head.seq + 1
        if self._lines == 1:
            self._begin(line)
            if not isinstance(line, AuditEntry):
                return None
        if self.end is not None:
            self.walk.note(at, f"{self._name} goes on behind its last line")
            self.end = None
        match line:
            case None:
                self.walk.pass_over(at, f"line {self._lines} of {self._name} is not as it was written")
            case AuditEntry():
                self.walk.take(line)
                return line
            case FileNote():
                after = head_or_none(line.after or "")
                if after is not None:
                    self.walk.restart(after)
                self.walk.note(at, line.detail)
            case FileEnd():
                self.end = line
            case FileStart():
                self.walk.note(at, f"line {self._lines} of {self._name} begins it a second time")
        return None

    def trust(self, raw: bytes, entry: AuditEntry) -> None:
        """Go on behind a line whose entry was checked elsewhere, to the letter."""
        self._lines += 1
        if self._lines == 1:
            self.take_nothing()
        self.walk.trust(entry)

    def take_nothing(self) -> None:
        """Note that the file does not begin as it should."""
        self.walk.note(1, f"the first line of {self._name} is missing or was changed")

    def _begin(self, line: Line | None) -> None:
        after = head_or_none(line.after) if isinstance(line, FileStart) else None
        if not isinstance(line, FileStart) or after is None:
            self.take_nothing()
            if isinstance(line, AuditEntry):  # what it follows is not known
                self.walk.restart(Head(line.seq - 1, line.previous_hash))
            return
        self.start = line
        self.walk.restart(after)
        if line.lost:
            self.walk.note(
                self.walk.head.seq + 1,
                f"the log was gone, and begun anew behind entry {self.walk.head.seq}",
            )


def check_file(path: Path, expected: Head | None = None) -> ChainReport:
    """Check an exported file, or a log, by itself; ``expected`` is a head that was kept elsewhere.

    Raises
    ------
    NotFoundError
        If there is no such file.
    InvalidRequestError
        If it cannot be read, or is not a file of the chain at all.

    """
    findings = Findings()
    walk = FileWalk("file", findings)
    seen = False
    try:
        for raw in lines_of(path):
            entry = walk.take(raw)
            if walk.walk.entries == 0 and walk.start is None:
                break
            if expected is not None and entry is not None and entry.seq == expected.seq:
                seen = True
                compare_head(findings, entry, expected)
    except FileNotFoundError as error:
        raise NotFoundError(f"there is no file {path}", path=str(path)) from error
    except OSError as error:
        raise InvalidRequestError(f"{path} cannot be read: {error.strerror}", path=str(path)) from error
    head = walk.walk.head
    if walk.walk.entries == 0 and walk.start is None:
        raise InvalidRequestError(
            f"{path.name} is not a file of the audit chain",
            rule="its first line says what it follows",
            fix="export one with nautilus-tui audit export FILE",
            path=str(path),
        )
    if walk.start is not None and walk.start.kind == "export":
        _check_end(findings, walk)
    if expected is not None and not seen and str(expected) != (walk.start.after if walk.start else ""):
        findings.add("head", expected.seq, expected.seq, f"entry {expected.seq} is not in the file")
    return findings.report(head, walk.walk.entries)


def compare_head(findings: Findings, entry: AuditEntry, expected: Head) -> None:
    """Note an entry whose hash is not the one that was kept elsewhere."""
    if entry.hash != expected.hash:
        findings.add(
            "head",
            expected.seq,
            expected.seq,
            f"entry {expected.seq} is not the one whose hash was kept elsewhere: the chain was written anew",
        )


def _check_end(findings: Findings, file: FileWalk) -> None:
    head, entries = file.walk.head, file.walk.entries
    if file.end is None:
        findings.add(
            "file", head.seq + 1, head.seq + 1, f"the file is cut off behind entry {head.seq}: no last line"
        )
    elif (file.end.entries, file.end.head) != (entries, str(head)):
        last = head_or_none(file.end.head)
        detail = (
            f"entries {head.seq + 1} to {last.seq} are missing at the end: the last line says {last.seq}"
            if last is not None and last.seq > head.seq
            else f"the last line says {file.end.entries} entries, there are {entries}"
        )
        findings.add("file", head.seq + 1, last.seq if last else head.seq + 1, detail)


def head_or_none(text: str) -> Head | None:
    """Return a head, or None where the text is none."""
    try:
        return read_head(text)
    except InvalidRequestError:
        return None
