"""How fast an engine tells the daemon: the link's own frames on a unix socket, process to process.

The peer is `multiprocessing.Queue` with the same records one by one, which is what the standard
library offers for the same job. Both sides encode and decode whole records.
"""

from __future__ import annotations

import asyncio
import tempfile
import time
from multiprocessing import get_context
from multiprocessing.connection import Connection as Pipe
from multiprocessing.queues import Queue
from pathlib import Path
from typing import Any

import msgspec
import uvloop

from data.records import Quote
from engines import link
from nautilus_tui.bench.processes import answer, child
from nautilus_tui.bench.rows import BenchRow, row
from nautilus_tui.bench.servers import quote

EVENTS, PER_FRAME = 300_000, 256
PEER_EVENTS = 60_000
PINGS, PING_PAUSE_S = 2_000, 0.0005


class Sent(msgspec.Struct, frozen=True):
    """What the engine's side is asked to send."""

    events: int
    per_frame: int
    pause_s: float = 0.0  #: between frames


def run(scale: int = 1) -> list[BenchRow]:
    """Measure throughput and latency; ``scale`` multiplies the events."""
    ours, our_delay = _over_link(EVENTS * scale)
    theirs, their_delay = _over_queue(PEER_EVENTS * scale)
    size = len(link.encode(link.Conflated(tuple(quote(n) for n in range(PER_FRAME))))) // PER_FRAME
    peer = "multiprocessing.Queue, one by one"
    return [
        row(
            "engine → daemon link",
            ours,
            "events/s",
            better="more",
            goal="≥ 500 k/s",
            limit=500e3,
            peer=(peer, theirs),
            detail=(
                f"quotes of {size} B in msgpack, {PER_FRAME} a frame, encoded and decoded; "
                f"all {EVENTS * scale:,} arrived"
            ),
        ),
        row(
            "engine → daemon link, one event, p50",
            our_delay,
            "µs",
            better="less",
            goal="≤ 100 µs",
            limit=100.0,
            peer=(peer, their_delay),
            detail=f"{PINGS:,} quotes, one every {PING_PAUSE_S * 1e3:g} ms, from before encoding to decoded",
        ),
    ]


def median_us(delays_ns: list[int]) -> float:
    """Return the median of delays, in µs."""
    return sorted(delays_ns)[len(delays_ns) // 2] / 1000


# ---------------------------------------------------------------- the link


def _over_link(events: int) -> tuple[float, float]:
    """Return events a second and the median delay in µs."""
    with tempfile.TemporaryDirectory(prefix="ntui-bench-") as folder:
        path = str(Path(folder) / "engine.sock")
        with child(_engine, path) as engine:
            answer(engine)
            with child(_daemon, path) as daemon:
                answer(daemon)
                engine.send(Sent(10_000, PER_FRAME))
                answer(daemon, 10_000)
                answer(engine)
                engine.send(Sent(events, PER_FRAME))
                seconds, _ = answer(daemon, events)
                answer(engine)
                engine.send(Sent(PINGS, 1, PING_PAUSE_S))
                _, delay = answer(daemon, PINGS)
                answer(engine)
    return events / seconds, delay


def _engine(pipe: Pipe, path: str) -> None:
    uvloop.run(_serve(pipe, path))


async def _serve(pipe: Pipe, path: str) -> None:
    """Be the engine's side: serve the socket and send what is asked for."""
    writers: asyncio.Queue[asyncio.StreamWriter] = asyncio.Queue()

    async def accept(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await writers.put(writer)

    server = await asyncio.start_unix_server(accept, path)
    pipe.send("ready")
    writer = await writers.get()
    ready = [quote(n) for n in range(PER_FRAME)]
    while True:
        order = await asyncio.to_thread(pipe.recv)
        if order == "stop":
            break
        for first in range(0, order.events, order.per_frame):
            records: tuple[Quote, ...]
            if order.pause_s:
                await asyncio.sleep(order.pause_s)
                records = (quote(first),)
            else:
                records = tuple(ready[: min(order.per_frame, order.events - first)])
            writer.write(link.encode(link.Conflated(records)))
            await writer.drain()
        pipe.send("sent")
    writer.close()
    server.close()


def _daemon(pipe: Pipe, path: str) -> None:
    uvloop.run(_read(pipe, path))


async def _read(pipe: Pipe, path: str) -> None:
    """Be the daemon's side: read as many events as it is told to expect; answer seconds and delay."""
    reader, writer = await asyncio.open_unix_connection(path)
    pipe.send("ready")
    while True:
        expected = await asyncio.to_thread(pipe.recv)
        if expected == "stop":
            break
        started = time.perf_counter()
        delays: list[int] = []
        seen = 0
        while seen < expected:
            for message in await link.read_from_engine(reader):
                assert isinstance(message, link.Conflated), "the bench sends nothing else"
                seen += len(message.records)
                first = message.records[0]
                if isinstance(first, Quote) and len(message.records) == 1:
                    delays.append(time.time_ns() - first.ts)
        pipe.send((time.perf_counter() - started, median_us(delays) if delays else 0.0))
    writer.close()


# ---------------------------------------------------------------- the peer


def _over_queue(events: int) -> tuple[float, float]:
    """Return events a second and the median delay in µs, over a multiprocessing queue."""
    queue: Queue[Quote] = get_context("spawn").Queue()
    with child(_put, queue) as sender, child(_get, queue) as receiver:
        answer(sender)
        answer(receiver)
        sender.send(Sent(1_000, 1))
        answer(receiver, 1_000)
        answer(sender)
        sender.send(Sent(events, 1))
        seconds, _ = answer(receiver, events)
        answer(sender)
        sender.send(Sent(PINGS, 1, PING_PAUSE_S))
        _, delay = answer(receiver, PINGS)
        answer(sender)
    return events / seconds, delay


def _put(pipe: Pipe, queue: Any) -> None:
    pipe.send("ready")
    ready = [quote(n) for n in range(PER_FRAME)]
    while (order := pipe.recv()) != "stop":
        for n in range(order.events):
            if order.pause_s:
                time.sleep(order.pause_s)
                queue.put(quote(n))
            else:
                queue.put(ready[n % PER_FRAME])
        pipe.send("sent")


def _get(pipe: Pipe, queue: Any) -> None:
    pipe.send("ready")
    while (expected := pipe.recv()) != "stop":
        started = time.perf_counter()
        delays = []
        for _ in range(expected):
            record = queue.get()
            delays.append(time.time_ns() - record.ts)
        pipe.send((time.perf_counter() - started, median_us(delays)))
