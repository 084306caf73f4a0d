"""An invented economy: every series of the catalogue, generated, with the vintages it would have had.

A business cycle of its own drives all of it, so that curve, unemployment, prices and spreads fit
together and recessions announce themselves. What was generated for a date never depends on later
ones: tomorrow has the same past. Nothing here says anything about the world. This module must not
know how it is asked for.
"""

from __future__ import annotations

import datetime as dt
import math
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterator
from functools import cache, lru_cache
from random import Random
from typing import NamedTuple

import holidays
import msgspec

from providers.fred import catalogue
from providers.fred.releases import following
from providers.fred.timeline import shifted

FIRST = dt.date(1960, 1, 1)
FIRST_DAY = dt.date(1982, 1, 4)
#: The day from which there are vintages.
ARCHIVE = dt.date(1991, 1, 30)
FOREVER = dt.date(9999, 12, 31)
_NIGHT, _WEEKEND = dt.timedelta(days=1), dt.timedelta(days=3)
_SEED = "nautilus"
#: Months after its turn at which a recession's begin or end is announced.
_ANNOUNCED = 11


class Vintage(msgspec.Struct, frozen=True, gc=False):
    """A period's value while it stood."""

    start: dt.date
    end: dt.date
    date: dt.date
    value: str


class Cycle:
    """Expansions and recessions by month, as numbers of months since ``FIRST``."""

    def __init__(self) -> None:
        rng = Random(f"{_SEED} cycle")
        self.begins: list[int] = []
        self.ends: list[int] = []
        month = 4
        while month < 12 * 200:
            self.begins.append(month)
            month += rng.randint(8, 13)
            self.ends.append(month)  # the first month of the expansion
            month += rng.randint(62, 104)
        self._bad = [False] * month
        for begin, end in zip(self.begins, self.ends, strict=True):
            self._bad[begin:end] = [True] * (end - begin)

    def in_recession(self, month: int) -> bool:
        """Say whether a month is one of recession."""
        return self._bad[month]

    def ahead(self, month: int) -> int:
        """Return how many months are left until the next recession begins."""
        return self.begins[bisect_right(self.begins, month)] - month

    def announced(self, month: int) -> list[tuple[int, str]]:
        """Return from how many months on a month was said to be one of recession (1) or none (0)."""
        truth = self.in_recession(month)
        index = bisect_right(self.begins, month) - 1
        turn = self.begins[index] if truth else self.ends[index] if index >= 0 else 0
        known = turn + _ANNOUNCED
        if month + 1 >= known:
            return [(1, str(int(truth)))]
        return [(1, str(int(not truth))), (known - month, str(int(truth)))]


CYCLE = Cycle()


def _index(date: dt.date) -> int:
    return (date.year - FIRST.year) * 12 + date.month - 1


def _months(until: dt.date, first: dt.date = FIRST) -> Iterator[tuple[dt.date, int]]:
    date = first
    while date <= until:
        yield date, _index(date)
        date = shifted(date, 1)


@lru_cache(maxsize=2)
def _all_weekdays(until: dt.date) -> list[dt.date]:
    days = (dt.date.fromordinal(day) for day in range(FIRST_DAY.toordinal(), until.toordinal() + 1))
    return [day for day in days if day.weekday() < 5]


def _weekdays(until: dt.date, first: dt.date) -> Iterator[dt.date]:
    days = _all_weekdays(until)
    return iter(days[bisect_left(days, first) :])


def _weeks(until: dt.date, first: dt.date) -> Iterator[dt.date]:
    while first <= until:
        yield first
        first += dt.timedelta(days=7)


# ---------------------------------------------------------------- how values move


def _normals(name: str) -> Iterator[float]:
    """Return standard normal numbers without end, two at a time as Box and Muller have them."""
    draw = Random(f"{_SEED} {name}").random
    while True:
        angle = draw() * math.tau
        radius = math.sqrt(-2.0 * math.log(1.0 - draw()))
        yield math.cos(angle) * radius
        yield math.sin(angle) * radius


class Growing(NamedTuple):
    """An index that grows by so many percent a year in expansions and in recessions."""

    start: float
    expansion: float
    recession: float
    noise: float  #: percent a month
    revision: float  #: percent
    digits: int = 1
    lag: int = 1  #: months until it is published

    def walk(self, name: str, until: dt.date, first: dt.date) -> Iterator[tuple[dt.date, float]]:
        """Return the values by month."""
        rng, value, pace = Random(f"{_SEED} {name}"), self.start, self.expansion
        for date, month in _months(until, first):
            target = self.recession if CYCLE.in_recession(month) else self.expansion
            pace += 0.35 * (target - pace)
            value *= 1 + pace / 1200
            yield date, value * (1 + rng.gauss(0, self.noise) / 100)


class Hovering(NamedTuple):
    """A value drawn to one level in expansions and to another in recessions."""

    expansion: float
    recession: float
    pull: float  #: share of the distance in a step
    noise: float
    digits: int = 2
    logarithmic: bool = False
    revision: float = 0.0
    lag: int = 1

    def walk(self, name: str, dates: Iterator[dt.date]) -> Iterator[tuple[dt.date, float]]:
        """Return the values by date."""
        scale: Callable[[float], float] = math.log if self.logarithmic else float
        calm, rough = scale(self.expansion), scale(self.recession)
        normal, value = _normals(name), calm
        last, goal = -1, calm
        for date in dates:
            if date.month != last:
                last, goal = date.month, rough if CYCLE.in_recession(_index(date)) else calm
            value += self.pull * (goal - value) + next(normal) * self.noise
            yield date, math.exp(value) if self.logarithmic else value


MONTHLY_GROWING: dict[str, Growing] = {
    "INDPRO": Growing(23.0, 2.9, -7.5, 0.25, 0.15, 4),
    "RSAFS": Growing(17000.0, 5.6, -4.5, 0.5, 0.3, 0),
    "M2SL": Growing(300.0, 6.0, 8.0, 0.1, 0.1),
    "AHETPI": Growing(2.0, 4.1, 2.6, 0.06, 0.05, 2),
}
MONTHLY_HOVERING: dict[str, tuple[Hovering, dt.date]] = {
    "HOUST": (Hovering(1480, 880, 0.09, 42, 0, revision=1.5), dt.date(1960, 1, 1)),
    "UMCSENT": (Hovering(93, 66, 0.12, 2.6, 1, revision=0.8, lag=0), dt.date(1978, 1, 1)),
    "CIVPART": (Hovering(63.4, 62.5, 0.03, 0.09, 1), FIRST),
    "JTSJOL": (Hovering(7300, 4200, 0.07, 140, 0, revision=1.0, lag=2), dt.date(2000, 12, 1)),
}
#: First date: a Friday or, for claims, a Saturday.
WEEKLY: dict[str, tuple[Hovering, dt.date]] = {
    "ICSA": (Hovering(226_000, 455_000, 0.06, 7_500, 0, revision=0.8), dt.date(1967, 1, 7)),
    "NFCI": (Hovering(-0.5, 0.9, 0.05, 0.04, 5, revision=1.5), dt.date(1971, 1, 8)),
    "STLFSI4": (Hovering(-0.4, 1.7, 0.06, 0.11, 4, revision=1.5), dt.date(1993, 12, 31)),
}
DAILY: dict[str, tuple[Hovering, dt.date]] = {
    "VIXCLS": (Hovering(16, 30, 0.03, 0.055, 2, True), dt.date(1990, 1, 2)),
    "BAMLH0A0HYM2": (Hovering(3.8, 8.6, 0.012, 0.014, 2, True), dt.date(1996, 12, 31)),
    "BAA10Y": (Hovering(1.8, 3.1, 0.012, 0.011, 2, True), dt.date(1986, 1, 2)),
    "DTWEXBGS": (Hovering(114, 121, 0.003, 0.32, 4), dt.date(2006, 1, 2)),
    "DEXUSEU": (Hovering(1.13, 1.08, 0.004, 0.0055, 4), dt.date(1999, 1, 4)),
    "DCOILWTICO": (Hovering(72, 46, 0.006, 0.02, 2, True), dt.date(1986, 1, 2)),
    "T5YIE": (Hovering(2.35, 1.3, 0.012, 0.028), dt.date(2003, 1, 2)),
    "T10YIE": (Hovering(2.3, 1.6, 0.012, 0.022), dt.date(2003, 1, 2)),
}
#: Years to maturity, and the first day.
_MATURITIES: dict[str, tuple[float, dt.date]] = {
    "DGS1MO": (1 / 12, dt.date(2001, 7, 31)),
    "DGS3MO": (0.25, FIRST_DAY),
    "DGS6MO": (0.5, FIRST_DAY),
    "DGS1": (1, FIRST_DAY),
    "DGS2": (2, FIRST_DAY),
    "DGS3": (3, FIRST_DAY),
    "DGS5": (5, FIRST_DAY),
    "DGS7": (7, FIRST_DAY),
    "DGS10": (10, FIRST_DAY),
    "DGS20": (20, FIRST_DAY),
    "DGS30": (30, FIRST_DAY),
}
_SPREADS = {"T10Y2Y": ("DGS10", "DGS2"), "T10Y3M": ("DGS10", "DGS3MO")}


@cache
def _holidays(year: int) -> frozenset[dt.date]:
    return frozenset(holidays.country_holidays("US", years=year))


# ---------------------------------------------------------------- yields


def _spread_target(month: int) -> float:
    """Return where 10 years less 3 months goes: steep after a recession, inverted a year before one."""
    if CYCLE.in_recession(month):
        return 2.0
    ahead = CYCLE.ahead(month)
    return -0.9 if 5 < ahead <= 17 else 0.5 if ahead <= 30 else 2.1


@lru_cache(maxsize=2)
def _curves(until: dt.date) -> list[tuple[dt.date, float, float, float]]:
    """Return each weekday's 10-year yield, spread and bend: of these every maturity is made."""
    normal = _normals("yields")
    level, spread, bend = 4.6, 1.5, 0.0
    last, goal = -1, spread
    days = []
    for date in _weekdays(until, FIRST_DAY):
        if date.month != last:
            last, goal = date.month, _spread_target(_index(date))
        level += 0.0012 * (4.2 - level) + next(normal) * 0.045
        spread += 0.012 * (goal - spread) + next(normal) * 0.03
        bend += 0.02 * (0.0 - bend) + next(normal) * 0.02
        days.append((date, max(level, 1.0), spread, bend))
    return days


@lru_cache(maxsize=24)
def _yields(id: str, until: dt.date) -> list[tuple[dt.date, float]]:
    years, first = _MATURITIES[id]
    short, belly = _short(years), _belly(years)
    return [
        (date, max(0.02, ten - spread * short + bend * belly))
        for date, ten, spread, bend in _curves(until)
        if date >= first
    ]


def _short(years: float) -> float:
    """Return how much of the spread a maturity has: 1 at 3 months, 0 at 10 years, a little less beyond."""
    return (math.log(10 / years) / math.log(40)) * (1.0 if years <= 10 else 0.6)


def _belly(years: float) -> float:
    return math.exp(-((math.log(years / 4)) ** 2))


def _policy_rate(until: dt.date) -> list[tuple[dt.date, float]]:
    days: dict[dt.date, list[float]] = {}
    for date, value in _yields("DGS3MO", until):
        days.setdefault(date.replace(day=1), []).append(value)
    return [(month, max(0.05, sum(values) / len(values) - 0.05)) for month, values in days.items()]


# ---------------------------------------------------------------- labour, prices, output


@lru_cache(maxsize=2)
def _unemployment(until: dt.date) -> list[tuple[dt.date, float]]:
    rng, value = Random(f"{_SEED} unemployment"), 4.8
    line = []
    for date, month in _months(until):
        value += 0.3 if CYCLE.in_recession(month) else -0.035 * (value - 3.9)
        line.append((date, round(value + rng.gauss(0, 0.04), 1)))
    return line


def _sahm(until: dt.date) -> list[tuple[dt.date, float]]:
    line = _unemployment(until)
    means = [sum(value for _, value in line[max(0, i - 2) : i + 1]) / min(3, i + 1) for i in range(len(line))]
    return [(line[i][0], means[i] - min(means[i - 12 : i])) for i in range(14, len(line))]


def _payrolls(until: dt.date) -> Iterator[tuple[dt.date, float]]:
    rng, value, pace = Random(f"{_SEED} payrolls"), 54_000.0, 150.0
    for date, month in _months(until):
        pace += 0.4 * ((-330 if CYCLE.in_recession(month) else 165) - pace)
        value += pace + rng.gauss(0, 35)
        yield date, value


@lru_cache(maxsize=2)
def _inflation(until: dt.date) -> list[tuple[dt.date, float]]:
    rng, pace = Random(f"{_SEED} inflation"), 2.2
    line = []
    for date, month in _months(until):
        late = CYCLE.ahead(month) < 26
        target = 1.2 if CYCLE.in_recession(month) else 3.9 if late else 2.0
        pace += 0.07 * (target - pace) + rng.gauss(0, 0.1)
        line.append((date, pace))
    return line


def _prices(
    name: str, until: dt.date, start: float, above: float, noise: float
) -> list[tuple[dt.date, float]]:
    rng, value = Random(f"{_SEED} {name}"), start
    line = []
    for date, pace in _inflation(until):
        value *= 1 + (pace + above) / 1200 + rng.gauss(0, noise) / 100
        line.append((date, value))
    return line


def _output(name: str, until: dt.date) -> list[tuple[dt.date, float]]:
    """Return potential, real or nominal output by quarter; output follows unemployment."""
    rng = Random(f"{_SEED} output")
    labour = dict(_unemployment(until))
    deflator = dict(_prices("PCEPI", until, 17.0, -0.1, 0.08))
    beyond = shifted(until, 60) if name == "GDPPOT" else until
    line = []
    for date, month in _months(beyond):
        if month % 3:
            continue
        potential = 3_400.0 * 1.0235 ** (month / 12)
        noise = rng.gauss(0, 0.12)
        if name == "GDPPOT":
            line.append((date, potential))
        elif (whole := shifted(date, 2)) in labour:
            real = potential * (1 - 1.7 * (labour[whole] - 4.7) / 100 + noise / 100)
            line.append((date, real if name == "GDPC1" else real * deflator[whole] / 100))
    return line


# ---------------------------------------------------------------- vintages

_PRICES: dict[str, tuple[float, float, float]] = {
    "CPIAUCSL": (29.4, 0.2, 0.12),
    "CPILFESL": (30.0, 0.15, 0.05),
    "PCEPI": (17.0, -0.1, 0.08),
    "PCEPILFE": (17.6, -0.1, 0.04),
}


@lru_cache(maxsize=8)
def vintages(series_id: str, today: dt.date, first: dt.date = FIRST) -> tuple[Vintage, ...]:
    """Return all that a series of the catalogue said up to a day of the periods from one on, oldest first."""
    rows = _announcements(today, first) if series_id == "USREC" else _published(series_id, today, first)
    return tuple(_as_seen(row, today) for row in rows if row.start <= today)


def begins(series_id: str, today: dt.date) -> tuple[dt.date, dt.date]:
    """Return the first period of a series and the day of its first vintage."""
    if series_id == "USREC":
        return FIRST, ARCHIVE
    earliest = next(_published(series_id, today, FIRST))
    return earliest.date, earliest.start


def _published(series_id: str, today: dt.date, first: dt.date) -> Iterator[Vintage]:
    entry = catalogue.find(series_id)
    assert entry is not None
    made = _line(entry.id, today)
    line = made.line[bisect_left(made.line, (first, -math.inf)) :]
    return _daily(entry, line, made.digits) if entry.frequency == "daily" else _revised(entry, line, made)


def _as_seen(row: Vintage, today: dt.date) -> Vintage:
    """Return a row as it is before its correction is known."""
    return row if row.end < today or row.end is FOREVER else Vintage(row.start, FOREVER, row.date, row.value)


class _Made(NamedTuple):
    """A series before it is published."""

    line: list[tuple[dt.date, float]]
    digits: int
    revision: float = 0.0  #: percent
    lag: int = 0  #: months until it is published


@lru_cache(maxsize=64)
def _line(id: str, today: dt.date) -> _Made:
    if id in _MATURITIES:
        return _Made(_yields(id, today), 2)
    if id in DAILY:
        daily, first = DAILY[id]
        return _Made(list(daily.walk(id, _weekdays(today, first))), daily.digits)
    if id in WEEKLY:
        weekly, first = WEEKLY[id]
        return _Made(list(weekly.walk(id, _weeks(today, first))), weekly.digits, weekly.revision)
    if id in MONTHLY_GROWING:
        growing = MONTHLY_GROWING[id]
        return _Made(list(growing.walk(id, today, FIRST)), growing.digits, growing.revision, growing.lag)
    if id in MONTHLY_HOVERING:
        monthly, first = MONTHLY_HOVERING[id]
        dates = (date for date, _ in _months(today, first))
        return _Made(list(monthly.walk(id, dates)), monthly.digits, monthly.revision, monthly.lag)
    if id in _PRICES:
        return _Made(_prices(id, today, *_PRICES[id]), 3, 0.03, 1)
    return _special(id, today)


def _special(id: str, today: dt.date) -> _Made:
    if id in _SPREADS:
        long, short = (_yields(one, today) for one in _SPREADS[id])
        pairs = zip(long, short, strict=True)
        return _Made([(date, round(a, 2) - round(b, 2)) for (date, a), (_, b) in pairs], 2)
    if id == "FEDFUNDS":
        return _Made(_policy_rate(today), 2, lag=1)
    if id == "UNRATE":
        return _Made(_unemployment(today), 1, lag=1)
    if id == "SAHMREALTIME":
        return _Made(_sahm(today), 2, lag=1)
    if id == "PAYEMS":
        return _Made(list(_payrolls(today)), 0, 0.03, 1)
    return _Made(_output(id, today), 3, 0.0 if id == "GDPPOT" else 0.2, 3)


def _daily(entry: catalogue.Entry, line: list[tuple[dt.date, float]], digits: int) -> Iterator[Vintage]:
    """Return prices of the market: published the next weekday, never revised, none on holidays."""
    for date, value in line:
        text = "." if date in _holidays(date.year) else f"{value:.{digits}f}"
        start = date + (_WEEKEND if date.weekday() == 4 else _NIGHT) if entry.archived else date
        yield Vintage(ARCHIVE if entry.archived and start < ARCHIVE else start, FOREVER, date, text)


def _revised(entry: catalogue.Entry, line: list[tuple[dt.date, float]], made: _Made) -> Iterator[Vintage]:
    """Return values that are published with the release and, where revised, corrected with the next two."""
    for date, value in line:
        after = date if entry.frequency == "weekly" else shifted(date, made.lag)
        if entry.id == "GDPPOT":
            after = FIRST
        rng = Random(f"{_SEED} {entry.id} {date}")
        sizes = (made.revision, made.revision / 2, 0.0) if made.revision else (0.0,)
        days = following(entry.release, after, len(sizes))
        said = [
            (max(day, ARCHIVE), f"{value * (1 + rng.gauss(0, size) / 100):.{made.digits}f}")
            for day, size in zip(days, sizes, strict=True)
        ]
        yield from _stood(date, said)


def _announcements(today: dt.date, first: dt.date) -> Iterator[Vintage]:
    for date, month in _months(today, first.replace(day=1)):
        said = [
            (max(following(242, shifted(date, later), 1)[0], ARCHIVE), text)
            for later, text in CYCLE.announced(month)
        ]
        yield from _stood(date, said)


def _stood(date: dt.date, said: list[tuple[dt.date, str]]) -> Iterator[Vintage]:
    """Return how long each value stood until the next one."""
    for index, (start, text) in enumerate(said):
        end = said[index + 1][0] - dt.timedelta(days=1) if index + 1 < len(said) else FOREVER
        if start <= end:
            yield Vintage(start, end, date, text)
