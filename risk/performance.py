"""Performance of a series of returns, alone and against a benchmark.

Returns are simple, time-weighted, per period, as fractions, oldest first; ``periods`` is how many make a
year (252 for days). A figure that is not defined for a series is None, never infinite and never zero: no
losing period, no profit factor. Signs are as in the trade: a drawdown is negative.
This module must not know of files, processes or HTTP.
"""

from __future__ import annotations

import math
from typing import Final

import msgspec
import numpy as np
import numpy.typing as npt

from data.problems import InvalidRequestError
from risk.measures.sample import Floats, TooLittleDataError, finite

YEAR: Final = 252.0  #: trading days
_MOST: Final = 700.0  #: log growth beyond which a float cannot say the return


class Drawdown(msgspec.Struct, frozen=True, kw_only=True):
    """The deepest fall of wealth below its highest value before; places count returns, 0 is the start."""

    depth: float  #: negative fraction; 0: never below
    peak: int
    trough: int
    recovery: int | None  #: when the peak was reached again; None: not yet
    longest: int  #: periods of the longest time below a peak, this one or another


class Performance(msgspec.Struct, frozen=True, kw_only=True):
    """How a series of returns did. Fractions, and per year where the name or ``metrics`` says so."""

    n: int
    total_return: float
    annual_return: float | None
    volatility: float | None
    sharpe: float | None
    sortino: float | None
    calmar: float | None
    max_drawdown: float | None
    max_drawdown_duration: int | None
    win_rate: float | None
    profit_factor: float | None
    expectancy: float | None
    average_win: float | None
    average_loss: float | None
    best: float
    worst: float
    skew: float | None
    kurtosis: float | None


class Relative(msgspec.Struct, frozen=True, kw_only=True):
    """How a series of returns did against a benchmark."""

    alpha: float | None
    beta: float | None
    correlation: float | None
    information_ratio: float | None
    tracking_error: float | None
    up_capture: float | None
    down_capture: float | None
    benchmark_total_return: float


def performance(returns: npt.ArrayLike, *, risk_free: float = 0.0, periods: float = YEAR) -> Performance:
    """Return every figure of a series on its own.

    Each is the function of this module of the same name. Kurtosis is in excess of the normal's.

    Args:
        returns: Per period, fractions.
        risk_free: Per year, a fraction; its part of each period is (1 + risk_free)^(1/periods) − 1.
        periods: How many make a year.

    Raises:
        TooLittleDataError: There are no returns.
        InvalidRequestError: A return is not finite, or an argument makes no sense.
    """
    values = finite(returns, "performance")
    free = per_period(risk_free, periods)
    lost = drawdown(values)
    wins, losses = values[values > 0.0], values[values < 0.0]
    return Performance(
        n=len(values),
        total_return=total_return(values),
        annual_return=annual_return(values, periods),
        volatility=volatility(values, periods),
        sharpe=sharpe(values, free, periods),
        sortino=sortino(values, free, periods),
        calmar=calmar(values, periods),
        max_drawdown=None if lost is None else lost.depth,
        max_drawdown_duration=None if lost is None else lost.longest,
        win_rate=win_rate(values),
        profit_factor=profit_factor(values),
        expectancy=expectancy(values),
        average_win=float(wins.mean()) if len(wins) else None,
        average_loss=float(losses.mean()) if len(losses) else None,
        best=float(values.max()),
        worst=float(values.min()),
        skew=skew(values),
        kurtosis=kurtosis(values),
    )


def relative(
    returns: npt.ArrayLike, benchmark: npt.ArrayLike, *, risk_free: float = 0.0, periods: float = YEAR
) -> Relative:
    """Return every figure of a series against a benchmark of the same periods.

    Raises:
        TooLittleDataError: There are no returns.
        InvalidRequestError: A return is not finite, the series are not equally long, or an argument makes
            no sense.
    """
    values, market = paired(returns, benchmark)
    free = per_period(risk_free, periods)
    return Relative(
        alpha=alpha(values, market, free, periods),
        beta=beta(values, market),
        correlation=correlation(values, market),
        information_ratio=information_ratio(values, market, periods),
        tracking_error=tracking_error(values, market, periods),
        up_capture=capture(values, market, market > 0.0, periods),
        down_capture=capture(values, market, market < 0.0, periods),
        benchmark_total_return=total_return(market),
    )


def per_period(annual: float, periods: float) -> float:
    """Return a yearly rate as that of one period, compounded.

    Raises:
        InvalidRequestError: The rate is −100 % or less, or there are no periods in a year.
    """
    if not (math.isfinite(periods) and periods > 0.0):
        raise InvalidRequestError(f"{periods:g} periods a year", rule="a year has periods")
    if not (math.isfinite(annual) and annual > -1.0):
        raise InvalidRequestError(
            f"a yearly rate of {annual:g}", rule="a rate is a fraction above −1, such as 0.03"
        )
    return float((1.0 + annual) ** (1.0 / periods)) - 1.0


# ---------------------------------------------------------------- alone


def total_return(values: Floats) -> float:
    """Return the compounded return Π(1 + r) − 1."""
    return float(np.prod(1.0 + values)) - 1.0


def annual_return(values: Floats, periods: float = YEAR) -> float | None:
    """Return the compounded return per year, (1 + total)^(periods/n) − 1.

    None once all was lost, and where it is beyond any number.
    """
    if len(values) == 0 or (values <= -1.0).any():
        return None
    return _compounded(float(np.log1p(values).mean()) * periods)


def volatility(values: Floats, periods: float = YEAR) -> float | None:
    """Return the standard deviation (n − 1) per year, times √periods; None for fewer than 2 returns."""
    return float(values.std(ddof=1)) * math.sqrt(periods) if len(values) > 1 else None


def sharpe(values: Floats, free: float = 0.0, periods: float = YEAR) -> float | None:
    """Return mean excess return over its standard deviation (n − 1), times √periods.

    None for returns that do not vary. Source: Sharpe (1994), Journal of Portfolio Management 21.
    """
    if len(values) < 2 or _constant(values):
        return None
    return float((values - free).mean() / values.std(ddof=1)) * math.sqrt(periods)


def sortino(values: Floats, free: float = 0.0, periods: float = YEAR) -> float | None:
    """Return mean excess return over downside deviation √(mean min(r − free, 0)²), times √periods.

    The mean is over all periods. None where no period fell short. Source: Sortino and Price (1994),
    Journal of Investing 3.
    """
    short = math.sqrt(float(np.mean(np.minimum(values - free, 0.0) ** 2)))
    return float((values - free).mean()) / short * math.sqrt(periods) if short > 0.0 else None


def calmar(values: Floats, periods: float = YEAR) -> float | None:
    """Return annual return over the size of the deepest drawdown; None without one.

    Source: Young (1991), Futures 20.
    """
    lost, gained = drawdown(values), annual_return(values, periods)
    return gained / -lost.depth if lost is not None and gained is not None and lost.depth < 0.0 else None


def drawdown(values: Floats) -> Drawdown | None:
    """Return the deepest drawdown of compounded wealth, and the longest time below a peak.

    Wealth starts at 1, which counts as a peak. None once a return is below −1: wealth is negative then.
    """
    if (values < -1.0).any():
        return None
    wealth = np.concatenate(([1.0], np.cumprod(1.0 + values)))
    peaks = np.maximum.accumulate(wealth)
    depths = wealth / peaks - 1.0
    trough = int(np.argmin(depths))
    peak = int(np.argmax(wealth[: trough + 1]))
    again = np.flatnonzero(wealth[trough:] >= wealth[peak])
    under = wealth < peaks
    at_peak = np.flatnonzero(~under)
    ends = np.append(at_peak[1:], len(wealth) - 1)
    lengths = np.where(ends - at_peak > 1, ends - at_peak, under[ends] * (ends - at_peak))
    return Drawdown(
        depth=float(depths[trough]),
        peak=peak,
        trough=trough,
        recovery=trough + int(again[0]) if len(again) else None,
        longest=int(lengths.max()),
    )


def win_rate(values: Floats) -> float | None:
    """Return the share of gains among periods that gained or lost; None without any."""
    decided = int((values != 0.0).sum())
    return int((values > 0.0).sum()) / decided if decided else None


def profit_factor(values: Floats) -> float | None:
    """Return the sum of gains over the size of the sum of losses; None without a loss.

    It is what empyrical calls the omega ratio at a threshold of nothing.
    """
    lost = float(values[values < 0.0].sum())
    return float(values[values > 0.0].sum()) / -lost if lost < 0.0 else None


def expectancy(values: Floats) -> float | None:
    """Return win rate × average win + loss rate × average loss: the mean of periods that gained or lost."""
    decided = values[values != 0.0]
    return float(decided.mean()) if len(decided) else None


def skew(values: Floats) -> float | None:
    """Return the third central moment over σ³, of the population; None for returns that do not vary."""
    return _moment(values, 3)


def kurtosis(values: Floats) -> float | None:
    """Return the fourth central moment over σ⁴ minus 3, of the population; None where nothing varies."""
    fourth = _moment(values, 4)
    return None if fourth is None else fourth - 3.0


# ---------------------------------------------------------------- against a benchmark


def beta(values: Floats, market: Floats) -> float | None:
    """Return covariance with the benchmark over its variance; None where the benchmark does not vary."""
    if len(values) < 2 or _constant(market):
        return None
    centred = market - market.mean()
    return float((centred * (values - values.mean())).sum() / (centred**2).sum())


def alpha(values: Floats, market: Floats, free: float = 0.0, periods: float = YEAR) -> float | None:
    """Return Jensen's alpha per year, compounded: (1 + mean(r − f − β(m − f)))^periods − 1.

    None without beta. Source: Jensen (1968), Journal of Finance 23.
    """
    slope = beta(values, market)
    if slope is None:
        return None
    each = float((values - free - slope * (market - free)).mean())
    return _compounded(periods * math.log1p(each)) if each > -1.0 else None


def correlation(values: Floats, market: Floats) -> float | None:
    """Return Pearson's correlation; None where one of the series does not vary."""
    if len(values) < 2 or _constant(values) or _constant(market):
        return None
    mine, theirs = values - values.mean(), market - market.mean()
    found = float((mine * theirs).sum() / math.sqrt(float((mine**2).sum() * (theirs**2).sum())))
    return min(max(found, -1.0), 1.0)


def tracking_error(values: Floats, market: Floats, periods: float = YEAR) -> float | None:
    """Return the standard deviation (n − 1) of active returns r − m per year; None for fewer than 2."""
    return volatility(values - market, periods)


def information_ratio(values: Floats, market: Floats, periods: float = YEAR) -> float | None:
    """Return mean active return over its standard deviation (n − 1), times √periods.

    None where active returns do not vary. Source: Goodwin (1998), Financial Analysts Journal 54. What
    empyrical calls excess Sharpe is the same per period, without √periods.
    """
    return sharpe(values - market, 0.0, periods)


def capture(
    values: Floats, market: Floats, when: npt.NDArray[np.bool_], periods: float = YEAR
) -> float | None:
    """Return annual return over the benchmark's, both of the chosen periods only.

    Up capture is of periods in which the benchmark gained, down capture of those in which it lost. None
    where there are none. Source: Morningstar, "Upside/Downside Capture Ratio".
    """
    mine, theirs = annual_return(values[when], periods), annual_return(market[when], periods)
    return mine / theirs if mine is not None and theirs else None


# ---------------------------------------------------------------- small parts


def _constant(values: Floats) -> bool:
    """Tell whether returns differ by no more than rounding does."""
    return float(np.ptp(values)) <= 1e-14 * max(float(np.abs(values).max()), 1e-300)


def _compounded(growth: float) -> float | None:
    return math.expm1(growth) if growth < _MOST else None


def _moment(values: Floats, order: int) -> float | None:
    if len(values) < 2 or _constant(values):
        return None
    centred = values - values.mean()
    return float((centred**order).mean() / values.std() ** order)


def paired(returns: npt.ArrayLike, benchmark: npt.ArrayLike) -> tuple[Floats, Floats]:
    """Return both series; raises InvalidRequestError unless they are finite and equally long."""
    values, market = finite(returns, "performance"), finite(benchmark, "a benchmark")
    if len(values) != len(market):
        raise InvalidRequestError(
            f"{len(market)} returns of the benchmark for {len(values)} returns",
            rule="one return of the benchmark for each return",
        )
    return values, market


def require_window(values: Floats, window: int) -> None:
    """Raise unless a rolling window of so many returns fits into a series.

    Raises:
        InvalidRequestError: The window is shorter than 2.
        TooLittleDataError: The series is shorter than the window.
    """
    if window < 2:
        raise InvalidRequestError(f"a rolling window of {window}", rule="a window is at least 2 returns")
    if len(values) < window:
        raise TooLittleDataError("a rolling window", needed=window, given=len(values))
