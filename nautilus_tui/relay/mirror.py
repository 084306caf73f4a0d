"""A bus that is fed from elsewhere: the same epoch, topics, numbers, times and states as the daemon's.

Whoever reads from a bus (the stream hub) reads from this one just the same, resume included. Each
event is handed on once, whatever is told twice on the way; what is missing is noticed by its number.
The mirror belongs to one thread. It must not know how it is fed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import NoReturn

from data import topics
from data.bus import RING_SIZE, Bus, Event, Key, key_of
from data.facts import Record
from data.problems import UnavailableError
from nautilus_tui.daemon.present import Present
from nautilus_tui.relay import wire
from nautilus_tui.relay.wire import Base

#: Many times what events take to come, also on a busy machine; few for one who resumes after what never was.
CATCH_UP_S = 5.0


class Mirror(Bus):
    """The daemon's bus as it is told. Its epoch is empty until it was first loaded.

    Args:
        ring_size: how many events a lossless topic remembers.
        catch_up_s: so long a reader waits that has seen more than was told here yet, in seconds. It may come
            from the daemon or another mirror of it, and what it has seen is on its way.
    """

    def __init__(self, *, ring_size: int = RING_SIZE, catch_up_s: float = CATCH_UP_S) -> None:
        super().__init__("", self._present_state, ring_size=ring_size)
        self.catch_up_s = catch_up_s
        self.gaps = 0  #: times that events of a lossless topic were missing for good
        self.missed = 0  #: how many these were
        #: Called before everything is forgotten because the daemon started anew: readers have to resume.
        self.on_renew: Callable[[], None] = _nothing
        #: Called with a lossless topic and the last number before events that are missing for good, once
        #: the mirror has the topic's present state.
        self.on_gap: Callable[[str, int], None] = _nothing_missing
        self._present = Present()

    def _present_state(self, topic: str) -> list[Record]:
        return self._present.snapshot(topic)

    # ------------------------------------------------------------ being fed

    def load(self, epoch: str, bases: Iterable[Base]) -> None:
        """Take all of a daemon's bases at once: nobody sees the mirror in between.

        Of the same epoch as before, readers are told what they missed; another epoch is a renewal.
        """
        known = epoch == self.epoch
        if not known:
            self.renew(epoch)
        for base in bases:
            self.restore(base.topic, base.seq, base.records, base.events, declared=base.declared, tell=known)

    def renew(self, epoch: str) -> None:
        """Forget everything: the daemon has started anew, as ``epoch``."""
        if self.epoch:
            self.on_renew()
        self.epoch = epoch
        self._topics.clear()
        self._present = Present()

    def restore(
        self,
        topic: str,
        seq: int,
        records: Iterable[Record],
        events: Iterable[bytes] = (),
        *,
        declared: bool = True,
        tell: bool = True,
    ) -> None:
        """Take a topic's base; one that is older than what is known changes nothing.

        Args:
            seq: the topic's number as of the base.
            records: its present state, if it is lossless.
            events: envelopes of the latest events up to ``seq``: all there are of a lossless topic's ring,
                the latest per key of a conflated one.
            declared: whether the bus knows the topic; else it only has a state.
            tell: hand on what is new; not wanted where there are no readers yet.

        Raises msgspec.DecodeError for envelopes that cannot be read.
        """
        if seq < self.seq(topic):
            return
        if topics.delivery_of(topic) == "conflated":
            self._restore_conflated(topic, seq, [self._event(raw) for raw in events], tell)
            return
        if declared:
            self._restore_ring(topic, seq, records, tuple(events), tell)
        else:
            self._present.restore(topic, records)

    def _restore_ring(
        self, topic: str, seq: int, records: Iterable[Record], events: Sequence[bytes], tell: bool
    ) -> None:
        known = self.seq(topic)
        lost = max(seq - known - len(events), 0) if tell else 0
        whole = lost or not tell  # the ring is theirs; else it goes on from ours
        fresh = [self._event(raw) for raw in (events if whole else events[len(events) - (seq - known) :])]
        opened = self._open(topic)
        self._present.restore(topic, records)
        if whole:
            opened.ring.clear()
        opened.seq = seq
        for event in fresh:
            self._take_in(event)
            opened.keep(event)
        if fresh:
            opened.index = self.published
        if not tell:
            return
        if lost:
            self.gaps += 1
            self.missed += lost
            self.on_gap(topic, known)
        else:
            self._hand_over(fresh)

    def _restore_conflated(self, topic: str, seq: int, read: list[Event], tell: bool) -> None:
        opened = self._open(topic)
        before, known = dict(opened.latest), opened.seq
        opened.latest.clear()
        opened.seq = seq
        fresh = []
        for event in read:
            key = event.key
            assert key is not None, "a conflated topic's events have keys"
            had = before.get(key)
            if had is None or had.seq != event.seq:
                self._take_in(event)
                fresh.append(event)
                had = event
            opened.latest[key] = had
        opened.index = self.published
        if tell:
            self._hand_over([event for event in fresh if event.seq > known])

    def take(self, batch: Iterable[bytes]) -> dict[str, list[bytes]]:
        """Take envelopes in the order in which they were published, and hand them on.

        What is known already is dropped. Returns, by topic, what was left because something before it is
        missing from that lossless topic: its base has to be restored before this is taken again.

        Raises, having taken nothing:
            msgspec.DecodeError: an envelope cannot be read.
            InvalidRequestError: it is of a topic that is not known here.
        """
        known = self._topics
        told = []
        for raw in batch:
            one = wire.read_envelope(raw)
            told.append((known.get(one.topic) or self._open(one.topic), one, raw))
        left: dict[str, list[bytes]] = {}
        taken: list[Event] = []
        index = self.published
        for opened, one, raw in told:
            if one.seq <= opened.seq:
                continue
            lossless = opened.delivery == "lossless"
            if lossless:
                if one.seq != opened.seq + 1:
                    left.setdefault(one.topic, []).append(raw)
                    continue
                self._present.note(one.data)
            index += 1
            key = None if lossless else key_of(one.data)
            event = Event(opened.name, one.seq, index, one.ts, one.data, key, {"msgpack": raw})
            opened.seq = one.seq
            opened.index = index
            opened.keep(event)
            taken.append(event)
        self.published = index
        self._hand_over(taken)
        return left

    def forget_as_of(self, topic: str, keys: Iterable[Key], seq: int) -> None:
        """Forget keys of a conflated topic unless something newer than ``seq`` was told of them."""
        opened = self._topics.get(topic)
        if opened is not None:
            self.forget(
                topic,
                [key for key in keys if key in opened.latest and opened.latest[key].seq <= seq],
            )

    def _event(self, raw: bytes) -> Event:
        """Return an envelope as an event that has no place in the order of publication yet."""
        told = wire.read_envelope(raw)
        lossless = topics.delivery_of(told.topic) == "lossless"
        key = None if lossless else key_of(told.data)
        return Event(told.topic, told.seq, 0, told.ts, told.data, key, {"msgpack": raw})

    def _take_in(self, event: Event) -> None:
        self.published += 1
        event.index = self.published

    # ------------------------------------------------------------ what it refuses

    def publish(self, topic: str, record: Record) -> NoReturn:
        """Refuse: raises UnavailableError."""
        raise _refusal(topic)

    def publish_many(self, topic: str, records: Iterable[Record]) -> NoReturn:
        """Refuse: raises UnavailableError."""
        raise _refusal(topic)

    def publish_records(self, records: Iterable[Record]) -> NoReturn:
        """Refuse: raises UnavailableError."""
        raise _refusal(", ".join(sorted({type(record).__name__ for record in records})))


def _refusal(what: str) -> UnavailableError:
    return UnavailableError(
        f"nothing can be published here: {what}",
        rule="a mirror tells what the daemon published",
        fix="send it to the daemon",
    )


def _nothing() -> None:
    pass


def _nothing_missing(topic: str, after: int) -> None:
    pass
