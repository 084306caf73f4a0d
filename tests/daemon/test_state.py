"""The state store: the fold, exactness, paging, the writer's promises, a killed process."""

from __future__ import annotations

import asyncio
import signal
import subprocess
import sys
from collections.abc import Sequence
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from data.access import TokenRow
from data.audit import AuditDraft
from data.problems import ConflictError, InvalidRequestError, NotFoundError, StoreFailedError, StoreHeldError
from data.records import JournalRecord, OrderUpdate
from data.state import CommandRow, State
from tests.daemon.records import T0, account, fill, order, position

REPO = Path(__file__).parents[2]


def a_journal() -> list[JournalRecord]:
    """Two orders that fill in pieces, with a trade told twice, a position and an account."""
    return [
        order("A", seq=1),
        order("B", seq=2),
        fill("T1", "A", seq=3),
        order("A", seq=4, status="partially_filled"),
        position("P", "1", seq=5),
        account("999812.50", seq=6),
        fill("T1", "A", seq=7),  # the venue told the same trade again
        fill("T2", "A", seq=8),
        order("A", seq=9, status="filled"),
        position("P", "2", seq=10),
        order("B", seq=11, status="cancelled", price="0.000000000000000001"),
        fill("T2", "B", seq=12),  # the other leg of a trade with oneself
        position("P", "0", seq=13),
        account("1000000.000000000000000001", seq=14),
    ]


async def everything(store: State) -> tuple[object, ...]:
    return (
        (await store.orders()).items,
        (await store.fills()).items,
        (await store.positions(closed=True)).items,
        await store.accounts(),
        store.last_seq("paper-1"),
    )


async def test_fold_keeps_latest_states_and_each_fill_once(state: State) -> None:
    folded = await state.fold("paper-1", a_journal())
    assert [record.seq for record in folded.records] == [1, 2, 3, 4, 5, 6, 8, 9, 10, 11, 12, 13, 14]
    orders = {o.client_order_id: o for o in (await state.orders()).items}
    assert orders["A"].status == "filled"
    assert orders["B"].price == Decimal("0.000000000000000001")
    assert [(f.trade_id, f.client_order_id) for f in (await state.fills()).items] == [
        ("T2", "B"),
        ("T2", "A"),
        ("T1", "A"),
    ]
    assert (await state.positions()).items == []
    assert (await state.positions(closed=True)).items[0].avg_open == Decimal("187.123456789012345678")
    assert (await state.accounts())[0].balances[0].total == Decimal("1000000.000000000000000001")
    assert state.last_seq("paper-1") == 14


#: How far back, and how far on, each telling of the journal goes from where the store stands.
STEPS = st.lists(st.tuples(st.integers(0, 14), st.integers(0, 14)), max_size=8)


def tellings(steps: Sequence[tuple[int, int]]) -> list[list[JournalRecord]]:
    """The journal as a link tells it after re-connections: no hole, any overlap, told to its end."""
    journal, end, batches = a_journal(), 0, []
    for back, on in steps:
        stop = min(end + on, len(journal))
        batches.append(journal[max(end - back, 0) : stop])
        end = stop
    return [*batches, journal[end:], journal]


@settings(max_examples=12, deadline=None)
@given(steps=STEPS, reopen_at=st.integers(0, 5))
def test_any_telling_of_a_journal_folds_to_the_same_state(
    steps: Sequence[tuple[int, int]], reopen_at: int, tmp_path_factory: pytest.TempPathFactory
) -> None:
    async def told(batches: Sequence[Sequence[JournalRecord]]) -> tuple[object, ...]:
        path = tmp_path_factory.mktemp("fold") / "state.duckdb"
        store = State(path)
        store.open()
        seen: list[JournalRecord] = []
        for number, batch in enumerate(batches):
            if number == reopen_at:
                store.close()
                store = State(path)
                store.open()
            seen += (await store.fold("paper-1", batch)).records
        assert [record.seq for record in seen] == sorted({record.seq for record in seen})
        result = await everything(store)
        store.close()
        return (*result, seen)

    assert asyncio.run(told(tellings(steps))) == asyncio.run(told([a_journal()]))


async def test_a_hole_in_the_journal_is_told(state: State) -> None:
    await state.fold("paper-1", [order("A", seq=1)])
    folded = await state.fold("paper-1", [order("A", seq=5, status="filled")])
    assert folded.missing == (2, 4)


async def test_a_journal_tells_of_its_own_engine_only(state: State) -> None:
    with pytest.raises(InvalidRequestError):
        await state.fold("paper-1", [order("A", seq=1, engine="paper-2")])
    assert state.last_seq("paper-1") == 0
    assert (await state.orders()).items == []


async def test_one_failing_job_does_not_touch_the_others(state: State) -> None:
    token = TokenRow(name="ci", digest="d", role="viewer", ts_created=T0)
    await state.tokens.add(token)
    results = await asyncio.gather(
        state.fold("paper-1", [order("A", seq=1)]),
        state.tokens.add(token),
        state.fold("paper-1", [order("B", seq=2)]),
        return_exceptions=True,
    )
    assert [isinstance(result, Exception) for result in results] == [False, True, False]
    assert {o.client_order_id for o in (await state.orders()).items} == {"A", "B"}
    assert state.last_seq("paper-1") == 2


async def test_paging_visits_every_order_once_newest_first(state: State) -> None:
    await state.fold(
        "paper-1", [order(f"O{n:03}", seq=n + 1, ts_init=T0 + n // 3, status="filled") for n in range(50)]
    )
    seen: list[OrderUpdate] = []
    cursor = None
    while True:
        page = await state.orders(engine="paper-1", statuses={"filled"}, limit=7, cursor=cursor)
        seen += page.items
        cursor = page.next
        if cursor is None:
            break
    keys = [(o.ts_init, o.client_order_id) for o in seen]
    assert keys == sorted(keys, reverse=True)
    assert len(set(keys)) == 50


@pytest.mark.parametrize("cursor", ["", "x", "WzFd", "W10", "bm90IGpzb24"])
async def test_a_foreign_cursor_is_refused(state: State, cursor: str) -> None:
    with pytest.raises(InvalidRequestError):
        await state.orders(cursor=cursor)


async def test_filters(state: State) -> None:
    await state.fold("paper-1", a_journal())
    await state.fold(
        "paper-2", [order("A", seq=1, engine="paper-2"), position("P", "3", seq=2, engine="paper-2")]
    )
    assert [o.engine for o in (await state.orders(engine="paper-2")).items] == ["paper-2"]
    assert (await state.orders(instrument="MSFT.SIM")).items == []
    assert (await state.orders(statuses={"cancelled"})).items[0].client_order_id == "B"
    assert (await state.order("A", "paper-1")).status == "filled"
    assert [o.client_order_id for o in await state.orders_named("paper-1", ["B", "A", "Z"])] == ["A", "B"]
    with pytest.raises(ConflictError):
        await state.order("A")
    with pytest.raises(NotFoundError):
        await state.order("Z")
    assert [p.engine for p in (await state.positions()).items] == ["paper-2"]
    assert (await state.position("P", "paper-1")).qty == 0
    with pytest.raises(ConflictError):
        await state.position("P")
    with pytest.raises(NotFoundError):
        await state.position("Q")
    assert len((await state.fills(client_order_id="A")).items) == 2
    assert await state.accounts("paper-2") == []


async def send(state: State, *ids: str, ts_init: int = T0) -> None:
    """Note orders as sent, as the door does."""
    row = CommandRow(id="-".join(ids), command="order.submit", digest="d", ts=ts_init, outcome=None)
    draft = AuditDraft(
        command_id=row.id,
        command=row.command,
        actor="a",
        via="unix",
        role="admin",
        body="{}",
        outcome="started",
        ts=ts_init,
    )
    await state.begin_command(row, draft, [order(id_, status="sent", ts_init=ts_init) for id_ in ids], ids)


async def test_an_order_id_names_one_order_for_ever(state: State) -> None:
    await send(state, "A")
    with pytest.raises(ConflictError):
        await send(state, "B", "A")
    assert [o.client_order_id for o in (await state.orders()).items] == ["A"]
    assert await state.command("B-A") is None


async def test_sent_orders_become_unknown_then_the_journal_or_a_denial_resolves_them(state: State) -> None:
    await send(state, "A", "B", "C")
    await state.fold("paper-1", [order("C", seq=1)])
    lost = await state.lose("paper-1", "the engine is lost", T0 + 10)
    assert [(o.client_order_id, o.status) for o in lost] == [("A", "unknown"), ("B", "unknown")]
    await send(state, "D", ts_init=T0 + 20)
    await state.fold("paper-1", [order("A", seq=2, status="filled")])
    denied = await state.deny_unjournalled("paper-1", None, "never", T0 + 30, lost_before=T0 + 15)
    assert [(o.client_order_id, o.status, o.reason) for o in denied] == [("B", "denied", "never")]
    assert {o.client_order_id: o.status for o in (await state.orders()).items} == {
        "A": "filled",
        "B": "denied",
        "C": "accepted",
        "D": "sent",
    }
    await state.fold("paper-1", [order("B", seq=3)])
    assert (await state.order("B")).status == "accepted", "the journal is right"
    assert [o.client_order_id for o in await state.doubt("paper-1", ["D", "A"], "no answer", T0 + 40)] == [
        "D"
    ]


async def test_tokens(state: State) -> None:
    token = TokenRow(name="ci", digest="d1", role="viewer", ts_created=T0)
    await state.tokens.add(token)
    with pytest.raises(ConflictError):
        await state.tokens.add(token)
    assert (await state.tokens.revoke("ci", T0 + 1)).ts_revoked == T0 + 1
    with pytest.raises(NotFoundError):
        await state.tokens.revoke("ci", T0 + 2)
    with pytest.raises(ConflictError, match="was revoked") as taken:
        await state.tokens.add(TokenRow(name="ci", digest="d2", role="admin", ts_created=T0 + 3))
    assert taken.value.rule
    assert taken.value.fix
    assert [(t.digest, t.role, t.ts_revoked) for t in await state.tokens.all()] == [("d1", "viewer", T0 + 1)]


async def test_engine_specs_are_replaced(state: State) -> None:
    await state.put_engine_spec("paper-1", '{"a":1}')
    await state.put_engine_spec("paper-1", '{"a":2}')
    assert await state.engine_specs() == {"paper-1": '{"a":2}'}


async def test_closed_store_says_so(tmp_path: Path) -> None:
    store = State(tmp_path / "state.duckdb")
    with pytest.raises(StoreFailedError):
        await store.fold("paper-1", [order("A", seq=1)])
    with pytest.raises(StoreFailedError):
        await store.orders()
    store.close()


def test_a_file_that_is_no_store_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "state.duckdb"
    path.write_bytes(b"not a database" * 1000)
    with pytest.raises(StoreFailedError) as caught:
        State(path).open()
    assert caught.value.type == "store-failed"


_WRITER = """
import asyncio, sys
from pathlib import Path
from data.state import State
from tests.daemon.records import fill, order

async def main() -> None:
    store = State(Path(sys.argv[1]))
    store.open()
    seq = store.last_seq("paper-1")
    print("open", flush=True)
    while True:
        name = f"O{seq + 1}"
        await store.fold("paper-1", [order(name, seq=seq + 1), fill(f"T{seq + 2}", name, seq=seq + 2)])
        seq += 2
        print(seq, flush=True)

asyncio.run(main())
"""


def _start_writer(path: Path) -> subprocess.Popen[str]:
    process = subprocess.Popen(
        [sys.executable, "-c", _WRITER, str(path)], cwd=REPO, stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "open\n"
    return process


async def test_what_was_stored_survives_kill_9_and_batches_are_whole(tmp_path: Path) -> None:
    path = tmp_path / "state.duckdb"
    for kill_after in (1, 20):
        process = _start_writer(path)
        assert process.stdout is not None
        acknowledged = [int(process.stdout.readline()) for _ in range(kill_after)][-1]
        process.send_signal(signal.SIGKILL)
        acknowledged = int((process.communicate()[0].split() or [acknowledged])[-1])
        store = State(path)
        store.open()
        last = store.last_seq("paper-1")
        assert last >= acknowledged
        assert len((await store.orders(limit=10_000)).items) == last // 2
        assert len((await store.fills(limit=10_000)).items) == last // 2
        store.close()


def test_a_second_process_is_told_who_holds_the_store(tmp_path: Path) -> None:
    path = tmp_path / "state.duckdb"
    process = _start_writer(path)
    try:
        with pytest.raises(StoreHeldError) as caught:
            State(path).open()
        assert caught.value.extra["pid"] == str(process.pid)
        assert caught.value.fix
    finally:
        process.kill()
        process.communicate()
