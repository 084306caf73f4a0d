"""What an engine's gate goes by, on the engine's own disk: written whole or not at all, with a checksum.

The file holds while the daemon is dead. One that is missing or damaged is said to be so and is never
repaired by a guess: without limits the gate denies. This module must not know who sends limits or how an
order is judged.
"""

from __future__ import annotations

import hashlib
import time
from pathlib import Path

import msgspec

from data.durable import write_whole
from data.limits import GateBook
from data.problems import UnavailableError
from engines.spec import EngineSpec
from risk.limits import seed_limits

_FIX = "start the daemon: it sends an engine its limits when it connects"


class _Kept(msgspec.Struct, frozen=True, kw_only=True):
    """The file: the book as JSON, and the SHA-256 of exactly these bytes."""

    sha256: str
    book: msgspec.Raw


def seeded(spec: EngineSpec) -> GateBook:
    """Return the book of an engine of which nothing is known but what it is started with."""
    now = time.time_ns()
    return GateBook(engine=spec.engine, version=0, limits=seed_limits(spec.limits, spec.engine, now), ts=now)


class GateFile:
    """One engine's limits on its disk."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def read(self) -> GateBook:
        """Return what the gate goes by.

        Raises
        ------
        UnavailableError
            If there is no file, or it is not what was written: the gate then has no limits.

        """
        try:
            kept = msgspec.json.decode(self._path.read_bytes(), type=_Kept)
            payload = bytes(kept.book)
            if hashlib.sha256(payload).hexdigest() != kept.sha256:
                raise _damaged(self._path, "its checksum is not that of its content")
            return msgspec.json.decode(payload, type=GateBook)
        except FileNotFoundError:
            raise UnavailableError(
                f"there is no limits file {self._path}", rule="without limits no order is sent", fix=_FIX
            ) from None
        except (OSError, msgspec.MsgspecError) as error:
            raise _damaged(self._path, str(error)) from error

    def write(self, book: GateBook) -> None:
        """Put a book in place of the one that is there; when this returns it is on the disk.

        Raises
        ------
        UnavailableError
            If it cannot be written; what was there before is still there.

        """
        payload = msgspec.json.encode(book)
        kept = _Kept(sha256=hashlib.sha256(payload).hexdigest(), book=msgspec.Raw(payload))
        try:
            self._path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            write_whole(self._path, msgspec.json.encode(kept), mode=0o600)
        except OSError as error:
            raise UnavailableError(
                f"the limits cannot be written to {self._path}: {error.strerror}",
                rule="limits hold when they are on the engine's disk",
                fix="mend the disk; the limits before hold until then",
            ) from error


def _damaged(path: Path, reason: str) -> UnavailableError:
    return UnavailableError(
        f"the limits file {path} is damaged: {reason}", rule="without limits no order is sent", fix=_FIX
    )
