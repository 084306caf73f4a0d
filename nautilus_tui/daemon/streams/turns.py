"""When the next message of a client is heard: not while it does not read, and not out of its turn.

What a client asks for may be much: hundreds of topics, each with its state. A client that asks faster
than it reads, or whose messages take the daemon long, waits for itself: what it says stays unread in
the socket, so that it costs neither memory nor other readers' time. This module must not know what is
said or done.
"""

from __future__ import annotations

from collections import deque

from websockets.frames import Frame

#: Carrying out a message that takes less than this, in seconds, costs the next no wait …
FREE_S = 0.001
#: … and one that takes longer makes it wait this many times as long, so that a client has at most a fifth.
WAIT = 4.0


class Turns:
    """One client's messages that have come and wait to be heard."""

    __slots__ = ("_due", "held")

    def __init__(self) -> None:
        self.held: deque[Frame] = deque()
        self._due = 0.0  #: loop time

    def spent(self, seconds: float, now: float) -> None:
        """Note that a message took ``seconds`` to carry out, up to the loop time ``now``."""
        if seconds > FREE_S:
            self._due = now + WAIT * seconds

    def left(self, now: float) -> float:
        """Return the seconds until the next message may be heard."""
        return max(0.0, self._due - now)
