"""When it makes sense to ask: EDGAR's hours, the exchange's sessions, the business day in Washington.

All of it is in New York's time. This module must not know what is asked then.
"""

from __future__ import annotations

import datetime as dt
from functools import lru_cache
from zoneinfo import ZoneInfo

NEW_YORK = ZoneInfo("America/New_York")
#: EDGAR takes filings from 6:00 to 22:00 on days that are not federal holidays.
_EDGAR_OPENS, _EDGAR_CLOSES = dt.time(6), dt.time(22)


def edgar_accepts(moment: dt.datetime) -> bool:
    """Tell whether EDGAR takes filings at a moment."""
    there = moment.astimezone(NEW_YORK)
    return is_business_day(there.date()) and _EDGAR_OPENS <= there.time() <= _EDGAR_CLOSES


def is_business_day(day: dt.date) -> bool:
    """Tell whether the federal government works on a day."""
    return day.weekday() < 5 and day not in _federal(day.year)


def is_session(day: dt.date) -> bool:
    """Tell whether the New York Stock Exchange opens on a day."""
    return day.weekday() < 5 and day not in _exchange(day.year)


@lru_cache(maxsize=8)
def _federal(year: int) -> frozenset[dt.date]:
    import holidays  # slow to load, and not needed to start

    return frozenset(holidays.country_holidays("US", years=year))


@lru_cache(maxsize=8)
def _exchange(year: int) -> frozenset[dt.date]:
    import holidays

    return frozenset(holidays.financial_holidays("NYSE", years=year))
