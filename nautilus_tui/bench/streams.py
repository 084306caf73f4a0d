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
from nautilus_tui.bench import ceiling, load, servers
from nautilus_tui.bench.load import FormName, Plan, Seen
from nautilus_tui.bench.peers import naive
from nautilus_tui.bench.processes import answer, child
from nautilus_tui.bench.rows import BenchRow, number, row
from nautilus_tui.bench.servers import ENGINES, INSTRUMENTS, Cost, Done, Order

EVERYTHING: tuple[str, ...] = ("quotes.>",)
ORDERS: tuple[str, ...] = ("orders.*",)
CLIENTS, CONNECTS, OWN_TOPICS = 1000, 5000, 10
MOST_READERS = 10_000
FORMS: tuple[FormName, ...] = ("json", "msgpack")
#: Events that go to a reader in one frame when it goes as fast as readers read: a busy 10 ms.
PER_FRAME = 100
MESSAGES_PER_CLIENT = 50.0  #: events a second in the latency bench
#: How long nothing comes when all has come, in seconds, and for how many times that what is due may tarry.
_STILL_S, _PATIENCE = 0.2, 15
_BROADCAST = "websockets broadcast per event"


class Server(NamedTuple):
    """A server that runs, and where it is reached."""

    pipe: Pipe
    port: int


class Outcome(msgspec.Struct, frozen=True):
    """One run: what was published and what arrived."""

    done: Done
    expected: int  #: events times readers
    seen: Seen
    form: FormName

    @property
    def rate(self) -> float:
        """Events delivered a second."""
        return self.seen.events / self.done.seconds

    @property
    def lost(self) -> int:
        """Events that did not arrive."""
        return self.expected - self.seen.events


class Peer(NamedTuple):
    """The naive peer as it runs."""

    server: Server
    form: FormName
    name: str


def run(scale: int = 1, *, seconds: float = 2.0) -> list[BenchRow]:
    """Measure the streams; ``scale`` multiplies the readers, up to ten thousand."""
    clients, connects = affordable(CLIENTS * scale), affordable(CONNECTS * scale)
    kind, form, name = naive()
    with (
        child(servers.main, "hub") as hub,
        child(servers.main, kind) as awaited,
        child(servers.main, "websockets") as broadcast,
    ):
        ours, theirs, other = (Server(pipe, answer(pipe)) for pipe in (hub, awaited, broadcast))
        peer = Peer(theirs, form, name)
        return [
            *_connections(ours, peer, connects),  # first: memory is measured in a fresh process
            *_everything(ours, peer, clients, seconds),
            *_own_topics(ours, peer, clients, seconds),
            *_latency(ours, other, clients, seconds),
            _by_number(ours, clients, seconds),
        ]


def affordable(readers: int) -> int:
    """Return as many readers as one process of each side may hold open."""
    limit = resource.getrlimit(resource.RLIMIT_NOFILE)[0]
    return min(readers, limit - 200, MOST_READERS)


# ---------------------------------------------------------------- the rows


def _everything(hub: Server, peer: Peer, clients: int, seconds: float) -> list[BenchRow]:
    order = Order(seconds, batch=PER_FRAME)
    plan = [EVERYTHING] * clients
    theirs = measure(peer.server, plan, order, form=peer.form)
    rows = []
    with child(ceiling.main, PER_FRAME) as pipe:
        best: int | str = answer(pipe)
        for form in FORMS:  # JSON is what the peer speaks; msgpack is what our own clients do
            ours = measure(hub, plan, order, form=form)
            if isinstance(best, int):
                most = measure(Server(pipe, best), plan, order, form=form).rate
                share = (
                    f"a C program writes {number(most)}/s ready-made: this is {100 * ours.rate / most:.0f} %"
                )
            else:
                share = f"not measured against a C program: {best}"
            rows.append(
                row(
                    f"fan-out, each reader on everything, {form}",
                    ours.rate,
                    "events/s",
                    better="more",
                    goal="≥ 60 ×" if form == "json" else "≥ 60 ×, ≥ 5 M/s",
                    limit=None if form == "json" else 5e6,
                    least_ratio=60,
                    peer=(f"{peer.name} ({peer.form})", theirs.rate),
                    detail=f"{_describe(ours, clients)}; {share}",
                )
            )
    return rows


def _own_topics(hub: Server, peer: Peer, clients: int, seconds: float) -> list[BenchRow]:
    draw = random.Random(1)
    names = [topics.quotes(instrument) for instrument in INSTRUMENTS]
    plan = [tuple(draw.sample(names, OWN_TOPICS)) for _ in range(clients)]
    order = Order(seconds, batch=PER_FRAME * len(names) // OWN_TOPICS)
    theirs = measure(peer.server, plan, order, form=peer.form)
    rows = []
    for form in FORMS:
        ours = measure(hub, plan, order, form=form)
        rows.append(
            row(
                f"fan-out, each reader on its own {OWN_TOPICS} of {len(names)} topics, {form}",
                ours.rate,
                "events/s",
                better="more",
                goal="≥ 8 ×",
                least_ratio=8,
                peer=(f"{peer.name} ({peer.form})", theirs.rate),
                detail=_describe(ours, clients),
            )
        )
    return rows


def _latency(hub: Server, broadcast: Server, clients: int, seconds: float) -> list[BenchRow]:
    plan = [EVERYTHING] * clients
    order = Order(seconds, MESSAGES_PER_CLIENT)
    ours, peer = (measure(one, plan, order, watch="times") for one in (hub, broadcast))
    return [
        row(
            f"publish → received, {MESSAGES_PER_CLIENT:.0f}/s to each reader, p{name}",
            ours.seen.lags_ms[which],
            "ms",
            better="less",
            goal="≤ 25 ms, no loss" if which else None,
            # a late event is late; a lost one is infinitely so
            limit=(25.0 if not ours.lost else 0.0) if which else None,
            peer=(_BROADCAST, peer.seen.lags_ms[which]),
            detail=_describe(ours, clients) if which else "",
        )
        for which, name in ((0, "50"), (1, "99"))
    ]


def _by_number(hub: Server, clients: int, seconds: float) -> BenchRow:
    ours = measure(hub, [ORDERS] * clients, Order(seconds, batch=10, kind="order"), watch="numbers")
    return row(
        "orders lost or doubled, each reader counting the numbers of each topic",
        float(ours.seen.lost + ours.seen.twice + abs(ours.lost)),
        "events",
        better="less",
        goal="0",
        limit=0.0,
        detail=f"{_describe(ours, clients)}, {len(ENGINES)} topics, {number(ours.rate)} events/s",
    )


def _connections(hub: Server, peer: Peer, connects: int) -> list[BenchRow]:
    took, bytes_each, cpu_s, held = _connect(hub, connects, "msgpack", hold=True)
    peer_took, peer_bytes, _, _ = _connect(peer.server, connects, peer.form)
    return [
        row(
            "memory per connection",
            bytes_each / 1000,
            "kB",
            better="less",
            goal="≤ 30 kB",
            limit=30.0,
            peer=(peer.name, peer_bytes / 1000),
            detail=f"growth of the server's resident memory over {connects:,}, subscribed and idle",
        ),
        row(
            "connects",
            took,
            "s",
            better="less",
            goal=f"≤ 2 s for {CONNECTS:,}",
            limit=2.0 * connects / CONNECTS,
            peer=(peer.name, peer_took),
            detail=(
                f"{connects:,} of them, 256 at once: TCP, upgrade, authentication, subscription; "
                f"server CPU {cpu_s:.2f} s"
            ),
        ),
        row(
            "connections that hold",
            float(held.readers),
            "readers",
            better="more",
            goal=f"{connects:,}, nothing lost",
            limit=float(connects) if not held.wrong else float("inf"),
            detail=(
                f"{number(held.expected)} orders sent to them, {held.wrong} lost or doubled by number, "
                f"{held.closed} connections lost"
            ),
        ),
    ]


def _describe(one: Outcome, clients: int) -> str:
    return (
        f"{clients:,} readers, {one.done.event_bytes[one.form]} B an event in {one.form}, "
        f"{one.seen.events / max(one.seen.frames, 1):.0f} events a frame, "
        f"{number(one.done.published / one.done.seconds)}/s published, "
        f"server {100 * one.done.cpu_s / one.done.seconds:.0f} % of a core, "
        f"lost {one.lost} of {number(one.expected)}"
    )


# ---------------------------------------------------------------- one run


def measure(
    server: Server,
    plan: Sequence[tuple[str, ...]],
    order: Order,
    *,
    form: FormName = "msgpack",
    watch: load.Watch = "count",
) -> Outcome:
    """Connect a plan's readers, publish as ordered and return what arrived."""
    with child(load.main, server.port, Plan(tuple(plan), form, watch)) as readers:
        answer(readers)
        settle(readers)
        begin(server, readers, plan, order)
        done: Done = answer(server.pipe, order)
        due = expected(plan, done, order)
        seen = settle(readers, due)
    return Outcome(done, due, seen, form)


def begin(server: Server, readers: Pipe, plan: Sequence[tuple[str, ...]], order: Order) -> None:
    """Let every topic appear and caches fill, then let readers count from nothing."""
    warm = Order(0.2, batch=len(INSTRUMENTS), kind=order.kind)
    answer(readers, "clear")
    settle(readers, expected(plan, answer(server.pipe, warm), warm))
    answer(readers, "clear")


def settle(readers: Pipe, due: int = 0) -> Seen:
    """Ask for what was seen until it stands still: for a moment, or longer while events are ``due``."""
    seen: Seen = answer(readers, "tally")
    still = 0
    while True:
        readers.poll(_STILL_S)
        again: Seen = answer(readers, "tally")
        still = still + 1 if again.bytes == seen.bytes else 0
        if still and (again.events >= due or still >= _PATIENCE):
            return again
        seen = again


def expected(plan: Sequence[tuple[str, ...]], done: Done, order: Order) -> int:
    """Return how many events the readers of a plan are to receive."""
    if order.kind == "order":
        return done.published * sum(patterns == ORDERS for patterns in plan)
    count = len(INSTRUMENTS)
    each = [done.published // count] * count
    for extra in range(done.published % count):
        each[(done.first + extra) % count] += 1
    by_topic = {topics.quotes(instrument): many for instrument, many in zip(INSTRUMENTS, each, strict=True)}
    return sum(
        done.published if patterns == EVERYTHING else sum(by_topic[topic] for topic in patterns)
        for patterns in plan
    )


class Held(NamedTuple):
    """What readers got that had been connected for a while."""

    readers: int
    expected: int
    wrong: int  #: lost or doubled
    closed: int


class Connected(NamedTuple):
    """What it took to connect many readers."""

    seconds: float
    bytes_each: float  #: of the server's resident memory
    cpu_s: float  #: of the server
    held: Held


def _connect(server: Server, connects: int, form: FormName, *, hold: bool = False) -> Connected:
    """Connect many readers and, to ``hold`` them, send each ten orders that it counts by number."""
    plan = Plan((ORDERS if hold else EVERYTHING,) * connects, form, "numbers" if hold else "count")
    with child(load.main, server.port, msgspec.structs.replace(plan, topics=plan.topics[:50])) as warm:
        answer(warm)
    before: Cost = answer(server.pipe, "cost")
    with child(load.main, server.port, plan) as readers:
        _, took = answer(readers)
        settle(readers)
        after: Cost = answer(server.pipe, "cost")
        held = Held(0, 0, 0, 0)
        if hold:
            order = Order(1.0, 10.0, kind="order")
            begin(server, readers, plan.topics, order)
            done: Done = answer(server.pipe, order)
            sent = expected(plan.topics, done, order)
            seen = settle(readers, sent)
            wrong = abs(sent - seen.events) + seen.lost + seen.twice
            held = Held(answer(server.pipe, "cost").kept.connections, sent, wrong, seen.closed)
    each = (after.resident - before.resident) / connects
    return Connected(took, each, after.cpu_s - before.cpu_s, held)
