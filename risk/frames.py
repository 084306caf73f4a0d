"""Returns of several instruments over the same times: what a book is measured from.

The basis is daily bars where the instruments have at least 60 returns in common, else 5-minute bars of
which at least 100 are in common. A return is close over close of neighbouring bars; one that spans a
gap (more than ten days, or for 5-minute bars anything but the next bar) is no return of that period and
is left out and counted. Nothing is padded or filled: an instrument without enough bars is missing, with
the reason. This module must not know where bars come from.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Final, Literal

import msgspec
import numpy as np

from data.closes import Closes
from data.closes import Floats as Floats
from data.closes import Ints as Ints

type Basis = Literal["1d", "5m"]

DAY_NS: Final = 86_400 * 1_000_000_000
FINE_NS: Final = 300 * 1_000_000_000
FEWEST: Final[Mapping[Basis, int]] = {"1d": 60, "5m": 100}
#: Days between two daily closes at most. Exchanges have been shut that long (September 2001, new year in
#: Asia), and the return of the day they opened again is the very one that risk must not miss.
_DAILY_GAP: Final = 10 * DAY_NS
#: Trading days in a year of markets that rest at weekends, and of those that do not.
WEEKDAYS: Final = 252.0
ALL_DAYS: Final = 365.0


class ReturnsFrame(msgspec.Struct, frozen=True, kw_only=True):
    """Simple returns as fractions: a row for each time, a column for each of ``instruments``.

    ``times`` are the starts of the bars that the returns end with, ns UTC. What was asked for and cannot
    be told is in ``missing`` with the reason; without any column there are no rows.
    """

    instruments: tuple[str, ...]
    basis: Basis
    periods_per_year: float
    periods_per_day: float  #: of the basis, as long as the market trades in a day
    times: Ints
    values: Floats
    missing: dict[str, str]
    notes: tuple[str, ...] = ()
    synthetic: bool = False

    def __len__(self) -> int:
        return len(self.times)

    def columns(self, instruments: Sequence[str]) -> Floats:
        """Return the columns of some instruments, in their order; raises KeyError for one not there."""
        at = {name: place for place, name in enumerate(self.instruments)}
        found: Floats = self.values[:, [at[name] for name in instruments]]
        return found


def returns_frame(
    instruments: Sequence[str], daily: Mapping[str, Closes], fine: Mapping[str, Closes]
) -> ReturnsFrame:
    """Return the returns of instruments over their common times, by the rule of this module.

    The basis that tells of more of the instruments counts; daily bars if both tell of as many.

    Args:
        instruments: What is asked for; twice named is once meant.
        daily, fine: Closes of daily and of 5-minute bars; what has none may be left out.
    """
    wanted = tuple(dict.fromkeys(instruments))
    by_day = _common(wanted, daily, "1d")
    if len(by_day.instruments) == len(wanted):
        return by_day
    by_minutes = _common(wanted, fine, "5m")
    chosen, other = by_day, by_minutes
    if len(by_minutes.instruments) > len(by_day.instruments):
        chosen, other = by_minutes, by_day
    missing = {
        name: f"{reason}; {other.missing[name]}" if name in other.missing else reason
        for name, reason in chosen.missing.items()
    }
    return msgspec.structs.replace(chosen, missing=missing)


def _common(wanted: tuple[str, ...], closes: Mapping[str, Closes], basis: Basis) -> ReturnsFrame:
    """Return the returns of one basis. Who leaves too few times in common with the others is missing."""
    missing: dict[str, str] = {}
    enough: dict[str, tuple[Ints, Floats]] = {}
    gaps = 0
    for name in wanted:
        times, values, left_out = _returns(closes.get(name), basis)
        if len(times) < FEWEST[basis]:
            missing[name] = f"{len(times):,} returns of {_WORDS[basis]} bars, {FEWEST[basis]} are needed"
            continue
        gaps = max(gaps, left_out)
        enough[name] = times, values
    shared: Ints | None = None
    kept: list[str] = []
    # The longest histories first: a short one must not cost the others theirs.
    for name in sorted(enough, key=lambda one: -len(enough[one][0])):
        both = enough[name][0] if shared is None else np.intersect1d(shared, enough[name][0], True)
        if len(both) < FEWEST[basis]:
            missing[name] = (
                f"{len(both):,} {_WORDS[basis]} returns at the same times as the others, "
                f"{FEWEST[basis]} are needed"
            )
            continue
        shared = both.astype(np.int64)
        kept.append(name)
    names = tuple(name for name in wanted if name in kept)
    if shared is None or not names:
        return _empty(basis, missing)
    columns = [enough[name][1][np.searchsorted(enough[name][0], shared)] for name in names]
    longest = max(len(enough[name][0]) for name in names)
    per_day, per_year, told = calendar(shared, basis)
    notes = [told] if told else []
    if basis == "5m":
        notes.append(
            f"measured from 5-minute returns: fewer than {FEWEST['1d']} daily returns are known; a day is "
            f"{per_day:.0f} of them"
        )
    if longest > len(shared):
        notes.append(f"{longest - len(shared):,} returns are left out: not all instruments have them")
    if gaps:
        notes.append(
            f"{gaps:,} changes over gaps in the bars (between sessions, or while nothing was recorded) are "
            "left out: what happens there is not in the figures"
        )
    return ReturnsFrame(
        instruments=names,
        basis=basis,
        periods_per_year=per_year,
        periods_per_day=per_day,
        times=shared,
        values=np.column_stack(columns),
        missing=missing,
        notes=tuple(notes),
        synthetic=any(closes[name].synthetic for name in names),
    )


_WORDS: Final[Mapping[Basis, str]] = {"1d": "daily", "5m": "5-minute"}


def _empty(basis: Basis, missing: dict[str, str]) -> ReturnsFrame:
    return ReturnsFrame(
        instruments=(),
        basis=basis,
        periods_per_year=WEEKDAYS,
        periods_per_day=1.0,
        times=np.empty(0, np.int64),
        values=np.empty((0, 0)),
        missing=missing,
    )


def _returns(closes: Closes | None, basis: Basis) -> tuple[Ints, Floats, int]:
    """Return times and returns of one instrument, and how many changes over gaps were left out."""
    if closes is None or len(closes.times) < 2:
        return np.empty(0, np.int64), np.empty(0), 0
    steps = np.diff(closes.times)
    whole = steps <= _DAILY_GAP if basis == "1d" else steps == FINE_NS
    known = whole & (closes.values[:-1] > 0.0) & np.isfinite(closes.values[1:])
    with np.errstate(divide="ignore", invalid="ignore"):
        values = closes.values[1:] / closes.values[:-1] - 1.0
    return closes.times[1:][known], values[known], int((~known).sum())


def calendar(times: Ints, basis: Basis) -> tuple[float, float, str | None]:
    """Return periods in a day and in a year, from when there are returns, and what to know of that.

    A market that has returns at a weekend has 365 days a year, any other 252; periods of a day are the median
    over whole days.
    """
    days = times // DAY_NS
    at, counts = np.unique(days, return_counts=True)
    weekend = (at + 3) % 7 >= 5  # the epoch was a Thursday; Monday is 0
    spans_weekend = len(at) > 1 and (int(at[-1]) - int(at[0]) >= 7)
    year = (
        ALL_DAYS if weekend.any() or (basis == "5m" and not spans_weekend and _all_day(times)) else WEEKDAYS
    )
    if basis == "1d":
        return 1.0, year, None
    whole = counts[1:-1]
    if len(whole):
        per_day = float(np.median(whole))
        return per_day, per_day * year, None
    # Less than a whole day is known: as if the market traded all day, where it did as long as we looked.
    span = float(times[-1] - times[0]) / FINE_NS + 1.0
    per_day = DAY_NS / FINE_NS * min(len(times) / span, 1.0)
    return per_day, per_day * year, "no whole day is known: its length is taken from the part there is"


def _all_day(times: Ints) -> bool:
    """Tell whether 5-minute returns are there around the clock, as far as they reach."""
    span = float(times[-1] - times[0]) / FINE_NS + 1.0
    return not math.isclose(span, 0.0) and len(times) / span > 0.9
