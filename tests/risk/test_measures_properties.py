"""What holds of every method whatever the returns: order, scale, shift, and shares that add up."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from data.problems import InvalidRequestError
from risk.measures.components import ComponentMethod, contributions
from risk.measures.methods import METHODS, Options, measure
from risk.measures.sample import Floats, Measure

QUICK = Options(paths=5_000)
CONFIDENCES = (0.90, 0.95, 0.99, 0.995)


@st.composite
def returns(draw: st.DrawFn) -> Floats:
    """Daily returns of any tail and unit, enough for every method."""
    generator = np.random.default_rng(draw(st.integers(0, 10_000)))
    degrees = draw(st.sampled_from([2.5, 4.0, 10.0, 100.0]))
    count = draw(st.integers(260, 700))
    values: Floats = draw(st.floats(1e-4, 0.1)) * generator.standard_t(degrees, count)
    return values + draw(st.floats(-0.01, 0.01))


def measured(method: str, values: Floats, confidence: float, horizon: int = 1) -> Measure:
    """Measure, or give the example up where the method rightly refuses it."""
    try:
        return measure(method, values, confidence, horizon, QUICK)
    except InvalidRequestError:
        assume(method not in ("cornish_fisher",))
        raise


@pytest.mark.parametrize("method", METHODS)
@settings(max_examples=15, deadline=None)
@given(values=returns(), horizon=st.integers(1, 22))
def test_more_confidence_is_no_less_risk_and_the_mean_beyond_no_less_than_the_edge(
    method: str, values: Floats, horizon: int
) -> None:
    found = [
        measured(method, values, c, horizon) for c in CONFIDENCES if method != "historical" or horizon == 1
    ]
    for one in found:
        assert one.es is None or one.es >= one.var - 1e-12
    for less, more in itertools.pairwise(found):
        if less.rule.split(":")[0] == more.rule.split(":")[0]:
            assert more.var >= less.var - 1e-12
            assert less.es is None or more.es is None or more.es >= less.es - 1e-12


@pytest.mark.parametrize("method", METHODS)
@settings(max_examples=15, deadline=None)
@given(values=returns(), factor=st.floats(0.01, 100.0))
def test_twice_the_position_is_twice_the_risk(method: str, values: Floats, factor: float) -> None:
    one, scaled = measured(method, values, 0.99), measured(method, values * factor, 0.99)
    tolerance = 1e-6 * factor * float(np.ptp(values))
    assert scaled.var == pytest.approx(one.var * factor, abs=tolerance)
    assert (scaled.es is None) == (one.es is None)
    if one.es is not None and scaled.es is not None:
        assert scaled.es == pytest.approx(one.es * factor, rel=1e-5, abs=tolerance)


@pytest.mark.parametrize("method", [name for name in METHODS if name != "filtered"])
@settings(max_examples=15, deadline=None)
@given(values=returns(), shift=st.floats(-0.05, 0.05))
def test_a_sure_gain_lowers_the_risk_by_itself(method: str, values: Floats, shift: float) -> None:
    one, shifted = measured(method, values, 0.99), measured(method, values + shift, 0.99)
    assert shifted.var == pytest.approx(one.var - shift, abs=1e-6 * float(np.ptp(values)) + 1e-10)


@st.composite
def books(draw: st.DrawFn) -> tuple[Floats, Floats]:
    """Correlated returns of up to eight positions, and weights, long and short."""
    generator = np.random.default_rng(draw(st.integers(0, 10_000)))
    positions = draw(st.integers(1, 8))
    mixing = generator.normal(size=(positions, positions))
    days = generator.standard_t(6.0, (draw(st.integers(120, 400)), positions)) @ mixing * 0.01
    weights = generator.normal(size=positions) * draw(st.floats(0.1, 1e6))
    return days, weights


@pytest.mark.parametrize("method", ["normal", "historical", "monte_carlo"])
@settings(max_examples=20, deadline=None)
@given(book=books(), confidence=st.sampled_from([0.90, 0.95, 0.99]), horizon=st.integers(1, 22))
def test_the_shares_add_up_to_the_book(
    method: ComponentMethod, book: tuple[Floats, Floats], confidence: float, horizon: int
) -> None:
    days, weights = book
    found = contributions(days, weights, confidence, horizon, method=method, paths=2_000)
    unit = float(np.abs(days @ weights).max()) * horizon
    assert sum(one.component_var for one in found.positions) == pytest.approx(found.var, abs=1e-9 * unit)
    assert sum(one.component_es for one in found.positions) == pytest.approx(found.es, abs=1e-9 * unit)
    assert found.es >= found.var - 1e-9 * unit
    if method != "monte_carlo":
        alone = measure(method, days @ weights, confidence, horizon)
        assert found.var == pytest.approx(alone.var, abs=1e-9 * unit)
        assert alone.es is not None
        assert found.es == pytest.approx(alone.es, abs=1e-9 * unit)
