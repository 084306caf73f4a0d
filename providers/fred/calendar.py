"""The calendar of releases: which matter, at what time of the day they usually come, what they update.

FRED tells the dates of the releases' sources, those to come included. The importance and the time of
the day are ours: times are those at which the sources usually publish, in New York. Releases that
are not in the table are of low importance and have no known time. This module must not know how the
dates are fetched.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from typing import NamedTuple
from zoneinfo import ZoneInfo

from data import forms
from data.macro import Importance, ReleaseDate
from data.problems import ProviderBadRequestError
from providers.core.http import Stamp
from providers.fred import catalogue
from providers.fred.wire import WireReleaseDate

_NEW_YORK = ZoneInfo("America/New_York")
MOST_DAYS = 366


class Usual(NamedTuple):
    """What is usual of a release."""

    importance: Importance
    hour: int | None = None  #: in New York; None: there is no usual time
    minute: int = 0


_HALF_PAST_EIGHT, _TEN = (8, 30), (10, 0)

USUAL: dict[int, Usual] = {
    10: Usual("high", *_HALF_PAST_EIGHT),  # Consumer Price Index
    50: Usual("high", *_HALF_PAST_EIGHT),  # Employment Situation
    53: Usual("high", *_HALF_PAST_EIGHT),  # Gross Domestic Product
    54: Usual("high", *_HALF_PAST_EIGHT),  # Personal Income and Outlays
    9: Usual("high", *_HALF_PAST_EIGHT),  # Advance Monthly Retail Sales
    46: Usual("high", *_HALF_PAST_EIGHT),  # Producer Price Index
    11: Usual("medium", *_HALF_PAST_EIGHT),  # Employment Cost Index
    13: Usual("medium", 9, 15),  # G.17 Industrial Production
    27: Usual("medium", *_HALF_PAST_EIGHT),  # New Residential Construction
    47: Usual("medium", *_HALF_PAST_EIGHT),  # Productivity and Costs
    51: Usual("medium", *_HALF_PAST_EIGHT),  # International Trade in Goods and Services
    91: Usual("medium", *_TEN),  # Surveys of Consumers
    95: Usual("medium"),  # Manufacturers' Shipments, Inventories and Orders: advance and full differ
    97: Usual("medium", *_TEN),  # New Residential Sales
    180: Usual("medium", *_HALF_PAST_EIGHT),  # Unemployment Insurance Weekly Claims
    188: Usual("medium", *_HALF_PAST_EIGHT),  # Import and Export Price Indexes
    192: Usual("medium", *_TEN),  # Job Openings and Labor Turnover
    194: Usual("medium", 8, 15),  # ADP National Employment
    199: Usual("medium", 9, 0),  # Case-Shiller Home Prices
    229: Usual("medium", *_TEN),  # Construction Spending
    291: Usual("medium", *_TEN),  # Existing Home Sales
    321: Usual("medium", *_HALF_PAST_EIGHT),  # Empire State Manufacturing
    351: Usual("medium", *_HALF_PAST_EIGHT),  # Manufacturing Business Outlook, Philadelphia
    191: Usual("medium", 14, 0),  # Senior Loan Officer Opinion Survey
    14: Usual("low", 15, 0),  # G.19 Consumer Credit
    17: Usual("low", 16, 15),  # H.10 Foreign Exchange Rates
    18: Usual("low", 16, 15),  # H.15 Selected Interest Rates
    20: Usual("low", 16, 30),  # H.4.1 Reserve Balances
    21: Usual("low", 13, 0),  # H.6 Money Stock
    25: Usual("low", *_TEN),  # Manufacturing and Trade Inventories and Sales
    49: Usual("low", *_HALF_PAST_EIGHT),  # International Transactions
    219: Usual("low", *_HALF_PAST_EIGHT),  # Chicago Fed National Activity Index
    221: Usual("low", *_HALF_PAST_EIGHT),  # Chicago Fed National Financial Conditions Index
    290: Usual("low", *_TEN),  # Wholesale Trade
    363: Usual("low", 14, 0),  # Monthly Treasury Statement
    435: Usual("low", *_HALF_PAST_EIGHT),  # Advance Economic Indicators
}


class Window(NamedTuple):
    """The days of a calendar, both included."""

    first: dt.date
    last: dt.date


def window(now: int, days_ahead: int, days_back: int) -> Window:
    """Return the days around today in New York; raises ProviderBadRequestError for senseless numbers."""
    if not (0 <= days_ahead <= MOST_DAYS and 0 <= days_back <= MOST_DAYS):
        raise ProviderBadRequestError(
            f"a calendar of {days_back} days back and {days_ahead} ahead is not to be had",
            rule=f"0 to {MOST_DAYS} days",
            fix="ask for fewer days",
        )
    today = dt.datetime.fromtimestamp(now / forms.NANOS, _NEW_YORK).date()
    return Window(today - dt.timedelta(days=days_back), today + dt.timedelta(days=days_ahead))


def calendar(rows: Iterable[WireReleaseDate], days: Window, stamp: Stamp) -> list[ReleaseDate]:
    """Return the releases of a window in the order in which they come, those that matter first in a tie."""
    names = {
        (row.release_id, row.date): row.release_name for row in rows if days.first <= row.date <= days.last
    }
    dates = [_release(release, date, name, stamp) for (release, date), name in names.items()]
    return sorted(dates, key=_order)


def _release(release_id: int, date: dt.date, name: str, stamp: Stamp) -> ReleaseDate:
    usual = USUAL.get(release_id, Usual("low"))
    return ReleaseDate(
        **stamp._asdict(),
        release_id=release_id,
        name=name or f"release {release_id}",
        date=date,
        ts_release=time_of(date, usual),
        importance=usual.importance,
        series=catalogue.of_release(release_id),
    )


def time_of(date: dt.date, usual: Usual) -> int | None:
    """Return the usual time of a day in UTC ns, by New York's clock of that day; None: there is none."""
    if usual.hour is None:
        return None
    moment = dt.datetime.combine(date, dt.time(usual.hour, usual.minute), _NEW_YORK)
    return int(moment.timestamp()) * forms.NANOS


_RANK: dict[Importance, int] = {"high": 0, "medium": 1, "low": 2}


def _order(one: ReleaseDate) -> tuple[dt.date, int, float, str]:
    time = float("inf") if one.ts_release is None else one.ts_release
    return one.date, _RANK[one.importance], time, one.name
