"""The monitor: checks every limit every few seconds and on every fill, and has done what follows.

A check that fails is an alert and is tried again with the next; one that was stopped by somebody is an alert
until it is started. What is heavy runs in a thread. This module must not know how a limit is judged, what is
done about a breach, or who asks.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Sequence
from decimal import Decimal
from itertools import batched
from typing import TYPE_CHECKING, Final, Literal, Protocol

import msgspec

from data import topics
from data.breach_store import BreachStore
from data.bus import Bus, Event
from data.commands import Outcome
from data.limits import Limit, LimitStatus, MonitorHealth
from data.problems import ProblemError
from data.records import Fill
from data.risk_commands import AcknowledgeAlert, AcknowledgeBreach, SetMonitor
from nautilus_tui.daemon.principal import Principal
from nautilus_tui.daemon.risk.alerts import AlertBook
from nautilus_tui.daemon.risk.breaches import BreachBook
from nautilus_tui.daemon.risk.figures import FigureSource
from nautilus_tui.daemon.risk.holds import HoldBook
from nautilus_tui.daemon.risk.notify import Notifier
from nautilus_tui.daemon.risk.portfolio import PortfolioWatch
from nautilus_tui.daemon.risk.responses import Responses
from nautilus_tui.daemon.risk.returns import ReturnsSource
from nautilus_tui.daemon.risk.traded import TradedToday
from nautilus_tui.daemon.settings import EscalationStep
from risk import adjust
from risk.evaluate import STATISTICAL, Figures, evaluate, volatilities
from risk.portfolio import Portfolio

if TYPE_CHECKING:
    from risk.frames import ReturnsFrame

ALERT: Final = "monitor"
#: Fills that come close behind each other are checked together.
COALESCE_S: Final = 0.25
#: The first check leaves a daemon that has just begun the time to hear of its engines.
FIRST_S: Final = 1.0
_MARKS_NS: Final = 60 * 1_000_000_000
_SHOWN: Final = 20
#: So many limits are judged on the loop in a few milliseconds, if nothing is measured on returns.
_INLINE: Final = 50
_TOLD_AT_ONCE: Final = 250

type _State = Literal["starting", "running", "failing", "stopped"]

logger = logging.getLogger(__name__)


class LimitSource(Protocol):
    """What the monitor goes by."""

    def limits(self) -> tuple[Limit, ...]:
        """Return every limit."""

    async def adjust(self, limit_id: str, effective: Decimal, reason: str | None) -> object:
        """Have less of a limit count, or all of it again."""

    def on_change(self, callback: Callable[[], None]) -> None:
        """Call when limits changed."""


class Monitor:
    """Checks limits.

    Args:
        limits: What is checked.
        portfolio, figures, returns, traded: What it is checked against.
        breaches, alerts, responses, holds, notifier: What follows.
        store: Where it is kept whether to run.
        bus: Who is told.
        roles: Who can be told of a breach.
        every_s: Interval of the checks.
        clock: UTC ns.
    """

    def __init__(
        self,
        *,
        limits: LimitSource,
        portfolio: PortfolioWatch,
        figures: FigureSource,
        returns: ReturnsSource,
        traded: TradedToday,
        breaches: BreachBook,
        alerts: AlertBook,
        responses: Responses,
        holds: HoldBook,
        notifier: Notifier,
        store: BreachStore,
        bus: Bus,
        roles: Sequence[str],
        every_s: float,
        clock: Callable[[], int] = time.time_ns,
    ) -> None:
        self._limits = limits
        self._portfolio = portfolio
        self._figures = figures
        self._returns = returns
        self._traded = traded
        self.breaches = breaches
        self._alerts = alerts
        self._responses = responses
        self._holds = holds
        self._notifier = notifier
        self._store = store
        self._bus = bus
        self._roles = tuple(roles)
        self._every_s = every_s
        self._clock = clock
        self._wanted = True
        self._stopped_by: str | None = None
        self._failure: str | None = None
        self._statuses: list[LimitStatus] = []
        self._callbacks: list[Callable[[list[LimitStatus], Portfolio], None]] = []
        self._woken = asyncio.Event()
        self._task: asyncio.Task[None] | None = None
        self._cycles = self._failures = 0
        self._ts_cycle: int | None = None
        self._took_ms = self._worst_ms = 0.0
        self._marks_at = 0
        self._ran: frozenset[str] = frozenset()  # engines that ran at the last check
        self._problems: tuple[str, ...] = ()
        self._turn = asyncio.Lock()
        self._deaf: Callable[[], None] = lambda: None  # ends listening for fills
        self.chance: Callable[[str], Decimal | None] = lambda _: None  #: of a limit's breach, if foretold

    # ------------------------------------------------------------ life

    async def open(self) -> None:
        """Go on with what was open; checks begin with ``start``."""
        self._wanted = await self._store.running()
        self._portfolio.kept = await self._store.marks()
        await self.breaches.load()
        await self._holds.load()

    def start(self) -> None:
        """Begin to check, on the running loop."""
        self._deaf = self._bus.subscribe(self._hear)
        self._limits.on_change(self.wake)
        self._responses.start(self._limits.limits())
        self._task = asyncio.create_task(self._run())

    async def close(self) -> None:
        """Check no more; what engines hold to holds without it."""
        self._deaf()
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
        await self._responses.close()
        self._figures.close()
        self._traded.close()
        await self.breaches.close()

    def escalate_by(self, chain: Sequence[EscalationStep]) -> None:
        """Tell of breaches by this chain from now on."""
        self._responses.escalation.follow(chain)

    def check_every(self, seconds: float) -> None:
        """Check all limits at this interval from the next check on."""
        self._every_s = seconds
        self.wake()

    def wake(self) -> None:
        """Check soon, instead of when it is next due."""
        self._woken.set()

    def statuses(self) -> list[LimitStatus]:
        """Return how much of each limit was used at the last check."""
        return list(self._statuses)

    def on_cycle(self, callback: Callable[[list[LimitStatus], Portfolio], None]) -> None:
        """Call after every check with what it found and what it was made from."""
        self._callbacks.append(callback)

    async def carry_out(
        self,
        command: SetMonitor | AcknowledgeBreach | AcknowledgeAlert,
        done: Outcome,
        principal: Principal,
        timeout: float,
    ) -> Outcome:
        """Carry out a command about the monitor, a breach or an alert; raises ProblemError."""
        match command:
            case SetMonitor():
                said = await self._set(command.running, principal.name)
            case AcknowledgeBreach():
                breach = await self.breaches.acknowledge(
                    command.breach_id, principal.name, note=command.note, mitigating=command.mitigating
                )
                self._responses.escalation.wake()
                said = f"breach {breach.id} is {breach.status}"
            case AcknowledgeAlert():
                alert = self._alerts.acknowledge(command.alert_id, principal.name)
                said = f"alert {alert.id} is acknowledged"
        return msgspec.structs.replace(done, detail=said)

    async def _set(self, running: bool, by: str) -> str:
        if running == self._wanted:  # as wanted: who asks twice is told so
            return f"the monitor {'runs' if running else 'is stopped'} already"
        await self._store.put_running(running)
        self._wanted, self._stopped_by = running, None if running else by
        self.wake()
        if running:
            self._alerts.resolve(ALERT, "stopped", f"started by {by}")
            return "the monitor runs"
        self._say_stopped()
        return "the monitor is stopped; the gates in the engines go on"

    def _say_stopped(self) -> None:
        by = self._stopped_by or "a command before the daemon began"
        self._alerts.raise_(
            ALERT,
            "major",
            "the risk monitor is stopped",
            f"stopped by {by}: no limit is checked across engines; start it with nautilus-tui monitor start",
            "stopped",
        )

    # ------------------------------------------------------------ checks

    def _hear(self, events: Sequence[Event]) -> None:
        if any(isinstance(event.record, Fill) for event in events):
            self._woken.set()

    async def _run(self) -> None:
        if not self._wanted and self._alerts.open_one(ALERT, "stopped") is None:
            self._say_stopped()
        counting = asyncio.create_task(self._count_trades())
        try:
            await asyncio.sleep(min(FIRST_S, self._every_s))
            while True:
                self._woken.clear()
                if self._wanted:
                    await self.check()
                try:
                    await asyncio.wait_for(self._woken.wait(), self._every_s)
                    await asyncio.sleep(min(COALESCE_S, self._every_s))
                except TimeoutError:
                    continue
        finally:
            counting.cancel()

    async def _count_trades(self) -> None:
        while not self._traded.known:
            try:
                await self._traded.load()
            except ProblemError as error:
                logger.warning("the fills of today cannot be counted: %s", error.detail)
                await asyncio.sleep(self._every_s)

    async def check(self) -> None:
        """Check every limit once, and have done what follows; never raises."""
        async with self._turn:
            began, started = self._clock(), time.perf_counter()
            try:
                await self._check()
            except Exception as error:
                logger.exception("the check of the limits failed")
                self._failures += 1
                self._failure = error.detail if isinstance(error, ProblemError) else repr(error)
                self._alerts.raise_(
                    ALERT,
                    "critical",
                    "the risk monitor fails",
                    f"limits are not checked, the gates in the engines go on: {self._failure}",
                    "failing",
                )
                return
            if self._failure is not None:
                self._failure = None
                self._alerts.resolve(ALERT, "failing", "limits are checked again")
            self._cycles += 1
            self._ts_cycle = began
            self._took_ms = (time.perf_counter() - started) * 1000
            self._worst_ms = max(self._worst_ms, self._took_ms)

    async def _check(self) -> None:
        portfolio = self._portfolio.snapshot()
        self._problems = portfolio.problems
        await self._adjust(portfolio)
        statuses = await self._judge(portfolio, self._limits.limits())
        changes = self.breaches.check(statuses)
        gone = {one.limit.id for one in self._statuses} - {one.limit.id for one in statuses}
        for topic in (topics.LIMITS, topics.FORECAST):
            self._bus.forget(topic, [(id_,) for id_ in gone])
        self._statuses = [self._with_breach(status) for status in statuses]
        for some in batched(self._statuses, _TOLD_AT_ONCE, strict=False):
            self._bus.publish_many(topics.LIMITS, some)
            await asyncio.sleep(0)  # thousands of limits do not hold the loop up
        self._responses.respond(self._statuses, changes)
        for callback in self._callbacks:
            callback(self._statuses, portfolio)
        await self._keep_marks()

    async def _keep_marks(self) -> None:
        """Keep the last marks once a minute, and when an engine has gone: it will tell none any more."""
        now, running = self._clock(), self._portfolio.running()
        if now - self._marks_at >= _MARKS_NS or self._ran - running:
            await self._store.put_marks(self._portfolio.last_marks())
            self._marks_at = now
        self._ran = running

    async def look(self, limits: Sequence[Limit]) -> list[LimitStatus]:
        """Judge limits by the code of every check, now; nothing comes of it."""
        statuses = await self._judge(self._portfolio.snapshot(), limits)
        return [self._with_breach(status) for status in statuses]

    async def _judge(self, portfolio: Portfolio, limits: Sequence[Limit]) -> list[LimitStatus]:
        figures, heavy = await self._gather(portfolio, limits)
        if heavy or len(limits) > _INLINE:
            return await asyncio.to_thread(evaluate, portfolio, limits, figures)
        return evaluate(portfolio, limits, figures)

    def _with_breach(self, status: LimitStatus) -> LimitStatus:
        breach, chance = self.breaches.of_limit(status.limit.id), self.chance(status.limit.id)
        if breach is None and chance is None:
            return status
        told = None if breach is None else breach.id
        return msgspec.structs.replace(status, breach_id=told, forecast=chance)

    async def _gather(self, portfolio: Portfolio, limits: Sequence[Limit]) -> tuple[Figures, bool]:
        types = {limit.limit_type for limit in limits if limit.enabled}
        window = max((limit.window_s or 0 for limit in limits), default=0)
        figures = Figures(
            working=self._figures.working() if "order_notional" in types else (),
            dealt=self._figures.dealt(),
            sent=self._figures.sent(window) if "order_rate" in types else (),
            sent_since=self._figures.sent_since,
        )
        if not types & STATISTICAL or not portfolio.holdings:
            return figures, False
        frame, why = await self._frame({one.instrument for one in portfolio.holdings if one.qty})
        return msgspec.structs.replace(figures, returns=frame, no_returns=why), True

    async def _frame(self, instruments: set[str]) -> tuple[ReturnsFrame | None, str]:
        try:
            return await self._returns.frame(sorted(instruments)), ""
        except ProblemError as error:
            return None, f"returns cannot be read: {error.detail}"

    async def _adjust(self, portfolio: Portfolio) -> None:
        """Have limits tighten with volatility, and loosen again as far as they were set."""
        chosen = [limit for limit in self._limits.limits() if limit.auto_adjust is not None and limit.enabled]
        if not chosen:
            return
        named = {one.scope.partition(":")[2] for one in chosen if one.scope.startswith("instrument:")}
        frame, _ = await self._frame(named | {one.instrument for one in portfolio.holdings if one.qty})
        if frame is None:
            return  # what counts goes on counting
        scopes = {limit.scope for limit in chosen}
        known = await asyncio.to_thread(volatilities, portfolio, scopes, frame)
        for limit in chosen:
            volatility = known.get(limit.scope)
            due = None if volatility is None else adjust.due(limit, volatility)
            if due is not None:
                await self._limits.adjust(limit.id, due.effective, due.reason)

    # ------------------------------------------------------------ how it is

    def problems(self) -> list[str]:
        """Return what the daemon's health should tell."""
        found = [one for one in (self._alerts.problem, self.breaches.problem) if one is not None]
        if not self._wanted:
            found.append("the risk monitor is stopped")
        if self._failure is not None:
            found.append(f"the risk monitor fails: {self._failure}")
        return found

    def _state(self) -> tuple[_State, str | None]:
        if not self._wanted:
            return "stopped", f"by {self._stopped_by or 'a command before the daemon began'}"
        if self._failure is not None:
            return "failing", self._failure
        return ("running" if self._cycles else "starting"), None

    async def health(self) -> MonitorHealth:
        """Return whether limits are being checked."""
        levels = [status.level for status in self._statuses]
        reasons = dict.fromkeys(
            f"{one.limit.id}: {one.reason}" for one in self._statuses if one.level == "unknown"
        )
        notified = await asyncio.to_thread(
            lambda: {role: self._notifier.is_configured(role) for role in self._roles}
        )
        state, reason = self._state()
        return MonitorHealth(
            state=state,
            reason=reason,
            every_s=self._every_s,
            cycles=self._cycles,
            failures=self._failures,
            ts_cycle=self._ts_cycle,
            cycle_ms=round(self._took_ms, 3) if self._cycles else None,
            worst_ms=round(self._worst_ms, 3) if self._cycles else None,
            limits=len(levels),
            warning=levels.count("warn"),
            breached=levels.count("breached"),
            unknown=levels.count("unknown"),
            unknown_reasons=tuple(reasons)[:_SHOWN],
            open_breaches=len(self.breaches.open()),
            open_alerts=len(self._alerts.open()),
            holds=tuple(f"{one.engine} is {one.restriction}: {one.reason}" for one in self._holds.holds()),
            notified=notified,
            problems=(*self.problems(), *self._problems),
            ts=self._clock(),
        )
