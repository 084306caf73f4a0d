"""Following limits minute by minute: their motion, what was foretold, and how that came out.

The daemon gives one sample of each limit a minute and gets forecasts back; forecasts whose horizon has
passed are scored against what happened meanwhile. This module must not know where samples are kept.
"""

from __future__ import annotations

import math
from bisect import bisect_right
from collections import deque
from collections.abc import Iterable, Mapping, Sequence
from types import MappingProxyType
from typing import Final

import msgspec

from data.use_store import Foretold, Tally, UseSample
from risk.forecast.estimate import Tracker
from risk.forecast.model import Question, Told, tell
from risk.forecast.record import HORIZONS

#: The share of a horizon's minutes that must have been looked at for a forecast to be scored.
_COVERED: Final = 0.9
_DAY: Final = 1440
_MINUTE_NS: Final = 60_000_000_000


class About(msgspec.Struct, frozen=True, kw_only=True):
    """What else a forecast needs to know of a limit."""

    step: float  #: minutes between two looks
    resets_daily: bool = False
    largest: tuple[str, float] | None = None


class Turn(msgspec.Struct, frozen=True, kw_only=True):
    """What came of a minute."""

    told: dict[str, Told]
    samples: tuple[UseSample, ...] = ()  #: to be kept, like the others
    foretold: tuple[Foretold, ...] = ()
    tallies: tuple[Tally, ...] = ()  #: those that changed


class _Followed:
    """One limit."""

    def __init__(self) -> None:
        self.tracker = Tracker()
        self.last: UseSample | None = None
        self.minutes: deque[int] = deque(maxlen=HORIZONS[-1] + 1)
        self.breached: deque[int] = deque(maxlen=HORIZONS[-1] + 1)
        self.pending: dict[int, deque[tuple[int, float]]] = {horizon: deque() for horizon in HORIZONS}

    def take(self, sample: UseSample) -> None:
        if self.last is not None and sample.minute <= self.last.minute:
            return
        self.last = sample
        self.tracker.add(sample.minute * _MINUTE_NS, sample.value)
        self.minutes.append(sample.minute)
        if sample.worst >= 1.0:
            self.breached.append(sample.minute)

    def expect(self, foretold: Foretold, judged: Mapping[int, int] = MappingProxyType({})) -> None:
        for horizon, chance in zip(HORIZONS, foretold.chances, strict=True):
            if foretold.minute > judged.get(horizon, -1):
                self.pending[horizon].append((foretold.minute, chance))

    def due(self, horizon: int, now: int) -> list[tuple[int, float, float]]:
        """Return minute, probability and outcome of forecasts that have come due and can be judged."""
        found = []
        waiting = self.pending[horizon]
        while waiting and waiting[0][0] + horizon <= now:
            made, chance = waiting.popleft()
            if _between(self.minutes, made, made + horizon) >= _COVERED * horizon:
                hit = _between(self.breached, made, made + horizon) > 0
                found.append((made, chance, float(hit)))
        return found


def _between(minutes: Sequence[int], after: int, until: int) -> int:
    """Return how many of ascending minutes lie in (after, until]."""
    return bisect_right(minutes, until) - bisect_right(minutes, after)


class Following:
    """All limits that are followed."""

    def __init__(self) -> None:
        self._limits: dict[str, _Followed] = {}
        self._tallies: dict[tuple[str, int], Tally] = {}

    def recall(
        self, samples: Iterable[UseSample], foretold: Iterable[Foretold], tallies: Iterable[Tally]
    ) -> None:
        """Begin with what was stored, oldest first."""
        for sample in samples:
            self._of(sample.limit_id).take(sample)
        self._tallies = {(one.limit_id, one.minutes): one for one in tallies}
        for one in foretold:
            judged = {
                horizon: tally.until
                for horizon in HORIZONS
                if (tally := self._tallies.get((one.limit_id, horizon))) is not None
            }
            self._of(one.limit_id).expect(one, judged)

    def forget(self, limit_id: str) -> None:
        """Drop what was foretold of a limit that was set anew; its value's motion stays."""
        if limit_id in self._limits:
            for waiting in self._limits[limit_id].pending.values():
                waiting.clear()

    def keep_only(self, limits: Iterable[str]) -> None:
        """Drop limits that are no more."""
        kept = set(limits)
        self._limits = {name: one for name, one in self._limits.items() if name in kept}

    def minute(self, samples: Sequence[UseSample], about: Mapping[str, About], *, over: bool = True) -> Turn:
        """Take a minute's samples and return what is told now, and what there is to keep.

        While the minute is not ``over`` its samples are asked about, but do not count as changes.
        """
        questions = []
        for sample in samples:
            followed = self._of(sample.limit_id)
            if over:
                followed.take(sample)
            questions.append(self._question(followed, sample, about[sample.limit_id]))
        told = dict(zip((one.limit_id for one in samples), tell(questions), strict=True))
        if not over:
            return Turn(told=told)
        changed = self._judge(samples)
        made = [
            Foretold(limit_id=one.limit_id, minute=one.minute, chances=chances)
            for one in samples
            if (chances := told[one.limit_id].chances) is not None and one.value < one.limit
        ]
        for foretold in made:
            self._of(foretold.limit_id).expect(foretold)
        return Turn(told=told, samples=tuple(samples), foretold=tuple(made), tallies=tuple(changed))

    def tallies(self) -> list[Tally]:
        """Return how all forecasts that came due did."""
        return list(self._tallies.values())

    def _of(self, limit_id: str) -> _Followed:
        return self._limits.setdefault(limit_id, _Followed())

    @staticmethod
    def _question(followed: _Followed, sample: UseSample, about: About) -> Question:
        motion = followed.tracker.motion()
        return Question(
            use=sample.value / sample.limit,
            motion=None if motion is None else motion.over(sample.limit),
            changes=followed.tracker.changes,
            step=about.step,
            until_reset=float(_DAY - sample.minute % _DAY) if about.resets_daily else math.inf,
            largest=about.largest,
        )

    def _judge(self, samples: Sequence[UseSample]) -> list[Tally]:
        changed = []
        for sample in samples:
            followed = self._of(sample.limit_id)
            for horizon in HORIZONS:
                due = followed.due(horizon, sample.minute)
                if not due:
                    continue
                key = (sample.limit_id, horizon)
                before = self._tallies.get(key)
                tally = Tally(
                    limit_id=sample.limit_id,
                    minutes=horizon,
                    forecasts=(before.forecasts if before else 0) + len(due),
                    breached=(before.breached if before else 0) + sum(int(y) for _, _, y in due),
                    squares=(before.squares if before else 0.0) + sum((p - y) ** 2 for _, p, y in due),
                    until=due[-1][0],
                )
                self._tallies[key] = tally
                changed.append(tally)
        return changed
