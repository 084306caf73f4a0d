"""The audit chain of a daemon that is killed, has no room to write or is busy; and what is exported of it."""

from __future__ import annotations

import asyncio
import os
import random
from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest

from data import audit_store
from data.audit import Head, read_head
from data.audit_file import check_file
from data.audit_store import verify_closed
from data.problems import InvalidRequestError, NotFoundError, StoreFailedError
from data.state import State
from tests.daemon.disk import full_disk
from tests.daemon.kept import ENTRIES, Kept, Writers
from tests.daemon.process import DaemonProcess
from tests.daemon.records import T0
from tests.daemon.test_audit import draft

# ---------------------------------------------------------------- killed, full, busy


def test_killed_in_the_middle_of_commands_twenty_times_it_verifies_clean_each_time(tmp_path: Path) -> None:
    mine, chance, last = Kept(tmp_path), random.Random(11), 0
    writers = Writers(mine.store)
    for _ in range(20):
        writers.begin()
        heard = [int(writers.line()) for _ in range(chance.randint(1, 40))]
        last = max([last, *heard, *writers.kill()])
        report = verify_closed(mine.store, mine.log)
        assert report.broken_at is None, report
        assert report.entries >= last, "whatever was begun is in it"
        assert read_head(check_file(mine.log).head).seq >= last
    writers.close()
    assert mine.verify().broken_at is None


@pytest.mark.parametrize("cut", [1, 40])
def test_a_log_that_was_torn_by_a_killed_process_is_no_alarm_and_is_made_good(mine: Kept, cut: int) -> None:
    mine.sql("UPDATE meta SET value = '20' WHERE key = 'audit_log'")  # as it is while a daemon runs
    mine.log.write_bytes(mine.log.read_bytes()[: -cut - len(mine.lines()[-1])])
    report = verify_closed(mine.store, mine.log)
    assert report.broken_at is None
    assert report.log is not None
    assert report.log.behind == 2
    assert "the last 2 of the store are not in the log yet" in report.remarks[-1]
    assert "a daemon that runs is about to add them" in report.remarks[-1]
    mine.add(1)
    report = verify_closed(mine.store, mine.log)
    assert (report.broken_at, report.remarks, report.entries) == (None, (), ENTRIES + 1)
    assert check_file(mine.log).entries == ENTRIES + 1


async def test_where_the_log_cannot_be_written_nothing_more_is_commanded_until_it_can(tmp_path: Path) -> None:
    state = State(tmp_path / "state.duckdb")
    state.open()
    await state.append_audit(draft(0))
    os.truncate(state.trail.log.path, 64 * 1024 * 1024)  # a hole: as long as a log of years, without the disk
    state.trail.log.close()
    state.close()
    state = State(tmp_path / "state.duckdb")
    state.open()
    size = state.trail.log.path.stat().st_size
    with full_disk(size + 100):  # the store's own file is far below
        await state.append_audit(draft(1))  # committed before the log failed
        assert state.failure
        with pytest.raises(StoreFailedError):
            await state.append_audit(draft(2))
        assert (await state.audit()).items[0].command_id == "c1"
    await state.append_audit(draft(3))
    assert state.failure is None
    state.close()
    assert [one.command_id for one in Kept(tmp_path).entries()] == ["c0", "c1", "c3"]
    assert b'"c1"' in state.trail.log.path.read_bytes()
    assert b'"c2"' not in state.trail.log.path.read_bytes()


async def test_a_log_that_was_taken_away_and_cannot_be_begun_anew_is_not_given_up(tmp_path: Path) -> None:
    state = State(tmp_path / "state.duckdb")
    state.open()
    log = state.trail.log.path
    await state.append_audit(draft(0))
    log.unlink()
    log.symlink_to(tmp_path / "nowhere" / "log")  # not there, and nothing can be made in its place
    await state.append_audit(draft(1))  # committed before the log failed
    for number in (2, 3):
        assert state.failure
        with pytest.raises(StoreFailedError):
            await state.append_audit(draft(number))
    log.unlink()
    await state.append_audit(draft(4))
    assert state.failure is None
    state.close()
    assert [one.command_id for one in Kept(tmp_path).entries()] == ["c0", "c1", "c4"]
    assert all(name in log.read_bytes() for name in (b'"c1"', b'"c4"'))


async def test_a_log_that_there_is_no_room_to_begin_anew_is_begun_when_there_is(tmp_path: Path) -> None:
    state = State(tmp_path / "state.duckdb")
    state.open()
    log = state.trail.log.path
    await state.append_audit(draft(0))
    await state.append_audit(draft(1))
    log.unlink()
    with full_disk(0):
        with pytest.raises(OSError, match="File too large"):
            state.trail.log.follow((await state.audit()).items[:1])
        assert not log.exists(), "half a log is not left to be taken for one"
    state.trail.log.ready()
    state.close()
    assert log.read_bytes().splitlines()[0].startswith(b'{"type":"audit_start"')
    assert b'"c1"' in log.read_bytes()


async def test_an_entry_that_cannot_be_read_is_a_problem_that_names_it_and_says_what_helps(
    mine: Kept,
) -> None:
    mine.sql("UPDATE audit SET body = '{' WHERE seq = 3")
    state = State(mine.store)
    state.open()
    assert (await state.audit(limit=10)).next is not None
    with pytest.raises(StoreFailedError, match="the row of audit with seq 3 ") as told:
        await state.audit(limit=1000)
    assert "audit verify" in (told.value.fix or "")
    state.close()


def test_a_daemon_starts_over_an_entry_that_cannot_be_read_and_its_health_says_so(mine: Kept) -> None:
    mine.sql("UPDATE audit SET body = '{' WHERE seq = 30")
    daemon = DaemonProcess(mine.store.parent)
    try:
        problems = daemon.get("/api/v1/system/health")["problems"]
        listed = daemon.http.get("/api/v1/audit", params={"limit": 1000})
    finally:
        daemon.stop()
    assert "audit: entry 30 is not as it was written; see nautilus-tui audit verify" in problems
    assert (listed.status_code, listed.json()["type"]) == (503, "store-failed")


async def test_commands_go_on_while_a_long_chain_is_verified(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(audit_store, "PIECE", 50)
    state = State(tmp_path / "state.duckdb")
    state.open()
    await asyncio.gather(*(state.append_audit(draft(number)) for number in range(3000)))
    verifying = asyncio.create_task(state.verify_audit())
    added = 0
    while not verifying.done():
        await state.append_audit(draft(added))
        added += 1
    assert verifying.result().broken_at is None
    assert verifying.result().entries >= 3000
    assert added > 10
    report = await state.verify_audit()
    assert (report.broken_at, report.entries) == (None, 3000 + added)
    state.close()


# ---------------------------------------------------------------- exported files


def exported(kept: Kept, target: Path, **span: int) -> Path:
    async def pieces() -> list[bytes]:
        state = State(kept.store)
        state.open()
        found = [piece async for piece in await state.trail.export(**span)]
        state.close()
        return found

    target.write_bytes(b"".join(asyncio.run(pieces())))
    return target


@pytest.mark.parametrize(
    ("span", "first", "last"),
    [
        ({}, 1, ENTRIES),
        ({"since": T0 + 10}, 11, ENTRIES),
        ({"until": T0 + 10}, 1, 10),
        ({"since": T0 + 10, "until": T0 + 20}, 11, 20),
        ({"since": T0 + 1000}, 0, 0),
        ({"until": T0}, 0, 0),
    ],
)
def test_an_export_proves_itself_whichever_part_it_is(
    mine: Kept, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, span: dict[str, int], first: int, last: int
) -> None:
    monkeypatch.setattr(audit_store, "PIECE", 7)
    file = exported(mine, tmp_path / "x.jsonl", **span)
    report = check_file(file)
    assert (report.broken_at, report.entries) == (None, last - first + 1 if last else 0)
    lines = [msgspec.json.decode(line) for line in file.read_bytes().splitlines()]
    assert [one["seq"] for one in lines[1:-1]] == (list(range(first, last + 1)) if last else [])


def _without(line: int) -> Callable[[list[bytes]], list[bytes]]:
    return lambda lines: [*lines[:line], *lines[line + 1 :]]


@pytest.mark.parametrize(
    ("change", "at"),
    [
        (lambda lines: lines[:41], 41),
        (lambda lines: [*lines[:41], lines[-1]], 41),
        (lambda lines: [*lines[:20], lines[20].replace(b'"ada"', b'"eve"'), *lines[21:]], 20),
        (lambda lines: [*lines[:20], lines[21], lines[20], *lines[22:]], 20),
        (_without(20), 20),
        (_without(1), 1),
        (_without(0), 1),
        (lambda lines: [*lines, lines[20]], 20),
        (lambda lines: [b"".join(lines)[:-1]], ENTRIES + 1),
    ],
)
def test_an_export_that_was_changed_or_cut_is_found(
    mine: Kept, tmp_path: Path, change: Callable[[list[bytes]], list[bytes]], at: int
) -> None:
    file = exported(mine, tmp_path / "x.jsonl")
    head = read_head(check_file(file).head)
    assert check_file(file, head).broken_at is None
    assert check_file(file, Head(ENTRIES, "1" * 64)).broken_at == ENTRIES
    file.write_bytes(b"".join(change(file.read_bytes().splitlines(keepends=True))))
    assert check_file(file).broken_at == at


def test_a_file_that_is_none_of_ours_is_refused(tmp_path: Path) -> None:
    other = tmp_path / "other.txt"
    other.write_text("hello\nworld\n")
    with pytest.raises(InvalidRequestError):
        check_file(other)
    other.write_text("")
    with pytest.raises(InvalidRequestError):
        check_file(other)
    with pytest.raises(InvalidRequestError):
        check_file(tmp_path)
    with pytest.raises(NotFoundError):
        check_file(tmp_path / "none")
