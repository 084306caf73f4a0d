"""A mirror tells what the daemon's bus tells, whatever batches, repetitions and losses are on the way."""

from __future__ import annotations

from decimal import Decimal
from itertools import pairwise

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from data import topics
from data.access import OrderAuthority
from data.bus import Event
from data.problems import InvalidRequestError, UnavailableError
from data.records import AnyRecord, Broadcast, Fill
from data.work import StrategyUpdate
from nautilus_tui.relay import wire
from nautilus_tui.relay.mirror import Mirror
from nautilus_tui.relay.outbox import Outbox
from tests.relay.world import Source, told
from tests.streams import samples

RING = 6
ORDERS = topics.orders("paper-1")
EPOCH = "e1"


def fill(n: int) -> Fill:
    return Fill(
        engine="paper-1",
        trade_id=f"T-{n}",
        client_order_id=f"O-{n}",
        venue_order_id=f"V-{n}",
        instrument="AAPL.SIM",
        side="buy",
        qty=Decimal(1),
        price=Decimal("100.25"),
        commission=Decimal("0.35"),
        commission_currency="USD",
        ts=samples.TS + n,
        seq=n,
        synthetic=True,
    )


def order(n: int, which: int, *, ended: bool) -> AnyRecord:
    status = "filled" if ended else "accepted"
    return msgspec.structs.replace(samples.order(n, client_order_id=f"O-{which}"), status=status)


_RECORDS = st.one_of(
    st.builds(
        samples.quote,
        st.integers(0, 9),
        st.sampled_from(["A.SIM", "B.SIM"]),
        st.sampled_from(["p1", "p2"]),
    ),
    st.builds(order, st.integers(1, 9), st.integers(1, 3), ended=st.booleans()),
    st.builds(fill, st.integers(1, 9)),
    st.builds(samples.position, st.integers(0, 2), st.integers(0, 1), st.sampled_from(["P-1", "P-2"])),
    st.builds(samples.account, st.integers(0, 1)),
    st.builds(samples.log, st.integers(0, 9)),
    st.builds(samples.status),
    st.builds(OrderAuthority, holder=st.sampled_from([None, "ann"]), ts=st.integers(1, 3)),
    st.builds(Broadcast, sender=st.just("ann"), message=st.text(max_size=3), ts=st.integers(1, 3)),
    st.builds(
        StrategyUpdate,
        strategy=st.sampled_from(["s1", "s2"]),
        version=st.sampled_from(["v1", "v2"]),
        stage=st.just("test"),
        state=st.just("running"),
        ts=st.integers(1, 3),
    ),
)
#: What happens next: records are published, keys are forgotten, the wire is written, a base is read again,
#: entries are told twice, entries are lost, everything is read anew.
_STEPS = st.lists(
    st.one_of(
        st.lists(_RECORDS, min_size=1, max_size=5),
        st.sampled_from(["forget", "write", "write", "base", "again", "lose", "reload", "anew"]),
    ),
    max_size=30,
)


class Line:
    """A publisher's wire without Redis: its outbox and bases on one side, a mirror on the other."""

    def __init__(self) -> None:
        self.source = Source(EPOCH, RING)
        self.outbox = Outbox(1000)
        self.source.bus.subscribe(self.outbox.put)
        self.source.bus.on_forget(self.outbox.forget)
        self.mirror = Mirror(ring_size=RING)
        self.written: list[tuple[bytes, bytes]] = []
        self.handed: dict[str, list[int]] = {}
        self.gaps: list[tuple[str, int]] = []
        self.mirror.subscribe(self._note)
        self.mirror.on_gap = self._gap
        self.load()

    def _note(self, events: object) -> None:
        assert isinstance(events, list)
        for event in events:
            assert isinstance(event, Event)
            self.handed.setdefault(event.topic, []).append(event.seq)

    def _gap(self, topic: str, after: int) -> None:
        self.gaps.append((topic, after))
        self.handed.setdefault(topic, []).append(-self.mirror.seq(topic))  # it goes on after this one

    def base(self, topic: str) -> wire.Base:
        bus = self.source.bus
        state = bus.state(topic)
        lossless = topics.delivery_of(topic) == "lossless"
        events = bus.since(topic, state.seq - bus.remembered(topic)) if lossless else bus.latest(topic)
        records = state.records if lossless else ()
        assert events is not None
        return wire.read_base(wire.base(topic, state.seq, bus.knows(topic), records, events))

    def load(self) -> None:
        every = {*self.source.bus.topics(), *self.source.present.topics()}
        self.mirror.load(EPOCH, [self.base(topic) for topic in every])

    def write(self) -> list[tuple[bytes, bytes]]:
        batch = self.outbox.give(3)
        if batch is None:
            return []
        self.outbox.confirm()
        entries = batch.lossless + batch.conflated
        self.written += entries
        return entries

    def apply(self, entries: list[tuple[bytes, bytes]]) -> None:
        for field, value in entries:
            if field == wire.FORGOTTEN:
                gone = wire.read_forgotten(value)
                self.mirror.forget_as_of(gone.topic, gone.keys, gone.seq)
                continue
            left = self.mirror.take(wire.unpack(value))
            for topic, waiting in left.items():
                base = self.base(topic)
                self.mirror.restore(topic, base.seq, base.records, base.events)
                assert not self.mirror.take(waiting)

    def do(self, step: object) -> None:
        bus = self.source.bus
        match step:
            case list():
                self.source.tell(step)
            case "forget":
                for topic in bus.topics():
                    keys = [event.key for event in bus.latest(topic)[:1] if event.key is not None]
                    bus.forget(topic, keys)
            case "write":
                self.apply(self.write())
            case "again":
                self.apply(self.written[-4:])
            case "lose":
                self.lose()
            case "base":
                for topic in bus.topics()[:2]:
                    base = self.base(topic)
                    self.mirror.restore(topic, base.seq, base.records, base.events)
            case "reload":
                self.load()
            case "anew":
                self.mirror.renew("")
                self.handed.clear()
                self.load()

    def lose(self) -> None:
        """Lose what waits on lossless topics; what conflated ones lose is read with the next base."""
        entries = self.write()
        self.apply([(field, value) for field, value in entries if not self._lossless(field, value)])

    def _lossless(self, field: bytes, value: bytes) -> bool:
        if field != wire.EVENTS:
            return False
        return topics.delivery_of(wire.read_envelope(wire.unpack(value)[0]).topic) == "lossless"


@given(_STEPS)
def test_a_mirror_tells_what_the_bus_tells(steps: list[object]) -> None:
    line = Line()
    for step in steps:
        line.do(step)
    while entries := line.write():
        line.apply(entries)
    for topic in line.source.bus.topics():  # what was lost last is missed only with the next event
        base = line.base(topic)
        if base.seq != line.mirror.seq(topic):
            line.mirror.restore(topic, base.seq, base.records, base.events)
    ours, theirs = told(line.mirror), told(line.source.bus)
    ring_free = [key for key in theirs if not key.startswith("since ")]
    assert {key: ours[key] for key in ring_free} == {key: theirs[key] for key in ring_free}
    assert ours == theirs
    for topic in line.source.present.topics():  # those that never had an event too
        assert line.mirror.state(topic) == line.source.bus.state(topic)
    for topic, seqs in line.handed.items():
        if topics.delivery_of(topic) == "lossless":
            for before, after in pairwise(seqs):
                assert after < 0 or after == abs(before) + 1, (topic, seqs)


def test_each_event_is_handed_on_once_and_a_hole_is_left_until_its_base_is_known() -> None:
    line = Line()
    line.source.tell([samples.order(n) for n in (1, 2, 3)])
    whole = line.write()
    line.apply(whole)
    line.apply(whole)
    assert line.handed[ORDERS] == [1, 2, 3]
    line.source.tell([samples.order(n) for n in (4, 5)])
    line.write()
    line.source.tell([samples.order(6)])
    ((_, value),) = line.write()
    left = line.mirror.take(wire.unpack(value))
    assert list(left) == [ORDERS]
    assert line.mirror.seq(ORDERS) == 3
    base = line.base(ORDERS)
    line.mirror.restore(ORDERS, base.seq, base.records, base.events)
    assert line.handed[ORDERS] == [1, 2, 3, 4, 5, 6]
    assert not line.gaps


def test_what_the_ring_no_longer_holds_is_a_gap_and_the_state_is_true_after_it() -> None:
    line = Line()
    line.source.tell([samples.order(1)])
    line.apply(line.write())
    line.source.tell([samples.order(n) for n in range(2, RING + 4)])
    line.load()
    assert line.gaps == [(ORDERS, 1)]
    assert (line.mirror.gaps, line.mirror.missed) == (1, 2)
    assert told(line.mirror) == told(line.source.bus)
    assert line.mirror.since(ORDERS, 1) is None


def test_another_epoch_forgets_everything_after_readers_were_told() -> None:
    line = Line()
    line.source.tell([samples.order(1)])
    line.apply(line.write())
    seen: list[tuple[str, int]] = []
    line.mirror.on_renew = lambda: seen.append((line.mirror.epoch, line.mirror.seq(ORDERS)))
    published = line.mirror.published
    line.mirror.load("e2", [])
    assert seen == [(EPOCH, 1)]
    assert (line.mirror.epoch, line.mirror.seq(ORDERS), line.mirror.state(ORDERS).records) == ("e2", 0, ())
    assert line.mirror.published >= published  # marks that readers of the bus keep stay in order


def test_an_envelope_is_handed_on_as_it_came() -> None:
    line = Line()
    line.source.tell([samples.quote(1), samples.order(1)])
    kept: list[Event] = []
    line.mirror.subscribe(kept.extend)
    line.apply(line.write())
    for event in kept:
        (original,) = line.source.bus.after(event.topic, 0)
        assert event.forms["msgpack"] == original.forms["msgpack"]


def test_a_mirror_publishes_nothing_and_takes_nothing_it_cannot_read() -> None:
    line = Line()
    for publish in (
        lambda: line.mirror.publish(ORDERS, samples.order()),
        lambda: line.mirror.publish_many(ORDERS, [samples.order()]),
        lambda: line.mirror.publish_records([samples.order()]),
    ):
        with pytest.raises(UnavailableError, match="published here"):
            publish()
    line.source.tell([samples.order(1)])
    ((_, value),) = line.write()
    (good,) = wire.unpack(value)
    unknown = msgspec.msgpack.encode({**msgspec.msgpack.decode(good), "topic": "weather.london", "seq": 1})
    strange = msgspec.msgpack.encode({**msgspec.msgpack.decode(good), "data": {"type": "weather"}})
    with pytest.raises(InvalidRequestError):
        line.mirror.take([good, unknown])
    with pytest.raises(msgspec.MsgspecError):
        line.mirror.take([good, strange])
    assert line.mirror.seq(ORDERS) == 0
