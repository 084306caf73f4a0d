"""Resuming where it is not plain: wildcards, several patterns, the future, topics that do not exist."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from data import topics
from data.bus import Bus
from nautilus_tui.daemon.streams.states import States
from nautilus_tui.daemon.streams.wire import JSON, MSGPACK, Format
from tests.streams import samples
from tests.streams.serving import Service, serving

ONE, TWO = topics.orders("one"), topics.orders("two")


def publish(service: Service, engine: str, *numbers: int) -> None:
    service.bus.publish_many(topics.orders(engine), [samples.order(n, engine) for n in numbers])


async def test_a_wildcard_resumes_each_topic_where_it_was_left(tmp_path: Path) -> None:
    async with serving(tmp_path) as service, service.unix() as client:
        publish(service, "one", *range(1, 6))
        publish(service, "two", *range(1, 4))
        await client.subscribe("orders.*", resume={ONE: 3, "orders.gone": 4}, epoch="e1")
        publish(service, "one", 6)
        got = [await client.envelope() for _ in range(4)]
        assert [(one["type"], one["topic"], one["seq"]) for one in got] == [
            ("order_update", ONE, 4),
            ("order_update", ONE, 5),
            ("snapshot", TWO, 3),
            ("order_update", ONE, 6),
        ]


@pytest.mark.parametrize("named", [{}, {"epoch": None}])
async def test_who_names_no_epoch_is_taken_at_its_numbers(tmp_path: Path, named: dict[str, None]) -> None:
    async with serving(tmp_path) as service, service.unix() as client:
        publish(service, "one", *range(1, 6))
        publish(service, "two", 1)
        await client.subscribe("orders.*", resume={ONE: 3, TWO: 9}, **named)
        got = [await client.envelope() for _ in range(4)]
        assert [(one["type"], one["seq"]) for one in got] == [
            ("order_update", 4),
            ("order_update", 5),
            ("gap", 1),
            ("snapshot", 1),
        ]
        assert got[2]["data"]["reason"] == "ahead"


async def test_a_topic_that_several_patterns_name_is_resumed_once_and_told_once(tmp_path: Path) -> None:
    async with serving(tmp_path) as service, service.unix() as client:
        publish(service, "one", *range(1, 6))
        await client.subscribe(ONE, "orders.*", "orders.>", resume={ONE: 3}, epoch="e1")
        publish(service, "one", 6)
        got = [(await client.envelope())["seq"] for _ in range(3)]
        assert got == [4, 5, 6]
        await client.say("unsubscribe", topics=["orders.>", ONE])
        await client.next("subscription_confirmed")
        publish(service, "one", 7)  # one pattern is left, and it names the topic
        assert (await client.envelope())["seq"] == 7


@pytest.mark.parametrize("asked", [6, 2**40, 2**70, -1])
async def test_a_number_that_was_never_sent_is_a_gap(tmp_path: Path, asked: int) -> None:
    async with serving(tmp_path) as service, service.unix() as client:
        publish(service, "one", *range(1, 6))
        await client.subscribe(ONE, resume={ONE: asked}, epoch="e1")
        gap, snapshot = await client.envelope(), await client.envelope()
        assert (gap["type"], gap["data"]["seq_asked"], gap["data"]["seq"]) == ("gap", asked, 5)
        assert (snapshot["type"], snapshot["seq"]) == ("snapshot", 5)
        publish(service, "one", 6)
        assert (await client.envelope())["seq"] == 6


async def test_a_topic_that_does_not_exist_is_a_gap_unless_nothing_was_seen_on_it(tmp_path: Path) -> None:
    async with serving(tmp_path) as service, service.unix() as client:
        await client.subscribe(ONE, TWO, resume={ONE: 3, TWO: 0}, epoch="e1")
        gap, snapshot = await client.envelope(), await client.envelope()
        assert (gap["type"], gap["topic"], snapshot["type"], snapshot["seq"]) == ("gap", ONE, "snapshot", 0)
        publish(service, "two", 1)  # nothing was seen, and nothing had been: it begins as any topic does
        begun, event = await client.envelope(), await client.envelope()
        assert [(one["type"], one["topic"], one["seq"]) for one in (begun, event)] == [
            ("snapshot", TWO, 0),
            ("order_update", TWO, 1),
        ]


async def test_what_may_not_be_read_cannot_be_resumed(tmp_path: Path) -> None:
    async with serving(tmp_path) as service, service.tcp(token="t-viewer") as client:
        service.bus.publish(topics.AUDIT, samples.log(1))
        publish(service, "one", 1)
        confirmed = await client.subscribe(">", resume={topics.AUDIT: 0, ONE: 0}, epoch="e1")
        assert confirmed["data"]["withheld"] == [topics.AUDIT]
        service.bus.publish(topics.AUDIT, samples.log(2))
        publish(service, "one", 2)
        got = [await client.envelope() for _ in range(2)]
        assert [(one["topic"], one["seq"]) for one in got] == [(ONE, 1), (ONE, 2)]


@settings(max_examples=200)
@given(
    published=st.integers(0, 40),
    ring=st.integers(1, 20),
    asked=st.integers(-3, 45),
    epoch=st.sampled_from(["e1", "e0", "", None]),
    form=st.sampled_from([JSON, MSGPACK]),
)
def test_resuming_gives_exactly_what_is_missing_or_says_that_it_cannot(
    published: int, ring: int, asked: int, epoch: str | None, form: Format
) -> None:
    bus = Bus("e1", ring_size=ring)
    if published:
        bus.publish_many(ONE, [samples.order(n, "one") for n in range(1, published + 1)])
    told = [form.decode(part) for part in States(bus).resumed(form, ONE, asked, epoch)]
    same = epoch in ("e1", None)  # who names none is taken at its number
    possible = same and 0 <= asked <= published and published - asked <= ring
    if possible and not published:
        assert [(one["type"], one["seq"]) for one in told] == [("snapshot", 0)]
    elif possible:
        assert [one["seq"] for one in told] == list(range(asked + 1, published + 1))
    else:
        assert [one["type"] for one in told] == ["gap", "snapshot"]
        why = "ahead" if asked > published else "too_old"
        assert told[0]["data"]["reason"] == (why if same else "epoch")
        assert [one["seq"] for one in told] == [published, published]
