"""Authentication of every HTTP request, before anything else looks at it.

This module must not know of routes.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec
from litestar.connection import ASGIConnection
from litestar.enums import ScopeType
from litestar.handlers import BaseRouteHandler
from litestar.types import ASGIApp, Receive, Scope, Send

from data.access import Role
from data.problems import ForbiddenError, ProblemError, RateLimitedError
from nautilus_tui.daemon.api.answers import PROBLEM
from nautilus_tui.daemon.auth import Authenticator
from nautilus_tui.daemon.peers import UNIX, peer_of
from nautilus_tui.daemon.principal import Principal
from nautilus_tui.daemon.streams.session import Pace


class Authenticated:
    """An ASGI application that lets only known peers through to another."""

    def __init__(self, app: ASGIApp, authenticator: Authenticator, requests_per_second: int) -> None:
        self._app = app
        self._authenticator = authenticator
        self._rate = requests_per_second
        self._paces: dict[str, Pace] = {}  # as many as there are tokens

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request, or the application's life span."""
        if scope["type"] != ScopeType.HTTP:
            await self._app(scope, receive, send)
            return
        try:
            scope["user"] = self._principal(scope)
        except ProblemError as error:
            await _refuse(send, error)
            return
        scope["auth"] = None
        await self._app(scope, receive, send)

    def _principal(self, scope: Scope) -> Principal:
        peer, uid = peer_of(scope)
        if peer == UNIX and uid is not None:
            return self._authenticator.unix_peer(uid)
        headers = dict(scope["headers"])
        header = headers.get(b"authorization")
        text = None if header is None else header.decode("latin-1")
        principal = self._authenticator.authorization(text, peer)
        if not self._paces.setdefault(principal.name, Pace(self._rate)).take():
            raise RateLimitedError(
                f"{principal.name} asks more than {self._rate} times a second",
                rule=f"at most {self._rate} requests a second with one token",
                fix="ask less often, or subscribe to the streams",
            )
        return principal


async def _refuse(send: Send, error: ProblemError) -> None:
    body = msgspec.json.encode(error.document())
    headers = [(b"content-type", PROBLEM.encode()), (b"content-length", str(len(body)).encode())]
    if error.status == 401:
        headers.append((b"www-authenticate", b"Bearer"))
    await send({"type": "http.response.start", "status": error.status, "headers": headers})
    await send({"type": "http.response.body", "body": body, "more_body": False})


def needs(role: Role) -> Callable[[ASGIConnection[Any, Any, Any, Any], BaseRouteHandler], None]:
    """Return a guard that lets those through who have at least ``role``."""

    def guard(connection: ASGIConnection[Any, Any, Any, Any], _: BaseRouteHandler) -> None:
        principal: Principal = connection.user
        if not principal.may(role):
            raise ForbiddenError(
                f"{principal.name} has the role {principal.role}",
                rule=f"{connection.url.path} is for the role {role} and above",
                fix=f"use a token of role {role}",
            )

    return guard
