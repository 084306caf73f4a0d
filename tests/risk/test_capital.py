"""Regulatory figures by hand, and not applicable where something is missing."""

from __future__ import annotations

import math
from decimal import Decimal

import numpy as np
import pytest

from data.problems import InvalidRequestError
from risk.capital import (
    internal_model_capital,
    leverage_ratio,
    liquidity_adjusted_shortfall,
    regulatory_shortfall,
    shortfall_capital,
)
from risk.measures.empirical import historical
from risk.measures.sample import TooLittleDataError
from tests.risk.samples import drawn


def test_internal_model_capital_by_hand() -> None:
    var = np.full(60, 100.0)
    assert internal_model_capital(var, 0).value == 300.0
    assert internal_model_capital(var, 7).value == 365.0
    assert internal_model_capital(var, 10).value == 400.0
    var[-1] = 1000.0  # mean 115
    assert internal_model_capital(var, 0).value == 1000.0
    both = internal_model_capital(np.full(90, 100.0), 5, stressed_var=np.full(60, 200.0))
    assert both.value == pytest.approx(3.4 * 300.0)
    assert both.parts["mean_stressed_var"] == 200.0
    assert "without stressed VaR" in internal_model_capital(var, 0).rule


def test_what_is_missing_makes_it_not_applicable() -> None:
    assert internal_model_capital(None, 3).not_applicable == "there is no series of VaR"
    short = internal_model_capital(np.full(59, 1.0), 3)
    assert (short.value, short.not_applicable) == (None, "60 days of VaR are averaged; there are 59")
    assert "250 days of backtest at 99%" in (
        internal_model_capital(np.full(60, 1.0), None).not_applicable or ""
    )
    stressed = internal_model_capital(np.full(60, 1.0), 0, stressed_var=np.full(10, 1.0))
    assert stressed.value is None
    assert shortfall_capital(None, 3).not_applicable == "there is no series of ES"
    assert liquidity_adjusted_shortfall(None).value is None
    assert liquidity_adjusted_shortfall({20: 5.0}).value is None
    assert leverage_ratio(None, Decimal(1)).not_applicable == "there is no capital"
    assert leverage_ratio(Decimal(1), None).not_applicable == "there is no exposure measure"
    assert leverage_ratio(Decimal(1), Decimal(0)).value is None


def test_nonsense_is_refused() -> None:
    for capital in (internal_model_capital, shortfall_capital):
        with pytest.raises(InvalidRequestError):
            capital(np.full(60, 1.0), -1)
        with pytest.raises(InvalidRequestError):
            capital(np.full(60, math.nan), 1)
    with pytest.raises(InvalidRequestError, match="no liquidity horizon of 15"):
        liquidity_adjusted_shortfall({10: 1.0, 15: 1.0})
    with pytest.raises(InvalidRequestError):
        liquidity_adjusted_shortfall({10: -1.0})


def test_liquidity_horizons_by_hand() -> None:
    assert liquidity_adjusted_shortfall({10: 100.0}).value == 100.0
    all_at_120 = liquidity_adjusted_shortfall({10: 100.0, 20: 100.0, 40: 100.0, 60: 100.0, 120: 100.0})
    assert all_at_120.value == pytest.approx(100.0 * math.sqrt(12))
    some = liquidity_adjusted_shortfall({10: 100.0, 20: 50.0})
    assert some.value == pytest.approx(math.sqrt(100.0**2 + 50.0**2))
    skipping = liquidity_adjusted_shortfall({10: 100.0, 60: 50.0})
    assert skipping.value == pytest.approx(math.sqrt(100.0**2 + 50.0**2 * 5))
    told = liquidity_adjusted_shortfall({10: 100.0, 20: 50.0, 40: 50.0, 60: 50.0})
    assert skipping.value == pytest.approx(told.value), "horizons without factors of their own"


def test_shortfall_capital_by_hand() -> None:
    es = np.full(60, 100.0)
    values = [shortfall_capital(es, hits).value for hits in (0, 4, 5, 6, 7, 8, 9, 10)]
    assert values == pytest.approx([150.0, 150.0, 170.0, 176.0, 183.0, 188.0, 192.0, 200.0])


def test_regulatory_shortfall_is_of_ten_days_at_97_5() -> None:
    found = regulatory_shortfall(drawn())
    assert found == historical(drawn(), 0.975, 10)
    with pytest.raises(TooLittleDataError, match="needs 40 returns"):
        regulatory_shortfall(drawn(count=39))


def test_leverage_ratio() -> None:
    assert leverage_ratio(Decimal(3), Decimal(100)).value == 0.03
