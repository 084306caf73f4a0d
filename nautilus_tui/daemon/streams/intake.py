"""What a client sent, taken a slice at a time, so that others have their turn in between.

A transport hands over up to a quarter of a megabyte at once: that can be forty thousand frames. A
client that talks faster than it may waits between its slices: what it sends stays in its socket.
This module must not know what the bytes mean.
"""

from __future__ import annotations

import asyncio
from typing import Protocol

#: Bytes that are parsed at once: some hundred of the smallest frames, a millisecond or so.
SLICE = 2048
#: How long one that talks too fast waits for its next slice, in seconds.
_PAUSE_S = 0.02


class Talker(Protocol):
    """Whose bytes come in slices."""

    def parse(self, data: bytes) -> None:
        """Act on the next bytes."""
        ...

    def over(self) -> bool:
        """Tell whether it talks faster than it may."""
        ...

    def stop_reading(self) -> None:
        """Let what comes wait in the socket."""
        ...

    def read_on(self) -> None:
        """Read again, if nothing else speaks against it."""
        ...


class Intake:
    """One client's bytes that have come and wait to be parsed."""

    __slots__ = ("_handle", "_rest", "_talker")

    def __init__(self, talker: Talker) -> None:
        self._talker = talker
        self._rest = b""
        self._handle: asyncio.Handle | None = None

    @property
    def waits(self) -> bool:
        """Tell whether there is more to come before anything new may be read."""
        return self._handle is not None

    def take(self, data: bytes) -> None:
        """Parse what came, now or in its turn."""
        if self._handle is not None:  # it was on its way when reading was stopped
            self._rest += data
            self._talker.stop_reading()
            return
        self._parse(data)

    def end(self) -> None:
        """Parse no more."""
        self._rest = b""
        if self._handle is not None:
            self._handle.cancel()
            self._handle = None

    def _parse(self, data: bytes) -> None:
        rest = data[SLICE:]
        self._talker.parse(data[:SLICE] if rest else data)
        over = self._talker.over()
        if not rest and not over:
            return
        self._rest = rest
        self._talker.stop_reading()
        loop = asyncio.get_running_loop()
        self._handle = loop.call_later(_PAUSE_S, self._go_on) if over else loop.call_soon(self._go_on)

    def _go_on(self) -> None:
        self._handle = None
        rest, self._rest = self._rest, b""
        if rest:
            self._parse(rest)
        if self._handle is None:
            self._talker.read_on()
