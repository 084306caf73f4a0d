"""The protocol works the same on asyncio's loop and on uvloop, where transports report back later."""

from __future__ import annotations

from pathlib import Path

import uvloop

from data import topics
from tests.streams import samples
from tests.streams.serving import serving
from tests.streams.test_slow_readers import SMALL, one_round, quotes_until_blocked, slow, state_of

ORDERS = topics.orders("paper-1")


def test_on_uvloop(tmp_path: Path) -> None:
    uvloop.run(_slow_and_fast(tmp_path))


async def _slow_and_fast(tmp_path: Path) -> None:
    """Credentials, a reader that stalls, one that does not, an overflow's worth of orders, a goodbye."""
    async with serving(tmp_path, SMALL) as service, slow(service) as stalled, service.tcp() as reader:
        service.bus.publish(ORDERS, samples.order(1))
        await stalled.subscribe(">")
        await reader.subscribe("quotes.>")
        n = await quotes_until_blocked(service, reader, stalled)
        service.bus.publish_many(ORDERS, [samples.order(i) for i in range(2, 2002)])
        n = await one_round(service, reader, n)
        assert state_of(service, stalled).queue == 2000
        assert (await stalled.next("snapshot", ORDERS))["seq"] == 1
        got = [(await stalled.next("order_update"))["seq"] for _ in range(2000)]
        assert got == list(range(2, 2002))
        service.hub.drop(reader.hello["connection_id"])
        _, code, _ = await reader.until_closed()
        assert code == 4004
        while state_of(service, stalled).state != "ready":
            await stalled.envelope()
        assert state_of(service, stalled).peer.startswith("pid ")
