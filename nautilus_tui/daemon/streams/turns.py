"""When clients are heard: those who arrive one after the other, those who talk not out of their turn.

A thousand upgrade requests that arrive at once are answered a few at a time, so that events go out in
between. A client whose messages take the daemon long, or that asks faster than it reads, waits for
itself: what it says stays unread in the socket, so that it costs neither memory nor other readers' time.
This module must not know what is said or done.
"""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import Callable
from typing import Protocol

from websockets.frames import Frame

#: Carrying out a message that takes less than this, in seconds of the processor, costs no wait …
_FREE_S = 0.0003
#: … and one that takes longer makes those who take long wait this many times as long: together they have
#: at most a fifth …
_WAIT = 4.0
#: … unless so many come that one would wait longer than this, in seconds: then it is heard all the same.
_LONGEST_S = 1.0
#: How long arrivals are answered before everything else has its turn, in seconds.
_SLICE_S = 0.002


class Reception:
    """Answers arrivals in order, a slice of time at once, and shares time among those who take much."""

    def __init__(self) -> None:
        self._waiting: deque[tuple[Callable[[bytes], None], bytes]] = deque()
        self._planned = False
        self._booked = 0.0  #: until when those who took long have had their share, loop time

    def enter(self, answer: Callable[[bytes], None], request: bytes) -> None:
        """Call ``answer`` with a request when its turn comes, never before this returns."""
        self._waiting.append((answer, request))
        self._plan()

    def book(self, seconds: float, now: float) -> float:
        """Return the loop time at which one whose message took ``seconds`` may be heard again."""
        self._booked = min(max(self._booked, now) + _WAIT * seconds, now + _LONGEST_S)
        return self._booked

    def _plan(self) -> None:
        if self._waiting and not self._planned:
            self._planned = True
            asyncio.get_running_loop().call_soon(self._answer)

    def _answer(self) -> None:
        self._planned = False
        until = time.perf_counter() + _SLICE_S
        try:
            while self._waiting and time.perf_counter() < until:
                answer, request = self._waiting.popleft()
                answer(request)
        finally:  # a fault with one arrival is the loop's to report; the others are answered
            self._plan()


class Speaker(Protocol):
    """Whose messages wait for their turn."""

    @property
    def transport(self) -> asyncio.Transport:
        """What they come from."""
        ...

    def blocked(self) -> bool:
        """Tell whether it does not read; `Turns.resume` is called when it does again."""
        ...

    def reads(self) -> bool:
        """Tell whether it has read what it was sent, or nearly so."""
        ...

    def hear(self, frame: Frame) -> None:
        """Act on what it said."""
        ...


class Turns:
    """One client's messages that have come and wait to be heard."""

    __slots__ = ("_due", "_held", "_reception", "_speaker", "_timer")

    def __init__(self, speaker: Speaker, reception: Reception) -> None:
        self._speaker = speaker
        self._reception = reception
        self._held: deque[Frame] | None = None
        self._due = 0.0  #: loop time
        self._timer: asyncio.TimerHandle | None = None

    def spent(self, seconds: float) -> None:
        """Note that a message took ``seconds`` of the processor to carry out."""
        if seconds > _FREE_S:
            self._due = self._reception.book(seconds, asyncio.get_running_loop().time())

    def take(self, frame: Frame) -> None:
        """Hear a frame now, or in its turn; until then no more is read."""
        if self._held is None and self._left() <= 0 and self._speaker.reads():
            self._speaker.hear(frame)
            return
        if self._held is None:
            self._held = deque()
            self._speaker.transport.pause_reading()
            self._plan()
        self._held.append(frame)

    def resume(self) -> None:
        """Go on reading because the client does: first what is held."""
        if self._held is None:
            self._speaker.transport.resume_reading()
        else:
            self._plan()

    def end(self) -> None:
        """Hear no more."""
        self._held = None
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _left(self) -> float:
        return self._due - asyncio.get_running_loop().time() if self._due else 0.0

    def _plan(self) -> None:
        if self._timer is None and not self._speaker.blocked():
            self._timer = asyncio.get_running_loop().call_later(max(0.0, self._left()), self._go_on)

    def _go_on(self) -> None:
        self._timer = None
        while self._held and self._left() <= 0 and self._speaker.reads():
            self._speaker.hear(self._held.popleft())
        if self._held:
            self._plan()
        elif self._held is not None:
            self._held = None
            if not self._speaker.blocked():
                self._speaker.transport.resume_reading()
