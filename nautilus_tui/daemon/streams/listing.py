"""The streams as listed to people: who is connected, what is read, how it goes.

This module must not know how anything is written or read.
"""

from __future__ import annotations

import asyncio
from bisect import bisect_right
from collections import Counter
from collections.abc import Iterable

import msgspec

from data import topics
from data.bus import Bus
from nautilus_tui.daemon.streams.connection import Connection
from nautilus_tui.daemon.streams.group import Group
from nautilus_tui.daemon.streams.wire import FormatName


class ConnectionInfo(msgspec.Struct, frozen=True, kw_only=True):
    """A connection as listed to people, with its counters as they are when asked.

    `sent` counts events, those that a resumption repeats, snapshots, heartbeats and answers not included;
    `frames` and `sent_bytes` count everything. `conflated` are events it will not get because a newer one of
    the same key came. A reader that is behind has `waiting` events yet to get, as things stand: those of
    lossless topics, which are `queue`, bars that closed, and the latest of each key. `dropped` are those of
    lossless topics that it was disconnected for. What was sent and has not arrived is in the daemon,
    `queue_bytes`, or in the operating system, `socket_bytes`, null where that does not say: of unix sockets,
    and elsewhere than on Linux.
    """

    id: str
    name: str
    role: str
    via: str
    peer: str
    path: str
    format: FormatName
    state: str  #: ``ready``, ``blocked`` or ``catching up``
    subscriptions: tuple[str, ...]
    sent: int  #: events
    frames: int
    sent_bytes: int
    received: int  #: messages
    conflated: int
    dropped: int
    waiting: int
    queue: int
    queue_bytes: int
    socket_bytes: int | None
    lag_ms: float  #: since when it is behind; else how long its latest events waited for their frame
    acked: int  #: topics it acknowledged
    ts_connected: int


class SubscriptionInfo(msgspec.Struct, frozen=True, kw_only=True):
    """A pattern and how many read it."""

    pattern: str
    connections: int


class StreamsHealth(msgspec.Struct, frozen=True, kw_only=True):
    """The state of the streams as a whole, since the daemon started."""

    status: str  #: ``ok``, or ``degraded`` while some reader is behind
    epoch: str
    connections: int
    behind: int
    groups: int  #: distinct subscription sets
    topics: int
    names: int  #: characters of the names in all distinct subscription sets
    published: int  #: events
    delivered: int  #: events times readers
    overflows: int  #: readers disconnected because lossless events piled up
    flush_ms: float  #: how long the latest round of writing took
    longest_flush_ms: float


class Pending:
    """What readers that are behind are yet to be given; made for one listing, while nothing is published.

    Args:
        bus: what they read from.
    """

    def __init__(self, bus: Bus) -> None:
        self._bus = bus
        self._places: dict[Group, list[int]] = {}

    def of(self, connection: Connection) -> tuple[int, int]:
        """Return how many events a connection is yet to be given, and how many newer ones have replaced."""
        group = connection.group
        if group is None or not connection.behind:
            return 0, 0
        places = self._replaceable(group)
        waiting = connection.queue() + len(places) - bisect_right(places, connection.mark_index)
        came = group.total + len(group.parts) - connection.mark_total
        return waiting, max(came - waiting, 0)

    def _replaceable(self, group: Group) -> list[int]:
        """Return where in the order of publication the events of conflated topics are that a reader of a
        group is given: found once for all of its members.
        """
        places = self._places.get(group)
        if places is None:
            conflated = (topic for topic in group.topics if topics.delivery_of(topic) == "conflated")
            latest = {event.index for topic in conflated for event in self._bus.after(topic, 0)}
            places = self._places[group] = sorted(latest.union(event.index for event in group.finals))
        return places


def describe(connection: Connection, pending: Pending) -> ConnectionInfo:
    """Return a connection with its counters as they are now."""
    waiting, replaced = pending.of(connection)
    group, since = connection.group, connection.behind_since
    state = "blocked" if connection.blocked else "catching up" if connection.behind else "ready"
    if since is None:
        lag_ms = group.lag_ms if group else 0.0
    else:
        lag_ms = (asyncio.get_running_loop().time() - since) * 1000
    return ConnectionInfo(
        id=connection.id,
        name=connection.principal.name,
        role=connection.principal.role,
        via=connection.principal.via,
        peer=connection.peer,
        path=connection.path,
        format=connection.form.name,
        state=state,
        subscriptions=tuple(sorted(connection.patterns - {topics.BROADCAST})),
        sent=connection.sent,
        frames=connection.frames,
        sent_bytes=connection.sent_bytes,
        received=connection.received,
        conflated=connection.conflated + replaced,
        dropped=connection.dropped,
        waiting=waiting,
        queue=connection.queue(),
        queue_bytes=connection.unsent(),
        socket_bytes=connection.on_the_way(),
        lag_ms=round(lag_ms, 3),
        acked=len(connection.acked),
        ts_connected=connection.ts_connected,
    )


def count_patterns(connections: Iterable[Connection]) -> list[SubscriptionInfo]:
    """Return every pattern subscribed to and how many connections read it."""
    counts: Counter[str] = Counter()
    for connection in connections:
        counts.update(connection.patterns - {topics.BROADCAST})
    return [SubscriptionInfo(pattern=one, connections=many) for one, many in sorted(counts.items())]
