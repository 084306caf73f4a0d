"""The yield curve of a day, and the calendar by New York's clock."""

from __future__ import annotations

import datetime as dt
import json
from decimal import Decimal

import pytest

from data import forms
from data.problems import ProviderBadRequestError, ProviderDownError, ProviderError
from providers.core.http import Stamp
from providers.fred import calendar, catalogue, curve, releases
from providers.fred.archive import Reading
from providers.fred.calendar import USUAL, time_of, window
from providers.fred.client import Fred
from providers.fred.wire import Row, WireReleaseDate
from tests.providers.fred.conftest import TODAY, noon
from tests.providers.replay import recorded

STAMP = Stamp("fred", TODAY, 1_000, False)
NOW, MONTH, YEAR = dt.date(2026, 11, 25), dt.date(2026, 10, 23), dt.date(2025, 11, 25)


def readings(days: dict[dt.date, str | None], without: str = "") -> dict[str, Reading | ProviderError]:
    """Return the same yields for all maturities."""
    rows = tuple(
        Row(TODAY, TODAY, date, None if value is None else Decimal(value))
        for date, value in sorted(days.items())
    )
    found: dict[str, Reading | ProviderError] = {one: Reading(one, rows, STAMP) for one in curve.INPUTS}
    if without:
        found[without] = ProviderDownError("FRED fails with 503")
    return found


def test_the_curve_gives_way_to_the_nearest_day_before() -> None:
    # the 26th is a holiday; a month before the 25th is a Sunday
    days = {NOW: "4.1", dt.date(2026, 11, 26): None, MONTH: "4.2", dt.date(2026, 10, 26): "9.9", YEAR: "4.3"}
    now, month, year = curve.curves(readings(days), STAMP)
    assert [(one.label, one.date) for one in (now, month, year)] == [
        ("now", NOW),
        ("1 month ago", MONTH),
        ("1 year ago", YEAR),
    ]
    assert {point.value for point in now.points} == {Decimal("4.1")}
    assert {point.value for point in month.points} == {Decimal("4.2")}
    assert [one.problem for one in (now, month, year)] == [None] * 3
    assert [point.months for point in now.points] == sorted(point.months for point in now.points)


def test_without_yields_near_a_day_there_is_no_curve_of_it() -> None:
    now, month, year = curve.curves(readings({NOW: "4.1", dt.date(2026, 10, 10): "4.2"}), STAMP)
    assert now.problem is None
    for one in (month, year):
        assert one.date is None
        assert one.problem is not None
        assert {point.value for point in one.points} == {None}


def test_a_maturity_that_failed_leaves_the_others() -> None:
    now = curve.curves(readings({NOW: "4.1"}, without="DGS2"), STAMP)[0]
    values = {point.label: point.value for point in now.points}
    assert values.pop("2Y") is None
    assert set(values.values()) == {Decimal("4.1")}
    assert now.problem == "DGS2: ProviderDown: FRED fails with 503"


def test_yields_of_different_days_are_not_mixed() -> None:
    found = readings({NOW: "4.1"})
    ahead = Row(TODAY, TODAY, dt.date(2026, 11, 26), Decimal("5.0"))
    ten = found["DGS10"]
    assert isinstance(ten, Reading)
    found["DGS10"] = ten._replace(rows=(*ten.rows, ahead))
    now = curve.curves(found, STAMP)[0]
    assert now.date == NOW
    assert {point.value for point in now.points} == {Decimal("4.1")}


def test_nothing_at_all_is_three_curves_without_a_day() -> None:
    failed: dict[str, Reading | ProviderError] = {one: ProviderDownError("x") for one in curve.INPUTS}
    for one in curve.curves(failed, STAMP):
        assert one.date is None
        assert one.problem is not None
        assert "ProviderDown" in one.problem


async def test_the_curve_as_of_a_day_is_of_days_before_it(twin: Fred) -> None:
    curves = await twin.yield_curves(as_of=dt.date(2020, 3, 16))
    days = [one.date for one in curves]
    assert days == [dt.date(2020, 3, 13), dt.date(2020, 2, 13), dt.date(2019, 3, 13)]
    assert all(point.value is not None for one in curves for point in one.points)
    ten = await twin.series("DGS10", start=dt.date(2020, 3, 13), end=dt.date(2020, 3, 13))
    assert curves[0].points[8].value == ten.observations[0].value


# ---------------------------------------------------------------- calendar


@pytest.mark.parametrize(
    ("date", "expected"),
    [
        (dt.date(2026, 1, 9), "2026-01-09T13:30:00.000000000Z"),  # winter: five hours behind
        (dt.date(2026, 7, 2), "2026-07-02T12:30:00.000000000Z"),  # summer: four
        (dt.date(2026, 3, 6), "2026-03-06T13:30:00.000000000Z"),  # two days before the change
        (dt.date(2026, 3, 9), "2026-03-09T12:30:00.000000000Z"),
        (dt.date(2026, 11, 2), "2026-11-02T13:30:00.000000000Z"),
    ],
)
def test_half_past_eight_is_by_new_yorks_clock_of_that_day(date: dt.date, expected: str) -> None:
    moment = time_of(date, USUAL[50])
    assert moment is not None
    assert forms.iso(moment) == expected


def test_the_days_are_those_of_new_york() -> None:
    night = noon(TODAY) + 9 * 3600 * forms.NANOS  # 3 o'clock UTC, still the evening before there
    assert window(night, 1, 0) == (TODAY, TODAY + dt.timedelta(days=1))
    for ahead, back in ((-1, 0), (0, -1), (1000, 0)):
        with pytest.raises(ProviderBadRequestError):
            window(night, ahead, back)


def test_what_is_not_in_the_table_is_of_low_importance_and_has_no_time() -> None:
    rows = [
        WireReleaseDate(release_id=999, date=TODAY, release_name="Something"),
        WireReleaseDate(release_id=50, date=TODAY, release_name="Employment Situation"),
        WireReleaseDate(release_id=50, date=TODAY, release_name="Employment Situation"),
        WireReleaseDate(release_id=101, date=TODAY + dt.timedelta(days=30), release_name="later"),
    ]
    first, second = calendar.calendar(rows, window(noon(TODAY), 14, 0), STAMP)
    assert (first.release_id, first.importance) == (50, "high")
    assert "PAYEMS" in first.series
    assert (second.release_id, second.importance, second.ts_release, second.series) == (999, "low", None, ())


def test_releases_are_those_that_fred_has() -> None:
    """Ids in our tables mean the releases we think: by FRED's own list."""
    listed = json.loads(recorded("fred/fred_releases__20250120.json"))["releases"]
    names = {one["id"]: one["name"] for one in listed}
    assert {entry.release for entry in catalogue.ENTRIES} <= names.keys()
    assert USUAL.keys() <= names.keys()
    for release_id, release in releases.RELEASES.items():
        assert release.name == names[release_id]
    known = {
        "CPIAUCSL": "Consumer Price Index",
        "UNRATE": "Employment Situation",
        "GDP": "Gross Domestic Product",
        "PCEPI": "Personal Income and Outlays",
        "INDPRO": "G.17 Industrial Production and Capacity Utilization",
        "DGS10": "H.15 Selected Interest Rates",
        "RSAFS": "Advance Monthly Sales for Retail and Food Services",
        "HOUST": "New Residential Construction",
        "ICSA": "Unemployment Insurance Weekly Claims Report",
        "JTSJOL": "Job Openings and Labor Turnover Survey",
        "UMCSENT": "Surveys of Consumers",
        "SAHMREALTIME": "Sahm Rule Recession Indicator",
        "M2SL": "H.6 Money Stock Measures",
        "T10Y2Y": "Interest Rate Spreads",
        "BAMLH0A0HYM2": "ICE BofA Indices",
        "VIXCLS": "CBOE Market Statistics",
        "NFCI": "Chicago Fed National Financial Conditions Index",
        "STLFSI4": "St. Louis Fed Financial Stress Index",
        "USREC": "Recession Indicators Series",
        "DCOILWTICO": "Spot Prices",
        "DEXUSEU": "H.10 Foreign Exchange Rates",
        "GDPPOT": "Budget and Economic Outlook",
    }
    by_id = {entry.id: entry for entry in catalogue.ENTRIES}
    assert {series: names[by_id[series].release] for series in known} == known


def test_cpi_is_of_the_consumer_price_release_by_fred_itself() -> None:
    listed = json.loads(recorded("fred/fred_release_series__release-id-10__20250120.json"))["seriess"]
    assert set(catalogue.of_release(10)) <= {one["id"] for one in listed}


async def test_the_twins_calendar_reaches_into_the_future_and_the_past(twin: Fred) -> None:
    days = await twin.calendar(days_ahead=14, days_back=7)
    assert days == sorted(days, key=lambda one: one.date)
    assert days[0].date < TODAY < days[-1].date
    assert all(TODAY - dt.timedelta(days=7) <= one.date <= TODAY + dt.timedelta(days=14) for one in days)
    payrolls = next(one for one in days if one.release_id == 50)
    assert payrolls.date == dt.date(2026, 12, 4)
    assert payrolls.ts_release is not None
    assert forms.iso(payrolls.ts_release) == "2026-12-04T13:30:00.000000000Z"
    assert all(one.synthetic for one in days)
