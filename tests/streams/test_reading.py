"""Reading a stream: snapshot before delta, numbers without gaps, resuming, formats, addresses."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import msgspec
import pytest

from data import topics
from data.facts import Record
from data.forms import from_builtins, iso
from data.records import AnyRecord
from nautilus_tui.daemon.streams import StreamLimits
from tests.streams import samples
from tests.streams.serving import serving

ORDERS = topics.orders("paper-1")
QUOTES = topics.quotes("AAPL.SIM")


@pytest.mark.parametrize("form", ["json", "msgpack"])
async def test_a_snapshot_precedes_the_deltas_and_nothing_is_missing(tmp_path: Path, form: str) -> None:
    async with serving(tmp_path) as service, service.unix(form=form) as client:
        service.bus.publish_records([samples.quote(1), samples.order(1), samples.order(2)])
        confirmed = await client.subscribe("quotes.>", ORDERS)
        assert confirmed["data"]["topics"] == [ORDERS, "quotes.>"]
        service.bus.publish_records([samples.quote(2), samples.order(3)])
        snapshots = {}
        for _ in range(2):
            envelope = await client.next("snapshot")
            snapshots[envelope["topic"]] = envelope
        assert snapshots[QUOTES]["seq"] == 1
        assert len(snapshots[ORDERS]["data"]["records"]) == snapshots[ORDERS]["seq"] == 2
        quote, order = await client.envelope(), await client.envelope()
        assert (quote["type"], quote["topic"], quote["seq"], quote["v"]) == ("quote", QUOTES, 2, 1)
        assert (order["type"], order["seq"]) == ("order_update", 3)
        if form == "json":
            assert quote["data"]["ts"] == iso(samples.quote(2).ts)
            assert quote["ts"].endswith("Z")
        else:
            assert quote["data"]["ts"] == samples.quote(2).ts
            assert isinstance(quote["ts"], int)
        decoded: Any = from_builtins(order["data"], AnyRecord)  # type: ignore[arg-type]
        assert decoded == samples.order(3)


@pytest.mark.parametrize("pattern", [ORDERS, "orders.*", ">"])
async def test_what_comes_as_the_first_events_of_a_topic_is_not_in_the_snapshot_before_them(
    tmp_path: Path, pattern: str
) -> None:
    old = samples.order(1, client_order_id="O-old")
    kept: dict[str, Record] = {old.client_order_id: old}
    async with (
        serving(tmp_path, store=lambda topic: list(kept.values()) if topic == ORDERS else []) as service,
        service.unix() as client,
    ):
        await client.subscribe(pattern)
        news = [samples.order(2), samples.order(3, client_order_id="O-other"), samples.order(4)]
        kept |= {one.client_order_id: one for one in news}  # stored, then published
        service.bus.publish_records([samples.quote(1), *news])
        snapshot = await client.next("snapshot", ORDERS)  # once, also where it was named in full
        assert snapshot["seq"] == 0
        assert [one["client_order_id"] for one in snapshot["data"]["records"]] == ["O-old"]
        got = [await client.next(topic=ORDERS) for _ in news]
        assert [(one["type"], one["seq"]) for one in got] == [("order_update", n) for n in (1, 2, 3)]


async def test_frames_hold_many_events_in_order_of_publication(tmp_path: Path) -> None:
    async with serving(tmp_path) as service, service.unix() as client:
        await client.subscribe(">")
        for n in range(1, 101):
            service.bus.publish_records([samples.order(n), samples.quote(n), samples.log(n)])
        got = []
        while len(got) < 300:
            envelope = await client.envelope()
            if envelope["type"] in ("order_update", "quote", "engine_log"):
                got.append(envelope)
        for type_, seqs in {"order_update": 0, "quote": 0, "engine_log": 0}.items():
            assert [one["seq"] for one in got if one["type"] == type_] == list(range(seqs + 1, 101))
        assert [one["type"] for one in got[:3]] == ["order_update", "quote", "engine_log"]
        (info,) = service.hub.connections()
        assert info.sent == 303  # with the snapshot that begins each of three topics
        assert info.frames < 30


async def test_a_topic_that_appears_later_begins_with_its_state(tmp_path: Path) -> None:
    def store(topic: str) -> list[Record]:
        return [samples.order(9)] if topic == ORDERS else []

    async with serving(tmp_path, store=store) as service, service.unix() as client:
        await client.subscribe("orders.*")
        service.bus.publish(ORDERS, samples.order(10))
        first, second = await client.next(topic=ORDERS), await client.next(topic=ORDERS)
        assert (first["type"], first["seq"]) == ("snapshot", 0)
        assert [one["client_order_id"] for one in first["data"]["records"]] == ["O-9"]
        assert (second["type"], second["seq"]) == ("order_update", 1)


async def test_a_declared_topic_is_part_of_a_wildcard(tmp_path: Path) -> None:
    async with serving(tmp_path, store=lambda topic: [samples.order(4)]) as service:
        service.bus.declare(ORDERS)
        async with service.unix() as client:
            await client.subscribe("orders.*")
            snapshot = await client.next("snapshot", ORDERS)
            assert (snapshot["seq"], len(snapshot["data"]["records"])) == (0, 1)


async def test_a_topic_named_before_it_is_known_has_one_snapshot(tmp_path: Path) -> None:
    async with serving(tmp_path) as service, service.unix() as client:
        await client.subscribe(ORDERS)
        assert (await client.next("snapshot"))["topic"] == ORDERS
        service.bus.declare(ORDERS)
        await client.subscribe(QUOTES)
        service.bus.publish_records([samples.order(1), samples.quote(1)])
        service.hub.broadcast("ann", "the end")
        got = [await client.envelope()]
        while got[-1]["type"] != "broadcast":
            got.append(await client.envelope())
        assert [(one["type"], one["topic"], one["seq"]) for one in got] == [
            ("snapshot", QUOTES, 0),
            ("order_update", ORDERS, 1),
            ("quote", QUOTES, 1),
            ("snapshot", topics.BROADCAST, 0),
            ("broadcast", topics.BROADCAST, 1),
        ]


async def test_resume_replays_exactly_what_was_missed(tmp_path: Path) -> None:
    async with serving(tmp_path) as service:
        async with service.unix() as client:
            await client.subscribe(ORDERS)
            service.bus.publish_many(ORDERS, [samples.order(n) for n in range(1, 6)])
            while (await client.next("order_update"))["seq"] < 3:
                pass
        service.bus.publish_many(ORDERS, [samples.order(n) for n in range(6, 11)])
        async with service.tcp() as client:
            await client.subscribe(ORDERS, resume={ORDERS: 3}, epoch=client.hello["epoch"])
            service.bus.publish(ORDERS, samples.order(11))
            got = [await client.next(topic=ORDERS) for _ in range(8)]
            assert [(one["type"], one["seq"]) for one in got] == [
                ("order_update", seq) for seq in range(4, 12)
            ]


async def test_resume_at_the_present_repeats_nothing(tmp_path: Path) -> None:
    async with serving(tmp_path) as service, service.unix() as client:
        service.bus.publish(ORDERS, samples.order(1))
        await client.subscribe(ORDERS, resume={ORDERS: 1}, epoch="e1")
        service.bus.publish(ORDERS, samples.order(2))
        assert (await client.next(topic=ORDERS))["seq"] == 2


@pytest.mark.parametrize(
    ("resume", "epoch", "reason"),
    [(2, "e1", "too_old"), (99, "e1", "ahead"), (9, "e0", "epoch"), (2, None, "too_old")],
)
async def test_a_gap_is_told_and_a_snapshot_follows(
    tmp_path: Path, resume: int, epoch: str | None, reason: str
) -> None:
    async with serving(tmp_path, ring_size=4) as service, service.unix() as client:
        service.bus.publish_many(ORDERS, [samples.order(n) for n in range(1, 11)])
        await client.subscribe(ORDERS, resume={ORDERS: resume}, epoch=epoch)
        gap, snapshot = await client.next(topic=ORDERS), await client.next(topic=ORDERS)
        assert gap["type"] == "gap"
        assert gap["data"] == {"reason": reason, "seq_asked": resume, "seq": 10, "epoch": "e1"}
        assert (snapshot["type"], snapshot["seq"]) == ("snapshot", 10)


async def test_a_daemon_that_started_anew_is_another_epoch(tmp_path: Path) -> None:
    async with serving(tmp_path, epoch="one") as service:
        async with service.unix() as client:
            epoch = client.hello["epoch"]
        service.bus.publish(ORDERS, samples.order(1))
    async with (
        serving(tmp_path, epoch="two", store=lambda topic: [samples.order(1)]) as service,
        service.unix() as client,
    ):
        assert client.hello["epoch"] == "two"
        await client.subscribe(ORDERS, resume={ORDERS: 1}, epoch=epoch)
        assert (await client.next(topic=ORDERS))["data"]["reason"] == "epoch"
        assert (await client.next("snapshot", ORDERS))["data"]["records"][0]["client_order_id"] == "O-1"


async def test_a_conflated_topic_is_resumed_with_its_present(tmp_path: Path) -> None:
    async with serving(tmp_path) as service, service.unix() as client:
        service.bus.publish_many(QUOTES, [samples.quote(n) for n in (1, 2, 3)])
        await client.subscribe(QUOTES, resume={QUOTES: 1}, epoch="e1")
        snapshot = await client.next(topic=QUOTES)
        assert (snapshot["type"], snapshot["seq"]) == ("snapshot", 3)
        assert [one["bid"] for one in snapshot["data"]["records"]] == ["3"]


async def test_unsubscribing_ends_a_topic_and_subscribing_again_begins_with_a_snapshot(
    tmp_path: Path,
) -> None:
    async with serving(tmp_path) as service, service.unix() as client:
        await client.subscribe(ORDERS, QUOTES)
        id_ = await client.say("unsubscribe", topics=[ORDERS])
        confirmed = await client.next("subscription_confirmed")
        assert (confirmed["id"], confirmed["data"]["removed"]) == (id_, [ORDERS])
        service.bus.publish_records([samples.order(1), samples.quote(1)])
        await client.next("quote")
        await client.subscribe(ORDERS)
        assert (await client.next(topic=ORDERS))["type"] == "snapshot"
        id_ = await client.say("unsubscribe", topics=["fills.paper-1"])
        refused = await client.next("subscription_error")
        assert refused["id"] == id_
        assert "fills.paper-1" in refused["data"]["detail"]


async def test_readers_of_one_set_share_and_readers_of_another_are_not_told(tmp_path: Path) -> None:
    async with (
        serving(tmp_path) as service,
        service.unix() as one,
        service.tcp() as two,
        service.tcp(form="msgpack") as three,
    ):
        for client in (one, two):
            await client.subscribe("quotes.AAPL.SIM")
        await three.subscribe("quotes.MSFT.SIM")
        assert service.hub.health().groups == 2
        service.bus.publish_records([samples.quote(1), samples.quote(2, "MSFT.SIM")])
        assert [(await client.next("quote"))["topic"] for client in (one, two)] == [QUOTES] * 2
        assert (await three.next("quote"))["topic"] == topics.quotes("MSFT.SIM")
        listed = {one.pattern: one.connections for one in service.hub.subscriptions()}
        assert listed == {"quotes.AAPL.SIM": 2, "quotes.MSFT.SIM": 1}


@pytest.mark.parametrize(
    ("path", "record", "expected"),
    [
        ("/ws/engine/status", samples.status, "engine_status"),
        ("/ws/market-data/AAPL.SIM", lambda: samples.quote(1), "quote"),
        ("/ws/market-data/AAPL", lambda: samples.quote(1), "quote"),
        ("/ws/trades/updates", lambda: samples.order(1), "order_update"),
    ],
)
async def test_addresses_subscribe_by_themselves(
    tmp_path: Path, path: str, record: Callable[[], AnyRecord], expected: str
) -> None:
    async with serving(tmp_path) as service, service.tcp(path) as client:
        await client.next("subscription_confirmed")
        service.bus.publish_records([record()])
        assert (await client.next(expected))["seq"] == 1


@pytest.mark.parametrize(
    ("path", "reached"),
    [
        ("/ws/market-data/NOPE", 0),  # at every venue, and there is none
        ("/ws/market-data/NOPE.SIM", 3),  # named in full, but for the bars, whose timeframes are not known
        ("/ws/market-data/AAPL", 1),
        ("/ws/trades/updates", 0),
    ],
)
async def test_of_how_many_topics_the_present_follows_is_told(
    tmp_path: Path, path: str, reached: int
) -> None:
    """Whoever asks for what nobody has hears that nothing is known of it."""
    async with serving(tmp_path) as service:
        service.bus.publish_records([samples.quote(7)])
        async with service.tcp(path) as client:
            confirmed = await client.next("subscription_confirmed")
            assert confirmed["data"]["reached"] == reached
            id_ = await client.say("heartbeat_response")
            followed = [await client.envelope() for _ in range(reached)]
            assert all(one["type"] == "snapshot" for one in followed)
            assert all(bool(one["data"]["records"]) == ("AAPL" in path) for one in followed)
            assert (await client.envelope())["id"] == id_


async def test_an_unknown_address_is_not_found(tmp_path: Path) -> None:
    headers = {
        "Connection": "Upgrade",
        "Upgrade": "websocket",
        "Sec-WebSocket-Version": "13",
        "Sec-WebSocket-Key": "AAAAAAAAAAAAAAAAAAAAAA==",
        "Authorization": "Bearer t-admin",
    }
    async with serving(tmp_path) as service:
        base = f"http://127.0.0.1:{service.port}"
        async with httpx.AsyncClient(trust_env=False) as http:
            missing = await http.get(f"{base}/ws/weather", headers=headers)
            leaked = await http.get(f"{base}/ws?token=t-admin", headers=headers)
            broken = await http.get(f"{base}/ws", headers={**headers, "Sec-WebSocket-Version": "1"})
            plain = await http.get(f"{base}/anything")
        assert missing.status_code == 404
        assert missing.headers["content-type"] == "application/problem+json"
        assert "/ws/market-data/" in missing.json()["fix"]
        assert leaked.status_code == 400
        assert "t-admin" not in leaked.text
        assert broken.status_code == 400
        assert (plain.status_code, plain.text) == (200, "http")


async def test_broadcasts_reach_everyone_who_is_attached(tmp_path: Path) -> None:
    async with serving(tmp_path) as service, service.unix() as one, service.tcp(token="t-viewer") as two:
        service.hub.broadcast("ann", "closing early")
        for client in (one, two):
            envelope = await client.next("broadcast")
            assert (envelope["data"]["sender"], envelope["data"]["message"]) == ("ann", "closing early")


async def test_connections_are_listed_with_their_counters(tmp_path: Path) -> None:
    async with serving(tmp_path) as service, service.tcp("/ws/engine/status", form="msgpack") as client:
        await client.next("subscription_confirmed")
        service.bus.publish_records([samples.status()])
        await client.next("engine_status")
        await client.say("ack", seqs={topics.engine_status("paper-1"): 1})
        await client.next("ack")
        (info,) = service.hub.connections()
        assert info.id == client.hello["connection_id"]
        assert (info.name, info.role, info.via, info.path) == ("ann", "admin", "tcp", "/ws/engine/status")
        assert (info.format, info.state, info.sent, info.received) == ("msgpack", "ready", 2, 1)
        assert (info.conflated, info.dropped, info.queue, info.acked) == (0, 0, 0, 1)
        assert info.peer.startswith("127.0.0.1:")
        assert info.subscriptions == ("engines.*.status",)
        health = service.hub.health()
        assert (health.status, health.connections, health.published) == ("ok", 1, 1)
        assert msgspec.to_builtins(health)["epoch"] == "e1"


async def test_a_dropped_connection_is_told_and_forgotten(tmp_path: Path) -> None:
    async with serving(tmp_path) as service, service.unix() as client:
        service.hub.drop(client.hello["connection_id"], "maintenance")
        _, code, reason = await client.until_closed()
        assert (code, reason) == (4004, "maintenance")
        assert service.hub.connections() == []


async def test_a_stopping_daemon_says_goodbye(tmp_path: Path) -> None:
    async with serving(tmp_path) as service:
        client = service.unix()
        async with client:
            service.bus.publish(ORDERS, samples.order(1))
            await client.subscribe(ORDERS)
            service.bus.publish(ORDERS, samples.order(2))
            service.hub.close()
            seen, code, _ = await client.until_closed()
            assert code == 1012
            assert seen[-1]["seq"] == 2  # what was published before is not lost


async def test_long_states_come_in_frames_of_bounded_size(tmp_path: Path) -> None:
    limits = StreamLimits(frame_bytes=4096)
    async with serving(tmp_path, limits) as service, service.unix() as client:
        await client.subscribe(ORDERS)
        service.bus.publish_many(ORDERS, [samples.order(n) for n in range(1, 201)])
        got = [(await client.next("order_update"))["seq"] for _ in range(200)]
        assert got == list(range(1, 201))
        (info,) = service.hub.connections()
        assert info.frames > 10
