"""How every source of data is, in one shape; and telling providers' health when it changes.

Nobody is asked for it. This module must not know of HTTP.
"""

from __future__ import annotations

import time
from collections.abc import Callable

import msgspec

from data.bus import Bus
from data.facts import DataHealth, FeedHealth, ProviderHealth, ProviderState
from data.records import EngineStatus
from engines.supervisor import Supervisor
from nautilus_tui.daemon.health import HealthWatch
from nautilus_tui.daemon.research.desk import Providers

_BAD: tuple[ProviderState, ...] = ("degraded", "down")
_WORSE: tuple[ProviderState, ...] = ("unknown", "ok", "degraded", "down")
_UP = frozenset({"running", "degraded"})


class DataHealthWatch:
    """Looks at providers and feeds."""

    def __init__(
        self,
        *,
        providers: Providers,
        supervisor: Supervisor,
        health: HealthWatch,
        bus: Bus,
        clock: Callable[[], int] = time.time_ns,
    ) -> None:
        self._providers = providers
        self._supervisor = supervisor
        self._health = health
        self._bus = bus
        self._clock = clock
        self._told: dict[str, ProviderHealth] = {}

    async def provider(self, name: str) -> ProviderHealth:
        """Return how one provider is."""
        return next(health for health in await self._providers.health() if health.provider == name)

    async def now(self) -> DataHealth:
        """Return how every source of data is."""
        providers = tuple(await self._providers.health())
        feeds = tuple(self._feed(status) for status in self._supervisor.statuses())
        problems = [
            f"{one.label}: {one.reason or one.error or one.state}" for one in providers if one.state in _BAD
        ]
        problems += [f"{feed.engine}: {feed.detail or feed.state}" for feed in feeds if feed.state in _BAD]
        states = [one.state for one in providers if one.configured] + [feed.state for feed in feeds]
        return DataHealth(
            state=max(states, key=_severity, default="unknown"),
            problems=tuple(problems),
            providers=providers,
            feeds=feeds,
            ts=self._clock(),
        )

    def _feed(self, status: EngineStatus) -> FeedHealth:
        judged = self._health.engine(status)
        detail = "; ".join(judged.problems) or status.feed_detail or ""
        state: ProviderState = "ok"
        if status.state == "error":
            state, detail = "down", status.reason or "the engine failed"
        elif status.state not in _UP:
            state, detail = "unknown", f"the engine is {status.state}"
        elif judged.problems:
            state = "degraded"
        elif status.feed_age_ms is None:
            state, detail = "unknown", detail or "no price has come yet"
        return FeedHealth(
            engine=status.id,
            feed=status.feed,
            state=state,
            synthetic=status.synthetic,
            detail=detail,
            age_ms=status.feed_age_ms if status.state in _UP else None,
            ts=status.ts,
        )

    async def tell(self) -> None:
        """Publish the health of the providers that changed since it was told."""
        if self._providers.opened is None:
            return
        for health in await self._providers.health():
            told = self._told.get(health.provider)
            if told is None or msgspec.structs.replace(told, ts=health.ts) != health:
                self._told[health.provider] = health
                self._bus.publish_records((health,))


def _severity(state: ProviderState) -> int:
    return _WORSE.index(state) if state in _WORSE else 0
