"""Histories of the sandbox twin: drawn, the same on every machine, up to the latest session that is over.

The logarithm of a price wanders around its level and is drawn back to it. This module must not know
how a history is told.
"""

from __future__ import annotations

import datetime as dt
import math
import random
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from decimal import Decimal
from functools import lru_cache
from itertools import groupby

from providers.alpha_vantage.functions import NEW_YORK, is_session
from providers.alpha_vantage.twin_listings import FIRST_DAY, LISTED, Twin

_BACK = 0.01  #: of the way to its level that a price is drawn back a day
_GROWTH = 0.07  #: of the level, a year
_LEVEL_DAY = dt.date(2026, 11, 2)
_SETTLED = dt.time(16, 20)


@dataclass(frozen=True, slots=True)
class Day:
    """A session, or several made one."""

    date: dt.date
    open: Decimal
    high: Decimal
    low: Decimal
    close: Decimal
    volume: int
    dividend: Decimal
    adjusted_close: Decimal


def latest_session(now: dt.datetime) -> dt.date:
    """Return the latest session that is over."""
    here = now.astimezone(NEW_YORK)
    day = here.date() if here.time() >= _SETTLED else here.date() - dt.timedelta(days=1)
    while not is_session(day):
        day -= dt.timedelta(days=1)
    return day


@lru_cache(maxsize=4)
def sessions(last: dt.date) -> tuple[dt.date, ...]:
    """Return the days on which there was trading, up to one."""
    numbers = range(FIRST_DAY.toordinal(), last.toordinal() + 1)
    return tuple(day for day in map(dt.date.fromordinal, numbers) if is_session(day))


@lru_cache(maxsize=64)
def history(symbol: str, last: dt.date) -> tuple[Day, ...]:
    """Return all sessions of a symbol up to a day, oldest first, raw, with an adjusted close."""
    twin = LISTED[symbol]
    days = tuple(_drawn(twin, sessions(last)))
    adjusted: list[Day] = []
    factor = Decimal(1)
    for at in range(len(days) - 1, -1, -1):
        day = days[at]
        adjusted.append(
            Day(
                day.date, day.open, day.high, day.low, day.close, day.volume, day.dividend,
                round(day.close * factor, 4),
            )
        )  # fmt: skip
        if at and day.dividend:
            factor *= 1 - day.dividend / days[at - 1].close
        if twin.split and days[at - 1].date < twin.split[0] <= day.date:
            factor /= twin.split[1]
    return tuple(reversed(adjusted))


def _drawn(twin: Twin, days: Iterable[dt.date]) -> Iterator[Day]:
    draw = random.Random(f"prices of {twin.symbol}")
    daily = twin.volatility / math.sqrt(252)
    away, close, month = 0.0, 0.0, 0
    for day in days:
        away += -_BACK * away + daily * draw.gauss()
        years = (day - _LEVEL_DAY).days / 365.25
        before, close = close, twin.level * math.exp(away + _GROWTH * years)
        opened = (before or close) * math.exp(0.3 * daily * draw.gauss())
        reach = [1 + abs(0.5 * daily * draw.gauss()) for _ in range(2)]
        more = twin.split[1] if twin.split and day < twin.split[0] else 1
        pays = twin.dividend and day.month % 3 == 2 and day.day >= 8 and day.month != month
        month = day.month if pays else month
        yield Day(
            date=day,
            open=_cents(opened * more),
            high=_cents(max(opened, close) * reach[0] * more),
            low=_cents(min(opened, close) / reach[1] * more),
            close=_cents(close * more),
            volume=int(5e9 / twin.level * math.exp(0.3 * draw.gauss())),
            dividend=round(twin.dividend * Decimal(1 + _GROWTH * years), 2) if pays else Decimal(0),
            adjusted_close=Decimal(0),
        )


def _cents(price: float) -> Decimal:
    return Decimal(round(price * 100)).scaleb(-2)


def joined(days: Iterable[Day], *, weekly: bool) -> list[Day]:
    """Return the weeks, or the months, of sessions, each under its last one."""

    def period(day: Day) -> tuple[int, int]:
        return day.date.isocalendar()[:2] if weekly else (day.date.year, day.date.month)

    found = []
    for _, grouped in groupby(days, key=period):
        group = list(grouped)
        found.append(
            Day(
                date=group[-1].date,
                open=group[0].open,
                high=max(day.high for day in group),
                low=min(day.low for day in group),
                close=group[-1].close,
                volume=sum(day.volume for day in group),
                dividend=sum((day.dividend for day in group), Decimal(0)),
                adjusted_close=group[-1].adjusted_close,
            )
        )
    return found
