"""FRED's bodies as they are on the wire, and how they are read.

All values are text, a missing one is ``.``, times have an offset of two digits, unknown bounds are
dates long before there was any data. Whatever does not fit is BadPayloadError. This module must not
know what an answer is used for.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Sequence
from decimal import Decimal, InvalidOperation
from functools import lru_cache
from typing import NamedTuple

import msgspec

from data import forms
from data.macro import Frequency
from data.problems import BadPayloadError
from providers.core.exchange import Body

#: FRED's "still so".
FOREVER = dt.date(9999, 12, 31)
#: Bounds before this are FRED's "from the beginning" (1600-01-01, 1776-07-04).
_BEFORE_ANY = dt.date(1800, 1, 1)
#: Periods and times are within these years; the oldest series goes back to 1086.
_YEARS = range(1000, 2501)
#: Larger exponents are no economic quantity and have no float.
_EXPONENT = 40
_FREQUENCIES: dict[str, Frequency] = {
    "D": "daily",
    "W": "weekly",
    "BW": "biweekly",
    "M": "monthly",
    "Q": "quarterly",
    "SA": "semiannual",
    "A": "annual",
}


class Row(msgspec.Struct, frozen=True, gc=False):
    """One period's value and the real-time period in which it stood."""

    start: dt.date
    end: dt.date
    date: dt.date
    value: Decimal | None


class Page[T](NamedTuple):
    """A piece of a list."""

    rows: Sequence[T]
    total: int  #: of the whole list, of which this may be a part
    offset: int
    start: dt.date  #: the real-time period that it answers for
    end: dt.date
    descending: bool


class WireSeries(msgspec.Struct):
    """What a series is."""

    id: str
    title: str
    realtime_end: dt.date
    frequency_short: str = ""
    units: str = ""
    seasonal_adjustment: str = ""
    observation_start: dt.date | None = None
    observation_end: dt.date | None = None
    last_updated: str | None = None
    notes: str = ""

    @property
    def frequency(self) -> Frequency:
        """How often it has an observation."""
        return _FREQUENCIES.get(self.frequency_short.upper(), "unknown")

    @property
    def first(self) -> dt.date | None:
        """The first period, None if FRED does not say."""
        day = self.observation_start
        return None if day is None or day < _BEFORE_ANY else day

    @property
    def last(self) -> dt.date | None:
        """The last period, None if FRED does not say."""
        return None if self.observation_end == FOREVER else self.observation_end


class WireReleaseDate(msgspec.Struct):
    """One date of one release."""

    release_id: int
    date: dt.date
    release_name: str = ""


class _WireRow(msgspec.Struct, gc=False):
    realtime_start: dt.date
    realtime_end: dt.date
    date: dt.date
    value: str


class _Listing(msgspec.Struct, kw_only=True):
    realtime_start: dt.date
    realtime_end: dt.date
    count: int | None = None
    offset: int = 0
    sort_order: str = "asc"


class _Observations(_Listing):
    observations: list[_WireRow]
    units: str = "lin"
    output_type: int = 1


class _Seriess(_Listing):
    seriess: list[WireSeries]


class _ReleaseDates(_Listing):
    release_dates: list[WireReleaseDate]


class _VintageDates(_Listing):
    vintage_dates: list[dt.date]


# ---------------------------------------------------------------- reading


def _decode[T](content: bytes, kind: type[T], what: str) -> T:
    try:
        return msgspec.json.decode(content, type=kind)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise BadPayloadError(
            f"FRED's {what} cannot be read: {error}",
            rule="FRED answers in JSON as its documentation says",
            fix="ask again later; nothing of it was used",
        ) from error


def _page[T](listing: _Listing, rows: Sequence[T]) -> Page[T]:
    count = len(rows) if listing.count is None else listing.count
    descending = listing.sort_order == "desc"
    return Page(rows, count, listing.offset, listing.realtime_start, listing.realtime_end, descending)


def observations(body: Body) -> Page[Row]:
    """Read ``series/observations``."""
    return _observations(body.content)


@lru_cache(maxsize=48)  # all series of a set of factors: the same bodies are asked about again and again
def _observations(content: bytes) -> Page[Row]:
    listing = _decode(content, _Observations, "observations")
    if listing.units != "lin" or listing.output_type != 1:
        raise BadPayloadError(
            f"FRED answered in units {listing.units[:20]!r} and output type {listing.output_type}",
            rule="values are asked for as they are published (lin), by real-time period (1)",
        )
    return _page(listing, tuple(_rows(listing.observations)))


def _rows(wire: Iterable[_WireRow]) -> Iterable[Row]:
    for row in wire:
        if row.date.year not in _YEARS:
            raise BadPayloadError(f"FRED's period {row.date} is none", rule="a period is a day of history")
        yield Row(row.realtime_start, row.realtime_end, row.date, value(row.value))


def value(text: str) -> Decimal | None:
    """Return a value; ``.`` is FRED's missing one. Raises BadPayloadError for what is no number."""
    if text == ".":
        return None
    try:
        number = Decimal(text)
    except InvalidOperation:
        number = Decimal("NaN")
    if not number.is_finite() or abs(number.adjusted()) > _EXPONENT or len(text) > 2 * _EXPONENT:
        raise BadPayloadError(f"FRED's value {text[:40]!r} is no number", rule="a value is a number or a dot")
    return number


def series(body: Body) -> Page[WireSeries]:
    """Read ``series`` and ``series/search``."""
    listing = _decode(body.content, _Seriess, "series")
    return _page(listing, listing.seriess)


def release_dates(body: Body) -> Page[WireReleaseDate]:
    """Read ``releases/dates``."""
    listing = _decode(body.content, _ReleaseDates, "release dates")
    return _page(listing, listing.release_dates)


def vintage_dates(body: Body) -> Page[dt.date]:
    """Read ``series/vintagedates``."""
    listing = _decode(body.content, _VintageDates, "vintage dates")
    return _page(listing, listing.vintage_dates)


def updated(text: str | None) -> int | None:
    """Return ``2024-12-19 07:55:01-06`` in UTC ns; None if it is not told."""
    if text is None or not text.strip():
        return None
    try:
        moment = dt.datetime.fromisoformat(text.strip())
    except ValueError as error:
        raise BadPayloadError(
            f"FRED's time {text[:40]!r} is none", rule="times have a date and an offset"
        ) from error
    if moment.year not in _YEARS:
        raise BadPayloadError(f"FRED's time {text[:40]!r} is none", rule="a time is one of history")
    if moment.tzinfo is None:
        return None  # a time somewhere, which is not known
    return int((moment - dt.datetime(1970, 1, 1, tzinfo=dt.UTC)) / dt.timedelta(seconds=1)) * forms.NANOS
