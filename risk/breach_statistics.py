"""What breaches of limits come to: how many, how bad, how long, how soon somebody saw to them.

This module must not know where breaches are kept.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from statistics import median
from typing import NamedTuple

from data.limits import Breach

_MINUTE_NS = 60 * 1_000_000_000


class BreachStatistics(NamedTuple):
    """Breaches summed up. Durations are in minutes; None: there is nothing to measure."""

    total: int
    open: int
    acknowledged: int  #: by a person, at any time
    escalated: int  #: to somebody, at any time
    median_to_acknowledge: float | None
    median_to_resolve: float | None  #: of those that are resolved
    longest: float | None  #: open ones until ``now``
    worst_use: float | None  #: worst value ÷ limit
    actions: int
    actions_failed: int  #: failed, or nobody knows


class BreachCount(NamedTuple):
    """Breaches of one kind."""

    name: str
    total: int
    open: int
    worst_use: float | None
    minutes: float  #: together, open ones until ``now``


def statistics(breaches: Sequence[Breach], now: int) -> BreachStatistics:
    """Return breaches summed up, as of ``now`` (UTC ns)."""
    acknowledged = [
        (one.ts_acknowledged - one.ts_detected) / _MINUTE_NS
        for one in breaches
        if one.ts_acknowledged is not None
    ]
    resolved = [
        (one.ts_resolved - one.ts_detected) / _MINUTE_NS for one in breaches if one.ts_resolved is not None
    ]
    actions = [action for one in breaches for action in one.actions]
    uses = [use for one in breaches if (use := worst_use(one)) is not None]
    return BreachStatistics(
        total=len(breaches),
        open=sum(one.status != "resolved" for one in breaches),
        acknowledged=len(acknowledged),
        escalated=sum(one.ts_escalated is not None for one in breaches),
        median_to_acknowledge=median(acknowledged) if acknowledged else None,
        median_to_resolve=median(resolved) if resolved else None,
        longest=max((minutes(one, now) for one in breaches), default=None),
        worst_use=max(uses, default=None),
        actions=len(actions),
        actions_failed=sum(one.status in ("failed", "unknown") for one in actions),
    )


def counted(breaches: Sequence[Breach], by: Callable[[Breach], str], now: int) -> list[BreachCount]:
    """Return breaches counted by something, the most frequent first."""
    groups: dict[str, list[Breach]] = {}
    for one in breaches:
        groups.setdefault(by(one), []).append(one)
    found = [
        BreachCount(
            name=name,
            total=len(rows),
            open=sum(one.status != "resolved" for one in rows),
            worst_use=max((use for one in rows if (use := worst_use(one)) is not None), default=None),
            minutes=sum(minutes(one, now) for one in rows),
        )
        for name, rows in groups.items()
    ]
    return sorted(found, key=lambda one: (-one.total, one.name))


def minutes(breach: Breach, now: int) -> float:
    """Return how long a breach has lasted, in minutes."""
    end = now if breach.ts_resolved is None else breach.ts_resolved
    return max(end - breach.ts_detected, 0) / _MINUTE_NS


def worst_use(breach: Breach) -> float | None:
    """Return the worst value as a multiple of the limit; None for a limit of zero."""
    return float(abs(breach.worst) / breach.limit) if breach.limit else None
