"""How the instruments of a book move together.

This module must not know where returns come from.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from risk.frames import ReturnsFrame
from risk.measures.sample import Floats


class Pair(NamedTuple):
    """Two instruments and their correlation."""

    one: str
    other: str
    correlation: float


class Correlations(NamedTuple):
    """Pearson correlations of returns over common times; NaN with what does not move at all."""

    instruments: tuple[str, ...]
    matrix: Floats
    pairs: tuple[Pair, ...]  #: each pair once, the highest first; without those that are not defined
    average: float | None  #: over pairs
    first_share: float | None  #: of the variance of standardised returns, along the first principal component


def correlations(frame: ReturnsFrame) -> Correlations | None:
    """Return how the columns of a frame correlate; None with fewer than two columns or three times.

    The first principal component's share is the largest eigenvalue of the correlation matrix over its
    size: 1/n if nothing moves together, 1 if all moves as one.
    """
    count = len(frame.instruments)
    if count < 2 or len(frame) < 3:
        return None
    with np.errstate(divide="ignore", invalid="ignore"):
        matrix: Floats = np.atleast_2d(np.corrcoef(frame.values, rowvar=False))
    still = np.ptp(frame.values, axis=0) == 0.0
    matrix[still, :] = matrix[:, still] = np.nan
    pairs = [
        Pair(frame.instruments[down], frame.instruments[across], float(matrix[down, across]))
        for down in range(count)
        for across in range(down + 1, count)
        if np.isfinite(matrix[down, across])
    ]
    pairs.sort(key=lambda pair: (-pair.correlation, pair.one, pair.other))
    moving = ~still
    first = None
    if moving.sum() >= 2:
        values = np.linalg.eigvalsh(matrix[np.ix_(moving, moving)])
        first = float(values[-1] / moving.sum())
    return Correlations(
        instruments=frame.instruments,
        matrix=matrix,
        pairs=tuple(pairs),
        average=float(np.mean([pair.correlation for pair in pairs])) if pairs else None,
        first_share=first,
    )


def mean_of_pairs(standard: Floats) -> float:
    """Return the mean of Pearson's correlation over all pairs of columns, of which there are two or more.

    It follows from the variance of their sum: (Var Σz − n) / (n(n − 1)).

    Args:
        standard: A row for each time, a column for each instrument, of mean 0 and variance 1.
    """
    count = standard.shape[1]
    return float((standard.sum(axis=1).var() - count) / (count * (count - 1)))


def diversification(values: Floats, returns: Floats) -> float | None:
    """Return Σ|vᵢ|σᵢ ÷ σ(book): 1 if nothing offsets anything; None if the book does not move.

    Source: Choueifaty and Coignard (2008), "Toward maximum diversification", Journal of Portfolio
    Management 35, for positions of either sign.

    Args:
        values: Money in each position, signed.
        returns: A row for each time, a column for each position.
    """
    if returns.shape[0] < 2 or not len(values):
        return None
    book = float(np.std(returns @ values, ddof=1))
    apart = float(np.abs(values) @ np.std(returns, axis=0, ddof=1))
    return apart / book if book > 1e-12 * apart else None
