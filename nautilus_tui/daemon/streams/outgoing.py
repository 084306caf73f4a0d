"""What the operating system holds of what was written to a client. Must not know what that is."""

from __future__ import annotations

import asyncio
import socket
import sys


def held_by_system(transport: asyncio.BaseTransport) -> int | None:
    """Return the bytes handed to the operating system that the client's has not acknowledged; None where
    it does not say: elsewhere than on Linux, and of unix sockets.
    """
    if sys.platform != "linux":
        return None
    import fcntl
    import termios

    sock = transport.get_extra_info("socket")
    if sock is None or sock.family not in (socket.AF_INET, socket.AF_INET6):
        return None
    try:
        answer = fcntl.ioctl(sock.fileno(), termios.TIOCOUTQ, bytes(4))
    except (OSError, ValueError):  # it is closed, and the connection is about to hear of it
        return None
    return int.from_bytes(answer, sys.byteorder)
