"""The parts that deal with risk, made together: what routes, commands and the schedule work with.

This module must not know of HTTP.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from data.audit import AuditDraft
from data.bus import Bus
from data.commands import AnyCommand, Outcome
from data.limits import GateBook
from data.paths import Home
from data.problems import UnavailableError
from data.risk_commands import (
    AcknowledgeAlert,
    AcknowledgeBreach,
    DecideLimitChange,
    DeleteLimit,
    Kill,
    MakeReport,
    RestrictEngine,
    SetLimit,
    SetMonitor,
    Unlock,
)
from data.state import State
from engines.gatebook import GateFile
from engines.supervisor import Supervisor
from nautilus_tui.daemon.market import Market
from nautilus_tui.daemon.present import Present
from nautilus_tui.daemon.principal import Principal
from nautilus_tui.daemon.risk.accounts import Accounts
from nautilus_tui.daemon.risk.alerts import AlertBook
from nautilus_tui.daemon.risk.analytics import Analytics
from nautilus_tui.daemon.risk.commands import RiskExecutors
from nautilus_tui.daemon.risk.equity import EquityKeeper
from nautilus_tui.daemon.risk.executions import ExecutionSource
from nautilus_tui.daemon.risk.forecast import BreachForecasts
from nautilus_tui.daemon.risk.kill import KillDesk
from nautilus_tui.daemon.risk.limit_checks import LimitChecks
from nautilus_tui.daemon.risk.limit_desk import LimitDesk, LimitNews
from nautilus_tui.daemon.risk.limits import LimitBook
from nautilus_tui.daemon.risk.monitoring import monitoring
from nautilus_tui.daemon.risk.portfolio import PortfolioWatch
from nautilus_tui.daemon.risk.report_facts import FactGatherer
from nautilus_tui.daemon.risk.reporting import ReportDesk
from nautilus_tui.daemon.risk.returns import ReturnsSource
from nautilus_tui.daemon.risk.traded import TradedToday
from nautilus_tui.daemon.settings import DaemonSettings

if TYPE_CHECKING:
    from apscheduler.schedulers.asyncio import AsyncIOScheduler

    from data.history import History


type Execute = Callable[[AnyCommand, Principal], Awaitable[Outcome]]


@dataclass(frozen=True, slots=True, kw_only=True)
class RiskWorld:
    """What the parts are made from."""

    home: Home
    settings: DaemonSettings
    state: State
    supervisor: Supervisor
    present: Present
    bus: Bus
    history: Callable[[], History]  #: opens it; call it in a thread
    clock: Callable[[], int]


class Risk:
    """The parts, tied together."""

    def __init__(self, world: RiskWorld) -> None:
        self._world = world
        self._door: Execute | None = None
        self.alerts = AlertBook(world.state.breaches, world.bus, world.present, world.clock)
        self.kill = KillDesk(
            home=world.home,
            supervisor=world.supervisor,
            bus=world.bus,
            present=world.present,
            state=world.state,
            alerts=self.alerts,
            clock=world.clock,
        )
        self.equity = EquityKeeper(world.state.equity, world.bus, world.clock)
        self._limit_news = LimitNews(self.alerts, self._note, world.clock)
        self.limits = LimitBook(
            world.state.limits,
            world.supervisor,
            peak=self.equity.peak,
            at_engine=lambda engine: _kept_by(world.home, engine),
            two_person=world.settings.two_person,
            told=self._limit_news.told(),
            clock=world.clock,
        )
        self.limit_desk = LimitDesk(self.limits)
        self.executors = RiskExecutors()
        self.executors.on(self.kill.carry_out, Kill, Unlock)
        self.executors.on(self.limit_desk.carry_out, SetLimit, DeleteLimit, DecideLimitChange, RestrictEngine)
        self.traded = TradedToday(
            world.bus,
            lambda limit, cursor: world.state.fills(limit=limit, cursor=cursor),
            world.clock,
        )
        self.portfolio = PortfolioWatch(
            bus=world.bus,
            present=world.present,
            supervisor=world.supervisor,
            peak=self.equity.peak,
            clock=world.clock,
        )
        self.returns = ReturnsSource(
            world.history,
            holders=world.present.holders,
            replayed_until=Market(world.bus).replayed_until,
            clock=world.clock,
        )
        self.forecast = BreachForecasts(
            world.state.use,
            world.bus.publish_records,
            world.clock,
            look_seconds=world.settings.monitor_seconds,
        )
        self.monitor = monitoring(
            world,
            limits=self.limits,
            portfolio=self.portfolio,
            returns=self.returns,
            traded=self.traded,
            alerts=self.alerts,
            execute=self._through_the_door,
        )
        self.monitor.on_cycle(self.forecast.look)
        self.monitor.chance = self.forecast.chance
        self.executors.on(self.monitor.carry_out, SetMonitor, AcknowledgeBreach, AcknowledgeAlert)
        self.limit_checks = LimitChecks(self.limits, world.supervisor, self.monitor.look)
        accounts = Accounts(world.state, self.portfolio)
        self.analytics = Analytics(
            state=world.state,
            accounts=accounts,
            returns=self.returns,
            equity=self.equity,
            executions=ExecutionSource(
                world.state,
                world.history,
                world.home.journal,
                replays=self.portfolio.replays,
                clock=world.clock,
            ),
            clock=world.clock,
        )

        self.reports = self._report_desk(accounts)
        self.executors.on(self.reports.carry_out, MakeReport)

    def _report_desk(self, accounts: Accounts) -> ReportDesk:
        world = self._world
        facts = FactGatherer(
            accounts=accounts,
            analytics=self.analytics,
            returns=self.returns,
            equity=self.equity,
            days=world.state.equity,
            breaches=world.state.breaches,
            use=world.state.use_summary,
            judge=lambda: self.monitor.look(self.limits.limits()),
            pending=self.limits.pending,
            engines=world.supervisor.statuses,
            clock=world.clock,
        )
        return ReportDesk(
            world.home.reports,
            facts.gather,
            self._through_the_door,
            self.alerts,
            plans=world.settings.reports,
            kept=world.settings.reports_kept,
        )

    async def load(self) -> None:
        """Begin with what the store holds: what engines are sent when they are found."""
        await self.equity.load()
        await self.alerts.load()
        await self.limits.load()

    def enter(self, door: Execute) -> None:
        """Take the door that what is done without being asked goes through as well."""
        self._door = door

    async def _through_the_door(self, command: AnyCommand, principal: Principal) -> Outcome:
        if self._door is None:
            raise UnavailableError("the daemon is not ready to carry out commands")
        return await self._door(command, principal)

    async def open(self) -> None:
        """Begin to watch the engines that were found."""
        await self.kill.open()
        await self.monitor.open()

    def plan(self, scheduler: AsyncIOScheduler) -> None:
        """Add what is done by the clock to the daemon's schedule."""
        self.equity.plan(scheduler)
        self.analytics.plan(scheduler)
        self.reports.plan(scheduler)
        self.monitor.start()

    async def close(self) -> None:
        """End what is under way."""
        await self.monitor.close()
        await self.limits.close()
        await self._limit_news.close()
        await self.forecast.close()
        await self.kill.close()
        await self.alerts.close()

    async def _note(self, draft: AuditDraft) -> None:
        """Add to the audit what happens without a command."""
        entry = await self._world.state.append_audit(draft)
        self._world.present.audited(entry)
        self._world.bus.publish_records((entry,))


def _kept_by(home: Home, engine: str) -> GateBook | None:
    """Return what an engine goes by, as its own disk has it; None: nothing is there, or it is damaged."""
    try:
        return GateFile(home.gate_book(engine)).read()
    except UnavailableError:
        return None  # the engine says so itself, and is about to be sent what it is to go by
