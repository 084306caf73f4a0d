"""The end of a connection whose client may still be sending: it must come to hear what was said last.

A socket that is closed while something lies in it unread answers with a reset, and a client whose sending
fails seldom reads on. So only our side is closed, and what the client still sends is thrown away, slowly
enough for others not to notice, until it ends too or its time is up. This module must not know of frames.
"""

from __future__ import annotations

import asyncio
import socket
import struct
from contextlib import suppress

#: What comes is taken at most so often, in seconds: with 256 kB at once, some 12 MB/s.
_PAUSE_S = 0.02
#: TLS cannot be closed on one side: a client that was silent for so long, in seconds, has heard the end.
_SILENT_S = 0.25
#: To close at once, with a reset: struct linger of socket(7), on for no seconds.
_AT_ONCE = struct.pack("ii", 1, 0)


def cut(transport: asyncio.Transport) -> None:
    """End a connection now, whatever its other end still has to read.

    A socket that is merely closed goes on to deliver what it holds. To a client that does not read that
    takes minutes, in which the kernel keeps some megabytes for it, and it is not told of the end.
    """
    sock = transport.get_extra_info("socket")
    if sock is not None and sock.family != socket.AF_UNIX and sock.fileno() >= 0:
        with suppress(OSError):  # as some systems have it of a socket whose other end is gone already
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _AT_ONCE)
    transport.abort()


class Parting:
    """One client that was told the last word.

    Args:
        transport: of the connection; everything was written to it.
        patience: how long the client may take to end, in seconds, before the connection is cut.
    """

    __slots__ = ("_came", "_reading", "_silence", "_timer", "_transport")

    def __init__(self, transport: asyncio.Transport, patience: float) -> None:
        self._transport = transport
        self._came = False  #: something, since it was last looked
        loop = asyncio.get_running_loop()
        self._timer = loop.call_later(patience, cut, transport)
        self._reading: asyncio.TimerHandle | None = None
        self._silence: asyncio.TimerHandle | None = None
        if transport.can_write_eof():
            transport.write_eof()
        else:
            self._silence = loop.call_later(_SILENT_S, self._look)
        transport.resume_reading()

    def came(self) -> None:
        """Throw away what came, and take more in a while."""
        self._came = True
        if self._reading is None:
            self._transport.pause_reading()
            self._reading = asyncio.get_running_loop().call_later(_PAUSE_S, self._read_on)

    def over(self) -> None:
        """Do no more: the connection is gone."""
        for timer in (self._timer, self._reading, self._silence):
            if timer is not None:
                timer.cancel()

    def _read_on(self) -> None:
        self._reading = None
        if not self._transport.is_closing():
            self._transport.resume_reading()

    def _look(self) -> None:
        if self._came:
            self._came = False
            self._silence = asyncio.get_running_loop().call_later(_SILENT_S, self._look)
        else:
            self._transport.close()
