"""The record of an account: returns, drawdown and figures from equity as it was kept.

The statistics are of daily returns where 60 are kept, else of 5-minute returns (100 at least), each between
neighbouring periods: a change over a gap counts for the total and for drawdowns, but is no return of a
period. Fewer are too few for statistics; total return, drawdown and profit are told from two samples on.
Figures per year are not made of less than 60 days. This module must not know where equity comes from.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Final, NamedTuple

import msgspec
import numpy as np

from data.analytics import DrawdownTimes, EquityPoint, RollingPoint
from data.problems import InvalidRequestError
from data.series import EquitySeries
from risk import performance
from risk.frames import DAY_NS, FEWEST, FINE_NS, Basis, Ints, calendar
from risk.measures.sample import Floats
from risk.returns import time_weighted

#: What a short record does not tell: a year would be compounded from hours.
YEARLY: Final = ("annual_return", "calmar", "alpha", "up_capture", "down_capture")
RELATIVE: Final = performance.Relative.__struct_fields__
ALONE: Final = performance.Performance.__struct_fields__
_POINTS: Final = 500
_LONGEST_GAP_DAYS: Final = 5


class Track(NamedTuple):
    """Returns of an account over regular periods, and its index over all samples."""

    basis: Basis | None  #: None: too few returns, see ``reason``
    periods: Ints  #: start of each return's period, ns UTC
    returns: Floats
    periods_per_year: float | None
    growth: Floats  #: growth of 1 over all samples, time-weighted
    times: Ints  #: of the samples, ns UTC
    equity: tuple[Decimal, ...]
    reason: str | None


def track(days: EquitySeries, minutes: EquitySeries) -> Track:
    """Return the record of an account from its daily closes and its samples of minutes.

    Once equity was not positive there are no returns, and that is the reason.
    """
    for series in (days, minutes):
        lost = next((at for at, one in enumerate(series.equity[:-1]) if one <= 0), None)
        if lost is not None:
            return _ended(minutes if len(minutes) > 1 else days, series.equity[lost])
    by_day = _regular(days, DAY_NS, _LONGEST_GAP_DAYS)
    by_minutes = _regular(minutes, FINE_NS, 1)
    basis: Basis | None = None
    periods, returns = by_minutes
    reason = None
    if len(by_day[1]) >= FEWEST["1d"]:
        basis, (periods, returns) = "1d", by_day
    elif len(by_minutes[1]) >= FEWEST["5m"]:
        basis = "5m"
    else:
        reason = (
            f"{len(by_day[1]):,} daily and {len(by_minutes[1]):,} 5-minute returns of equity are kept; "
            f"{FEWEST['1d']} or {FEWEST['5m']} are needed"
        )
    whole = days if basis == "1d" or len(minutes) < 2 else minutes
    growth = np.ones(len(whole))
    if len(whole) > 1:
        growth[1:] = np.cumprod(1.0 + _twr(whole))
    return Track(
        basis=basis,
        periods=periods,
        returns=returns,
        periods_per_year=None if basis is None else calendar(periods, basis)[1],
        growth=growth,
        times=np.array(whole.times, np.int64),
        equity=whole.equity,
        reason=reason,
    )


def _ended(series: EquitySeries, equity: Decimal) -> Track:
    return Track(
        basis=None,
        periods=np.empty(0, np.int64),
        returns=np.empty(0),
        periods_per_year=None,
        growth=np.empty(0),
        times=np.array(series.times, np.int64),
        equity=series.equity,
        reason=f"equity was {equity}: a return needs positive equity",
    )


def _twr(series: EquitySeries) -> Floats:
    return time_weighted([float(one) for one in series.equity], [float(one) for one in series.flows])


def _regular(series: EquitySeries, width: int, gap: int) -> tuple[Ints, Floats]:
    """Return the returns between the last samples of periods that follow each other within ``gap``."""
    if len(series) < 2:
        return np.empty(0, np.int64), np.empty(0)
    numbers = np.array(series.times, np.int64) // width
    last = np.append(numbers[1:] != numbers[:-1], True)
    growth = np.append(1.0, np.cumprod(1.0 + _twr(series)))
    numbers, growth = numbers[last], growth[last]
    near = np.diff(numbers) <= gap
    returns = growth[1:] / growth[:-1] - 1.0
    return numbers[1:][near] * width, returns[near]


def metrics(
    found: Track, *, risk_free: float = 0.0, benchmark: tuple[Ints, Floats] | None = None
) -> tuple[dict[str, float | None], dict[str, str]]:
    """Return every figure by name, and why those that are None are.

    Args:
        found: The record.
        risk_free: Per year, a fraction.
        benchmark: Starts of periods and returns of the benchmark on the same basis.

    Raises:
        InvalidRequestError: A rate makes no sense.
    """
    figures: dict[str, float | None] = dict.fromkeys([*ALONE, *RELATIVE])
    reasons: dict[str, str] = {}
    if found.basis is None or found.periods_per_year is None:
        reasons |= dict.fromkeys(figures, found.reason or "too little is kept")
    else:
        alone = performance.performance(found.returns, risk_free=risk_free, periods=found.periods_per_year)
        figures |= msgspec.to_builtins(alone)
        reasons |= _relative(found, figures, risk_free, benchmark)
    if len(found.growth) > 1:
        figures["total_return"] = float(found.growth[-1] / found.growth[0]) - 1.0
        reasons.pop("total_return", None)
        peaks = np.maximum.accumulate(found.growth)
        figures["max_drawdown"] = float((found.growth / peaks - 1.0).min())
        reasons.pop("max_drawdown", None)
    if found.basis == "5m":
        for name in YEARLY:
            figures[name] = None
            reasons[name] = f"fewer than {FEWEST['1d']} days: a figure per year would be made of hours"
    for name, value in figures.items():
        if value is None:
            reasons.setdefault(name, "not defined for these returns")
    return figures, reasons


def _relative(
    found: Track,
    figures: dict[str, float | None],
    risk_free: float,
    benchmark: tuple[Ints, Floats] | None,
) -> dict[str, str]:
    if benchmark is None:
        return dict.fromkeys(RELATIVE, "no benchmark was chosen")
    mine, theirs = paired(found, benchmark)
    if found.basis is None or len(mine) < FEWEST[found.basis]:
        needed = "" if found.basis is None else f"; {FEWEST[found.basis]} are needed"
        return dict.fromkeys(RELATIVE, f"{len(mine):,} returns in common with the benchmark{needed}")
    assert found.periods_per_year is not None
    told = performance.relative(mine, theirs, risk_free=risk_free, periods=found.periods_per_year)
    figures |= msgspec.to_builtins(told)
    return {}


def paired(found: Track, benchmark: tuple[Ints, Floats]) -> tuple[Floats, Floats]:
    """Return the returns of the periods that both have."""
    _, mine, theirs = np.intersect1d(found.periods, benchmark[0], True, True)
    return found.returns[mine], benchmark[1][theirs]


def drawdown(found: Track) -> DrawdownTimes | None:
    """Return the deepest drawdown of the index with its times; None for fewer than two samples."""
    if len(found.growth) < 2:
        return None
    peaks = np.maximum.accumulate(found.growth)
    depths = found.growth / peaks - 1.0
    trough = int(np.argmin(depths))
    peak = int(np.argmax(found.growth[: trough + 1]))
    again = np.flatnonzero(found.growth[trough:] >= found.growth[peak])
    return DrawdownTimes(
        depth=float(depths[trough]),
        ts_peak=int(found.times[peak]),
        ts_trough=int(found.times[trough]),
        ts_recovery=int(found.times[trough + int(again[0])]) if len(again) else None,
    )


def curve(found: Track, points: int = _POINTS) -> tuple[EquityPoint, ...]:
    """Return the equity curve in at most so many points, the first and the last among them."""
    count = len(found.growth)
    if not count:
        return ()
    peaks = np.maximum.accumulate(found.growth)
    places = np.unique(np.linspace(0, count - 1, min(points, count)).round().astype(int))
    return tuple(
        EquityPoint(
            ts=int(found.times[at]),
            equity=found.equity[at],
            index=float(found.growth[at]),
            drawdown=float(found.growth[at] / peaks[at] - 1.0),
        )
        for at in places.tolist()
    )


def rolled(
    found: Track, window: int, benchmark: tuple[Ints, Floats] | None, risk_free: float = 0.0
) -> tuple[RollingPoint, ...]:
    """Return the figures of a rolling window, oldest first.

    Raises:
        InvalidRequestError: There are too few returns for the window, or it is shorter than 2.
    """
    from risk.rolling import rolling

    if found.basis is None or found.periods_per_year is None:
        raise InvalidRequestError(found.reason or "too little is kept", rule="returns to roll over")
    mine, theirs, periods = found.returns, None, found.periods
    if benchmark is not None:
        periods, left, right = np.intersect1d(found.periods, benchmark[0], True, True)
        mine, theirs = found.returns[left], benchmark[1][right]
    table = rolling(mine, window, theirs, risk_free=risk_free, periods=found.periods_per_year)
    return tuple(RollingPoint(ts=int(periods[row.pop("end")]), figures=row) for row in table.to_dicts())
