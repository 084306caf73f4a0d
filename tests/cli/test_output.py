"""Text that others wrote, in the terminal of who reads it: shown, never obeyed, never a line of ours."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

import nautilus_tui.cli
from data.problems import InvalidRequestError
from nautilus_tui.cli import output
from tests.cli.driving import CommandLine

EVIL = "a\x1b]0;pwn\x07\x08\t\x7f\x9b31m\r\u202eb"
SHOWN = r"a\x1b]0;pwn\x07\x08\t\x7f\x9b31m\r\u202eb"
_OBEYED = re.compile("[\x00-\x09\x0b-\x1f\x7f-\x9f\u2028-\u202e]")


def test_control_characters_are_escapes_wherever_they_are_printed(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "200")
    table = output.columns("Name", EVIL)
    table.add_row(EVIL, output.tinted(EVIL, "red"))
    output.show(EVIL, [EVIL, EVIL], table, output.assembled("", (EVIL, "dim"), EVIL))
    output.line(EVIL)
    output.say(EVIL)
    output.end_with_problem(InvalidRequestError(EVIL, rule=EVIL, fix=EVIL), as_json=False)
    told = capsys.readouterr()
    assert told.out.count(SHOWN) == 3 + 3 + 2 + 1
    assert told.err.count(SHOWN) == 1 + 2, "the rule is in the detail already"
    assert not _OBEYED.search(told.out + told.err)


def test_what_stands_behind_a_line_break_is_no_line_of_ours(capsys: pytest.CaptureFixture[str]) -> None:
    output.show("lunch\nkill switch: released", ["one", "two"])
    output.line("lunch\nkilled")
    assert capsys.readouterr().out.splitlines() == [
        "lunch",
        "    kill switch: released",
        "one",
        "two",
        "lunch",
        "    killed",
    ]


def test_json_holds_nothing_that_a_terminal_obeys_and_means_the_same(
    capsys: pytest.CaptureFixture[str],
) -> None:
    output.show_json({"reason": EVIL})
    output.show_json_line({"reason": EVIL})
    told = capsys.readouterr().out
    assert not re.search("[\x00-\x09\x0b-\x1f\x7f-\x9f]", told)
    shown, _, line = told.rstrip("\n").rpartition("\n")
    assert json.loads(shown) == json.loads(line) == {"reason": EVIL}


def test_a_command_line_prints_in_one_place_only() -> None:
    allowed = {"output.py"}
    for path in Path(nautilus_tui.cli.__file__).parent.glob("*.py"):
        if path.name not in allowed:
            assert not re.search(r"(?<![\w.])print\(|rich\.text|rich\.console import C", path.read_text()), (
                path
            )


def test_what_was_given_comes_back_as_it_may_be_shown(cli: CommandLine) -> None:
    run = cli("config", "validate", EVIL)
    assert SHOWN in run.out + run.err
    assert not _OBEYED.search(run.out + run.err)
