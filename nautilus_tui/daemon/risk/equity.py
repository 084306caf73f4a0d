"""Equity kept: each engine's, sampled from its marks every minute, and the highest it has been.

An engine without marks (stopped, or a price or rate is missing) has no sample for that minute: nothing is
carried forward. The peak is looked for every few seconds and is on disk within a minute. This module must
not know what equity is used for.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Final

from data import topics
from data.bus import Bus
from data.equity_store import KEPT_DAYS, EquitySample, EquityStore, Peak
from data.problems import ProblemError
from data.records import AccountUpdate
from data.series import EquitySeries, combined

if TYPE_CHECKING:
    from apscheduler.schedulers.asyncio import AsyncIOScheduler

LOOK_S: Final = 5.0
MINUTE_NS: Final = 60 * 1_000_000_000
_DAY_NS: Final = 1440 * MINUTE_NS
#: A mark older than this says nothing of now.
_FRESH_NS: Final = 30 * 1_000_000_000

logger = logging.getLogger(__name__)


class EquityKeeper:
    """Samples and remembers equity.

    Args:
        store: Where it is kept.
        bus: Where the latest marks are.
        clock: UTC ns.
    """

    def __init__(self, store: EquityStore, bus: Bus, clock: Callable[[], int] = time.time_ns) -> None:
        self._store = store
        self._bus = bus
        self._clock = clock
        self._peaks: dict[str, Peak] = {}
        self._unsaved: set[str] = set()
        self._waiting: list[EquitySample] = []  # samples that the store could not take yet
        self._minute = 0
        self._forgot = 0
        self.problem: str | None = None  #: why equity is not kept at present

    async def load(self) -> None:
        """Begin with the peaks that are on disk."""
        self._peaks = {peak.engine: peak for peak in await self._store.peaks()}

    def plan(self, scheduler: AsyncIOScheduler) -> None:
        """Add the looks to the daemon's schedule, the first of them soon."""
        from apscheduler.triggers.interval import IntervalTrigger  # loaded with the scheduler

        scheduler.add_job(
            self.look,
            IntervalTrigger(seconds=LOOK_S),
            id="equity",
            next_run_time=datetime.now(UTC) + timedelta(seconds=1),
            max_instances=1,
            coalesce=True,
            misfire_grace_time=None,
        )

    async def look(self) -> None:
        """Look at the marks: note new peaks, and once a minute keep a sample of every engine."""
        now = self._clock()
        samples = self.present(now)
        for one in samples:
            peak = self._peaks.get(one.engine)
            if peak is None or peak.currency != one.currency or one.equity > peak.equity:
                self._peaks[one.engine] = Peak(
                    engine=one.engine, ts=one.ts, equity=one.equity, currency=one.currency
                )
                self._unsaved.add(one.engine)
        if now // MINUTE_NS == self._minute or not samples:
            return
        self._minute = now // MINUTE_NS
        self._waiting = [*self._waiting, *samples][-10_000:]
        await self._save(now)

    async def _save(self, now: int) -> None:
        unsaved, waiting = self._unsaved, self._waiting
        try:
            await self._store.put(waiting, [self._peaks[engine] for engine in sorted(unsaved)])
            if now - self._forgot > _DAY_NS:
                await self._store.forget(now - KEPT_DAYS * _DAY_NS)
                self._forgot = now
        except ProblemError as error:  # tried again with the next minute's
            self.problem = f"equity is not kept: {error.detail}"
            logger.warning("%s", self.problem)
            return
        self.problem = None
        self._unsaved, self._waiting = self._unsaved - unsaved, self._waiting[len(waiting) :]

    def present(self, now: int | None = None) -> list[EquitySample]:
        """Return every engine's equity at its latest marks; none for an engine whose equity is not known."""
        at = self._clock() if now is None else now
        found: list[EquitySample] = []
        for topic in self._bus.topics():
            if topic.startswith("marks."):
                one = self._of_engine(topic.removeprefix("marks."), at)
                found += [] if one is None else [one]
        return found

    def _of_engine(self, engine: str, now: int) -> EquitySample | None:
        accounts = [
            (event.ts, event.record)
            for event in self._bus.latest(topics.marks(engine))
            if isinstance(event.record, AccountUpdate)
        ]
        fresh = [account for told, account in accounts if now - told <= _FRESH_NS]
        if not fresh or len(fresh) < len(accounts) or len({one.currency for one in fresh}) > 1:
            return None
        values = [one.equity for one in fresh if one.equity is not None]
        if len(values) < len(fresh):
            return None
        return EquitySample(
            engine=engine,
            ts=now,
            equity=sum(values, Decimal(0)),
            currency=fresh[0].currency,
            realized=_total([one.realized_pnl for one in fresh]),
            unrealized=_total([one.unrealized_pnl for one in fresh]),
            synthetic=any(one.synthetic for one in fresh),
        )

    def peak(self, engine: str) -> Decimal | None:
        """Return the highest equity an engine has had, now included; None: not known."""
        found = self._peaks.get(engine)
        return None if found is None else found.equity

    async def series(self, engine: str | None = None, since_ns: int = 0) -> EquitySeries:
        """Return equity minute by minute from ``since_ns`` on: of one engine, or of all together.

        Together: at minutes for which every engine that has begun, and not ended, is known; what an
        engine brings when it begins and takes along when it ends is a flow, not a profit.
        """
        return combined(await self._store.samples(engine, since_ns), MINUTE_NS)

    async def days(self, engine: str | None = None, since_ns: int = 0) -> EquitySeries:
        """Return the same day by day: the last sample of each UTC day, the present day's included."""
        return combined(await self._store.days(engine, since_ns), _DAY_NS)


def _total(values: list[Decimal | None]) -> Decimal | None:
    known = [value for value in values if value is not None]
    return sum(known, Decimal(0)) if known and len(known) == len(values) else None
