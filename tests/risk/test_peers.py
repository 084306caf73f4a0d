"""Our figures beside those of independent libraries, on what markets really did.

The S&P 500's daily returns 1999 to 2018 and five stocks' of 2012 and 2013. Where a definition is the same the
figures agree to 1e-9; where it differs the test says how, and compares what is left when that is undone.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable

import numpy as np
import pytest
from scipy import stats

from risk import performance as ours
from risk.backtesting import kupiec, traffic_light
from risk.measures.empirical import BURN_IN, ewma_volatility, filtered, historical
from risk.measures.parametric import normal
from risk.measures.sample import Floats
from risk.measures.student import fit, standard_shortfall
from risk.measures.tail import fit as pareto_fit
from risk.rolling import rolling
from tests.risk.samples import INDEX_FILE, STOCKS_FILE, index_returns, stock_returns

empyrical = pytest.importorskip("empyrical")
pytestmark = pytest.mark.skipif(
    not (INDEX_FILE.exists() and STOCKS_FILE.exists()), reason="recorded prices are not here"
)
EXACT = 1e-9
FREE = 0.02  # a year


@pytest.fixture(scope="module")
def index() -> Floats:
    return index_returns()


@pytest.fixture(scope="module")
def stocks() -> Floats:
    return stock_returns()


def of_every_series(index: Floats, stocks: Floats) -> list[Floats]:
    return [index, *stocks.T]


@pytest.mark.parametrize(
    ("mine", "theirs"),
    [
        (ours.total_return, empyrical.cum_returns_final),
        (ours.annual_return, empyrical.annual_return),
        (ours.volatility, empyrical.annual_volatility),
        (ours.sharpe, empyrical.sharpe_ratio),
        (ours.sortino, empyrical.sortino_ratio),
        (ours.calmar, empyrical.calmar_ratio),
        (lambda r: ours.drawdown(r).depth, empyrical.max_drawdown),
        (ours.skew, stats.skew),
        (ours.kurtosis, stats.kurtosis),
    ],
    ids=["total", "annual", "volatility", "sharpe", "sortino", "calmar", "drawdown", "skew", "kurtosis"],
)
def test_figures_of_a_series_alone(
    index: Floats, stocks: Floats, mine: Callable[[Floats], float], theirs: Callable[[Floats], float]
) -> None:
    for returns in of_every_series(index, stocks):
        assert mine(returns) == pytest.approx(theirs(returns), rel=EXACT, abs=EXACT)


def test_a_risk_free_rate_counts_the_same(index: Floats) -> None:
    free = ours.per_period(FREE, ours.YEAR)
    assert free == pytest.approx(empyrical.stats.nanmean([(1 + FREE) ** (1 / 252) - 1]), abs=1e-15)
    assert ours.sharpe(index, free) == pytest.approx(empyrical.sharpe_ratio(index, risk_free=free), rel=EXACT)
    theirs = empyrical.sortino_ratio(index, required_return=free)
    assert ours.sortino(index, free) == pytest.approx(theirs, rel=EXACT)


@pytest.mark.parametrize("column", range(5))
def test_figures_against_a_benchmark(stocks: Floats, column: int) -> None:
    market = stocks.mean(axis=1)
    returns = stocks[:, column]
    free = ours.per_period(FREE, ours.YEAR)
    alpha, beta = empyrical.alpha_beta(returns, market, risk_free=free)
    assert ours.beta(returns, market) == pytest.approx(beta, rel=EXACT)
    assert ours.alpha(returns, market, free) == pytest.approx(alpha, rel=EXACT)
    line = stats.linregress(market, returns)
    assert ours.beta(returns, market) == pytest.approx(line.slope, rel=EXACT)
    assert ours.correlation(returns, market) == pytest.approx(
        stats.pearsonr(returns, market).statistic, rel=EXACT
    )
    up, down = market > 0.0, market < 0.0
    assert ours.capture(returns, market, up) == pytest.approx(
        empyrical.up_capture(_series(returns), _series(market)), rel=EXACT
    )
    assert ours.capture(returns, market, down) == pytest.approx(
        empyrical.down_capture(_series(returns), _series(market)), rel=EXACT
    )
    # Theirs is per period, ours per year: see ``information_ratio``.
    excess = empyrical.excess_sharpe(returns, market)
    assert ours.information_ratio(returns, market) == pytest.approx(excess * np.sqrt(252.0), rel=EXACT)


def _series(values: Floats) -> object:
    import pandas as pd

    return pd.Series(values)


def test_value_at_risk_by_past_returns(index: Floats) -> None:
    for confidence in (0.90, 0.95, 0.99, 0.995):
        found = historical(index, confidence)
        theirs = empyrical.value_at_risk(index, cutoff=1.0 - confidence)
        assert found.var == pytest.approx(-theirs, rel=EXACT)
        assert found.var == pytest.approx(-np.quantile(index, 1.0 - confidence), rel=EXACT)
        # Theirs takes the worst int(n·p) + 1 returns, ours those no better than the interpolated quantile:
        # the same returns, whatever n and p.
        theirs = empyrical.conditional_value_at_risk(index, cutoff=1.0 - confidence)
        assert found.es == pytest.approx(-theirs, rel=EXACT)


def test_value_at_risk_by_distributions(index: Floats) -> None:
    mean, deviation = index.mean(), index.std(ddof=1)
    for confidence in (0.95, 0.99):
        found = normal(index, confidence)
        assert found.var == pytest.approx(-stats.norm.ppf(1.0 - confidence, mean, deviation), rel=EXACT)
        beyond = stats.norm.expect(lambda r: r, loc=mean, scale=deviation, ub=-found.var, conditional=True)
        assert found.es == pytest.approx(-beyond, rel=1e-8)  # theirs is integrated numerically


def test_students_t_of_maximum_likelihood(index: Floats) -> None:
    mine = fit(index)
    degrees, location, scale = stats.t.fit(index)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        at_theirs = stats.t.logpdf(index, degrees, location, scale).sum()
    at_ours = stats.t.logpdf(index, mine.degrees, mine.location, mine.scale).sum()
    assert at_ours >= at_theirs - 1e-9  # the simplex stops before the top
    assert mine.degrees == pytest.approx(degrees, rel=1e-3)
    assert mine.scale == pytest.approx(scale, rel=1e-3)
    beyond = stats.t.expect(
        lambda x: x, args=(mine.degrees,), ub=stats.t.ppf(0.01, mine.degrees), conditional=True
    )
    assert standard_shortfall(mine.degrees, 0.99) == pytest.approx(-beyond, rel=1e-6)


def test_the_tail_of_maximum_likelihood(index: Floats) -> None:
    losses = -index
    excesses = losses[losses > np.quantile(losses, 0.95)] - np.quantile(losses, 0.95)
    mine = pareto_fit(excesses)
    shape, _, scale = stats.genpareto.fit(excesses, floc=0.0)
    at_theirs = stats.genpareto.logpdf(excesses, shape, 0.0, scale).sum()
    at_ours = stats.genpareto.logpdf(excesses, mine.shape, 0.0, mine.scale).sum()
    assert at_ours >= at_theirs - 1e-9
    assert mine.shape == pytest.approx(shape, abs=1e-3)


def test_volatility_of_riskmetrics_is_that_of_arch(index: Floats) -> None:
    arch = pytest.importorskip("arch.univariate")
    process = arch.EWMAVariance(0.94)
    start = float(np.mean(index[:BURN_IN] ** 2))
    rest = index[BURN_IN:]
    sigma2 = np.empty(len(rest))
    bounds = np.tile([0.0, 1e12], (len(rest), 1))
    process.compute_variance(np.empty(0), rest, sigma2, start, bounds)
    mine = ewma_volatility(index)
    # arch begins with the backcast itself; so do we: the same recursion, one step further.
    assert mine[:-1] == pytest.approx(np.sqrt(sigma2), rel=EXACT)
    assert filtered(index, 0.99).parameters["volatility"] == pytest.approx(mine[-1], rel=0)


def test_exceptions_are_counted_by_the_binomial_distribution() -> None:
    assert traffic_light(250, 4, 0.99).zone == "green"
    light = traffic_light(250, 5, 0.99)
    cumulative = stats.binom.cdf(np.arange(20), 250, 0.01)
    assert light.yellow_from == int(np.argmax(cumulative >= 0.95))
    assert light.red_from == int(np.argmax(cumulative >= 0.9999))
    free = stats.binom.logpmf(7, 500, 7 / 500) - stats.binom.logpmf(7, 500, 0.01)
    found = kupiec(500, 7, 0.99)
    assert found.statistic == pytest.approx(2.0 * free, rel=1e-8)
    assert found.p_value == pytest.approx(stats.chi2.sf(2.0 * free, 1), rel=1e-8)


def test_rolling_figures(index: Floats) -> None:
    import pandas as pd

    returns = index[:600]
    table = rolling(returns, 60)
    series = pd.Series(returns)
    theirs = empyrical.roll_max_drawdown(series, window=60)
    assert table["max_drawdown"].to_numpy() == pytest.approx(np.asarray(theirs), rel=EXACT)
    theirs = empyrical.roll_sharpe_ratio(series, window=60)
    assert table["sharpe"].to_numpy() == pytest.approx(np.asarray(theirs), rel=EXACT)
    theirs = empyrical.roll_annual_volatility(series, window=60)
    assert table["volatility"].to_numpy() == pytest.approx(np.asarray(theirs), rel=EXACT)


def test_where_definitions_differ(index: Floats) -> None:
    """Tail ratio and omega are theirs alone; ours are named otherwise and say what they are."""
    gains, losses = index[index > 0.0].sum(), -index[index < 0.0].sum()
    # Their omega at a threshold of nothing is our profit factor.
    assert ours.profit_factor(index) == pytest.approx(empyrical.omega_ratio(index), rel=EXACT)
    assert ours.profit_factor(index) == pytest.approx(gains / losses, rel=EXACT)
    # Their downside risk is the denominator of our Sortino ratio.
    risk = empyrical.downside_risk(index)
    assert ours.sortino(index) == pytest.approx(index.mean() * 252.0 / risk, rel=EXACT)
