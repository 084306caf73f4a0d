"""What is asked about facts in tests: every path with its answer's kind, over the demo's made-up world."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from types import MappingProxyType
from typing import Any, NamedTuple

import msgspec

from data.companies import (
    Company,
    CompanyFact,
    CompanyFacts,
    Filing,
    FilingDocument,
    FilingList,
    FilingStatistics,
    FormType,
    HoldingsReport,
    InsiderReport,
    SearchResult,
    WatchedCompany,
)
from data.facts import DataHealth, Fact, ProviderHealth
from data.fundamentals import (
    CompanyOverview,
    CorporateAction,
    Due,
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

CIK = "320193"
TICKER = "AAPL"


class Question(NamedTuple):
    """A path, what it answers with, and whether a provider may have to be asked for it."""

    path: str
    kind: Any
    params: Mapping[str, str] = MappingProxyType({})
    asks: bool = True


_FRED, _STOCKS, _EDGAR = "/api/v1/fred", "/api/v1/alpha-vantage", "/api/v1/edgar"


def _of_company(path: str, kind: Any, params: dict[str, str] | None = None) -> tuple[Question, Question]:
    """The same question by ticker and by CIK."""
    return (
        Question(f"{_EDGAR}/ticker/{TICKER}{path}", kind, params or {}),
        Question(f"{_EDGAR}/companies/{CIK}{path}", kind, params or {}),
    )


#: In this order: what is stored is asked for after it was told.
QUESTIONS: tuple[Question, ...] = (
    Question("/api/v1/nautilus-data/health", DataHealth, asks=False),
    Question(f"{_FRED}/health", ProviderHealth, asks=False),
    Question(f"{_FRED}/series", Page[SeriesInfo], asks=False),
    Question(f"{_FRED}/series/DGS10", Series),
    Question(f"{_FRED}/series/GDPC1", Series, {"as_of": "2020-06-30", "start": "2018-01-01"}),
    Question(f"{_FRED}/series/UNRATE/latest", Observation),
    Question(f"{_FRED}/search", Page[SeriesInfo], {"text": "unemployment", "limit": "5"}),
    Question(f"{_FRED}/macro-factors", Page[MacroFactor]),
    Question(f"{_FRED}/macro-factors", Page[MacroFactor], {"as_of": "2019-12-31"}),
    Question("/api/v1/nautilus-data/fred/macro-factors", Page[MacroFactor]),
    Question(f"{_FRED}/macro-factors/unemployment/history", FactorHistory, {"years": "5"}),
    Question(f"{_FRED}/macro-factors/unemployment/stored", Page[MacroFactor], asks=False),
    Question(f"{_FRED}/regime", MacroRegime),
    Question(f"{_FRED}/regime/stored", Page[MacroRegime], asks=False),
    Question(f"{_FRED}/score", RegimeScore, {"horizon_months": "12", "threshold": "0.5"}),
    Question(f"{_FRED}/yield-curve", Page[YieldCurve]),
    Question(f"{_FRED}/economic-calendar", Page[ReleaseDate], {"days_ahead": "30"}),
    Question(f"{_STOCKS}/health", ProviderHealth, asks=False),
    Question(f"{_STOCKS}/supported-functions", Page[SupportedFunction], asks=False),
    Question(f"{_STOCKS}/quote/{TICKER}", StockQuote),
    Question(f"{_STOCKS}/daily/{TICKER}", PriceSeries),
    Question(f"{_STOCKS}/intraday/{TICKER}", PriceSeries, {"interval": "15min"}),
    Question(f"{_STOCKS}/weekly/{TICKER}", PriceSeries),
    Question(f"{_STOCKS}/monthly/{TICKER}", PriceSeries),
    Question(f"{_STOCKS}/search", Page[SymbolMatch], {"keywords": "apple"}),
    Question("/api/v1/nautilus-data/alpha-vantage/search", Page[SymbolMatch], {"keywords": "apple"}),
    Question(f"{_STOCKS}/company/{TICKER}", CompanyOverview),
    Question(f"{_STOCKS}/earnings/{TICKER}", EarningsReport),
    Question(f"{_STOCKS}/estimates/{TICKER}", Page[EarningsEstimate]),
    Question(f"{_STOCKS}/statements/{TICKER}", Page[StatementPeriod], {"statement": "balance"}),
    Question(f"{_STOCKS}/earnings-calendar", Page[EarningsDate]),
    Question(f"{_STOCKS}/ipo-calendar", Page[IpoDate]),
    Question(f"{_STOCKS}/listings", Page[Listing]),
    Question(f"{_STOCKS}/dividends/{TICKER}", Page[CorporateAction]),
    Question(f"{_STOCKS}/splits/GOOGL", Page[CorporateAction]),
    Question(f"{_EDGAR}/health", ProviderHealth, asks=False),
    Question(f"{_EDGAR}/filing-types", Page[FormType], asks=False),
    Question(f"{_EDGAR}/companies/search", Page[Company], {"text": "apple"}),
    Question(f"{_EDGAR}/ticker/{TICKER}/resolve", Company),
    *_of_company("", Company),
    *_of_company("/filings", FilingList, {"forms": "10-K,10-Q", "limit": "3"}),
    *_of_company("/facts", CompanyFacts, {"metric": "revenue", "period": "annual", "view": "first_filed"}),
    *_of_company("/facts", CompanyFacts),
    *_of_company("/insiders", InsiderReport, {"limit": "3"}),
    Question(f"{_EDGAR}/companies/{CIK}/facts/stored", Page[CompanyFact], asks=False),
    Question(f"{_EDGAR}/search", SearchResult, {"text": "revenue", "limit": "5"}),
    Question(f"{_EDGAR}/current", Page[Filing], {"limit": "20"}),
    Question(f"{_EDGAR}/statistics", FilingStatistics, asks=False),
    Question("/api/v1/nautilus-data/due", Due, asks=False),
)
#: Answered with what only a running test knows: see there.
ELSEWHERE = {
    "/api/v1/edgar/companies/{cik}/filings/{accession}/document": FilingDocument,
    "/api/v1/edgar/ticker/{ticker}/filings/{accession}/document": FilingDocument,
    "/api/v1/edgar/companies/{cik}/holdings": HoldingsReport,
    "/api/v1/edgar/ticker/{ticker}/holdings": HoldingsReport,
    "/api/v1/edgar/watch": Page[WatchedCompany],
    "/api/v1/edgar/filings": Page[Filing],
}


def facts_in(value: object) -> Iterator[Fact]:
    """Yield every fact in an answer, however deep."""
    if isinstance(value, Fact):
        yield value
    if isinstance(value, msgspec.Struct):
        for name in value.__struct_fields__:
            yield from facts_in(getattr(value, name))
    elif isinstance(value, list | tuple):
        for item in value:
            yield from facts_in(item)
