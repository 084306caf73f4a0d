"""The monitor of a real daemon: near, over, acted on, seen, back within; a restart; a hung engine."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from data.limits import ACTIONS, Alert, Breach, BreachAction, LimitStatus
from data.records import EngineStatus, SystemHealth
from nautilus_tui.client import Address
from nautilus_tui.client.stream import Batch, StreamClient
from nautilus_tui.daemon.settings import EscalationStep
from tests.cli.driving import CommandLine
from tests.daemon.process import DaemonProcess
from tests.daemon.receiver import Receiver, receiving
from tests.daemon.serve import Told

P, Q = "paper-1", "paper-2"
A, B, C = "AAPL.SIM", "MSFT.SIM", "XOM.SIM"
TOLD = Told(
    monitor_seconds=0.3,
    escalation=(
        EscalationStep("trader", 0.0),
        EscalationStep("risk manager", 0.3),
        EscalationStep("head of risk", 3600.0),
    ),
)
PATIENCE_S = 60.0


class Desk:
    """A home with a daemon that may die and come back, and what people do there."""

    def __init__(self, root: Path, receiver: Receiver) -> None:
        self.root = root
        self.environment = {
            "NAUTILUS_TUI_NOTIFY_TRADER": receiver.url("trader"),
            "NAUTILUS_TUI_NOTIFY_RISK_MANAGER": receiver.url("risk-manager"),
        }
        self.again()

    def again(self) -> None:
        """Begin a daemon over the home."""
        self.daemon = DaemonProcess(self.root, TOLD, self.environment)

    def start(self, engine: str) -> None:
        body = {"instance_id": engine, "seed": 11, "instruments": [A, B, C]}
        answered = self.daemon.post("/api/v1/nautilus/engine/start", body, timeout=60)
        assert answered.status_code == 200, answered.text

    def order(self, side: str, qty: str, instrument: str = A, **more: object) -> tuple[int, dict[str, Any]]:
        body = {"engine": P, "instrument": instrument, "side": side, "qty": qty} | more
        wait = "ack" if "order_type" in more else "final"
        answered = self.daemon.post("/api/v1/orders", body, wait=wait, timeout=20)
        return answered.status_code, answered.json()

    def limit(self, hard: str, scope: str = f"instrument:{A}", **more: object) -> None:
        command = {
            "command": "limit.set",
            "limit_type": "position_size",
            "unit": "shares",
            "scope": scope,
            "hard": hard,
        } | more
        answered = self.daemon.post("/api/v1/commands", command, timeout=30)
        assert answered.status_code == 200, answered.text

    def rows(self) -> list[Any]:
        """Return every breach there ever was, as the API tells it."""
        found: list[Any] = self.daemon.get("/api/v1/risk/breaches", every="true")["items"]
        return found


class News:
    """The latest that the streams told of everything, and waiting for what is to come."""

    def __init__(self) -> None:
        self.breaches: dict[str, Breach] = {}
        self.alerts: dict[str, Alert] = {}
        self.limits: dict[str, LimitStatus] = {}
        self.engines: dict[str, EngineStatus] = {}
        self.health: SystemHealth | None = None
        self._changed = asyncio.Condition()

    async def follow(self, stream: StreamClient) -> None:
        async for event in stream:
            if not isinstance(event, Batch):
                continue
            async with self._changed:
                for envelope in event.envelopes:
                    for record in getattr(envelope.data, "records", (envelope.data,)):
                        self._take(record)
                self._changed.notify_all()

    def _take(self, record: object) -> None:
        match record:
            case Breach():
                self.breaches[record.id] = record
            case Alert():
                self.alerts[record.id] = record
            case LimitStatus():
                self.limits[record.limit.id] = record
            case EngineStatus():
                self.engines[record.id] = record
            case SystemHealth():
                self.health = record

    async def until[T](self, found: Callable[[], T]) -> T:
        """Return what is looked for once it is there."""
        async with self._changed:
            try:
                await asyncio.wait_for(self._changed.wait_for(lambda: bool(found())), PATIENCE_S)
            except TimeoutError:
                raise AssertionError((self.breaches, self.alerts, self.engines)) from None
            return found()

    def breach(self, status: str, scope: str = f"instrument:{A}") -> Breach | None:
        """Return the latest breach of a scope if it has this status."""
        found = [one for one in self.breaches.values() if one.scope == scope]
        latest = max(found, key=lambda one: one.ts_detected, default=None)
        return latest if latest is not None and latest.status == status else None

    def alert(self, kind: str, status: str = "open") -> Alert | None:
        return next((a for a in self.alerts.values() if (a.kind, a.status) == (kind, status)), None)

    def action(self, id_: str, name: str) -> BreachAction | None:
        return next((one for one in self.breaches[id_].actions if one.action == name), None)


@asynccontextmanager
async def following(desk: Desk) -> AsyncIterator[News]:
    news = News()
    topics = ["risk.breaches", "risk.alerts", "risk.limits", "engines.*.status", "system.health"]
    async with StreamClient(Address.local(desk.daemon.home), topics) as stream:
        task = asyncio.create_task(news.follow(stream))
        try:
            yield news
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)


@pytest.fixture(scope="module")
def receiver() -> Iterator[Receiver]:
    with receiving() as found:
        yield found


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory, receiver: Receiver) -> Iterator[Desk]:
    """A daemon with an engine that holds 100 of one instrument and 20 of another."""
    one = Desk(tmp_path_factory.mktemp("monitor") / "home", receiver)
    try:
        one.start(P)
        for instrument, qty in ((A, "100"), (B, "20")):
            code, body = one.order("buy", qty, instrument)
            assert code == 200, body
        yield one
    finally:
        one.daemon.stop_all()


async def test_near_a_limit_there_is_an_alert_and_somebody_is_told(desk: Desk, receiver: Receiver) -> None:
    async with following(desk) as news:
        desk.limit("120")
        near = await news.until(lambda: news.limits.get(f"position_size:instrument:{A}:shares"))
        assert near is not None
        assert (near.level, near.value, near.headroom) == ("warn", Decimal(100), Decimal(20))
        assert near.synthetic
        alert = await news.until(lambda: next((a for a in news.alerts.values() if a.told), None))
        assert alert is not None
        assert (alert.kind, alert.severity, alert.told) == ("limit.warn", "warning", ("trader: sent",))
        assert "83 %" in alert.detail
        (message,) = receiver.wait("trader")
        assert "near its limit" in message["title"]
        assert "SYNTHETIC" in message["message"]
        desk.limit("200")
        await news.until(lambda: news.alert("limit.warn", "resolved"))
    assert desk.rows() == []


async def test_over_a_limit_it_is_acted_on_escalated_seen_and_lifted_when_it_is_over(
    desk: Desk, receiver: Receiver
) -> None:
    async with following(desk) as news:
        desk.limit("60", hard_actions=["notify", "warn", "deny_increase"])
        breach = await news.until(lambda: news.breach("escalated"))
        assert breach is not None
        assert (breach.severity, breach.value, breach.limit, breach.escalated_to) == (
            "critical",
            Decimal(100),
            Decimal(60),
            "risk manager",
        )
        receiver.wait("risk-manager")
        id_, want = breach.id, {"notify", "warn", "deny_increase"}
        await news.until(lambda: {a.action for a in news.breaches[id_].actions if a.status == "done"} == want)
        action = news.action(id_, "deny_increase")
        assert action is not None
        assert action.engine == P
        assert "heartbeat" in (action.detail or "")
        assert news.engines[P].restriction == "reduce_only"
        code, body = desk.order("buy", "1", B)
        assert code == 422, body
        assert body["outcome"]["orders"][0]["status"] == "denied"
        desk.limit("45")
        await news.until(lambda: news.breaches[id_].severity == "emergency")
        again = "trader, when it became emergency: sent"
        await news.until(lambda: (a := news.alert("limit.breach")) and again in a.told)
        desk.limit("60")
        checks = news.breaches[id_].checks
        await news.until(lambda: news.breaches[id_].checks >= checks + 10)
        assert len(desk.rows()) == 1, "one row however often it is checked"

        answered = desk.daemon.post(f"/api/v1/risk/breaches/{id_}/acknowledge", {"note": "on it"})
        assert answered.status_code == 200, answered.text
        seen = await news.until(lambda: news.breach("acknowledged"))
        assert seen is not None
        assert (seen.note, seen.ts_acknowledged is not None) == ("on it", True)
        assert desk.daemon.post(f"/api/v1/risk/breaches/{id_}/acknowledge").status_code == 409

        code, body = desk.order("sell", "50")
        assert code == 200, body
        over = await news.until(lambda: news.breach("resolved"))
        assert over is not None
        assert (over.id, over.value, over.worst) == (id_, Decimal(50), Decimal(100))
        await news.until(lambda: news.engines[P].restriction == "none")
        lifted = await news.until(lambda: news.alert("restriction", "resolved"))
        assert lifted is not None
        assert "lifted by the monitor" in lifted.detail
        ended = await news.until(lambda: news.alert("limit.breach", "resolved"))
        assert ended is not None
        assert {"trader: sent", "risk manager: sent"} <= set(ended.told)
    assert len(desk.rows()) == 1
    code, body = desk.order("buy", "5")
    assert code == 200, body


async def test_orders_are_cancelled_and_positions_closed_by_their_events(desk: Desk) -> None:
    code, body = desk.order("buy", "3", B, order_type="limit", price="1.00", tif="gtc")
    assert code == 200, body
    async with following(desk) as news:
        scope = f"instrument:{B}"
        desk.limit("10", scope, hard_actions=["cancel_orders", "flatten"])
        over = await news.until(lambda: news.breach("resolved", scope))
        assert over is not None
        cancelled = next(one for one in over.actions if one.action == "cancel_orders")
        assert (cancelled.status, cancelled.detail) == ("done", "1 cancelled")
        flat = await news.until(lambda: over.actions[-1])
        assert flat.action == "flatten"
        assert over.value == 0
        assert over.escalated_to is None, "nobody was to be notified"
    held = {p["instrument"] for p in desk.daemon.get("/api/v1/positions")["items"]}
    assert held == {A}
    assert desk.daemon.get("/api/v1/orders", status="open")["items"] == []


async def test_near_a_limit_increasing_can_be_denied_too(desk: Desk) -> None:
    async with following(desk) as news:
        desk.limit("60", warn_actions=["deny_increase"])
        await news.until(lambda: news.engines.get(P) and news.engines[P].restriction == "reduce_only")
        said = f"deny_increase on {P}: done, "
        await news.until(
            lambda: (a := news.alert("limit.warn")) and any(one.startswith(said) for one in a.told)
        )
        desk.limit("400", warn_actions=["notify", "warn"])
        await news.until(lambda: news.engines[P].restriction == "none")
        assert news.breach("detected") is None


@pytest.mark.parametrize("kind", ["sector", "strategy"])
async def test_only_what_the_scope_takes_in_is_cancelled_and_closed(desk: Desk, kind: str) -> None:
    code, body = desk.order("buy", "1", C)
    assert code == 200, body
    for instrument in (B, C):
        code, body = desk.order("buy", "1", instrument, order_type="limit", price="0.50", tif="gtc")
        assert code == 200, body
    strategy = desk.daemon.get("/api/v1/fills", limit=1)["items"][0]["strategy"]
    assert strategy
    scope = {"sector": "sector:Technology", "strategy": f"strategy:{strategy}"}[kind]
    limit = {"limit_type": "gross_exposure", "unit": "notional"}
    async with following(desk) as news:
        desk.limit("10", scope, hard_actions=["cancel_orders", "flatten"], **limit)
        await news.until(lambda: news.breach("resolved", scope))
        desk.limit("100000000", scope, **limit)
    held = {p["instrument"] for p in desk.daemon.get("/api/v1/positions")["items"]}
    working = {o["instrument"] for o in desk.daemon.get("/api/v1/orders", status="open")["items"]}
    assert (held, working) == ({"sector": ({C}, {C}), "strategy": (set(), set())}[kind])
    code, body = desk.order("buy", "55")
    assert code == 200, body


def test_who_may_do_what(desk: Desk) -> None:
    viewer, trader = desk.daemon.token("m-viewer", "viewer"), desk.daemon.token("m-trader", "trader")
    tcp = desk.daemon.tcp
    for path in ("breaches", "alerts", "health", "status"):
        assert tcp.get(f"/api/v1/risk/{path}", headers=viewer).status_code == 200
    id_ = desk.rows()[0]["id"]
    assert tcp.post(f"/api/v1/risk/breaches/{id_}/acknowledge", headers=viewer).status_code == 403
    assert tcp.post("/api/v1/risk/alerts/x/acknowledge", headers=viewer).status_code == 403
    assert tcp.post("/api/v1/risk/monitor/stop", headers=trader).status_code == 403
    assert tcp.post(f"/api/v1/risk/breaches/{id_}/acknowledge", headers=trader).status_code == 409
    assert tcp.post("/api/v1/risk/breaches/none/acknowledge", headers=trader).status_code == 404
    assert tcp.post("/api/v1/risk/alerts/none/acknowledge", headers=trader).status_code == 404


async def test_a_restart_in_the_middle_goes_on_with_the_breach_and_lifts_what_it_set(desk: Desk) -> None:
    async with following(desk) as news:
        desk.limit("40", hard_actions=["notify", "deny_increase"])
        await news.until(lambda: news.engines.get(P) and news.engines[P].restriction == "reduce_only")
        breach = await news.until(lambda: news.breach("escalated"))
        assert breach is not None
    desk.daemon.kill()
    desk.again()
    async with following(desk) as news:
        after = await news.until(lambda: news.breaches.get(breach.id))
        assert after is not None
        assert (after.status, after.ts_detected) == ("escalated", breach.ts_detected)
        checks = after.checks
        await news.until(lambda: news.breaches[breach.id].checks > checks)
        assert news.engines[P].restriction == "reduce_only"
        desk.limit("400")
        await news.until(lambda: news.breaches[breach.id].status == "resolved")
        await news.until(lambda: news.engines[P].restriction == "none")
    assert sum(row["id"] == breach.id for row in desk.rows()) == 1


async def test_a_restriction_that_somebody_else_set_is_left_alone(desk: Desk) -> None:
    async with following(desk) as news:
        command = {"command": "engine.restrict", "engine": P, "restriction": "reduce_only", "reason": "mine"}
        assert desk.daemon.post("/api/v1/commands", command).status_code == 200
        await news.until(lambda: news.engines.get(P) and news.engines[P].restriction == "reduce_only")
        desk.limit("40")
        breach = await news.until(
            lambda: next((b for b in news.breaches.values() if b.status != "resolved" and b.actions), None)
        )
        assert breach is not None
        done = await news.until(lambda: (a := news.action(breach.id, "deny_increase")) and a.ts_done and a)
        assert done
        assert "not set by the monitor" in (done.detail or "")
        desk.limit("400")
        await news.until(lambda: news.breaches[breach.id].status == "resolved")
        seen = news.limits[f"position_size:instrument:{A}:shares"].ts
        await news.until(lambda: news.limits[f"position_size:instrument:{A}:shares"].ts > seen)
        assert news.engines[P].restriction == "reduce_only"
        command = {"command": "engine.restrict", "engine": P, "restriction": "none"}
        assert desk.daemon.post("/api/v1/commands", command).status_code == 200
        await news.until(lambda: news.engines[P].restriction == "none")


async def test_a_stopped_monitor_is_an_alert_and_stays_stopped_over_a_restart(desk: Desk) -> None:
    assert desk.daemon.post("/api/v1/risk/monitor/stop").status_code == 200
    assert desk.daemon.post("/api/v1/risk/monitor/stop").status_code == 200
    health = desk.daemon.get("/api/v1/risk/health")
    assert (health["state"], health["reason"]) == ("stopped", "by local")
    desk.daemon.kill()
    desk.again()
    async with following(desk) as news:
        alert = await news.until(lambda: news.alert("monitor"))
        assert alert is not None
        assert alert.severity == "major"
        await news.until(lambda: news.health and "the risk monitor is stopped" in news.health.problems)
        assert desk.daemon.get("/api/v1/risk/health")["cycles"] == 0
        assert desk.daemon.post("/api/v1/risk/monitor/start").status_code == 200
        await news.until(lambda: news.alert("monitor", "resolved"))
        await news.until(lambda: news.limits)
        await news.until(lambda: news.health and not any("monitor" in p for p in news.health.problems))
    health = desk.daemon.get("/api/v1/risk/health")
    assert health["state"] == "running"
    assert health["cycles"] >= 1
    assert health["cycle_ms"] > 0
    assert health["limits"] == len(desk.daemon.get("/api/v1/risk/status")["items"])
    assert health["notified"] == {"trader": True, "risk manager": True, "head of risk": False}
    audited = desk.daemon.get("/api/v1/audit", command="monitor.set")["items"]
    # How the second stop ended is written behind its answer: the kill may have come before.
    # What viewers were refused in other tests is in it too.
    assert {one["outcome"] for one in audited if one["actor"] == "local"} == {"started", "done"}


async def test_everything_that_can_be_done_is_done_in_order_and_a_halt_comes_last(desk: Desk) -> None:
    """What was traded today stays traded: the breach goes on although nothing is held any more."""
    code, body = desk.order("buy", "2", B)
    assert code == 200, body
    code, body = desk.order("buy", "3", B, order_type="limit", price="1.00", tif="gtc")
    assert code == 200, body
    scope, everything = f"engine:{P}", list(ACTIONS)
    limit = {"limit_type": "turnover", "unit": "notional"}
    async with following(desk) as news:
        desk.limit("1000", scope, hard_actions=everything, **limit)
        breach = await news.until(lambda: (b := news.breach("escalated", scope)) and b)
        assert breach
        await news.until(lambda: all((a := news.action(breach.id, n)) and a.ts_done for n in everything))
        ended: dict[str, BreachAction] = {one.action: one for one in news.breaches[breach.id].actions}
        order = ["deny_increase", "cancel_orders", "flatten", "halt"]
        assert [one.action for one in news.breaches[breach.id].actions if one.engine] == order
        done = [ended[name].ts_done or 0 for name in order]
        assert done == sorted(done)
        assert ended["cancel_orders"].detail == "1 cancelled"
        assert ended["flatten"].detail == "2 positions closed, each by its event"
        assert news.engines[P].restriction == "halted"
        assert desk.daemon.get("/api/v1/positions")["items"] == []
        assert news.breaches[breach.id].status == "escalated"
        desk.limit("100000000", scope, **limit)
        await news.until(lambda: news.breaches[breach.id].status == "resolved")
        await news.until(lambda: news.engines[P].restriction == "none")
    code, body = desk.order("buy", "55")
    assert code == 200, body


async def test_what_two_engines_hold_is_added_up_and_both_are_restricted(desk: Desk) -> None:
    desk.start(Q)
    code, body = desk.order("buy", "30", engine=Q)
    assert code == 200, body
    async with following(desk) as news:
        desk.limit("70")  # neither engine alone is over it: 55 and 30
        breach = await news.until(
            lambda: next((b for b in news.breaches.values() if b.status != "resolved" and b.actions), None)
        )
        assert breach is not None
        assert breach.value == 85
        restricted = {"deny_increase"}
        await news.until(
            lambda: (
                [a.engine for a in news.breaches[breach.id].actions if a.action in restricted and a.ts_done]
                in ([P, Q], [Q, P])
            )
        )
        assert {name: one.restriction for name, one in news.engines.items()} == {
            P: "reduce_only",
            Q: "reduce_only",
        }
        code, body = desk.order("sell", "30", engine=Q)
        assert code == 200, body
        await news.until(lambda: news.breaches[breach.id].status == "resolved")
        await news.until(lambda: {one.restriction for one in news.engines.values()} == {"none"})
    stopped = desk.daemon.post("/api/v1/nautilus/engine/stop", {"instance_id": Q}, timeout=60)
    assert stopped.status_code == 200, stopped.text


async def test_what_is_asked_of_an_engine_that_is_down_is_not_done_before_it_says_so(desk: Desk) -> None:
    stopped = desk.daemon.post("/api/v1/nautilus/engine/stop", {"instance_id": P}, timeout=60)
    assert stopped.status_code == 200, stopped.text
    async with following(desk) as news:
        desk.limit("40", hard_actions=["deny_increase"])
        breach = await news.until(
            lambda: next((b for b in news.breaches.values() if b.status != "resolved" and b.actions), None)
        )
        assert breach is not None
        assert breach.value == 55, "what a stopped engine held it still holds"
        ended = await news.until(
            lambda: (a := news.action(breach.id, "deny_increase")) and a.status != "requested" and a
        )
        assert ended
        assert (ended.status, ended.ts_done) == ("unknown", None)
        assert "does not run" in (ended.detail or "")
        health = desk.daemon.get("/api/v1/risk/health")
        assert f"{P} is stopped: its 1 positions count at their last marks" in health["problems"]
    desk.daemon.kill()
    desk.again()
    async with following(desk) as news:
        worth = await news.until(lambda: news.limits.get(f"position_size:engine:{P}:notional"))
        assert worth is not None
        assert (worth.value or 0) > 0, "a daemon that never heard of its prices has them from the last one"
        desk.start(P)
        await news.until(lambda: (a := news.action(breach.id, "deny_increase")) and a.status == "done")
        assert news.engines[P].restriction == "reduce_only"


def test_the_command_line_shows_and_acknowledges(desk: Desk) -> None:
    cli = CommandLine(desk.daemon.home)
    (breach,) = cli("--json", "breaches").json
    assert (breach["scope"], breach["limit"]) == (f"instrument:{A}", "40")
    acknowledged = cli("breaches", "ack", breach["id"], "--mitigating", "--note", "selling")
    assert (acknowledged.code, acknowledged.err) == (0, "")
    assert "mitigating" in acknowledged.out
    assert "mitigating by local" in cli("breaches", "--all").out
    assert cli("breaches", "ack", "none").code == 3
    alerts = cli("--json", "alerts").json
    (alert,) = [one for one in alerts if one["kind"] == "limit.breach"]
    assert cli("alerts", "ack", alert["id"]).code == 0
    assert "acknowledged by local" in cli("alerts").out
    shown = cli("monitor")
    assert "monitor running" in shown.out
    assert f"position_size:instrument:{A}:shares" in shown.out
    assert "SYNTHETIC" in shown.err
    told = cli("--json", "monitor").json
    assert told["health"]["breached"] == 1
    assert cli("monitor", "start").code == 0, "it runs already, as wanted"
