"""How long it takes from the command to the first picture, to a daemon that answers, and to live quotes.

Measured from outside, on real processes: the terminal runs on a pseudo-terminal of its own, in a home
of its own that is removed afterwards. This module must not know how any of it starts.
"""

from __future__ import annotations

import fcntl
import os
import pty
import select
import struct
import subprocess
import sys
import tempfile
import termios
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from statistics import median

from data.paths import Home
from data.problems import UnavailableError
from nautilus_tui.bench.rows import BenchRow, row

_ROUNDS = 3
_SIZE = (40, 120)
_PATIENCE_S = 60.0
#: What the terminal shows first, and what it shows as soon as the engine's quotes arrive.
_PAINTED, _LIVE = b"Watchlist", b"RUNNING"


def run(scale: int = 1) -> list[BenchRow]:
    """Measure opening; ``scale`` multiplies the rounds, of which the middle one counts."""
    rounds = _ROUNDS * scale
    ready = [_daemon_ready() for _ in range(rounds)]
    opened = [_opened() for _ in range(rounds)]
    detail = f"middle of {rounds}, everything stopped before, Python's own start included"
    return [
        row("daemon ready", median(ready), "s", better="less", limit=1.0, goal="≤ 1.0 s", detail=detail),
        row(
            "terminal first paint",
            median(painted for painted, _ in opened),
            "s",
            better="less",
            limit=0.6,
            goal="≤ 0.6 s",
            detail=f"{detail}; 120×40",
        ),
        row(
            "command to engine running on screen",
            median(live for _, live in opened),
            "s",
            better="less",
            limit=5.0,
            goal="≤ 5 s",
            detail=f"{detail}; daemon and engine started with it",
        ),
    ]


def _command(home: Home, *arguments: str) -> list[str]:
    return [sys.executable, "-m", "nautilus_tui.cli.main", "--home", str(home.root), *arguments]


@contextmanager
def _home() -> Iterator[Home]:
    with tempfile.TemporaryDirectory(prefix="ntui-bench-") as folder:
        home = Home(Path(folder) / "home")
        try:
            yield home
        finally:
            subprocess.run(_command(home, "stop", "--all"), capture_output=True, check=False, timeout=120)


def _daemon_ready() -> float:
    """Return the seconds from the command to the line that says ready."""
    with _home() as home:
        began = time.perf_counter()
        with subprocess.Popen(_command(home, "daemon"), stdout=subprocess.PIPE) as process:
            assert process.stdout is not None  # a pipe was asked for
            line = process.stdout.readline()
            took = time.perf_counter() - began
            process.terminate()
        if b"ready" not in line:
            raise UnavailableError("the daemon did not get ready", fix="nautilus-tui doctor")
        return took


def _opened() -> tuple[float, float]:
    """Return the seconds from the command to the first picture, and to an engine that runs."""
    with _home() as home:
        ours, theirs = pty.openpty()
        fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", *_SIZE, 0, 0))
        began = time.perf_counter()
        process = subprocess.Popen(
            _command(home),
            stdin=theirs,
            stdout=theirs,
            stderr=theirs,
            start_new_session=True,
            env=os.environ | {"TERM": "xterm-256color", "COLORTERM": "truecolor"},
        )
        os.close(theirs)
        try:
            painted = _until(ours, _PAINTED, began)
            live = _until(ours, _LIVE, began)
        finally:
            process.kill()
            process.wait()
            os.close(ours)
        return painted, live


def _until(terminal: int, shown: bytes, began: float) -> float:
    """Return the seconds since ``began`` when the terminal first writes ``shown``."""
    seen = b""
    deadline = began + _PATIENCE_S
    while shown not in seen:
        if not select.select([terminal], [], [], max(0.0, deadline - time.perf_counter()))[0]:
            raise UnavailableError(f"the terminal did not show {shown.decode()} in {_PATIENCE_S:.0f} s")
        seen = seen[-len(shown) :] + os.read(terminal, 65_536)
    return time.perf_counter() - began
