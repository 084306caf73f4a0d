"""Bytes to records and back, for both forms the API speaks: JSON and msgpack.

JSON shows times as ISO 8601 with nanoseconds and msgpack carries integers; records hold integers.
This module must not know of connections.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec

from nautilus_tui.client.problems import WireError

#: Asked for first: smaller, faster, and exact in times.
ACCEPT = "application/vnd.msgpack, application/json;q=0.8, application/problem+json;q=0.8"
_MSGPACK_TYPES = frozenset({"application/vnd.msgpack", "application/msgpack", "application/x-msgpack"})
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_TIME = re.compile(r"(\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d)(?:\.(\d{1,9}))?(Z|[+-]\d\d:\d\d)")


def nanoseconds(text: str) -> int:
    """Return an ISO 8601 time with up to nine decimals as UTC nanoseconds.

    Raises:
        WireError: it is not such a time, or has no zone.
    """
    match = _TIME.fullmatch(text)
    if match is None:
        raise WireError(f"{text!r} is not a time", rule="times are ISO 8601 with a zone")
    whole, decimals, zone = match.groups()
    moment = datetime.fromisoformat(whole + ("+00:00" if zone == "Z" else zone))
    seconds = (moment - _EPOCH) // timedelta(seconds=1)
    return seconds * 1_000_000_000 + int((decimals or "0").ljust(9, "0"))


def with_integer_times(value: Any) -> Any:
    """Return decoded JSON in which every ``ts…`` field that holds a time as text is an integer."""
    if isinstance(value, list):
        return [with_integer_times(item) for item in value]
    if isinstance(value, dict):
        return {
            key: nanoseconds(item)
            if isinstance(item, str) and (key == "ts" or key.startswith("ts_"))
            else with_integer_times(item)
            for key, item in value.items()
        }
    return value


def decode(content: bytes, content_type: str) -> Any:
    """Return an answer's body as plain values, times as integers.

    Raises:
        WireError: the body is not what its content type says, or is neither JSON nor msgpack.
    """
    kind = content_type.split(";")[0].strip().lower()
    try:
        if kind in _MSGPACK_TYPES:
            return msgspec.msgpack.decode(content)
        if kind == "application/json" or kind.endswith("+json"):
            return with_integer_times(msgspec.json.decode(content))
    except msgspec.DecodeError as error:
        raise WireError(f"the answer is not {kind}: {error}") from error
    raise WireError(
        f"the answer is {kind or 'of no content type'}, not JSON or msgpack",
        fix="is the address a Nautilus TUI daemon?",
    )


def convert[T](value: Any, type_: type[T]) -> T:
    """Return plain values as a record.

    Raises:
        WireError: a field is missing or of another type.
    """
    try:
        return msgspec.convert(value, type_)
    except msgspec.ValidationError as error:
        raise WireError(
            f"the answer does not fit: {error}", fix="are client and daemon of the same version?"
        ) from error
