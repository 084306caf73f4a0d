"""What routes say about themselves, and the OpenAPI document made from it.

Each route declares what it answers and takes as our own structs; their JSON schemas come from
msgspec. This module must not know what any route does.
"""

from __future__ import annotations

import html
from collections.abc import Callable, Mapping
from typing import Any

import msgspec
from litestar import Response, delete, get, patch, post, put
from litestar.connection import Request
from litestar.enums import MediaType, OpenAPIMediaType
from litestar.handlers import HTTPRouteHandler
from litestar.openapi.plugins import OpenAPIRenderPlugin

from data import forms
from data.access import Role
from data.commands import Outcome
from data.problems import ProblemDocument
from nautilus_tui.daemon.api.access import needs
from nautilus_tui.daemon.api.answers import JSON, PROBLEM, Answer, AnyRequest

_METHODS = {"GET": get, "POST": post, "PUT": put, "PATCH": patch, "DELETE": delete}
_REFERENCE = "#/components/schemas/{name}"


class Described(msgspec.Struct, frozen=True):
    """What a route takes and answers."""

    returns: tuple[Any, ...]  #: the kinds of answer there are
    body: Any = None
    body_required: bool = True


_described: dict[str, Described] = {}

type Handler = Callable[..., Any]


def route(
    method: str,
    path: str,
    *,
    returns: Any,
    tag: str,
    body: Any = None,
    body_required: bool = True,
    role: Role = "viewer",
) -> Callable[[Handler], HTTPRouteHandler]:
    """Make a handler a route. Its name is the operation's id, its docstring the text."""

    def made(handler: Handler) -> HTTPRouteHandler:
        operation = handler.__name__
        kinds = returns if isinstance(returns, tuple) else (returns,)
        _described[operation] = Described(kinds, body, body_required)
        summary = (handler.__doc__ or operation).strip().splitlines()[0]
        decorate = _METHODS[method](
            path,
            operation_id=operation,
            summary=summary,
            description=(handler.__doc__ or "").strip(),
            tags=[tag],
            guards=[needs(role)],
            status_code=200,
            opt={"role": role},
        )
        made_route: HTTPRouteHandler = decorate(handler)
        return made_route

    return made


# ---------------------------------------------------------------- the document


def completed(document: Mapping[str, Any]) -> dict[str, Any]:
    """Return the framework's OpenAPI document with our bodies, answers and errors filled in."""
    types: list[Any] = [ProblemDocument]
    for described in _described.values():
        types += described.returns
        types += [] if described.body is None else [described.body]
    twins = [forms.json_form(kind) for kind in types]
    schemas, components = msgspec.json.schema_components(twins, ref_template=_REFERENCE)
    by_type = {id(kind): schema for kind, schema in zip(types, schemas, strict=True)}
    problem = schemas[0]
    paths: dict[str, Any] = {}
    for path, operations in document["paths"].items():
        paths[path] = {
            method: _completed_operation(operation, by_type, problem, changes=_changes(operation))
            if isinstance(operation, dict) and operation.get("operationId") in _described
            else operation
            for method, operation in operations.items()
        }
    kept = dict(document.get("components", {}))
    return {**document, "paths": paths, "components": {**kept, "schemas": components}}


#: What every change takes besides its body.
_CHANGE_PARAMETERS = [
    {
        "name": "Idempotency-Key",
        "in": "header",
        "description": "the command's id: sent twice, it is carried out once",
        "schema": {"type": "string", "maxLength": 64},
    },
    {
        "name": "wait",
        "in": "query",
        "description": "for orders: answer at the venue's first word, or at their last state",
        "schema": {"enum": ["ack", "final"], "default": "ack"},
    },
    {
        "name": "timeout",
        "in": "query",
        "description": "seconds to wait at most",
        "schema": {"type": "number", "exclusiveMinimum": 0, "maximum": 120, "default": 10},
    },
]


def _changes(operation: Mapping[str, Any]) -> bool:
    return Outcome in _described[operation["operationId"]].returns


def _completed_operation(
    operation: Mapping[str, Any], by_type: Mapping[int, Any], problem: Any, *, changes: bool
) -> dict[str, Any]:
    described = _described[operation["operationId"]]
    returned = [by_type[id(kind)] for kind in described.returns]
    schema = returned[0] if len(returned) == 1 else {"anyOf": returned}
    answers = {"200": _content("Done", JSON, schema)}
    for status, title in (("400", "Invalid request"), ("401", "Not authenticated"), ("403", "Not allowed")):
        answers[status] = _content(title, PROBLEM, problem)
    answers["default"] = _content("Any other error", PROBLEM, problem)
    full = {**operation, "responses": answers}
    if changes:
        full["parameters"] = [*operation.get("parameters", []), *_CHANGE_PARAMETERS]
    if described.body is not None:
        content = {JSON: {"schema": by_type[id(described.body)]}}
        full["requestBody"] = {"required": described.body_required, "content": content}
    return full


def _content(description: str, media_type: str, schema: Any) -> dict[str, Any]:
    return {"description": description, "content": {media_type: {"schema": schema}}}


class DocumentPlugin(OpenAPIRenderPlugin):
    """Serves the OpenAPI document beside the page."""

    def __init__(self) -> None:
        super().__init__(path="/openapi.json", media_type=OpenAPIMediaType.OPENAPI_JSON)

    def render(self, _: Request[Any, Any, Any], openapi_schema: dict[str, Any]) -> bytes:
        """Return the document as JSON."""
        return msgspec.json.encode(completed(openapi_schema))


class PagePlugin(OpenAPIRenderPlugin):
    """Serves the document as one plain page that needs nothing from elsewhere."""

    def __init__(self) -> None:
        super().__init__(path="/", media_type=MediaType.HTML)

    def render(self, _: Request[Any, Any, Any], openapi_schema: dict[str, Any]) -> bytes:
        """Return the page."""
        return page(completed(openapi_schema)).encode()


@get("/api/v1/openapi.json", include_in_schema=False, sync_to_thread=False)
def openapi_document(request: AnyRequest) -> Answer:
    """Serve the OpenAPI document where programs look for it."""
    document = completed(request.app.openapi_schema.to_schema())
    return Response(msgspec.json.encode(document), media_type=OpenAPIMediaType.OPENAPI_JSON)


# ---------------------------------------------------------------- the page

_STYLE = """
:root{color-scheme:light dark}
body{font:15px/1.5 system-ui,sans-serif;max-width:62rem;margin:2rem auto;padding:0 1rem}
code,pre{font-family:ui-monospace,monospace;font-size:.9em}h2{margin-top:2.5rem;border-bottom:1px solid #8885}
summary{cursor:pointer;padding:.35rem 0}summary b{display:inline-block;width:4.5rem}
table{border-collapse:collapse}
td,th{text-align:left;padding:.15rem .9rem .15rem 0;vertical-align:top}details>div{margin:.2rem 0 1rem 4.6rem}
.get{color:#2a7}.post,.put,.patch{color:#c82}.delete{color:#d44}
"""


def page(document: Mapping[str, Any]) -> str:
    """Return the document as HTML: operations by tag, then schemas."""
    text = html.escape
    info = document["info"]
    parts = [
        f"<!doctype html><html lang=en><meta charset=utf-8><title>{text(info['title'])}</title>",
        f"<style>{_STYLE}</style><h1>{text(info['title'])} {text(info['version'])}</h1>",
        f"<p>{text(info.get('description') or '')}</p><p><a href=openapi.json>openapi.json</a></p>",
    ]
    tags: dict[str, list[str]] = {}
    for path, operations in document["paths"].items():
        for method, operation in operations.items():
            tag = (operation.get("tags") or ["Other"])[0]
            tags.setdefault(tag, []).append(_operation_html(method, path, operation))
    for tag, blocks in tags.items():
        parts += [f"<h2>{text(tag)}</h2>", *blocks]
    parts.append("<h2>Schemas</h2>")
    for name, schema in sorted(document["components"]["schemas"].items()):
        parts.append(_schema_html(name, schema))
    return "".join(parts)


def _operation_html(method: str, path: str, operation: Mapping[str, Any]) -> str:
    text = html.escape
    rows = [
        f"<tr><td><code>{text(p['name'])}</code><td>{p['in']}<td>{_type_html(p.get('schema', {}))}"
        f"<td>{'required' if p.get('required') else ''}<td>{text(p.get('description') or '')}"
        for p in operation.get("parameters", [])
    ]
    body = operation.get("requestBody", {}).get("content", {}).get(JSON, {}).get("schema")
    if body is not None:
        rows.append(f"<tr><td>body<td><td>{_type_html(body)}")
    answered = operation["responses"].get("200", {}).get("content", {}).get(JSON, {}).get("schema", {})
    rows.append(f"<tr><td>answers<td><td>{_type_html(answered)}")
    return (
        f"<details><summary><b class={method}>{method.upper()}</b><code>{text(path)}</code> "
        f"{text(operation.get('summary') or '')}</summary><div><p>{text(operation.get('description') or '')}"
        f"<table>{''.join(rows)}</table></div></details>"
    )


def _schema_html(name: str, schema: Mapping[str, Any]) -> str:
    text = html.escape
    rows = [
        f"<tr><td><code>{text(field)}</code><td>{_type_html(kind)}"
        f"<td>{'required' if field in schema.get('required', ()) else ''}"
        for field, kind in schema.get("properties", {}).items()
    ]
    about = text(schema.get("description") or "")
    return (
        f"<details id='{text(name)}'><summary><code>{text(name)}</code></summary>"
        f"<div><p>{about}<table>{''.join(rows)}</table></div></details>"
    )


def _type_html(schema: Mapping[str, Any]) -> str:
    text = html.escape
    if "$ref" in schema:
        name = schema["$ref"].rsplit("/", 1)[-1]
        return f"<a href='#{text(name)}'>{text(name)}</a>"
    for key in ("anyOf", "oneOf"):
        if key in schema:
            return " or ".join(_type_html(option) for option in schema[key])
    if "enum" in schema:
        return " | ".join(text(str(value)) for value in schema["enum"])
    kind = schema.get("type", "any")
    if kind == "array":
        return (
            f"list of {_type_html(schema.get('items', {}))}"
            if isinstance(schema.get("items"), dict)
            else "list"
        )
    named = "/".join(kind) if isinstance(kind, list) else str(kind)
    return text(f"{named} ({schema['format']})" if "format" in schema else named)
