"""Limits over a real daemon's API, held by a real engine's gate: roles, approval, kill -9, silence."""

from __future__ import annotations

import json
import os
import signal
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from engines import pidfile
from tests.cli.driving import CommandLine
from tests.daemon.process import DaemonProcess, signal_engine
from tests.daemon.serve import Told

ENGINE = "paper-1"
LIMITS = "/api/v1/risk/limits"
START = {"instance_id": ENGINE, "seed": 11, "instruments": ["AAPL.SIM", "MSFT.SIM", "SPY.SIM", "XOM.SIM"]}


@pytest.fixture(scope="module")
def daemon(tmp_path_factory: pytest.TempPathFactory) -> Iterator[DaemonProcess]:
    process = DaemonProcess(tmp_path_factory.mktemp("limits") / "home", Told(two_person="always"))
    try:
        started = process.post("/api/v1/nautilus/engine/start", START)
        assert started.status_code == 200, started.text
        yield process
    finally:
        if process.process.poll() is None:  # the last test kills it
            process.stop_all()
        for left in pidfile.find(process.home.run):  # by a test that failed
            os.kill(left.pid, signal.SIGKILL)


def shares(instrument: str, hard: str, **terms: Any) -> dict[str, Any]:
    return {
        "limit_type": "position_size",
        "scope": f"instrument:{instrument}",
        "hard": hard,
        "unit": "units",
        **terms,
    }


def id_of(instrument: str) -> str:
    return f"position_size:instrument:{instrument}:shares"


def limit_in(outcome: httpx.Response) -> dict[str, Any]:
    assert outcome.status_code == 200, outcome.text
    found: dict[str, Any] = json.loads(outcome.json()["data"]["limit"])
    return found


def buy(daemon: DaemonProcess, instrument: str, qty: int) -> httpx.Response:
    order = {"engine": ENGINE, "instrument": instrument, "side": "buy", "qty": str(qty)}
    return daemon.post("/api/v1/orders", order, wait="final")


# ---------------------------------------------------------------- made, replaced, deleted


def test_a_limit_is_made_replaced_held_and_deleted(daemon: DaemonProcess) -> None:
    made = daemon.post(LIMITS, shares("AAPL.SIM", "500"))
    assert limit_in(made)["id"] == id_of("AAPL.SIM")
    assert json.loads(made.json()["data"]["engines"]) == {ENGINE: "in_force"}
    assert "in force at paper-1" in made.json()["detail"]
    again = daemon.post(LIMITS, shares("AAPL.SIM", "400"))
    assert (again.status_code, again.json()["type"]) == (409, "conflict")

    denied = buy(daemon, "AAPL.SIM", 501)
    assert denied.status_code == 422
    facts = denied.json()["extra"]
    assert (facts["rule"], facts["value"], facts["limit"], facts["max_quantity"], facts["limit_id"]) == (
        "position_size",
        "501",
        "500",
        "500",
        id_of("AAPL.SIM"),
    )

    path = f"{LIMITS}/{id_of('AAPL.SIM')}"
    replaced = daemon.http.put(path, json={"hard": "300", "warn": "0.5"})
    assert limit_in(replaced) | {"ts_updated": 0} == daemon.get(path) | {"ts_updated": 0}
    assert (daemon.get(path)["hard"], daemon.get(path)["warn"], daemon.get(path)["version"]) == (
        "300",
        "0.5",
        2,
    )
    assert buy(daemon, "AAPL.SIM", 301).status_code == 422
    assert buy(daemon, "AAPL.SIM", 300).status_code == 200
    # What is left out of a replacement is as a new limit has it: it would warn later, so it waits.
    waits = daemon.http.put(path, json={"hard": "300"}).json()
    assert json.loads(waits["data"]["change"])["status"] == "pending"
    assert daemon.get(path)["warn"] == "0.5"

    ids = [one["id"] for one in daemon.get(LIMITS)["items"]]
    assert ids == sorted(ids)
    assert {id_of("AAPL.SIM"), "position_size:engine:paper-1:notional"} <= set(ids)
    first = daemon.get(LIMITS, limit=1)
    rest = daemon.get(LIMITS, limit=100, cursor=first["next"])
    assert [one["id"] for one in first["items"] + rest["items"]] == ids
    assert (len(first["items"]), rest["next"]) == (1, None)
    mine = daemon.get(LIMITS, scope="instrument:AAPL.SIM")["items"]
    assert [one["id"] for one in mine] == [id_of("AAPL.SIM")]


def test_what_is_not_there_is_said_with_what_comes_near(daemon: DaemonProcess) -> None:
    for answer in (
        daemon.http.get(f"{LIMITS}/position_size:engine:paper-2:notional"),
        daemon.http.put(f"{LIMITS}/position_size:engine:paper-2:notional", json={"hard": "1"}),
        daemon.http.delete(f"{LIMITS}/position_size:engine:paper-2:notional"),
        daemon.post(f"{LIMITS}/position_size:engine:paper-2:notional/check"),
    ):
        assert (answer.status_code, answer.json()["type"]) == (404, "not-found"), answer.text
        assert "position_size:engine:paper-1:notional" in answer.json()["fix"]
    assert daemon.post(f"{LIMITS}/changes/lc-none/approve").status_code == 404


@pytest.mark.parametrize(
    ("body", "field"),
    [
        (shares("AAPL.SIM", "0"), "hard"),
        (shares("AAPL.SIM", "1", unit="furlongs"), "unit"),
        (shares("APPL.SIM", "1"), "scope"),
        (shares("AAPL.SIM", "1") | {"limit_type": "size"}, "limit_type"),
        (shares("AAPL.SIM", "1") | {"hardness": 1}, "hardness"),
        ({"limit_type": "position_size"}, "hard"),
    ],
)
def test_what_breaks_a_rule_names_the_field(daemon: DaemonProcess, body: dict[str, Any], field: str) -> None:
    before = daemon.get(LIMITS)["items"]
    answer = daemon.post(LIMITS, body)
    assert answer.status_code in (400, 404)
    assert field in json.dumps(answer.json()["extra"]) + answer.json()["detail"]
    assert answer.json()["rule"]
    assert daemon.get(LIMITS)["items"] == before


def test_sent_twice_under_one_key_it_is_set_once(daemon: DaemonProcess) -> None:
    body = shares("MSFT.SIM", "100")
    first, second = (daemon.post(LIMITS, body, key="limit-once") for _ in range(2))
    assert first.status_code == 200, first.text
    assert first.json() == second.json()  # and no conflict with itself
    assert daemon.get(f"{LIMITS}/{id_of('MSFT.SIM')}")["version"] == 1
    other = daemon.post(LIMITS, shares("MSFT.SIM", "90"), key="limit-once")
    assert (other.status_code, other.json()["type"]) == (409, "conflict")


# ---------------------------------------------------------------- who may


def test_everyone_looks_and_the_role_risk_sets(daemon: DaemonProcess) -> None:
    viewer, trader = daemon.token("vera", "viewer"), daemon.token("tom", "trader")
    path = "/api/v1/risk/limits/order_notional:engine:paper-1:notional"
    assert daemon.tcp.get(LIMITS, headers=viewer).status_code == 200
    assert daemon.tcp.post(f"{path}/check", headers=viewer).json()["type"] == "risk_limit"
    assert daemon.tcp.get(LIMITS).status_code == 401
    for who in (viewer, trader):
        for answer in (
            daemon.tcp.post(LIMITS, json=shares("SPY.SIM", "1"), headers=who),
            daemon.tcp.put(path, json={"hard": "1"}, headers=who),
            daemon.tcp.delete(path, headers=who),
            daemon.tcp.post(f"{LIMITS}/changes/x/approve", headers=who),
            daemon.tcp.post(
                "/api/v1/risk/restrict", json={"engine": ENGINE, "restriction": "none"}, headers=who
            ),
        ):
            assert (answer.status_code, answer.json()["type"]) == (403, "forbidden"), answer.text
    assert daemon.get(path)["version"] == 1


def test_loosening_waits_until_another_person_agrees(daemon: DaemonProcess) -> None:
    ann, bob = daemon.token("ann", "risk"), daemon.token("bob", "risk")
    path = f"{LIMITS}/{id_of('XOM.SIM')}"
    assert daemon.tcp.post(LIMITS, json=shares("XOM.SIM", "50"), headers=ann).status_code == 200
    tighter = daemon.tcp.put(path, json={"hard": "40"}, headers=ann)
    assert limit_in(tighter)["hard"] == "40"

    asked = daemon.tcp.put(path, json={"hard": "60"}, headers=ann).json()
    change = json.loads(asked["data"]["change"])
    assert "not in force" in asked["detail"]
    assert daemon.get(path)["hard"] == "40"
    assert buy(daemon, "XOM.SIM", 41).status_code == 422
    waiting = daemon.get(f"{LIMITS}/changes", status="pending")["items"]
    assert change["id"] in [one["id"] for one in waiting]
    subjects = [one["subject"] for one in daemon.get("/api/v1/risk/alerts")["items"]]
    assert change["id"] in subjects

    decide = f"{LIMITS}/changes/{change['id']}"
    own = daemon.tcp.post(f"{decide}/approve", headers=ann)
    assert (own.status_code, own.json()["type"]) == (403, "forbidden")
    assert "ann" in own.json()["detail"]
    agreed = daemon.tcp.post(f"{decide}/approve", headers=bob)
    assert limit_in(agreed)["hard"] == "60"
    assert json.loads(agreed.json()["data"]["engines"]) == {ENGINE: "in_force"}
    assert buy(daemon, "XOM.SIM", 41).status_code == 200
    late = daemon.tcp.post(f"{decide}/reject", headers=bob)
    assert (late.status_code, late.json()["type"]) == (409, "conflict")
    kept = {one["id"]: one for one in daemon.get(f"{LIMITS}/changes")["items"]}[change["id"]]
    assert (kept["status"], kept["asked_by"], kept["decided_by"]) == ("approved", "ann", "bob")

    deleting = daemon.tcp.delete(path, headers=bob).json()
    wanted = json.loads(deleting["data"]["change"])
    assert wanted["after"] is None
    assert daemon.tcp.post(f"{LIMITS}/changes/{wanted['id']}/reject", headers=ann).status_code == 200
    assert daemon.get(path)["hard"] == "60"
    audited = daemon.get("/api/v1/audit", command="limit.decide")["items"]
    assert [(one["actor"], one["outcome"]) for one in audited if one["outcome"] != "started"][:2] == [
        ("ann", "done"),
        ("bob", "failed"),
    ]


def test_on_the_command_line_what_waits_is_said_not_to_be_in_force(daemon: DaemonProcess) -> None:
    cli = CommandLine(daemon.home)
    place = ("position_size", "--scope", "strategy:GATEWAY-001", "--unit", "shares")
    assert cli("limit", "set", *place, "--hard", "1000").code == 0
    waits = cli("--json", "limit", "set", *place, "--hard", "2000")
    assert (waits.code, waits.json["outcome"], waits.json["hard"]) == (0, "pending", "1000"), waits.out
    change = waits.json["change"]["id"]
    assert "not in force" in waits.json["detail"]
    assert change in [one["id"] for one in cli("--json", "limit", "changes").json]
    assert "hard from 1000 to 2000" in cli("limit", "changes").out
    own = cli("--json", "limit", "approve", change)  # whoever is at the socket asked for it
    assert (own.code, own.json["problem"]["type"]) == (3, "forbidden")
    taken_back = cli("--json", "limit", "reject", change).json
    assert (taken_back["outcome"], taken_back["change"]["status"]) == ("done", "rejected")
    listed = {one["id"]: one["status"] for one in cli("--json", "limit", "changes", "--all").json}
    assert listed[change] == "rejected"


def test_who_starts_an_engine_does_not_loosen_its_limits(daemon: DaemonProcess) -> None:
    trader = daemon.token("tina", "trader")
    config = "/api/v1/nautilus/engine/config"
    path = f"{LIMITS}/order_notional:engine:paper-1:notional"
    loose = daemon.tcp.put(
        config, json={"instance_id": ENGINE, "max_order_notional": "2000000"}, headers=trader
    )
    assert (loose.status_code, loose.json()["type"]) == (403, "forbidden")
    tight = daemon.tcp.put(
        config, json={"instance_id": ENGINE, "max_order_notional": "900000"}, headers=trader
    )
    assert tight.status_code == 200, tight.text
    assert (daemon.get(path)["hard"], daemon.get(path)["origin"]) == ("900000", "engine")
    loosened = daemon.http.put(config, json={"instance_id": ENGINE, "max_order_notional": "950000"})
    assert "waits for approval" in loosened.json()["detail"]
    assert daemon.get(path)["hard"] == "900000"


# ---------------------------------------------------------------- dry runs and restrictions


def test_a_check_is_the_gates_own_word(daemon: DaemonProcess) -> None:
    assert daemon.post(LIMITS, shares("SPY.SIM", "10")).status_code == 200
    path = f"{LIMITS}/{id_of('SPY.SIM')}/check"
    now = daemon.post(path).json()
    assert (now["type"], now["value"], now["level"], now["limit"]["hard"]) == ("risk_limit", "0", "ok", "10")
    order = {"instrument": "SPY.SIM", "side": "buy", "qty": "10"}
    passes = daemon.post(path, order).json()
    assert (passes["type"], passes["after"], passes["passes"]) == ("limit_effect", "10", True)
    denied = daemon.post(path, order | {"qty": "11"}).json()
    assert (denied["after"], denied["limit"], denied["passes"], denied["max_quantity"]) == (
        "11",
        "10",
        False,
        "10",
    )
    assert buy(daemon, "SPY.SIM", 11).json()["extra"]["value"] == denied["after"]
    elsewhere = daemon.post(path, order | {"instrument": "MSFT.SIM"})
    assert (elsewhere.status_code, elsewhere.json()["extra"]["field"]) == (400, "instrument")
    part = daemon.post(path, {"instrument": "SPY.SIM"})
    assert (part.status_code, part.json()["extra"]["field"]) == (400, "side")

    watched = {"limit_type": "volatility", "hard": "0.3"}
    assert daemon.post(LIMITS, watched).status_code == 200
    at = f"{LIMITS}/volatility:portfolio:ratio/check"
    assert daemon.post(at, order).json()["rule"].startswith("the gate judges")
    assert daemon.post(at).json()["limit"]["limit_type"] == "volatility"


def test_a_restricted_engine_passes_only_what_reduces_or_nothing(daemon: DaemonProcess) -> None:
    def restrict(restriction: str, **more: str) -> dict[str, Any]:
        answer = daemon.post("/api/v1/risk/restrict", {"engine": ENGINE, "restriction": restriction, **more})
        assert answer.status_code == 200, answer.text
        return dict(answer.json())

    def sell(qty: int) -> int:
        order = {"engine": ENGINE, "instrument": "MSFT.SIM", "side": "sell", "qty": str(qty)}
        return daemon.post("/api/v1/orders", order, wait="final").status_code

    assert buy(daemon, "MSFT.SIM", 10).status_code == 200
    told = restrict("reduce_only", reason="the desk is closed")
    assert json.loads(told["data"]["engines"]) == {ENGINE: "in_force"}
    denied = buy(daemon, "MSFT.SIM", 1)
    assert denied.status_code == 422
    assert "the desk is closed" in denied.json()["detail"]
    assert sell(3) == 200
    restrict("halted")
    assert sell(3) == 422
    restrict("none")
    assert sell(3) == 200
    unknown = daemon.post("/api/v1/risk/restrict", {"engine": "paper-9", "restriction": "none"})
    assert unknown.status_code == 404


# ---------------------------------------------------------------- what may go wrong


def test_an_engine_that_hangs_is_said_to_be_unconfirmed_and_gets_it_when_it_wakes(
    daemon: DaemonProcess,
) -> None:
    path = f"{LIMITS}/{id_of('MSFT.SIM')}"
    signal_engine(daemon.home, ENGINE, signal.SIGSTOP)
    try:
        silent = daemon.http.put(path, json={"hard": "20"}, timeout=60)
    finally:
        signal_engine(daemon.home, ENGINE, signal.SIGCONT)
    problem = silent.json()
    assert (silent.status_code, problem["type"]) == (504, "outcome-unknown"), problem
    assert problem["extra"]["kept"] == "true"
    assert json.loads(problem["extra"]["engines"]) == {ENGINE: "unknown"}
    assert daemon.get(path)["hard"] == "20"
    # The same again is confirmed by the engine, which is awake: nothing to change, and in force.
    confirmed = daemon.http.put(path, json={"hard": "20"}, timeout=60)
    assert json.loads(confirmed.json()["data"]["engines"]) == {ENGINE: "in_force"}
    assert confirmed.json()["data"]["changed"] == "false"
    assert buy(daemon, "MSFT.SIM", 100).status_code == 422


def test_what_is_set_while_the_engine_is_stopped_holds_before_it_runs(daemon: DaemonProcess) -> None:
    stopped = daemon.post("/api/v1/nautilus/engine/stop", {"instance_id": ENGINE})
    assert stopped.status_code == 200, stopped.text
    path = f"{LIMITS}/{id_of('SPY.SIM')}"
    told = daemon.http.put(path, json={"hard": "5"})
    assert json.loads(told.json()["data"]["engines"]) == {ENGINE: "at_next_start"}
    started = daemon.post("/api/v1/nautilus/engine/start", START)
    assert started.status_code == 200, started.text
    assert buy(daemon, "SPY.SIM", 6).json()["extra"]["limit"] == "5"
    assert buy(daemon, "SPY.SIM", 5).status_code == 200


def test_limits_outlive_a_daemon_that_is_killed_and_a_store_that_is_lost(daemon: DaemonProcess) -> None:
    before = daemon.get(LIMITS)["items"]
    changes = daemon.get(f"{LIMITS}/changes")["items"]
    version = json.loads(daemon.home.gate_book(ENGINE).read_bytes())["book"]["version"]
    daemon.kill()
    at_engine = json.loads(daemon.home.gate_book(ENGINE).read_bytes())["book"]
    assert {one["id"] for one in at_engine["limits"]} <= {one["id"] for one in before}

    successor = DaemonProcess(daemon.home.root, Told(two_person="always"))
    try:
        assert successor.get(LIMITS)["items"] == before
        assert successor.get(f"{LIMITS}/changes")["items"] == changes
        assert buy(successor, "SPY.SIM", 6).json()["extra"]["rule"] == "position_size"
        made = successor.post(LIMITS, {"limit_type": "gross_exposure", "hard": "1000000"})
        assert limit_in(made)["version"] == 1
        grown = json.loads(successor.home.gate_book(ENGINE).read_bytes())["book"]
        assert grown["version"] > version
        assert "gross_exposure:portfolio:notional" in [one["id"] for one in grown["limits"]]
    finally:
        successor.kill()

    successor.home.state_db.unlink()
    heir = DaemonProcess(daemon.home.root)
    try:  # the store is lost; what the engine goes by is not
        items = {one["id"]: one for one in heir.get(LIMITS)["items"]}
        assert {one["id"]: one["hard"] for one in grown["limits"]} == {
            id_: one["hard"] for id_, one in items.items()
        }
        assert buy(heir, "SPY.SIM", 6).json()["extra"]["rule"] == "position_size"
        kinds = [one["kind"] for one in heir.get("/api/v1/risk/alerts")["items"]]
        assert "limit.recovered" in kinds
    finally:
        heir.stop_all()
