"""Gathers what a report is made from: only what its type needs, and of what cannot be had, why.

This module must not know what a report looks like.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import TYPE_CHECKING, Any, Final

from data.breach_store import BreachStore
from data.equity_store import EquityStore
from data.limits import Breach, LimitChange, LimitStatus
from data.problems import ProblemError
from data.records import EngineStatus
from data.reports import ReportType
from data.use_store import MINUTE_NS
from data.use_summary import UseHistory, UseSummary
from nautilus_tui.daemon.risk.accounts import PORTFOLIO, Accounts
from nautilus_tui.daemon.risk.analytics import Analytics
from nautilus_tui.daemon.risk.equity import EquityKeeper
from nautilus_tui.daemon.risk.returns import ReturnsSource

if TYPE_CHECKING:
    from risk.reports.facts import Need, ReportFacts

_DAY_NS: Final = 1440 * MINUTE_NS
_PAGE: Final = 1000
#: What facts come from, as a report says it.
_SOURCES: Final[dict[str, str]] = {
    "limits": "Use of limits: judged as the report was made, by the monitor's own rules.",
    "breaches": "Breaches: the monitor's record.",
    "changes": "Changes of limits: the book of limits.",
    "use": "Use over time: kept minute by minute by the monitor.",
    "risk": "Measures: returns of recorded and imported bars.",
    "stress": "Stress: the present positions; the shocks' sources are beside them.",
    "performance": "Equity: sampled every minute from engines' accounts; profit: their fills.",
    "execution": "Execution: orders, fills and recorded quotes and trades.",
    "frame": "Returns: recorded and imported bars.",
    "days": "Equity by day: the last sample of each UTC day.",
    "var_days": "VaR of record: kept at the end of each UTC day.",
}


class FactGatherer:
    """Gathers facts.

    Args:
        accounts: Books as they stand.
        analytics: Answers about them.
        returns: Returns of what is held.
        equity: Equity as it was kept.
        days: The store of what VaR was.
        breaches: The store of breaches.
        use: Use of limits over time.
        judge: Judges all limits now.
        pending: Changes of limits that wait.
        engines: Engines as they are.
        clock: UTC ns.
    """

    def __init__(
        self,
        *,
        accounts: Accounts,
        analytics: Analytics,
        returns: ReturnsSource,
        equity: EquityKeeper,
        days: EquityStore,
        breaches: BreachStore,
        use: UseSummary,
        judge: Callable[[], Awaitable[Sequence[LimitStatus]]],
        pending: Callable[[], Sequence[LimitChange]],
        engines: Callable[[], Sequence[EngineStatus]],
        clock: Callable[[], int],
    ) -> None:
        self._accounts = accounts
        self._analytics = analytics
        self._returns = returns
        self._equity = equity
        self._days = days
        self._breaches = breaches
        self._use = use
        self._judge = judge
        self._pending = pending
        self._engines = engines
        self._clock = clock

    async def gather(self, kind: ReportType, portfolio_id: str = PORTFOLIO) -> ReportFacts:
        """Return the facts of a type for a book; raises NotFoundError for one that is not known."""
        from risk.reports.facts import DAYS_BACK, NEEDS, ReportFacts

        portfolio = self._accounts.snapshot(portfolio_id)
        now, back = self._clock(), DAYS_BACK[kind]
        start = 0 if back is None else now - back * _DAY_NS
        engine = None if portfolio_id == PORTFOLIO else portfolio_id
        held = [one.instrument for one in portfolio.holdings if one.qty]
        asked: dict[Need, Callable[[], Awaitable[Any]]] = {
            "limits": lambda: self._limits(engine),
            "breaches": lambda: self._breached(engine, start),
            "changes": lambda: self._changes(engine),
            "use": lambda: self._used(start, engine),
            "risk": lambda: self._analytics.risk(portfolio_id),
            "exposures": lambda: self._analytics.exposures(portfolio_id),
            "stress": lambda: self._analytics.stress(portfolio_id),
            "performance": lambda: self._analytics.performance(portfolio_id, since=start),
            "execution": lambda: self._analytics.execution(portfolio_id),
            "frame": lambda: self._returns.frame(held, engine=engine),
            "days": lambda: self._equity.days(engine),
            "var_days": lambda: self._var_days(portfolio_id),
        }
        found: dict[str, Any] = {}
        reasons: dict[str, str] = {}
        for need in sorted(NEEDS[kind]):
            try:
                found[need] = await asked[need]()
            except ProblemError as error:
                reasons[need] = error.detail
        engines = ", ".join(self._accounts.engines(portfolio_id)) or "none"
        return ReportFacts(
            portfolio_id=portfolio_id,
            as_of=now,
            start=start or None,
            environment=self._environment(portfolio_id),
            portfolio=portfolio,
            reasons=reasons,
            sources=(
                f"Positions and accounts: engines {engines}, at their latest marks.",
                *(_SOURCES[need] for need in _SOURCES if need in found),
            ),
            **found,
        )

    def _environment(self, portfolio_id: str) -> str:
        mine = set(self._accounts.engines(portfolio_id))
        found = {status.environment for status in self._engines() if status.id in mine}
        return " + ".join(sorted(found)) or "NO ENGINE"

    async def _limits(self, engine: str | None) -> tuple[LimitStatus, ...]:
        found = await self._judge()
        return tuple(one for one in found if engine is None or one.limit.scope == f"engine:{engine}")

    async def _changes(self, engine: str | None) -> tuple[LimitChange, ...]:
        return tuple(
            one for one in self._pending() if engine is None or f":engine:{engine}:" in f"{one.limit_id}"
        )

    async def _breached(self, engine: str | None, start: int) -> tuple[Breach, ...]:
        """Return the breaches that were open at any time from ``start`` on."""
        found: list[Breach] = []
        cursor: str | None = None
        while True:
            page = await self._breaches.page_of_breaches(limit=_PAGE, cursor=cursor)
            found += [
                one
                for one in page.items
                if (one.ts_resolved is None or one.ts_resolved >= start)
                and (engine is None or one.scope == f"engine:{engine}")
            ]
            cursor = page.next
            if cursor is None:
                return tuple(found)

    async def _used(self, start: int, engine: str | None) -> UseHistory:
        scope = None if engine is None else f"engine:{engine}"
        return await self._use.history(start // MINUTE_NS, scope=scope)

    async def _var_days(self, portfolio_id: str) -> tuple[Any, ...]:
        return tuple(one for one in await self._days.var_days(portfolio_id) if one.basis == "1d")
