"""A book's figure shared out: marginals by difference, hedges that subtract, what is refused."""

from __future__ import annotations

import math

import numpy as np
import pytest

from data.problems import InvalidRequestError
from risk.measures.components import contributions
from risk.measures.sample import Floats, TooLittleDataError
from tests.risk.samples import STOCKS_FILE, stock_returns


def book() -> Floats:
    generator = np.random.default_rng(5)
    market = generator.standard_t(5.0, (500, 1)) * 0.008
    return market + generator.normal(size=(500, 3)) * 0.005


def test_marginal_var_is_the_slope_in_the_weight() -> None:
    days, weights, step = book(), np.array([0.5, 0.3, -0.2]), 1e-6
    found = contributions(days, weights, 0.99, 10)
    for at, one in enumerate(found.positions):
        up, down = weights.copy(), weights.copy()
        up[at] += step
        down[at] -= step
        slope = (contributions(days, up, 0.99, 10).var - contributions(days, down, 0.99, 10).var) / (2 * step)
        assert one.marginal_var == pytest.approx(slope, rel=1e-6)
        assert one.component_var == pytest.approx(weights[at] * slope, rel=1e-6)


def test_by_hand_for_two_uncorrelated_positions() -> None:
    days = np.array([[0.01, 0.02], [0.01, -0.02], [-0.01, 0.02], [-0.01, -0.02]] * 10)
    found = contributions(days, [1.0, 1.0], 0.95, names=["A", "B"])
    scale = 40 / 39  # of variances with n − 1
    total = math.sqrt((0.01**2 + 0.02**2) * scale)
    z = 1.6448536269514722
    assert found.var == pytest.approx(z * total)
    assert [one.name for one in found.positions] == ["A", "B"]
    assert found.positions[0].component_var == pytest.approx(z * 0.01**2 * scale / total)
    assert [one.share for one in found.positions] == pytest.approx([0.2, 0.8])


def test_a_hedge_contributes_less_than_nothing() -> None:
    found = contributions(
        book(), [1.0, 0.0, -0.5], 0.99, method="historical", names=["long", "none", "short"]
    )
    by_name = {one.name: one for one in found.positions}
    assert by_name["short"].component_var < 0.0
    assert by_name["none"].component_var == 0.0
    assert by_name["none"].marginal_var > 0.0


def test_what_makes_no_sense_is_refused() -> None:
    for days, weights in (
        (book(), [1.0]),
        (book(), [1.0, math.nan, 0.0]),
        (book()[:, 0], [1.0]),
        (book() * 0.0, [1.0, 1.0, 1.0]),
    ):
        with pytest.raises(InvalidRequestError):
            contributions(days, weights, 0.99)
    with pytest.raises(InvalidRequestError, match="1 names for 3 positions"):
        contributions(book(), [1.0, 1.0, 1.0], 0.99, names=["A"])
    with pytest.raises(TooLittleDataError, match="needs 100 returns"):
        contributions(book()[:99], [1.0, 1.0, 1.0], 0.99, method="historical")
    with pytest.raises(TooLittleDataError):
        contributions(np.empty((0, 3)), [1.0, 1.0, 1.0], 0.99)


@pytest.mark.skipif(not STOCKS_FILE.exists(), reason="the recorded market data is not here")
def test_real_stocks() -> None:
    days = stock_returns()
    weights = np.full(days.shape[1], 0.2)
    normal = contributions(days, weights, 0.95)
    historical = contributions(days, weights, 0.95, method="historical")
    assert 0.5 < historical.var / normal.var < 1.5
    for found in (normal, historical):
        assert sum(one.share or 0.0 for one in found.positions) == pytest.approx(1.0)
        undiversified = sum(
            contributions(days[:, [at]], [0.2], 0.95, method=found.method).var for at in range(days.shape[1])
        )
        assert found.var < undiversified
