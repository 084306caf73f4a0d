"""How much of limits was used over time, summed up by the store: there may be millions of minutes.

This module must not know what the summary is for.
"""

from __future__ import annotations

from typing import Final

import msgspec

from data.database import Database
from data.use_store import MINUTE_NS

#: Limits of which the use is drawn over time, and points of each line at most.
LINES: Final = 5
POINTS: Final = 200


class UseOverTime(msgspec.Struct, frozen=True, kw_only=True):
    """The use (value ÷ limit) of one limit over the minutes that were looked at."""

    limit_id: str
    minutes: int
    mean: float
    p95: float  #: nearest rank
    highest: float  #: within any minute
    latest: float
    warned: float  #: share of the minutes in which it reached the warning level
    over: float  #: share of the minutes in which it reached the limit


class UsePoint(msgspec.Struct, frozen=True, kw_only=True):
    """The highest use of one limit within a stretch of minutes."""

    limit_id: str
    ts: int  #: the stretch's start, UTC ns
    highest: float


class UseHistory(msgspec.Struct, frozen=True, kw_only=True):
    """Use over time of all limits, the most used first, and of the most used as lines."""

    limits: tuple[UseOverTime, ...] = ()
    points: tuple[UsePoint, ...] = ()  #: by time
    width: int = 1  #: minutes that a point stands for


class UseSummary:
    """Sums up what the store keeps of limits' use."""

    def __init__(self, db: Database) -> None:
        self._db = db

    async def history(self, since: int, *, scope: str | None = None, warn: float = 0.8) -> UseHistory:
        """Return use from a minute (since the epoch) on.

        A minute counts with the use at its end, and for what was reached with the highest within it. Minutes
        in which the limit was zero have no use and do not count.

        Args:
            since: The first minute.
            scope: Only limits of this scope, e.g. ``engine:paper-1``.
            warn: Use from which a limit warns.
        """
        where = "minute >= ? AND counted > 0" + ("" if scope is None else " AND contains(limit_id, ?)")
        values: list[object] = [since] if scope is None else [since, f":{scope}:"]
        rows = await self._db.read(
            "SELECT limit_id, count(*), avg(value / counted), quantile_disc(value / counted, 0.95),"
            " max(worst), arg_max(value / counted, minute), avg((worst >= ?)::INT), avg((worst >= 1)::INT),"
            f" min(minute), max(minute) FROM limit_use WHERE {where}"
            " GROUP BY limit_id ORDER BY max(worst) DESC, limit_id",
            [warn, *values],
        )
        if not rows:
            return UseHistory()
        drawn = [row[0] for row in rows[:LINES]]
        first, last = min(row[8] for row in rows[:LINES]), max(row[9] for row in rows[:LINES])
        width = max(1, -(-(last - first + 1) // POINTS))
        points = await self._db.read(
            f"SELECT limit_id, ? + (minute - ?) // ? * ? AS start, max(worst) FROM limit_use WHERE {where}"
            f" AND limit_id IN ({', '.join('?' * len(drawn))}) GROUP BY 1, 2 ORDER BY 2, 1",
            [first, first, width, width, *values, *drawn],
        )
        return UseHistory(
            limits=tuple(
                UseOverTime(
                    limit_id=name,
                    minutes=minutes,
                    mean=mean,
                    p95=p95,
                    highest=highest,
                    latest=latest,
                    warned=warned,
                    over=over,
                )
                for name, minutes, mean, p95, highest, latest, warned, over, _, _ in rows
            ),
            points=tuple(
                UsePoint(limit_id=name, ts=int(start) * MINUTE_NS, highest=highest)
                for name, start, highest in points
            ),
            width=width,
        )
