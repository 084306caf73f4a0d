"""Who has seen more than a mirror has: nothing is subscribed until it has caught up, or for too long not."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from data import topics
from nautilus_tui.relay import wire
from nautilus_tui.relay.mirror import Mirror
from tests.relay.world import Source
from tests.streams import samples
from tests.streams.serving import Client, Service, serving

ONE, TWO = topics.orders("one"), topics.orders("two")
LONG_S, SHORT_S = 60.0, 0.05


class Late:
    """A daemon's bus, a mirror that is told of it when the test says so, and its server."""

    def __init__(self, catch_up_s: float) -> None:
        self.source = Source("e1")
        self.mirror = Mirror(catch_up_s=catch_up_s)
        self.mirror.load("e1", [])
        self.service: Service

    def publish(self, engine: str, *numbers: int) -> None:
        self.source.tell([samples.order(n, engine) for n in numbers])

    def catch_up(self, engine: str, to: int) -> None:
        """Tell the mirror of an engine's orders up to a number."""
        events = self.source.bus.since(topics.orders(engine), self.mirror.seq(topics.orders(engine)))
        assert events is not None
        self.mirror.take([wire.envelope(event) for event in events if event.seq <= to])


@asynccontextmanager
async def late(tmp_path: Path, catch_up_s: float) -> AsyncIterator[tuple[Late, Client]]:
    behind = Late(catch_up_s)
    async with serving(tmp_path, bus=behind.mirror) as service, service.unix() as client:
        behind.service = service
        yield behind, client


async def heard(client: Client) -> None:
    """Return once everything was heard that was said before."""
    id_ = await client.say("heartbeat_response")
    answer = await client.envelope()
    assert (answer["type"], answer["id"]) == ("ack", id_)


def told(envelopes: list[dict[str, Any]]) -> list[tuple[str, str | None, int | None]]:
    return [(one["type"], one["topic"], one["seq"]) for one in envelopes]


async def test_a_resumption_waits_for_what_was_seen_and_repeats_nothing(tmp_path: Path) -> None:
    async with late(tmp_path, LONG_S) as (behind, client):
        behind.publish("one", *range(1, 9))
        behind.publish("two", *range(1, 6))
        behind.catch_up("one", 3)
        first = await client.say("subscribe", topics=["orders.*"], resume={ONE: 6, TWO: 4}, epoch="e1")
        last = await client.say("unsubscribe", topics=["orders.*"])
        await heard(client)  # and nothing was said of the subscription
        behind.catch_up("one", 5)
        behind.catch_up("two", 5)
        await heard(client)
        behind.catch_up("one", 7)
        got = [await client.envelope() for _ in range(4)]
        assert (got[0]["type"], got[0]["id"]) == ("subscription_confirmed", first)
        assert sorted(told(got[1:3])) == [("order_update", ONE, 7), ("order_update", TWO, 5)]
        assert (got[3]["id"], got[3]["data"]["removed"]) == (last, ["orders.*"])


async def test_what_never_comes_is_a_gap_as_at_the_daemon(tmp_path: Path) -> None:
    async with late(tmp_path, SHORT_S) as (behind, client):
        behind.publish("one", *range(1, 9))
        behind.catch_up("one", 3)
        await client.subscribe("orders.*", resume={ONE: 99_999})
        gap, snapshot = await client.envelope(), await client.envelope()
        assert gap["data"] == {"reason": "ahead", "seq_asked": 99_999, "seq": 3, "epoch": "e1"}
        assert told([gap, snapshot]) == [("gap", ONE, 3), ("snapshot", ONE, 3)]
        behind.catch_up("one", 4)
        assert told([await client.envelope()]) == [("order_update", ONE, 4)]


async def test_only_what_is_on_its_way_is_waited_for(tmp_path: Path) -> None:
    async with late(tmp_path, LONG_S) as (behind, client):
        behind.publish("one", 1, 2)
        behind.catch_up("one", 2)
        numbers = {ONE: 2, TWO: 9, topics.quotes("A.SIM"): 9, "weather.london": 9}
        answer = await client.subscribe(ONE, "quotes.>", resume=numbers, epoch="e1")
        assert answer["type"] == "subscription_confirmed"
        answer = await client.subscribe("orders.*", resume={ONE: 9}, epoch="e0")
        assert (await client.next("gap"))["data"]["reason"] == "epoch"


async def test_more_than_a_few_messages_do_not_wait(tmp_path: Path) -> None:
    async with late(tmp_path, LONG_S) as (behind, client):
        await client.say("subscribe", topics=[ONE], resume={ONE: 1})
        for _ in range(16):
            await client.say("ack", seqs={ONE: 1})
        refused = await client.say("unsubscribe", topics=[ONE])
        answer = await client.envelope()
        assert (answer["type"], answer["id"]) == ("subscription_error", refused)
        assert answer["data"]["type"] == "rate-limited"
        behind.publish("one", 1)
        behind.catch_up("one", 1)
        assert (await client.envelope())["type"] == "subscription_confirmed"
        assert [(await client.envelope())["type"] for _ in range(16)] == ["ack"] * 16


async def test_who_leaves_meanwhile_is_forgotten(tmp_path: Path) -> None:
    async with late(tmp_path, LONG_S) as (behind, client):
        await client.say("subscribe", topics=[ONE], resume={ONE: 1})
        await heard(client)
        behind.service.hub.drop(client.hello["connection_id"])
        await client.until_closed()
        async with behind.service.unix() as other:
            behind.publish("one", 1)
            behind.catch_up("one", 1)
            await other.subscribe(ONE, resume={ONE: 1})
            assert [one.subscriptions for one in behind.service.hub.connections()] == [(ONE,)]
