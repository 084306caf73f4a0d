"""Routes of the economy: series, factors, regime, yield curve, calendar.

This module must not know where the facts come from.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

from litestar.params import Parameter

from data.commands import Outcome, RefreshProviders
from data.facts import ProviderHealth
from data.macro import (
    FactorHistory,
    MacroFactor,
    MacroRegime,
    Observation,
    RegimeScore,
    ReleaseDate,
    Series,
    SeriesInfo,
    YieldCurve,
)
from data.paging import Page
from nautilus_tui.daemon.api.answers import Answer, AnyRequest, context_of, told
from nautilus_tui.daemon.api.asked import (
    AsOf,
    End,
    FactorId,
    Few,
    SeriesId,
    Start,
    known_then,
    named,
    span,
    window,
)
from nautilus_tui.daemon.api.commands import through_the_door
from nautilus_tui.daemon.api.describe import OF_PROVIDERS, route
from nautilus_tui.daemon.api.parameters import Cursor

if TYPE_CHECKING:  # slow to load, and not needed to start
    from providers.fred.client import Fred

_TAG = "Economy (FRED)"
_BASE = "/api/v1/fred"
#: As many series as a search at FRED tells of.
_MOST_FOUND = 1000

Text = Annotated[str, Parameter(description="words to look for")]
SearchLimit = Annotated[int, Parameter(ge=1, le=_MOST_FOUND, description="items a page holds at most")]
Years = Annotated[int, Parameter(ge=1, le=100, description="how far back")]
DaysAhead = Annotated[int, Parameter(ge=0, le=366, description="how far ahead")]
DaysBack = Annotated[int, Parameter(ge=0, le=366, description="how far back")]
Horizon = Annotated[
    int, Parameter(ge=1, le=60, description="months within which a recession counts as foretold")
]
Threshold = Annotated[float, Parameter(gt=0, lt=1, description="the probability from which it is a signal")]


async def _fred(request: AnyRequest) -> Fred:
    """Return whom to ask; raises NotConfiguredError if that makes no sense."""
    fred = (await context_of(request).research.providers.desk()).fred
    fred.http.require_configured()
    return fred


@route("GET", f"{_BASE}/health", returns=ProviderHealth, tag=_TAG, problems=OF_PROVIDERS)
async def fred_health(request: AnyRequest) -> Answer:
    """Return how FRED is, without asking it."""
    return await told(request, await context_of(request).research.health.provider("fred"))


# ---------------------------------------------------------------- series


@route("GET", f"{_BASE}/series", returns=Page[SeriesInfo], tag=_TAG, problems=OF_PROVIDERS)
async def fred_series_catalogue(request: AnyRequest) -> Answer:
    """Return the series that the factors are made of."""
    desk = await context_of(request).research.providers.desk()
    return await told(request, Page(desk.fred.catalogue()))


@route("GET", f"{_BASE}/series/{{series_id:str}}", returns=Series, tag=_TAG, problems=OF_PROVIDERS)
async def fred_series(
    request: AnyRequest, series_id: SeriesId, as_of: AsOf = None, start: Start = None, end: End = None
) -> Answer:
    """Return a series with its observations, as it was known on a date if one is given."""
    span(start, end)
    fred = await _fred(request)
    series = await fred.series(named("series_id", series_id), as_of=known_then(as_of), start=start, end=end)
    return await told(request, series)


@route(
    "GET", f"{_BASE}/series/{{series_id:str}}/latest", returns=Observation, tag=_TAG, problems=OF_PROVIDERS
)
async def fred_series_latest(request: AnyRequest, series_id: SeriesId, as_of: AsOf = None) -> Answer:
    """Return a series' latest observation that has a value."""
    fred = await _fred(request)
    return await told(request, await fred.latest(named("series_id", series_id), as_of=known_then(as_of)))


@route("GET", f"{_BASE}/search", returns=Page[SeriesInfo], tag=_TAG, problems=OF_PROVIDERS)
async def fred_search(
    request: AnyRequest, text: Text, limit: SearchLimit = 20, cursor: Cursor = None
) -> Answer:
    """Return series that match a text, best first."""
    wanted = window(limit, cursor)
    found = await (await _fred(request)).search(named("text", text), limit=min(wanted.end, _MOST_FOUND))
    return await told(request, wanted.of(found))


# ---------------------------------------------------------------- factors and regime


async def _factors(request: AnyRequest, as_of: AsOf) -> Answer:
    factors = await (await _fred(request)).factors(as_of=known_then(as_of))
    context_of(request).research.keeper.factors(factors)
    return await told(request, Page(factors))


@route("GET", f"{_BASE}/macro-factors", returns=Page[MacroFactor], tag=_TAG, problems=OF_PROVIDERS)
async def fred_macro_factors(request: AnyRequest, as_of: AsOf = None) -> Answer:
    """Return every macro factor; one that cannot be had says why, and the others stand."""
    return await _factors(request, as_of)


@route(
    "GET",
    "/api/v1/nautilus-data/fred/macro-factors",
    returns=Page[MacroFactor],
    tag=_TAG,
    problems=OF_PROVIDERS,
)
async def data_macro_factors(request: AnyRequest, as_of: AsOf = None) -> Answer:
    """Return every macro factor; the same as under /api/v1/fred."""
    return await _factors(request, as_of)


@route(
    "GET",
    f"{_BASE}/macro-factors/{{factor_id:str}}/history",
    returns=FactorHistory,
    tag=_TAG,
    problems=OF_PROVIDERS,
)
async def fred_factor_history(
    request: AnyRequest, factor_id: FactorId, years: Years = 10, as_of: AsOf = None
) -> Answer:
    """Return a factor over the last years, oldest first, with the recessions of that time."""
    fred = await _fred(request)
    history = await fred.factor_history(named("factor_id", factor_id), years=years, as_of=known_then(as_of))
    return await told(request, history)


@route(
    "GET",
    f"{_BASE}/macro-factors/{{factor_id:str}}/stored",
    returns=Page[MacroFactor],
    tag=_TAG,
    problems=OF_PROVIDERS,
)
async def fred_factor_stored(
    request: AnyRequest, factor_id: FactorId, limit: Few = 400, cursor: Cursor = None
) -> Answer:
    """Return what was told of a factor, one a day, latest first; from the store, nobody is asked."""
    research = context_of(request).research
    await research.keeper.settled()
    source, wanted = research.providers.source("fred"), window(limit, cursor)
    return await told(request, wanted.of(await research.knowledge.factors(source, factor_id, wanted.end)))


@route("GET", f"{_BASE}/regime", returns=MacroRegime, tag=_TAG, problems=OF_PROVIDERS)
async def fred_regime(request: AnyRequest, as_of: AsOf = None) -> Answer:
    """Return growth × inflation and the recession probability, with the rule they are computed by."""
    regime = await (await _fred(request)).regime(as_of=known_then(as_of))
    context_of(request).research.keeper.regime(regime)
    return await told(request, regime)


@route("GET", f"{_BASE}/regime/stored", returns=Page[MacroRegime], tag=_TAG, problems=OF_PROVIDERS)
async def fred_regime_stored(request: AnyRequest, limit: Few = 400, cursor: Cursor = None) -> Answer:
    """Return the regimes that were told, one a day, latest first; from the store, nobody is asked."""
    research = context_of(request).research
    await research.keeper.settled()
    source, wanted = research.providers.source("fred"), window(limit, cursor)
    return await told(request, wanted.of(await research.knowledge.regimes(source, wanted.end)))


@route("GET", f"{_BASE}/score", returns=RegimeScore, tag=_TAG, problems=OF_PROVIDERS)
async def fred_score(request: AnyRequest, horizon_months: Horizon = 12, threshold: Threshold = 0.5) -> Answer:
    """Return how well the recession probability would have done against what was a recession."""
    fred = await _fred(request)
    return await told(request, await fred.score(horizon_months=horizon_months, threshold=threshold))


# ---------------------------------------------------------------- curve and calendar


@route("GET", f"{_BASE}/yield-curve", returns=Page[YieldCurve], tag=_TAG, problems=OF_PROVIDERS)
async def fred_yield_curve(request: AnyRequest, as_of: AsOf = None) -> Answer:
    """Return the yield curve now, a month ago and a year ago."""
    return await told(request, Page(await (await _fred(request)).yield_curves(as_of=known_then(as_of))))


@route("GET", f"{_BASE}/economic-calendar", returns=Page[ReleaseDate], tag=_TAG, problems=OF_PROVIDERS)
async def fred_economic_calendar(
    request: AnyRequest, days_ahead: DaysAhead = 14, days_back: DaysBack = 0
) -> Answer:
    """Return the releases of the days ahead, earliest first."""
    fred = await _fred(request)
    return await told(request, Page(await fred.calendar(days_ahead=days_ahead, days_back=days_back)))


@route("POST", f"{_BASE}/cache/refresh", returns=Outcome, tag=_TAG, role="trader")
async def fred_refresh(request: AnyRequest) -> Answer:
    """Let no kept answer of FRED count as fresh, and ask anew for factors and regime."""
    return await through_the_door(request, RefreshProviders(provider="fred"))


HANDLERS = [
    fred_health,
    fred_series_catalogue,
    fred_series,
    fred_series_latest,
    fred_search,
    fred_macro_factors,
    data_macro_factors,
    fred_factor_history,
    fred_factor_stored,
    fred_regime,
    fred_regime_stored,
    fred_score,
    fred_yield_curve,
    fred_economic_calendar,
    fred_refresh,
]
