"""What a daemon says in its own OpenAPI document, held against what it answers."""

from __future__ import annotations

import re
from typing import Any

import httpx
import jsonschema_rs


class Document:
    """An OpenAPI document whose schemas are checked as they stand."""

    def __init__(self, document: dict[str, Any]) -> None:
        self.paths: dict[str, dict[str, Any]] = document["paths"]
        self._components = document["components"]
        self._validators: dict[tuple[str, str, str, str], jsonschema_rs.Draft202012Validator] = {}
        self._patterns = [(re.compile(re.sub(r"\{\w+\}", "[^/]+", path)), path) for path in self.paths]

    @property
    def lists(self) -> set[str]:
        """Return the paths that answer with pages of a list."""
        found = {
            path: operations["get"]["responses"]["200"]
            for path, operations in self.paths.items()
            if "get" in operations
        }
        return {path for path, done in found.items() if "/schemas/Page_" in str(done)}

    def template(self, path: str) -> str | None:
        """Return the path of the document that an address is of; plain ones come first."""
        if path in self.paths:
            return path
        return next((template for pattern, template in self._patterns if pattern.fullmatch(path)), None)

    def check(self, method: str, template: str, response: httpx.Response) -> None:
        """Fail unless the document has this status and media type, and the schema holds."""
        answers = self.paths[template][method.lower()]["responses"]
        status = str(response.status_code)
        assert status in answers, (
            f"{method} {template}: {status} is not in the document: {response.text[:300]}"
        )
        kind = str(response.headers["content-type"]).partition(";")[0]
        content = answers[status]["content"]
        assert kind in content, f"{method} {template}: {kind} is not in the document"
        for name in answers[status].get("headers", {}):
            assert name in response.headers, f"{method} {template}: {name} is missing"
        if not kind.endswith("json"):
            return
        key = (method, template, status, kind)
        if key not in self._validators:
            schema = {**content[kind]["schema"], "components": self._components}
            self._validators[key] = jsonschema_rs.Draft202012Validator(schema, validate_formats=True)
        faults = [
            f"{list(fault.instance_path)}: {fault.message}"
            for fault in self._validators[key].iter_errors(response.json())
        ]
        assert not faults, f"{method} {template}: {faults[:3]}"
