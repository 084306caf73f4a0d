"""First passage of a Brownian motion with drift: the chance that a limit's use reaches it in time.

Use of a limit moves as u + μt + σW(t), per minute; the limit is at 1. Everything takes numbers or arrays
and is computed in the log domain, so that neither a tiny volatility nor a far limit overflows.
Source: J. M. Harrison, "Brownian Motion and Stochastic Flow Systems" (1985), chapter 1; the time of
passage is inverse Gaussian with mean b/μ and shape b²/σ², where b = 1 − u.
This module must not know where use, drift and volatility come from.
"""

from __future__ import annotations

import math
from typing import Final

import numpy as np
import numpy.typing as npt
from scipy.special import erfcx, log_ndtr

type Floats = npt.NDArray[np.float64]

#: −ζ(1/2)/√(2π): how far, in standard deviations of a step, a limit looked at only at steps seems to be
#: away. Source: M. Broadie, P. Glasserman, S. Kou, "A Continuity Correction for Discrete Barrier
#: Options", Mathematical Finance 7 (1997).
DISCRETE: Final = 0.5825971579390107
_ROOT_2: Final = math.sqrt(2.0)
_HALVINGS: Final = 44


def probability(
    use: npt.ArrayLike,
    drift: npt.ArrayLike,
    volatility: npt.ArrayLike,
    minutes: npt.ArrayLike,
    step: npt.ArrayLike = 0.0,
) -> Floats:
    """Return the probability that the limit is reached within ``minutes``.

    P = Φ((−b + μT) / σ√T) + exp(2μb/σ²) Φ((−b − μT) / σ√T).

    Args:
        use: Value ÷ limit, now; from 1 on it is reached, and P is 1.
        drift: Of use, per minute.
        volatility: Of use, per square root of a minute; 0: it moves by its drift alone.
        minutes: The horizon T, 0 to infinity.
        step: Minutes between two looks; the limit is moved away by 0.5826 σ√step. 0: looked at always.
    """
    u, mu, sigma, horizon, dt = np.broadcast_arrays(
        *(np.asarray(one, dtype=np.float64) for one in (use, drift, volatility, minutes, step))
    )
    distance = np.maximum(1.0 - u, 0.0) + DISCRETE * sigma * np.sqrt(dt)
    within = _within(distance, mu, sigma, horizon)
    found: Floats = np.where(u >= 1.0, 1.0, within)
    return found


def _within(b: Floats, mu: Floats, sigma: Floats, horizon: Floats) -> Floats:
    """Return the probability of covering the distance ``b``."""
    with np.errstate(all="ignore"):  # the corners that give no number are answered apart
        deviation = sigma * np.sqrt(horizon)
        ahead = (mu * horizon - b) / deviation
        behind = (-mu * horizon - b) / deviation
        # exp(2μb/σ²) Φ(x) for x < 0, its squares cancelled by hand: exp(−ahead²/2) erfcx(−x/√2) / 2.
        mirrored = np.where(
            behind < 0.0,
            -(ahead**2) / 2.0 + np.log(erfcx(-behind / _ROOT_2) / 2.0),
            2.0 * mu * b / sigma**2 + log_ndtr(behind),
        )
        both = np.exp(np.logaddexp(log_ndtr(ahead), mirrored))
        for_ever = np.where(mu >= 0.0, 1.0, np.exp(2.0 * mu * b / sigma**2))
        straight = np.where((mu > 0.0) & (mu * horizon >= b), 1.0, 0.0)
    chance = np.where(np.isinf(horizon), for_ever, both)
    chance = np.where((sigma <= 0.0) | (deviation <= 0.0), straight, chance)
    clipped: Floats = np.clip(np.where(b <= 0.0, 1.0, chance), 0.0, 1.0)
    return clipped


def median_minutes(
    use: npt.ArrayLike, drift: npt.ArrayLike, volatility: npt.ArrayLike, step: npt.ArrayLike = 0.0
) -> Floats:
    """Return the median time to the limit, in minutes, of those paths that reach it at all.

    Given that it is reached, a path that drifts away passes like one that drifts towards it as fast
    (Williams): the law depends on |μ| only. Infinite where nothing moves towards the limit.
    """
    u, mu, sigma, dt = np.broadcast_arrays(
        *(np.asarray(one, dtype=np.float64) for one in (use, drift, volatility, step))
    )
    towards = np.where(sigma > 0.0, np.abs(mu), np.maximum(mu, 0.0))
    b = np.maximum(1.0 - u, 0.0) + DISCRETE * sigma * np.sqrt(dt)
    with np.errstate(all="ignore"):
        # The median lies below both the mean b/|μ| and the median without drift, (b / 0.6745 σ)².
        bound = np.fmin(b / towards, (b / (0.6744897501960817 * sigma)) ** 2)
    high = np.where(np.isfinite(bound), bound, 0.0) * (1.0 + 1e-12)
    low = np.zeros_like(high)
    for _ in range(_HALVINGS):
        middle = (low + high) / 2.0
        late = _within(b, towards, sigma, middle) < 0.5
        low, high = np.where(late, middle, low), np.where(late, high, middle)
    found = np.where(np.isfinite(bound), high, np.inf)
    result: Floats = np.where(u >= 1.0, 0.0, found)
    return result
