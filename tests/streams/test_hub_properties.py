"""Whatever readers do, each sees a snapshot first, every lossless event once, and ends at the present."""

from __future__ import annotations

import asyncio
from typing import Any

import msgspec
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from data import topics
from data.bus import Bus
from data.facts import Record
from nautilus_tui.daemon.principal import Principal
from nautilus_tui.daemon.streams import StreamHub, StreamLimits
from nautilus_tui.daemon.streams.connection import Connection
from nautilus_tui.daemon.streams.wire import JSON, MSGPACK
from tests.streams import samples

BARS = topics.bars("1m", "X.SIM")
PATTERNS = (
    ">",
    "bars.>",
    BARS,
    "quotes.>",
    "orders.*",
    "orders.a",
    "orders.b",
    "quotes.X.SIM",
    "quotes.*.SIM",
    "fills.a",
)
BOUND = 30


def payload(frame: bytes) -> bytes:
    """Return what an unmasked server frame carries."""
    size = frame[1]
    return frame[2:] if size < 126 else frame[4:] if size == 126 else frame[10:]


class Reader:
    """A client as a good one behaves: keeps a mirror, and complains about anything out of order."""

    def __init__(self, hub: StreamHub, name: str, form: Any) -> None:
        self.mirror: dict[str, dict[str, Any]] = {}
        self.seqs: dict[str, int] = {}
        self.closed: tuple[int, str] | None = None
        self.gaps = 0
        self.bar: int | None = None  #: the last that closed; None: any may be next
        self.room: int | None = None  #: frames until its transport is full; None: it never is
        self.form = form
        self.hub = hub
        self.connection = Connection(
            name,
            Principal(name, "admin", "unix"),
            form,
            peer="",
            path="/ws",
            write=self.hear,
            close=self.end,
            unsent=lambda: 0,
        )
        hub.join(self.connection)

    def end(self, code: int, reason: str) -> None:
        self.closed = (code, reason)

    def hear(self, frame: bytes) -> None:
        assert self.closed is None, "written to after it was closed"
        for envelope in self.form.decode(payload(frame)):
            topic, seq, type_ = envelope["topic"], envelope["seq"], envelope["type"]
            if topic is None:
                continue
            if type_ == "gap":
                self.gaps += 1
                if topic == BARS:
                    self.bar = None
                continue
            if type_ == "snapshot":
                if topic == BARS:
                    self.begin_bars(seq, envelope["data"]["records"])
                self.seqs[topic] = seq
                self.mirror[topic] = {key_of(one): one for one in envelope["data"]["records"]}
                continue
            assert topic in self.seqs, f"{topic} began with a {type_}"
            if topics.delivery_of(topic) == "lossless":
                assert seq == self.seqs[topic] + 1
            else:
                assert seq > self.seqs[topic]
            if type_ == "bar" and envelope["data"]["closed"]:
                assert self.bar is None or int(envelope["data"]["open"]) == self.bar + 1, (
                    "a closed bar is lost"
                )
                self.bar = int(envelope["data"]["open"])
            self.seqs[topic] = seq
            self.mirror[topic][key_of(envelope["data"])] = envelope["data"]
        if self.room is not None:
            self.room -= 1
            if self.room <= 0 and not self.connection.blocked:
                self.room = None
                self.hub.block(self.connection)  # as transports do: from within the write

    def begin_bars(self, seq: int, records: list[dict[str, Any]]) -> None:
        """Note which bar closed last: the next is the one after it, from the very first on."""
        self.bar = max(
            (int(one["open"]) for one in records if one["closed"]), default=0 if seq == 0 else None
        )


def key_of(record: dict[str, Any]) -> str:
    return str(
        record.get("client_order_id") or (record["engine"], record["instrument"], record.get("closed"))
    )


class HubMachine(RuleBasedStateMachine):
    """Drives a hub as the daemon, its engines and its clients would, in any order."""

    @initialize(bound=st.sampled_from([BOUND, 10_000]), frame=st.sampled_from([400, 100_000]))
    def begin(self, bound: int, frame: int) -> None:
        self.loop = asyncio.new_event_loop()
        self.store: dict[str, dict[str, Record]] = {}
        self.bus = Bus("e", lambda topic: list(self.store.get(topic, {}).values()))
        self.bound = bound
        limits = StreamLimits(
            flush_s=3600, flush_max_s=3600, heartbeat_s=3600, lossless_bound=bound, frame_bytes=frame
        )
        self.n = self.bars_closed = 0
        self.readers: list[Reader] = []
        self.hub = self.call(lambda: StreamHub(self.bus, limits))

    def call(self, function: Any) -> Any:
        """Run on the hub's loop; its timers are an hour away, so that we decide when to flush."""

        async def run() -> Any:
            return function()

        return self.loop.run_until_complete(run())

    @property
    def living(self) -> list[Reader]:
        return [reader for reader in self.readers if reader.closed is None]

    @rule(form=st.sampled_from([JSON, MSGPACK]))
    def connect(self, form: Any) -> None:
        self.call(lambda: self.readers.append(Reader(self.hub, f"r{len(self.readers)}", form)))

    @rule(engine=st.sampled_from("ab"), count=st.integers(1, 12))
    def orders(self, engine: str, count: int) -> None:
        records = [samples.order(self.n + i + 1, engine, f"O-{i % 5}") for i in range(count)]
        self.n += count
        topic = topics.orders(engine)
        for record in records:  # stored, then published
            self.store.setdefault(topic, {})[record.client_order_id] = record
        self.call(lambda: self.bus.publish_many(topic, records))

    @rule(symbol=st.sampled_from("XY"), engine=st.sampled_from("ab"), count=st.integers(1, 5))
    def quotes(self, symbol: str, engine: str, count: int) -> None:
        records = [samples.quote(self.n + i + 1, f"{symbol}.SIM", engine) for i in range(count)]
        self.n += count
        self.call(lambda: self.bus.publish_records(records))

    @rule(closing=st.lists(st.booleans(), min_size=1, max_size=12), times=st.sampled_from([1, 5]))
    def bars(self, closing: list[bool], times: int) -> None:
        records = []
        for closed in closing * times:
            records.append(samples.bar(self.bars_closed + 1, "X.SIM", closed=closed))
            self.bars_closed += closed
        self.call(lambda: self.bus.publish_records(records))

    @rule(engine=st.sampled_from("ab"))
    def declare(self, engine: str) -> None:
        self.bus.declare(topics.orders(engine))

    @rule()
    def flush(self) -> None:
        self.call(self.hub.flush)

    @precondition(lambda self: self.living)
    @rule(data=st.data(), patterns=st.sets(st.sampled_from(PATTERNS), min_size=1, max_size=3))
    def subscribe(self, data: st.DataObject, patterns: set[str]) -> None:
        reader = data.draw(st.sampled_from(self.living))
        self.call(lambda: self.hub.subscribe(reader.connection, sorted(patterns)))

    @precondition(lambda self: any(len(reader.connection.patterns) > 1 for reader in self.living))
    @rule(data=st.data())
    def unsubscribe(self, data: st.DataObject) -> None:
        having = [reader for reader in self.living if len(reader.connection.patterns) > 1]
        reader = data.draw(st.sampled_from(having))
        own = sorted(reader.connection.patterns - {topics.BROADCAST})
        gone = data.draw(st.sets(st.sampled_from(own), min_size=1))
        self.call(lambda: self.hub.unsubscribe(reader.connection, sorted(gone)))
        left = reader.connection.patterns
        for topic in list(reader.seqs):
            if not any(topics.matches(pattern, topic) for pattern in left):
                reader.seqs.pop(topic)
                reader.mirror.pop(topic)

    @precondition(lambda self: self.living)
    @rule(data=st.data())
    def stall_or_read(self, data: st.DataObject) -> None:
        reader = data.draw(st.sampled_from(self.living))
        connection = reader.connection
        self.call(lambda: (self.hub.unblock if connection.blocked else self.hub.block)(connection))

    @precondition(lambda self: self.living)
    @rule(data=st.data(), frames=st.integers(1, 4))
    def fill(self, data: st.DataObject, frames: int) -> None:
        data.draw(st.sampled_from(self.living)).room = frames

    @rule(engine=st.sampled_from("ab"))
    def lose(self, engine: str) -> None:
        topic = topics.orders(engine)
        before = [(reader, reader.gaps) for reader in self.living if self.told_at_once(reader, topic)]
        self.call(lambda: self.hub.gap(topic, after=self.bus.seq(topic)))
        for reader, gaps in before:
            assert reader.gaps == gaps + 1

    def told_at_once(self, reader: Reader, topic: str) -> bool:
        connection = reader.connection
        wanted = any(topics.matches(pattern, topic) for pattern in connection.patterns)
        return wanted and not connection.behind

    @precondition(lambda self: self.living)
    @rule(data=st.data())
    def hang_up(self, data: st.DataObject) -> None:
        reader = data.draw(st.sampled_from(self.living))
        self.call(lambda: self.hub.leave(reader.connection))
        reader.closed = (1000, "")

    @invariant()
    def those_closed_were_too_slow(self) -> None:
        for reader in getattr(self, "readers", ()):
            if reader.closed is not None and reader.closed[0] != 1000:
                assert reader.closed[0] == 4001
                assert reader.connection.dropped > self.bound

    def teardown(self) -> None:
        if not hasattr(self, "loop"):
            return
        for reader in self.living:
            reader.room = None
            if reader.connection.blocked:
                self.call(lambda reader=reader: self.hub.unblock(reader.connection))
        for _ in range(10_000):
            self.call(self.hub.flush)
            if not any(reader.connection.behind for reader in self.living):
                break
        for reader in self.living:
            for topic in self.bus.topics():
                if any(topics.matches(pattern, topic) for pattern in reader.connection.patterns):
                    if not self.bus.seq(topic) and topic not in reader.seqs:
                        continue  # declared after it subscribed, and nothing has happened on it
                    assert reader.seqs[topic] == self.bus.seq(topic)
                    shown = sorted(map(repr, reader.mirror[topic].values()))
                    state = [reader_form(reader, record) for record in self.bus.state(topic).records]
                    assert shown == sorted(map(repr, state))
        assert self.hub.health().behind == 0
        self.call(self.hub.close)
        self.loop.close()


def reader_form(reader: Reader, record: Record) -> Any:
    """Return a record as a reader of that format sees it."""
    encoded = reader.form.message("x", record)
    decoder: Any = msgspec.json.decode if reader.form is JSON else msgspec.msgpack.decode
    return decoder(encoded)["data"]


TestHub = HubMachine.TestCase
TestHub.settings = settings(max_examples=100, stateful_step_count=40, deadline=None)
