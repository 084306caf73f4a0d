"""When clients are heard: those who arrive one after the other, those who talk not out of their turn.

A thousand upgrade requests that arrive at once are answered a few at a time, so that events go out in
between. What a client says is read a slice at a time. One who takes the daemon long, by what it says or by
how much, or that asks faster than it reads, waits for itself: what else it says stays in its socket, so
that it costs neither memory nor other readers' time. This module must not know what is said or done.
"""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import Callable, Sequence
from typing import Protocol

from nautilus_tui.daemon.streams.frames import Said

#: Bytes that are made frames of at once: some 170 of the smallest, a millisecond at most. A transport may
#: hand over a quarter of a megabyte.
SLICE = 1024
#: What takes less than this, in seconds of the processor, costs no wait …
_FREE_S = 0.0003
#: … and what takes longer makes those who take long wait this many times as long: together they have
#: at most a fifth …
_WAIT = 4.0
#: … unless so many come that one would wait longer than this, in seconds: then it is heard all the same.
_LONGEST_S = 1.0
#: How long arrivals are answered before everything else has its turn, in seconds.
_SLICE_S = 0.002


class Reception:
    """Answers arrivals in order, a slice of time at once, and shares time among those who take much."""

    def __init__(self) -> None:
        self._waiting: deque[Callable[[], None]] = deque()
        self._planned = False
        self._booked = 0.0  #: until when those who took long have had their share, loop time

    def enter(self, answer: Callable[[], None]) -> None:
        """Call ``answer`` when its turn comes, never before this returns."""
        self._waiting.append(answer)
        self._plan()

    def book(self, seconds: float, now: float) -> float:
        """Return the loop time at which one who took ``seconds`` may be heard again."""
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
                self._waiting.popleft()()
        finally:  # a fault with one arrival is the loop's to report; the others are answered
            self._plan()


class Speaker(Protocol):
    """Whose messages wait for their turn."""

    @property
    def transport(self) -> asyncio.Transport:
        """What they come from."""
        ...

    def blocked(self) -> bool:
        """Tell whether it is not to be heard; `Turns.resume` is called when it is again."""
        ...

    def reads(self) -> bool:
        """Tell whether it may be heard: it has read what it was sent, or nearly so."""
        ...

    def hurries(self) -> bool:
        """Tell whether it talks faster than it may."""
        ...

    def parse(self, data: bytes) -> Sequence[Said]:
        """Return what ends in the next bytes."""
        ...

    def hear(self, said: Said) -> None:
        """Act on what it said."""
        ...


class Turns:
    """What one client has sent and was not heard yet."""

    __slots__ = ("_at", "_due", "_frames", "_reception", "_speaker", "_timer", "_unparsed")

    def __init__(self, speaker: Speaker, reception: Reception) -> None:
        self._speaker = speaker
        self._reception = reception
        self._frames: deque[Said] | None = None  #: None: none
        self._unparsed = b""  #: from ``_at`` on
        self._at = 0
        self._due = 0.0  #: loop time
        self._timer: asyncio.TimerHandle | None = None

    def take(self, data: bytes) -> None:
        """Hear what came, now or in its turn; until then no more is read."""
        if self._waiting():  # it was on its way when reading was stopped
            self._unparsed, self._at = self._unparsed[self._at :] + data, 0
            return
        self._unparsed, self._at = data, 0
        self._listen()
        if self._waiting():
            self._speaker.transport.pause_reading()
            self._plan()

    def resume(self) -> None:
        """Go on reading because the client does: first what waits."""
        if self._waiting():
            self._plan()
        elif self._speaker.transport.is_closing():
            return
        elif self._speaker.reads():
            self._speaker.transport.resume_reading()
        else:
            self._plan()

    def end(self) -> None:
        """Hear no more."""
        self._frames, self._unparsed, self._at = None, b"", 0
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _waiting(self) -> bool:
        return self._frames is not None or self._unparsed != b""

    def _listen(self) -> None:
        """Hear one frame after the other while it is the client's turn.

        Who keeps to its rate pays only for what takes long by itself, who does not for everything.
        """
        begun = time.thread_time()
        while self._waiting() and self._left() <= 0 and self._speaker.reads():
            self._next()
            now = time.thread_time()
            if now - begun > _FREE_S:
                self._due = self._reception.book(now - begun, asyncio.get_running_loop().time())
                begun = now
            elif not self._speaker.hurries():
                begun = now

    def _next(self) -> None:
        """Hear a frame, or parse more of them if there is none."""
        if self._frames is None:
            data, self._at = self._unparsed[self._at : self._at + SLICE], self._at + SLICE
            if self._at >= len(self._unparsed):
                self._unparsed, self._at = b"", 0
            frames = self._speaker.parse(data)
            if frames:
                self._frames = deque(frames)
            return
        frame = self._frames.popleft()
        if not self._frames:
            self._frames = None
        self._speaker.hear(frame)

    def _left(self) -> float:
        return self._due - asyncio.get_running_loop().time() if self._due else 0.0

    def _plan(self) -> None:
        if self._timer is None and not self._speaker.blocked():
            self._timer = asyncio.get_running_loop().call_later(max(0.0, self._left()), self._go_on)

    def _go_on(self) -> None:
        self._timer = None
        try:
            self._listen()
        finally:  # a fault with one message is the loop's to report; the next is heard
            self.resume()
