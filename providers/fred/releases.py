"""When the invented economy's releases come: by rules that are near to those of the real ones.

This module must not know what the releases contain.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator
from functools import cache
from typing import NamedTuple

_MONDAY, _TUESDAY, _WEDNESDAY, _THURSDAY, _FRIDAY = range(5)


class Release(NamedTuple):
    """A release: its name, and its days in the month that begins with a date."""

    name: str
    days: Callable[[dt.date], list[dt.date]]


@cache
def _all(first: dt.date) -> list[dt.date]:
    days = [first + dt.timedelta(days=one) for one in range(31)]
    return [day for day in days if day.month == first.month]


def _on(weekday: int, *which: int) -> Callable[[dt.date], list[dt.date]]:
    """Return the days of a month that are its first, second … such weekday; -1 is the last."""

    def days(first: dt.date) -> list[dt.date]:
        there = [day for day in _all(first) if day.weekday() == weekday]
        return [there[one - 1 if one > 0 else one] for one in which]

    return days


def _every(*weekdays: int) -> Callable[[dt.date], list[dt.date]]:
    return lambda first: [day for day in _all(first) if day.weekday() in weekdays]


def _about(number: int, *months: int) -> Callable[[dt.date], list[dt.date]]:
    """Return the first weekday from a day of the month on, in some months only if any are named."""

    def days(first: dt.date) -> list[dt.date]:
        day = first.replace(day=number)
        day += dt.timedelta(days=max(0, 7 - day.weekday()) if day.weekday() > _FRIDAY else 0)
        return [day] if not months or first.month in months else []

    return days


_WEEKDAYS = _every(_MONDAY, _TUESDAY, _WEDNESDAY, _THURSDAY, _FRIDAY)

RELEASES: dict[int, Release] = {
    9: Release("Advance Monthly Sales for Retail and Food Services", _about(15)),
    10: Release("Consumer Price Index", _on(_WEDNESDAY, 2)),
    11: Release("Employment Cost Index", _about(28, 1, 4, 7, 10)),
    13: Release("G.17 Industrial Production and Capacity Utilization", _about(16)),
    17: Release("H.10 Foreign Exchange Rates", _every(_MONDAY)),
    18: Release("H.15 Selected Interest Rates", _WEEKDAYS),
    20: Release("H.4.1 Factors Affecting Reserve Balances", _every(_THURSDAY)),
    21: Release("H.6 Money Stock Measures", _on(_TUESDAY, 4)),
    27: Release("New Residential Construction", _about(18)),
    46: Release("Producer Price Index", _on(_THURSDAY, 2)),
    50: Release("Employment Situation", _on(_FRIDAY, 1)),
    53: Release("Gross Domestic Product", _on(_THURSDAY, -1)),
    54: Release("Personal Income and Outlays", _on(_FRIDAY, -1)),
    91: Release("Surveys of Consumers", _on(_FRIDAY, 2, 4)),
    97: Release("New Residential Sales", _about(24)),
    99: Release("Budget and Economic Outlook", _about(7, 2, 7)),
    180: Release("Unemployment Insurance Weekly Claims Report", _every(_THURSDAY)),
    187: Release("St. Louis Fed Financial Stress Index", _every(_THURSDAY)),
    192: Release("Job Openings and Labor Turnover Survey", _on(_TUESDAY, 1)),
    200: Release("CBOE Market Statistics", _WEEKDAYS),
    209: Release("ICE BofA Indices", _WEEKDAYS),
    212: Release("Spot Prices", _every(_WEDNESDAY)),
    221: Release("Chicago Fed National Financial Conditions Index", _every(_WEDNESDAY)),
    242: Release("Recession Indicators Series", _about(1)),
    304: Release("Interest Rate Spreads", _WEEKDAYS),
    456: Release("Sahm Rule Recession Indicator", _on(_FRIDAY, 1)),
}


@cache
def _in_month(release_id: int, first: dt.date) -> tuple[dt.date, ...]:
    return tuple(sorted(RELEASES[release_id].days(first)))


def dates(release_id: int, first: dt.date, last: dt.date) -> Iterator[dt.date]:
    """Return the days of a release within two days, both included."""
    month = first.replace(day=1)
    while month <= last:
        yield from (day for day in _in_month(release_id, month) if first <= day <= last)
        month = (month + dt.timedelta(days=32)).replace(day=1)


def following(release_id: int, after: dt.date, count: int) -> list[dt.date]:
    """Return the next days of a release from a day on."""
    found: list[dt.date] = []
    month = after.replace(day=1)
    while len(found) < count:
        found += [day for day in _in_month(release_id, month) if day >= after]
        month = (month + dt.timedelta(days=32)).replace(day=1)
    return found[:count]
