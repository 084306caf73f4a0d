"""Arithmetic on values over time: matched by the calendar, joined by the date, never shifted.

A timeline is dates with values, oldest first; a value of None says that there is none to be had at
that date, though its inputs have the period. Everything is a pure function. This module must not
know what the values mean.
"""

from __future__ import annotations

import calendar
import datetime as dt
import math
import statistics
from bisect import bisect_left, bisect_right, insort
from collections.abc import Iterable, Sequence
from decimal import Decimal
from typing import NamedTuple

from data.macro import Frequency

Point = tuple[dt.date, float | None]
Timeline = list[Point]

#: Standing is over so many years, and wants so many values.
YEARS = 10
LEAST: dict[Frequency, int] = {"daily": 480, "weekly": 100, "monthly": 24, "quarterly": 12}
#: Days within which an earlier value of a daily or weekly series counts as that of the same time.
_NEAR = 10
#: A float cannot tell less than this apart from no spread at all.
_FLAT = 1e-12


class Standing(NamedTuple):
    """How unusual a value is among the values before it."""

    zscore: float | None
    percentile: float | None  #: 0 to 100; of equal values half count as below
    points: int


def timeline(values: Iterable[tuple[dt.date, Decimal]]) -> Timeline:
    """Return published values as numbers."""
    return [(date, float(value)) for date, value in values]


def known(line: Timeline) -> list[tuple[dt.date, float]]:
    """Return the points that have a value."""
    return [(date, value) for date, value in line if value is not None]


def shifted(date: dt.date, months: int) -> dt.date:
    """Return the same day so many months later; the last of the month where there is no such day."""
    index = date.year * 12 + date.month - 1 + months
    year, month = divmod(index, 12)
    return dt.date(year, month + 1, min(date.day, calendar.monthrange(year, month + 1)[1]))


# ---------------------------------------------------------------- made of one


def scaled(line: Timeline, factor: float) -> Timeline:
    """Return all values multiplied."""
    return [(date, None if value is None else value * factor) for date, value in line]


def difference(line: Timeline, months: int) -> Timeline:
    """Return each value less the one so many calendar months before; None where that is missing."""
    at = dict(line)
    return [(date, _less(value, at.get(shifted(date, -months)))) for date, value in line]


def growth(line: Timeline, months: int = 12) -> Timeline:
    """Return the change in percent against so many calendar months before; None where that is missing."""
    at = dict(line)
    return [(date, _growth(value, at.get(shifted(date, -months)))) for date, value in line]


def average_change(line: Timeline, months: int) -> Timeline:
    """Return the average of the latest monthly changes; None unless all of them can be had."""
    at = dict(line)

    def average(date: dt.date) -> float | None:
        values = [at.get(shifted(date, -back)) for back in range(months + 1)]
        there = [value for value in values if value is not None]
        return (there[0] - there[-1]) / months if len(there) == months + 1 else None

    return [(date, average(date)) for date, _ in line]


def rolling_zscore(line: Timeline, count: int) -> Timeline:
    """Return each value's distance from the mean of the latest ``count``, in their standard deviations;
    None where all of them are equal.

    Each window is summed anew: sums that are carried along keep the rounding of large values long gone.
    """
    points = known(line)
    values = [value for _, value in points]
    result: Timeline = []
    for end in range(count, len(points) + 1):
        window = values[end - count : end]
        mean = math.fsum(window) / count
        apart = [value - mean for value in window]
        spread = math.sqrt(math.sumprod(apart, apart) / (count - 1))
        flat = spread <= _FLAT * max(1.0, abs(mean))
        result.append((points[end - 1][0], None if flat else apart[-1] / spread))
    return result


def rolling_percentile(line: Timeline, count: int) -> Timeline:
    """Return each value's percentile among the latest ``count``, itself included."""
    points = known(line)
    window: list[float] = []
    result: Timeline = []
    for index, (date, value) in enumerate(points):
        insort(window, value)
        if len(window) > count:
            del window[bisect_left(window, points[index - count][1])]
        if len(window) == count:
            result.append((date, _rank(window, value)))
    return result


# ---------------------------------------------------------------- made of several


def combination(lines: Sequence[Timeline], weights: Sequence[float]) -> Timeline:
    """Return the weighted sum on the dates that all have; None where one of them has no value."""
    others = [dict(line) for line in lines[1:]]
    result: Timeline = []
    for date, value in lines[0]:
        if all(date in other for other in others):
            values = [value, *(other[date] for other in others)]
            there = [one for one in values if one is not None]
            whole = len(there) == len(values)
            total = sum(w * one for w, one in zip(weights, there, strict=True)) if whole else None
            result.append((date, total))
    return result


def gap(line: Timeline, base: Timeline) -> Timeline:
    """Return how far one is above another in percent, on the dates that both have."""
    at = dict(base)
    return [(date, _growth(value, at[date])) for date, value in line if date in at]


def monthly_mean(line: Timeline, least: int) -> Timeline:
    """Return the mean of each month that has at least so many values, dated its first day."""
    months: dict[dt.date, list[float]] = {}
    for date, value in known(line):
        months.setdefault(date.replace(day=1), []).append(value)
    return [
        (month, statistics.fmean(values)) for month, values in sorted(months.items()) if len(values) >= least
    ]


# ---------------------------------------------------------------- told of the last


def previous(line: Timeline, frequency: Frequency) -> float | None:
    """Return the value one period before the last one; None if that period has none."""
    date = line[-1][0]
    if frequency in ("monthly", "quarterly"):
        return dict(line).get(shifted(date, -1 if frequency == "monthly" else -3))
    before = known(line[:-1])
    return before[-1][1] if before and (date - before[-1][0]).days <= _NEAR else None


def year_before(line: Timeline, frequency: Frequency) -> float | None:
    """Return the value of the same period of the year before; of a day the latest within days before."""
    target = shifted(line[-1][0], -12)
    if frequency in ("monthly", "quarterly"):
        return dict(line).get(target)
    points = known(line)
    index = bisect_right([date for date, _ in points], target) - 1
    return points[index][1] if index >= 0 and (target - points[index][0]).days <= _NEAR else None


def standing(line: Timeline, frequency: Frequency) -> Standing:
    """Return how unusual the last value is over the years before it; None for too few values."""
    last, value = line[-1]
    since = shifted(last, -12 * YEARS)
    values = sorted(one for date, one in known(line) if date > since)
    if value is None or len(values) < LEAST.get(frequency, 24):
        return Standing(None, None, len(values))
    mean = statistics.fmean(values)
    spread = math.sqrt(math.fsum((one - mean) ** 2 for one in values) / (len(values) - 1))
    flat = spread <= _FLAT * max(1.0, abs(mean))
    zscore = None if flat else (value - mean) / spread
    return Standing(zscore, _rank(values, value), len(values))


def _rank(ordered: Sequence[float], value: float) -> float:
    below, upto = bisect_left(ordered, value), bisect_right(ordered, value)
    return 100.0 * (below + upto) / (2 * len(ordered))


def _less(value: float | None, base: float | None) -> float | None:
    return None if value is None or base is None else value - base


def _growth(value: float | None, base: float | None) -> float | None:
    if value is None or base is None or base <= 0:
        return None
    return 100.0 * (value / base - 1.0)
