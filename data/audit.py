"""The audit chain: each entry carries the hash of the one before, so that none can be changed or taken out.

Pure arithmetic over entries. This module must not know where entries are kept or who writes them.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable

import msgspec

from data.records import AuditEntry

#: What the first entry follows.
GENESIS = "0" * 64


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


class ChainReport(msgspec.Struct, frozen=True, kw_only=True):
    """What verifying a chain found. ``broken_at`` is the first bad sequence number; None: the chain holds."""

    entries: int
    last_hash: str
    broken_at: int | None = None
    reason: str | None = None


def entry_hash(entry: AuditEntry) -> str:
    """Return the SHA-256 of an entry's fields, its own hash left out, in their declared order."""
    fields = [getattr(entry, name) for name in entry.__struct_fields__ if name != "hash"]
    return hashlib.sha256(msgspec.json.encode(fields)).hexdigest()


def chained(draft: AuditDraft, seq: int, previous_hash: str) -> AuditEntry:
    """Return the draft as the chain's next entry."""
    fields = msgspec.structs.asdict(draft)
    entry = AuditEntry(seq=seq, previous_hash=previous_hash, hash="", **fields)
    return msgspec.structs.replace(entry, hash=entry_hash(entry))


def verify(entries: Iterable[AuditEntry], begun: ChainReport | None = None) -> ChainReport:
    """Check entries in order of their sequence numbers, which begin at 1 and have no gap.

    ``begun`` is the report on the entries before these, if a long chain is checked piece by piece.
    """
    count, previous = (begun.entries, begun.last_hash) if begun else (0, GENESIS)
    for entry in entries:
        reason = _break(entry, count + 1, previous)
        if reason:
            return ChainReport(entries=count, last_hash=previous, broken_at=count + 1, reason=reason)
        count, previous = count + 1, entry.hash
    return ChainReport(entries=count, last_hash=previous)


def _break(entry: AuditEntry, seq: int, previous: str) -> str | None:
    if entry.seq != seq:
        return f"entry {seq} is missing: entry {entry.seq} follows entry {seq - 1}"
    if entry.previous_hash != previous:
        return f"entry {seq} does not follow the entry before it"
    if entry.hash != entry_hash(entry):
        return f"entry {seq} was changed after it was written"
    return None
