"""Returns over common times: the basis, what is missing, what is left out; by hand."""

from __future__ import annotations

import datetime as dt

import numpy as np
import pytest

from data.closes import Closes
from risk.frames import DAY_NS, FINE_NS, returns_frame
from tests.risk.samples import INDEX_FILE, index, index_returns

MONDAY = 4 * DAY_NS  # 5 January 1970


def weekdays(count: int, *, start: int = MONDAY, step: float = 0.01, synthetic: bool = False) -> Closes:
    times = [start + day * DAY_NS for day in range(count * 2) if (start // DAY_NS + day + 3) % 7 < 5][:count]
    values = 100.0 * np.cumprod(1.0 + step * (np.arange(count) % 3 - 1))
    return Closes(np.array(times, np.int64), values, synthetic)


def minutes(count: int, *, start: int = MONDAY, leave: frozenset[int] = frozenset()) -> Closes:
    places = np.array([at for at in range(count) if at not in leave], np.int64)
    return Closes(start + places * FINE_NS, 100.0 + (places % 5), True)


def test_daily_bars_count_where_there_are_enough() -> None:
    frame = returns_frame(["A", "B"], {"A": weekdays(61), "B": weekdays(80)}, {})
    assert frame.basis == "1d"
    assert frame.instruments == ("A", "B")
    assert len(frame) == 60
    assert frame.periods_per_year == 252.0
    assert frame.periods_per_day == 1.0
    closes = weekdays(61).values
    assert frame.values[:, 0] == pytest.approx(closes[1:] / closes[:-1] - 1.0, abs=0)
    assert frame.columns(["B", "A"])[3].tolist() == [frame.values[3, 1], frame.values[3, 0]]
    assert not frame.synthetic
    assert not frame.missing
    assert frame.notes == ("19 returns are left out: not all instruments have them",)


def test_too_few_days_are_measured_from_five_minutes_and_said() -> None:
    frame = returns_frame(["A"], {"A": weekdays(60)}, {"A": minutes(3 * 288 + 1)})
    assert frame.basis == "5m"
    assert len(frame) == 3 * 288
    assert frame.synthetic
    assert frame.periods_per_day == 288.0
    assert frame.periods_per_year == 288.0 * 365.0
    assert "5-minute returns" in " ".join(frame.notes)


def test_too_little_of_both_is_missing_with_the_reason() -> None:
    frame = returns_frame(["A", "B"], {"A": weekdays(60)}, {"A": minutes(100)})
    assert len(frame) == 0
    assert frame.instruments == ()
    assert frame.missing["A"] == (
        "59 returns of daily bars, 60 are needed; 99 returns of 5-minute bars, 100 are needed"
    )
    assert frame.missing["B"].startswith("0 returns of daily bars")


def test_a_gap_is_no_return() -> None:
    frame = returns_frame(["A"], {}, {"A": minutes(300, leave=frozenset({50, 51}))})
    assert len(frame) == 299 - 3
    assert MONDAY + 52 * FINE_NS not in frame.times
    assert any(note.startswith("1 changes over gaps") for note in frame.notes)
    long = weekdays(100)
    later = np.where(np.arange(100) < 70, long.times, long.times + 30 * DAY_NS)
    assert len(returns_frame(["A"], {"A": Closes(later, long.values)}, {})) == 98


def test_one_without_common_days_does_not_cost_the_others_theirs() -> None:
    late = weekdays(70, start=MONDAY + 7 * 100 * DAY_NS)
    frame = returns_frame(["A", "B"], {"A": weekdays(90), "B": late}, {})
    assert frame.instruments == ("A",)
    assert len(frame) == 89
    assert frame.missing["B"].startswith("0 daily returns at the same times as the others")


def test_the_basis_that_tells_of_more_instruments_counts() -> None:
    fine = {"A": minutes(400), "B": minutes(400)}
    frame = returns_frame(["A", "B"], {"A": weekdays(61)}, fine)
    assert frame.basis == "5m"
    assert frame.instruments == ("A", "B")
    alone = returns_frame(["A", "B"], {"A": weekdays(61)}, {"B": minutes(400)})
    assert alone.basis == "1d"
    assert alone.instruments == ("A",)
    assert "0 returns of daily bars" in alone.missing["B"]


def test_markets_that_never_rest_have_365_days() -> None:
    times = MONDAY + np.arange(70, dtype=np.int64) * DAY_NS
    frame = returns_frame(["A"], {"A": Closes(times, np.linspace(1.0, 2.0, 70))}, {})
    assert frame.periods_per_year == 365.0


@pytest.mark.skipif(not INDEX_FILE.exists(), reason="recorded prices are not here")
def test_the_day_on_which_an_exchange_opens_again_counts() -> None:
    table = index()
    epoch = dt.date(1970, 1, 1)
    times = np.array([(day - epoch).days * DAY_NS for day in table["Date"]], np.int64)
    frame = returns_frame(["SPX.X"], {"SPX.X": Closes(times, table["Adj Close"].to_numpy())}, {})
    assert frame.values[:, 0] == pytest.approx(index_returns(), abs=1e-15)
    reopened = (dt.date(2001, 9, 17) - epoch).days * DAY_NS
    assert frame.values[frame.times == reopened, 0] == pytest.approx([-0.04922], abs=1e-5)
