"""The model that ships: analytic first passage of a limit's use, and what it rests on most.

A trained candidate (candidate.py) was tried on recorded markets and did not do better throughout; see
README.md for the figures and the command that repeats them.
NumPy and SciPy are loaded with the first limit that has moved long enough to be computed: a daemon in its
first half hour needs neither.
This module must not know where samples come from or who reads the forecast.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

import msgspec

from data.limits import Driver
from risk.forecast.estimate import NEEDED, Motion
from risk.forecast.record import HORIZONS

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

#: Beyond a day nothing is told of when.
LONGEST: Final = 1440.0

type Floats = npt.NDArray[np.float64]


class Told(msgspec.Struct, frozen=True, kw_only=True):
    """What the model says of one limit; the probabilities are None where ``reason`` says why."""

    chances: tuple[float, ...] | None  #: one for each horizon
    minutes: float | None = None
    drivers: tuple[Driver, ...] = ()
    samples: int  #: changes that it rests on
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
    import numpy as np

    from risk.forecast import first_passage

    horizon, reset = np.broadcast_arrays(np.asarray(minutes, np.float64), np.asarray(until_reset, np.float64))
    before = first_passage.probability(use, drift, volatility, np.minimum(horizon, reset), step)
    rest = np.maximum(horizon - reset, 0.0)
    after = np.where(rest > 0.0, first_passage.probability(0.0, 0.0, volatility, rest, step), 0.0)
    both: Floats = 1.0 - (1.0 - before) * (1.0 - after)
    return both


class Question(msgspec.Struct, frozen=True, kw_only=True):
    """What the model is asked about one limit."""

    use: float  #: value ÷ limit now
    motion: Motion | None  #: of use; None: too few samples
    changes: int  #: that were seen so far
    step: float  #: minutes between two looks at the limit
    until_reset: float = math.inf  #: minutes until use starts at 0 again
    largest: tuple[str, float] | None = None  #: the instrument that makes most of the value, and its share


def tell(questions: Sequence[Question]) -> list[Told]:
    """Return what can be said of each limit; all are computed together."""
    told = [_without_model(one) for one in questions]
    asked = [
        (place, one, one.motion)
        for place, one in enumerate(questions)
        if told[place] is None and one.motion is not None
    ]
    if asked:
        computed = _computed([(one, motion) for _, one, motion in asked])
        for (place, _, _), found in zip(asked, computed, strict=True):
            told[place] = found
    return [one for one in told if one is not None]


def _without_model(one: Question) -> Told | None:
    """Return what needs no model, or why the model cannot be asked; None: it can."""
    if one.use >= 1.0:
        return Told(
            chances=(1.0,) * len(HORIZONS), minutes=0.0, samples=one.changes, reason="it is breached now"
        )
    if one.motion is None:
        reason = f"{one.changes} changes from minute to minute were seen, {NEEDED} are needed"
        return Told(chances=None, samples=one.changes, reason=reason)
    if one.motion.volatility == 0.0 and one.motion.drift == 0.0:
        reason = f"it has not moved in {one.changes} samples: there is no motion to go by"
        return Told(chances=None, samples=one.changes, reason=reason)
    return None


def _computed(asked: Sequence[tuple[Question, Motion]]) -> list[Told]:
    import numpy as np

    from risk.forecast import first_passage

    use, drift, sigma, step, reset = np.array(
        [(q.use, m.drift, m.volatility, q.step, q.until_reset) for q, m in asked]
    ).T
    found = chances(
        use[:, None],
        drift[:, None],
        sigma[:, None],
        np.array(HORIZONS, np.float64)[None, :],
        step[:, None],
        reset[:, None],
    )
    medians = first_passage.median_minutes(use, drift, sigma, step)
    known = medians <= np.minimum(LONGEST, reset)
    drivers = _drivers(asked, found[:, -1])
    return [
        Told(
            chances=tuple(row),
            minutes=median if sure else None,
            drivers=some,
            samples=motion.changes,
        )
        for (_, motion), row, median, sure, some in zip(
            asked, found.tolist(), medians.tolist(), known.tolist(), drivers, strict=True
        )
    ]


def _drivers(asked: Sequence[tuple[Question, Motion]], told: Floats) -> list[tuple[Driver, ...]]:
    """Return what moves the probability of the longest horizon, the strongest first.

    Distance and volatility: what a tenth less distance, a tenth more volatility add. Drift and the largest
    position: what they add against being absent.
    """
    import numpy as np

    names: list[list[tuple[str, float]]] = []
    rows: list[tuple[float, float, float, float, float]] = []
    for question, motion in asked:
        use, drift, sigma = question.use, motion.drift, motion.volatility
        trials: list[tuple[str, float, float, float, float]] = [
            ("distance", 1.0 - use, 1.0 - 0.9 * (1.0 - use), drift, sigma),
            ("volatility", sigma, use, drift, 1.1 * sigma),
            ("drift", drift, use, 0.0, sigma),
        ]
        if question.largest is not None:
            name, share = question.largest
            left = 1.0 - share
            trials.append((f"position {name}", share, use * left, drift * left, sigma * left))
        names.append([(name, value) for name, value, *_ in trials])
        rows += [(u, m, s, question.step, question.until_reset) for _, _, u, m, s in trials]
    uses, drifts, sigmas, step, reset = np.array(rows).T
    tried = iter(chances(uses, drifts, sigmas, float(HORIZONS[-1]), step, reset).tolist())
    found = []
    for now, some in zip(told.tolist(), names, strict=True):
        effects = []
        for name, value in some:
            changed = next(tried) - now
            added = changed if name in ("distance", "volatility") else -changed
            effects.append(Driver(name=name, value=value, effect=added))
        found.append(tuple(sorted(effects, key=lambda one: -abs(one.effect))))
    return found
