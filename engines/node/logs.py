"""The engine's log lines on their way to a screen.

NautilusTrader's logger writes to standard output, errors to standard error; both are a pipe back into
this process: here the lines go to the log file at once, and on as records. What the interpreter itself
says when it crashes goes to the file directly. This module must not know who reads.
"""

from __future__ import annotations

import asyncio
import faulthandler
import os
import time
from collections import deque
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path

from nautilus_trader.common.component import flush_logger

from data.records import EngineLog
from engines.loglines import parse

KEPT_LINES = 500


class LogPipe:
    """Reads the process's own standard output, keeps it in a file and passes lines on as records."""

    def __init__(self, engine: str, path: Path, listener: Callable[[Sequence[EngineLog]], None]) -> None:
        self._engine = engine
        self._path = path
        self._file = -1
        self._listener = listener
        self._rest = b""
        self.recent: deque[EngineLog] = deque(maxlen=KEPT_LINES)
        self._read_end = -1

    def open(self) -> None:
        """Put the pipe in the place of standard output and error and begin to read it."""
        self._path.parent.mkdir(parents=True, exist_ok=True)
        self._file = os.open(self._path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        self._read_end, write_end = os.pipe()
        os.set_blocking(self._read_end, False)
        os.dup2(write_end, 1)
        os.dup2(write_end, 2)
        os.close(write_end)
        faulthandler.enable(file=self._file)
        asyncio.get_running_loop().add_reader(self._read_end, self._on_readable)

    def drain(self) -> None:
        """Read what is left; what the process says from now on goes to the file directly."""
        flush_logger()
        os.dup2(self._file, 1)
        os.dup2(self._file, 2)
        with suppress(BlockingIOError):
            while self._on_readable():
                continue

    def _on_readable(self) -> bool:
        chunk = os.read(self._read_end, 1 << 16)
        if not chunk:
            asyncio.get_running_loop().remove_reader(self._read_end)
            return False
        os.write(self._file, chunk)
        *lines, self._rest = (self._rest + chunk).split(b"\n")
        now = time.time_ns()
        found = [parse(self._engine, line.decode("utf-8", "replace"), now) for line in lines]
        records = [line for line in found if line is not None]
        if records:
            self.recent.extend(records)
            self._listener(records)
        return True
