"""Routes of analytics: risk measures, stress, exposures, performance, execution, sums of fills.

This module must not know how a figure is computed.
"""

from __future__ import annotations

from typing import Annotated

from litestar.params import Parameter, PathParameter

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
from nautilus_tui.daemon.api.answers import Answer, AnyRequest, context_of, told
from nautilus_tui.daemon.api.asked import moments
from nautilus_tui.daemon.api.bodies import Body, read
from nautilus_tui.daemon.api.describe import route
from nautilus_tui.daemon.api.parameters import Engine
from nautilus_tui.daemon.risk.analytics import ORDERS

_TAG = "Analytics"
_RISK = "Risk"

PortfolioId = Annotated[str, PathParameter(description="portfolio (all engines), or an engine's id")]
ExecutionId = Annotated[
    str, PathParameter(description="an order's client order id; portfolio or an engine's id for a summary")
]
StrategyId = Annotated[str, PathParameter(description="the strategy's id, as orders carry it")]
Methods = Annotated[
    list[str] | None, Parameter(description="historical, normal, student … ; repeated; all if left out")
]
Confidences = Annotated[list[float] | None, Parameter(description="between 0.5 and 1; repeated")]
Horizons = Annotated[list[int] | None, Parameter(description="days, 1 to 22; repeated")]
Components = Annotated[ComponentMethod, Parameter(description="how the figure is shared out by position")]
Book = Annotated[str | None, Parameter(description="portfolio, or an engine's id")]


class AggregateBody(Body, frozen=True, kw_only=True):
    """Which fills to sum up, and by what."""

    by: tuple[Dimension, ...]
    engine: str | None = None
    instrument: str | None = None
    start: str | None = None  #: ISO 8601; None: from the beginning
    end: str | None = None  #: before this


@route("GET", "/api/v1/analytics/health", returns=AnalyticsHealth, tag=_TAG)
async def analytics_health(request: AnyRequest) -> Answer:
    """Return whether there is anything to compute from: equity kept, fills."""
    return await told(request, await context_of(request).risk.analytics.health())


@route("GET", "/api/v1/analytics/performance/{portfolio_id:str}", returns=PerformanceAnswer, tag=_TAG)
async def get_performance(
    request: AnyRequest,
    portfolio_id: PortfolioId,
    benchmark: Annotated[str | None, Parameter(description="an instrument, e.g. SPY.SIM")] = None,
    risk_free: Annotated[float, Parameter(ge=-1, le=10, description="per year, a fraction")] = 0.0,
    start: Annotated[str | None, Parameter(description="ISO 8601; from the beginning if left out")] = None,
    rolling: Annotated[
        int | None, Parameter(ge=2, le=100_000, description="figures of so many returns at a time, too")
    ] = None,
) -> Answer:
    """Return how a book did: every metric, profit by strategy, instrument, sector, engine and day."""
    (since,) = moments(start=start)
    found = await context_of(request).risk.analytics.performance(
        portfolio_id,
        benchmark=benchmark,
        risk_free=risk_free,
        since=0 if since is None else since,
        rolling=rolling,
    )
    return await told(request, found)


@route("GET", "/api/v1/analytics/risk/{portfolio_id:str}", returns=RiskMeasures, tag=_TAG)
async def get_risk(
    request: AnyRequest,
    portfolio_id: PortfolioId,
    method: Methods = None,
    confidence: Confidences = None,
    horizon: Horizons = None,
    components: Components = "normal",
) -> Answer:
    """Return VaR and expected shortfall of a book, shared out by position, and its Basel figures."""
    return await _measured(request, portfolio_id, method, confidence, horizon, components)


@route("GET", "/api/v1/risk/measures", returns=RiskMeasures, tag=_RISK)
async def get_measures(
    request: AnyRequest,
    portfolio: Book = None,
    method: Methods = None,
    confidence: Confidences = None,
    horizon: Horizons = None,
    components: Components = "normal",
) -> Answer:
    """Return VaR and expected shortfall of the portfolio, or of one engine."""
    return await _measured(request, portfolio or "portfolio", method, confidence, horizon, components)


async def _measured(
    request: AnyRequest,
    name: str,
    method: list[str] | None,
    confidence: list[float] | None,
    horizon: list[int] | None,
    components: ComponentMethod,
) -> Answer:
    analytics = context_of(request).risk.analytics
    wanted = await analytics.wanted(method, confidence, horizon, components)
    return await told(request, await analytics.risk(name, wanted))


@route("GET", "/api/v1/risk/stress", returns=StressAnswer, tag=_RISK)
async def get_stress(
    request: AnyRequest,
    portfolio: Book = None,
    scenario: Annotated[str | None, Parameter(description="one scenario; all if left out")] = None,
    shock: Annotated[
        list[str] | None,
        Parameter(description="equity=-0.2, rates=+100bp, volatility=2x …; repeated, together one scenario"),
    ] = None,
) -> Answer:
    """Return what a book gains or loses under every scenario, by position and factor, or under one's own."""
    found = await context_of(request).risk.analytics.stress(
        portfolio or "portfolio", tuple(shock or ()), scenario
    )
    return await told(request, found)


@route("GET", "/api/v1/risk/exposures", returns=ExposureAnswer, tag=_RISK)
async def get_exposures(request: AnyRequest, portfolio: Book = None) -> Answer:
    """Return what a book is exposed to, by position and summed up."""
    return await told(request, await context_of(request).risk.analytics.exposures(portfolio or "portfolio"))


@route("GET", "/api/v1/analytics/strategy/{strategy_id:str}", returns=StrategyAnswer, tag=_TAG)
async def get_strategy(request: AnyRequest, strategy_id: StrategyId) -> Answer:
    """Return what one strategy did: profit by instrument, round trips, execution of its orders."""
    return await told(request, await context_of(request).risk.analytics.strategy(strategy_id))


@route("GET", "/api/v1/analytics/execution/{execution_id:str}", returns=ExecutionAnswer, tag=_TAG)
async def get_execution(
    request: AnyRequest,
    execution_id: ExecutionId,
    engine: Engine = None,
    orders: Annotated[
        int, Parameter(ge=1, le=5_000, description="a summary is of the latest so many orders")
    ] = ORDERS,
) -> Answer:
    """Return how one order was executed, or the orders of an engine or of all."""
    found = await context_of(request).risk.analytics.execution(execution_id, engine=engine, limit=orders)
    return await told(request, found)


@route("POST", "/api/v1/analytics/aggregate", returns=AggregateAnswer, body=AggregateBody, tag=_TAG)
async def aggregate_fills(request: AnyRequest) -> Answer:
    """Sum fills up by engine, instrument, strategy, sector or day: traded value, commission, realised."""
    body = await read(request, AggregateBody)
    start, end = moments(start=body.start, end=body.end)
    found = await context_of(request).risk.analytics.aggregate(
        body.by,
        engine=body.engine,
        instrument=body.instrument,
        start=start,
        end=end,
    )
    return await told(request, found)


HANDLERS = [
    analytics_health,
    get_performance,
    get_risk,
    get_measures,
    get_stress,
    get_exposures,
    get_strategy,
    get_execution,
    aggregate_fills,
]
