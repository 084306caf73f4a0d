"""The model that ships: analytic first passage of a limit's use, and what it rests on most.

A trained candidate (candidate.py) was tried on recorded markets and did not do better throughout; see
README.md for the figures and the command that repeats them.
This module must not know where samples come from or who reads the forecast.
"""

from __future__ import annotations

import math
from typing import Final

import msgspec
import numpy as np
import numpy.typing as npt

from data.limits import Driver
from risk.forecast import first_passage
from risk.forecast.estimate import NEEDED, Motion

NAME: Final = "analytic first passage"
HORIZONS: Final = (5, 30, 240)  #: minutes
#: Beyond a day nothing is told of when.
LONGEST: Final = 1440.0

type Floats = npt.NDArray[np.float64]


class Told(msgspec.Struct, frozen=True, kw_only=True):
    """What the model says of one limit; the probabilities are None where ``reason`` says why."""

    chances: tuple[float, ...] | None  #: one for each horizon
    minutes: float | None = None
    drivers: tuple[Driver, ...] = ()
    reason: str | None = None


def chances(
    use: npt.ArrayLike,
    drift: npt.ArrayLike,
    volatility: npt.ArrayLike,
    minutes: npt.ArrayLike,
    step: npt.ArrayLike = 0.0,
    until_reset: npt.ArrayLike = math.inf,
) -> Floats:
    """Return the probability that a limit is reached within ``minutes``.

    What starts at nothing each day, such as a daily loss, is followed to the reset and from nothing
    after it; after the reset no drift is known.

    Args:
        use: Value ÷ limit now.
        drift: Of use, per minute.
        volatility: Of use, per square root of a minute.
        minutes: The horizon.
        step: Minutes between two looks at the limit.
        until_reset: Minutes until use starts at 0 again; infinite: never.
    """
    horizon, reset = np.broadcast_arrays(np.asarray(minutes, np.float64), np.asarray(until_reset, np.float64))
    before = first_passage.probability(use, drift, volatility, np.minimum(horizon, reset), step)
    rest = np.maximum(horizon - reset, 0.0)
    after = np.where(rest > 0.0, first_passage.probability(0.0, 0.0, volatility, rest, step), 0.0)
    both: Floats = 1.0 - (1.0 - before) * (1.0 - after)
    return both


def tell(
    use: float,
    motion: Motion | None,
    *,
    changes: int,
    step: float,
    until_reset: float = math.inf,
    largest: tuple[str, float] | None = None,
) -> Told:
    """Return what can be said of one limit.

    Args:
        use: Value ÷ limit now.
        motion: Of use; None: too few samples.
        changes: That were seen so far.
        step: Minutes between two looks at the limit.
        until_reset: Minutes until use starts at 0 again.
        largest: The instrument that makes most of the value, and its share of it.
    """
    if use >= 1.0:
        return Told(chances=(1.0,) * len(HORIZONS), minutes=0.0, reason="it is breached now")
    if motion is None:
        return Told(chances=None, reason=f"{changes} changes were seen, {NEEDED} are needed")
    if motion.volatility == 0.0 and motion.drift == 0.0:
        return Told(
            chances=None, reason=f"it has not moved in {changes} samples: there is no motion to go by"
        )
    found = chances(use, motion.drift, motion.volatility, HORIZONS, step, until_reset)
    median = float(first_passage.median_minutes(use, motion.drift, motion.volatility, step))
    known = median <= min(LONGEST, until_reset)
    return Told(
        chances=tuple(float(one) for one in found),
        minutes=median if known else None,
        drivers=_drivers(use, motion, step, until_reset, largest),
    )


def _drivers(
    use: float, motion: Motion, step: float, until_reset: float, largest: tuple[str, float] | None
) -> tuple[Driver, ...]:
    """Return what moves the probability of the longest horizon, the strongest first.

    Distance and volatility: what a tenth less distance, a tenth more volatility add; drift and the largest
    position: what they add against being absent.
    """
    distance, drift, sigma = 1.0 - use, motion.drift, motion.volatility
    trials = {
        "distance": (distance, 1.0 - 0.9 * distance, drift, sigma),
        "volatility": (sigma, use, drift, 1.1 * sigma),
        "drift": (drift, use, 0.0, sigma),
    }
    if largest is not None:
        left = 1.0 - largest[1]
        trials[f"largest position {largest[0]}"] = (largest[1], use * left, drift * left, sigma * left)
    rows = np.array([(use, drift, sigma), *(one[1:] for one in trials.values())])
    told = chances(rows[:, 0], rows[:, 1], rows[:, 2], HORIZONS[-1], step, until_reset)
    added = {"distance", "volatility"}
    effects = [
        Driver(
            name=name,
            value=trial[0],
            effect=float(with_it - told[0] if name in added else told[0] - with_it),
        )
        for (name, trial), with_it in zip(trials.items(), told[1:], strict=True)
    ]
    return tuple(sorted(effects, key=lambda one: -abs(one.effect)))
