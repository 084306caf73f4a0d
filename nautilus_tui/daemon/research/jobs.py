"""What is asked of providers by the clock: facts at the start, after releases, and new filings.

Days and times are New York's, where what is asked for is published. Nothing that is counted by the
day is asked for by itself, but one calendar of earnings. This module must not know how anything is
asked.
"""

from __future__ import annotations

import datetime as dt
import logging
import time
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING

from data.macro import ReleaseDate
from data.problems import NotConfiguredError, ProblemError
from nautilus_tui.daemon.research.desk import Providers
from nautilus_tui.daemon.research.due import DueList
from nautilus_tui.daemon.research.filings import FilingWatch
from nautilus_tui.daemon.research.health import DataHealthWatch
from nautilus_tui.daemon.research.macro import MacroWatch
from nautilus_tui.daemon.research.sessions import NEW_YORK, edgar_accepts, is_business_day, is_session

if TYPE_CHECKING:
    from apscheduler.schedulers.asyncio import AsyncIOScheduler
    from apscheduler.triggers.cron import CronTrigger

#: The daemon serves first and asks then.
_START_S = 1.0
_HEALTH_S = 5.0
#: A release is at its source on time and at FRED some minutes later, now and then an hour.
AFTER_RELEASE = (dt.timedelta(minutes=5), dt.timedelta(minutes=50))
_PLANNED_DAYS = 2
_RELEASE = "release "

logger = logging.getLogger(__name__)


class ResearchJobs:
    """Plans the work and does it when its time comes."""

    def __init__(
        self,
        *,
        providers: Providers,
        macro: MacroWatch,
        filings: FilingWatch,
        due: DueList,
        health: DataHealthWatch,
        filings_minutes: int,
        clock: Callable[[], int] = time.time_ns,
    ) -> None:
        self._providers = providers
        self._macro = macro
        self._filings = filings
        self._due = due
        self._health = health
        self._filings_minutes = filings_minutes
        self._clock = clock
        self._scheduler: AsyncIOScheduler | None = None
        self._said: dict[str, str] = {}

    def plan(self, scheduler: AsyncIOScheduler) -> None:
        """Add the work to the daemon's schedule."""
        from apscheduler.triggers.date import DateTrigger  # with the scheduler: after the daemon is ready
        from apscheduler.triggers.interval import IntervalTrigger

        self._scheduler = scheduler
        first = dt.datetime.now(dt.UTC) + dt.timedelta(seconds=_START_S)
        minutes = self._filings_minutes
        self._add("facts at the start", self.start, DateTrigger(first))
        self._add("health of providers", self._health.tell, IntervalTrigger(seconds=_HEALTH_S))
        self._add("macro factors", self.hourly, _cron("mon-fri", "9-17", "10"))
        self._add("yield curve", self.after_yields, _cron("mon-fri", "16-17", "20,50"))
        self._add("plan releases", self.plan_releases, _cron("*", "0", "15"))
        self._add("new filings", self.look, IntervalTrigger(minutes=minutes))
        self._add("earnings calendar", self.earnings, _cron("mon-fri", "7", "30"))

    def _add(self, name: str, work: Callable[[], Awaitable[None]], trigger: object) -> None:
        assert self._scheduler is not None
        self._scheduler.add_job(
            work,
            trigger,
            id=name,
            max_instances=1,
            coalesce=True,
            misfire_grace_time=None,
            replace_existing=True,
        )

    def _now(self) -> dt.datetime:
        return dt.datetime.fromtimestamp(self._clock() / 1e9, dt.UTC)

    async def _try(self, name: str, work: Awaitable[object]) -> None:
        """Do something that a provider may refuse; say so in the log when it is another reason than before.

        What is not configured is no failure: health says so, and nothing is asked.
        """
        try:
            await work
        except NotConfiguredError as error:
            logger.debug("%s: %s", name, error.detail)
        except ProblemError as error:
            if self._said.get(name) != error.type:
                logger.warning("%s: %s", name, error.detail)
            self._said[name] = error.type
        else:
            self._said.pop(name, None)

    # ------------------------------------------------------------ the work

    async def start(self) -> None:
        """Open the providers, say how they are, and ask for what is shown first."""
        await self._try("providers", self._providers.desk())
        await self._health.tell()
        await self._try("macro factors", self._macro.refresh(anew=False))
        await self.plan_releases()
        await self.look()
        await self._health.tell()

    async def hourly(self) -> None:
        """Ask for factors that are no longer fresh, on business days."""
        if is_business_day(self._now().astimezone(NEW_YORK).date()):
            await self._try("macro factors", self._macro.refresh(anew=False))

    async def after_yields(self) -> None:
        """Ask for the day's yields, which come after the close, on business days."""
        if is_business_day(self._now().astimezone(NEW_YORK).date()):
            await self._try("yield curve", self._macro.refresh(anew=True))

    async def after_release(self) -> None:
        """Ask anew for what a release has changed."""
        await self._try("macro factors after a release", self._macro.refresh(anew=True))

    async def look(self) -> None:
        """Look for new filings while the regulator takes any."""
        if edgar_accepts(self._now()):
            await self._try("new filings", self._look())

    async def _look(self) -> None:
        looked = await self._filings.look()
        for problem in looked.problems.values():
            raise problem

    async def earnings(self) -> None:
        """Ask for the calendar of earnings on days on which the exchange opens, if anybody is of interest."""
        if is_session(self._now().astimezone(NEW_YORK).date()) and await self._filings.companies():
            await self._try("earnings calendar", self._due.ask_earnings())

    # ------------------------------------------------------------ releases

    async def plan_releases(self) -> None:
        """Plan to ask anew a while after each release of the days ahead that changes one of our series."""
        await self._try("calendar of releases", self._plan_releases())

    async def _plan_releases(self) -> None:
        from apscheduler.triggers.date import DateTrigger

        desk = await self._providers.desk()
        desk.fred.http.require_configured()
        for moment in times_to_ask(await desk.fred.calendar(days_ahead=_PLANNED_DAYS), self._now()):
            self._add(f"{_RELEASE}{moment.isoformat()}", self.after_release, DateTrigger(moment))


def times_to_ask(releases: list[ReleaseDate], now: dt.datetime) -> list[dt.datetime]:
    """Return when to ask for what is released: once for all releases of one time, after ``now``."""
    moments = {
        dt.datetime.fromtimestamp(release.ts_release / 1e9, dt.UTC) + after
        for release in releases
        if release.ts_release is not None and release.series
        for after in AFTER_RELEASE
    }
    return sorted(moment for moment in moments if moment > now)


def _cron(days: str, hours: str, minutes: str) -> CronTrigger:
    from apscheduler.triggers.cron import CronTrigger

    return CronTrigger(day_of_week=days, hour=hours, minute=minutes, timezone=NEW_YORK)
