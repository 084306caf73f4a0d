"""Limits on the command line: the contract from setting one to the order it denies, also after kill -9."""

from __future__ import annotations

import os
import shutil
import signal
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path

import pytest

from data.paths import Home
from engines import pidfile
from nautilus_tui.daemon.lock import lock_path
from tests.cli.driving import CommandLine, running_daemon

SET = ("limit", "set", "position_size", "--scope", "instrument:AAPL.SIM", "--hard", "500", "--unit", "shares")
ID = "position_size:instrument:AAPL.SIM:shares"


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Home]:
    made = Home(tmp_path_factory.mktemp("limits")).ensure()
    made.config_file.write_text(
        '[simulator]\nrate = "200"\nhistory_minutes = 0\n[risk]\ntwo_person = "never"\n'
    )
    yield made
    for left in pidfile.find(made.run):  # by a test that failed
        os.kill(left.pid, signal.SIGKILL)
    if made.sockets != made.run:
        shutil.rmtree(made.sockets, ignore_errors=True)


@pytest.fixture(scope="module")
def desk(home: Home) -> Iterator[CommandLine]:
    """A daemon with a running engine; the last test kills it."""
    with running_daemon(home) as cli:
        started = cli("--json", "engine", "start", "paper-1")
        assert started.code == 0, started.err + started.out
        yield cli


def denied(cli: CommandLine) -> None:
    held = sum(
        Decimal(one["qty"]) for one in cli("--json", "positions").json if one["instrument"] == "AAPL.SIM"
    )
    run = cli("--json", "order", "buy", "AAPL.SIM", str(501 - held), "--wait")
    assert run.code == 3, run.out
    told = run.json
    assert (told["status"], told["rule"], told["value"], told["limit"], told["max_quantity"]) == (
        "denied",
        "position_size",
        "501",
        "500",
        str(500 - held),
    )


def test_what_was_set_is_said_with_where_it_is_in_force(desk: CommandLine) -> None:
    run = desk("limit", "set", "leverage", "--hard", "2x")
    assert run.code == 0, run.err
    assert "leverage:portfolio:ratio is 2, version 1; in force at paper-1" in run.out
    run = desk("limit", "list")
    (leverage,) = [line for line in run.out.splitlines() if "leverage" in line]
    assert " 2.00 " in leverage, "a multiple, as on the screen; what people say in per cent has its sign"
    assert "%" not in leverage.split(" 2.00 ")[0]
    run = desk(
        "--json", "limit", "set", "concentration", "--hard", "20%", "--warn", "70%", "--target-vol", "15%"
    )
    assert (run.json["hard"], run.json["warn"], run.json["auto_adjust"]["target_vol"]) == (
        "0.2",
        "0.7",
        "0.15",
    )
    changed = desk("--json", "limit", "set", "concentration", "--hard", "0.1", "--no-auto-adjust").json
    assert (changed["warn"], changed["auto_adjust"], changed["version"]) == ("0.7", None, 2)
    again = desk("--json", "limit", "set", "concentration", "--hard", "0.1").json
    assert (again["changed"], again["version"]) == (False, 2)
    off = desk(
        "--json", "limit", "set", "concentration", "--hard", "0.1", "--off", "--hard-actions", "none"
    ).json
    assert (off["enabled"], off["hard_actions"]) == (False, [])


def test_limits_are_listed_with_a_bar_shown_whole_and_deleted(desk: CommandLine) -> None:
    bought = desk("--json", "order", "buy", "MSFT.SIM", "40", "--wait")
    assert bought.json["status"] == "filled", bought.out
    place = ("position_size", "--scope", "instrument:MSFT.SIM", "--unit", "units")
    assert desk("limit", "set", *place, "--hard", "50", "--warn", "0.9").code == 0
    table = desk("limit", "list", "--scope", "instrument:MSFT.SIM").out
    for part in (
        "position_size",
        "instrument:MSFT.SIM",
        "40",
        "50",
        "80 %",
        "████████··",
        "ok",
        "user",
        "shares",
    ):
        assert part in table
    sheet = desk("limit", "show", *place).out
    for part in ("warns from", "90 %", "notify,deny_increase", "version", "local"):
        assert part in sheet
    shown = desk("--json", "limit", "show", "position_size:instrument:MSFT.SIM:shares").json
    assert (shown["value"], shown["use"], shown["headroom"]) == ("40", "0.800000", "10")
    gone = desk("--json", "limit", "delete", *place).json
    assert (gone["outcome"], gone["limit_id"]) == ("done", "position_size:instrument:MSFT.SIM:shares")
    again = desk("--json", "limit", "delete", *place)
    assert (again.code, again.json["problem"]["type"]) == (3, "not-found")
    assert desk("--json", "limit", "show", *place).code == 1


def test_a_check_of_an_order_exits_with_3_where_the_gate_would_deny_it(desk: CommandLine) -> None:
    assert desk(*SET).code == 0
    order = ("--instrument", "AAPL.SIM", "--side", "buy", "--qty")
    passes = desk("--json", "limit", "check", ID, *order, "500")
    assert (passes.code, passes.json["passes"], passes.json["after"]) == (0, True, "500")
    over = desk("--json", "limit", "check", ID, *order, "501")
    assert (over.code, over.json["passes"], over.json["max_quantity"]) == (3, False, "500")
    assert "denied" in desk("limit", "check", ID, *order, "501").out
    assert desk("--json", "limit", "check", ID).json["level"] == "ok"
    assert desk("limit", "check", ID, "--side", "buy").code == 2
    assert Decimal(desk("--json", "account").json["equity"]) > 0  # nothing was sent


def test_an_engine_is_restricted_and_let_go(desk: CommandLine) -> None:
    told = desk("--json", "engine", "restrict", "paper-1", "reduce_only", "--reason", "drill").json
    assert (told["outcome"], told["restriction"], told["engines"]) == (
        "done",
        "reduce_only",
        {"paper-1": "in_force"},
    )
    run = desk("--json", "order", "buy", "AAPL.SIM", "1", "--wait")
    assert (run.code, run.json["status"]) == (3, "denied")
    assert "drill" in run.json["reason"]
    assert desk("engine", "restrict", "paper-1", "none").code == 0
    assert desk("--json", "order", "buy", "AAPL.SIM", "1", "--wait").json["status"] == "filled"


@pytest.mark.parametrize(
    ("arguments", "code", "says"),
    [
        (("limit", "set", "size", "--hard", "1"), 2, "position_size"),
        (("limit", "set", "leverage"), 2, "--hard"),
        (("limit", "set", "leverage", "--hard", "much"), 2, "much"),
        (("limit", "set", "leverage", "--hard", "1", "--unit", "furlongs"), 2, "furlongs"),
        (("limit", "set", "leverage", "--hard", "1", "--hard-actions", "shout"), 2, "shout"),
        (("limit", "set", "leverage", "--hard", "1", "--floor", "0.5"), 2, "--target-vol"),
        (("limit", "set", "leverage", "--hard", "1", "--unit", "shares"), 2, "ratio"),
        (("limit", "set", "leverage", "--hard", "-1"), 2, "greater than zero"),
        (("limit", "set", "var", "--hard", "2%", "--unit", "x", "--method", "guess"), 2, "historical"),
        (("limit", "set", "position_size", "--scope", "instrument:APPL.SIM", "--hard", "1"), 3, "AAPL.SIM"),
        (("limit", "set", "position_size", "--scope", "engine:paper-2", "--hard", "1"), 3, "engine:paper-1"),
        (("limit", "set", "leverage", "--hard", "2", "--new"), 3, "already"),
        (("limit", "delete", "leverage:portfolio:notional"), 3, "leverage:portfolio:ratio"),
        (("limit", "approve", "lc-none"), 3, "lc-none"),
        (("engine", "restrict", "paper-9", "none"), 3, "paper-9"),
    ],
)
def test_what_is_refused_says_the_rule(
    desk: CommandLine, arguments: tuple[str, ...], code: int, says: str
) -> None:
    desk("limit", "set", "leverage", "--hard", "2")
    run = desk(*arguments)
    assert run.code == code, run.out + run.err
    assert says in run.err


def test_changes_that_wait_are_listed(desk: CommandLine) -> None:
    assert desk("--json", "limit", "changes").json == []
    assert "no change waits" in desk("limit", "changes").out


def test_without_a_daemon_nothing_is_known_of_limits(tmp_path: Path) -> None:
    alone = CommandLine(Home(tmp_path / "home"))
    for arguments in (SET, ("limit", "list"), ("limit", "show", ID), ("engine", "restrict", "a", "none")):
        run = alone("--json", *arguments)
        assert (run.code, run.json["problem"]["type"]) == (5, "not-reachable")


def test_the_contract_of_a_limit_from_setting_it_to_the_order_it_denies_also_after_kill_9(
    desk: CommandLine,
) -> None:
    desk("limit", "delete", ID)
    done = desk.process("--json", *SET)
    assert done.code == 0, done.out + done.err
    assert done.err == ""
    limit = done.json
    assert (limit["outcome"], limit["id"], limit["hard"], limit["unit"], limit["scope"]) == (
        "done",
        ID,
        "500",
        "shares",
        "instrument:AAPL.SIM",
    )
    assert limit["engines"] == {"paper-1": "in_force"}
    (listed,) = (one for one in desk("--json", "limit", "list").json if one["id"] == ID)
    assert (listed["hard"], listed["level"]) == ("500", "ok")
    denied(desk)
    os.kill(int(lock_path(desk.home).read_text()), signal.SIGKILL)
    alone = CommandLine(desk.home)
    assert alone("--json", "limit", "list").code == 5
    with running_daemon(desk.home) as successor:
        again = next(one for one in successor("--json", "limit", "list").json if one["id"] == ID)
        kept = (limit.keys() & again.keys()) - {"type"}
        assert {name: again[name] for name in kept} == {name: limit[name] for name in kept}
        assert len(kept) > 15
        denied(successor)
