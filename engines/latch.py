"""The kill switch's latch on the disk: an engine that it holds neither starts nor sends an order.

It is written and synced before anything else is done, so that it holds whatever dies afterwards. A file
that cannot be read holds every engine. What was pulled and released is kept, a line each, in a log. This
module must not know how an engine is reached.
"""

from __future__ import annotations

import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import msgspec

from data.durable import sync_folder, write_whole
from data.kill import UNLOCK_PHRASE, KillOrder, KillStatus
from data.paths import Home
from data.problems import ConflictError, ForbiddenError, UnavailableError


class Latched(msgspec.Struct, frozen=True, kw_only=True):
    """What the latch says: the kills since it was last released, and how the last of them went."""

    orders: tuple[KillOrder, ...]
    everything: bool = False  #: engines that no order names are held, too: the file before was damaged
    status: KillStatus | None = None  #: as last told by whoever pulled it
    damage: str | None = None  #: why the file cannot be read; it then holds every engine

    def holds(self, engine: str) -> bool:
        """Whether an engine may neither start nor trade."""
        return (
            self.everything
            or self.damage is not None
            or any(order.engine in (None, engine) for order in self.orders)
        )

    def order_for(self, engine: str) -> KillOrder | None:
        """Return the latest kill that concerns an engine."""
        found = [order for order in self.orders if order.engine in (None, engine)]
        return found[-1] if found else None

    def sentence(self, engine: str) -> str:
        """Return why an engine is held: who pulled the switch and when."""
        order = self.order_for(engine)
        if order is None:
            return f"the kill switch's latch cannot be read ({self.damage or 'it was damaged'}), so it holds"
        said = f": {order.reason}" if order.reason else ""
        return f"the kill switch was pulled by {order.by} ({order.via}) at {_clock(order.ts)}{said}"


class KillLog(msgspec.Struct, frozen=True, kw_only=True):
    """A line of the log: what happened to the latch."""

    ts: int
    what: str  #: ``pulled``, ``ended`` or ``released``
    status: KillStatus


class Latch:
    """The latch of one home. Every call reads the file anew: several processes share it."""

    def __init__(self, home: Home) -> None:
        self._path = home.kill_latch
        self._lock = home.root / "kill.lock"
        self.log = home.root / "kill.log"  #: what was pulled and released, a line each

    @property
    def path(self) -> Path:
        """The file whose presence is the latch."""
        return self._path

    def read(self) -> Latched | None:
        """Return what the latch says, or None if there is none."""
        try:
            return msgspec.json.decode(self._path.read_bytes(), type=Latched)
        except FileNotFoundError:
            return None
        except (OSError, msgspec.MsgspecError) as error:
            return Latched(orders=(), damage=str(error))

    def held(self, engine: str) -> Latched | None:
        """Return what the latch says if it holds an engine, else None."""
        found = self.read()
        return found if found is not None and found.holds(engine) else None

    def problem(self, engine: str) -> ConflictError | None:
        """Return why an engine may not start — who pulled the switch, how it is released — or None."""
        found = self.held(engine)
        if found is None:
            return None
        return ConflictError(
            f"engine {engine} does not start: {found.sentence(engine)}",
            rule="no engine starts or sends an order while the kill switch is latched",
            fix=f"nautilus-tui unlock, and type: {UNLOCK_PHRASE}",
            engine=engine,
        )

    def add(self, order: KillOrder) -> Latched:
        """Put a kill on the disk, beside those that are there, and return what the latch says now.

        Raises
        ------
        UnavailableError
            If it cannot be written.

        """
        with self._alone():
            before = self.read() or Latched(orders=())
            everything = before.everything or before.damage is not None
            if before.damage is not None:
                self._path.replace(self._path.with_suffix(".damaged"))
            latched = Latched(orders=(*before.orders, order), everything=everything)
            self._write(latched)
        return latched

    def tell(self, status: KillStatus) -> None:
        """Keep how the kill goes, if the latch is still there; raises `UnavailableError`."""
        with self._alone():
            latched = self.read()
            if latched is not None and latched.damage is None:
                self._write(msgspec.structs.replace(latched, status=status))

    def release(self, only: KillOrder | None = None) -> Latched | None:
        """Take the latch off, or one kill only; return what it still says, None: nothing.

        Raises
        ------
        ConflictError
            If there is no latch.
        UnavailableError
            If the file cannot be removed.

        """
        with self._alone():
            latched = self.read()
            if latched is None:
                raise ConflictError(
                    "the kill switch is armed: nothing is latched", rule="only a latched switch is released"
                )
            left = tuple(order for order in latched.orders if only is not None and order.id != only.id)
            if only is not None and (left or latched.everything or latched.damage is not None):
                kept = msgspec.structs.replace(latched, orders=left)
                if latched.damage is None:
                    self._write(kept)
                return kept
            try:
                self._path.unlink()
                sync_folder(self._path.parent)
            except OSError as error:
                raise _unwritable(self._path, error) from error
        return None

    # ------------------------------------------------------------ the log

    def note(self, what: str, status: KillStatus) -> None:
        """Append a line to the log; raises `UnavailableError`."""
        line = msgspec.json.encode(KillLog(ts=time.time_ns(), what=what, status=status)) + b"\n"
        try:
            with self.log.open("ab") as file:
                file.write(line)
        except OSError as error:
            raise _unwritable(self.log, error) from error

    def last_noted(self) -> KillLog | None:
        """Return the last line of the log that can be read."""
        try:
            with self.log.open("rb") as file:
                file.seek(max(0, self.log.stat().st_size - (1 << 16)))
                lines = file.read().splitlines()
        except FileNotFoundError:
            return None
        for line in reversed(lines):
            try:
                return msgspec.json.decode(line, type=KillLog)
            except msgspec.MsgspecError:
                continue  # cut off by a crash, or the rest of a line that begins before what was read
        return None

    # ------------------------------------------------------------ the disk

    @contextmanager
    def _alone(self) -> Iterator[None]:
        """Hold other processes off while the file is read and written."""
        try:
            descriptor = os.open(self._lock, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError as error:
            raise _unwritable(self._lock, error) from error
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX)
            yield
        finally:
            os.close(descriptor)

    def _write(self, latched: Latched) -> None:
        try:
            write_whole(self._path, msgspec.json.encode(latched), mode=0o600)
        except OSError as error:
            raise _unwritable(self._path, error) from error


def check_phrase(phrase: str) -> None:
    """Do nothing if the phrase is the one; raises `ForbiddenError`."""
    if phrase.strip() != UNLOCK_PHRASE:
        raise ForbiddenError(
            "the kill switch stays latched: that is not the phrase",
            rule=f"to release it, type exactly: {UNLOCK_PHRASE}",
            fix=f'nautilus-tui unlock --phrase "{UNLOCK_PHRASE}"',
        )


def _clock(ts: int) -> str:
    seconds, rest = divmod(ts, 10**9)
    return time.strftime("%Y-%m-%d %H:%M:%S", time.gmtime(seconds)) + f".{rest // 10**6:03d} UTC"


def _unwritable(path: Path, error: OSError) -> UnavailableError:
    return UnavailableError(
        f"the kill switch cannot write {path}: {error.strerror}",
        rule="the latch is on the disk before anything else is done",
        fix="make room on the disk, then pull the switch again",
    )
