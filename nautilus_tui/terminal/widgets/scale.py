"""Scales of a chart: which prices and times get a label, and which row a price is on.

Pure arithmetic on floats and UTC nanoseconds, for drawing only.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

#: Distances between time labels, in seconds: what people count in.
_TIME_STEPS = (
    *(5, 10, 15, 30, 60, 120, 300, 600, 900, 1800),
    *(3600, 7200, 10_800, 21_600, 43_200, 86_400, 172_800, 604_800, 2_592_000, 7_776_000, 31_536_000),
)
_NANOS = 1_000_000_000


@dataclass(frozen=True, slots=True)
class PriceScale:
    """Prices from ``low`` to ``high`` on ``steps`` equal steps, the first at the top."""

    low: float
    high: float
    steps: int

    def at(self, price: float) -> int:
        """Return the step of a price, 0 at the top; outside the scale it lies outside 0…steps-1."""
        return round((self.high - price) / (self.high - self.low) * (self.steps - 1))


def price_scale(lows: Sequence[float], highs: Sequence[float], tick: float, steps: int) -> PriceScale:
    """Return a scale that holds all prices with a little air, at least ten ticks high."""
    low, high = min(lows), max(highs)
    air = max((high - low) * 0.04, tick * 5 - (high - low) / 2, 0.0)
    if high - low + 2 * air <= 0:
        air = abs(high) * 0.001 or 1.0
    return PriceScale(low - air, high + air, max(2, steps))


def price_labels(scale: PriceScale, tick: float, most: int) -> list[float]:
    """Return at most ``most`` round prices inside a scale, highest first; never finer than the tick."""
    span = scale.high - scale.low
    if most < 1 or span <= 0:
        return []
    step = _nice(span / most, tick)
    while math.floor(scale.high / step) - math.ceil(scale.low / step) + 1 > most:
        step = _nice(step * 1.01, tick)
    first, last = math.ceil(scale.low / step), math.floor(scale.high / step)
    return [i * step for i in range(last, first - 1, -1)]


def _nice(least: float, tick: float) -> float:
    """Return the smallest of 1, 2, 2.5, 5 × 10ⁿ (a multiple of the tick where that matters) ≥ least."""
    least = max(least, tick, 1e-12)
    base = 10.0 ** math.floor(math.log10(least))
    for factor in (1.0, 2.0, 2.5, 5.0, 10.0):
        step = base * factor
        whole = tick <= 0 or abs(step / tick - round(step / tick)) < 1e-6
        if step >= least * (1 - 1e-9) and (whole or step > tick * 50):
            return step
    return base * 10


def time_labels(times: Sequence[int], bar_seconds: int, pitch: int) -> list[tuple[int, str, bool]]:
    """Return labels for a row of bars: index of the bar, text, and whether a new day begins there.

    Args:
        times: Start of each bar, UTC nanoseconds, ascending; gaps are allowed.
        bar_seconds: Seconds in a bar.
        pitch: Cells from one bar to the next.
    """
    wanted = bar_seconds * 10 / pitch
    step = next((s for s in _TIME_STEPS if s >= wanted), _TIME_STEPS[-1])
    labels: list[tuple[int, str, bool]] = []
    free_from = 0
    for i, ts in enumerate(times):
        second = ts // _NANOS
        before = times[i - 1] // _NANOS if i else None
        if before is None:
            if second % step:
                continue
        elif second // step == before // step:
            continue
        at = datetime.fromtimestamp(second, UTC)
        new_day = before is not None and second // 86400 != before // 86400
        text = _label(at, step, new_day)
        if i * pitch < free_from:
            continue
        labels.append((i, text, new_day and step < 86400))
        free_from = i * pitch + len(text) + 2
    return labels


def _label(at: datetime, step: int, new_day: bool) -> str:
    if step >= 2_592_000:
        return at.strftime("%b %Y")
    if step >= 86400 or new_day:
        return at.strftime("%b %d")
    return at.strftime("%H:%M:%S") if step < 60 else at.strftime("%H:%M")
