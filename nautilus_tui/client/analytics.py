"""Questions about risk measures, stress, performance and execution, typed.

This module must not know of connections.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from typing import Any, Literal

from data.analytics import (
    AggregateAnswer,
    AnalyticsHealth,
    Dimension,
    ExecutionAnswer,
    ExposureAnswer,
    PerformanceAnswer,
    RiskMeasures,
    StrategyAnswer,
    StressAnswer,
)
from nautilus_tui.client.paths import level

_PORTFOLIO = "portfolio"
_UNITS = {"rates": "bp", "volatility": "x", "liquidity": "x"}


class AnalyticsQuestions(ABC):
    """What can be asked about a book: ``portfolio`` is all engines together, else an engine's id."""

    @abstractmethod
    async def _ask[T](self, path: str, type_: type[T], **params: Any) -> T:
        """Return one record."""

    @abstractmethod
    async def _ask_with[T](self, path: str, type_: type[T], body: Mapping[str, Any]) -> T:
        """Return the record that a question with a body is answered with."""

    async def analytics_health(self) -> AnalyticsHealth:
        """Return whether there is anything to compute from."""
        return await self._ask("/analytics/health", AnalyticsHealth)

    async def risk_measures(
        self,
        portfolio: str = _PORTFOLIO,
        *,
        method: str | Sequence[str] | None = None,
        confidence: float | Sequence[float] | None = None,
        horizon: int | Sequence[int] | None = None,
        components: Literal["normal", "historical", "monte_carlo"] = "normal",
    ) -> RiskMeasures:
        """Return VaR and expected shortfall of a book; all methods at 95 and 99 %, 1 and 10 days as usual."""
        return await self._ask(
            "/risk/measures",
            RiskMeasures,
            portfolio=portfolio,
            method=_several(method),
            confidence=_several(confidence),
            horizon=_several(horizon),
            components=components,
        )

    async def stress(
        self,
        portfolio: str = _PORTFOLIO,
        *,
        shocks: Sequence[str] | Mapping[str, float] = (),
        scenario: str | None = None,
    ) -> StressAnswer:
        """Return a book under every scenario, under one, or under shocks.

        Args:
            portfolio: Whose.
            shocks: As text (``equity=-0.2``, ``rates=+100bp``), or sizes by factor: fractions of prices,
                basis points of rates, multiples of volatility and liquidity.
            scenario: The name of one.
        """
        texts = [_shock(*one) for one in shocks.items()] if isinstance(shocks, Mapping) else list(shocks)
        return await self._ask(
            "/risk/stress", StressAnswer, portfolio=portfolio, scenario=scenario, shock=texts or None
        )

    async def exposures(self, portfolio: str = _PORTFOLIO) -> ExposureAnswer:
        """Return what a book is exposed to."""
        return await self._ask("/risk/exposures", ExposureAnswer, portfolio=portfolio)

    async def performance(
        self,
        portfolio: str = _PORTFOLIO,
        *,
        benchmark: str | None = None,
        risk_free: float = 0.0,
        start: str | None = None,
        rolling: int | None = None,
    ) -> PerformanceAnswer:
        """Return how a book did, against an instrument if one is named; ``start`` is an ISO time."""
        return await self._ask(
            f"/analytics/performance/{level('portfolio', portfolio)}",
            PerformanceAnswer,
            benchmark=benchmark,
            risk_free=risk_free,
            start=start,
            rolling=rolling,
        )

    async def execution(
        self, execution: str = _PORTFOLIO, *, engine: str | None = None, orders: int | None = None
    ) -> ExecutionAnswer:
        """Return how an order was executed (its client order id), or the latest orders of a book."""
        return await self._ask(
            f"/analytics/execution/{level('execution', execution)}",
            ExecutionAnswer,
            engine=engine,
            orders=orders,
        )

    async def strategy_analytics(self, strategy: str) -> StrategyAnswer:
        """Return what one strategy did."""
        return await self._ask(f"/analytics/strategy/{level('strategy', strategy)}", StrategyAnswer)

    async def aggregate(
        self,
        by: Sequence[Dimension],
        *,
        engine: str | None = None,
        instrument: str | None = None,
        start: str | None = None,
        end: str | None = None,
    ) -> AggregateAnswer:
        """Return fills summed up by dimensions; ``start`` and ``end`` are ISO times."""
        body = {"by": list(by), "engine": engine, "instrument": instrument, "start": start, "end": end}
        return await self._ask_with("/analytics/aggregate", AggregateAnswer, body)


def _several[T](given: T | Sequence[T] | None) -> list[T] | None:
    if given is None:
        return None
    if isinstance(given, str) or not isinstance(given, Sequence):
        return [given]  # a text is one thing, not many letters
    return list(given)


def _shock(factor: str, size: float) -> str:
    return f"{factor}={size:+.10f}{_UNITS.get(factor.partition(':')[0], '')}"
