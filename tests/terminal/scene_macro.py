"""A fixed state of the economy: factors, curves, a regime and a calendar, the same in every run.

Made by a seeded walk. Its source is that of a sandbox twin: nothing of it is of the world.
"""

from __future__ import annotations

import datetime as dt
import math
import random
import statistics
from decimal import Decimal
from typing import Any

import msgspec

from data.fundamentals import Due, DueItem
from data.macro import (
    CurvePoint,
    FactorGroup,
    FactorHistory,
    FactorPoint,
    Frequency,
    MacroFactor,
    MacroRegime,
    Observation,
    ReleaseDate,
    Series,
    SeriesInfo,
    YieldCurve,
)
from data.problems import NotConfiguredError, ProviderDownError
from nautilus_tui.terminal.questions import Question
from nautilus_tui.terminal.questions.macro import (
    Factors,
    History,
    OneSeries,
    Regime,
    Releases,
    WhatIsDue,
    YieldCurves,
)
from tests.terminal.scene import NOW, SECOND

TODAY = dt.date(2026, 3, 2)
FETCHED = NOW - 184 * SECOND

Stamp = dict[str, Any]

#: id, title, group, unit, decimals, frequency, inputs, level now, size of a step
TableRow = tuple[str, str, FactorGroup, str, int, Frequency, str, float, float]
TABLE: tuple[TableRow, ...] = (
    ("gdp_yoy", "Real GDP, yoy", "growth", "%", 2, "quarterly", "GDPC1", 2.31, 0.5),
    ("indpro_yoy", "Industrial production, yoy", "growth", "%", 2, "monthly", "INDPRO", 0.72, 0.6),
    ("retail_sales_yoy", "Retail sales, yoy", "growth", "%", 2, "monthly", "RSAFS", 3.94, 0.7),
    ("housing_starts", "Housing starts", "growth", "k", 0, "monthly", "HOUST", 1387, 60),
    ("consumer_sentiment", "Consumer sentiment", "growth", "index", 1, "monthly", "UMCSENT", 57.3, 2.4),
    ("unemployment", "Unemployment rate", "employment", "%", 1, "monthly", "UNRATE", 4.4, 0.12),
    ("payrolls_change", "Payrolls, m/m", "employment", "k", 0, "monthly", "PAYEMS", 64, 55),
    ("initial_claims", "Initial claims", "employment", "k", 0, "weekly", "ICSA", 219, 8),
    ("sahm_rule", "Sahm rule", "employment", "pp", 2, "monthly", "SAHMREALTIME", 0.27, 0.05),
    ("cpi_yoy", "CPI, yoy", "inflation", "%", 2, "monthly", "CPIAUCSL", 2.68, 0.22),
    ("core_pce_yoy", "Core PCE prices, yoy", "inflation", "%", 2, "monthly", "PCEPILFE", 2.83, 0.15),
    ("breakeven_10y", "10-year breakeven", "inflation", "%", 2, "daily", "T10YIE", 2.27, 0.03),
    ("fed_funds", "Fed funds rate", "rates", "%", 2, "monthly", "FEDFUNDS", 3.64, 0.18),
    ("yield_2y", "2-year yield", "rates", "%", 2, "daily", "DGS2", 3.51, 0.05),
    ("yield_10y", "10-year yield", "rates", "%", 2, "daily", "DGS10", 4.08, 0.05),
    ("slope_10y2y", "Slope 10y−2y", "rates", "pp", 2, "daily", "DGS10", 0.57, 0.03),
    ("slope_10y3m", "Slope 10y−3m", "rates", "pp", 2, "daily", "DGS10", 0.31, 0.04),
    ("hy_spread", "High yield spread", "credit", "%", 2, "daily", "BAMLH0A0HYM2", 2.94, 0.06),
    ("nfci", "Financial conditions, Chicago", "credit", "index", 2, "weekly", "NFCI", -0.53, 0.02),
    ("vix", "VIX", "markets", "index", 2, "daily", "VIXCLS", 27.86, 1.4),
    ("dollar", "Dollar, broad", "markets", "index", 2, "daily", "DTWEXBGS", 119.24, 0.35),
    ("oil", "Oil, WTI", "markets", "USD", 2, "daily", "DCOILWTICO", 66.18, 1.1),
)
RECESSIONS = (("2007-12-01", "2009-06-30"), ("2020-02-01", "2020-04-30"))
_STEPS = {"daily": 1, "weekly": 7, "monthly": 30, "quarterly": 91}


def stamp(*, synthetic: bool = True, stale: str | None = None, as_of: dt.date = TODAY) -> Stamp:
    """Where the facts of the scene come from."""
    return {
        "source": "fred-sandbox" if synthetic else "fred",
        "as_of": as_of,
        "fetched_at": FETCHED,
        "synthetic": synthetic,
        "stale": stale,
    }


def factors(given: Stamp | None = None) -> list[MacroFactor]:
    """Every factor; job openings could not be learnt."""
    made = [_factor(row, given or stamp()) for row in TABLE]
    broken = MacroFactor(
        **(given or stamp()),
        id="job_openings",
        title="Job openings",
        group="employment",
        unit="k",
        decimals=0,
        formula="JTSJOL",
        inputs=("JTSJOL",),
        frequency="monthly",
        problem="ProviderDown: JTSJOL did not answer within 10 s",
        ts=NOW,
    )
    return [*made[:8], broken, *made[8:]]


def _factor(row: TableRow, given: Stamp) -> MacroFactor:
    id, title, group, unit, decimals, frequency, series, _, _ = row
    points = walk(id, 10)
    values = [value for _, value in points]
    year_back = {"daily": 261, "weekly": 52, "monthly": 12, "quarterly": 4}[frequency]
    return MacroFactor(
        **given,
        id=id,
        title=title,
        group=group,
        unit=unit,
        decimals=decimals,
        formula=series,
        inputs=(series,),
        frequency=frequency,
        value=values[-1],
        observed=points[-1][0],
        change=values[-1] - values[-2],
        change_year=values[-1] - values[-1 - year_back],
        zscore=(values[-1] - statistics.fmean(values)) / statistics.stdev(values),
        percentile=100 * sum(v < values[-1] for v in values) / len(values),
        points=len(values),
        spark=tuple(values[-16:]),
        ts=NOW,
    )


def walk(id: str, years: int) -> list[tuple[dt.date, float]]:
    """A factor's values over the years, oldest first, ending at its level now."""
    row = next(r for r in TABLE if r[0] == id)
    frequency, level, size = row[5], row[7], row[8]
    random_ = random.Random(id)
    phase = random_.uniform(0, 6.0)
    per_year = {"daily": 261, "weekly": 52, "monthly": 12, "quarterly": 4}[frequency]
    swing = size * math.sqrt(per_year) * 0.9

    def wave(i: int) -> float:
        return swing * math.sin(phase + 2 * math.pi * i / (per_year * 6.5))

    found, day, noise = [], _latest(frequency), 0.0
    for i in range(years * per_year + 1):
        found.append((day, round(level + wave(i) - wave(0) + noise, 4)))
        noise = noise * 0.985 + random_.gauss(0, size)
        day = _before(day, frequency)
    return found[::-1]


def _latest(frequency: Frequency) -> dt.date:
    return {
        "daily": dt.date(2026, 2, 27),
        "weekly": dt.date(2026, 2, 21),
        "monthly": dt.date(2026, 1, 1),
        "quarterly": dt.date(2025, 10, 1),
    }[frequency]


def _before(day: dt.date, frequency: Frequency) -> dt.date:
    if frequency in ("monthly", "quarterly"):
        months = day.year * 12 + day.month - 1 - (1 if frequency == "monthly" else 3)
        return dt.date(months // 12, months % 12 + 1, 1)
    day -= dt.timedelta(days=_STEPS[frequency])
    while frequency == "daily" and day.weekday() > 4:
        day -= dt.timedelta(days=1)
    return day


def history(id: str, years: int, given: Stamp | None = None) -> FactorHistory:
    """A factor's history with the one recession of those years."""
    row = next(r for r in TABLE if r[0] == id)
    return FactorHistory(
        **(given or stamp()),
        id=id,
        title=row[1],
        unit=row[3],
        decimals=row[4],
        points=tuple(FactorPoint(day, value) for day, value in walk(id, min(years, 40))),
        recessions=tuple((dt.date.fromisoformat(a), dt.date.fromisoformat(b)) for a, b in RECESSIONS),
    )


def series(id: str, given: Stamp | None = None) -> Series:
    """A series with one missing value."""
    made, marked = [], given or stamp()
    for index, (day, value) in enumerate(walk("yield_10y", 10)):
        known = None if index == 1000 else Decimal(str(round(value, 2)))
        made.append(Observation(**marked, date=day, value=known))
    info = SeriesInfo(
        **marked,
        id=id,
        title="Market Yield on U.S. Treasury Securities at 10-Year Constant Maturity",
        category="monetary",
        frequency="daily",
        units="Percent",
    )
    return Series(**marked, info=info, observations=tuple(made), missing=1)


_MATURITIES = (
    *(("1M", 1, "DGS1MO"), ("3M", 3, "DGS3MO"), ("6M", 6, "DGS6MO"), ("1Y", 12, "DGS1")),
    *(("2Y", 24, "DGS2"), ("3Y", 36, "DGS3"), ("5Y", 60, "DGS5"), ("7Y", 84, "DGS7")),
    *(("10Y", 120, "DGS10"), ("20Y", 240, "DGS20"), ("30Y", 360, "DGS30")),
)
_YIELDS = (
    ("now", dt.date(2026, 2, 27), "3.74 3.77 3.69 3.58 3.51 3.52 3.66 3.86 4.08 4.63 4.66"),
    ("1 month ago", dt.date(2026, 1, 27), "3.79 3.72 3.66 3.55 3.56 3.61 3.79 3.99 4.21 4.77 4.81"),
    ("1 year ago", dt.date(2025, 2, 27), "4.38 4.32 4.29 4.13 4.07 4.05 4.09 4.18 4.29 4.61 4.55"),
)


def curves(given: Stamp | None = None) -> list[YieldCurve]:
    """Three curves; a year ago ten years were below three months."""
    return [
        YieldCurve(
            **(given or stamp()),
            label=label,
            date=day,
            points=tuple(
                CurvePoint(label=name, months=months, series=id, value=Decimal(value))
                for (name, months, id), value in zip(_MATURITIES, values.split(), strict=True)
            ),
        )
        for label, day, values in _YIELDS
    ]


def regime(given: Stamp | None = None) -> MacroRegime:
    """Growth a little below trend, inflation falling."""
    return MacroRegime(
        **(given or stamp()),
        quadrant="deflation",
        growth=-0.34,
        inflation=-0.62,
        recession_probability=0.31,
        term_spread=0.31,
        term_spread_probability=0.24,
        labour=0.27,
        labour_probability=0.38,
        observed=dt.date(2026, 1, 1),
        rule=(
            "growth: mean z-score over 10 years of industrial production, payrolls and sentiment; inflation: "
            "6-month change of core PCE yoy; recession: mean of probit(10y−3m) and logistic(Sahm)"
        ),
        ts=NOW,
    )


def releases(given: Stamp | None = None) -> list[ReleaseDate]:
    """Two weeks of releases; of the last the time is not known."""
    made = []
    for number, name, day, at, importance, of in (
        (10, "Consumer Price Index", 11, "12:30", "high", ("CPIAUCSL", "CPILFESL")),
        (50, "Employment Situation", 6, "13:30", "high", ("UNRATE", "PAYEMS", "CIVPART")),
        (180, "Unemployment Insurance Weekly Claims", 5, "13:30", "medium", ("ICSA",)),
        (18, "H.15 Selected Interest Rates", 3, "21:15", "low", ("DGS2", "DGS10")),
        (9, "Advance Retail Sales", 13, "12:30", "medium", ("RSAFS",)),
        (192, "Job Openings and Labor Turnover", 10, "14:00", "medium", ("JTSJOL",)),
        (54, "Personal Income and Outlays", 2, "13:30", "high", ("PCEPILFE", "PCEPI")),
        (321, "Survey of Small Firms", 12, "", "low", ()),
    ):
        date = dt.date(2026, 3, day)
        ts = None
        if at:
            time = dt.datetime.combine(date, dt.time.fromisoformat(at), dt.UTC)
            ts = int(time.timestamp()) * SECOND
        made.append(
            ReleaseDate(
                **(given or stamp()),
                release_id=number,
                name=name,
                date=date,
                ts_release=ts,
                importance=importance,  # type: ignore[arg-type]  # literals of the rows above
                series=of,
            )
        )
    return made


def due(given: Stamp | None = None) -> Due:
    """A release, a report and a filing for what is held; the vendor's calendar did not answer."""
    marked = given or stamp()
    return Due(
        items=(
            DueItem(
                **marked,
                kind="release",
                date=dt.date(2026, 3, 6),
                ts_due=1_772_803_800 * SECOND,
                title="Employment Situation",
                importance="high",
                instruments=("ES.SIM",),
                reference="UNRATE",
            ),
            DueItem(
                **(marked | {"source": "alpha_vantage-sandbox"}),
                kind="earnings",
                date=dt.date(2026, 4, 30),
                title="Apple Inc. reports, estimate 1.98 USD",
                importance="medium",
                instruments=("AAPL.SIM",),
                reference="AAPL",
            ),
            DueItem(
                **(marked | {"source": "edgar-sandbox"}),
                kind="filing",
                date=dt.date(2026, 2, 27),
                title="10-Q Apple Inc.: quarterly report",
                importance="medium",
                instruments=("AAPL.SIM",),
                reference="0000320193-26-000013",
            ),
        ),
        problems=("NotConfigured: ALPHAVANTAGE_API_KEY is not set",),
        held=("AAPL.SIM", "ES.SIM", "EURUSD.SIM"),
        ts=NOW,
    )


def answers(given: Stamp | None = None) -> dict[Question[Any], Any]:
    """Everything the Macro workspace asks, answered."""
    made: dict[Question[Any], Any] = {
        Factors(): factors(given),
        Regime(): regime(given),
        YieldCurves(): curves(given),
        Releases(): releases(given),
        WhatIsDue(): due(given),
        OneSeries("DGS10"): series("DGS10", given),
    }
    for row in TABLE:
        for years in (10, 20, 120):
            made[History(row[0], years)] = history(row[0], years, given)
    return made


def answers_as_of(day: dt.date, given: Stamp) -> dict[Question[Any], Any]:
    """Everything the workspace asks of a date: every line ends there."""
    made: dict[Question[Any], Any] = {
        Factors(day): factors(given),
        Regime(day): regime(given),
        YieldCurves(day): curves(given),
    }
    for row in TABLE:
        whole = history(row[0], 10, given)
        points = tuple(point for point in whole.points if point.date <= day)
        made[History(row[0], 10, day)] = msgspec.structs.replace(whole, points=points)
    return made


def not_configured() -> NotConfiguredError:
    """What is said without a key."""
    return NotConfiguredError(
        "FRED_API_KEY is not set",
        rule="FRED answers only with a key",
        fix="get a free one at https://fred.stlouisfed.org/docs/api/api_key.html and set FRED_API_KEY",
    )


def down() -> ProviderDownError:
    """What is said while FRED does not answer."""
    return ProviderDownError("FRED did not answer within 10 s", retry_after=30.0)
