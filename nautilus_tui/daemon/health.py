"""Is the daemon alive, is it ready, is what it tells true? Three different things.

Alive: it answers. Ready: the store writes and engines can be started. Truthful: every running
engine has been heard of a moment ago, its journal is stored to its end, and its feed is not stale.
This module must not know of HTTP.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable

import msgspec
import psutil

from data.records import EngineStatus, SystemHealth
from data.state import State
from engines.busy import Busy
from engines.supervisor import Supervisor
from nautilus_tui.daemon.sink import Sink

#: Heartbeats come once a second; an engine silent for longer is not known to be well.
SILENT_AFTER_S = 5.0
#: A feed that plays and is older than this is stale.
STALE_FEED_MS = 10_000.0
#: Journal entries that may be on their way from an engine to the store.
JOURNAL_SLACK = 1000
_UP = frozenset({"running", "degraded"})


class EngineHealth(msgspec.Struct, frozen=True, kw_only=True):
    """Whether one engine is well, and what is not."""

    id: str
    state: str
    healthy: bool
    problems: tuple[str, ...] = ()
    restarts: int = 0
    uptime_s: float | None = None
    loop_lag_ms: float | None = None
    feed_age_ms: float | None = None
    rss_bytes: int | None = None
    cpu_percent: float | None = None
    ts: int


class HealthWatch:
    """Looks at the parts of the daemon and says how they are."""

    def __init__(
        self,
        *,
        state: State,
        supervisor: Supervisor,
        sink: Sink,
        stream_clients: Callable[[], int],
        version: str,
        clock: Callable[[], int] = time.time_ns,
    ) -> None:
        self._state = state
        self._supervisor = supervisor
        self._sink = sink
        self._stream_clients = stream_clients
        self._version = version
        self._clock = clock
        self._started = time.monotonic()
        self._process = psutil.Process()
        self._more: list[Callable[[], Iterable[str]]] = []
        self._busy = Busy(time.process_time)

    def also(self, problems: Callable[[], Iterable[str]]) -> None:
        """Tell these problems too; what the daemon tells is true in spite of them."""
        self._more.append(problems)

    def engine(self, status: EngineStatus) -> EngineHealth:
        """Return whether an engine is well."""
        problems = self._engine_problems(status)
        return EngineHealth(
            id=status.id,
            state=status.state,
            healthy=status.state in _UP and not problems,
            problems=problems,
            restarts=status.restarts,
            uptime_s=status.uptime_s,
            loop_lag_ms=status.loop_lag_ms,
            feed_age_ms=status.feed_age_ms,
            rss_bytes=status.rss_bytes,
            cpu_percent=status.cpu_percent,
            ts=self._clock(),
        )

    def engines(self) -> list[EngineHealth]:
        """Return how every engine is."""
        return [self.engine(status) for status in self._supervisor.statuses()]

    def now(self) -> SystemHealth:
        """Return the daemon's health at this moment."""
        statuses = self._supervisor.statuses()
        running = [status for status in statuses if status.state in _UP]
        failed = [status for status in statuses if status.state == "error"]
        untrue = tuple(problem for status in running for problem in self._engine_problems(status))
        store = self._state.failure
        problems = untrue + tuple(f"{status.id}: {status.reason or 'failed'}" for status in failed)
        problems += tuple(self._sink.problems.values())
        if store is not None:
            problems += (f"store: {store}",)
        problems += tuple(problem for more in self._more for problem in more())
        return SystemHealth(
            alive=True,
            ready=store is None,
            truthful=None if not running else not untrue and store is None and not self._sink.problems,
            problems=problems,
            engines=len(statuses),
            engines_running=len(running),
            stream_clients=self._stream_clients(),
            store_ok=store is None,
            rss_bytes=self._process.memory_info().rss,
            cpu_percent=self._busy.percent(),
            uptime_s=round(time.monotonic() - self._started, 3),
            version=self._version,
            ts=self._clock(),
        )

    def _engine_problems(self, status: EngineStatus) -> tuple[str, ...]:
        if status.state not in _UP:
            return ()
        problems = []
        silent = (self._clock() - status.ts) / 1e9
        if silent > SILENT_AFTER_S:
            problems.append(f"{status.id}: not heard of for {silent:.0f} s")
        if status.state == "degraded":
            problems.append(f"{status.id}: {status.reason or 'degraded'}")
        behind = (status.journal_seq or 0) - self._state.last_seq(status.id)
        if behind > JOURNAL_SLACK:
            problems.append(f"{status.id}: {behind} journal entries are not stored yet")
        stale = status.feed_age_ms is not None and status.feed_age_ms > STALE_FEED_MS
        if stale and status.feed_detail not in ("paused", "finished"):
            problems.append(f"{status.id}: the feed is {status.feed_age_ms or 0:.0f} ms old")
        return tuple(problems)
