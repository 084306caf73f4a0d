"""The link between an engine and whoever watches it: messages and framing on a unix socket.

A frame is a 4-byte big-endian length and one msgpack array of messages. Journalled records carry
their journal sequence number; the reader says after which it wants to hear and acknowledges what
it has stored. This module must not know what a message leads to.
"""

from __future__ import annotations

import asyncio
import struct
from collections.abc import Sequence

import msgspec

from data.commands import EngineCommand
from data.kill import EngineKill, KillOrder
from data.limits import GateBook, LimitEffect
from data.problems import ProblemDocument, UnavailableError
from data.records import (
    AccountUpdate,
    Bar,
    Book,
    EngineLog,
    EngineStatus,
    FeedProgress,
    Instrument,
    JournalRecord,
    OrderUpdate,
    PositionUpdate,
    Quote,
    Trade,
)
from engines.spec import EngineSpec

PROTOCOL_VERSION = 2
MAX_FRAME_BYTES = 64 * 1024 * 1024
HEARTBEAT_S = 1.0
#: Silence after which the other side is taken to hang.
DEAD_AFTER_S = 5.0

ConflatedRecord = Quote | Trade | Bar | Book | PositionUpdate | AccountUpdate | FeedProgress


class Message(msgspec.Struct, frozen=True, array_like=True, tag_field="m"):
    """Base of all link messages."""


class Hello(Message, frozen=True, tag="hello"):
    """Reader → engine, first: which protocol, and after which journal entry to begin."""

    version: int
    after_seq: int
    reader: str


class Welcome(Message, frozen=True, tag="welcome"):
    """Engine → reader, first: who this is and what it trades."""

    version: int
    spec: EngineSpec
    pid: int
    instruments: tuple[Instrument, ...]
    last_seq: int  #: newest journal entry
    status: EngineStatus
    logs: tuple[EngineLog, ...]


class Journalled(Message, frozen=True, tag="journalled"):
    """Engine → reader: records that are on disk, in order, without gaps."""

    records: tuple[JournalRecord, ...]


class Ack(Message, frozen=True, tag="ack"):
    """Reader → engine: everything up to ``seq`` is stored."""

    seq: int


class Conflated(Message, frozen=True, tag="conflated"):
    """Engine → reader: the latest of things of which only the latest matters."""

    records: tuple[ConflatedRecord, ...]


class Logs(Message, frozen=True, tag="logs"):
    """Engine → reader: log lines."""

    lines: tuple[EngineLog, ...]


class Heartbeat(Message, frozen=True, tag="heartbeat"):
    """Engine → reader, once a second: the engine's state as it sees it."""

    status: EngineStatus


class Request(Message, frozen=True, tag="request"):
    """Reader → engine: carry out a command."""

    id: str
    command: EngineCommand


class Reply(Message, frozen=True, tag="reply"):
    """Engine → reader: how a command ended; sent after its events are on disk."""

    command_id: str
    ok: bool
    orders: tuple[OrderUpdate, ...] = ()
    problem: ProblemDocument | None = None
    effects: tuple[LimitEffect, ...] = ()  #: of a preview


class SetLimits(Message, frozen=True, tag="set_limits"):
    """Daemon → engine: what the gate goes by from now on; a `Reply` says that it is on disk there."""

    id: str
    book: GateBook


class KillNow(Message, frozen=True, tag="kill_now"):
    """Anyone → engine: block at once, then do the rest; answered by `KillProgress`, first of it the block."""

    order: KillOrder


class Release(Message, frozen=True, tag="release"):
    """Anyone → engine: the latch on the disk is gone, judge orders again; answered by a `Reply`."""

    id: str


class KillProgress(Message, frozen=True, tag="kill_progress"):
    """Engine → reader: how far the kill switch has come here; sent at each step."""

    order_id: str
    progress: EngineKill


class Stop(Message, frozen=True, tag="stop"):
    """Reader → engine: stop gracefully; ``emergency`` cancels and flattens first."""

    reason: str
    emergency: bool = False


ToEngine = Hello | Ack | Request | SetLimits | KillNow | Release | Stop
FromEngine = Welcome | Journalled | Conflated | Logs | Heartbeat | Reply | KillProgress

_encoder = msgspec.msgpack.Encoder()
_to_engine = msgspec.msgpack.Decoder(tuple[ToEngine, ...])
_from_engine = msgspec.msgpack.Decoder(tuple[FromEngine, ...])
_LENGTH = struct.Struct(">I")


def encode(*messages: ToEngine | FromEngine) -> bytes:
    """Return one frame that carries the messages."""
    payload = _encoder.encode(messages)
    return _LENGTH.pack(len(payload)) + payload


async def read_to_engine(reader: asyncio.StreamReader) -> Sequence[ToEngine]:
    """Return the next frame's messages as the engine sees them.

    Raises
    ------
    asyncio.IncompleteReadError
        If the peer is gone.
    UnavailableError
        If the frame is malformed: the connection cannot go on.

    """
    return _decoded(_to_engine, await _read_frame(reader))


async def read_from_engine(reader: asyncio.StreamReader) -> Sequence[FromEngine]:
    """Return the next frame's messages as the engine's watcher sees them; raises as above."""
    return _decoded(_from_engine, await _read_frame(reader))


async def _read_frame(reader: asyncio.StreamReader) -> bytes:
    (length,) = _LENGTH.unpack(await reader.readexactly(_LENGTH.size))
    if length > MAX_FRAME_BYTES:
        raise UnavailableError(
            f"engine link: frame of {length} bytes", rule=f"a frame is at most {MAX_FRAME_BYTES} bytes"
        )
    return await reader.readexactly(length)


def _decoded[M](decoder: msgspec.msgpack.Decoder[tuple[M, ...]], payload: bytes) -> tuple[M, ...]:
    try:
        return decoder.decode(payload)
    except msgspec.MsgspecError as error:
        raise UnavailableError(f"engine link: malformed frame: {error}") from error
