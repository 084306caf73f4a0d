"""What an engine's journal holds: records as the world sees them, each with the engine's own event.

The record is enough for anyone who only reads; the native event (opaque bytes here) lets a new
process rebuild the engine's state exactly. This module must not know NautilusTrader.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import msgspec

from data import journal
from data.problems import JournalFailedError
from data.records import JournalRecord


class BookEntry(msgspec.Struct, frozen=True, array_like=True):
    """One journal entry. ``native`` is empty where the record follows from another entry's event."""

    record: JournalRecord
    native: bytes = b""


_encoder = msgspec.msgpack.Encoder()
_decoder = msgspec.msgpack.Decoder(BookEntry)


def encode(entry: BookEntry) -> bytes:
    """Return the entry as it lies in the journal."""
    return _encoder.encode(entry)


def decode(payload: bytes, seq: int) -> BookEntry:
    """Return the entry that was written as ``payload``.

    Raises
    ------
    JournalFailedError
        If the bytes are intact but not an entry: the journal was written by something else.

    """
    try:
        return _decoder.decode(payload)
    except msgspec.MsgspecError as error:
        raise JournalFailedError(
            f"journal entry {seq} is not a book entry: {error}",
            rule="an engine's journal holds book entries of this version",
            fix="move the journal aside and start the engine anew",
        ) from error


def read_records(path: Path, after: int) -> Iterator[JournalRecord]:
    """Yield the records behind sequence number ``after`` of an engine that may be dead or alive."""
    for seq, payload in journal.read(path, after):
        yield decode(payload, seq).record
