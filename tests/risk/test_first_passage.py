"""First passage: against simulation and SciPy's inverse Gaussian, and its properties everywhere."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from risk.forecast import first_passage

USES = st.floats(-2.0, 0.9999)
DRIFTS = st.one_of(st.just(0.0), st.floats(-0.5, 0.5))
VOLATILITIES = st.one_of(st.just(0.0), st.floats(1e-9, 1.0))
HORIZONS = st.floats(0.0, 1e5)


@given(USES, DRIFTS, VOLATILITIES, HORIZONS, st.floats(0.0, 60.0))
def test_it_is_a_probability(use: float, drift: float, sigma: float, horizon: float, step: float) -> None:
    found = float(first_passage.probability(use, drift, sigma, horizon, step))
    assert 0.0 <= found <= 1.0


@given(USES, DRIFTS, VOLATILITIES, HORIZONS, HORIZONS)
def test_more_time_makes_it_no_less_likely(
    use: float, drift: float, sigma: float, one: float, other: float
) -> None:
    short, long = first_passage.probability(use, drift, sigma, sorted((one, other)))
    assert short <= long + 1e-9


@given(USES, USES, DRIFTS, VOLATILITIES, HORIZONS)
def test_nearer_makes_it_no_less_likely(
    one: float, other: float, drift: float, sigma: float, horizon: float
) -> None:
    far, near = first_passage.probability(sorted((one, other)), drift, sigma, horizon)
    assert far <= near + 1e-9


@given(USES, st.floats(1e-3, 0.5), st.floats(1e-3, 1.0), st.floats(0.1, 1e4))
def test_it_is_the_inverse_gaussian_of_scipy(use: float, drift: float, sigma: float, horizon: float) -> None:
    b = 1.0 - use
    mean, shape = b / drift, (b / sigma) ** 2
    expected = stats.invgauss.cdf(horizon, mean / shape, scale=shape)
    found = float(first_passage.probability(use, drift, sigma, horizon))
    assert found == pytest.approx(expected, abs=1e-7)


@given(USES, st.floats(1e-3, 0.5), st.floats(1e-2, 1.0))
def test_half_of_the_paths_that_arrive_have_arrived_at_the_median(
    use: float, drift: float, sigma: float
) -> None:
    for mu in (drift, -drift):
        middle = float(first_passage.median_minutes(use, mu, sigma))
        ever = float(first_passage.probability(use, mu, sigma, math.inf))
        by_then = float(first_passage.probability(use, mu, sigma, middle))
        assert by_then == pytest.approx(ever / 2, rel=1e-6)


def test_a_median_without_drift_is_that_of_levy() -> None:
    found = float(first_passage.median_minutes(0.5, 0.0, 0.1))
    assert found == pytest.approx(stats.levy.ppf(0.5, scale=25.0), rel=1e-9)


@pytest.mark.parametrize(
    ("use", "drift", "sigma", "horizon", "expected"),
    [
        (1.0, -1.0, 0.1, 0.0, 1.0),
        (1.7, 0.0, 0.0, 5.0, 1.0),
        (0.5, 0.1, 0.0, 5.0, 1.0),
        (0.5, 0.1, 0.0, 4.9, 0.0),
        (0.5, -0.1, 0.0, math.inf, 0.0),
        (0.5, 0.0, 0.0, math.inf, 0.0),
        (0.5, 0.0, 0.1, math.inf, 1.0),
        (0.5, -0.01, 0.1, math.inf, math.exp(-1.0)),
        (0.5, 0.0, 0.1, 25.0, 2 * stats.norm.cdf(-1.0)),
        (0.5, 0.1, 1e-200, 5.1, 1.0),
        (0.5, 0.1, 1e-200, 4.9, 0.0),
        (-1e6, -1e3, 1e-3, 1e6, 0.0),
        (0.0, 0.0, 0.1, 0.0, 0.0),
    ],
)
def test_corners(use: float, drift: float, sigma: float, horizon: float, expected: float) -> None:
    assert float(first_passage.probability(use, drift, sigma, horizon)) == pytest.approx(expected)


def test_nothing_that_moves_arrives_never() -> None:
    assert float(first_passage.median_minutes(0.5, 0.0, 0.0)) == math.inf
    assert float(first_passage.median_minutes(0.5, -0.1, 0.0)) == math.inf
    assert float(first_passage.median_minutes(0.5, 0.1, 0.0)) == pytest.approx(5.0)
    assert float(first_passage.median_minutes(1.2, 0.0, 0.1)) == 0.0


@pytest.mark.parametrize(
    ("use", "drift", "sigma", "horizon"),
    [(0.6, 0.0, 0.04, 60), (0.8, -0.004, 0.03, 30), (0.3, 0.01, 0.02, 60)],
)
def test_it_agrees_with_simulated_paths_looked_at_every_minute(
    use: float, drift: float, sigma: float, horizon: int
) -> None:
    paths = 40_000
    steps = np.random.default_rng(7).normal(drift, sigma, size=(paths, horizon))
    share = float((use + np.cumsum(steps, axis=1)).max(axis=1).__ge__(1.0).mean())
    found = float(first_passage.probability(use, drift, sigma, horizon, step=1.0))
    error = math.sqrt(share * (1 - share) / paths)
    assert abs(found - share) < 4 * error + 0.003  # the correction is of the first order in √step
    always = float(first_passage.probability(use, drift, sigma, horizon))
    assert abs(found - share) < abs(always - share)
