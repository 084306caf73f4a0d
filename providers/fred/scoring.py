"""How well the recession probability would have done, month by month, against what was a recession.

Each month is given only what was known when it ended: the spread of the month, which is not revised,
and the Sahm indicator of the month before, as it was published then (SAHMREALTIME). What was a
recession (USREC) is known later and is only what the months are measured against. Pure functions.
This module must not know how series are fetched.
"""

from __future__ import annotations

import datetime as dt
import statistics
from bisect import bisect_left, bisect_right
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from data.macro import RegimeScore
from data.problems import ProviderBadRequestError, ProviderNotFoundError
from providers.core.http import Stamp
from providers.fred import regime
from providers.fred.timeline import Timeline, known, monthly_mean, shifted

INPUTS = ("T10Y3M", "SAHMREALTIME", "USREC")
_LEAST_MONTHS = 60

RULE = (
    "For each month the probability of the regime's rule from what was known when it ended: the month's"
    f" mean of T10Y3M (at least {regime.LEAST_DAYS} values) and the SAHMREALTIME of the month before."
    " Spreads are not revised, and SAHMREALTIME has by its definition what was known in each month. It is"
    " compared with whether USREC is 1 in any of the following months up to the horizon. AUC: the share of"
    " pairs of a month with and a month without in which the former has the higher probability, ties count"
    " half. Brier: mean squared error; its base is that of always saying the average. A signal is a"
    " probability of at least the threshold; a recession is hit if there is one within the horizon before"
    " its first month, the lead counts from the first of them. A false alarm is an unbroken run of signals"
    " after none of which a recession came within the horizon."
)


class Month(NamedTuple):
    """One month: what was said at its end, and what came."""

    date: dt.date
    probability: float
    came: bool


def probabilities(spread: Timeline, sahm: Timeline) -> dict[dt.date, float]:
    """Return for each month the probability from what was known when it ended."""
    labour = dict(known(sahm))
    result = {}
    for month, mean in known(monthly_mean(spread, regime.LEAST_DAYS)):
        told = labour.get(shifted(month, -1))
        if told is not None:
            term = regime.term_spread_probability(mean)
            result[month] = regime.combined(term, regime.labour_probability(told))
    return result


def months(said: Mapping[dt.date, float], recession: Mapping[dt.date, bool], horizon: int) -> list[Month]:
    """Return the months for which it is known what came within the horizon."""
    result = []
    for date, probability in sorted(said.items()):
        ahead = [recession.get(shifted(date, step)) for step in range(1, horizon + 1)]
        if None not in ahead:
            result.append(Month(date, probability, any(ahead)))
    return result


def auc(with_it: Sequence[float], without: Sequence[float]) -> float | None:
    """Return how often one is above the other, ties half (Mann and Whitney); None if one is empty."""
    if not with_it or not without:
        return None
    ordered = sorted(without)
    wins = sum(bisect_left(ordered, one) + bisect_right(ordered, one) for one in with_it)
    return wins / (2 * len(with_it) * len(ordered))


def brier(said: Sequence[float], came: Sequence[bool]) -> float:
    """Return the mean squared error of probabilities."""
    return statistics.fmean((one - happened) ** 2 for one, happened in zip(said, came, strict=True))


def spells(recession: Mapping[dt.date, bool]) -> list[tuple[dt.date, dt.date]]:
    """Return the first day of the first and the last month of each unbroken run of recession."""
    result: list[tuple[dt.date, dt.date]] = []
    for date in sorted(date for date, is_one in recession.items() if is_one):
        if result and shifted(result[-1][1], 1) == date:
            result[-1] = (result[-1][0], date)
        else:
            result.append((date, date))
    return result


def lead(said: Mapping[dt.date, float], begin: dt.date, horizon: int, threshold: float) -> int | None:
    """Return how many months before a recession the first signal within the horizon came; None: none."""
    for back in range(horizon, 0, -1):
        if said.get(shifted(begin, -back), 0.0) >= threshold:
            return back
    return None


def false_alarms(measured: Sequence[Month], threshold: float) -> int:
    """Return how many unbroken runs of signals no recession followed."""
    alarms, came, last = 0, True, None
    for month in measured:
        if month.probability < threshold:
            continue
        if last is not None and shifted(last, 1) == month.date:
            came = came or month.came
        else:
            alarms += not came
            came = month.came
        last = month.date
    return alarms + (not came)


def score(
    spread: Timeline, sahm: Timeline, usrec: Timeline, stamp: Stamp, *, horizon: int, threshold: float
) -> RegimeScore:
    """Return how well it would have done.

    Args:
        spread: T10Y3M by day.
        sahm: SAHMREALTIME by month.
        usrec: 1 for a month of recession, else 0.
        stamp: where they come from.
        horizon: months within which a recession counts.
        threshold: probability from which it is a signal.

    Raises:
        ProviderBadRequestError: the horizon or the threshold makes no sense.
        ProviderNotFoundError: too few months are known to say anything.
    """
    if not 1 <= horizon <= 60 or not 0.0 < threshold < 1.0:
        raise ProviderBadRequestError(
            f"a horizon of {horizon} months and a threshold of {threshold:g} make no score",
            rule="1 to 60 months, and a probability between 0 and 1",
            fix="12 months and 0.5 are usual",
        )
    said = probabilities(spread, sahm)
    recession = {date: value >= 0.5 for date, value in known(usrec)}
    measured = months(said, recession, horizon)
    if len(measured) < _LEAST_MONTHS:
        raise ProviderNotFoundError(
            f"there are {len(measured)} months of which it is known what was said and what came",
            rule=f"a score is over at least {_LEAST_MONTHS} months",
        )
    first, last = measured[0].date, measured[-1].date
    begun = [begin for begin, _ in spells(recession) if first < begin <= shifted(last, horizon)]
    leads = [ahead for begin in begun if (ahead := lead(said, begin, horizon, threshold)) is not None]
    came = [month.came for month in measured]
    average = statistics.fmean(came)
    return RegimeScore(
        **stamp._asdict(),
        first=first,
        last=last,
        months=len(measured),
        recessions=len(begun),
        recession_months=sum(recession.get(month.date, False) for month in measured),
        horizon_months=horizon,
        threshold=threshold,
        auc=auc(
            [month.probability for month in measured if month.came],
            [month.probability for month in measured if not month.came],
        ),
        brier=brier([month.probability for month in measured], came),
        brier_base=brier([average] * len(came), came),
        hits=len(leads),
        lead_months=statistics.median(leads) if leads else None,
        false_alarms=false_alarms(measured, threshold),
        point_in_time=True,
        rule=RULE,
    )
