"""The one door: once each, whoever knocks how often; refused before, recorded always."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from data.bus import Bus
from data.commands import AnyCommand, CompactHistory, CreateToken, Outcome, SendBroadcast, StopEngine
from data.paths import Home
from data.problems import ConflictError, EngineFailedError, OutcomeUnknownError
from data.risk_commands import Kill
from data.state import State
from engines.supervisor import Supervisor
from nautilus_tui.daemon.audit import command_name
from nautilus_tui.daemon.authority import Authority
from nautilus_tui.daemon.door import Door
from nautilus_tui.daemon.present import Present
from nautilus_tui.daemon.principal import Principal
from nautilus_tui.daemon.sink import Sink
from nautilus_tui.daemon.watch import OrderWatch
from tests.daemon.disk import full_disk
from tests.daemon.records import no_journal

ADMIN = Principal(name="ada", role="admin", via="unix")
VIEWER = Principal(name="bob", role="viewer", via="tcp")
HELLO = SendBroadcast(message="hello")


@dataclass
class House:
    """A door over a real store; what happens behind it is counted, and waits for ``go`` if told to."""

    state: State
    home: Home
    done: list[str] = field(default_factory=list)
    go: asyncio.Event = field(default_factory=asyncio.Event)
    begun: asyncio.Event = field(default_factory=asyncio.Event)
    raises: Callable[[], Exception] | None = None
    data: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.go.set()
        self.present = Present()
        self.bus = Bus("epoch", self.present.snapshot)
        self.door = self.new_door()

    def new_door(self) -> Door:
        watch = OrderWatch()
        sink = Sink(self.state, self.bus, self.present, watch, no_journal)
        authority = Authority(store=self.state.authority, bus=self.bus, present=self.present, tokens=list)
        return Door(
            state=self.state,
            bus=self.bus,
            present=self.present,
            sink=sink,
            watch=watch,
            supervisor=Supervisor(self.home, sink, ()),
            authority=authority,
            execute=self.execute,
        )

    async def execute(self, command: AnyCommand, id_: str, _: Principal, __: float) -> Outcome:
        self.begun.set()
        await self.go.wait()
        self.done.append(id_)
        if self.raises is not None:
            raise self.raises()
        return Outcome(command_id=id_, command=command_name(command), outcome="done", data=self.data)

    async def audited(self) -> list[tuple[str, str]]:
        return [(e.command_id, e.outcome) for e in reversed((await self.state.audit()).items)]


@pytest.fixture
async def house(tmp_path: Path) -> AsyncIterator[House]:
    state = State(tmp_path / "state.duckdb")
    state.open()
    house = House(state, Home(tmp_path))
    yield house
    await house.door.close()
    state.close()


async def test_sent_twice_is_carried_out_once_with_the_same_answer(house: House) -> None:
    first = await house.door.execute(HELLO, ADMIN, command_id="c1")
    again = await house.door.execute(HELLO, ADMIN, command_id="c1")
    assert first == again
    assert first.outcome == "done"
    assert house.done == ["c1"]
    assert await house.audited() == [("c1", "started"), ("c1", "done")]


async def test_sent_at_once_by_many_is_carried_out_once(house: House) -> None:
    house.go.clear()
    knocks = [asyncio.create_task(house.door.execute(HELLO, ADMIN, command_id="c1")) for _ in range(25)]
    await house.begun.wait()
    house.go.set()
    outcomes = await asyncio.gather(*knocks)
    assert all(outcome == outcomes[0] for outcome in outcomes)
    assert house.done == ["c1"]


async def test_another_body_under_the_same_id_is_a_conflict_meanwhile_and_later(house: House) -> None:
    house.go.clear()
    first = asyncio.create_task(house.door.execute(HELLO, ADMIN, command_id="c1"))
    await house.begun.wait()
    other = SendBroadcast(message="other")
    meanwhile = await house.door.execute(other, ADMIN, command_id="c1")
    house.go.set()
    assert (await first).outcome == "done"
    later = await house.door.execute(other, ADMIN, command_id="c1")
    for refused in (meanwhile, later):
        assert refused.outcome == "refused"
        assert refused.problem is not None
        assert refused.problem.type == ConflictError.type
    assert house.done == ["c1"]


async def test_commands_of_other_ids_do_not_wait_for_each_other(house: House) -> None:
    house.go.clear()
    slow = asyncio.create_task(house.door.execute(HELLO, ADMIN, command_id="slow"))
    await house.begun.wait()
    refused = await house.door.execute(HELLO, VIEWER, command_id="quick")
    assert refused.outcome == "refused"
    assert not slow.done()
    house.go.set()
    await slow


async def test_a_command_goes_on_when_its_sender_goes_away(house: House) -> None:
    house.go.clear()
    knock = asyncio.create_task(house.door.execute(HELLO, ADMIN, command_id="c1"))
    await house.begun.wait()
    knock.cancel()
    with pytest.raises(asyncio.CancelledError):
        await knock
    house.go.set()
    await house.door.close()
    assert house.done == ["c1"]
    assert (await house.door.execute(HELLO, ADMIN, command_id="c1")).outcome == "done"
    assert house.done == ["c1"]


async def test_a_role_that_may_not_is_refused_audited_and_nothing_remembered(house: House) -> None:
    refused = await house.door.execute(HELLO, VIEWER, command_id="c1")
    assert refused.problem is not None
    assert refused.problem.type == "forbidden"
    assert refused.problem.rule == "stream.broadcast needs the role trader"
    assert house.done == []
    assert (await house.door.execute(HELLO, ADMIN, command_id="c1")).outcome == "done"
    assert await house.audited() == [("c1", "refused"), ("c1", "started"), ("c1", "done")]


async def test_a_bad_field_is_refused_before_anything_happens(house: House) -> None:
    for command, kind in (
        (SendBroadcast(message=""), "invalid-request"),
        (CreateToken(name="a b"), "invalid-request"),
        (CreateToken(name="ok", expires_days=0), "invalid-request"),
        (StopEngine(engine="none"), "not-found"),
    ):
        outcome = await house.door.execute(command, ADMIN)
        assert outcome.problem is not None
        assert outcome.problem.type == kind
    assert (await house.door.execute(HELLO, ADMIN, command_id="bad id!")).outcome == "refused"
    assert house.done == []


async def test_what_failed_stays_failed_under_its_id(house: House) -> None:
    house.raises = lambda: EngineFailedError("no", rule="r")
    first = await house.door.execute(HELLO, ADMIN, command_id="c1")
    house.raises = None
    again = await house.door.execute(HELLO, ADMIN, command_id="c1")
    assert first == again
    assert (first.outcome, first.problem and first.problem.type) == ("failed", "engine-failed")
    assert house.done == ["c1"]


async def test_silence_and_faults_of_ours_are_unknown_never_failed(
    house: House, caplog: pytest.LogCaptureFixture
) -> None:
    house.raises = lambda: OutcomeUnknownError("no answer")
    assert (await house.door.execute(HELLO, ADMIN, command_id="c1")).outcome == "unknown"
    house.raises = lambda: RuntimeError("secret inside")
    outcome = await house.door.execute(HELLO, ADMIN, command_id="c2")
    assert outcome.outcome == "unknown"
    assert outcome.problem is not None
    assert "secret" not in outcome.problem.detail
    assert "secret inside" in caplog.text
    assert (await house.audited())[-1] == ("c2", "unknown")


async def test_the_next_daemon_gives_the_same_answer(house: House) -> None:
    first = await house.door.execute(HELLO, ADMIN, command_id="c1")
    assert await house.new_door().execute(HELLO, ADMIN, command_id="c1") == first
    assert house.done == ["c1"]


async def test_a_command_cut_off_by_the_daemons_end_is_carried_out_by_the_next(house: House) -> None:
    house.go.clear()
    knock = asyncio.create_task(house.door.execute(HELLO, ADMIN, command_id="c1"))
    await house.begun.wait()  # the start is on disk, the outcome is not
    for _, flight in house.door._flights.values():
        flight.cancel()
    with pytest.raises(asyncio.CancelledError):
        await knock
    house.go.set()
    next_door = house.new_door()
    assert (await next_door.execute(HELLO, ADMIN, command_id="c1")).outcome == "done"
    assert house.done == ["c1"]
    assert await house.audited() == [("c1", "started"), ("c1", "started"), ("c1", "done")]


async def test_what_is_told_once_is_not_kept(house: House) -> None:
    house.data = {"token": "s3cret", "name": "ci"}
    first = await house.door.execute(CreateToken(name="ci"), ADMIN, command_id="c1")
    assert first.data["token"] == "s3cret"
    again = await house.door.execute(CreateToken(name="ci"), ADMIN, command_id="c1")
    assert again.data == {"name": "ci"}
    row = await house.state.command("c1")
    assert row is not None
    assert "s3cret" not in str(row)
    assert "s3cret" not in str((await house.state.audit()).items)


async def test_every_step_is_published_in_order(house: House) -> None:
    await house.door.execute(CompactHistory(), ADMIN, command_id="c1")
    await house.door.close()  # the answer does not wait for its own audit row; this does
    events = house.bus.since("audit", 0)
    assert events is not None
    assert [getattr(event.record, "outcome", None) for event in events] == ["started", "done"]
    assert [getattr(entry, "outcome", None) for entry in house.present.snapshot("audit")] == [
        "started",
        "done",
    ]


async def test_without_an_id_each_is_its_own_command(house: House) -> None:
    ids = {(await house.door.execute(HELLO, ADMIN)).command_id for _ in range(3)}
    assert len(ids) == 3


async def test_how_it_ended_is_stored_when_the_store_takes_it_again(house: House) -> None:
    house.go.clear()
    first = asyncio.create_task(house.door.execute(HELLO, ADMIN, command_id="c1"))
    await house.begun.wait()
    heard = asyncio.Event()
    house.bus.subscribe(lambda _: heard.set())
    with full_disk(house.state.trail.log.path.stat().st_size):
        house.go.set()
        outcome = await first
        assert outcome.outcome == "done"
        again = await house.door.execute(HELLO, ADMIN, command_id="c1")
        assert again == outcome, "it is not done again meanwhile"
        assert await house.audited() == [("c1", "started")]
    await heard.wait()
    assert await house.audited() == [("c1", "started"), ("c1", "done")]
    assert await house.new_door().execute(HELLO, ADMIN, command_id="c1") == outcome
    assert house.done == ["c1"]


async def test_a_kill_under_the_id_of_what_is_not_stored_yet_is_done(house: House) -> None:
    house.go.clear()
    first = asyncio.create_task(house.door.execute(HELLO, ADMIN, command_id="c1"))
    await house.begun.wait()
    with full_disk(house.state.trail.log.path.stat().st_size):
        house.go.set()
        await first
        killed = await house.door.execute(Kill(reason="now"), ADMIN, command_id="c1")
        assert killed.outcome == "done"
    assert house.done == ["c1", "c1"]
