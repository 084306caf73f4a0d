"""FRED, asked in the vocabulary: series and vintages, factors, regime, yield curves, calendar, score.

Errors are those of `data.problems`: what one series is refused for concerns that series only. This
module must not know what FRED's bodies look like or who asks.
"""

from __future__ import annotations

import asyncio
import datetime as dt
import time
from collections.abc import Callable, Iterable
from typing import Self

from data import forms
from data.macro import (
    FactorHistory,
    FactorPoint,
    MacroFactor,
    MacroRegime,
    Observation,
    RegimeScore,
    ReleaseDate,
    Series,
    SeriesInfo,
    YieldCurve,
)
from data.problems import (
    NotConfiguredError,
    ProviderBadRequestError,
    ProviderError,
    ProviderNotFoundError,
)
from providers.core.cache import Cache
from providers.core.http import DAY, HOUR, Answer, ProviderHttp, Stamp
from providers.core.ledger import Ledger
from providers.fred import calendar, catalogue, curve, factors, regime, scoring, wire
from providers.fred import timeline as t
from providers.fred.archive import KEY_RETRY_S, Archive, Reading, checked
from providers.fred.spec import ADDRESS, judge, spec
from providers.fred.wire import Row, WireSeries
from providers.settings import ProviderSettings

#: Years of history that factors and the regime need: ten to compare with, one more for changes by year.
_YEARS = 12
_MOST_YEARS = 100
_MOST_FOUND = 1000
#: Questions under way at a time; they leave at FRED's pace anyway.
_AT_ONCE = 6


class Fred:
    """The client.

    Args:
        http: the provider, or its twin.
        settings: where it is.
        key_retry_s: how long a refused key is given before it is believed to be wrong.
    """

    def __init__(
        self, http: ProviderHttp, settings: ProviderSettings, *, key_retry_s: float = KEY_RETRY_S
    ) -> None:
        self.http = http
        self._settings = settings
        address = ADDRESS if http.synthetic else settings.fred_url
        self._archive = Archive(http, address, key_retry_s=key_retry_s)

    @classmethod
    def open(
        cls,
        settings: ProviderSettings,
        *,
        ledger: Ledger,
        cache: Cache,
        clock: Callable[[], int] = time.time_ns,
    ) -> Self:
        """Return a client of the provider, or of its twin in the demo profile."""
        twin = None
        if settings.profile == "demo":
            from providers.fred.sandbox import Sandbox  # a whole economy that nobody else needs

            twin = Sandbox(clock).application
        http = ProviderHttp(spec(settings), judge, ledger=ledger, cache=cache, sandbox=twin, clock=clock)
        return cls(http, settings)

    # ------------------------------------------------------------ series

    def catalogue(self) -> list[SeriesInfo]:
        """Return the series known by heart; nothing is asked."""
        return [_entry(entry, self._unknown(None)) for entry in catalogue.ENTRIES]

    async def info(self, series_id: str, *, refresh: bool = False) -> SeriesInfo:
        """Return what a series is, by FRED.

        Raises ProviderNotFoundError if there is none of that id; ProviderError for what else FRED says.
        """
        return _info(await self._archive.describe(series_id, refresh=refresh))

    async def series(
        self,
        series_id: str,
        *,
        as_of: dt.date | None = None,
        start: dt.date | None = None,
        end: dt.date | None = None,
        refresh: bool = False,
    ) -> Series:
        """Return a series, as it is or as it was known on a day.

        Args:
            series_id: FRED's id.
            as_of: the day whose knowledge is wanted; None: now.
            start: first day of the periods that are wanted.
            end: last day of them.
            refresh: ask even if a kept answer is fresh.

        Raises:
            ProviderBadRequestError: the day is to come, the range is none, or the id can be none.
            ProviderNotFoundError: there is no such series, or nothing of it was known on that day.
            ProviderError: what else FRED says.
        """
        if start is not None and end is not None and start > end:
            raise ProviderBadRequestError(
                f"a range from {start} to {end} has no days",
                rule="a range ends after it begins",
                fix="exchange the two",
            )
        self._archive.is_past(as_of)
        info = await self._described(series_id, refresh)
        reading = await self._archive.read(series_id, as_of=as_of, start=start, refresh=refresh)
        wanted = reading.between(start, end)
        observations = tuple(_observation(row, wanted.stamp) for row in wanted.rows)
        return Series(
            **wanted.stamp._asdict(),
            info=info,
            observations=observations,
            missing=sum(one.value is None for one in observations),
            note=wanted.note,
        )

    async def _described(self, series_id: str, refresh: bool) -> SeriesInfo:
        """Return what a series is: by FRED, or of those known by heart what we know, which says so."""
        entry = catalogue.find(checked(series_id))
        try:
            return await self.info(series_id, refresh=refresh)
        except NotConfiguredError:
            raise
        except ProviderError as error:
            if entry is None:
                raise
            return _entry(entry, self._unknown(None)._replace(stale=error.name))

    async def latest(self, series_id: str, *, as_of: dt.date | None = None) -> Observation:
        """Return the latest observation that has a value; raises as `series` does."""
        if as_of is None:
            reading = await self._archive.tail(series_id)
        else:
            reading = await self._archive.read(series_id, as_of=as_of)
        there = [row for row in reading.rows if row.value is not None]
        if not there:
            raise ProviderNotFoundError(
                f"{reading.id} has no observation with a value",
                rule="a latest one can be told where there is one",
                fix="look at the whole series",
            )
        return _observation(there[-1], reading.stamp)

    async def search(self, text: str, *, limit: int = 20) -> list[SeriesInfo]:
        """Return the series that fit words, best first; raises ProviderBadRequestError for none."""
        words = " ".join(text.split())
        if not words or not 1 <= limit <= _MOST_FOUND:
            raise ProviderBadRequestError(
                "a search wants words, and a limit from 1 to 1000",
                rule="there is something to search for",
                fix="name what the series is about",
            )
        params = {"search_text": words, "order_by": "search_rank", "limit": str(limit)}
        answer = await self._archive.ask("series/search", params, wire.series, fresh_s=DAY)
        found = answer.value.rows[:limit]
        return [_info(Answer(one, *_provenance(answer))) for one in found]

    # ------------------------------------------------------------ made of several series

    async def factors(self, *, as_of: dt.date | None = None, refresh: bool = False) -> list[MacroFactor]:
        """Return all macro factors, as known now or on a day; each says itself what it lacks.

        Raises:
            ProviderBadRequestError: the day is to come.
            NotConfiguredError: the key is missing or wrong, so there is nothing to tell.
        """
        readings = await self._readings(factors.inputs(), as_of=as_of, refresh=refresh)
        unknown, now = self._unknown(as_of), self.http.clock()
        return await asyncio.to_thread(
            lambda: [factors.compute(factor, readings, unknown, now) for factor in factors.FACTORS]
        )

    async def factor_history(
        self, factor_id: str, *, years: int = 10, as_of: dt.date | None = None
    ) -> FactorHistory:
        """Return a factor over the years, with the recessions of that time.

        Raises:
            ProviderNotFoundError: there is no such factor.
            ProviderBadRequestError: the day is to come, or the number of years makes no sense.
            ProviderError: what one of its inputs could not be had for.
        """
        factor = factors.find(factor_id)
        if not 1 <= years <= _MOST_YEARS:
            raise ProviderBadRequestError(
                f"a history of {years} years is not to be had",
                rule=f"1 to {_MOST_YEARS} years",
                fix="ask for ten",
            )
        ids = (*factor.inputs, "USREC")
        readings = await self._readings(ids, as_of=as_of, years=max(_YEARS, years + 2))
        line = t.known(factors.line(factor, readings))
        since = t.shifted(line[-1][0], -12 * years) if line else dt.date.max
        points = tuple(FactorPoint(date, value) for date, value in line if date > since)
        usrec = readings["USREC"]
        used = [one.stamp for one in readings.values() if isinstance(one, Reading)]
        return FactorHistory(
            **factors.oldest(used, self._unknown(as_of))._asdict(),
            id=factor.id,
            title=factor.title,
            unit=factor.unit,
            decimals=factor.decimals,
            points=points,
            recessions=_recessions(usrec, points) if isinstance(usrec, Reading) else (),
            recessions_problem=f"{usrec.name}: {usrec.detail}" if isinstance(usrec, ProviderError) else None,
        )

    async def regime(self, *, as_of: dt.date | None = None) -> MacroRegime:
        """Return the regime, as known now or on a day; raises as `factors` does."""
        readings = await self._readings(regime.INPUTS, as_of=as_of)
        return await asyncio.to_thread(regime.regime, readings, self._unknown(as_of), self.http.clock())

    async def yield_curves(self, *, as_of: dt.date | None = None) -> list[YieldCurve]:
        """Return the curve now, a month and a year ago; raises as `factors` does."""
        readings = await self._readings(curve.INPUTS, as_of=as_of)
        return curve.curves(readings, self._unknown(as_of))

    async def score(self, *, horizon_months: int = 12, threshold: float = 0.5) -> RegimeScore:
        """Return how well the recession probability would have done.

        Raises:
            ProviderBadRequestError: the horizon or the threshold makes no sense.
            ProviderNotFoundError: too little is known.
            ProviderError: what one of the series could not be had for.
        """
        readings = await self._readings(scoring.INPUTS, years=None)
        came = []
        for series in scoring.INPUTS:
            found = readings[series]
            if isinstance(found, ProviderError):
                raise found
            came.append(found)
        spread, sahm, usrec = (t.timeline(reading.values()) for reading in came)
        stamp = factors.oldest([reading.stamp for reading in came], self._unknown(None))
        return await asyncio.to_thread(
            scoring.score, spread, sahm, usrec, stamp, horizon=horizon_months, threshold=threshold
        )

    async def calendar(self, *, days_ahead: int = 14, days_back: int = 0) -> list[ReleaseDate]:
        """Return the releases of the days around today, by the clock of New York.

        Raises ProviderBadRequestError for senseless numbers of days; ProviderError for what FRED says.
        """
        days = calendar.window(self.http.clock(), days_ahead, days_back)
        params = {
            "realtime_start": days.first.isoformat(),
            "realtime_end": days.last.isoformat(),
            "include_release_dates_with_no_data": "true",
            "sort_order": "asc",
            "limit": "1000",
        }
        answer = await self._archive.pages("releases/dates", params, wire.release_dates, fresh_s=6 * HOUR)
        return calendar.calendar(answer.value.rows, days, answer.stamp(forms.day_of(answer.fetched_at)))

    # ------------------------------------------------------------ what they share

    async def _readings(
        self,
        ids: Iterable[str],
        *,
        as_of: dt.date | None = None,
        years: int | None = _YEARS,
        refresh: bool = False,
    ) -> dict[str, Reading | ProviderError]:
        """Return each series, or the error that came instead.

        A key that is wrong or missing is wrong for all: it is not asked with again, and where nothing
        came at all that is the error.
        """
        past = self._archive.is_past(as_of)
        day = as_of if past and as_of is not None else self._archive.today()
        start = None if years is None else dt.date(day.year - years, 1, 1)
        turns = asyncio.Semaphore(_AT_ONCE)
        refused: list[NotConfiguredError] = []

        async def one(series_id: str) -> Reading | ProviderError:
            async with turns:
                if refused:
                    return refused[0]
                try:
                    return await self._archive.read(series_id, as_of=as_of, start=start, refresh=refresh)
                except NotConfiguredError as error:
                    refused.append(error)
                    return error
                except ProviderError as error:
                    return error

        wanted = tuple(dict.fromkeys(ids))
        found = await asyncio.gather(*(one(series_id) for series_id in wanted))
        if refused and not any(isinstance(one, Reading) for one in found):
            raise refused[0]
        return dict(zip(wanted, found, strict=True))

    def _unknown(self, as_of: dt.date | None) -> Stamp:
        """Return the stamp of what was not fetched."""
        now = self.http.clock()
        return Stamp(self.http.source, as_of or forms.day_of(now), now, self.http.synthetic)


def _provenance[T](answer: Answer[T]) -> tuple[int, str, bool, ProviderError | None]:
    return answer.fetched_at, answer.source, answer.synthetic, answer.problem


def _entry(entry: catalogue.Entry, stamp: Stamp) -> SeriesInfo:
    return SeriesInfo(
        **stamp._asdict(),
        id=entry.id,
        title=entry.title,
        category=entry.category,
        frequency=entry.frequency,
        units=entry.units,
        seasonal_adjustment=entry.adjustment,
        release_id=entry.release,
    )


def _info(answer: Answer[WireSeries]) -> SeriesInfo:
    one = answer.value
    entry = catalogue.find(one.id.upper())
    told = forms.day_of(answer.fetched_at) if one.realtime_end == wire.FOREVER else one.realtime_end
    return SeriesInfo(
        **answer.stamp(told)._asdict(),
        id=one.id,
        title=one.title,
        category="other" if entry is None else entry.category,
        frequency=one.frequency,
        units=one.units,
        seasonal_adjustment=one.seasonal_adjustment,
        ts_updated=wire.updated(one.last_updated),
        first=one.first,
        last=one.last,
        release_id=None if entry is None else entry.release,
        notes=one.notes,
    )


def _observation(row: Row, stamp: Stamp) -> Observation:
    # a real-time period is clipped to the one that was asked for: its start then says nothing
    published = row.start if row.start < stamp.as_of else None
    return Observation(**stamp._asdict(), date=row.date, value=row.value, published=published)


def _recessions(usrec: Reading, points: tuple[FactorPoint, ...]) -> tuple[tuple[dt.date, dt.date], ...]:
    """Return the first and the last day of each recession in the time of the points."""
    if not points:
        return ()
    months = {date: value >= 1 for date, value in usrec.values()}
    spells = [(begin, t.shifted(last, 1) - dt.timedelta(days=1)) for begin, last in scoring.spells(months)]
    return tuple(spell for spell in spells if spell[1] >= points[0].date)
