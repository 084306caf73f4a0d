"""A daemon of one's own: found if it runs, else started in the background and awaited.

This module must not know what a daemon does.
"""

from __future__ import annotations

import os
import select
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from data.paths import Home
from data.problems import UnavailableError

_START_S = 30.0
_RIVAL_S = 5.0
_PAUSE_S = 0.05
_LONG_LOG = 10_000_000
READY = b"ready"


def answers(home: Home) -> bool:
    """Say whether something listens on the daemon's socket."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
        probe.settimeout(1.0)
        try:
            probe.connect(str(home.daemon_socket))
        except OSError:
            return False
    return True


def begin(home: Home, profile: str | None = None) -> Callable[[], None]:
    """Start a daemon in the background if none runs; return what waits until it answers.

    ``profile`` is that of the providers, if it is not to be the settings' own.

    Between the two the caller may do something useful, for instance load the terminal. What is
    returned raises UnavailableError when the daemon did not start.
    """
    home.ensure()
    if answers(home):
        return lambda: None
    _turn_over(home.daemon_log)
    told, tell = os.pipe()
    command = [sys.executable, "-P", "-m", "nautilus_tui.cli.main", "--home", str(home.root)]
    command += ["--profile", profile] if profile else []
    with home.daemon_log.open("ab") as log:
        # The daemon outlives this process: its own session, no terminal, output to its log.
        child = subprocess.Popen(
            [*command, "daemon", "--ready-fd", str(tell)],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            cwd=home.root,
            start_new_session=True,
            pass_fds=[tell],
        )
    os.close(tell)

    def wait() -> None:
        try:
            ready, _, _ = select.select([told], [], [], _START_S)
            if ready and os.read(told, 16).startswith(READY):
                return
        finally:
            os.close(told)
        if _a_rival_answers(home):
            return
        code = child.poll()
        raise UnavailableError(
            f"the daemon did not start ({'still trying' if code is None else f'exit code {code}'})"
            + _last_words(home.daemon_log),
            rule="the workstation needs a daemon",
            fix=f"see {home.daemon_log}, or run nautilus-tui daemon",
        )

    return wait


def _turn_over(log: Path) -> None:
    """Set a log that has grown long aside, over the one set aside before."""
    if log.exists() and log.stat().st_size > _LONG_LOG:
        log.replace(log.with_suffix(".log.1"))


def _a_rival_answers(home: Home) -> bool:
    """Say whether the daemon that someone else started at the same moment comes to answer."""
    deadline = time.monotonic() + _RIVAL_S
    while time.monotonic() < deadline:
        if answers(home):
            return True
        time.sleep(_PAUSE_S)
    return False


def _last_words(log: Path) -> str:
    try:
        lines = log.read_text(errors="replace").strip().splitlines()
    except FileNotFoundError:
        return ""
    return f": {lines[-1]}" if lines else ""


@contextmanager
def instead_of_daemon(home: Home) -> Iterator[None]:
    """Be the one who may write the home's files, as the daemon is while it runs.

    Raises:
        ConflictError: a daemon runs.
    """
    from nautilus_tui.daemon.lock import DaemonLock

    lock = DaemonLock(home.ensure())
    lock.acquire()
    try:
        yield
    finally:
        lock.release()


def pid_of(home: Home) -> int | None:
    """Return the process id of the home's daemon, as its lock file tells it."""
    from nautilus_tui.daemon.lock import lock_path

    try:
        return int(lock_path(home).read_text())
    except (FileNotFoundError, ValueError):
        return None


def wait_until_gone(pid: int, timeout: float) -> bool:
    """Wait until a process has ended; say whether it has.

    One that has ended and waits to be reaped is gone: whoever started it, a terminal that is still
    open for instance, may never ask after it.
    """
    import psutil

    deadline = time.monotonic() + timeout
    try:
        process = psutil.Process(pid)
        # The first thread may have ended before the others: the process is gone when it was the last.
        while process.status() != psutil.STATUS_ZOMBIE or process.num_threads() > 1:
            if time.monotonic() > deadline:
                return False
            with suppress(psutil.TimeoutExpired):
                process.wait(_PAUSE_S)
                return True
    except psutil.NoSuchProcess:
        return True
    return True
