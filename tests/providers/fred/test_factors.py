"""Each factor against a value computed by hand, each alone with its failures, none looking ahead."""

from __future__ import annotations

import datetime as dt
import json
import math
from collections.abc import Mapping
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from data.macro import MacroFactor
from data.problems import ProviderBadRequestError, ProviderDownError, ProviderError, ProviderNotFoundError
from providers.core.http import Stamp
from providers.fred import catalogue, factors
from providers.fred.archive import Reading
from providers.fred.client import Fred
from providers.fred.timeline import shifted
from providers.fred.wire import Row
from tests.providers.fred.bodies import by_series, listing, months
from tests.providers.fred.conftest import TODAY, Connect
from tests.providers.replay import Given, Replay, Request, recorded

OBSERVATIONS = "/fred/series/observations"
STAMP = Stamp("fred", TODAY, 1_000, False)


def reading(series: str, values: Mapping[dt.date, str | None], stamp: Stamp = STAMP) -> Reading:
    """Return a series that was read."""
    rows = tuple(
        Row(TODAY, TODAY, date, None if value is None else Decimal(value)) for date, value in values.items()
    )
    return Reading(series, rows, stamp)


def compute(factor_id: str, **values: Mapping[dt.date, str | None]) -> MacroFactor:
    """Return a factor made of some values."""
    readings: dict[str, Reading | ProviderError] = {
        series: reading(series, given) for series, given in values.items()
    }
    return factors.compute(factors.find(factor_id), readings, STAMP, 7)


def by_month(*numbers: float) -> dict[dt.date, str | None]:
    """Return values by month that end in October 2026."""
    first = shifted(dt.date(2026, 10, 1), 1 - len(numbers))
    return dict(months(first, numbers))


def by_quarter(*numbers: float) -> dict[dt.date, str | None]:
    """Return values by quarter that end in the third of 2026."""
    last = dt.date(2026, 7, 1)
    return {shifted(last, 3 * (index + 1 - len(numbers))): str(one) for index, one in enumerate(numbers)}


def by_day(*numbers: float | None) -> dict[dt.date, str | None]:
    """Return values by day that end on 25 November 2026."""
    last = dt.date(2026, 11, 25)
    return {
        last - dt.timedelta(days=len(numbers) - 1 - index): None if one is None else str(one)
        for index, one in enumerate(numbers)
    }


YEAR = [100.0] * 12
# High yield stress by hand: 250 values of mean 3 and squared deviations 1, then 3 and 9: mean 762/252,
# variance (250 + 36 - 252 × (6/252)²)/251, so (9 - 762/252)/1.067180.
# VIX percentile by hand: 189 values below and half of the one itself, of 252.
CASES: dict[str, tuple[dict[str, dict[dt.date, str | None]], float]] = {
    "gdp_yoy": ({"GDPC1": by_quarter(200, 201, 202, 203, 205)}, 2.5),
    "output_gap": ({"GDPC1": by_quarter(198), "GDPPOT": by_quarter(200)}, -1.0),
    "industrial_production_yoy": ({"INDPRO": by_month(*YEAR, 97)}, -3.0),
    "retail_sales_yoy": ({"RSAFS": by_month(*YEAR, 104)}, 4.0),
    "housing_starts": ({"HOUST": by_month(1400, 1425)}, 1425),
    "consumer_sentiment": ({"UMCSENT": by_month(71.1, 72.4)}, 72.4),
    "unemployment": ({"UNRATE": by_month(4.1, 4.2)}, 4.2),
    "unemployment_change": ({"UNRATE": by_month(3.8, *[4.0] * 11, 4.3)}, 0.5),
    "payrolls_change": ({"PAYEMS": by_month(158_000, 158_142)}, 142),
    "payrolls_3m": ({"PAYEMS": by_month(158_000, 158_100, 158_150, 158_330)}, 110),
    "participation": ({"CIVPART": by_month(62.5)}, 62.5),
    "earnings_yoy": ({"AHETPI": by_month(*YEAR, 103.75)}, 3.75),
    "initial_claims": ({"ICSA": {dt.date(2026, 11, 21): "221000"}}, 221),
    "job_openings": ({"JTSJOL": by_month(7443)}, 7443),
    "sahm_rule": ({"SAHMREALTIME": by_month(0.43)}, 0.43),
    "cpi_yoy": ({"CPIAUCSL": by_month(*YEAR, 103)}, 3.0),
    "core_cpi_yoy": ({"CPILFESL": by_month(*YEAR, 102.5)}, 2.5),
    "pce_yoy": ({"PCEPI": by_month(*YEAR, 102)}, 2.0),
    "core_pce_yoy": ({"PCEPILFE": by_month(*YEAR, 102.8)}, 2.8),
    "breakeven_5y": ({"T5YIE": by_day(2.31)}, 2.31),
    "breakeven_10y": ({"T10YIE": by_day(2.28)}, 2.28),
    "fed_funds": ({"FEDFUNDS": by_month(3.88)}, 3.88),
    "real_policy_rate": ({"FEDFUNDS": by_month(4.5), "PCEPILFE": by_month(*YEAR, 102.8)}, 1.7),
    "yield_3m": ({"DGS3MO": by_day(3.9)}, 3.9),
    "yield_2y": ({"DGS2": by_day(3.6)}, 3.6),
    "yield_5y": ({"DGS5": by_day(3.7)}, 3.7),
    "yield_10y": ({"DGS10": by_day(4.1)}, 4.1),
    "yield_30y": ({"DGS30": by_day(4.7)}, 4.7),
    "slope_10y2y": ({"DGS10": by_day(4.1), "DGS2": by_day(3.6)}, 0.5),
    "slope_10y3m": ({"DGS10": by_day(4.1), "DGS3MO": by_day(4.35)}, -0.25),
    "slope_30y2y": ({"DGS30": by_day(4.7), "DGS2": by_day(3.6)}, 1.1),
    "curvature": ({"DGS5": by_day(3.7), "DGS2": by_day(3.6), "DGS10": by_day(4.1)}, -0.3),
    "m2_yoy": ({"M2SL": by_month(*YEAR, 104.5)}, 4.5),
    "hy_spread": ({"BAMLH0A0HYM2": by_day(3.05)}, 3.05),
    "hy_stress": ({"BAMLH0A0HYM2": by_day(*[2.0, 4.0] * 125, 3.0, 9.0)}, 5.599984),
    "baa_spread": ({"BAA10Y": by_day(1.75)}, 1.75),
    "nfci": ({"NFCI": {dt.date(2026, 11, 20): "-0.53"}}, -0.53),
    "stlfsi": ({"STLFSI4": {dt.date(2026, 11, 20): "-0.61"}}, -0.61),
    "vix": ({"VIXCLS": by_day(17.2)}, 17.2),
    "vix_percentile": ({"VIXCLS": by_day(*[10.0] * 189, *[30.0] * 62, 20.0)}, 75.198413),
    "dollar": ({"DTWEXBGS": by_day(121.5)}, 121.5),
    "euro": ({"DEXUSEU": by_day(1.1592)}, 1.1592),
    "oil": ({"DCOILWTICO": by_day(59.4)}, 59.4),
}


@pytest.mark.parametrize("factor_id", [factor.id for factor in factors.FACTORS])
def test_a_factor_is_what_its_formula_says(factor_id: str) -> None:
    values, expected = CASES[factor_id]
    factor = compute(factor_id, **values)
    assert factor.problem is None
    assert factor.value == pytest.approx(expected, abs=1e-5)
    assert factor.observed == max(date for one in values.values() for date in one)
    assert set(factor.inputs) == set(values)
    assert factor.spark[-1] == factor.value


def test_the_table_is_made_of_series_that_are_known_by_heart() -> None:
    known = {entry.id: entry for entry in catalogue.ENTRIES}
    assert len({factor.id for factor in factors.FACTORS}) == len(factors.FACTORS)
    for factor in factors.FACTORS:
        assert all(series in known for series in factor.inputs)
        assert all(known[series].frequency == factor.frequency for series in factor.inputs)
        assert factor.formula
    wanted = (
        "GDP GDPC1 GDPPOT INDPRO RSAFS HOUST UMCSENT UNRATE PAYEMS CIVPART AHETPI ICSA JTSJOL SAHMREALTIME"
        " CPIAUCSL CPILFESL PCEPI PCEPILFE T5YIE T10YIE FEDFUNDS DGS3MO DGS2 DGS5 DGS10 DGS30 T10Y2Y T10Y3M"
        " M2SL BAMLH0A0HYM2 BAA10Y VIXCLS DTWEXBGS DEXUSEU DCOILWTICO NFCI STLFSI4 USREC"
    )
    assert set(wanted.split()) <= set(known)


def test_cpi_yoy_is_of_thirteen_points_by_the_calendar() -> None:
    whole = by_month(*[100.0 + index for index in range(13)])
    assert compute("cpi_yoy", CPIAUCSL=whole).value == pytest.approx(12.0)
    twelve = dict(list(whole.items())[1:])
    assert compute("cpi_yoy", CPIAUCSL=twelve).value is None
    missing = {**whole, dt.date(2025, 10, 1): None}
    factor = compute("cpi_yoy", CPIAUCSL=missing)
    assert factor.value is None
    assert factor.observed is None
    assert factor.problem is not None
    assert "2026-10-01" in factor.problem


def test_cpi_yoy_of_recorded_values() -> None:
    rows = json.loads(recorded("fred/fred_series_observations__series-id-CPILFESL__20250120.json"))[
        "observations"
    ]
    values = {dt.date.fromisoformat(row["date"]): row["value"] for row in rows}
    factor = compute("core_cpi_yoy", CPILFESL=values)
    by_hand = 100 * (float(values[dt.date(2024, 12, 1)]) / float(values[dt.date(2023, 12, 1)]) - 1)
    assert factor.value == pytest.approx(by_hand)
    assert round(by_hand, 1) == 3.2  # as it was in the news
    assert factor.points == 120


def test_a_slope_joins_days_that_both_have() -> None:
    factor = compute("slope_10y2y", DGS10=by_day(4.0, 4.2, 4.4), DGS2=by_day(3.5, 3.6, None))
    assert factor.value == pytest.approx(0.6)
    assert factor.observed == dt.date(2026, 11, 24)
    assert factor.change == pytest.approx(0.1)
    nothing = compute("slope_10y2y", DGS10=by_day(4.0), DGS2=by_day(None))
    assert nothing.value is None
    assert nothing.problem is not None


def test_a_factor_is_as_old_as_its_oldest_input_and_stale_if_one_is() -> None:
    old = Stamp("fred", dt.date(2026, 11, 20), 500, False, "ProviderDown")
    readings: dict[str, Reading | ProviderError] = {
        "DGS10": reading("DGS10", by_day(4.0)),
        "DGS2": reading("DGS2", by_day(3.5), old),
    }
    factor = factors.compute(factors.find("slope_10y2y"), readings, STAMP, 7)
    assert (factor.fetched_at, factor.as_of, factor.stale) == (500, dt.date(2026, 11, 20), "ProviderDown")


def test_a_factor_whose_input_failed_says_so() -> None:
    readings: dict[str, Reading | ProviderError] = {
        "DGS10": reading("DGS10", by_day(4.0)),
        "DGS2": ProviderDownError("FRED fails with 503"),
    }
    slope = factors.compute(factors.find("slope_10y2y"), readings, STAMP, 7)
    assert slope.value is None
    assert slope.problem == "ProviderDown: FRED fails with 503"
    assert factors.compute(factors.find("yield_10y"), readings, STAMP, 7).value == 4.0


dates = st.dates(dt.date(1000, 1, 1), dt.date(2500, 1, 1)) | st.dates(dt.date(2015, 1, 1), TODAY)
numbers = (
    st.none() | st.decimals(-(10**40), 10**40, allow_nan=False) | st.sampled_from([Decimal(0), Decimal(1)])
)


@given(st.sampled_from(factors.FACTORS), st.data())
def test_whatever_the_inputs_are_a_factor_is_a_number_or_a_problem(
    factor: factors.Factor, data: st.DataObject
) -> None:
    readings: dict[str, Reading | ProviderError] = {}
    for series in factor.inputs:
        values = data.draw(st.dictionaries(dates, numbers, max_size=40))
        rows = tuple(Row(TODAY, TODAY, date, values[date]) for date in sorted(values))
        readings[series] = Reading(series, rows, STAMP)
    made = factors.compute(factor, readings, STAMP, 7)
    assert (made.value is None) == (made.problem is not None)
    for number in (made.value, made.change, made.change_year, made.zscore, made.percentile, *made.spark):
        assert number is None or math.isfinite(number)


async def test_a_series_that_fails_takes_only_its_own_factors_with_it(connect: Connect) -> None:
    values = {
        series: {date: text for date, text in given.items() if text is not None}
        for inputs, _ in CASES.values()
        for series, given in inputs.items()
    }
    del values["UNRATE"]
    route = by_series(values)

    def answer(request: Request) -> Given:
        if request.query["series_id"] == "DGS2":
            return 200, "text/html", b"<html>a portal</html>"
        return route(request)

    with Replay({OBSERVATIONS: answer}) as server:
        found = await connect(server.url).factors()
        asked = [one.query["series_id"] for one in server.asked(OBSERVATIONS)]
    assert len(asked) == len(set(asked)) == len(factors.inputs())
    problems = {one.id: one.problem.split(":")[0] for one in found if one.problem is not None}
    assert problems.pop("unemployment") == problems.pop("unemployment_change") == "NotFound"
    for broken in ("yield_2y", "slope_10y2y", "slope_30y2y", "curvature"):
        assert problems.pop(broken) == "BadPayload"
    assert {one.id for one in found if one.value is None} - problems.keys() == {
        "unemployment", "unemployment_change", "yield_2y", "slope_10y2y", "slope_30y2y", "curvature",
    }  # fmt: skip
    assert next(one.value for one in found if one.id == "slope_10y3m") is not None


async def test_factors_of_a_day_are_made_of_vintages_of_that_day(connect: Connect) -> None:
    """The server answers all vintages whatever it is asked, so the choice is the client's."""
    rows = []
    for index in range(14):
        month = shifted(dt.date(2025, 1, 1), index)
        published = shifted(month, 1) + dt.timedelta(days=9)
        final = published + dt.timedelta(days=30)
        rows += [
            {"realtime_start": str(published), "realtime_end": str(final - dt.timedelta(days=1)),
             "date": str(month), "value": str(100.0 + index)},
            {"realtime_start": str(final), "realtime_end": "9999-12-31",
             "date": str(month), "value": str(200.0 + 2 * index)},
        ]  # fmt: skip
    everything = listing("observations", rows, dt.date(1776, 7, 4), dt.date(9999, 12, 31))
    with Replay({OBSERVATIONS: everything}) as server:
        found = await connect(server.url).factors(as_of=dt.date(2026, 2, 15))
        asked = {one.query["series_id"]: one.query for one in server.asked(OBSERVATIONS)}
    by_id = {one.id: one for one in found}
    # on 15 February 2026 January 2026 (index 12) stood at its first value, January 2025 at its second
    assert by_id["cpi_yoy"].value == pytest.approx(100 * (112.0 / 200.0 - 1))
    assert by_id["cpi_yoy"].observed == dt.date(2026, 1, 1)
    assert by_id["unemployment"].value == 112.0
    assert all(one.as_of == dt.date(2026, 2, 15) for one in found)
    assert all(one.observed is None or one.observed < dt.date(2026, 2, 15) for one in found)
    archived = {entry.id for entry in catalogue.ENTRIES if entry.archived}
    assert all(asked[one]["realtime_start"] == "2026-02-15" for one in archived & asked.keys())


async def test_what_is_not_known_is_refused(twin: Fred) -> None:
    with pytest.raises(ProviderNotFoundError, match="no macro factor"):
        await twin.factor_history("nonsense")
    with pytest.raises(ProviderBadRequestError):
        await twin.factor_history("vix", years=0)


async def test_a_history_has_the_recessions_of_its_time(twin: Fred) -> None:
    history = await twin.factor_history("unemployment", years=20)
    assert history.synthetic
    assert (history.points[-1].date - history.points[0].date).days > 19 * 365
    assert [point.date for point in history.points] == sorted(point.date for point in history.points)
    assert len(history.recessions) >= 2
    for first, last in history.recessions:
        assert first.day == 1
        assert (last + dt.timedelta(days=1)).day == 1
        assert last >= history.points[0].date
    latest = next(one for one in await twin.factors() if one.id == "unemployment")
    assert history.points[-1].value == latest.value


async def test_a_history_goes_without_recessions_that_are_not_to_be_had(connect: Connect) -> None:
    with Replay({OBSERVATIONS: by_series({"VIXCLS": {dt.date(2026, 11, 25): "17.2"}})}) as server:
        history = await connect(server.url).factor_history("vix")
    assert [point.value for point in history.points] == [17.2]
    assert history.recessions == ()
    assert history.recessions_problem is not None
    assert history.recessions_problem.startswith("NotFound")
