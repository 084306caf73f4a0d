"""A bus with a present state as a daemon has them, its publisher, and followers of it."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from contextlib import asynccontextmanager, suppress

from data import topics
from data.access import TokenRow
from data.bus import Bus, Event
from data.facts import Record
from data.records import AnyRecord
from nautilus_tui.daemon.present import Present
from nautilus_tui.relay.follower import Follower
from nautilus_tui.relay.mirror import Mirror
from nautilus_tui.relay.publisher import Pace, Publisher

PATIENCE_S = 60.0


class Source:
    """What of a daemon is published: its bus and its present state, told of in the daemon's order."""

    def __init__(self, epoch: str = "e1", ring_size: int = 8192) -> None:
        self.present = Present()
        self.bus = Bus(epoch, self.present.snapshot, ring_size=ring_size)
        self.tokens: list[TokenRow] = []

    def tell(self, records: Iterable[AnyRecord]) -> None:
        """Keep and publish records, as the daemon's parts do."""
        told = list(records)
        for record in told:
            if topics.delivery_of(topics.topic_of(record)) == "lossless":
                self.present.note(record)
        self.bus.publish_records(told)

    def publisher(
        self,
        url: str,
        *,
        prefix: str = "t",
        house: str = "here",
        pace: Pace | None = None,
    ) -> Publisher:
        return Publisher(
            self.bus,
            stored=self.present.topics,
            tokens=lambda: self.tokens,
            redis_url=url,
            prefix=prefix,
            house=house,
            version="1.2.3",
            pace=pace,
        )

    @asynccontextmanager
    async def publishing(
        self, url: str, *, prefix: str = "t", house: str = "here", pace: Pace | None = None
    ) -> AsyncIterator[Publisher]:
        publisher = self.publisher(url, prefix=prefix, house=house, pace=pace)
        publisher.open()
        try:
            yield publisher
        finally:
            await publisher.close()


class Reader:
    """A follower's mirror and everything it handed on."""

    def __init__(self, url: str, prefix: str = "t", ring_size: int = 8192) -> None:
        self.mirror = Mirror(ring_size=ring_size)
        self.tokens: list[list[TokenRow]] = []
        self.follower = Follower(url, prefix, self.mirror, self.tokens.append)
        self.seqs: dict[str, list[int]] = defaultdict(list)
        self.records: dict[str, list[Record]] = defaultdict(list)
        self.renewals = 0
        self.gaps: list[tuple[str, int]] = []
        self.mirror.subscribe(self._note)
        self.mirror.on_renew = self._renewed
        self.mirror.on_gap = lambda topic, after: self.gaps.append((topic, after))

    def _note(self, events: Sequence[Event]) -> None:
        for event in events:
            self.seqs[event.topic].append(event.seq)
            self.records[event.topic].append(event.record)

    def _renewed(self) -> None:
        self.renewals += 1

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Follow for a while."""
        task = asyncio.create_task(self.follower.run())
        try:
            yield
        finally:
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task


@asynccontextmanager
async def following(url: str, prefix: str = "t", ring_size: int = 8192) -> AsyncIterator[Reader]:
    """Follow, once the present has been reached."""
    reader = Reader(url, prefix, ring_size)
    async with reader.running():
        async with asyncio.timeout(PATIENCE_S):
            await reader.follower.ready.wait()
        yield reader


@asynccontextmanager
async def following_nothing(url: str) -> AsyncIterator[Reader]:
    """Follow from before there is anything to follow."""
    reader = Reader(url)
    async with reader.running():
        await until(lambda: "no daemon publishes" in (reader.follower.status().problem or ""))
        assert not reader.follower.ready.is_set()
        assert not reader.follower.status().connected
        yield reader


async def until(true: Callable[[], object], what: str = "") -> None:
    """Wait until something holds."""
    async with asyncio.timeout(PATIENCE_S):
        while not true():  # noqa: ASYNC110 - it may be anything, in a process of its own too
            await asyncio.sleep(0.005)


def told(bus: Bus) -> dict[str, object]:
    """Return everything a reader can learn from a bus: states, what was latest, and every resumption."""
    found: dict[str, object] = {"epoch": bus.epoch, "topics": set(bus.topics())}
    for topic in bus.topics():
        state = bus.state(topic)
        found[topic] = (state.seq, state.records)
        if topics.delivery_of(topic) == "conflated":
            found[f"latest {topic}"] = [_plain(event) for event in bus.latest(topic)]
        for seq in {0, state.seq // 2, state.seq, state.seq - 1, state.seq - bus.ring_size}:
            missed = bus.since(topic, seq)
            found[f"since {topic} {seq}"] = None if missed is None else [_plain(event) for event in missed]
    return found


def _plain(event: Event) -> tuple[object, ...]:
    return (event.topic, event.seq, event.ts, event.record, event.key)


def same(one: Bus, other: Bus) -> bool:
    """Tell whether two buses tell the same."""
    return told(one) == told(other)
