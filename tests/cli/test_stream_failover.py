"""A stream client with several addresses, and one that goes on where another stopped, on real sockets."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from http import HTTPStatus
from pathlib import Path
from typing import Any

import msgspec
import pytest
from websockets.asyncio.server import Request, Response, ServerConnection, serve

from data.paths import Home
from data.problems import InvalidRequestError, UnauthorizedError
from nautilus_tui.cli.session import Session
from nautilus_tui.client import Address, Batch, ConnectionChanged, StreamClient, stream
from nautilus_tui.client.address import TOKEN_VARIABLE
from nautilus_tui.client.resuming import Position
from tests.cli.test_stream_client import Handler, confirmed, envelope, heard, hello, order, pack

TOPIC = "orders.paper-1"
Refuse = Callable[[ServerConnection, Request], Response]


@asynccontextmanager
async def server(handler: Handler, refuse: Refuse | None = None) -> AsyncIterator[Address]:
    async with serve(
        handler,
        "127.0.0.1",
        0,
        process_request=refuse,
        subprotocols=["nautilus.msgpack"],  # type: ignore[list-item]  # Subprotocol is a NewType of str
    ) as running:
        port = next(iter(running.sockets)).getsockname()[1]
        yield Address.remote(f"http://127.0.0.1:{port}", "secret")


def unauthorized(socket: ServerConnection, _: Request) -> Response:
    return socket.respond(HTTPStatus.UNAUTHORIZED, "no")


async def never(_: ServerConnection) -> None:
    raise AssertionError("nobody gets here")


async def test_a_lost_server_is_followed_by_the_next_and_then_by_the_first_again() -> None:
    asked: list[tuple[str, dict[str, Any]]] = []

    def teller(name: str) -> Handler:
        async def handler(socket: ServerConnection) -> None:
            await socket.send(pack(hello("e1")))
            message = await heard(socket)
            asked.append((name, message))
            seq = len(asked)
            await socket.send(
                pack(confirmed(message), envelope("order_update", order(seq), topic=TOPIC, seq=seq))
            )
            await socket.close(1012, f"{name} restarts")

        return handler

    states: list[ConnectionChanged] = []
    seen: list[int] = []
    async with (
        server(teller("one")) as one,
        server(teller("two")) as two,
        StreamClient([one, two], ["orders.*"]) as client,
        asyncio.timeout(120),
    ):
        async for event in client:
            if isinstance(event, Batch):
                seen += [item.seq for item in event.envelopes if item.topic == TOPIC]
            else:
                states.append(event)
            if len(seen) == 3:
                break
    assert seen == [1, 2, 3]
    assert [name for name, _ in asked] == ["one", "two", "one"]
    assert [message.get("resume") for _, message in asked] == [None, {TOPIC: 1}, {TOPIC: 2}]
    assert [(state.state, state.address) for state in states] == [
        ("connecting", str(one)),
        ("connected", str(one)),
        ("disconnected", str(one)),
        ("connected", str(two)),
        ("disconnected", str(two)),
        ("connected", str(one)),
    ]
    assert states[2].problem == "one restarts"


async def test_a_server_that_does_not_greet_is_given_up_for_the_next(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stream, "_OPEN_TIMEOUT_S", 0.2)

    async def mute(socket: ServerConnection) -> None:
        await socket.wait_closed()

    async def greeting(socket: ServerConnection) -> None:
        await socket.send(pack(hello("e1")))
        await socket.wait_closed()

    problems: list[str | None] = []
    async with (
        server(mute) as silent,
        server(greeting) as other,
        StreamClient([silent, other]) as client,
        asyncio.timeout(120),
    ):
        async for event in client:
            assert isinstance(event, ConnectionChanged)
            problems.append(event.problem)
            if event.state == "connected":
                assert event.address == str(other)
                break
    assert problems == [None, "nothing heard for 0.2 s", None]


async def test_a_token_that_one_server_refuses_may_do_at_another_but_not_when_all_refuse() -> None:
    async def greeting(socket: ServerConnection) -> None:
        await socket.send(pack(hello("e1")))
        await socket.wait_closed()

    async with server(never, unauthorized) as stale, server(never, unauthorized) as other:
        with pytest.raises(UnauthorizedError):
            [event async for event in StreamClient([stale, other])]
        async with server(greeting) as fresh, StreamClient([stale, fresh]) as client, asyncio.timeout(120):
            async for event in client:
                if isinstance(event, ConnectionChanged) and event.state == "connected":
                    assert event.address == str(fresh)
                    break


async def test_a_servers_own_words_are_told() -> None:
    problem = {"type": "unavailable", "title": "Not available", "status": 503, "detail": "not read yet"}

    def refuse(socket: ServerConnection, _: Request) -> Response:
        return socket.respond(HTTPStatus.SERVICE_UNAVAILABLE, msgspec.json.encode(problem).decode())

    async with server(never, refuse) as busy, StreamClient(busy) as client:
        states = [event async for event in _first(client, 2)]
    assert isinstance(states[1], ConnectionChanged)
    assert states[1].problem == f"{busy} answered 503: not read yet"


async def _first(client: StreamClient, count: int) -> AsyncIterator[Batch | ConnectionChanged]:
    async with asyncio.timeout(120):
        async for event in client:
            yield event
            count -= 1
            if count == 0:
                return


async def test_a_program_goes_on_where_it_stopped() -> None:
    asked: list[dict[str, Any]] = []

    async def handler(socket: ServerConnection) -> None:
        await socket.send(pack(hello("e1")))
        message = await heard(socket)
        asked.append(message)
        after = message.get("resume", {}).get(TOPIC, 0)
        missed = [
            envelope("order_update", order(seq), topic=TOPIC, seq=seq) for seq in range(after + 1, after + 3)
        ]
        await socket.send(pack(confirmed(message), *missed))
        await socket.wait_closed()

    async def read(position: Position | None) -> tuple[list[int], Position]:
        async with StreamClient(address, ["orders.*"], resume=position) as client, asyncio.timeout(120):
            async for event in client:
                if isinstance(event, Batch):
                    seqs = [item.seq for item in event.envelopes if item.topic == TOPIC]
                    return seqs, client.position
        raise AssertionError("the stream ended")

    async with server(handler) as address:
        first, position = await read(None)
        kept = msgspec.json.decode(msgspec.json.encode(position), type=Position)
        second, last = await read(kept)
    assert (first, second) == ([1, 2], [3, 4])
    assert asked[1]["resume"] == {TOPIC: 2}
    assert asked[1]["epoch"] == "e1"
    assert last == Position(epoch="e1", seqs={TOPIC: 4})


async def test_topics_that_are_no_longer_read_are_not_resumed() -> None:
    async def handler(socket: ServerConnection) -> None:
        await socket.send(pack(hello("e1")))
        message = await heard(socket)
        both = [envelope("order_update", order(1), topic=topic, seq=1) for topic in (TOPIC, "orders.paper-2")]
        await socket.send(pack(confirmed(message), *both))
        await socket.wait_closed()

    async with server(handler) as address:
        async with StreamClient(address, [TOPIC, "orders.paper-2"]) as client, asyncio.timeout(120):
            async for event in client:
                if isinstance(event, Batch):
                    await client.unsubscribe("orders.paper-2")
                    break
        assert client.position.seqs == {TOPIC: 1}


def test_a_stream_has_an_address_or_several() -> None:
    one, two = Address.several("https://one.example:8443, wss://two.example", "secret")
    assert [str(address) for address in (one, two)] == ["https://one.example:8443", "https://two.example"]
    assert {one.token, two.token} == {"secret"}
    with pytest.raises(InvalidRequestError):
        Address.several("https://one.example,", "secret")
    with pytest.raises(InvalidRequestError):
        StreamClient([])


def test_the_daemon_comes_first_and_gateways_behind_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(TOKEN_VARIABLE, "secret")
    session = Session(Home(tmp_path), url="https://daemon.example:8787,https://gateway.example:8788")
    assert str(session.address) == "https://daemon.example:8787"
    assert [str(address) for address in session.addresses] == [
        "https://daemon.example:8787",
        "https://gateway.example:8788",
    ]
    assert {address.token for address in session.addresses} == {"secret"}
    assert Session(Home(tmp_path)).addresses == (Address.local(Home(tmp_path)),)
