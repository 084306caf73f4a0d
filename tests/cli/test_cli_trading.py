"""A trader's day over the command line, against a real daemon and a real engine."""

from __future__ import annotations

import json
import os
import signal
from decimal import Decimal
from pathlib import Path

import pytest

from tests.cli.driving import CommandLine

TYPES = {
    "limit": (["--price"], []),
    "stop-market": (["--trigger"], []),
    "stop-limit": (["--price", "--trigger"], []),
    "market-if-touched": (["--trigger"], []),
    "limit-if-touched": (["--price", "--trigger"], []),
}


def far(cli: CommandLine, symbol: str, share: str) -> str:
    """A price at a share of the present one, on the tick."""
    last = cli("--json", "quote", symbol).json["last"]
    tick = next(i for i in cli("--json", "instruments").json if i["id"] == symbol)["tick_size"]
    return str((Decimal(last) * Decimal(share) / Decimal(tick)).quantize(Decimal(1)) * Decimal(tick))


def test_the_contract_of_a_market_order(trading: CommandLine) -> None:
    done = trading.process("--json", "order", "buy", "AAPL.SIM", "100", "--type", "market", "--wait")
    assert done.code == 0
    order = done.json
    assert order["status"] == "filled"
    assert order["filled_qty"] == "100"
    assert Decimal(order["avg_price"]) > 0
    assert order["client_order_id"]
    assert order["synthetic"] is True
    assert done.err == ""


def test_the_same_id_twice_is_one_order_and_one_answer(trading: CommandLine) -> None:
    arguments = ("order", "buy", "MSFT.SIM", "10", "--id", "twice-1", "--wait", "--json")
    first, second = trading(*arguments), trading.process(*arguments)
    assert (first.code, second.code) == (0, 0)
    assert first.json == second.json
    listed = trading("--json", "order", "list", "--instrument", "MSFT.SIM").json
    assert [order["client_order_id"] for order in listed].count("twice-1") == 1
    fills = [f for f in trading("--json", "fills").json if f["client_order_id"] == "twice-1"]
    assert sum(Decimal(fill["qty"]) for fill in fills) == 10


def test_the_same_id_for_another_order_is_refused(trading: CommandLine) -> None:
    assert trading("order", "buy", "XOM.SIM", "1", "--id", "other-1", "--wait").code == 0
    again = trading("--json", "order", "buy", "XOM.SIM", "2", "--id", "other-1", "--wait")
    assert again.code == 3
    assert again.json["problem"]["type"] == "conflict"


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("order", "buy", "AAPL.SIM", "0.5"), "lot"),
        (("order", "buy", "AAPL.SIM", "10", "--price", "100.001"), "tick"),
        (("order", "buy", "AAPL.SIM", "1000000"), "order_notional"),
        (("order", "buy", "NOPE.SIM", "1"), "NOPE.SIM"),
        (("order", "buy", "NOPE", "1"), "NOPE"),
        (("order", "sell", "AAPL.SIM", "1", "--type", "limit"), "price"),
        (("order", "cancel", "never-sent"), "never-sent"),
        (("order", "modify", "never-sent", "--qty", "3"), "never-sent"),
    ],
)
def test_what_is_denied_exits_3_with_the_reason(
    trading: CommandLine, arguments: tuple[str, ...], says: str
) -> None:
    run = trading("--json", *arguments)
    assert run.code == 3, run.out
    problem = run.json["problem"]
    assert says in " ".join(filter(None, (problem["detail"], problem.get("rule"))))
    plain = trading(*arguments)
    assert plain.code == 3
    assert says in plain.err


@pytest.mark.parametrize(
    "arguments",
    [
        ("order", "buy", "AAPL.SIM", "many"),
        ("order", "buy", "AAPL.SIM"),
        ("order", "buy", "AAPL.SIM", "1", "--type", "sideways"),
        ("order", "buy", "AAPL.SIM", "1", "--tif", "forever"),
        ("order", "buy", "AAPL.SIM", "1", "--expire", "tomorrow"),
        ("engine", "feed", "paper-1", "backwards"),
        ("nonsense",),
        ("bars", "AAPL.SIM", "--timeframe", "7x"),
        ("sql", "DELETE FROM quotes"),
        ("daemon", "--listen", "here"),
    ],
)
def test_what_is_not_understood_exits_2(trading: CommandLine, arguments: tuple[str, ...]) -> None:
    run = trading(*arguments)
    assert run.code == 2, run.out + run.err
    assert run.err


@pytest.mark.parametrize("kind", TYPES)
def test_resting_orders_of_every_type_are_changed_and_cancelled(trading: CommandLine, kind: str) -> None:
    touched = kind.endswith("touched")
    price = far(trading, "SPY.SIM", "0.8")
    trigger = far(trading, "SPY.SIM", "0.8" if touched else "1.2")
    given = {"--price": price, "--trigger": trigger}
    prices = [part for name in TYPES[kind][0] for part in (name, given[name])]
    order_id = f"rest-{kind}"
    sent = trading(
        "--json", "order", "buy", "SPY.SIM", "10", "--type", kind, *prices, "--tif", "gtc", "--id", order_id
    )
    assert (sent.code, sent.json["status"]) == (0, "accepted"), sent.out
    assert sent.json["order_type"] == kind.replace("-", "_")
    changed = trading("--json", "order", "modify", order_id, "--qty", "7")
    assert (changed.code, changed.json["qty"]) == (0, "7"), changed.out
    gone = trading("--json", "order", "cancel", order_id)
    assert (gone.code, gone.json["status"]) == (0, "cancelled"), gone.out
    again = trading("--json", "order", "cancel", order_id)
    assert (again.code, again.json["status"]) == (3, "cancelled")


def test_prices_say_which_type_is_meant_and_a_time_makes_it_gtd(trading: CommandLine) -> None:
    price = far(trading, "JPM.SIM", "0.5")
    sent = trading(
        "--json",
        "order",
        "buy",
        "JPM.SIM",
        "3",
        "-p",
        price,
        "--expire",
        "2099-01-01T00:00:00Z",
        "--id",
        "gtd-1",
    )
    assert sent.code == 0
    assert (sent.json["order_type"], sent.json["tif"]) == ("limit", "gtd")
    assert sent.json["ts_expire"].startswith("2099-01-01T00:00:00")
    trail = trading(
        "--json", "order", "sell", "JPM.SIM", "3", "--trail", "50", "--tif", "gtc", "--id", "trail-1"
    )
    assert (trail.code, trail.json["order_type"]) == (0, "trailing_stop")
    working = trading("--json", "order", "list", "--status", "working", "--instrument", "JPM.SIM").json
    assert {order["client_order_id"] for order in working} == {"gtd-1", "trail-1"}
    cancelled = trading("--json", "order", "cancel-all", "--instrument", "JPM.SIM")
    assert cancelled.code == 0
    assert trading("--json", "order", "list", "--status", "working", "-i", "JPM.SIM").json == []


def test_bracket_and_oco(trading: CommandLine) -> None:
    below, above = far(trading, "NVDA.SIM", "0.7"), far(trading, "NVDA.SIM", "1.3")
    bracket = trading(
        "--json", "order", "bracket", "buy", "NVDA.SIM", "10",
        "--take-profit", above, "--stop-loss", below, "--id", "br-1",
    )  # fmt: skip
    assert bracket.code == 0, bracket.out
    assert {o["client_order_id"] for o in bracket.json["orders"]} == {"br-1", "br-1-TP", "br-1-SL"}
    oco = trading(
        "--json", "order", "oco", "sell", "NVDA.SIM", "5", "--limit", above, "--stop", below, "--id", "oco-1"
    )
    assert oco.code == 0, oco.out
    assert {o["client_order_id"] for o in oco.json["orders"]} == {"oco-1-A", "oco-1-B"}
    closed = trading("--json", "flatten", "--instrument", "NVDA.SIM", "--wait")
    assert closed.code == 0, closed.out
    assert trading("--json", "order", "list", "--status", "open", "-i", "NVDA.SIM").json == []
    assert "NVDA.SIM" not in {p["instrument"] for p in trading("--json", "positions").json}


def test_a_position_is_opened_seen_and_closed(trading: CommandLine) -> None:
    before = Decimal(trading("--json", "account").json["balances"][0]["total"])
    assert trading("order", "buy", "TSLA.SIM", "20", "--wait").code == 0
    position = next(p for p in trading("--json", "positions").json if p["instrument"] == "TSLA.SIM")
    assert position["qty"] == "20"
    assert position["synthetic"] is True
    assert "TSLA.SIM" in trading("positions").out
    closed = trading("--json", "close", "TSLA", "--wait")
    assert (closed.code, closed.json["status"], closed.json["side"]) == (0, "filled", "sell")
    assert "TSLA.SIM" not in {p["instrument"] for p in trading("--json", "positions").json}
    account = trading("--json", "account").json
    assert account["currency"] == "USD"
    fills = [one for one in trading("--json", "fills").json if one["instrument"] == "TSLA.SIM"]
    assert sum(Decimal(one["qty"]) for one in fills) == 40
    paid = sum(
        Decimal(one["qty"]) * Decimal(one["price"]) * (1 if one["side"] == "buy" else -1)
        + Decimal(one["commission"])
        for one in fills
    )
    assert Decimal(account["balances"][0]["total"]) == before - paid


def test_prices_and_bars_are_told(trading: CommandLine) -> None:
    quote = trading("--json", "quote", "EURUSD").json
    assert quote["instrument"] == "EURUSD.SIM"
    assert Decimal(quote["bid"]) < Decimal(quote["ask"])
    assert quote["synthetic"] is True
    assert len(trading("--json", "quote").json) >= 24
    bars = trading("--json", "bars", "EURUSD.SIM", "--timeframe", "1m", "-n", "20").json
    assert bars
    assert all(Decimal(b["low"]) <= Decimal(b["close"]) <= Decimal(b["high"]) for b in bars)
    assert "EURUSD.SIM" in trading("instruments").out


def test_engines_are_listed_with_state_and_pid(trading: CommandLine) -> None:
    listed = trading.process("--json", "engine", "list").json
    paper = next(engine for engine in listed if engine["id"] == "paper-1")
    assert paper["state"] == "running"
    assert isinstance(paper["pid"], int)
    assert "running" in trading("engine", "list").out
    assert trading("engine", "logs", "-n", "5").out.count("\n") >= 5
    assert all("message" in line for line in trading("--json", "engine", "logs", "-n", "3").json)
    assert trading("engine", "start", "paper-1").code == 3, "it runs already"


def test_a_second_engine_is_started_paused_played_and_stopped(trading: CommandLine) -> None:
    started = trading("--json", "engine", "start", "paper-2", "--seed", "11", "-i", "AAPL.SIM")
    assert (started.code, started.json["state"], started.json["instruments"]) == (0, "running", 1)
    assert trading("engine", "feed", "paper-2", "pause").code == 0
    assert trading("engine", "feed", "paper-2", "speed", "5").code == 0
    assert trading("engine", "feed", "paper-2", "resume").code == 0
    stopped = trading("--json", "engine", "stop", "paper-2")
    assert (stopped.code, stopped.json["state"]) == (0, "stopped")
    assert trading("engine", "start", "paper-2", "--mode", "live").code == 2
    assert trading("engine", "stop", "no-such").code == 3


def test_status_and_health(trading: CommandLine) -> None:
    status = trading("--json", "status")
    assert status.code == 0
    assert status.json["daemon"]["ready"] is True
    assert status.json["engines"][0]["id"] == "paper-1"
    assert "daemon" in trading("status").out


def test_tokens_over_tcp(trading: CommandLine, tmp_path: Path) -> None:
    assert trading.url is not None
    admin = trading.process("token", "create", "desk", "--role", "admin")
    assert admin.code == 0
    assert admin.err == ""
    secret = admin.out.strip()
    assert admin.out == f"{secret}\n"
    viewer = trading("token", "create", "screen").out.strip()
    remote = CommandLine(trading.home)
    at = ("--url", trading.url)
    assert remote.process(*at, "--json", "status", env={"NAUTILUS_TUI_TOKEN": secret}).code == 0
    assert remote(*at, "quote", "AAPL.SIM", env={"NAUTILUS_TUI_TOKEN": viewer}).code == 0
    refused = remote(*at, "--json", "order", "buy", "AAPL.SIM", "1", env={"NAUTILUS_TUI_TOKEN": viewer})
    assert refused.code == 3
    assert refused.json["problem"]["type"] == "forbidden"
    assert remote(*at, "status", env={"NAUTILUS_TUI_TOKEN": "ntui_wrong"}).code == 3
    names = {token["name"] for token in trading("--json", "token", "list").json}
    assert {"desk", "screen"} <= names
    assert secret not in trading("token", "list").out
    assert trading("token", "revoke", "screen").code == 0
    assert remote(*at, "status", env={"NAUTILUS_TUI_TOKEN": viewer}).code == 3
    assert trading("token", "create", "desk").code == 3, "the name is taken"


def test_history_is_compacted_listed_and_asked(trading: CommandLine) -> None:
    assert trading("compact").code == 0
    held = trading("--json", "history").json
    assert {"quotes"} <= {item["kind"] for item in held}
    assert all(item["synthetic"] for item in held if item["source"] == "simulated")
    rows = trading("--json", "sql", "SELECT count(*) AS n FROM quotes").json
    assert rows[0]["n"] > 0
    assert trading("sql", "SELECT instrument, bid FROM quotes LIMIT 3").code == 0
    assert trading("history").out.count("AAPL.SIM") >= 1


def test_doctor_finds_nothing_broken(trading: CommandLine) -> None:
    run = trading("doctor", "--json")
    findings = {finding["check"]: finding["result"] for finding in run.json}
    assert findings["daemon"] == "ok", run.out
    assert findings["home"] == "ok"
    assert run.code == 0, run.out
    assert "daemon" in trading("doctor").out


def test_followed_logs_are_one_object_a_line(trading: CommandLine) -> None:
    import subprocess

    command = trading.command("--json", "engine", "logs", "paper-1", "-n", "2", "--follow")
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert [json.loads(process.stdout.readline())["engine"] for _ in range(2)] == ["paper-1", "paper-1"]
        sent = trading("--json", "order", "buy", "KO.SIM", "5", "--wait").json["client_order_id"]
        while sent not in process.stdout.readline():
            assert process.poll() is None
        process.terminate()


def test_text_from_elsewhere_is_shown_as_it_is(trading: CommandLine) -> None:
    odd = "[red]x[/] :boom: [/nothing]"
    run = trading("sql", f"SELECT '{odd}' AS odd")
    assert run.code == 0, run.err
    assert odd in run.out


def test_an_engine_that_does_not_answer_leaves_the_outcome_unknown_until_it_does(
    trading: CommandLine,
) -> None:
    started = trading("--json", "engine", "start", "hangs", "-i", "AAPL.SIM").json
    arguments = ("--json", "order", "buy", "AAPL.SIM", "5", "-e", "hangs", "--id", "hung-1", "--wait")
    os.kill(started["pid"], signal.SIGSTOP)
    try:
        unknown = trading(*arguments, "--timeout", "0.5")
    finally:
        os.kill(started["pid"], signal.SIGCONT)
    assert (unknown.code, unknown.json["status"]) == (4, "unknown"), unknown.out
    assert unknown.json["problem"]["type"] == "outcome-unknown"
    told = trading(*arguments)
    assert (told.code, told.json["status"], told.json["filled_qty"]) == (0, "filled", "5"), told.out
    fills = [f for f in trading("--json", "fills", "-e", "hangs").json if f["client_order_id"] == "hung-1"]
    assert sum(Decimal(fill["qty"]) for fill in fills) == 5
    assert trading("engine", "stop", "hangs").code == 0


def test_an_order_is_previewed_against_every_limit(trading: CommandLine) -> None:
    small = trading("--json", "order", "preview", "buy", "AAPL", "10")
    assert small.code == 0, small.out
    effects = {effect["rule"]: effect for effect in small.json}
    assert Decimal(effects["order_notional"]["after"]) > 0
    assert trading("order", "preview", "buy", "AAPL", "1000000").code == 3
    before = len(trading("--json", "order", "list").json)
    assert "order_notional" in trading("order", "preview", "sell", "AAPL.SIM", "10").out
    assert len(trading("--json", "order", "list").json) == before


def test_the_audit_is_listed_and_proven(trading: CommandLine) -> None:
    assert trading("broadcast", "closing early").code == 0
    told = trading("--json", "audit", "list", "--command", "stream.broadcast").json
    assert {entry["outcome"] for entry in told} >= {"done"}
    assert "closing early" in told[0]["body"]
    assert trading("audit", "list", "-n", "3").out.count("\n") == 4
    proven = trading("--json", "audit", "verify")
    assert (proven.code, proven.json["broken_at"]) == (0, None)
    assert "the chain holds" in trading("audit", "verify").out
