"""Answers to records, for both forms the API speaks: JSON and msgpack.

This module must not know of connections.
"""

from __future__ import annotations

from typing import Any

import msgspec

from data import forms
from data.problems import InvalidRequestError
from nautilus_tui.client.problems import WireError

#: Asked for first: smaller, faster, and exact in times.
ACCEPT = "application/vnd.msgpack, application/json;q=0.8, application/problem+json;q=0.8"
_MSGPACK_TYPES = frozenset({"application/vnd.msgpack", "application/msgpack", "application/x-msgpack"})


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
            return forms.from_json(content, Any)
    except (msgspec.DecodeError, InvalidRequestError) as error:
        raise WireError(f"the answer is not {kind} of ours: {error}") from error
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
