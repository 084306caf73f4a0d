"""The other end of a stream bench: many WebSocket readers in one process, as cheap as Python allows.

Readers count frames and events by their headers alone (a frame is an array of events, or one event)
and take publication times out of the bytes when asked; nothing is decoded. Runs in its own process
so that its cost is not the server's. This module must not know which server it reads from.
"""

from __future__ import annotations

import asyncio
import re
import struct
import time
from array import array
from collections.abc import Sequence
from multiprocessing.connection import Connection as Pipe
from typing import ClassVar, cast

import msgspec
import uvloop

_KEY = "bmF1dGlsdXMtdHVpLWJuYw=="
_CONNECTS_AT_ONCE = 256
#: An envelope's publication time in msgpack; a record's own times are not followed by an id.
_PUBLISHED = re.compile(rb"\xa2ts\xcf(.{8})\xa2id\xc0", re.DOTALL)


class Tally:
    """What all readers of the process have seen since it was last cleared."""

    def __init__(self) -> None:
        self.clear()

    def clear(self) -> None:
        """Start to count anew."""
        self.events = 0
        self.frames = 0
        self.bytes = 0
        self.lags: array[int] = array("q")  # ns

    def percentiles(self) -> tuple[float, float]:
        """Return p50 and p99 of the ages of events when they were read, in ms."""
        if not self.lags:
            return (0.0, 0.0)
        ordered = sorted(self.lags)
        last = len(ordered) - 1
        return ordered[last // 2] / 1e6, ordered[int(last * 0.99)] / 1e6


class Reader(asyncio.BufferedProtocol):
    """One connection: upgrades, subscribes, then reads headers and skips the rest."""

    #: shared by all readers of the process: nothing that is read is kept
    buffer: ClassVar[bytearray] = bytearray(1 << 20)
    view: ClassVar[memoryview] = memoryview(buffer)

    __slots__ = ("_done", "_head", "_opening", "_skip", "_subscribe", "_tally", "_timed", "_transport")

    def __init__(self, tally: Tally, subscribe: bytes, done: asyncio.Future[None], *, timed: bool) -> None:
        self._tally = tally
        self._subscribe = subscribe
        self._done = done
        self._timed = timed
        self._opening: bytes | None = b""
        self._head = b""
        self._skip = 0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)  # uvloop's do not inherit from asyncio's
        self._transport.write(
            b"GET /ws HTTP/1.1\r\nHost: bench\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Protocol: nautilus.msgpack\r\n"
            b"Sec-WebSocket-Key: %b\r\nAuthorization: Bearer bench\r\n\r\n" % _KEY.encode()
        )

    def connection_lost(self, exc: Exception | None) -> None:
        if not self._done.done():
            self._done.set_exception(exc or ConnectionResetError("closed during the handshake"))

    def get_buffer(self, sizehint: int) -> bytearray:
        return self.buffer

    def buffer_updated(self, nbytes: int) -> None:
        tally = self._tally
        tally.bytes += nbytes
        start = 0
        if self._opening is not None:
            start = self._opened(bytes(self.view[:nbytes]))
            if start < 0:
                return
        if self._timed:
            self._time(start, nbytes)
        if self._head:
            data = self._head + bytes(self.view[start:nbytes])
            self._count(data, 0, len(data))
        elif self._skip >= nbytes - start:
            self._skip -= nbytes - start
        else:
            self._count(self.buffer, start + self._skip, nbytes)

    def _opened(self, data: bytes) -> int:
        """Read the server's answer to the upgrade; returns where frames begin, -1 for not yet."""
        assert self._opening is not None, "called while opening only"
        before = len(self._opening)
        self._opening += data
        end = self._opening.find(b"\r\n\r\n")
        if end < 0:
            return -1
        if b" 101 " not in self._opening[:40]:
            self._done.set_exception(ConnectionError(self._opening[:200].decode(errors="replace")))
            return -1
        self._opening = None
        if self._subscribe:
            self._transport.write(self._subscribe)
        if not self._done.done():
            self._done.set_result(None)
        return end + 4 - before

    def _count(self, data: bytes | bytearray, at: int, end: int) -> None:
        """Walk from header to header up to ``end``, counting frames and events."""
        tally = self._tally
        while at < end and _whole(data, at, end):
            length = data[at + 1]
            body = at + 2
            if length == 126:
                length = data[at + 2] << 8 | data[at + 3]
                body = at + 4
            elif length == 127:
                length = int.from_bytes(data[at + 2 : at + 10])
                body = at + 10
            tally.frames += 1
            tally.events += _events(data, body)
            at = body + length
        self._skip = max(0, at - end)
        self._head = bytes(data[at:end])

    def _time(self, start: int, end: int) -> None:
        """Note the age of every event whose publication time lies whole within what was read."""
        now = time.time_ns()
        self._tally.lags.extend(
            now - int.from_bytes(found[1]) for found in _PUBLISHED.finditer(self.view[start:end])
        )


def _whole(data: bytes | bytearray, at: int, end: int) -> bool:
    """Tell whether the header at ``at``, and the array header behind it, lie before ``end``."""
    left = end - at
    if left < 2:
        return False
    length = data[at + 1]
    header = 2 if length < 126 else 4 if length == 126 else 10
    return left >= header + min(5, length if length < 126 else 5)


def _events(data: bytes | bytearray, body: int) -> int:
    """Return how many events a frame's payload holds: an array's length, else one."""
    first = data[body]
    if first & 0xF0 == 0x90:
        return first & 0x0F
    if first == 0xDC:
        return data[body + 1] << 8 | data[body + 2]
    if first == 0xDD:
        return int.from_bytes(data[body + 1 : body + 5])
    return 1


def masked(message: object) -> bytes:
    """Return a client's frame, masked with zeros, of a message in msgpack."""
    payload = msgspec.msgpack.encode(message)
    size = len(payload)
    head = struct.pack("!BB", 0x82, 0x80 | size) if size < 126 else struct.pack("!BBH", 0x82, 0xFE, size)
    return head + b"\0\0\0\0" + payload


def main(pipe: Pipe, port: int, subscriptions: Sequence[Sequence[str]], timed: bool) -> None:
    """Connect one reader per subscription list, then answer ``clear``, ``tally`` and ``stop`` on the pipe."""
    uvloop.run(_main(pipe, port, subscriptions, timed))


async def _main(pipe: Pipe, port: int, subscriptions: Sequence[Sequence[str]], timed: bool) -> None:
    loop = asyncio.get_running_loop()
    tally = Tally()
    gate = asyncio.Semaphore(_CONNECTS_AT_ONCE)

    async def connect(topics: Sequence[str]) -> asyncio.BaseTransport:
        subscribe = masked({"type": "subscribe", "id": "1", "topics": list(topics)}) if topics else b""
        done = loop.create_future()
        async with gate:
            transport, _ = await loop.create_connection(
                lambda: Reader(tally, subscribe, done, timed=timed), "127.0.0.1", port
            )
            await done
        return transport

    started = time.perf_counter()
    transports = await asyncio.gather(*(connect(topics) for topics in subscriptions))
    pipe.send(("connected", time.perf_counter() - started))
    asked = asyncio.Event()
    loop.add_reader(pipe.fileno(), asked.set)
    while True:
        await asked.wait()
        asked.clear()
        while pipe.poll():
            question = pipe.recv()
            if question == "stop":
                for transport in transports:
                    cast(asyncio.Transport, transport).abort()
                return
            pipe.send((tally.events, tally.frames, tally.bytes, *tally.percentiles()))
            if question == "clear":
                tally.clear()
