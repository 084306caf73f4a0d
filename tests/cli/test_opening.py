"""The workstation opened as users open it, on a pseudo-terminal: it paints, runs, is left and found again."""

from __future__ import annotations

import fcntl
import os
import pty
import select
import signal
import struct
import subprocess
import termios
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from tests.cli.driving import CommandLine

PATIENCE_S = 60.0


@dataclass
class Screen:
    """The far end of a pseudo-terminal, and everything that was written on it."""

    terminal: int
    process: subprocess.Popen[bytes]
    written: bytes = b""

    def read_until(self, shown: str) -> None:
        """Read until ``shown`` has been written since the last call."""
        begin, deadline = len(self.written), time.monotonic() + PATIENCE_S
        while shown.encode() not in self.written[begin:]:
            assert select.select([self.terminal], [], [], deadline - time.monotonic())[0], shown
            self.written += os.read(self.terminal, 65_536)

    def read_until_it_shows(self, text: str) -> None:
        """Read until ``text`` is on the screen: it is painted anew, for parts of it may have been there."""
        deadline, columns, patience = time.monotonic() + PATIENCE_S, 180, 1.0
        while time.monotonic() < deadline:
            # wide, for words are shortened where alerts need room; a busy machine paints slowly
            columns, patience = 361 - columns, 2 * patience
            fcntl.ioctl(self.terminal, termios.TIOCSWINSZ, struct.pack("HHHH", 40, columns, 0, 0))
            self.process.send_signal(signal.SIGWINCH)
            begin, enough = len(self.written), time.monotonic() + patience
            while select.select([self.terminal], [], [], max(enough - time.monotonic(), 0))[0]:
                self.written += os.read(self.terminal, 65_536)
                if text.encode() in self.written[begin:]:
                    return
        raise AssertionError(text)

    def press(self, keys: str) -> None:
        os.write(self.terminal, keys.encode())

    def end(self) -> int:
        """Read what is left and return the exit code."""
        while select.select([self.terminal], [], [], PATIENCE_S)[0]:
            try:
                read = os.read(self.terminal, 65_536)
                if not read:
                    break
                self.written += read
            except OSError:  # how a pseudo-terminal says that its other end is closed
                break
        return self.process.wait(PATIENCE_S)


@contextmanager
def opened(cli: CommandLine, *arguments: str, **more: str) -> Iterator[Screen]:
    """The workstation on a terminal of 120×40; ``more`` is put into its environment."""
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 40, 120, 0, 0))
    environment = os.environ | {"TERM": "xterm-256color", "COLORTERM": "truecolor", **more}
    process = subprocess.Popen(
        cli.command(*arguments),
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        start_new_session=True,
        env=environment,
    )
    os.close(theirs)
    try:
        yield Screen(ours, process)
    finally:
        process.kill()
        process.wait()
        os.close(ours)


def test_open_leave_and_come_back(cli: CommandLine) -> None:
    cli.home.ensure()
    cli.home.config_file.write_text("[simulator]\nhistory_minutes = 10\n")
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
    cli.home.ensure()
    cli.home.config_file.write_text("[simulator]\nhistory_minutes = 10\n")
    try:
        with opened(cli) as screen:
            screen.read_until("RUNNING")
            pid = cli("--json", "engine", "list").json[0]["pid"]
            screen.process.kill()
        assert cli("--json", "order", "buy", "AAPL.SIM", "1", "--wait").json["status"] == "filled"
        assert cli("--json", "engine", "list").json[0]["pid"] == pid
    finally:
        cli("stop", "--all")
