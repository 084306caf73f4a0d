"""What whoever fills the bus can make the hub tell: events are missing here; come back later."""

from __future__ import annotations

from pathlib import Path

import pytest

from data import topics
from data.bus import Bus
from tests.streams import samples
from tests.streams.serving import serving
from tests.streams.test_slow_readers import SMALL, one_round, quotes_until_blocked, slow

ORDERS = topics.orders("paper-1")
QUOTES = topics.quotes("AAPL.SIM")


@pytest.mark.parametrize("form", ["json", "msgpack"])
@pytest.mark.parametrize("pattern", [ORDERS, "orders.*", ">"])
async def test_a_gap_is_told_between_what_was_before_and_what_comes_after(
    tmp_path: Path, form: str, pattern: str
) -> None:
    async with serving(tmp_path) as service, service.unix(form=form) as client:
        service.bus.publish(ORDERS, samples.order(1))
        await client.subscribe(pattern)
        assert (await client.next(topic=ORDERS))["type"] == "snapshot"
        service.bus.publish(ORDERS, samples.order(2))
        service.hub.gap(ORDERS, after=1)
        service.bus.publish(ORDERS, samples.order(3))
        got = [await client.next(topic=ORDERS) for _ in range(4)]
        assert [(one["type"], one["seq"]) for one in got] == [
            ("order_update", 2),
            ("gap", 2),
            ("snapshot", 2),
            ("order_update", 3),
        ]
        assert got[1]["data"] == {"reason": "missed", "seq_asked": 1, "seq": 2, "epoch": "e1"}
        assert [one["client_order_id"] for one in got[2]["data"]["records"]] == ["O-1", "O-2"]


async def test_readers_of_other_topics_are_not_told_and_conflated_topics_have_no_gap(tmp_path: Path) -> None:
    async with serving(tmp_path) as service, service.unix() as client:
        service.bus.publish_records([samples.quote(1), samples.order(1)])
        await client.subscribe(QUOTES)
        assert (await client.next(topic=QUOTES))["type"] == "snapshot"
        service.hub.gap(ORDERS)
        service.hub.gap(QUOTES)
        service.bus.publish_records([samples.quote(2)])
        got = [await client.envelope() for _ in range(2)]
        assert [(one["type"], one["topic"], one["seq"]) for one in got] == [
            ("snapshot", QUOTES, 1),
            ("quote", QUOTES, 2),
        ]


async def test_a_reader_that_is_behind_is_told_of_the_gap_when_it_reads(tmp_path: Path) -> None:
    async with serving(tmp_path, SMALL) as service, slow(service) as stalled, service.tcp() as reader:
        service.bus.publish(ORDERS, samples.order(1))
        await stalled.subscribe(">")
        await reader.subscribe("quotes.>")
        n = await quotes_until_blocked(service, reader, stalled)
        service.bus.publish_many(ORDERS, [samples.order(i) for i in range(2, 5)])
        service.hub.gap(ORDERS, after=2)
        service.bus.publish_many(ORDERS, [samples.order(i) for i in range(5, 8)])
        await one_round(service, reader, n)
        assert (await stalled.next("snapshot", ORDERS))["seq"] == 1
        got = [await stalled.next(topic=ORDERS) for _ in range(2)]
        assert [one["type"] for one in got] == ["gap", "snapshot"]
        seq = got[1]["seq"]
        assert [int(one["seq"]) for one in got[1]["data"]["records"]] == list(range(1, seq + 1))
        service.bus.publish(ORDERS, samples.order(8))
        rest = [(await stalled.next("order_update"))["seq"] for _ in range(8 - seq)]
        assert rest == list(range(seq + 1, 9))


async def test_everyone_is_sent_away_with_the_reason_and_welcome_again(tmp_path: Path) -> None:
    async with serving(tmp_path) as service:
        one, two = service.unix(), service.tcp(form="msgpack")
        async with one, two:
            for client in (one, two):
                await client.subscribe(ORDERS)
            service.bus.publish(ORDERS, samples.order(1))
            service.hub.restart("the daemon began a new epoch")
            assert service.hub.connections() == []
            for client in (one, two):
                seen, code, reason = await client.until_closed()
                assert (code, reason) == (1012, "the daemon began a new epoch")
                assert seen[-1]["seq"] == 1  # what was published before is not lost
        async with service.unix() as again:
            await again.subscribe(ORDERS, resume={ORDERS: 0}, epoch="e1")
            assert (await again.next("order_update"))["seq"] == 1


async def test_another_bus_is_another_epoch(tmp_path: Path) -> None:
    async with serving(tmp_path) as service:
        async with service.unix() as client:
            await client.subscribe(ORDERS)
            service.bus.publish(ORDERS, samples.order(1))
            fresh = Bus("e2")
            service.hub.restart("a new epoch", bus=fresh)
            await client.until_closed()
        fresh.publish(ORDERS, samples.order(7))
        async with service.unix() as again:
            assert again.hello["epoch"] == "e2"
            await again.subscribe(ORDERS, resume={ORDERS: 1}, epoch="e1")
            assert (await again.next("gap"))["data"]["reason"] == "epoch"
            service.bus.publish(ORDERS, samples.order(2))  # the old one is no longer listened to
            fresh.publish(ORDERS, samples.order(8))
            assert (await again.next("snapshot", ORDERS))["data"]["records"][0]["client_order_id"] == "O-7"
            update = await again.next("order_update")
            assert (update["seq"], update["data"]["client_order_id"]) == (2, "O-8")
