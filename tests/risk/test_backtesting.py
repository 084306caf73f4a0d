"""Backtests against values worked out by hand, scipy and the tables of the framework."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from data.problems import InvalidRequestError
from risk.backtesting import (
    backtest,
    christoffersen,
    kupiec,
    plus_factor,
    rolling_var,
    traffic_light,
)
from risk.measures.methods import METHODS, Options, measure
from risk.measures.sample import TooLittleDataError
from tests.risk.samples import INDEX_FILE, drawn, index_returns


def test_kupiec_by_hand() -> None:
    # −2 [240 ln 0.99 + 10 ln 0.01 − 240 ln 0.96 − 10 ln 0.04]
    found = kupiec(250, 10, 0.99)
    assert found.statistic == pytest.approx(12.9555, abs=1e-4)
    assert found.p_value == pytest.approx(0.000319, abs=1e-6)
    none = kupiec(250, 0, 0.99)
    assert none.statistic == pytest.approx(-2 * 250 * math.log(0.99))
    exact = kupiec(1000, 10, 0.99)
    assert exact.statistic == pytest.approx(0.0, abs=1e-9)
    assert exact.p_value == pytest.approx(1.0, abs=1e-4)
    assert kupiec(20, 20, 0.99).statistic == pytest.approx(-2 * 20 * math.log(0.01))


@given(days=st.integers(1, 5000), share=st.floats(0.0, 1.0), confidence=st.floats(0.51, 0.999))
def test_kupiec_against_scipy(days: int, share: float, confidence: float) -> None:
    hits = round(days * share)
    found = kupiec(days, hits, confidence)
    ratio = stats.binom.logpmf(hits, days, hits / days) - stats.binom.logpmf(hits, days, 1.0 - confidence)
    assert found.statistic == pytest.approx(max(2.0 * ratio, 0.0), rel=1e-6, abs=1e-6)
    assert found.statistic is not None
    assert found.p_value == pytest.approx(stats.chi2.sf(found.statistic, 1), rel=1e-9, abs=1e-300)


def test_christoffersen_by_hand() -> None:
    found = christoffersen([0, 0, 0, 1, 1, 1, 0, 0, 0, 0, 0])
    assert (found.n00, found.n01, found.n10, found.n11) == (6, 1, 1, 2)
    # 2 [6 ln 6/7 + ln 1/7 + ln 1/3 + 2 ln 2/3 − 7 ln 0.7 − 3 ln 0.3]
    assert found.statistic == pytest.approx(2.65657, abs=1e-5)
    assert found.p_value == pytest.approx(stats.chi2.sf(2.65657, 1), abs=1e-5)
    even = christoffersen([0, 1, 1, 0, 0, 0, 1, 0, 0, 0])  # one third after either
    assert even.statistic == pytest.approx(0.0, abs=1e-12)


def test_without_exceptions_independence_cannot_be_told() -> None:
    for hits in ([0] * 10, [0] * 9 + [1], [1] * 10, [0]):
        found = christoffersen(hits)
        assert (found.statistic, found.p_value) == (None, None)
    tested = backtest(np.zeros(300), np.full(300, 0.01), 0.99)
    assert tested.exceptions == 0
    assert tested.conditional_coverage.statistic is None
    assert tested.kupiec.statistic == pytest.approx(-2 * 300 * math.log(0.99))


def test_conditional_coverage_adds_both_up() -> None:
    returns = drawn(count=1000)
    tested = backtest(returns, np.full(1000, 0.015), 0.95)
    coverage, independence = tested.kupiec.statistic, tested.christoffersen.statistic
    assert coverage is not None
    assert independence is not None
    both = tested.conditional_coverage
    assert both.statistic == pytest.approx(coverage + independence)
    assert both.p_value == pytest.approx(stats.chi2.sf(coverage + independence, 2))
    assert tested.exception_days == tuple(np.flatnonzero(returns < -0.015))
    assert tested.exceptions == len(tested.exception_days)
    assert tested.expected == pytest.approx(50.0)
    assert tested.last_250 is None, "the framework's zone is of 99 %"


def test_the_zones_of_the_framework() -> None:
    zones = [traffic_light(250, hits, 0.99).zone for hits in range(12)]
    assert zones == ["green"] * 5 + ["yellow"] * 5 + ["red"] * 2
    multipliers = [traffic_light(250, hits, 0.99).multiplier for hits in range(12)]
    assert multipliers == [3.0] * 5 + [3.4, 3.5, 3.65, 3.75, 3.85, 4.0, 4.0]
    assert plus_factor(200) == 1.0


@pytest.mark.parametrize(("days", "confidence"), [(500, 0.99), (250, 0.95), (4530, 0.99), (10, 0.9)])
def test_zones_of_other_lengths_begin_at_the_same_probabilities(days: int, confidence: float) -> None:
    light = traffic_light(days, 0, confidence)
    law = stats.binom(days, 1.0 - confidence)
    assert law.cdf(light.yellow_from - 1) < 0.95 <= law.cdf(light.yellow_from)
    assert law.cdf(light.red_from - 1) < 0.9999 <= law.cdf(light.red_from)
    assert light.multiplier is None, "multipliers are of 250 days at 99 %"
    assert traffic_light(days, light.red_from, confidence).zone == "red"
    assert traffic_light(500, 8, 0.99).per_250 == 4.0


def test_a_touch_is_no_exception() -> None:
    assert backtest([-0.01, -0.010001], [0.01, 0.01], 0.99).exceptions == 1


@pytest.mark.parametrize("method", METHODS)
def test_forecasts_know_nothing_of_their_day(method: str) -> None:
    returns, options = drawn(count=306, degrees=8.0), Options(paths=2_000)
    found = rolling_var(returns, method, 0.95, 300, options)
    assert len(found) == 6
    assert found[4] == measure(method, returns[4:304], 0.95, 1, options).var
    changed = returns.copy()
    changed[303] = -0.04
    again = rolling_var(changed, method, 0.95, 300, options)
    assert (again[:4] == found[:4]).all()
    assert again[4] != found[4]


def test_a_window_too_short_says_how_long_it_must_be() -> None:
    with pytest.raises(
        TooLittleDataError, match=r"window of historical at 0\.99 needs 100 returns; there are 99"
    ):
        rolling_var(drawn(), "historical", 0.99, 99)
    with pytest.raises(TooLittleDataError, match="needs 501 returns; there are 500"):
        rolling_var(drawn(count=500), "historical", 0.99, 500)
    with pytest.raises(InvalidRequestError):
        rolling_var(drawn(), "historical", 0.99, 0)
    quiet = drawn()
    quiet[200:400] = 0.0
    with pytest.raises(InvalidRequestError, match="returns 201 to 300 cannot be measured: all 100 returns"):
        rolling_var(quiet, "normal", 0.99, 100)


def test_counts_and_lengths_that_cannot_be_are_refused() -> None:
    for days, hits in ((0, 0), (10, 11), (10, -1)):
        with pytest.raises(InvalidRequestError):
            kupiec(days, hits, 0.99)
        with pytest.raises(InvalidRequestError):
            traffic_light(days, hits, 0.99)
    with pytest.raises(InvalidRequestError, match="1 forecasts for 2"):
        backtest([0.1, 0.1], [0.1], 0.99)
    with pytest.raises(TooLittleDataError):
        backtest([], [], 0.99)


def test_a_true_model_stays_green_and_a_lax_one_turns_red() -> None:
    returns = np.random.default_rng(2).normal(0.0, 0.01, 1500)
    true = backtest(returns[500:], rolling_var(returns, "normal", 0.99, 500), 0.99)
    assert true.zone == "green"
    assert (true.kupiec.p_value or 0.0) > 0.05
    lax = backtest(returns[500:], np.full(1000, 0.015), 0.99)
    assert lax.zone == "red"
    assert lax.kupiec.p_value is not None
    assert lax.kupiec.p_value < 1e-6


@pytest.mark.skipif(not INDEX_FILE.exists(), reason="the recorded market data is not here")
def test_the_index_through_2008() -> None:
    returns = index_returns()
    tested = {
        method: backtest(returns[500:], rolling_var(returns, method, 0.99, 500), 0.99)
        for method in ("historical", "normal", "filtered")
    }
    assert {one.days for one in tested.values()} == {4530}
    assert tested["normal"].zone == "red", "the normal distribution knew nothing of that autumn"
    assert tested["filtered"].exceptions < tested["historical"].exceptions < tested["normal"].exceptions
    assert tested["filtered"].zone == "green"
    assert tested["historical"].last_250 is not None
    assert tested["historical"].last_250.zone == "yellow", "the end of 2018"
