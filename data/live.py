"""What was recorded and not compacted yet: the rows of segments, read once and kept as they grow.

A chart asks every few seconds; only what was appended since is read again. This module must not know
of partitions.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from threading import Lock

from data import segments
from data.compaction import by_series
from data.rows import Rows, Series, joined

#: Beyond this many rows in memory a segment is read each time anew.
_KEEP_ROWS = 4_000_000
#: So many flushes of a series become one run of rows, so that a question does not look at each.
_MANY = 64


@dataclass(slots=True)
class _Seen:
    end: int = 0
    rows: dict[Series, list[Rows]] = field(default_factory=dict)
    count: int = 0


class LiveTail:
    """Follows the segments under ``folder``. Safe to use from several threads."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._seen: dict[str, _Seen] = {}
        self._lock = Lock()

    def read(self) -> dict[Path, Mapping[Series, list[Rows]]]:
        """Return the rows of every segment there is.

        Raises:
            FileNotFoundError: A segment was finished or absorbed meanwhile: ask again.
            StoreFailedError: A segment cannot be read.
        """
        with self._lock:
            found = segments.waiting(self._folder)
            names = {_name(path) for path in found}
            for gone in self._seen.keys() - names:
                del self._seen[gone]
            answer = {path: self._read_one(path) for path in found}
            while sum(one.count for one in self._seen.values()) > _KEEP_ROWS:
                del self._seen[next(iter(self._seen))]
            return answer

    def _read_one(self, path: Path) -> Mapping[Series, list[Rows]]:
        seen = self._seen.setdefault(_name(path), _Seen())
        if path.stat().st_size > seen.end:
            reading = segments.read(path, seen.end)
            if reading.frames:
                for series, rows in by_series(reading.frames).items():
                    # New lists, for readers hold the old ones.
                    gathered = [*seen.rows.get(series, []), *rows]
                    seen.rows[series] = gathered if len(gathered) < _MANY else [joined(gathered)]
                    seen.count += sum(len(some) for some in rows)
                seen.end = reading.end
        return dict(seen.rows)


def _name(path: Path) -> str:
    # A segment keeps its rows when it is finished and renamed.
    return f"{path.parent.name}/{path.stem}"
