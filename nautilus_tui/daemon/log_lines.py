"""The log of a process that serves: lines for people, or one JSON object a line for machines.

A record's fields (``extra=``) are told in both forms. Credentials are taken out of messages, fields
and tracebacks. Daemon and gateway both use it; nothing is written to stdout. This module must not
know what is logged.
"""

from __future__ import annotations

import datetime as dt
import logging
import sys
from collections.abc import Mapping
from types import TracebackType
from typing import Any, Literal, TextIO

from pythonjsonlogger.msgspec import MsgspecFormatter

from providers.core.secrets import keep_out_of_logs, redact

type LogFormat = Literal["text", "json"]

#: Libraries that tell their own story at level info.
_CHATTY = ("apscheduler", "uvicorn", "httpx", "httpcore", "asyncio", "litestar")
#: What every record has; the rest of its attributes are fields that someone gave.
_OWN = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "color_message"}


class _Lines(logging.StreamHandler[TextIO]):
    """Our handler, found again when the form changes."""


def set_up_logging(level: str, form: LogFormat = "text", stream: TextIO | None = None) -> None:
    """Log from now on, at least ``level``, to ``stream`` (stderr if left out).

    May be called again to change either while the process runs. Warnings of Python and exceptions that
    nobody caught become records like all others.
    """
    root = logging.getLogger()
    handler = next((one for one in root.handlers if isinstance(one, _Lines)), None)
    if handler is None:
        handler = _Lines(stream or sys.stderr)
        root.addHandler(handler)
    elif stream is not None:
        handler.setStream(stream)
    handler.setFormatter(JsonLines() if form == "json" else TextLines())
    root.setLevel(level.upper())
    for name in _CHATTY:
        logging.getLogger(name).setLevel(logging.WARNING)
    logging.captureWarnings(True)
    sys.excepthook = _uncaught
    keep_out_of_logs()


class TextLines(logging.Formatter):
    """``2026-01-31T12:00:00.000000Z INFO nautilus_tui.daemon.app listening url=http://127.0.0.1:8787``."""

    def __init__(self) -> None:
        super().__init__("%(asctime)s %(levelname)s %(name)s %(message)s")

    def formatTime(self, record: logging.LogRecord, datefmt: str | None = None) -> str:  # noqa: N802
        """Return a record's time in UTC."""
        return _time(record)

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802
        """Return a record's line, its fields behind the message, on one line whatever is in them."""
        record.message = _one_line(redact(record.message))
        told = "".join(f" {name}={_one_line(str(value))}" for name, value in _fields(record).items())
        return super().formatMessage(record) + told

    def formatException(self, ei: Any) -> str:  # noqa: N802
        """Return a traceback."""
        return redact(super().formatException(ei))


class JsonLines(MsgspecFormatter):
    """``{"ts": …, "level": "info", "logger": …, "message": …}`` and the record's fields.

    A traceback is the field ``exception``. A field that has the name of one of these is told as
    ``field_<name>``.
    """

    def __init__(self) -> None:
        super().__init__(json_default=str)

    def add_fields(
        self, log_data: dict[str, Any], record: logging.LogRecord, message_dict: dict[str, Any]
    ) -> None:
        """Put together what is told of a record."""
        log_data["ts"] = _time(record)
        log_data["level"] = record.levelname.lower()
        log_data["logger"] = record.name
        log_data["message"] = _clean(record.getMessage())
        exception = message_dict.get("exc_info")
        if exception:
            log_data["exception"] = _clean(exception)
        if record.stack_info:
            log_data["stack"] = _clean(record.stack_info)
        for name, value in _fields(record).items():
            log_data[f"field_{name}" if name in log_data else name] = value


def _time(record: logging.LogRecord) -> str:
    moment = dt.datetime.fromtimestamp(record.created, dt.UTC)
    return moment.isoformat(timespec="microseconds").replace("+00:00", "Z")


def _fields(record: logging.LogRecord) -> dict[str, Any]:
    return {name: _clean(value) for name, value in vars(record).items() if name not in _OWN}


def _clean(value: Any) -> Any:
    """Return a value without credentials, and as something that can be written."""
    match value:
        case None | bool() | float():
            return value
        case int():
            return value if -(2**63) <= value < 2**63 else str(value)
        case str():
            return redact(value).encode("utf-8", "backslashreplace").decode()
        case Mapping():
            return {str(key): _clean(item) for key, item in value.items()}
        case list() | tuple() | set() | frozenset():
            return [_clean(item) for item in value]
    return _clean(str(value))


def _one_line(text: str) -> str:
    """Return a text in which nothing begins a line of its own: a log is read line by line."""
    return text if text.isprintable() else "".join(c if c.isprintable() else repr(c)[1:-1] for c in text)


def _uncaught(type_: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
    if issubclass(type_, KeyboardInterrupt):
        sys.__excepthook__(type_, error, trace)
        return
    logging.getLogger("nautilus_tui").critical("ended by an error", exc_info=(type_, error, trace))
