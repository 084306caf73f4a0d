"""What waits to be published: events in their order, within a bound, and what was given out last.

What does not fit is not kept: the bus remembers the latest of every topic, and everything is then
written anew from there. This module must not know where anything goes.
"""

from __future__ import annotations

from collections.abc import Sequence

from data.bus import Event, Key
from nautilus_tui.relay import wire
from nautilus_tui.relay.wire import Forgotten

#: Events of one entry of a stream.
PER_ENTRY = 512

type Entry = tuple[bytes, bytes]  #: field and value


class Batch:
    """What is written with one round trip."""

    def __init__(self, items: Sequence[Event | Forgotten]) -> None:
        self.lossless: list[Entry] = []
        self.conflated: list[Entry] = []
        self.lossless_topics: dict[str, int] = {}  #: the last number of each
        self.conflated_topics: set[str] = set()
        self.events = (0, 0)  #: lossless, conflated
        kept: list[bytes] = []
        latest: list[bytes] = []
        many = 0  #: conflated events
        for item in items:
            if not isinstance(item, Event):
                self._put(self.conflated, latest)
                latest = []
                self.conflated.append((wire.FORGOTTEN, wire.write(item)))
                self.conflated_topics.add(item.topic)
            elif item.key is None:
                kept.append(wire.envelope(item))
                self.lossless_topics[item.topic] = item.seq
            else:
                latest.append(wire.envelope(item))
                many += 1
                self.conflated_topics.add(item.topic)
        self._put(self.lossless, kept)
        self._put(self.conflated, latest)
        self.events = (len(kept), many)

    def _put(self, entries: list[Entry], envelopes: list[bytes]) -> None:
        for first in range(0, len(envelopes), PER_ENTRY):
            entries.append((wire.EVENTS, wire.pack(envelopes[first : first + PER_ENTRY])))


class Outbox:
    """Holds what waits.

    Args:
        bound: events that may wait.
    """

    def __init__(self, bound: int) -> None:
        self.overflown = False
        self._bound = bound
        self._items: list[Event | Forgotten] = []
        self._given: list[Event | Forgotten] = []  #: given out and not confirmed

    def __len__(self) -> int:
        return len(self._items) + len(self._given)

    def put(self, events: Sequence[Event]) -> None:
        """Take events that were published."""
        if self.overflown:
            return
        self._items += events
        if len(self._items) > self._bound:
            self.reset()
            self.overflown = True

    def forget(self, topic: str, keys: Sequence[Key], seq: int) -> None:
        """Take that keys of a conflated topic are no more."""
        if not self.overflown:
            self._items.append(Forgotten(topic, tuple(keys), seq))

    def reset(self) -> None:
        """Forget everything and begin anew."""
        self.overflown = False
        self._items = []
        self._given = []

    def give(self, most: int) -> Batch | None:
        """Give out the next; the same again until it is confirmed. None: there is nothing."""
        if not self._given:
            self._given, self._items = self._items[:most], self._items[most:]
        return Batch(self._given) if self._given else None

    def confirm(self) -> None:
        """Note that what was given out has arrived."""
        self._given = []
