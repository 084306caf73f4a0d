"""What decides in a request's headers, and what those of a refusal say: over HTTP and in the handshake
of a stream it is the same.

This module must not know who is let in for it.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from http import HTTPStatus

from data.problems import InvalidRequestError, ProblemDocument, UnauthorizedError


def once(name: str, values: Sequence[str]) -> str | None:
    """Return a header's value; None: it was not given.

    Raises:
        InvalidRequestError: it was given several times: which one counts would be a guess.
    """
    if len(values) > 1:
        raise InvalidRequestError(
            f"the header {name} is given {len(values)} times", rule="once", fix="send one of them"
        )
    return values[0] if values else None


def header(given: Iterable[tuple[bytes, bytes]], name: str) -> str | None:
    """Return the value of a header among those of a request, as `once` does."""
    wanted = name.lower().encode()
    return once(name, [value.decode("latin-1") for key, value in given if key == wanted])


def bearer(authorization: str) -> str:
    """Return the token in an ``Authorization`` header.

    Raises:
        UnauthorizedError: it has another form. It is not repeated: it may be a token without its scheme.
    """
    scheme, _, token = authorization.partition(" ")
    if scheme.lower() != "bearer" or not token.strip():
        raise UnauthorizedError(
            "the Authorization header is not a bearer token",
            rule="the scheme is Bearer, then the token",
            fix="Authorization: Bearer <token>",
        )
    return token.strip()


def headers_of(problem: ProblemDocument) -> dict[str, str]:
    """Return what the answer with a problem says in its headers: how to come in, what to ask, or when
    to come again.
    """
    if problem.status == HTTPStatus.UNAUTHORIZED:
        return {"WWW-Authenticate": "Bearer"}
    if problem.status == HTTPStatus.UPGRADE_REQUIRED:
        return {"Upgrade": "websocket", "Connection": "Upgrade"}
    if problem.status == HTTPStatus.METHOD_NOT_ALLOWED:
        return {"Allow": problem.extra.get("allow", "")}
    seconds = problem.extra.get("seconds")
    return {"Retry-After": seconds} if seconds else {}
