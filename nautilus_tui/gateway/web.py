"""The HTTP side of a gateway: its health and its stream connections; for all else it names the daemon.

The same structs, credentials and problem documents as the daemon's. A few routes do not need the
daemon's framework. This module must not know how events get here.
"""

from __future__ import annotations

import logging
import uuid
from collections.abc import Callable, Iterable, Sequence
from http import HTTPStatus
from typing import TYPE_CHECKING, cast

from data.commands import DropConnection, Outcome
from data.forms import to_json, to_json_form
from data.paging import Page
from data.problems import (
    ForbiddenError,
    NotFoundError,
    ProblemDocument,
    ProblemError,
)
from data.words import shown
from nautilus_tui.client.address import Address
from nautilus_tui.daemon.headers import header, headers_of
from nautilus_tui.daemon.origins import Origins
from nautilus_tui.daemon.peers import peer_of
from nautilus_tui.daemon.principal import Principal
from nautilus_tui.daemon.refusals import Note, refusal_of, unnoted
from nautilus_tui.daemon.remedies import PROBLEM, body_of
from nautilus_tui.daemon.request_pace import RequestPace
from nautilus_tui.daemon.streams.hub import StreamHub
from nautilus_tui.daemon.streams.paths import require_no_stream
from nautilus_tui.gateway.access import Access
from nautilus_tui.gateway.health import HealthWatch

if TYPE_CHECKING:
    from litestar.types import HTTPScope, Receive, Scope, Send

_JSON, _PROBLEM = b"application/json", PROBLEM.encode()
_CONNECTIONS = "/api/v1/websocket/connections"
_REFUSED = (HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN, HTTPStatus.TOO_MANY_REQUESTS)
_PREFLIGHT = b"access-control-request-method"

type Headers = list[tuple[bytes, bytes]]

logger = logging.getLogger(__name__)


class Application:
    """An ASGI application.

    Args:
        hub: whose connections are told of.
        access: who knows the peers.
        health: what is asked how the gateway is.
        daemon: named to whoever asks for what only a daemon answers.
        origins: which web pages may ask.
        requests_per_second: of one token.
        note: what takes note of who is refused.
    """

    def __init__(
        self,
        hub: StreamHub,
        access: Access,
        health: HealthWatch,
        *,
        daemon: Address | None,
        origins: Origins,
        requests_per_second: int,
        note: Note = unnoted,
    ) -> None:
        self._hub = hub
        self._access = access
        self._daemon = daemon
        self._origins = origins
        self._pace = RequestPace(requests_per_second)
        self._note = note
        self._answers: dict[str, Callable[[], object]] = {
            "/health": health.now,
            "/api/v1/websocket/health": hub.health,
            _CONNECTIONS: lambda: Page(hub.connections()),
            "/api/v1/websocket/subscriptions": lambda: Page(hub.subscriptions()),
        }

    def allow(self, requests_per_second: int) -> None:
        """Let one token ask so often from now on."""
        self._pace.change(requests_per_second)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request. WebSockets have a protocol of their own, so it is one of HTTP."""
        scope = cast("HTTPScope", scope)
        given = list(scope["headers"])
        origin: str | None = None
        principal: Principal | None = None
        try:
            origin, host = header(given, "Origin"), header(given, "Host")
            self._origins.check(origin=origin, host=host, scheme=scope["scheme"], unix=False)
            wanted = dict(given)
            if origin is not None and scope["method"] == "OPTIONS" and _PREFLIGHT in wanted:
                await _send(send, HTTPStatus.NO_CONTENT, self._origins.preflight(origin, wanted), b"")
                return
            principal = self._principal(scope, header(given, "Authorization"))
            value = self._answer(scope, principal)
            status, kind, body = HTTPStatus.OK, _JSON, to_json(value)
            more: Headers = []
        except ProblemError as error:
            document = error.document()
            status, kind, body = HTTPStatus(error.status), _PROBLEM, body_of(document)
            more = [(name.lower().encode(), value.encode()) for name, value in headers_of(document).items()]
            self._noted(scope, principal, document)
        except Exception:  # the fault is ours: the client is told that much, the log has the rest
            logger.exception("%s %s failed", scope["method"], scope["path"])
            document = ProblemError("the gateway failed to answer; its log has the details").document()
            status, kind, body, more = HTTPStatus.INTERNAL_SERVER_ERROR, _PROBLEM, body_of(document), []
        await _send(send, status, [(b"content-type", kind), *more, *self._origins.crossing(origin)], body)

    def _principal(self, scope: HTTPScope, authorization: str | None) -> Principal:
        principal = self._access.header(authorization, peer_of(scope)[0])
        self._pace.take(principal.name)
        return principal

    def _noted(self, scope: HTTPScope, known: Principal | None, document: ProblemDocument) -> None:
        if document.status not in _REFUSED:
            return
        asked = f"{scope['method']} {scope['path']}"
        self._note(refusal_of("http.refused", asked, peer_of(scope), document, known))

    def _answer(self, scope: HTTPScope, principal: Principal) -> object:
        method, path = scope["method"], scope["path"]
        found = self._answers.get(path)
        if found is not None:
            _require(method, ("GET", "HEAD"), path)
            answer = found()
            return Page(to_json_form(answer.items), answer.next) if isinstance(answer, Page) else answer
        head, _, connection_id = path.rpartition("/")
        if head == _CONNECTIONS and connection_id:
            _require(method, ("DELETE",), path)
            return self._drop(connection_id, principal)
        require_no_stream(path)
        where = f"at {self._daemon}" if self._daemon is not None else "that publishes to this gateway"
        raise NotFoundError(
            f"a gateway has no {shown(path, 200)}",
            rule="a gateway serves streams at /ws, and " + ", ".join(self._answers),
            fix=f"ask the daemon {where}",
        )

    def _drop(self, connection_id: str, principal: Principal) -> Outcome:
        """Close one of this gateway's connections; the daemon has no part in it, so the log has the entry."""
        if not principal.may("admin"):
            raise ForbiddenError(
                f"{principal.name} has the role {principal.role}",
                rule="connections are closed by the role admin",
                fix="use a token of role admin",
            )
        self._hub.drop(connection_id)
        logger.info("connection closed", extra={"connection": connection_id, "by": principal.name})
        name = str(DropConnection.__struct_config__.tag)
        return Outcome(command_id=uuid.uuid4().hex, command=name, outcome="done")


class MethodNotAllowedError(ProblemError):
    """The path is there and does something else."""

    type, title, status = "method-not-allowed", "Method not allowed", 405


def _require(method: str, taken: Sequence[str], path: str) -> None:
    """Refuse a method that a path does not take. HEAD is GET; the server leaves the body out."""
    if method not in taken:
        raise MethodNotAllowedError(
            f"{shown(path, 200)} does not take {method}",
            rule=f"it takes {' and '.join(taken)}",
            fix=f"use {taken[0]}",
            allow=", ".join(taken),
        )


async def _send(send: Send, status: int, headers: Iterable[tuple[bytes, bytes]], body: bytes) -> None:
    length = (b"content-length", str(len(body)).encode())
    await send({"type": "http.response.start", "status": status, "headers": [*headers, length]})
    await send({"type": "http.response.body", "body": body, "more_body": False})
