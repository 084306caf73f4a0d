"""Requests made up from the OpenAPI document, good ones and bad ones, to a real daemon.

``FUZZ_CASES=6000 uv run pytest -n 0 -s tests/daemon/test_fuzzed_api.py`` sends more than 5,000 and tells
what they were answered with: some operations have fewer requests than their share. What is not checked:
``ignored_auth`` (who may do what has tests of its own, and wrong tokens would lock this one out) and
``positive_data_acceptance`` (rules between fields, and against what there is, are not in a schema: no end
before its start, no name of nothing).
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from typing import Any
from unittest import SkipTest

import httpx
import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis.errors import Unsatisfiable
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    missing_required_header,
    negative_data_rejection,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from engines.latch import UNLOCK_PHRASE
from providers.settings import ProviderSettings
from tests.daemon.document import Document
from tests.daemon.process import DaemonProcess
from tests.daemon.serve import Told

CASES = int(os.environ.get("FUZZ_CASES", "300"))
ENGINE = "paper-1"
#: What is not asked, and why.
LEFT_OUT = {
    "/api/v1/system/stop": "it stops the daemon under test",
}
#: Commands that would end the test, or start as many processes as there are names.
UNSENT = {"daemon.stop", "engine.start", "engine.restart", "kill"}
#: Engines that requests may start: every other name would be one more process.
STARTED = ("/start", "/restart", "/config")
CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    negative_data_rejection,
    missing_required_header,
]


@pytest.fixture(scope="module")
def daemon(tmp_path_factory: pytest.TempPathFactory) -> Iterator[DaemonProcess]:
    told = Told(providers=ProviderSettings(profile="demo"), requests_per_second=1_000_000)
    process = DaemonProcess(tmp_path_factory.mktemp("fuzz") / "home", told)
    try:
        started = process.post("/api/v1/nautilus/engine/start", {"instance_id": ENGINE, "seed": 11})
        assert started.status_code == 200, started.text
        yield process
    finally:
        process.stop_all()


def for_schemathesis(value: Any) -> Any:
    """Return a document whose pairs are lists: schemathesis takes a pair in an answer for a broken schema."""
    if isinstance(value, list):
        return [for_schemathesis(one) for one in value]
    if not isinstance(value, dict):
        return value
    found = {name: for_schemathesis(one) for name, one in value.items()}
    if "prefixItems" in found:
        found["items"] = {"anyOf": found.pop("prefixItems")}
    return found


def is_sent(case: schemathesis.Case) -> bool:
    """Tell whether a request leaves the daemon, and the machine, as they are needed."""
    body = case.body
    if isinstance(body, dict):
        if body.get("command") in UNSENT:
            return False
        if case.path.endswith(STARTED) and "instance_id" in body and isinstance(body["instance_id"], str):
            body["instance_id"] = ENGINE
    return True


def test_no_request_is_answered_against_the_document(daemon: DaemonProcess) -> None:
    raw = daemon.get("/api/v1/openapi.json")
    document = Document(raw)
    schema = schemathesis.openapi.from_dict(for_schemathesis(raw))
    schema.config.update(base_url=f"http://127.0.0.1:{daemon.port}")
    schema.config.generation.update(with_security_parameters=False)
    schema.config.checks.not_a_server_error.expected_statuses = ["2xx", "3xx", "4xx", "502", "503", "504"]
    headers = daemon.token("fuzz-7f3a9c", "admin")
    operations = [found.ok() for found in schema.get_all_operations() if found.ok().path not in LEFT_OUT]
    assert len(operations) > 130
    each = max(1, -(-CASES // len(operations) // 2))
    sent: Counter[int] = Counter()
    failures: dict[str, str] = {}
    for operation in operations:
        for mode in schemathesis.GenerationMode:
            _send(operation, mode, each, headers, document, sent, failures)
        if operation.path == "/api/v1/risk/kill":
            assert daemon.post("/api/v1/risk/unlock", {"phrase": UNLOCK_PHRASE}).status_code < 500
    print(f"{sum(sent.values())} cases: {dict(sorted(sent.items()))}")
    assert not failures, "\n\n".join(f"{label}\n{text}" for label, text in failures.items())
    assert sum(sent.values()) >= min(CASES, 500) * 0.9
    assert daemon.get("/health")["alive"]
    assert daemon.process.poll() is None


def _send(
    operation: Any,
    mode: schemathesis.GenerationMode,
    cases: int,
    headers: dict[str, str],
    document: Document,
    sent: Counter[int],
    failures: dict[str, str],
) -> None:
    @seed(5)
    @settings(
        max_examples=cases,
        deadline=None,
        database=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(case=operation.as_strategy(generation_mode=mode))
    def ask(case: schemathesis.Case) -> None:
        if not is_sent(case):
            return
        try:
            response = case.call(headers=headers)
            sent[response.status_code] += 1
            case.validate_response(response, checks=CHECKS, headers=headers)
            plain = httpx.Response(
                response.status_code,
                headers={name: values[0] for name, values in response.headers.items()},
                content=response.content,
            )
            document.check(operation.method, operation.path, plain)
            if response.status_code >= 400:
                said = plain.json()
                assert said.get("rule"), f"{said} names no rule"
                assert said.get("fix"), f"{said} names no fix"
        except (AssertionError, BaseExceptionGroup) as error:
            failures.setdefault(operation.label, f"{case.as_curl_command()}\n{error}"[:1500])

    with suppress(SkipTest, Unsatisfiable):  # nothing about it can be wrong
        ask()
