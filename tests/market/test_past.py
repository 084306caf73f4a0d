"""The simulated past: it ends at the present, a shorter one is the end of a longer one."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from engines.market.model import MarketModel
from engines.market.past import MINUTE_NS, day_so_far, opening_bars, past
from engines.market.universe import LISTINGS, UNIVERSE, calendar

FEW = tuple(LISTINGS[f"{symbol}.SIM"] for symbol in ("AAPL", "EURUSD", "ZN", "XRPUSD"))
NOON = 1_790_000_000 // 60 * MINUTE_NS


@settings(max_examples=10, deadline=None)
@given(seed=st.integers(0, 1000), minutes=st.integers(1, 3000), steps=st.integers(0, 2000))
def test_it_ends_at_the_present_price(seed: int, minutes: int, steps: int) -> None:
    model = MarketModel(FEW, seed)
    if steps:
        model.take(steps)
    bars = past(FEW, seed, model.standing, minutes)
    assert len(bars) == minutes
    assert np.array_equal(bars.close[-1], (model.standing.bid + model.standing.ask) // 2)
    assert (bars.low <= np.minimum(bars.open, bars.close)).all()
    assert (bars.high >= np.maximum(bars.open, bars.close)).all()
    assert bars.low.min() >= 1
    assert bars.volume.min() >= 0


@settings(max_examples=10, deadline=None)
@given(short=st.integers(1, 2000), more=st.integers(0, 2000))
def test_a_shorter_past_is_the_end_of_a_longer_one(short: int, more: int) -> None:
    standing = MarketModel(FEW, 3).standing
    brief, full = past(FEW, 3, standing, short), past(FEW, 3, standing, short + more)
    for name in ("open", "high", "low", "close", "volume"):
        assert np.array_equal(getattr(brief, name), getattr(full, name)[-short:])


def test_no_minutes_is_no_past() -> None:
    assert len(past(FEW, 3, MarketModel(FEW, 3).standing, 0)) == 0


def test_each_bar_opens_where_the_one_before_closed() -> None:
    bars = past(UNIVERSE, 7, MarketModel(UNIVERSE, 7).standing, 2880)
    # the last bar's close is set to the present; all joins before it are the path's own
    assert np.abs(bars.open[1:] - bars.close[:-1]).max() <= 1


def test_bars_are_marked_synthetic_and_lie_on_ticks() -> None:
    model = MarketModel(FEW, 3)
    bars = past(FEW, 3, model.standing, 90)
    records = list(bars.bars(0, NOON, calendar()))
    assert len(records) == 90
    assert records[-1].ts == NOON - MINUTE_NS
    assert [b.ts for b in records] == sorted(b.ts for b in records)
    for bar in records:
        assert bar.synthetic
        assert bar.source == "simulated"
        assert bar.low <= bar.open <= bar.high
        assert bar.close % FEW[0].tick == 0


def test_the_past_of_an_opening_market_joins_its_first_prices() -> None:
    bars = list(opening_bars(["AAPL.SIM", "EURUSD.SIM"], 7, 60, NOON, engine="paper-1"))
    assert len(bars) == 120
    assert {bar.engine for bar in bars} == {"paper-1"}
    standing = MarketModel((FEW[0], FEW[1]), 7).standing
    for index, listing in enumerate(FEW[:2]):
        last = [bar for bar in bars if bar.instrument == listing.id][-1]
        assert last.close == listing.tick * int((standing.bid[index] + standing.ask[index]) // 2)
        assert last.ts == NOON - MINUTE_NS


@settings(max_examples=20, deadline=None)
@given(minute=st.integers(0, 1439))
def test_the_day_so_far_is_that_of_the_bars_since_midnight(minute: int) -> None:
    midnight = NOON - NOON % (1440 * MINUTE_NS)
    now = midnight + minute * MINUTE_NS + 7
    standing = MarketModel(FEW, 3).standing
    days = day_so_far(FEW, 3, standing, now)
    for index, listing in enumerate(FEW):
        bars = list(past(FEW, 3, standing, minute + 1).bars(index, now, calendar()))
        today = [bar for bar in bars if bar.ts >= midnight]
        day = days[listing.id]
        assert len(today) == minute
        assert day.reference == bars[0].close
        assert day.low <= day.reference <= day.high
        assert day.volume == sum(bar.volume or 0 for bar in today)
        assert day.high == max([day.reference, *(bar.high for bar in today)])
        assert day.low == min([day.reference, *(bar.low for bar in today)])


def test_closed_minutes_are_left_out_when_hours_are_kept() -> None:
    bars = past(FEW, 3, MarketModel(FEW, 3).standing, 1440)
    hours = calendar(always_open=False)
    records = list(bars.bars(0, NOON, hours))
    assert 0 < len(records) < 1440
    assert all(hours.is_open("AAPL.SIM", bar.ts) for bar in records)
