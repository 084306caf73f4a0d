"""Moving averages and VWAP against their definitions."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nautilus_tui.terminal.indicators import DAY_NS, ema, sma, vwap

prices = st.lists(st.floats(0.01, 1e6), max_size=80)
periods = st.integers(1, 30)


@given(prices, periods)
def test_sma_is_the_mean_of_its_window(values: list[float], period: int) -> None:
    line = sma(values, period)
    assert len(line) == len(values)
    for i, value in enumerate(line):
        if i + 1 < period:
            assert value is None
        else:
            assert value is not None
            assert math.isclose(value, math.fsum(values[i + 1 - period : i + 1]) / period, rel_tol=1e-9)


@given(prices, periods)
def test_averages_stay_between_lowest_and_highest(values: list[float], period: int) -> None:
    for line in (sma(values, period), ema(values, period)):
        for value in line:
            if value is not None:
                assert min(values) * (1 - 1e-9) <= value <= max(values) * (1 + 1e-9)


@given(st.floats(0.01, 1e6), st.integers(1, 40), periods)
def test_the_average_of_a_level_line_is_the_level(level: float, count: int, period: int) -> None:
    for line in (sma([level] * count, period), ema([level] * count, period)):
        assert all(v is None or math.isclose(v, level) for v in line)
        assert sum(v is not None for v in line) == max(0, count - period + 1)


@given(st.lists(st.floats(0.01, 1e6), min_size=2, max_size=60), periods)
def test_ema_moves_by_its_factor_towards_each_price(values: list[float], period: int) -> None:
    line = ema(values, period)
    factor = 2 / (period + 1)
    for i in range(period, len(values)):
        before, now = line[i - 1], line[i]
        assert before is not None
        assert now is not None
        assert math.isclose(now, factor * values[i] + (1 - factor) * before, rel_tol=1e-6, abs_tol=1e-9)


@pytest.mark.parametrize("average", [sma, ema])
def test_a_period_below_one_is_refused(average: object) -> None:
    with pytest.raises(ValueError, match="at least 1"):
        average([1.0], 0)  # type: ignore[operator]  # either function


bars = st.lists(st.tuples(st.floats(1, 1000), st.floats(0, 1e6)), min_size=1, max_size=60)


@given(bars)
def test_vwap_is_turnover_over_volume(day: list[tuple[float, float]]) -> None:
    typical, volumes = [p for p, _ in day], [v for _, v in day]
    line = vwap(typical, volumes, list(range(len(day))))
    for i, value in enumerate(line):
        traded = math.fsum(volumes[: i + 1])
        if traded == 0:
            assert value is None
        else:
            turnover = math.fsum(p * v for p, v in day[: i + 1])
            assert value is not None
            assert math.isclose(value, turnover / traded, rel_tol=1e-9)


@given(bars, bars)
def test_vwap_begins_anew_with_the_day(
    one: list[tuple[float, float]], two: list[tuple[float, float]]
) -> None:
    def line(day: list[tuple[float, float]], start: int) -> list[float | None]:
        return vwap([p for p, _ in day], [v for _, v in day], [start + i for i in range(len(day))])

    both = vwap(
        [p for p, _ in one + two],
        [v for _, v in one + two],
        [*range(len(one)), *(DAY_NS + i for i in range(len(two)))],
    )
    assert both == line(one, 0) + line(two, DAY_NS)


def test_an_unknown_volume_makes_the_rest_of_the_day_unknown() -> None:
    line = vwap([10.0, 11.0, 12.0, 13.0], [1.0, None, 1.0, 1.0], [0, 1, 2, DAY_NS])
    assert line == [10.0, None, None, 13.0]
