"""Answers as they came, kept in a file with the time they came: fresh ones spare a request, old ones
are the last good value when the provider fails.

The providers' own headers forbid caching or say nothing, so how long an answer is fresh is decided
by who asks. Keys have no credentials in them. This module must not know of HTTP.
"""

from __future__ import annotations

import sqlite3
import threading
import zlib
from dataclasses import dataclass
from pathlib import Path

from data import forms
from data.problems import StoreFailedError

#: Answers older than this are forgotten, and the oldest when all of them take more than that.
_KEEP_NS = 400 * 86_400 * forms.NANOS
_MAX_BYTES = 512_000_000
_PRUNE_EVERY = 200
_LAYOUT = """
CREATE TABLE IF NOT EXISTS answers (
    key TEXT PRIMARY KEY, provider TEXT NOT NULL, fetched_at INTEGER NOT NULL,
    content_type TEXT NOT NULL, size INTEGER NOT NULL, fresh INTEGER NOT NULL, body BLOB NOT NULL);
CREATE INDEX IF NOT EXISTS answers_by_age ON answers (fetched_at);
"""


@dataclass(frozen=True, slots=True)
class Kept:
    """An answer that was kept."""

    content: bytes
    content_type: str
    fetched_at: int
    fresh: bool = True  #: False: it was asked to be fetched anew


class Cache:
    """The file. Methods may be called from any thread."""

    def __init__(self, path: Path) -> None:
        """Open the file, making it if need be; raises StoreFailedError."""
        self._path = path
        self._lock = threading.Lock()
        self._puts = 0
        try:
            path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            self._db = sqlite3.connect(path, timeout=30, isolation_level=None, check_same_thread=False)
            self._db.execute("PRAGMA journal_mode=WAL")
            self._db.execute("PRAGMA synchronous=NORMAL")
            self._db.executescript(_LAYOUT)
        except (sqlite3.Error, OSError) as error:
            raise self._failed(error) from error
        path.chmod(0o600)

    def close(self) -> None:
        """Close the file."""
        with self._lock:
            self._db.close()

    def get(self, key: str) -> Kept | None:
        """Return a kept answer, however old."""
        with self._lock:
            try:
                row = self._db.execute(
                    "SELECT body, content_type, fetched_at, fresh FROM answers WHERE key = ?", [key]
                ).fetchone()
            except sqlite3.Error as error:
                raise self._failed(error) from error
        return None if row is None else Kept(zlib.decompress(row[0]), row[1], row[2], bool(row[3]))

    def put(self, key: str, provider: str, kept: Kept) -> None:
        """Keep an answer in place of an earlier one."""
        packed = zlib.compress(kept.content, 1)
        with self._lock:
            try:
                self._db.execute(
                    "INSERT OR REPLACE INTO answers VALUES (?, ?, ?, ?, ?, 1, ?)",
                    [key, provider, kept.fetched_at, kept.content_type, len(packed), packed],
                )
                if self._puts % _PRUNE_EVERY == 0:
                    self._prune(kept.fetched_at)
            except sqlite3.Error as error:
                raise self._failed(error) from error
            self._puts += 1

    def _prune(self, now: int) -> None:
        self._db.execute("DELETE FROM answers WHERE fetched_at < ?", [now - _KEEP_NS])
        self._db.execute(
            "DELETE FROM answers WHERE key IN (SELECT key FROM (SELECT key,"
            " sum(size) OVER (ORDER BY fetched_at DESC, key) AS total FROM answers) WHERE total > ?)",
            [_MAX_BYTES],
        )

    def expire(self, provider: str) -> int:
        """Let no answer of a provider count as fresh; they stay as last good values. Return how many."""
        with self._lock:
            try:
                expired = self._db.execute("UPDATE answers SET fresh = 0 WHERE provider = ?", [provider])
                return expired.rowcount
            except sqlite3.Error as error:
                raise self._failed(error) from error

    def _failed(self, error: Exception) -> StoreFailedError:
        return StoreFailedError(
            f"the cache of providers' answers cannot be used: {error}",
            rule="answers are kept for when a provider fails",
            fix=f"free disk space, or remove {self._path}",
            path=str(self._path),
        )
