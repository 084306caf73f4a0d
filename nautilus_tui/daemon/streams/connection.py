"""One reader: who it is, what it reads, how far it is and what that has cost.

A connection is *ready* (gets every frame as it is made), *blocked* (the transport is full: the
client does not read fast enough) or *catching up* (no longer blocked, still behind). While it is
behind, nothing is stored for it: the hub remembers only how far it had got. This module must not
know of sockets or of the bus.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TYPE_CHECKING

from nautilus_tui.daemon.principal import Principal
from nautilus_tui.daemon.streams.states import GapReason
from nautilus_tui.daemon.streams.wire import Format

if TYPE_CHECKING:
    from nautilus_tui.daemon.streams.group import Group


class Connection:
    """State and counters of one reader. The hub is the only one to change them."""

    __slots__ = (
        "acked",
        "alive",
        "aside_index",
        "asked",
        "behind_since",
        "blocked",
        "close",
        "commands",
        "conflated",
        "covered",
        "dropped",
        "form",
        "frames",
        "group",
        "id",
        "mark_index",
        "mark_lossless",
        "mark_total",
        "missed",
        "on_the_way",
        "path",
        "patterns",
        "peer",
        "principal",
        "received",
        "sent",
        "sent_bytes",
        "torn",
        "ts_connected",
        "unsent",
        "write",
    )

    def __init__(
        self,
        connection_id: str,
        principal: Principal,
        form: Format,
        *,
        peer: str,
        path: str,
        write: Callable[[bytes], None],
        close: Callable[[int, str], None],
        unsent: Callable[[], int],
        on_the_way: Callable[[], int | None] = lambda: None,
    ) -> None:
        self.id = connection_id
        self.principal = principal
        self.form = form
        self.peer = peer
        self.path = path
        self.write = write
        self.close = close  #: (WebSocket close code, reason)
        self.unsent = unsent  #: bytes written that the kernel has not taken yet
        self.on_the_way = on_the_way  #: bytes it took that have not arrived; None: it does not say
        self.ts_connected = time.time_ns()
        self.patterns: frozenset[str] = frozenset()
        self.group: Group | None = None
        self.acked: dict[str, int] = {}
        # how it reads
        self.blocked = False
        self.behind_since: float | None = None  #: loop time; None: ready
        self.aside_index = 0  #: the last publication when it was set aside
        self.mark_index = 0  #: the last publication it was given, of those it missed in order
        self.covered: dict[str, int] = {}  #: topics given as snapshots while behind, and as of when
        self.torn: dict[str, tuple[int, GapReason]] | None = None  #: topics that lost events while behind
        self.mark_total = 0  #: its group's events at that moment
        self.mark_lossless = 0  #: its group's lossless events at that moment
        # whether it lives
        self.alive = True  #: heard of since the last heartbeat
        self.asked = False  #: the last heartbeat was sent to it: it was not blocked
        self.missed = 0  #: heartbeats in a row without a sign of life
        # counters
        self.sent = 0  #: events
        self.frames = 0
        self.sent_bytes = 0
        self.received = 0  #: messages
        self.conflated = 0  #: events skipped because a newer one of the same key was sent instead
        self.dropped = 0  #: lossless events it was disconnected for
        self.commands = 0  #: in flight

    @property
    def behind(self) -> bool:
        """Tell whether it has yet to be given something that others were given."""
        return self.behind_since is not None

    def queue(self) -> int:
        """Return how many lossless events wait for it."""
        if self.group is None or not self.behind:
            return 0
        return self.group.lossless - self.mark_lossless

    def restate(self, topic: str, after: int, reason: GapReason) -> None:
        """Note that events after ``after`` are missing from a topic, to be told when it can take more."""
        if self.torn is None:
            self.torn = {}
        self.torn.setdefault(topic, (after, reason))

    def send(self, frame: bytes, events: int = 0) -> None:
        """Write one frame and count it."""
        self.frames += 1
        self.sent += events
        self.sent_bytes += len(frame)
        self.write(frame)
