"""Lines of an engine's log as records.

This module must not know where lines come from.
"""

from __future__ import annotations

import datetime as dt
import re

from data.records import EngineLog, LogLevel

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
