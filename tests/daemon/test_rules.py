"""What a command must look like: a bad one gets an error that names field, value and rule."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from data.bus import Bus
from data.commands import (
    AnyCommand,
    ImportHistory,
    ModifyOrder,
    SendBroadcast,
    SetFeed,
    StartEngine,
    TakeAuthority,
)
from data.paths import Home
from data.problems import InvalidRequestError, ProblemError
from data.state import State
from engines.supervisor import Supervisor
from nautilus_tui.daemon import rules
from nautilus_tui.daemon.present import Present
from nautilus_tui.daemon.sink import Sink
from nautilus_tui.daemon.watch import OrderWatch
from tests.daemon.records import no_journal

ORDER = {
    "command": "order.submit",
    "engine": "paper-1",
    "client_order_id": "a",
    "instrument": "AAPL.SIM",
    "side": "buy",
    "qty": "1",
}


@pytest.fixture
def supervisor(tmp_path: Path) -> Supervisor:
    present = Present()
    sink = Sink(
        State(tmp_path / "state.duckdb"), Bus("e", present.snapshot), present, OrderWatch(), no_journal
    )
    return Supervisor(Home(tmp_path), sink, ())


def test_a_command_is_read_with_times_in_either_form() -> None:
    for time in ("2026-11-23T14:30:00.000000001Z", 1795444200000000001):
        command = rules.decode(msgspec.json.encode(ORDER | {"tif": "gtd", "ts_expire": time}))
        assert command.ts_expire == 1795444200000000001  # type: ignore[union-attr]  # it is an order


@pytest.mark.parametrize(
    ("body", "field"),
    [
        (b"", "body"),
        (b"{", "body"),
        (b"[]", "body"),
        (b"null", "body"),
        (b"{}", "command"),
        (b'{"command": 5}', "command"),
        (b'{"command": "order.fly"}', "command"),
        (msgspec.json.encode(ORDER | {"qty": "much"}), "qty"),
        (msgspec.json.encode(ORDER | {"side": "hold"}), "side"),
        (msgspec.json.encode({k: v for k, v in ORDER.items() if k != "side"}), "side"),
    ],
)
def test_what_does_not_fit_is_named(body: bytes, field: str) -> None:
    with pytest.raises(InvalidRequestError) as caught:
        rules.decode(body)
    assert caught.value.extra["field"] == field
    assert caught.value.rule


def test_values_that_a_field_may_have_are_named() -> None:
    with pytest.raises(InvalidRequestError) as caught:
        rules.decode(msgspec.json.encode(ORDER | {"side": "hold"}))
    assert caught.value.rule == "side is one of buy, sell"
    assert caught.value.extra["value"] == "hold"
    with pytest.raises(InvalidRequestError) as caught:
        rules.decode(b'{"command": "order.fly"}')
    assert "order.submit" in str(caught.value.rule)


json = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=12),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)
fields = sorted({name for kind in AnyCommand.__args__ for name in kind.__struct_fields__})
tags = sorted(str(kind.__struct_config__.tag) for kind in AnyCommand.__args__)


def complaint(work: Callable[[], object]) -> ProblemError | None:
    """Return the error of ours that some work ends with, if any; others come through."""
    try:
        work()
    except ProblemError as error:
        return error
    return None


@given(body=st.binary(max_size=60) | st.builds(msgspec.json.encode, json))
def test_no_body_gets_through_but_a_command(body: bytes) -> None:
    error = complaint(lambda: rules.decode(body))
    assert isinstance(error, InvalidRequestError)
    assert error.extra["field"]


# A supervisor without engines has no state that one example could spoil for the next.
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(tag=st.sampled_from(tags), values=st.dictionaries(st.sampled_from(fields), json, max_size=12))
def test_any_command_with_any_values_is_checked_or_refused_by_name(
    supervisor: Supervisor, tag: str, values: dict[str, Any]
) -> None:
    known = {
        "engine": "none",
        "client_order_id": "a",
        "instrument": "A.SIM",
        "side": "buy",
        "qty": "1",
        "name": "n",
    }
    body = msgspec.json.encode(known | {"message": "m", "path": "/x"} | values | {"command": tag})
    error = complaint(lambda: rules.check(rules.decode(body), supervisor))
    assert error is None or error.rule or error.status == 404


@pytest.mark.parametrize(
    ("command", "field"),
    [
        (StartEngine(engine="e", trading_mode="live"), "trading_mode"),
        (StartEngine(engine="e", trading_mode="live", confirm_live_trading=True), "trading_mode"),
        (StartEngine(engine="e", max_position_size=Decimal(0)), "max_position_size"),
        (ModifyOrder(engine="e", client_order_id="a"), "qty"),
        (ModifyOrder(engine="e", client_order_id="a", qty=Decimal(-1)), "qty"),
        (SetFeed(engine="e", action="speed"), "speed"),
        (ImportHistory(path="here.csv", instrument="A.SIM"), "path"),
        (ImportHistory(path="", instrument="A.SIM"), "path"),
        (TakeAuthority(reason="x" * 400_000), "reason"),
        (TakeAuthority(reason="\x1b]0;owned\x07"), "reason"),
        (SendBroadcast(message="hello\0"), "message"),
    ],
)
def test_a_rule_names_its_field(supervisor: Supervisor, command: AnyCommand, field: str) -> None:
    with pytest.raises(InvalidRequestError) as caught:
        rules.check(command, supervisor)
    assert caught.value.extra["field"] == field
    assert caught.value.rule


@pytest.mark.parametrize("name", ["a", "A-1", "ticket.2026:7@x", "9" * 64])
def test_ids_that_may_be_used(name: str) -> None:
    rules.check_id("client_order_id", name)


@pytest.mark.parametrize("name", ["", " ", "-a", "a b", "a/b", "ä", "a" * 65, "a\n"])
def test_ids_that_may_not(name: str) -> None:
    with pytest.raises(InvalidRequestError):
        rules.check_id("client_order_id", name)
