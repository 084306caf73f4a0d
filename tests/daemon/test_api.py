"""The API of a real daemon with a real engine, over its unix socket and over TCP."""

from __future__ import annotations

import re
import stat
import subprocess
import sys
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import httpx
import msgspec
import pytest

from data.paging import cursor_after
from data.records import OrderUpdate, Quote
from tests.daemon.process import REPO, DaemonProcess

ENGINE = "paper-1"
SYMBOL = "AAPL.SIM"


@pytest.fixture(scope="module")
def daemon(tmp_path_factory: pytest.TempPathFactory) -> Iterator[DaemonProcess]:
    process = DaemonProcess(tmp_path_factory.mktemp("api") / "home")
    try:
        started = process.post("/api/v1/nautilus/engine/start", {"instance_id": ENGINE, "seed": 11})
        assert started.status_code == 200, started.text
        assert started.json()["engine"]["state"] == "running"
        bought = buy(process, "first", "100", wait="final")
        assert bought.json()["orders"][0]["status"] == "filled", bought.text
        yield process
    finally:
        process.stop_all()


def buy(daemon: DaemonProcess, key: str, qty: str, **params: Any) -> httpx.Response:
    return daemon.post("/api/v1/orders", {"instrument": SYMBOL, "side": "buy", "qty": qty}, key, **params)


# ---------------------------------------------------------------- the document


def test_the_document_describes_bodies_answers_and_errors(daemon: DaemonProcess) -> None:
    document = daemon.get("/api/v1/openapi.json")
    schemas = document["components"]["schemas"]
    assert {"SubmitOrder", "OrderUpdate", "ProblemDocument", "EngineSettingsBody"} <= schemas.keys()
    assert schemas["OrderUpdate"]["properties"]["ts"]["format"] == "date-time"
    command = document["paths"]["/api/v1/commands"]["post"]
    assert "order.submit" in str(command["requestBody"]["content"]["application/json"]["schema"])
    assert {p["name"] for p in command["parameters"]} == {"Idempotency-Key", "wait", "timeout"}
    for path, item in document["paths"].items():
        for operation in item.values():
            assert operation["summary"], path
            assert all("schema" in kind for kind in operation["responses"]["200"]["content"].values()), path
            assert "application/problem+json" in operation["responses"]["401"]["content"], path
    references = set(re.findall(r'"#/components/schemas/([^"]+)"', msgspec.json.encode(document).decode()))
    assert references <= schemas.keys()


def test_the_page_of_documentation_needs_nothing_from_elsewhere(daemon: DaemonProcess) -> None:
    page = daemon.http.get("/api/v1/docs").text
    assert "/api/v1/orders" in page
    assert not re.search(r"(src|href)=['\"]?(https?:)?//", page)


def test_no_cache_keeps_an_answer(daemon: DaemonProcess) -> None:
    for path in "/health", "/api/v1/orders", "/api/v1/audit/export", "/api/v1/orders/nope?engine=paper-1":
        answer = daemon.http.get(path)
        assert answer.headers["cache-control"] == "no-store", path
    made = daemon.post("/api/v1/tokens", {"name": "short-lived", "role": "viewer"})
    assert made.status_code == 200, made.text
    assert made.headers["cache-control"] == "no-store"


def test_answers_come_as_msgpack_when_that_is_preferred(daemon: DaemonProcess) -> None:
    response = daemon.http.get(
        f"/api/v1/market-data/quotes/{SYMBOL}",
        headers={"Accept": "application/vnd.msgpack, application/json;q=0.5"},
    )
    assert response.headers["content-type"] == "application/vnd.msgpack"
    quote = msgspec.msgpack.decode(response.content, type=Quote)
    assert quote.instrument == SYMBOL
    assert quote.synthetic
    plain = daemon.get(f"/api/v1/market-data/quotes/{SYMBOL}")
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{9}Z", plain["ts"])
    assert isinstance(plain["bid"], str)


def test_lists_page_by_cursor(daemon: DaemonProcess) -> None:
    for number in range(3):
        assert buy(daemon, f"page-{number}", "1", wait="final").status_code == 200
    seen: list[str] = []
    cursor = None
    while True:
        page = daemon.get("/api/v1/orders", limit=2, **({"cursor": cursor} if cursor else {}))
        assert len(page["items"]) <= 2
        seen += [order["client_order_id"] for order in page["items"]]
        cursor = page["next"]
        if cursor is None:
            break
    assert len(seen) == len(set(seen))
    assert {"first", "page-0", "page-1", "page-2"} <= set(seen)
    assert all(isinstance(order["ts"], str) for order in daemon.get("/api/v1/orders")["items"])


# ---------------------------------------------------------------- changes


def test_an_order_sent_twice_is_one_order(daemon: DaemonProcess) -> None:
    first = buy(daemon, "twice", "7", wait="final")
    again = buy(daemon, "twice", "7", wait="final")
    assert first.status_code == again.status_code == 200
    assert first.json() == again.json()
    assert first.json()["orders"][0]["filled_qty"] == "7"
    assert len(daemon.get("/api/v1/fills", client_order_id="twice")["items"]) >= 1
    other = buy(daemon, "twice", "8")
    assert other.status_code == 409
    assert other.json()["type"] == "conflict"
    assert daemon.get("/api/v1/orders/twice")["qty"] == "7"


def test_an_order_rests_is_modified_and_cancelled(daemon: DaemonProcess) -> None:
    body = {
        "instrument": SYMBOL,
        "side": "buy",
        "qty": "10",
        "order_type": "limit",
        "tif": "gtc",
        "price": "5.00",
    }
    sent = daemon.post("/api/v1/orders", body, "resting")
    assert sent.json()["orders"][0]["status"] == "accepted", sent.text
    assert "resting" in [
        o["client_order_id"] for o in daemon.get("/api/v1/orders", status="working")["items"]
    ]
    changed = daemon.http.patch("/api/v1/orders/resting", json={"qty": "20", "price": "6.00"})
    assert changed.status_code == 200, changed.text
    order = daemon.get("/api/v1/orders/resting")
    assert (order["qty"], Decimal(order["price"])) == ("20", 6)
    gone = daemon.http.delete("/api/v1/orders/resting")
    assert gone.status_code == 200, gone.text
    assert daemon.get("/api/v1/orders/resting")["status"] == "cancelled"
    late = daemon.http.delete("/api/v1/orders/resting")
    assert late.status_code == 409
    assert late.json()["outcome"]["outcome"] == "failed"


def test_a_position_is_closed(daemon: DaemonProcess) -> None:
    assert buy(daemon, "open-it", "3", wait="final").status_code == 200
    position = next(p for p in daemon.get("/api/v1/positions")["items"] if p["instrument"] == SYMBOL)
    closed = daemon.post(f"/api/v1/positions/{position['position_id']}/close", {}, "close-it", wait="final")
    assert closed.status_code == 200, closed.text
    assert closed.json()["orders"][0]["status"] == "filled"
    assert SYMBOL not in [p["instrument"] for p in daemon.get("/api/v1/positions")["items"]]


def test_a_denied_order_says_which_rule_and_what_would_pass(daemon: DaemonProcess) -> None:
    body = {
        "instrument": SYMBOL,
        "side": "buy",
        "qty": "1",
        "order_type": "limit",
        "tif": "gtc",
        "price": "5.001",
    }
    denied = daemon.post("/api/v1/orders", body, "off-tick")
    assert denied.status_code == 422
    assert denied.headers["content-type"] == "application/problem+json"
    problem = denied.json()
    assert problem["type"] == "denied"
    assert problem["rule"] == "tick size 0.01"
    assert problem["fix"] == "use 5.00"
    assert problem["extra"]["field"] == "price"
    assert problem["outcome"]["outcome"] == "refused"


def test_a_batch_of_commands_by_name(daemon: DaemonProcess) -> None:
    bracket = {
        "command": "order.bracket",
        "engine": ENGINE,
        "client_order_id": "bracket-1",
        "instrument": "MSFT.SIM",
        "side": "buy",
        "qty": "1",
        "take_profit": "99999.00",
        "stop_loss": "1.00",
    }
    sent = daemon.post("/api/v1/commands", bracket)
    assert sent.status_code == 200, sent.text
    assert sent.json()["command_id"] == "bracket-1"
    cancelled = daemon.post("/api/v1/orders/cancel-all", {})
    assert cancelled.status_code == 200, cancelled.text
    assert daemon.get("/api/v1/orders", status="working")["items"] == []


def test_engine_settings_are_kept_for_the_next_start(daemon: DaemonProcess) -> None:
    kept = daemon.http.put(
        "/api/v1/nautilus/engine/config", json={"instance_id": "spare", "max_order_rate": "5/1"}
    )
    assert kept.status_code == 200, kept.text
    bad = daemon.http.put(
        "/api/v1/nautilus/engine/config", json={"instance_id": "spare", "max_order_rate": "x"}
    )
    assert bad.status_code == 400
    live = daemon.post("/api/v1/nautilus/engine/start", {"instance_id": "spare", "trading_mode": "live"})
    assert live.status_code == 400
    assert "live" in live.json()["detail"]
    backtest = daemon.post(
        "/api/v1/nautilus/engine/start", {"instance_id": "spare", "engine_type": "backtest"}
    )
    assert backtest.json()["extra"]["field"] == "engine_type"


def test_broadcasts_and_unknown_connections(daemon: DaemonProcess) -> None:
    assert daemon.post("/api/v1/websocket/broadcast", {"message": "hello"}).status_code == 200
    dropped = daemon.http.delete("/api/v1/websocket/connections/none")
    assert dropped.status_code == 404
    assert dropped.json()["type"] == "not-found"


def test_everything_commanded_is_in_the_audit_and_the_chain_holds(daemon: DaemonProcess) -> None:
    buy(daemon, "audited", "1")
    entries = daemon.get("/api/v1/audit", command="order.submit", limit=1000)["items"]
    outcomes = [e["outcome"] for e in reversed(entries) if e["command_id"] == "audited"]
    assert outcomes == ["started", "done"]
    assert {(e["actor"], e["via"], e["role"]) for e in entries} == {("local", "unix", "admin")}
    report = daemon.get("/api/v1/audit/verify")
    assert report["broken_at"] is None
    assert report["entries"] >= len(entries)


# ---------------------------------------------------------------- errors


@pytest.mark.parametrize(
    ("method", "path", "body", "status", "kind"),
    [
        ("GET", "/nope", None, 404, "not-found"),
        ("GET", "/api/v1/nope", None, 404, "not-found"),
        ("GET", "/api/v1/orders/none", None, 404, "not-found"),
        ("GET", "/api/v1/market-data/quotes/NONE.SIM", None, 404, "not-found"),
        ("GET", "/api/v1/nautilus/engine/status?instance_id=none", None, 404, "not-found"),
        ("DELETE", "/api/v1/account", None, 405, "method-not-allowed"),
        ("GET", "/api/v1/orders?limit=0", None, 400, "invalid-request"),
        ("GET", "/api/v1/orders?limit=x", None, 400, "invalid-request"),
        ("GET", "/api/v1/orders?status=x", None, 400, "invalid-request"),
        ("GET", "/api/v1/orders?cursor=x", None, 400, "invalid-request"),
        ("GET", "/api/v1/nautilus/engine/logs?level=x", None, 400, "invalid-request"),
        ("GET", "/api/v1/market-data/historical/bars", None, 400, "invalid-request"),
        ("GET", "/api/v1/market-data/historical/bars?symbol=A.SIM&start=x", None, 400, "invalid-request"),
        ("POST", "/api/v1/commands", b"{", 400, "invalid-request"),
        ("POST", "/api/v1/commands", b"[]", 400, "invalid-request"),
        ("POST", "/api/v1/commands", b'{"command":"no.such"}', 400, "invalid-request"),
        ("POST", "/api/v1/commands?wait=x", b'{"command":"history.compact"}', 400, "invalid-request"),
        ("POST", "/api/v1/commands?timeout=0", b'{"command":"history.compact"}', 400, "invalid-request"),
        ("POST", "/api/v1/orders", b'{"qty":"1"}', 400, "invalid-request"),
        ("POST", "/api/v1/orders", b'{"quantity":"1"}', 400, "invalid-request"),
        ("POST", "/api/v1/sql", b'{"query":"drop table quotes"}', 400, "invalid-request"),
        ("POST", "/api/v1/orders", b" " * 1_000_001, 413, "too-large"),
        ("POST", "/api/v1/orders", b'{"instrument":"\xff"}', 400, "invalid-request"),
        ("POST", "/api/v1/commands", b'{"command":"\xff"}', 400, "invalid-request"),
        ("POST", "/api/v1/orders", b"[" * 100_000, 400, "invalid-request"),
        ("POST", "/api/v1/commands", b"[" * 100_000, 400, "invalid-request"),
        ("POST", "/api/v1/orders", b'{"instrument":"\\ud800"}', 400, "invalid-request"),
        ("PATCH", "/api/v1/instruments", b"{}", 405, "method-not-allowed"),
        ("FOO", "/api/v1/instruments", None, 405, "method-not-allowed"),
        ("GET", "/api/v1/docs/none", None, 404, "not-found"),
        ("GET", f"/api/v1/risk/alerts?cursor={cursor_after([1, 1])}", None, 400, "invalid-request"),
        ("GET", f"/api/v1/orders?cursor={cursor_after([2**63, 'a', 'b'])}", None, 400, "invalid-request"),
        ("GET", f"/api/v1/audit?cursor={cursor_after(['a'])}", None, 400, "invalid-request"),
        ("GET", "/api/v1/instruments?cursor=x", None, 400, "invalid-request"),
        ("GET", "/api/v1/instruments?limit=10001", None, 400, "invalid-request"),
        ("GET", "/api/v1/instruments?limit=one", None, 400, "invalid-request"),
    ],
)
def test_errors_are_problem_documents(
    daemon: DaemonProcess, method: str, path: str, body: bytes | None, status: int, kind: str
) -> None:
    headers = {} if body is None else {"Content-Type": "application/json"}
    response = daemon.http.request(method, path, content=body, headers=headers)
    assert response.status_code == status, response.text
    assert response.headers["content-type"] == "application/problem+json"
    problem = response.json()
    assert problem["type"] == kind
    assert problem["status"] == status
    assert problem["title"]
    assert problem["detail"]


@pytest.mark.parametrize("qty", ["NaN", "Infinity", "1e999999", "1e-999999"])
def test_what_is_no_quantity_is_refused_by_those_who_only_ask_too(daemon: DaemonProcess, qty: str) -> None:
    order = {"engine": ENGINE, "instrument": SYMBOL, "side": "buy", "qty": qty}
    limit = f"/api/v1/risk/limits/order_notional:engine:{ENGINE}:notional/check"
    for path in ("/api/v1/orders/preview", limit):
        response = daemon.post(path, order)
        assert response.status_code == 400, response.text
        assert response.json()["extra"]["field"] == "qty"


@pytest.mark.parametrize(
    ("content_type", "status"),
    [
        ("application/json", 200),
        ("application/json; charset=utf-8", 200),
        ("application/merge-patch+json", 200),
        (None, 200),
        ("text/plain", 415),
        ("application/x-www-form-urlencoded", 415),
        ("application/msgpack", 415),
    ],
)
def test_a_body_is_json_or_says_nothing_about_itself(
    daemon: DaemonProcess, content_type: str | None, status: int
) -> None:
    headers = {} if content_type is None else {"Content-Type": content_type}
    response = daemon.http.post("/api/v1/sql", content=b'{"query":"select 1"}', headers=headers)
    assert response.status_code == status, response.text
    if status == 415:
        assert response.json()["type"] == "unsupported-media-type"
        assert response.json()["fix"] == "send Content-Type: application/json"


def test_a_path_names_its_methods(daemon: DaemonProcess) -> None:
    wrong = daemon.http.put("/api/v1/orders", json={})
    assert wrong.status_code == 405
    for response in (wrong, daemon.http.options("/api/v1/orders")):
        assert set(response.headers["allow"].split(", ")) == {"GET", "POST", "OPTIONS"}


def test_head_is_answered_as_get_without_the_body(daemon: DaemonProcess) -> None:
    for path, status in (("/api/v1/orders", 200), ("/health", 200), ("/api/v1/nothing", 404)):
        got, head = daemon.http.get(path), daemon.http.head(path)
        assert (got.status_code, head.status_code) == (status, status)
        assert head.headers["content-type"] == got.headers["content-type"]
        assert (bool(got.content), head.content) == (True, b"")


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("seed", -1),
        ("seed", 2**63),
        ("max_memory", 2**70),
        ("max_cpu", 2**70),
    ],
)
def test_an_engine_is_not_started_with_what_it_could_not_run_on(
    daemon: DaemonProcess, field: str, value: int
) -> None:
    response = daemon.post("/api/v1/nautilus/engine/start", {"instance_id": "never", field: value})
    assert response.status_code == 400, response.text
    assert response.json()["extra"]["field"] == field
    assert "never" not in [engine["id"] for engine in daemon.get("/api/v1/nautilus/engine/status")["items"]]


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("qty", "0"),
        ("qty", "-1"),
        ("qty", "NaN"),
        ("qty", "Infinity"),
        ("qty", "1e999999"),
        ("qty", {}),
        ("side", "hold"),
        ("price", "5"),
        ("tif", "gtd"),
        ("instrument", "NONE.SIM"),
        ("client_order_id", "not an id"),
        ("ts_expire", 10**30),
        ("ts_expire", "9999-12-31T00:00:00Z"),
        ("engine", "none"),
    ],
)
def test_a_bad_field_is_named_and_changes_nothing(daemon: DaemonProcess, field: str, value: object) -> None:
    before = daemon.get("/api/v1/orders", limit=1)
    body = {"instrument": SYMBOL, "side": "buy", "qty": "1", "engine": ENGINE, field: value}
    response = daemon.post("/api/v1/orders", body)
    assert 400 <= response.status_code < 500, response.text
    problem = response.json()
    assert problem["rule"] or problem["type"] == "not-found"
    named = problem.get("extra", {}).get("field", problem["detail"])
    assert field in named or field in ("tif", "engine"), problem
    assert daemon.get("/api/v1/orders", limit=1) == before


# ---------------------------------------------------------------- who may do what


def test_tcp_needs_a_token_even_on_loopback(daemon: DaemonProcess) -> None:
    for header in (
        {},
        {"Authorization": "Bearer wrong"},
        {"Authorization": "Basic eDp5"},
        {"X-Forwarded-For": "unix"},
    ):
        response = daemon.tcp.get("/health", headers=header)
        assert response.status_code == 401
        assert response.headers["content-type"] == "application/problem+json"
        assert response.headers["www-authenticate"] == "Bearer"


def test_roles_limit_what_a_token_may_do(daemon: DaemonProcess) -> None:
    viewer, trader = daemon.token("see", "viewer"), daemon.token("trade", "trader")
    assert daemon.tcp.get("/api/v1/orders", headers=viewer).status_code == 200
    order = {"instrument": SYMBOL, "side": "buy", "qty": "1"}
    refused = daemon.tcp.post("/api/v1/orders", json=order, headers=viewer)
    assert refused.status_code == 403
    assert "trader" in refused.json()["rule"]
    by_command = {"command": "order.cancel_all", "engine": ENGINE}
    refused = daemon.tcp.post("/api/v1/commands", json=by_command, headers=viewer)
    assert refused.status_code == 403
    assert refused.json()["outcome"]["outcome"] == "refused"
    assert daemon.tcp.post("/api/v1/orders", json=order, headers=trader).status_code == 200
    for path in ("/api/v1/tokens", "/api/v1/audit"):
        assert daemon.tcp.get(path, headers=trader).status_code == 403
    entry = daemon.get("/api/v1/audit", command="order.cancel_all", limit=1)["items"][0]
    assert (entry["actor"], entry["via"], entry["outcome"]) == ("see", "tcp", "refused")


def test_a_revoked_token_is_worthless_and_no_secret_is_kept(daemon: DaemonProcess) -> None:
    header = daemon.token("soon-gone", "viewer")
    assert daemon.tcp.get("/health", headers=header).status_code == 200
    twice = daemon.post("/api/v1/tokens", {"name": "soon-gone"})
    assert twice.status_code == 409
    assert daemon.http.delete("/api/v1/tokens/soon-gone").status_code == 200
    assert daemon.tcp.get("/health", headers=header).status_code == 401
    listed = {token["name"]: token for token in daemon.get("/api/v1/tokens")["items"]}
    assert listed["soon-gone"]["status"] == "revoked"
    secret = header["Authorization"].removeprefix("Bearer ").encode()
    for path in daemon.home.root.rglob("*"):
        if path.is_file():
            assert secret not in path.read_bytes(), path


def test_the_socket_is_its_owners_alone(daemon: DaemonProcess) -> None:
    assert stat.S_IMODE(daemon.home.daemon_socket.stat().st_mode) == 0o600


def test_a_second_daemon_for_the_same_home_is_told_who_has_it(daemon: DaemonProcess) -> None:
    second = subprocess.run(
        [sys.executable, "-m", "tests.daemon.serve", str(daemon.home.root)],
        cwd=REPO,
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
    assert second.returncode != 0
    assert f"process {daemon.process.pid}" in second.stderr
    assert daemon.get("/health")["alive"]


def test_health_tells_alive_ready_and_truthful_apart(daemon: DaemonProcess) -> None:
    health = daemon.get("/api/v1/system/health")
    assert (health["alive"], health["ready"], health["truthful"]) == (True, True, True), health["problems"]
    assert health["engines_running"] == 1
    engines = daemon.get("/api/v1/nautilus/engine/health")
    assert engines["status"] == "ok"
    assert engines["items"][0]["healthy"]


def test_logs_of_one_order_are_found(daemon: DaemonProcess) -> None:
    buy(daemon, "logged-1", "1", wait="final")
    page = daemon.get("/api/v1/nautilus/engine/logs", instance_id=ENGINE, limit=5)
    assert 1 <= len(page["items"]) <= 5
    older = daemon.get("/api/v1/nautilus/engine/logs", instance_id=ENGINE, limit=5, cursor=page["next"])
    assert older["items"][-1]["ts"] <= page["items"][0]["ts"]


def test_msgpack_orders_are_records(daemon: DaemonProcess) -> None:
    response = daemon.http.get("/api/v1/orders/first", headers={"Accept": "application/msgpack"})
    assert msgspec.msgpack.decode(response.content, type=OrderUpdate).client_order_id == "first"
