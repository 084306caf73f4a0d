"""The peers our streams are measured against, as one would write them first.

They get the same events as our hub, in the same envelopes, encoded once each however many readers there
are. This module must not know how readers count.
"""

from __future__ import annotations

import asyncio
import itertools
import socket
import time
from collections import defaultdict
from collections.abc import Awaitable, Callable, Iterable, Sequence
from contextlib import suppress
from importlib.util import find_spec
from multiprocessing.connection import Connection as Pipe
from typing import Any

import msgspec

from data import topics
from data.bus import Event
from data.records import AnyRecord
from nautilus_tui.bench.load import FormName
from nautilus_tui.bench.servers import (
    Done,
    Measure,
    Order,
    ServerName,
    obey,
    paced,
    quote,
    serve_uvicorn,
)
from nautilus_tui.daemon.streams.wire import JSON, MSGPACK, Format

_EVERY_QUOTE = "quotes.>"


def naive() -> tuple[ServerName, FormName, str]:
    """Return the peer that awaits a send per client and event, its format, and what to call it.

    FastAPI comes with the development dependencies only; without it the peer is Litestar.
    """
    if find_spec("fastapi") is not None:
        return "fastapi", "json", "FastAPI on uvicorn, await send_text per client and event"
    return (
        "litestar",
        "json",
        "FastAPI is not installed: Litestar on uvicorn, await send_data per client and event",
    )


class _Seqs:
    """Gives peers' events the same envelopes ours have."""

    def __init__(self, form: Format) -> None:
        self._form = form
        self._seqs: dict[str, int] = defaultdict(int)

    def encode(self, record: AnyRecord) -> tuple[str, bytes]:
        topic = topics.topic_of(record)
        self._seqs[topic] += 1
        return topic, self._form.event(Event(topic, self._seqs[topic], 0, time.time_ns(), record, None))


Send = Callable[[str], Awaitable[None]]


class _Awaited:
    """Readers of topics, sent to one after the other."""

    def __init__(self) -> None:
        self._readers: dict[str, set[Send]] = defaultdict(set)
        self._seqs, self._counter = _Seqs(JSON), itertools.count()

    def enter(self, wanted: Iterable[str], send: Send) -> None:
        for topic in wanted:
            self._readers[topic].add(send)

    def leave(self, wanted: Iterable[str], send: Send) -> None:
        for topic in wanted:
            self._readers[topic].discard(send)

    async def publish(self, order: Order) -> Done:
        """Publish one event after the other: they arrive one by one, and the loop turns between them."""
        measure, published = Measure(), 0
        while (elapsed := measure.elapsed()) < order.seconds:
            if order.rate and published >= elapsed * order.rate:
                await asyncio.sleep(0.001)
                continue
            topic, event = self._seqs.encode(quote(next(self._counter)))
            published += 1
            text = event.decode()
            for send in (*self._readers[topic], *self._readers[_EVERY_QUOTE]):
                await send(text)
            await asyncio.sleep(0)
        return measure.done(next(self._counter) - published, published, "quote")


async def fastapi(pipe: Pipe, sock: socket.socket) -> None:
    """FastAPI on uvicorn: ``await websocket.send_text(json)`` per client and event."""
    from fastapi import FastAPI
    from starlette.websockets import WebSocket, WebSocketDisconnect

    hub, app = _Awaited(), FastAPI(openapi_url=None)

    async def handler(websocket: WebSocket) -> None:
        await websocket.accept(subprotocol="nautilus.json")
        wanted = (await websocket.receive_json())["topics"]
        hub.enter(wanted, websocket.send_text)
        with suppress(WebSocketDisconnect):
            await websocket.receive_text()  # nothing comes: this waits for the reader to go
        hub.leave(wanted, websocket.send_text)

    handler.__annotations__["websocket"] = WebSocket  # a name of this function: FastAPI cannot look it up
    app.add_api_websocket_route("/ws", handler)
    await serve_uvicorn(app, pipe, sock, hub.publish)


async def litestar(pipe: Pipe, sock: socket.socket) -> None:
    """Litestar on uvicorn, likewise."""
    from litestar import Litestar, WebSocket
    from litestar.exceptions import WebSocketDisconnect
    from litestar.handlers import websocket

    hub = _Awaited()

    @websocket("/ws")
    async def handler(socket: WebSocket[Any, Any, Any]) -> None:
        await socket.accept(subprotocols="nautilus.json")
        wanted = msgspec.json.decode(await socket.receive_data("text"))["topics"]
        hub.enter(wanted, socket.send_text)
        with suppress(WebSocketDisconnect):
            await socket.receive_data("text")
        hub.leave(wanted, socket.send_text)

    app = Litestar([handler], openapi_config=None, logging_config=None)
    await serve_uvicorn(app, pipe, sock, hub.publish)


async def websockets(pipe: Pipe, sock: socket.socket) -> None:
    """`websockets` with its own broadcast: one message an event, written to all without waiting."""
    from websockets.asyncio.server import ServerConnection, broadcast, serve

    readers: dict[str, set[ServerConnection]] = defaultdict(set)

    async def handler(connection: ServerConnection) -> None:
        message = await connection.recv()
        assert isinstance(message, bytes), "the bench's readers speak msgpack to it"
        wanted = msgspec.msgpack.decode(message)["topics"]
        for topic in wanted:
            readers[topic].add(connection)
        await connection.wait_closed()
        for topic in wanted:
            readers[topic].discard(connection)

    seqs, counter = _Seqs(MSGPACK), itertools.count()

    def send(records: Sequence[AnyRecord]) -> None:
        for one in records:
            topic, event = seqs.encode(one)
            broadcast(readers[topic] | readers[_EVERY_QUOTE], event)

    async def publish(order: Order) -> Done:
        return await paced(order, counter, send, lambda: True)

    async with serve(
        handler,
        sock=sock,
        compression=None,
        ping_interval=None,
        subprotocols=["nautilus.msgpack"],  # type: ignore[list-item]  # a NewType of str
    ):
        pipe.send(sock.getsockname()[1])
        await obey(pipe, publish)
