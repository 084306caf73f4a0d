"""What analytics keep by themselves, and what they tell of an engine that does not run: over real stores."""

from __future__ import annotations

import itertools
from collections.abc import AsyncIterator
from decimal import Decimal
from pathlib import Path

import msgspec
import numpy as np
import pytest_asyncio

from data.bus import Bus
from data.equity_store import EquitySample
from data.history import History
from data.paths import Home
from data.records import AccountUpdate, Balance, Bar, Fill, OrderUpdate, PositionUpdate
from data.state import State
from engines.supervisor import Supervisor
from nautilus_tui.daemon.present import Present
from nautilus_tui.daemon.risk.accounts import Accounts
from nautilus_tui.daemon.risk.analytics import Analytics
from nautilus_tui.daemon.risk.equity import EquityKeeper
from nautilus_tui.daemon.risk.executions import ExecutionSource
from nautilus_tui.daemon.risk.portfolio import PortfolioWatch
from nautilus_tui.daemon.risk.returns import ReturnsSource
from nautilus_tui.daemon.sink import Sink
from nautilus_tui.daemon.watch import OrderWatch

SECOND = 1_000_000_000
DAY = 86_400 * SECOND
NOW = 20_000 * DAY + DAY // 2
DAYS = 400


def closes() -> list[Decimal]:
    generator = np.random.default_rng(11)
    path = 100.0 * np.cumprod(1.0 + 0.01 * generator.standard_normal(DAYS))
    return [Decimal(f"{price:.2f}") for price in path]


def bars() -> list[Bar]:
    return [
        Bar(
            instrument="A.X",
            timeframe="1d",
            side="last",
            open=price,
            high=price,
            low=price,
            close=price,
            ts=NOW - NOW % DAY - (DAYS - at) * DAY,
            synthetic=False,
            source="import",
        )
        for at, price in enumerate(closes())
    ]


class World:
    """The parts that analytics are made of, over a home; the engine ``a`` has traded and does not run."""

    def __init__(self, home: Home) -> None:
        self.now = NOW
        self.home = home
        self.state = State(home.state_db)
        self.state.open()
        self.bus = Bus("epoch", clock=self.clock)
        self.present = Present()
        sink = Sink(self.state, self.bus, self.present, OrderWatch(), lambda *_: [])
        self.history = History(home.history, clock=self.clock)
        self.watch = PortfolioWatch(
            bus=self.bus,
            present=self.present,
            supervisor=Supervisor(home, sink, []),
            clock=self.clock,
        )
        self.equity = EquityKeeper(self.state.equity, self.bus, self.clock)
        self.analytics = Analytics(
            state=self.state,
            accounts=Accounts(self.state, self.watch),
            returns=ReturnsSource(
                lambda: self.history,
                holders=self.present.holders,
                replayed_until=lambda _: None,
                clock=self.clock,
            ),
            equity=self.equity,
            executions=ExecutionSource(
                self.state, lambda: self.history, home.journal, replays=lambda _: False, clock=self.clock
            ),
            clock=self.clock,
        )

    def clock(self) -> int:
        return self.now

    async def trade(self) -> None:
        """Tell of a purchase of 100 at 100 that is worth 120 each by now."""
        order = OrderUpdate(
            engine="a", client_order_id="O-1", instrument="A.X", side="buy", order_type="market", tif="day",
            qty=Decimal(100), filled_qty=Decimal(100), status="filled", ts_init=NOW - DAY, ts=NOW - DAY,
            seq=1, synthetic=False, strategy="S-1",
        )  # fmt: skip
        fill = Fill(
            engine="a", trade_id="T-1", client_order_id="O-1", venue_order_id="V-1", instrument="A.X",
            side="buy", qty=Decimal(100), price=Decimal(100), commission=Decimal(1),
            commission_currency="USD", strategy="S-1", ts=NOW - DAY, seq=2, synthetic=False,
        )  # fmt: skip
        position = PositionUpdate(
            engine="a", position_id="A.X-S-1", instrument="A.X", qty=Decimal(100), avg_open=Decimal(100),
            realized_pnl=Decimal(-1), currency="USD", ts_opened=NOW - DAY, ts=NOW - DAY, seq=3,
            synthetic=False,
        )  # fmt: skip
        account = AccountUpdate(
            engine="a", account_id="X-001", currency="USD", ts=NOW - DAY, seq=4, synthetic=False,
            balances=(
                Balance(currency="USD", total=Decimal(99_999), locked=Decimal(0), free=Decimal(99_999)),
            ),
        )  # fmt: skip
        records = (order, fill, position, account)
        await self.state.fold("a", records)
        self.present.journalled(records)
        mark = {"seq": 0, "ts": NOW}
        self.bus.publish_records(
            [
                _with(position, mark=Decimal(120), unrealized_pnl=Decimal(2_000), rate=Decimal(1), **mark),
                _with(account, equity=Decimal(101_999), unrealized_pnl=Decimal(2_000), **mark),
            ]
        )


def _with[R: (PositionUpdate, AccountUpdate)](record: R, **changes: object) -> R:
    return msgspec.structs.replace(record, **changes)


@pytest_asyncio.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    world = World(Home(tmp_path / "home").ensure())
    world.history.write_bars(bars())
    await world.trade()
    yield world
    world.state.close()


async def test_the_var_of_the_day_is_kept_and_counts_as_history(world: World) -> None:
    await world.analytics.keep_var()
    for book in ("portfolio", "a"):
        (kept,) = await world.state.equity.var_days(book)
        prices = np.array([float(price) for price in closes()])
        loss = -np.quantile(prices[1:] / prices[:-1] - 1.0, 0.01) * 12_000
        assert abs(kept.var_99 - loss) < 0.01
        assert kept.basis == "1d"
        assert kept.equity == 101_999
        assert kept.es_975_10d is not None
    world.now += DAY
    await world.analytics.keep_var()
    assert len(await world.state.equity.var_days("a")) == 2
    found = {one.name: one for one in (await world.analytics.risk("a")).capital}
    assert found["expected_shortfall_97_5"].value is not None
    # Two days of VaR, and no day after one of them whose equity is kept.
    assert found["internal_model_capital"].not_applicable == (
        "250 days of the book's own VaR are needed; 0 are kept"
    )
    assert found["leverage_ratio"].value == 101_999 / 12_000


async def test_an_engine_that_does_not_run_is_told_from_the_store(world: World) -> None:
    found = await world.analytics.performance("a")
    assert (found.realized, found.unrealized, found.commission) == (
        Decimal("-1.00"),
        Decimal("2000.00"),
        Decimal("1.00"),
    )
    assert any("a is not running" in note for note in found.notes)
    assert not found.synthetic
    strategy = await world.analytics.strategy("S-1")
    assert (strategy.total, strategy.execution.orders) == (Decimal("1999.00"), 1)
    (row,) = (await world.analytics.execution("O-1")).rows
    assert row.reasons["arrival"] == "no quote was recorded in the minute before the order"
    assert row.reasons["ack"] == "its acknowledgement is not in the journal"
    later = await world.analytics.performance("a", since=NOW)
    assert (later.realized, later.unrealized) == (Decimal("0.00"), Decimal("2000.00"))
    assert any("since the positions were opened" in note for note in later.notes)


async def test_a_benchmark_is_of_the_same_basis(world: World) -> None:
    prices = closes()
    first = NOW - NOW % DAY - DAYS * DAY
    samples = [
        EquitySample(
            engine="a",
            ts=first + at * DAY + DAY - SECOND,
            equity=price * 1000,
            currency="USD",
            synthetic=False,
        )
        for at, price in enumerate(prices)
    ]
    for piece in itertools.batched(samples, 100, strict=True):
        await world.state.equity.put(piece)
    found = await world.analytics.performance("a", benchmark="A.X", rolling=60)
    assert found.basis == "1d"
    assert found.metrics["beta"] is not None
    assert abs(found.metrics["beta"] - 1.0) < 1e-9
    assert abs(found.metrics["alpha"] or 0.0) < 1e-9
    factor, specific = found.factors
    assert factor.factor == "A.X"
    assert abs(specific.contribution) < 1e-9
    assert len(found.rolling) == DAYS - 60
    assert abs((found.rolling[-1].figures["beta"] or 0.0) - 1.0) < 1e-9
