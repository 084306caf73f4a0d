"""The OpenAPI document, made from what routes say about themselves, and the routes that serve it.

JSON schemas come from our own structs, by msgspec; every status that a route may answer with is
named. This module must not know what any route does.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec
from litestar import Response, Router
from litestar.enums import MediaType, OpenAPIMediaType
from litestar.types import ControllerRouterHandler

from data import forms
from data.commands import Outcome
from nautilus_tui.daemon.api.answers import JSON, MSGPACK, Answer, AnyRequest
from nautilus_tui.daemon.api.describe import Described, described, route
from nautilus_tui.daemon.api.page import page
from nautilus_tui.daemon.api.parameters import OF_CHANGES, OF_LISTS
from nautilus_tui.daemon.remedies import PROBLEM, Remedied

_REFERENCE = "#/components/schemas/{name}"
_TAG = "About this API"

#: What a status says; the document behind it says more.
_TITLES = {
    400: "Invalid request",
    401: "Not authenticated",
    403: "Not allowed",
    404: "Not found",
    409: "Conflict: the state does not allow it now, or the id was used for something else",
    413: "Request too large",
    415: "Unsupported media type",
    422: "Denied before it left the house, or rejected by the venue",
    429: "Too many requests",
    500: "Internal error",
    502: "A provider of facts failed",
    503: "A part that is needed is not there: a store, an engine, a provider",
    504: "Outcome unknown: it may or may not have happened",
}
#: 400 as well: a parameter that there is not is refused.
_ANY = (400, 401, 403, 429, 500, 503)
_WITH_CHANGES = (404, 409, 422, 502, 504)
_WITH_BODIES = (404, 413, 415)
_WITH_PARAMETERS = (404,)


class CommandProblem(Remedied, frozen=True, kw_only=True):
    """Why a command did not do what it should, with its outcome where it came as far as the door."""

    outcome: Outcome | None = None


class OpenApiDocument(msgspec.Struct, frozen=True, kw_only=True):
    """An OpenAPI 3.1 document."""

    openapi: str
    info: dict[str, Any]
    paths: dict[str, Any]
    components: dict[str, Any]


def completed(document: Mapping[str, Any]) -> dict[str, Any]:
    """Return the framework's OpenAPI document with our bodies, answers and errors filled in."""
    types: list[Any] = [Remedied, CommandProblem]
    for one in described.values():
        types += one.returns
        types += [] if one.body is None else [one.body]
    twins = [forms.json_form(kind) for kind in types]
    schemas, components = msgspec.json.schema_components(twins, ref_template=_REFERENCE)
    by_type = {id(kind): schema for kind, schema in zip(types, schemas, strict=True)}
    paths = {
        path: {method: _completed(operation, by_type) for method, operation in operations.items()}
        for path, operations in document["paths"].items()
    }
    kept = dict(document.get("components", {}))
    return {**document, "paths": paths, "components": {**kept, "schemas": components}}


def _completed(operation: Mapping[str, Any], by_type: Mapping[int, Any]) -> dict[str, Any]:
    one = described[operation["operationId"]]
    parameters: list[Mapping[str, Any]] = [_parameter(given) for given in operation.get("parameters", [])]
    named = {given["name"] for given in parameters}
    if one.is_list:
        parameters += [given for given in OF_LISTS if given["name"] not in named]
    if one.is_change:
        parameters += OF_CHANGES
    full = {**operation, "responses": _answers(one, by_type, bool(parameters))}
    if parameters:
        full["parameters"] = parameters
    if one.body is not None:
        content = {JSON: {"schema": by_type[id(one.body)]}}
        full["requestBody"] = {"required": one.body_required, "content": content}
    return full


def _answers(one: Described, by_type: Mapping[int, Any], has_parameters: bool) -> dict[str, Any]:
    returned = [by_type[id(kind)] for kind in one.returns]
    schema = returned[0] if len(returned) == 1 else {"anyOf": returned}
    done: dict[str, Any] = {
        "description": "Done",
        "content": {kind: {"schema": _as(kind, schema)} for kind in one.content},
    }
    if one.headers:
        done["headers"] = {
            name: {"description": text, "required": True, "schema": {"type": "string"}}
            for name, text in one.headers.items()
        }
    statuses = {*_ANY, *one.problems}
    statuses |= set(_WITH_PARAMETERS) if has_parameters else set()
    statuses |= set(_WITH_BODIES) if one.body is not None else set()
    statuses |= set(_WITH_CHANGES) if one.is_change else set()
    problem = by_type[id(CommandProblem if one.is_change else Remedied)]
    answers = {"200": done}
    for status in sorted(statuses):
        kind = by_type[id(Remedied)] if status == 401 else problem
        answers[str(status)] = {"description": _TITLES[status], "content": {PROBLEM: {"schema": kind}}}
    return answers


def _as(kind: str, schema: Any) -> Any:
    """Return what an answer of a media type looks like."""
    if kind == JSON or kind.endswith("+json"):
        return schema
    if kind == MSGPACK:
        return {"description": "the same as msgpack, with times as integers: nanoseconds UTC"}
    return {"type": "string"} if kind.startswith("text/") else {"description": "a file"}


def _parameter(given: Mapping[str, Any]) -> dict[str, Any]:
    """Return a parameter as it travels: there is no null in an address, and a whole number is one."""
    schema = dict(given["schema"])
    options = [one for one in schema.pop("oneOf", ()) if one.get("type") != "null"]
    if len(options) == 1:
        schema = {**options[0], **schema}
    elif options:
        schema["oneOf"] = options
    if "enum" in schema:
        schema["enum"] = [value for value in schema["enum"] if value is not None]
    if schema.get("type") == "integer":
        bounds = ("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum")
        schema |= {name: int(schema[name]) for name in bounds if name in schema}
    return {**given, "schema": schema}


# ---------------------------------------------------------------- routes


class Unserved(Router):
    """Takes the framework's own pages of documentation, and serves none: ours are below."""

    def register(self, value: ControllerRouterHandler) -> list[Any]:
        """Leave a handler out."""
        return []


@route(
    "GET",
    "/api/v1/openapi.json",
    returns=OpenApiDocument,
    tag=_TAG,
    content=(OpenAPIMediaType.OPENAPI_JSON.value,),
)
async def openapi_document(request: AnyRequest) -> Answer:
    """Return this document."""
    document = completed(request.app.openapi_schema.to_schema())
    return Response(msgspec.json.encode(document), media_type=OpenAPIMediaType.OPENAPI_JSON)


@route("GET", "/api/v1/docs", returns=str, tag=_TAG, content=("text/html",))
async def documentation(request: AnyRequest) -> Answer:
    """Return this document as a page to read, which needs nothing from elsewhere."""
    text = page(completed(request.app.openapi_schema.to_schema()))
    return Response(text.encode(), media_type=MediaType.HTML)


HANDLERS = [openapi_document, documentation]
