"""The streams as listed to people: who is connected, what is read, how it goes.

This module must not know how anything is written or read.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Iterable

import msgspec

from data import topics
from nautilus_tui.daemon.streams.connection import Connection
from nautilus_tui.daemon.streams.wire import FormatName


class ConnectionInfo(msgspec.Struct, frozen=True, kw_only=True):
    """A connection as listed to people."""

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
    queue: int  #: lossless events waiting
    queue_bytes: int  #: bytes written that the client has not taken
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


def describe(connection: Connection) -> ConnectionInfo:
    """Return a connection with its counters as they are now."""
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
        conflated=connection.conflated,
        dropped=connection.dropped,
        queue=connection.queue(),
        queue_bytes=connection.unsent(),
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
