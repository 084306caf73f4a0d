"""The latest prices, positions at their marks, engines' log lines."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import msgspec
import pytest

from data.bus import Bus
from data.paths import Home
from data.problems import ConflictError, InvalidRequestError, NotFoundError
from nautilus_tui.daemon.logs import TAIL_BYTES, EngineLogs
from nautilus_tui.daemon.market import Market
from nautilus_tui.daemon.present import Present
from tests.daemon.records import T0, account, log, position, quote


@pytest.fixture
def bus() -> Bus:
    return Bus("epoch")


def test_the_latest_quote_of_each_instrument_and_engine(bus: Bus) -> None:
    market = Market(bus)
    bus.publish_records(
        [
            quote(bid="1"),
            quote(bid="2", ts=T0 + 1),
            quote("MSFT.SIM", bid="3"),
            quote(engine="paper-2", bid="9", ts=T0 + 2),
        ]
    )
    assert [(q.instrument, q.engine, q.bid) for q in market.quotes()] == [
        ("AAPL.SIM", "paper-1", 2),
        ("AAPL.SIM", "paper-2", 9),
        ("MSFT.SIM", "paper-1", 3),
    ]
    assert [q.instrument for q in market.quotes("paper-2")] == ["AAPL.SIM"]
    assert market.quote("AAPL.SIM").engine == "paper-2"
    assert market.quote("AAPL.SIM", "paper-1").bid == 2
    with pytest.raises(NotFoundError):
        market.quote("NONE.SIM")
    with pytest.raises(NotFoundError):
        market.book("AAPL.SIM", "paper-1")


def test_a_simulated_price_never_stands_in_for_an_observed_one(bus: Bus) -> None:
    bus.publish_records([quote(), quote(engine="r1", synthetic=False)])
    market = Market(bus)
    with pytest.raises(ConflictError):
        market.quote("AAPL.SIM")
    assert market.quote("AAPL.SIM", "r1").source == "replay"


def test_positions_and_equity_are_shown_at_their_marks_if_these_are_of_the_same_state(bus: Bus) -> None:
    market = Market(bus)
    held = position("P", "3", seq=5)
    assert market.marked_positions([held]) == [held]
    bus.publish_records([msgspec.structs.replace(held, seq=0, mark=Decimal(190), ts=held.ts + 1)])
    assert market.marked_positions([held])[0].mark == 190
    grown = position("P", "4", seq=6)
    assert market.marked_positions([grown]) == [grown], "a mark of another quantity is not shown"
    money = account("10", seq=5)
    bus.publish_records([msgspec.structs.replace(money, seq=0, equity=Decimal(12), ts=money.ts + 1)])
    assert market.marked_accounts([money])[0].equity == 12
    later = account("20", seq=9)
    assert market.marked_accounts([later]) == [later], "an older mark is not shown"


# ---------------------------------------------------------------- logs


async def test_log_lines_are_filtered_and_paged_oldest_first(tmp_path: Path) -> None:
    present = Present()
    lines = [
        log(f"line {n}", level="error" if n % 5 == 0 else "info", order_id=f"O{n % 3}", ts=T0 + n)
        for n in range(20)
    ]
    present.logged("paper-1", lines)
    logs = EngineLogs(Home(tmp_path), present)
    page = await logs.lines(["paper-1"], limit=8)
    assert [line.message for line in page.items] == [f"line {n}" for n in range(12, 20)]
    present.logged("paper-1", [log("a later one", ts=T0 + 19)])  # what comes meanwhile moves nothing
    older = await logs.lines(["paper-1"], limit=8, cursor=page.next)
    assert [line.message for line in older.items] == [f"line {n}" for n in range(4, 12)]
    oldest = await logs.lines(["paper-1"], limit=8, cursor=older.next)
    assert [line.message for line in oldest.items] == [f"line {n}" for n in range(4)]
    assert oldest.next is None
    assert len((await logs.lines(["paper-1"], level="error")).items) == 4
    assert len((await logs.lines(["paper-1"], client_order_id="O1")).items) == 7
    assert [line.message for line in (await logs.lines(["paper-1"], contains="LINE 19")).items] == ["line 19"]
    for wrong in ({"level": "loud"}, {"cursor": "x"}):
        with pytest.raises(InvalidRequestError):
            await logs.lines(["paper-1"], **wrong)  # type: ignore[arg-type]  # one of two texts


async def test_an_engine_that_is_gone_is_heard_from_its_file(tmp_path: Path) -> None:
    home = Home(tmp_path).ensure()
    logs = EngineLogs(home, Present())
    assert (await logs.lines(["paper-1"])).items == []
    home.engine_log("paper-1").write_text(
        "x" * TAIL_BYTES + "\n2026-11-23T13:00:00.000000001Z [ERROR] TRADER-001.Node: it broke\nplain words\n"
    )
    page = await logs.lines(["paper-1"])
    assert [(line.level, line.message) for line in page.items] == [
        ("error", "it broke"),
        ("info", "plain words"),
    ]
    assert page.items[0].ts % 1_000_000_000 == 1
