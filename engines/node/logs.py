"""The engine's log lines on their way to a screen.

NautilusTrader's logger writes to standard output, which is a pipe back into this process: here the
lines go to the log file at once, and on as records. This module must not know who reads.
"""

from __future__ import annotations

import asyncio
import datetime as dt
import os
import re
import time
from collections import deque
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path

from nautilus_trader.common.component import flush_logger

from data.records import EngineLog, LogLevel

KEPT_LINES = 500
_ANSI = re.compile(r"\x1b\[[0-9;]*m")
_LINE = re.compile(
    r"^(?P<time>\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(?:\.(?P<fraction>\d{1,9}))?Z \[(?P<level>\w+)\] "
    r"(?P<component>[^:]+): (?P<message>.*)$"
)
_ORDER = re.compile(r"(?:ClientOrderId\('|client_order_id=)(?P<id>[A-Za-z0-9_.\-]+)")
_LEVELS: dict[str, LogLevel] = {
    "DEBUG": "debug",
    "TRACE": "debug",
    "INFO": "info",
    "WARN": "warning",
    "WARNING": "warning",
    "ERROR": "error",
    "CRITICAL": "critical",
}


def parse(engine: str, line: str, now: int) -> EngineLog | None:
    """Return the record of one line of NautilusTrader's log, or None for an empty line.

    A line in another format (a traceback, a banner) is kept whole as the message.
    """
    text = _ANSI.sub("", line).rstrip()
    if not text:
        return None
    match = _LINE.match(text)
    if match is None:
        return EngineLog(engine=engine, level="info", component="stdout", message=text, ts=now)
    order = _ORDER.search(match["message"])
    component = match["component"].rsplit(".", 1)[-1]
    return EngineLog(
        engine=engine,
        level=_LEVELS.get(match["level"], "info"),
        component=component,
        message=match["message"],
        client_order_id=None if order is None else order["id"],
        ts=_time(match["time"], match["fraction"]),
    )


def _time(seconds: str, fraction: str | None) -> int:
    moment = dt.datetime.fromisoformat(seconds).replace(tzinfo=dt.UTC)
    return int(moment.timestamp()) * 1_000_000_000 + int((fraction or "0").ljust(9, "0"))


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
        """Put the pipe in the place of standard output and begin to read it."""
        self._path.parent.mkdir(parents=True, exist_ok=True)
        self._file = os.open(self._path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        self._read_end, write_end = os.pipe()
        os.set_blocking(self._read_end, False)
        os.dup2(write_end, 1)
        os.close(write_end)
        asyncio.get_running_loop().add_reader(self._read_end, self._on_readable)

    def drain(self) -> None:
        """Read what is left at the end of the process's life."""
        flush_logger()
        with suppress(BlockingIOError):
            while True:
                self._on_readable()

    def _on_readable(self) -> None:
        chunk = os.read(self._read_end, 1 << 16)
        os.write(self._file, chunk)
        *lines, self._rest = (self._rest + chunk).split(b"\n")
        now = time.time_ns()
        found = [parse(self._engine, line.decode("utf-8", "replace"), now) for line in lines]
        records = [line for line in found if line is not None]
        if records:
            self.recent.extend(records)
            self._listener(records)
