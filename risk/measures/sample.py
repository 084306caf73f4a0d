"""What can be measured: finite returns, enough of them, a confidence and a horizon that make sense.

Returns are simple returns per day as fractions (−0.012 is a loss of 1.2 %), oldest first. A measure is
never made of fewer returns than its method needs: too few is an error that says how many there must be.
This module must not know of any method.
"""

from __future__ import annotations

import math
from typing import Final

import msgspec
import numpy as np
import numpy.typing as npt

from data.limits import VarMethod
from data.problems import InvalidRequestError

type Floats = npt.NDArray[np.float64]

MAX_HORIZON: Final = 22  #: days
_EXACT: Final = 9  #: decimals that are meant in a product such as 1 / (1 − 0.99)


class TooLittleDataError(InvalidRequestError):
    """There are fewer returns than a figure needs; ``needed`` and ``given`` say how many."""

    def __init__(self, what: str, *, needed: int, given: int, fix: str | None = None) -> None:
        super().__init__(
            f"{what} needs {needed:,} returns; there are {given:,}",
            rule=f"at least {needed:,} returns",
            fix=fix or "give a longer history; nothing is padded",
            needed=str(needed),
            given=str(given),
        )
        self.needed = needed
        self.given = given


class Measure(msgspec.Struct, frozen=True, kw_only=True):
    """Value at risk and expected shortfall over a horizon.

    ``var`` is the loss that is not exceeded with probability ``confidence``, ``es`` the mean loss beyond
    it. Both are fractions of the position, positive for losses; negative means that even that quantile
    is a gain.
    """

    method: VarMethod
    confidence: float
    horizon: int  #: days
    var: float
    es: float | None  #: None: the mean beyond the quantile does not exist, see ``notes``
    n: int  #: returns it is made of
    rule: str  #: how the horizon was reached
    parameters: dict[str, float] = {}  #: what was fitted or chosen, by name
    notes: tuple[str, ...] = ()


def finite(returns: npt.ArrayLike, what: str = "a measure") -> Floats:
    """Return the returns as a vector of floats.

    Raises:
        TooLittleDataError: There are none.
        InvalidRequestError: One of them is not a finite number, or they are not a series.
    """
    values = np.asarray(returns, dtype=np.float64)
    if values.ndim != 1:
        raise InvalidRequestError("returns are not a series", rule="one number for each day")
    if values.size == 0:
        raise TooLittleDataError(what, needed=1, given=0)
    _all_finite(values)
    return values


def finite_matrix(returns: npt.ArrayLike) -> Floats:
    """Return the returns of several positions: a row for each day, a column for each position.

    Raises:
        TooLittleDataError: There are none.
        InvalidRequestError: One of them is not a finite number, or they are not a matrix.
    """
    values = np.asarray(returns, dtype=np.float64)
    if values.ndim != 2 or values.shape[1] == 0:
        raise InvalidRequestError(
            "returns are not a matrix", rule="a row for each day, a column for each position"
        )
    if values.shape[0] == 0:
        raise TooLittleDataError("a measure", needed=1, given=0)
    _all_finite(values)
    return values


def _all_finite(values: Floats) -> None:
    bad = np.argwhere(~np.isfinite(values))
    if len(bad):
        at = tuple(int(place) for place in bad[0])
        raise InvalidRequestError(
            f"return {at[0] + 1} is {values[at]}, not a finite number ({len(bad)} such)",
            rule="returns are finite fractions",
            fix="leave out or repair what is missing before measuring",
            row=str(at[0] + 1),
        )


def require(values: Floats, needed: int, what: str) -> None:
    """Raise TooLittleDataError unless there are as many returns as are needed."""
    if len(values) < needed:
        raise TooLittleDataError(what, needed=needed, given=len(values))


def require_variety(values: Floats, what: str) -> None:
    """Raise InvalidRequestError if all returns are equal: they have no distribution to fit."""
    if np.ptp(values) == 0.0:
        raise InvalidRequestError(
            f"all {len(values):,} returns are {values[0]:g}: {what} has nothing to fit",
            rule="returns that differ",
            fix="check the data; only historical takes a constant series as it is",
        )


def checked_confidence(confidence: float) -> float:
    """Return the confidence; raises InvalidRequestError unless it lies strictly between 0.5 and 1."""
    if not 0.5 < confidence < 1.0:
        raise InvalidRequestError(
            f"confidence {confidence:g} is out of range",
            rule="a confidence lies between 0.5 and 1, both excluded",
            field="confidence",
            value=f"{confidence:g}",
            fix="for example 0.95 or 0.99",
        )
    return confidence


def checked_horizon(horizon: int) -> int:
    """Return the horizon in days; raises InvalidRequestError outside 1 to 22."""
    if not 1 <= horizon <= MAX_HORIZON:
        raise InvalidRequestError(
            f"horizon {horizon} is out of range",
            rule=f"a horizon is 1 to {MAX_HORIZON} days",
            field="horizon",
            value=str(horizon),
        )
    return horizon


def returns_for_quantile(confidence: float) -> int:
    """Return how many returns it takes until one is expected beyond the quantile: 1 / (1 − confidence)."""
    return math.ceil(round(1.0 / (1.0 - confidence), _EXACT))


def place_in_tail(count: int, confidence: float) -> tuple[int, float]:
    """Return the place of the quantile among returns sorted upwards: an index, and the part to the next.

    The place is (count − 1)(1 − confidence): type 7 of Hyndman and Fan (1996), "Sample quantiles in
    statistical packages", The American Statistician 50; what NumPy and polars call linear.
    """
    place = round((count - 1) * (1.0 - confidence), _EXACT)
    index = math.floor(place)
    return index, place - index


def overlapping_sums(values: Floats, horizon: int) -> Floats:
    """Return the sums of every ``horizon`` days in succession, along the first axis."""
    totals = np.cumsum(np.concatenate((np.zeros_like(values[:1]), values)), axis=0)
    sums: Floats = totals[horizon:] - totals[:-horizon]
    return sums
