"""Guests of a stream server that behave badly, each kind in a process of its own that yields to others.

This module must not know what their host does about it.
"""

from __future__ import annotations

import asyncio
import os
import socket
import struct
from collections.abc import Awaitable, Callable, Iterable
from contextlib import suppress
from itertools import count, cycle, repeat
from multiprocessing.connection import Connection as Pipe
from typing import Literal

import uvloop

from nautilus_tui.bench.load import masked, upgrade

Guest = Literal[
    "good", "stalled", "dripping", "subscribing", "chattering", "talking nonsense", "coming and going"
]

CONNECTS = 10_000
_AT_ONCE = 64
_SMALL = 4096  #: bytes of a reader's own buffer that does not read
_PINGS = b"\x89\x80\0\0\0\0" * 10_000
_NONSENSE = (
    b"\x81\x03abc",  # not masked
    b"\x83\x80\0\0\0\0",  # reserved opcode
    b"\xf1\x80\0\0\0\0",  # reserved bits
    b"\x80\x80\0\0\0\0",  # continues nothing
    b"\x82\xff" + struct.pack("!Q", 1 << 40) + b"\0\0\0\0",  # a terabyte is announced
    b"\x82\xff" + struct.pack("!Q", 70_000) + b"\0\0\0\0" + b"x" * 70_000,  # too long, and sent
)


def main(pipe: Pipe, port: int, guest: Guest) -> None:
    """Say ``here`` once connected, misbehave until told ``stop``; ``count`` asks how often it did."""
    os.nice(10)  # the machine's cores are for the server and those who read
    uvloop.run(_main(pipe, port, guest))


class _Deeds:
    def __init__(self) -> None:
        self.count = 0
        self.here = asyncio.Event()


async def _main(pipe: Pipe, port: int, guest: Guest) -> None:
    kinds: dict[Guest, Callable[[int, _Deeds], Awaitable[None]]] = {
        "good": _good,
        "stalled": _stalled,
        "dripping": _dripping,
        "subscribing": _subscribing,
        "chattering": _chattering,
        "talking nonsense": _talking_nonsense,
        "coming and going": _coming_and_going,
    }
    deeds = _Deeds()
    task = asyncio.ensure_future(kinds[guest](port, deeds))
    await asyncio.wait((task, asyncio.ensure_future(deeds.here.wait())), return_when="FIRST_COMPLETED")
    pipe.send("here")
    asked = asyncio.Event()
    asyncio.get_running_loop().add_reader(pipe.fileno(), asked.set)
    while True:
        await asked.wait()
        asked.clear()
        while pipe.poll():
            if pipe.recv() == "stop":
                task.cancel()
                with suppress(asyncio.CancelledError):
                    await task
                return
            pipe.send((deeds.count, task.done()))


async def _enter(port: int, *topics: str, small: bool = False) -> socket.socket:
    """Return a socket that was upgraded and has subscribed; nothing else is read."""
    loop = asyncio.get_running_loop()
    sock = socket.socket()
    sock.setblocking(False)
    if small:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, _SMALL)
    await loop.sock_connect(sock, ("127.0.0.1", port))
    await loop.sock_sendall(sock, upgrade())
    head = b""
    while b"\r\n\r\n" not in head:
        piece = await loop.sock_recv(sock, 1 if small else 4096)
        if not piece:
            raise ConnectionResetError("closed during the handshake")
        head += piece
    if topics:
        await loop.sock_sendall(sock, masked({"type": "subscribe", "id": "0", "topics": list(topics)}))
    return sock


async def _good(port: int, deeds: _Deeds) -> None:
    """Read everything, as fast as it comes."""
    sock = await _enter(port, "trades.>")
    deeds.here.set()
    while await asyncio.get_running_loop().sock_recv(sock, 1 << 16):
        deeds.count += 1


async def _stalled(port: int, deeds: _Deeds) -> None:
    """Subscribe, then never read."""
    sock = await _enter(port, "trades.>", small=True)
    deeds.here.set()
    deeds.count = 1
    await asyncio.Event().wait()
    sock.close()


async def _dripping(port: int, deeds: _Deeds) -> None:
    """Read one byte a second."""
    sock = await _enter(port, "trades.>", small=True)
    deeds.here.set()
    while await asyncio.get_running_loop().sock_recv(sock, 1):
        deeds.count += 1
        await asyncio.sleep(1.0)


async def _subscribing(port: int, deeds: _Deeds) -> None:
    """Change subscriptions without end: some within the rate, one far beyond it."""
    await asyncio.gather(*(_changing(port, deeds, 1 / 45) for _ in range(8)), _changing(port, deeds, 0.0))


async def _changing(port: int, deeds: _Deeds, pause_s: float) -> None:
    names = [f"quotes.*.X{n}" for n in range(200)] + [">"]
    while True:
        messages = zip(count(1), cycle(("subscribe", "unsubscribe")))
        changes = (masked({"type": kind, "id": id_, "topics": names}) for id_, kind in messages)
        await _talk(port, deeds, changes, pause_s)


async def _chattering(port: int, deeds: _Deeds) -> None:
    """Send ten thousand of the smallest frames at once, and come again when hung up on."""

    async def chatter() -> None:
        while True:
            await _talk(port, deeds, repeat(_PINGS), 0.0)

    await asyncio.gather(*(chatter() for _ in range(8)))


async def _talk(port: int, deeds: _Deeds, what: Iterable[bytes], pause_s: float) -> None:
    """Send one thing after the other, whatever is answered, until hung up on."""
    loop = asyncio.get_running_loop()
    sock = await _enter(port)
    deeds.here.set()
    reading = asyncio.ensure_future(_drain(sock))
    with suppress(OSError):
        for one in what:
            if reading.done():
                break
            await loop.sock_sendall(sock, one)
            deeds.count += 1
            await asyncio.sleep(pause_s)
    reading.cancel()
    sock.close()


async def _drain(sock: socket.socket) -> None:
    with suppress(OSError):
        while await asyncio.get_running_loop().sock_recv(sock, 1 << 18):
            pass


async def _talking_nonsense(port: int, deeds: _Deeds) -> None:
    """Send frames that are no frames, are told so and hung up on, and come again."""
    await asyncio.gather(*(_nonsense(port, deeds) for _ in range(8)))


async def _nonsense(port: int, deeds: _Deeds) -> None:
    for frame in cycle(_NONSENSE):
        sock = await _enter(port)
        deeds.here.set()
        with suppress(OSError):
            await asyncio.get_running_loop().sock_sendall(sock, frame)
        await _drain(sock)
        sock.close()
        deeds.count += 1


async def _coming_and_going(port: int, deeds: _Deeds) -> None:
    """Connect, subscribe and vanish, ten thousand times, many at once."""
    deeds.here.set()

    async def visits() -> None:
        while deeds.count < CONNECTS:
            deeds.count += 1
            sock = await _enter(port, "trades.>")
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))  # a reset
            sock.close()

    await asyncio.gather(*(visits() for _ in range(_AT_ONCE)))
