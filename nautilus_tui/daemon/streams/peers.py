"""Who is at the other end of a transport, as the kernel vouches for it. Must not know of streams."""

from __future__ import annotations

import asyncio
import socket
import struct
from typing import NamedTuple

_CREDENTIALS = struct.Struct("3i")  # pid, uid, gid: struct ucred of unix(7)


class Peer(NamedTuple):
    """The other end of a connection."""

    uid: int | None  #: the user id of a unix socket's peer; None on TCP
    address: str  #: a TCP peer's address without its port, else empty
    secure: bool  #: whether the connection is encrypted
    name: str  #: where it is, for people: process and user, or address and port


def peer_of(transport: asyncio.Transport) -> Peer:
    """Return who is at the other end of a transport."""
    secure = transport.get_extra_info("sslcontext") is not None
    credentials = _credentials(transport)
    if credentials is not None:
        pid, uid = credentials
        return Peer(uid, "", secure, f"pid {pid}, uid {uid}")
    address = transport.get_extra_info("peername")
    if not address:  # gone already
        return Peer(None, "", secure, "")
    return Peer(None, str(address[0]), secure, f"{address[0]}:{address[1]}")


def uid_of(transport: asyncio.Transport) -> int | None:
    """Return the user id of a unix socket's peer; None on TCP."""
    credentials = _credentials(transport)
    return None if credentials is None else credentials[1]


def _credentials(transport: asyncio.Transport) -> tuple[int, int] | None:
    sock = transport.get_extra_info("socket")
    if sock is None or sock.family != socket.AF_UNIX:
        return None
    pid, uid, _ = _CREDENTIALS.unpack(
        sock.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, _CREDENTIALS.size)
    )
    return pid, uid
