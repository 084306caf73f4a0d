"""Answers about risk, performance and execution of a book, from what the daemon knows and keeps.

What takes more than a moment is computed in a thread; libraries of numbers are loaded by the first
question. This module must not know of HTTP or of formulas.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Sequence
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING, Final

from data.analytics import (
    AggregateAnswer,
    AnalyticsHealth,
    ComponentMethod,
    Dimension,
    ExecutionAnswer,
    ExposureAnswer,
    PerformanceAnswer,
    RiskMeasures,
    StrategyAnswer,
    StressAnswer,
)
from data.equity_store import EquityStore, VarDay
from data.problems import InvalidRequestError, NotFoundError, ProblemError
from data.records import OrderUpdate
from data.state import State
from nautilus_tui.daemon.risk import computing
from nautilus_tui.daemon.risk.accounts import PORTFOLIO, Account, Accounts
from nautilus_tui.daemon.risk.equity import EquityKeeper
from nautilus_tui.daemon.risk.executions import ExecutionSource
from nautilus_tui.daemon.risk.returns import ReturnsSource
from risk.portfolio import Portfolio

if TYPE_CHECKING:
    from apscheduler.schedulers.asyncio import AsyncIOScheduler

    from risk.frames import ReturnsFrame
    from risk.measures.book import Wanted

ORDERS: Final = 500  #: the latest that an execution summary is made of, unless told otherwise
DIMENSIONS: Final = ("engine", "instrument", "strategy", "sector", "day")

logger = logging.getLogger(__name__)


class Analytics:
    """Computes answers on demand.

    Args:
        state: Orders and fills.
        accounts: Gathers books.
        returns: Returns of instruments.
        equity: Equity as it was kept.
        executions: Orders with what was recorded around them.
        clock: UTC ns.
    """

    def __init__(
        self,
        *,
        state: State,
        accounts: Accounts,
        returns: ReturnsSource,
        equity: EquityKeeper,
        executions: ExecutionSource,
        clock: Callable[[], int] = time.time_ns,
    ) -> None:
        self._state = state
        self._store: EquityStore = state.equity
        self._accounts = accounts
        self._returns = returns
        self._equity = equity
        self._executions = executions
        self._clock = clock

    # ------------------------------------------------------------ risk

    async def risk(self, portfolio_id: str = PORTFOLIO, wanted: Wanted | None = None) -> RiskMeasures:
        """Return what a book risks: ``portfolio`` or an engine.

        Raises:
            NotFoundError: There is no such book.
            InvalidRequestError: A confidence, horizon or method makes no sense.
            StoreFailedError: The history or the store cannot be read.
        """
        portfolio = self._accounts.snapshot(portfolio_id)
        frame = await self._frame(portfolio_id, portfolio)
        history = [one for one in await self._store.var_days(portfolio_id) if one.basis == "1d"]
        closes = await self._equity.days(_engine(portfolio_id))
        return await asyncio.to_thread(
            computing.risk, portfolio_id, portfolio, frame, wanted, history, closes
        )

    async def wanted(
        self,
        methods: Sequence[str] | None,
        confidences: Sequence[float] | None,
        horizons: Sequence[int] | None,
        components: ComponentMethod = "normal",
    ) -> Wanted:
        """Return what is to be measured; None: as usual."""
        return await asyncio.to_thread(computing.wanted, methods, confidences, horizons, components)

    async def exposures(self, portfolio_id: str = PORTFOLIO) -> ExposureAnswer:
        """Return what a book is exposed to; raises as ``risk``."""
        portfolio = self._accounts.snapshot(portfolio_id)
        market = self._accounts.market(portfolio_id)
        frames = await self._market_frames(portfolio, market)
        spreads = self._accounts.half_spreads(portfolio)
        return await asyncio.to_thread(computing.exposures, portfolio_id, portfolio, frames, market, spreads)

    async def stress(
        self, portfolio_id: str = PORTFOLIO, shocks: Sequence[str] = (), scenario: str | None = None
    ) -> StressAnswer:
        """Return a book under every scenario, under one that is named, or under shocks given.

        Args:
            portfolio_id: ``portfolio`` or an engine.
            shocks: Such as ``equity=-0.2``; together they are one scenario of the user's own.
            scenario: The name of one.

        Raises:
            InvalidRequestError: A shock or scenario makes no sense.
            NotFoundError, StoreFailedError: As ``risk``.
        """
        chosen = await asyncio.to_thread(computing.scenarios, shocks, scenario)
        answer = await self.exposures(portfolio_id)
        return await asyncio.to_thread(computing.stress, answer, chosen)

    async def _frame(self, portfolio_id: str, portfolio: Portfolio) -> ReturnsFrame:
        instruments = [one.instrument for one in portfolio.holdings if one.qty]
        return await self._returns.frame(instruments, engine=_engine(portfolio_id))

    async def _market_frames(self, portfolio: Portfolio, market: str | None) -> dict[str, ReturnsFrame]:
        """Return the returns of the market and of what its beta is asked for, by the engine that holds it.

        Simulated and replayed engines have a market each: a beta to another one's says nothing.
        """
        held: dict[str, list[str]] = {}
        for one in portfolio.holdings:
            if one.qty and one.asset_class in ("equity", "index", "future"):
                held.setdefault(one.engine, []).append(one.instrument)
        if market is None:
            return {}
        return {
            engine: await self._returns.frame([market, *names], engine=engine)
            for engine, names in held.items()
        }

    # ------------------------------------------------------------ performance

    async def performance(
        self,
        portfolio_id: str = PORTFOLIO,
        *,
        benchmark: str | None = None,
        risk_free: float = 0.0,
        since: int = 0,
        rolling: int | None = None,
    ) -> PerformanceAnswer:
        """Return how a book did.

        Args:
            portfolio_id: ``portfolio`` or an engine.
            benchmark: An instrument to compare with.
            risk_free: Per year, a fraction.
            since: ns UTC; 0: from the beginning. Realised profit is of the fills since then; unrealised is
                since the positions were opened.
            rolling: Figures of so many returns at a time, too.

        Raises:
            InvalidRequestError: An argument makes no sense, or there are too few returns to roll over.
            NotFoundError, StoreFailedError: As ``risk``.
        """
        account = await self._accounts.account(portfolio_id)
        engine = account.engine
        fills = await self._accounts.fills(account)
        days = await self._equity.days(engine, since)
        minutes = await self._equity.series(engine, since)
        found = await asyncio.to_thread(computing.tracked, days, minutes)
        other: ReturnsFrame | None = None
        if benchmark is not None and found.basis is not None:
            other = await self._returns.frame([benchmark], engine=engine, basis=found.basis)
        asked = computing.Asked(
            benchmark=benchmark, risk_free=risk_free, rolling=rolling, since=since, ts=self._clock()
        )
        return await asyncio.to_thread(
            computing.performance, account, fills, days, minutes, found, asked, other
        )

    # ------------------------------------------------------------ execution

    async def execution(
        self, execution_id: str = PORTFOLIO, *, engine: str | None = None, limit: int = ORDERS
    ) -> ExecutionAnswer:
        """Return how one order was executed, or the latest orders of a book.

        Args:
            execution_id: ``portfolio``, an engine, or else a client order id.
            engine: Whose order, if several engines have one of that id.
            limit: How many of the latest orders a summary is made of.

        Raises:
            NotFoundError: There is no such order or book.
            ConflictError: Several engines have an order of that id.
            StoreFailedError: The history or the store cannot be read.
        """
        if execution_id == PORTFOLIO or execution_id in self._accounts.engines(PORTFOLIO):
            account = await self._accounts.account(execution_id)
            orders = await self._accounts.orders(account, limit)
            notes = [f"of the latest {limit:,} orders"] if len(orders) == limit else []
        else:
            order = await self._state.order(execution_id, engine)
            account = await self._accounts.account(order.engine)
            orders, notes = [order], []
        return await self._executed(execution_id, account, orders, notes)

    async def _executed(
        self, name: str, account: Account, orders: Sequence[OrderUpdate], notes: list[str]
    ) -> ExecutionAnswer:
        facts = await self._executions.facts(orders, account.terms, account.rate_of)
        if len(facts) < len(orders):
            missing = {one.instrument for one in orders} - account.terms.keys()
            notes = [
                *notes,
                f"orders in {', '.join(sorted(missing))} are left out: their terms are not known",
            ]
        return await asyncio.to_thread(computing.summary, name, facts, self._clock(), notes)

    # ------------------------------------------------------------ strategies and sums

    async def strategy(self, strategy_id: str) -> StrategyAnswer:
        """Return what one strategy did, over all engines.

        Raises:
            NotFoundError: No order is known to be of that strategy.
            StoreFailedError: The history or the store cannot be read.
        """
        account = await self._accounts.account(PORTFOLIO)
        fills = await self._accounts.fills(account)
        orders = await self._accounts.orders(account, ORDERS, strategy_id)
        mine = [one for one in fills if one.strategy == strategy_id]
        if not orders and not mine:
            known = sorted({one.strategy for one in fills if one.strategy is not None})
            raise NotFoundError(
                f"no orders of a strategy {strategy_id!r} are known",
                rule="a strategy is known by its orders",
                fix=f"one of {', '.join(known)}" if known else "let a strategy send an order first",
                strategy_id=strategy_id,
            )
        execution = await self._executed(strategy_id, account, orders, [])
        return await asyncio.to_thread(
            computing.strategy, strategy_id, account, mine, execution, self._clock()
        )

    async def aggregate(
        self,
        by: Sequence[Dimension],
        *,
        engine: str | None = None,
        instrument: str | None = None,
        start: int | None = None,
        end: int | None = None,
    ) -> AggregateAnswer:
        """Return fills summed up by dimensions, those with ``start <= ts < end``.

        What a fill realised depends on the fills before it, which are taken into account.

        Raises:
            InvalidRequestError: A dimension is named twice or none is.
            NotFoundError: There is no such engine.
        """
        if not by or len(set(by)) != len(by):
            raise InvalidRequestError(
                "fills are summed up by one or more different dimensions",
                rule=f"some of {', '.join(DIMENSIONS)}",
                field="by",
            )
        account = await self._accounts.account(engine or PORTFOLIO)
        fills = await self._accounts.fills(account)
        return await asyncio.to_thread(
            computing.aggregate, account, fills, tuple(by), instrument, (start, end), self._clock()
        )

    # ------------------------------------------------------------ health and the day's end

    async def health(self) -> AnalyticsHealth:
        """Return whether there is anything to compute from."""
        days = await self._store.days()
        counts: dict[str, int] = {}
        for one in days:
            counts[one.engine] = counts.get(one.engine, 0) + 1
        problems = [] if self._equity.problem is None else [self._equity.problem]
        if not days:
            problems.append("no equity is kept yet: it is sampled every minute from running engines")
        return AnalyticsHealth(
            ok=self._equity.problem is None,
            engines=tuple(sorted(counts)),
            days=max(counts.values(), default=0),
            ts_sample=max((one.ts for one in days), default=None),
            fills=await self._state.count_fills(),
            problems=tuple(problems),
            ts=self._clock(),
        )

    def plan(self, scheduler: AsyncIOScheduler) -> None:
        """Keep every book's VaR at the end of each UTC day."""
        from apscheduler.triggers.cron import CronTrigger  # loaded with the scheduler

        scheduler.add_job(
            self.keep_var,
            CronTrigger(hour=23, minute=55, timezone="UTC"),
            id="value at risk of the day",
            max_instances=1,
            coalesce=True,
            misfire_grace_time=240,
        )

    async def keep_var(self) -> None:
        """Keep the VaR of every book as it stands now: the history that capital is computed from."""
        day = datetime.fromtimestamp(self._clock() // 1_000_000_000, UTC).date()
        for name in [PORTFOLIO, *self._accounts.engines(PORTFOLIO)]:
            try:
                found = await self.risk(name)
            except ProblemError as error:
                logger.warning("value at risk of %s is not kept: %s", name, error.detail)
                continue
            told = _var_day(name, found, day)
            if told is not None:
                await self._store.put_var([told])


def _engine(portfolio_id: str) -> str | None:
    return None if portfolio_id == PORTFOLIO else portfolio_id


def _var_day(name: str, found: RiskMeasures, day: date) -> VarDay | None:
    """Return what is kept of a day; None if its VaR or equity is not known."""
    row = next(
        (
            one
            for one in found.measures
            if one.method == "historical" and one.confidence == 0.99 and one.horizon == 1
        ),
        None,
    )
    if row is None or row.var_money is None or found.equity is None or found.basis is None:
        return None
    return VarDay(
        book=name,
        day=day,
        var_99=float(row.var_money),
        es_975_10d=next((one.value for one in found.capital if one.name == "expected_shortfall_97_5"), None),
        equity=found.equity,
        currency=found.currency,
        basis=found.basis,
        synthetic=found.synthetic,
    )
