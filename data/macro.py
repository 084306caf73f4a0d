"""The vocabulary of macroeconomics: series and their vintages, factors, regime, yield curve, calendar.

Values that a provider published are ``Decimal``; statistics made of them are floats. A missing value
is None, never zero. This module must not know where the facts come from.
"""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import Literal

import msgspec

from data.facts import Fact

Category = Literal["growth", "employment", "inflation", "monetary", "financial", "scoring", "other"]
Frequency = Literal["daily", "weekly", "biweekly", "monthly", "quarterly", "semiannual", "annual", "unknown"]
FactorGroup = Literal["growth", "employment", "inflation", "rates", "credit", "markets"]
Quadrant = Literal["goldilocks", "reflation", "stagflation", "deflation"]
Importance = Literal["high", "medium", "low"]


class Observation(Fact, frozen=True, kw_only=True, tag="observation"):
    """One period's value as it was known on ``as_of``."""

    date: dt.date  #: first day of the period
    value: Decimal | None  #: None: the source has the period but no value
    published: dt.date | None = None  #: since when this value stands; None: not told


class SeriesInfo(Fact, frozen=True, kw_only=True, tag="series_info"):
    """What a series is."""

    id: str
    title: str
    category: Category
    frequency: Frequency
    units: str
    seasonal_adjustment: str = ""
    ts_updated: int | None = None  #: when the source last changed it
    first: dt.date | None = None
    last: dt.date | None = None
    release_id: int | None = None
    notes: str = ""


class Series(Fact, frozen=True, kw_only=True, tag="series"):
    """A series with its observations, oldest first."""

    info: SeriesInfo
    observations: tuple[Observation, ...]
    missing: int = 0  #: observations without a value
    note: str | None = None  #: what to know of how it was told, e.g. that it has no archive

    @property
    def id(self) -> str:
        """The series' id."""
        return self.info.id


class FactorPoint(msgspec.Struct, frozen=True, array_like=True):
    """A factor's value at one date."""

    date: dt.date
    value: float


class MacroFactor(Fact, frozen=True, kw_only=True, tag="macro_update"):
    """One macro factor: its value, how it moved and how unusual it is. ``problem`` says why there is none."""

    id: str
    title: str
    group: FactorGroup
    unit: str  #: ``%``, ``pp``, ``k``, ``index`` …
    decimals: int = 2  #: what is worth showing
    formula: str  #: how it is made of its inputs, in words
    inputs: tuple[str, ...]  #: ids of the series it is made of
    frequency: Frequency
    value: float | None = None
    observed: dt.date | None = None  #: the date of the latest observation
    change: float | None = None  #: against one period before
    change_year: float | None = None  #: against the same period of the year before
    zscore: float | None = None  #: of the value, over the last 10 years
    percentile: float | None = None  #: 0 to 100, over the last 10 years
    points: int = 0  #: how many values the last two are over
    spark: tuple[float, ...] = ()  #: the latest values, oldest first
    note: str | None = None  #: what to know of how its inputs were told
    problem: str | None = None  #: the typed error's name and what was wrong
    ts: int  #: when it was computed


class FactorHistory(Fact, frozen=True, kw_only=True, tag="factor_history"):
    """A factor over time, oldest first, and the recessions of that time."""

    id: str
    title: str
    unit: str
    decimals: int
    points: tuple[FactorPoint, ...]
    recessions: tuple[tuple[dt.date, dt.date], ...] = ()  #: first and last day of each
    recessions_problem: str | None = None  #: why they are not known


class MacroRegime(Fact, frozen=True, kw_only=True, tag="macro_regime"):
    """Growth × inflation, and how likely a recession is. None: ``problem`` says what is missing."""

    quadrant: Quadrant | None
    growth: float | None  #: the growth score: above 0 growth is above its trend
    inflation: float | None  #: the inflation score: above 0 inflation rises
    recession_probability: float | None  #: 0 to 1, within 12 months
    term_spread: float | None = None  #: pp, 10 years less 3 months
    term_spread_probability: float | None = None
    labour: float | None = None  #: pp, the Sahm indicator
    labour_probability: float | None = None
    observed: dt.date | None = None
    rule: str  #: how all of it is computed, in words
    problem: str | None = None
    ts: int


class CurvePoint(msgspec.Struct, frozen=True, kw_only=True):
    """The yield of one maturity."""

    label: str  #: ``3M``, ``2Y`` …
    months: int
    series: str
    value: Decimal | None  #: percent a year


class YieldCurve(Fact, frozen=True, kw_only=True, tag="yield_curve"):
    """The yield curve of one day."""

    label: str  #: ``now``, ``1 month ago``, ``1 year ago``, or the date
    date: dt.date | None  #: the day of the yields; None: there is none
    points: tuple[CurvePoint, ...]
    problem: str | None = None


class ReleaseDate(Fact, frozen=True, kw_only=True, tag="release_date"):
    """One date in the calendar of releases."""

    release_id: int
    name: str
    date: dt.date
    ts_release: int | None = None  #: the usual time of the day; None: not known
    importance: Importance
    series: tuple[str, ...] = ()  #: of our series those it updates


class RegimeScore(Fact, frozen=True, kw_only=True, tag="regime_score"):
    """How well the recession probability would have done against what was a recession (USREC)."""

    first: dt.date
    last: dt.date
    months: int
    recessions: int
    recession_months: int
    horizon_months: int
    threshold: float
    auc: float | None  #: area under the ROC curve of "a recession begins or goes on within the horizon"
    brier: float | None
    brier_base: float | None  #: of always saying the average
    hits: int  #: recessions that were signalled before they began
    lead_months: float | None  #: median, from the first signal to the first month of the recession
    false_alarms: int  #: signals without a recession within the horizon
    point_in_time: bool  #: whether each month knew only what was known in it
    rule: str
