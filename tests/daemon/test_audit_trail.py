"""What is done to the audit chain behind our back is found, and where; a killed daemon is no alarm."""

from __future__ import annotations

import random
import re
import shutil
from collections.abc import Callable
from functools import partial
from pathlib import Path

import msgspec
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from data import audit_store
from data.audit import Head, chained, read_head
from data.audit_check import Check, LogToCheck, Row
from data.audit_file import FileStart, check_file, line_of
from data.audit_store import verify_closed
from data.problems import InvalidRequestError, NotFoundError, StoreFailedError, StoreHeldError
from data.records import AuditEntry
from data.state import State
from tests.daemon.kept import ENTRIES, REPO, Kept, Writers, found, opened_and_verified
from tests.daemon.test_audit import a_chain, draft


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


# ---------------------------------------------------------------- whatever is done

LENGTH = 12
edits = st.tuples(
    st.sampled_from(["store", "log"]),
    st.sampled_from(["drop", "swap", "byte", "cut", "twice"]),
    st.integers(0, LENGTH - 1),
    st.integers(0, 400),
)


def edited(lines: list[bytes], kind: str, at: int, byte: int) -> list[bytes]:
    at = min(at, len(lines) - 1)
    if at < 0:
        return lines
    match kind:
        case "drop":
            return [*lines[:at], *lines[at + 1 :]]
        case "swap" if at + 1 < len(lines):
            return [*lines[:at], lines[at + 1], lines[at], *lines[at + 2 :]]
        case "cut":
            return lines[:at]
        case "twice":
            return [*lines[:at], lines[at], *lines[at:]]
        case "byte":
            line = bytearray(lines[at])
            line[byte % len(line)] ^= 1
            return [*lines[:at], bytes(line), *lines[at + 1 :]]
    return lines


def first_difference(ours: list[bytes], theirs: list[bytes]) -> int:
    """Return the number of the first entry that is not as it was; beyond the last: all are."""
    for number, (one, other) in enumerate(zip(ours, theirs, strict=False), 1):
        if one != other:
            return number
    return min(len(ours), len(theirs)) + 1


@settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(done=st.lists(edits, min_size=1, max_size=3))
def test_whatever_is_done_to_store_and_log_is_found_and_not_before_where_it_was_done(
    done: list[tuple[str, str, int, int]], tmp_path: Path
) -> None:
    whole = [msgspec.json.encode(one) for one in a_chain(LENGTH)]
    begun = line_of(FileStart(kind="log", after=str(Head()), ts=1))
    kept = {"store": list(whole), "log": list(whole)}
    for part, kind, at, byte in done:
        kept[part] = edited(kept[part], kind, at, byte)
    log = tmp_path / "audit.jsonl"
    log.write_bytes(begun + b"".join(line + b"\n" for line in kept["log"]))
    check = Check(LogToCheck(log, None, LENGTH))
    # Rows come in the order of a number that whoever moves them around may set as he likes.
    check.take(
        Row(number, one.command, one.outcome, line.decode(errors="surrogateescape"))
        for number, line in enumerate(kept["store"], 1)
        for one in [a_chain(1)[0]]
    )
    report = check.report()
    if kept["store"] == whole and kept["log"] == whole:
        assert report.broken_at is None
        return
    assert report.broken_at is not None
    first = min(first_difference(whole, part) for part in kept.values())
    twice = any(kind == "twice" for _, kind, _, _ in done)  # of two that are the same, either may be told
    assert first - twice <= report.broken_at <= first, report.findings


def test_a_tail_that_was_cut_off_both_is_found_by_what_the_store_remembers(mine: Kept) -> None:
    mine.sql("DELETE FROM audit WHERE seq > 40")
    mine.log.write_bytes(b"".join(mine.lines()[:41]))
    report = mine.verify()
    assert found(report) == [("store", 41, ENTRIES)]
    assert report.reason == (
        f"entries 41 to {ENTRIES} are missing at the end of the store and of the log: both are known to have"
        " had more"
    )
    mine.add(3)
    report = mine.verify()
    assert report.entries == 43
    assert found(report) == [("log", 41, 41)], "it stays told"
    assert f"entries 41 to {ENTRIES} are missing" in (report.reason or "")


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
