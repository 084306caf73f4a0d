"""The beginning of a stream connection: whose page asks, who is there, and the answer to who may not.

This module must not know what is subscribed or said afterwards.
"""

from __future__ import annotations

import http
from collections.abc import Sequence
from typing import Protocol

from websockets.http11 import Request, Response
from websockets.server import ServerProtocol
from websockets.typing import Subprotocol

from data.problems import ProblemError, UnauthorizedError
from nautilus_tui.daemon.headers import bearer, headers_of, once
from nautilus_tui.daemon.origins import Origins
from nautilus_tui.daemon.principal import Principal
from nautilus_tui.daemon.remedies import PROBLEM, body_of
from nautilus_tui.daemon.streams.peers import Peer
from nautilus_tui.daemon.streams.wire import SUBPROTOCOLS


class Authenticate(Protocol):
    """Proves who is there, by a token or a unix peer's user id; ``peer`` is an address to count
    failed attempts under. Raises UnauthorizedError, RateLimitedError.
    """

    def __call__(self, token: str | None, peer_uid: int | None, peer: str = "") -> Principal: ...


def check_page(request: Request, origins: Origins, peer: Peer) -> None:
    """Refuse pages of strangers: a browser sends anyone's handshake, and asks nobody first.

    Raises:
        ForbiddenError: the page, or the name it used, is not allowed.
        InvalidRequestError: a header that decides is given twice.
    """
    origins.check(
        origin=_header(request, "Origin"),
        host=_header(request, "Host"),
        scheme="https" if peer.secure else "http",
        unix=peer.uid is not None,
    )


def who(request: Request, authenticate: Authenticate, peer: Peer) -> Principal | None:
    """Return who the header or the unix socket's peer proves to be; None: it must still say so.

    Raises:
        UnauthorizedError, RateLimitedError, ForbiddenError: it proves nothing.
        InvalidRequestError: there are two headers.
    """
    header = _header(request, "Authorization")
    if header is not None:
        return authenticate(bearer(header), peer.uid, peer.address)
    if peer.uid is None:
        return None
    try:
        return authenticate(None, peer.uid, peer.address)
    except UnauthorizedError:
        return None


def _header(request: Request, name: str) -> str | None:
    return once(name, request.headers.get_all(name))


def rejected(ws: ServerProtocol, error: ProblemError) -> Response:
    """Return the answer to an upgrade request that is refused: a problem document."""
    response = ws.reject(http.HTTPStatus(error.status), "")
    document = error.document()
    body = body_of(document)
    del response.headers["Content-Type"]
    del response.headers["Content-Length"]
    response.headers["Content-Type"] = PROBLEM
    response.headers["Content-Length"] = str(len(body))
    for name, value in headers_of(document).items():
        response.headers[name] = value
    response.body = body
    return response


def select_subprotocol(_: ServerProtocol, offered: Sequence[Subprotocol]) -> Subprotocol | None:
    """Choose the first subprotocol of ours that the client offers; without one it is JSON."""
    return next((one for one in offered if one in SUBPROTOCOLS), None)
