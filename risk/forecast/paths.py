"""What limits' use would have been over recorded prices, and whether each was reached soon after.

A constant position of one unit is held. ``drawdown``: from the highest price since the start or the last
breach, after which it is looked at anew. ``daily_loss``: against the last price of the UTC day before;
a gain counts against it. ``gross_exposure``: the position is entered at 1 × equity each UTC day, so a
limit of 1.02 is reached when it has gained 2 %.
This module must not know of models or scores.
"""

from __future__ import annotations

import math
from typing import Final, Literal, get_args

import msgspec
import numpy as np
import numpy.typing as npt
from numpy.lib.stride_tricks import sliding_window_view

from data.problems import InvalidRequestError
from risk.forecast.prices import DAY, MINUTE, Prices

Kind = Literal["drawdown", "daily_loss", "gross_exposure"]
KINDS: Final[tuple[Kind, ...]] = get_args(Kind)

type Floats = npt.NDArray[np.float64]
type Integers = npt.NDArray[np.int64]
type Booleans = npt.NDArray[np.bool_]


class Watched(msgspec.Struct, frozen=True):
    """A limit to be watched over a file's prices, e.g. ``drawdown=0.02``; a fraction of equity."""

    kind: Kind
    limit: float

    @property
    def text(self) -> str:
        """The limit as it is written."""
        return f"{self.kind}={self.limit:g}"


class UsePath(msgspec.Struct, frozen=True, kw_only=True):
    """Use of one limit at every step; NaN where there was no price."""

    watched: Watched
    use: Floats
    starts: Integers  #: places where a new stretch begins
    until_reset: Floats  #: minutes until use starts anew at nothing; infinite where it does not


def parse(text: str) -> Watched:
    """Return a limit from ``TYPE=VALUE``; raises InvalidRequestError if it is none that can be scored."""
    name, _, number = text.partition("=")
    kind = name.strip().replace("-", "_")
    try:
        value = float(number)
    except ValueError:
        value = math.nan
    least = 1.0 if kind == "gross_exposure" else 0.0
    if kind not in KINDS or not least < value < math.inf:
        raise InvalidRequestError(
            f"{text!r} is no limit that can be scored on prices",
            rule="drawdown=F and daily_loss=F with a fraction above 0, gross_exposure=F above 1",
            fix="for example drawdown=0.02",
            value=text,
        )
    return Watched(kind, value)


def usual(prices: Prices, until: int) -> tuple[Watched, ...]:
    """Return limits at a half, one and two usual daily moves, as seen before ``until`` (ns).

    Raises:
        InvalidRequestError: Prices did not move.
    """
    seen = prices.values[prices.times < until]
    moves = np.diff(np.log(seen))
    moves = moves[np.isfinite(moves)]
    days = len(np.unique(prices.times[prices.times < until][np.isfinite(seen)] // DAY))
    daily = math.sqrt(float(np.sum(moves**2)) / days) if days else 0.0
    if daily == 0.0:
        raise InvalidRequestError(f"{prices.name}: prices do not move", rule="limits are set by usual moves")
    levels = [float(f"{share * daily:.2g}") for share in (0.5, 1.0, 2.0)]
    return tuple(
        Watched(kind, 1.0 + one if kind == "gross_exposure" else one) for kind in KINDS for one in levels
    )


def use_path(watched: Watched, prices: Prices) -> UsePath:
    """Return the use of a limit at every step of prices."""
    if watched.kind == "drawdown":
        use, starts = _drawdown(prices.values, watched.limit)
        until_reset = np.full(len(use), math.inf)
    else:
        use, starts = _by_day(prices, watched)
        until_reset = (DAY - prices.times % DAY) / MINUTE
        if watched.kind == "gross_exposure":
            until_reset = np.full(len(use), math.inf)
    return UsePath(watched=watched, use=use, starts=starts, until_reset=until_reset)


def _drawdown(values: Floats, limit: float) -> tuple[Floats, Integers]:
    use = np.full(len(values), math.nan)
    starts: list[int] = []
    peak = 0.0
    for place, value in enumerate(values.tolist()):
        if value != value:
            continue
        if peak == 0.0:
            starts.append(place)
        peak = max(peak, value)
        use[place] = (1.0 - value / peak) / limit
        if use[place] >= 1.0:
            peak = 0.0
    return use, np.array(starts, np.int64)


def _by_day(prices: Prices, watched: Watched) -> tuple[Floats, Integers]:
    priced = np.flatnonzero(np.isfinite(prices.values))
    days = prices.times[priced] // DAY
    first = np.flatnonzero(np.append(True, days[1:] != days[:-1]))
    before = np.maximum(first - 1, 0)  # the last price of the day before; of the first day its own first
    base = np.repeat(prices.values[priced[before]], np.diff(np.append(first, len(priced))))
    ratio = np.full(len(prices.values), math.nan)
    ratio[priced] = prices.values[priced] / base
    use = (1.0 - ratio) / watched.limit if watched.kind == "daily_loss" else ratio / watched.limit
    return use, priced[first].astype(np.int64)


def reached(path: UsePath, prices: Prices, horizon: int) -> Floats:
    """Return 1 where the limit was reached within ``horizon`` minutes of a step, 0 where not, else NaN.

    NaN: prices are missing on the way and it was not reached, the file ends before, or the position is
    entered anew on the way.
    """
    steps = round(horizon / prices.step)
    padded = np.concatenate([path.use[1:], np.full(steps, math.nan)])
    ahead = sliding_window_view(padded, steps)[: len(path.use)]
    hit: Booleans = (ahead >= 1.0).any(axis=1)
    whole: Booleans = np.isfinite(ahead).all(axis=1)
    if path.watched.kind == "gross_exposure":
        left = (DAY - prices.times % DAY) / MINUTE
        whole &= left > horizon
        hit &= left > horizon
    found: Floats = np.where(hit, 1.0, np.where(whole, 0.0, math.nan))
    return found
