"""A method of measuring by its name, with whatever may be chosen about any of them.

This module must not know how a method works.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import msgspec
import numpy.typing as npt

from data.limits import VAR_METHODS
from data.problems import InvalidRequestError
from risk.measures import empirical, parametric, simulated, tail
from risk.measures.sample import Measure

METHODS: Final = VAR_METHODS


class Options(msgspec.Struct, frozen=True, kw_only=True):
    """What may be chosen; a method takes what concerns it."""

    decay: float = empirical.DECAY  #: of filtered: weight of yesterday's variance
    seed: int = simulated.SEED  #: of monte_carlo
    paths: int = simulated.PATHS  #: of monte_carlo
    threshold: float = tail.THRESHOLD  #: of evt: quantile of the losses beyond which the tail begins


_BY_NAME: Final[dict[str, Callable[[npt.ArrayLike, float, int, Options], Measure]]] = {
    "historical": lambda r, c, h, _: empirical.historical(r, c, h),
    "normal": lambda r, c, h, _: parametric.normal(r, c, h),
    "student": lambda r, c, h, _: parametric.student(r, c, h),
    "cornish_fisher": lambda r, c, h, _: parametric.cornish_fisher(r, c, h),
    "filtered": lambda r, c, h, o: empirical.filtered(r, c, h, decay=o.decay),
    "monte_carlo": lambda r, c, h, o: simulated.monte_carlo(r, c, h, seed=o.seed, paths=o.paths),
    "evt": lambda r, c, h, o: tail.evt(r, c, h, threshold=o.threshold),
}


def measure(
    method: str,
    returns: npt.ArrayLike,
    confidence: float,
    horizon: int = 1,
    options: Options | None = None,
) -> Measure:
    """Measure one series of daily returns by a method named.

    Raises:
        TooLittleDataError: The method needs more returns; says how many.
        InvalidRequestError: There is no such method, or something given makes no sense.
    """
    found = _BY_NAME.get(method)
    if found is None:
        raise InvalidRequestError(f"there is no method {method!r}", rule=f"one of {', '.join(METHODS)}")
    return found(returns, confidence, horizon, options or Options())
