"""What the README of the streams says to those who write clients is so: examples, topics, limits, codes."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any, get_args

import msgspec
import pytest

import nautilus_tui
from data import topics
from data.bus import RING_SIZE
from nautilus_tui.daemon import streams
from nautilus_tui.daemon.refusals import COMMANDS_A_SECOND
from nautilus_tui.daemon.streams import StreamLimits, hub, messages, paths
from nautilus_tui.daemon.streams.session import read_command
from nautilus_tui.daemon.streams.states import Gap, GapReason
from nautilus_tui.daemon.streams.wire import JSON, SUBPROTOCOLS
from nautilus_tui.relay.mirror import CATCH_UP_S
from tests.streams.test_message_types import ENVELOPE, EVENTS, PROTOCOL

TEXT = (Path(streams.__file__).parent / "README.md").read_text()
ONE_LINE = " ".join(TEXT.split())
EXAMPLES: list[dict[str, Any]] = [
    msgspec.json.decode(block) for block in re.findall(r"```json\n(.*?)```", TEXT, re.DOTALL)
]
FROM_SERVER = [one for one in EXAMPLES if "ts" in one]
FROM_CLIENT = [one for one in EXAMPLES if "ts" not in one]


def rows(head: str) -> list[list[str]]:
    """Return the cells of the table whose first column is named so."""
    table = TEXT.partition(f"| {head} |")[2].partition("\n\n")[0].splitlines()[2:]
    return [[cell.strip().strip("`") for cell in line.strip("|").split(" | ")] for line in table]


@pytest.mark.parametrize("example", FROM_CLIENT, ids=lambda one: str(one["type"]))
def test_a_client_may_say_what_is_shown(example: dict[str, Any]) -> None:
    said = messages.read(JSON, msgspec.json.encode(example))
    assert said.id == example["id"]
    enveloped = {"type": example["type"], "id": example["id"]}
    enveloped["data"] = {name: value for name, value in example.items() if name not in enveloped}
    assert messages.read(JSON, msgspec.json.encode(enveloped)) == said
    if isinstance(said, messages.Subscribe | messages.Unsubscribe):
        assert all(topics.families_of(pattern) for pattern in said.topics)
    if isinstance(said, messages.CommandMessage):
        read_command(said.command)


def test_every_message_of_a_client_is_shown() -> None:
    assert {one["type"] for one in FROM_CLIENT} == {
        one.__struct_config__.tag for one in get_args(messages.AnyMessage)
    }


@pytest.mark.parametrize("example", FROM_SERVER, ids=lambda one: str(one["type"]))
def test_the_server_says_what_is_shown(example: dict[str, Any]) -> None:
    assert set(example) == ENVELOPE
    assert example["type"] in PROTOCOL | EVENTS
    assert topics.family_of(example["topic"])
    if example["type"] == "gap":
        msgspec.convert(example["data"], Gap)


def test_topics_are_all_there_with_their_delivery() -> None:
    told = {row[0]: row[1] for row in rows("topic")}
    assert told == {family.pattern: family.delivery for family in topics.FAMILIES}
    (closed,) = [family for family in topics.FAMILIES if family.role != "viewer"]
    assert f"from the role `{closed.role}` on" in rows("topic")[-1][2]


def test_addresses_and_formats_are_all_there() -> None:
    told = {row[0]: re.findall(r"[a-z*]+(?:\.[a-z*]+)+", row[1]) for row in rows("path")}
    assert tuple(told) == paths.ADDRESSES
    for path, patterns in paths._FIXED.items():
        assert tuple(told[path]) == patterns
    assert all(f"`{name}`" in TEXT for name in SUBPROTOCOLS)


def test_reasons_and_codes_are_all_there() -> None:
    assert {row[0] for row in rows("`reason`")} == set(get_args(GapReason))
    codes = {value for name, value in vars(hub).items() if name.startswith("CLOSE_")}
    assert {int(row[0]) for row in rows("code")} == codes


@pytest.mark.parametrize(
    "said",
    [
        f"first message within {StreamLimits().auth_s:g} s",
        f"comes every {StreamLimits().heartbeat_s:g} s",
        f"{StreamLimits().heartbeats_missed} heartbeats were not answered",
        f"At most {StreamLimits().max_subscriptions} subscriptions a connection",
        f"and {StreamLimits().inbound_rate} messages a second",
        f"{StreamLimits().inbound_excess} over the rate in a row",
        f"at most {StreamLimits().max_message} bytes",
        f"At most {StreamLimits().max_commands} commands",
        f"more than {StreamLimits().lossless_bound} wait",
        f"{COMMANDS_A_SECOND} such entries a second",
        f"{RING_SIZE} events a topic",
        f"up to {CATCH_UP_S:g} s",
        f"at most {messages._ID_LENGTH} characters",
    ],
)
def test_limits_are_as_said(said: str) -> None:
    assert said in ONE_LINE


def test_the_description_of_the_api_names_the_addresses_and_this_text() -> None:
    from nautilus_tui.daemon.api.app import _ABOUT

    assert all(address in _ABOUT for address in paths.ADDRESSES)
    (named,) = re.findall(r"nautilus_tui/\S+\.md", _ABOUT)
    assert (Path(nautilus_tui.__file__).parent.parent / named).read_text() == TEXT
