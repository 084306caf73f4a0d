"""Student's t: fitted by maximum likelihood, its quantile, its shortfall.

This module must not know of horizons.
"""

from __future__ import annotations

import math
from typing import Final, NamedTuple

import numpy as np

from data.problems import InvalidRequestError
from risk.measures.sample import Floats

#: Beyond so many degrees of freedom t and normal cannot be told apart by any sample of ours.
_MOST: Final = math.log(1000.0)
_LEAST: Final = math.log(0.2)
_NARROWEST: Final = -12.0  #: log of the scale in units of the quartiles
_STEPS: Final = 200
_FLAT: Final = 1e-9
_NOISE: Final = 1e-11  #: what rounding may take from a likelihood


class StudentFit(NamedTuple):
    """Location and scale in the returns' own unit, and the degrees of freedom."""

    location: float
    scale: float
    degrees: float
    notes: tuple[str, ...] = ()


def fit(values: Floats) -> StudentFit:
    """Return the t of maximum likelihood, for returns that differ.

    The mean log likelihood c(ν) − log s − (ν+1)/2 · log(1 + z²/ν), with z = (r − μ)/s and
    c(ν) = log Γ((ν+1)/2) − log Γ(ν/2) − ½ log(νπ), is maximised over μ, log s and log ν by Newton's
    method, damped where it is not concave (Levenberg and Marquardt). The sample is standardised by median
    and quartiles first, so that the fit does not depend on its unit.

    Raises:
        InvalidRequestError: The likelihood has no maximum, as when most returns are the same number.
    """
    centre = float(np.median(values))
    low, high = np.quantile(values, (0.25, 0.75))
    unit = float(high - low) / 1.349 or float(values.std())
    at = _climb(np.array([0.0, -0.2, math.log(5.0)]), (values - centre) / unit)
    if at is None:
        raise InvalidRequestError(
            "no Student's t fits: the likelihood has no maximum, as when most returns are the same number",
            rule="returns that differ from one another",
            fix="leave out the days without trading, or use historical",
        )
    notes: tuple[str, ...] = ()
    if at[2] >= _MOST:
        notes = ("the tails are no heavier than the normal distribution's",)
    return StudentFit(centre + float(at[0]) * unit, math.exp(at[1]) * unit, math.exp(at[2]), notes)


def _climb(at: Floats, values: Floats) -> Floats | None:
    """Return where the likelihood is greatest; None if it has no maximum within reason."""
    damping = 1e-3
    here, gradient, hessian = _likelihood(at, values)
    for _ in range(_STEPS):
        held = at[2] >= _MOST and gradient[2] > 0.0
        free = 2 if held else 3
        if float(np.abs(gradient[:free]).max()) < _FLAT:
            return at
        step = _uphill(gradient[:free], hessian[:free, :free], damping)
        there = at.copy()
        there[:free] += np.clip(step, -1.0, 1.0)
        there[2] = min(there[2], _MOST)
        if there[1] < _NARROWEST or there[2] < _LEAST:
            return None
        found, *slopes = _likelihood(there, values)
        if found < here - _NOISE:
            damping *= 10.0
            if damping > 1e8:
                return at  # nothing better within the precision of floats
            continue
        at, here, (gradient, hessian) = there, found, slopes
        damping = max(damping / 10.0, 1e-9)
    return None


def _uphill(gradient: Floats, hessian: Floats, damping: float) -> Floats:
    """Return a step that improves: Newton's where the likelihood is concave, else turned uphill."""
    eigenvalues, vectors = np.linalg.eigh(-hessian)
    curvature = np.maximum(np.abs(eigenvalues), 1e-8) + damping
    step: Floats = vectors @ ((vectors.T @ gradient) / curvature)
    return step


def _likelihood(at: Floats, values: Floats) -> tuple[float, Floats, Floats]:
    """Return the mean log likelihood at μ, log s, log ν, its gradient and its second derivatives."""
    from scipy.special import gammaln, polygamma, psi

    scale, v = math.exp(at[1]), math.exp(at[2])
    z = (values - at[0]) / scale
    z2 = z * z
    total = v + z2
    w = (v + 1.0) / total
    m = w * z2
    half = 0.5 * (v + 1.0)
    logs = float(np.log1p(z2 / v).mean())
    constant = float(gammaln(half) - gammaln(0.5 * v)) - 0.5 * math.log(v * math.pi)
    by_v = 0.5 * float(psi(half) - psi(0.5 * v)) - 0.5 / v - 0.5 * logs + 0.5 * float(m.mean()) / v
    by_v_twice = 0.25 * float(polygamma(1, half) - polygamma(1, 0.5 * v)) + 0.5 / v**2
    change = (z2 - 1.0) / (total * total)  # of w with ν
    by_v_twice += 0.5 * float((z2 / total).mean()) / v
    by_v_twice += 0.5 * float((z2 * change).mean()) / v - 0.5 * float(m.mean()) / v**2
    q = v / total
    wz, wzq = w * z, w * z * q
    gradient = np.array([float(wz.mean()) / scale, float(m.mean()) - 1.0, v * by_v])
    mu_mu = -float((w * (2.0 * q - 1.0)).mean()) / scale**2
    mu_s = -2.0 * float(wzq.mean()) / scale
    s_s = -2.0 * float((wzq * z).mean())
    mu_v = v * float((z * change).mean()) / scale
    s_v = v * float((z2 * change).mean())
    v_v = v * v * by_v_twice + v * by_v
    hessian = np.array([[mu_mu, mu_s, mu_v], [mu_s, s_s, s_v], [mu_v, s_v, v_v]])
    return constant - at[1] - half * logs, gradient, hessian


def standard_quantile(degrees: float, probability: float) -> float:
    """Return the quantile of the standard t."""
    from scipy.special import stdtrit

    return float(stdtrit(degrees, probability))


def standard_shortfall(degrees: float, confidence: float) -> float | None:
    """Return the mean of the standard t beyond its quantile; None where the mean does not exist."""
    from scipy.special import gammaln

    if degrees <= 1.0:
        return None
    q = standard_quantile(degrees, confidence)
    log_density = float(gammaln(0.5 * (degrees + 1.0)) - gammaln(0.5 * degrees))
    log_density -= 0.5 * math.log(degrees * math.pi) + 0.5 * (degrees + 1.0) * math.log1p(q * q / degrees)
    return math.exp(log_density) / (1.0 - confidence) * (degrees + q * q) / (degrees - 1.0)
