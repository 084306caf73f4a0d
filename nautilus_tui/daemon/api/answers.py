"""Answers and errors on the wire: JSON with times as text, or msgpack; errors as RFC 9457 documents.

This module must not know what is answered.
"""

from __future__ import annotations

import asyncio
import logging
import re
from collections.abc import Mapping
from typing import Any

import msgspec
from litestar import Request, Response
from litestar.datastructures import MutableScopeHeaders
from litestar.enums import HttpMethod, ScopeType
from litestar.exceptions import HTTPException, ValidationException
from litestar.types import Message, Scope

from data import forms
from data.commands import Outcome
from data.paging import Page
from data.problems import ProblemDocument, ProblemError, UpgradeRequiredError
from data.words import shown
from nautilus_tui.daemon.api.asked import page_asked
from nautilus_tui.daemon.api.context import Context
from nautilus_tui.daemon.api.queries import WHOLE_LIST, marked, unfit
from nautilus_tui.daemon.api.roles import refused_first
from nautilus_tui.daemon.headers import headers_of
from nautilus_tui.daemon.remedies import PROBLEM, body_of, remedied
from nautilus_tui.daemon.streams.paths import require_no_stream
from providers.core.secrets import redact

JSON = "application/json"
MSGPACK = "application/vnd.msgpack"
#: Problem types for what HTTP itself refuses.
_HTTP_TYPES: Mapping[int, tuple[str, str]] = {
    400: ("invalid-request", "Invalid request"),
    401: ("unauthorized", "Not authenticated"),
    403: ("forbidden", "Not allowed"),
    404: ("not-found", "Not found"),
    405: ("method-not-allowed", "Method not allowed"),
    406: ("not-acceptable", "Not acceptable"),
    413: ("too-large", "Request too large"),
    415: ("unsupported-media-type", "Unsupported media type"),
}

#: How the framework says that a parameter was left out.
_MISSING = re.compile(r"[Mm]issing required \w+ parameter '(\w+)'")

AnyRequest = Request[Any, Any, Any]
Answer = Response[bytes]

logger = logging.getLogger(__name__)


def context_of(request: AnyRequest) -> Context:
    """Return the parts of the daemon."""
    context: Context = request.app.state["context"]
    return context


def answer(request: AnyRequest, value: object, status: int = 200) -> Answer:
    """Return a value in the form the client asked for: msgpack if it prefers that, else JSON.

    A list that is known as a whole is cut to the page asked for.
    """
    if isinstance(value, Page) and request.route_handler.opt[WHOLE_LIST]:
        asked_for = request.query_params
        value = page_asked(value.items, asked_for.get("limit"), asked_for.get("cursor"))
    if isinstance(value, Page):
        value = marked(request, value)
    if _prefers_msgpack(request.headers.get("accept", "")):
        return Response(msgspec.msgpack.encode(value), media_type=MSGPACK, status_code=status)
    if isinstance(value, Page):  # a page of records is shown as a page of their JSON twins
        value = Page(forms.to_json_form(value.items), value.next)
    return Response(forms.to_json(value), media_type=JSON, status_code=status)


async def told(request: AnyRequest, value: object) -> Answer:
    """Return a value that may be large; it is written in a thread, so that the loop goes on."""
    return await asyncio.to_thread(answer, request, value)


def _prefers_msgpack(accept: str) -> bool:
    quality: dict[str, float] = {}
    for part in accept.split(","):
        kind, *parameters = (piece.strip() for piece in part.split(";"))
        given = next((p[2:] for p in parameters if p.startswith("q=")), "1")
        try:
            quality[kind.lower()] = float(given)
        except ValueError:
            quality[kind.lower()] = 0.0
    packed = max(quality.get(kind, 0.0) for kind in (MSGPACK, "application/msgpack", "application/x-msgpack"))
    return packed > 0 and packed >= quality.get(JSON, 0.0)


def outcome_answer(request: AnyRequest, outcome: Outcome) -> Answer:
    """Return a command's outcome: itself when it was done, else its problem with the outcome inside."""
    if outcome.problem is None:
        return answer(request, outcome)
    whole = remedied(outcome.problem)
    outcome = msgspec.structs.replace(outcome, problem=whole)
    document = msgspec.to_builtins(whole) | {"outcome": forms.to_json_form(outcome)}
    body = redact(msgspec.json.encode(document).decode()).encode()
    return Response(body, media_type=PROBLEM, status_code=whole.status)


async def tell_methods(message: Message, scope: Scope) -> None:
    """Name every method of a path in the answer to OPTIONS; the framework names those it saw first."""
    if scope["type"] != ScopeType.HTTP or message["type"] != "http.response.start":
        return
    methods = scope["litestar_app"].route_handler_method_map.get(scope.get("path_template", ""))
    if scope["method"] == HttpMethod.OPTIONS and methods:
        MutableScopeHeaders.from_message(message)["allow"] = ", ".join(sorted(methods))


async def keep_out_of_caches(message: Message, scope: Scope) -> None:
    """Say that an answer is of its moment and for who asked, so that no cache between keeps it."""
    if scope["type"] == ScopeType.HTTP and message["type"] == "http.response.start":
        MutableScopeHeaders.from_message(message)["cache-control"] = "no-store"


# ---------------------------------------------------------------- errors


def problem_answer(document: ProblemDocument, headers: Mapping[str, str] | None = None) -> Answer:
    """Return an error as it goes on the wire."""
    body = redact(body_of(document).decode()).encode()
    return Response(body, media_type=PROBLEM, status_code=document.status, headers=dict(headers or {}))


def on_problem(request: AnyRequest, error: ProblemError) -> Answer:
    """Answer one of our own errors; whoever may not send a command at all is told that first."""
    document = (refused_first(request) or error).document()
    return problem_answer(document, headers_of(document))


def on_http_error(request: AnyRequest, error: HTTPException) -> Answer:
    """Answer what the framework refuses: unknown paths and methods, bad parameters, large bodies."""
    if error.status_code == 404:
        try:
            require_no_stream(request.url.path)
        except UpgradeRequiredError as needed:
            return on_problem(request, needed)
    forbidden = refused_first(request)
    if forbidden is not None:
        return on_problem(request, forbidden)
    kind, title = _HTTP_TYPES.get(error.status_code, ("http-error", "HTTP error"))
    detail, extra = shown(_detail(request, error), 500), _extra(error)
    unasked = unfit(request, extra["field"]) if error.status_code == 400 and extra else None
    if unasked is not None:
        return on_problem(request, unasked)
    document = ProblemDocument(type=kind, title=title, status=error.status_code, detail=detail, extra=extra)
    return problem_answer(document, error.headers)


def _detail(request: AnyRequest, error: HTTPException) -> str:
    if error.status_code == 404:
        return f"there is no {shown(request.url.path, 200)}"
    if error.status_code == 405:
        return f"{shown(request.url.path, 200)} does not take {request.method}"
    faults = _faults(error)
    return "; ".join(f"{field}: {message}" for field, message in faults) or error.detail


def _extra(error: HTTPException) -> dict[str, str]:
    faults = _faults(error)
    if faults:
        return {"field": faults[0][0]}
    missing = _MISSING.search(error.detail)
    return {"field": missing[1]} if missing else {}


def _faults(error: HTTPException) -> list[tuple[str, str]]:
    if not isinstance(error, ValidationException) or not isinstance(error.extra, list):
        return []
    return [(str(fault.get("key", "")), str(fault.get("message", ""))) for fault in error.extra]


def on_unforeseen(request: AnyRequest, error: Exception) -> Answer:
    """Answer a fault of ours without telling its insides; the log has them."""
    logger.error("%s %s failed", request.method, request.url.path, exc_info=error)
    return problem_answer(
        ProblemDocument(
            type="internal",
            title="Internal error",
            status=500,
            detail="the daemon failed to answer; its log has the details",
        )
    )
