"""Paces and quotas, kept in a file: all processes of a home share them and restarts forget nothing.

A request takes its turn, leaves, and says that it has left; until then nobody else has a turn, and
the pace counts from then, so that no two meet at the provider because one of them was slow to connect,
however many processes ask. Times are the wall
clock's, because monotonic clocks of different boots cannot be compared. This module must not know
of HTTP.
"""

from __future__ import annotations

import asyncio
import sqlite3
import threading
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

from data import forms
from data.problems import ProviderRateLimitedError, QuotaExhaustedError, StoreFailedError
from providers.core.spec import ProviderSpec

#: A last request further ahead than this is a clock that was set back.
_IMPLAUSIBLE_S = 86_400.0
#: A turn that was taken is waited for so long; whoever took it has died meanwhile.
_LEAVING_S = 15.0
#: How often one who waits looks whether another has left.
_LOOK_S = 0.02
_LAYOUT = """
CREATE TABLE IF NOT EXISTS pace (
    provider TEXT PRIMARY KEY, last REAL NOT NULL DEFAULT 0, leaving_until REAL NOT NULL DEFAULT 0,
    blocked_until REAL NOT NULL DEFAULT 0);
CREATE TABLE IF NOT EXISTS quota (
    provider TEXT, key TEXT, day TEXT, used INTEGER NOT NULL, PRIMARY KEY (provider, key, day));
"""


@dataclass(frozen=True, slots=True)
class Quota:
    """How much of a day's requests is used."""

    limit: int
    used: int
    ts_reset: int


class Ledger:
    """The file. Methods may be called from any thread."""

    def __init__(self, path: Path) -> None:
        """Open the file, making it if need be; raises StoreFailedError."""
        self._path = path
        self._lock = threading.Lock()
        self._turns: dict[str, asyncio.Lock] = {}
        try:
            path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            self._db = sqlite3.connect(path, timeout=30, isolation_level=None, check_same_thread=False)
            self._db.execute("PRAGMA journal_mode=WAL")
            self._db.executescript(_LAYOUT)
        except (sqlite3.Error, OSError) as error:
            raise _failed(path, error) from error
        path.chmod(0o600)

    def close(self) -> None:
        """Close the file."""
        with self._lock:
            self._db.close()

    async def take(self, spec: ProviderSpec, key: str, patience_s: float) -> None:
        """Wait for a turn and take it; what the day has left shrinks by one.

        Raises:
            QuotaExhaustedError: the day has nothing left.
            ProviderRateLimitedError: the turn would come later than ``patience_s`` from now.
            StoreFailedError: the file cannot be used: nothing may be asked then.
        """
        deadline = time.monotonic() + patience_s
        async with self._turns.setdefault(spec.name, asyncio.Lock()):
            while (wait := await asyncio.to_thread(self._try, spec, key)) > 0:
                if time.monotonic() + wait > deadline:
                    raise _limited(spec, time.time() + wait)
                await asyncio.sleep(wait)

    @contextmanager
    def _file(self) -> Iterator[sqlite3.Cursor]:
        """Give the file to one at a time; raises StoreFailedError for whatever is wrong with it."""
        with self._lock, closing(self._db.cursor()) as cursor:
            try:
                yield cursor
            except sqlite3.Error as error:
                raise _failed(self._path, error) from error
            finally:
                if self._db.in_transaction:
                    cursor.execute("ROLLBACK")

    def _try(self, spec: ProviderSpec, key: str) -> float:
        """Take a turn if it has come; return how long it will be, 0 if it was taken."""
        with self._file() as cursor:
            cursor.execute("BEGIN IMMEDIATE")
            wait = self._turn(cursor, spec, key, time.time())
            cursor.execute("COMMIT")
            return wait

    def _turn(self, cursor: sqlite3.Cursor, spec: ProviderSpec, key: str, now: float) -> float:
        quota = self._quota(cursor, spec, key, now)
        if quota is not None and quota.used >= quota.limit:
            raise exhausted(spec, quota)
        row = cursor.execute(
            "SELECT last, leaving_until, blocked_until FROM pace WHERE provider = ?", [spec.name]
        ).fetchone()
        last, leaving, blocked = row or (0.0, 0.0, 0.0)
        if spec.spacing_s and 0 < leaving - now <= _LEAVING_S:
            return _LOOK_S
        ready = max(blocked, last + spec.spacing_s)
        if 0 < ready - now < _IMPLAUSIBLE_S:
            return ready - now
        cursor.execute(
            "INSERT INTO pace VALUES (?, ?, ?, 0) ON CONFLICT (provider) DO UPDATE SET"
            " last = excluded.last, leaving_until = excluded.leaving_until, blocked_until = 0",
            [spec.name, now, now + _LEAVING_S],
        )
        if quota is not None:
            self._use(cursor, spec, key, now, quota.used + 1)
        return 0.0

    def sent(self, spec: ProviderSpec) -> None:
        """Note that the question for which a turn was taken has left: the next turn counts from now."""
        with self._file() as cursor:
            cursor.execute(
                "UPDATE pace SET last = ?, leaving_until = 0 WHERE provider = ?", [time.time(), spec.name]
            )

    def give_back(self, spec: ProviderSpec, key: str) -> None:
        """Note that the question for which a turn was taken will not leave: the day has it again."""
        with self._file() as cursor:
            cursor.execute("UPDATE pace SET leaving_until = 0 WHERE provider = ?", [spec.name])
            cursor.execute(
                "UPDATE quota SET used = max(0, used - 1) WHERE provider = ? AND key = ? AND day = ?",
                [spec.name, key, _day(spec, time.time()).isoformat()],
            )

    def hold_back(self, spec: ProviderSpec, seconds: float) -> None:
        """Ask nothing for a time, in any process: the provider said that it was too much."""
        with self._file() as cursor:
            cursor.execute(
                "INSERT INTO pace VALUES (?, 0, 0, ?) ON CONFLICT (provider) DO UPDATE SET"
                " blocked_until = max(blocked_until, excluded.blocked_until)",
                [spec.name, time.time() + seconds],
            )

    def use_up(self, spec: ProviderSpec, key: str) -> Quota | None:
        """Note that the provider says the day's requests are gone; return the quota as it stands."""
        if spec.daily_quota is None:
            return None
        now = time.time()
        with self._file() as cursor:
            self._use(cursor, spec, key, now, spec.daily_quota)
            return self._quota(cursor, spec, key, now)

    def quota(self, spec: ProviderSpec, key: str) -> Quota | None:
        """Return how much of the day's requests is used; None if the provider has no daily quota."""
        with self._file() as cursor:
            return self._quota(cursor, spec, key, time.time())

    def _use(self, cursor: sqlite3.Cursor, spec: ProviderSpec, key: str, now: float, used: int) -> None:
        cursor.execute(
            "INSERT INTO quota VALUES (?, ?, ?, ?)"
            " ON CONFLICT (provider, key, day) DO UPDATE SET used = excluded.used",
            [spec.name, key, _day(spec, now).isoformat(), used],
        )

    def _quota(self, cursor: sqlite3.Cursor, spec: ProviderSpec, key: str, now: float) -> Quota | None:
        if spec.daily_quota is None:
            return None
        day = _day(spec, now)
        row = cursor.execute(
            "SELECT used FROM quota WHERE provider = ? AND key = ? AND day = ?",
            [spec.name, key, day.isoformat()],
        ).fetchone()
        midnight = (day + timedelta(days=1)).replace(tzinfo=ZoneInfo(spec.quota_timezone))
        return Quota(spec.daily_quota, row[0] if row else 0, int(midnight.timestamp()) * forms.NANOS)


def _day(spec: ProviderSpec, now: float) -> datetime:
    moment = datetime.fromtimestamp(now, UTC).astimezone(ZoneInfo(spec.quota_timezone))
    return moment.replace(hour=0, minute=0, second=0, microsecond=0, tzinfo=None)


def exhausted(spec: ProviderSpec, quota: Quota) -> QuotaExhaustedError:
    """Return the error that says that a day's requests are used up."""
    reset = forms.iso(quota.ts_reset)
    return QuotaExhaustedError(
        f"{spec.label}: the day's {quota.limit} requests are used up",
        rule=f"{spec.label} allows {quota.limit} requests a day and key",
        fix=f"ask again after {reset}",
        reset=reset,
    )


def _limited(spec: ProviderSpec, until: float) -> ProviderRateLimitedError:
    text = forms.iso(int(until * forms.NANOS))
    return ProviderRateLimitedError(
        f"{spec.label} asks to wait until {text}",
        rule=f"{spec.label} allows {spec.pace}",
        fix=f"ask again after {text}",
        until=text,
    )


def _failed(path: Path, error: Exception) -> StoreFailedError:
    return StoreFailedError(
        f"the record of requests cannot be used: {error}",
        rule="nothing is asked of a provider that cannot be counted",
        fix=f"free disk space, or remove {path}",
        path=str(path),
    )
