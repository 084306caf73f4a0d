"""What requests carry in their addresses: wrong parameters, cursors and times on every list, names with
slashes on every route; to a real daemon."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote

import httpx
import pytest

from nautilus_tui.daemon.api import app
from nautilus_tui.daemon.api.queries import parameters_of
from providers.settings import ProviderSettings
from tests.daemon.process import DaemonProcess
from tests.daemon.serve import Told

ENGINE = "paper-1"
_API = "/api/v1"
#: Lists that are of something, and what they are asked here.
OF = {
    "cik": "320193",
    "factor_id": "growth",
    "symbol": "AAPL",
    "text": "apple",
    "keywords": "apple",
    "ticker": "AAPL",
}
SLASHED = "EUR/USD 50%2F.SIM"


@pytest.fixture(scope="module")
def daemon(tmp_path_factory: pytest.TempPathFactory) -> Iterator[DaemonProcess]:
    told = Told(providers=ProviderSettings(profile="demo"), requests_per_second=1_000_000)
    process = DaemonProcess(tmp_path_factory.mktemp("queries") / "home", told)
    try:
        started = process.post(f"{_API}/nautilus/engine/start", {"instance_id": ENGINE, "seed": 11})
        assert started.status_code == 200, started.text
        yield process
    finally:
        process.stop_all()


@pytest.fixture(scope="module")
def paths(daemon: DaemonProcess) -> dict[str, dict[str, Any]]:
    document: dict[str, dict[str, Any]] = daemon.get(f"{_API}/openapi.json")["paths"]
    return document


def lists(paths: dict[str, dict[str, Any]]) -> list[tuple[str, dict[str, str], dict[str, Any]]]:
    """Return every list: its address, what it has to be asked, and its parameters by name."""
    found = []
    for path, operations in paths.items():
        given = {one["name"]: one for one in operations.get("get", {}).get("parameters", [])}
        if "cursor" not in given:
            continue
        needed = {name: OF[name] for name, one in given.items() if one["in"] == "query" and one["required"]}
        found.append((re.sub(r"\{(\w+)\}", lambda name: OF[name[1]], path), needed, given))
    return found


def refused(response: httpx.Response, field: str, value: str) -> dict[str, Any]:
    """Fail unless a request was refused with field, value, rule and fix; return what was said."""
    said: dict[str, Any] = response.json()
    where = f"{response.request.url}: {said}"
    assert response.status_code == 400, where
    assert said["type"] == "invalid-request", where
    assert said["extra"].items() >= {"field": field, "value": value}.items(), where
    assert said["rule"], where
    assert said["fix"], where
    return said


@pytest.mark.parametrize("limit", ["-1", "0", "1.5", "5.0", "1e3", "10001", "9" * 30, "abc", "", " "])
def test_a_limit_that_is_none_is_refused_on_every_list(
    daemon: DaemonProcess, paths: dict[str, dict[str, Any]], limit: str
) -> None:
    every = lists(paths)
    assert len(every) > 40
    for path, needed, given in every:
        said = refused(daemon.http.get(path, params={**needed, "limit": limit}), "limit", limit)
        most = given["limit"]["schema"]["maximum"]
        assert said["rule"] == f"limit is a whole number from 1 to {most}", path


def test_a_cursor_that_is_none_or_of_another_list_is_refused_on_every_list(
    daemon: DaemonProcess, paths: dict[str, dict[str, Any]]
) -> None:
    other = daemon.get(f"{_API}/instruments", limit=1)["next"]
    assert other is not None
    for path, needed, _ in lists(paths):
        for cursor in ("zz", "1", "W10", other[:-1], *([other] if path != f"{_API}/instruments" else ())):
            said = refused(daemon.http.get(path, params={**needed, "cursor": cursor}), "cursor", cursor)
            assert "next" in said["rule"]


def test_a_parameter_that_there_is_not_is_refused_on_every_path(
    daemon: DaemonProcess, paths: dict[str, dict[str, Any]]
) -> None:
    for path, operations in paths.items():
        address = re.sub(r"\{(\w+)\}", "1", path)
        for method in operations:
            response = daemon.http.request(method, address, params={"sybmol": "AAPL"})
            refused(response, "sybmol", "AAPL")
    nearly = refused(
        daemon.http.get(f"{_API}/fills", params={"instrumnet": "AAPL.SIM"}), "instrumnet", "AAPL.SIM"
    )
    assert nearly["fix"] == "did you mean instrument?"
    assert "client_order_id" in nearly["rule"]


def test_parameters_are_the_documents(paths: dict[str, dict[str, Any]]) -> None:
    handlers = {handler.operation_id: handler for handler in app.HANDLERS}
    known = {
        operation["operationId"]: {
            one["name"] for one in operation.get("parameters", []) if one["in"] == "query"
        }
        for operations in paths.values()
        for operation in operations.values()
    }
    assert {str(name): set(parameters_of(handler)) for name, handler in handlers.items()} == known


def test_a_parameter_is_given_once_unless_it_is_a_list(
    daemon: DaemonProcess, paths: dict[str, dict[str, Any]]
) -> None:
    for path, needed, _ in lists(paths):
        asked = {**needed, "limit": ["5", "6"]}
        refused(daemon.http.get(path, params=asked), "limit", "6")
    several = {"confidence": ["0.95", "0.99"], "horizon": ["1", "10"]}
    assert daemon.http.get(f"{_API}/risk/measures", params=several).status_code == 200


def test_a_value_of_few_is_one_of_them_on_every_path(
    daemon: DaemonProcess, paths: dict[str, dict[str, Any]]
) -> None:
    seen = 0
    for path, operations in paths.items():
        given = operations.get("get", {}).get("parameters", [])
        needed = {one["name"]: OF[one["name"]] for one in given if one["in"] == "query" and one["required"]}
        address = re.sub(r"\{(\w+)\}", lambda name: OF.get(name[1], "1"), path)
        for one in given:
            values = one["schema"].get("enum") or (["true"] if one["schema"].get("type") == "boolean" else [])
            if one["in"] == "query" and values:
                seen += 1
                asked = {**needed, one["name"]: "mauve"}
                said = refused(daemon.http.get(address, params=asked), one["name"], "mauve")
                assert all(str(value) in said["rule"] for value in values), path
    assert seen > 10


@pytest.mark.parametrize(
    ("path", "start", "end"),
    [
        (f"{_API}/market-data/historical/bars?symbol=AAPL.SIM", "start", "end"),
        (f"{_API}/audit/export?", "from", "to"),
        (f"{_API}/edgar/search?text=apple", "start", "end"),
        (f"{_API}/edgar/ticker/AAPL/filings?", "start", "end"),
        (f"{_API}/edgar/companies/320193/filings?", "start", "end"),
        (f"{_API}/fred/series/DGS10?", "start", "end"),
    ],
)
def test_times_are_times_and_in_order(daemon: DaemonProcess, path: str, start: str, end: str) -> None:
    for field in start, end:
        for text in ("yesterday", "2026-13-01", "1e9", "2026-11-23T25:00:00Z"):
            refused(daemon.http.get(f"{path}&{field}={text}"), field, text)
    said = refused(daemon.http.get(f"{path}&{start}=2026-11-02&{end}=2026-11-01"), end, "2026-11-01")
    assert said["rule"] == f"{end} is not before {start}, 2026-11-02"
    assert daemon.http.get(f"{path}&{start}=2026-11-01&{end}=2026-11-01").status_code == 200


@pytest.mark.parametrize(("field", "value"), [("method", "zz"), ("confidence", "0.2"), ("horizon", "99")])
def test_what_a_measure_cannot_be_asked_is_named(daemon: DaemonProcess, field: str, value: str) -> None:
    for path in "risk/measures", "analytics/risk/portfolio":
        refused(daemon.http.get(f"{_API}/{path}", params={field: value}), field, value)


@pytest.mark.parametrize("body", [{"start": "soon"}, {"end": "never"}])
def test_times_in_a_body_are_times(daemon: DaemonProcess, body: dict[str, str]) -> None:
    ((field, value),) = body.items()
    refused(daemon.post(f"{_API}/analytics/aggregate", {"by": ["engine"], **body}), field, value)


def test_what_names_an_engine_or_an_instrument_is_not_empty(daemon: DaemonProcess) -> None:
    order = {"engine": ENGINE, "instrument": "AAPL.SIM", "side": "buy", "qty": "1"}
    before = daemon.get(f"{_API}/orders")["items"]
    for field in "engine", "instrument":
        for value in "", " ":
            for path, more in (
                ("orders", {}),
                ("orders/preview", {}),
                ("commands", {"command": "order.submit", "client_order_id": "e-1"}),
            ):
                refused(daemon.post(f"{_API}/{path}", {**order, **more, field: value}), field, value)
    refused(daemon.post(f"{_API}/orders/cancel-all", {"engine": ""}), "engine", "")
    refused(daemon.post(f"{_API}/nautilus/engine/stop", {"instance_id": ""}), "instance_id", "")
    assert daemon.get(f"{_API}/orders")["items"] == before


# ---------------------------------------------------------------- names in paths


def test_every_route_takes_a_name_with_a_slash_in_it_as_one(
    daemon: DaemonProcess, paths: dict[str, dict[str, Any]]
) -> None:
    named = {path: operations for path, operations in paths.items() if "{" in path}
    assert len(named) > 40
    for path, operations in named.items():
        for method in operations:
            address = re.sub(r"\{\w+\}", quote(SLASHED, safe=""), path)
            response = daemon.http.request(method, address)
            assert response.status_code != 405, address
            assert "there is no /api" not in response.text, address
            if response.status_code >= 400:
                said = response.json()
                assert "%2FUSD" not in said["detail"], f"{address}: {said}"


def test_names_with_slashes_are_the_names_meant(daemon: DaemonProcess) -> None:
    missing = daemon.http.get(f"{_API}/orders/{quote(SLASHED, safe='')}").json()
    assert missing["type"] == "not-found"
    assert SLASHED in missing["detail"]
    assert missing["extra"]["client_order_id"] == SLASHED
    parted = daemon.http.get(f"{_API}/orders/EUR/USD.SIM").json()
    assert parted["detail"] == "there is no /api/v1/orders/EUR/USD.SIM"


def test_a_limit_whose_scope_has_a_slash_lives_as_any_other(daemon: DaemonProcess) -> None:
    made = {"limit_type": "position_size", "scope": "strategy:mean/rev", "unit": "notional", "hard": "1000"}
    assert daemon.post(f"{_API}/risk/limits", made).status_code == 200
    (listed,) = daemon.get(f"{_API}/risk/limits", scope="strategy:mean/rev")["items"]
    path = f"{_API}/risk/limits/{quote(listed['id'], safe='')}"
    assert daemon.get(path)["id"] == listed["id"] == "position_size:strategy:mean/rev:notional"
    assert daemon.http.put(path, json={"hard": "500"}).status_code == 200
    assert daemon.get(path)["hard"] == "500"
    assert daemon.http.post(f"{path}/check", json={}).status_code == 200
    assert daemon.http.delete(path).status_code == 200
    assert daemon.http.get(path).status_code == 404


# ---------------------------------------------------------------- pages


def test_a_cursor_leads_through_the_list_and_no_other(daemon: DaemonProcess) -> None:
    whole = [one["id"] for one in daemon.get(f"{_API}/instruments")["items"]]
    walked: list[str] = []
    cursor: dict[str, str] = {}
    while True:
        page = daemon.get(f"{_API}/instruments", limit=7, **cursor)
        walked += [one["id"] for one in page["items"]]
        if page["next"] is None:
            break
        cursor = {"cursor": page["next"]}
    assert walked == whole


def test_log_lines_of_several_engines_page_as_those_of_one(daemon: DaemonProcess) -> None:
    path = f"{_API}/nautilus/engine/logs"
    assert (
        daemon.post(f"{_API}/nautilus/engine/start", {"instance_id": "paper-2", "seed": 3}).status_code == 200
    )
    for name in ENGINE, "paper-2":
        stopped = daemon.post(f"{_API}/nautilus/engine/stop", {"instance_id": name})
        assert stopped.status_code == 200, stopped.text
    whole = daemon.get(path, limit=10_000)["items"]
    assert {line["engine"] for line in whole} == {ENGINE, "paper-2"}
    walked: list[dict[str, Any]] = []
    cursor: dict[str, str] = {}
    while True:
        page = daemon.get(path, limit=40, **cursor)
        walked = page["items"] + walked
        if page["next"] is None:
            break
        cursor = {"cursor": page["next"]}
    assert walked == whole


# ---------------------------------------------------------------- bodies


@pytest.mark.parametrize(
    ("given", "field", "value", "rule"),
    [
        ({"max_memory": 1}, "max_memory", "1", "128"),
        ({"seed": "x"}, "seed", "x", "int"),
        ({"trading_mode": "mauve"}, "trading_mode", "mauve", "paper, live"),
        ({"max_memroy": 512}, "max_memroy", None, "max_memory"),
        ({"instance_id": None}, "instance_id", "None", "str"),
    ],
)
def test_a_field_that_breaks_its_rule_is_named_with_its_value(
    daemon: DaemonProcess, given: dict[str, Any], field: str, value: str | None, rule: str
) -> None:
    response = daemon.post(f"{_API}/nautilus/engine/start", {"instance_id": "paper-3", **given})
    said = response.json()
    assert response.status_code == 400, said
    assert said["extra"].get("field") == field, said
    assert value is None or said["extra"].get("value") == value, said
    assert rule in said["rule"], said
    assert "paper-3" not in response.text
