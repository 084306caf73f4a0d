"""What is present follows from the records alone: from any snapshot on, a copy goes on as the original."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from data import topics
from data.access import OrderAuthority
from data.bus import Bus
from data.facts import Record
from data.records import Broadcast, OrderStatus
from data.work import StrategyUpdate
from nautilus_tui.daemon import present
from nautilus_tui.daemon.present import Present
from tests.relay.test_mirror import fill
from tests.streams import samples

_LIMITS = ("RECENT", "LOG_LINES", "AUDIT_ENTRIES", "BROADCASTS", "FILINGS", "RESOLVED", "STRATEGY_ENTRIES")


@pytest.fixture(autouse=True, scope="module")
def _little_is_kept() -> Iterator[None]:
    """Keep so little that records are forgotten within a few."""
    with pytest.MonkeyPatch.context() as patch:
        for name in _LIMITS:
            patch.setattr(present, name, 3)
        yield


def order(which: int, status: OrderStatus, engine: str = "e1") -> Record:
    return msgspec.structs.replace(
        samples.order(which, engine=engine, client_order_id=f"O-{which}"), status=status
    )


_RECORDS = st.one_of(
    st.builds(
        order,
        st.integers(1, 8),
        st.sampled_from(["accepted", "filled", "unknown", "denied"]),
        st.sampled_from(["e1", "e2"]),
    ),
    st.builds(fill, st.integers(1, 8)),
    st.builds(samples.position, st.integers(0, 2), st.integers(1, 2), st.sampled_from(["P-1", "P-2", "P-3"])),
    st.builds(samples.account, st.integers(1, 3)),
    st.builds(samples.log, st.integers(0, 9)),
    st.builds(OrderAuthority, holder=st.sampled_from([None, "ann"]), ts=st.integers(1, 3)),
    st.builds(Broadcast, sender=st.just("ann"), message=st.text(max_size=2), ts=st.integers(1, 3)),
    st.builds(
        StrategyUpdate,
        strategy=st.sampled_from(["s1", "s2"]),
        version=st.sampled_from(["v1", "v2", "v3", "v4"]),
        stage=st.just("test"),
        state=st.just("running"),
        ts=st.integers(1, 3),
    ),
)


def state(kept: Present) -> dict[str, list[Record]]:
    return {topic: kept.snapshot(topic) for topic in kept.topics()}


@given(st.lists(_RECORDS, max_size=30), st.lists(_RECORDS, max_size=30))
def test_a_copy_from_a_snapshot_goes_on_as_the_original(before: list[Record], after: list[Record]) -> None:
    original, copy = Present(), Present()
    for record in before:
        original.note(record)
    copy.note(order(99, "accepted"))  # what a copy knew before is forgotten, topic by topic
    for topic in {*original.topics(), topics.orders("e1")}:
        copy.restore(topic, original.snapshot(topic))
    assert state(copy) == state(original)
    for record in after:
        original.note(record)
        copy.note(record)
    assert state(copy) == state(original)


def test_an_order_that_ends_twice_is_forgotten_once_and_open_ones_are_kept() -> None:
    kept = Present()
    for status in ("denied", "accepted", "filled"):  # denied for want of its journal, and found after all
        kept.note(order(1, status))
    kept.note(order(2, "accepted"))
    for which in range(3, 12):
        kept.note(order(which, "cancelled"))
    ids = [record.client_order_id for record in kept.snapshot(topics.orders("e1"))]  # type: ignore[attr-defined]
    assert ids == ["O-2", "O-9", "O-10", "O-11"]


def test_broadcasts_and_strategies_are_overheard_on_the_bus() -> None:
    kept = Present()
    bus = Bus("e1", kept.snapshot)
    bus.subscribe(kept.overhear)
    message = Broadcast(sender="ann", message="hello", ts=1)
    update = StrategyUpdate(strategy="s1", version="v1", stage="test", state="done", ts=1)
    bus.publish_records([message, update, samples.quote(), samples.position(1)])
    assert bus.state(topics.BROADCAST).records == (message,)
    assert bus.state(topics.strategy("s1")).records == (update,)
    assert sorted(kept.topics()) == [topics.strategy("s1"), topics.BROADCAST]


def test_a_record_of_no_lossless_topic_is_refused() -> None:
    with pytest.raises(TypeError, match="no lossless topic carries Quote"):
        Present().note(samples.quote())
