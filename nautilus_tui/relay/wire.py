"""What travels through Redis: envelopes of events as every msgpack client gets them, and topics' bases.

Everything under a prefix, of one life of what a daemon has written there:

| key | what |
|---|---|
| ``<prefix>:lease`` | who publishes; ends by itself |
| ``<prefix>:head`` | `Head`: which life is the present one, and the daemon's heartbeat |
| ``<prefix>:wanted`` | topics whose base a follower misses |
| ``<prefix>:<life>:bases`` | hash: topic → `Base` |
| ``<prefix>:<life>:tokens`` | the daemon's access tokens, hashed |
| ``<prefix>:<life>:lossless``, ``…:conflated`` | streams; an entry carries many events |

A life begins whenever everything is written anew: the daemon started, or Redis lost what it had.
This module must not know who writes or reads, or how.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, Literal

import msgspec

from data.access import TokenRow
from data.bus import Event, Key
from data.facts import Record
from data.records import AnyRecord
from nautilus_tui.daemon.streams.wire import MSGPACK

#: Of everything here; a follower that knows another one says so and follows nothing.
VERSION = 1
#: Names of the fields of a stream's entry: events, keys that are no more, tokens, and a life's end.
EVENTS, FORGOTTEN, TOKENS, ENDED = b"e", b"f", b"t", b"x"


class Told(msgspec.Struct, gc=False):
    """An event as its envelope tells it."""

    topic: str
    seq: int
    ts: int  #: publication time, UTC ns
    data: AnyRecord


class Base(msgspec.Struct, frozen=True, array_like=True):
    """Everything there is to know of a topic as of ``seq``: enough to go on from."""

    topic: str
    seq: int
    declared: bool  #: known to the bus; else it has a present state and never had an event
    records: tuple[AnyRecord, ...]  #: the present state of a lossless topic
    events: tuple[bytes, ...]  #: envelopes: a lossless topic's ring, a conflated one's latest per key


class Forgotten(msgspec.Struct, frozen=True, array_like=True):
    """Keys of a conflated topic that are no more, as of ``seq``."""

    topic: str
    keys: tuple[Key, ...]
    seq: int


class Head(msgspec.Struct, frozen=True, kw_only=True):
    """Which life is the present one."""

    wire: int  #: `VERSION`
    life: str
    epoch: str
    version: str  #: the daemon's
    state: Literal["publishing", "stopped"]
    ts: int  #: of the heartbeat, UTC ns


class Keys(msgspec.Struct, frozen=True):
    """The names of the keys under a prefix."""

    prefix: str

    @property
    def lease(self) -> str:
        """Who publishes."""
        return f"{self.prefix}:lease"

    @property
    def head(self) -> str:
        """Which life is the present one."""
        return f"{self.prefix}:head"

    @property
    def wanted(self) -> str:
        """Topics whose base a follower misses."""
        return f"{self.prefix}:wanted"

    def of(self, life: str) -> LifeKeys:
        """Return the keys of one life."""
        stem = f"{self.prefix}:{life}"
        return LifeKeys(f"{stem}:bases", f"{stem}:tokens", f"{stem}:lossless", f"{stem}:conflated")


class LifeKeys(msgspec.Struct, frozen=True):
    """The names of the keys of one life."""

    bases: str
    tokens: str
    lossless: str
    conflated: str

    def all(self) -> tuple[str, ...]:
        """Return all of them."""
        return (self.bases, self.tokens, self.lossless, self.conflated)


_encode = msgspec.msgpack.Encoder().encode
_told = msgspec.msgpack.Decoder(Told).decode
_base = msgspec.msgpack.Decoder(Base).decode
_head = msgspec.msgpack.Decoder(Head).decode
_batch = msgspec.msgpack.Decoder(list[bytes]).decode
_forgotten = msgspec.msgpack.Decoder(Forgotten).decode
_tokens = msgspec.msgpack.Decoder(list[TokenRow]).decode


def number(id_: bytes) -> int:
    """Return the number of a stream's entry."""
    return int(id_.partition(b"-")[2])


def before(number: int) -> bytes:
    """Return the id to read from so that the entry of this number comes first."""
    return b"1-%d" % (number - 1) if number else b"0-0"


def envelope(event: Event) -> bytes:
    """Return an event's envelope: the very bytes that msgpack clients of the daemon get."""
    return MSGPACK.event(event)


def read_envelope(raw: bytes) -> Told:
    """Return what an envelope tells; raises msgspec.DecodeError."""
    return _told(raw)


def pack(envelopes: Sequence[bytes]) -> bytes:
    """Return many envelopes as one value."""
    return _encode(envelopes)


def unpack(value: bytes) -> list[bytes]:
    """Return the envelopes of a value; raises msgspec.DecodeError."""
    return _batch(value)


def write(value: Base | Forgotten | Head | Iterable[TokenRow]) -> bytes:
    """Return anything else that is written as bytes."""
    return _encode(value)


def base(topic: str, seq: int, declared: bool, records: Iterable[Record], events: Iterable[Event]) -> bytes:
    """Return a topic's base as bytes."""
    parts: list[Any] = [topic, seq, declared, tuple(records), [MSGPACK.event(event) for event in events]]
    return _encode(parts)


def read_base(value: bytes) -> Base:
    """Return a base; raises msgspec.DecodeError."""
    return _base(value)


def read_head(value: bytes) -> Head:
    """Return a head; raises msgspec.DecodeError."""
    return _head(value)


def read_forgotten(value: bytes) -> Forgotten:
    """Return what was forgotten; raises msgspec.DecodeError."""
    return _forgotten(value)


def read_tokens(value: bytes) -> list[TokenRow]:
    """Return access tokens, hashed; raises msgspec.DecodeError."""
    return _tokens(value)
