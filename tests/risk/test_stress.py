"""Scenarios as they were, what they do to exposures, and what is not told."""

from __future__ import annotations

import datetime as dt
import json
import math

import polars as pl
import pytest

from data.problems import InvalidRequestError
from risk.stress import CRISIS_2008, SCENARIOS, Exposure, Shock, ShockUnit, apply, user_defined
from tests.risk.samples import INDEX_FILE, RECORDS, index

WEEKLY_YIELDS = RECORDS.parents[1] / "fred" / "fred_series_observations__series-id-WGS10YR__20250120.json"


def exposure(factor: str, unit: ShockUnit, sensitivity: float) -> Exposure:
    return Exposure(name=f"book of {factor}", factor=factor, unit=unit, sensitivity=sensitivity)


BOOK = (
    exposure("equity", "relative", 100_000.0),
    exposure("equity:tech", "relative", -20_000.0),
    exposure("rates", "basis_points", -45.0),
    exposure("volatility", "multiple", 3_000.0),
    exposure("liquidity", "multiple", -150.0),
    exposure("carbon", "relative", 10.0),
)


def test_by_hand() -> None:
    rates = apply(SCENARIOS["rates_up_200"], BOOK)
    assert rates.pnl == -9_000.0
    assert set(rates.left_out) == {one.name for one in BOOK} - {"book of rates"}
    assert apply(SCENARIOS["volatility_doubled"], BOOK).pnl == 3_000.0
    assert apply(SCENARIOS["liquidity"], BOOK).pnl == -300.0
    crisis = apply(SCENARIOS["2008"], BOOK)
    fall = 752.44 / 1251.70 - 1.0
    assert crisis.by_factor["equity"] == pytest.approx(80_000.0 * fall)
    assert crisis.by_factor["rates"] == pytest.approx(45.0 * 64.0)
    assert crisis.by_factor["volatility"] == pytest.approx(3_000.0 * (80.86 / 25.66 - 1.0))
    assert crisis.pnl == pytest.approx(sum(crisis.by_factor.values()))
    assert crisis.left_out == ("book of liquidity", "book of carbon")


def test_a_scenario_that_touches_nothing_is_not_a_loss_of_nothing() -> None:
    found = apply(SCENARIOS["rates_up_200"], [exposure("equity", "relative", 1.0)])
    assert (found.pnl, found.left_out) == (None, ("book of equity",))


def test_every_size_has_a_source() -> None:
    assert set(SCENARIOS) == {"2008", "covid_2020", "rates_up_200", "volatility_doubled", "liquidity"}
    for scenario in SCENARIOS.values():
        assert all(shock.source for shock in scenario.shocks)
    assert SCENARIOS["covid_2020"].shocks[0].size == pytest.approx(-0.3392, abs=1e-4)


@pytest.mark.skipif(not INDEX_FILE.exists(), reason="the recorded market data is not here")
def test_2008_is_what_the_index_did() -> None:
    assert CRISIS_2008.start is not None
    assert CRISIS_2008.end is not None
    closes = dict(index().select("Date", pl.col("Close")).iter_rows())
    fall = closes[CRISIS_2008.end] / closes[CRISIS_2008.start] - 1.0
    assert CRISIS_2008.shocks[0].size == pytest.approx(fall, abs=1e-5)
    autumn = [close for day, close in closes.items() if dt.date(2008, 9, 1) < day < dt.date(2008, 12, 31)]
    assert closes[CRISIS_2008.end] == min(autumn)


def test_shocks_of_ones_own() -> None:
    mine = user_defined("crash", [Shock(factor="equity", unit="relative", size=-0.5, source="mine")])
    assert apply(mine, BOOK).pnl == -40_000.0
    finer = user_defined(
        "tech crash",
        [
            Shock(factor="equity", unit="relative", size=-0.1, source="mine"),
            Shock(factor="equity:tech", unit="relative", size=-0.5, source="mine"),
        ],
    )
    assert apply(finer, BOOK).pnl == pytest.approx(0.0), "the finer shock goes first"


@pytest.mark.parametrize(
    ("unit", "size"),
    [("relative", -1.1), ("relative", math.nan), ("multiple", -0.1), ("basis_points", math.inf)],
)
def test_what_cannot_happen_is_refused(unit: ShockUnit, size: float) -> None:
    with pytest.raises(InvalidRequestError, match="cannot happen"):
        user_defined("odd", [Shock(factor="equity", unit=unit, size=size, source="mine")])


def test_what_does_not_fit_is_refused() -> None:
    with pytest.raises(InvalidRequestError, match="has no shocks"):
        user_defined("empty", [])
    twice = [Shock(factor="rates", unit="basis_points", size=1.0, source="mine")] * 2
    with pytest.raises(InvalidRequestError, match="shocks rates twice"):
        user_defined("twice", twice)
    with pytest.raises(InvalidRequestError, match="sensitive to relative"):
        apply(SCENARIOS["rates_up_200"], [exposure("rates", "relative", 1.0)])
    with pytest.raises(InvalidRequestError, match="book of rates is nan"):
        apply(SCENARIOS["rates_up_200"], [exposure("rates", "basis_points", math.nan)])


@pytest.mark.parametrize("name", ["2008", "covid_2020"])
def test_changes_of_yields_are_of_the_size_of_the_weekly_averages(name: str) -> None:
    if not WEEKLY_YIELDS.exists():
        pytest.skip("recorded yields are not here")
    rows = json.loads(WEEKLY_YIELDS.read_text())["observations"]
    weeks = {dt.date.fromisoformat(row["date"]): float(row["value"]) for row in rows if row["value"] != "."}

    def of_week(day: dt.date) -> float:
        return weeks[day + dt.timedelta(days=(4 - day.weekday()) % 7)]  # weeks end on Friday

    scenario = SCENARIOS[name]
    (shock,) = [one for one in scenario.shocks if one.factor == "rates"]
    assert scenario.start is not None
    assert scenario.end is not None
    by_week = (of_week(scenario.end) - of_week(scenario.start)) * 100.0
    # Daily yields are not recorded here; in such weeks a day may be 40 basis points from the average.
    assert shock.size == pytest.approx(by_week, abs=40.0)
    assert by_week < 0.0
