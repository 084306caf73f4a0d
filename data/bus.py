"""The bus: every event gets its topic's next sequence number, is remembered and is handed on.

Lossless topics keep a bounded ring of their latest events, so that a reader can resume; conflated
topics keep the latest event per key, so that a reader can be given the present at any time. The
bus belongs to one thread. It must not know of transports, connections, HTTP or encodings.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from itertools import islice, takewhile

import msgspec

from data import topics
from data.facts import ProviderHealth, Record
from data.limits import BreachForecast, LimitStatus
from data.macro import MacroFactor
from data.records import (
    AccountUpdate,
    AnyRecord,
    Bar,
    Book,
    EngineStatus,
    FeedProgress,
    PositionUpdate,
    Quote,
    Trade,
)
from data.work import BackfillProgress, BacktestProgress

Key = tuple[str | bool | None, ...]

RING_SIZE = 8192


class Event(msgspec.Struct, eq=False, gc=False):
    """One record as published: where, which number, when, and what.

    ``index`` counts over all topics and gives the order of publication. ``forms`` is where readers
    keep encodings of the event, so that each is made once however many readers there are.
    """

    topic: str
    seq: int
    index: int
    ts: int  #: publication time, UTC ns
    record: Record
    key: Key | None  #: what a newer event of the same key replaces; None on lossless topics
    forms: dict[str, bytes] = msgspec.field(default_factory=dict)

    def __repr__(self) -> str:
        return f"Event({self.topic!r}, seq={self.seq}, {self.record!r})"


class TopicState(msgspec.Struct, frozen=True):
    """What is known on a topic, as of its sequence number ``seq``."""

    topic: str
    seq: int
    records: tuple[Record, ...]


Subscriber = Callable[[Sequence[Event]], None]
Snapshots = Callable[[str], list[Record]]
#: Told a conflated topic, the keys that were forgotten and the topic's number at that moment.
Forgetter = Callable[[str, Sequence[Key], int], None]


class _Topic:
    __slots__ = ("delivery", "index", "latest", "name", "ring", "seq")

    def __init__(self, name: str, ring_size: int) -> None:
        self.name = name
        self.seq = 0
        self.index = 0  #: of the latest event
        self.delivery = topics.delivery_of(name)
        self.ring: deque[Event] = deque(maxlen=ring_size if self.delivery == "lossless" else 0)
        self.latest: dict[Key, Event] = {}

    def keep(self, event: Event) -> None:
        """Remember an event: in the ring, or as the latest of its key."""
        if event.key is None:
            self.ring.append(event)
        elif isinstance(event.record, PositionUpdate) and not event.record.qty:
            self.latest.pop(event.key, None)  # a closed position has no mark to show
        else:
            self.latest[event.key] = event


class Bus:
    """Publishes records on topics.

    Args:
        epoch: names this life of the bus; sequence numbers mean nothing across epochs.
        snapshots: gives the records that make up the present state of a lossless topic (the
            daemon's store). Without it, the ring's records are the state.
        ring_size: how many events a lossless topic remembers.
        clock: publication time, UTC ns.
    """

    #: So long a reader that has seen more than there is waits for it to come, in seconds: where events are
    #: published, there is nothing to wait for.
    catch_up_s = 0.0

    def __init__(
        self,
        epoch: str,
        snapshots: Snapshots | None = None,
        *,
        ring_size: int = RING_SIZE,
        clock: Callable[[], int] = time.time_ns,
    ) -> None:
        self.epoch = epoch
        self.ring_size = ring_size
        self.published = 0  #: events over all topics
        self._snapshots = snapshots
        self._clock = clock
        self._topics: dict[str, _Topic] = {}
        self._subscribers: list[Subscriber] = []
        self._forgetters: list[Forgetter] = []

    # ------------------------------------------------------------ writing

    def declare(self, topic: str) -> None:
        """Make a topic known before its first event, so that wildcards find its state.

        Raises InvalidRequestError when the topic is malformed or of no known family.
        """
        self._open(topic)

    def publish(self, topic: str, record: Record) -> Event:
        """Give the record its topic's next sequence number and hand it to every subscriber."""
        return self.publish_many(topic, (record,))[0]

    def publish_many(self, topic: str, records: Iterable[Record]) -> list[Event]:
        """Publish several records on one topic, in order, as one hand-over."""
        opened = self._topics.get(topic) or self._open(topic)
        ts = self._clock()
        events = [self._number(opened, record, ts) for record in records]
        self._hand_over(events)
        return events

    def publish_records(self, records: Iterable[AnyRecord]) -> list[Event]:
        """Publish records of any kinds, each on its own topic (`topics.topic_of`), as one hand-over."""
        events: list[Event] = []
        for record in records:
            topic = topics.topic_of(record)
            opened = self._topics.get(topic) or self._open(topic)
            events.append(self._number(opened, record, self._clock()))
        self._hand_over(events)
        return events

    def subscribe(self, subscriber: Subscriber) -> Callable[[], None]:
        """Call ``subscriber`` with each hand-over of events; returns the function that ends it.

        A subscriber must not raise: what it raises reaches the publisher.
        """
        self._subscribers.append(subscriber)

        def end() -> None:
            if subscriber in self._subscribers:
                self._subscribers.remove(subscriber)

        return end

    def forget(self, topic: str, keys: Iterable[Key]) -> None:
        """Drop what a conflated topic told last of things that are no more: new readers are not told."""
        opened = self._topics.get(topic)
        if opened is None:
            return
        gone = [key for key in keys if opened.latest.pop(key, None) is not None]
        if gone:
            for forgetter in tuple(self._forgetters):
                forgetter(topic, gone, opened.seq)

    def on_forget(self, forgetter: Forgetter) -> Callable[[], None]:
        """Call ``forgetter`` whenever keys are forgotten; returns the function that ends it."""
        self._forgetters.append(forgetter)
        return lambda: self._forgetters.remove(forgetter) if forgetter in self._forgetters else None

    def _hand_over(self, events: Sequence[Event]) -> None:
        if events:
            for subscriber in tuple(self._subscribers):
                subscriber(events)

    def _open(self, topic: str) -> _Topic:
        opened = self._topics.get(topic)
        if opened is None:
            opened = self._topics[topic] = _Topic(topics.check_topic(topic), self.ring_size)
        return opened

    def _number(self, opened: _Topic, record: Record, ts: int) -> Event:
        """Make a record its topic's next event and remember it."""
        opened.seq += 1
        self.published += 1
        opened.index = self.published
        key = None if opened.delivery == "lossless" else key_of(record)
        event = Event(opened.name, opened.seq, self.published, ts, record, key)
        opened.keep(event)
        return event

    # ------------------------------------------------------------ reading

    @property
    def stored(self) -> bool:
        """Tell whether the state of lossless topics comes from a store rather than the ring."""
        return self._snapshots is not None

    def topics(self) -> list[str]:
        """Return the topics that have been published on or declared."""
        return list(self._topics)

    def knows(self, topic: str) -> bool:
        """Tell whether a topic has been published on or declared."""
        return topic in self._topics

    def remembered(self, topic: str) -> int:
        """Return how many of a lossless topic's latest events the ring holds."""
        opened = self._topics.get(topic)
        return len(opened.ring) if opened else 0

    def seq(self, topic: str) -> int:
        """Return the topic's latest sequence number; 0 before its first event."""
        opened = self._topics.get(topic)
        return opened.seq if opened else 0

    def state(self, topic: str) -> TopicState:
        """Return what is known on a topic now."""
        opened = self._topics.get(topic)
        seq = opened.seq if opened else 0
        if topics.delivery_of(topic) == "lossless" and self._snapshots is not None:
            return TopicState(topic, seq, tuple(self._snapshots(topic)))
        if opened is None:
            return TopicState(topic, 0, ())
        events: Iterable[Event] = opened.ring if opened.delivery == "lossless" else self.latest(topic)
        return TopicState(topic, seq, tuple(event.record for event in events))

    def latest(self, topic: str, after: int = 0) -> list[Event]:
        """Return a conflated topic's latest event per key, those numbered above ``after``, in order."""
        opened = self._topics.get(topic)
        if opened is None:
            return []
        return sorted(
            (event for event in opened.latest.values() if event.seq > after), key=lambda event: event.seq
        )

    def after(self, topic: str, index: int) -> list[Event]:
        """Return what a reader needs who has seen everything up to the publication ``index``.

        That is every later event of a lossless topic that the ring still holds, and the latest
        event per key of a conflated one.
        """
        opened = self._topics.get(topic)
        if opened is None or opened.index <= index:
            return []
        if opened.delivery == "conflated":
            return [event for event in opened.latest.values() if event.index > index]
        found = list(takewhile(lambda event: event.index > index, reversed(opened.ring)))
        found.reverse()
        return found

    def since(self, topic: str, seq: int) -> list[Event] | None:
        """Return a lossless topic's events after ``seq``; None when they are no longer all known."""
        opened = self._topics.get(topic)
        if opened is None:
            return [] if seq == 0 else None
        missing = opened.seq - seq
        if missing < 0 or seq < 0 or missing > len(opened.ring):
            return None
        return list(islice(opened.ring, len(opened.ring) - missing, None))


def is_final(record: Record) -> bool:
    """Tell whether a conflated topic's record is not to be skipped for a newer one: a bar that has closed."""
    return isinstance(record, Bar) and record.closed


def key_of(record: Record) -> Key:
    """Return what a newer record replaces on a conflated topic: engine and instrument, position or account.

    A bar that has closed is not replaced by the one that forms after it: both are the present.
    """
    match record:
        case Quote() | Trade() | Book():
            return (record.engine, record.instrument)
        case Bar():
            return (record.engine, record.instrument, record.timeframe, record.side, record.closed)
        case PositionUpdate():
            return (record.engine, "position", record.position_id)
        case AccountUpdate():
            return (record.engine, "account", record.account_id)
        case EngineStatus():
            return (record.id,)
        case FeedProgress():
            return (record.engine, record.feed)
        case MacroFactor():
            return (record.id,)
        case ProviderHealth():
            return (record.provider,)
        case LimitStatus():
            return (record.limit.id,)
        case BackfillProgress() | BacktestProgress():
            return (record.id,)
        case BreachForecast():
            return (record.limit_id,)
        case _:
            return (type(record).__name__,)
