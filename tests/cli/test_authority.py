"""``authority`` and ``status`` with a real daemon: who holds the authority, taking it, giving it back."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.cli.driving import CommandLine


@pytest.fixture
def cli(trading: CommandLine) -> Iterator[CommandLine]:
    yield trading
    trading("authority", "release")


def test_who_holds_it_is_shown_taken_and_released(cli: CommandLine) -> None:
    free = cli("--json", "authority").json
    assert free["holder"] is None
    assert cli("authority", "show").out == "the order authority is free: every trader sends orders\n"
    taken = cli("--json", "authority", "take", "--reason", "shift")
    assert taken.code == 0, taken.err
    assert taken.json["outcome"] == "done"
    assert taken.json["data"] == {"holder": "local", "by": "local", "reason": "shift"}
    told = cli("authority").out
    assert told.startswith("local holds the order authority since ")
    assert told.endswith(" (shift)\n")
    assert cli("authority", "take").out == "local holds it already\n"
    refused = cli("authority", "release", "--holder", "desk")
    assert refused.code == 3
    assert "local holds the order authority, not desk" in refused.err
    assert cli("authority", "release").out == "the order authority is free, from local\n"
    assert "local held it until" in cli("authority").out


def test_status_says_who_holds_it(cli: CommandLine) -> None:
    cli("authority", "take")
    assert cli("--json", "status").json["order_authority"]["holder"] == "local"
    assert "local holds the order authority since" in cli("status").out


def test_another_who_holds_it_keeps_orders_out_and_the_exit_code_says_denied(cli: CommandLine) -> None:
    token = cli("token", "create", "night-desk", "--role", "trader").out.strip()
    there = {"NAUTILUS_TUI_TOKEN": token}
    taken = cli("--json", "--url", cli.url or "", "authority", "take", env=there)
    assert taken.code == 0, taken.err
    order = ("order", "buy", "AAPL.SIM", "1")
    refused = cli("--json", *order)
    assert refused.code == 3, refused.out + refused.err
    assert refused.json["problem"]["type"] == "order-authority"
    assert refused.json["problem"]["extra"]["holder"] == "night-desk"
    said = cli(*order)
    assert "night-desk holds the order authority since" in said.err
    assert "nautilus-tui authority take" in said.err
    sent = cli("--url", cli.url or "", "--json", *order, env=there)
    assert sent.code == 0, sent.out + sent.err
    assert cli("flatten").code == 0
    assert cli("token", "revoke", "night-desk").code == 0
    assert cli("--json", "authority").json["reason"] == "the token night-desk was revoked"
