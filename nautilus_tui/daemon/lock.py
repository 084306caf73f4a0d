"""One daemon a home: a lock on a file, which the kernel releases however its holder ends.

This module must not know what a daemon does.
"""

from __future__ import annotations

import fcntl
import os
from pathlib import Path

from data.paths import Home
from data.problems import ConflictError, UnavailableError


def lock_path(home: Home) -> Path:
    """Return the lock file of a home's daemon; it holds the daemon's process id."""
    return home.run / "daemon.lock"


class DaemonLock:
    """Held from ``acquire`` until ``release`` or the end of the process."""

    def __init__(self, home: Home) -> None:
        self._path = lock_path(home)
        self._fd = -1

    def acquire(self) -> None:
        """Take the lock.

        Raises:
            ConflictError: another daemon has it; names its process.
            UnavailableError: the file cannot be opened or written: another user's, or a full disk.
        """
        try:
            fd = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError as error:
            raise _unusable(self._path, error) from error
        try:
            fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            pid = os.pread(fd, 32, 0).decode("ascii", "replace").strip() or "unknown"
            os.close(fd)
            raise ConflictError(
                f"a daemon is running for this home (process {pid})",
                rule="one daemon serves a home",
                fix="use it, or stop it first: nautilus-tui stop",
                pid=pid,
            ) from error
        try:
            os.ftruncate(fd, 0)
            os.pwrite(fd, f"{os.getpid()}\n".encode(), 0)
        except OSError as error:
            os.close(fd)
            raise _unusable(self._path, error) from error
        self._fd = fd

    def release(self) -> None:
        """Give the lock back. Idempotent."""
        if self._fd >= 0:
            os.ftruncate(self._fd, 0)
            os.close(self._fd)
            self._fd = -1


def _unusable(path: Path, error: OSError) -> UnavailableError:
    return UnavailableError(
        f"cannot lock {path}: {error.strerror}",
        rule="the home folder and what is in it are the daemon's user's to write, on a disk with room",
        fix="run the daemon as the folder's owner, free disk space, or give another folder with --home",
        path=str(path),
    )
