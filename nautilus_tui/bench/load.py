"""The other end of a stream bench: many WebSocket readers in one process, as cheap as Python allows.

Readers count events without decoding them: by the headers of msgpack arrays, or by the braces of JSON
text, once for all readers who are sent the same frame. Asked to, they take publication times out of the
bytes, or read topic and number of every event and note what is missing or came twice. Runs in its own
process so that its cost is not the server's. This module must not know which server it reads from.
"""

from __future__ import annotations

import asyncio
import re
import struct
import time
from array import array
from collections.abc import Sequence
from multiprocessing.connection import Connection as Pipe
from typing import ClassVar, Literal, cast

import msgspec
import uvloop

FormName = Literal["json", "msgpack"]
Watch = Literal["count", "times", "numbers"]

_KEY = "bmF1dGlsdXMtdHVpLWJuYw=="
_CONNECTS_AT_ONCE = 256
#: An envelope's publication time in msgpack; a record's own times are not followed by an id.
_PUBLISHED = re.compile(rb"\xa2ts\xcf(.{8})\xa2id\xc0", re.DOTALL)
#: An envelope of a flat record, in JSON, has this many braces that open: its own and its record's.
_BRACES = 2
#: How much of an array's first event, in JSON, says which one it is: with topic, number and time.
_FIRST = 160
#: Frames whose braces are remembered: those that are on their way to some readers yet.
_REMEMBERED = 256


Frame = tuple[bytes, int, bytes]


class Plan(msgspec.Struct, frozen=True):
    """Who reads what: one reader for each list of topics."""

    topics: tuple[tuple[str, ...], ...]
    form: FormName = "msgpack"
    watch: Watch = "count"


class Seen(msgspec.Struct, frozen=True):
    """What all readers of a process have seen since they were last told ``clear``."""

    events: int
    frames: int
    bytes: int
    lags_ms: tuple[float, float]  #: p50, p99 of the ages of events when they were read
    lost: int  #: numbers that a topic skipped
    twice: int  #: numbers that came again
    closed: int  #: readers whose connection has ended


class Head(msgspec.Struct, frozen=True):
    """What an envelope says of itself."""

    type: str
    topic: str | None
    seq: int | None
    ts: int | str  #: publication, UTC ns in msgpack


_HEADS = {
    "json": msgspec.json.Decoder(list[Head]).decode,
    "msgpack": msgspec.msgpack.Decoder(list[Head]).decode,
}


class Tally:
    """What is counted by all readers together."""

    def __init__(self) -> None:
        self.closed = 0
        #: Braces of frames of JSON by what was subscribed to, how long they are and how they begin: readers
        #: of the same topics are sent the same frames.
        self.counted: dict[Frame, int] = {}
        self.clear()

    def remember(self, frame: Frame, braces: int) -> None:
        """Let other readers know how many braces a frame has."""
        if len(self.counted) >= _REMEMBERED:
            self.counted.clear()
        self.counted[frame] = braces

    def clear(self) -> None:
        """Start to count anew."""
        self.events = 0
        self.braces = 0
        self.frames = 0
        self.bytes = 0
        self.lost = 0
        self.twice = 0
        self.lags: array[int] = array("q")  # ns

    def seen(self) -> Seen:
        """Return it as it stands."""
        return Seen(
            self.events + self.braces // _BRACES,
            self.frames,
            self.bytes,
            self._percentiles(),
            self.lost,
            self.twice,
            self.closed,
        )

    def _percentiles(self) -> tuple[float, float]:
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

    __slots__ = (
        "_braces",
        "_done",
        "_form",
        "_frame",
        "_head",
        "_opening",
        "_skip",
        "_subscribe",
        "_tally",
        "_transport",
    )

    def __init__(
        self, tally: Tally, subscribe: bytes, done: asyncio.Future[None], form: FormName = "msgpack"
    ) -> None:
        self._tally = tally
        self._subscribe = subscribe
        self._done = done
        self._form = form
        self._opening: bytes | None = b""
        self._head = b""
        self._skip = 0
        self._frame: Frame | None = None  #: whose braces are being counted
        self._braces = 0  #: so far

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)  # uvloop's do not inherit from asyncio's
        self._transport.write(upgrade(self._form))

    def connection_lost(self, exc: Exception | None) -> None:
        if not self._done.done():
            self._done.set_exception(exc or ConnectionResetError("closed during the handshake"))
        else:
            self._tally.closed += 1

    def get_buffer(self, sizehint: int) -> bytearray:
        return self.buffer

    def buffer_updated(self, nbytes: int) -> None:
        self._tally.bytes += nbytes
        start = 0
        if self._opening is not None:
            start = self._opened(bytes(self.view[:nbytes]))
            if start < 0:
                return
        self._read(start, nbytes)

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

    def _read(self, start: int, end: int) -> None:
        """Count what lies in the buffer from ``start`` to ``end``."""
        if self._head:
            data = self._head + bytes(self.view[start:end])
            self._count(data, 0, len(data))
        else:
            rest = min(self._skip, end - start)
            self._skip -= rest
            self._payload(self.buffer, start, start + rest)
            self._count(self.buffer, start + rest, end)

    def _count(self, data: bytes | bytearray, at: int, end: int) -> None:
        """Walk from header to header up to ``end``, counting frames and events."""
        tally = self._tally
        first = 5 if self._form == "msgpack" else _FIRST
        while at < end and _whole(data, at, end, first):
            length, body = _length(data, at)
            tally.frames += 1
            at = body + length
            self._skip = max(0, at - end)
            if self._form == "msgpack":
                tally.events += _events(data, body)
            else:
                self._text(data, body, min(at, end), length)
        self._head = bytes(data[at:end])

    def _text(self, data: bytes | bytearray, start: int, end: int, length: int) -> None:
        """Begin to count a frame of JSON, unless another reader has counted the same."""
        frame = (self._subscribe, length, bytes(data[start : min(start + _FIRST, start + length)]))
        braces = self._tally.counted.get(frame)
        if braces is not None:
            self._tally.braces += braces
            return
        self._frame, self._braces = frame, 0
        self._payload(data, start, end)

    def _payload(self, data: bytes | bytearray, start: int, end: int) -> None:
        """Count the events of JSON text by their braces, wherever it is cut."""
        if self._frame is None:
            return
        braces = data.count(b"{", start, end)
        self._tally.braces += braces
        self._braces += braces
        if not self._skip:
            self._tally.remember(self._frame, self._braces)
            self._frame = None


class TimedReader(Reader):
    """Notes the age of events as well; msgpack only."""

    __slots__ = ()

    def _read(self, start: int, end: int) -> None:
        """Note the age of every event whose publication time lies whole within what was read."""
        now = time.time_ns()
        self._tally.lags.extend(
            now - int.from_bytes(found[1]) for found in _PUBLISHED.finditer(self.view[start:end])
        )
        super()._read(start, end)


class NumberedReader(Reader):
    """Reads topic and number of every event, and notes what a topic skips and what comes twice; and, in
    msgpack, the age of each.
    """

    __slots__ = ("_rest", "_seqs")

    def __init__(
        self, tally: Tally, subscribe: bytes, done: asyncio.Future[None], form: FormName = "msgpack"
    ) -> None:
        super().__init__(tally, subscribe, done, form)
        self._rest = b""
        self._seqs: dict[str, int] = {}

    def _read(self, start: int, end: int) -> None:
        data = self._rest + bytes(self.view[start:end])
        at = 0
        while _whole(data, at, len(data)):
            length, body = _length(data, at)
            if body + length > len(data):
                break
            self._tally.frames += 1
            if data[at] & 0x0F in (0x01, 0x02):  # text or binary
                self._note(data[body : body + length])
            at = body + length
        self._rest = data[at:]

    def _note(self, payload: bytes) -> None:
        tally, now = self._tally, time.time_ns()
        for head in _HEADS[self._form](payload):
            if head.topic is None or head.seq is None or head.type == "gap":
                continue
            before = self._seqs.get(head.topic, 0)
            self._seqs[head.topic] = head.seq
            if head.type == "snapshot":
                continue
            tally.events += 1
            tally.lost += max(0, head.seq - before - 1)
            tally.twice += head.seq <= before
            if isinstance(head.ts, int):
                tally.lags.append(now - head.ts)


READERS: dict[Watch, type[Reader]] = {"count": Reader, "times": TimedReader, "numbers": NumberedReader}


def _whole(data: bytes | bytearray, at: int, end: int, first: int = 5) -> bool:
    """Tell whether the header at ``at``, and the ``first`` bytes behind it (a msgpack array's header), lie
    before ``end``.
    """
    left = end - at
    if left < 2:
        return False
    length = data[at + 1]
    header = 2 if length < 126 else 4 if length == 126 else 10
    if length >= 126 and first > 126:
        if left < header:
            return False
        length = _length(data, at)[0]
    return left >= header + min(first, length)


def _length(data: bytes | bytearray, at: int) -> tuple[int, int]:
    """Return the length of the payload of the frame at ``at``, and where it begins."""
    length = data[at + 1]
    if length == 126:
        return data[at + 2] << 8 | data[at + 3], at + 4
    if length == 127:
        return int.from_bytes(data[at + 2 : at + 10]), at + 10
    return length, at + 2


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


def upgrade(form: FormName = "msgpack") -> bytes:
    """Return a client's request for a WebSocket."""
    return (
        b"GET /ws HTTP/1.1\r\nHost: 127.0.0.1\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Protocol: nautilus.%b\r\n"
        b"Sec-WebSocket-Key: %b\r\nAuthorization: Bearer bench\r\n\r\n" % (form.encode(), _KEY.encode())
    )


def masked(message: object, form: FormName = "msgpack") -> bytes:
    """Return a client's frame, masked with zeros, of a message."""
    payload = msgspec.msgpack.encode(message) if form == "msgpack" else msgspec.json.encode(message)
    size, opcode = len(payload), 0x82 if form == "msgpack" else 0x81
    length = struct.pack("!B", 0x80 | size) if size < 126 else struct.pack("!BH", 0xFE, size)
    head = bytes((opcode,)) + length
    return head + b"\0\0\0\0" + payload


def main(pipe: Pipe, port: int, plan: Plan) -> None:
    """Connect a plan's readers, then answer ``clear``, ``tally`` and ``stop`` on the pipe."""
    uvloop.run(_main(pipe, port, plan))


async def _main(pipe: Pipe, port: int, plan: Plan) -> None:
    loop = asyncio.get_running_loop()
    tally = Tally()
    gate = asyncio.Semaphore(_CONNECTS_AT_ONCE)
    kind = READERS[plan.watch]

    async def connect(topics: Sequence[str]) -> asyncio.BaseTransport:
        subscribe = b""
        if topics:
            subscribe = masked({"type": "subscribe", "id": "1", "topics": list(topics)}, plan.form)
        done = loop.create_future()
        async with gate:
            transport, _ = await loop.create_connection(
                lambda: kind(tally, subscribe, done, plan.form), "127.0.0.1", port
            )
            await done
        return transport

    started = time.perf_counter()
    transports = await asyncio.gather(*(connect(topics) for topics in plan.topics))
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
            pipe.send(tally.seen())
            if question == "clear":
                tally.clear()
