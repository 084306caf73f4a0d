"""Encoding: events and messages to bytes, in JSON or msgpack, and bytes to WebSocket frames.

A server frame is always an array of envelopes. An event is encoded once per format, whoever reads
it: its encoding is kept on the event. This module must not know of connections or subscriptions.
"""

from __future__ import annotations

import struct
import time
from collections.abc import Iterator, Sequence
from functools import cache, lru_cache
from typing import Any, Literal, Protocol

import msgspec

from data.bus import Event
from data.facts import Record
from data.forms import iso, to_json_form

FormatName = Literal["json", "msgpack"]

_TEXT, _BINARY, _FINAL = 0x01, 0x02, 0x80
_json = msgspec.json.Encoder().encode
_msgpack = msgspec.msgpack.Encoder().encode


class _Envelope(msgspec.Struct, frozen=True):
    """What stands around an event, as one structure: encoded several times as fast as a dict."""

    v: int
    type: str
    topic: str
    seq: int
    ts: int
    id: None
    data: Record


class Format(Protocol):
    """One way to write envelopes."""

    name: FormatName
    subprotocol: str

    def event(self, event: Event) -> bytes:
        """Return an event's envelope; encoded on the first call, remembered after."""
        ...

    def message(
        self,
        type_: str,
        data: Any,
        *,
        id_: str | int | None = None,
        topic: str | None = None,
        seq: int | None = None,
    ) -> bytes:
        """Return the envelope of anything that is not a published event."""
        ...

    def frame(self, envelopes: Sequence[bytes]) -> bytes:
        """Return one WebSocket frame holding the array of these envelopes."""
        ...

    def decode(self, data: bytes) -> Any:
        """Return a client's message as plain data; raises msgspec.DecodeError."""
        ...


class JsonFormat:
    """Text frames; times as ISO 8601 with nanoseconds."""

    name: FormatName = "json"
    subprotocol = "nautilus.json"

    def event(self, event: Event) -> bytes:
        form = event.forms.get("json")
        if form is None:
            form = event.forms["json"] = b'%b%d,"ts":"%b","id":null,"data":%b}' % (
                _json_head(event.topic, type(event.record)),
                event.seq,
                iso(event.ts).encode(),
                _json(to_json_form(event.record)),
            )
        return form

    def message(
        self,
        type_: str,
        data: Any,
        *,
        id_: str | int | None = None,
        topic: str | None = None,
        seq: int | None = None,
    ) -> bytes:
        envelope = _envelope(type_, topic, seq, iso(time.time_ns()), id_, to_json_form(data))
        return _json(envelope)

    def frame(self, envelopes: Sequence[bytes]) -> bytes:
        size = sum(map(len, envelopes)) + len(envelopes) + 1
        return b"".join((_frame_head(_TEXT, size), b"[", b",".join(envelopes), b"]"))

    def decode(self, data: bytes) -> Any:
        return msgspec.json.decode(data)


class MsgpackFormat:
    """Binary frames; times as integers, UTC nanoseconds."""

    name: FormatName = "msgpack"
    subprotocol = "nautilus.msgpack"

    def event(self, event: Event) -> bytes:
        form = event.forms.get("msgpack")
        if form is None:
            form = event.forms["msgpack"] = _msgpack(
                _Envelope(1, tag_of(type(event.record)), event.topic, event.seq, event.ts, None, event.record)
            )
        return form

    def message(
        self,
        type_: str,
        data: Any,
        *,
        id_: str | int | None = None,
        topic: str | None = None,
        seq: int | None = None,
    ) -> bytes:
        return _msgpack(_envelope(type_, topic, seq, time.time_ns(), id_, data))

    def frame(self, envelopes: Sequence[bytes]) -> bytes:
        count = len(envelopes)
        if count < 16:
            head = bytes((0x90 | count,))
        elif count < 65_536:
            head = b"\xdc" + count.to_bytes(2)
        else:
            head = b"\xdd" + count.to_bytes(4)
        size = sum(map(len, envelopes)) + len(head)
        return b"".join((_frame_head(_BINARY, size), head, *envelopes))

    def decode(self, data: bytes) -> Any:
        return msgspec.msgpack.decode(data)


JSON = JsonFormat()
MSGPACK = MsgpackFormat()
FORMATS: tuple[Format, ...] = (JSON, MSGPACK)
#: Under our own names, which nobody else has, and plainly.
SUBPROTOCOLS: dict[str, Format] = {one.subprotocol: one for one in FORMATS} | {
    one.name: one for one in FORMATS
}


def frames(form: Format, envelopes: Sequence[bytes], limit: int) -> Iterator[tuple[bytes, int]]:
    """Yield the frames that carry ``envelopes``, each of at most ``limit`` bytes unless one envelope
    alone is larger, and how many envelopes each carries.
    """
    if not envelopes:
        return
    if sum(map(len, envelopes)) + len(envelopes) <= limit:
        yield form.frame(envelopes), len(envelopes)
        return
    held: list[bytes] = []
    size = 0
    for envelope in envelopes:
        if held and size + len(envelope) > limit:
            yield form.frame(held), len(held)
            held, size = [], 0
        held.append(envelope)
        size += len(envelope) + 1
    if held:
        yield form.frame(held), len(held)


@cache
def tag_of(cls: type[Record]) -> str:
    """Return a record's ``type`` on the wire."""
    return str(cls.__struct_config__.tag)


def _envelope(
    type_: str, topic: str | None, seq: int | None, ts: int | str, id_: str | int | None, data: Any
) -> dict[str, Any]:
    return {"v": 1, "type": type_, "topic": topic, "seq": seq, "ts": ts, "id": id_, "data": data}


def _frame_head(opcode: int, size: int) -> bytes:
    """Return the header of an unmasked, unfragmented frame (RFC 6455, 5.2)."""
    if size < 126:
        return struct.pack("!BB", _FINAL | opcode, size)
    if size < 65_536:
        return struct.pack("!BBH", _FINAL | opcode, 126, size)
    return struct.pack("!BBQ", _FINAL | opcode, 127, size)


@lru_cache(maxsize=16384)
def _json_head(topic: str, cls: type[Record]) -> bytes:
    return b'{"v":1,"type":%b,"topic":%b,"seq":' % (_json(tag_of(cls)), _json(topic))
