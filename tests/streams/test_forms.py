"""Times as text and back, exactly; JSON twins that say the same as their structs."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, get_args

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from data.commands import AnyCommand, ModifyOrder, Outcome, SubmitOrder
from data.forms import from_builtins, from_json, is_time, iso, json_form, parse_iso, to_json, to_json_form
from data.problems import InvalidRequestError, ProblemDocument
from data.records import AnyRecord, Book, Instrument, Level, Quote
from tests.streams import samples

YEAR_1, YEAR_9999 = -62_135_596_800 * 10**9, 253_402_300_799 * 10**9


@given(st.integers(YEAR_1, YEAR_9999))
def test_iso_and_back_is_exact(ns: int) -> None:
    text = iso(ns)
    assert len(text) == len("2026-11-23T14:30:00.000000000Z")
    assert parse_iso(text) == ns
    assert datetime.fromisoformat(text[:19] + "+00:00") <= datetime.max.replace(tzinfo=UTC)


@given(st.integers(YEAR_1, YEAR_9999), st.integers(YEAR_1, YEAR_9999))
def test_iso_sorts_as_time_does(one: int, other: int) -> None:
    assert (iso(one) < iso(other)) == (one < other)


@pytest.mark.parametrize(
    ("text", "ns"),
    [
        ("1970-01-01", 0),
        ("1970-01-01T00:00:01", 10**9),
        ("1970-01-01 00:01", 60 * 10**9),
        ("1970-01-01T00:00:00.5Z", 500_000_000),
        ("1970-01-01T00:00:00.000000001Z", 1),
        ("1970-01-01T01:00:00+01:00", 0),
        ("1969-12-31T23:59:59.999999999Z", -1),
        ("1970-01-01T00:00:00-0500", 5 * 3600 * 10**9),
    ],
)
def test_parse_iso_examples(text: str, ns: int) -> None:
    assert parse_iso(text) == ns


@pytest.mark.parametrize(
    "text", ["", "yesterday", "2026-13-01", "2026-02-30T00:00:00Z", "2026-01-01T25:00", "12"]
)
def test_what_is_not_a_time_is_refused(text: str) -> None:
    with pytest.raises(InvalidRequestError) as caught:
        parse_iso(text)
    assert caught.value.fix


def test_a_time_out_of_range_is_refused() -> None:
    with pytest.raises(InvalidRequestError):
        iso(YEAR_9999 * 10)


@pytest.mark.parametrize(
    "record",
    [
        samples.quote(3),
        samples.order(),
        samples.position(),
        samples.account(),
        samples.status(),
        samples.log(),
    ],
    ids=lambda record: type(record).__name__,
)
def test_json_form_and_back(record: Any) -> None:
    data = to_json(record)
    plain = msgspec.json.decode(data)
    for key, value in plain.items():
        if is_time(key):
            assert value is None or value.endswith("Z")
    assert from_json(data, AnyRecord) == record
    assert msgspec.convert(plain, json_form(type(record))) == to_json_form(record)


def test_every_record_and_command_has_a_schema_under_its_own_name() -> None:
    for union in (AnyRecord, AnyCommand):
        _, components = msgspec.json.schema_components([json_form(union)])
        for cls in get_args(union):
            properties = components[cls.__name__]["properties"]
            for name, schema in properties.items():
                if is_time(name):
                    assert "date-time" in str(schema), (cls, name)


def test_nested_structs_follow() -> None:
    outcome = Outcome(
        command_id="1",
        command="order.submit",
        outcome="done",
        orders=(samples.order(),),
        engine=samples.status(),
    )
    plain = msgspec.json.decode(to_json(outcome))
    assert plain["orders"][0]["ts"] == iso(samples.order().ts)
    assert plain["engine"]["ts_started"] == iso(samples.TS)
    assert from_json(to_json(outcome), Outcome) == outcome


def test_structs_without_times_are_their_own_twins() -> None:
    assert json_form(ProblemDocument) is ProblemDocument
    assert json_form(Instrument) is Instrument
    document = ProblemDocument(type="t", title="t", status=400, detail="d")
    assert to_json_form(document) is document
    assert to_json_form([document, {"a": document}]) == [document, {"a": document}]


def test_levels_stay_arrays() -> None:
    book = Book(
        instrument="A.SIM",
        bids=(Level(Decimal("1.5"), Decimal(2)),),
        asks=(),
        ts=1,
        ts_recv=2,
        synthetic=True,
        source="simulated",
        engine="e",
    )
    assert msgspec.json.decode(to_json(book))["bids"] == [["1.5", "2"]]
    assert from_json(to_json(book), Book) == book


def test_commands_take_times_in_both_forms() -> None:
    body: dict[str, Any] = {
        "command": "order.submit",
        "engine": "paper-1",
        "client_order_id": "O-1",
        "instrument": "AAPL.SIM",
        "side": "buy",
        "qty": "100",
        "tif": "gtd",
        "ts_expire": "2026-11-23T14:30:00Z",
    }
    as_text = from_builtins(body, AnyCommand)
    as_number = from_builtins({**body, "ts_expire": parse_iso(body["ts_expire"])}, AnyCommand)
    assert as_text == as_number
    assert isinstance(as_text, SubmitOrder)
    with pytest.raises(InvalidRequestError):
        from_builtins({**body, "ts_expire": "soon"}, AnyCommand)
    with pytest.raises(msgspec.ValidationError, match="qty"):
        from_builtins({**body, "qty": "many"}, AnyCommand)


@pytest.mark.parametrize("text", ["1_0", " 10", "10 ", "٣", "１０", "1,5", "0x10", "1e", ""])
def test_what_only_python_takes_for_a_decimal_is_refused(text: str) -> None:
    body = {
        "command": "order.submit",
        "engine": "paper-1",
        "client_order_id": "O-1",
        "instrument": "AAPL.SIM",
        "side": "buy",
    }
    with pytest.raises(msgspec.ValidationError, match="qty"):
        from_builtins({**body, "qty": text}, AnyCommand)


@given(st.decimals())
def test_every_way_in_which_a_decimal_is_written_is_taken(number: Decimal) -> None:
    if number.is_snan():
        return  # not comparable, and refused by the rules of all that take numbers
    body = {
        "command": "order.modify",
        "engine": "paper-1",
        "client_order_id": "O-1",
        "qty": str(number),
        "price": f"{number:f}" if number.is_finite() else str(number),
    }
    command = from_builtins(body, AnyCommand)
    assert isinstance(command, ModifyOrder)
    assert str(command.qty) == str(Decimal(str(number)))


@given(st.integers(0, 10**6), st.sampled_from(["AAPL.SIM", "EURUSD.SIM", 'ES"\\ts.SIM']))
def test_quotes_survive_json(n: int, instrument: str) -> None:
    record = samples.quote(n, instrument)
    assert from_json(to_json(record), Quote) == record
