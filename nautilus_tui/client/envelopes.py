"""The envelopes a stream carries, decoded straight into records.

``{"v":1,"type":…,"topic":…,"seq":…,"ts":…,"id":…,"data":{…}}``; a frame is an array of them. One
msgpack call decodes a whole frame, because a terminal must not spend its core on unpacking. This
module must not know of connections.
"""

from __future__ import annotations

from typing import Any, cast

import msgspec

from data.access import OrderAuthority
from data.companies import Filing
from data.facts import ProviderHealth
from data.kill import KillStatus
from data.limits import Alert, Breach, BreachForecast, LimitStatus
from data.macro import MacroFactor, MacroRegime
from data.records import (
    AccountUpdate,
    AnyRecord,
    AuditEntry,
    Bar,
    Book,
    Broadcast,
    EngineLog,
    EngineStatus,
    FeedProgress,
    Fill,
    OrderUpdate,
    PositionUpdate,
    Quote,
    SystemHealth,
    Trade,
)
from data.work import BackfillProgress, BacktestProgress, StrategyUpdate
from nautilus_tui.client.problems import WireError


class Snapshot(msgspec.Struct, frozen=True):
    """The state of a topic before its first delta."""

    records: tuple[AnyRecord, ...] = ()


class Envelope(msgspec.Struct, frozen=True, kw_only=True):
    """One event. ``data`` is a record, a ``Snapshot``, or plain values for protocol messages."""

    type: str
    topic: str  #: empty on messages of the protocol itself
    seq: int
    ts: int
    id: str | None
    data: Any


class _Wire(msgspec.Struct, frozen=True, kw_only=True, tag_field="type"):
    v: int = 1
    topic: str | None = None
    seq: int | None = None
    ts: int = 0
    id: str | int | None = None


_RECORDS: dict[str, Any] = {
    "quote": Quote,
    "trade": Trade,
    "bar": Bar,
    "book": Book,
    "order_update": OrderUpdate,
    "fill": Fill,
    "position_update": PositionUpdate,
    "account_update": AccountUpdate,
    "engine_status": EngineStatus,
    "engine_log": EngineLog,
    "feed_progress": FeedProgress,
    "system_health": SystemHealth,
    "audit": AuditEntry,
    "broadcast": Broadcast,
    "macro_update": MacroFactor,
    "macro_regime": MacroRegime,
    "filing": Filing,
    "provider_health": ProviderHealth,
    "risk_limit": LimitStatus,
    "breach_alert": Breach,
    "alert": Alert,
    "risk_forecast": BreachForecast,
    "kill_status": KillStatus,
    "order_authority": OrderAuthority,
    "backfill_progress": BackfillProgress,
    "backtest_progress": BacktestProgress,
    "strategy_update": StrategyUpdate,
    "snapshot": Snapshot,
}
_MESSAGES = (
    "connection_established",
    "subscription_confirmed",
    "subscription_error",
    "heartbeat",
    "error",
    "command_response",
    "gap",
)


def _wire_type(tag: str, data: Any) -> type[_Wire]:
    return cast(
        type[_Wire],
        msgspec.defstruct(
            f"Wire_{tag}", [("data", data)], bases=(_Wire,), tag=tag, frozen=True, kw_only=True
        ),
    )


_KNOWN: tuple[type[_Wire], ...] = (
    *(_wire_type(tag, record) for tag, record in _RECORDS.items()),
    *(_wire_type(tag, Any) for tag in _MESSAGES),
)
_union: Any = _KNOWN[0]
for _known in _KNOWN[1:]:
    _union = _union | _known
_decode_known = msgspec.msgpack.Decoder(list[_union]).decode


class _Plain(msgspec.Struct, frozen=True):
    """Any envelope: used one by one when a frame holds a type this client does not know."""

    type: str
    topic: str | None = None
    seq: int | None = None
    ts: int = 0
    id: str | int | None = None
    data: msgspec.Raw = msgspec.Raw(b"\xc0")


_decode_plain = msgspec.msgpack.Decoder(list[_Plain]).decode


def decode_frame(frame: bytes) -> list[Envelope]:
    """Return the envelopes of one binary frame; types from a newer daemon keep plain ``data``.

    Raises:
        WireError: the frame is not an array of envelopes, or a known type does not fit.
    """
    try:
        wired = _decode_known(frame)
    except msgspec.ValidationError:
        return _decode_one_by_one(frame)
    except msgspec.DecodeError as error:
        raise WireError(f"a frame is not msgpack: {error}") from error
    return [
        _envelope(str(item.__struct_config__.tag), item.topic, item.seq, item.ts, item.id, item.data)
        for item in wired
    ]


def _decode_one_by_one(frame: bytes) -> list[Envelope]:
    try:
        return [
            _envelope(
                item.type,
                item.topic,
                item.seq,
                item.ts,
                item.id,
                msgspec.msgpack.decode(item.data, type=_RECORDS.get(item.type, Any)),
            )
            for item in _decode_plain(frame)
        ]
    except msgspec.DecodeError as error:
        raise WireError(
            f"a frame does not fit: {error}", fix="are client and daemon of the same version?"
        ) from error


def _envelope(
    type_: str, topic: str | None, seq: int | None, ts: int, id_: str | int | None, data: Any
) -> Envelope:
    return Envelope(
        type=type_,
        topic=topic or "",
        seq=seq or 0,
        ts=ts,
        id=None if id_ is None else str(id_),
        data=data,
    )
