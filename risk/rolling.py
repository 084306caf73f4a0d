"""Performance over a window that moves: volatility, Sharpe, Sortino, drawdown, beta and the others.

Each row is of the ``window`` returns that end there, by the same formulas as in ``performance``; null
where a figure is not defined. This module must not know of files, processes or HTTP.
"""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt
import polars as pl
from numpy.lib.stride_tricks import sliding_window_view

from risk.measures.sample import Floats, finite
from risk.performance import YEAR, paired, per_period, require_window


def rolling(
    returns: npt.ArrayLike,
    window: int,
    benchmark: npt.ArrayLike | None = None,
    *,
    risk_free: float = 0.0,
    periods: float = YEAR,
) -> pl.DataFrame:
    """Return a row for each full window: ``end`` (place of its last return, from 0) and the figures.

    Columns: total_return, annual_return, volatility, sharpe, sortino, max_drawdown, win_rate; with a
    benchmark also beta, tracking_error, information_ratio.

    Raises:
        TooLittleDataError: There are fewer returns than the window.
        InvalidRequestError: A return is not finite, the series are not equally long, or an argument makes
            no sense.
    """
    values = finite(returns, "a rolling window")
    require_window(values, window)
    free = per_period(risk_free, periods)
    rows = sliding_window_view(values, window)
    columns = {"end": np.arange(window - 1, len(values))} | _alone(rows, free, periods)
    if benchmark is not None:
        columns |= _relative(rows, sliding_window_view(paired(values, benchmark)[1], window), periods)
    return pl.DataFrame(columns).with_columns(pl.selectors.float().fill_nan(None))


def _alone(rows: Floats, free: float, periods: float) -> dict[str, Floats]:
    year = math.sqrt(periods)
    count = rows.shape[1]
    growth = np.cumprod(1.0 + rows, axis=1)
    total = growth[:, -1] - 1.0
    deviation = rows.std(axis=1, ddof=1)
    excess = rows.mean(axis=1) - free
    short = np.sqrt((np.minimum(rows - free, 0.0) ** 2).mean(axis=1))
    solvent = (rows > -1.0).all(axis=1)
    peaks = np.maximum.accumulate(np.maximum(growth, 1.0), axis=1)
    deepest = np.minimum((growth / peaks - 1.0).min(axis=1), 0.0)
    won, decided = (rows > 0.0).sum(axis=1), (rows != 0.0).sum(axis=1)
    with np.errstate(invalid="ignore"):
        annual = np.where(solvent, np.maximum(1.0 + total, 0.0) ** (periods / count) - 1.0, np.nan)
    return {
        "total_return": total,
        "annual_return": annual,
        "volatility": deviation * year,
        "sharpe": _ratio(excess, np.where(_constant(rows), 0.0, deviation)) * year,
        "sortino": _ratio(excess, short) * year,
        "max_drawdown": np.where((rows >= -1.0).all(axis=1), deepest, np.nan),
        "win_rate": _ratio(won.astype(np.float64), decided.astype(np.float64)),
    }


def _relative(rows: Floats, market: Floats, periods: float) -> dict[str, Floats]:
    year = math.sqrt(periods)
    active = rows - market
    centred = market - market.mean(axis=1, keepdims=True)
    variance = np.where(_constant(market), 0.0, (centred**2).sum(axis=1))
    together = (centred * (rows - rows.mean(axis=1, keepdims=True))).sum(axis=1)
    deviation = active.std(axis=1, ddof=1)
    return {
        "beta": _ratio(together, variance),
        "tracking_error": deviation * year,
        "information_ratio": _ratio(active.mean(axis=1), np.where(_constant(active), 0.0, deviation)) * year,
    }


def _constant(rows: Floats) -> npt.NDArray[np.bool_]:
    """Tell of each row whether its returns differ by no more than rounding does."""
    spread = rows.max(axis=1) - rows.min(axis=1)
    found: npt.NDArray[np.bool_] = spread <= 1e-14 * np.maximum(np.abs(rows).max(axis=1), 1e-300)
    return found


def _ratio(above: Floats, below: Floats) -> Floats:
    """Return a ratio, NaN where there is nothing below the line."""
    return np.divide(above, below, out=np.full_like(above, np.nan), where=below != 0.0)
