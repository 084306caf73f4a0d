"""Drift and volatility of a limit's use, from samples taken at any times.

Both are weighted by age, half as much for each hour of samples: on recorded markets (README.md) much longer
memories did worse at all horizons and shorter ones no better at the longest. Drift is mostly noise over an
hour and made forecasts worse; it counts only as far as it exceeds four standard errors, so that what really
climbs, such as turnover, still does. Time without samples is left out, not bridged.
This module must not know what the samples are of.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import TYPE_CHECKING, Final

import msgspec

if TYPE_CHECKING:  # loaded where arrays are made: to follow a value takes none
    import numpy as np
    import numpy.typing as npt

MINUTE: Final = 60_000_000_000
#: Minutes of samples after which one counts half.
HALF_LIFE: Final = 60.0
#: Changes that are needed before anything can be told.
NEEDED: Final = 30
#: Minutes between two samples that are still a change; more is a gap.
GAP: Final = 10.0
_STANDARD_ERRORS: Final = 4.0

type Floats = npt.NDArray[np.float64]


class Motion(msgspec.Struct, frozen=True):
    """How a value moves, in its own unit."""

    drift: float  #: per minute, as far as it counts
    volatility: float  #: per square root of a minute
    changes: int  #: that it was estimated from
    raw_drift: float  #: per minute, as measured

    def over(self, limit: float) -> Motion:
        """Return the motion of value ÷ limit."""
        return Motion(self.drift / limit, self.volatility / limit, self.changes, self.raw_drift / limit)


class Tracker:
    """Follows one value; each sample costs the same, however many came before.

    Args:
        half_life: In minutes of samples.
        gap: Minutes between samples that still count as one change.
    """

    __slots__ = ("_gap", "_half_life", "_last", "_net", "_span", "_span2", "_squares", "_weights2", "changes")

    def __init__(self, half_life: float = HALF_LIFE, gap: float = GAP) -> None:
        self._half_life, self._gap = half_life, gap
        self._last: tuple[int, float] | None = None
        self._net = self._squares = 0.0  # of changes: Σ w·d, Σ w·d²
        self._span = self._span2 = self._weights2 = 0.0  # of minutes: Σ w·t, Σ w·t², Σ w²·t
        self.changes = 0

    def add(self, ts: int, value: float) -> None:
        """Take a sample (ts: ns). One that is no later than the last is left out."""
        last, self._last = self._last, (ts, value)
        if last is None:
            return
        minutes = (ts - last[0]) / MINUTE
        if minutes <= 0.0:
            self._last = last
            return
        if minutes > self._gap:
            return
        change = value - last[1]
        fade = 0.5 ** (minutes / self._half_life)
        self._net = fade * self._net + change
        self._squares = fade * self._squares + change * change
        self._span = fade * self._span + minutes
        self._span2 = fade * self._span2 + minutes * minutes
        self._weights2 = fade * fade * self._weights2 + minutes
        self.changes += 1

    def interrupt(self) -> None:
        """Let the next sample begin anew: the step to it is no change of the same thing."""
        self._last = None

    def motion(self) -> Motion | None:
        """Return how the value moves; None before `NEEDED` changes were seen."""
        if self.changes < NEEDED:
            return None
        raw = self._net / self._span
        noise = self._variance(raw)
        squared_error = noise * self._weights2 / self._span**2
        counts = 1.0
        if squared_error > 0.0:
            counts = max(0.0, 1.0 - _STANDARD_ERRORS**2 * squared_error / raw**2) if raw else 0.0
        drift = raw * counts
        return Motion(drift, math.sqrt(self._variance(drift)), self.changes, raw)

    def _variance(self, drift: float) -> float:
        """Return Σ w (d − drift·t)² ÷ Σ w·t."""
        total = self._squares - 2.0 * drift * self._net + drift * drift * self._span2
        return max(0.0, total / self._span)


class Motions(msgspec.Struct, frozen=True, kw_only=True):
    """How a value moved as known at each sample; NaN where it could not be told."""

    drift: Floats
    volatility: Floats
    raw_drift: Floats


def motions(step: float, values: Floats, starts: Iterable[int] = (), half_life: float = HALF_LIFE) -> Motions:
    """Return what a tracker would have told after each sample of an even grid, all at once.

    Args:
        step: Minutes between samples.
        values: NaN where there was none; the step across such a hole is no change.
        starts: Places where something else begins, so that the step to it is no change.
        half_life: See `Tracker`.
    """
    import numpy as np
    from scipy.signal import lfilter  # slow to load, and not needed to forecast

    counted = np.isfinite(values)
    counted[1:] &= np.isfinite(values[:-1])
    counted[:1] = False
    counted[np.fromiter(starts, np.int64)] = False
    changes = (values - np.concatenate([values[:1], values[:-1]]))[counted]
    fade = 0.5 ** (step / half_life)
    count = np.arange(1, len(changes) + 1)
    net = lfilter([1.0], [1.0, -fade], changes)
    squares = lfilter([1.0], [1.0, -fade], changes**2)
    span = step * (1.0 - fade**count) / (1.0 - fade)
    weights2 = step * (1.0 - fade ** (2 * count)) / (1.0 - fade**2)

    def variance(drift: Floats) -> Floats:
        total = squares - 2.0 * drift * net + drift**2 * step * span
        found: Floats = np.maximum(total / span, 0.0)
        return found

    raw = net / span
    with np.errstate(all="ignore"):
        counts = 1.0 - _STANDARD_ERRORS**2 * variance(raw) * weights2 / span**2 / raw**2
    drift = raw * np.where(raw == 0.0, 0.0, np.maximum(counts, 0.0))
    known = np.stack([drift, np.sqrt(variance(drift)), raw])
    seen = np.cumsum(counted)
    told = np.isfinite(values) & (seen >= NEEDED)
    found = np.full((3, len(values)), math.nan)
    found[:, told] = known[:, seen[told] - 1]
    return Motions(drift=found[0], volatility=found[1], raw_drift=found[2])
