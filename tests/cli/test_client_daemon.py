"""The public client against a real daemon: every question typed, commands idempotent, streams that resume."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import AsyncIterator
from decimal import Decimal

import msgspec
import pytest

from data.commands import SendBroadcast, SubmitOrder
from data.problems import ForbiddenError, InvalidRequestError, NotFoundError, UnauthorizedError
from data.records import Book, Broadcast, Fill, OrderUpdate, Quote
from nautilus_tui.cli import background
from nautilus_tui.client import Address, ApiClient, Batch, ConnectionChanged, NotReachableError, StreamClient
from nautilus_tui.client.envelopes import Envelope, Snapshot
from nautilus_tui.client.ids import mint_command_id, mint_order_id
from tests.cli.driving import CommandLine


@pytest.fixture
async def api(trading: CommandLine) -> AsyncIterator[ApiClient]:
    async with ApiClient(Address.local(trading.home)) as client:
        yield client


def buy(symbol: str, qty: str) -> SubmitOrder:
    return SubmitOrder(
        engine="paper-1", client_order_id=mint_order_id(), instrument=symbol, side="buy", qty=Decimal(qty)
    )


async def test_every_question_gets_typed_records(api: ApiClient) -> None:
    assert (await api.health()).ready
    assert (await api.engine("paper-1")).state == "running"
    assert "paper-1" in {e.id for e in await api.engines()}
    with pytest.raises(NotFoundError):
        await api.engine("nobody")
    instruments = {i.id: i for i in await api.instruments("paper-1")}
    assert instruments["AAPL.SIM"].tick_size == Decimal("0.01")
    quote = await api.quote("AAPL.SIM")
    assert isinstance(quote.bid, Decimal)
    assert quote.ts > 1_700_000_000_000_000_000
    book = await api.book("AAPL.SIM")
    assert isinstance(book, Book)
    assert book.bids[0].price < book.asks[0].price
    bars = await api.bars("AAPL.SIM", "1m", limit=5)
    assert [bar.ts for bar in bars] == sorted(bar.ts for bar in bars)
    with pytest.raises(InvalidRequestError):
        await api.bars("AAPL.SIM", "17q")
    logs = await api.engine_logs("paper-1", limit=5)
    assert len(logs.items) == 5
    assert (await api.account("paper-1"))[0].currency == "USD"
    assert isinstance(await api.positions(), list)
    assert isinstance(await api.catalogue(), list)
    assert (await api.stream_health())["status"]
    assert isinstance(await api.connections(), list)
    assert isinstance(await api.tokens(), list)
    table = await api.sql("SELECT 1 AS one, 'x' AS two")
    assert table.columns == ["one", "two"]
    assert table.rows == [[1, "x"]]
    with pytest.raises(NotFoundError):
        await api.order("never")


async def test_a_command_is_carried_out_once_and_audited(api: ApiClient) -> None:
    command, key = buy("META.SIM", "3"), mint_command_id()
    answers = [await api.execute(command, command_id=key, wait="final") for _ in range(3)]
    assert [a.outcome for a in answers] == ["done"] * 3
    assert len({a.orders[0].venue_order_id for a in answers}) == 1
    order = await api.order(command.client_order_id)
    assert (order.status, order.filled_qty) == ("filled", Decimal(3))
    fills = [f for f in (await api.fills()).items if f.client_order_id == order.client_order_id]
    assert sum(f.qty for f in fills) == 3
    audited = [e for e in (await api.audit(command="order.submit")).items if e.command_id == key]
    assert {e.outcome for e in audited} >= {"started", "done"}


async def test_orders_come_in_pages(api: ApiClient) -> None:
    for _ in range(3):
        assert (await api.execute(buy("ZN.SIM", "1"), wait="final")).outcome == "done"
    first = await api.orders(instrument="ZN.SIM", limit=2)
    rest = await api.orders(instrument="ZN.SIM", limit=2, cursor=first.next)
    ids = [order.client_order_id for order in first.items + rest.items]
    assert len(first.items) == 2
    assert len(ids) == len(set(ids)) >= 3


async def test_without_a_daemon_nothing_was_sent(cli: CommandLine) -> None:
    async with ApiClient(Address.local(cli.home)) as client:
        with pytest.raises(NotReachableError):
            await client.health()
        with pytest.raises(NotReachableError):
            await client.execute(buy("AAPL.SIM", "1"))


async def collect(stream: StreamClient, wanted: int, *types: str) -> list[Envelope]:
    """Listen until so many envelopes of the types came."""
    found: list[Envelope] = []
    async for event in stream:
        if isinstance(event, Batch):
            found += [e for e in event.envelopes if e.type in types]
        if len(found) >= wanted:
            return found
    return found


async def test_quotes_stream_with_a_snapshot_first(trading: CommandLine) -> None:
    address = Address.local(trading.home)
    async with StreamClient(address, ["quotes.AAPL.SIM"]) as first, asyncio.timeout(90):
        await collect(first, 1, "quote")  # from now on there is something to take a snapshot of
    async with StreamClient(address, ["quotes.AAPL.SIM"]) as stream, asyncio.timeout(90):
        heard = await collect(stream, 5, "snapshot", "quote")
    found = [e for e in heard if e.topic == "quotes.AAPL.SIM"]  # broadcasts are told to everyone too
    assert isinstance(found[0].data, Snapshot)
    assert isinstance(found[0].data.records[0], Quote)
    assert all(isinstance(e.data, Quote) and e.data.instrument == "AAPL.SIM" for e in found[1:])
    seqs = [e.seq for e in found]
    assert seqs == sorted(seqs)


async def test_an_order_is_told_on_the_stream_to_tcp_clients_by_role(trading: CommandLine) -> None:
    assert trading.url is not None
    made = await asyncio.to_thread(trading, "token", "create", "listener", "--role", "viewer")
    token = made.out.strip()
    address = Address.remote(trading.url.replace("http", "ws"), token)
    async with StreamClient(address, ["orders.paper-1", "fills.paper-1"]) as stream, asyncio.timeout(90):
        async for event in stream:
            if isinstance(event, ConnectionChanged) and event.state == "connected":
                assert event.role == "viewer"
            if isinstance(event, Batch) and any(e.type == "snapshot" for e in event.envelopes):
                break
        async with ApiClient(address) as viewer:
            assert (await viewer.quote("KO.SIM")).instrument == "KO.SIM"
            with pytest.raises(ForbiddenError):
                raise_for(await viewer.execute(buy("KO.SIM", "1")))
        async with ApiClient(Address.local(trading.home)) as api:
            command = buy("KO.SIM", "2")
            listening = asyncio.create_task(collect(stream, 1, "fill"))
            await api.execute(command, wait="final")
            [fill] = await listening
    assert isinstance(fill.data, Fill)
    assert fill.data.client_order_id == command.client_order_id


def raise_for(outcome: object) -> None:
    from data.commands import Outcome
    from data.problems import from_document

    assert isinstance(outcome, Outcome)
    if outcome.problem is not None:
        raise from_document(outcome.problem)


async def test_a_wrong_token_ends_the_stream(trading: CommandLine) -> None:
    assert trading.url is not None
    stream = StreamClient(Address.remote(trading.url, "ntui_wrong"), ["quotes.>"])
    with pytest.raises(UnauthorizedError):
        async with asyncio.timeout(90):
            await collect(stream, 1, "quote")


async def test_a_broadcast_reaches_who_is_attached(trading: CommandLine, api: ApiClient) -> None:
    async with StreamClient(Address.local(trading.home), ["system.broadcast"]) as stream, asyncio.timeout(90):
        async for event in stream:
            if isinstance(event, ConnectionChanged) and event.state == "connected":
                break
        listening = asyncio.create_task(collect(stream, 1, "broadcast"))
        await api.execute(SendBroadcast(message="lunch"))
        [said] = await listening
    assert isinstance(said.data, Broadcast)
    assert said.data.message == "lunch"


async def test_a_killed_daemon_costs_a_listener_no_order_and_shows_none_twice(cli: CommandLine) -> None:
    cli.home.ensure()
    cli.home.config_file.write_text("[simulator]\nhistory_minutes = 10\n")
    await asyncio.to_thread(background.begin(cli.home))
    address = Address.local(cli.home)
    updates: list[OrderUpdate] = []
    snapshots: list[OrderUpdate] = []
    states: list[str] = []
    try:
        assert (await asyncio.to_thread(cli, "engine", "start")).code == 0
        sent = []
        async with (
            StreamClient(address, ["orders.paper-1"]) as stream,
            ApiClient(address) as api,
            asyncio.timeout(90),
        ):
            final = asyncio.Event()

            async def listen() -> None:
                async for event in stream:
                    if isinstance(event, ConnectionChanged):
                        states.append(event.state)
                        continue
                    for envelope in event.envelopes:
                        if isinstance(envelope.data, OrderUpdate):
                            updates.append(envelope.data)
                        elif isinstance(envelope.data, Snapshot):
                            snapshots.extend(r for r in envelope.data.records if isinstance(r, OrderUpdate))
                    filled = {u.client_order_id for u in [*updates, *snapshots] if u.status == "filled"}
                    if len(filled) >= 10:
                        final.set()

            listening = asyncio.create_task(listen())
            for number in range(10):
                command = buy("AAPL.SIM", "1")
                sent.append(command.client_order_id)
                assert (await api.execute(command, wait="final")).outcome == "done"
                if number == 4:
                    pid = background.pid_of(cli.home)
                    assert pid is not None
                    os.kill(pid, signal.SIGKILL)
                    await asyncio.to_thread(background.wait_until_gone, pid, 10.0)
                    await asyncio.to_thread(background.begin(cli.home))
            await final.wait()
            listening.cancel()
        assert states.count("connected") >= 2
        seen = {u.client_order_id for u in [*updates, *snapshots] if u.status == "filled"}
        assert seen == set(sent)
        keys = [(u.client_order_id, u.seq) for u in updates]
        assert len(keys) == len(set(keys))
        async with ApiClient(address) as api:
            assert (await api.positions("paper-1"))[0].qty == 10
    finally:
        assert (await asyncio.to_thread(cli, "stop", "--all")).code == 0


def test_ids_are_new_each_time_and_sort_by_time() -> None:
    ids = [mint_order_id() for _ in range(200)]
    assert len(set(ids)) == 200
    assert all(len(id_) == 12 for id_ in ids)
    assert ids[0][:8] <= ids[-1][:8]


def test_answers_in_json_become_the_same_records() -> None:
    from data import forms
    from nautilus_tui.client import wire

    quote = Quote(
        instrument="AAPL.SIM", bid=Decimal("1.10"), ts=1_700_000_000_123_456_789, ts_recv=1, synthetic=True,
        source="simulated", engine="paper-1",
    )  # fmt: skip
    as_json = wire.decode(forms.to_json(quote), "application/json; charset=utf-8")
    as_msgpack = wire.decode(msgspec.msgpack.encode(quote), "application/vnd.msgpack")
    assert wire.convert(as_json, Quote) == wire.convert(as_msgpack, Quote) == quote
