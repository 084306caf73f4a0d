"""The kill switch as people have it: over REST, on the command line, with the daemon dead and back."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Callable, Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from data import journal
from data.kill import UNLOCK_PHRASE, KillStatus
from data.limits import Alert
from data.paths import Home
from engines import pidfile
from engines.killed import left_in_journal
from nautilus_tui.client import Address
from nautilus_tui.client.stream import Batch, StreamClient
from tests.daemon.process import DaemonProcess

P, Q = "paper-1", "paper-2"


class Desk:
    """A home with a daemon that may die and come back, and what a person does there."""

    def __init__(self, root: Path) -> None:
        self.home = Home(root)
        self.daemon = DaemonProcess(root)

    def again(self) -> None:
        self.daemon = DaemonProcess(self.home.root)

    def cli(self, *words: str, typed: str = "") -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "nautilus_tui.cli.main", "--home", str(self.home.root), *words]
        return subprocess.run(command, input=typed, capture_output=True, text=True, timeout=120, check=False)

    def start(self, engine: str) -> None:
        state = {s["id"]: s["state"] for s in self.statuses()}.get(engine)
        if state != "running":
            body = {"instance_id": engine, "speed": "200", "instruments": ["AAPL.SIM"]}
            answered = self.daemon.post("/api/v1/nautilus/engine/start", body, timeout=60)
            assert answered.status_code == 200, answered.text

    def statuses(self) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self.daemon.get("/api/v1/nautilus/engine/status")["items"]
        return found

    def send(self, engine: str, qty: str = "5", **more: object) -> tuple[int, dict[str, Any]]:
        body = {"engine": engine, "instrument": "AAPL.SIM", "side": "buy", "qty": qty, **more}
        answered = self.daemon.post("/api/v1/orders", body)
        return answered.status_code, answered.json()

    def hold(self, engine: str) -> None:
        """Have the engine hold a position and work an order."""
        self.start(engine)
        until(lambda: self.send(engine)[0] == 200)
        assert self.send(engine, "1", order_type="limit", price="50.00", tif="gtc")[0] == 200

    def pid(self, engine: str) -> int:
        return next(r.pid for r in pidfile.find(self.home.run) if r.spec.engine == engine)

    def audit(self, command: str) -> list[tuple[str, str, str]]:
        """Return via, actor and outcome of audited commands, oldest first."""
        page = self.daemon.get("/api/v1/audit", command=command, limit=100)["items"]
        return [(e["via"], e["actor"], e["outcome"]) for e in reversed(page)]

    def kill_status(self) -> dict[str, Any]:
        found: dict[str, Any] = self.daemon.get("/api/v1/risk/kill")
        return found

    def unlock(self) -> None:
        answered = self.daemon.post("/api/v1/risk/unlock", {"phrase": UNLOCK_PHRASE})
        assert answered.status_code == 200, answered.text


def until(test: Callable[[], bool], seconds: float = 30.0) -> None:
    """Ask again until a fact holds."""
    deadline = time.monotonic() + seconds
    while not test():
        assert time.monotonic() < deadline, "it did not come true"
        time.sleep(0.05)


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    desk = Desk(tmp_path_factory.mktemp("kill") / "home")
    try:
        yield desk
    finally:
        if desk.daemon.process.poll() is None:
            desk.daemon.stop()
        for record in pidfile.find(desk.home.run):
            os.kill(record.pid, signal.SIGKILL)
    for path in desk.home.journals.glob("*.journal"):
        assert journal.verify(path).clean


@pytest.fixture(autouse=True)
def armed(desk: Desk) -> Iterator[None]:
    yield
    if desk.kill_status()["state"] != "armed":
        desk.unlock()


async def told(stream: StreamClient) -> AsyncIterator[Any]:
    """Yield the records that a stream tells, those it begins with first."""
    async for event in stream:
        if isinstance(event, Batch):
            for envelope in event.envelopes:
                for record in getattr(envelope.data, "records", (envelope.data,)):
                    yield record


async def alerted(desk: Desk, status: str) -> Alert:
    """Return the alert about the kill switch once a reader is told of it in this status.

    An alert is told when it is stored, which may be after the answer to what raised it.
    """
    async with asyncio.timeout(120), StreamClient(Address.local(desk.home), ["risk.alerts"]) as stream:
        async for record in told(stream):
            if isinstance(record, Alert) and (record.kind, record.status) == ("kill", status):
                return record
    raise AssertionError("the stream ended")


async def next_kill(stream: StreamClient, state: str) -> KillStatus:
    """Return the next word on the kill switch that says it is in this state."""
    async for record in told(stream):
        if isinstance(record, KillStatus) and record.state == state:
            return record
    raise AssertionError("the stream ended")


async def test_over_rest_it_answers_when_all_is_verified_and_only_the_phrase_lets_go(desk: Desk) -> None:
    desk.hold(P)
    answered = desk.daemon.post("/api/v1/risk/kill", {"flatten": True, "reason": "a test"}, timeout=60)
    assert answered.status_code == 200, answered.text
    assert answered.json()["data"]["verified"] == "true"
    status = desk.kill_status()
    assert (status["state"], status["verified"], status["order"]["reason"]) == ("latched", True, "a test")
    assert left_in_journal(desk.home, P).nothing(flat=True)
    code, body = desk.send(P)
    assert code in (409, 422, 503), body
    started = desk.daemon.post("/api/v1/nautilus/engine/start", {"instance_id": Q}, timeout=60)
    assert started.status_code == 409
    assert "local (unix)" in started.json()["detail"]
    assert UNLOCK_PHRASE in started.json()["fix"]
    refused = desk.daemon.post("/api/v1/risk/unlock", {"phrase": "please"})
    assert refused.status_code == 403
    assert UNLOCK_PHRASE in refused.json()["rule"]
    assert desk.kill_status() == status, "nothing changed"
    raised = await alerted(desk, "open")
    assert raised.severity == "emergency"
    desk.unlock()
    assert desk.kill_status()["state"] == "armed"
    assert (await alerted(desk, "resolved")).id == raised.id
    until(lambda: desk.audit("kill")[-1] == ("unix", "local", "done"))
    assert desk.audit("unlock")[0] == ("unix", "local", "refused")
    desk.start(P)
    until(lambda: desk.send(P)[0] == 200)


def test_who_may_trade_may_pull_and_who_may_set_risk_may_release(desk: Desk) -> None:
    desk.start(P)
    tokens = {role: desk.daemon.token(f"kill-{role}", role) for role in ("viewer", "trader", "risk")}

    def ask(role: str, path: str, body: dict[str, Any]) -> int:
        return desk.daemon.tcp.post(f"/api/v1/risk/{path}", json=body, headers=tokens[role]).status_code

    assert ask("viewer", "kill", {}) == 403
    assert desk.kill_status()["state"] == "armed"
    assert ask("trader", "kill", {"engine": P}) == 200
    assert ask("viewer", "unlock", {"phrase": UNLOCK_PHRASE}) == 403
    assert ask("trader", "unlock", {"phrase": UNLOCK_PHRASE}) == 403
    assert desk.daemon.tcp.get("/api/v1/risk/kill", headers=tokens["viewer"]).json()["state"] == "latched"
    assert ask("risk", "unlock", {"phrase": UNLOCK_PHRASE}) == 200
    assert ask("trader", "kill", {"engine": "paper-77"}) == 404
    assert ask("trader", "kill", {"engines": "all"}) == 400
    assert desk.kill_status()["state"] == "armed"


async def test_what_the_command_line_pulls_is_seen_told_and_audited_by_the_daemon(desk: Desk) -> None:
    desk.hold(P)
    before = len(desk.audit("kill"))
    async with StreamClient(Address.local(desk.home), ["risk.kill"]) as stream:
        pulled = desk.cli("--json", "kill", "--engine", P)
        assert pulled.returncode == 0, pulled.stderr
        shown = json.loads(pulled.stdout)
        assert shown["verified"] is True
        assert [e["cancelled"] for e in shown["engines"] if e["engine"] == P] == [1]
        seen = await next_kill(stream, "latched")
        assert seen.order.via == "cli"
        assert seen.verified
        wrong = desk.cli("unlock", typed="no\n")
        assert wrong.returncode == 3
        assert UNLOCK_PHRASE in wrong.stderr
        assert desk.home.kill_latch.exists()
        assert desk.cli("unlock", typed=f"{UNLOCK_PHRASE}\n").returncode == 0
        await next_kill(stream, "armed")
        drilled = desk.cli("kill", "--drill", "--flatten")
        assert drilled.returncode == 0, drilled.stderr
        assert "BLOCKED" in drilled.stdout
        assert "1 position closed" in drilled.stdout
        assert "verified: 0 working, 0 held" in drilled.stdout
    assert not desk.home.kill_latch.exists()
    until(lambda: [v for v, _, o in desk.audit("unlock") if v == "cli" and o == "done"] == ["cli"])
    mine = desk.audit("kill")[before:]
    assert [(via, outcome) for via, _, outcome in mine] == [("cli", "started"), ("cli", "done")] * 2
    assert desk.daemon.get("/api/v1/audit/verify")["broken_at"] is None


def test_a_hung_engine_is_ended_and_the_store_hears_how_its_books_end(desk: Desk) -> None:
    desk.hold(Q)
    hung = desk.pid(Q)
    os.kill(hung, signal.SIGSTOP)
    answered = desk.daemon.post("/api/v1/risk/kill", {"engine": Q, "flatten": True}, timeout=120)
    assert answered.status_code == 200, answered.text
    assert desk.kill_status()["engines"][0]["hung"] is True
    assert left_in_journal(desk.home, Q).nothing(flat=True)
    until(lambda: desk.daemon.get("/api/v1/positions", engine=Q)["items"] == [])
    until(lambda: desk.daemon.get("/api/v1/orders", engine=Q, status="open")["items"] == [])
    until(lambda: {s["id"]: s["state"] for s in desk.statuses()}[Q] == "stopped")
    assert "kill switch" in next(s["reason"] for s in desk.statuses() if s["id"] == Q)


def test_with_the_daemon_dead_and_an_engine_stopped_it_still_ends_flat_and_stays_latched(desk: Desk) -> None:
    desk.hold(P)
    desk.hold(Q)
    desk.daemon.kill()
    os.kill(desk.pid(Q), signal.SIGSTOP)
    pulled = desk.cli("kill", "--flatten")
    assert pulled.returncode == 0, pulled.stdout + pulled.stderr
    assert pulled.stdout.count("BLOCKED") == 2
    assert pulled.stdout.count("verified: 0 working, 0 held") == 2
    assert f"nautilus-tui unlock, and type: {UNLOCK_PHRASE}" in pulled.stdout
    for engine in (P, Q):
        assert left_in_journal(desk.home, engine).nothing(flat=True)
    again = json.loads(desk.cli("--json", "kill", "--flatten").stdout)
    assert again["verified"] is True, "pulled twice it stands where it stood"
    assert [e["orders_left"] for e in again["engines"]] == [0, 0]
    shown = desk.cli("kill", "--status")
    assert "latched" in shown.stdout

    desk.again()
    assert desk.kill_status()["state"] == "latched"
    for engine in (P, Q):
        started = desk.daemon.post("/api/v1/nautilus/engine/start", {"instance_id": engine}, timeout=60)
        assert started.status_code == 409, started.text
    for engine in (P, Q):
        assert desk.send(engine)[0] != 200
        until(lambda engine=engine: desk.daemon.get("/api/v1/positions", engine=engine)["items"] == [])
    until(lambda: [o for via, _, o in desk.audit("kill")[-4:] if via == "cli"] == ["started", "done"] * 2)
    desk.unlock()
    for engine in (P, Q):
        desk.start(engine)
        until(lambda engine=engine: desk.send(engine)[0] == 200)


def test_a_latch_that_cannot_be_read_keeps_everything_shut_until_it_is_released(desk: Desk) -> None:
    desk.start(P)
    desk.daemon.post("/api/v1/nautilus/engine/stop", {"instance_id": Q}, timeout=60)
    desk.home.kill_latch.write_bytes(b"\x00garbage")
    started = desk.daemon.post("/api/v1/nautilus/engine/start", {"instance_id": Q}, timeout=60)
    assert started.status_code == 409
    assert "cannot be read" in started.json()["detail"]
    assert "cannot be read" in (desk.kill_status()["problem"] or "")
    pulled = json.loads(desk.cli("--json", "kill", "--engine", P).stdout)
    assert pulled["verified"] is True
    desk.unlock()
    desk.start(Q)
    until(lambda: desk.send(Q)[0] == 200)


def test_the_amounts_told_are_the_journals_own(desk: Desk) -> None:
    desk.hold(P)
    held = left_in_journal(desk.home, P)
    assert held.orders == 1
    shown = json.loads(desk.cli("--json", "kill", "--engine", P).stdout)
    mine = next(e for e in shown["engines"] if e["engine"] == P)
    assert {name: Decimal(qty) for name, qty in mine["positions"].items()} == held.positions
    assert mine["positions_left"] == len(held.positions)
    assert mine["orders_left"] == 0
