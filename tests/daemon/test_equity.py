"""Equity kept from marks, and returns from the history: over a real bus, store and history."""

from __future__ import annotations

import asyncio
from decimal import Decimal
from pathlib import Path

import numpy as np
import pytest

from data.bus import Bus
from data.history import History
from data.records import AccountUpdate, Bar
from data.state import State
from nautilus_tui.daemon.risk.equity import EquityKeeper
from nautilus_tui.daemon.risk.returns import ReturnsSource

SECOND = 1_000_000_000
MINUTE = 60 * SECOND
DAY = 1440 * MINUTE
START = 20_000 * DAY


class Clock:
    """A clock that is told the time."""

    def __init__(self) -> None:
        self.now = START

    def __call__(self) -> int:
        return self.now


def account(engine: str, equity: str | None, currency: str = "USD") -> AccountUpdate:
    return AccountUpdate(
        engine=engine,
        account_id=f"{engine}-001",
        currency=currency,
        balances=(),
        equity=None if equity is None else Decimal(equity),
        realized_pnl=Decimal(5),
        unrealized_pnl=Decimal(-2),
        ts=START,
        synthetic=True,
    )


async def test_equity_is_sampled_by_the_minute_and_its_peak_by_the_look(state: State) -> None:
    clock = Clock()
    bus = Bus("epoch", clock=clock)
    keeper = EquityKeeper(state.equity, bus, clock)
    assert keeper.peak("a") is None
    for seconds, equity in ((1, "100"), (6, "107"), (11, "103"), (61, "101"), (66, "99")):
        clock.now = START + seconds * SECOND
        bus.publish_records([account("a", equity)])
        await keeper.look()
    assert keeper.peak("a") == 107
    series = await keeper.series("a")
    assert series.times == (START + SECOND, START + 61 * SECOND)
    assert series.equity == (Decimal(100), Decimal(101))
    assert (series.currency, series.synthetic) == ("USD", True)
    days = await keeper.days("a")
    assert days.equity == (Decimal(101),)
    # The next daemon knows the peak, and the samples.
    again = EquityKeeper(state.equity, Bus("later", clock=clock), clock)
    await again.load()
    assert again.peak("a") == 107
    assert await again.series("a") == series


async def test_nothing_is_carried_forward(state: State) -> None:
    clock = Clock()
    bus = Bus("epoch", clock=clock)
    keeper = EquityKeeper(state.equity, bus, clock)
    bus.publish_records([account("a", "100"), account("b", "50"), account("c", None)])
    await keeper.look()
    clock.now += MINUTE
    bus.publish_records([account("b", "51")])  # a is not heard of any more
    await keeper.look()
    clock.now += MINUTE
    bus.publish_records([account("a", "90"), account("b", "52")])
    await keeper.look()
    assert [one.engine for one in await state.equity.samples()] == ["a", "a", "b", "b", "b"]
    together = await keeper.series()
    assert together.equity == (Decimal(150), Decimal(142))
    assert together.flows == (Decimal(0), Decimal(0))
    assert together.notes == ("1 periods are left out: not every engine's equity is known in them",)


async def test_a_store_that_fails_gets_the_samples_later(state: State) -> None:
    clock = Clock()
    bus = Bus("epoch", clock=clock)
    keeper = EquityKeeper(state.equity, bus, clock)
    await state._db.write(lambda tx: tx.run("ALTER TABLE equity_peaks RENAME TO away"))
    bus.publish_records([account("a", "100")])
    await keeper.look()
    assert keeper.problem is not None
    assert "equity is not kept" in keeper.problem
    assert await state.equity.samples() == []  # all of a minute, or nothing
    await state._db.write(lambda tx: tx.run("ALTER TABLE away RENAME TO equity_peaks"))
    clock.now += MINUTE
    bus.publish_records([account("a", "101")])
    await keeper.look()
    assert keeper.problem is None
    assert (await keeper.series("a")).equity == (Decimal(100), Decimal(101))
    assert [peak.equity for peak in await state.equity.peaks()] == [Decimal(101)]


# ---------------------------------------------------------------- returns


def bars(instrument: str, count: int, *, timeframe: str = "1d", engine: str | None = None) -> list[Bar]:
    width = DAY if timeframe == "1d" else 5 * MINUTE
    prices = [Decimal(100 + (at * 7) % 11) for at in range(count)]
    return [
        Bar(
            instrument=instrument,
            timeframe=timeframe,
            side="mid",
            open=price,
            high=price,
            low=price,
            close=price,
            ts=START + at * width,
            synthetic=engine is not None,
            source="import" if engine is None else "simulated",
            engine=engine,
        )
        for at, price in enumerate(prices)
    ]


def source(history: History, clock: Clock, *, until: int | None = None) -> ReturnsSource:
    return ReturnsSource(
        lambda: history,
        holders=lambda: {"A.X": {"a"}, "NONE.X": {"a"}},
        replayed_until=lambda _: until,
        clock=clock,
    )


async def test_returns_are_of_closed_bars_and_kept_for_a_minute(tmp_path: Path) -> None:
    clock = Clock()
    clock.now = START + 70 * DAY + MINUTE  # the 71st day is still forming
    history = History(tmp_path / "history", clock=clock)
    history.write_bars(bars("A.X", 71))
    returns = source(history, clock)
    frames = await asyncio.gather(*(returns.frame(["A.X", "NONE.X"]) for _ in range(3)))
    assert frames[0] is frames[1] is frames[2]
    frame = frames[0]
    assert (frame.basis, frame.instruments, len(frame)) == ("1d", ("A.X",), 69)
    closes = np.array([float(bar.close) for bar in bars("A.X", 70)])
    assert frame.values[:, 0] == pytest.approx(closes[1:] / closes[:-1] - 1.0, abs=1e-15)
    assert "NONE.X" in frame.missing
    history.write_bars(bars("NONE.X", 71))
    assert await returns.frame(["A.X", "NONE.X"]) is frame
    clock.now += MINUTE
    assert (await returns.frame(["A.X", "NONE.X"])).missing == {}


async def test_a_replay_does_not_know_its_future(tmp_path: Path) -> None:
    clock = Clock()
    clock.now = START + 1000 * DAY
    history = History(tmp_path / "history", clock=clock)
    history.write_bars(bars("A.X", 100))
    frame = await source(history, clock, until=START + 80 * DAY + MINUTE).frame(["A.X"])
    # The replay stands in the 81st day, whose stored bar is that day's future.
    assert int(frame.times[-1]) == START + 79 * DAY


async def test_another_engines_market_is_not_mixed_in(tmp_path: Path) -> None:
    clock = Clock()
    clock.now = START + 1000 * DAY
    history = History(tmp_path / "history", clock=clock)
    history.write_bars(bars("A.X", 200, timeframe="5m", engine="b"))
    returns = source(history, clock)
    assert "A.X" in (await returns.frame(["A.X"])).missing  # a holds it, and has recorded nothing
    other = await returns.frame(["A.X"], engine="b")
    assert (other.basis, len(other), other.synthetic) == ("5m", 199, True)
    assert (await returns.frame(["A.X"], engine="b", basis="1d")).missing
