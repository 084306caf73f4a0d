"""kill -9 of the daemon, an engine and a terminal, each in the middle of a stream of orders.

Afterwards every order is in exactly one final or working state, and journal, engine, store and
terminal tell the same: none lost, none twice.
"""

from __future__ import annotations

import asyncio
import os
import pty
import random
import signal
import sys
from decimal import Decimal
from pathlib import Path

import pytest

from data.commands import Outcome, SetFeed, StartEngine, SubmitOrder
from data.paths import Home
from data.problems import OutcomeUnknownError, ProblemError
from data.records import FINAL_STATUSES, WORKING_STATUSES, Fill, OrderUpdate
from engines import books
from nautilus_tui.client import ApiClient
from tests.integration.stack import Stack, Watcher, client, open_stack

P = "paper-1"
ORDERS = 40
SETTLED = FINAL_STATUSES | WORKING_STATUSES


def orders_of(seed: int, bid: Decimal) -> list[SubmitOrder]:
    """Return a reproducible mixture of orders."""
    chance = random.Random(seed)
    made = []
    for number in range(ORDERS):
        side = chance.choice(["buy", "sell"])
        limit = chance.random() < 0.5
        offset = Decimal(chance.randrange(-3, 40)) / 100
        made.append(
            SubmitOrder(
                engine=P,
                client_order_id=f"K-{number}",
                instrument="AAPL.SIM",
                side=side,  # type: ignore[arg-type]
                qty=Decimal(chance.randrange(1, 20)),
                order_type="limit" if limit else "market",
                price=(bid - offset if side == "buy" else bid + offset) if limit else None,
                tif="gtc",
            )
        )
    return made


async def sent(api: ApiClient, order: SubmitOrder) -> Outcome | ProblemError:
    try:
        return await api.execute(order, command_id=order.client_order_id, timeout=20)
    except ProblemError as error:
        return error


async def settle(stack: Stack, orders: list[SubmitOrder]) -> None:
    """Send every order again under its id until each has a definite answer."""
    waiting = list(orders)
    async with asyncio.timeout(60), client(stack) as api:
        while waiting:
            answers = await asyncio.gather(*(sent(api, order) for order in waiting))
            waiting = [
                order
                for order, answer in zip(waiting, answers, strict=True)
                if isinstance(answer, ProblemError) or answer.outcome == "unknown"
            ]


async def begin(stack: Stack) -> Decimal:
    async with client(stack) as api:
        await api.execute(StartEngine(engine=P, speed="200", max_order_rate="10000/1"), timeout=60)
        async with asyncio.timeout(60):
            while True:
                found = {quote.instrument: quote for quote in await api.quotes(P)}
                if "AAPL.SIM" in found:
                    break
        bid = found["AAPL.SIM"].bid
        assert bid is not None
        return bid


async def everything(api: ApiClient, what: str) -> list:
    items, cursor = [], None
    while True:
        page = await getattr(api, what)(P, limit=100, cursor=cursor)
        items += page.items
        cursor = page.next
        if cursor is None:
            return items


async def check(stack: Stack, watcher: Watcher, orders: list[SubmitOrder]) -> None:
    """Compare what journal, store, engine and terminal tell."""
    names = {order.client_order_id for order in orders}
    async with client(stack) as api:
        # While the market moves resting orders go on filling between one look and the next.
        await api.execute(SetFeed(engine=P, action="pause"))
        await fresh_status(api)
        await watcher.until(
            lambda: (
                set(watcher.mirror.orders.get(P, {})) >= names
                and all(o.status in SETTLED for o in watcher.mirror.orders[P].values())
            )
        )
        stored = {order.client_order_id: order for order in await everything(api, "orders")}
        fills = await everything(api, "fills")
        positions = {p.instrument: p.qty for p in await api.positions(P) if p.qty}
        status = await fresh_status(api)
    assert set(stored) == names
    assert {order.status for order in stored.values()} <= SETTLED
    never = {name for name, order in stored.items() if not order.seq}
    assert {stored[name].status for name in never} <= {"denied"}, "what no journal knows did not happen"
    stored = {name: order for name, order in stored.items() if name not in never}
    last, journal_fills = {}, []
    for record in books.read_records(stack.home.journal(P), 0):
        if isinstance(record, OrderUpdate):
            last[record.client_order_id] = record
        elif isinstance(record, Fill):
            journal_fills.append(record)
    assert {k: (o.status, o.filled_qty, o.seq) for k, o in last.items()} == {
        k: (o.status, o.filled_qty, o.seq) for k, o in stored.items()
    }
    assert {k: (o.status, o.filled_qty) for k, o in last.items()} == {
        k: (o.status, o.filled_qty) for k, o in watcher.mirror.orders[P].items() if k not in never
    }
    assert sorted(f.seq for f in journal_fills) == sorted(f.seq for f in fills)
    assert len({(f.client_order_id, f.trade_id) for f in fills}) == len(fills)
    for order in stored.values():
        assert order.filled_qty == sum(f.qty for f in fills if f.client_order_id == order.client_order_id)
    net = sum((f.qty if f.side == "buy" else -f.qty for f in fills), Decimal(0))
    assert positions.get("AAPL.SIM", Decimal(0)) == net
    seen = watcher.mirror.position_of(P, "AAPL.SIM")
    assert (Decimal(0) if seen is None else seen.position.qty) == net
    assert status.orders_working == sum(1 for o in stored.values() if o.status in WORKING_STATUSES)


async def fresh_status(api: ApiClient):
    """Return a status that was measured after now."""
    begun = (await api.engine(P)).ts
    async with asyncio.timeout(60):
        while (status := await api.engine(P)).ts == begun or status.orders_working is None:
            pass  # each round is a question to the daemon
    return status


@pytest.mark.parametrize("seed", [1, 2])
async def test_the_daemon_is_killed(tmp_path: Path, seed: int) -> None:
    async with open_stack(Home(tmp_path / "home")) as stack:
        bid = await begin(stack)
        orders = orders_of(seed, bid)
        watcher = Watcher(stack.address())
        async with client(stack) as api:
            pid = (await api.engine(P)).pid
            streaming = asyncio.gather(*(sent(api, order) for order in orders))
            await watcher.until(lambda: len(watcher.mirror.orders.get(P, {})) >= 3 * seed)
            await stack.kill_daemon()
            answers = await streaming
        assert any(isinstance(a, OutcomeUnknownError | ProblemError) for a in answers) or seed > 1
        await stack.start_daemon()
        await settle(stack, orders)
        await watcher.until(lambda: watcher.connections >= 2)
        await check(stack, watcher, orders)
        async with client(stack) as api:
            assert (await api.engine(P)).pid == pid, "the engine traded on"
        await watcher.close()


@pytest.mark.parametrize("seed", [3, 4])
async def test_the_engine_is_killed(tmp_path: Path, seed: int) -> None:
    async with open_stack(Home(tmp_path / "home")) as stack:
        bid = await begin(stack)
        orders = orders_of(seed, bid)
        watcher = Watcher(stack.address())
        async with client(stack) as api:
            pid = (await api.engine(P)).pid
            assert pid is not None
            streaming = asyncio.gather(*(sent(api, order) for order in orders))
            await watcher.until(lambda: len(watcher.mirror.orders.get(P, {})) >= 3 * (seed - 2))
            os.kill(pid, signal.SIGKILL)
            await streaming
        await watcher.until(
            lambda: watcher.mirror.engines[P].state == "running" and watcher.mirror.engines[P].pid != pid
        )
        await settle(stack, orders)
        await check(stack, watcher, orders)
        await watcher.close()


def read_away(master: int) -> asyncio.Event:
    """Read what a terminal paints so that it is never held up; the event is its first paint."""
    loop = asyncio.get_running_loop()
    painted = asyncio.Event()

    def read() -> None:
        try:
            os.read(master, 65536)
        except OSError:  # the other end is gone
            loop.remove_reader(master)
        painted.set()

    loop.add_reader(master, read)
    return painted


async def test_a_terminal_is_killed(tmp_path: Path) -> None:
    async with open_stack(Home(tmp_path / "home")) as stack:
        bid = await begin(stack)
        orders = orders_of(5, bid)
        watcher = Watcher(stack.address())
        master, slave = pty.openpty()
        command = [sys.executable, "-m", "nautilus_tui.cli.main", "--home", str(stack.home.root), "attach"]
        terminal = await asyncio.create_subprocess_exec(
            *command,
            stdin=slave,
            stdout=slave,
            stderr=slave,
            env=os.environ | {"TERM": "xterm-256color", "COLUMNS": "120", "LINES": "40"},
        )
        os.close(slave)
        painted = read_away(master)
        async with asyncio.timeout(120):
            await painted.wait()
        async with client(stack) as api:
            async with asyncio.timeout(60):
                while len(await api.connections()) < 2:
                    pass  # each round is a question to the daemon
            streaming = asyncio.gather(*(sent(api, order) for order in orders))
            await watcher.until(lambda: len(watcher.mirror.orders.get(P, {})) >= 5)
            terminal.kill()
            await terminal.wait()
            answers = await streaming
        assert all(isinstance(answer, Outcome) for answer in answers), "nobody else noticed"
        await check(stack, watcher, orders)
        again = Watcher(stack.address())
        await again.until(lambda: set(again.mirror.orders.get(P, {})) == {o.client_order_id for o in orders})
        assert again.mirror.orders[P] == watcher.mirror.orders[P]
        os.close(master)
        await watcher.close()
        await again.close()
