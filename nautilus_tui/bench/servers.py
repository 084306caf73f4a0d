"""The servers of a stream bench: our hub, and the peers it is measured against, each in its own process.

A server listens on loopback, waits for readers and publishes when told to over a pipe. Peers get the
same events, encoded once outside the measured loop where that is all they would do with them.
This module must not know how readers count.
"""

from __future__ import annotations

import asyncio
import gc
import itertools
import os
import socket
import time
from collections import defaultdict
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from decimal import Decimal
from multiprocessing.connection import Connection as Pipe
from typing import Any, Literal

import msgspec
import psutil
import uvicorn
import uvloop
from litestar import Litestar, WebSocket
from litestar.exceptions import WebSocketDisconnect
from litestar.handlers import websocket
from websockets.asyncio.server import ServerConnection, broadcast, serve

from data import topics
from data.bus import Bus, Event
from data.commands import AnyCommand, Outcome
from data.problems import UnavailableError
from data.records import Quote
from nautilus_tui.daemon.principal import Principal
from nautilus_tui.daemon.streams import StreamHub, StreamLimits, make_ws_protocol
from nautilus_tui.daemon.streams.protocol import BACKLOG
from nautilus_tui.daemon.streams.wire import MSGPACK

ServerName = Literal["hub", "litestar", "websockets"]
INSTRUMENTS = tuple(f"I{n:03d}.SIM" for n in range(100))


class Order(msgspec.Struct, frozen=True):
    """What a server is told: publish for ``seconds``; at ``rate`` events/s, 0 for as fast as readers read."""

    seconds: float
    rate: float = 0.0
    batch: int = 100  #: events published at once when it goes as fast as readers read


class Done(msgspec.Struct, frozen=True):
    """What came of it."""

    first: int  #: number of the first event; event n is on the topic of instrument n mod 100
    published: int
    seconds: float  #: until the last of them was handed to the transports
    cpu_s: float
    event_bytes: int


def quote(n: int) -> Quote:
    """Return a quote as an engine publishes it."""
    now = time.time_ns()
    bid = Decimal(10_000 + n % 500) / 100
    return Quote(
        instrument=INSTRUMENTS[n % len(INSTRUMENTS)],
        bid=bid,
        ask=bid + Decimal("0.01"),
        bid_size=Decimal(100),
        ask_size=Decimal(300),
        last=bid,
        ts=now,
        ts_recv=now,
        synthetic=True,
        source="simulated",
        engine="bench",
    )


def main(pipe: Pipe, server: ServerName) -> None:
    """Serve until told ``stop``; answers ``cost`` with resident bytes and CPU s, an `Order` with a `Done`."""
    run: dict[ServerName, Callable[[Pipe, socket.socket], Awaitable[None]]] = {
        "hub": _hub,
        "litestar": _litestar,
        "websockets": _websockets,
    }
    sock = socket.socket()
    sock.bind(("127.0.0.1", 0))
    uvloop.run(_run(run[server], pipe, sock))


async def _run(
    serve_: Callable[[Pipe, socket.socket], Awaitable[None]], pipe: Pipe, sock: socket.socket
) -> None:
    await serve_(pipe, sock)


Publish = Callable[[Order], Awaitable[Done]]


async def _obey(pipe: Pipe, publish: Publish) -> None:
    asked = asyncio.Event()
    asyncio.get_running_loop().add_reader(pipe.fileno(), asked.set)
    while True:
        await asked.wait()
        asked.clear()
        while pipe.poll():
            question = pipe.recv()
            if question == "stop":
                return
            if question == "cost":
                gc.collect()
                process = psutil.Process(os.getpid())
                pipe.send((process.memory_info().rss, sum(process.cpu_times()[:2])))
            else:
                pipe.send(await publish(question))


class _Uvicorn(uvicorn.Server):
    def __init__(self, config: uvicorn.Config, pipe: Pipe) -> None:
        super().__init__(config)
        self._pipe = pipe

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self._pipe.send(self.servers[0].sockets[0].getsockname()[1])


async def _serve_uvicorn(app: Any, pipe: Pipe, sock: socket.socket, publish: Publish, **options: Any) -> None:
    config = uvicorn.Config(
        app,
        http="h11",
        lifespan="off",
        log_config=None,
        log_level="critical",
        access_log=False,
        timeout_graceful_shutdown=1,
        **options,
    )
    server = _Uvicorn(config, pipe)
    task = asyncio.create_task(server.serve(sockets=[sock]))
    await _obey(pipe, publish)
    server.should_exit = server.force_exit = True
    await task


# ---------------------------------------------------------------- ours


async def _hub(pipe: Pipe, sock: socket.socket) -> None:
    """The product: bus, hub and protocol class as the daemon wires them."""
    bus = Bus("bench")
    hub = StreamHub(bus, StreamLimits(heartbeat_s=600.0, max_connections=100_000))
    counter = itertools.count()

    async def publish(order: Order) -> Done:
        return await _paced(
            order,
            counter,
            bus.publish_records,
            lambda: hub.waiting() == 0 and hub.health().behind == 0,
        )

    await _serve_uvicorn(
        _nothing_else, pipe, sock, publish, ws=make_ws_protocol(hub, _anyone, _nothing), backlog=BACKLOG
    )


def _anyone(token: str | None, peer_uid: int | None) -> Principal:
    return Principal("bench", "viewer", "tcp")


async def _nothing(command: AnyCommand, principal: Principal) -> Outcome:
    raise UnavailableError("a bench carries out no commands")


async def _nothing_else(scope: Any, receive: Any, send: Any) -> None:
    await send({"type": "http.response.start", "status": 404, "headers": []})
    await send({"type": "http.response.body", "body": b""})


async def _paced(
    order: Order,
    counter: itertools.count[int],
    publish: Callable[[Sequence[Quote]], object],
    all_written: Callable[[], bool],
) -> Done:
    """Publish at a rate, or in batches, each once every reader was given the one before."""
    measure = _Measure()
    published = 0
    while (elapsed := measure.elapsed()) < order.seconds:
        batch = order.batch if all_written() else 0
        due = int(elapsed * order.rate) - published if order.rate else batch
        if due > 0:
            publish([quote(next(counter)) for _ in range(due)])
            published += due
        await asyncio.sleep(0 if due and not order.rate else 0.0005)
    while True:
        await asyncio.sleep(0.0005)
        if all_written():
            break
    return measure.done(next(counter) - published, published)


class _Measure:
    """Time and processor since it was made."""

    def __init__(self) -> None:
        self._process = psutil.Process(os.getpid())
        self._cpu = sum(self._process.cpu_times()[:2])
        self._started = time.perf_counter()

    def elapsed(self) -> float:
        return time.perf_counter() - self._started

    def done(self, first: int, published: int) -> Done:
        """Return what came of it; the caller's counter has moved on by one to learn ``first``."""
        seconds = self.elapsed()
        return Done(first, published, seconds, sum(self._process.cpu_times()[:2]) - self._cpu, _event_bytes())


def _event_bytes() -> int:
    record = quote(0)
    event = Event(topics.quotes(record.instrument), 12345, 1, record.ts, record, None)
    return len(MSGPACK.event(event))


# ---------------------------------------------------------------- peers


class _Seqs:
    """Gives peers' events the same envelopes ours have."""

    def __init__(self) -> None:
        self._seqs: dict[str, int] = defaultdict(int)

    def encode(self, record: Quote) -> tuple[str, bytes]:
        topic = topics.quotes(record.instrument)
        self._seqs[topic] += 1
        return topic, MSGPACK.event(Event(topic, self._seqs[topic], 0, time.time_ns(), record, None))


async def _litestar(pipe: Pipe, sock: socket.socket) -> None:
    """As one would write it first: one message an event, awaited client by client."""
    readers: dict[str, set[WebSocket[Any, Any, Any]]] = defaultdict(set)

    @websocket("/ws")
    async def handler(socket: WebSocket[Any, Any, Any]) -> None:
        await socket.accept(subprotocols="nautilus.msgpack")
        wanted = msgspec.msgpack.decode(await socket.receive_data("binary"))["topics"]
        for topic in wanted:
            readers[topic].add(socket)
        with suppress(WebSocketDisconnect):
            await socket.receive_data("binary")  # nothing comes: this waits for the reader to go
        for topic in wanted:
            readers[topic].discard(socket)

    seqs, counter = _Seqs(), itertools.count()

    async def publish(order: Order) -> Done:
        measure = _Measure()
        published = 0
        while (elapsed := measure.elapsed()) < order.seconds:
            if order.rate and published >= elapsed * order.rate:
                await asyncio.sleep(0.0005)
                continue
            topic, event = seqs.encode(quote(next(counter)))
            published += 1
            for reader in (*readers[topic], *readers["quotes.>"]):
                await reader.send_bytes(event)
            await asyncio.sleep(0)  # events arrive one by one: the loop turns between them
        return measure.done(next(counter) - published, published)

    await _serve_uvicorn(Litestar([handler], openapi_config=None, logging_config=None), pipe, sock, publish)


async def _websockets(pipe: Pipe, sock: socket.socket) -> None:
    """`websockets` with its own broadcast: one message an event, written to all without waiting."""
    readers: dict[str, set[ServerConnection]] = defaultdict(set)

    async def handler(connection: ServerConnection) -> None:
        message = await connection.recv()
        assert isinstance(message, bytes), "the bench's readers speak msgpack"
        wanted = msgspec.msgpack.decode(message)["topics"]
        for topic in wanted:
            readers[topic].add(connection)
        await connection.wait_closed()
        for topic in wanted:
            readers[topic].discard(connection)

    seqs, counter = _Seqs(), itertools.count()

    def send(quotes: Sequence[Quote]) -> None:
        for one in quotes:
            topic, event = seqs.encode(one)
            broadcast(readers[topic] | readers["quotes.>"], event)

    async def publish(order: Order) -> Done:
        return await _paced(order, counter, send, lambda: True)

    async with serve(
        handler,
        sock=sock,
        compression=None,
        ping_interval=None,
        subprotocols=["nautilus.msgpack"],  # type: ignore[list-item]  # a NewType of str
    ):
        pipe.send(sock.getsockname()[1])
        await _obey(pipe, publish)
