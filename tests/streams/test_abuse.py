"""Clients that ask too much, say nonsense or never listen: what they cost is bounded, others go on."""

from __future__ import annotations

import asyncio
import struct
from pathlib import Path

import msgspec
import pytest

from data import topics
from nautilus_tui.daemon.streams import StreamLimits
from tests.streams import samples
from tests.streams.serving import Service, serving
from tests.streams.test_slow_readers import slow, state_of

ORDERS = topics.orders("paper-1")


def said(message: object) -> bytes:
    """Return a client's text frame, masked with zeros."""
    payload = msgspec.json.encode(message)
    size = len(payload)
    head = struct.pack("!BB", 0x81, 0x80 | size) if size < 126 else struct.pack("!BBH", 0x81, 0xFE, size)
    return head + b"\0\0\0\0" + payload


def many_quotes(service: Service, count: int = 1000) -> None:
    service.bus.publish_records([samples.quote(n, f"I{n}.SIM") for n in range(count)])


async def test_who_asks_for_everything_again_and_again_and_never_reads_waits_for_itself(
    tmp_path: Path,
) -> None:
    """What is asked while earlier answers have not been read is heard when they have."""
    async with serving(tmp_path) as service, slow(service) as greedy, service.tcp() as reader:
        many_quotes(service)
        await reader.subscribe(ORDERS)
        ask = b"".join(
            said({"type": "subscribe", "id": str(n), "topics": ["quotes.>"]}) for n in range(1000, 1040)
        )
        greedy.socket.transport.write(ask)
        while state_of(service, greedy).state != "blocked":
            service.bus.publish(ORDERS, samples.order(1))
            await reader.next("order_update")
        for n in range(20):
            service.bus.publish(ORDERS, samples.order(n))
            await reader.next("order_update")
        info = state_of(service, greedy)
        one_answer = 600_000
        assert info.queue_bytes <= service.hub.limits.write_high + one_answer
        assert info.received < 40
        answers = []
        while len(answers) < 40:  # it reads at last: every question is answered, in order
            envelope = await greedy.envelope()
            if envelope["type"] == "subscription_confirmed":
                answers.append(envelope["id"])
        assert answers == [str(n) for n in range(1000, 1040)]


async def test_pongs_nobody_asked_for_are_a_flood(tmp_path: Path) -> None:
    async with serving(tmp_path, StreamLimits(inbound_excess=100)) as service, service.unix() as client:
        client.socket.transport.write(b"\x8a\x80\x00\x00\x00\x00" * 400)
        _, code, _ = await client.until_closed()
        assert code == 1008


async def test_only_what_is_read_can_be_acknowledged(tmp_path: Path) -> None:
    async with serving(tmp_path) as service, service.unix() as client:
        service.bus.publish_records([samples.order(1), samples.quote(1)])
        await client.subscribe(ORDERS)
        id_ = await client.say("ack", seqs={topics.quotes("AAPL.SIM"): 1})
        refused = await client.next("error")
        assert (refused["id"], "quotes.AAPL.SIM" in refused["data"]["detail"]) == (id_, True)
        id_ = await client.say("ack", seqs={ORDERS: 1})
        assert (await client.next("ack"))["id"] == id_
        assert state_of(service, client).acked == 1
        await client.say("unsubscribe", topics=[ORDERS])
        await client.next("subscription_confirmed")
        assert state_of(service, client).acked == 0


async def test_names_of_topics_are_remembered_within_a_bound(tmp_path: Path) -> None:
    """Long names times many subscriptions times many connections would be gigabytes."""
    limits = StreamLimits(subscription_bytes=50_000)
    names = [f"quotes.{n:03}{'x' * 200}.SIM" for n in range(200)]
    async with serving(tmp_path, limits) as service, service.unix() as one, service.unix() as two:
        assert (await one.subscribe(*names))["type"] == "subscription_confirmed"
        refused = await two.subscribe(*(name.replace("quotes", "trades") for name in names))
        assert (refused["type"], refused["data"]["type"]) == ("subscription_error", "unavailable")
        assert "50000" in refused["data"]["rule"]
        assert (await two.subscribe(*names))["type"] == "subscription_confirmed"  # the same set is shared
        for client in (one, two):
            await client.say("unsubscribe", topics=names)
            await client.next("subscription_confirmed")
        confirmed = await two.subscribe(*(name.replace("quotes", "trades") for name in names))
        assert confirmed["type"] == "subscription_confirmed"
        assert service.hub.health().names < 50_000


async def test_naming_topics_that_do_not_exist_leaves_nothing_behind(tmp_path: Path) -> None:
    async with serving(tmp_path) as service:
        async with service.unix() as client:
            for round_ in range(10):
                names = [f"orders.ghost-{round_}-{n}" for n in range(400)]
                resume = dict.fromkeys(names, 7)
                assert (await client.subscribe(*names, resume=resume, epoch="e1"))["type"] == (
                    "subscription_confirmed"
                )
                await client.say("ack", seqs=resume)
                await client.next("error")
                await client.say("unsubscribe", topics=names)
                await client.next("subscription_confirmed")
            assert state_of(service, client).acked == 0
            await client.socket.close()  # the server answers once it has forgotten the connection
        assert service.hub.connections() == []
        assert service.bus.topics() == []
        health = service.hub.health()
        assert (health.groups, health.topics, health.names) == (0, 0, 0)


@pytest.mark.parametrize("reads", [True, False])
async def test_a_reader_that_reads_but_never_answers_is_dead(tmp_path: Path, reads: bool) -> None:
    """Being blocked now and then is no sign of life of a reader that was asked for one."""
    limits = StreamLimits(heartbeat_s=0.3, close_s=0.2, write_high=16_384, write_low=4_096)
    async with (
        serving(tmp_path, limits) as service,
        slow(service) as mute,
        service.tcp(answers=True) as reader,
    ):
        await mute.subscribe("quotes.>")
        await reader.subscribe("quotes.>")
        n, read = 0, asyncio.ensure_future(mute.until_closed()) if reads else None
        while len(service.hub.connections()) > 1:
            n += 200
            service.bus.publish_records([samples.quote(n - i) for i in range(200)])
            while int((await reader.next("quote"))["data"]["bid"]) != n - 199:
                pass
        if read is not None:
            assert (await read)[1] == 4002
