"""The macro factors: one table that says of what each is made and how, and what is told of each.

A factor is made of its inputs only: where one of them failed, that factor says so and the others are
as they are. Inputs known as of a day make a factor known as of that day. This module must not know
how series are fetched.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from data.macro import FactorGroup, Frequency, MacroFactor
from data.problems import ProviderError, ProviderNotFoundError
from providers.core.http import Stamp
from providers.fred import timeline as t
from providers.fred.archive import Reading
from providers.fred.timeline import Timeline

#: How many of the latest values are drawn.
_SPARK = 60
#: Digits behind the point beyond which there is only the noise of floats.
_DIGITS = 9
#: Trading days of a year.
_YEAR = 252

Make = Callable[..., Timeline]
Readings = Mapping[str, Reading | ProviderError]


@dataclass(frozen=True, slots=True)
class Factor:
    """One row of the table; ``make`` is given the inputs in their order."""

    id: str
    title: str
    group: FactorGroup
    unit: str
    decimals: int
    frequency: Frequency
    inputs: tuple[str, ...]
    formula: str
    make: Make


def _as_it_is(line: Timeline) -> Timeline:
    return line


def _times(factor: float) -> Make:
    return lambda line: t.scaled(line, factor)


def _weighted(*weights: float) -> Make:
    return lambda *lines: t.combination(lines, weights)


def _since(months: int) -> Make:
    return lambda line: t.difference(line, months)


def _mean_change(months: int) -> Make:
    return lambda line: t.average_change(line, months)


def _real_rate(funds: Timeline, prices: Timeline) -> Timeline:
    return t.combination([funds, t.growth(prices)], (1.0, -1.0))


def _percentile(line: Timeline) -> Timeline:
    return t.rolling_percentile(line, _YEAR)


def _stress(line: Timeline) -> Timeline:
    return t.rolling_zscore(line, _YEAR)


def _level(
    id: str,
    title: str,
    group: FactorGroup,
    unit: str,
    decimals: int,
    frequency: Frequency,
    series: str,
    scale: float = 1.0,
) -> Factor:
    formula = series if scale == 1.0 else f"{series} × {scale:g}"
    make = _as_it_is if scale == 1.0 else _times(scale)
    return Factor(id, title, group, unit, decimals, frequency, (series,), formula, make)


def _yearly(id: str, title: str, group: FactorGroup, series: str, frequency: Frequency = "monthly") -> Factor:
    formula = f"{series} against the same period of the year before, in percent"
    return Factor(id, title, group, "%", 2, frequency, (series,), formula, t.growth)


def _slope(id: str, title: str, long: str, short: str) -> Factor:
    formula = f"{long} − {short}, on days that both have"
    return Factor(id, title, "rates", "pp", 2, "daily", (long, short), formula, _weighted(1.0, -1.0))


FACTORS: tuple[Factor, ...] = (
    _yearly("gdp_yoy", "Real GDP, yoy", "growth", "GDPC1", "quarterly"),
    Factor(
        "output_gap",
        "Output gap",
        "growth",
        "%",
        2,
        "quarterly",
        ("GDPC1", "GDPPOT"),
        "GDPC1 above GDPPOT, in percent",
        t.gap,
    ),
    _yearly("industrial_production_yoy", "Industrial production, yoy", "growth", "INDPRO"),
    _yearly("retail_sales_yoy", "Retail sales, yoy", "growth", "RSAFS"),
    _level("housing_starts", "Housing starts", "growth", "k", 0, "monthly", "HOUST"),
    _level("consumer_sentiment", "Consumer sentiment", "growth", "index", 1, "monthly", "UMCSENT"),
    _level("unemployment", "Unemployment rate", "employment", "%", 1, "monthly", "UNRATE"),
    Factor(
        "unemployment_change",
        "Unemployment, 12-month change",
        "employment",
        "pp",
        1,
        "monthly",
        ("UNRATE",),
        "UNRATE less its value 12 months before",
        _since(12),
    ),
    Factor(
        "payrolls_change",
        "Payrolls, m/m",
        "employment",
        "k",
        0,
        "monthly",
        ("PAYEMS",),
        "PAYEMS less its value of the month before",
        _since(1),
    ),
    Factor(
        "payrolls_3m",
        "Payrolls, 3-month average",
        "employment",
        "k",
        0,
        "monthly",
        ("PAYEMS",),
        "average of the latest three monthly changes of PAYEMS",
        _mean_change(3),
    ),
    _level("participation", "Participation rate", "employment", "%", 1, "monthly", "CIVPART"),
    _yearly("earnings_yoy", "Hourly earnings, yoy", "employment", "AHETPI"),
    _level("initial_claims", "Initial claims", "employment", "k", 0, "weekly", "ICSA", 0.001),
    _level("job_openings", "Job openings", "employment", "k", 0, "monthly", "JTSJOL"),
    _level("sahm_rule", "Sahm rule", "employment", "pp", 2, "monthly", "SAHMREALTIME"),
    _yearly("cpi_yoy", "CPI, yoy", "inflation", "CPIAUCSL"),
    _yearly("core_cpi_yoy", "Core CPI, yoy", "inflation", "CPILFESL"),
    _yearly("pce_yoy", "PCE prices, yoy", "inflation", "PCEPI"),
    _yearly("core_pce_yoy", "Core PCE prices, yoy", "inflation", "PCEPILFE"),
    _level("breakeven_5y", "5-year breakeven", "inflation", "%", 2, "daily", "T5YIE"),
    _level("breakeven_10y", "10-year breakeven", "inflation", "%", 2, "daily", "T10YIE"),
    _level("fed_funds", "Fed funds rate", "rates", "%", 2, "monthly", "FEDFUNDS"),
    Factor(
        "real_policy_rate",
        "Real policy rate",
        "rates",
        "%",
        2,
        "monthly",
        ("FEDFUNDS", "PCEPILFE"),
        "FEDFUNDS less PCEPILFE yoy of the same month",
        _real_rate,
    ),
    _level("yield_3m", "3-month yield", "rates", "%", 2, "daily", "DGS3MO"),
    _level("yield_2y", "2-year yield", "rates", "%", 2, "daily", "DGS2"),
    _level("yield_5y", "5-year yield", "rates", "%", 2, "daily", "DGS5"),
    _level("yield_10y", "10-year yield", "rates", "%", 2, "daily", "DGS10"),
    _level("yield_30y", "30-year yield", "rates", "%", 2, "daily", "DGS30"),
    _slope("slope_10y2y", "Slope 10y−2y", "DGS10", "DGS2"),
    _slope("slope_10y3m", "Slope 10y−3m", "DGS10", "DGS3MO"),
    _slope("slope_30y2y", "Slope 30y−2y", "DGS30", "DGS2"),
    Factor(
        "curvature",
        "Curvature 2×5y−2y−10y",
        "rates",
        "pp",
        2,
        "daily",
        ("DGS5", "DGS2", "DGS10"),
        "2 × DGS5 − DGS2 − DGS10, on days that all have",
        _weighted(2.0, -1.0, -1.0),
    ),
    _yearly("m2_yoy", "M2, yoy", "rates", "M2SL"),
    _level("hy_spread", "High yield spread", "credit", "%", 2, "daily", "BAMLH0A0HYM2"),
    Factor(
        "hy_stress",
        "High yield stress",
        "credit",
        "σ",
        2,
        "daily",
        ("BAMLH0A0HYM2",),
        f"BAMLH0A0HYM2 from its mean of {_YEAR} days, in standard deviations",
        _stress,
    ),
    _level("baa_spread", "Baa spread", "credit", "%", 2, "daily", "BAA10Y"),
    _level("nfci", "Financial conditions, Chicago", "credit", "index", 2, "weekly", "NFCI"),
    _level("stlfsi", "Financial stress, St. Louis", "credit", "index", 2, "weekly", "STLFSI4"),
    _level("vix", "VIX", "markets", "index", 2, "daily", "VIXCLS"),
    Factor(
        "vix_percentile",
        "VIX percentile, 1 year",
        "markets",
        "pct",
        0,
        "daily",
        ("VIXCLS",),
        f"percentile of VIXCLS among its latest {_YEAR} values",
        _percentile,
    ),
    _level("dollar", "Dollar, broad", "markets", "index", 2, "daily", "DTWEXBGS"),
    _level("euro", "Euro", "markets", "USD", 4, "daily", "DEXUSEU"),
    _level("oil", "Oil, WTI", "markets", "USD", 2, "daily", "DCOILWTICO"),
)

_BY_ID = {factor.id: factor for factor in FACTORS}


def find(factor_id: str) -> Factor:
    """Return a factor of the table; raises ProviderNotFoundError."""
    factor = _BY_ID.get(factor_id.strip().lower())
    if factor is None:
        raise ProviderNotFoundError(
            f"there is no macro factor {factor_id[:60]!r}",
            rule="factors are those of the table",
            fix=f"one of {', '.join(_BY_ID)}",
        )
    return factor


def inputs() -> tuple[str, ...]:
    """Return the ids of all series that factors are made of, each once."""
    return tuple(dict.fromkeys(series for factor in FACTORS for series in factor.inputs))


def line(factor: Factor, readings: Readings) -> Timeline:
    """Return a factor over time; raises the error of an input that failed."""
    lines = []
    for series in factor.inputs:
        found = readings[series]
        if isinstance(found, ProviderError):
            raise found
        lines.append(t.timeline(found.values()))
    return [(date, _clean(value)) for date, value in factor.make(*lines)]


def _clean(value: float | None) -> float | None:
    return None if value is None else round(value, _DIGITS)


def compute(factor: Factor, readings: Readings, unknown: Stamp, ts: int) -> MacroFactor:
    """Return what is to be told of a factor.

    Args:
        factor: the row of the table.
        readings: each input, or the error that came instead.
        unknown: the stamp of a factor none of whose inputs came.
        ts: when it is computed.
    """
    came = [one for series in factor.inputs if isinstance(one := readings[series], Reading)]
    stamp = oldest([one.stamp for one in came], unknown)
    notes = "; ".join(one.note for one in came if one.note is not None) or None
    try:
        values = _told(factor, line(factor, readings))
    except ProviderError as error:
        return _factor(factor, stamp, notes, ts, problem=f"{error.name}: {error.detail}")
    return _factor(factor, stamp, notes, ts, values)


@dataclass(frozen=True, slots=True)
class _Told:
    """What there is to say of a timeline that has a last value."""

    line: Timeline
    value: float


def _told(factor: Factor, made: Timeline) -> _Told:
    names = ", ".join(factor.inputs)
    if not made:
        raise ProviderNotFoundError(f"{names}: no period has all that {factor.id} is made of")
    last, value = made[-1]
    if value is None:
        raise ProviderNotFoundError(
            f"{names}: {last} has no {factor.id}, because a period that it is compared with is missing"
        )
    return _Told(made, value)


def _factor(
    factor: Factor,
    stamp: Stamp,
    note: str | None,
    ts: int,
    told: _Told | None = None,
    problem: str | None = None,
) -> MacroFactor:
    before = before_year = zscore = percentile = None
    points = 0
    if told is not None:
        before = t.previous(told.line, factor.frequency)
        before_year = t.year_before(told.line, factor.frequency)
        zscore, percentile, points = t.standing(told.line, factor.frequency)
    return MacroFactor(
        **stamp._asdict(),
        id=factor.id,
        title=factor.title,
        group=factor.group,
        unit=factor.unit,
        decimals=factor.decimals,
        formula=factor.formula,
        inputs=factor.inputs,
        frequency=factor.frequency,
        value=None if told is None else told.value,
        observed=None if told is None else told.line[-1][0],
        change=None if told is None or before is None else _clean(told.value - before),
        change_year=None if told is None or before_year is None else _clean(told.value - before_year),
        zscore=zscore,
        percentile=percentile,
        points=points,
        spark=() if told is None else tuple(value for _, value in t.known(told.line)[-_SPARK:]),
        note=note,
        problem=problem,
        ts=ts,
    )


def oldest(stamps: Iterable[Stamp], unknown: Stamp) -> Stamp:
    """Return where something made of several comes from: as old as the oldest, stale if one is."""
    all_of_them = list(stamps)
    if not all_of_them:
        return unknown
    return Stamp(
        source=all_of_them[0].source,
        as_of=min(stamp.as_of for stamp in all_of_them),
        fetched_at=min(stamp.fetched_at for stamp in all_of_them),
        synthetic=any(stamp.synthetic for stamp in all_of_them),
        stale=next((stamp.stale for stamp in all_of_them if stamp.stale is not None), None),
    )
