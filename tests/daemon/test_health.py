"""Alive, ready and truthful are three things; and what the clock makes the daemon do."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from pathlib import Path

import msgspec
import pytest

from data import topics
from data.bus import Bus
from data.commands import AnyCommand, CompactHistory, Outcome
from data.paths import Home
from data.problems import UnavailableError
from data.records import EngineStatus, SystemHealth
from data.state import State
from engines.spec import EngineSpec
from engines.supervisor import Supervisor
from nautilus_tui.daemon.health import HealthWatch
from nautilus_tui.daemon.present import Present
from nautilus_tui.daemon.principal import Principal
from nautilus_tui.daemon.schedule import SCHEDULE, Schedule
from nautilus_tui.daemon.sink import Sink
from nautilus_tui.daemon.watch import OrderWatch
from tests.daemon.records import T0, no_journal, order, status


class Known(Supervisor):
    """A supervisor without processes that knows what it is told engines are."""

    told: Sequence[EngineStatus] = ()

    def statuses(self) -> list[EngineStatus]:
        return list(self.told)


class Parts:
    """A health watch over a real store."""

    def __init__(self, root: Path) -> None:
        self.now = T0
        self.state = State(root / "state.duckdb")
        self.state.open()
        present = Present()
        self.bus = Bus("epoch", present.snapshot)
        self.sink = Sink(self.state, self.bus, present, OrderWatch(), no_journal)
        self.supervisor = Known(Home(root), self.sink, [EngineSpec(engine="paper-1")])
        self.health = HealthWatch(
            state=self.state,
            supervisor=self.supervisor,
            sink=self.sink,
            stream_clients=lambda: 3,
            version="1",
            clock=lambda: self.now,
        )

    def now_with(self, *engines: EngineStatus) -> SystemHealth:
        self.supervisor.told = engines
        return self.health.now()


@pytest.fixture
async def parts(tmp_path: Path) -> AsyncIterator[Parts]:
    made = Parts(tmp_path)
    yield made
    made.state.close()


def changed(**fields: object) -> EngineStatus:
    return msgspec.structs.replace(status(), **fields)


def test_without_engines_there_is_nothing_to_be_truthful_about(parts: Parts) -> None:
    health = parts.now_with(status("stopped"))
    assert (health.alive, health.ready, health.truthful) == (True, True, None)
    assert (health.engines, health.engines_running, health.stream_clients) == (1, 0, 3)
    assert health.rss_bytes > 0


def test_a_running_engine_that_is_heard_of_is_true(parts: Parts) -> None:
    assert parts.now_with(status()).truthful is True
    assert parts.health.engine(status()).healthy


@pytest.mark.parametrize(
    ("engine", "said"),
    [
        (changed(ts=T0 - 6_000_000_000), "not heard of for 6 s"),
        (changed(state="degraded", reason="the link is silent"), "the link is silent"),
        (changed(journal_seq=5000), "5000 journal entries are not stored yet"),
        (changed(feed_age_ms=20_000.0), "the feed is 20000 ms old"),
    ],
)
def test_what_is_not_known_to_be_true_is_said(parts: Parts, engine: EngineStatus, said: str) -> None:
    health = parts.now_with(engine)
    assert health.truthful is False
    assert health.problems == (f"paper-1: {said}",)
    assert not parts.health.engine(engine).healthy


def test_a_paused_feed_is_not_stale(parts: Parts) -> None:
    assert parts.now_with(changed(feed_age_ms=1e9, feed_detail="paused")).truthful is True


def test_a_failed_engine_is_a_problem_and_not_an_untruth(parts: Parts) -> None:
    health = parts.now_with(status(), changed(id="paper-2", state="error", reason="no memory"))
    assert health.truthful is True
    assert health.problems == ("paper-2: no memory",)


async def test_missing_journal_entries_are_an_untruth(parts: Parts) -> None:
    await parts.sink.journalled("paper-1", [order("A", seq=9)])
    await parts.sink.close()
    health = parts.now_with(status())
    assert health.truthful is False
    assert health.problems == ("journal entries 1 to 8 of paper-1 are missing",)


async def test_the_clock_publishes_health_and_compacts_through_the_door(parts: Parts) -> None:
    knocked: list[tuple[AnyCommand, Principal]] = []
    twice = asyncio.Event()

    async def door(command: AnyCommand, principal: Principal) -> Outcome:
        knocked.append((command, principal))
        if len(knocked) == 2:
            twice.set()
        problem = UnavailableError("not now").document()
        return Outcome(command_id="c", command="history.compact", outcome="failed", problem=problem)

    schedule = Schedule(
        bus=parts.bus, health=parts.health, execute=door, health_seconds=0.02, compaction_minutes=1
    )
    published = asyncio.Event()
    parts.bus.subscribe(lambda events: published.set() if events[0].seq >= 3 else None)
    await schedule.start()
    assert schedule._scheduler is not None
    schedule._scheduler.reschedule_job("compaction", trigger="interval", seconds=0.02)
    async with asyncio.timeout(60):
        await published.wait()
        await twice.wait()
    schedule.stop()
    schedule.stop()
    assert parts.bus.latest(topics.HEALTH)
    assert knocked[0] == (CompactHistory(), SCHEDULE)
