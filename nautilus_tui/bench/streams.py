"""How fast news travels: fan-out to a thousand readers, latency, memory and connect storms.

The server, ours or a peer, runs in one process and publishes; a second process holds all readers
and only counts. Both get the same events. Everything stays on loopback.
"""

from __future__ import annotations

import random
import resource
from collections.abc import Sequence
from multiprocessing.connection import Connection as Pipe
from typing import NamedTuple

import msgspec

from data import topics
from nautilus_tui.bench import load, servers
from nautilus_tui.bench.processes import answer, child
from nautilus_tui.bench.rows import BenchRow, number, row
from nautilus_tui.bench.servers import INSTRUMENTS, Done, Order

EVERYTHING: tuple[str, ...] = ("quotes.>",)
CLIENTS, CONNECTS, OWN_TOPICS = 1000, 5000, 10
MOST_READERS = 10_000
#: Events that go to a reader in one frame when it goes as fast as readers read: a busy 10 ms.
PER_FRAME = 100
MESSAGES_PER_CLIENT = 50.0  #: events a second in the latency bench
_PEERS = {
    "litestar": "Litestar on uvicorn, await send per client and event",
    "websockets": "websockets broadcast per event",
}


class Server(NamedTuple):
    """A server that runs, and where it is reached."""

    pipe: Pipe
    port: int


class Outcome(msgspec.Struct, frozen=True):
    """One run: what was published and what arrived."""

    done: Done
    expected: int  #: events times readers
    received: int
    frames: int
    lags_ms: tuple[float, float]  #: p50, p99

    @property
    def rate(self) -> float:
        """Events delivered a second."""
        return self.received / self.done.seconds


def run(scale: int = 1, *, seconds: float = 2.0) -> list[BenchRow]:
    """Measure the streams; ``scale`` multiplies the readers, up to ten thousand."""
    clients, connects = _affordable(CLIENTS * scale), _affordable(CONNECTS * scale)
    with (
        child(servers.main, "hub") as hub,
        child(servers.main, "litestar") as litestar,
        child(servers.main, "websockets") as broadcast,
    ):
        ours, peer, other = (Server(pipe, answer(pipe)) for pipe in (hub, litestar, broadcast))
        return [
            *_connections(ours, peer, connects),  # first: memory is measured in a fresh process
            _everything(ours, peer, clients, seconds),
            _own_topics(ours, peer, clients, seconds),
            *_latency(ours, other, clients, seconds),
        ]


def _affordable(readers: int) -> int:
    """Return as many readers as one process of each side may hold open."""
    limit = resource.getrlimit(resource.RLIMIT_NOFILE)[0]
    return min(readers, limit - 200, MOST_READERS)


# ---------------------------------------------------------------- the rows


def _everything(hub: Server, litestar: Server, clients: int, seconds: float) -> BenchRow:
    plan = [EVERYTHING] * clients
    order = Order(seconds, batch=PER_FRAME)
    ours, peer = _run(hub, plan, order), _run(litestar, plan, order)
    return row(
        "fan-out, each reader on everything",
        ours.rate,
        "events/s",
        better="more",
        goal="≥ 60 ×, ≥ 5 M/s",
        limit=5e6,
        least_ratio=60,
        peer=(_PEERS["litestar"], peer.rate),
        detail=_describe(ours, clients),
    )


def _own_topics(hub: Server, litestar: Server, clients: int, seconds: float) -> BenchRow:
    draw = random.Random(1)
    names = [topics.quotes(instrument) for instrument in INSTRUMENTS]
    plan = [tuple(draw.sample(names, OWN_TOPICS)) for _ in range(clients)]
    order = Order(seconds, batch=PER_FRAME * len(names) // OWN_TOPICS)
    ours, peer = _run(hub, plan, order), _run(litestar, plan, order)
    return row(
        f"fan-out, each reader on its own {OWN_TOPICS} of {len(names)} topics",
        ours.rate,
        "events/s",
        better="more",
        goal="≥ 8 ×",
        least_ratio=8,
        peer=(_PEERS["litestar"], peer.rate),
        detail=_describe(ours, clients),
    )


def _latency(hub: Server, broadcast: Server, clients: int, seconds: float) -> list[BenchRow]:
    plan = [EVERYTHING] * clients
    order = Order(seconds, MESSAGES_PER_CLIENT)
    ours, peer = _run(hub, plan, order, timed=True), _run(broadcast, plan, order, timed=True)
    lost = ours.expected - ours.received
    return [
        row(
            f"publish → received, {MESSAGES_PER_CLIENT:.0f}/s to each reader, p{name}",
            ours.lags_ms[which],
            "ms",
            better="less",
            goal="≤ 25 ms, no loss" if which else None,
            # a late event is late; a lost one is infinitely so
            limit=(25.0 if not lost else 0.0) if which else None,
            peer=(_PEERS["websockets"], peer.lags_ms[which]),
            detail=_describe(ours, clients) if which else "",
        )
        for which, name in ((0, "50"), (1, "99"))
    ]


def _connections(hub: Server, litestar: Server, connects: int) -> list[BenchRow]:
    plan = [EVERYTHING] * connects
    took, bytes_each, cpu_s = _connect(hub, plan)
    peer_took, peer_bytes, _ = _connect(litestar, plan)
    return [
        row(
            "memory per connection",
            bytes_each / 1000,
            "kB",
            better="less",
            goal="≤ 30 kB",
            limit=30.0,
            peer=(_PEERS["litestar"], peer_bytes / 1000),
            detail=f"growth of the server's resident memory over {connects:,}, subscribed and idle",
        ),
        row(
            "connects",
            took,
            "s",
            better="less",
            goal=f"≤ 2 s for {CONNECTS:,}",
            limit=2.0 * connects / CONNECTS,
            peer=(_PEERS["litestar"], peer_took),
            detail=(
                f"{connects:,} of them, 256 at once: TCP, upgrade, authentication, subscription; "
                f"server CPU {cpu_s:.2f} s"
            ),
        ),
    ]


def _describe(one: Outcome, clients: int) -> str:
    lost = one.expected - one.received
    return (
        f"{clients:,} readers, {one.done.event_bytes} B an event, "
        f"{one.received / max(one.frames, 1):.0f} events a frame, "
        f"{number(one.done.published / one.done.seconds)}/s published, "
        f"server {100 * one.done.cpu_s / one.done.seconds:.0f} % of a core, "
        f"lost {lost} of {number(one.expected)}"
    )


# ---------------------------------------------------------------- one run


def _run(server: Server, plan: Sequence[Sequence[str]], order: Order, *, timed: bool = False) -> Outcome:
    with child(load.main, server.port, plan, timed) as readers:
        answer(readers)
        _settle(readers)
        answer(server.pipe, Order(0.2, batch=len(INSTRUMENTS)))  # every topic appears, caches fill
        _settle(readers)
        answer(readers, "clear")
        done: Done = answer(server.pipe, order)
        events, frames, _, p50, p99 = _settle(readers)
    return Outcome(done, _expected(plan, done), events, frames, (p50, p99))


Tally = tuple[int, int, int, float, float]


def _settle(readers: Pipe) -> Tally:
    """Ask for the tally until it stands still."""
    seen: Tally = answer(readers, "tally")
    while True:
        readers.poll(0.2)
        again: Tally = answer(readers, "tally")
        if again[2] == seen[2]:
            return again
        seen = again


def _expected(plan: Sequence[Sequence[str]], done: Done) -> int:
    """Return how many events the readers of a plan are to receive."""
    count = len(INSTRUMENTS)
    each = [done.published // count] * count
    for extra in range(done.published % count):
        each[(done.first + extra) % count] += 1
    by_topic = {topics.quotes(instrument): many for instrument, many in zip(INSTRUMENTS, each, strict=True)}
    return sum(
        done.published if patterns == EVERYTHING else sum(by_topic[topic] for topic in patterns)
        for patterns in plan
    )


def _connect(server: Server, plan: Sequence[Sequence[str]]) -> tuple[float, float, float]:
    """Return how long the plan's readers took to connect, bytes of server memory for each, server CPU."""
    with child(load.main, server.port, plan[:50], False) as warm:
        answer(warm)
    bytes_before, cpu_before = answer(server.pipe, "cost")
    with child(load.main, server.port, plan, False) as readers:
        _, took = answer(readers)
        _settle(readers)
        bytes_after, cpu_after = answer(server.pipe, "cost")
    return took, (bytes_after - bytes_before) / len(plan), cpu_after - cpu_before
