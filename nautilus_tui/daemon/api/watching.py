"""Routes of what the daemon itself looks after: sources' health, what is due, whose filings are watched.

Nobody is asked for health or for what is stored. This module must not know how any of it is done.
"""

from __future__ import annotations

import datetime as dt
from typing import Annotated

from litestar.params import Parameter

from data.commands import Outcome, RefreshProviders, UnwatchCompany, WatchCompany
from data.companies import CompanyFact, Filing, View, WatchedCompany
from data.facts import DataHealth
from data.forms import day_of
from data.fundamentals import Due
from data.paging import Page
from nautilus_tui.daemon.api.answers import Answer, AnyRequest, answer, context_of
from nautilus_tui.daemon.api.asked import Cik, Few, Ticker, cik_of, page_of, window
from nautilus_tui.daemon.api.bodies import Body, read
from nautilus_tui.daemon.api.commands import through_the_door
from nautilus_tui.daemon.api.describe import route
from nautilus_tui.daemon.api.parameters import Cursor, Limit

_DATA, _EDGAR = "Sources of data", "Companies (EDGAR)"

Days = Annotated[int, Parameter(ge=1, le=3660, description="how far back")]
Metric = Annotated[str | None, Parameter(description="one figure, e.g. revenue")]
AsFiled = Annotated[View, Parameter(description="as first filed, or as last restated")]


class RefreshBody(Body, frozen=True, kw_only=True):
    """Which provider to ask anew; without a name those whose requests are not counted by the day."""

    provider: str | None = None


class WatchBody(Body, frozen=True, kw_only=True):
    """Whose new filings to tell."""

    ticker: str


@route("GET", "/api/v1/nautilus-data/health", returns=DataHealth, tag=_DATA)
async def data_health(request: AnyRequest) -> Answer:
    """Return how every source of data is: providers of facts and engines' feeds; none is asked."""
    return answer(request, await context_of(request).research.health.now())


@route("GET", "/api/v1/nautilus-data/due", returns=Due, tag=_DATA)
async def data_due(request: AnyRequest) -> Answer:
    """Return what is due for what is held or watched, earliest first, and what could not be found out."""
    return answer(request, await context_of(request).research.due.now())


@route(
    "POST",
    "/api/v1/nautilus-data/refresh",
    returns=Outcome,
    body=RefreshBody,
    body_required=False,
    tag=_DATA,
    role="trader",
)
async def data_refresh(request: AnyRequest) -> Answer:
    """Let kept answers count as old and ask anew for what is shown."""
    body = await read(request, RefreshBody)
    return await through_the_door(request, RefreshProviders(provider=body.provider))


# ---------------------------------------------------------------- filings


@route("GET", "/api/v1/edgar/watch", returns=Page[WatchedCompany], tag=_EDGAR)
async def edgar_watch_list(request: AnyRequest) -> Answer:
    """Return whose new filings are looked for: what is held, and what somebody asked to watch."""
    return answer(request, Page(await context_of(request).research.filings.companies()))


@route("POST", "/api/v1/edgar/watch", returns=Outcome, body=WatchBody, tag=_EDGAR, role="trader")
async def edgar_watch(request: AnyRequest) -> Answer:
    """Tell of a company's new filings from now on."""
    body = await read(request, WatchBody)
    return await through_the_door(request, WatchCompany(ticker=body.ticker))


@route("DELETE", "/api/v1/edgar/watch/{ticker:str}", returns=Outcome, tag=_EDGAR, role="trader")
async def edgar_unwatch(request: AnyRequest, ticker: Ticker) -> Answer:
    """Tell of a company's new filings no longer, unless it is held."""
    return await through_the_door(request, UnwatchCompany(ticker=ticker))


@route("GET", "/api/v1/edgar/filings", returns=Page[Filing], tag=_EDGAR)
async def edgar_stored_filings(
    request: AnyRequest, days: Days = 30, limit: Few = 100, cursor: Cursor = None
) -> Answer:
    """Return the stored filings of what is held or watched, latest first; nobody is asked."""
    context = context_of(request)
    research = context.research
    ciks = [one.cik for one in await research.filings.companies() if one.cik is not None]
    since = day_of(context.clock()) - dt.timedelta(days=days)
    await research.keeper.settled()
    filings = await research.knowledge.filings_since(research.filings.source, ciks, since)
    return answer(request, page_of(filings, limit, cursor))


@route("GET", "/api/v1/edgar/companies/{cik:str}/facts/stored", returns=Page[CompanyFact], tag=_EDGAR)
async def edgar_stored_facts(
    request: AnyRequest,
    cik: Cik,
    metric: Metric = None,
    view: AsFiled = "restated",
    limit: Limit = 1000,
    cursor: Cursor = None,
) -> Answer:
    """Return the figures that are stored of a company, from earlier answers; nobody is asked."""
    research = context_of(request).research
    await research.keeper.settled()
    source = research.providers.source("edgar")
    who, wanted = int(cik_of(cik)), window(limit, cursor)
    facts = await research.knowledge.facts(source, who, metric=metric, view=view, limit=wanted.end)
    return answer(request, wanted.of(facts))


HANDLERS = [
    data_health,
    data_due,
    data_refresh,
    edgar_watch_list,
    edgar_watch,
    edgar_unwatch,
    edgar_stored_filings,
    edgar_stored_facts,
]
