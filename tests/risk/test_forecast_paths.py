"""Use of limits over prices, computed by hand; prices and returns from files, laid on a grid."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from data.problems import InvalidRequestError
from risk.forecast import paths, prices
from risk.forecast.paths import Watched
from risk.forecast.prices import DAY, MINUTE, Prices

NAN = math.nan


def series(*values: float, first: int = 0, step: float = 1.0) -> Prices:
    times = first + np.arange(len(values)) * round(step * MINUTE)
    return Prices(name="x", times=times, values=np.array(values), step=step, rows=len(values))


def use(kind: str, found: Prices) -> list[float]:
    path = paths.use_path(paths.parse(kind), found)
    return [round(one, 9) if one == one else one for one in path.use.tolist()]


def test_drawdown_runs_from_the_peak_and_begins_anew_after_a_breach() -> None:
    found = series(100, 110, 104.5, 88, 90, 72, 90)
    path = paths.use_path(Watched("drawdown", 0.1), found)
    assert path.use.tolist() == pytest.approx([0, 0, 0.5, 2.0, 0, 2.0, 0])
    assert path.starts.tolist() == [0, 4, 6]


def test_a_daily_loss_is_measured_from_the_day_before_and_a_gain_counts_against_it() -> None:
    found = series(100, 90, 110, 99, 121, first=DAY - 2 * MINUTE)
    assert use("daily_loss=0.1", found) == pytest.approx([0.0, 1.0, -20 / 9, -1.0, -31 / 9])
    path = paths.use_path(Watched("daily_loss", 0.1), found)
    assert path.starts.tolist() == [0, 2]
    assert path.until_reset.tolist() == [2, 1, 1440, 1439, 1438]


def test_a_position_is_entered_anew_each_day() -> None:
    found = series(100, 102, NAN, 204, 104.04, first=DAY - 2 * MINUTE)
    told = paths.use_path(Watched("gross_exposure", 1.02), found).use
    assert told[[0, 1, 3, 4]].tolist() == pytest.approx([1 / 1.02, 1.0, 2 / 1.02, 1.0])
    assert math.isnan(told[2])


def test_what_came_within_a_horizon_is_known_only_where_prices_are() -> None:
    found = series(100, 99, 98, 89, 95, NAN, 95, 95, 95)
    path = paths.use_path(Watched("drawdown", 0.1), found)
    told = paths.reached(path, found, 3)
    assert told[:3].tolist() == [1, 1, 1]
    assert np.isnan(told[3:]).tolist() == [True, True, False, True, True, True]
    assert told[5] == 0  # there was no price then, but there were after it
    assert paths.reached(path, found, 2)[:2].tolist() == [0, 1]
    late = series(100, 101, 103, 103, first=DAY - 2 * MINUTE)
    entered = paths.use_path(Watched("gross_exposure", 1.02), late)
    assert np.isnan(paths.reached(entered, late, 2)).all()  # the position is entered anew at midnight


@pytest.mark.parametrize(
    "text", ["drawdown", "drawdown=", "drawdown=0", "var=0.1", "gross_exposure=0.9", "daily_loss=nan"]
)
def test_a_limit_that_cannot_be_scored_is_refused(text: str) -> None:
    with pytest.raises(InvalidRequestError, match="no limit that can be scored"):
        paths.parse(text)


def test_usual_limits_are_set_by_the_days_before_only() -> None:
    rng = np.random.default_rng(1)
    calm = 100 * np.exp(np.cumsum(rng.normal(0, 1e-4, 2_880)))
    wild = calm[-1] * np.exp(np.cumsum(rng.normal(0, 1e-2, 1_440)))
    found = series(*calm, *wild)
    told = paths.usual(found, 2 * DAY)
    daily = 1e-4 * math.sqrt(1_440)
    assert [one.limit for one in told[:3]] == pytest.approx([0.5 * daily, daily, 2 * daily], rel=0.1)
    assert {one.kind for one in told} == set(paths.KINDS)
    with pytest.raises(InvalidRequestError, match="do not move"):
        paths.usual(series(*[100.0] * 50), DAY)


# ---------------------------------------------------------------- files


def test_a_price_belongs_to_the_minute_that_ends_with_it_and_holds_for_a_while() -> None:
    stamps = np.array([30, 59, 60, 61, 60 * 20], np.int64) * 1_000_000_000
    found = prices.on_grid("x", stamps, np.array([1.0, 2.0, 3.0, 4.0, 5.0]))
    assert (found.step, found.rows, len(found.values)) == (1.0, 5, 20)
    assert found.values[:3].tolist() == [3.0, 4.0, 4.0]
    assert np.isfinite(found.values[:12]).all()
    assert np.isnan(found.values[12:19]).all()
    assert found.values[19] == 5.0


def test_bars_quotes_and_returns_are_read(tmp_path: Path) -> None:
    hours = [f"2024-03-0{day} {hour:02}:00:00" for day in (4, 5) for hour in range(24)]
    closes = [100.0 + one for one in range(48)]
    bars = pl.DataFrame({"time": hours, "open": closes, "high": closes, "low": closes, "close": closes})
    bars.write_csv(tmp_path / "bars.csv")
    found = prices.read(tmp_path / "bars.csv")
    assert (found.step, found.rows) == (60.0, 48)
    assert found.values.tolist() == closes
    assert found.times[0] == 1_709_514_000_000_000_000  # a close is known at its hour's end
    quotes = pl.DataFrame({"timestamp": hours, "bid": closes, "ask": [one + 2 for one in closes]})
    quotes.write_csv(tmp_path / "quotes.csv")
    assert prices.read(tmp_path / "quotes.csv").values.tolist() == [one + 1 for one in closes]
    moves = pl.DataFrame({"Date": hours, "Return": [0.0, *(1 / one for one in closes[:-1])]})
    moves.write_parquet(tmp_path / "returns.parquet")
    told = prices.read(tmp_path / "returns.parquet")
    assert told.values.tolist() == pytest.approx([one / 100.0 for one in closes])


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("return\n0.1\n", "no times"),
        ("time,return\n2024-01-01,0.1\n2024-01-02,-1.5\n", "is no return"),
        ("time,return\n2024-01-01,0.1\n2024-01-02,x\n", "line 3 cannot be read"),
        ("time,return\nsoon,0.1\nlater,0.1\n", "cannot be read"),
        ("time,price\n2024-01-01 10:00:00,100\n2024-01-01 10:01:00,-3\n", "not positive"),
    ],
)
def test_a_wrong_file_is_refused_with_its_row(tmp_path: Path, text: str, problem: str) -> None:
    (tmp_path / "f.csv").write_text(text)
    with pytest.raises(InvalidRequestError, match=problem):
        prices.read(tmp_path / "f.csv")
