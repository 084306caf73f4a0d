"""The bus numbers without gaps, remembers within bounds and always knows the present."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from data import topics
from data.bus import Bus, Event
from data.facts import Record
from data.problems import InvalidRequestError
from tests.streams import samples

ORDERS = topics.orders("paper-1")


@given(st.lists(st.tuples(st.sampled_from(["a", "b"]), st.integers(1, 5)), max_size=40), st.integers(1, 16))
def test_sequence_numbers_have_no_gap_and_the_ring_is_bounded(
    batches: list[tuple[str, int]], size: int
) -> None:
    bus, seen = Bus("e", ring_size=size), []

    def note(events: Sequence[Event]) -> None:
        seen.extend(events)

    bus.subscribe(note)
    count = {"a": 0, "b": 0}
    for engine, many in batches:
        bus.publish_many(topics.orders(engine), [samples.order(count[engine] + i + 1) for i in range(many)])
        count[engine] += many
    assert [event.index for event in seen] == list(range(1, len(seen) + 1))
    for engine, total in count.items():
        topic = topics.orders(engine)
        assert [event.seq for event in seen if event.topic == topic] == list(range(1, total + 1))
        assert bus.seq(topic) == total
        for seq in range(-1, total + 3):
            missed = bus.since(topic, seq)
            if 0 <= seq <= total and total - seq <= min(size, total):
                assert missed is not None
                assert [event.seq for event in missed] == list(range(seq + 1, total + 1))
            else:
                assert missed is None


@given(st.lists(st.tuples(st.sampled_from(["A.SIM", "B.SIM"]), st.sampled_from(["p1", "p2"])), max_size=60))
def test_conflated_state_is_the_latest_per_engine_and_instrument(updates: list[tuple[str, str]]) -> None:
    bus = Bus("e")
    expected: dict[tuple[str, str], Record] = {}
    for n, (instrument, engine) in enumerate(updates):
        record = samples.quote(n, instrument, engine)
        bus.publish_records([record])
        expected[instrument, engine] = record
    for instrument in ("A.SIM", "B.SIM"):
        state = bus.state(topics.quotes(instrument))
        assert state.seq == sum(1 for name, _ in updates if name == instrument)
        assert sorted(map(repr, state.records)) == sorted(
            repr(record) for (name, _), record in expected.items() if name == instrument
        )


def test_lossless_state_comes_from_the_store() -> None:
    asked: list[str] = []

    def store(topic: str) -> list[Record]:
        asked.append(topic)
        return [samples.order(7)]

    bus = Bus("e", store)
    bus.publish(ORDERS, samples.order(1))
    state = bus.state(ORDERS)
    assert (state.seq, state.records, asked) == (1, (samples.order(7),), [ORDERS])


def test_without_a_store_the_ring_is_the_state() -> None:
    bus = Bus("e", ring_size=2)
    bus.publish_many(ORDERS, [samples.order(n) for n in (1, 2, 3)])
    assert bus.state(ORDERS).records == (samples.order(2), samples.order(3))


def test_declared_topics_are_known_before_their_first_event() -> None:
    bus = Bus("e")
    bus.declare(ORDERS)
    assert bus.topics() == [ORDERS]
    assert bus.seq(ORDERS) == 0
    assert bus.since(ORDERS, 0) == []


def test_marks_and_changes_travel_apart_and_a_closed_position_has_no_mark() -> None:
    bus = Bus("e")
    marked, changed = samples.position(100), samples.position(100, seq=3)
    bus.publish_records([marked, changed, samples.account(), samples.account(seq=4)])
    assert bus.state(topics.marks("paper-1")).records == (marked, samples.account())
    assert bus.state(topics.positions("paper-1")).records == (changed,)
    bus.publish_records([samples.position(0)])
    assert bus.state(topics.marks("paper-1")).records == (samples.account(),)
    assert bus.seq(topics.marks("paper-1")) == 3


def test_a_subscription_ends() -> None:
    bus, seen = Bus("e"), []
    end = bus.subscribe(seen.append)
    bus.publish(ORDERS, samples.order())
    end()
    bus.publish(ORDERS, samples.order())
    assert len(seen) == 1


def test_topics_of_no_family_are_refused() -> None:
    with pytest.raises(InvalidRequestError):
        Bus("e").publish("weather.london", samples.quote())
    with pytest.raises(InvalidRequestError):
        Bus("e").declare("orders.*")
