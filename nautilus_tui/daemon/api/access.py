"""What stands before every HTTP request: whose page it is, who asks, how often; and a note of refusals.

The answer to a refused command waits until its audit entry is on the disk. This module must not know
of routes.
"""

from __future__ import annotations

from collections.abc import Mapping
from http import HTTPStatus
from typing import Any, cast

import msgspec
from litestar.enums import ScopeType
from litestar.types import ASGIApp, HTTPResponseStartEvent, HTTPScope, Message, Receive, Scope, Send

from data.problems import InvalidRequestError, ProblemDocument, ProblemError
from nautilus_tui.daemon.api.levels import levels
from nautilus_tui.daemon.api.roles import audited, makes_a_command
from nautilus_tui.daemon.auth import Authenticator
from nautilus_tui.daemon.headers import header, headers_of
from nautilus_tui.daemon.origins import Origins
from nautilus_tui.daemon.peers import UNIX, peer_of
from nautilus_tui.daemon.principal import Principal
from nautilus_tui.daemon.refusals import Note, Record, Refusal, refusal_of
from nautilus_tui.daemon.remedies import PROBLEM, body_of, remedied
from nautilus_tui.daemon.request_pace import RequestPace
from providers.core.secrets import redact

#: Methods that change nothing.
_SAFE = frozenset({"GET", "HEAD", "OPTIONS"})
_ACCESS_PROBLEMS = frozenset({"unauthorized", "forbidden", "rate-limited"})


class Authenticated:
    """An ASGI application that lets only known peers through to another.

    Args:
        app: the other.
        authenticator: who knows the peers.
        origins: which web pages may ask.
        note: what takes note of refusals.
        record: what writes a refused command, and returns when it is written.
        max_headers, max_header_bytes: of one request.
        requests_per_second: of one token. Peers of the unix socket are the daemon's own user, who
            could stop it altogether: they are not counted.
    """

    def __init__(
        self,
        app: ASGIApp,
        authenticator: Authenticator,
        requests_per_second: int,
        *,
        max_headers: int,
        max_header_bytes: int,
        origins: Origins,
        note: Note,
        record: Record,
    ) -> None:
        self._app = app
        self._authenticator = authenticator
        self._pace = RequestPace(requests_per_second)
        self._max_headers = max_headers
        self._max_header_bytes = max_header_bytes
        self._origins = origins
        self._note = note
        self._record = record

    def allow(self, requests_per_second: int) -> None:
        """Let one token ask so often from now on."""
        self._pace.change(requests_per_second)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request, or the application's life span."""
        if scope["type"] != ScopeType.HTTP:
            await self._app(scope, receive, send)
            return
        request = scope
        given = list(request["headers"])
        headers = dict(given)
        crossing = self._origins.crossing(_text(headers.get(b"origin")))
        answer = _Answer(request, send, crossing, self._note, self._record)
        try:
            self._check_headers(given)
            origin = header(given, "Origin")
            self._origins.check(
                origin=origin,
                host=_text(headers.get(b"host")),
                scheme=request["scheme"],
                unix=peer_of(request)[0] == UNIX,
            )
            if origin is not None and _is_preflight(request, headers):
                await answer.empty(self._origins.preflight(origin, headers))
                return
            principal = self._principal(request, header(given, "Authorization"))
        except ProblemError as error:
            await answer.refuse(error)
            return
        scope["path"] = levels(scope["raw_path"])
        scope["user"] = answer.principal = principal
        scope["auth"] = None
        if request["method"] == "HEAD":  # as GET is answered; the server leaves the body out
            await self._app(cast(Scope, {**scope, "method": "GET"}), receive, answer.send)
            return
        await self._app(scope, receive, answer.send)

    def _check_headers(self, given: list[tuple[bytes, bytes]]) -> None:
        """Refuse headers that are too many or too large; what came in one piece was not measured yet."""
        size = sum(len(name) + len(value) for name, value in given)
        if len(given) > self._max_headers or size > self._max_header_bytes:
            raise InvalidRequestError(
                f"{len(given)} headers with {size} bytes",
                rule=f"at most {self._max_headers} headers, with {self._max_header_bytes} bytes",
            )

    def _principal(self, scope: HTTPScope, authorization: str | None) -> Principal:
        peer, uid = peer_of(scope)
        if peer == UNIX and uid is not None:
            return self._authenticator.unix_peer(uid)
        principal = self._authenticator.authorization(authorization, peer)
        self._pace.take(principal.name)
        return principal


class _Answer:
    """The way back of one request: adds headers for other origins' pages, and notes what was refused.

    Refused means: not known, not allowed or too often, whatever was asked; or a change that was not
    made and never became a command. What became one is audited by the door; what was to be one, sent by
    somebody who is known, has an entry of its own as well, before the answer.
    """

    def __init__(
        self,
        scope: HTTPScope,
        send: Send,
        crossing: list[tuple[bytes, bytes]],
        note: Note,
        record: Record,
    ) -> None:
        self._scope = scope
        self._send = send
        self._crossing = crossing
        self._note = note
        self._record = record
        self._status = 200
        self._start: Message | None = None  #: the beginning of a refusal, until it is written down
        self.principal: Principal | None = None

    async def send(self, message: Message) -> None:
        """Pass one message of the answer on."""
        if message["type"] == "http.response.start":
            self._status = message["status"]
            if self._crossing:
                started = cast("dict[str, Any]", message)
                message = cast(
                    HTTPResponseStartEvent, {**started, "headers": [*message["headers"], *self._crossing]}
                )
            if 400 <= self._status < 500:
                self._start = message
                return
        elif self._start is not None and message["type"] == "http.response.body":
            start, self._start = self._start, None
            await self._judge(message["body"])
            await self._send(start)
        await self._send(message)

    async def refuse(self, error: ProblemError) -> None:
        """Answer with a problem and note it."""
        document = remedied(error.document())
        self._note(self._refusal(document))
        body = redact(body_of(document).decode()).encode()
        headers = [(b"content-type", PROBLEM.encode()), (b"content-length", str(len(body)).encode())]
        headers += [(name.lower().encode(), value.encode()) for name, value in headers_of(document).items()]
        await self._whole(error.status, headers + self._crossing, body)

    async def empty(self, headers: list[tuple[bytes, bytes]]) -> None:
        """Answer with headers only."""
        await self._whole(HTTPStatus.NO_CONTENT, headers, b"")

    async def _whole(self, status: int, headers: list[tuple[bytes, bytes]], body: bytes) -> None:
        await self._send({"type": "http.response.start", "status": status, "headers": headers})
        await self._send({"type": "http.response.body", "body": body, "more_body": False})

    async def _judge(self, body: bytes) -> None:
        if audited(self._scope):
            return
        refusal = self._refusal(_document(body, self._status))
        if makes_a_command(self._scope):
            await self._record(refusal)
        elif self._scope["method"] not in _SAFE or refusal.problem.type in _ACCESS_PROBLEMS:
            self._note(refusal)

    def _refusal(self, document: ProblemDocument) -> Refusal:
        asked = f"{self._scope['method']} {self._scope['path']}"
        return refusal_of("http.refused", asked, peer_of(self._scope), document, self.principal)


def _document(body: bytes, status: int) -> ProblemDocument:
    try:
        return msgspec.json.decode(body, type=ProblemDocument)
    except msgspec.MsgspecError:  # not one of ours; its status says what it was
        title = HTTPStatus(status).phrase
        return ProblemDocument(type="http-error", title=title, status=status, detail=title)


def _is_preflight(scope: HTTPScope, headers: Mapping[bytes, bytes]) -> bool:
    return scope["method"] == "OPTIONS" and b"access-control-request-method" in headers


def _text(header: bytes | None) -> str | None:
    return None if header is None else header.decode("latin-1")
