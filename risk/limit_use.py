"""How much of limits was used over time.

This module must not know where samples are kept.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from data.use_store import UseSample


class UseOverTime(NamedTuple):
    """The use (value ÷ limit) of one limit over the minutes that were looked at."""

    limit_id: str
    minutes: int
    mean: float
    p95: float  #: nearest rank
    highest: float  #: within any minute
    latest: float
    warned: float  #: share of the minutes at or above ``warn``
    over: float  #: share of the minutes at or above the limit


def over_time(samples: Iterable[UseSample], warn: float = 0.8) -> list[UseOverTime]:
    """Return the use of each limit over time, the highest first.

    A minute counts with the use at its end, and for what was exceeded with the highest within it. Minutes
    in which the limit was zero have no use and do not count.
    """
    by_limit: dict[str, list[UseSample]] = {}
    for one in samples:
        if one.limit > 0:
            by_limit.setdefault(one.limit_id, []).append(one)
    found = []
    for limit_id, rows in by_limit.items():
        rows.sort(key=lambda one: one.minute)
        uses = [one.value / one.limit for one in rows]
        ranked = sorted(uses)
        found.append(
            UseOverTime(
                limit_id=limit_id,
                minutes=len(rows),
                mean=sum(uses) / len(uses),
                p95=ranked[-(-len(ranked) * 95 // 100) - 1],
                highest=max(one.worst for one in rows),
                latest=uses[-1],
                warned=sum(one.worst >= warn for one in rows) / len(rows),
                over=sum(one.worst >= 1.0 for one in rows) / len(rows),
            )
        )
    return sorted(found, key=lambda one: (-one.highest, one.limit_id))
