"""Series as FRED has them: asked page by page, as they are now or as they were known on a day.

What a series was on a day is asked of FRED's archive and chosen again here. Where the archive has
nothing, the error says which of three things it is: no such series, no archive of it, or one that
begins later. Only prices of the market, which are never revised, are then cut at their date instead,
and the reading says so. This module must not know what is made of a series.
"""

from __future__ import annotations

import asyncio
import datetime as dt
import re
from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

from data import forms
from data.problems import (
    BadPayloadError,
    NotConfiguredError,
    ProviderBadRequestError,
    ProviderError,
    ProviderNotFoundError,
)
from providers.core.exchange import Body
from providers.core.http import DAY, FOREVER, HOUR, Answer, ProviderHttp, Stamp
from providers.fred import catalogue, wire
from providers.fred.spec import archive_is_missing, base, key_is_refused
from providers.fred.vintages import covering, known, unknown_yet
from providers.fred.wire import Page, Row, WireSeries

_ID = re.compile(r"[A-Z0-9_.]{1,60}")
#: FRED's days are those of St. Louis.
_ZONE = ZoneInfo("America/Chicago")
#: After so many days what was known on a day changes no more.
_SETTLED = dt.timedelta(days=3)
_MOST_PAGES = 40
#: Observations asked for when only the latest one is wanted: a month of holidays would have to fit.
_TAIL = 60
#: How long a key that FRED says it does not know is given before it is believed.
KEY_RETRY_S = 1.0


class Reading(NamedTuple):
    """A series' periods as they were known at one time, oldest first."""

    id: str
    rows: tuple[Row, ...]
    stamp: Stamp
    note: str | None = None

    def values(self) -> list[tuple[dt.date, Decimal]]:
        """Return the periods that have a value."""
        return [(row.date, row.value) for row in self.rows if row.value is not None]

    def between(self, start: dt.date | None, end: dt.date | None) -> Reading:
        """Return the same with the periods of a range only."""
        first, last = start or dt.date.min, end or dt.date.max
        return self._replace(rows=tuple(row for row in self.rows if first <= row.date <= last))


class Archive:
    """Asks for series.

    Args:
        http: the provider.
        address: where it is; a wrong one is an error of whatever is asked.
        key_retry_s: see ``KEY_RETRY_S``.
    """

    def __init__(self, http: ProviderHttp, address: str, *, key_retry_s: float = KEY_RETRY_S) -> None:
        self._http = http
        self._address = address
        self._key_retry_s = key_retry_s
        self._confirming = asyncio.Lock()
        self._refused_at = 0

    # ------------------------------------------------------------ asking

    async def ask[T](
        self,
        path: str,
        params: Mapping[str, str],
        read: Callable[[Body], T],
        *,
        fresh_s: float,
        refresh: bool = False,
    ) -> Answer[T]:
        """Ask an endpoint; a key that is refused is tried once more before that is believed."""
        url = f"{base(self._address)}/{path}"
        question = {"file_type": "json", **params}
        began = self._http.clock()
        try:
            return await self._http.get(url, question, read=read, fresh_s=fresh_s, refresh=refresh)
        except NotConfiguredError as error:
            if not key_is_refused(error):
                raise
            async with self._confirming:
                if self._refused_at >= began:  # another question has found out meanwhile
                    raise
                await asyncio.sleep(self._key_retry_s)
                try:
                    return await self._http.get(url, question, read=read, fresh_s=fresh_s, refresh=True)
                except NotConfiguredError:
                    self._refused_at = self._http.clock()
                    raise

    async def pages[T](
        self,
        path: str,
        params: Mapping[str, str],
        read: Callable[[Body], Page[T]],
        *,
        fresh_s: float,
        refresh: bool = False,
    ) -> Answer[Page[T]]:
        """Ask for a list until it is whole.

        Raises BadPayloadError where FRED does not go on from where it was asked to.
        """
        first = await self.ask(path, params, read, fresh_s=fresh_s, refresh=refresh)
        rows, answers = list(first.value.rows), [first]
        while len(rows) < first.value.total:
            if len(answers) >= _MOST_PAGES:
                raise _no_end(path, len(rows))
            asked = {**params, "offset": str(len(rows))}
            answer = await self.ask(
                path, asked, _from(len(rows), path, read), fresh_s=fresh_s, refresh=refresh
            )
            rows += answer.value.rows
            answers.append(answer)
        return _joined(answers, first.value._replace(rows=rows))

    # ------------------------------------------------------------ series

    async def describe(self, series_id: str, *, refresh: bool = False) -> Answer[WireSeries]:
        """Return what a series is; raises ProviderNotFoundError if there is none of that id."""
        wanted = checked(series_id)

        def read(body: Body) -> WireSeries:
            for one in wire.series(body).rows:
                if one.id.upper() == wanted:
                    return one
            raise BadPayloadError(
                f"FRED was asked what {wanted} is and told of something else",
                rule="an answer is about what was asked",
                fix="check FRED's address in the settings",
            )

        return await self.ask("series", {"series_id": wanted}, read, fresh_s=DAY, refresh=refresh)

    async def read(
        self,
        series_id: str,
        *,
        as_of: dt.date | None = None,
        start: dt.date | None = None,
        refresh: bool = False,
    ) -> Reading:
        """Return a series, as it is or as it was known on a day.

        Args:
            series_id: FRED's id.
            as_of: the day; None: now.
            start: the first period that is wanted.
            refresh: ask even if a kept answer is fresh.

        Raises:
            ProviderBadRequestError: the day is to come, or the id can be none.
            ProviderNotFoundError: there is no such series, or it was not known on that day.
            ProviderError: what else FRED says.
        """
        wanted, entry = checked(series_id), catalogue.find(checked(series_id))
        params = {"series_id": wanted}
        if start is not None:
            params["observation_start"] = start.isoformat()
        if self.is_past(as_of):
            assert as_of is not None
            if entry is not None and not entry.archived:
                return await self._without_archive(wanted, as_of, params, "has no archive", refresh)
            try:
                return await self._as_of(wanted, as_of, params, refresh)
            except ProviderNotFoundError as error:
                if archive_is_missing(error):
                    return await self._explain(wanted, as_of, params, refresh, error)
                if "first" in error.extra and entry is not None and entry.market:
                    late = f"has an archive from {error.extra['first']} on only"
                    return await self._without_archive(wanted, as_of, params, late, refresh)
                raise
        answer = await self.pages(
            "series/observations", params, _reader(wanted), fresh_s=HOUR, refresh=refresh
        )
        return _reading(wanted, answer, known(answer.value, None, wanted), as_of).between(start, None)

    async def _as_of(
        self, series_id: str, as_of: dt.date, params: Mapping[str, str], refresh: bool
    ) -> Reading:
        day = as_of.isoformat()
        answer = await self.pages(
            "series/observations",
            {**params, "realtime_start": day, "realtime_end": day},
            _reader(series_id, as_of),
            fresh_s=FOREVER if self.today() - as_of > _SETTLED else HOUR,
            refresh=refresh,
        )
        rows = known(answer.value, as_of, series_id)
        stamp = answer.stamp(as_of)
        start = params.get("observation_start")
        reading = Reading(series_id, tuple(rows), stamp)
        return reading.between(dt.date.fromisoformat(start) if start else None, None)

    async def _explain(
        self,
        series_id: str,
        as_of: dt.date,
        params: Mapping[str, str],
        refresh: bool,
        error: ProviderNotFoundError,
    ) -> Reading:
        """Find out what a missing archive means; return what can be told without one."""
        await self.describe(series_id)  # raises if there is no such series
        try:
            first = await self._first_vintage(series_id)
        except ProviderNotFoundError as missing:
            if not archive_is_missing(missing):
                raise
            return await self._without_archive(series_id, as_of, params, "has no archive", refresh)
        if first <= as_of:
            raise error
        late = f"has an archive from {first} on only"
        entry = catalogue.find(series_id)
        if entry is not None and entry.market:
            return await self._without_archive(series_id, as_of, params, late, refresh)
        raise unknown_yet(series_id, as_of, first)

    async def _first_vintage(self, series_id: str) -> dt.date:
        answer = await self.ask(
            "series/vintagedates",
            {"series_id": series_id, "sort_order": "asc", "limit": "1"},
            wire.vintage_dates,
            fresh_s=DAY,
        )
        if not answer.value.rows:
            raise ProviderNotFoundError(f"FRED has no vintages of {series_id}", reason="alfred")
        return min(answer.value.rows)

    async def _without_archive(
        self, series_id: str, as_of: dt.date, params: Mapping[str, str], why: str, refresh: bool
    ) -> Reading:
        """Cut a price of the market at the day before; refuse anything that may have been revised."""
        entry = catalogue.find(series_id)
        if entry is None or not entry.market:
            raise ProviderNotFoundError(
                f"what was known of {series_id} on {as_of} cannot be told:"
                " FRED has the series, but no archive of it",
                rule="what was known on a day comes from an archive of vintages",
                fix="ask without a day to see what it is now",
                series=series_id,
            )
        answer = await self.pages(
            "series/observations", params, _reader(series_id), fresh_s=HOUR, refresh=refresh
        )
        if answer.value.end < as_of:
            covering(answer.value, as_of, series_id)  # as it was before that day, which says nothing of it
        rows = [row for row in known(answer.value, None, series_id) if row.date < as_of]
        if not rows:
            raise ProviderNotFoundError(
                f"{series_id} has no observation before {as_of}",
                rule="only what was there can be told",
                fix="ask as of a later day",
            )
        start = params.get("observation_start")
        note = f"{series_id} {why}; prices are not revised, so those of the days before {as_of} are taken"
        reading = Reading(series_id, tuple(rows), answer.stamp(as_of), note)
        return reading.between(dt.date.fromisoformat(start) if start else None, None)

    async def tail(self, series_id: str) -> Reading:
        """Return the latest periods of a series as it is now; all of it if FRED sends them in its order."""
        wanted = checked(series_id)
        params = {"series_id": wanted, "sort_order": "desc", "limit": str(_TAIL)}
        answer = await self.ask("series/observations", params, _reader(wanted), fresh_s=HOUR)
        page = answer.value
        reading = _reading(wanted, answer, known(page, None, wanted), None)
        if (page.descending or len(page.rows) >= page.total) and reading.values():
            return reading
        return await self.read(wanted)

    # ------------------------------------------------------------ days

    def today(self) -> dt.date:
        """Return the day as it is where FRED is."""
        return dt.datetime.fromtimestamp(self._http.clock() / forms.NANOS, _ZONE).date()

    def is_past(self, as_of: dt.date | None) -> bool:
        """Say whether the archive has to be asked; raises ProviderBadRequestError for a day to come."""
        if as_of is None:
            return False
        latest = forms.day_of(self._http.clock())
        if as_of > latest:
            raise ProviderBadRequestError(
                f"what is known on {as_of} is not known yet",
                rule="a day that is asked for is not to come",
                fix=f"ask as of {latest} or earlier",
            )
        return as_of < self.today()


def checked(series_id: str) -> str:
    """Return an id in FRED's spelling; raises ProviderBadRequestError for what can be none."""
    wanted = series_id.strip().upper()
    if _ID.fullmatch(wanted) is None:
        raise ProviderBadRequestError(
            f"{series_id[:80]!r} is no id of a series",
            rule="an id is letters and digits, such as DGS10",
            fix="search for a series by words",
        )
    return wanted


def _from[T](offset: int, path: str, read: Callable[[Body], Page[T]]) -> Callable[[Body], Page[T]]:
    """Return what reads the page that begins at a row, and no other one."""

    def read_from(body: Body) -> Page[T]:
        page = read(body)
        if page.offset != offset or not page.rows:
            raise _no_end(path, offset)
        return page

    return read_from


def _no_end(path: str, offset: int) -> BadPayloadError:
    return BadPayloadError(
        f"FRED's {path} has more rows, but those from {offset} on did not come",
        rule="a list can be read to its end",
        fix="ask for less of it",
    )


def _reader(series_id: str, as_of: dt.date | None = None) -> Callable[[Body], Page[Row]]:
    """Return what reads observations; what cannot be used is not read, so it is not kept either."""

    def read(body: Body) -> Page[Row]:
        page = wire.observations(body)
        if as_of is None:
            known(page, None, series_id)
            return page
        return covering(page, as_of, series_id)

    return read


def _reading(series_id: str, answer: Answer[Page[Row]], rows: list[Row], as_of: dt.date | None) -> Reading:
    """Return what is known now, stamped with the day for which FRED says it answers."""
    told = answer.value.end
    if told == wire.FOREVER:
        told = forms.day_of(answer.fetched_at)
    return Reading(series_id, tuple(rows), answer.stamp(told if as_of is None else min(as_of, told)))


def _joined[T](answers: list[Answer[Any]], value: T) -> Answer[T]:
    """Return one answer of several: as old as the oldest, stale if one is."""
    problem: ProviderError | None = next((one.problem for one in answers if one.problem), None)
    first = answers[0]
    oldest = min(one.fetched_at for one in answers)
    return Answer(value, oldest, first.source, first.synthetic, problem)
