"""The servers of a stream bench, each in its own process: our hub as the daemon wires it, or a peer.

A server listens on loopback, waits for readers and publishes when told to over a pipe. This module must
not know how readers count.
"""

from __future__ import annotations

import asyncio
import gc
import itertools
import os
import socket
import time
from collections.abc import Awaitable, Callable, Iterator, Sequence
from decimal import Decimal
from multiprocessing.connection import Connection as Pipe
from typing import Any, Literal

import msgspec
import psutil
import uvicorn
import uvloop

from data import topics
from data.bus import Bus, Event
from data.commands import AnyCommand, Outcome
from data.problems import UnavailableError
from data.records import AnyRecord, OrderUpdate, Quote, Trade
from nautilus_tui.bench.load import FormName
from nautilus_tui.daemon.peers import PeerHttpProtocol
from nautilus_tui.daemon.principal import Principal
from nautilus_tui.daemon.streams import StreamHub, StreamLimits, make_ws_protocol
from nautilus_tui.daemon.streams.protocol import BACKLOG
from nautilus_tui.daemon.streams.wire import JSON, MSGPACK

ServerName = Literal["hub", "fastapi", "litestar", "websockets"]
Kind = Literal["quote", "order"]
INSTRUMENTS = tuple(f"I{n:03d}.SIM" for n in range(100))
ENGINES = tuple(f"e{n}" for n in range(10))
#: How often it is looked whether an event is due: uvloop counts in milliseconds, and half of one is none,
#: which would keep the processor busy with looking.
_TICK_S = 0.001
#: What `Order.beside` is published on: trades of one instrument.
BESIDE = "T.SIM"


class Order(msgspec.Struct, frozen=True):
    """What a server is told: publish for ``seconds``; at ``rate`` events/s, 0 for as fast as readers read."""

    seconds: float
    rate: float = 0.0
    batch: int = 100  #: events published at once when it goes as fast as readers read
    kind: Kind = "quote"
    beside: float = 0.0  #: trades/s published besides, for whoever reads them


class Done(msgspec.Struct, frozen=True):
    """What came of it."""

    first: int  #: number of the first event; event n is on the topic of instrument n mod 100
    published: int
    seconds: float  #: until the last of them was handed to the transports
    cpu_s: float
    event_bytes: dict[FormName, int]


class Kept(msgspec.Struct, frozen=True):
    """What a server knows of its clients now."""

    connections: int = 0
    groups: int = 0
    names: int = 0  #: characters of the names subscribed to
    behind: int = 0


class Cost(msgspec.Struct, frozen=True):
    """What a server has cost so far."""

    resident: int  #: bytes
    cpu_s: float
    kept: Kept  #: a peer's is not counted


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


def order(n: int) -> OrderUpdate:
    """Return an order's state as an engine publishes it."""
    now = time.time_ns()
    return OrderUpdate(
        engine=ENGINES[n % len(ENGINES)],
        client_order_id=f"O-{n % 1000}",
        instrument=INSTRUMENTS[n % len(INSTRUMENTS)],
        side="buy",
        order_type="limit",
        tif="gtc",
        qty=Decimal(100),
        price=Decimal("99.50"),
        status="accepted",
        ts_init=now,
        ts=now,
        seq=n + 1,
        synthetic=True,
    )


def trade(n: int) -> Trade:
    """Return a trade of the one instrument that is published besides."""
    now = time.time_ns()
    return Trade(
        instrument=BESIDE,
        price=Decimal(10_000 + n % 500) / 100,
        size=Decimal(100),
        trade_id=str(n),
        ts=now,
        synthetic=True,
        source="simulated",
        engine="bench",
    )


_MAKE: dict[Kind, Callable[[int], AnyRecord]] = {"quote": quote, "order": order}


def main(pipe: Pipe, server: ServerName) -> None:
    """Serve until told ``stop``; answers ``cost`` with a `Cost`, an `Order` with a `Done`."""
    from nautilus_tui.bench import peers

    run: dict[ServerName, Callable[[Pipe, socket.socket], Awaitable[None]]] = {
        "hub": _hub,
        "fastapi": peers.fastapi,
        "litestar": peers.litestar,
        "websockets": peers.websockets,
    }
    sock = socket.socket()
    sock.bind(("127.0.0.1", 0))
    uvloop.run(_run(run[server], pipe, sock))


async def _run(
    serve_: Callable[[Pipe, socket.socket], Awaitable[None]], pipe: Pipe, sock: socket.socket
) -> None:
    await serve_(pipe, sock)


Publish = Callable[[Order], Awaitable[Done]]


async def obey(pipe: Pipe, publish: Publish, kept: Callable[[], Kept] = Kept) -> None:
    """Do what is asked over the pipe until told ``stop``."""
    gc.freeze()  # as the daemon does when it is ready; peers have the same
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
                cpu_s = sum(process.cpu_times()[:2])
                pipe.send(Cost(process.memory_info().rss, cpu_s, kept()))
            else:
                pipe.send(await publish(question))


class _Uvicorn(uvicorn.Server):
    def __init__(self, config: uvicorn.Config, pipe: Pipe) -> None:
        super().__init__(config)
        self._pipe = pipe

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self._pipe.send(self.servers[0].sockets[0].getsockname()[1])


async def serve_uvicorn(
    app: Any,
    pipe: Pipe,
    sock: socket.socket,
    publish: Publish,
    kept: Callable[[], Kept] = Kept,
    **options: Any,
) -> None:
    """Serve an ASGI application with uvicorn until told ``stop``."""
    config = uvicorn.Config(
        app,
        **{"http": "h11", **options},
        lifespan="off",
        log_config=None,
        log_level="critical",
        access_log=False,
        timeout_graceful_shutdown=1,
    )
    server = _Uvicorn(config, pipe)
    task = asyncio.create_task(server.serve(sockets=[sock]))
    await obey(pipe, publish, kept)
    server.should_exit = server.force_exit = True
    await task


# ---------------------------------------------------------------- ours


async def _hub(pipe: Pipe, sock: socket.socket) -> None:
    """The product: bus, hub and protocol class as the daemon wires them."""
    bus = Bus("bench", lambda topic: [])  # a store that knows no orders: what it knows is not measured
    hub = StreamHub(bus, StreamLimits(heartbeat_s=600.0, max_connections=100_000))
    counter, beside = itertools.count(), itertools.count()

    async def publish(order: Order) -> Done:
        return await paced(
            order,
            counter,
            bus.publish_records,
            lambda: hub.waiting() == 0 and hub.health().behind == 0,
            beside,
        )

    def kept() -> Kept:
        health = hub.health()
        return Kept(health.connections, health.groups, health.names, health.behind)

    await serve_uvicorn(
        _nothing_else,
        pipe,
        sock,
        publish,
        kept,
        http=PeerHttpProtocol,
        ws=make_ws_protocol(hub, _anyone, _nothing),
        backlog=BACKLOG,
    )


def _anyone(token: str | None, peer_uid: int | None, peer: str = "") -> Principal:
    return Principal("bench", "viewer", "tcp")


async def _nothing(command: AnyCommand, principal: Principal) -> Outcome:
    raise UnavailableError("a bench carries out no commands")


async def _nothing_else(scope: Any, receive: Any, send: Any) -> None:
    await send({"type": "http.response.start", "status": 404, "headers": []})
    await send({"type": "http.response.body", "body": b""})


async def paced(
    order: Order,
    counter: Iterator[int],
    publish: Callable[[Sequence[AnyRecord]], object],
    all_written: Callable[[], bool],
    beside: Iterator[int] | None = None,
) -> Done:
    """Publish at a rate, or in batches, each once every reader was given the one before."""
    measure, make = Measure(), _MAKE[order.kind]
    published = besides = 0
    while (elapsed := measure.elapsed()) < order.seconds:
        if beside is not None and (more := int(elapsed * order.beside) - besides) > 0:
            publish([trade(next(beside)) for _ in range(more)])
            besides += more
        batch = order.batch if all_written() else 0
        due = int(elapsed * order.rate) - published if order.rate else batch
        if due > 0:
            publish([make(next(counter)) for _ in range(due)])
            published += due
        await asyncio.sleep(_TICK_S if order.rate else 0 if due else 0.0005)
    while not order.beside:  # a reader of what is beside may be one that never reads
        await asyncio.sleep(0.0005)
        if all_written():
            break
    return measure.done(next(counter) - published, published, order.kind)


class Measure:
    """Time and processor since it was made."""

    def __init__(self) -> None:
        self._process = psutil.Process(os.getpid())
        self._cpu = sum(self._process.cpu_times()[:2])
        self._started = time.perf_counter()

    def elapsed(self) -> float:
        """Return seconds since it was made."""
        return time.perf_counter() - self._started

    def done(self, first: int, published: int, kind: Kind) -> Done:
        """Return what came of it; the caller's counter has moved on by one to learn ``first``."""
        seconds = self.elapsed()
        cpu_s = sum(self._process.cpu_times()[:2]) - self._cpu
        return Done(first, published, seconds, cpu_s, event_bytes(kind))


def event_bytes(kind: Kind) -> dict[FormName, int]:
    record = _MAKE[kind](0)
    event = Event(topics.topic_of(record), 12345, 1, time.time_ns(), record, None)
    return {"json": len(JSON.event(event)), "msgpack": len(MSGPACK.event(event))}
