"""Breach forecasts: each minute every limit's use is sampled and a forecast told; old ones are judged.

What computes them is in `risk.forecast` and is loaded with the first look of the monitor, in a thread: the
daemon is ready long before. This module must not know how a limit's value comes about.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Sequence
from decimal import Decimal
from typing import TYPE_CHECKING, Final

from data.limits import BreachForecast, ForecastScore, LimitStatus
from data.problems import ProblemError
from data.use_store import KEPT_FORECASTS, MINUTE_NS, Tally, UseStore
from risk.forecast.record import HORIZONS, RECORDED
from risk.forecast.status import (
    RESETS_DAILY,
    forecast_of,
    largest_of,
    sample_of,
    score_here,
    unforeseeable,
    use_of,
)
from risk.portfolio import Portfolio
from risk.scopes import Scopes

if TYPE_CHECKING:
    from risk.forecast.following import Following, Turn

#: Samples of a limit that are read back at a start: six half-lives of the estimate.
_RECALLED: Final = 360
_FORGET_EVERY: Final = 360  # minutes

logger = logging.getLogger(__name__)


class BreachForecasts:
    """Samples, tells and judges.

    Args:
        store: Where samples are kept.
        publish: Takes what is told.
        clock: UTC ns.
        look_seconds: Between two looks of the monitor.
    """

    def __init__(
        self,
        store: UseStore,
        publish: Callable[[Sequence[BreachForecast]], object],
        clock: Callable[[], int],
        look_seconds: float,
    ) -> None:
        self._store = store
        self._publish = publish
        self._clock = clock
        self._step = look_seconds / 60.0
        self._following: Following | None = None
        self._latest: list[LimitStatus] = []
        self._portfolio: Portfolio | None = None
        self._worst: dict[str, float] = {}
        self._minute: int | None = None
        self._told: dict[str, BreachForecast] = {}
        self._tallies: list[Tally] = []
        self._versions: dict[str, int] = {}
        self._forgot = 0
        self._turn = asyncio.Lock()
        self._tasks: set[asyncio.Task[None]] = set()
        self.problem: str | None = None  #: why samples are not kept at present

    # ------------------------------------------------------------ looks

    def look(self, statuses: Sequence[LimitStatus], portfolio: Portfolio) -> None:
        """Take what the monitor saw; the first look, and the first of each minute, tells forecasts."""
        minute, before = self._clock() // MINUTE_NS, self._minute
        if before is not None and minute > before and self._portfolio is not None:
            worst, self._worst = self._worst, {}
            self._begin(before, self._latest, self._portfolio, worst)
        self._minute, self._latest, self._portfolio = minute, list(statuses), portfolio
        for status in statuses:
            if status.use is not None:
                seen = use_of(status)
                self._worst[status.limit.id] = max(seen, self._worst.get(status.limit.id, seen))
        if before is None:
            self._begin(minute, self._latest, portfolio, None)

    def _begin(
        self, minute: int, statuses: list[LimitStatus], portfolio: Portfolio, worst: dict[str, float] | None
    ) -> None:
        task = asyncio.create_task(self._tell(minute, statuses, portfolio, worst))
        self._tasks.add(task)
        task.add_done_callback(self._ended)

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and task.exception() is not None:
            logger.error("breach forecasts failed", exc_info=task.exception())

    async def close(self) -> None:
        """Finish what is under way."""
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def settled(self) -> None:
        """Return when what was seen so far is told and kept."""
        await asyncio.gather(*self._tasks)

    # ------------------------------------------------------------ forecasts

    async def _tell(
        self, minute: int, statuses: list[LimitStatus], portfolio: Portfolio, worst: dict[str, float] | None
    ) -> None:
        """Tell forecasts; ``worst`` is None while the minute is not over: nothing is kept of it."""
        async with self._turn:
            try:
                following = self._following = self._following or await self._recall(minute)
            except ProblemError as error:  # tried again with the next minute
                self.problem = f"samples of limits' use cannot be read: {error.detail}"
                logger.warning("%s", self.problem)
                return
            turn = await asyncio.to_thread(self._compute, following, minute, statuses, portfolio, worst)
            self._tallies = following.tallies()
            now = self._clock()
            self._told = {
                one.limit.id: forecast_of(one, turn.told.get(one.limit.id), now)
                for one in statuses
                if one.level != "off"
            }
            self._publish(list(self._told.values()))
            if worst is not None:
                await self._keep(minute, turn)

    async def _keep(self, minute: int, turn: Turn) -> None:
        try:
            await self._store.put(turn.samples, turn.foretold, turn.tallies)
            if minute - self._forgot >= _FORGET_EVERY:
                await self._store.forget(minute)
                self._forgot = minute
        except ProblemError as error:  # this minute is lost to the next start, not to this one
            self.problem = f"samples of limits' use are not kept: {error.detail}"
            logger.warning("%s", self.problem)
        else:
            self.problem = None

    def _compute(
        self,
        following: Following,
        minute: int,
        statuses: list[LimitStatus],
        portfolio: Portfolio,
        worst: dict[str, float] | None,
    ) -> Turn:
        from risk.forecast.following import About

        scopes = Scopes(portfolio)
        known = [one for one in statuses if one.level != "off" and unforeseeable(one) is None]
        samples = [sample_of(one, scopes, minute, (worst or {}).get(one.limit.id)) for one in known]
        about = {
            one.limit.id: About(
                step=self._step,
                resets_daily=one.limit.limit_type in RESETS_DAILY,
                largest=largest_of(one, scopes),
            )
            for one in known
        }
        self._forget_changed(following, statuses)
        return following.minute(samples, about, over=worst is not None)

    async def _recall(self, minute: int) -> Following:
        samples = await self._store.samples(_RECALLED)
        foretold = await self._store.foretold(minute - KEPT_FORECASTS)
        tallies = await self._store.tallies()

        def begin() -> Following:
            from risk.forecast.following import Following  # loads NumPy and SciPy

            following = Following()
            following.recall(samples, foretold, tallies)
            return following

        return await asyncio.to_thread(begin)

    def _forget_changed(self, following: Following, statuses: Sequence[LimitStatus]) -> None:
        """What was foretold of a limit that a person has set anew is about another limit."""
        following.keep_only(one.limit.id for one in statuses)
        versions = {one.limit.id: one.limit.version for one in statuses}
        for limit_id, version in versions.items():
            if self._versions.get(limit_id, version) != version:
                following.forget(limit_id)
        self._versions = versions

    # ------------------------------------------------------------ answers

    def problems(self) -> list[str]:
        """Return what the daemon's health should tell."""
        return [] if self.problem is None else [self.problem]

    def forecasts(self) -> list[BreachForecast]:
        """Return the latest forecast of every limit, the likeliest breach first."""
        now = self._clock()
        found = [
            self._told.get(one.limit.id) or forecast_of(one, None, now)
            for one in self._latest
            if one.level != "off"
        ]
        return sorted(found, key=lambda one: (-1.0 if one.p240 is None else -one.p240 - 2.0, one.limit_id))

    def chance(self, limit_id: str) -> Decimal | None:
        """Return the probability of a breach within the longest horizon, if one was told."""
        found = self._told.get(limit_id)
        return None if found is None or found.p240 is None else Decimal(f"{found.p240:.6f}")

    def scores(self) -> list[ForecastScore]:
        """Return how forecasts did here, then how the model did on recorded prices."""
        return [*(score_here(horizon, self._tallies) for horizon in HORIZONS), *RECORDED]
