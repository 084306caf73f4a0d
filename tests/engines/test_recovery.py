"""Things break for real: processes are killed, files torn, disks full. Nothing is lost, nothing doubled."""

from __future__ import annotations

import asyncio
import os
import random
import shutil
import signal
import sys
from collections.abc import AsyncIterator
from decimal import Decimal
from pathlib import Path

import pytest

from data.commands import CancelAll, SubmitBracket
from data.paths import Home
from data.problems import (
    ConflictError,
    EngineFailedError,
    OutcomeUnknownError,
    ProblemError,
    UnavailableError,
)
from data.records import (
    FINAL_STATUSES,
    WORKING_STATUSES,
    AccountUpdate,
    Fill,
    OrderUpdate,
    PositionUpdate,
)
from engines import books
from engines import charge as charge_module
from engines.nursery import Nursery
from engines.spec import EngineSpec
from engines.supervisor import Supervisor
from tests.engines.floor import Floor, KeepingSink, open_floor

P = "paper-1"
#: More seeds: `FAULT_SEEDS=1000 pytest tests/engines/test_recovery.py -k stream`.
SEEDS = int(os.environ.get("FAULT_SEEDS", "10"))


@pytest.fixture
async def home(tmp_path: Path) -> Home:
    return Home(tmp_path / "home").ensure()


@pytest.fixture
async def floor(home: Home) -> AsyncIterator[Floor]:
    async with open_floor(home) as opened:
        yield opened


async def killed_and_back(floor: Floor, engine: str = P) -> None:
    pid = floor.supervisor.status_of(engine).pid
    assert pid is not None
    os.kill(pid, signal.SIGKILL)
    await floor.sink.until(
        lambda: (
            floor.sink.statuses[engine][-1].state == "running"
            and floor.sink.statuses[engine][-1].pid not in (None, pid)
        )
    )


async def test_an_engine_that_holds_another_currency_comes_back(floor: Floor) -> None:
    """What such a position is worth is known with the first quote, which comes when the engine runs."""
    await floor.supervisor.start(EngineSpec(engine=P, speed="800", limits=_wide()))
    await floor.sink.quoted(P, "USDJPY.SIM")
    await floor.send(P, "USDJPY.SIM", "buy", "10000")
    await killed_and_back(floor)
    assert floor.sink.positions(P)["USDJPY.SIM"] == 10_000
    since = floor.sink.statuses[P][-1].ts
    await floor.sink.until(
        lambda: any(
            isinstance(found, AccountUpdate) and found.ts > since and found.equity is not None
            for found in floor.sink.latest.values()
        )
    )


async def test_a_killed_engine_comes_back_with_its_books_and_its_resting_order_fills(floor: Floor) -> None:
    await floor.supervisor.start(EngineSpec(engine=P, speed="800", limits=_wide()))
    await floor.sink.quoted(P, "BTCUSD.SIM")
    await floor.send(P, "AAPL.SIM", "buy", "100")
    bid = floor.sink.quote(P, "BTCUSD.SIM").bid
    assert bid is not None
    resting = await floor.send(
        P, "BTCUSD.SIM", "buy", "1", order_type="limit", price=bid - Decimal("0.50"), tif="gtc"
    )
    far = await floor.send(P, "AAPL.SIM", "buy", "1", order_type="limit", price=Decimal("50.00"), tif="gtc")
    cash = floor.sink.cash(P)
    await killed_and_back(floor)
    assert floor.sink.statuses[P][-1].restarts == 1
    await floor.sink.until(lambda: floor.sink.orders(P)[resting.client_order_id].status == "filled")
    assert floor.sink.orders(P)[far.client_order_id].status == "accepted"
    assert floor.sink.positions(P)["AAPL.SIM"] == 100
    position = floor.sink.latest[P, "PositionUpdate", "AAPL.SIM"]
    assert isinstance(position, PositionUpdate)
    assert position.avg_open == next(f.price for f in floor.sink.fills(P) if f.instrument == "AAPL.SIM")
    assert abs(floor.sink.cash(P) - cash) < 200  # commissions only
    assert floor.sink.orders(P)[resting.client_order_id].filled_qty == 1


async def test_a_gracefully_restarted_engine_keeps_everything_and_goes_on_where_prices_were(
    floor: Floor,
) -> None:
    await floor.supervisor.start(EngineSpec(engine=P, speed="400", limits=_wide()))
    before = await floor.sink.quoted(P, "AAPL.SIM")
    await floor.send(P, "AAPL.SIM", "sell", "100")
    stop = await floor.send(
        P, "AAPL.SIM", "buy", "100", order_type="stop_market", trigger_price=Decimal("500.00"), tif="gtc"
    )
    trail = await floor.send(
        P, "AAPL.SIM", "buy", "1", order_type="trailing_stop", trailing_offset=Decimal("90.00"), tif="gtc"
    )
    bracket = SubmitBracket(
        engine=P,
        client_order_id="BR",
        instrument="MSFT.SIM",
        side="buy",
        qty=Decimal(10),
        order_type="limit",
        price=Decimal("60.00"),
        take_profit=Decimal("70.00"),
        stop_loss=Decimal("50.00"),
    )
    await floor.supervisor.execute(bracket)
    untouched = floor.sink.orders(P)[stop.client_order_id]
    floor.sink.latest.clear()
    status = await floor.supervisor.restart(P)
    assert status.state == "running"
    after = await floor.sink.quoted(P, "AAPL.SIM")
    assert before.bid is not None
    assert after.bid is not None
    assert abs(after.bid - before.bid) < before.bid / 10
    orders = floor.sink.orders(P)
    assert orders[stop.client_order_id].status == orders[trail.client_order_id].status == "accepted"
    assert orders["BR"].status == "accepted"
    assert orders["BR-TP"].status == "sent"
    assert floor.sink.positions(P) == {"AAPL.SIM": Decimal(-100)}
    assert orders[stop.client_order_id] == untouched, "a restart changes nothing, so it journals nothing"
    reply = await floor.supervisor.execute(CancelAll(engine=P))
    assert {order.status for order in reply.orders} == {"cancelled"}
    await floor.sink.until(lambda: floor.sink.orders(P)["BR-SL"].status == "cancelled")


@pytest.mark.parametrize("seed", range(SEEDS))
async def test_a_stream_of_orders_survives_a_kill(home: Home, seed: int) -> None:
    """Orders of all kinds are sent while the engine is killed once at a random moment."""
    chance = random.Random(seed)
    async with open_floor(home) as floor:
        await floor.supervisor.start(EngineSpec(engine=P, speed="200", seed=seed, limits=_wide()))
        quote = await floor.sink.quoted(P, "AAPL.SIM")
        assert quote.bid is not None
        sent = [_random_order(chance, quote.bid, n) for n in range(40)]
        killer = asyncio.create_task(_kill_after(floor, chance.randrange(1, 60)))
        outcomes = await asyncio.gather(*(_sent(floor, o) for o in sent), return_exceptions=True)
        await killer
        await floor.sink.until(lambda: _came_back(floor))
        again = await asyncio.gather(*(_sent(floor, o) for o in sent), return_exceptions=True)
        assert not [r for r in again if isinstance(r, BaseException) and not isinstance(r, ProblemError)]
        assert not [r for r in again if isinstance(r, OutcomeUnknownError)]
        await _check_books(floor, home, sent, outcomes)


def _came_back(floor: Floor) -> bool:
    status = floor.sink.statuses[P][-1]
    return status.state == "running" and status.restarts == 1 and status.pid is not None


async def _kill_after(floor: Floor, entries: int) -> None:
    pid = floor.supervisor.status_of(P).pid
    assert pid is not None
    begun = floor.sink.last_seq(P)
    await floor.sink.until(lambda: floor.sink.last_seq(P) >= begun + entries)
    os.kill(pid, signal.SIGKILL)


def _random_order(chance: random.Random, bid: Decimal, n: int) -> tuple[str, str, dict[str, object]]:
    side = chance.choice(["buy", "sell"])
    kind = chance.choice(["market", "near", "far", "ioc"])
    fields: dict[str, object] = {"order_id": f"S-{n}"}
    if kind != "market":
        offset = Decimal(chance.randrange(-5, 30)) / 100 if kind == "near" else Decimal(20)
        sign = -1 if side == "buy" else 1
        fields |= {
            "order_type": "limit",
            "price": bid + sign * offset,
            "tif": "ioc" if kind == "ioc" else "gtc",
        }
    return side, str(chance.randrange(1, 50)), fields


async def _sent(floor: Floor, order: tuple[str, str, dict[str, object]]) -> OrderUpdate:
    side, qty, fields = order
    return await floor.send(P, "AAPL.SIM", side, qty, **fields)


async def _check_books(floor: Floor, home: Home, sent: list, outcomes: list) -> None:
    """Every order is in exactly one final or working state; journal, sink and engine agree."""
    await floor.sink.until(
        lambda: all(o.status in FINAL_STATUSES | WORKING_STATUSES for o in floor.sink.orders(P).values())
    )
    status = await _fresh_status(floor)
    orders = floor.sink.orders(P)
    assert set(orders) == {fields["order_id"] for _, _, fields in sent}
    for (_, _, fields), outcome in zip(sent, outcomes, strict=True):
        if isinstance(outcome, OrderUpdate) and outcome.status == "filled":
            assert orders[str(fields["order_id"])].status == "filled", "what was confirmed stays"
    journal = list(books.read_records(home.journal(P), 0))
    assert journal == floor.sink.records[P]
    fills = [r for r in journal if isinstance(r, Fill)]
    assert len({(f.client_order_id, f.trade_id) for f in fills}) == len(fills)
    for order in orders.values():
        assert order.filled_qty == sum(f.qty for f in fills if f.client_order_id == order.client_order_id)
        assert order.filled_qty <= order.qty
    net = sum((f.qty if f.side == "buy" else -f.qty for f in fills), Decimal(0))
    assert floor.sink.positions(P).get("AAPL.SIM", Decimal(0)) == net
    assert status.orders_working == sum(1 for o in orders.values() if o.status in WORKING_STATUSES)
    assert status.positions_open == (1 if net else 0)


async def _fresh_status(floor: Floor):
    seen = len(floor.sink.statuses[P])
    await floor.sink.until(lambda: len(floor.sink.statuses[P]) > seen + 1)
    return floor.sink.statuses[P][-1]


async def test_the_next_supervisor_adopts_and_hears_what_it_missed(home: Home) -> None:
    sink = KeepingSink()
    first = Supervisor(home, sink, [])
    await first.open()
    await first.start(EngineSpec(engine=P, speed="200", limits=_wide()))
    await Floor(home, sink, first).send(P, "AAPL.SIM", "buy", "10")
    pid = first.status_of(P).pid
    seen = sink.last_seq(P)
    sink.records[P] = sink.records[P][: seen - 2]  # the last two were never stored
    await first.close(stop_engines=False)
    async with open_floor(home, sink) as floor:
        assert floor.supervisor.status_of(P).pid == pid
        await sink.until(lambda: sink.last_seq(P) >= seen)
        order = await floor.send(P, "AAPL.SIM", "sell", "10", order_id="AFTER")
        assert order.status == "filled"
        assert sink.positions(P) == {}
        with pytest.raises(ConflictError):
            await floor.supervisor.start(EngineSpec(engine=P))


async def test_an_engine_that_died_with_nobody_watching_is_read_from_its_journal(home: Home) -> None:
    sink = KeepingSink()
    first = Supervisor(home, sink, [])
    await first.open()
    await first.start(EngineSpec(engine=P, limits=_wide()))
    order = await Floor(home, sink, first).send(P, "AAPL.SIM", "buy", "10")
    pid = first.status_of(P).pid
    assert pid is not None
    await first.close(stop_engines=False)
    descriptor = os.pidfd_open(pid)
    os.kill(pid, signal.SIGKILL)
    gone = asyncio.Event()
    asyncio.get_running_loop().add_reader(descriptor, gone.set)
    await gone.wait()
    asyncio.get_running_loop().remove_reader(descriptor)
    os.close(descriptor)
    sink.records.clear()
    second = Supervisor(home, sink, [EngineSpec(engine=P, limits=_wide())])
    await second.open()
    try:
        assert second.status_of(P).state == "stopped"
        assert sink.orders(P)[order.client_order_id].status == "filled"
    finally:
        await second.close(stop_engines=True)


async def test_a_crash_loop_ends_when_the_budget_is_spent(floor: Floor) -> None:
    await floor.supervisor.start(EngineSpec(engine=P, limits=_wide()))
    floor.supervisor._charges[P].budget._restarts = 1
    await killed_and_back(floor)
    pid = floor.supervisor.status_of(P).pid
    assert pid is not None
    os.kill(pid, signal.SIGKILL)
    await floor.sink.until(lambda: "budget is spent" in (floor.sink.statuses[P][-1].reason or ""))
    assert floor.sink.statuses[P][-1].state == "error"


async def test_an_engine_above_its_memory_is_stopped_with_the_reason(floor: Floor) -> None:
    try:
        await floor.supervisor.start(EngineSpec(engine=P, max_memory_mb=128))
    except EngineFailedError as error:  # it may be looked at before it runs
        assert "memory" in error.detail  # noqa: PT017  # a start that succeeds is as good
    await floor.sink.until(lambda: floor.sink.statuses[P][-1].state == "error")
    assert "memory" in (floor.sink.statuses[P][-1].reason or "")
    assert floor.supervisor.status_of(P).restarts == 0


async def test_an_engine_above_its_processor_limit_is_stopped_with_the_reason(
    floor: Floor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(charge_module, "CPU_PATIENCE_S", 0.5)
    await floor.supervisor.start(EngineSpec(engine=P, speed="max", max_cpu_percent=5, record=False))
    await floor.sink.until(lambda: floor.sink.statuses[P][-1].state == "error")
    assert "processor" in (floor.sink.statuses[P][-1].reason or "")


async def test_a_hung_engine_is_stopped_within_its_bound(
    floor: Floor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(charge_module, "STOP_TIMEOUT_S", 0.5)
    monkeypatch.setattr(charge_module, "TERM_TIMEOUT_S", 0.5)
    await floor.supervisor.start(EngineSpec(engine=P))
    charge = floor.supervisor._charges[P]
    assert charge.record is not None
    os.kill(charge.record.pid, signal.SIGSTOP)
    status = await floor.supervisor.stop(P)
    assert status.state == "stopped"
    assert "killed" in (status.reason or "")


async def test_an_engine_whose_journal_fails_stops_trading_and_says_so(home: Home) -> None:
    """A journal that can grow no further: the engine's file size limit is set from outside."""
    import resource

    async with open_floor(home) as floor:
        await floor.supervisor.start(EngineSpec(engine=P, record=False, limits=_wide()))
        await floor.sink.quoted(P, "AAPL.SIM")
        await floor.send(P, "AAPL.SIM", "buy", "1")
        pid = floor.supervisor.status_of(P).pid
        assert pid is not None
        size = home.journal(P).stat().st_size
        resource.prlimit(pid, resource.RLIMIT_FSIZE, (size + 100, resource.RLIM_INFINITY))
        with pytest.raises(OutcomeUnknownError):
            await floor.send(P, "AAPL.SIM", "buy", "1", order_id="LOST")
        await floor.sink.until(lambda: floor.sink.statuses[P][-1].state == "degraded")
        assert "journal" in (floor.sink.statuses[P][-1].reason or "")
        with pytest.raises(UnavailableError, match="journal"):
            await floor.send(P, "AAPL.SIM", "buy", "1", order_id="LATER")
        await floor.supervisor.restart(P)
        assert floor.sink.positions(P) == {"AAPL.SIM": Decimal(1)}
        assert "LOST" not in floor.sink.orders(P)


async def test_a_start_that_fails_says_why(floor: Floor, home: Home) -> None:
    with pytest.raises(EngineFailedError, match="does not list"):
        await floor.supervisor.start(EngineSpec(engine=P, instruments=("NONE.SIM",)))
    status = floor.supervisor.status_of(P)
    assert status.state == "error"
    assert "NONE.SIM" in (status.reason or "")
    home.journal("bad").write_bytes(b"this is no journal at all, and it is longer than a header")
    started = await floor.supervisor.start(EngineSpec(engine=P))
    assert started.state == "running"


async def test_a_dead_forkserver_is_replaced(floor: Floor) -> None:
    await floor.supervisor.start(EngineSpec(engine="a"))
    pid = floor.supervisor._nursery.pid
    assert pid is not None
    os.kill(pid, signal.SIGKILL)
    status = await floor.supervisor.start(EngineSpec(engine="b"))
    assert status.state == "running"
    assert floor.supervisor.status_of("a").state == "running"


async def test_a_forkserver_that_dies_while_it_is_waited_for_is_replaced(home: Home) -> None:
    exited: list[int] = []
    nursery = Nursery(home, lambda pid, _: exited.append(pid))
    await nursery.open()
    first = await nursery.fork(EngineSpec(engine="a"))
    forkserver = nursery.pid
    assert forkserver is not None
    os.kill(forkserver, signal.SIGKILL)
    # its end is there to be noticed, and is noticed only while the next engine is being asked for
    os.waitid(os.P_PID, forkserver, os.WEXITED | os.WNOWAIT)  # noqa: ASYNC222 - the loop is not to turn
    second = await nursery.fork(EngineSpec(engine="b"))
    assert nursery.pid != forkserver
    for pid in (first, second):
        os.kill(pid, signal.SIGKILL)
    await nursery.close()


async def test_a_forkserver_that_cannot_start_is_told_and_not_tried_for_ever(
    home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "executable", shutil.which("false"))
    nursery = Nursery(home, lambda pid, _: None)
    with pytest.raises(EngineFailedError, match="did not come up"):
        await nursery.fork(EngineSpec(engine="a"))
    await nursery.close()


def _wide():
    from risk.limits import GateLimits, OrderRate

    return GateLimits(order_notional=None, position_size=None, order_rate=OrderRate(10_000, 1))


async def test_a_torn_journal_keeps_its_good_part_and_says_so(floor: Floor, home: Home) -> None:
    await floor.supervisor.start(EngineSpec(engine=P, limits=_wide()))
    order = await floor.send(P, "AAPL.SIM", "buy", "10")
    await floor.supervisor.stop(P)
    with home.journal(P).open("ab") as file:
        file.write(b"half of a frame that never was")
    await floor.supervisor.start(EngineSpec(engine=P, limits=_wide()))
    await floor.sink.until(lambda: any("Journal damaged" in line.message for line in floor.sink.logs))
    assert floor.sink.orders(P)[order.client_order_id].status == "filled"
    await floor.sink.until(lambda: floor.sink.statuses[P][-1].positions_open == 1)
    (aside,) = home.journals.glob("*.torn-*")
    assert aside.read_bytes() == b"half of a frame that never was"


async def test_an_emergency_stop_cancels_and_flattens_first(floor: Floor) -> None:
    await floor.supervisor.start(EngineSpec(engine=P, limits=_wide()))
    await floor.sink.quoted(P, "AAPL.SIM")
    await floor.send(P, "AAPL.SIM", "buy", "10")
    resting = await floor.send(
        P, "AAPL.SIM", "buy", "1", order_type="limit", price=Decimal("50.00"), tif="gtc"
    )
    status = await floor.supervisor.stop(P, emergency=True)
    assert status.state == "stopped"
    assert floor.sink.positions(P) == {}
    assert floor.sink.orders(P)[resting.client_order_id].status == "cancelled"
