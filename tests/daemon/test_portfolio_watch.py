"""The portfolio put together from what was told: marks, quotes, accounts; what is missing or old is said."""

from __future__ import annotations

from decimal import Decimal
from typing import Any, cast

import pytest
from msgspec.structs import replace

from data.breach_store import KeptMarks
from data.bus import Bus
from data.problems import NotFoundError
from data.records import (
    AccountUpdate,
    Balance,
    EngineStatus,
    Fill,
    Instrument,
    PositionUpdate,
    Quote,
)
from engines.supervisor import Supervisor
from nautilus_tui.daemon.present import Present
from nautilus_tui.daemon.risk.portfolio import PortfolioWatch

D = Decimal
NOW = 1_700_000_000_000_000_000
SECOND = 1_000_000_000
P, Q = "paper-1", "paper-2"
SHEET = [
    Instrument(
        id="AAPL.SIM",
        symbol="AAPL",
        venue="SIM",
        name="Apple",
        asset_class="equity",
        currency="USD",
        tick_size=D("0.01"),
        price_precision=2,
        lot_size=D(1),
        size_precision=0,
        min_qty=D(1),
        sector="Technology",
    )
]
POSITION = PositionUpdate(
    engine=P,
    position_id="AAPL.SIM-MINE-000",
    instrument="AAPL.SIM",
    qty=D(100),
    avg_open=D(200),
    realized_pnl=D(0),
    currency="USD",
    ts_opened=NOW,
    ts=NOW,
    seq=1,
    synthetic=True,
)
ACCOUNT = AccountUpdate(
    engine=P,
    account_id="SIM-001",
    currency="USD",
    balances=(Balance(currency="USD", total=D(1000), locked=D(0), free=D(1000)),),
    ts=NOW,
    seq=2,
    synthetic=True,
)
QUOTE = Quote(
    instrument="AAPL.SIM",
    bid=D(210),
    ask=D(212),
    ts=NOW,
    ts_recv=NOW,
    synthetic=True,
    source="simulated",
    engine=P,
)


class Engines:
    """What a supervisor tells of engines."""

    def __init__(self) -> None:
        self.states = {P: "running"}
        self.sheet = SHEET

    def statuses(self) -> list[EngineStatus]:
        return [self.status_of(name) for name in self.states]

    def status_of(self, engine: str) -> EngineStatus:
        if engine not in self.states:
            raise NotFoundError(f"there is no engine {engine}")
        state = cast(Any, self.states[engine])
        return EngineStatus(
            id=engine, state=state, environment="SIM", feed="simulated", ts=NOW, synthetic=True
        )

    def instruments(self, engine: str) -> list[Instrument]:
        self.status_of(engine)
        return list(self.sheet)


class World:
    """A bus, what is present, and the watch over them."""

    def __init__(self) -> None:
        self.bus, self.present, self.engines = Bus("t", clock=lambda: NOW), Present(), Engines()
        self.now = NOW
        self.watch = PortfolioWatch(
            bus=self.bus,
            present=self.present,
            supervisor=cast(Supervisor, self.engines),
            peak={P: D(30_000)}.get,
            clock=lambda: self.now,
        )

    def holds(self, *positions: PositionUpdate) -> None:
        self.present.journalled(positions)

    def marked(self, **changes: Any) -> None:
        mark = replace(POSITION, seq=0, mark=D(211), rate=D(1))
        self.bus.publish_records((replace(mark, **changes),))

    def worth(self, **changes: Any) -> None:
        self.present.journalled([ACCOUNT])
        marked = replace(ACCOUNT, seq=0, equity=D(25_000), day_pnl=D(-300))
        self.bus.publish_records((replace(marked, **changes),))


@pytest.fixture
def world() -> World:
    return World()


def test_a_position_counts_at_its_mark(world: World) -> None:
    world.holds(POSITION)
    world.marked()
    world.worth()
    book = world.watch.snapshot()
    (one,) = book.holdings
    assert (one.value, one.sector, one.strategy, one.asset_class) == (
        D(21_100),
        "Technology",
        "MINE-000",
        "equity",
    )
    (money,) = book.money
    assert (money.equity, money.day_pnl, money.peak_equity) == (D(25_000), D(-300), D(30_000))
    assert (book.equity, book.problems, book.synthetic, book.ts) == (D(25_000), (), True, NOW)
    assert world.watch.snapshot(P) == book


def test_an_engine_that_trades_other_instruments_than_before_is_known_by_those(world: World) -> None:
    assert "AAPL.SIM" in world.watch.instruments(P)
    first = world.engines.sheet[0]
    world.engines.sheet = [replace(first, id="NEW.SIM"), *world.engines.sheet[1:]]
    assert "NEW.SIM" in world.watch.instruments(P), "as many as before, and not the same"
    assert world.watch.snapshot(Q).holdings == ()


def test_the_quantity_is_the_journals_also_when_the_mark_is_of_another(world: World) -> None:
    world.holds(replace(POSITION, qty=D(-40)))
    world.marked(qty=D(100))
    assert world.watch.snapshot().holdings[0].value == D(-8_440)


def test_without_a_mark_it_counts_where_it_could_be_closed(world: World) -> None:
    world.holds(POSITION)
    world.worth()
    world.bus.publish_records((QUOTE,))
    assert world.watch.snapshot().holdings[0].value == D(21_000)
    world.holds(replace(POSITION, qty=D(-100)))
    assert world.watch.snapshot().holdings[0].value == D(-21_200)
    world.bus.publish_records((replace(QUOTE, engine=Q, bid=D(1), ask=D(1)),))
    assert world.watch.snapshot().holdings[0].value == D(-21_200), (
        "what another engine was quoted is not ours"
    )


def test_what_is_not_known_is_none_and_said(world: World) -> None:
    world.holds(POSITION, replace(POSITION, position_id="p2", instrument="X.SIM", currency="EUR"))
    world.marked(position_id="p2", instrument="X.SIM", currency="EUR", rate=None)
    world.present.journalled([ACCOUNT])
    book = world.watch.snapshot()
    assert [one.value for one in book.holdings] == [None, None]
    assert book.equity is None
    assert set(book.problems) == {
        f"{P}: no price for AAPL.SIM",
        f"{P}: no exchange rate for EUR",
        f"{P}: its equity in USD is not known",
    }
    assert [one.asset_class for one in book.holdings] == ["equity", "unknown"]


def test_cash_is_equity_while_nothing_is_held(world: World) -> None:
    world.present.journalled([ACCOUNT])
    assert world.watch.snapshot().equity == D(1000)


def test_marks_of_an_engine_that_runs_and_are_old_are_said_to_be_old(world: World) -> None:
    world.holds(POSITION)
    world.marked()
    world.worth()
    world.now += 40 * SECOND
    assert world.watch.snapshot().problems == (f"{P}: marks of AAPL.SIM are up to 40 s old",)


def test_a_stopped_engine_holds_what_it_held(world: World) -> None:
    world.holds(POSITION)
    world.marked()
    world.worth()
    world.engines.states[P] = "stopped"
    book = world.watch.snapshot()
    assert (book.holdings[0].value, book.equity) == (D(21_100), D(25_000))
    assert book.problems == (f"{P} is stopped: its 1 positions count at their last marks",)
    assert world.watch.running() == frozenset()
    kept = world.watch.last_marks()

    later = World()
    later.engines.states[P] = "stopped"
    later.holds(POSITION)
    later.present.journalled([ACCOUNT])
    later.watch.kept = kept
    assert later.watch.snapshot().holdings[0].value == D(21_100)
    assert later.watch.snapshot().equity == D(25_000)
    later.marked(mark=D(100))
    later.watch.kept = KeptMarks()
    assert later.watch.snapshot().holdings[0].value == D(10_000)


def test_yesterdays_result_is_not_todays(world: World) -> None:
    world.holds(POSITION)
    world.marked()
    world.worth()
    world.now += 86_400 * SECOND
    assert world.watch.snapshot().money[0].day_pnl is None


def test_accounts_of_one_currency_are_added_up_and_others_are_said(world: World) -> None:
    world.worth()
    second = replace(ACCOUNT, account_id="SIM-002")
    world.present.journalled([second])
    world.bus.publish_records((replace(second, seq=0, equity=D(5_000)),))
    (money,) = world.watch.snapshot().money
    assert (money.equity, money.day_pnl) == (D(30_000), None), "the day of one account is not known"
    world.present.journalled([replace(ACCOUNT, engine=Q, currency="EUR", balances=())])
    book = world.watch.snapshot()
    assert book.equity is None
    assert f"{Q}: its account is in EUR, not in USD" in book.problems


def test_the_strategy_is_that_of_the_fills(world: World) -> None:
    fill = Fill(
        engine=P,
        trade_id="t",
        client_order_id="o",
        venue_order_id="v",
        position_id=POSITION.position_id,
        instrument="AAPL.SIM",
        side="buy",
        qty=D(100),
        price=D(200),
        commission=D(0),
        commission_currency="USD",
        strategy="TREND-001",
        ts=NOW,
        synthetic=True,
    )
    world.holds(POSITION)
    world.present.journalled([fill])
    assert world.watch.snapshot().holdings[0].strategy == "TREND-001"
    assert world.watch.strategies_of(P) == {POSITION.position_id: "TREND-001"}
