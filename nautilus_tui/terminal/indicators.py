"""Lines over a price chart: moving averages and the volume-weighted average price.

Pure functions of floats, for drawing only: no order is ever priced from them. A value that is not
yet defined is None. Formulas as in any textbook: J. J. Murphy, "Technical Analysis of the
Financial Markets", ch. 9.
"""

from __future__ import annotations

from collections.abc import Sequence

#: Nanoseconds in a day: VWAP begins anew with the UTC day.
DAY_NS = 86_400_000_000_000


def sma(values: Sequence[float], period: int) -> list[float | None]:
    """Return the simple moving average: the mean of the last ``period`` values.

    Args:
        values: Prices, oldest first.
        period: How many values are averaged, at least 1.

    Raises:
        ValueError: The period is less than 1.
    """
    if period < 1:
        raise ValueError(f"period must be at least 1, not {period}")
    out: list[float | None] = []
    for i in range(len(values)):
        if i + 1 < period:
            out.append(None)
        else:
            # A running sum drifts; a window sum over a screenful of bars is exact enough and fast.
            out.append(sum(values[i + 1 - period : i + 1]) / period)
    return out


def ema(values: Sequence[float], period: int) -> list[float | None]:
    """Return the exponential moving average with factor 2 / (period + 1).

    It starts as the simple average of the first ``period`` values.

    Args:
        values: Prices, oldest first.
        period: At least 1.

    Raises:
        ValueError: The period is less than 1.
    """
    if period < 1:
        raise ValueError(f"period must be at least 1, not {period}")
    if len(values) < period:
        return [None] * len(values)
    out: list[float | None] = [None] * (period - 1)
    current = sum(values[:period]) / period
    out.append(current)
    factor = 2 / (period + 1)
    for value in values[period:]:
        current += factor * (value - current)
        out.append(current)
    return out


def vwap(
    typical: Sequence[float], volumes: Sequence[float | None], times: Sequence[int]
) -> list[float | None]:
    """Return the volume-weighted average price since the start of each bar's UTC day.

    Args:
        typical: Typical price of each bar, (high + low + close) / 3.
        volumes: Volume of each bar; None where it is not known.
        times: Start of each bar, UTC nanoseconds, ascending.

    Returns:
        One value a bar; None until the day has traded, and for the rest of a day in which a volume
        is not known: an average over part of the trading would be a different number.
    """
    out: list[float | None] = []
    day, traded, turnover, known = -1, 0.0, 0.0, True
    for price, volume, ts in zip(typical, volumes, times, strict=True):
        if ts // DAY_NS != day:
            day, traded, turnover, known = ts // DAY_NS, 0.0, 0.0, True
        if volume is None:
            known = False
        else:
            traded += volume
            turnover += price * volume
        out.append(turnover / traded if known and traded > 0 else None)
    return out
