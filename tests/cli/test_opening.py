"""The workstation opened as users open it, on a pseudo-terminal: it paints, runs, is left and found again."""

from __future__ import annotations

import pytest

from tests.cli.driving import CommandLine
from tests.cli.screen import opened


@pytest.fixture(autouse=True)
def short_past(cli: CommandLine) -> None:
    """Let the simulated market begin ten minutes ago: its past is written before it opens."""
    cli.home.ensure()
    cli.home.config_file.write_text("[simulator]\nhistory_minutes = 10\n")


def test_open_leave_and_come_back(cli: CommandLine) -> None:
    try:
        with opened(cli) as screen:
            screen.read_until("Watchlist")
            screen.read_until("RUNNING")
            screen.press("q")
            assert screen.end() == 0
        [engine] = cli("--json", "engine", "list").json
        assert (engine["id"], engine["state"]) == ("paper-1", "running")
        assert cli("order", "buy", "AAPL.SIM", "7", "--wait").code == 0
        with opened(cli) as again:
            again.read_until("RUNNING")
            again.press("q")
            assert again.end() == 0
        with opened(cli, "attach") as attached:
            attached.read_until("RUNNING")
            attached.press("q")
            assert attached.end() == 0
        [same] = cli("--json", "engine", "list").json
        assert same["pid"] == engine["pid"]
    finally:
        cli("stop", "--all")


def test_a_killed_terminal_changes_nothing(cli: CommandLine) -> None:
    try:
        with opened(cli) as screen:
            screen.read_until("RUNNING")
            pid = cli("--json", "engine", "list").json[0]["pid"]
            screen.process.kill()
        assert cli("--json", "order", "buy", "AAPL.SIM", "1", "--wait").json["status"] == "filled"
        assert cli("--json", "engine", "list").json[0]["pid"] == pid
    finally:
        cli("stop", "--all")


def test_who_loses_the_terminal_ends(cli: CommandLine) -> None:
    """Also without SIGHUP, which only a controlling terminal sends."""
    try:
        with opened(cli) as screen:
            screen.read_until("RUNNING")
            assert screen.hang_up() == 129
    finally:
        cli("stop", "--all")
