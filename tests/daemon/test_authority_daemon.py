"""The order authority of a real daemon with a real engine: who may send, hand-overs under fire, kill -9."""

from __future__ import annotations

import signal
import threading
import time
from collections.abc import Container, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from data.records import OrderUpdate
from engines import books
from tests.daemon.process import DaemonProcess, signal_engine
from tests.daemon.serve import Told

ENGINE = "paper-1"
SYMBOL = "AAPL.SIM"
PATH = "/api/v1/authority"


def start(daemon: DaemonProcess) -> None:
    started = daemon.post("/api/v1/nautilus/engine/start", {"instance_id": ENGINE, "seed": 5})
    assert started.status_code == 200, started.text


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[DaemonProcess]:
    daemon = DaemonProcess(tmp_path_factory.mktemp("authority") / "home", Told(requests_per_second=100_000))
    try:
        start(daemon)
        yield daemon
    finally:
        daemon.stop_all()


@pytest.fixture
def daemon(house: DaemonProcess) -> Iterator[DaemonProcess]:
    yield house
    house.http.delete(PATH)


def order(key: str, **more: Any) -> dict[str, Any]:
    return {"engine": ENGINE, "instrument": SYMBOL, "side": "buy", "qty": "1", "client_order_id": key, **more}


def last_audited(daemon: DaemonProcess, command: str) -> dict[str, Any]:
    page = daemon.get("/api/v1/audit", command=command, limit=1)
    found: dict[str, Any] = page["items"][0]
    return found


def test_only_its_holder_sends_and_anyone_takes_risk_away(daemon: DaemonProcess) -> None:
    desk = daemon.token("desk", "trader")
    assert daemon.get(PATH)["holder"] is None
    resting = order("A1", order_type="limit", price="1.00", tif="gtc")
    assert daemon.post("/api/v1/orders", resting).status_code == 200
    assert daemon.post("/api/v1/orders", order("A2")).status_code == 200  # something to close
    taken = daemon.tcp.post(PATH, json={"reason": "shift"}, headers=desk)
    assert taken.status_code == 200, taken.text
    assert taken.json()["data"] == {"holder": "desk", "by": "desk", "reason": "shift"}
    held = daemon.get(PATH)
    assert (held["holder"], held["via"], held["by"]) == ("desk", "tcp", "desk")
    for method, path, body in (
        ("POST", "/api/v1/orders", order("A3")),
        ("POST", "/api/v1/orders", order("A4", side="sell", reduce_only=True)),
        ("PATCH", "/api/v1/orders/A1", {"price": "2.00"}),
        (
            "POST",
            "/api/v1/commands",
            {"command": "order.oco", **order("A5"), "limit_price": "1", "stop_price": "900"},
        ),
        (
            "POST",
            "/api/v1/commands",
            {"command": "order.bracket", **order("A6"), "take_profit": "900", "stop_loss": "1"},
        ),
    ):
        refused = daemon.http.request(method, path, json=body)
        assert refused.status_code == 403, refused.text
        assert refused.json()["type"] == "order-authority"
        assert refused.json()["extra"]["holder"] == "desk"
        assert "desk holds the order authority since" in refused.json()["detail"]
    preview = {"engine": ENGINE, "instrument": SYMBOL, "side": "buy", "qty": "1"}
    assert daemon.post("/api/v1/orders/preview", preview).status_code == 200
    changed = daemon.tcp.patch("/api/v1/orders/A1", json={"price": "2.00"}, headers=desk)
    assert changed.status_code == 200, changed.text
    assert daemon.http.delete("/api/v1/orders/A1").status_code == 200
    flat = daemon.post(
        "/api/v1/commands", {"command": "position.flatten", "engine": ENGINE, "client_order_id": "A7"}
    )
    assert flat.status_code == 200, flat.text
    assert {order["client_order_id"] for order in daemon.get("/api/v1/orders")["items"]} >= {"A1", "A2"}
    for never in ("A3", "A4", "A5-A", "A6"):
        assert daemon.http.get(f"/api/v1/orders/{never}").status_code == 404


def test_a_hand_over_is_audited_with_before_and_after(daemon: DaemonProcess) -> None:
    trader = daemon.token("auditee", "trader")
    daemon.post(PATH)
    taken = daemon.tcp.post(PATH, json={"reason": "relief"}, headers=trader).json()
    assert taken["detail"] == "auditee took the order authority, from local: relief"
    assert taken["data"] == {"holder": "auditee", "before": "local", "by": "auditee", "reason": "relief"}
    again = daemon.tcp.post(PATH, headers=trader).json()
    assert again["detail"] == "auditee holds it already"
    other = daemon.token("bystander", "trader")
    refused = daemon.tcp.delete(PATH, headers=other)
    assert refused.status_code == 403
    assert refused.json()["fix"] == "take it instead: nautilus-tui authority take"
    entry = last_audited(daemon, "authority.release")
    assert (entry["actor"], entry["outcome"]) == ("bystander", "refused")
    viewer = daemon.token("looker", "viewer")
    assert daemon.tcp.get(PATH, headers=viewer).json()["holder"] == "auditee"
    assert daemon.tcp.post(PATH, headers=viewer).status_code == 403
    freed = daemon.http.delete(PATH, params={"reason": "all home"}).json()
    assert freed["detail"] == "the order authority is free, from auditee: all home"
    entry = last_audited(daemon, "authority.release")
    assert (entry["actor"], entry["outcome"], entry["detail"]) == ("local", "done", freed["detail"])


def test_a_repeat_of_what_was_carried_out_gets_its_answer_from_whoever_holds_it(
    daemon: DaemonProcess,
) -> None:
    first = daemon.post("/api/v1/orders", order("R1"), key="R1")
    assert first.status_code == 200, first.text
    taker = daemon.token("taker", "trader")
    assert daemon.tcp.post(PATH, headers=taker).status_code == 200
    again = daemon.post("/api/v1/orders", order("R1"), key="R1")
    assert again.status_code == 200, again.text
    assert again.json()["command_id"] == "R1"
    other_body = daemon.post("/api/v1/orders", order("R1", qty="2"), key="R1")
    assert (other_body.status_code, other_body.json()["type"]) == (409, "conflict")
    assert daemon.post("/api/v1/orders", order("R2"), key="R2").status_code == 403
    assert daemon.post(PATH).status_code == 200
    assert (
        daemon.post("/api/v1/orders", order("R2"), key="R2").status_code == 200
    )  # a refusal is not remembered


def test_a_revoked_holder_holds_it_no_longer_once_the_revocation_is_answered(daemon: DaemonProcess) -> None:
    gone = daemon.token("gone", "trader")
    assert daemon.tcp.post(PATH, headers=gone).status_code == 200
    assert daemon.http.delete("/api/v1/tokens/gone").status_code == 200
    now = daemon.get(PATH)
    assert (now["holder"], now["before"], now["by"]) == (None, "gone", "daemon")
    assert now["reason"] == "the token gone was revoked"
    assert daemon.post("/api/v1/orders", order("V1")).status_code == 200


def test_an_engine_that_hangs_does_not_keep_a_hand_over_up_and_its_order_is_named(
    daemon: DaemonProcess,
) -> None:
    keen = daemon.token("keen", "trader")
    answers: list[httpx.Response] = []
    sender = threading.Thread(target=lambda: answers.append(daemon.post("/api/v1/orders", order("H1"))))
    signal_engine(daemon.home, ENGINE, signal.SIGSTOP)
    try:
        sender.start()
        deadline = time.monotonic() + 20
        while daemon.tcp.get("/api/v1/orders/H1", headers=keen).status_code != 200:
            assert time.monotonic() < deadline
        taken = daemon.tcp.post(PATH, headers=keen, params={"timeout": 1}).json()
        assert taken["data"]["unanswered"] == "H1"
        assert taken["detail"].endswith("; sent before and not answered yet: H1")
        late = daemon.tcp.post("/api/v1/orders", json=order("H2"), headers=daemon.token("dull", "trader"))
        assert late.json()["type"] == "order-authority"
    finally:
        signal_engine(daemon.home, ENGINE, signal.SIGCONT)
    sender.join()
    assert answers[0].status_code == 200, answers[0].text
    assert answers[0].json()["orders"][0]["client_order_id"] == "H1"


class Hammer(threading.Thread):
    """Somebody who sends orders until told to stop, noting what was said to each."""

    def __init__(self, name: str, number: int, url: str, headers: dict[str, str], heard: threading.Condition):
        super().__init__(name=f"{name}-{number}")
        self.holder = name
        self._client = httpx.Client(base_url=url, headers=headers, timeout=30, trust_env=False)
        self._heard = heard
        self.stopped = False
        self.said: dict[str, int] = {}  #: order id → status

    def run(self) -> None:
        with self._client:
            for number in range(100_000):
                key = f"{self.name}-{number}"
                status = self._client.post("/api/v1/orders", json=order(key)).status_code
                with self._heard:
                    self.said[key] = status
                    self._heard.notify_all()
                    if self.stopped:
                        return

    def passed(self) -> int:
        return sum(status == 200 for status in self.said.values())


def test_no_order_of_who_lost_it_is_accepted_after_the_loss_is_acknowledged(daemon: DaemonProcess) -> None:
    heard = threading.Condition()
    url = f"http://127.0.0.1:{daemon.port}"
    keys = {name: daemon.token(name, "trader") for name in ("left", "right")}
    hammers = [Hammer(name, number, url, header, heard) for name, header in keys.items() for number in (0, 1)]
    held: list[tuple[str, int, int]] = []  #: holder, from its acknowledgement until the next was asked for
    began = time.time_ns()
    for hammer in hammers:
        hammer.start()
    try:
        for turn in range(12):
            name = ("left", "right")[turn % 2]
            taken = daemon.tcp.post(PATH, headers=keys[name])
            since = time.time_ns()
            assert taken.status_code == 200, taken.text
            assert "not answered yet" not in taken.json()["detail"]
            own = [hammer for hammer in hammers if hammer.holder == name]
            with heard:
                before = sum(hammer.passed() for hammer in own)
                assert heard.wait_for(lambda b=before, o=own: sum(h.passed() for h in o) >= b + 3, timeout=30)
            held.append((name, since, time.time_ns()))
    finally:
        with heard:
            for hammer in hammers:
                hammer.stopped = True
        for hammer in hammers:
            hammer.join()
    said = {key: status for hammer in hammers for key, status in hammer.said.items()}
    accepted = _accepted(daemon, said)
    assert all(began < ts < time.time_ns() for ts in accepted.values())  # the engine's clock is ours
    for name, since, until in held:
        inside = {key.partition("-")[0] for key, ts in accepted.items() if since < ts < until}
        assert inside == {name}
    assert {key for key, status in said.items() if status == 200} == set(accepted)
    assert {key for key, status in said.items() if status == 403}
    assert set(said.values()) == {200, 403}
    fits = daemon.get("/api/v1/audit/verify")
    assert fits["broken_at"] is None


def _accepted(daemon: DaemonProcess, keys: Container[str]) -> dict[str, int]:
    """Return when the engine first had each order, by its journal."""
    found: dict[str, int] = {}
    for record in books.read_records(daemon.home.journal(ENGINE), 0):
        if isinstance(record, OrderUpdate) and record.client_order_id in keys:
            found.setdefault(record.client_order_id, record.ts)
    return found


def test_a_daemon_that_is_killed_and_started_again_has_the_same_holder(tmp_path: Path) -> None:
    root = tmp_path / "home"
    daemon = DaemonProcess(root)
    try:
        assert daemon.get(PATH)["holder"] is None
        desk = daemon.token("desk", "trader")
        soon = daemon.token("soon", "trader")
        taken = daemon.tcp.post(PATH, json={"reason": "night"}, headers=desk)
        assert taken.status_code == 200, taken.text
        held = daemon.get(PATH)
        daemon.kill()
        daemon = DaemonProcess(root, Told(order_authority="required"))
        assert daemon.get(PATH) == {**held, "required": True}
        refused = daemon.post("/api/v1/orders", order("K1"))
        assert (refused.status_code, refused.json()["type"]) == (403, "order-authority")
        assert daemon.tcp.post(PATH, headers=soon).json()["data"]["before"] == "desk"
        assert daemon.http.delete(PATH, params={"holder": "soon"}).status_code == 200
        now = daemon.get(PATH)
        assert (now["holder"], now["before"], now["by"]) == (None, "soon", "local")
        refused = daemon.post("/api/v1/orders", order("K2"))
        assert "nobody holds the order authority" in refused.json()["detail"]
    finally:
        daemon.stop_all()
