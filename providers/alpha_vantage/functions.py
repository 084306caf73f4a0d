"""The functions of Alpha Vantage that are built here, and how long their answers are fresh.

A free key has 25 requests a day, so nothing is asked twice that cannot have changed: prices of US
stocks stand still at night, at weekends and on exchange holidays. This module must not know how
anything is asked for.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from functools import lru_cache
from zoneinfo import ZoneInfo

import holidays

from data.forms import NANOS
from providers.core.http import DAY, HOUR, MINUTE

NEW_YORK = ZoneInfo("America/New_York")
#: Trading before the session begins at this hour. Figures of a day may still be put right until midnight.
_BEGINS = dt.time(4)


@dataclass(frozen=True, slots=True)
class Function:
    """One function."""

    name: str
    about: str
    fresh_s: float
    premium: bool = False  #: a paid key is wanted for it


FUNCTIONS: dict[str, Function] = {
    function.name: function
    for function in (
        Function("GLOBAL_QUOTE", "latest price and volume of a symbol", MINUTE),
        Function("TIME_SERIES_DAILY", "100 days of raw prices; the whole history is premium", HOUR),
        Function("TIME_SERIES_DAILY_ADJUSTED", "days with splits and dividends", HOUR, premium=True),
        Function("TIME_SERIES_INTRADAY", "bars of 1 to 60 minutes", 5 * MINUTE, premium=True),
        Function("TIME_SERIES_WEEKLY", "weeks of raw prices, whole history", HOUR),
        Function("TIME_SERIES_WEEKLY_ADJUSTED", "weeks with dividends, whole history", HOUR),
        Function("TIME_SERIES_MONTHLY", "months of raw prices, whole history", HOUR),
        Function("TIME_SERIES_MONTHLY_ADJUSTED", "months with dividends, whole history", HOUR),
        Function("SYMBOL_SEARCH", "symbols by name", DAY),
        Function("OVERVIEW", "what a company is, and its key figures", DAY),
        Function("EARNINGS", "earnings a share, by quarter and year", DAY),
        Function("EARNINGS_ESTIMATES", "what analysts expect", DAY),
        Function("INCOME_STATEMENT", "income statements, by quarter and year", DAY),
        Function("BALANCE_SHEET", "balance sheets, by quarter and year", DAY),
        Function("CASH_FLOW", "cash flows, by quarter and year", DAY),
        Function("EARNINGS_CALENDAR", "when companies are expected to report", DAY),
        Function("IPO_CALENDAR", "companies about to be listed", DAY),
        Function("LISTING_STATUS", "listed or delisted symbols, today or on a day", DAY),
        Function("DIVIDENDS", "dividends of a symbol", DAY),
        Function("SPLITS", "splits of a symbol", DAY),
    )
}


def fresh_prices_s(function: str, symbol: str, now: int) -> float:
    """Return up to which age in seconds an answer with prices is fresh.

    Args:
        function: one of `FUNCTIONS`.
        symbol: as Alpha Vantage spells it; of foreign ones nothing is known about their sessions.
        now: UTC ns.
    """
    least = FUNCTIONS[function].fresh_s
    if "." in symbol:
        return least
    return max(least, now / NANOS - stood_still_since(now) / NANOS)


def stood_still_since(now: int) -> int:
    """Return the UTC ns since which prices of US stocks have stood still; the time itself if they move."""
    moment = dt.datetime.fromtimestamp(now // NANOS, NEW_YORK)
    if is_session(moment.date()) and moment.time() >= _BEGINS:
        return now
    day = moment.date() - dt.timedelta(days=1)
    while not is_session(day):
        day -= dt.timedelta(days=1)
    midnight = dt.datetime.combine(day + dt.timedelta(days=1), dt.time(), NEW_YORK)
    return int(midnight.timestamp()) * NANOS


def is_session(day: dt.date) -> bool:
    """Say whether US stocks are traded on a day."""
    return day.weekday() < 5 and day not in _closed(day.year)


@lru_cache(maxsize=64)
def _closed(year: int) -> frozenset[dt.date]:
    return frozenset(holidays.financial_holidays("NYSE", years=year))
