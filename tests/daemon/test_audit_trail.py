"""What is done to the audit chain behind our back is found, and where; a killed daemon is no alarm."""

from __future__ import annotations

import asyncio
import os
import random
import re
import resource
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import duckdb
import msgspec
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from data import audit_store
from data.audit import ChainReport, Head, chained, read_head
from data.audit_file import check_file
from data.audit_store import verify_closed
from data.problems import InvalidRequestError, NotFoundError, StoreFailedError, StoreHeldError
from data.records import AuditEntry
from data.state import State
from tests.daemon.records import T0
from tests.daemon.test_audit import draft

REPO = Path(__file__).parents[2]
ENTRIES = 57


class Kept:
    """A home's store and log, closed, as a daemon leaves them when it is stopped."""

    def __init__(self, folder: Path) -> None:
        self.store = folder / "state.duckdb"
        self.log = folder / "audit.jsonl"

    def copy(self, folder: Path) -> Kept:
        folder.mkdir(parents=True)
        for file in (self.store, self.store.with_name("state.duckdb.wal"), self.log):
            if file.exists():
                shutil.copy(file, folder)
        return Kept(folder)

    def add(self, count: int) -> None:
        async def adding() -> None:
            state = State(self.store)
            state.open()
            await asyncio.gather(*(state.append_audit(draft(number)) for number in range(count)))
            state.close()

        asyncio.run(adding())

    def sql(self, statement: str, *values: object) -> None:
        with duckdb.connect(str(self.store)) as intruder:
            intruder.execute(statement, list(values))

    def entries(self) -> list[AuditEntry]:
        with duckdb.connect(str(self.store), read_only=True) as reader:
            rows = reader.execute("SELECT body FROM audit ORDER BY seq").fetchall()
        return [msgspec.json.decode(body, type=AuditEntry) for (body,) in rows]

    def write(self, entries: list[AuditEntry]) -> None:
        """Put entries in place of those the store has of these numbers and later ones."""
        self.sql("DELETE FROM audit WHERE seq >= ?", entries[0].seq)
        for one in entries:
            body = msgspec.json.encode(one).decode()
            self.sql("INSERT INTO audit VALUES (?, ?, ?, ?)", one.seq, one.command, one.outcome, body)

    def lines(self) -> list[bytes]:
        return self.log.read_bytes().splitlines(keepends=True)

    def verify(self, head: Head | None = None) -> ChainReport:
        """Check without a daemon and as an open store does: both have to say the same."""
        closed = verify_closed(self.store, self.log, head)
        other = self.copy(self.store.parent / f"copy-{random.getrandbits(64):x}")

        opened = opened_and_verified(other, head)
        assert (opened.broken_at is None) == (closed.broken_at is None), (opened, closed)
        return closed


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> Kept:
    made = Kept(tmp_path_factory.mktemp("kept"))
    made.add(ENTRIES)
    return made


@pytest.fixture
def mine(kept: Kept, tmp_path: Path) -> Kept:
    return kept.copy(tmp_path / "home")


def found(report: ChainReport) -> list[tuple[str, int, int]]:
    return [(one.part, one.first, one.last) for one in report.findings]


def test_what_nobody_touched_holds_and_says_its_head(mine: Kept) -> None:
    report = mine.verify()
    last = mine.entries()[-1]
    assert (report.entries, report.broken_at, report.findings, report.remarks) == (ENTRIES, None, (), ())
    assert read_head(report.head) == Head(ENTRIES, last.hash)
    assert report.log is not None
    assert (report.log.entries, report.log.head) == (ENTRIES, report.head)
    assert check_file(mine.log).broken_at is None
    assert mine.log.stat().st_mode & 0o077 == 0


# ---------------------------------------------------------------- the store


@settings(max_examples=12, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(seq=st.integers(1, ENTRIES), place=st.floats(0, 1, exclude_max=True), sign=st.sampled_from(" x0\"}'é"))
@example(seq=1, place=0.0, sign=" ")
@example(seq=ENTRIES, place=0.999, sign="}")
def test_any_changed_byte_of_an_entry_is_found_where_it_is(
    kept: Kept, tmp_path_factory: pytest.TempPathFactory, seq: int, place: float, sign: str
) -> None:
    mine = kept.copy(tmp_path_factory.mktemp("byte") / "home")
    body = msgspec.json.encode(mine.entries()[seq - 1]).decode()
    at = int(place * len(body))
    if body[at] == sign:
        return
    mine.sql("UPDATE audit SET body = ? WHERE seq = ?", body[:at] + sign + body[at + 1 :], seq)
    report = mine.verify()
    assert found(report) == [("store", seq, seq)]
    assert report.reason is not None
    assert report.reason.endswith("the log has it as it was")


@pytest.mark.parametrize("seq", [1, 30, ENTRIES])
@pytest.mark.parametrize(
    "change",
    [
        "UPDATE audit SET command = 'order.submit' WHERE seq = {seq}",
        "UPDATE audit SET outcome = 'refused' WHERE seq = {seq}",
        "UPDATE audit SET body = body || ' ' WHERE seq = {seq}",
        "UPDATE audit SET body = '' WHERE seq = {seq}",
    ],
)
def test_a_changed_column_is_found_where_it_is(mine: Kept, seq: int, change: str) -> None:
    mine.sql(change.format(seq=seq))
    assert found(mine.verify()) == [("store", seq, seq)]


def test_a_changed_hash_is_found_at_its_own_entry(mine: Kept) -> None:
    one = mine.entries()[29]
    mine.sql("UPDATE audit SET body = replace(body, ?, ?) WHERE seq = 30", one.hash, "0" * 64)
    assert found(mine.verify()) == [("store", 30, 30)]


@pytest.mark.parametrize("number", [0, 31, 1000])
def test_a_changed_number_is_found(mine: Kept, number: int) -> None:
    mine.sql("UPDATE audit SET seq = ? WHERE seq = 30", number)
    report = mine.verify()
    assert ("store", 30, 30) in found(report)
    assert {first for _, first, _ in found(report)} <= {30, number}


def test_deleted_entries_are_found_and_the_log_has_them(mine: Kept) -> None:
    mine.sql("DELETE FROM audit WHERE seq IN (10, 20, 21, 22)")
    report = mine.verify()
    assert found(report) == [("store", 10, 10), ("store", 20, 22)]
    assert [one.detail for one in report.findings] == [
        "entry 10 is missing from the store: the log has what is missing",
        "entries 20 to 22 are missing from the store: the log has what is missing",
    ]


def test_a_swapped_pair_is_found(mine: Kept) -> None:
    mine.sql("UPDATE audit SET seq = CASE seq WHEN 10 THEN 11 ELSE 10 END WHERE seq IN (10, 11)")
    report = mine.verify()
    assert found(report) == [("store", 10, 10), ("store", 11, 11)]
    assert report.findings[0].detail.startswith("entry 10 of the store holds entry 11")


def test_an_entry_that_is_there_twice_is_found_also_between_pieces(
    mine: Kept, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(audit_store, "PIECE", 30)
    mine.sql("INSERT INTO audit SELECT * FROM audit WHERE seq = 30")
    assert found(mine.verify()) == [("store", 30, 30)]


@pytest.mark.parametrize("left", [40, ENTRIES - 1, 0])
def test_a_tail_that_was_cut_off_is_found_and_told_from_where_to_where(mine: Kept, left: int) -> None:
    mine.sql("DELETE FROM audit WHERE seq > ?", left)
    report = mine.verify()
    assert found(report) == [("store", left + 1, ENTRIES)]
    assert report.reason is not None
    assert report.reason.endswith(f"missing at the end of the store: the log goes on to {ENTRIES}")


def test_a_daemon_that_starts_on_a_cut_chain_goes_on_behind_what_the_log_has(mine: Kept) -> None:
    mine.sql("DELETE FROM audit WHERE seq > 40")
    mine.add(3)
    assert [one.seq for one in mine.entries()][-4:] == [40, 58, 59, 60]
    report = mine.verify()
    assert found(report) == [("store", 41, ENTRIES)]
    assert check_file(mine.log).broken_at is None, "the log is whole and has what the store lacks"
    state = State(mine.store)
    state.open()
    assert state.trail.log.problems == ()
    state.close()


def rewritten(mine: Kept, since: int) -> list[AuditEntry]:
    """A chain that is ours before ``since`` and has other entries, with fitting hashes, from there on."""
    entries = mine.entries()[: since - 1]
    for number in range(since, ENTRIES + 1):
        entries.append(chained(draft(1000 + number), number, entries[-1].hash))
    return entries[since - 1 :]


def test_a_suffix_written_anew_with_fitting_hashes_is_found_against_the_log(mine: Kept) -> None:
    noted = read_head(mine.verify().head)
    mine.write(rewritten(mine, 30))
    report = mine.verify()
    assert found(report) == [("store", 30, ENTRIES)]
    assert "not the same in the store and in the log" in (report.reason or "")
    assert ("head", ENTRIES, ENTRIES) in found(mine.verify(noted)), "the store is what was written anew"


def test_store_and_log_written_anew_are_found_against_a_head_kept_elsewhere(mine: Kept) -> None:
    noted, early = read_head(mine.verify().head), Head(12, mine.entries()[11].hash)
    anew = rewritten(mine, 30)
    mine.write(anew)
    mine.log.write_bytes(b"".join([*mine.lines()[:30], *(msgspec.json.encode(one) + b"\n" for one in anew)]))
    assert mine.verify().broken_at is None, "nothing on this machine can tell"
    assert found(mine.verify(noted)) == [("head", ENTRIES, ENTRIES)]
    assert mine.verify(early).broken_at is None
    mine.sql("DELETE FROM audit WHERE seq > 40")
    mine.log.write_bytes(b"".join(mine.lines()[:41]))
    mine.sql("UPDATE meta SET value = '40' WHERE key = 'audit_log'")
    report = mine.verify(noted)
    assert found(report) == [("head", 41, ENTRIES)]
    assert report.reason == (
        f"entries 41 to {ENTRIES} are missing at the end: the head that was kept elsewhere says {ENTRIES}"
    )


# ---------------------------------------------------------------- the log


@pytest.mark.parametrize("left", [41, ENTRIES])
def test_a_log_that_was_cut_is_found_and_stays_told(mine: Kept, left: int) -> None:
    mine.log.write_bytes(b"".join(mine.lines()[:left]))
    report = mine.verify()
    assert found(report) == [("log", left, ENTRIES)]
    assert (report.reason or "").endswith("at the end of the log: the store has what is missing")
    mine.add(2)
    assert len(mine.lines()) == 1 + ENTRIES + 2 + 1, "what was missing comes behind a note that it was"
    assert found(mine.verify()) == [("log", left, left)]
    assert "come from the store when the daemon started" in (mine.verify().reason or "")


def test_a_log_that_was_deleted_is_found_and_stays_told(mine: Kept) -> None:
    mine.log.unlink()
    assert found(mine.verify()) == [("log", 1, ENTRIES)]
    state = State(mine.store)
    state.open()
    assert [one for one in state.trail.log.problems if "the log was gone" in one]
    state.close()
    mine.add(2)
    report = mine.verify()
    assert found(report) == [("log", ENTRIES + 1, ENTRIES + 1)]
    assert report.reason == f"the log was gone, and begun anew behind entry {ENTRIES}"


@pytest.mark.parametrize("line", [0, 1, 30, ENTRIES])
def test_a_changed_line_of_the_log_is_found_where_it_is(mine: Kept, line: int) -> None:
    lines = mine.lines()
    lines[line] = lines[line].replace(b'"type"', b'"typo"', 1)
    mine.log.write_bytes(b"".join(lines))
    report = mine.verify()
    assert {(part, first) for part, first, _ in found(report)} == {("log", max(line, 1))}


def test_a_line_changed_so_that_it_reads_well_is_found(mine: Kept) -> None:
    lines = mine.lines()
    lines[30] = lines[30].replace(b'"ada"', b'"eve"')
    mine.log.write_bytes(b"".join(lines))
    report = mine.verify()
    assert found(report) == [("log", 30, 30)]
    assert report.reason == "entry 30 of the log was changed after it was written; the store has it as it was"


def test_a_line_of_the_log_taken_out_is_found(mine: Kept) -> None:
    lines = mine.lines()
    mine.log.write_bytes(b"".join(lines[:30] + lines[31:]))
    assert found(mine.verify()) == [("log", 30, 30)]


async def test_what_is_done_to_the_log_while_the_daemon_runs_is_found(mine: Kept) -> None:
    state = State(mine.store)
    state.open()
    whole = mine.log.read_bytes()
    mine.log.write_bytes(b"".join(mine.lines()[:41]))
    assert found(await state.verify_audit()) == [("log", 41, ENTRIES)]
    await state.append_audit(draft(1))
    assert [one for one in state.trail.log.problems if "somebody else wrote in the log" in one]
    assert {part for part, _, _ in found(await state.verify_audit())} == {"log"}
    mine.log.unlink()
    assert {part for part, _, _ in found(await state.verify_audit())} == {"log"}
    await state.append_audit(draft(2))
    assert mine.log.exists()
    assert [one for one in state.trail.log.problems if "the log was gone" in one]
    mine.log.unlink()
    mine.log.write_bytes(whole)
    await state.append_audit(draft(3))
    assert [one for one in state.trail.log.problems if "another file was put in the log's place" in one]
    report = await state.verify_audit()
    assert report.entries == ENTRIES + 3
    assert {part for part, _, _ in found(report)} == {"log"}
    state.close()


# ---------------------------------------------------------------- homes without a log, foreign homes


def test_a_home_made_before_there_was_a_log_says_so_and_begins_one(mine: Kept) -> None:
    mine.log.unlink()
    mine.sql("DELETE FROM meta WHERE key = 'audit_log'")
    report = verify_closed(mine.store, mine.log)
    assert (report.broken_at, report.log) == (None, None)
    assert report.remarks == (
        "there is no log beside the chain yet: that its end was not cut off is not proven",
    )
    mine.add(3)
    report = mine.verify()
    assert (report.broken_at, report.entries) == (None, ENTRIES + 3)
    assert report.remarks == (f"the log begins behind entry {ENTRIES}: earlier ones are in the store alone",)
    mine.sql("DELETE FROM audit WHERE seq = ?", ENTRIES - 1)
    assert mine.verify().broken_at == ENTRIES - 1
    mine.sql("DELETE FROM audit WHERE seq <= ?", ENTRIES)
    assert mine.verify().broken_at == 1


def test_a_store_that_is_not_there_is_held_or_is_none_is_a_problem_that_says_so(mine: Kept) -> None:
    with pytest.raises(NotFoundError):
        verify_closed(mine.store.with_name("other.duckdb"), mine.log)
    writers = Writers(mine.store)
    writers.begin()
    with pytest.raises(StoreHeldError):
        verify_closed(mine.store, mine.log)
    writers.kill()
    writers.close()
    nonsense = mine.store.with_name("nonsense.duckdb")
    nonsense.write_bytes(b"nonsense" * 4096)
    with pytest.raises(StoreFailedError):
        verify_closed(nonsense, mine.log)


def damage(look: Callable[[], object]) -> StoreFailedError | None:
    try:
        look()
    except StoreFailedError as error:
        return error
    return None


def opened_and_verified(kept: Kept, head: Head | None = None) -> ChainReport:
    async def asked() -> ChainReport:
        state = State(kept.store)
        state.open()
        try:
            return await state.verify_audit(head)
        finally:
            state.close()

    return asyncio.run(asked())


def test_a_flipped_byte_of_the_file_is_a_changed_entry_or_a_problem_that_says_the_store_is_damaged(
    tmp_path: Path,
) -> None:
    big = Kept(tmp_path)
    big.add(3000)
    size, chance = big.store.stat().st_size, random.Random(7)
    damaged = 0
    for number in range(30):
        other = big.copy(tmp_path / str(number))
        at = chance.randrange(size)
        with other.store.open("r+b") as file:
            file.seek(at)
            (byte,) = file.read(1)
            file.seek(at)
            file.write(bytes([byte ^ 0x10]))
        looks = (partial(verify_closed, other.store, other.log), partial(opened_and_verified, other))
        problems = [damage(look) for look in looks]
        damaged += any(problems)
        unclear = [one.document() for one in problems if one is not None and "backup" not in (one.fix or "")]
        assert not unclear
        shutil.rmtree(other.store.parent)
    assert damaged > 10


# ---------------------------------------------------------------- killed, full, busy

_WRITER = """
import asyncio, os, sys
from pathlib import Path
from data.state import CommandRow, State
from tests.daemon.test_audit import draft

async def main():
    state = State(Path(sys.argv[1]))
    state.open()
    start = (await state.audit(limit=1)).items
    start = start[0].seq if start else 0
    print("open", os.getpid(), flush=True)
    async def command(number):
        id_ = f"{start}-{number}"
        row = CommandRow(id=id_, command="stream.broadcast", digest="d", ts=1, outcome=None)
        begun = await state.begin_command(row, draft(number))
        print(begun.entry.seq, flush=True)
        await state.end_command(id_, "{}", draft(number))
    number = 0
    while True:
        await asyncio.gather(*(command(number + one) for one in range(1 + number % 7)))
        number += 7

for _ in sys.stdin:  # every line is a new process, with everything loaded already
    child = os.fork()
    if child == 0:
        asyncio.run(main())
    os.waitpid(child, 0)
    print("dead", flush=True)
"""


class Writers:
    """Processes, one after the other, that carry out commands without end and say what they began."""

    def __init__(self, path: Path) -> None:
        command = [sys.executable, "-c", _WRITER, str(path)]
        self._process = subprocess.Popen(
            command, cwd=REPO, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        self._pid = 0

    def begin(self) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write("\n")
        self._process.stdin.flush()
        word, pid = self.line().split()
        assert word == "open"
        self._pid = int(pid)

    def line(self) -> str:
        assert self._process.stdout is not None
        return self._process.stdout.readline()

    def kill(self) -> list[int]:
        """Kill -9, and return what was begun and not yet heard of."""
        os.kill(self._pid, signal.SIGKILL)
        heard = []
        while (line := self.line()) != "dead\n":
            heard.append(int(line))
        return heard

    def close(self) -> None:
        self._process.communicate("")


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
    mine.add(1)
    report = verify_closed(mine.store, mine.log)
    assert (report.broken_at, report.remarks, report.entries) == (None, (), ENTRIES + 1)
    assert check_file(mine.log).entries == ENTRIES + 1


@contextmanager
def files_no_larger_than(size: int) -> Iterator[None]:
    """Have every write beyond a size fail, as on a full disk."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    ignored = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
        signal.signal(signal.SIGXFSZ, ignored)


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
    with files_no_larger_than(size + 100):  # the store's own file is far below
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
    kept: Kept, mine: Kept, tmp_path: Path, change: Callable[[list[bytes]], list[bytes]], at: int
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


# ---------------------------------------------------------------- only ever added to


def test_no_code_changes_or_deletes_an_entry() -> None:
    changing = re.compile(r"(UPDATE|DELETE\s+FROM|DROP\s+TABLE|TRUNCATE|ALTER\s+TABLE)\s+\"?audit\b", re.I)
    adding = re.compile(r"\bINTO\s+audit\b|\bAUDIT, \[")
    files = [
        one for room in ("data", "nautilus_tui", "engines", "risk") for one in (REPO / room).rglob("*.py")
    ]
    assert len(files) > 300
    texts = {str(one.relative_to(REPO)): one.read_text() for one in files}
    assert not [name for name, text in texts.items() if changing.search(text)]
    assert [name for name, text in texts.items() if adding.search(text)] == ["data/fold.py"]
    named = [name for name in dir(State) if "audit" in name and not name.startswith("_")]
    assert sorted(named) == ["append_audit", "audit", "verify_audit"]


@pytest.mark.parametrize(
    "text", ["", "5", "5:", "5:zz", f"-5:{'0' * 64}", f"5:{'0' * 63}", f"{'9' * 30}:{'0' * 64}"]
)
def test_what_is_no_head_is_refused(text: str) -> None:
    with pytest.raises(InvalidRequestError):
        read_head(text)
