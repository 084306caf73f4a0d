"""Measures by past returns: historical simulation, and the same filtered by volatility.

Horizon of h days: sums of h successive daily returns (a position kept at the same size), overlapping,
where there are enough h-day periods that do not overlap; else the one-day figure times √h. Which of
them it was is said in the result.
This module must not know of fitted distributions.
"""

from __future__ import annotations

import math
from typing import Final

import numpy as np
import numpy.typing as npt
import polars as pl

from data.limits import VarMethod
from data.problems import InvalidRequestError
from risk.measures.sample import (
    Floats,
    Measure,
    checked_confidence,
    checked_horizon,
    finite,
    overlapping_sums,
    place_in_tail,
    require,
    require_variety,
    returns_for_quantile,
)

DECAY: Final = 0.94
#: Returns that only start the filter of volatility; they are not among the scenarios.
BURN_IN: Final = 30


def historical(returns: npt.ArrayLike, confidence: float, horizon: int = 1) -> Measure:
    """Measure by the returns as they were.

    VaR is the negated quantile of the returns at 1 − confidence, interpolated between neighbours; ES the
    negated mean of the returns that are no better than that quantile. Needs 1 / (1 − confidence) returns.
    Units: fractions. Source: Jorion, "Value at Risk", 3rd ed., chapter 10; McNeil, Frey and Embrechts,
    "Quantitative Risk Management", 2nd ed., section 9.2.

    Raises:
        TooLittleDataError: There are too few returns for the quantile.
        InvalidRequestError: Confidence, horizon or a return makes no sense.
    """
    values = finite(returns)
    checked_confidence(confidence)
    checked_horizon(horizon)
    require(values, returns_for_quantile(confidence), f"historical at {confidence:g}")
    notes = ("all returns are equal",) if np.ptp(values) == 0.0 else ()
    return _measured("historical", values, confidence, horizon, len(values), {}, notes)


def filtered(returns: npt.ArrayLike, confidence: float, horizon: int = 1, *, decay: float = DECAY) -> Measure:
    """Measure by past returns rescaled to today's volatility: filtered historical simulation.

    Volatility follows σ²(t+1) = λσ²(t) + (1 − λ)r²(t), started by the mean square of the first 30 returns.
    Each later return counts as r(t) · σ(next) / σ(t), σ(t) being what was known before r(t); what comes
    out is measured as in ``historical``. Needs 30 returns more than that. Over more days the volatility
    is held at the next day's.
    Units: fractions. Source: Hull and White (1998), "Incorporating volatility updating into the historical
    simulation method", Journal of Risk 1; λ of J.P. Morgan/Reuters (1996), "RiskMetrics – Technical
    Document", 4th ed.

    Raises:
        TooLittleDataError: There are too few returns for the filter and the quantile.
        InvalidRequestError: Something given makes no sense, or there is no volatility to filter by.
    """
    values = finite(returns)
    checked_confidence(confidence)
    checked_horizon(horizon)
    if not 0.0 < decay < 1.0:
        raise InvalidRequestError(f"decay {decay:g} is out of range", rule="a decay lies between 0 and 1")
    require(values, BURN_IN + returns_for_quantile(confidence), f"filtered at {confidence:g}")
    require_variety(values, "filtered")
    volatility = ewma_volatility(values, decay)
    if not volatility.all():
        raise InvalidRequestError(
            f"the first {BURN_IN} returns are all zero: there is no volatility to filter by",
            rule="returns that differ from zero at the beginning",
            fix="begin the series where trading began",
        )
    scenarios = values[BURN_IN:] / volatility[:-1] * volatility[-1]
    parameters = {"decay": decay, "volatility": float(volatility[-1])}
    return _measured("filtered", scenarios, confidence, horizon, len(values), parameters, ())


def ewma_volatility(values: Floats, decay: float = DECAY) -> Floats:
    """Return the exponentially weighted volatility before each return after the burn-in, and the next.

    Daily, as a fraction; one more than there are returns after the burn-in.
    """
    start = float(np.mean(values[:BURN_IN] ** 2))
    squares = pl.Series(np.concatenate(([start], values[BURN_IN:] ** 2)))
    variance = squares.ewm_mean(alpha=1.0 - decay, adjust=False).to_numpy()
    volatility: Floats = np.sqrt(variance)
    return volatility


def tail(scenarios: Floats, confidence: float) -> tuple[float, float]:
    """Return VaR and ES of equally likely returns, as positive fractions."""
    index, part = place_in_tail(len(scenarios), confidence)
    last = min(index + 1, len(scenarios) - 1)
    lowest = np.partition(scenarios, (index, last))
    # Taken from 0, not negated: what loses nothing loses 0, not -0.
    var = 0.0 - float(lowest[index] + part * (lowest[last] - lowest[index]))
    # A mean of equal numbers may differ from them in its last digit.
    return var, max(0.0 - float(lowest[: index + 1].mean()), var)


def scaled_scenarios(scenarios: Floats, confidence: float, horizon: int) -> tuple[Floats, float, str]:
    """Return scenarios for a horizon, the factor their figures are multiplied by, and the rule."""
    if horizon == 1:
        return scenarios, 1.0, "daily returns as they are"
    enough = returns_for_quantile(confidence) * horizon
    if len(scenarios) >= enough:
        return overlapping_sums(scenarios, horizon), 1.0, f"overlapping sums of {horizon} daily returns"
    why = f"{len(scenarios):,} returns, overlapping sums need {enough:,}"
    return scenarios, math.sqrt(horizon), f"one day times sqrt({horizon}): {why}"


def _measured(
    method: VarMethod,
    scenarios: Floats,
    confidence: float,
    horizon: int,
    n: int,
    parameters: dict[str, float],
    notes: tuple[str, ...],
) -> Measure:
    those, factor, rule = scaled_scenarios(scenarios, confidence, horizon)
    var, es = tail(those, confidence)
    return Measure(
        method=method,
        confidence=confidence,
        horizon=horizon,
        var=var * factor,
        es=es * factor,
        n=n,
        rule=rule,
        parameters=parameters | {"scenarios": len(those)},
        notes=notes,
    )
