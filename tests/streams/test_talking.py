"""What clients may say and who may say it: authentication, commands, limits, and nonsense of every kind."""

from __future__ import annotations

import asyncio
import os
import struct
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from websockets.asyncio.client import connect
from websockets.exceptions import InvalidStatus
from websockets.typing import Subprotocol

from data import topics
from data.commands import CancelOrder, Outcome, SubmitOrder
from data.facts import Record
from data.problems import DeniedError, OutcomeUnknownError, StoreFailedError
from nautilus_tui.daemon.streams import StreamLimits, messages
from nautilus_tui.daemon.streams.wire import JSON, MSGPACK
from tests.streams import samples
from tests.streams.serving import serving

SUBMIT: dict[str, Any] = {
    "command": "order.submit",
    "engine": "paper-1",
    "client_order_id": "O-1",
    "instrument": "AAPL.SIM",
    "side": "buy",
    "qty": "100",
}


# ---------------------------------------------------------------- who is there


async def test_the_unix_peer_is_known_by_its_credentials(tmp_path: Path) -> None:
    async with serving(tmp_path) as service, service.unix() as client:
        assert client.hello["name"] == f"uid{os.getuid()}"
        assert client.hello["role"] == "admin"
        assert client.hello["version"] == "1.2.3"
        assert client.hello["heartbeat_s"] == 15.0
        (info,) = service.hub.connections()
        assert info.peer == f"pid {os.getpid()}, uid {os.getuid()}"


async def test_a_token_in_the_header_wins_over_credentials(tmp_path: Path) -> None:
    async with serving(tmp_path) as service, service.unix(token="t-viewer") as client:
        assert (client.hello["name"], client.hello["role"]) == ("vic", "viewer")


@pytest.mark.parametrize("header", ["Bearer wrong", "Basic dDp0", "Bearer ", "nonsense"])
async def test_a_bad_header_is_refused_in_the_handshake(tmp_path: Path, header: str) -> None:
    async with serving(tmp_path) as service:
        with pytest.raises(InvalidStatus) as caught:
            await connect(
                f"ws://127.0.0.1:{service.port}/ws",
                additional_headers={"Authorization": header},
                proxy=None,
            )
        response = caught.value.response
        assert response.status_code == 401
        assert response.headers["WWW-Authenticate"] == "Bearer"
        assert msgspec.json.decode(response.body or b"")["type"] == "unauthorized"


@pytest.mark.parametrize(
    ("said", "answer", "id_"),
    [
        ({"type": "authenticate", "id": 7, "token": "t-trader"}, "connection_established", 7),
        ({"type": "authenticate", "token": "t-trader"}, "connection_established", None),
        ({"type": "authenticate", "id": 7, "token": "wrong"}, "error", 7),
        ({"type": "authenticate", "id": 7}, "error", 7),
        ({"type": "heartbeat_response", "id": 7}, "error", 7),
    ],
)
async def test_the_first_message_is_answered_under_its_id(
    tmp_path: Path, said: dict[str, Any], answer: str, id_: int | None
) -> None:
    async with serving(tmp_path) as service, service.tcp(token=None, established=False) as client:
        await client.socket.send(msgspec.json.encode(said).decode())
        got = await client.envelope()
        assert (got["type"], got["id"]) == (answer, id_)


@pytest.mark.parametrize("form", ["json", "msgpack"])
async def test_a_token_in_the_first_message(tmp_path: Path, form: str) -> None:
    async with (
        serving(tmp_path) as service,
        service.tcp("/ws/engine/status", token=None, established=False, form=form) as client,
    ):
        await client.say("authenticate", token="t-trader")
        hello = await client.envelope()
        assert (hello["type"], hello["data"]["name"]) == ("connection_established", "tom")
        assert (await client.next("subscription_confirmed"))["data"]["topics"] == ["engines.*.status"]


@pytest.mark.parametrize(
    ("type_", "fields"),
    [("authenticate", {"token": "wrong"}), ("subscribe", {"topics": [">"]}), ("authenticate", {})],
)
async def test_a_first_message_that_proves_nothing_ends_it(
    tmp_path: Path, type_: str, fields: dict[str, Any]
) -> None:
    async with serving(tmp_path) as service, service.tcp(token=None, established=False) as client:
        await client.say(type_, **fields)
        seen, code, _ = await client.until_closed()
        assert [one["type"] for one in seen] == ["error"]
        assert code == 4003
        assert service.hub.connections() == []


async def test_silence_is_not_authentication(tmp_path: Path) -> None:
    async with (
        serving(tmp_path, StreamLimits(auth_s=0.05)) as service,
        service.tcp(token=None, established=False) as client,
    ):
        seen, code, _ = await client.until_closed()
        assert seen[0]["data"]["type"] == "unauthorized"
        assert code == 4003


async def test_roles_limit_topics(tmp_path: Path) -> None:
    async with serving(tmp_path) as service, service.tcp(token="t-viewer") as client:
        refused = await client.subscribe("quotes.>", topics.AUDIT)
        assert (refused["type"], refused["data"]["type"]) == ("subscription_error", "forbidden")
        assert service.hub.subscriptions() == []
        confirmed = await client.subscribe(">")
        assert confirmed["data"]["withheld"] == [topics.AUDIT]
        service.bus.publish(topics.AUDIT, samples.log())
        service.bus.publish_records([samples.quote(1)])
        seen = [await client.envelope() for _ in range(2)]
        assert {one["topic"] for one in seen} <= {topics.quotes("AAPL.SIM"), topics.BROADCAST}


async def test_an_unknown_subprotocol_means_json(tmp_path: Path) -> None:
    async with serving(tmp_path) as service, service.unix(subprotocols=[Subprotocol("soap")]) as client:
        assert client.hello["format"] == "json"


async def test_connections_are_limited(tmp_path: Path) -> None:
    async with serving(tmp_path, StreamLimits(max_connections=1)) as service, service.unix():
        with pytest.raises(InvalidStatus) as caught:
            await service.unix().__aenter__()
        assert caught.value.response.status_code == 503


# ---------------------------------------------------------------- commands


async def test_a_command_is_carried_out_as_its_sender(tmp_path: Path) -> None:
    async with serving(tmp_path) as service, service.tcp(token="t-trader", form="msgpack") as client:
        outcome = Outcome(command_id="7", command="order.submit", outcome="done", orders=(samples.order(),))
        service.execute.answer = lambda _: outcome
        id_ = await client.say("command", command=SUBMIT)
        answer = await client.next("command_response")
        assert answer["id"] == id_
        assert msgspec.convert(answer["data"], Outcome) == outcome
        ((command, principal),) = service.execute.seen
        assert isinstance(command, SubmitOrder)
        assert (command.client_order_id, principal.name) == ("O-1", "tom")


async def test_what_went_wrong_is_told(tmp_path: Path) -> None:
    def deny(_: object) -> Outcome:
        raise DeniedError("too big", rule="order_notional", fix="send less", limit="1000")

    def doubt(_: object) -> Outcome:
        raise OutcomeUnknownError("no answer in 10 s")

    def fail(_: object) -> Outcome:
        raise RuntimeError("a fault of ours")

    async with serving(tmp_path) as service, service.unix() as client:
        for answer, outcome, type_ in (
            (deny, "refused", "denied"),
            (doubt, "unknown", "outcome-unknown"),
            (fail, "unknown", "outcome-unknown"),
        ):
            service.execute.answer = answer
            id_ = await client.say("command", command=SUBMIT)
            data = (await client.next("command_response"))["data"]
            assert (data["outcome"], data["problem"]["type"], data["command_id"]) == (outcome, type_, id_)
            assert "a fault of ours" not in str(data)


@pytest.mark.parametrize(
    ("command", "mention"),
    [
        ({**SUBMIT, "qty": "lots"}, "qty"),
        ({**SUBMIT, "side": "up"}, "side"),
        ({"command": "order.cancel", "engine": "paper-1"}, "client_order_id"),
        ({"command": "world.destroy"}, "world.destroy"),
        ({**SUBMIT, "ts_expire": "soon"}, "soon"),
        ({}, "command"),
        ({**SUBMIT, "price": "NaNo"}, "price"),
        ({**SUBMIT, "price": msgspec.json.decode("[" * 60 + "]" * 60)}, "too deeply"),
    ],
)
async def test_a_command_that_does_not_fit_names_field_and_rule(
    tmp_path: Path, command: dict[str, Any], mention: str
) -> None:
    async with serving(tmp_path) as service, service.unix() as client:
        await client.say("command", command=command)
        data = (await client.next("command_response"))["data"]
        assert (data["outcome"], data["problem"]["type"]) == ("refused", "invalid-request")
        assert mention in data["problem"]["detail"]
        assert data["problem"]["rule"]
        assert service.execute.seen == []


async def test_commands_in_flight_are_limited_and_outlive_their_sender(tmp_path: Path) -> None:
    async with serving(tmp_path, StreamLimits(max_commands=2)) as service:
        service.execute.gate.clear()
        async with service.unix() as client:
            for n in range(3):
                await client.say("command", command={**SUBMIT, "client_order_id": f"O-{n}"})
            refused = await client.next("command_response")
            assert refused["data"]["problem"]["type"] == "rate-limited"
        service.execute.gate.set()
        async with service.unix() as client:
            cancel = {"command": "order.cancel", "engine": "paper-1", "client_order_id": "O-1"}
            await client.say("command", command=cancel)
            assert (await client.next("command_response"))["data"]["outcome"] == "done"
        names = [
            command.client_order_id for command, _ in service.execute.seen if isinstance(command, SubmitOrder)
        ]
        assert names == ["O-0", "O-1"]
        assert isinstance(service.execute.seen[-1][0], CancelOrder)


# ---------------------------------------------------------------- limits and nonsense


@pytest.mark.parametrize(
    ("topics_", "mention"),
    [
        (["quotes..x"], "empty level"),
        (["weather.>"], "weather"),
        (["orders.paper-1", "a.>.b"], "before its end"),
        ([f"quotes.I{n}.SIM" for n in range(500)] + ["fills.*"], "501 topics"),
        ([], "length >= 1"),
        ("quotes.>", "array"),
    ],
)
async def test_a_subscription_that_is_wrong_changes_nothing(
    tmp_path: Path, topics_: Any, mention: str
) -> None:
    async with serving(tmp_path) as service, service.unix() as client:
        id_ = await client.say("subscribe", topics=topics_)
        answer = await client.envelope()
        assert answer["type"] in ("subscription_error", "error")
        assert answer["id"] == id_
        assert mention in answer["data"]["detail"]
        assert service.hub.subscriptions() == []


async def test_a_store_that_fails_is_told_and_nothing_is_subscribed_to(tmp_path: Path) -> None:
    def broken(topic: str) -> list[Record]:
        raise StoreFailedError("the disk is gone")

    async with serving(tmp_path, store=broken) as service, service.unix() as client:
        answer = await client.subscribe("quotes.>", "orders.paper-1")
        assert (answer["type"], answer["data"]["detail"]) == ("subscription_error", "the disk is gone")
        assert service.hub.subscriptions() == []
        assert (await client.subscribe("quotes.>"))["type"] == "subscription_confirmed"


@pytest.mark.parametrize("form", ["json", "msgpack"])
async def test_a_client_may_write_whole_envelopes(tmp_path: Path, form: str) -> None:
    async with serving(tmp_path) as service, service.unix(form=form) as client:
        whole: dict[str, Any] = {"v": 1, "topic": None, "seq": None, "ts": None}
        id_ = await client.say("subscribe", **whole, data={"topics": ["quotes.>", "orders.*"]})
        answer = await client.next("subscription_confirmed")
        assert (answer["id"], answer["data"]["topics"]) == (id_, ["orders.*", "quotes.>"])
        id_ = await client.say("unsubscribe", v=1, data={"topics": ["quotes.>"]})
        assert (await client.next("subscription_confirmed"))["id"] == id_
        id_ = await client.say("heartbeat_response", **whole, data={})
        assert (await client.next("ack"))["id"] == id_
        id_ = await client.say("command", **whole, data={"command": SUBMIT})
        answer = await client.next("command_response")
        assert (answer["id"], answer["data"]["outcome"]) == (id_, "done")
        assert [one.pattern for one in service.hub.subscriptions()] == ["orders.*"]


@pytest.mark.parametrize(
    "fields",
    [
        {"v": 2, "topics": ["quotes.>"]},
        {"v": True, "topics": ["quotes.>"]},
        {"topics": ["quotes.>"], "data": {}},
        {"topics": ["quotes.>"], "data": {"topics": ["orders.*"]}},
        {"topic": "quotes.>", "data": {"topics": ["orders.*"]}},
        {"seq": 1, "data": {"topics": ["orders.*"]}},
        {"data": {"topics": ["orders.*"], "type": "unsubscribe"}},
        {"data": {"topics": ["orders.*"], "more": 1}},
        {"data": ["orders.*"]},
        {"topics": []},
        {"topics": [f"quotes.I{n}.SIM" for n in range(501)]},
    ],
)
async def test_a_subscribe_that_is_not_understood_is_a_subscription_error(
    tmp_path: Path, fields: dict[str, Any]
) -> None:
    async with serving(tmp_path) as service, service.unix() as client:
        id_ = await client.say("subscribe", **fields)
        answer = await client.envelope()
        assert (answer["type"], answer["id"]) == ("subscription_error", id_)
        assert answer["data"]["status"] == 400
        assert service.hub.subscriptions() == []


@pytest.mark.parametrize("form", ["json", "msgpack"])
async def test_the_forms_go_by_their_plain_names_too(tmp_path: Path, form: str) -> None:
    async with (
        serving(tmp_path) as service,
        service.tcp(established=False, subprotocols=["nobody's", form]) as client,
    ):
        frame = await client.socket.recv()
        assert client.socket.subprotocol == form
        assert isinstance(frame, str) == (form == "json")
        decode = msgspec.json.decode if isinstance(frame, str) else msgspec.msgpack.decode
        assert decode(frame)[0]["data"]["format"] == form


async def test_at_most_500_subscriptions(tmp_path: Path) -> None:
    async with serving(tmp_path) as service, service.unix() as client:
        await client.subscribe(*(f"quotes.I{n}.SIM" for n in range(400)))
        confirmed = await client.subscribe(*(f"trades.I{n}.SIM" for n in range(100)))
        assert confirmed["data"]["subscriptions"] == 500
        again = await client.subscribe("quotes.I1.SIM")
        assert again["type"] == "subscription_confirmed"
        refused = await client.subscribe("fills.*")
        assert refused["data"]["rule"] == "at most 500 subscriptions a connection"
        assert len(service.hub.subscriptions()) == 500


@pytest.mark.parametrize(
    ("sent", "mention"),
    [
        ("{", "not json"),
        ("[]", "object"),
        ("null", "object"),
        ('{"type":"subscribe"}', "topics"),
        ('{"type":"subscribe","topics":["quotes.>"]}', "no id"),
        ('{"type":"dance","id":"1"}', "dance"),
        ('{"type":"ack","id":"1","seqs":{"orders.paper-1":"x"}}', "seqs"),
        ('{"type":"ack","id":"1","seqs":{"orders.paper-1":5}}', "never sent"),
        ('{"type":"heartbeat_response","id":"1","extra":1}', "extra"),
        ('{"type":"authenticate","id":"1","token":"t-admin"}', "already"),
        ('{"id":"1","type":"subscribe","topics":' + "[" * 5000 + "]" * 5000 + "}", "array"),
        (b"\xff\xfe\x00", "not json"),
    ],
)
async def test_nonsense_is_answered_and_the_connection_goes_on(
    tmp_path: Path, sent: Any, mention: str
) -> None:
    async with serving(tmp_path) as service, service.unix() as client:
        await client.socket.send(sent)
        error = await client.envelope()
        assert error["type"] == (
            "subscription_error" if '"id":"1","type":"subscribe"' in str(sent) else "error"
        )
        assert mention in error["data"]["detail"]
        assert error["data"]["rule"]
        assert (await client.subscribe("quotes.>"))["type"] == "subscription_confirmed"


async def test_nonsense_in_msgpack_is_answered(tmp_path: Path) -> None:
    async with serving(tmp_path) as service, service.unix(form="msgpack") as client:
        for sent in (b"\xc1", b"", b"\x93\x01", msgspec.msgpack.encode({"type": "dance", "id": 1})):
            await client.socket.send(sent)
            assert (await client.next("error"))["data"]["type"] == "invalid-request"
        assert (await client.subscribe("quotes.>"))["type"] == "subscription_confirmed"


async def test_a_message_in_fragments_is_one_message(tmp_path: Path) -> None:
    async with serving(tmp_path) as service, service.unix() as client:
        await client.socket.send(iter(['{"type":"subscribe",', '"id":"f","topics":', '["quotes.>"]}']))
        assert (await client.next("subscription_confirmed"))["id"] == "f"


@pytest.mark.parametrize(
    ("id_", "fits"),
    [
        (2**63 - 1, True),
        (-(2**63), True),
        (2**63, False),
        (10**4000, False),
        ("x" * 128, True),
        ("x" * 129, False),
    ],
    ids=["most", "least", "one more", "many digits", "128 characters", "129 characters"],
)
async def test_ids_are_as_long_as_they_can_be_said_back(tmp_path: Path, id_: str | int, fits: bool) -> None:
    async with serving(tmp_path) as service, service.unix() as client:
        said = id_ if isinstance(id_, int) else f'"{id_}"'
        await client.socket.send(f'{{"type":"heartbeat_response","id":{said}}}')
        answer = await client.next()
        assert (answer["type"], answer["id"]) == (("ack", id_) if fits else ("error", None))
        if not fits:
            assert answer["data"]["rule"].startswith(
                "an id is text of at most 128 characters or an integer of 64"
            )


async def test_a_message_that_is_too_long_is_told_and_closed(tmp_path: Path) -> None:
    async with serving(tmp_path) as service, service.unix() as client:
        await client.socket.send("x" * 70_000)
        seen, code, _ = await client.until_closed()
        assert code == 1009
        assert "65536 bytes" in seen[-1]["data"]["rule"]


@pytest.mark.parametrize(
    ("frame", "code"),
    [
        (b"\x81\x03abc", 1002),  # not masked
        (b"\x83\x80\x00\x00\x00\x00", 1002),  # reserved opcode
        (b"\xf1\x80\x00\x00\x00\x00", 1002),  # reserved bits
        (b"\x09\x80\x00\x00\x00\x00", 1002),  # fragmented ping
        (b"\x80\x80\x00\x00\x00\x00", 1002),  # continuation of nothing
        (b"\x88\x81\x00\x00\x00\x00x", 1002),  # close frame of one byte
    ],
)
async def test_malformed_frames_are_told_and_closed(tmp_path: Path, frame: bytes, code: int) -> None:
    async with serving(tmp_path) as service, service.unix() as client:
        client.socket.transport.write(frame)
        seen, closed_with, _ = await client.until_closed()
        assert closed_with == code
        assert seen[-1]["type"] == "error"
        assert seen[-1]["data"]["rule"] == "frames are as RFC 6455 describes them"
        assert service.hub.connections() == []


async def test_a_flood_is_told_and_then_closed_and_others_go_on(tmp_path: Path) -> None:
    limits = StreamLimits(inbound_excess=200)
    async with serving(tmp_path, limits) as service, service.unix() as calm, service.tcp() as flooding:
        await calm.subscribe("quotes.>")
        for n in range(400):
            message = f'{{"type":"heartbeat_response","id":{n}}}'
            flooding.socket.transport.write(_masked(message.encode()))
        seen, code, reason = await flooding.until_closed()
        assert (code, reason) == (1008, "200 messages over the rate")
        assert [one["id"] for one in seen] == list(range(len(seen))), "each has its answer"
        errors = [one["data"] for one in seen if one["type"] == "error"]
        assert len(errors) == 199
        assert {one["type"] for one in errors} == {"rate-limited"}
        assert "50 messages a second" in errors[0]["rule"]
        service.bus.publish_records([samples.quote(1)])
        assert (await calm.next("quote"))["seq"] == 1


async def test_what_comes_too_fast_is_answered_as_it_would_have_been(tmp_path: Path) -> None:
    async with serving(tmp_path, StreamLimits(inbound_rate=5)) as service, service.unix() as client:
        for _ in range(5):
            await client.say("heartbeat_response")
        order = await client.say("command", command={"command": "order.submit", "engine": "paper-1"})
        topics_ = await client.say("subscribe", topics=["quotes.>"])
        odd = await client.say("nonsense")
        for _ in range(5):
            await client.next("ack")
        answer = await client.next()
        assert (answer["type"], answer["id"]) == ("command_response", order)
        assert (answer["data"]["outcome"], answer["data"]["problem"]["type"]) == ("refused", "rate-limited")
        for type_, id_ in (("subscription_error", topics_), ("error", odd)):
            answer = await client.next()
            assert (answer["type"], answer["id"], answer["data"]["type"]) == (type_, id_, "rate-limited")
        assert service.hub.connections()[0].subscriptions == ()


async def test_a_flood_of_pings_is_a_flood(tmp_path: Path) -> None:
    async with serving(tmp_path, StreamLimits(inbound_excess=100)) as service, service.unix() as client:
        client.socket.transport.write(b"\x89\x80\x00\x00\x00\x00" * 400)
        _, code, _ = await client.until_closed()
        assert code == 1008


def _masked(payload: bytes) -> bytes:
    """Return a client's text frame, masked with zeros."""
    return struct.pack("!BB", 0x81, 0x80 | len(payload)) + b"\0\0\0\0" + payload


async def test_a_storm_of_connects_disturbs_nobody(tmp_path: Path) -> None:
    """Half of them vanish at once, half stay and read; the one who was there before misses nothing."""
    async with serving(tmp_path) as service, service.unix() as calm:
        await calm.subscribe("quotes.>")
        clients = [service.tcp(form="msgpack") for _ in range(200)]

        async def come(n: int) -> None:
            await clients[n].__aenter__()
            service.bus.publish_records([samples.quote(n + 1)])
            if n % 2:
                clients[n].socket.transport.abort()
            else:
                await clients[n].subscribe("quotes.>")

        await asyncio.gather(*(come(n) for n in range(200)))
        assert [(await calm.next("quote"))["seq"] for _ in range(200)] == list(range(1, 201))
        service.bus.publish_records([samples.quote(999)])
        for client in clients[::2]:
            while (await client.next(topic=topics.quotes("AAPL.SIM")))["seq"] != 201:
                pass
        assert service.hub.health().connections == 101
        await asyncio.gather(*(client.socket.close() for client in clients[::2]))


@pytest.mark.parametrize("key", [b"", b"Sec-WebSocket-Key: short\r\n"])
async def test_a_handshake_that_is_none_is_answered_with_a_problem(tmp_path: Path, key: bytes) -> None:
    request = b"GET /ws HTTP/1.1\r\nHost: 127.0.0.1\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    async with serving(tmp_path) as service:
        reader, writer = await asyncio.open_connection("127.0.0.1", service.port)
        writer.write(request + b"Sec-WebSocket-Version: 13\r\n" + key + b"\r\n")
        head, _, body = (await reader.read()).partition(b"\r\n\r\n")
        writer.close()
    assert head.startswith(b"HTTP/1.1 400")
    assert b"application/problem+json" in head
    problem = msgspec.json.decode(body)
    assert "Sec-WebSocket-Key" in problem["detail"]
    assert problem["rule"]
    assert problem["fix"]


async def test_garbage_on_the_socket_disturbs_nobody(tmp_path: Path) -> None:
    async with serving(tmp_path) as service, service.unix() as client:
        await client.subscribe("quotes.>")
        for garbage in (
            b"",
            b"\x00" * 100,
            b"GET / HTTP/9.9\r\n\r\n",
            b"GET /ws HTTP/1.1\r\nUpgrade: websocket\r\n",
        ):
            reader, writer = await asyncio.open_connection("127.0.0.1", service.port)
            writer.write(garbage)
            writer.write_eof()
            await reader.read()
            writer.close()
            await writer.wait_closed()
        service.bus.publish_records([samples.quote(1)])
        assert (await client.next("quote"))["seq"] == 1


@settings(max_examples=300)
@given(
    st.one_of(
        st.binary(max_size=200),
        st.recursive(
            st.none() | st.booleans() | st.text() | st.integers(),
            lambda more: (
                st.lists(more)
                | st.dictionaries(
                    st.sampled_from(["type", "id", "topics", "resume", "command", "x"]),
                    more | st.sampled_from(["subscribe", "ack", "command"]),
                )
            ),
            max_leaves=10,
        ).map(msgspec.json.encode),
    )
)
def test_reading_a_message_raises_one_kind_of_error(data: bytes) -> None:
    for form in (JSON, MSGPACK):
        try:
            message = messages.read(form, data)
        except messages.UnreadableError:
            continue
        assert isinstance(message, messages.Message)
