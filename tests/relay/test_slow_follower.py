"""A follower that does not keep up misses nothing that may not be missed and ends at the present."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Sequence

from data import topics
from data.bus import Event
from nautilus_tui.relay.publisher import Pace
from tests.relay.redis import RedisServer
from tests.relay.world import Reader, Source, same, until
from tests.streams import samples

ORDERS = topics.orders("paper-1")
QUIET = topics.quotes("QUIET.SIM")


async def test_entries_that_were_cut_off_before_they_were_read_are_made_up_for(server: RedisServer) -> None:
    source = Source()
    going, stalled, done = threading.Event(), threading.Event(), threading.Event()
    going.set()
    reader = Reader(server.url)

    def stall(_: Sequence[Event]) -> None:
        if not going.is_set():
            stalled.set()
            going.wait(20)

    reader.mirror.subscribe(stall)

    async def follow() -> None:
        async with reader.running():
            while not done.is_set():  # noqa: ASYNC110 - it is set on another thread
                await asyncio.sleep(0.01)

    thread = threading.Thread(target=lambda: asyncio.run(follow()))
    thread.start()
    try:
        async with source.publishing(server.url, pace=Pace(lossless=10, conflated=10)) as publisher:
            await until(reader.follower.ready.is_set)
            going.clear()
            source.tell([samples.order(1)])
            await until(stalled.is_set)
            source.tell([samples.quote(1, "QUIET.SIM")])  # told of this once, and cut off before it is read
            for n in range(2, 200):
                source.tell([samples.order(n), samples.quote(n)])
                await until(lambda n=n: publisher.published >= 2 * n - 2)
            going.set()
            await until(lambda: reader.mirror.seq(ORDERS) == source.bus.seq(ORDERS))
            await until(lambda: reader.mirror.seq(QUIET) == 1)
            await until(lambda: reader.mirror.seq(topics.quotes("AAPL.SIM")) == 198)
    finally:
        going.set()
        done.set()
        thread.join(20)
    assert same(reader.mirror, source.bus)
    assert reader.seqs[ORDERS] == list(range(1, 200))
    assert reader.gaps == []
    for seqs in reader.seqs.values():
        assert seqs == sorted(set(seqs))
