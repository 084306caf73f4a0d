"""Every command with every kind of wrong argument: a problem with what to do, its code, never a traceback."""

from __future__ import annotations

import json
import re

import pytest

from tests.cli.driving import CommandLine, Run
from tests.cli.table import HOSTILE, calls, leaves

LEAVES = leaves()
#: What the program documents, but for an interruption.
CODES = range(7)
#: A kill is not refused for its words.
TAKES_ANYTHING = {("kill", "reason")}
_OBEYED = re.compile("[\x00-\x09\x0b-\x1f\x7f-\x9f\u2028-\u202e]")


@pytest.fixture
def alone(cli: CommandLine, monkeypatch: pytest.MonkeyPatch) -> CommandLine:
    """The command line without a daemon and without any provider's key."""
    for name in ("FRED_API_KEY", "ALPHA_VANTAGE_API_KEY", "SEC_USER_AGENT"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("PYTHON_KEYRING_BACKEND", "keyring.backends.null.Keyring")
    cli.home.ensure()
    return cli


def documents(out: str) -> list[object]:
    """Return what is told in JSON: one document, or one a line."""
    try:
        return [json.loads(out)]
    except ValueError:
        return [json.loads(line) for line in out.splitlines()]


def check(run: Run, called: str) -> None:
    """Check what every end has in common."""
    assert run.code in CODES, called
    assert not _OBEYED.search(run.out + run.err), called
    assert "Traceback" not in run.err, called
    if run.code:
        assert "  fix:  " in run.err, f"{called}\n{run.out}{run.err}"


def check_json(run: Run, called: str) -> None:
    """Check what every end has in common where JSON is wanted."""
    assert run.code in CODES, called
    for told in documents(run.out) if run.code else ():
        assert isinstance(told, dict), called
        problem = told["faults"][0] if "faults" in told else told["problem"]
        assert problem["rule"], f"{called}\n{run}"
        assert problem["fix"], f"{called}\n{run}"


@pytest.mark.parametrize("words", LEAVES)
def test_what_is_wrong_is_told_with_what_to_do(alone: CommandLine, words: str) -> None:
    for kind, text in HOSTILE.items():
        for name, arguments in calls(words, LEAVES[words], text):
            called = f"{words}: {name} is {kind}"
            plain, told = alone(*arguments), alone("--json", *arguments)
            check(plain, called)
            check_json(told, called)
            assert plain.code == told.code, called
            if kind in ("empty", "blank", "not UTF-8") and (words, name) not in TAKES_ANYTHING:
                assert plain.code == 2, f"{called}\n{plain}"
