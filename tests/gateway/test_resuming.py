"""A reader that wanders between servers which lag behind each other sees every event once, in order.

The servers here say what the hub says, over what each of them knows at that moment; connections break
between any two envelopes. What is checked is the client's own bookkeeping.
"""

from __future__ import annotations

from collections import deque
from typing import Any

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st

from nautilus_tui.client.envelopes import Envelope
from nautilus_tui.client.resuming import Position, Progress

TOPIC = "orders.paper-1"
RING = 12
SERVERS = 2


def envelope(type_: str, seq: int = 0, topic: str = TOPIC, id_: str | None = None, **data: Any) -> Envelope:
    return Envelope(type=type_, topic=topic, seq=seq, ts=1, id=id_, data=data)


class Server:
    """What one server of the streams knows of a topic, and what it says to one reader."""

    def __init__(self) -> None:
        self.epoch = "e1"
        self.head = 0
        self.oldest = 1  #: of its ring
        self.line: deque[Envelope] = deque()
        self.waits: int | None = None  #: the number that the reader has seen and this server has not

    def grow(self, to: int) -> None:
        """Hear events up to ``to``."""
        for seq in range(self.head + 1, to + 1) if self.waits is None else ():
            self.line.append(envelope("order_update", seq))
        self.head = max(self.head, to)
        self.oldest = max(self.oldest, self.head - RING + 1)
        if self.waits is not None and self.waits <= self.head:
            self.answer(self.waits)

    def skip(self, to: int) -> None:
        """Lose what came before ``to`` for good, and know the state as of then."""
        if to > self.head:
            self.head, self.oldest = to, to + 1
            if self.waits is not None:
                if self.waits <= to:
                    self.answer(self.waits)
                return
            self.line.append(envelope("gap", to, reason="missed"))
            self.line.append(envelope("snapshot", to))

    def begin_anew(self, epoch: str) -> None:
        """Follow a daemon that has started anew."""
        self.epoch, self.head, self.oldest, self.waits = epoch, 0, 1, None

    def connect(self, progress: Progress, noise: bool) -> None:
        """Take a reader in, and answer what it asks."""
        self.line.clear()
        self.waits = None
        if noise:  # what everyone is given before it has said anything
            self.line.append(envelope("snapshot", self.head))
        asked = progress.begin(self.epoch, ["orders.*"], "1")
        resume = asked.get("resume", {})
        assert isinstance(resume, dict)
        seq = resume.get(TOPIC)
        if seq is not None and asked["epoch"] != self.epoch:
            self.answer(seq, "epoch")
        elif seq is not None and seq > self.head:
            self.waits = seq
        else:
            self.answer(seq)

    def give_up(self) -> None:
        """Wait no longer for what the reader has seen."""
        if self.waits is not None:
            self.answer(self.waits, "ahead")

    def answer(self, seq: int | None, gap: str | None = None) -> None:
        """Confirm a subscription, and say what came after ``seq``, or why that is not to be had."""
        self.waits = None
        self.line.append(envelope("subscription_confirmed", topic="", id_="1"))
        if seq is not None and gap is None and seq < self.oldest - 1:
            gap = "too_old"
        if gap is not None:
            self.line.append(envelope("gap", self.head, reason=gap))
        if seq is None or gap is not None:
            self.line.append(envelope("snapshot", self.head))
        else:
            self.line.extend(envelope("order_update", n) for n in range(seq + 1, self.head + 1))


#: What may happen, and how often of a hundred times.
KINDS = {
    "publish": 20,
    "grow": 20,
    "read": 16,
    "connect": 12,
    "quiet connect": 12,
    "skip": 12,
    "give up": 5,
    "restart of the reader": 5,
    "daemon starts anew": 3,
}
steps = st.lists(
    st.tuples(
        st.sampled_from([kind for kind, weight in KINDS.items() for _ in range(weight)]), st.integers(0, 7)
    ),
    min_size=25,
    max_size=80,
)


@settings(max_examples=300)
@given(steps)
def test_every_event_once_in_order_or_a_gap_is_told(actions: list[tuple[str, int]]) -> None:
    servers = [Server() for _ in range(SERVERS)]
    published, epoch = 0, 1
    progress = Progress()
    at: Server | None = None
    last: int | None = None  #: what the reader knows: up to here, by snapshot or event
    told_gap = True  #: a snapshot may come: nothing was read yet, or a gap was told

    def read(count: int) -> None:
        nonlocal last, told_gap
        while at is not None and at.line and count:
            count -= 1
            one = at.line.popleft()
            if not progress.is_news(one):
                continue
            if one.type == "gap":
                assert last is None or one.data["reason"] != "missed" or one.seq > last, "nothing was missed"
                told_gap = True
            elif one.type == "snapshot":
                assert told_gap or one.seq == last, (
                    f"a snapshot of {one.seq} after {last}, and no gap was told"
                )
                last, told_gap = one.seq, False
            elif one.type == "order_update":
                assert last is not None
                assert one.seq == last + 1, f"{one.seq} came after {last}"
                last = one.seq

    for what, number in actions:
        match what:
            case "publish":
                published += number
            case "grow":
                server = servers[number % SERVERS]
                if server.epoch == f"e{epoch}":
                    server.grow(min(published, server.head + number))
            case "skip":
                server = servers[number % SERVERS]
                if server.epoch == f"e{epoch}":
                    server.skip(min(published, server.head + number))
            case "give up":
                servers[number % SERVERS].give_up()
            case "read":
                read(number)
            case "connect" | "quiet connect":
                at = servers[number % SERVERS]
                epoch_before = progress.epoch
                at.connect(progress, noise=what == "connect")
                if at.epoch != epoch_before:
                    told_gap, last = True, None
            case "restart of the reader":
                kept = msgspec.json.decode(msgspec.json.encode(progress.position()), type=Position)
                progress, at = Progress(kept), None
            case "daemon starts anew":
                epoch, published = epoch + 1, 0
                for server in servers:
                    server.begin_anew(f"e{epoch}")
                at = None
    # in the end some server knows everything, and the reader comes to it
    server = servers[0]
    server.grow(published)
    if progress.epoch != server.epoch:
        last = None
        told_gap = True
    server.connect(progress, noise=False)
    at = server
    read(1_000)
    assert last == published
    assert progress.position() == Position(epoch=f"e{epoch}", seqs={TOPIC: published})


def test_a_position_that_never_was_is_given_up_when_the_server_says_so() -> None:
    progress = Progress(Position(epoch="e1", seqs={TOPIC: 99}))
    progress.begin("e1", ["orders.*"], "1")
    said = [
        envelope("subscription_confirmed", topic="", id_="1"),
        envelope("gap", 5, reason="too_old"),
        envelope("snapshot", 5),
        envelope("order_update", 6),
    ]
    assert [progress.is_news(one) for one in said] == [True] * 4
    assert progress.position().seqs == {TOPIC: 6}


def test_the_state_of_a_server_that_lags_behind_is_no_news() -> None:
    progress = Progress(Position(epoch="e1", seqs={TOPIC: 9}))
    progress.begin("e1", ["orders.*"], "1")
    said = [
        envelope("subscription_confirmed", topic="", id_="1"),
        envelope("gap", 7, reason="missed"),
        envelope("snapshot", 7),
        envelope("order_update", 8),
        envelope("order_update", 9),
        envelope("order_update", 10),
    ]
    assert [progress.is_news(one) for one in said] == [True, False, False, False, False, True]
