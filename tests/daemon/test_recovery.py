"""Real processes broken on purpose: what was sent is in one state afterwards, and every book agrees."""

from __future__ import annotations

import json
import signal
import threading
import time
from pathlib import Path
from typing import Any

import httpx
import pytest

from data.records import FINAL_STATUSES, WORKING_STATUSES
from engines import books
from tests.daemon.process import DaemonProcess, signal_engine

ENGINE = "paper-1"


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return tmp_path / "home"


def order(key: str, **more: str) -> dict[str, str]:
    return {
        "engine": ENGINE,
        "instrument": "AAPL.SIM",
        "side": "buy",
        "qty": "1",
        "client_order_id": key,
        **more,
    }


def start(daemon: DaemonProcess) -> None:
    started = daemon.post("/api/v1/nautilus/engine/start", {"instance_id": ENGINE, "seed": 5})
    assert started.status_code == 200, started.text


def until(condition: Any, what: str) -> Any:
    """Wait for something that another process brings about."""
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        found = condition()
        if found:
            return found
        threading.Event().wait(0.05)
    raise AssertionError(f"{what} did not happen")


def journalled(daemon: DaemonProcess) -> dict[str, Any]:
    """Return the orders as the engine's journal has them."""
    found: dict[str, Any] = {}
    for record in books.read_records(daemon.home.journal(ENGINE), 0):
        if record.__struct_config__.tag == "order_update":
            found[record.client_order_id] = record  # type: ignore[union-attr]  # told by its tag
    return found


def test_daemon_killed_in_a_stream_of_orders_loses_and_doubles_nothing(root: Path) -> None:
    daemon = DaemonProcess(root)
    try:
        start(daemon)
        sent: list[str] = []
        thirty = threading.Event()

        def stream() -> None:
            for number in range(1000):
                key = f"S{number}"
                sent.append(key)
                try:
                    daemon.http.post("/api/v1/orders", json=order(key))
                except httpx.TransportError:
                    return
                if number == 30:
                    thirty.set()

        sender = threading.Thread(target=stream)
        sender.start()
        assert thirty.wait(30)
        daemon.kill()
        sender.join()
        again = DaemonProcess(root)
        daemon = again
        engine = daemon.get("/api/v1/nautilus/engine/status", instance_id=ENGINE)
        assert engine["state"] == "running"
        last = sent[-1]  # it was under way: sent again under its id it is still one order
        resent = until(lambda: settled(daemon, last), "the last order's answer")
        assert resent["status"] == "filled"
        stored = {o["client_order_id"]: o for o in daemon.get("/api/v1/orders", limit=10_000)["items"]}
        assert set(sent) == set(stored)
        assert {o["status"] for o in stored.values()} == {"filled"}
        fills = daemon.get("/api/v1/fills", limit=10_000)["items"]
        assert sum(int(float(fill["qty"])) for fill in fills) == len(sent)
        position = daemon.get("/api/v1/positions")["items"][0]
        assert float(position["qty"]) == len(sent)
        assert {key: record.status for key, record in journalled(daemon).items()} == {
            key: order["status"] for key, order in stored.items()
        }
        assert daemon.get("/api/v1/audit/verify")["broken_at"] is None
    finally:
        daemon.stop_all()


def settled(daemon: DaemonProcess, key: str) -> Any:
    answer = daemon.post("/api/v1/orders", order(key), wait="final").json()
    orders = answer.get("orders") or answer.get("outcome", {}).get("orders") or []
    return orders[0] if orders and orders[0]["status"] in FINAL_STATUSES else None


def test_engine_that_hangs_leaves_an_unknown_order_and_its_journal_resolves_it(root: Path) -> None:
    daemon = DaemonProcess(root)
    try:
        start(daemon)
        signal_engine(daemon.home, ENGINE, signal.SIGSTOP)
        answer = daemon.post("/api/v1/orders", order("silent"), timeout=1)
        assert answer.status_code == 504, answer.text
        problem = answer.json()
        assert problem["type"] == "outcome-unknown"
        assert problem["outcome"]["outcome"] == "unknown"
        assert daemon.get("/api/v1/orders/silent")["status"] == "unknown"
        signal_engine(daemon.home, ENGINE, signal.SIGCONT)
        until(lambda: daemon.get("/api/v1/orders/silent")["status"] == "filled", "the fill")
        repeated = daemon.post("/api/v1/orders", order("silent"), wait="final")
        assert repeated.status_code == 200, repeated.text
        assert repeated.json()["orders"][0]["status"] == "filled"
        assert len(daemon.get("/api/v1/fills", client_order_id="silent")["items"]) == 1
    finally:
        daemon.stop_all()


def test_order_that_never_reached_the_journal_is_denied_once_the_engine_is_back(root: Path) -> None:
    daemon = DaemonProcess(root)
    try:
        start(daemon)
        resting = order("resting", order_type="limit", tif="gtc", price="5.00")
        assert daemon.post("/api/v1/orders", resting).status_code == 200
        signal_engine(daemon.home, ENGINE, signal.SIGSTOP)
        assert daemon.post("/api/v1/orders", order("lost"), timeout=1).status_code == 504
        signal_engine(daemon.home, ENGINE, signal.SIGKILL)
        denied = until(
            lambda: (o := daemon.get("/api/v1/orders/lost"))["status"] == "denied" and o, "the denial"
        )
        assert denied["reason"] == "never reached the engine's journal"
        assert daemon.get("/api/v1/nautilus/engine/status", instance_id=ENGINE)["restarts"] == 1
        assert daemon.get("/api/v1/orders/resting")["status"] in WORKING_STATUSES
        assert "lost" not in journalled(daemon)
        assert daemon.get("/api/v1/fills")["items"] == []
    finally:
        daemon.stop_all()


def test_stopping_is_graceful_leaves_the_engine_and_the_next_daemon_adopts_it(root: Path) -> None:
    daemon = DaemonProcess(root)
    try:
        start(daemon)
        daemon.post("/api/v1/orders", order("one"), wait="final")
        before = daemon.get("/api/v1/nautilus/engine/status", instance_id=ENGINE)
        assert daemon.stop() == 0
        assert not daemon.home.daemon_socket.exists()
        daemon.home.daemon_socket.touch()  # a socket left behind by a crash looks no different to bind
        daemon = DaemonProcess(root)
        after = daemon.get("/api/v1/nautilus/engine/status", instance_id=ENGINE)
        assert (after["state"], after["pid"]) == ("running", before["pid"])
        assert daemon.get("/api/v1/orders/one")["status"] == "filled"
        logs = daemon.get("/api/v1/nautilus/engine/logs", instance_id=ENGINE)
        assert logs["items"]
        stopped = daemon.post("/api/v1/nautilus/engine/stop", {"instance_id": ENGINE})
        assert stopped.json()["engine"]["state"] == "stopped"
        assert json.loads(daemon.http.get("/health").content)["truthful"] is None
    finally:
        daemon.stop_all()
