"""Routes of companies as they report: by ticker or by CIK, the same questions.

This module must not know where the facts come from.
"""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Annotated

from litestar.params import Parameter

from data.companies import (
    Company,
    CompanyFacts,
    Filing,
    FilingDocument,
    FilingList,
    FilingStatistics,
    FormType,
    HoldingsReport,
    InsiderReport,
    Period,
    SearchResult,
    View,
)
from data.facts import ProviderHealth
from data.paging import Page
from nautilus_tui.daemon.api.answers import Answer, AnyRequest, context_of, told
from nautilus_tui.daemon.api.asked import (
    Accession,
    AsOf,
    Cik,
    End,
    Few,
    Forms,
    Start,
    Ticker,
    cik_of,
    forms_of,
    known_then,
    named,
    span,
    window,
)
from nautilus_tui.daemon.api.describe import OF_PROVIDERS, route
from nautilus_tui.daemon.api.parameters import LONGEST, Cursor

if TYPE_CHECKING:  # slow to load, and not needed to start
    from providers.edgar.client import Edgar

_TAG = "Companies (EDGAR)"
_BASE = "/api/v1/edgar"
_BY_CIK, _BY_TICKER = f"{_BASE}/companies/{{cik:str}}", f"{_BASE}/ticker/{{ticker:str}}"

Text = Annotated[str, Parameter(description="words to look for")]
Metric = Annotated[str | None, Parameter(description="one figure, e.g. revenue; the usual ones if left out")]
OfPeriod = Annotated[Period | None, Parameter(description="only periods of this kind")]
AsFiled = Annotated[View, Parameter(description="as first filed, or as last restated")]
OfEach = Annotated[int | None, Parameter(ge=1, le=10_000, description="how many of each figure at most")]
Quarter = Annotated[dt.date | None, Parameter(description="the last day of the quarter reported on")]
Document = Annotated[str | None, Parameter(description="another document of the filing, by file name")]
Form = Annotated[str, Parameter(description="only this form")]


async def _edgar(request: AnyRequest) -> Edgar:
    """Return whom to ask; raises NotConfiguredError if that makes no sense."""
    edgar = (await context_of(request).research.providers.desk()).edgar
    edgar.http.require_configured()
    return edgar


@route("GET", f"{_BASE}/health", returns=ProviderHealth, tag=_TAG, problems=OF_PROVIDERS)
async def edgar_health(request: AnyRequest) -> Answer:
    """Return how EDGAR is, without asking it."""
    return await told(request, await context_of(request).research.health.provider("edgar"))


@route("GET", f"{_BASE}/filing-types", returns=Page[FormType], tag=_TAG, problems=OF_PROVIDERS)
async def edgar_filing_types(request: AnyRequest) -> Answer:
    """Return every form and what it is, in plain words; nobody is asked."""
    desk = await context_of(request).research.providers.desk()
    return await told(request, Page(list(desk.edgar.form_types())))


@route("GET", f"{_BASE}/statistics", returns=FilingStatistics, tag=_TAG, problems=OF_PROVIDERS)
async def edgar_statistics(request: AnyRequest) -> Answer:
    """Return counts of what is held here of companies; nobody is asked."""
    context = context_of(request)
    research = context.research
    await research.keeper.settled()
    source = research.providers.source("edgar")
    return await told(request, await research.knowledge.statistics(source, context.clock()))


# ---------------------------------------------------------------- who


@route("GET", f"{_BASE}/companies/search", returns=Page[Company], tag=_TAG, problems=OF_PROVIDERS)
async def edgar_companies(request: AnyRequest, text: Text, limit: Few = 20, cursor: Cursor = None) -> Answer:
    """Return companies whose name or ticker matches, best first."""
    wanted = window(limit, cursor)
    found = await (await _edgar(request)).companies(named("text", text), limit=wanted.end)
    return await told(request, wanted.of(found))


@route("GET", f"{_BY_TICKER}/resolve", returns=Company, tag=_TAG, problems=OF_PROVIDERS)
async def edgar_resolve(request: AnyRequest, ticker: Ticker) -> Answer:
    """Return the company of a ticker, with all its share classes."""
    return await told(request, await (await _edgar(request)).resolve(named("ticker", ticker)))


@route("GET", _BY_CIK, returns=Company, tag=_TAG, problems=OF_PROVIDERS)
async def edgar_company(request: AnyRequest, cik: Cik) -> Answer:
    """Return a company as its own file tells of it."""
    return await told(request, await (await _edgar(request)).company(cik_of(cik)))


@route("GET", _BY_TICKER, returns=Company, tag=_TAG, problems=OF_PROVIDERS)
async def edgar_ticker(request: AnyRequest, ticker: Ticker) -> Answer:
    """Return a company as its own file tells of it."""
    return await told(request, await (await _edgar(request)).company(named("ticker", ticker)))


# ---------------------------------------------------------------- filings


async def _filings(
    request: AnyRequest,
    who: str,
    forms: str | None,
    start: dt.date | None,
    end: dt.date | None,
    limit: int,
    as_of: dt.date | None,
) -> Answer:
    span(start, end)
    chosen, known = forms_of(forms), known_then(as_of)
    edgar = await _edgar(request)
    found = await edgar.filings(who, forms=chosen, start=start, end=end, limit=limit, as_of=known)
    context_of(request).research.keeper.filings(found.filings)
    return await told(request, found)


@route("GET", f"{_BY_CIK}/filings", returns=FilingList, tag=_TAG, problems=OF_PROVIDERS)
async def edgar_filings(
    request: AnyRequest,
    cik: Cik,
    forms: Forms = None,
    start: Start = None,
    end: End = None,
    limit: Few = 50,
    as_of: AsOf = None,
) -> Answer:
    """Return a company's filings, latest first."""
    return await _filings(request, cik_of(cik), forms, start, end, limit, as_of)


@route("GET", f"{_BY_TICKER}/filings", returns=FilingList, tag=_TAG, problems=OF_PROVIDERS)
async def edgar_ticker_filings(
    request: AnyRequest,
    ticker: Ticker,
    forms: Forms = None,
    start: Start = None,
    end: End = None,
    limit: Few = 50,
    as_of: AsOf = None,
) -> Answer:
    """Return a company's filings, latest first."""
    return await _filings(request, named("ticker", ticker), forms, start, end, limit, as_of)


async def _document(request: AnyRequest, who: str, accession: str, document: str | None) -> Answer:
    edgar = await _edgar(request)
    wanted = None if document is None else named("document", document)
    return await told(request, await edgar.document(who, named("accession", accession), document=wanted))


@route(
    "GET",
    f"{_BY_CIK}/filings/{{accession:str}}/document",
    returns=FilingDocument,
    tag=_TAG,
    problems=OF_PROVIDERS,
)
async def edgar_document(
    request: AnyRequest, cik: Cik, accession: Accession, document: Document = None
) -> Answer:
    """Return a filing's primary document, or another one, as text with its headings."""
    return await _document(request, cik_of(cik), accession, document)


@route(
    "GET",
    f"{_BY_TICKER}/filings/{{accession:str}}/document",
    returns=FilingDocument,
    tag=_TAG,
    problems=OF_PROVIDERS,
)
async def edgar_ticker_document(
    request: AnyRequest, ticker: Ticker, accession: Accession, document: Document = None
) -> Answer:
    """Return a filing's primary document, or another one, as text with its headings."""
    return await _document(request, named("ticker", ticker), accession, document)


@route("GET", f"{_BASE}/search", returns=SearchResult, tag=_TAG, problems=OF_PROVIDERS)
async def edgar_search(
    request: AnyRequest,
    text: Text,
    forms: Forms = None,
    start: Start = None,
    end: End = None,
    limit: Few = 20,
) -> Answer:
    """Return companies by name and filings by their text."""
    span(start, end)
    chosen = forms_of(forms)
    edgar = await _edgar(request)
    found = await edgar.search(named("text", text), forms=chosen, start=start, end=end, limit=limit)
    return await told(request, found)


@route("GET", f"{_BASE}/current", returns=Page[Filing], tag=_TAG, problems=OF_PROVIDERS)
async def edgar_current(
    request: AnyRequest, form: Form = "", limit: Few = 100, cursor: Cursor = None
) -> Answer:
    """Return the filings of all companies that came last, latest first."""
    if form:
        (form,) = forms_of(form.replace(",", " ")) or ("",)
    wanted = window(limit, cursor)
    most = min(wanted.end, LONGEST)
    return await told(request, wanted.of(await (await _edgar(request)).current(form=form, limit=most)))


# ---------------------------------------------------------------- what they say


async def _facts(
    request: AnyRequest,
    who: str,
    metric: str | None,
    period: Period | None,
    view: View,
    as_of: dt.date | None,
    limit: int | None,
) -> Answer:
    wanted = None if metric is None else named("metric", metric)
    known = known_then(as_of)
    edgar = await _edgar(request)
    found = await edgar.facts(who, metric=wanted, period=period, view=view, as_of=known, limit=limit)
    context_of(request).research.keeper.facts(found, (wanted, period, view, known, limit))
    return await told(request, found)


@route("GET", f"{_BY_CIK}/facts", returns=CompanyFacts, tag=_TAG, problems=OF_PROVIDERS)
async def edgar_facts(
    request: AnyRequest,
    cik: Cik,
    metric: Metric = None,
    period: OfPeriod = None,
    view: AsFiled = "restated",
    as_of: AsOf = None,
    limit: OfEach = None,
) -> Answer:
    """Return reported figures, latest period first."""
    return await _facts(request, cik_of(cik), metric, period, view, as_of, limit)


@route("GET", f"{_BY_TICKER}/facts", returns=CompanyFacts, tag=_TAG, problems=OF_PROVIDERS)
async def edgar_ticker_facts(
    request: AnyRequest,
    ticker: Ticker,
    metric: Metric = None,
    period: OfPeriod = None,
    view: AsFiled = "restated",
    as_of: AsOf = None,
    limit: OfEach = None,
) -> Answer:
    """Return reported figures, latest period first."""
    return await _facts(request, named("ticker", ticker), metric, period, view, as_of, limit)


@route("GET", f"{_BY_CIK}/insiders", returns=InsiderReport, tag=_TAG, problems=OF_PROVIDERS)
async def edgar_insiders(request: AnyRequest, cik: Cik, limit: Few = 20, as_of: AsOf = None) -> Answer:
    """Return what insiders traded, from a company's latest Forms 3, 4 and 5."""
    report = await (await _edgar(request)).insiders(cik_of(cik), limit=limit, as_of=known_then(as_of))
    return await told(request, report)


@route("GET", f"{_BY_TICKER}/insiders", returns=InsiderReport, tag=_TAG, problems=OF_PROVIDERS)
async def edgar_ticker_insiders(
    request: AnyRequest, ticker: Ticker, limit: Few = 20, as_of: AsOf = None
) -> Answer:
    """Return what insiders traded, from a company's latest Forms 3, 4 and 5."""
    edgar = await _edgar(request)
    return await told(
        request, await edgar.insiders(named("ticker", ticker), limit=limit, as_of=known_then(as_of))
    )


@route("GET", f"{_BY_CIK}/holdings", returns=HoldingsReport, tag=_TAG, problems=OF_PROVIDERS)
async def edgar_holdings(request: AnyRequest, cik: Cik, period: Quarter = None, as_of: AsOf = None) -> Answer:
    """Return what a manager reported to hold (13F), largest first."""
    report = await (await _edgar(request)).holdings(cik_of(cik), period=period, as_of=known_then(as_of))
    return await told(request, report)


@route("GET", f"{_BY_TICKER}/holdings", returns=HoldingsReport, tag=_TAG, problems=OF_PROVIDERS)
async def edgar_ticker_holdings(
    request: AnyRequest, ticker: Ticker, period: Quarter = None, as_of: AsOf = None
) -> Answer:
    """Return what a manager reported to hold (13F), largest first."""
    edgar = await _edgar(request)
    report = await edgar.holdings(named("ticker", ticker), period=period, as_of=known_then(as_of))
    return await told(request, report)


HANDLERS = [
    edgar_health,
    edgar_filing_types,
    edgar_statistics,
    edgar_companies,
    edgar_resolve,
    edgar_company,
    edgar_ticker,
    edgar_filings,
    edgar_ticker_filings,
    edgar_document,
    edgar_ticker_document,
    edgar_search,
    edgar_current,
    edgar_facts,
    edgar_ticker_facts,
    edgar_insiders,
    edgar_ticker_insiders,
    edgar_holdings,
    edgar_ticker_holdings,
]
