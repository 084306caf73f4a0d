"""Ways to call the command line: in this process, in one of its own, and with a daemon behind it."""

from __future__ import annotations

import contextlib
import io
import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest

from data.paths import Home
from nautilus_tui.cli.main import main

_SIZE = ("COLUMNS", "LINES")


@dataclass(frozen=True)
class Run:
    """What one call of the command line left behind."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)


def environment(more: dict[str, str] | None = None) -> dict[str, str]:
    """This process's environment for another: without the width that pytest's worker and screens
    drawn in this process leave behind, which programs believe more than their terminal.
    """
    return {name: value for name, value in os.environ.items() if name not in _SIZE} | (more or {})


def set_environment(variables: dict[str, str]) -> None:
    os.environ.clear()
    os.environ.update(variables)


@dataclass(frozen=True)
class CommandLine:
    """The command line on one home, called in this process (quick) or in one of its own."""

    home: Home
    url: str | None = None

    def __call__(self, *arguments: str, env: dict[str, str] | None = None) -> Run:
        out, err = io.StringIO(), io.StringIO()
        kept_argv, kept_environment = sys.argv, dict(os.environ)
        sys.argv = ["nautilus-tui", "--home", str(self.home.root), *arguments]
        set_environment(environment(env))
        try:
            with (
                contextlib.redirect_stdout(out),
                contextlib.redirect_stderr(err),
                pytest.raises(SystemExit) as ended,
            ):
                main()
        finally:
            sys.argv = kept_argv
            set_environment(kept_environment)
        code = ended.value.code
        return Run(code if isinstance(code, int) else 0, out.getvalue(), err.getvalue())

    def process(self, *arguments: str, env: dict[str, str] | None = None) -> Run:
        done = subprocess.run(
            self.command(*arguments),
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
            env=environment(env),
        )
        return Run(done.returncode, done.stdout, done.stderr)

    def command(self, *arguments: str) -> list[str]:
        return [sys.executable, "-m", "nautilus_tui.cli.main", "--home", str(self.home.root), *arguments]


@contextlib.contextmanager
def running_daemon(home: Home, listen: str = "127.0.0.1:0") -> Iterator[CommandLine]:
    """A daemon in a process of its own, on a free port too, stopped with its engines at the end."""
    cli = CommandLine(home)
    command = cli.command("daemon", "--listen", listen)
    log = home.root / "daemon.err"
    with (
        log.open("w") as errors,
        subprocess.Popen(command, stdout=subprocess.PIPE, stderr=errors, text=True) as process,
    ):
        assert process.stdout is not None
        line = process.stdout.readline()
        found = re.search(r"ready.*(https?://127\.0\.0\.1:\d+)", line)
        assert found, f"{line!r}\n{log.read_text()}"
        try:
            yield CommandLine(home, found[1])
        finally:
            if process.poll() is None:
                cli("stop", "--all")
            process.wait(60)
