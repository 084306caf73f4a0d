"""The regime: growth × inflation, and how likely a recession is within twelve months.

The rule is written out in ``RULE`` and goes with every regime. The term spread part is published:
A. Estrella and M. R. Trubin, The Yield Curve as a Leading Indicator: Some Practical Issues, Current
Issues in Economics and Finance 12 (5), Federal Reserve Bank of New York, 2006. The labour part is a
convention of ours around the threshold of C. Sahm, Direct Stimulus Payments to Individuals, 2019.
This module must not know how series are fetched.
"""

from __future__ import annotations

import datetime as dt
import math
import statistics
from collections.abc import Callable
from statistics import NormalDist

from data.macro import MacroRegime, Quadrant
from data.problems import ProviderError, ProviderNotFoundError
from providers.core.http import Stamp
from providers.fred import timeline as t
from providers.fred.archive import Reading
from providers.fred.factors import Readings, oldest
from providers.fred.timeline import Timeline

#: Estrella and Trubin 2006: the probit of a recession twelve months ahead on the spread in pp.
CONSTANT, SLOPE = -0.5333, -0.6330
#: Sahm's threshold, and how fast the labour part goes from unlikely to likely around it, in pp.
SAHM_THRESHOLD, SAHM_SCALE = 0.5, 0.1
#: Daily spreads that a month must have for its average to count.
LEAST_DAYS = 15
_CLIP = 3.0
_MAD_TO_DEVIATION = 1.4826
#: A part may be so many months older than the latest that its series has.
_LATE_MONTHS = 2

RULE = (
    "Growth: mean over real GDP yoy (GDPC1), industrial production yoy (INDPRO) and the 3-month average"
    " change of payrolls (PAYEMS), at least two of them, of the distance from the median of 10 years in"
    " robust standard deviations (1.4826 × median absolute deviation), clipped at ±3; above 0 growth is"
    " above its trend. Inflation: mean over the yoy of CPIAUCSL, CPILFESL and PCEPILFE, at least two of"
    " them, of the yoy less its mean over the 12 months before, in pp; above 0 inflation rises. Quadrant:"
    " growth > 0 is goldilocks if inflation ≤ 0, else reflation; growth ≤ 0 is stagflation if inflation >"
    f" 0, else deflation. Term spread: Φ({CONSTANT} − {-SLOPE:.4f} × s), s the mean of T10Y3M over the"
    f" latest month with at least {LEAST_DAYS} values (Estrella and Trubin 2006, 12 months ahead). Labour:"
    f" 1 / (1 + exp(−(h − {SAHM_THRESHOLD}) / {SAHM_SCALE})), h the Sahm indicator: SAHMREALTIME, or where"
    " that is not known the 3-month mean of UNRATE less the least of those of the 12 months before; a"
    " convention, not an estimate. Recession within 12 months: 1 − (1 − term spread) × (1 − labour)."
)

GROWTH = ("GDPC1", "INDPRO", "PAYEMS")
INFLATION = ("CPIAUCSL", "CPILFESL", "PCEPILFE")
INPUTS = (*GROWTH, *INFLATION, "T10Y3M", "SAHMREALTIME", "UNRATE")

_Part = tuple[float, dt.date]


# ---------------------------------------------------------------- probabilities


def term_spread_probability(spread: float) -> float:
    """Return the probability of a recession in twelve months from the month's mean spread in pp."""
    return NormalDist().cdf(CONSTANT + SLOPE * spread)


def labour_probability(sahm: float) -> float:
    """Return the probability that a recession has begun from the Sahm indicator in pp."""
    exponent = (SAHM_THRESHOLD - sahm) / SAHM_SCALE
    return 1.0 / (1.0 + math.exp(exponent)) if exponent < 700 else 0.0


def combined(term: float, labour: float) -> float:
    """Return the probability that at least one of the two is right, were they independent."""
    return 1.0 - (1.0 - term) * (1.0 - labour)


def sahm_indicator(unemployment: Timeline) -> Timeline:
    """Return the 3-month mean less the least of the 12 before; None unless nine of those can be had."""
    means = {date: value for date, value in _three_months(unemployment) if value is not None}
    result: Timeline = []
    for date, value in _three_months(unemployment):
        before = [means[one] for back in range(1, 13) if (one := t.shifted(date, -back)) in means]
        result.append((date, None if value is None or len(before) < 9 else value - min(before)))
    return result


def _three_months(line: Timeline) -> Timeline:
    at = dict(line)
    result: Timeline = []
    for date, _ in line:
        values = [one for back in range(3) if (one := at.get(t.shifted(date, -back))) is not None]
        result.append((date, statistics.fmean(values) if len(values) == 3 else None))
    return result


def quadrant(growth: float, inflation: float) -> Quadrant:
    """Return where growth and inflation are."""
    if growth > 0:
        return "reflation" if inflation > 0 else "goldilocks"
    return "stagflation" if inflation > 0 else "deflation"


# ---------------------------------------------------------------- scores


def _recent(line: Timeline, name: str) -> tuple[dt.date, float]:
    """Return the latest point that can be had, if it is not older than the series by much."""
    points = t.known(line)
    if not points or points[-1][0] < t.shifted(line[-1][0], -_LATE_MONTHS):
        raise ProviderNotFoundError(f"{name} has too few values to be compared")
    return points[-1]


def above_trend(line: Timeline, name: str) -> _Part:
    """Return how far the latest value is from the median of ten years, and its date."""
    date, value = _recent(line, name)
    values = [one for day, one in t.known(line) if day > t.shifted(date, -12 * t.YEARS)]
    if len(values) < t.LEAST["quarterly"]:
        raise ProviderNotFoundError(f"{name} has {len(values)} values, too few for a trend")
    middle = statistics.median(values)
    spread = _MAD_TO_DEVIATION * statistics.median(abs(one - middle) for one in values)
    if spread <= 0:
        raise ProviderNotFoundError(f"{name} does not move, so it has no distance from its trend")
    return max(-_CLIP, min(_CLIP, (value - middle) / spread)), date


def rising(line: Timeline, name: str) -> _Part:
    """Return the latest yoy less its mean over the twelve months before, and its date."""
    date, value = _recent(line, name)
    before = [one for day, one in t.known(line) if t.shifted(date, -12) <= day < date]
    if len(before) < 9:
        raise ProviderNotFoundError(f"{name} has {len(before)} months before {date}, too few to compare with")
    return value - statistics.fmean(before), date


_GROWTH_MAKE: dict[str, Callable[[Timeline], Timeline]] = {
    "GDPC1": t.growth,
    "INDPRO": t.growth,
    "PAYEMS": lambda line: t.average_change(line, 3),
}


class _Parts:
    """Collects what could be had, and why the rest could not."""

    def __init__(self, readings: Readings) -> None:
        self._readings = readings
        self.problems: list[str] = []
        self.dates: list[dt.date] = []
        self.used: list[Stamp] = []

    def line(self, series: str) -> Timeline:
        """Return an input; raises the error that came instead."""
        found = self._readings[series]
        if isinstance(found, ProviderError):
            raise found
        return t.timeline(found.values())

    def had(self, series: str, make: Callable[[Timeline], _Part], *, quietly: bool = False) -> float | None:
        """Return a part made of one input; None with the reason noted."""
        try:
            value, date = make(self.line(series))
        except ProviderError as error:
            if not quietly:
                self.problems.append(f"{series}: {error.name}: {error.detail}")
            return None
        found = self._readings[series]
        assert isinstance(found, Reading)
        self.used.append(found.stamp)
        self.dates.append(date)
        return value

    def mean(self, what: str, parts: list[float | None]) -> float | None:
        """Return the mean of at least two parts."""
        there = [part for part in parts if part is not None]
        if len(there) < 2:
            self.problems.append(f"{what} wants two of its parts")
            return None
        return statistics.fmean(there)


def regime(readings: Readings, unknown: Stamp, ts: int) -> MacroRegime:
    """Return the regime by ``RULE``; what could not be had is None and ``problem`` says why."""
    parts = _Parts(readings)
    growth = parts.mean("growth", [_growth(parts, series) for series in GROWTH])
    inflation = parts.mean("inflation", [_inflation(parts, series) for series in INFLATION])
    spread = parts.had("T10Y3M", _spread)
    labour = parts.had("SAHMREALTIME", lambda line: _last(line, "SAHMREALTIME"), quietly=True)
    if labour is None:
        labour = parts.had("UNRATE", lambda line: _last(sahm_indicator(line), "UNRATE"))
    term_p = None if spread is None else term_spread_probability(spread)
    labour_p = None if labour is None else labour_probability(labour)
    return MacroRegime(
        **oldest(parts.used, unknown)._asdict(),
        quadrant=None if growth is None or inflation is None else quadrant(growth, inflation),
        growth=growth,
        inflation=inflation,
        recession_probability=None if term_p is None or labour_p is None else combined(term_p, labour_p),
        term_spread=spread,
        term_spread_probability=term_p,
        labour=labour,
        labour_probability=labour_p,
        observed=max(parts.dates, default=None),
        rule=RULE,
        problem="; ".join(parts.problems) or None,
        ts=ts,
    )


def _growth(parts: _Parts, series: str) -> float | None:
    return parts.had(series, lambda line: above_trend(_GROWTH_MAKE[series](line), series))


def _inflation(parts: _Parts, series: str) -> float | None:
    return parts.had(series, lambda line: rising(t.growth(line), series))


def _spread(line: Timeline) -> _Part:
    return _last(t.monthly_mean(line, LEAST_DAYS), "T10Y3M")


def _last(line: Timeline, name: str) -> _Part:
    date, value = _recent(line, name)
    return value, date
