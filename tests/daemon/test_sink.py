"""What engines tell: published once and in order, stored; unanswered orders followed to their end."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import msgspec
import pytest

from data import topics
from data.audit import AuditDraft
from data.bus import Bus
from data.records import Bar, JournalRecord, OrderUpdate
from data.state import CommandRow, State
from engines.spec import EngineSpec
from nautilus_tui.daemon import sink as sink_module
from nautilus_tui.daemon.present import RECENT, Present
from nautilus_tui.daemon.sink import NEVER_JOURNALLED, Sink
from nautilus_tui.daemon.watch import OrderWatch
from tests.daemon.disk import full_disk
from tests.daemon.records import T0, account, bar, fill, log, order, position, status

ENGINE = "paper-1"


class Parts:
    """A sink over a real store and bus, with a clock that steps at each reading."""

    def __init__(self, state: State) -> None:
        self.state = state
        self.now = T0
        self.file: list[JournalRecord] = []
        self.life()

    def life(self) -> None:
        """Begin as a daemon does: everything new but the store."""
        self.present, self.watch = Present(), OrderWatch()
        self.bus = Bus("epoch", self.present.snapshot)
        self.sink = Sink(self.state, self.bus, self.present, self.watch, self.journal, self.clock)

    def journal(self, engine: str, after: int) -> list[JournalRecord]:
        return [record for record in self.file if record.seq > after]

    def clock(self) -> int:
        self.now += 1000
        return self.now

    def published(self, topic: str) -> list[object]:
        events = self.bus.since(topic, 0)
        return [event.record for event in events or ()]

    async def send(self, *ids: str) -> None:
        """Have orders sent as the door does."""
        now = self.clock()
        sent = [order(id_, status="sent", ts_init=now) for id_ in ids]
        row = CommandRow(id="+".join(ids), command="order.submit", digest="d", ts=now, outcome=None)
        facts = {"actor": "a", "via": "unix", "role": "admin", "body": "{}", "outcome": "started"}
        draft = AuditDraft(command_id=row.id, command=row.command, ts=now, **facts)
        await self.state.begin_command(row, draft, sent, ids)
        self.sink.told(sent)

    async def statuses(self) -> dict[str, str]:
        return {o.client_order_id: o.status for o in (await self.state.orders()).items}


@pytest.fixture
async def parts(tmp_path: Path) -> AsyncIterator[Parts]:
    state = State(tmp_path / "state.duckdb")
    state.open()
    yield Parts(state)
    state.close()


async def test_a_journal_told_again_is_published_once_and_in_order(parts: Parts) -> None:
    journal = [
        order("A", seq=1),
        fill("T", "A", seq=2),
        order("A", seq=3, status="filled"),
        account("5", seq=4),
    ]
    for batch in (journal[:2], journal[:3], journal[1:], journal):
        await parts.sink.journalled(ENGINE, batch)
    assert [getattr(r, "seq", 0) for r in parts.published("orders.paper-1")] == [1, 3]
    assert [getattr(r, "seq", 0) for r in parts.published("fills.paper-1")] == [2]
    assert await parts.statuses() == {"A": "filled"}
    await parts.sink.close()
    assert parts.sink.last_seq(ENGINE) == 4
    parts.life()
    await parts.sink.journalled(ENGINE, journal)
    assert parts.published("orders.paper-1") == []


async def test_what_was_published_is_what_a_question_answers(parts: Parts) -> None:
    seen: list[str] = []
    parts.bus.subscribe(lambda events: seen.extend(event.topic for event in events))
    for number in range(1, 40):
        await parts.sink.journalled(ENGINE, [order(f"O{number}", seq=number)])
        if number % 13 == 0:
            assert len((await parts.state.orders()).items) == len(seen) == number


async def test_a_trade_told_twice_is_one_fill_also_in_the_next_life(parts: Parts) -> None:
    await parts.sink.journalled(ENGINE, [fill("T", "A", seq=1)])
    await parts.sink.journalled(ENGINE, [fill("T", "A", seq=2)])
    await parts.sink.close()
    assert len(parts.published("fills.paper-1")) == 1
    parts.life()
    await parts.present.load(parts.state)
    await parts.sink.journalled(ENGINE, [fill("T", "A", seq=3), fill("U", "A", seq=4)])
    assert [getattr(r, "trade_id", "") for r in parts.published("fills.paper-1")] == ["U"]
    assert [f.trade_id for f in (await parts.state.fills()).items] == ["U", "T"]


async def test_a_hole_in_the_journal_is_told_and_makes_the_daemon_untruthful(parts: Parts) -> None:
    await parts.sink.journalled(ENGINE, [order("A", seq=1)])
    await parts.sink.journalled(ENGINE, [order("A", seq=9)])
    await parts.state.orders()
    await parts.sink.journalled(ENGINE, [order("A", seq=10)])
    await parts.state.orders()
    await parts.sink.journalled(ENGINE, [])
    assert parts.sink.problems[ENGINE] == "journal entries 2 to 8 of paper-1 are missing"
    assert [line.level for line in parts.present.log(ENGINE)] == ["error"]


async def test_a_store_that_fails_cuts_nobody_off_and_catches_up_from_the_journal(
    parts: Parts, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sink_module, "_RETRY_S", 0.02)
    wal = parts.state.path.with_suffix(".duckdb.wal")
    await parts.sink.journalled(ENGINE, [order("A", seq=1)])
    await parts.state.orders()
    parts.file = [order(f"O{seq}", seq=seq) for seq in range(2, 40)]
    with full_disk(wal.stat().st_size):
        for record in parts.file[:20]:
            await parts.sink.journalled(ENGINE, [record])
        refused = parts.state.fold(ENGINE, parts.file[:1])
        await asyncio.wait([refused])
        assert refused.exception() is not None
        assert len(parts.published("orders.paper-1")) == 21, "everybody is told nevertheless"
        assert parts.sink.problems
        for record in parts.file[20:]:
            await parts.sink.journalled(ENGINE, [record])
        assert parts.sink.last_seq(ENGINE) == 1
    async with asyncio.timeout(60):
        await asyncio.gather(*parts.sink._chores)
    assert parts.sink.problems == {}
    assert parts.sink.last_seq(ENGINE) == 39
    assert len(await parts.statuses()) == 39
    assert len(parts.published("orders.paper-1")) == 39
    assert parts.state.failure is None
    await parts.sink.journalled(ENGINE, [order("A", seq=40, status="filled")])
    assert (await parts.statuses())["A"] == "filled"


async def beats(parts: Parts, count: int, *, pid: int, journal_seq: int = 0) -> None:
    for _ in range(count):
        parts.sink.status(status(pid=pid, journal_seq=journal_seq))
        await parts.sink.close()


async def test_a_lost_engine_makes_unanswered_orders_unknown_and_its_return_resolves_them(
    parts: Parts,
) -> None:
    await beats(parts, 1, pid=1)
    await parts.send("kept", "never")
    parts.sink.status(status("error", pid=None))
    await parts.sink.close()
    assert await parts.statuses() == {"kept": "unknown", "never": "unknown"}
    await beats(parts, 1, pid=2, journal_seq=1)
    await parts.send("later")
    await parts.sink.journalled(ENGINE, [order("kept", seq=1, status="filled")])
    await parts.sink.close()
    await beats(parts, 1, pid=2, journal_seq=1)
    assert (await parts.statuses())["never"] == "unknown", "one beat is not enough"
    await beats(parts, 2, pid=2, journal_seq=1)
    assert await parts.statuses() == {"kept": "filled", "never": "denied", "later": "sent"}
    assert (await parts.state.order("never")).reason == NEVER_JOURNALLED
    updates = [r for r in parts.published("orders.paper-1") if isinstance(r, OrderUpdate)]
    assert [u.status for u in updates if u.client_order_id == "never"] == ["sent", "unknown", "denied"]


async def test_nothing_is_denied_while_the_journal_is_not_told_to_its_end(parts: Parts) -> None:
    await beats(parts, 1, pid=1)
    await parts.send("A")
    parts.sink.status(status("error", pid=None))
    await parts.sink.close()
    await beats(parts, 5, pid=2, journal_seq=3)
    assert await parts.statuses() == {"A": "unknown"}
    await parts.sink.journalled(ENGINE, [order("X", seq=3)])
    await parts.sink.close()
    await beats(parts, 2, pid=2, journal_seq=3)
    assert (await parts.statuses())["A"] == "denied"


async def test_an_engine_that_is_gone_for_good_has_told_all_it_had(parts: Parts) -> None:
    await beats(parts, 1, pid=1)
    await parts.send("A", "B")
    await parts.sink.journalled(ENGINE, [order("B", seq=1)])
    parts.sink.status(status("stopped", pid=None))
    await parts.sink.close()
    assert await parts.statuses() == {"A": "denied", "B": "accepted"}
    updates = [r for r in parts.published("orders.paper-1") if isinstance(r, OrderUpdate)]
    assert [u.status for u in updates if u.client_order_id == "A"] == ["sent", "unknown", "denied"]


async def test_an_engine_that_came_back_under_another_pid_was_lost_meanwhile(parts: Parts) -> None:
    await beats(parts, 1, pid=1)
    await parts.send("A")
    await beats(parts, 1, pid=2)
    assert await parts.statuses() == {"A": "unknown"}
    await beats(parts, 2, pid=2)
    assert await parts.statuses() == {"A": "denied"}


async def test_the_next_daemon_finds_what_the_last_one_sent(parts: Parts) -> None:
    await parts.send("A")
    parts.life()
    await parts.present.load(parts.state)
    await parts.sink.open()
    assert await parts.statuses() == {"A": "unknown"}
    await beats(parts, 3, pid=1)
    assert await parts.statuses() == {"A": "denied"}


def test_log_lines_told_again_at_a_new_connection_are_one_line_each(parts: Parts) -> None:
    lines = [log(f"line {n}", ts=T0 + n // 2) for n in range(6)]
    parts.sink.log(ENGINE, lines[:4])
    parts.sink.log(ENGINE, lines)
    assert parts.published("engines.paper-1.log") == lines
    assert parts.present.log(ENGINE) == lines


async def test_settings_are_kept_and_conflated_records_only_published(parts: Parts) -> None:
    parts.sink.spec_changed(EngineSpec(engine=ENGINE, seed=42))
    await parts.sink.close()
    assert '"seed":42' in (await parts.state.engine_specs())[ENGINE]
    parts.sink.conflated(ENGINE, [position("P", "3", seq=0)])
    assert len(parts.bus.latest(topics.marks(ENGINE))) == 1
    assert (await parts.state.positions()).items == []


async def test_those_who_wait_for_an_order_hear_when_it_is_final(parts: Parts) -> None:
    with parts.watch.final([(ENGINE, "A"), (ENGINE, "B")]) as (first, second):
        await parts.sink.journalled(ENGINE, [order("A", seq=1), order("B", seq=2)])
        assert not first.done()
        await parts.sink.journalled(ENGINE, [order("A", seq=3, status="filled")])
        assert first.done()
        assert not second.done()
    await parts.sink.journalled(ENGINE, [order("B", seq=4, status="cancelled")])


# ---------------------------------------------------------------- the present


async def test_the_present_is_the_same_after_a_restart(parts: Parts) -> None:
    records = [order("open", seq=1), order("done", seq=2, status="filled"), fill("T", "done", seq=3)]
    records += [position("P", "1", seq=4), position("Q", "2", seq=5), position("Q", "0", seq=6)]  # type: ignore[list-item]  # all journalled
    await parts.sink.journalled(ENGINE, [*records, account("7", seq=7)])
    before = {topic: parts.present.snapshot(topic) for topic in ALL}
    assert [len(found) for found in before.values()] == [2, 1, 1, 1, 0]
    await parts.sink.close()
    parts.life()
    await parts.present.load(parts.state)
    for topic in ALL:
        assert sorted(map(str, parts.present.snapshot(topic))) == sorted(map(str, before[topic]))
    assert parts.present.engines() == [ENGINE]
    assert parts.present.snapshot("orders.none") == []


ALL = ["orders.paper-1", "fills.paper-1", "positions.paper-1", "account.paper-1", "engines.paper-1.log"]


def test_the_present_forgets_old_endings_and_never_what_is_open() -> None:
    present = Present()
    present.journalled([order("open", seq=1)])
    present.journalled([order(f"O{n}", seq=n + 2, status="filled") for n in range(RECENT + 50)])
    kept = {o.client_order_id for o in present.snapshot("orders.paper-1") if isinstance(o, OrderUpdate)}
    assert len(kept) == RECENT + 1
    assert {"open", f"O{RECENT + 49}"} <= kept
    assert "O0" not in kept
    assert present.order(ENGINE, "O0") is None
    present.logged(ENGINE, [log("x")])
    assert len(present.snapshot("engines.paper-1.log")) == 1


# ---------------------------------------------------------------- bars that closed


async def test_bars_that_an_engine_tells_again_are_published_once_in_a_run(parts: Parts) -> None:
    heard: list[object] = []
    parts.bus.subscribe(
        lambda events: heard.extend(event.record for event in events if event.key is not None)
    )
    run = msgspec.structs.replace(status(), ts_started=T0)
    parts.sink.status(run)
    parts.sink.conflated(ENGINE, [bar(1), bar(2)])
    parts.sink.conflated(ENGINE, [bar(1), bar(2), bar(3), bar(4, closed=False)])
    parts.sink.status(msgspec.structs.replace(run, ts_started=T0 + 1))
    parts.sink.conflated(ENGINE, [bar(1)])
    bars = [record for record in heard if isinstance(record, Bar)]
    assert bars == [bar(1), bar(2), bar(3), bar(4, closed=False), bar(1)]
