"""The book of limits over a real store: versions, approval, adjustment, and engines that do not answer."""

from __future__ import annotations

import asyncio
from decimal import Decimal
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from data.audit import AuditDraft
from data.bus import Bus
from data.limits import AutoAdjust, GateBook, Limit, LimitChange
from data.problems import (
    ConflictError,
    ForbiddenError,
    InvalidRequestError,
    JournalFailedError,
    NotFoundError,
    OutcomeUnknownError,
    ProblemError,
)
from data.records import EngineState, EngineStatus, Environment
from data.risk_commands import SetLimit
from data.state import State
from engines.spec import EngineSpec
from nautilus_tui.daemon.present import Present
from nautilus_tui.daemon.risk.alerts import AlertBook
from nautilus_tui.daemon.risk.limit_desk import LimitNews
from nautilus_tui.daemon.risk.limits import LimitBook, Told, TwoPerson
from risk.limits import GateLimits, OrderRate

AAPL = "position_size:instrument:AAPL.SIM:shares"
SPEC = EngineSpec(engine="paper-1")


class Engines:
    """Engines that keep what they are sent, or not, as a test says: the far end of the link."""

    def __init__(self, environments: dict[str, Environment] | None = None) -> None:
        self.environments = environments or {"paper-1": "SIM"}
        self.states: dict[str, EngineState] = dict.fromkeys(self.environments, "running")
        self.kept: dict[str, list[GateBook]] = {name: [] for name in self.environments}
        self.problem: ProblemError | None = None

    def statuses(self) -> list[EngineStatus]:
        return [
            EngineStatus(
                id=name,
                state=self.states[name],
                environment=environment,
                feed="simulated",
                limits_version=self.kept[name][-1].version if self.kept[name] else None,
                ts=1,
                synthetic=True,
            )
            for name, environment in self.environments.items()
        ]

    async def set_limits(self, book: GateBook) -> None:
        await asyncio.sleep(0)
        if self.problem is not None:
            raise self.problem
        self.kept[book.engine].append(book)


def command(hard: str | int = 500, **fields: Any) -> SetLimit:
    given_: dict[str, Any] = {"limit_type": "position_size", "scope": "instrument:AAPL.SIM", "unit": "shares"}
    return SetLimit(hard=Decimal(hard), **(given_ | fields))


async def opened(
    state: State, engines: Engines, two_person: TwoPerson = "never", told: Told | None = None
) -> LimitBook:
    ticks = iter(range(1, 1_000_000))
    book = LimitBook(
        state.limits,
        engines,
        peak=lambda _: Decimal(7),
        two_person=two_person,
        told=told,
        clock=lambda: next(ticks),
    )
    await book.load()
    return book


# ---------------------------------------------------------------- kept


async def test_versions_grow_over_changes_deletion_and_restarts(state: State) -> None:
    engines = Engines()
    book = await opened(state, engines)
    first = await book.set(command(500), "ann")
    assert first.limit is not None
    assert (first.limit.id, first.limit.version, first.limit.updated_by) == (AAPL, 1, "ann")
    assert [one.state for one in first.deliveries] == ["in_force"]
    second = await book.set(command(400), "bob")
    assert second.limit is not None
    assert second.limit.version == 2
    assert second.limit.ts_created == first.limit.ts_created
    await book.close()

    book = await opened(state, engines)
    assert book.limits() == (second.limit,)
    before = book.version
    await book.delete(AAPL, "ann")
    assert book.limits() == ()
    with pytest.raises(NotFoundError):
        await book.delete(AAPL, "ann")
    await book.close()

    book = await opened(state, engines)
    again = await book.set(command(500), "ann")
    assert again.limit is not None
    assert again.limit.version == 4
    assert book.version == before + 2
    sent = [one.version for one in engines.kept["paper-1"]]
    assert sent == sorted(set(sent))
    assert engines.kept["paper-1"][-1].limits == (again.limit,)
    await book.close()


async def test_what_is_left_out_stays_and_decimals_stay_exact(state: State) -> None:
    book = await opened(state, Engines())
    hard = Decimal("0.100000000000000000000000000001")
    rule = AutoAdjust(target_vol=Decimal("0.15"), floor=Decimal("0.30"))
    terms = {"limit_type": "concentration", "scope": "portfolio", "unit": "ratio"}
    await book.set(
        command(str(hard), **terms, warn=Decimal("0.70"), auto_adjust=rule, hard_actions=("halt",)), "ann"
    )
    changed = (await book.set(command("0.2", **terms), "ann")).limit
    assert changed is not None
    assert (changed.warn, changed.auto_adjust, changed.hard_actions) == (Decimal("0.70"), rule, ("halt",))
    await book.set(command(str(hard), **terms), "ann")
    await book.close()
    book = await opened(state, Engines())
    (kept,) = book.limits()
    assert str(kept.hard) == str(hard)
    assert str(kept.auto_adjust.floor) == "0.30"  # type: ignore[union-attr]  # it was set
    await book.close()


async def test_setting_what_is_so_changes_nothing_and_still_asks_the_engine(state: State) -> None:
    engines = Engines()
    book = await opened(state, engines)
    first = await book.set(command(500), "ann")
    again = await book.set(command("500.0"), "bob")
    assert (again.limit, again.changed) == (first.limit, False)
    assert [one.state for one in again.deliveries] == ["in_force"]
    with pytest.raises(ConflictError, match="already"):
        await book.set(command(600, create_only=True), "ann")
    with pytest.raises(InvalidRequestError):
        await book.set(command(0), "ann")
    assert book.limits() == (first.limit,)
    await book.close()


async def test_a_gate_goes_by_what_orders_can_break_and_its_engine_is_in(state: State) -> None:
    engines = Engines({"paper-1": "SIM", "paper-2": "SIM"})
    book = await opened(state, engines)
    await book.set(command(500), "ann")
    other = {"scope": "engine:paper-2", "unit": "notional"}
    only_there = await book.set(command(900, **other), "ann")
    assert [one.engine for one in only_there.deliveries] == ["paper-2"]
    watched = await book.set(command("0.02", limit_type="var", scope="portfolio", unit="ratio"), "ann")
    assert watched.deliveries == ()
    await book.restrict("paper-1", "reduce_only", "too hot")
    spec = EngineSpec(engine="paper-1", limits=GateLimits(order_rate=OrderRate(7, 2), order_notional=None))
    sent = book.gate_book(spec)
    assert [one.id for one in sent.limits] == [
        "order_rate:engine:paper-1:orders",
        "position_size:engine:paper-1:notional",
        AAPL,
    ]
    assert (sent.restriction, sent.restriction_reason, sent.peak_equity) == (
        "reduce_only",
        "too hot",
        Decimal(7),
    )
    assert (sent.limits[0].hard, sent.limits[0].window_s, sent.limits[0].origin) == (Decimal(7), 2, "engine")
    await book.close()
    book = await opened(state, engines)
    assert book.gate_book(spec).limits == sent.limits
    assert book.gate_book(spec).restriction == "reduce_only"
    await book.close()


async def test_a_first_limit_that_was_deleted_does_not_come_back_by_itself(state: State) -> None:
    book = await opened(state, Engines())
    await book.begin_engine(SPEC, (), "ann", may_loosen=True)
    gone = "order_notional:engine:paper-1:notional"
    await book.delete(gone, "ann")
    await book.close()
    book = await opened(state, Engines())
    await book.begin_engine(SPEC, (), "ann", may_loosen=True)
    assert gone not in {one.id for one in book.gate_book(SPEC).limits}
    await book.begin_engine(SPEC, ("order_notional",), "ann", may_loosen=True)
    assert book.limit(gone).hard == 1_000_000
    await book.close()


async def test_who_starts_an_engine_may_tighten_its_limits_and_loosen_them_only_with_the_role(
    state: State,
) -> None:
    book = await opened(state, Engines())
    await book.begin_engine(SPEC, (), "ann", may_loosen=True)
    id_ = "position_size:engine:paper-1:notional"

    def spec(size: int) -> EngineSpec:
        return replace(SPEC, limits=GateLimits(position_size=Decimal(size)))

    await book.begin_engine(spec(1000), ("position_size",), "tom", may_loosen=False)
    assert (book.limit(id_).hard, book.limit(id_).updated_by) == (Decimal(1000), "tom")
    with pytest.raises(ForbiddenError, match="loosened"):
        await book.begin_engine(spec(1001), ("position_size",), "tom", may_loosen=False)
    assert book.limit(id_).hard == 1000
    await book.begin_engine(spec(1001), ("position_size",), "rita", may_loosen=True)
    assert book.limit(id_).hard == 1001
    assert book.limit("order_notional:engine:paper-1:notional").version == 1  # not named: as it was
    await book.close()


# ---------------------------------------------------------------- adjusted


async def test_adjustment_counts_from_what_was_set_and_is_given_back(state: State) -> None:
    adjusted: list[Limit] = []
    book = await opened(state, Engines(), told=Told(adjusted=adjusted.append))
    rule = AutoAdjust(target_vol=Decimal("0.15"))
    await book.set(command(500, auto_adjust=rule), "ann")
    for _ in range(3):
        found = await book.adjust(AAPL, Decimal(300), "volatility is high")
    assert (found.hard, found.effective, found.adjusted, found.version) == (
        Decimal(500),
        Decimal(300),
        "volatility is high",
        2,
    )
    with pytest.raises(ConflictError):
        await book.adjust(AAPL, Decimal(501), "more")
    with pytest.raises(ConflictError):
        await book.adjust(AAPL, Decimal(0), "nothing")
    calm = await book.adjust(AAPL, Decimal(500), "calm")
    assert (calm.effective, calm.adjusted) == (Decimal(500), None)
    await book.adjust(AAPL, Decimal(300), "volatility is high")
    raised = (await book.set(command(800), "ann")).limit
    assert raised is not None
    assert (raised.hard, raised.effective) == (Decimal(800), Decimal(300))
    lowered = (await book.set(command(200), "ann")).limit
    assert lowered is not None
    assert (lowered.effective, lowered.adjusted) == (Decimal(200), None)
    await book.adjust(AAPL, Decimal(100), "volatility is high")
    removed = (await book.set(command(200, remove_auto_adjust=True), "ann")).limit
    assert removed is not None
    assert (removed.effective, removed.adjusted) == (Decimal(200), None)
    with pytest.raises(ConflictError):
        await book.adjust(AAPL, Decimal(100), "volatility is high")
    assert [one.effective for one in adjusted] == [300, 500, 300, 100]
    await book.close()


# ---------------------------------------------------------------- two persons


async def test_loosening_waits_for_another_person_and_tightening_does_not(state: State) -> None:
    heard: list[LimitChange] = []
    engines = Engines()
    book = await opened(state, engines, "always", Told(decided=heard.append))
    await book.set(command(500), "ann")
    asked = await book.set(command(600), "ann")
    change = asked.pending
    assert change is not None
    assert asked.limit is not None
    assert (asked.limit.hard, change.status, change.asked_by) == (Decimal(500), "pending", "ann")
    assert "600" in change.reason
    assert engines.kept["paper-1"][-1].limits[0].hard == 500
    with pytest.raises(ConflictError, match="waits already"):
        await book.set(command(700), "bob")
    with pytest.raises(ForbiddenError, match="cannot approve"):
        await book.decide(change.id, "ann", approve=True)
    await book.close()

    book = await opened(state, engines, "always", Told(decided=heard.append))
    assert [one.id for one in book.pending()] == [change.id]
    decided, done = await book.decide(change.id, "bob", approve=True)
    assert (decided.status, decided.decided_by) == ("approved", "bob")
    assert done.limit is not None
    assert (done.limit.hard, done.limit.version) == (Decimal(600), 2)
    assert engines.kept["paper-1"][-1].limits[0].hard == 600
    with pytest.raises(ConflictError, match="approved"):
        await book.decide(change.id, "bob", approve=True)
    assert [one.status for one in heard] == ["pending", "approved"]
    assert [one.status for one in (await book.changes()).items] == ["approved"]
    await book.close()


async def test_what_was_looked_at_is_what_is_approved(state: State) -> None:
    book = await opened(state, Engines(), "always")
    rule = AutoAdjust(target_vol=Decimal("0.15"))
    await book.set(command(500, auto_adjust=rule), "ann")
    asked = (await book.delete(AAPL, "ann")).pending
    assert asked is not None
    assert asked.after is None
    await book.set(command(400), "ann")  # it tightens: at once, while the other waits
    with pytest.raises(ConflictError, match="has changed"):
        await book.decide(asked.id, "bob", approve=True)
    decided, found = await book.decide(asked.id, "ann", approve=False)  # one's own is taken back
    assert decided.status == "rejected"
    assert found.limit == book.limit(AAPL)

    again = (await book.delete(AAPL, "ann")).pending
    assert again is not None
    await book.adjust(AAPL, Decimal(300), "volatility is high")  # is no change of what was looked at
    _, gone = await book.decide(again.id, "bob", approve=True)
    assert gone.limit is None
    assert book.limits() == ()
    with pytest.raises(NotFoundError):
        await book.decide("lc-none", "bob", approve=True)
    await book.close()


async def test_an_approved_change_is_held_down_as_volatility_holds_it_now(state: State) -> None:
    book = await opened(state, Engines(), "always")
    await book.set(command(500, auto_adjust=AutoAdjust(target_vol=Decimal("0.15"))), "ann")
    asked = (await book.set(command(600), "ann")).pending
    assert asked is not None
    await book.adjust(AAPL, Decimal(300), "volatility is high")
    _, done = await book.decide(asked.id, "bob", approve=True)
    assert done.limit is not None
    assert (done.limit.hard, done.limit.effective) == (Decimal(600), Decimal(300))
    await book.close()


@pytest.mark.parametrize(
    ("policy", "environment", "scope", "waits"),
    [
        ("live", "LIVE", "instrument:AAPL.SIM", True),
        ("live", "LIVE", "engine:one", True),
        ("live", "LIVE", "engine:other", False),
        ("live", "SIM", "instrument:AAPL.SIM", False),
        ("always", "SIM", "portfolio", True),
        ("never", "LIVE", "portfolio", False),
    ],
)
async def test_where_a_second_person_is_needed(
    state: State, policy: TwoPerson, environment: Environment, scope: str, waits: bool
) -> None:
    engines = Engines({"one": environment, "other": "SIM"})
    book = await opened(state, engines, policy)
    await book.set(command(500, scope=scope), "ann")
    assert ((await book.set(command(600, scope=scope), "ann")).pending is not None) == waits
    await book.close()


# ---------------------------------------------------------------- engines that do not answer


async def test_an_engine_that_does_not_answer_is_told_again_until_it_has_it(state: State) -> None:
    behind: list[tuple[str, str | None]] = []
    caught_up = asyncio.Event()

    def hear(engine: str, why: str | None) -> None:
        behind.append((engine, why))
        if why is None:
            caught_up.set()

    engines = Engines()
    book = await opened(state, engines, told=Told(behind=hear))
    await book.set(command(500), "ann")
    engines.problem = OutcomeUnknownError("no answer")
    silent = await book.set(command(400), "ann")
    assert silent.limit is not None
    assert silent.limit.hard == 400
    assert [(one.state, one.detail) for one in silent.deliveries] == [("unknown", "no answer")]
    assert engines.kept["paper-1"][-1].limits[0].hard == 500
    engines.problem = None
    async with asyncio.timeout(60):
        await caught_up.wait()
    assert engines.kept["paper-1"][-1].limits[0].hard == 400
    assert behind[0] == ("paper-1", "no answer")
    assert behind[-1] == ("paper-1", None)
    await book.close()


async def test_an_engine_that_cannot_keep_it_is_told_apart_from_one_that_does_not_run(state: State) -> None:
    engines = Engines({"one": "SIM", "other": "SIM"})
    book = await opened(state, engines)
    engines.states["other"] = "stopped"
    engines.problem = JournalFailedError("the disk is full")
    found = await book.set(command(500), "ann")
    assert {one.engine: one.state for one in found.deliveries} == {"one": "failed", "other": "at_next_start"}
    await book.close()


async def test_a_store_that_was_lost_loosens_nothing(state: State, tmp_path: Path) -> None:
    engines = Engines()
    book = await opened(state, engines)
    await book.begin_engine(SPEC, (), "ann", may_loosen=True)
    await book.set(command(500), "ann")
    await book.set(command(400), "ann")
    await book.restrict("paper-1", "reduce_only", "too hot")
    await book.close()
    ahead = engines.kept["paper-1"][-1]

    empty = State(tmp_path / "empty.duckdb")
    empty.open()
    recovered: list[str] = []
    successor = LimitBook(
        empty.limits,
        engines,
        at_engine=lambda _: ahead,
        told=Told(recovered=lambda engine, _: recovered.append(engine)),
    )
    await successor.load()
    sent = successor.gate_book(SPEC)
    assert sent.limits == ahead.limits
    assert (sent.restriction, sent.restriction_reason) == ("reduce_only", "too hot")
    assert sent.version > ahead.version
    assert replace(successor.gate_book(SPEC), ts=sent.ts) == sent
    assert recovered == ["paper-1"]
    changed = (await successor.set(command(300), "ann")).limit
    assert changed is not None
    assert changed.version == 3
    await successor.close()
    assert {one.id: one.version for one in (await empty.limits.load()).limits}[AAPL] == 3
    empty.close()

    # A store that knows more than the engine takes nothing from it: what was deleted stays so.
    book = await opened(state, engines)
    await book.delete(AAPL, "ann")
    await book.close()
    book = LimitBook(state.limits, engines, at_engine=lambda _: replace(ahead, version=10_000))
    await book.load()
    assert AAPL not in {one.id for one in book.gate_book(SPEC).limits}
    await book.close()


# ---------------------------------------------------------------- who else is told


async def test_adjustments_are_audited_and_people_are_told_what_waits_and_what_is_not_confirmed(
    state: State,
) -> None:
    present = Present()
    bus = Bus("e", present.snapshot)
    alerts = AlertBook(state.breaches, bus, present)
    await alerts.load()
    audited: list[AuditDraft] = []

    async def note(draft: AuditDraft) -> None:
        audited.append(draft)
        await state.append_audit(draft)

    news = LimitNews(alerts, note, lambda: 1)
    engines = Engines()
    book = await opened(state, engines, "always", news.told())
    await book.set(command(500, auto_adjust=AutoAdjust(target_vol=Decimal("0.15"))), "ann")

    await book.adjust(AAPL, Decimal(300), "volatility is 30 % a year")
    alert = alerts.open_one("limit.adjusted", AAPL)
    assert alert is not None
    assert (alert.severity, alert.detail) == ("info", "volatility is 30 % a year")
    assert "300 of 500" in alert.title
    await book.adjust(AAPL, Decimal(500), None)
    assert alerts.open_one("limit.adjusted", AAPL) is None

    change = (await book.set(command(600), "ann")).pending
    assert change is not None
    assert alerts.open_one("limit.change", change.id) is not None
    await book.decide(change.id, "ann", approve=False)
    assert alerts.open_one("limit.change", change.id) is None

    engines.problem = OutcomeUnknownError("no answer")
    await book.set(command(400), "ann")
    behind = alerts.open_one("limit.behind", "paper-1")
    assert behind is not None
    assert behind.severity == "critical"
    engines.problem = None
    await book.set(command(399), "ann")
    assert alerts.open_one("limit.behind", "paper-1") is None

    await book.close()
    await news.close()
    await alerts.close()
    assert [(one.command, one.outcome, one.detail) for one in audited] == [
        ("limit.adjust", "done", "volatility is 30 % a year"),
        ("limit.adjust", "done", "all of 500 counts again"),
    ]
    assert (await state.verify_audit()).broken_at is None


# ---------------------------------------------------------------- whatever is done

steps = st.lists(
    st.one_of(
        st.tuples(st.just("set"), st.sampled_from("AB"), st.integers(1, 9)),
        st.tuples(st.just("delete"), st.sampled_from("AB"), st.just(0)),
        st.tuples(st.just("adjust"), st.sampled_from("AB"), st.integers(0, 10)),
        st.tuples(st.just("reload"), st.just("A"), st.just(0)),
    ),
    max_size=12,
)


@settings(max_examples=15, deadline=None)
@given(steps)
def test_whatever_is_done_versions_do_not_go_back_and_the_engine_has_what_the_store_has(
    todo: list[tuple[str, str, int]],
) -> None:
    with TemporaryDirectory() as folder:
        asyncio.run(_do(Path(folder), todo))


async def _do(folder: Path, todo: list[tuple[str, str, int]]) -> None:
    state = State(folder / "state.duckdb")
    state.open()
    engines = Engines()
    book = await opened(state, engines)
    rule = AutoAdjust(target_vol=Decimal("0.15"))
    versions: dict[str, int] = {}
    for what, name, size in todo:
        before = book.version
        id_ = f"position_size:instrument:{name}.SIM:shares"
        try:
            if what == "set":
                await book.set(command(size, scope=f"instrument:{name}.SIM", auto_adjust=rule), "ann")
            elif what == "delete":
                await book.delete(id_, "ann")
            elif what == "adjust":
                await book.adjust(id_, Decimal(size), "volatility")
            else:
                await book.close()
                book = await opened(state, engines)
        except (NotFoundError, ConflictError):
            assert book.version == before
        for limit in book.limits():
            assert 0 < limit.effective <= limit.hard
            assert (limit.adjusted is None) == (limit.effective == limit.hard)
            assert limit.version >= versions.get(limit.id, 0)
            versions[limit.id] = limit.version
        assert book.version >= before
    await book.close()
    kept = await state.limits.load()
    assert kept.limits == book.limits()
    assert kept.version == book.version
    sent = engines.kept["paper-1"]
    if sent:
        assert sent[-1].limits == book.limits()
        assert [one.version for one in sent] == sorted(one.version for one in sent)
        said = {one.version: one.limits for one in sent}
        assert all(said[one.version] == one.limits for one in sent)  # one version says one thing
    state.close()
