"""Readers who want the same: one subscription set in one format, and the frame they share.

This module must not know of sockets, of the bus or of who the readers are.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from data import topics
from data.access import Role
from nautilus_tui.daemon.streams.wire import Format

if TYPE_CHECKING:
    from nautilus_tui.daemon.streams.connection import Connection

Append = Callable[[bytes], None]
GroupKey = tuple[frozenset[str], str, Role]


class Group:
    """All connections with the same patterns, format and role, and what waits to be written to them."""

    __slots__ = (
        "append",
        "exact",
        "form",
        "key",
        "lag_ms",
        "lossless",
        "members",
        "parts",
        "ready",
        "role",
        "topics",
        "total",
        "wild",
    )

    def __init__(self, patterns: frozenset[str], form: Format, role: Role) -> None:
        self.key: GroupKey = (patterns, form.name, role)
        self.form = form
        self.role = role
        self.exact = frozenset(pattern for pattern in patterns if "*" not in pattern and ">" not in pattern)
        self.wild = tuple(patterns - self.exact)
        self.members: set[Connection] = set()
        self.ready: set[Connection] = set()
        self.topics: dict[str, int] = {}  #: what it reads, and since which publication
        self.parts: list[bytes] = []  #: envelopes for the next frame; emptied, never replaced
        self.append: Append = self.parts.append  #: kept bound: it is called for every event
        self.total = 0  #: envelopes ever, up to the last frame
        self.lossless = 0  #: of these, lossless ones
        self.lag_ms = 0.0

    def wants(self, topic: str) -> bool:
        """Tell whether a topic is among those subscribed to and allowed."""
        if topic not in self.exact and not any(topics.matches(pattern, topic) for pattern in self.wild):
            return False
        return topics.may_read(self.role, topic)
