"""Measures by extreme values: losses over a threshold follow a generalised Pareto distribution.

This module must not know of the returns below the threshold, beyond their number.
"""

from __future__ import annotations

import math
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt

from data.problems import InvalidRequestError
from risk.measures.sample import (
    Floats,
    Measure,
    TooLittleDataError,
    checked_confidence,
    checked_horizon,
    finite,
    require_variety,
)

THRESHOLD: Final = 0.90  #: quantile of the losses
EXCEEDANCES: Final = 25  #: losses beyond the threshold that a fit is made of at least
#: Below this shape maximum likelihood is not regular: Smith (1985), Biometrika 72.
_LEAST_SHAPE: Final = -0.5
_UNLIKELY: Final = -1e12  #: a likelihood that the search can still calculate with


class ParetoFit(NamedTuple):
    """Shape ξ (the heavier the tail, the larger) and scale β, in the unit of the excesses."""

    shape: float
    scale: float


def evt(
    returns: npt.ArrayLike, confidence: float, horizon: int = 1, *, threshold: float = THRESHOLD
) -> Measure:
    """Measure by peaks over a threshold.

    The threshold u is the loss that a fraction 1 − ``threshold`` of the returns exceeds; the N excesses
    over it are fitted by ``fit``. VaR = u + β/ξ · [((1 − α)n/N)^−ξ − 1] and
    ES = (VaR + β − ξu) / (1 − ξ); None for ξ ≥ 1, where the mean does not exist. Over h days: times √h, an
    approximation. Needs 25 losses beyond the threshold (at 0.90: 241 returns).
    Units: fractions. Source: McNeil and Frey (2000), Journal of Empirical Finance 7; McNeil, Frey and
    Embrechts, "Quantitative Risk Management", 2nd ed., section 5.2.3.

    Raises:
        TooLittleDataError: There are too few losses beyond the threshold.
        InvalidRequestError: Something given makes no sense, or the confidence lies below the threshold.
    """
    values = finite(returns)
    checked_confidence(confidence)
    checked_horizon(horizon)
    if not 0.5 <= threshold < 1.0:
        raise InvalidRequestError(
            f"threshold {threshold:g} is out of range", rule="a threshold lies from 0.5 to below 1"
        )
    if confidence < threshold:
        raise InvalidRequestError(
            f"confidence {confidence:g} lies below the threshold {threshold:g}",
            rule="extreme values tell of what lies beyond the threshold",
            fix="use historical for such a confidence, or a lower threshold",
        )
    tail_share = round(1.0 - threshold, 9)
    beyond = math.ceil(round(len(values) * tail_share, 6))
    if beyond < EXCEEDANCES:
        needed = math.floor(round((EXCEEDANCES - 1) / tail_share, 6)) + 1
        raise TooLittleDataError(
            f"evt with threshold {threshold:g}", needed=needed, given=len(values), fix="a lower threshold"
        )
    require_variety(values, "evt")
    losses = np.sort(-values)[::-1]
    u = float(losses[beyond])
    excesses = losses[:beyond] - u
    excesses = excesses[excesses > 0.0]
    if len(excesses) < EXCEEDANCES:
        raise InvalidRequestError(
            f"only {len(excesses)} losses lie beyond the threshold {u:g}: too many are the same number",
            rule=f"at least {EXCEEDANCES} losses beyond the threshold",
            fix="a higher threshold, or historical",
        )
    return _measured(values, excesses, u, confidence, horizon, threshold)


def _measured(
    values: Floats, excesses: Floats, u: float, confidence: float, horizon: int, threshold: float
) -> Measure:
    fitted = fit(excesses)
    shape, scale = fitted
    ratio = min((1.0 - confidence) * len(values) / len(excesses), 1.0)
    stretch = -math.log(ratio) if abs(shape) < 1e-9 else (ratio**-shape - 1.0) / shape
    var = u + scale * stretch
    es = (var + scale - shape * u) / (1.0 - shape) if shape < 1.0 else None
    factor = math.sqrt(horizon)
    return Measure(
        method="evt",
        confidence=confidence,
        horizon=horizon,
        var=var * factor,
        es=None if es is None else es * factor,
        n=len(values),
        rule="daily returns as they are"
        if horizon == 1
        else f"one day times sqrt({horizon}), an approximation",
        parameters={
            "threshold_quantile": threshold,
            "threshold": u,
            "exceedances": len(excesses),
            "shape": shape,
            "scale": scale,
        },
        notes=() if es is not None else ("no ES: with a shape of 1 or more there is no mean loss",),
    )


def fit(excesses: Floats) -> ParetoFit:
    """Return the generalised Pareto distribution of maximum likelihood, for positive excesses.

    With τ = ξ/β the likelihood is maximal at ξ(τ) = mean log(1 + τy), β = ξ/τ, which leaves
    −log β − ξ − 1 to be maximised over τ alone: on a grid, then between the best point's neighbours.
    Shapes below −0.5 are not considered.
    Source: Grimshaw (1993), "Computing maximum likelihood estimates for the generalized Pareto
    distribution", Technometrics 35.
    """
    from scipy.optimize import minimize_scalar

    unit = float(excesses.mean())
    y = excesses / unit
    lowest = -1.0 / float(y.max())
    negative = lowest * (1.0 - np.geomspace(1e-4, 1.0, 60)[:-1])
    grid = np.concatenate((negative, [-1e-6, 1e-6], np.geomspace(1e-4, 200.0, 120)))
    scores = _profile(grid, y)
    best = int(np.argmax(scores))
    around = (grid[max(best - 1, 0)], grid[min(best + 1, len(grid) - 1)])
    found = minimize_scalar(
        lambda tau: -max(float(_profile(np.array([tau]), y)[0]), _UNLIKELY),
        bounds=around,
        method="bounded",
        options={"xatol": 1e-11},
    )
    tau = float(found.x) if -found.fun >= scores[best] else float(grid[best])
    shape = float(np.log1p(tau * y).mean())
    # At a shape of nothing the distribution is exponential, with the mean as its scale.
    scale = 1.0 if abs(tau) < 1e-9 else shape / tau
    return ParetoFit(shape, scale * unit)


def _profile(taus: Floats, y: Floats) -> Floats:
    """Return the likelihood left over τ; −∞ where the shape is not considered."""
    shapes = np.log1p(taus[:, None] * y).mean(axis=1)
    with np.errstate(divide="ignore", invalid="ignore"):
        scores = -np.log(shapes / taus) - shapes - 1.0
    scores[(shapes < _LEAST_SHAPE) | ~np.isfinite(scores)] = -math.inf
    scores[np.abs(taus) < 1e-9] = -1.0
    return scores
