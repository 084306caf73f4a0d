"""Who is at the other end of a transport, as the kernel vouches for it. Must not know of streams."""

from __future__ import annotations

import asyncio
import socket
import struct

_CREDENTIALS = struct.Struct("3i")  # pid, uid, gid: struct ucred of unix(7)


def uid_of(transport: asyncio.Transport) -> int | None:
    """Return the user id of a unix socket's peer; None on TCP."""
    credentials = _credentials(transport)
    return None if credentials is None else credentials[1]


def name_of(transport: asyncio.Transport) -> str:
    """Return where a peer is: process and user, or address and port."""
    credentials = _credentials(transport)
    if credentials is not None:
        return f"pid {credentials[0]}, uid {credentials[1]}"
    address = transport.get_extra_info("peername")
    return f"{address[0]}:{address[1]}" if address else ""


def _credentials(transport: asyncio.Transport) -> tuple[int, int, int] | None:
    sock = transport.get_extra_info("socket")
    if sock is None or sock.family != socket.AF_UNIX:
        return None
    pid, uid, gid = _CREDENTIALS.unpack(
        sock.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, _CREDENTIALS.size)
    )
    return pid, uid, gid
