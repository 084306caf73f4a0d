"""The workstation on a pseudo-terminal, and what a person would see there.

A terminal emulator keeps the screen: words are looked for where they stand, however they were
painted there. This module must not know what a pane shows.
"""

from __future__ import annotations

import fcntl
import os
import pty
import select
import struct
import subprocess
import termios
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

import pyte

from tests.cli.driving import CommandLine, environment

PATIENCE_S = 60.0
#: Wide enough for the status line not to shorten its words.
COLUMNS, LINES = 180, 40


class _Emulator(pyte.Screen):
    def select_graphic_rendition(self, *attributes: int, **_private: bool) -> None:
        """Ignore colours: reading them costs most of the time, and nobody asks."""


@dataclass
class Screen:
    """The far end of a pseudo-terminal: all that was written on it, and what stands on it now."""

    terminal: int
    process: subprocess.Popen[bytes]
    written: bytes = b""
    _emulator: _Emulator = field(default_factory=lambda: _Emulator(COLUMNS, LINES))

    def __post_init__(self) -> None:
        self._stream = pyte.ByteStream(self._emulator)

    def read_until(self, text: str) -> None:
        """Read until ``text`` stands on the screen.

        Raises:
            AssertionError: it did not within a minute; the message is what stood there.
        """
        deadline = time.monotonic() + PATIENCE_S
        while not any(text in line for line in self._emulator.display):
            left = max(deadline - time.monotonic(), 0)
            if not select.select([self.terminal], [], [], left)[0] or not self._read():
                raise AssertionError(f"{text!r} is not on the screen:\n" + "\n".join(self._emulator.display))

    def press(self, keys: str) -> None:
        os.write(self.terminal, keys.encode())

    def hang_up(self) -> int:
        """Take the terminal away, as a connection that breaks does, and return the exit code."""
        nothing = os.open(os.devnull, os.O_RDWR)
        os.dup2(nothing, self.terminal)
        os.close(nothing)
        return self.process.wait(PATIENCE_S)

    def end(self) -> int:
        """Read what is left and return the exit code."""
        while select.select([self.terminal], [], [], PATIENCE_S)[0] and self._read():
            pass
        return self.process.wait(PATIENCE_S)

    def _read(self) -> bool:
        """Put what has been written on the screen; False: the other end is closed."""
        try:
            read = os.read(self.terminal, 65_536)
        except OSError:  # how a pseudo-terminal says that its other end is closed
            return False
        self.written += read
        self._stream.feed(read)
        return bool(read)


@contextmanager
def opened(cli: CommandLine, *arguments: str, **more: str) -> Iterator[Screen]:
    """The workstation on a terminal of its own; ``more`` is put into its environment."""
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", LINES, COLUMNS, 0, 0))
    process = subprocess.Popen(
        cli.command(*arguments),
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        start_new_session=True,
        env=environment({"TERM": "xterm-256color", "COLORTERM": "truecolor", **more}),
    )
    os.close(theirs)
    try:
        yield Screen(ours, process)
    finally:
        process.kill()
        process.wait()
        os.close(ours)
