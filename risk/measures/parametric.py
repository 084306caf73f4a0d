"""Measures by a distribution's formula: normal, Student's t, Cornish–Fisher.

This module must not know of simulation.
"""

from __future__ import annotations

import math
from typing import Final

import numpy as np
import numpy.typing as npt

from data.problems import InvalidRequestError
from risk.measures.sample import (
    Floats,
    Measure,
    checked_confidence,
    checked_horizon,
    finite,
    require,
    require_variety,
)
from risk.measures.student import fit, standard_quantile, standard_shortfall

#: Returns that a fit is made of at least; fewer would be a guess.
MINIMUM: Final = {"normal": 30, "student": 60, "cornish_fisher": 100}
#: Standard deviations beyond which nothing is expected (a probability of 1e-9).
_FAR: Final = 6.0


def density(z: float) -> float:
    """Return the standard normal density."""
    return math.exp(-0.5 * z * z) / math.sqrt(2.0 * math.pi)


def normal_quantile(probability: float) -> float:
    """Return the standard normal quantile."""
    from scipy.special import ndtri

    return float(ndtri(probability))


def normal(returns: npt.ArrayLike, confidence: float, horizon: int = 1) -> Measure:
    """Measure by the normal distribution with the sample's mean μ and standard deviation σ (n − 1).

    VaR = −μ + σz and ES = −μ + σφ(z) / (1 − α), z the normal quantile at α, the confidence. Over h days:
    hμ and σ√h, exact for independent normal returns.
    Units: fractions. Source: McNeil, Frey and Embrechts, "Quantitative Risk Management", 2nd ed.,
    examples 2.11 and 2.14.

    Raises:
        TooLittleDataError: There are fewer than 30 returns.
        InvalidRequestError: Something given makes no sense, or all returns are equal.
    """
    values = _sample(returns, confidence, horizon, "normal")
    mean, deviation = float(values.mean()), float(values.std(ddof=1))
    z = normal_quantile(confidence)
    scale = deviation * math.sqrt(horizon)
    return Measure(
        method="normal",
        confidence=confidence,
        horizon=horizon,
        var=-mean * horizon + scale * z,
        es=-mean * horizon + scale * density(z) / (1.0 - confidence),
        n=len(values),
        rule=f"mean times {horizon}, standard deviation times sqrt({horizon})",
        parameters={"mean": mean, "standard_deviation": deviation},
    )


def student(returns: npt.ArrayLike, confidence: float, horizon: int = 1) -> Measure:
    """Measure by Student's t with location μ, scale s and ν degrees of freedom of maximum likelihood.

    VaR = −μ + s·t(α) and ES = −μ + s · g(t(α)) / (1 − α) · (ν + t(α)²) / (ν − 1), g the density. ES is
    None for ν ≤ 1, where the mean does not exist. Over h days: hμ and s√h, an approximation, because sums
    of t's are not t.
    Units: fractions. Source: McNeil, Frey and Embrechts, "Quantitative Risk Management", 2nd ed.,
    examples 2.12 and 2.15.

    Raises:
        TooLittleDataError: There are fewer than 60 returns.
        InvalidRequestError: Something given makes no sense, all returns are equal, or no t fits.
    """
    values = _sample(returns, confidence, horizon, "student")
    fitted = fit(values)
    scale = fitted.scale * math.sqrt(horizon)
    beyond = standard_shortfall(fitted.degrees, confidence)
    notes = [] if beyond is not None else ["no ES: with at most 1 degree of freedom there is no mean loss"]
    return Measure(
        method="student",
        confidence=confidence,
        horizon=horizon,
        var=-fitted.location * horizon + scale * standard_quantile(fitted.degrees, confidence),
        es=None if beyond is None else -fitted.location * horizon + scale * beyond,
        n=len(values),
        rule=f"location times {horizon}, scale times sqrt({horizon})"
        + (", an approximation" if horizon > 1 else ""),
        parameters={
            "location": fitted.location,
            "scale": fitted.scale,
            "degrees_of_freedom": fitted.degrees,
        },
        notes=(*notes, *fitted.notes),
    )


def cornish_fisher(returns: npt.ArrayLike, confidence: float, horizon: int = 1) -> Measure:
    """Measure by the normal quantile corrected for skewness S and excess kurtosis K.

    With z the normal quantile at 1 − α: c(z) = z + (z² − 1)S/6 + (z³ − 3z)K/24 − (2z³ − 5z)S²/36;
    VaR = −(μ + σc(z)); ES is the mean of c beyond z, in closed form
    −μ + σφ(z)/(1 − α) · (1 + zS/6 + (z² − 1)K/24 − (2z² − 1)S²/36). Moments: σ with n − 1, S and K of the
    population. Over h days: hμ, σ√h, S/√h, K/h, exact for independent returns.
    Units: fractions. Source: Cornish and Fisher (1938); Maillard (2012), "A User's Guide to the Cornish
    Fisher Expansion", which also gives the domain where c increases everywhere.

    Raises:
        TooLittleDataError: There are fewer than 100 returns.
        InvalidRequestError: Something given makes no sense, all returns are equal, or c does not increase
            in the tail (down to six standard deviations), so that it is no quantile.
    """
    values = _sample(returns, confidence, horizon, "cornish_fisher")
    mean, deviation = float(values.mean()), float(values.std(ddof=1))
    centred = (values - mean) / float(values.std())
    skew = float(np.mean(centred**3)) / math.sqrt(horizon)
    kurtosis = (float(np.mean(centred**4)) - 3.0) / horizon
    z = normal_quantile(1.0 - confidence)
    notes = _domain(skew, kurtosis, z)
    corrected = z + (z**2 - 1) * skew / 6 + (z**3 - 3 * z) * kurtosis / 24 - (2 * z**3 - 5 * z) * skew**2 / 36
    beyond = 1 + z * skew / 6 + (z**2 - 1) * kurtosis / 24 - (2 * z**2 - 1) * skew**2 / 36
    scale = deviation * math.sqrt(horizon)
    return Measure(
        method="cornish_fisher",
        confidence=confidence,
        horizon=horizon,
        var=-mean * horizon - scale * corrected,
        es=-mean * horizon + scale * density(z) / (1.0 - confidence) * beyond,
        n=len(values),
        rule=f"cumulants of {horizon} independent days: mean times {horizon}, standard deviation times "
        f"sqrt({horizon}), skewness by sqrt({horizon}), excess kurtosis by {horizon}",
        parameters={
            "mean": mean,
            "standard_deviation": deviation,
            "skewness": skew,
            "excess_kurtosis": kurtosis,
        },
        notes=notes,
    )


def _domain(skew: float, kurtosis: float, z: float) -> tuple[str, ...]:
    """Return a note if c increases in the tail only; raise if not even there.

    c'(z) = az² + bz + d with a = K/8 − S²/6, b = S/3, d = 1 − K/8 + 5S²/36.
    """
    slope = (kurtosis / 8 - skew**2 / 6, skew / 3, 1 - kurtosis / 8 + 5 * skew**2 / 36)
    roots = np.roots(slope)
    turns = roots[np.abs(roots.imag) < 1e-12].real
    farthest = min(-_FAR, z - 2.0)
    if np.polyval(slope, z) < 0.0 or ((turns > farthest) & (turns < z)).any():
        raise InvalidRequestError(
            f"with skewness {skew:.2f} and excess kurtosis {kurtosis:.2f} the expansion is no quantile there",
            rule="the expansion increases throughout the tail",
            fix="use historical, student or evt",
        )
    if (np.abs(turns) < _FAR).any():
        return ("skewness and kurtosis lie outside the domain where the expansion is a quantile everywhere",)
    return ()


def _sample(returns: npt.ArrayLike, confidence: float, horizon: int, method: str) -> Floats:
    values = finite(returns)
    checked_confidence(confidence)
    checked_horizon(horizon)
    require(values, MINIMUM[method], method)
    require_variety(values, method)
    return values
