"""Performance by hand, by independent libraries' definitions, and None where nothing is defined."""

from __future__ import annotations

import math
import statistics

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from data.problems import InvalidRequestError
from risk.measures.sample import Floats, TooLittleDataError
from risk.performance import drawdown, per_period, performance, relative
from risk.rolling import rolling
from tests.risk.samples import INDEX_FILE, drawn, index_returns

RETURNS = [0.10, -0.05, 0.02, 0.0, -0.10, 0.20]


def test_by_hand() -> None:
    found = performance(RETURNS, periods=252)
    total = 1.10 * 0.95 * 1.02 * 0.90 * 1.20 - 1.0
    assert found.total_return == pytest.approx(total)
    assert found.annual_return == pytest.approx((1.0 + total) ** (252 / 6) - 1.0)
    assert found.volatility == pytest.approx(statistics.stdev(RETURNS) * math.sqrt(252))
    mean = statistics.mean(RETURNS)
    assert found.sharpe == pytest.approx(mean / statistics.stdev(RETURNS) * math.sqrt(252))
    downside = math.sqrt((0.05**2 + 0.10**2) / 6)
    assert found.sortino == pytest.approx(mean / downside * math.sqrt(252))
    low = 1.10 * 0.95 * 1.02 * 0.90 / 1.10 - 1.0
    assert found.max_drawdown == pytest.approx(low)
    assert found.max_drawdown_duration == 5
    assert found.calmar == pytest.approx((found.annual_return or 0.0) / -low)
    assert found.win_rate == 3 / 5, "a day that did nothing is neither"
    assert found.profit_factor == pytest.approx(0.32 / 0.15)
    assert found.expectancy == pytest.approx((0.32 - 0.15) / 5)
    assert found.expectancy == pytest.approx(0.6 * 0.32 / 3 - 0.4 * 0.15 / 2)
    assert found.average_win == pytest.approx(0.32 / 3)
    assert found.average_loss == pytest.approx(-0.075)
    assert (found.best, found.worst, found.n) == (0.20, -0.10, 6)
    assert found.skew == pytest.approx(stats.skew(RETURNS))
    assert found.kurtosis == pytest.approx(stats.kurtosis(RETURNS))


def test_the_risk_free_rate_is_of_a_year() -> None:
    found = performance(RETURNS, risk_free=0.05, periods=12)
    each = 1.05 ** (1 / 12) - 1.0
    assert per_period(0.05, 12) == pytest.approx(each)
    excess = [one - each for one in RETURNS]
    assert found.sharpe == pytest.approx(statistics.mean(excess) / statistics.stdev(RETURNS) * math.sqrt(12))
    for risk_free, periods in ((-1.0, 252.0), (math.nan, 252.0), (0.0, 0.0), (0.0, math.inf)):
        with pytest.raises(InvalidRequestError):
            performance(RETURNS, risk_free=risk_free, periods=periods)


def test_drawdown_knows_its_days() -> None:
    found = drawdown(np.array(RETURNS))
    assert found is not None
    assert (found.peak, found.trough, found.recovery, found.longest) == (1, 5, 6, 5)
    under = drawdown(np.array([-0.5, 0.1, 0.1]))
    assert under is not None
    assert (under.peak, under.trough, under.recovery, under.longest) == (0, 1, None, 3)
    two = drawdown(np.array([0.1, -0.2, 0.5, -0.05, -0.01, -0.01, 0.01]))
    assert two is not None
    assert two.depth == pytest.approx(-0.2)
    assert (two.peak, two.trough, two.recovery) == (1, 2, 3)
    assert two.longest == 4, "another one may take longer"
    ever_up = drawdown(np.array([0.1, 0.0, 0.1]))
    assert ever_up is not None
    assert (ever_up.depth, ever_up.longest) == (0.0, 0)


def test_what_is_not_defined_is_none() -> None:
    gains = performance([0.01, 0.02, 0.015])
    assert gains.profit_factor is None, "not infinite"
    assert gains.sortino is None
    assert gains.calmar is None
    assert gains.average_loss is None
    assert (gains.win_rate, gains.max_drawdown) == (1.0, 0.0)
    losses = performance([-0.01, -0.02])
    assert (losses.profit_factor, losses.win_rate, losses.average_win) == (0.0, 0.0, None)
    flat = performance([0.0, 0.0, 0.0])
    assert (flat.win_rate, flat.expectancy, flat.sharpe, flat.skew, flat.kurtosis) == (None,) * 5
    assert (flat.total_return, flat.annual_return, flat.volatility) == (0.0, 0.0, 0.0)
    same = performance([0.1] * 7)
    assert (same.sharpe, same.skew) == (None, None), "rounding is no volatility"
    one = performance([0.01])
    assert (one.volatility, one.sharpe, one.skew) == (None, None, None)
    ruin = performance([0.1, -1.0, 0.5])
    assert (ruin.total_return, ruin.annual_return, ruin.calmar, ruin.max_drawdown) == (-1.0, None, None, -1.0)
    debt = performance([0.1, -1.5])
    assert (debt.max_drawdown, debt.max_drawdown_duration) == (None, None)
    assert performance([5000.0, 6000.0]).annual_return is None, "beyond any number"
    with pytest.raises(TooLittleDataError):
        performance([])
    with pytest.raises(InvalidRequestError):
        performance([0.1, math.nan])


def test_against_a_benchmark_by_hand() -> None:
    market = [0.05, -0.02, 0.01, 0.01, -0.06, 0.08]
    found = relative(RETURNS, market, risk_free=0.02)
    assert found.beta == pytest.approx(statistics.linear_regression(market, RETURNS).slope)
    free = per_period(0.02, 252)
    each = statistics.mean(
        r - free - (found.beta or 0.0) * (m - free) for r, m in zip(RETURNS, market, strict=True)
    )
    assert found.alpha == pytest.approx((1.0 + each) ** 252 - 1.0)
    active = [r - m for r, m in zip(RETURNS, market, strict=True)]
    assert found.tracking_error == pytest.approx(statistics.stdev(active) * math.sqrt(252))
    ratio = statistics.mean(active) / statistics.stdev(active) * math.sqrt(252)
    assert found.information_ratio == pytest.approx(ratio)
    assert found.correlation == pytest.approx(statistics.correlation(RETURNS, market))
    up = (1.10 * 1.02 * 1.0 * 1.20) ** (252 / 4) - 1.0
    up_market = (1.05 * 1.01 * 1.01 * 1.08) ** (252 / 4) - 1.0
    assert found.up_capture == pytest.approx(up / up_market)
    down, down_market = (0.95 * 0.90) ** 126 - 1.0, (0.98 * 0.94) ** 126 - 1.0
    assert found.down_capture == pytest.approx(down / down_market)


def test_the_benchmark_against_itself() -> None:
    returns = drawn()
    found = relative(returns, returns)
    assert found.beta == pytest.approx(1.0)
    assert found.alpha == pytest.approx(0.0, abs=1e-12)
    assert (found.up_capture, found.down_capture) == (1.0, 1.0)
    assert (found.tracking_error, found.information_ratio) == (0.0, None)


def test_a_benchmark_that_tells_nothing() -> None:
    found = relative(RETURNS, [0.01] * 6)
    assert (found.alpha, found.beta, found.correlation, found.down_capture) == (None,) * 4
    with pytest.raises(InvalidRequestError, match="2 returns of the benchmark for 6"):
        relative(RETURNS, [0.1, 0.2])


@st.composite
def series(draw: st.DrawFn) -> Floats:
    values = draw(st.lists(st.floats(-0.9, 2.0), min_size=1, max_size=40))
    return np.round(np.array(values), 6)


@given(values=series())
def test_drawdown_is_the_worst_of_all_pairs(values: Floats) -> None:
    wealth = [1.0]
    for one in values:
        wealth.append(wealth[-1] * (1.0 + one))
    worst = min(wealth[b] / wealth[a] - 1.0 for a in range(len(wealth)) for b in range(a, len(wealth)))
    found = drawdown(values)
    assert found is not None
    assert found.depth == pytest.approx(worst, abs=1e-9)
    assert 0 <= found.longest <= len(values)
    assert found.recovery is None or wealth[found.recovery] >= wealth[found.peak] * (1 - 1e-12)


@settings(max_examples=40)
@given(values=series(), window=st.integers(2, 12), seed=st.integers(0, 99))
def test_rolling_is_the_same_figure_of_every_window(values: Floats, window: int, seed: int) -> None:
    market = np.random.default_rng(seed).normal(0.0, 0.02, len(values))
    if len(values) < window:
        with pytest.raises(TooLittleDataError):
            rolling(values, window)
        return
    table = rolling(values, window, market, risk_free=0.01, periods=12)
    assert table["end"].to_list() == list(range(window - 1, len(values)))
    for row in table.to_dicts():
        part = slice(row["end"] - window + 1, row["end"] + 1)
        alone = performance(values[part], risk_free=0.01, periods=12)
        beside = relative(values[part], market[part], risk_free=0.01, periods=12)
        for name, value in row.items():
            if name != "end":
                expected = getattr(alone, name, None) if hasattr(alone, name) else getattr(beside, name)
                assert (value is None) == (expected is None), name
                assert value is None or value == pytest.approx(expected, rel=1e-7, abs=1e-9), name


def test_rolling_windows_that_make_no_sense() -> None:
    with pytest.raises(InvalidRequestError, match="rolling window of 1"):
        rolling(RETURNS, 1)
    with pytest.raises(TooLittleDataError, match="needs 7 returns"):
        rolling(RETURNS, 7)


@pytest.mark.skipif(not INDEX_FILE.exists(), reason="the recorded market data is not here")
def test_twenty_years_of_the_index() -> None:
    found = performance(index_returns())
    assert found.total_return == pytest.approx(2506.850098 / 1228.099976 - 1.0)
    assert found.max_drawdown == pytest.approx(676.530029 / 1565.150024 - 1.0, rel=1e-9)
    assert found.annual_return == pytest.approx(0.0364, abs=5e-4)
