"""The kill switch on real engines: in a burst of orders, with brackets and positions, hung, gone, refused."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
import time
from collections.abc import AsyncIterator
from decimal import Decimal

import msgspec
import pytest
import pytest_asyncio

from data import journal
from data.commands import ModifyOrder, SetFeed, SubmitBracket, SubmitOrder
from data.kill import UNLOCK_PHRASE, EngineKill, KillOrder, KillStatus
from data.problems import ConflictError, DeniedError, ForbiddenError, NotFoundError, ProblemError
from data.records import FINAL_STATUSES, OrderUpdate
from engines import books, link, pidfile
from engines.killed import left_in_journal
from engines.killswitch import KillSwitch
from engines.latch import Latch, Latched
from engines.link import KillNow, KillProgress
from engines.spec import EngineSpec
from risk.limits import GateLimits, OrderRate
from tests.engines.floor import Floor

pytestmark = pytest.mark.asyncio(loop_scope="module")
P, Q = "paper-1", "paper-2"
WIDE = GateLimits(
    order_notional=Decimal(10_000_000), position_size=Decimal(50_000_000), order_rate=OrderRate(100_000, 1)
)
SENDERS = 40
#: On a machine that is busy an engine may take longer than in life; none of these tests is about time.
PATIENT_S = 30.0


def order(**fields: object) -> KillOrder:
    known: dict[str, object] = {"id": f"k{time.time_ns()}", "by": "ann", "via": "test", "ts": time.time_ns()}
    return KillOrder(**(known | fields))  # type: ignore[arg-type]


def switch(floor: Floor) -> KillSwitch:
    return KillSwitch(floor.home, block_s=PATIENT_S)


def spec(engine: str = P) -> EngineSpec:
    return EngineSpec(engine=engine, speed="200", limits=WIDE)


@pytest_asyncio.fixture(loop_scope="module", autouse=True)
async def running(floor: Floor) -> AsyncIterator[None]:
    """An engine that runs and is free; afterwards nothing is latched and every journal is clean."""
    states = {status.id: status.state for status in floor.supervisor.statuses()}
    if states.get(P) != "running":
        await floor.supervisor.start(spec())
    await floor.sink.quoted(P, "AAPL.SIM")
    yield
    if Latch(floor.home).read() is not None:
        await switch(floor).release(UNLOCK_PHRASE, "test")
    for path in floor.home.journals.glob("*.journal"):
        assert journal.verify(path).clean


async def resting(floor: Floor, engine: str = P) -> OrderUpdate:
    found = await floor.send(
        engine, "AAPL.SIM", "buy", "1", order_type="limit", price=Decimal("50.00"), tif="gtc"
    )
    assert found.status == "accepted"
    return found


def of(status: KillStatus, engine: str = P) -> EngineKill:
    return next(known for known in status.engines if known.engine == engine)


async def test_everything_is_cancelled_closed_verified_and_stays_latched_until_the_phrase(
    floor: Floor,
) -> None:
    await floor.send(P, "AAPL.SIM", "buy", "100")
    await floor.send(P, "BTCUSD.SIM", "sell", "2")
    rests = [(await resting(floor)).client_order_id for _ in range(3)]
    states: list[str] = []
    found = await switch(floor).pull(order(flatten=True, engine=P), lambda s: states.append(of(s).state))
    assert found.verified
    assert found.state == "latched"
    mine = of(found)
    assert (mine.cancelled, mine.flattened, mine.orders_left, mine.positions_left) == (3, 2, 0, 0)
    assert not mine.hung
    times = [mine.ts_blocked, mine.ts_cancelled, mine.ts_flattened, mine.ts_verified]
    assert all(times)
    assert times == sorted(times)  # type: ignore[type-var]
    steps = list(dict.fromkeys(states))
    assert steps == ["armed", "blocking", "cancelling", "flattening", "verified", "latched"]
    assert left_in_journal(floor.home, P).nothing(flat=True)
    await floor.sink.until(lambda: not floor.sink.positions(P))
    assert {floor.sink.orders(P)[name].status for name in rests} == {"cancelled"}

    with pytest.raises(DeniedError, match="kill_switch"):
        await floor.send(P, "AAPL.SIM", "buy", "1")
    with pytest.raises(ConflictError, match="ann"):
        await floor.supervisor.restart(P)
    with pytest.raises(ForbiddenError):
        await switch(floor).release("unlock", "ann")
    with pytest.raises(DeniedError, match="kill_switch"):
        await floor.send(P, "AAPL.SIM", "buy", "1")
    assert switch(floor).status().verified

    let_go = await switch(floor).release(UNLOCK_PHRASE, "ann")
    assert (let_go.state, let_go.released_by, let_go.problem) == ("armed", "ann", None)
    assert (await floor.send(P, "AAPL.SIM", "buy", "1")).status == "filled"
    assert switch(floor).status() == let_go


async def test_without_flatten_positions_are_kept_and_told_and_a_second_pull_may_close_them(
    floor: Floor,
) -> None:
    await floor.send(P, "AAPL.SIM", "buy", "10")
    held = floor.sink.positions(P)
    rest = await resting(floor)
    first = await switch(floor).pull(order(engine=P))
    assert first.verified
    assert of(first).positions == held
    assert of(first).positions_left == len(held)
    assert of(first).ts_flattened is None
    await floor.sink.until(lambda: floor.sink.orders(P)[rest.client_order_id].status == "cancelled")
    again = await switch(floor).pull(order(engine=P))
    assert again.verified
    assert of(again).cancelled == of(first).cancelled, "what was cancelled once is counted once"
    assert of(again).ts_blocked == of(first).ts_blocked
    both = await asyncio.gather(
        switch(floor).pull(order(engine=P, flatten=True)), switch(floor).pull(order(engine=P))
    )
    assert all(one.verified for one in both)
    assert left_in_journal(floor.home, P).nothing(flat=True)


async def test_no_order_reaches_the_venue_after_the_block_in_the_middle_of_a_burst(floor: Floor) -> None:
    begun = time.time_ns()
    ends: list[str] = []
    under_way, stop = asyncio.Event(), asyncio.Event()

    async def send(number: int) -> str:
        market = number % 3 == 0
        command = SubmitOrder(
            engine=P,
            client_order_id=f"B-{begun}-{number}",
            instrument="AAPL.SIM",
            side="buy",
            qty=Decimal(1),
            order_type="market" if market else "limit",
            price=None if market else Decimal("50.00"),
            tif="gtc",
        )
        try:
            return (await floor.supervisor.execute(command, 30)).orders[0].status
        except ProblemError as error:
            return error.type

    async def keep_sending(first: int) -> None:
        number = first
        while not stop.is_set():
            ends.append(await send(number))
            number += SENDERS
            if len(ends) >= 60:
                under_way.set()

    senders = [asyncio.create_task(keep_sending(first)) for first in range(SENDERS)]
    await under_way.wait()
    found = await switch(floor).pull(order(engine=P, flatten=True))
    stop.set()
    await asyncio.gather(*senders)
    assert set(ends) <= {"accepted", "filled", "cancelled", "denied"}
    assert found.verified
    blocked = of(found).ts_blocked
    assert blocked is not None
    records = [
        record
        for record in books.read_records(floor.home.journal(P), 0)
        if isinstance(record, OrderUpdate) and record.client_order_id.startswith(f"B-{begun}-")
    ]
    arrived = [r for r in records if r.event in ("OrderSubmitted", "OrderAccepted", "OrderFilled")]
    late = [r for r in arrived if r.ts > blocked]
    assert arrived
    assert late == []
    last = {record.client_order_id: record for record in records}
    assert len(last) == len(ends)
    assert {record.status for record in last.values()} <= FINAL_STATUSES
    denied = [r for r in last.values() if r.status == "denied"]
    assert denied, "the block fell in the middle of the burst"
    assert all("kill_switch" in (r.reason or "") for r in denied)
    assert of(found).cancelled == sum(r.status == "cancelled" for r in last.values())
    assert left_in_journal(floor.home, P).nothing(flat=True)


async def test_what_was_judged_before_the_block_and_has_not_left_is_denied(floor: Floor) -> None:
    """Orders, a modification and the kill arrive in one piece: all wait for the same journal write."""
    rest = await resting(floor)
    commands = [
        ModifyOrder(engine=P, client_order_id=rest.client_order_id, price=Decimal("51.00")),
        SubmitOrder(
            engine=P, client_order_id=floor.next_id("J"), instrument="AAPL.SIM", side="buy", qty=Decimal(1)
        ),
        SubmitBracket(
            engine=P,
            client_order_id=floor.next_id("J"),
            instrument="AAPL.SIM",
            side="buy",
            qty=Decimal(1),
            take_profit=Decimal("900.00"),
            stop_loss=Decimal("10.00"),
        ),
    ]
    kill = order(engine=P)
    Latch(floor.home).add(kill)
    reader, writer = await asyncio.open_unix_connection(floor.home.engine_socket(P))
    hello = link.Hello(link.PROTOCOL_VERSION, 1 << 62, "test")
    requests = [link.Request(f"r{n}", command) for n, command in enumerate(commands)]
    writer.write(link.encode(hello) + link.encode(*requests, KillNow(kill)))
    progress: list[EngineKill] = []
    replies: dict[str, link.Reply] = {}
    while not (progress and progress[-1].state == "latched") or len(replies) < 3:
        for message in await link.read_from_engine(reader):
            if isinstance(message, KillProgress):
                progress.append(message.progress)
            elif isinstance(message, link.Reply):
                replies[message.command_id] = message
    writer.close()
    assert progress[0].state == "blocking", "the first word is the block"
    assert not any(reply.ok for reply in replies.values())
    for name in ("r1", "r2"):
        problem = replies[name].problem
        assert problem is not None
        assert "kill_switch" in problem.detail
    blocked = progress[0].ts_blocked
    assert blocked is not None
    names = {getattr(command, "client_order_id", "") for command in commands[1:]}
    stories: dict[str, list[str]] = {}
    for record in books.read_records(floor.home.journal(P), 0):
        if isinstance(record, OrderUpdate) and record.client_order_id == rest.client_order_id:
            assert record.price == Decimal("50.00"), "the modification did not leave"
        if isinstance(record, OrderUpdate) and any(record.client_order_id.startswith(n) for n in names):
            stories.setdefault(record.client_order_id, []).append(record.event)
    assert len(stories) == 4
    assert all(events == ["OrderInitialized", "OrderDenied"] for events in stories.values()), stories


async def test_a_bracket_goes_with_its_exits(floor: Floor) -> None:
    quote = floor.sink.quote(P, "AAPL.SIM")
    assert quote.bid is not None
    name = floor.next_id("BR")
    await floor.supervisor.execute(
        SubmitBracket(
            engine=P,
            client_order_id=name,
            instrument="AAPL.SIM",
            side="buy",
            qty=Decimal(1),
            order_type="limit",
            price=Decimal("50.00"),
            take_profit=Decimal("900.00"),
            stop_loss=Decimal("10.00"),
        )
    )
    filled = floor.next_id("BR")
    await floor.supervisor.execute(
        SubmitBracket(
            engine=P,
            client_order_id=filled,
            instrument="AAPL.SIM",
            side="buy",
            qty=Decimal(5),
            take_profit=Decimal("900.00"),
            stop_loss=Decimal("10.00"),
        )
    )
    found = await switch(floor).pull(order(engine=P, flatten=True))
    assert found.verified
    assert found.problem is None
    ids = [f"{n}{tail}" for n in (name, filled) for tail in ("", "-TP", "-SL")]
    await floor.sink.until(lambda: all(floor.sink.orders(P)[i].status in FINAL_STATUSES for i in ids))
    assert left_in_journal(floor.home, P).nothing(flat=True)


async def test_a_drill_does_it_for_real_and_lets_go(floor: Floor) -> None:
    await floor.send(P, "AAPL.SIM", "buy", "3")
    rest = await resting(floor)
    found = await switch(floor).pull(order(engine=P, flatten=True, drill=True))
    assert found.verified
    assert found.state == "armed"
    assert found.released_by == "ann (drill)"
    assert of(found).ts_verified is not None
    assert of(found).cancelled == 1
    await floor.sink.until(lambda: floor.sink.orders(P)[rest.client_order_id].status == "cancelled")
    assert not floor.home.kill_latch.exists()
    assert (await floor.send(P, "AAPL.SIM", "buy", "1")).status == "filled"
    await switch(floor).pull(order(engine=P))
    with pytest.raises(ConflictError, match="latched"):
        await switch(floor).pull(order(engine=P, drill=True))
    assert floor.home.kill_latch.exists(), "a drill must not release a real kill"


async def test_a_hung_engine_is_ended_and_its_books_are_put_in_order_while_the_other_goes_on(
    floor: Floor,
) -> None:
    await floor.supervisor.start(spec(Q))
    await floor.sink.quoted(Q, "AAPL.SIM")
    for engine in (P, Q):
        await floor.send(engine, "AAPL.SIM", "buy", "7")
        await resting(floor, engine)
    hung = floor.supervisor.status_of(Q).pid
    well = floor.supervisor.status_of(P).pid
    assert hung is not None
    os.kill(hung, signal.SIGSTOP)
    found = await KillSwitch(floor.home, block_s=3.0).pull(order(flatten=True))
    assert found.verified, found.problem
    assert of(found, Q).hung
    assert of(found, Q).cancelled == 1
    assert of(found, Q).flattened == 1
    for engine in (P, Q):
        assert left_in_journal(floor.home, engine).nothing(flat=True)
    await floor.sink.until(lambda: floor.supervisor.status_of(Q).state == "stopped")
    assert "ann" in (floor.supervisor.status_of(Q).reason or "")
    assert floor.supervisor.status_of(P).pid == well or of(found, P).hung
    await floor.supervisor.look_again(Q)
    await floor.sink.until(lambda: not floor.sink.positions(Q))
    with pytest.raises(ConflictError, match="kill switch"):
        await floor.supervisor.start(spec(Q))
    assert list(pidfile.find(floor.home.run)) == [r for r in pidfile.find(floor.home.run) if r.pid != hung]


async def test_an_engine_that_died_or_stopped_before_is_put_in_order_too(floor: Floor) -> None:
    if floor.supervisor.status_of(Q).state != "running":
        await floor.supervisor.start(spec(Q))
        await floor.sink.quoted(Q, "AAPL.SIM")
    rest = await resting(floor, Q)
    await floor.supervisor.stop(Q)
    assert left_in_journal(floor.home, Q).orders == 1
    found = await switch(floor).pull(order(engine=Q))
    assert found.verified, found.problem
    assert of(found, Q).cancelled == 1
    assert not of(found, Q).hung
    await floor.supervisor.look_again(Q)
    assert floor.sink.orders(Q)[rest.client_order_id].status == "cancelled"
    assert (await floor.send(P, "AAPL.SIM", "buy", "1")).status == "filled", "the other was not meant"


async def test_an_engine_process_refuses_to_start_while_latched(floor: Floor) -> None:
    Latch(floor.home).add(order(engine="paper-9"))
    told = msgspec.json.encode({"spec": spec("paper-9"), "home": str(floor.home.root)})
    ended = await asyncio.to_thread(
        subprocess.run,
        [sys.executable, "-m", "engines.node.main"],
        input=told,
        capture_output=True,
        timeout=60,
        check=False,
    )
    assert ended.returncode == 3
    words = pidfile.PidFile(floor.home.run, "paper-9").read_failure()
    assert words is not None
    assert words.type == "conflict"
    assert "ann (test)" in words.detail
    assert not floor.home.journal("paper-9").exists()


async def test_a_position_without_a_market_is_told_and_tried_again_until_there_is_one(floor: Floor) -> None:
    await floor.send(P, "AAPL.SIM", "buy", "4")
    await floor.supervisor.execute(SetFeed(engine=P, action="pause"))
    pid = floor.supervisor.status_of(P).pid
    assert pid is not None
    # Restored from its journal and paused, the engine holds a position and knows no price for it.
    await floor.supervisor.stop(P)
    paused = msgspec.structs.replace(spec(), paused=True)
    await floor.supervisor.start(paused)
    told: list[str] = []

    def listen(status: KillStatus) -> None:
        told.append(of(status).problem or "")

    pulling = asyncio.create_task(switch(floor).pull(order(engine=P, flatten=True), listen))
    await floor.sink.until(lambda: any("no price" in said for said in told) or pulling.done())
    if not pulling.done():
        await floor.supervisor.execute(SetFeed(engine=P, action="resume"))
    found = await pulling
    assert found.verified
    assert found.problem is None
    assert left_in_journal(floor.home, P).nothing(flat=True)


async def test_an_engine_that_looked_for_the_latch_before_it_was_there_is_blocked_too(
    floor: Floor, monkeypatch: pytest.MonkeyPatch
) -> None:
    if any(one.id == Q and one.state == "running" for one in floor.supervisor.statuses()):
        await floor.supervisor.stop(Q)
    loop, add = asyncio.get_running_loop(), Latch.add

    def later(self: Latch, kill: KillOrder) -> Latched:
        asyncio.run_coroutine_threadsafe(floor.supervisor.start(spec(Q)), loop).result(60)
        return add(self, kill)

    monkeypatch.setattr(Latch, "add", later)
    found = await switch(floor).pull(order())
    assert found.verified, found.problem
    with pytest.raises(DeniedError, match="kill_switch"):
        await floor.send(Q, "AAPL.SIM", "buy", "1")
    await floor.supervisor.stop(Q)


async def test_a_log_that_cannot_be_written_holds_nothing_up_and_is_said(floor: Floor) -> None:
    log = Latch(floor.home).log
    kept = log.read_bytes() if log.exists() else b""
    log.unlink(missing_ok=True)
    log.mkdir()
    try:
        found = await switch(floor).pull(order(engine=P))
        assert of(found).state == "latched"
        assert "cannot write" in (found.problem or "")
        assert "NOT LATCHED" not in (found.problem or ""), "the latch is on the disk"
        assert Latch(floor.home).held(P) is not None
        let_go = await switch(floor).release(UNLOCK_PHRASE, "ann")
        assert (let_go.state, "cannot write" in (let_go.problem or "")) == ("armed", True)
        assert (await floor.send(P, "AAPL.SIM", "buy", "1")).status == "filled"
    finally:
        log.rmdir()
        log.write_bytes(kept)


async def test_an_engine_that_does_not_exist_is_said_so_and_nothing_is_latched(floor: Floor) -> None:
    with pytest.raises(NotFoundError, match="paper-77"):
        await switch(floor).pull(order(engine="paper-77"))
    assert not floor.home.kill_latch.exists()
    with pytest.raises(ConflictError, match="armed"):
        await switch(floor).release(UNLOCK_PHRASE, "ann")
