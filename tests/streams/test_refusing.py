"""What is refused says why and what to do, and a refused command is written down before its answer."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import msgspec
import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import InvalidStatus

from data import topics
from data.bus import Bus
from data.commands import Outcome
from data.facts import Record as Fact
from data.problems import DeniedError, InvalidRequestError, OutcomeUnknownError, UnavailableError
from nautilus_tui.daemon.refusals import Refusal
from nautilus_tui.daemon.streams import StreamLimits
from nautilus_tui.relay.mirror import Mirror
from tests.streams import samples
from tests.streams.serving import Client, serving
from tests.streams.test_abuse import said
from tests.streams.test_slow_readers import slow

NONSENSE: dict[str, Any] = {"command": "world.destroy"}
CANCEL = {"command": "order.cancel", "engine": "paper-1", "client_order_id": "O-1"}
BROKEN = b"\x81\x03abc"  #: a frame that is not masked


class Chain:
    """Where refused commands are written down: when the test says so."""

    def __init__(self, *, open_: bool = True) -> None:
        self.gate = asyncio.Event()
        if open_:
            self.gate.set()
        self.noted: list[Refusal] = []
        self.asked = asyncio.Event()  #: to write something down
        self.done = asyncio.Event()  #: with all that was asked
        self.begun: list[Refusal] = []
        self.written: list[Refusal] = []
        self.most = 0  #: on their way at once

    def note(self, refusal: Refusal) -> None:
        self.noted.append(refusal)

    async def record(self, refusal: Refusal) -> None:
        self.begun.append(refusal)
        self.asked.set()
        self.done.clear()
        self.most = max(self.most, len(self.begun) - len(self.written))
        await self.gate.wait()
        await asyncio.sleep(0)
        self.written.append(refusal)
        if len(self.written) == len(self.begun):
            self.done.set()


# ---------------------------------------------------------------- entries of commands


@pytest.mark.parametrize(
    ("message", "asked", "answer"),
    [
        ({"command": NONSENSE}, "command world.destroy", "command_response"),
        ({"command": {"command": "order.cancel"}}, "command order.cancel", "command_response"),
        ({"command": {}}, "command ", "command_response"),
        ({"command": "order.cancel"}, "command", "error"),
        ({"command": NONSENSE, "extra": 1}, "command", "error"),
        ({"command": NONSENSE, "id": None}, "command", "error"),
        ({"command": NONSENSE, "id": "x" * 200}, "command", "error"),
        ({"command": {**CANCEL, "engine": 7}}, "command order.cancel", "command_response"),
    ],
)
async def test_what_is_no_command_is_written_down_before_it_is_answered(
    tmp_path: Path, message: dict[str, Any], asked: str, answer: str
) -> None:
    chain = Chain(open_=False)
    async with (
        serving(tmp_path, note=chain.note, record=chain.record) as service,
        service.tcp(token="t-trader") as client,
    ):
        whole = {"type": "command", "id": "1", **message}
        client.socket.transport.write(said(whole) + said({"type": "heartbeat_response", "id": "2"}))
        await asyncio.wait_for(chain.asked.wait(), 60)
        (info,) = service.hub.connections()
        assert (info.frames, info.received) == (1, 1), "nothing but hello was said, and no more heard"
        chain.gate.set()
        got = await client.envelope()
        assert got["type"] == answer
        assert (await client.envelope())["id"] == "2", "then the client is heard further"
        (entry,) = chain.written
        assert (entry.what, entry.asked, entry.actor, entry.role) == (
            "stream.refused",
            asked,
            "tom",
            "trader",
        )
        assert chain.noted == [], "it has an entry, and is not counted beside it"
        assert service.execute.seen == []


async def test_commands_that_are_too_many_at_once_are_written_down(tmp_path: Path) -> None:
    chain = Chain()
    async with (
        serving(tmp_path, StreamLimits(max_commands=2), record=chain.record) as service,
        service.unix() as client,
    ):
        service.execute.gate.clear()
        for _ in range(4):
            await client.say("command", command=CANCEL)
        for id_ in ("3", "4"):
            answer = await client.next("command_response")
            assert (answer["id"], answer["data"]["problem"]["type"]) == (id_, "rate-limited")
        assert [one.problem.type for one in chain.written] == ["rate-limited"] * 2
        service.execute.gate.set()
        assert (await client.next("command_response"))["data"]["outcome"] == "done"


async def test_a_flood_of_commands_has_an_entry_each_and_one_at_a_time_until_it_is_hung_up_on(
    tmp_path: Path,
) -> None:
    chain = Chain()
    limits = StreamLimits(inbound_rate=5, inbound_excess=300)
    async with (
        serving(tmp_path, limits, note=chain.note, record=chain.record) as service,
        service.unix() as client,
    ):
        flood = [said({"type": "command", "id": n, "command": CANCEL}) for n in range(1000)]
        client.socket.transport.write(b"".join(flood))
        seen, code, _ = await client.until_closed()
        assert code == 1008
        refused = [one for one in seen if one["data"].get("outcome") == "refused"]
        done = [one for one in seen if one["data"].get("outcome") == "done"]
        assert {one["data"]["problem"]["type"] for one in refused} == {"rate-limited"}
        assert [one["id"] for one in refused] == sorted(one["id"] for one in refused)
        assert len(refused) == len(chain.written) >= 299
        assert len(done) == len(service.execute.seen)
        assert len(refused) + len(done) < 1000, "what came after the end was not heard"
        assert (chain.most, chain.noted) == (1, [])


async def test_an_entry_is_written_though_its_sender_has_gone(tmp_path: Path) -> None:
    chain = Chain(open_=False)
    async with serving(tmp_path, record=chain.record) as service, service.unix() as other:
        async with service.unix() as client:
            await client.say("command", command=NONSENSE)
            await asyncio.wait_for(chain.asked.wait(), 60)
            client.socket.transport.abort()
        while len(service.hub.connections()) > 1:
            await answered(other)
        chain.gate.set()
        await asyncio.wait_for(chain.done.wait(), 60)


async def test_a_client_that_waits_for_an_entry_can_say_goodbye(tmp_path: Path) -> None:
    """Closing from our side does not wait for the entry, and nothing is said behind the close frame."""
    chain = Chain(open_=False)
    async with serving(tmp_path, record=chain.record) as service, service.unix() as client:
        await client.say("command", command=NONSENSE)
        await asyncio.wait_for(chain.asked.wait(), 60)
        service.hub.drop(client.hello["connection_id"], "maintenance")
        seen, code, _ = await client.until_closed()
        assert (seen, code) == ([], 4004)
        chain.gate.set()
        await asyncio.wait_for(chain.done.wait(), 60)


async def test_a_fault_of_the_chain_leaves_no_client_waiting(tmp_path: Path) -> None:
    async def fail(refusal: Refusal) -> None:
        await asyncio.sleep(0)
        raise RuntimeError("a fault of ours")

    async with serving(tmp_path, record=fail) as service, service.unix() as client:
        for _ in range(2):
            id_ = await client.say("command", command=NONSENSE)
            assert (await client.next("command_response"))["id"] == id_


async def test_where_there_is_no_chain_refused_commands_are_noted(tmp_path: Path) -> None:
    chain = Chain()
    async with serving(tmp_path, note=chain.note) as service, service.unix() as client:
        client.socket.transport.write(
            said({"type": "command", "id": 1, "command": NONSENSE})
            + said({"type": "heartbeat_response", "id": 2})
        )
        assert [(await client.envelope())["id"] for _ in range(2)] == [1, 2]
        assert [one.asked for one in chain.noted] == ["command world.destroy"]


# ---------------------------------------------------------------- frames that cannot be read


@pytest.mark.parametrize("form", ["json", "msgpack"])
async def test_what_came_whole_before_a_broken_frame_is_answered_first(tmp_path: Path, form: str) -> None:
    chain = Chain(open_=False)
    async with serving(tmp_path, record=chain.record) as service, service.unix(form=form) as client:
        service.bus.publish_records([samples.quote(1)])
        encode = msgspec.json.encode if form == "json" else msgspec.msgpack.encode
        messages: list[dict[str, Any]] = [
            {"type": "subscribe", "id": 1, "topics": ["quotes.>"]},
            {"type": "command", "id": 2, "command": NONSENSE},
            {"type": "heartbeat_response", "id": 3},
        ]
        frames = b"".join(masked(encode(one), form != "json") for one in messages)
        client.socket.transport.write(frames + BROKEN + masked(encode(messages[0]), form != "json"))
        await asyncio.wait_for(chain.asked.wait(), 60)
        chain.gate.set()
        seen, code, _ = await client.until_closed()
        assert code == 1002
        assert [(one["type"], one["id"]) for one in seen] == [
            ("subscription_confirmed", 1),
            ("snapshot", None),
            ("command_response", 2),
            ("ack", 3),
            ("error", None),
        ]
        assert seen[-1]["data"]["rule"] == "frames are as RFC 6455 describes them"


async def test_what_came_before_a_frame_that_is_too_long_is_answered_first(tmp_path: Path) -> None:
    async with (
        serving(tmp_path, StreamLimits(max_message=1000)) as service,
        service.tcp(token=None, established=False) as client,
    ):
        client.socket.transport.write(
            said({"type": "authenticate", "id": 1, "token": "t-trader"})
            + said({"type": "heartbeat_response", "id": 2})
            + masked(b"x" * 1001, False)
        )
        seen, code, _ = await client.until_closed()
        assert code == 1009
        assert [one["type"] for one in seen if one["type"] != "snapshot"] == [
            "connection_established",
            "ack",
            "error",
        ]


async def test_who_is_closed_while_a_broken_frame_waits_hears_of_it(tmp_path: Path) -> None:
    chain = Chain(open_=False)
    async with serving(tmp_path, record=chain.record) as service, service.unix() as client:
        client.socket.transport.write(said({"type": "command", "id": 1, "command": NONSENSE}) + BROKEN)
        await asyncio.wait_for(chain.asked.wait(), 60)
        service.hub.drop(client.hello["connection_id"])
        _, code, _ = await client.until_closed()
        assert code == 1002
        chain.gate.set()


@pytest.mark.parametrize("form", ["json", "msgpack"])
@pytest.mark.parametrize("rate", [50, 1])
@pytest.mark.parametrize("pieces", [[b"\x81\xff"], [b"\x01{\xe2\x82", b"\x80}"]])
async def test_a_text_that_is_none_ends_it(tmp_path: Path, form: str, rate: int, pieces: list[bytes]) -> None:
    async with (
        serving(tmp_path, StreamLimits(inbound_rate=rate)) as service,
        service.unix(form=form) as client,
    ):
        heads = [piece[:1] + bytes((0x80 | len(piece) - 1,)) + b"\0\0\0\0" for piece in pieces]
        client.socket.transport.write(b"".join(h + piece[1:] for h, piece in zip(heads, pieces, strict=True)))
        seen, code, _ = await client.until_closed()
        assert code == 1007
        assert "UTF-8" in seen[-1]["data"]["rule"]
        assert seen[-1]["data"]["fix"]
        assert service.hub.connections() == []


async def test_a_character_may_be_in_two_frames(tmp_path: Path) -> None:
    async with serving(tmp_path) as service, service.unix() as client:
        text = '{"type":"heartbeat_response","id":"€"}'.encode()
        at = text.index(b"\xe2") + 1
        first, last = text[:at], text[at:]
        client.socket.transport.write(b"\x01" + masked(first, False)[1:] + b"\x80" + masked(last, False)[1:])
        assert (await client.next("ack"))["id"] == "€"


def masked(payload: bytes, binary: bool) -> bytes:
    """Return a client's frame, masked with zeros."""
    head = b"\x82" if binary else b"\x81"
    size = len(payload)
    length = bytes((0x80 | size,)) if size < 126 else b"\xfe" + size.to_bytes(2)
    return head + length + b"\0\0\0\0" + payload


# ---------------------------------------------------------------- rule and fix


def whole(problem: dict[str, Any]) -> None:
    """See that a problem says what is wrong, the rule that was broken and what would fix it."""
    assert problem["type"]
    assert problem["detail"]
    assert problem.get("rule"), problem
    assert problem.get("fix"), problem


@pytest.mark.parametrize(
    ("sent", "rule"),
    [
        ("{", "this connection speaks json"),
        (b"\xff", "this connection speaks json"),
        ("[]", "type is one of authenticate, subscribe"),
        ("{}", "type is one of authenticate, subscribe"),
        ({"type": "dance", "id": 1}, "type is one of authenticate, subscribe"),
        ({"type": ["ack"], "id": 1}, "type is one of authenticate, subscribe"),
        ({"type": "subscribe", "topics": ["quotes.>"]}, "every message has an id"),
        ({"type": "ack", "id": 2**63, "seqs": {}}, "64 bits"),
        ({"type": "subscribe", "id": 1}, "subscribe has topics"),
        ({"type": "subscribe", "id": 1, "topics": []}, "1 or more"),
        ({"type": "subscribe", "id": 1, "topics": ["x" * 256]}, "at most 255 characters"),
        ({"type": "subscribe", "id": 1, "topics": [f"quotes.I{n}.X" for n in range(501)]}, "at most 500"),
        ({"type": "unsubscribe", "id": 1, "topics": [f"quotes.I{n}.X" for n in range(501)]}, "at most 500"),
        ({"type": "subscribe", "id": 1, "topics": ["quotes..x"]}, "dotted levels"),
        ({"type": "subscribe", "id": 1, "topics": ["weather.>"]}, "topics are quotes.>"),
        ({"type": "subscribe", "id": 1, "topics": ["audit"]}, "for the role risk"),
        ({"type": "subscribe", "id": 1, "topics": ["orders.*"], "resume": {"a": "b"}}, "numbers by topic"),
        ({"type": "unsubscribe", "id": 1, "topics": ["quotes.>"]}, "only what was subscribed to"),
        ({"type": "unsubscribe", "id": 1}, "unsubscribe has topics"),
        ({"type": "ack", "id": 1, "seqs": {"orders.x": 9}}, "received in this epoch"),
        ({"type": "ack", "id": 1, "seqs": dict.fromkeys(map(str, range(2001)), 1)}, "at most 2000 numbers"),
        ({"type": "heartbeat_response", "id": 1, "v": 2}, "v, which is 1"),
        ({"type": "authenticate", "id": 1, "token": "t-admin"}, "first and once"),
        ({"type": "authenticate", "id": 1, "token": "x" * 513}, "at most 512 characters"),
        ({"type": "command", "id": 1}, "command has command, an object"),
        ({"type": "command", "id": 1, "command": NONSENSE}, "as the API describes them"),
    ],
)
async def test_every_error_has_its_rule_and_what_would_fix_it(tmp_path: Path, sent: Any, rule: str) -> None:
    async with serving(tmp_path) as service, service.tcp(token="t-viewer") as client:
        await client.socket.send(msgspec.json.encode(sent).decode() if isinstance(sent, dict) else sent)
        answer = await client.envelope()
        assert answer["type"] in ("error", "subscription_error", "command_response")
        problem = answer["data"].get("problem", answer["data"])
        whole(problem)
        assert rule in problem["rule"]
        assert (await client.subscribe("quotes.>"))["type"] == "subscription_confirmed"


@pytest.mark.parametrize(
    "error",
    [
        DeniedError("too big"),
        UnavailableError("no engine"),
        OutcomeUnknownError("no answer in 10 s"),
        InvalidRequestError("odd"),
        RuntimeError("a fault of ours"),
    ],
    ids=lambda error: type(error).__name__,
)
@pytest.mark.parametrize("raised", [True, False])
async def test_every_command_that_is_not_done_says_why(
    tmp_path: Path, error: Exception, raised: bool
) -> None:
    """Whoever refused it, and whatever was left unsaid there."""

    def refuse(_: object) -> Outcome:
        if raised or isinstance(error, RuntimeError):
            raise error
        assert isinstance(error, InvalidRequestError | DeniedError | UnavailableError | OutcomeUnknownError)
        return Outcome(command_id="x", command="order.cancel", outcome="refused", problem=error.document())

    async with serving(tmp_path) as service, service.unix() as client:
        service.execute.answer = refuse
        await client.say("command", command=CANCEL)
        data = (await client.next("command_response"))["data"]
        assert data["outcome"] != "done"
        whole(data["problem"])


@pytest.mark.parametrize("token", ["wrong", None])
async def test_who_is_not_known_is_told_the_rule(tmp_path: Path, token: str | None) -> None:
    async with (
        serving(tmp_path, StreamLimits(auth_s=0.05)) as service,
        service.tcp(token=None, established=False) as client,
    ):
        if token is not None:
            await client.say("authenticate", token=token)
        seen, code, _ = await client.until_closed()
        assert code == 4003
        whole(seen[0]["data"])


async def test_a_first_message_that_is_another_is_told_the_rule(tmp_path: Path) -> None:
    async with serving(tmp_path) as service, service.tcp(token=None, established=False) as client:
        await client.say("heartbeat_response")
        seen, _, _ = await client.until_closed()
        whole(seen[0]["data"])


@pytest.mark.parametrize(
    ("path", "headers", "status"),
    [
        ("/ws/nope", {}, 404),
        ("/ws/market-data/", {}, 404),
        ("/ws/market-data/A..B", {}, 400),
        ("/ws/market-data/A*", {}, 400),
        ("/ws?token=secret", {}, 400),
        ("/ws", {"Authorization": "Bearer wrong"}, 401),
        ("/ws", {"Authorization": "nonsense"}, 401),
        ("/ws", {"Origin": "https://evil.example"}, 403),
    ],
)
async def test_every_handshake_that_is_refused_says_why(
    tmp_path: Path, path: str, headers: dict[str, str], status: int
) -> None:
    async with serving(tmp_path) as service:
        given = {"Authorization": "Bearer t-admin"} | headers
        with pytest.raises(InvalidStatus) as caught:
            await connect(f"ws://127.0.0.1:{service.port}{path}", additional_headers=given, proxy=None)
        assert caught.value.response.status_code == status
        whole(msgspec.json.decode(caught.value.response.body or b""))


async def test_too_many_connections_are_told_the_rule(tmp_path: Path) -> None:
    async with serving(tmp_path, StreamLimits(max_connections=0)) as service:
        with pytest.raises(InvalidStatus) as caught:
            await service.unix().__aenter__()
        whole(msgspec.json.decode(caught.value.response.body or b""))


async def test_what_is_too_much_is_told_the_rule(tmp_path: Path) -> None:
    """Too fast, too many subscriptions, too many names, too many commands, too many that wait."""
    limits = StreamLimits(max_subscriptions=2, subscription_bytes=100, max_commands=0)
    async with serving(tmp_path, limits) as service, service.unix() as client:
        await client.subscribe("quotes.>", "trades.>")
        for refused in (await client.subscribe("book.>"), await command(client)):
            problem = refused["data"].get("problem", refused["data"])
            whole(problem)
        await client.say("unsubscribe", topics=["quotes.>"])
        await client.next("subscription_confirmed")
        unavailable = await client.subscribe("quotes." + "x" * 200)
        assert unavailable["data"]["type"] == "unavailable"
        whole(unavailable["data"])
    async with serving(tmp_path, StreamLimits(inbound_rate=1)) as service, service.unix() as client:
        await client.say("heartbeat_response")
        client.socket.transport.write(b"\x89\x80\x00\x00\x00\x00")
        whole((await client.next("error"))["data"])
        for answer in (await client.subscribe("quotes.>"), await command(client)):
            whole(answer["data"].get("problem", answer["data"]))
    mirror = Mirror(catch_up_s=60.0)
    mirror.load("e1", [])
    async with serving(tmp_path, bus=mirror) as service, service.unix() as client:
        for _ in range(18):
            await client.say("subscribe", topics=["orders.*"], resume={"orders.x": 9})
        whole((await client.next("subscription_error"))["data"])


async def command(client: Client) -> dict[str, Any]:
    await client.say("command", command=CANCEL)
    return await client.next("command_response")


async def test_who_reads_too_slowly_is_told_the_rule(tmp_path: Path) -> None:
    limits = StreamLimits(lossless_bound=4, write_high=1024, write_low=512)
    async with serving(tmp_path, limits) as service, slow(service) as client, service.tcp() as reader:
        orders = topics.orders("paper-1")
        await client.subscribe(orders)
        while len(service.hub.connections()) > 1:
            service.bus.publish_many(orders, [samples.order(n) for n in range(200)])
            await answered(reader)
        seen, code, _ = await client.until_closed()
        assert code == 4001
        whole(seen[-1]["data"])


async def answered(reader: Client) -> None:
    id_ = await reader.say("heartbeat_response")
    while (await reader.envelope())["id"] != id_:
        pass


# ---------------------------------------------------------------- faults of ours


async def test_a_fault_is_told_changes_nothing_and_the_client_is_heard_further(tmp_path: Path) -> None:
    def broken(_topic: str) -> list[Fact]:
        raise RuntimeError("a fault of ours")

    async with serving(tmp_path, store=broken) as service, service.unix() as client:
        refused = await client.subscribe("orders.paper-1")
        assert (refused["type"], refused["data"]["type"]) == ("subscription_error", "internal")
        assert "a fault of ours" not in str(refused)
        whole(refused["data"])
        assert service.hub.subscriptions() == []
        assert (await client.subscribe("quotes.>"))["type"] == "subscription_confirmed"


async def test_a_fault_with_one_message_that_waited_loses_none_of_the_others(tmp_path: Path) -> None:
    class Lagging(Bus):
        catch_up_s = 60.0

    bus = Lagging("e1")
    async with serving(tmp_path, bus=bus) as service, service.unix():
        (info,) = service.hub.connections()
        connection = service.hub._connections[info.id]
        called: list[int] = []
        last = asyncio.Event()

        def fail() -> None:
            called.append(1)
            raise RuntimeError("a fault of ours")

        until = service.hub.ahead.until()
        assert service.hub.ahead.hold(connection, {"orders.paper-1": 1}, until, fail)
        service.hub.ahead.queue(connection, lambda: called.append(2))
        service.hub.ahead.queue(connection, last.set)
        bus.publish_records([samples.order(1)])
        await asyncio.wait_for(last.wait(), 60)
        assert called == [1, 2]
        assert not service.hub.ahead.waits(connection)
