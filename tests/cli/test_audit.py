"""``audit …`` against a real daemon: followed, verified, exported; and read where it lies without one."""

from __future__ import annotations

import asyncio
import csv
import json
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import duckdb
import httpx
import pytest

from data.paths import Home
from data.state import State
from tests.cli.driving import CommandLine, running_daemon
from tests.daemon.test_audit import draft


@pytest.fixture(scope="module")
def daemon(tmp_path_factory: pytest.TempPathFactory) -> Iterator[CommandLine]:
    home = Home(tmp_path_factory.mktemp("audit")).ensure()
    with running_daemon(home) as cli:
        for number in range(3):
            assert cli("broadcast", f"m{number}").code == 0
        yield cli


def tail(cli: CommandLine, *arguments: str) -> list[dict[str, Any]]:
    run = cli("--json", "audit", "tail", *arguments)
    assert run.code == 0, run.err
    return [json.loads(line) for line in run.out.splitlines()]


def _hear_interrupts() -> None:
    """Take SIGINT as a program in a terminal does; what a shell starts in the background ignores it."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


def test_the_tail_is_the_latest_in_the_order_it_happened(daemon: CommandLine) -> None:
    entries = tail(daemon, "-n", "4")
    assert [one["seq"] for one in entries] == sorted(one["seq"] for one in entries)
    assert len(entries) == 4
    assert entries[-1]["outcome"] == "done"
    assert {one["command"] for one in tail(daemon, "--command", "stream.broadcast")} == {"stream.broadcast"}
    text = daemon("audit", "tail", "-n", "1").out
    assert "stream.broadcast done local (admin, unix)" in text


def test_following_shows_each_entry_once_and_ends_cleanly(daemon: CommandLine) -> None:
    before = tail(daemon, "-n", "2")
    with subprocess.Popen(
        daemon.command("--json", "audit", "tail", "-n", "2", "-f"),
        stdout=subprocess.PIPE,
        text=True,
        preexec_fn=_hear_interrupts,
    ) as process:
        assert process.stdout is not None
        told = [json.loads(process.stdout.readline()) for _ in range(2)]
        assert told == before
        for number in range(3):
            daemon("broadcast", f"followed {number}")
        told += [json.loads(process.stdout.readline()) for _ in range(6)]
        process.send_signal(signal.SIGINT)
        rest = process.stdout.read()
        assert process.wait(20) == 130
    assert rest == ""
    first = before[0]["seq"]
    assert [one["seq"] for one in told] == list(range(first, first + 8))


def test_the_chain_is_verified_against_a_head_that_was_noted(daemon: CommandLine) -> None:
    run = daemon("audit", "verify")
    assert run.code == 0, run.err
    head = run.out.splitlines()[-1].removeprefix("head ")
    assert daemon("broadcast", "later").code == 0
    assert daemon("audit", "verify", "--head", head).code == 0
    seq = head.split(":")[0]
    wrong = daemon("--json", "audit", "verify", "--head", f"{seq}:{'0' * 64}")
    assert (wrong.code, wrong.json["broken_at"]) == (1, int(seq))
    assert [one["part"] for one in wrong.json["findings"]] == ["head"]
    beyond = daemon("audit", "verify", "--head", f"1000000:{'0' * 64}")
    assert beyond.code == 1
    assert "missing at the end: the head that was kept elsewhere says 1000000" in beyond.out
    assert daemon("audit", "verify", "--head", "nonsense").code == 2


def test_an_export_is_whole_and_verified_by_itself(daemon: CommandLine, tmp_path: Path) -> None:
    file = tmp_path / "audit.jsonl"
    run = daemon("--json", "audit", "export", str(file))
    assert run.code == 0, run.err
    lines = file.read_bytes().splitlines(keepends=True)
    assert run.json == {"file": str(file), "entries": len(lines) - 2, "bytes": file.stat().st_size}
    assert [one.name for one in tmp_path.iterdir()] == ["audit.jsonl"]
    assert daemon("audit", "verify", str(file)).code == 0
    assert daemon("audit", "export", "-").out.splitlines()[1:4] == [one.decode()[:-1] for one in lines[1:4]]
    file.write_bytes(b"".join(lines[:3]))
    cut = daemon("audit", "verify", str(file))
    assert cut.code == 1
    assert "the file is cut off behind entry 2" in cut.out
    table = daemon("audit", "export", "--format", "csv", "-").out
    rows = list(csv.DictReader(table.splitlines()))
    assert [int(row["seq"]) for row in rows] == list(range(1, len(rows) + 1))
    assert daemon("audit", "export", "--to", "2020-01-01", "--format", "csv", "-").out.count("\n") == 1
    assert daemon("audit", "export", "--from", "soon", "-").code == 2
    assert daemon("audit", "export", str(tmp_path / "none" / "x")).code == 2
    assert daemon("audit", "verify", str(tmp_path / "none")).code == 1


def test_the_role_is_risk(daemon: CommandLine) -> None:
    assert daemon.url is not None
    for role, status in (("viewer", 403), ("trader", 403), ("risk", 200), ("admin", 200)):
        token = daemon("token", "create", f"of-{role}", "--role", role).out.strip()
        with httpx.Client(headers={"Authorization": f"Bearer {token}"}, trust_env=False) as http:
            for path in ("", "/verify", "/export"):
                assert http.get(f"{daemon.url}/api/v1/audit{path}").status_code == status
            if status == 200:
                kind = http.get(f"{daemon.url}/api/v1/audit/export").headers.get_list("content-type")
                assert kind == ["application/jsonl"]
            answer = http.get(f"{daemon.url}/api/v1/audit/export", params={"from": "soon"})
            assert answer.status_code == (400 if status == 200 else status)


def test_without_a_daemon_the_store_is_read_where_it_lies(cli: CommandLine) -> None:
    missing = cli("audit", "verify")
    assert missing.code == 1
    assert "there is no store" in missing.err
    assert cli("--url", "http://127.0.0.1:1", "audit", "verify").code == 5

    async def filled() -> None:
        state = State(cli.home.ensure().state_db)
        state.open()
        await asyncio.gather(*(state.append_audit(draft(number)) for number in range(9)))
        state.close()

    asyncio.run(filled())
    run = cli("audit", "verify")
    assert run.code == 0, run.err
    assert "the chain holds" in run.out
    assert "read where it lies" in run.err
    with duckdb.connect(str(cli.home.state_db)) as intruder:
        intruder.execute("DELETE FROM audit WHERE seq > 4")
    broken = cli("audit", "verify")
    assert broken.code == 1
    assert "! entries 5 to 9 are missing at the end of the store: the log goes on to 9" in broken.out
    with running_daemon(cli.home) as daemon:
        health = daemon("--json", "status").json["daemon"]
        assert any("missing at the end of the store" in one for one in health["problems"])
        assert daemon("audit", "verify").code == 1
