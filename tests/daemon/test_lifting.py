"""Restrictions that are set and lifted by what limits ask for, over a real store and a made-up engine."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from decimal import Decimal
from pathlib import Path
from typing import Any, cast

import pytest
from msgspec.structs import replace

from data.bus import Bus
from data.commands import AnyCommand, Outcome
from data.limit_store import EngineRestriction
from data.limits import Limit, LimitStatus, Restriction
from data.records import EngineStatus
from data.risk_commands import RestrictEngine
from data.state import State
from nautilus_tui.daemon.present import Present
from nautilus_tui.daemon.principal import Principal
from nautilus_tui.daemon.risk.actions import ActionRunner
from nautilus_tui.daemon.risk.alerts import AlertBook
from nautilus_tui.daemon.risk.breaches import BreachBook
from nautilus_tui.daemon.risk.holds import HoldBook
from nautilus_tui.daemon.risk.notify import Notifier
from nautilus_tui.daemon.risk.portfolio import PortfolioWatch
from nautilus_tui.daemon.risk.responses import Responses
from risk.evaluate import Value, status_of
from risk.portfolio import Portfolio

P = "paper-1"
GROSS = Limit(
    id="gross_exposure:portfolio:notional",
    limit_type="gross_exposure",
    scope="portfolio",
    hard=Decimal(1000),
    effective=Decimal(1000),
    unit="notional",
    warn_actions=(),
    hard_actions=("deny_increase",),
    ts_created=0,
    ts_updated=0,
    updated_by="t",
)
NET = replace(GROSS, id="net_exposure:portfolio:notional", limit_type="net_exposure")


class Engine:
    """An engine that does what it is told, and says so; as a portfolio watch it is the only one."""

    def __init__(self, bus: Bus) -> None:
        self._bus = bus
        self.said: list[Restriction] = []
        self.now: Restriction = "none"
        self.tells = True

    def status(self, _: str) -> EngineStatus:
        return EngineStatus(
            id=P,
            state="running",
            environment="SIM",
            feed="simulated",
            restriction=self.now,
            ts=len(self.said),
            synthetic=True,
        )

    def engines(self) -> list[str]:
        return [P]

    def word(self, _: str) -> EngineRestriction | None:
        if not self.said:
            return None
        return EngineRestriction(engine=P, restriction=self.said[-1], reason=None, by="monitor", ts=1)

    async def execute(self, command: AnyCommand, _: Principal) -> Outcome:
        assert isinstance(command, RestrictEngine)
        self.said.append(command.restriction)
        if self.tells:
            self.now = command.restriction
            self._bus.publish_records((self.status(P),))
        return Outcome(command_id="c", command="engine.restrict", outcome="done")


class Desk:
    """What follows from checks of two limits."""

    def __init__(self, state: State) -> None:
        self.bus = Bus("t")
        self.gross = GROSS
        present = Present()
        self.engine = Engine(self.bus)
        self.alerts = AlertBook(state.breaches, self.bus, present)
        self.breaches = BreachBook(state.breaches, self.bus, present)
        self.holds = HoldBook(
            store=state.breaches,
            bus=self.bus,
            status=self.engine.status,
            said=self.engine.word,
            execute=self.engine.execute,
            alerts=self.alerts,
        )
        self.responses = Responses(
            alerts=self.alerts,
            breaches=self.breaches,
            runner=ActionRunner(
                execute=self.engine.execute,
                bus=self.bus,
                present=present,
                portfolio=cast(PortfolioWatch, self.engine),
                holds=self.holds,
            ),
            holds=self.holds,
            notifier=Notifier({}),
            chain=(),
        )

    async def check(self, gross: int, net: int) -> None:
        """Check both limits, and wait until nothing more follows from it."""
        statuses = [status(self.gross, gross), status(NET, net)]
        self.responses.respond(statuses, self.breaches.check(statuses))
        for _ in range(200):
            await asyncio.sleep(0.005)
            if not self.waiting():
                return
        raise AssertionError("something is still being done")

    def waiting(self) -> bool:
        return any(a.status == "requested" for b in self.breaches.open() for a in b.actions)


def status(limit: Limit, value: int) -> LimitStatus:
    return status_of(limit, Value(Decimal(value)), Portfolio(holdings=(), money=(), ts=1))


@pytest.fixture
async def desk(tmp_path: Path) -> AsyncIterator[Desk]:
    state = State(tmp_path / "state.duckdb")
    state.open()
    one = Desk(state)
    await one.holds.load()
    yield one
    await one.responses.close()
    await one.breaches.close()
    await one.alerts.close()
    state.close()


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """No heartbeat is waited for long."""
    monkeypatch.setattr("nautilus_tui.daemon.risk.responses.CONFIRM_S", 0.05)
    monkeypatch.setattr("nautilus_tui.daemon.risk.actions.CONFIRM_S", 0.05)


async def settled(desk: Desk, restriction: Restriction) -> Any:
    """Wait until the engine's restriction stands, and nothing is asked of it any more."""
    async with asyncio.timeout(60):
        while (  # noqa: ASYNC110
            desk.engine.now != restriction
            or desk.waiting()
            or (restriction == "none" and desk.holds.holds())  # the engine is told before it is forgotten
        ):
            await asyncio.sleep(0.005)
    await asyncio.sleep(0.05)


async def test_what_one_breach_ends_and_another_begins_with_is_not_lifted_between(desk: Desk) -> None:
    await desk.check(1100, 0)
    await settled(desk, "reduce_only")
    told = desk.alerts.open_one("restriction", P)
    assert told is not None
    assert told.synthetic, "the engine trades on a simulated market"
    await desk.check(0, 1100)
    await settled(desk, "reduce_only")
    assert desk.engine.said == ["reduce_only"], "the second breach asks for it as well"
    await desk.check(0, 0)
    await settled(desk, "none")
    assert desk.engine.said == ["reduce_only", "none"]
    assert desk.holds.holds() == []


@pytest.mark.usefixtures("impatient")
async def test_an_engine_that_was_told_to_let_pass_is_not_taken_for_restricted_by_an_old_heartbeat(
    desk: Desk,
) -> None:
    await desk.check(1100, 0)
    await settled(desk, "reduce_only")
    desk.engine.tells = False
    await desk.check(0, 0)
    await asyncio.sleep(0.2)
    assert desk.engine.said == ["reduce_only", "none"]
    assert desk.engine.now == "reduce_only", "it has not said yet that it was lifted"
    desk.engine.tells = True
    await desk.check(0, 1100)
    await settled(desk, "reduce_only")
    assert desk.engine.said == ["reduce_only", "none", "reduce_only"]


async def test_what_a_warning_asks_for_is_not_lifted_because_it_became_a_breach(desk: Desk) -> None:
    desk.gross = replace(GROSS, warn_actions=("deny_increase",), hard_actions=("warn",))
    await desk.check(900, 0)
    await settled(desk, "reduce_only")
    await desk.check(1100, 0)
    await settled(desk, "reduce_only")
    assert desk.engine.said == ["reduce_only"]
    await desk.check(900, 0)
    await settled(desk, "reduce_only")
    await desk.check(0, 0)
    await settled(desk, "none")
    assert desk.engine.said == ["reduce_only", "none"]
