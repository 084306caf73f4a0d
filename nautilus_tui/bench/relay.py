"""How fast the bus goes through Redis: a publisher as in the daemon, a follower as in a gateway.

Three processes on one machine. The peer is redis-py publishing the same envelopes one by one to a
subscriber that decodes them, in the same Redis and the same run. Loss is counted by the numbers of each
topic.
"""

from __future__ import annotations

import asyncio
import gc
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from multiprocessing.connection import Connection as Pipe
from typing import Any, NamedTuple

import msgspec
import uvloop

from data.bus import Bus, Event
from nautilus_tui.bench.processes import answer, child
from nautilus_tui.bench.rows import BenchRow, number, row
from nautilus_tui.bench.servers import order, quote
from nautilus_tui.daemon.present import Present
from nautilus_tui.relay import wire
from nautilus_tui.relay.address import RedisAddress, redis_url
from nautilus_tui.relay.follower import Follower
from nautilus_tui.relay.mirror import Mirror
from nautilus_tui.relay.publisher import Publisher

EVENTS, PEER_EVENTS, WARM = 300_000, 10_000, 20_000
#: Events that are published at once when it goes as fast as it can.
PER_HAND_OVER = 100
#: Events a second, and seconds, when it is measured how long one takes.
RATE, RATE_S, RATE_STEP_S = 5_000, 3.0, 0.004
#: Events that may wait for Redis while it goes as fast as it can.
_AHEAD = 8_192
_START_S = 10.0
_PEER = "redis-py, publish one by one"
_CHANNEL = "bench:one-by-one"


class Send(msgspec.Struct, frozen=True):
    """What the publisher's side is told: publish so many events, as fast as it can or at a rate."""

    events: int
    kind: str = "quote"  #: ``quote`` (conflated) or ``order`` (lossless)
    rate: float = 0.0  #: events a second; 0: as fast as Redis takes them


class Sent(msgspec.Struct, frozen=True):
    """What came of it."""

    started_ns: int
    cpu_s: float  #: of the process, until Redis had confirmed all of it


class Tally(msgspec.Struct, frozen=True):
    """What the follower's side has received since it was last asked."""

    events: int
    lost: int  #: numbers that are missing
    twice: int  #: numbers that came again
    last_ns: int  #: when the latest arrived
    cpu_s: float  #: of the process
    p50_ms: float
    p99_ms: float


def why_not() -> str | None:
    """Return why nothing can be measured here; None: it can."""
    if redis_url() or shutil.which("redis-server"):
        return None
    return "there is no redis-server on this machine, and NAUTILUS_TUI_REDIS_URL is not set"


def rows(scale: int = 1) -> list[BenchRow]:
    """Measure the way through Redis; ``scale`` multiplies the events. Empty, and said why, without Redis."""
    reason = why_not()
    if reason is not None:
        print(f"daemon → Redis → gateway is not measured: {reason}", file=sys.stderr)
        return []
    with _redis() as url:
        quotes, lossless, slow, size = _ours(url, EVENTS * scale)
        peer = _one_by_one(url, PEER_EVENTS)
    return [
        row(
            f"daemon → Redis → gateway, {what}",
            run.rate,
            "events/s",
            better="more",
            goal="≥ 150 k/s, no loss",
            limit=150e3 if not run.tally.lost and not run.tally.twice else float("inf"),
            peer=(_PEER, peer),
            detail=run.describe(size[kind]),
        )
        for what, kind, run in (("quotes", "quote", quotes), ("orders", "order", lossless))
    ] + [
        row(
            f"daemon → Redis → gateway, {number(RATE)}/s, p{name}",
            value,
            "ms",
            better="less",
            detail=f"from publication to the follower's readers, {_loss(slow)}" if name == "99" else "",
        )
        for name, value in (("50", slow.p50_ms), ("99", slow.p99_ms))
    ]


def _loss(tally: Tally) -> str:
    return f"lost {tally.lost}, twice {tally.twice} of {number(tally.events)}"


@contextmanager
def _redis() -> Iterator[str]:
    """Run a Redis of the bench's own that keeps nothing on disk; without the program, use the one named."""
    program = shutil.which("redis-server")
    if program is None:
        yield redis_url()
        return
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    with tempfile.TemporaryDirectory(prefix="ntui-bench-") as folder:
        arguments = [program, "--port", str(port), "--bind", "127.0.0.1", "--save", "", "--dir", folder]
        process = subprocess.Popen(arguments, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            deadline = time.monotonic() + _START_S
            while not _answers(port):
                if process.poll() is not None or time.monotonic() > deadline:
                    raise TimeoutError("the bench's redis-server does not answer")
                time.sleep(0.01)
            yield f"redis://127.0.0.1:{port}/0"
        finally:
            process.kill()
            process.wait()


def _answers(port: int) -> bool:
    with suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
        return True
    return False


# ---------------------------------------------------------------- ours


class Run(NamedTuple):
    """What one side sent and the other received."""

    sent: Sent
    tally: Tally

    @property
    def rate(self) -> float:
        """Events a second, from the first publication to the last arrival."""
        return self.tally.events / ((self.tally.last_ns - self.sent.started_ns) / 1e9)

    def describe(self, size: int) -> str:
        """Return message size, cost and loss in words."""
        us = [1e6 * side.cpu_s / max(self.tally.events, 1) for side in self]
        return (
            f"{size} B an event; CPU {us[0]:.1f} µs an event to publish, {us[1]:.1f} µs to follow; "
            + _loss(self.tally)
        )


def _ours(url: str, events: int) -> tuple[Run, Run, Tally, dict[str, int]]:
    """Return what arrived of quotes and of orders, each with seconds; what did at a rate; bytes an event."""
    prefix = f"ntui-bench-{time.time_ns():x}"
    with child(_daemon, url, prefix) as daemon, child(_gateway, url, prefix) as gateway:
        sizes: dict[str, int] = answer(daemon)
        answer(gateway)
        runs = []
        for kind in ("quote", "order"):
            _send(daemon, gateway, Send(WARM, kind))
            runs.append(_send(daemon, gateway, Send(events, kind)))
        slow = _send(daemon, gateway, Send(int(RATE * RATE_S), "order", RATE)).tally
    return runs[0], runs[1], slow, sizes


def _send(daemon: Pipe, gateway: Pipe, order: Send) -> Run:
    """Let one side send and the other count."""
    answer(gateway, (order.events, bool(order.rate)))
    sent: Sent = answer(daemon, order)
    return Run(sent, answer(gateway))


def _daemon(pipe: Pipe, url: str, prefix: str) -> None:
    uvloop.run(_publish(pipe, url, prefix))


async def _publish(pipe: Pipe, url: str, prefix: str) -> None:
    """Be the daemon's side: publish what is asked for."""
    present = Present()
    bus = Bus(prefix, present.snapshot)
    publisher = Publisher(
        bus,
        stored=present.topics,
        tokens=lambda: (),
        redis_url=url,
        prefix=prefix,
        house=prefix,
        version="bench",
    )
    publisher.open()
    makers: dict[str, Any] = {"quote": quote, "order": order}
    made = {kind: [make(n) for n in range(1000)] for kind, make in makers.items()}
    sizes = {kind: len(wire.envelope(Event("t", 1, 1, 1, make(1), None))) for kind, make in makers.items()}
    gc.freeze()  # as the daemon does
    pipe.send(sizes)
    while (told := await asyncio.to_thread(pipe.recv)) != "stop":
        ready = made[told.kind]
        started, cpu = time.time_ns(), time.process_time()
        step = max(round(told.rate * RATE_STEP_S), 1) if told.rate else PER_HAND_OVER
        for first in range(0, told.events, step):
            place = first % 1000
            some = [ready[(place + n) % 1000] for n in range(min(step, told.events - first))]
            if told.kind == "order":
                present.journalled(some)
            bus.publish_records(some)
            if told.rate:
                due = started / 1e9 + (first + step) / told.rate
                await asyncio.sleep(max(due - time.time(), 0.0))
            else:
                while publisher.waiting > _AHEAD:  # noqa: ASYNC110 - as fast as Redis takes them
                    await asyncio.sleep(0.0005)
        while publisher.waiting:  # noqa: ASYNC110 - its end is not an event of the publisher's
            await asyncio.sleep(0.0005)
        pipe.send(Sent(started, time.process_time() - cpu))
    await publisher.close()


def _gateway(pipe: Pipe, url: str, prefix: str) -> None:
    uvloop.run(_follow(pipe, url, prefix))


class _Counter:
    """Counts what a mirror hands on, and its numbers."""

    def __init__(self) -> None:
        self.events = self.lost = self.twice = self.last_ns = 0
        self._cpu = time.process_time()
        self.timed = False
        self.lags: list[int] = []
        self.came = asyncio.Event()
        self._seen: dict[str, int] = {}

    def __call__(self, events: Sequence[Event]) -> None:
        now = time.time_ns()
        self.events += len(events)
        self.last_ns = now
        for event in events:
            missing = event.seq - self._seen.get(event.topic, 0) - 1
            if missing > 0:
                self.lost += missing
            elif missing < 0:
                self.twice += 1
            self._seen[event.topic] = event.seq
        if self.timed:
            self.lags += [now - event.ts for event in events]
        self.came.set()

    def take(self) -> Tally:
        """Return the tally and begin again."""
        now = time.process_time()
        cpu, self._cpu = now - self._cpu, now
        lags = sorted(self.lags) or [0]
        p50, p99 = (lags[min(int(len(lags) * share), len(lags) - 1)] / 1e6 for share in (0.5, 0.99))
        tally = Tally(self.events, self.lost, self.twice, self.last_ns, cpu, p50, p99)
        self.events = self.lost = self.twice = 0
        self.lags = []
        return tally


async def _follow(pipe: Pipe, url: str, prefix: str) -> None:
    """Be the gateway's side: count what arrives, until as much as asked for has."""
    mirror, counter = Mirror(), _Counter()
    mirror.subscribe(counter)
    follower = Follower(url, prefix, mirror, lambda tokens: None)
    task = asyncio.create_task(follower.run())
    await follower.ready.wait()
    gc.freeze()  # as a gateway does
    pipe.send("ready")
    while (asked := await asyncio.to_thread(pipe.recv)) != "stop":
        wanted, counter.timed = asked
        pipe.send("counting")
        while counter.events < wanted:
            counter.came.clear()
            with suppress(TimeoutError):
                await asyncio.wait_for(counter.came.wait(), _START_S)
                continue
            break  # nothing more comes: what is missing is lost
        tally = counter.take()
        pipe.send(msgspec.structs.replace(tally, lost=max(tally.lost, wanted - tally.events)))
    task.cancel()
    with suppress(asyncio.CancelledError):
        await task


# ---------------------------------------------------------------- the peer


def _one_by_one(url: str, events: int) -> float:
    """Return events a second that reach a subscriber when each is published by itself."""
    with child(_listener, url) as listener, child(_speaker, url) as speaker:
        answer(listener)
        answer(speaker)
        started: int = answer(speaker, events)
        came, last_ns = answer(listener, events)
    return float(came / ((last_ns - started) / 1e9))


def _speaker(pipe: Pipe, url: str) -> None:
    uvloop.run(_speak(pipe, url))


async def _speak(pipe: Pipe, url: str) -> None:
    client = RedisAddress(url).connect()
    bus = Bus("peer")
    pipe.send("ready")
    while (events := await asyncio.to_thread(pipe.recv)) != "stop":
        made = [quote(n) for n in range(1000)]
        started = time.time_ns()
        for n in range(events):
            (event,) = bus.publish_records((made[n % 1000],))
            await client.publish(_CHANNEL, wire.envelope(event))
        pipe.send(started)
    await client.aclose()


def _listener(pipe: Pipe, url: str) -> None:
    uvloop.run(_listen(pipe, url))


async def _listen(pipe: Pipe, url: str) -> None:
    client = RedisAddress(url).connect()
    heard = client.pubsub()
    await heard.subscribe(_CHANNEL)
    await heard.get_message(timeout=_START_S)
    pipe.send("ready")
    while (wanted := await asyncio.to_thread(pipe.recv)) != "stop":
        came = 0
        while came < wanted:
            message = await heard.get_message(ignore_subscribe_messages=True, timeout=_START_S)
            if message is None:
                break
            wire.read_envelope(message["data"])
            came += 1
        pipe.send((came, time.time_ns()))
    await heard.aclose()  # type: ignore[no-untyped-call]
    await client.aclose()
