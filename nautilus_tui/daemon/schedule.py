"""What the daemon does by the clock: publish its health, compact the history.

What changes something goes through the door like everyone's commands. This module must not know
how any of it is done.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from typing import TYPE_CHECKING

from data.bus import Bus
from data.commands import AnyCommand, CompactHistory, Outcome
from nautilus_tui.daemon.health import HealthWatch
from nautilus_tui.daemon.principal import Principal

if TYPE_CHECKING:
    from apscheduler.events import JobExecutionEvent
    from apscheduler.schedulers.asyncio import AsyncIOScheduler

SCHEDULE = Principal(name="schedule", role="admin", via="schedule")

logger = logging.getLogger(__name__)


class Schedule:
    """Runs the daemon's regular work on its event loop; ``more`` adds what others do by the clock."""

    def __init__(
        self,
        *,
        bus: Bus,
        health: HealthWatch,
        execute: Callable[[AnyCommand, Principal], Awaitable[Outcome]],
        health_seconds: float,
        compaction_minutes: int,
        more: Sequence[Callable[[AsyncIOScheduler], None]] = (),
    ) -> None:
        self._bus = bus
        self._health = health
        self._execute = execute
        self._health_seconds = health_seconds
        self._compaction_minutes = compaction_minutes
        self._more = more
        self._scheduler: AsyncIOScheduler | None = None

    async def start(self) -> None:
        """Publish the daemon's health at once; begin the rest on the running loop."""
        self._bus.publish_records((self._health.now(),))
        self._scheduler = scheduler = await asyncio.to_thread(_scheduler)
        once = {"max_instances": 1, "coalesce": True, "misfire_grace_time": None}
        scheduler.add_job(self._publish_health, "interval", seconds=self._health_seconds, id="health", **once)
        scheduler.add_job(
            self._compact, "interval", minutes=self._compaction_minutes, id="compaction", **once
        )
        for plan in self._more:
            plan(scheduler)
        scheduler.start()

    def publish_health_every(self, seconds: float) -> None:
        """Publish the daemon's health at this interval from now on."""
        self._health_seconds = seconds
        self._reschedule("health", seconds=seconds)

    def compact_every(self, minutes: int) -> None:
        """Compact the history at this interval from now on."""
        self._compaction_minutes = minutes
        self._reschedule("compaction", minutes=minutes)

    def _reschedule(self, job: str, **interval: float) -> None:
        if self._scheduler is not None:  # else it begins with the new interval
            self._scheduler.reschedule_job(job, trigger="interval", **interval)

    def stop(self) -> None:
        """Begin nothing more."""
        if self._scheduler is not None and self._scheduler.running:
            self._scheduler.shutdown(wait=False)

    async def _publish_health(self) -> None:
        self._bus.publish_records((self._health.now(),))

    async def _compact(self) -> None:
        outcome = await self._execute(CompactHistory(), SCHEDULE)
        if outcome.problem is not None:
            logger.warning("scheduled compaction: %s", outcome.problem.detail)


def _scheduler() -> AsyncIOScheduler:
    # loaded when the daemon is ready: nothing is due in its first second
    from apscheduler.events import EVENT_JOB_ERROR
    from apscheduler.schedulers.asyncio import AsyncIOScheduler

    scheduler = AsyncIOScheduler(timezone="UTC")
    scheduler.add_listener(_log_failure, EVENT_JOB_ERROR)
    logging.getLogger("apscheduler.executors.default").addFilter(_failed)
    return scheduler


def _failed(record: logging.LogRecord) -> bool:
    """Tell whether the scheduler's record is of a failure: work that a stop cuts off has not failed."""
    return not (record.exc_info and isinstance(record.exc_info[1], asyncio.CancelledError))


def _log_failure(event: JobExecutionEvent) -> None:
    if not isinstance(event.exception, asyncio.CancelledError):
        logger.error("scheduled %s failed", event.job_id, exc_info=event.exception)
