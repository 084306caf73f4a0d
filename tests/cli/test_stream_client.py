"""The stream client against real sockets: it resumes, drops repeats, reports losses and stops on refusal."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from decimal import Decimal
from http import HTTPStatus
from pathlib import Path
from typing import Any

import msgspec
import pytest
from websockets.asyncio.server import Request, Response, ServerConnection, serve, unix_serve

from data.paths import Home
from data.problems import (
    ForbiddenError,
    InvalidRequestError,
    ProblemError,
    UnauthorizedError,
    UnavailableError,
)
from data.records import Fill, OrderUpdate, Quote
from nautilus_tui.client import Address, Batch, ConnectionChanged, StreamClient
from nautilus_tui.client.resuming import Position

Handler = Callable[[ServerConnection], Awaitable[None]]


def envelope(type_: str, data: Any, *, topic: str | None = None, seq: int | None = None) -> dict[str, Any]:
    return {"v": 1, "type": type_, "topic": topic, "seq": seq, "ts": 1, "id": None, "data": data}


def hello(epoch: str) -> dict[str, Any]:
    return envelope(
        "connection_established",
        {"connection_id": "c1", "epoch": epoch, "heartbeat_s": 15, "version": "1", "role": "admin"},
    )


def confirmed(message: dict[str, Any]) -> dict[str, Any]:
    return envelope("subscription_confirmed", {"topics": message["topics"]}) | {"id": message["id"]}


def order(seq: int, status: str = "accepted") -> OrderUpdate:
    return msgspec.convert(
        {
            "type": "order_update",
            "engine": "paper-1",
            "client_order_id": f"O-{seq}",
            "instrument": "AAPL.SIM",
            "side": "buy",
            "order_type": "limit",
            "tif": "gtc",
            "qty": "100",
            "price": "187.53",
            "status": status,
            "ts_init": 1,
            "ts": 2,
            "seq": seq,
            "synthetic": True,
        },
        OrderUpdate,
    )


def pack(*envelopes: dict[str, Any]) -> bytes:
    return msgspec.msgpack.encode(list(envelopes))


async def heard(socket: ServerConnection) -> dict[str, Any]:
    message = msgspec.msgpack.decode(await socket.recv())
    assert isinstance(message, dict)
    return message


@asynccontextmanager
async def served(home: Home, handler: Handler) -> AsyncIterator[Address]:
    home.ensure()
    async with unix_serve(handler, str(home.daemon_socket), subprotocols=["nautilus.msgpack"]):  # type: ignore[list-item]  # Subprotocol is a NewType of str
        yield Address.local(home)


async def test_records_come_typed_and_a_lost_connection_is_resumed(tmp_path: Path) -> None:
    asked: list[dict[str, Any]] = []

    async def handler(socket: ServerConnection) -> None:
        await socket.send(pack(hello("e1")))
        asked.append(await heard(socket))
        if len(asked) == 1:
            await socket.send(
                pack(
                    envelope("snapshot", {"records": [order(3)]}, topic="orders.paper-1", seq=3),
                    envelope("order_update", order(4), topic="orders.paper-1", seq=4),
                )
            )
            await socket.close(1011, "going away")
        else:
            await socket.send(
                pack(
                    envelope("order_update", order(6), topic="orders.paper-1", seq=6),
                    confirmed(asked[1]),
                    envelope("order_update", order(4), topic="orders.paper-1", seq=4),
                    envelope("order_update", order(5, "cancelled"), topic="orders.paper-1", seq=5),
                    envelope("order_update", order(6), topic="orders.paper-1", seq=6),
                    envelope("from_the_future", {"x": 1}, topic="macro.cpi", seq=9),
                )
            )
            await socket.wait_closed()

    states: list[ConnectionChanged] = []
    seen: list[tuple[str, int]] = []
    async with served(Home(tmp_path), handler) as address, StreamClient(address, ["orders.>"]) as stream:
        async for event in stream:
            if isinstance(event, ConnectionChanged):
                states.append(event)
                continue
            seen += [(item.type, item.seq) for item in event.envelopes]
            for item in event.envelopes:
                if item.type == "order_update":
                    assert isinstance(item.data, OrderUpdate)
                    assert item.data.price == Decimal("187.53")
            if ("from_the_future", 9) in seen:
                break
    orders = [("order_update", seq) for seq in (4, 5, 6)]
    confirmation = ("subscription_confirmed", 0)
    assert seen == [("snapshot", 3), orders[0], confirmation, *orders[1:], ("from_the_future", 9)]
    assert asked[0] == {"type": "subscribe", "id": "1", "topics": ["orders.>"]}
    assert asked[1]["resume"] == {"orders.paper-1": 4}
    assert asked[1]["epoch"] == "e1"
    assert [s.state for s in states] == ["connecting", "connected", "disconnected", "connected"]
    assert states[2].problem == "going away"
    assert states[2].retry_at_ns is not None


async def test_a_new_epoch_starts_the_numbers_again(tmp_path: Path) -> None:
    asked: list[dict[str, Any]] = []

    async def handler(socket: ServerConnection) -> None:
        epoch = f"e{len(asked)}"
        await socket.send(pack(hello(epoch)))
        asked.append(await heard(socket))
        parts = [confirmed(asked[-1])]
        if len(asked) > 1:
            gap = {"reason": "epoch", "seq_asked": 7, "seq": 1, "epoch": epoch}
            parts += [envelope("gap", gap, topic="orders.paper-1", seq=1)]
            parts += [envelope("snapshot", {"records": [order(1)]}, topic="orders.paper-1", seq=1)]
            parts += [envelope("order_update", order(2), topic="orders.paper-1", seq=2)]
        else:
            parts += [envelope("order_update", order(7), topic="orders.paper-1", seq=7)]
        await socket.send(pack(*parts))
        await socket.close()

    seen: list[tuple[str, int]] = []
    async with served(Home(tmp_path), handler) as address, StreamClient(address, ["orders.*"]) as stream:
        async for event in stream:
            if isinstance(event, Batch):
                seen += [(item.type, item.seq) for item in event.envelopes if item.topic]
            if ("order_update", 2) in seen:
                break
        assert stream.position == Position(epoch="e1", seqs={"orders.paper-1": 2})
    assert "resume" not in asked[0]
    assert asked[1]["resume"] == {"orders.paper-1": 7}
    assert asked[1]["epoch"] == "e0"
    assert seen == [("order_update", 7), ("gap", 1), ("snapshot", 1), ("order_update", 2)]


async def test_heartbeats_are_answered_and_topics_change_while_connected(tmp_path: Path) -> None:
    messages: list[dict[str, Any]] = []

    async def handler(socket: ServerConnection) -> None:
        await socket.send(pack(hello("e"), envelope("heartbeat", {}) | {"id": "h7"}))
        while len(messages) < 4:
            messages.append(await heard(socket))
        await socket.send(
            pack(envelope("broadcast", {"sender": "a", "message": "m", "ts": 1, "type": "broadcast"}))
        )
        await socket.wait_closed()

    async with served(Home(tmp_path), handler) as address, StreamClient(address, ["quotes.>"]) as stream:
        async for event in stream:
            if isinstance(event, ConnectionChanged) and event.state == "connected":
                assert event.role == "admin"
                await stream.subscribe("fills.paper-1", "quotes.>")
                await stream.unsubscribe("quotes.>")
            if isinstance(event, Batch):
                break
    said = {m["type"]: m for m in messages}
    assert messages[0]["topics"] == ["quotes.>"]
    assert said["heartbeat_response"]["id"] == "h7"
    assert messages[1]["topics"] == ["fills.paper-1"]
    assert said["unsubscribe"]["topics"] == ["quotes.>"]
    assert stream.topics == {"fills.paper-1"}


async def test_without_a_daemon_it_keeps_trying_and_says_so(tmp_path: Path) -> None:
    home = Home(tmp_path).ensure()
    async with StreamClient(Address.local(home), ["quotes.>"]) as stream:
        attempts: list[int] = []
        async for event in stream:
            assert isinstance(event, ConnectionChanged)
            if event.state == "disconnected":
                assert "no daemon answers" in (event.problem or "")
                attempts.append(event.attempt)
            if len(attempts) == 2:
                break
    assert attempts == [1, 2]


async def test_a_refused_token_ends_it(tmp_path: Path) -> None:
    def refuse(socket: ServerConnection, request: Request) -> Response:
        assert request.headers["Authorization"] == "Bearer wrong"
        return socket.respond(HTTPStatus.UNAUTHORIZED, "no")

    async def handler(socket: ServerConnection) -> None:
        raise AssertionError("never reached")

    async with serve(handler, "127.0.0.1", 0, process_request=refuse) as server:
        port = next(iter(server.sockets)).getsockname()[1]
        address = Address.remote(f"http://127.0.0.1:{port}", "wrong")
        assert "wrong" not in repr(address)
        with pytest.raises(UnauthorizedError):
            [event async for event in StreamClient(address, ["quotes.>"])]


def test_every_record_with_a_stream_type_is_known() -> None:
    from nautilus_tui.client.envelopes import decode_frame

    quote = {"type": "quote", "instrument": "AAPL.SIM", "ts": 1, "ts_recv": 2, "synthetic": True}
    quote |= {"source": "simulated", "engine": "paper-1", "bid": "187.51"}
    [item] = decode_frame(pack(envelope("quote", quote, topic="quotes.AAPL.SIM", seq=1)))
    assert isinstance(item.data, Quote)
    assert item.data.bid == Decimal("187.51")
    assert Fill.__struct_config__.tag == "fill"


def refused(message: dict[str, Any], problem: ProblemError) -> dict[str, Any]:
    return envelope("subscription_error", problem.document()) | {"id": message["id"]}


async def test_a_later_topic_that_is_refused_is_raised_and_the_others_are_read_on(tmp_path: Path) -> None:
    asked: list[dict[str, Any]] = []

    async def handler(socket: ServerConnection) -> None:
        await socket.send(pack(hello("e")))
        asked.append(await heard(socket))
        await socket.send(pack(confirmed(asked[-1])))
        if len(asked) == 1:
            asked.append(await heard(socket))
            told = envelope("order_update", order(1), topic="orders.paper-1", seq=1)
            await socket.send(pack(told, refused(asked[-1], ForbiddenError("audit is for the role risk"))))
        await socket.wait_closed()

    seen: list[tuple[str, int]] = []

    async def read(stream: StreamClient) -> None:
        async for event in stream:
            if isinstance(event, Batch):
                seen.extend((item.type, item.seq) for item in event.envelopes)
                if len(seen) == 1:
                    await stream.subscribe("audit")

    async with served(Home(tmp_path), handler) as address, StreamClient(address, ["orders.*"]) as stream:
        with pytest.raises(ForbiddenError, match="audit is for the role risk"):
            await read(stream)
        assert seen == [("subscription_confirmed", 0), ("order_update", 1)], "what came before it is told"
        assert stream.topics == {"orders.*"}
        async for event in stream:
            if isinstance(event, Batch):
                break
    assert asked[2]["topics"] == ["orders.*"]
    assert asked[2]["resume"] == {"orders.paper-1": 1}


async def test_a_server_that_cannot_subscribe_now_is_asked_again(tmp_path: Path) -> None:
    asked: list[dict[str, Any]] = []

    async def handler(socket: ServerConnection) -> None:
        await socket.send(pack(hello("e")))
        asked.append(await heard(socket))
        answer = refused(asked[-1], UnavailableError("no room")) if len(asked) < 3 else confirmed(asked[-1])
        await socket.send(pack(answer))
        await socket.wait_closed()

    told: list[tuple[str, str | None, int]] = []
    async with served(Home(tmp_path), handler) as address, StreamClient(address, ["orders.*"]) as stream:
        async for event in stream:
            if isinstance(event, Batch):
                break
            told.append((event.state, event.problem, event.attempt))
    assert [one for one in told if one[0] == "disconnected"] == [
        ("disconnected", "no room", 1),
        ("disconnected", "no room", 2),
    ], "every time it waits longer"


async def test_a_malformed_topic_is_refused_before_it_is_sent(tmp_path: Path) -> None:
    address = Address.local(Home(tmp_path))
    with pytest.raises(InvalidRequestError, match="empty level"):
        StreamClient(address, ["quotes..SIM"])
    async with StreamClient(address) as stream:
        with pytest.raises(InvalidRequestError, match="is empty"):
            await stream.subscribe("orders.*", "")
        assert not stream.topics
