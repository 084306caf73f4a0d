"""The audit chain: what was changed or taken out is found; secrets are not in it."""

from __future__ import annotations

import asyncio
from pathlib import Path

import duckdb
import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from data import audit_store
from data.audit import GENESIS, AuditDraft, chained, verify
from data.commands import CreateToken, SendBroadcast
from data.records import AuditEntry
from data.state import State
from nautilus_tui.daemon.audit import MAX_BODY, REDACTED, Auditor, redacted
from nautilus_tui.daemon.principal import Principal
from tests.daemon.records import T0

OPERATOR = Principal(name="ada", role="admin", via="tcp")


def draft(number: int) -> AuditDraft:
    return Auditor(SendBroadcast(message=f"m{number}"), f"c{number}", OPERATOR, lambda: T0 + number).draft(
        "done"
    )


def a_chain(length: int) -> list[AuditEntry]:
    entries: list[AuditEntry] = []
    previous = GENESIS
    for number in range(length):
        entries.append(chained(draft(number), number + 1, previous))
        previous = entries[-1].hash
    return entries


def test_an_untouched_chain_holds() -> None:
    chain = a_chain(20)
    report = verify(chain)
    assert (report.entries, report.broken_at, report.last_hash) == (20, None, chain[-1].hash)
    assert verify([]).last_hash == GENESIS


TEXT_FIELDS = ("command_id", "command", "actor", "via", "role", "body", "outcome", "previous_hash", "hash")


@given(at=st.integers(0, 9), field=st.sampled_from((*TEXT_FIELDS, "ts", "detail")), text=st.text(max_size=5))
def test_any_changed_field_is_found_where_it_is(at: int, field: str, text: str) -> None:
    chain = a_chain(10)
    changed = text if field != "ts" else T0 - len(text) - 1
    if getattr(chain[at], field) == changed:
        return
    chain[at] = msgspec.structs.replace(chain[at], **{field: changed})
    assert verify(chain).broken_at == at + 1


@given(at=st.integers(0, 8))
def test_a_missing_or_swapped_entry_is_found(at: int) -> None:
    chain = a_chain(10)
    swapped = [*chain[:at], chain[at + 1], chain[at], *chain[at + 2 :]]
    assert verify(swapped).broken_at == at + 1
    assert verify([*chain[:at], *chain[at + 1 :]]).broken_at == at + 1


def test_an_entry_rewritten_with_a_fitting_hash_breaks_the_next() -> None:
    chain = a_chain(3)
    chain[1] = chained(draft(99), 2, chain[0].hash)
    report = verify(chain)
    assert report.broken_at == 3
    assert report.reason == "entry 3 does not follow the entry before it"


async def test_tampering_with_the_file_is_found_and_the_chain_goes_on_after_reopening(tmp_path: Path) -> None:
    path = tmp_path / "state.duckdb"
    state = State(path)
    state.open()
    await asyncio.gather(*(state.append_audit(draft(number)) for number in range(8)))
    state.close()
    state = State(path)
    state.open()
    await state.append_audit(draft(8))
    assert (await state.verify_audit()).entries == 9
    page = await state.audit(limit=4)
    assert [entry.seq for entry in page.items] == [9, 8, 7, 6]
    assert [entry.seq for entry in (await state.audit(limit=4, cursor=page.next)).items] == [5, 4, 3, 2]
    state.close()
    with duckdb.connect(str(path)) as intruder:
        intruder.execute("UPDATE audit SET body = replace(body, '\"m4\"', '\"mX\"') WHERE seq = 5")
        intruder.execute("UPDATE audit SET body = replace(body, 'ada', 'eve') WHERE seq = 5")
    state = State(path)
    state.open()
    assert (await state.verify_audit()).broken_at == 5
    state.close()


async def test_a_long_chain_is_checked_piece_by_piece(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(audit_store, "PIECE", 3)
    state = State(tmp_path / "state.duckdb")
    state.open()
    await asyncio.gather(*(state.append_audit(draft(number)) for number in range(10)))
    report = await state.verify_audit()
    assert (report.entries, report.broken_at) == (10, None)
    state.close()
    with duckdb.connect(str(tmp_path / "state.duckdb")) as intruder:
        intruder.execute("INSERT INTO audit SELECT * FROM audit WHERE seq = 3")
    state = State(tmp_path / "state.duckdb")
    state.open()
    assert (await state.verify_audit()).broken_at is not None
    state.close()
    with duckdb.connect(str(tmp_path / "state.duckdb")) as intruder:
        intruder.execute("DELETE FROM audit WHERE seq IN (3, 8)")
    state = State(tmp_path / "state.duckdb")
    state.open()
    assert (await state.verify_audit()).broken_at == 3
    state.close()


def test_secrets_are_redacted_and_names_are_not() -> None:
    plain = {
        "name": "ci",
        "token_role": "admin",
        "api_key": "k",
        "password": "p",
        "nested": [{"secret": "s", "token": "t", "venue_secret": "v"}],
        "empty": {"password": ""},
    }
    assert redacted(plain) == {
        "name": "ci",
        "token_role": "admin",
        "api_key": REDACTED,
        "password": REDACTED,
        "nested": [{"secret": REDACTED, "token": REDACTED, "venue_secret": REDACTED}],
        "empty": {"password": ""},
    }


def test_a_draft_says_who_whence_what_and_how_it_ended() -> None:
    entry = Auditor(CreateToken(name="ci"), "c1", OPERATOR, lambda: T0).draft("done", detail="ok")
    assert (entry.actor, entry.via, entry.role, entry.command) == ("ada", "tcp", "admin", "token.create")
    assert msgspec.json.decode(entry.body)["name"] == "ci"
    long = Auditor(SendBroadcast(message="x" * (2 * MAX_BODY)), "c2", OPERATOR).draft("refused")
    assert len(long.body) < MAX_BODY + 100


@pytest.mark.parametrize("length", [0, 1])
def test_a_chain_cut_at_its_end_still_holds_and_is_shorter(length: int) -> None:
    assert verify(a_chain(5)[:length]).entries == length
