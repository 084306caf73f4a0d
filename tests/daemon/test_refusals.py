"""Every refusal is in the audit chain, a refused command for itself, a flood of others as a count."""

from __future__ import annotations

import asyncio
import json
import re
import socket
from collections import Counter
from itertools import combinations
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import connect

from data.paths import Home
from data.problems import ForbiddenError, RateLimitedError, UnauthorizedError
from data.records import AuditEntry
from data.state import State
from nautilus_tui.daemon.refusals import (
    COMMANDS_A_SECOND,
    COMMANDS_AT_ONCE,
    COUNTED,
    SINGLES,
    SINGLES_OF_ALL,
    WAIT_S,
    Refusal,
    Refusals,
    Turns,
)
from tests.daemon.process import DaemonProcess
from tests.daemon.serve import Told

SECRET = "ntui_" + "s3cr3t-" * 6


def refusal(peer: str = "10.0.0.1", actor: str = "unknown", asked: str = "GET /health") -> Refusal:
    problem = UnauthorizedError("the token is not valid").document()
    return Refusal(what="http.refused", asked=asked, peer=peer, via="tcp", problem=problem, actor=actor)


async def entries(state: State) -> list[AuditEntry]:
    page = await state.audit(command="http.refused", limit=1000, cursor=None)
    return list(reversed(page.items))


def times(entry: AuditEntry) -> int:
    return int(json.loads(entry.body).get("times", 1))


def is_count(entry: AuditEntry) -> bool:
    return "times" in json.loads(entry.body)


# ---------------------------------------------------------------- floods


async def test_a_refusal_is_an_entry(state: State) -> None:
    told: list[AuditEntry] = []
    refusals = Refusals(state, told.append, clock=lambda: 7)
    problem = ForbiddenError("ci has the role viewer").document()
    refusals.note(
        Refusal(
            what="http.refused",
            asked="GET /api/v1/tokens",
            peer="10.0.0.1",
            via="tcp",
            problem=problem,
            actor="ci",
            role="viewer",
        )
    )
    await refusals.close()
    (entry,) = await entries(state)
    assert told == [entry]
    assert (entry.actor, entry.role, entry.via, entry.outcome, entry.ts) == (
        "ci",
        "viewer",
        "tcp",
        "refused",
        7,
    )
    assert json.loads(entry.body) == {"asked": "GET /api/v1/tokens", "peer": "10.0.0.1"}
    assert entry.detail == "forbidden: ci has the role viewer"


async def test_a_flood_is_ten_entries_and_a_count(state: State) -> None:
    refusals = Refusals(state, lambda _: None)
    for _ in range(1234):
        refusals.note(refusal())
    await refusals.close()
    found = await entries(state)
    assert [times(one) for one in found] == [1] * SINGLES + [1234 - SINGLES]
    assert "1224 more within 2 s" in (found[-1].detail or "")


async def test_a_count_comes_soon_and_as_long_as_the_flood_goes_on(state: State) -> None:
    told: asyncio.Queue[AuditEntry] = asyncio.Queue()
    refusals = Refusals(state, told.put_nowait, count_s=0.1)
    for _ in range(SINGLES + 5):
        refusals.note(refusal())
    found = [await asyncio.wait_for(told.get(), 120) for _ in range(SINGLES + 1)]
    assert times(found[-1]) == 5
    for _ in range(3):
        refusals.note(refusal())
    assert times(await asyncio.wait_for(told.get(), 120)) == 3, "within the same minute"
    await refusals.close()


async def test_the_next_minute_begins_anew(state: State) -> None:
    told: asyncio.Queue[AuditEntry] = asyncio.Queue()
    refusals = Refusals(state, told.put_nowait, count_s=0.1, minute_s=0.05)
    for _ in range(SINGLES + 5):
        refusals.note(refusal())
    for _ in range(SINGLES + 1):
        await asyncio.wait_for(told.get(), 120)
    refusals.note(refusal())
    assert not is_count(await asyncio.wait_for(told.get(), 120))
    await refusals.close()


async def test_those_who_share_a_count_are_named_in_it(state: State) -> None:
    refusals = Refusals(state, lambda _: None)
    for number in range(COUNTED + 2):
        for _ in range(SINGLES_OF_ALL + 20 - number):
            refusals.note(refusal(f"10.0.0.{number}", actor=f"reader-{number}"))
    await refusals.close()
    last = json.loads((await entries(state))[-1].body)
    assert last["peer"] == "2 others"
    assert last["who"] == {"reader-3 at 10.0.0.3": 107, "reader-4 at 10.0.0.4": 106}
    assert last["times"] == 213


async def test_a_refused_command_is_never_counted(state: State) -> None:
    refusals = Refusals(state, lambda _: None)
    for number in range(3 * SINGLES):
        await refusals.record(refusal(asked="POST /api/v1/orders"))
        assert len(await entries(state)) == number + 1, "it is there when that returns"
    assert not any(map(is_count, await entries(state)))


async def test_commands_without_end_wait_for_their_turn_and_then_are_counted(state: State) -> None:
    """However many connections one token has, the chain grows at a pace, and nothing is lost."""
    refusals = Refusals(state, lambda _: None)
    count = 3 * COMMANDS_AT_ONCE
    crowd = [refusals.record(refusal(actor="busy", asked="command x")) for _ in range(count)]
    others = [refusals.record(refusal(actor="calm", asked="command x")) for _ in range(SINGLES)]
    await asyncio.gather(*crowd, *others)
    await refusals.close()
    found = await entries(state)
    assert sum(times(one) for one in found if one.actor == "busy") == count
    assert COMMANDS_AT_ONCE <= len([one for one in found if one.actor == "busy"]) < count
    assert [times(one) for one in found if one.actor == "calm"] == [1] * SINGLES


async def test_who_stops_waits_for_those_who_wait(state: State) -> None:
    refusals = Refusals(state, lambda _: None)
    crowd = [asyncio.create_task(refusals.record(refusal())) for _ in range(COMMANDS_AT_ONCE + 20)]
    await asyncio.sleep(0)
    for one in crowd:
        one.cancel()
    await refusals.close()
    assert len(await entries(state)) == len(crowd), "whoever asked has gone, and it is written all the same"


@given(st.lists(st.tuples(st.floats(0.0, 0.5), st.integers(1, 300)), min_size=1, max_size=40))
def test_a_token_has_so_many_turns_a_second_and_none_too_late(arrivals: list[tuple[float, int]]) -> None:
    turns, now, taken = Turns(), 0.0, []
    for pause, count in arrivals:
        now += pause
        due = [turns.next("busy", now) for _ in range(count)]
        taken += [max(one, now) for one in due if one <= now + WAIT_S]
    assert taken == sorted(taken), "in their order"
    for first, last in combinations(range(0, len(taken), 97), 2):
        most = COMMANDS_AT_ONCE + COMMANDS_A_SECOND * (taken[last] - taken[first])
        assert last - first <= most + 1


@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.tuples(st.integers(0, 200), st.integers(1, 40)), max_size=250))
def test_none_is_lost_and_the_chain_grows_by_little(tmp_path: Path, crowd: list[tuple[int, int]]) -> None:
    async def run() -> None:
        found: list[AuditEntry] = []
        state = State(tmp_path / "of-many.duckdb")
        state.open()
        try:
            refusals = Refusals(state, found.append)
            for peer, count in crowd:
                for _ in range(count):
                    refusals.note(refusal(f"10.0.0.{peer}"))
            await refusals.close()
        finally:
            state.close()
        assert sum(map(times, found)) == sum(count for _, count in crowd)
        assert len(found) <= SINGLES_OF_ALL + COUNTED + 1
        singly = Counter(json.loads(one.body)["peer"] for one in found if not is_count(one))
        assert all(count <= SINGLES for count in singly.values())

    asyncio.run(run())


async def test_a_store_that_fails_is_told_and_nobody_waits(
    state: State, caplog: pytest.LogCaptureFixture
) -> None:
    refusals = Refusals(state, lambda _: None)
    state.close()
    refusals.note(refusal())
    await refusals.close()
    assert "a refusal could not be stored" in caplog.text
    state.open()


async def test_secrets_are_not_written(state: State) -> None:
    refusals = Refusals(state, lambda _: None)
    refusals.note(refusal(asked=f"DELETE /api/v1/tokens/{SECRET}"))
    problem = RateLimitedError(f"{SECRET} is too fast").document()
    refusals.note(Refusal(what="http.refused", asked="GET /", peer="p", via="tcp", problem=problem))
    await refusals.close()
    found = await entries(state)
    assert len(found) == 2
    assert SECRET not in str(found)
    assert "[redacted]" in found[0].body


# ---------------------------------------------------------------- all kinds of them, by a daemon


def refused(entries: list[AuditEntry], what: str) -> list[tuple[str, str, str]]:
    """Return who was refused what and why, oldest first."""
    return [
        (one.actor, json.loads(one.body)["asked"], (one.detail or "").partition(":")[0])
        for one in entries
        if one.command == what
    ]


async def written(home: Home) -> list[AuditEntry]:
    """Return what a daemon that has ended wrote, oldest first; the chain holds."""
    state = State(home.state_db)
    state.open()
    try:
        assert (await state.verify_audit()).broken_at is None
        return list(reversed((await state.audit(command=None, limit=500, cursor=None)).items))
    finally:
        state.close()


def test_each_way_to_be_refused_leaves_an_entry(tmp_path: Path) -> None:
    daemon = DaemonProcess(tmp_path / "home", Told(requests_per_second=50))
    try:
        viewer, gone = daemon.token("viewer", "viewer"), daemon.token("gone", "admin")
        busy = daemon.token("busy", "viewer")
        assert daemon.http.delete("/api/v1/tokens/gone").status_code == 200
        tcp, owner = daemon.tcp, daemon.http
        tcp.get("/health")
        tcp.get(f"/api/v1/positions?token={SECRET}", headers={"Authorization": f"Bearer {SECRET}"})
        tcp.get("/health", headers=gone)
        tcp.get("/health", headers={"Authorization": SECRET})
        tcp.get("/api/v1/tokens", headers=viewer)
        tcp.post("/api/v1/orders", headers=viewer, content=b"[")
        tcp.post("/api/v1/commands", headers=viewer, content=b"[")
        tcp.post("/api/v1/commands?wait=never", headers=viewer, json={"command": "kill"})
        tcp.get("/api/v1/nothing", headers=viewer)  # asks for nothing that could be refused
        tcp.get("/health", headers=viewer | {"Origin": "https://evil.example"})
        owner.get("/health", headers={"Origin": "https://evil.example"})
        owner.post("/api/v1/commands", content=b"x" * 1_000_001)
        while tcp.get("/health", headers=busy).status_code != 429:
            pass
        with socket.create_connection(("127.0.0.1", daemon.port)) as sock:
            sock.sendall(b"what is this\r\n\r\n")
            assert b"400" in sock.recv(65536)
        streams(daemon, viewer)
    finally:
        daemon.stop_all()
    whole = asyncio.run(written(daemon.home))
    assert refused(whole, "http.refused") == [
        ("unknown", "GET /health", "unauthorized"),
        ("unknown", "GET /api/v1/positions", "unauthorized"),
        ("gone", "GET /health", "unauthorized"),
        ("unknown", "GET /health", "unauthorized"),
        ("viewer", "GET /api/v1/tokens", "forbidden"),
        ("viewer", "POST /api/v1/orders", "forbidden"),
        ("viewer", "POST /api/v1/commands", "invalid-request"),
        ("viewer", "POST /api/v1/commands", "invalid-request"),
        ("unknown", "GET /health", "forbidden"),
        ("unknown", "GET /health", "forbidden"),
        ("local", "POST /api/v1/commands", "too-large"),
        ("busy", "GET /health", "rate-limited"),
        ("unknown", "", "invalid-request"),
    ]
    assert refused(whole, "stream.refused") == [
        ("unknown", "connect to /ws", "unauthorized"),
        ("unknown", "connect to /ws", "forbidden"),
        ("unknown", "connect to /ws/nowhere", "not-found"),
        ("unknown", "authenticate", "unauthorized"),
        ("viewer", "subscribe audit", "forbidden"),
        ("viewer", "command nonsense", "invalid-request"),
        ("viewer", "message", "invalid-request"),
    ]
    assert not [one for one in whole if one.command == "kill"], "what was no command is not audited as one"
    assert SECRET not in str(whole)
    for path in (tmp_path / "home").rglob("*"):
        assert not path.is_file() or SECRET.encode() not in path.read_bytes(), path


def test_every_refused_command_has_its_entry_before_the_answer(tmp_path: Path) -> None:
    """Whether it got as far as being a command or not; a kill right after the last answer takes none away."""
    daemon = DaemonProcess(tmp_path / "home")
    viewer, tcp = daemon.token("looks", "viewer"), daemon.tcp
    order = {"engine": "paper-1", "instrument": "AAPL.SIM", "side": "buy", "qty": "1"}
    try:
        for _ in range(30):
            assert tcp.post("/api/v1/orders", json=order, headers=viewer).status_code == 403
        for _ in range(30):
            assert tcp.post("/api/v1/orders", json={}, headers=viewer).status_code == 403
        for _ in range(15):
            assert tcp.delete("/api/v1/orders/none", headers=viewer).status_code == 403
        for _ in range(15):
            assert tcp.post("/api/v1/commands", json={"command": "x"}, headers=viewer).status_code == 400
        said = refused_on_a_stream(daemon, viewer)
    finally:
        daemon.kill()
    found = Counter(
        (one.command, one.actor, one.role, one.via, (one.detail or "").partition(":")[0])
        for one in asyncio.run(written(daemon.home))
        if one.outcome == "refused" and not is_count(one)
    )
    assert found == {
        ("order.submit", "looks", "viewer", "tcp", "forbidden"): 30,
        ("http.refused", "looks", "viewer", "tcp", "forbidden"): 45,
        ("http.refused", "looks", "viewer", "tcp", "invalid-request"): 15,
    } | {("stream.refused", "looks", "viewer", "tcp", type_): count for type_, count in said.items()}
    assert set(said) == {"invalid-request", "rate-limited"}


def refused_on_a_stream(daemon: DaemonProcess, viewer: dict[str, str]) -> Counter[str]:
    """Send what is no command, in several ways and too fast; returns how often which problem was answered."""
    no_commands: list[object] = [{"command": "x"}, {"command": "order.cancel"}, {}, "order.cancel"]
    said: Counter[str] = Counter()
    at = f"ws://127.0.0.1:{daemon.port}/ws"
    with connect(at, additional_headers=viewer, proxy=None) as talk:
        for number in range(120):
            message = {"type": "command", "id": number, "command": no_commands[number % len(no_commands)]}
            talk.send(json.dumps(message))
        while said.total() < 120:
            for envelope in json.loads(talk.recv(timeout=120)):
                if envelope["id"] is not None:
                    assert envelope["id"] == said.total(), "each in its turn"
                    said[envelope["data"].get("problem", envelope["data"])["type"]] += 1
    return said


def test_a_flood_of_others_is_on_the_disk_within_seconds(tmp_path: Path) -> None:
    """A count is not lost with the process, though nobody waited for it."""
    daemon = DaemonProcess(tmp_path / "home")
    viewer = daemon.token("looks", "viewer")
    try:
        for _ in range(SINGLES + 7):
            assert daemon.tcp.get("/api/v1/tokens", headers=viewer).status_code == 403
        found: list[str] = []
        while not any('"times"' in body for body in found):
            found = [one["body"] for one in daemon.get("/api/v1/audit", command="http.refused")["items"]]
    finally:
        daemon.kill()
    kept = [one for one in asyncio.run(written(daemon.home)) if one.command == "http.refused"]
    assert sum(map(times, kept)) == SINGLES + 7


def streams(daemon: DaemonProcess, viewer: dict[str, str]) -> None:
    """Be refused on streams in every way there is."""
    at = f"ws://127.0.0.1:{daemon.port}/ws"
    for path, headers in (
        ("", {"Authorization": f"Bearer {SECRET}"}),
        ("", viewer | {"Origin": "https://evil.example"}),
        ("/nowhere", viewer),
    ):
        with pytest.raises(InvalidStatus):
            connect(at + path, additional_headers=headers, proxy=None)
    with connect(at, proxy=None) as talk:
        talk.send(json.dumps({"type": "authenticate", "token": SECRET}))
        talk.recv(timeout=30)
        with pytest.raises(ConnectionClosed):
            talk.recv(timeout=30)
    with connect(at, additional_headers=viewer, proxy=None) as talk:
        talk.send(json.dumps({"type": "subscribe", "id": 1, "topics": ["audit"]}))
        talk.send(json.dumps({"type": "command", "id": 2, "command": {"command": "nonsense"}}))
        talk.send("[")
        heard = ""
        while not re.search(r"subscription_error.*command_response.*\"error\"", heard):
            heard += str(talk.recv(timeout=30))
