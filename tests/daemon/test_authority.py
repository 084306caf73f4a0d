"""The order authority: who passes, how it is handed over, what is kept of it and what ends it."""

from __future__ import annotations

import asyncio
import typing
from collections.abc import AsyncIterator
from contextlib import chdir
from decimal import Decimal
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from data import topics
from data.access import RESERVED, OrderAuthority, TokenRow
from data.bus import Bus
from data.command import Command
from data.commands import (
    AnyCommand,
    CancelAll,
    CancelOrder,
    ClosePosition,
    CreateToken,
    Flatten,
    ModifyOrder,
    Outcome,
    PreviewOrder,
    ReleaseAuthority,
    StopEngine,
    SubmitBracket,
    SubmitOco,
    SubmitOrder,
    TakeAuthority,
)
from data.paths import Home
from data.problems import ConflictError, ForbiddenError, OrderAuthorityError, StoreFailedError
from data.records import AuditEntry
from data.risk_commands import Kill
from data.state import CommandRow, State
from engines.supervisor import Supervisor
from nautilus_tui.daemon import authority
from nautilus_tui.daemon.audit import Auditor, command_name
from nautilus_tui.daemon.authority import Authority
from nautilus_tui.daemon.door import Door, digest_of
from nautilus_tui.daemon.order_facts import sent_orders
from nautilus_tui.daemon.present import Present
from nautilus_tui.daemon.principal import Principal
from nautilus_tui.daemon.sink import Sink
from nautilus_tui.daemon.watch import OrderWatch
from tests.daemon.records import no_journal

LOCAL = Principal(name="local", role="admin", via="unix")
DESK = Principal(name="desk", role="trader", via="tcp")
OTHER = Principal(name="other", role="trader", via="tcp")
RISK = Principal(name="rita", role="risk", via="tcp")
COMMANDS: tuple[type[Command], ...] = typing.get_args(AnyCommand)
ORDER = SubmitOrder(engine="paper-1", client_order_id="O1", instrument="AAPL.SIM", side="buy", qty=Decimal(1))
OWN = msgspec.structs.replace(ORDER, client_order_id="O2")
SECOND = 1_000_000_000


def token(name: str = "desk", **more: Any) -> TokenRow:
    return TokenRow(name=name, digest=f"{name}-digest", role="trader", ts_created=1, **more)


class House:
    """A door and an authority over a real store, with tokens and a clock that a test sets."""

    def __init__(self, state: State, home: Home, *, required: bool = False) -> None:
        self.state, self.home = state, home
        self.tokens = [token(), token("other"), token("rita")]
        self.time = 1_000 * SECOND
        self.executed: list[str] = []
        self.present = Present()
        self.bus = Bus("epoch", self.present.snapshot)
        self.authority = Authority(
            store=state.authority,
            bus=self.bus,
            present=self.present,
            tokens=lambda: self.tokens,
            required=required,
            clock=lambda: self.time,
        )
        watch = OrderWatch()
        sink = Sink(state, self.bus, self.present, watch, no_journal)
        self.door = Door(
            state=state,
            bus=self.bus,
            present=self.present,
            sink=sink,
            watch=watch,
            supervisor=Supervisor(home, sink, ()),
            authority=self.authority,
            execute=self.execute,
        )

    async def execute(self, command: AnyCommand, id_: str, principal: Principal, timeout: float) -> Outcome:
        self.executed.append(id_)
        if isinstance(command, TakeAuthority):
            await self.authority.take(command, principal, timeout)
        elif isinstance(command, ReleaseAuthority):
            await self.authority.release(command, principal, timeout)
        return Outcome(command_id=id_, command=command_name(command), outcome="done")

    def lets(self, principal: Principal, command: AnyCommand = ORDER) -> bool:
        try:
            self.authority.check(command, principal)
        except OrderAuthorityError:
            return False
        return True

    def told(self) -> list[tuple[str | None, str | None, str | None]]:
        """Return the hand-overs as everyone was told of them: holder, before, by."""
        events = self.bus.since(topics.AUTHORITY, 0)
        assert events is not None
        records = [event.record for event in events]
        return [(r.holder, r.before, r.by) for r in records if isinstance(r, OrderAuthority)]

    async def audited(self) -> list[AuditEntry]:
        await self.door.close()
        return list(reversed((await self.state.audit()).items))


@pytest.fixture
async def house(tmp_path: Path) -> AsyncIterator[House]:
    state = State(tmp_path / "state.duckdb")
    state.open()
    made = House(state, Home(tmp_path))
    await made.authority.load()
    yield made
    await made.authority.close()
    await made.door.close()
    state.close()


def sample(cls: type[Command]) -> AnyCommand:
    """Return a command of a class with something in each field that has to be given."""
    hints = typing.get_type_hints(cls)
    given = {field.name: _value(hints[field.name]) for field in msgspec.structs.fields(cls) if field.required}
    return typing.cast(AnyCommand, cls(**given))


def _value(kind: Any) -> Any:
    if typing.get_origin(kind) is typing.Literal:
        return typing.get_args(kind)[0]
    return {str: "x", Decimal: Decimal(1), bool: True}[kind]


# ---------------------------------------------------------------- who passes


@pytest.mark.parametrize("cls", COMMANDS, ids=lambda cls: command_name(cls))
async def test_what_a_command_declares_decides_whether_it_needs_the_authority(
    house: House, cls: type[Command]
) -> None:
    await house.authority.take(TakeAuthority(), DESK)
    assert house.lets(DESK, sample(cls))
    assert house.lets(LOCAL, sample(cls)) is not cls.needs_authority


def test_orders_need_it_and_what_takes_risk_away_never_does() -> None:
    assert {cls for cls in COMMANDS if cls.needs_authority} == {
        SubmitOrder,
        SubmitBracket,
        SubmitOco,
        ModifyOrder,
    }
    for cls in (CancelOrder, CancelAll, ClosePosition, Flatten, Kill, StopEngine, PreviewOrder):
        assert not cls.needs_authority


async def test_free_lets_everyone_send_unless_it_is_required(house: House) -> None:
    assert house.lets(LOCAL)
    assert house.lets(DESK)
    strict = House(house.state, house.home, required=True)
    await strict.authority.load()
    assert not strict.lets(LOCAL)
    with pytest.raises(OrderAuthorityError, match="nobody holds") as raised:
        strict.authority.check(ORDER, LOCAL)
    assert raised.value.rule is not None
    assert "order_authority is required" in raised.value.rule
    assert "holder" not in raised.value.extra
    await strict.authority.take(TakeAuthority(), LOCAL)
    assert strict.lets(LOCAL)


async def test_whether_somebody_has_to_hold_it_may_change_and_is_told(house: House) -> None:
    house.authority.require(True)
    assert not house.lets(LOCAL)
    with house.authority.passing(ORDER, "c1", OTHER):
        taking = asyncio.create_task(house.authority.take(TakeAuthority(), DESK))
        await asyncio.sleep(0)
        house.authority.require(False)  # also while it is handed over
    await taking
    assert house.authority.now.holder == "desk"
    await house.authority.release(ReleaseAuthority(), DESK)
    assert house.lets(LOCAL)
    events = house.bus.since(topics.AUTHORITY, 0)
    assert events is not None
    assert [getattr(event.record, "required", None) for event in events] == [True, False, False, False]


async def test_a_refusal_says_who_holds_it_since_when_and_what_to_do(house: House) -> None:
    await house.authority.take(TakeAuthority(), DESK)
    refused = await house.door.execute(ORDER, LOCAL, command_id="c1")
    assert refused.outcome == "refused"
    problem = refused.problem
    assert problem is not None
    assert (problem.type, problem.status) == ("order-authority", 403)
    assert problem.detail == "desk holds the order authority since 1970-01-01 00:16:40Z"
    assert problem.extra == {"holder": "desk", "since": "1970-01-01 00:16:40Z"}
    assert problem.fix is not None
    assert "nautilus-tui authority take" in problem.fix
    entry = (await house.audited())[-1]
    assert (entry.actor, entry.command, entry.outcome) == ("local", "order.submit", "refused")
    assert entry.detail == f"order-authority: {problem.detail}"
    assert (await house.state.command("c1")) is None  # it may be sent again, later


async def test_a_role_that_may_not_send_is_refused_for_its_role_first(house: House) -> None:
    await house.authority.take(TakeAuthority(), DESK)
    viewer = Principal(name="vic", role="viewer", via="tcp")
    refused = await house.door.execute(ORDER, viewer)
    assert refused.problem is not None
    assert refused.problem.type == "forbidden"
    not_taken = await house.door.execute(TakeAuthority(), viewer)
    assert not_taken.problem is not None
    assert not_taken.problem.type == "forbidden"
    assert house.authority.now.holder == "desk"


async def begun(house: House) -> None:
    """Leave an order behind as a daemon does that dies before it knows how it ended."""
    sent = sent_orders(ORDER, house.time, True)
    row = CommandRow(
        id="O1", command="order.submit", digest=digest_of(ORDER, LOCAL), ts=house.time, outcome=None
    )
    draft = Auditor(ORDER, "O1", LOCAL, lambda: house.time).draft("started")
    await house.state.begin_command(row, draft, sent, ["O1"])
    house.executed.clear()


async def test_an_order_that_a_dead_daemon_left_open_is_not_sent_again_by_who_lost_it(house: House) -> None:
    await begun(house)
    await house.authority.take(TakeAuthority(), DESK)
    again = await house.door.execute(ORDER, LOCAL)
    assert again.problem is not None
    assert (again.outcome, again.problem.type) == ("refused", "order-authority")
    assert house.executed == []
    assert (await house.state.command("O1")) is not None


async def test_an_order_that_a_dead_daemon_left_open_and_the_engine_has_is_answered(house: House) -> None:
    await begun(house)
    (sent,) = sent_orders(ORDER, house.time, True)
    await house.state.fold("paper-1", [msgspec.structs.replace(sent, status="accepted", seq=1)])
    await house.authority.take(TakeAuthority(), DESK)
    again = await house.door.execute(ORDER, LOCAL)
    assert (again.outcome, again.problem) == ("done", None)
    assert [(order.client_order_id, order.status) for order in again.orders] == [("O1", "accepted")]
    assert house.executed == []
    await house.door.close()
    later = await house.door.execute(ORDER, LOCAL)  # known by now: it gets its answer
    assert later.outcome == "done"
    assert house.executed == []


@pytest.mark.parametrize("name", sorted(RESERVED | {"Local"}))
async def test_no_token_is_called_like_those_who_need_none(house: House, name: str) -> None:
    refused = await house.door.execute(CreateToken(name=name, token_role="trader"), LOCAL)
    assert refused.problem is not None
    assert (refused.problem.type, refused.problem.extra["field"]) == ("invalid-request", "name")


# ---------------------------------------------------------------- hand-over


async def test_taking_it_from_another_is_told_to_everyone_and_audited_with_both(house: House) -> None:
    await house.door.execute(TakeAuthority(), LOCAL)
    house.time += SECOND
    await house.door.execute(TakeAuthority(reason="shift"), DESK)
    assert house.told() == [("local", None, "local"), ("desk", "local", "desk")]
    assert house.authority.now == OrderAuthority(
        holder="desk", via="tcp", before="local", by="desk", reason="shift", ts=1_001 * SECOND
    )
    assert house.present.snapshot(topics.AUTHORITY) == [house.authority.now]
    assert not house.lets(LOCAL)
    assert house.lets(DESK)


async def test_the_same_id_from_another_is_another_command(house: House) -> None:
    await house.door.execute(TakeAuthority(), LOCAL, command_id="take")
    assert (await house.door.execute(TakeAuthority(), LOCAL, command_id="take")).outcome == "done"
    other = await house.door.execute(TakeAuthority(), DESK, command_id="take")
    assert other.problem is not None
    assert other.problem.type == "conflict"
    assert house.told() == [("local", None, "local")]


async def test_taking_what_one_holds_changes_nothing(house: House) -> None:
    await house.authority.take(TakeAuthority(), DESK)
    before = house.authority.now
    house.time += SECOND
    await house.authority.take(TakeAuthority(), DESK)
    assert house.authority.now is before
    assert len(house.told()) == 1


async def test_its_holder_or_risk_releases_it_and_nobody_else(house: House) -> None:
    await house.authority.take(TakeAuthority(), DESK)
    with pytest.raises(ForbiddenError, match="desk holds the order authority"):
        await house.authority.release(ReleaseAuthority(), OTHER)
    with pytest.raises(ConflictError, match="desk holds the order authority, not other"):
        await house.authority.release(ReleaseAuthority(holder="other"), RISK)
    assert house.authority.now.holder == "desk"
    await house.authority.release(ReleaseAuthority(holder="desk"), RISK)
    await house.authority.take(TakeAuthority(), DESK)
    await house.authority.release(ReleaseAuthority(), DESK)
    await house.authority.release(ReleaseAuthority(), OTHER)  # free already
    assert house.told() == [
        ("desk", None, "desk"),
        (None, "desk", "rita"),
        ("desk", None, "desk"),
        (None, "desk", "desk"),
    ]
    assert house.lets(OTHER)


async def test_the_next_daemon_has_the_same_holder_and_a_fresh_home_has_none(house: House) -> None:
    assert house.authority.now.holder is None
    await house.authority.take(TakeAuthority(reason="shift"), DESK)
    after = House(house.state, house.home, required=True)
    await after.authority.load()
    assert after.authority.now == msgspec.structs.replace(house.authority.now, required=True)
    assert after.present.snapshot(topics.AUTHORITY) == [after.authority.now]
    assert not after.lets(LOCAL)


async def test_what_cannot_be_kept_is_not_handed_over(house: House) -> None:
    await house.authority.take(TakeAuthority(), DESK)
    house.state.close()
    with pytest.raises(StoreFailedError):
        await house.authority.take(TakeAuthority(), LOCAL)
    assert house.authority.now.holder == "desk"
    assert house.lets(DESK)
    assert not house.lets(LOCAL)
    house.state.open()
    await house.authority.take(TakeAuthority(), LOCAL)
    assert house.authority.now.before == "desk"


async def test_a_hand_over_waits_for_what_is_under_way_and_lets_in_nobody_it_shuts_out(house: House) -> None:
    with house.authority.passing(ORDER, "c1", LOCAL):
        taking = asyncio.create_task(house.authority.take(TakeAuthority(), DESK))
        await asyncio.sleep(0)  # it has begun, and waits
        assert not house.lets(LOCAL)
        assert house.lets(DESK)  # it was free, and is to be theirs
        with pytest.raises(OrderAuthorityError, match="is being handed to desk"):
            house.authority.check(ORDER, LOCAL)
        assert house.told() == []
        assert not taking.done()
    assert await taking == (house.authority.now, [])
    assert house.told() == [("desk", None, "desk")]


async def test_an_order_without_an_answer_does_not_keep_the_hand_over_up_and_is_named(
    house: House,
) -> None:
    with house.authority.passing(ORDER, "hangs", LOCAL), house.authority.passing(OWN, "own", DESK):
        now, left = await house.authority.take(TakeAuthority(), DESK, timeout=0.01)
    assert now.holder == "desk"
    assert left == ["O1"]


class Hammered(typing.NamedTuple):
    """A step of a random story: who does what, and for how many turns of the loop."""

    who: Principal
    what: str
    turns: int


steps = st.lists(
    st.builds(
        Hammered,
        st.sampled_from([LOCAL, DESK, OTHER]),
        st.sampled_from(["order", "order", "order", "take", "release"]),
        st.integers(0, 6),
    ),
    max_size=40,
)


@given(steps, st.booleans())
@settings(max_examples=40, deadline=None)
def test_whatever_happens_at_once_nobody_is_under_way_who_was_told_that_it_is_anothers(
    story: list[Hammered], required: bool
) -> None:
    with TemporaryDirectory() as folder, chdir(folder):  # where a store in memory has its audit log
        asyncio.run(_play(story, required))


async def _play(story: list[Hammered], required: bool) -> None:
    state = State(Path(":memory:"))
    state.open()
    house = House(state, Home(Path("unused")), required=required)
    await house.authority.load()
    under_way: list[Principal] = []
    broken: list[str] = []

    def told(_: object) -> None:
        """Judge each hand-over in the moment in which it is told."""
        now = house.authority.now
        for one in under_way:
            if now.holder not in (one.name, None) or (now.holder is None and required):
                broken.append(f"{one.name} is under way while {now.holder} holds it")

    house.bus.subscribe(told)

    async def play(number: int, step: Hammered) -> None:
        for _ in range(step.turns):
            await asyncio.sleep(0)
        try:
            if step.what == "take":
                now, left = await house.authority.take(TakeAuthority(), step.who)
                assert (now.holder, left) == (step.who.name, [])
            elif step.what == "release":
                await house.authority.release(ReleaseAuthority(), step.who)
            else:
                house.authority.check(ORDER, step.who)
                with house.authority.passing(ORDER, f"c{number}", step.who):
                    under_way.append(step.who)
                    for _ in range(3 * step.turns):
                        await asyncio.sleep(0)
                    under_way.remove(step.who)
        except ForbiddenError:  # of which that of the order authority is one
            return

    await asyncio.gather(*(play(number, step) for number, step in enumerate(story)))
    assert not broken
    kept = await state.authority.last()
    assert kept is None or kept.holder == house.authority.now.holder
    holders = [holder for holder, _, _ in house.told()]
    befores = [before for _, before, _ in house.told()]
    assert befores == [None, *holders][: len(befores)]
    state.close()


# ---------------------------------------------------------------- the holder's token


async def freed(house: House) -> OrderAuthority:
    """Wait until it is told that the authority is free, and return it."""
    told = asyncio.get_running_loop().create_future()

    def look(_: object) -> None:
        if house.authority.now.holder is None and not told.done():
            told.set_result(house.authority.now)

    end = house.bus.subscribe(look)
    look(None)
    async with asyncio.timeout(60):
        await told
    end()
    return house.authority.now


async def test_a_revoked_token_holds_it_no_longer(house: House) -> None:
    house.authority.open(house.door.execute)
    await house.authority.take(TakeAuthority(), DESK)
    house.tokens = [token(ts_revoked=house.time)]
    house.authority.look()
    assert not house.lets(DESK)  # at once: a connection that is still open may not send
    await house.authority.settle()
    now = house.authority.now
    assert (now.holder, now.before, now.by) == (None, "desk", "daemon")
    assert now.reason == "the token desk was revoked"
    entry = (await house.audited())[-1]
    assert (entry.actor, entry.via, entry.command) == ("daemon", "daemon", "authority.release")
    assert house.lets(LOCAL)


async def test_an_expired_token_holds_it_no_longer(house: House) -> None:
    house.tokens = [token(ts_expires=house.time + SECOND // 20)]
    house.authority.open(house.door.execute)
    await house.authority.take(TakeAuthority(), DESK)
    assert house.lets(DESK)
    house.time += SECOND
    now = await freed(house)
    assert now.reason == "the token desk expired"


async def test_a_token_that_ended_while_no_daemon_ran_holds_it_no_longer(house: House) -> None:
    await house.authority.take(TakeAuthority(), DESK)
    for tokens, reason in (
        ([token(ts_revoked=1)], "the token desk was revoked"),
        ([], "the token desk is gone"),
    ):
        after = House(house.state, house.home)
        after.tokens = tokens
        await after.authority.load()
        assert not after.lets(DESK)
        assert not after.lets(LOCAL)  # it is not free before that is told
        after.authority.open(after.door.execute)
        assert (await freed(after)).reason == reason
        await after.authority.close()
        await after.door.close()
        after.tokens = [token()]
        await after.authority.take(TakeAuthority(), DESK)


async def test_a_release_that_the_store_does_not_take_is_tried_again(
    house: House, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(authority, "RETRY_S", 0.05)
    await house.authority.take(TakeAuthority(), DESK)
    house.authority.open(house.door.execute)
    house.state.close()
    house.tokens = [token(ts_revoked=house.time)]
    house.authority.look()
    await house.authority.settle()  # of a revocation, which does not fail for it
    assert house.authority.now.holder == "desk"
    assert not house.lets(DESK)
    assert not house.lets(LOCAL)
    assert "the order authority of desk is not released: the store is not open" in caplog.text
    house.state.open()
    assert (await freed(house)).reason == "the token desk was revoked"


async def test_what_the_daemon_releases_is_never_somebody_elses(house: House) -> None:
    await house.authority.take(TakeAuthority(), DESK)
    stale = ReleaseAuthority(holder="desk", reason="the token desk was revoked")
    await house.authority.take(TakeAuthority(), LOCAL)
    with pytest.raises(ConflictError):
        await house.authority.release(stale, Principal(name="daemon", role="risk", via="daemon"))
    assert house.authority.now.holder == "local"
