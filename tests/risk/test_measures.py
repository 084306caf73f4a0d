"""Every method against its formula worked out another way, and what may not be measured."""

from __future__ import annotations

import math

import numpy as np
import polars as pl
import pytest
from scipy import integrate, stats

from data.problems import InvalidRequestError
from risk.measures.empirical import BURN_IN, filtered, historical
from risk.measures.methods import METHODS, Options, measure
from risk.measures.parametric import cornish_fisher, normal, student
from risk.measures.sample import Floats, TooLittleDataError, overlapping_sums
from risk.measures.simulated import monte_carlo, monte_carlo_book
from risk.measures.student import fit as fit_student
from risk.measures.tail import evt
from risk.measures.tail import fit as fit_pareto
from tests.risk.samples import INDEX_FILE, STOCKS_FILE, drawn, index_returns, stock_returns


def test_historical_by_hand() -> None:
    returns = np.arange(-10, 11) / 100.0  # the place of the quantile at 0.9 is 20 × 0.1 = 2
    found = historical(returns, 0.90)
    assert found.var == pytest.approx(0.08, abs=1e-15)
    assert found.es == pytest.approx((0.10 + 0.09 + 0.08) / 3, abs=1e-15)
    between = historical(returns, 0.93)  # place 1.4
    assert between.var == pytest.approx(0.09 - 0.4 * 0.01, abs=1e-15)
    assert between.es == pytest.approx((0.10 + 0.09) / 2, abs=1e-15)


@pytest.mark.parametrize("confidence", [0.90, 0.95, 0.975, 0.99, 0.995])
def test_historical_is_numpys_quantile_and_the_mean_beyond_it(confidence: float) -> None:
    returns = drawn(count=737)
    found = historical(returns, confidence)
    quantile = np.quantile(returns, 1.0 - confidence)
    assert found.var == pytest.approx(-quantile, abs=1e-12)
    assert found.es == pytest.approx(-returns[returns <= quantile].mean(), abs=1e-12)


def test_historical_over_days_sums_where_the_data_allow_and_says_so() -> None:
    returns = drawn(count=1000)
    enough = historical(returns, 0.99, 10)
    sums = np.array([returns[at : at + 10].sum() for at in range(991)])
    assert enough.var == pytest.approx(-np.quantile(sums, 0.01), abs=1e-12)
    assert enough.rule == "overlapping sums of 10 daily returns"
    short = historical(returns[:999], 0.99, 10)
    assert short.var == pytest.approx(historical(returns[:999], 0.99).var * math.sqrt(10))
    assert short.rule == "one day times sqrt(10): 999 returns, overlapping sums need 1,000"


def test_historical_takes_a_constant_series_as_it_is() -> None:
    found = historical(np.full(200, -0.01), 0.99)
    assert (found.var, found.es) == (0.01, 0.01)
    assert found.notes == ("all returns are equal",)
    none = historical(np.zeros(200), 0.99)
    assert (str(none.var), str(none.es)) == ("0.0", "0.0")
    assert historical(np.full(200, 0.01), 0.99).var == -0.01, "a sure gain is a negative loss"


@pytest.mark.parametrize("horizon", [1, 5, 22])
@pytest.mark.parametrize("confidence", [0.90, 0.995])
def test_normal_against_scipy(confidence: float, horizon: int) -> None:
    returns = drawn()
    law = stats.norm(returns.mean() * horizon, returns.std(ddof=1) * math.sqrt(horizon))
    found = normal(returns, confidence, horizon)
    assert found.var == pytest.approx(-law.ppf(1.0 - confidence), rel=1e-9)
    beyond = law.expect(lambda r: r, ub=law.ppf(1.0 - confidence), conditional=True)
    assert found.es == pytest.approx(-beyond, rel=1e-7)


@pytest.mark.parametrize("seed", range(6))
def test_student_is_no_less_likely_than_scipys_fit(seed: int) -> None:
    returns = drawn(seed, degrees=2.5 + seed)
    found = fit_student(returns)
    ours = stats.t.logpdf(returns, found.degrees, found.location, found.scale).sum()
    theirs = stats.t.logpdf(returns, *stats.t.fit(returns)).sum()
    assert ours >= theirs - 1e-6
    for nudge in ((1.01, 1.0, 0.0), (1.0, 1.01, 0.0), (1.0, 1.0, 0.00005)):
        there = (found.degrees * nudge[0], found.location + nudge[2], found.scale * nudge[1])
        assert stats.t.logpdf(returns, *there).sum() < ours


def test_student_shortfall_is_the_integral_of_the_tail() -> None:
    found = student(drawn(), 0.99)
    p = found.parameters
    law = stats.t(p["degrees_of_freedom"], p["location"], p["scale"])
    assert found.var == pytest.approx(-law.ppf(0.01), rel=1e-9)
    assert found.es is not None
    tail, _ = integrate.quad(law.ppf, 0.0, 0.01)
    assert found.es == pytest.approx(-tail / 0.01, rel=1e-5)


def test_student_without_a_mean_has_no_shortfall() -> None:
    found = student(np.random.default_rng(3).standard_t(0.7, 3000) * 0.01, 0.99)
    assert found.es is None
    assert "no mean loss" in found.notes[0]
    assert monte_carlo(np.random.default_rng(3).standard_t(0.7, 3000) * 0.01, 0.99).es is None


def test_student_of_light_tails_is_as_good_as_normal() -> None:
    returns = np.random.default_rng(1).uniform(-0.01, 0.01, 500)
    found = student(returns, 0.99)
    assert found.notes == ("the tails are no heavier than the normal distribution's",)
    assert found.var == pytest.approx(normal(returns, 0.99).var, rel=0.01)


@pytest.mark.parametrize("count", [60, 250, 500])
def test_student_fits_whatever_varies(count: int) -> None:
    """Nearly normal samples too, whose likelihood is all but flat in the degrees of freedom."""
    generator = np.random.default_rng(count)
    for shape in (np.inf, 100.0, 3.0, 1.0):
        for _ in range(25):
            returns = generator.standard_t(shape, count) if shape < np.inf else generator.normal(size=count)
            assert fit_student(returns * 0.01).scale > 0.0


def test_student_of_mostly_one_number_is_refused() -> None:
    returns = np.zeros(300)
    returns[:20] = np.linspace(-0.02, 0.02, 20)
    with pytest.raises(InvalidRequestError, match="no Student's t fits"):
        student(returns, 0.99)


def test_cornish_fisher_by_hand() -> None:
    returns = drawn(degrees=9.0)
    found = cornish_fisher(returns, 0.99)
    skew, kurtosis = stats.skew(returns), stats.kurtosis(returns)

    def corrected(z: float) -> float:
        terms = (z**2 - 1) * skew / 6, (z**3 - 3 * z) * kurtosis / 24, -(2 * z**3 - 5 * z) * skew**2 / 36
        return float(z + sum(terms))

    mean, deviation, z = returns.mean(), returns.std(ddof=1), stats.norm.ppf(0.01)
    assert found.var == pytest.approx(-(mean + deviation * corrected(z)), rel=1e-9)
    tail, _ = integrate.quad(lambda x: corrected(x) * stats.norm.pdf(x), -12.0, z)
    assert found.es == pytest.approx(-(mean + deviation * tail / 0.01), rel=1e-7)


def test_cornish_fisher_of_independent_days_loses_its_skew() -> None:
    one, ten = (cornish_fisher(drawn(degrees=9.0), 0.99, days).parameters for days in (1, 10))
    assert ten["skewness"] == pytest.approx(one["skewness"] / math.sqrt(10))
    assert ten["excess_kurtosis"] == pytest.approx(one["excess_kurtosis"] / 10)


def test_cornish_fisher_where_it_is_no_quantile_is_refused() -> None:
    returns = np.concatenate((np.full(100, -0.10), np.full(900, 0.001)))  # skewness −2.7, kurtosis 5.1
    with pytest.raises(InvalidRequestError, match="no quantile there"):
        cornish_fisher(returns, 0.99)


def test_filtered_by_a_loop() -> None:
    returns = drawn()
    variance = float(np.mean(returns[:BURN_IN] ** 2))
    standard = []
    for r in returns[BURN_IN:]:
        standard.append(r / math.sqrt(variance))
        variance = 0.94 * variance + 0.06 * r * r
    scenarios = np.array(standard) * math.sqrt(variance)
    found = filtered(returns, 0.99)
    assert found.var == pytest.approx(-np.quantile(scenarios, 0.01), rel=1e-9)
    assert found.parameters["volatility"] == pytest.approx(math.sqrt(variance), rel=1e-9)


def test_filtered_rises_with_todays_volatility() -> None:
    calm = drawn()
    stormy = np.concatenate((calm[:-20], calm[-20:] * 5.0))
    assert filtered(stormy, 0.99).var > 2.0 * filtered(calm, 0.99).var
    with pytest.raises(InvalidRequestError, match="no volatility to filter by"):
        filtered(np.concatenate((np.zeros(30), calm)), 0.99)


def test_monte_carlo_comes_to_the_fitted_law_and_tells_its_seed() -> None:
    returns = drawn()
    found, law = monte_carlo(returns, 0.99, paths=400_000), student(returns, 0.99)
    assert found.var == pytest.approx(law.var, rel=0.02)
    assert found.parameters["seed"] == 1
    assert found == monte_carlo(returns, 0.99, paths=400_000), "the same seed, the same figure"
    assert found.var != monte_carlo(returns, 0.99, seed=2, paths=400_000).var


def test_monte_carlo_of_days_grows_slower_than_heavy_tails_scaled() -> None:
    returns = drawn(degrees=3.0)
    assert monte_carlo(returns, 0.995, 22).var < monte_carlo(returns, 0.995).var * math.sqrt(22)


def test_monte_carlo_of_a_book_keeps_correlation() -> None:
    generator = np.random.default_rng(11)
    covariance = np.array([[1.0, 0.8], [0.8, 1.0]]) * 1e-4
    days = generator.multivariate_normal([0.0, 0.0], covariance, 4000)
    together = monte_carlo_book(days, [0.5, 0.5], 0.99, paths=200_000)
    hedged = monte_carlo_book(days, [0.5, -0.5], 0.99, paths=200_000)
    assert together.var == pytest.approx(2.326 * 0.01 * math.sqrt(0.25 * (2 + 1.6)), rel=0.04)
    assert hedged.var == pytest.approx(2.326 * 0.01 * math.sqrt(0.25 * (2 - 1.6)), rel=0.04)


def test_pareto_is_no_less_likely_than_scipys_fit() -> None:
    for shape in (-0.3, 0.0, 0.2, 0.7):
        excesses = stats.genpareto.rvs(shape, scale=0.01, size=300, random_state=4)
        found = fit_pareto(excesses)
        ours = stats.genpareto.logpdf(excesses, found.shape, 0.0, found.scale).sum()
        theirs = stats.genpareto.logpdf(excesses, *stats.genpareto.fit(excesses, floc=0.0)).sum()
        assert ours >= theirs - 1e-5
        assert found.shape == pytest.approx(shape, abs=0.15)


def test_evt_is_the_quantile_of_its_tail() -> None:
    returns = drawn(count=1500)
    found = evt(returns, 0.99)
    p = found.parameters
    assert p["exceedances"] == 150
    law = stats.genpareto(p["shape"], 0.0, p["scale"])
    assert found.var == pytest.approx(p["threshold"] + law.ppf(1 - 0.01 * 1500 / 150), rel=1e-9)
    level = found.var - p["threshold"]
    beyond = law.expect(lambda y: y, lb=level, conditional=True)
    assert found.es == pytest.approx(p["threshold"] + beyond, rel=1e-6)
    assert evt(returns, 0.90).var == pytest.approx(p["threshold"]), "at the threshold, the threshold"


def test_evt_tells_of_what_lies_beyond_its_threshold_only() -> None:
    with pytest.raises(InvalidRequestError, match="below the threshold"):
        evt(drawn(), 0.85)
    assert evt(drawn(), 0.85, threshold=0.8).var > 0.0
    with pytest.raises(TooLittleDataError) as caught:
        evt(drawn(count=240), 0.99)
    assert (caught.value.needed, caught.value.given) == (241, 240)
    ties = np.concatenate((np.full(400, -0.01), drawn(count=100) * 0.1))
    with pytest.raises(InvalidRequestError, match="too many are the same number"):
        evt(ties, 0.99)


NEEDED = {
    "historical": 100,
    "normal": 30,
    "student": 60,
    "cornish_fisher": 100,
    "filtered": 130,
    "monte_carlo": 60,
    "evt": 241,
}


@pytest.mark.parametrize("method", METHODS)
def test_too_little_data_says_how_many_are_needed(method: str) -> None:
    needed = NEEDED[method]
    returns = drawn(count=needed)
    assert measure(method, returns, 0.99).n == needed
    with pytest.raises(TooLittleDataError, match=f"needs {needed} returns") as caught:
        measure(method, returns[1:], 0.99)
    assert caught.value.extra == {"needed": str(needed), "given": str(needed - 1)}
    with pytest.raises(TooLittleDataError):
        measure(method, [], 0.99)


@pytest.mark.parametrize("method", METHODS)
def test_nonsense_is_refused(method: str) -> None:
    returns = drawn()
    for bad in (math.nan, math.inf, -math.inf):
        spoilt = returns.copy()
        spoilt[41] = bad
        with pytest.raises(InvalidRequestError, match="return 42 is"):
            measure(method, spoilt, 0.99)
    for confidence in (0.5, 1.0, 0.0, math.nan, 99.0):
        with pytest.raises(InvalidRequestError, match="confidence"):
            measure(method, returns, confidence)
    for horizon in (0, 23, -1):
        with pytest.raises(InvalidRequestError, match="horizon"):
            measure(method, returns, 0.99, horizon)
    with pytest.raises(InvalidRequestError, match="not a series"):
        measure(method, np.ones((3, 3)), 0.99)
    if method != "historical":
        with pytest.raises(InvalidRequestError, match="nothing to fit"):
            measure(method, np.full(600, 0.001), 0.99)


def test_options_out_of_range_are_refused() -> None:
    for method, options in (
        ("monte_carlo", Options(seed=-1)),
        ("monte_carlo", Options(paths=10)),
        ("filtered", Options(decay=1.0)),
        ("evt", Options(threshold=1.0)),
        ("guessing", Options()),
    ):
        with pytest.raises(InvalidRequestError):
            measure(method, drawn(), 0.99, 1, options)


def test_a_polars_series_is_taken() -> None:
    returns = drawn()
    assert measure("historical", pl.Series(returns), 0.95) == measure("historical", returns, 0.95)


def test_overlapping_sums_of_a_matrix_run_down_the_days() -> None:
    found: Floats = overlapping_sums(np.array([[1.0, 10.0], [2.0, 20.0], [3.0, 30.0]]), 2)
    assert found.tolist() == [[3.0, 30.0], [5.0, 50.0]]


@pytest.mark.skipif(not INDEX_FILE.exists(), reason="the recorded market data is not here")
def test_the_index_of_twenty_years_by_every_method() -> None:
    returns = index_returns()
    assert len(returns) == 5030
    for method in METHODS:
        day, fortnight = measure(method, returns, 0.99), measure(method, returns, 0.99, 10)
        assert day.es is not None
        assert 0.02 < day.var < day.es < 0.10, method
        assert 1.5 < fortnight.var / day.var < 3.5, method
    theirs = stats.t.fit(returns)
    assert student(returns, 0.99).parameters["degrees_of_freedom"] == pytest.approx(theirs[0], rel=1e-3)


@pytest.mark.skipif(not STOCKS_FILE.exists(), reason="the recorded market data is not here")
def test_real_stocks_together_risk_less_than_alone() -> None:
    days = stock_returns()
    weights = np.full(days.shape[1], 1.0 / days.shape[1])
    alone = sum(monte_carlo_book(days[:, [at]], [0.2], 0.99).var for at in range(days.shape[1]))
    assert monte_carlo_book(days, weights, 0.99).var < alone
