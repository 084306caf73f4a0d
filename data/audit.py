"""The audit chain: each entry carries the hash of the one before, so that none can be changed or taken out.

Pure arithmetic over entries. A chain proves itself up to its last entry and no further: that its end
was cut off, or written anew with fitting hashes, shows only beside a head that was kept elsewhere.
This module must not know where entries are kept or who writes them.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable
from typing import Final, Literal

import msgspec

from data.problems import InvalidRequestError
from data.records import AuditEntry

#: What the first entry follows.
GENESIS: Final = "0" * 64
#: Findings a report tells one by one; the others are counted.
FINDINGS_TOLD: Final = 100

_HEAD = re.compile(r"(\d{1,18}):([0-9a-f]{64})")
#: Where something was found: in the store, in the log beside it, in a file, or against a head kept elsewhere.
Part = Literal["store", "log", "file", "head"]


class AuditDraft(msgspec.Struct, frozen=True, kw_only=True):
    """An audit entry before it has its place in the chain."""

    command_id: str
    command: str
    actor: str
    via: str
    role: str
    body: str
    outcome: str
    detail: str | None = None
    ts: int


class Head(msgspec.Struct, frozen=True):
    """An entry by number and hash: whoever keeps the last one elsewhere can prove the chain up to it."""

    seq: int = 0
    hash: str = GENESIS  #: empty: the entry cannot be read

    @property
    def known(self) -> str | None:
        """SEQ:HASH; None for an entry that cannot be read."""
        return str(self) if self.hash else None

    def __str__(self) -> str:
        return f"{self.seq}:{self.hash}"


class Finding(msgspec.Struct, frozen=True, kw_only=True):
    """Something that is not as it was written, and where: the entries ``first`` to ``last``."""

    part: Part
    first: int
    last: int
    detail: str


class LogReport(msgspec.Struct, frozen=True, kw_only=True):
    """The log beside the store, as far as it was found."""

    after: str  #: the head that its first entry follows
    head: str | None  #: its last entry, as SEQ:HASH; None: it cannot be read
    entries: int
    behind: int = 0  #: entries of the store that are not in it yet


class ChainReport(msgspec.Struct, frozen=True, kw_only=True):
    """What verifying a chain found. ``broken_at`` is the first bad sequence number; None: the chain holds."""

    entries: int
    last_hash: str | None  #: of the last entry; None: it cannot be read
    head: str | None  #: the last entry, as SEQ:HASH; None: it cannot be read
    broken_at: int | None = None
    reason: str | None = None
    findings: tuple[Finding, ...] = ()
    more: int = 0  #: findings beyond those that are told
    log: LogReport | None = None  #: None: nothing was kept beside the chain
    remarks: tuple[str, ...] = ()  #: what is worth knowing and wrong with nothing


def read_head(text: str) -> Head:
    """Return a head from ``SEQ:HASH``; raises InvalidRequestError."""
    found = _HEAD.fullmatch(text.strip().lower())
    if not found:
        raise InvalidRequestError(
            f"{text!r} is not the head of a chain",
            rule="a head is SEQ:HASH, the hash in 64 signs of 0-9 a-f",
            fix="use a head as nautilus-tui audit verify prints it",
            field="head",
            value=text[:200],
        )
    return Head(int(found[1]), found[2])


def entry_hash(entry: AuditEntry) -> str:
    """Return the SHA-256 of an entry's fields, its own hash left out, in their declared order."""
    fields = [getattr(entry, name) for name in entry.__struct_fields__ if name != "hash"]
    return hashlib.sha256(msgspec.json.encode(fields)).hexdigest()


def chained(draft: AuditDraft, seq: int, previous_hash: str) -> AuditEntry:
    """Return the draft as the chain's next entry."""
    fields = msgspec.structs.asdict(draft)
    entry = AuditEntry(seq=seq, previous_hash=previous_hash, hash="", **fields)
    return msgspec.structs.replace(entry, hash=entry_hash(entry))


class Findings:
    """What was found so far: one finding for a place, the first that was made."""

    def __init__(self) -> None:
        self._told: dict[tuple[Part, int], Finding] = {}
        self._more = 0

    def add(self, part: Part, first: int, last: int, detail: str) -> None:
        """Take a finding, unless one is there for the place."""
        if (part, first) in self._told:
            return
        if len(self._told) == FINDINGS_TOLD:
            self._more += 1
            return
        self._told[part, first] = Finding(part=part, first=first, last=last, detail=detail)

    def amend(self, part: Part, seq: int, more: str) -> None:
        """Add to what was found at an entry."""
        found = self._told.get((part, seq))
        if found is not None:
            detail = f"{found.detail}; {more}"
            self._told[part, seq] = msgspec.structs.replace(found, detail=detail)

    def has(self, part: Part, seq: int) -> bool:
        """Say whether there is a finding that begins at an entry."""
        return (part, seq) in self._told

    def report(self, head: Head, entries: int) -> ChainReport:
        """Return the report over a chain that ends at ``head``."""
        found = tuple(sorted(self._told.values(), key=lambda one: one.first))
        return ChainReport(
            entries=entries,
            last_hash=head.hash or None,
            head=head.known,
            broken_at=found[0].first if found else None,
            reason=found[0].detail if found else None,
            findings=found,
            more=self._more,
        )


class Walk:
    """Goes along a chain entry by entry and notes what is wrong; after a break it goes on behind it."""

    def __init__(self, part: Part, findings: Findings, after: Head | None = None) -> None:
        self.entries = 0
        self.head = after or Head()
        self._part = part
        self._of = " of the log" if part == "log" else ""
        self._findings = findings
        #: What the next entry may say it follows; empty: not known, because the one before is not readable.
        self._links = {self.head.hash}

    def take(self, entry: AuditEntry) -> None:
        """Check the next entry."""
        due = self.head.seq + 1
        self.entries += 1
        computed = entry_hash(entry)
        if entry.seq != due and entry.hash != computed:  # its number is not to be believed
            self.note(
                due, f"entry {due}{self._of} was changed after it was written: it says that it is {entry.seq}"
            )
            self.head = Head(due, entry.hash)
            self._links = {entry.hash}
            return
        if entry.seq < due:
            self._findings.add(
                self._part,
                entry.seq,
                entry.seq,
                f"entry {entry.seq}{self._of} comes after {self.head.seq}: it was moved, or is there twice",
            )
            return
        if entry.seq > due:
            self._findings.add(self._part, due, entry.seq - 1, missing(due, entry.seq - 1) + self._of)
            self._links = set()
        if entry.hash != computed:
            self.note(entry.seq, f"entry {entry.seq}{self._of} was changed after it was written")
        elif self._links and entry.previous_hash not in self._links:
            self.note(entry.seq, f"entry {entry.seq}{self._of} does not follow the entry before it")
        self.head = Head(entry.seq, entry.hash)
        # Where only the hash was changed, the next entry still follows what it was computed from.
        self._links = {entry.hash, computed}

    def trust(self, entry: AuditEntry) -> None:
        """Go on behind an entry that was checked elsewhere."""
        self.entries += 1
        self.head = Head(entry.seq, entry.hash)
        self._links = {entry.hash}

    def pass_over(self, seq: int, detail: str) -> None:
        """Note what is wrong with an entry that cannot be read, and go on behind it."""
        self.entries += 1
        self.note(seq, detail)
        self.head = Head(max(seq, self.head.seq), "")
        self._links = set()

    def restart(self, after: Head) -> None:
        """Go on behind an entry that is not in here."""
        self.head = after
        self._links = {after.hash}

    def note(self, seq: int, detail: str) -> None:
        """Note a finding about one entry."""
        self._findings.add(self._part, seq, seq, detail)


def missing(first: int, last: int) -> str:
    """Return the words for entries that are not there."""
    if first == last:
        return f"entry {first} is missing"
    return f"entries {first} to {last} are missing"


def verify(entries: Iterable[AuditEntry], after: Head | None = None) -> ChainReport:
    """Check entries that have to follow ``after``, or to begin the chain, and to have no gap."""
    findings = Findings()
    walk = Walk("file", findings, after)
    for entry in entries:
        walk.take(entry)
    return findings.report(walk.head, walk.entries)
