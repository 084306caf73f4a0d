"""Arithmetic over time against plain computations: by the calendar, by the date, never shifted."""

from __future__ import annotations

import datetime as dt
import statistics
from collections.abc import Sequence

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from providers.fred import timeline as t
from providers.fred.timeline import Timeline

values = st.floats(-1000, 1000, allow_nan=False).map(lambda value: round(value, 3))
DAY = dt.date(2020, 1, 1)


def monthly(numbers: Sequence[float | None], first: dt.date = DAY) -> Timeline:
    """Return values by month."""
    return [(t.shifted(first, index), value) for index, value in enumerate(numbers)]


def daily(numbers: list[float]) -> Timeline:
    """Return values by day."""
    return [(DAY + dt.timedelta(days=index), value) for index, value in enumerate(numbers)]


@given(st.dates(dt.date(1900, 1, 1), dt.date(2100, 12, 31)), st.integers(-600, 600))
def test_months_are_those_of_the_calendar(date: dt.date, months: int) -> None:
    moved = t.shifted(date, months)
    assert (moved.year * 12 + moved.month) - (date.year * 12 + date.month) == months
    assert moved.day == date.day or (moved + dt.timedelta(days=1)).day == 1


def test_yoy_wants_thirteen_points() -> None:
    line = monthly([100.0 + index for index in range(13)])
    assert t.growth(line[:12]) == [(date, None) for date, _ in line[:12]]
    assert t.growth(line)[12][0] == dt.date(2021, 1, 1)
    assert t.growth(line)[12][1] == pytest.approx(12.0)


def test_a_missing_month_makes_none_and_is_not_replaced_by_its_neighbour() -> None:
    line = monthly([100.0 + index for index in range(14)])
    without = [point for point in line if point[0] != dt.date(2020, 2, 1)]
    assert t.growth(without)[-1] == (dt.date(2021, 2, 1), None)
    assert t.growth(without)[-2][1] == pytest.approx(12.0)


@pytest.mark.parametrize("base", [0.0, -1.0])
def test_there_is_no_growth_from_nothing(base: float) -> None:
    assert t.growth(monthly([base, 5.0]), 1)[-1][1] is None


def test_changes_and_their_average_want_every_month() -> None:
    line = monthly([10.0, 20.0, 40.0, 70.0])
    assert t.difference(line, 1) == monthly([None, 10.0, 20.0, 30.0])
    assert t.average_change(line, 3)[-1][1] == 20.0
    assert t.average_change([line[0], line[1], line[3]], 3)[-1][1] is None
    assert t.difference([line[0], line[1], line[3]], 1)[-1][1] is None


@given(st.lists(values, min_size=1, max_size=40), st.integers(2, 12))
def test_the_rolling_percentile_is_the_rank_within_the_window(numbers: list[float], count: int) -> None:
    expected = []
    for end in range(count, len(numbers) + 1):
        window, last = numbers[end - count : end], numbers[end - 1]
        below = sum(one < last for one in window) + 0.5 * sum(one == last for one in window)
        expected.append(pytest.approx(100 * below / count))
    assert [value for _, value in t.rolling_percentile(daily(numbers), count)] == expected


@given(st.lists(values, min_size=1, max_size=40), st.integers(3, 12))
@example([182.0, 1.688, 0.0, 0.0, 0.0], 3)
def test_the_rolling_zscore_is_that_of_the_window(numbers: list[float], count: int) -> None:
    made = [value for _, value in t.rolling_zscore(daily(numbers), count)]
    assert len(made) == max(0, len(numbers) - count + 1)
    for end, value in enumerate(made, start=count):
        window = numbers[end - count : end]
        spread = statistics.stdev(window)
        if spread > 1e-2:
            assert value == pytest.approx((window[-1] - statistics.fmean(window)) / spread, abs=1e-4)
        if spread == 0:
            assert value is None


@given(
    st.dictionaries(st.dates(DAY, dt.date(2020, 3, 1)), values, max_size=30),
    st.dictionaries(st.dates(DAY, dt.date(2020, 3, 1)), values, max_size=30),
)
def test_a_combination_is_on_the_same_dates_only(
    one: dict[dt.date, float], other: dict[dt.date, float]
) -> None:
    lines: list[Timeline] = [sorted(one.items()), sorted(other.items())]
    made = t.combination(lines, (1.0, -1.0))
    both = sorted(one.keys() & other.keys())
    assert [date for date, _ in made] == both
    assert [value for _, value in made] == [pytest.approx(one[date] - other[date]) for date in both]


def test_what_a_combination_lacks_is_none() -> None:
    assert t.combination([monthly([1.0, None]), monthly([2.0, 2.0])], (1.0, 1.0)) == monthly([3.0, None])


@given(st.lists(values, min_size=30, max_size=100))
def test_standing_is_mean_deviation_and_rank_of_the_years_before(numbers: list[float]) -> None:
    line = monthly(list(numbers))
    told = t.standing(line, "monthly")
    assert told.points == len(numbers)
    below = sum(one < numbers[-1] for one in numbers) + 0.5 * numbers.count(numbers[-1])
    assert told.percentile == pytest.approx(100 * below / len(numbers))
    if statistics.stdev(numbers) > 1e-3:
        expected = (numbers[-1] - statistics.fmean(numbers)) / statistics.stdev(numbers)
        assert told.zscore == pytest.approx(expected, abs=1e-6)


def test_standing_is_over_ten_years_and_wants_enough_of_them() -> None:
    line = monthly([1000.0] * 60 + [1.0, 2.0] * 60)
    assert t.standing(line, "monthly").points == 120
    assert t.standing(line[-24:], "monthly").zscore is not None
    few = t.standing(line[-23:], "monthly")
    assert (few.zscore, few.percentile, few.points) == (None, None, 23)


def test_what_does_not_move_has_no_zscore() -> None:
    assert t.standing(monthly([3.1] * 40), "monthly").zscore is None
    assert t.standing(monthly([3.1] * 40), "monthly").percentile == 50.0


def test_the_same_time_of_the_year_before_is_near_or_none() -> None:
    line: Timeline = [(dt.date(2023, 1, 2), 1.0), (dt.date(2023, 1, 20), 2.0), (dt.date(2024, 1, 5), 3.0)]
    assert t.year_before(line, "daily") == 1.0
    assert t.year_before([*line[1:], (dt.date(2024, 1, 19), 4.0)], "daily") is None
    assert t.previous(line, "daily") is None  # the one before is a year away
    assert t.previous(monthly([1.0, 2.0]), "monthly") == 1.0
    assert t.previous([(DAY, 1.0), (dt.date(2020, 3, 1), 2.0)], "monthly") is None


def test_a_month_wants_enough_days_for_its_mean() -> None:
    line = daily([1.0] * 31 + [5.0] * 10)
    assert t.monthly_mean(line, 15) == [(DAY, 1.0)]
