"""Every type of message there is, through a real server, in both formats, as documented."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from pathlib import Path
from typing import Any, get_args

import msgspec
import pytest
from msgspec import inspect as types

from data import topics
from data.facts import Record
from data.forms import from_builtins
from data.records import AnyRecord, Instrument
from nautilus_tui.client.envelopes import Snapshot, decode_frame
from nautilus_tui.daemon.streams import StreamLimits
from nautilus_tui.daemon.streams.wire import tag_of
from tests.streams import samples
from tests.streams.serving import serving

ENVELOPE = {"v", "type", "topic", "seq", "ts", "id", "data"}
RECORDS: list[type[Record]] = [cls for cls in get_args(AnyRecord) if cls is not Instrument]
#: What clients are promised by name, besides what we add to it.
PROTOCOL = {
    "connection_established",
    "subscription_confirmed",
    "subscription_error",
    "snapshot",
    "heartbeat",
    "error",
    "command_response",
    "gap",
}
EVENTS = {
    "quote",
    "trade",
    "bar",
    "book",
    "order_update",
    "fill",
    "position_update",
    "account_update",
    "engine_status",
    "engine_log",
    "backtest_progress",
    "risk_limit",
    "risk_forecast",
    "breach_alert",
    "alert",
    "macro_update",
    "filing",
    "strategy_update",
    "system_health",
    "backfill_progress",
    "broadcast",
    "audit",
}
LOSSLESS = {
    "order_update",
    "fill",
    "position_update",
    "account_update",
    "breach_alert",
    "alert",
    "strategy_update",
    "audit",
}
CONFLATED = {"quote", "book", "bar", "risk_limit", "system_health"}


def made(cls: type[Any]) -> Any:
    """Return an instance with something in every field that can hold something."""
    info = types.type_info(cls)
    assert isinstance(info, types.StructType)
    return _value(info)


def _value(info: Any) -> Any:
    match info:
        case types.StructType():
            return info.cls(**{field.name: _value(field.type) for field in info.fields})
        case types.Metadata():
            return _value(info.type)
        case types.LiteralType():
            return info.values[0]
        case types.UnionType():
            return _value(next(one for one in info.types if not isinstance(one, types.NoneType)))
        case types.VarTupleType():
            return (_value(info.item_type),)
        case types.TupleType():
            return tuple(_value(one) for one in info.item_types)
        case types.ListType():
            return [_value(info.item_type)]
        case types.DictType():
            return {_value(info.key_type): _value(info.value_type)}
    simple: dict[type[Any], Any] = {
        types.StrType: "paper-1",
        types.IntType: 7,
        types.FloatType: 0.5,
        types.BoolType: True,
        types.DecimalType: Decimal("1.50"),
        types.DateType: dt.date(2026, 11, 20),
        types.AnyType: "x",
    }
    return simple[type(info)]


def check(envelope: dict[str, Any], form: str) -> None:
    """Check the envelope's form: every field there, and of the format's types."""
    assert set(envelope) == ENVELOPE
    assert envelope["v"] == 1
    assert isinstance(envelope["ts"], str if form == "json" else int)
    if envelope["type"] in PROTOCOL - {"snapshot", "gap"} | {"ack"}:
        assert (envelope["topic"], envelope["seq"]) == (None, None)
    else:
        assert isinstance(envelope["topic"], str)
        assert isinstance(envelope["seq"], int)
        assert envelope["id"] is None


def test_every_promised_type_has_a_record_and_its_class_of_delivery() -> None:
    delivery = {tag_of(cls): topics.delivery_of(topics.topic_of(made(cls))) for cls in RECORDS}
    assert delivery.keys() >= EVENTS
    assert {delivery[name] for name in LOSSLESS} == {"lossless"}
    assert {delivery[name] for name in CONFLATED} == {"conflated"}


@pytest.mark.parametrize("form", ["json", "msgpack"])
@pytest.mark.parametrize("cls", RECORDS, ids=tag_of)
async def test_a_record_arrives_as_it_was(tmp_path: Path, form: str, cls: type[Record]) -> None:
    record: Any = made(cls)
    topic = topics.topic_of(record)
    async with serving(tmp_path) as service, service.unix(form=form) as client:
        await client.subscribe(topic)
        service.bus.publish_records([record])
        snapshot = await client.next("snapshot", topic)
        event = await client.next(topic=topic)
        while event["type"] == "snapshot":
            event = await client.next(topic=topic)
        for envelope in (snapshot, event):
            check(envelope, form)
        assert (event["type"], event["seq"]) == (tag_of(cls), 1)
        plain = event["data"]
        read: Any = from_builtins(plain, AnyRecord) if form == "json" else msgspec.convert(plain, AnyRecord)  # type: ignore[arg-type]
        assert read == record
        (decoded,) = decode_frame(msgspec.msgpack.encode([event | {"ts": 1, "data": record}]))
        assert (decoded.type, decoded.topic, decoded.seq, decoded.data) == (tag_of(cls), topic, 1, record)
        await client.subscribe(topic)
        again = await client.next("snapshot", topic)
        (stated,) = decode_frame(msgspec.msgpack.encode([again | {"ts": 1, "data": {"records": [record]}}]))
        assert stated.data == Snapshot((record,))
        assert len(again["data"]["records"]) == 1


@pytest.mark.parametrize("form", ["json", "msgpack"])
async def test_everything_a_client_says_is_answered_by_its_id(tmp_path: Path, form: str) -> None:
    orders = topics.orders("paper-1")
    limits = StreamLimits(heartbeat_s=0.2)
    command = {"command": "order.cancel", "engine": "paper-1", "client_order_id": "O-1"}
    async with (
        serving(tmp_path, limits) as service,
        service.unix(form=form, established=False) as client,
    ):
        service.bus.publish(orders, samples.order(1))
        seen = [await client.next("connection_established")]
        for said, answered, fields in (
            (
                "subscribe",
                "subscription_confirmed",
                {"topics": [orders], "resume": {orders: 9}, "epoch": "e1"},
            ),
            ("ack", "ack", {"seqs": {orders: 1}}),
            ("heartbeat_response", "ack", {}),
            ("command", "command_response", {"command": command}),
            ("unsubscribe", "subscription_confirmed", {"topics": [orders]}),
            ("subscribe", "subscription_error", {"topics": ["weather.>"]}),
            ("unsubscribe", "subscription_error", {"topics": [orders]}),
            ("ack", "error", {"seqs": {orders: 99}}),
            ("dance", "error", {}),
        ):
            id_ = await client.say(said, **fields)
            while seen[-1]["id"] != id_:
                seen.append(await client.envelope())
            assert seen[-1]["type"] == answered, said
        seen.append(await client.next("heartbeat"))
        for envelope in seen:
            check(envelope, form)
            if form == "msgpack":
                (decoded,) = decode_frame(msgspec.msgpack.encode([envelope]))
                assert decoded.type == envelope["type"]
        assert {one["type"] for one in seen} >= PROTOCOL
