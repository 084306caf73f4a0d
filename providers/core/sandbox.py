"""What the sandbox twins share: an ASGI application over one function.

A twin is asked through httpx like the real thing, without a socket. This module must not know what
a twin answers.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, MutableMapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl

import msgspec

Scope = MutableMapping[str, Any]
Asgi = Callable[[Scope, Callable[[], Awaitable[Any]], Callable[[Any], Awaitable[None]]], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Asked:
    """A question as it arrived."""

    host: str
    path: str
    query: Mapping[str, str]
    headers: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Reply:
    """What is answered."""

    content: bytes
    content_type: str = "application/json"
    status: int = 200

    @classmethod
    def json(cls, value: object, status: int = 200) -> Reply:
        """Return a value as JSON."""
        return cls(msgspec.json.encode(value), "application/json; charset=utf-8", status)


def asgi(answer: Callable[[Asked], Reply]) -> Asgi:
    """Return the application that answers with a function."""

    async def application(
        scope: Scope, receive: Callable[[], Awaitable[Any]], send: Callable[[Any], Awaitable[None]]
    ) -> None:
        headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]}
        reply = answer(
            Asked(
                host=headers.get("host", ""),
                path=scope["path"],
                query=dict(parse_qsl(scope["query_string"].decode("latin-1"), keep_blank_values=True)),
                headers=headers,
            )
        )
        length = str(len(reply.content)).encode()
        await send(
            {
                "type": "http.response.start",
                "status": reply.status,
                "headers": [(b"content-type", reply.content_type.encode()), (b"content-length", length)],
            }
        )
        await send({"type": "http.response.body", "body": reply.content})

    return application
