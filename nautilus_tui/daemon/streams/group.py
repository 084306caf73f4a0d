"""Readers who want the same: one subscription set in one format, and the frame they share.

This module must not know of sockets, of the bus or of who the readers are.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import TYPE_CHECKING

from data import topics
from data.access import Role
from data.bus import Event
from nautilus_tui.daemon.streams.matching import Matcher
from nautilus_tui.daemon.streams.wire import Format

if TYPE_CHECKING:
    from nautilus_tui.daemon.streams.connection import Connection

Append = Callable[[bytes], None]
GroupKey = tuple[frozenset[str], str, Role]


class Group:
    """All connections with the same patterns, format and role, and what waits to be written to them."""

    __slots__ = (
        "append",
        "finals",
        "form",
        "joining",
        "key",
        "lag_ms",
        "lossless",
        "matcher",
        "members",
        "names",
        "parts",
        "patterns",
        "ready",
        "role",
        "topics",
        "total",
        "written_index",
        "written_lossless",
    )

    def __init__(self, patterns: frozenset[str], form: Format, role: Role) -> None:
        self.key: GroupKey = (patterns, form.name, role)
        self.form = form
        self.role = role
        self.patterns = patterns
        self.names = sum(map(len, patterns))  #: characters
        self.matcher = Matcher(patterns)
        self.members: set[Connection] = set()
        self.ready: set[Connection] = set()
        self.joining: dict[Connection, int] = {}  #: how much of the next frame is old to it
        self.topics: dict[str, int] = {}  #: what it reads, and since which publication
        self.parts: list[bytes] = []  #: envelopes for the next frame; emptied, never replaced
        self.append: Append = self.parts.append  #: kept bound: it is called for every event
        self.finals: deque[Event] = deque()  #: bars that closed since the last frame; more if some are behind
        self.total = 0  #: envelopes ever, up to the last frame
        self.lossless = 0  #: lossless ones ever, those that wait included
        self.written_index = 0  #: the last publication when the last frame was made
        self.written_lossless = 0  #: ``lossless`` at that moment
        self.lag_ms = 0.0

    def wants(self, topic: str) -> bool:
        """Tell whether a topic is among those subscribed to and allowed."""
        return self.matcher.names(topic) and topics.may_read(self.role, topic)

    def told(self, topic: str) -> bool:
        """Tell whether members were given a topic's state when they named it, known or not. Broadcasts are
        everyone's, without being asked for.
        """
        return topic in self.matcher.exact and topic != topics.BROADCAST

    def waiting_for(self, connection: Connection) -> list[bytes]:
        """Return the envelopes that a reader is to be given with the next frame."""
        if connection in self.ready:
            return self.parts[:]
        at = self.joining.get(connection)
        return [] if at is None else self.parts[at:]

    def admit(self, connection: Connection, index: int) -> None:
        """Let a member read from here on: what waits for the next frame is old to it.

        Args:
            index: the last publication.
        """
        if self.parts:
            self.mark(connection, index)
            self.joining[connection] = len(self.parts)
        else:
            self.ready.add(connection)

    def mark(self, connection: Connection, index: int) -> None:
        """Note that a member was given everything up to the publication ``index``, the last."""
        connection.aside_index = connection.mark_index = index
        connection.mark_total = self.total + len(self.parts)
        connection.mark_lossless = self.lossless

    def set_aside(self, connection: Connection, index: int) -> None:
        """Write no more to a member, and note up to where it was given everything.

        Args:
            index: the last publication.
        """
        if self.joining.pop(connection, None) is not None:
            return  # as it was noted when it came
        if connection in self.ready and self.parts:
            self.ready.discard(connection)
            connection.aside_index = connection.mark_index = self.written_index
            connection.mark_total = self.total
            connection.mark_lossless = self.written_lossless
            return
        self.ready.discard(connection)
        self.mark(connection, index)

    def missed_finals(self, connection: Connection) -> list[Event]:
        """Return the bars that closed and a member that is behind was not given, whatever came after them."""
        mark, covered = connection.mark_index, connection.covered
        return [event for event in self.finals if event.index > max(mark, covered.get(event.topic, 0))]

    def cut_finals(self, most: int) -> None:
        """Forget bars that closed, after a frame: all when nobody is behind, else the oldest above ``most``.
        Members that were yet to be given those are told of a gap in their turn.
        """
        if len(self.ready) == len(self.members):
            self.finals.clear()
            return
        gone = [self.finals.popleft() for _ in range(len(self.finals) - most)]
        for connection in self.members if gone else ():
            if connection.behind:
                for event in gone:
                    if event.index > max(connection.mark_index, connection.covered.get(event.topic, 0)):
                        connection.restate(event.topic, event.seq - 1, "too_old")

    def take(self, index: int) -> tuple[list[bytes], dict[int, list[Connection]]]:
        """Return the envelopes that wait, and who reads them from which on; nothing waits any more.

        Args:
            index: the last publication.
        """
        parts = self.parts[:]
        self.parts.clear()
        self.total += len(parts)
        self.written_index = index
        self.written_lossless = self.lossless
        readers: dict[int, list[Connection]] = {0: list(self.ready)} if self.ready else {}
        for connection, at in self.joining.items():
            readers.setdefault(at, []).append(connection)
            self.ready.add(connection)
        self.joining.clear()
        return parts, readers
