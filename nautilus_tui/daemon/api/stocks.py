"""Routes of stocks: quotes, prices, overviews, earnings, statements, calendars.

This module must not know where the facts come from.
"""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Annotated, Literal

from litestar.params import Parameter

from data.facts import ProviderHealth
from data.fundamentals import (
    CompanyOverview,
    CorporateAction,
    EarningsDate,
    EarningsEstimate,
    EarningsReport,
    IpoDate,
    Listing,
    PriceSeries,
    StatementPeriod,
    StockQuote,
    SupportedFunction,
    SymbolMatch,
)
from data.paging import Page
from nautilus_tui.daemon.api.answers import Answer, AnyRequest, context_of, told
from nautilus_tui.daemon.api.asked import StockSymbol, known_then, named, page_of
from nautilus_tui.daemon.api.describe import OF_PROVIDERS, route
from nautilus_tui.daemon.api.parameters import Cursor, Limit

if TYPE_CHECKING:  # slow to load, and not needed to start
    from providers.alpha_vantage.client import AlphaVantage

_TAG = "Stocks (Alpha Vantage)"
_BASE = "/api/v1/alpha-vantage"

Keywords = Annotated[str, Parameter(description="words of a name, or a symbol")]
Interval = Annotated[
    Literal["1min", "5min", "15min", "30min", "60min"], Parameter(description="length of a bar")
]
Month = Annotated[
    str | None,
    Parameter(pattern=r"^\d{4}-(0[1-9]|1[0-2])$", description="YYYY-MM; the latest days if left out"),
]
Full = Annotated[bool, Parameter(description="the whole history; the vendor wants a paid key for it")]
Adjusted = Annotated[
    bool, Parameter(description="with splits and dividends; the vendor wants a paid key for it")
]
Statement = Annotated[Literal["income", "balance", "cash_flow"], Parameter(description="which statement")]
Only = Annotated[str | None, Parameter(description="one symbol; all if left out")]
Span = Annotated[Literal["3month", "6month", "12month"], Parameter(description="how far ahead")]
Status = Annotated[Literal["active", "delisted"], Parameter(description="listed, or no longer")]
On = Annotated[dt.date | None, Parameter(description="as it was on this date")]


async def _vendor(request: AnyRequest) -> AlphaVantage:
    """Return whom to ask; raises NotConfiguredError if that makes no sense."""
    alpha_vantage = (await context_of(request).research.providers.desk()).alpha_vantage
    alpha_vantage.http.require_configured()
    return alpha_vantage


@route("GET", f"{_BASE}/health", returns=ProviderHealth, tag=_TAG, problems=OF_PROVIDERS)
async def stocks_health(request: AnyRequest) -> Answer:
    """Return how Alpha Vantage is and what the day's quota has left, without asking it."""
    return await told(request, await context_of(request).research.health.provider("alpha_vantage"))


@route(
    "GET", f"{_BASE}/supported-functions", returns=Page[SupportedFunction], tag=_TAG, problems=OF_PROVIDERS
)
async def stocks_supported_functions(request: AnyRequest) -> Answer:
    """Return what can be asked of Alpha Vantage here, and what the key was seen to be entitled to."""
    desk = await context_of(request).research.providers.desk()
    return await told(request, Page(desk.alpha_vantage.supported_functions()))


# ---------------------------------------------------------------- prices


@route("GET", f"{_BASE}/quote/{{symbol:str}}", returns=StockQuote, tag=_TAG, problems=OF_PROVIDERS)
async def stock_quote(request: AnyRequest, symbol: StockSymbol) -> Answer:
    """Return the latest trading day of a symbol."""
    return await told(request, await (await _vendor(request)).quote(named("symbol", symbol)))


@route("GET", f"{_BASE}/daily/{{symbol:str}}", returns=PriceSeries, tag=_TAG, problems=OF_PROVIDERS)
async def stock_daily(
    request: AnyRequest, symbol: StockSymbol, full: Full = False, adjusted: Adjusted = False
) -> Answer:
    """Return daily prices, oldest first; ``degraded`` says when the key allows less than was asked for."""
    vendor = await _vendor(request)
    return await told(request, await vendor.daily(named("symbol", symbol), full=full, adjusted=adjusted))


@route("GET", f"{_BASE}/intraday/{{symbol:str}}", returns=PriceSeries, tag=_TAG, problems=OF_PROVIDERS)
async def stock_intraday(
    request: AnyRequest,
    symbol: StockSymbol,
    interval: Interval = "5min",
    month: Month = None,
    full: Full = False,
) -> Answer:
    """Return bars within the day, oldest first."""
    vendor = await _vendor(request)
    return await told(
        request, await vendor.intraday(named("symbol", symbol), interval, month=month, full=full)
    )


@route("GET", f"{_BASE}/weekly/{{symbol:str}}", returns=PriceSeries, tag=_TAG, problems=OF_PROVIDERS)
async def stock_weekly(request: AnyRequest, symbol: StockSymbol, adjusted: Adjusted = False) -> Answer:
    """Return weekly prices, oldest first."""
    vendor = await _vendor(request)
    return await told(request, await vendor.weekly(named("symbol", symbol), adjusted=adjusted))


@route("GET", f"{_BASE}/monthly/{{symbol:str}}", returns=PriceSeries, tag=_TAG, problems=OF_PROVIDERS)
async def stock_monthly(request: AnyRequest, symbol: StockSymbol, adjusted: Adjusted = False) -> Answer:
    """Return monthly prices, oldest first."""
    vendor = await _vendor(request)
    return await told(request, await vendor.monthly(named("symbol", symbol), adjusted=adjusted))


# ---------------------------------------------------------------- search


@route("GET", f"{_BASE}/search", returns=Page[SymbolMatch], tag=_TAG, problems=OF_PROVIDERS)
async def stock_search(request: AnyRequest, keywords: Keywords) -> Answer:
    """Return symbols that match, best first."""
    return await told(request, Page(await (await _vendor(request)).search(named("keywords", keywords))))


@route(
    "GET",
    "/api/v1/nautilus-data/alpha-vantage/search",
    returns=Page[SymbolMatch],
    tag=_TAG,
    problems=OF_PROVIDERS,
)
async def data_stock_search(request: AnyRequest, keywords: Keywords) -> Answer:
    """Return symbols that match, best first; the same as under /api/v1/alpha-vantage."""
    return await told(request, Page(await (await _vendor(request)).search(named("keywords", keywords))))


@route("GET", f"{_BASE}/listings", returns=Page[Listing], tag=_TAG, problems=OF_PROVIDERS)
async def stock_listings(
    request: AnyRequest,
    date: On = None,
    status: Status = "active",
    limit: Limit = 10_000,
    cursor: Cursor = None,
) -> Answer:
    """Return what is, or was, listed or no longer is."""
    listings = await (await _vendor(request)).listings(date=known_then(date), state=status)
    return await told(request, page_of(listings, limit, cursor))


# ---------------------------------------------------------------- companies


@route("GET", f"{_BASE}/company/{{symbol:str}}", returns=CompanyOverview, tag=_TAG, problems=OF_PROVIDERS)
async def stock_company(request: AnyRequest, symbol: StockSymbol) -> Answer:
    """Return what a company is and its key figures."""
    return await told(request, await (await _vendor(request)).overview(named("symbol", symbol)))


@route("GET", f"{_BASE}/earnings/{{symbol:str}}", returns=EarningsReport, tag=_TAG, problems=OF_PROVIDERS)
async def stock_earnings(request: AnyRequest, symbol: StockSymbol) -> Answer:
    """Return quarterly and annual earnings, latest first."""
    return await told(request, await (await _vendor(request)).earnings(named("symbol", symbol)))


@route(
    "GET",
    f"{_BASE}/statements/{{symbol:str}}",
    returns=Page[StatementPeriod],
    tag=_TAG,
    problems=OF_PROVIDERS,
)
async def stock_statements(
    request: AnyRequest, symbol: StockSymbol, statement: Statement = "income"
) -> Answer:
    """Return a company's statements of one kind, latest first."""
    return await told(
        request, Page(await (await _vendor(request)).statements(named("symbol", symbol), statement))
    )


@route("GET", f"{_BASE}/earnings-calendar", returns=Page[EarningsDate], tag=_TAG, problems=OF_PROVIDERS)
async def stock_earnings_calendar(
    request: AnyRequest,
    symbol: Only = None,
    horizon: Span = "3month",
    limit: Limit = 10_000,
    cursor: Cursor = None,
) -> Answer:
    """Return when companies, or one, are expected to report."""
    only = None if symbol is None else named("symbol", symbol)
    dates = await (await _vendor(request)).earnings_calendar(only, horizon=horizon)
    return await told(request, page_of(dates, limit, cursor))


@route(
    "GET",
    f"{_BASE}/estimates/{{symbol:str}}",
    returns=Page[EarningsEstimate],
    tag=_TAG,
    problems=OF_PROVIDERS,
)
async def stock_estimates(request: AnyRequest, symbol: StockSymbol) -> Answer:
    """Return what analysts expect a company to earn."""
    return await told(request, Page(await (await _vendor(request)).estimates(named("symbol", symbol))))


@route("GET", f"{_BASE}/ipo-calendar", returns=Page[IpoDate], tag=_TAG, problems=OF_PROVIDERS)
async def stock_ipo_calendar(request: AnyRequest) -> Answer:
    """Return who is expected to be listed for the first time."""
    return await told(request, Page(await (await _vendor(request)).ipo_calendar()))


@route(
    "GET", f"{_BASE}/dividends/{{symbol:str}}", returns=Page[CorporateAction], tag=_TAG, problems=OF_PROVIDERS
)
async def stock_dividends(request: AnyRequest, symbol: StockSymbol) -> Answer:
    """Return a symbol's dividends."""
    return await told(request, Page(await (await _vendor(request)).dividends(named("symbol", symbol))))


@route(
    "GET", f"{_BASE}/splits/{{symbol:str}}", returns=Page[CorporateAction], tag=_TAG, problems=OF_PROVIDERS
)
async def stock_splits(request: AnyRequest, symbol: StockSymbol) -> Answer:
    """Return a symbol's splits."""
    return await told(request, Page(await (await _vendor(request)).splits(named("symbol", symbol))))


HANDLERS = [
    stocks_health,
    stocks_supported_functions,
    stock_quote,
    stock_daily,
    stock_intraday,
    stock_weekly,
    stock_monthly,
    stock_search,
    data_stock_search,
    stock_listings,
    stock_company,
    stock_earnings,
    stock_statements,
    stock_earnings_calendar,
    stock_estimates,
    stock_ipo_calendar,
    stock_dividends,
    stock_splits,
]
