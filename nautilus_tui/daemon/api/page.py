"""The OpenAPI document as one plain HTML page that needs nothing from elsewhere.

This module must not know how the document is made.
"""

from __future__ import annotations

import html
from collections.abc import Mapping
from typing import Any

JSON = "application/json"

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
