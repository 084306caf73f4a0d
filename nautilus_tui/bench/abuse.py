"""What a badly behaved client costs the others: their delays beside those of a quiet run, and memory.

Readers of orders are timed and count the numbers of each topic, while a guest in another process
misbehaves. In the quiet runs, first and last, the guest reads as it should. This module must not know
how guests do what they do.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from data.bus import RING_SIZE
from nautilus_tui.bench import guests, load, servers
from nautilus_tui.bench.guests import Guest
from nautilus_tui.bench.load import Plan
from nautilus_tui.bench.processes import answer, child
from nautilus_tui.bench.rows import BenchRow, number, row
from nautilus_tui.bench.servers import ENGINES, Cost, Done, Kept, Order
from nautilus_tui.bench.streams import ORDERS, Server, affordable, begin, settle

READERS = 200
_RATE, _BESIDE = 50.0, 2000.0  #: orders/s to every reader; trades/s, which the guest alone reads
_MOST_GROWN = 8e6  #: bytes of resident memory that are not a leak but the allocator's
_WORDS: dict[Guest, str] = {
    "stalled": "one that never reads",
    "dripping": "one that reads a byte a second",
    "subscribing": "a flood of subscriptions",
    "chattering": "floods of pings",
    "talking nonsense": "malformed and oversized frames",
    "coming and going": f"{guests.CONNECTS:,} connects and drops",
}


class Visit(NamedTuple):
    """A guest's visit, as the other readers saw it."""

    p50_ms: float
    p99_ms: float
    wrong: int  #: orders lost or doubled
    closed: int  #: readers cut off
    deeds: int  #: what the guest did, times
    seconds: float
    cpu: float  #: of the server, in cores
    resident: int  #: bytes of the server, when all had gone
    kept: Kept  #: what the server then knew of them


def run(scale: int = 1, *, seconds: float = 4.0) -> list[BenchRow]:
    """Measure; ``scale`` multiplies the readers."""
    readers = affordable(READERS * scale)
    with child(servers.main, "hub") as pipe:
        server = Server(pipe, answer(pipe))
        _fill(server)
        visit(server, "coming and going", readers, seconds, most=1)  # everything is loaded and warm
        first = visit(server, "good", readers, seconds)
        visits = {guest: visit(server, guest, readers, seconds) for guest in _WORDS}
        last = visit(server, "good", readers, seconds)
    quiet = (first.p99_ms + last.p99_ms) / 2
    return [
        *(_row(guest, one, quiet, readers) for guest, one in visits.items()),
        _memory(first, [*visits.values(), last]),
    ]


def _row(guest: Guest, one: Visit, quiet: float, readers: int) -> BenchRow:
    harmed = one.wrong + one.closed
    return row(
        f"p99 of others beside {_WORDS[guest]}",
        one.p99_ms,
        "ms",
        better="less",
        goal="≤ 2 × the quiet run, nothing lost",
        limit=2 * quiet if not harmed else 0.0,
        peer=("the quiet runs, first and last", quiet),
        detail=(
            f"{readers} readers, {_RATE:.0f} orders/s to each, p50 {number(one.p50_ms)} ms, "
            f"{one.wrong} lost or doubled by number, {one.closed} cut off, guest {one.deeds:,} times, "
            f"server {100 * one.cpu:.0f} % of a core over {one.seconds:.0f} s"
        ),
    )


def _memory(first: Visit, after: Sequence[Visit]) -> BenchRow:
    grown = after[-1].resident - first.resident
    levels = " → ".join(f"{one.resident / 1e6:.1f}" for one in (first, *after))
    return row(
        "memory that stays when they have all gone",
        max(0.0, grown / 1e6),
        "MB",
        better="less",
        goal=f"≤ {_MOST_GROWN / 1e6:.0f} MB",
        limit=_MOST_GROWN / 1e6,
        detail=f"the server's resident memory after each visit, in MB: {levels}",
    )


def _fill(server: Server) -> None:
    """Publish until the rings of all topics are full, so that memory does not grow by what is remembered."""
    with child(load.main, server.port, Plan((ORDERS,))) as reading:
        answer(reading)
        left = len(ENGINES) * RING_SIZE
        while left > 0:
            left -= answer(server.pipe, Order(0.5, batch=1000, kind="order")).published


def visit(server: Server, guest: Guest, readers: int, seconds: float, *, most: int = 60) -> Visit:
    """Publish to readers while a guest is there: for ``seconds``, or until it has done what it came for."""
    order = Order(1.0, _RATE, kind="order", beside=_BESIDE)
    plan = Plan((ORDERS,) * readers, "msgpack", "numbers")
    with child(load.main, server.port, plan) as reading:
        answer(reading)
        settle(reading)
        begin(server, reading, plan.topics, order)
        with child(guests.main, server.port, guest) as visiting:
            answer(visiting)
            answer(server.pipe, Order(0.5, 0.001, kind="order", beside=_BESIDE))  # buffers fill
            answer(reading, "clear")
            done: list[Done] = []
            deeds, left = 0, False
            while len(done) < seconds or (guest == "coming and going" and not left and len(done) < most):
                done.append(answer(server.pipe, order))
                deeds, left = answer(visiting, "count")
            published = sum(one.published for one in done)
            seen = settle(reading, published * readers)
    took = sum(one.seconds for one in done)
    cost = _when_gone(server)
    return Visit(
        *seen.lags_ms,
        wrong=abs(published * readers - seen.events) + seen.lost + seen.twice,
        closed=seen.closed,
        deeds=deeds,
        seconds=took,
        cpu=sum(one.cpu_s for one in done) / took,
        resident=cost.resident,
        kept=cost.kept,
    )


def _when_gone(server: Server) -> Cost:
    """Return what a server has cost once it knows that its clients have gone."""
    cost: Cost = answer(server.pipe, "cost")
    while cost.kept.connections:
        cost = answer(server.pipe, "cost")
    return cost
