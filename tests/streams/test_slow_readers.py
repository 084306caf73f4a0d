"""A reader that does not read costs nothing, disturbs nobody, and gets the present when it reads again."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import pytest

from data import topics
from nautilus_tui.daemon.streams import StreamLimits
from tests.streams import samples
from tests.streams.serving import Client, Service, serving

ORDERS = topics.orders("paper-1")
BARS = topics.bars("1m", "A.SIM")
INSTRUMENTS = ("A.SIM", "B.SIM", "C.SIM")
SMALL = StreamLimits(write_high=32_768, write_low=8_192, frame_bytes=65_536)


def slow(service: Service, **options: Any) -> Client:
    """Return a client whose library takes one frame at a time and stops reading the socket otherwise."""
    return service.unix(max_queue=1, close_timeout=0.2, **options)


def state_of(service: Service, client: Client) -> Any:
    """Return how the hub lists a client."""
    wanted = client.hello["connection_id"]
    return next(info for info in service.hub.connections() if info.id == wanted)


async def quotes_until_blocked(service: Service, reader: Client, stalled: Client) -> int:
    """Publish quotes, each round read by ``reader`` without a gap, until ``stalled`` is set aside."""
    n = 0
    while state_of(service, stalled).state != "blocked":
        n = await one_round(service, reader, n)
        assert n < 100_000, "the transport never filled up"
    return n


async def one_round(service: Service, reader: Client, n: int, size: int = 300) -> int:
    """Publish ``size`` quotes and read them all with ``reader``; returns the number of the last."""
    for _ in range(size):
        n += 1
        service.bus.publish_records([samples.quote(n, INSTRUMENTS[n % 3])])
    for expected in range(n - size + 1, n + 1):
        envelope = await reader.next("quote")
        assert (envelope["data"]["bid"], envelope["seq"]) == (
            str(expected),
            (expected + 2) // 3 if expected % 3 else expected // 3,
        )
    return n


async def test_a_stalled_reader_is_conflated_and_others_are_unaffected(tmp_path: Path) -> None:
    async with serving(tmp_path, SMALL) as service, slow(service) as stalled, service.tcp() as reader:
        await stalled.subscribe("quotes.>")
        await reader.subscribe("quotes.>")
        n = await quotes_until_blocked(service, reader, stalled)
        bytes_then = state_of(service, stalled).queue_bytes
        for _ in range(10):
            n = await one_round(service, reader, n)
        info = state_of(service, stalled)
        assert (info.state, info.queue) == ("blocked", 0)  # quotes do not queue
        assert (info.waiting, info.conflated > 2000) == (
            len(INSTRUMENTS),
            True,
        )  # though it reads nothing yet
        assert info.socket_bytes is None  # of a unix socket
        replaced = info.conflated
        assert info.queue_bytes <= bytes_then <= SMALL.write_high + 2 * SMALL.frame_bytes
        assert info.lag_ms > 0
        assert service.hub.health().status == "degraded"

        latest: dict[str, dict[str, Any]] = {}
        while sum(int(one["data"]["bid"]) == n for one in latest.values()) == 0:
            envelope = await stalled.next("quote")
            before = latest.get(envelope["topic"])
            assert before is None or before["seq"] < envelope["seq"]
            latest[envelope["topic"]] = envelope
        service.bus.publish_records([samples.quote(n + i, INSTRUMENTS[(n + i) % 3]) for i in (1, 2, 3)])
        while int(latest[topics.quotes(INSTRUMENTS[(n + 3) % 3])]["data"]["bid"]) != n + 3:
            envelope = await stalled.next("quote")
            assert latest[envelope["topic"]]["seq"] < envelope["seq"]
            latest[envelope["topic"]] = envelope
        for topic, envelope in latest.items():
            assert envelope["seq"] == service.bus.seq(topic)
        info = state_of(service, stalled)
        assert (info.state, info.dropped) == ("ready", 0)
        assert replaced <= info.conflated <= replaced + len(INSTRUMENTS)
        assert service.hub.health().status == "ok"


async def test_lossless_events_wait_and_none_is_missing(tmp_path: Path) -> None:
    async with serving(tmp_path, SMALL) as service, slow(service) as stalled, service.tcp() as reader:
        await stalled.subscribe(">")
        await reader.subscribe("quotes.>")
        n = await quotes_until_blocked(service, reader, stalled)
        orders = [samples.order(i) for i in range(1, 1001)]
        service.bus.publish_many(ORDERS, orders)
        await one_round(service, reader, n)
        info = state_of(service, stalled)
        assert (info.state, info.queue) == ("blocked", 1000)
        assert info.waiting == 1000 + len(INSTRUMENTS)
        got: list[int] = []
        while len(got) < 1000:
            envelope = await stalled.next(topic=ORDERS)
            if envelope["type"] == "snapshot":
                # the topic appeared while it was behind: its state stands for what came until then
                got += [int(one["seq"]) for one in envelope["data"]["records"]]
            else:
                got.append(envelope["seq"])
        assert got == list(range(1, 1001))


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux says what a socket holds")
async def test_what_the_system_holds_for_a_reader_is_listed(tmp_path: Path) -> None:
    async with serving(tmp_path) as service, service.tcp(max_queue=1, close_timeout=0.2) as stalled:
        async with service.unix() as reader:
            while (info := state_of(service, stalled)).state != "blocked":
                for _ in range(50):
                    service.hub.broadcast("ann", "x" * 10_000)
                for _ in range(50):
                    await reader.next("broadcast")
        assert info.socket_bytes is not None
        assert info.queue_bytes > service.hub.limits.write_high
        assert 0 < info.socket_bytes < info.sent_bytes


def closed_bars(service: Service, first: int, last: int) -> None:
    """Publish bars that close, each after it was seen to form."""
    for n in range(first, last + 1):
        service.bus.publish_records([samples.bar(n, "A.SIM", closed=False), samples.bar(n, "A.SIM")])


async def test_bars_in_progress_are_conflated_and_those_that_closed_all_arrive(tmp_path: Path) -> None:
    async with serving(tmp_path, SMALL) as service, slow(service) as stalled, service.tcp() as reader:
        closed_bars(service, 1, 1)
        await stalled.subscribe("quotes.>", BARS)
        await reader.subscribe("quotes.>")
        n = await quotes_until_blocked(service, reader, stalled)
        closed_bars(service, 2, 500)
        service.bus.publish_records([samples.bar(501, "A.SIM", closed=False)])
        n = await one_round(service, reader, n)
        assert state_of(service, stalled).queue == 0  # it is not disconnected for them
        begun = await stalled.next("snapshot", BARS)
        assert {one["closed"]: int(one["open"]) for one in begun["data"]["records"]} == {False: 1, True: 1}
        got: list[dict[str, Any]] = []
        while not got or int(got[-1]["data"]["open"]) < 501:
            got.append(await stalled.next("bar"))
        assert [int(one["data"]["open"]) for one in got] == list(range(2, 502))
        assert [one["data"]["closed"] for one in got] == [True] * 499 + [False]
        assert state_of(service, stalled).conflated >= 499


async def test_of_bars_that_wait_too_long_a_gap_is_told(tmp_path: Path) -> None:
    limits = StreamLimits(write_high=32_768, write_low=8_192, frame_bytes=65_536, lossless_bound=200)
    async with serving(tmp_path, limits) as service, slow(service) as stalled, service.tcp() as reader:
        closed_bars(service, 1, 1)
        await stalled.subscribe("quotes.>", BARS)
        await reader.subscribe("quotes.>")
        n = await quotes_until_blocked(service, reader, stalled)
        closed_bars(service, 2, 500)
        await one_round(service, reader, n)
        assert (await stalled.next("snapshot", BARS))["seq"] == 2
        gap, state = await stalled.next(topic=BARS), await stalled.next(topic=BARS)
        assert (gap["type"], state["type"], state["seq"]) == ("gap", "snapshot", 1000)
        assert gap["data"] == {"reason": "too_old", "seq_asked": 3, "seq": 1000, "epoch": "e1"}
        closed_bars(service, 501, 501)
        while not (bar := await stalled.next("bar"))["data"]["closed"]:
            pass
        assert (bar["seq"], bar["data"]["open"]) == (1002, "501")


async def test_known_lossless_topics_are_replayed_event_by_event(tmp_path: Path) -> None:
    async with serving(tmp_path, SMALL) as service, slow(service) as stalled, service.tcp() as reader:
        service.bus.publish(ORDERS, samples.order(1))
        await stalled.subscribe(">")
        await reader.subscribe("quotes.>")
        n = await quotes_until_blocked(service, reader, stalled)
        service.bus.publish_many(ORDERS, [samples.order(i) for i in range(2, 2002)])
        await one_round(service, reader, n)
        assert (await stalled.next("snapshot", ORDERS))["seq"] == 1
        got = [(await stalled.next("order_update"))["seq"] for _ in range(2000)]
        assert got == list(range(2, 2002))


async def test_too_many_lossless_events_disconnect_with_the_reason_and_can_be_resumed(tmp_path: Path) -> None:
    limits = StreamLimits(write_high=32_768, write_low=8_192, frame_bytes=65_536, lossless_bound=200)
    async with serving(tmp_path, limits) as service, slow(service) as stalled, service.tcp() as reader:
        service.bus.publish(ORDERS, samples.order(1))
        await stalled.subscribe(ORDERS)
        await reader.subscribe(ORDERS)
        seq = 1
        while service.hub.health().overflows == 0:
            service.bus.publish_many(ORDERS, [samples.order(seq + i) for i in range(1, 101)])
            seq += 100
            while (await reader.next("order_update"))["seq"] < seq:
                pass
        assert [info.id for info in service.hub.connections()] == [reader.hello["connection_id"]]
        seen, code, reason = await stalled.until_closed()
        assert code == 4001
        assert "too slow" in reason
        assert seen[-1]["type"] == "error"
        assert seen[-1]["data"]["type"] == "too-slow"
        assert seen[-1]["data"]["rule"] == "at most 200 events of lossless topics wait for a reader"
        deltas = [one["seq"] for one in seen if one["type"] == "order_update"]
        assert deltas == list(range(2, 2 + len(deltas)))
        async with service.unix() as again:
            await again.subscribe(ORDERS, resume={ORDERS: deltas[-1]}, epoch="e1")
            missed = [await again.next(topic=ORDERS) for _ in range(seq - deltas[-1])]
            assert [one["seq"] for one in missed] == list(range(deltas[-1] + 1, seq + 1))


async def test_a_reader_that_leaves_while_it_is_behind_is_forgotten(tmp_path: Path) -> None:
    async with serving(tmp_path, SMALL) as service, service.tcp() as reader:
        await reader.subscribe("quotes.>")
        async with slow(service) as stalled:
            await stalled.subscribe("quotes.>")
            n = await quotes_until_blocked(service, reader, stalled)
            stalled.socket.transport.abort()
            while len(service.hub.connections()) > 1:
                n = await one_round(service, reader, n)
        assert service.hub.health().behind == 0


@pytest.mark.parametrize("answering", [True, False])
async def test_heartbeats_tell_the_living_from_the_dead(tmp_path: Path, answering: bool) -> None:
    async with serving(tmp_path, StreamLimits(heartbeat_s=0.05)) as service, service.unix() as client:
        if answering:
            for _ in range(6):
                beat = await client.next("heartbeat")
                id_ = await client.say("heartbeat_response")
                assert beat["data"]["interval_s"] == 0.05
                assert (await client.next("ack"))["id"] == id_
        else:
            seen, code, reason = await client.until_closed()
            assert (code, reason) == (4002, "2 heartbeats were not answered")
            assert len([one for one in seen if one["type"] == "heartbeat"]) == 2


async def test_a_stalled_reader_is_dead_after_two_heartbeats(tmp_path: Path) -> None:
    limits = StreamLimits(heartbeat_s=0.2, close_s=0.2, write_high=32_768, write_low=8_192)
    async with (
        serving(tmp_path, limits) as service,
        slow(service) as stalled,
        service.tcp(answers=True) as reader,
    ):
        await stalled.subscribe("quotes.>")
        await reader.subscribe("quotes.>")
        n = await quotes_until_blocked(service, reader, stalled)
        while len(service.hub.connections()) > 1:
            n = await one_round(service, reader, n)
        assert state_of(service, reader).state == "ready"
