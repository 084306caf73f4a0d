"""Questions about the economy, stocks and companies, typed: the part of the client that asks for facts.

A first answer may take a while, because the daemon waits for the provider's pace; it is waited for
longer than for anything else. This module must not know of connections.
"""

from __future__ import annotations

import datetime as dt
from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import Any, Literal

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
    Period,
    SearchResult,
    View,
    WatchedCompany,
)
from data.facts import DataHealth, ProviderHealth
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
from nautilus_tui.client.paths import level

_FRED, _STOCKS, _EDGAR = "/fred", "/alpha-vantage", "/edgar"


class ResearchQuestions(ABC):
    """What can be asked about the world. Failures are as of every question to the daemon: what a
    provider says arrives as its ``ProviderError``, e.g. ``NotConfiguredError`` naming what to set.
    """

    @abstractmethod
    async def _ask[T](self, path: str, type_: type[T], **params: Any) -> T:
        """Return one record."""

    @abstractmethod
    async def _ask_list[T](self, path: str, type_: type[T], **params: Any) -> list[T]:
        """Return the records of a list."""

    # ------------------------------------------------------------ health, and what is due

    async def data_health(self) -> DataHealth:
        """Return how every source of data is, providers and engines' feeds; asks none of them."""
        return await self._ask("/nautilus-data/health", DataHealth)

    async def provider_health(self) -> list[ProviderHealth]:
        """Return how every provider of facts is; asks none of them."""
        return list((await self.data_health()).providers)

    async def due(self) -> Due:
        """Return what is due for what is held or watched, earliest first, and what could not be found out."""
        return await self._ask("/nautilus-data/due", Due)

    # ------------------------------------------------------------ the economy

    async def macro_factors(self, as_of: dt.date | None = None) -> list[MacroFactor]:
        """Return every macro factor, as it was known on ``as_of`` if given; each has its own problem."""
        return await self._ask_list(f"{_FRED}/macro-factors", MacroFactor, as_of=as_of)

    async def factor_history(self, id: str, years: int = 10, as_of: dt.date | None = None) -> FactorHistory:
        """Return a factor over the last years, oldest first."""
        return await self._ask(
            f"{_FRED}/macro-factors/{_level('id', id)}/history", FactorHistory, years=years, as_of=as_of
        )

    async def stored_factor(self, id: str, limit: int = 400) -> list[MacroFactor]:
        """Return what was told of a factor over time, latest first, from the daemon's own store."""
        return await self._ask_list(
            f"{_FRED}/macro-factors/{_level('id', id)}/stored", MacroFactor, limit=limit
        )

    async def macro_regime(self, as_of: dt.date | None = None) -> MacroRegime:
        """Return the regime and the recession probability."""
        return await self._ask(f"{_FRED}/regime", MacroRegime, as_of=as_of)

    async def stored_regimes(self, limit: int = 400) -> list[MacroRegime]:
        """Return the regimes that were told over time, latest first, from the daemon's own store."""
        return await self._ask_list(f"{_FRED}/regime/stored", MacroRegime, limit=limit)

    async def regime_score(self, horizon_months: int = 12, threshold: float = 0.5) -> RegimeScore:
        """Return how well the recession probability would have done."""
        return await self._ask(
            f"{_FRED}/score", RegimeScore, horizon_months=horizon_months, threshold=threshold
        )

    async def yield_curves(self, as_of: dt.date | None = None) -> list[YieldCurve]:
        """Return the yield curve now, a month ago and a year ago."""
        return await self._ask_list(f"{_FRED}/yield-curve", YieldCurve, as_of=as_of)

    async def economic_calendar(self, days_ahead: int = 14, days_back: int = 0) -> list[ReleaseDate]:
        """Return the releases of the days ahead, earliest first."""
        return await self._ask_list(
            f"{_FRED}/economic-calendar", ReleaseDate, days_ahead=days_ahead, days_back=days_back
        )

    async def series_catalogue(self) -> list[SeriesInfo]:
        """Return the series that factors are made of."""
        return await self._ask_list(f"{_FRED}/series", SeriesInfo)

    async def series(
        self,
        id: str,
        as_of: dt.date | None = None,
        start: dt.date | None = None,
        end: dt.date | None = None,
    ) -> Series:
        """Return a series, as it was known on ``as_of`` if given; raises ProviderNotFoundError."""
        return await self._ask(
            f"{_FRED}/series/{_level('id', id)}", Series, as_of=as_of, start=start, end=end
        )

    async def series_latest(self, id: str, as_of: dt.date | None = None) -> Observation:
        """Return the latest observation of a series that has a value."""
        return await self._ask(f"{_FRED}/series/{_level('id', id)}/latest", Observation, as_of=as_of)

    async def series_search(self, text: str, limit: int = 20) -> list[SeriesInfo]:
        """Return series that match a text, best first."""
        return await self._ask_list(f"{_FRED}/search", SeriesInfo, text=text, limit=limit)

    # ------------------------------------------------------------ stocks

    async def stock_quote(self, symbol: str) -> StockQuote:
        """Return the vendor's latest trading day of a symbol."""
        return await self._ask(f"{_STOCKS}/quote/{_level('symbol', symbol)}", StockQuote)

    async def daily(self, symbol: str, full: bool = False, adjusted: bool = False) -> PriceSeries:
        """Return daily prices; ``degraded`` says when the key is entitled to less than was asked for."""
        return await self._ask(
            f"{_STOCKS}/daily/{_level('symbol', symbol)}", PriceSeries, full=full, adjusted=adjusted
        )

    async def intraday(
        self, symbol: str, interval: str = "5min", month: str | None = None, full: bool = False
    ) -> PriceSeries:
        """Return bars of 1, 5, 15, 30 or 60 minutes; ``month`` is ``YYYY-MM``."""
        return await self._ask(
            f"{_STOCKS}/intraday/{_level('symbol', symbol)}",
            PriceSeries,
            interval=interval,
            month=month,
            full=full,
        )

    async def weekly(self, symbol: str, adjusted: bool = False) -> PriceSeries:
        """Return weekly prices."""
        return await self._ask(f"{_STOCKS}/weekly/{_level('symbol', symbol)}", PriceSeries, adjusted=adjusted)

    async def monthly(self, symbol: str, adjusted: bool = False) -> PriceSeries:
        """Return monthly prices."""
        return await self._ask(
            f"{_STOCKS}/monthly/{_level('symbol', symbol)}", PriceSeries, adjusted=adjusted
        )

    async def stock_search(self, keywords: str) -> list[SymbolMatch]:
        """Return symbols that match, best first."""
        return await self._ask_list(f"{_STOCKS}/search", SymbolMatch, keywords=keywords)

    async def overview(self, symbol: str) -> CompanyOverview:
        """Return what a company is and its key figures."""
        return await self._ask(f"{_STOCKS}/company/{_level('symbol', symbol)}", CompanyOverview)

    async def earnings(self, symbol: str) -> EarningsReport:
        """Return quarterly and annual earnings, latest first."""
        return await self._ask(f"{_STOCKS}/earnings/{_level('symbol', symbol)}", EarningsReport)

    async def statements(
        self, symbol: str, statement: Literal["income", "balance", "cash_flow"] = "income"
    ) -> list[StatementPeriod]:
        """Return a company's statements of one kind, latest first."""
        return await self._ask_list(
            f"{_STOCKS}/statements/{_level('symbol', symbol)}", StatementPeriod, statement=statement
        )

    async def earnings_calendar(
        self, symbol: str | None = None, horizon: str = "3month"
    ) -> list[EarningsDate]:
        """Return when companies, or one, are expected to report."""
        return await self._ask_list(
            f"{_STOCKS}/earnings-calendar", EarningsDate, symbol=symbol, horizon=horizon
        )

    async def estimates(self, symbol: str) -> list[EarningsEstimate]:
        """Return what analysts expect a company to earn."""
        return await self._ask_list(f"{_STOCKS}/estimates/{_level('symbol', symbol)}", EarningsEstimate)

    async def ipo_calendar(self) -> list[IpoDate]:
        """Return who is expected to be listed for the first time."""
        return await self._ask_list(f"{_STOCKS}/ipo-calendar", IpoDate)

    async def listings(
        self, date: dt.date | None = None, status: Literal["active", "delisted"] = "active"
    ) -> list[Listing]:
        """Return what is, or on ``date`` was, listed (``active``) or no longer is (``delisted``)."""
        return await self._ask_list(f"{_STOCKS}/listings", Listing, date=date, status=status)

    async def dividends(self, symbol: str) -> list[CorporateAction]:
        """Return a symbol's dividends."""
        return await self._ask_list(f"{_STOCKS}/dividends/{_level('symbol', symbol)}", CorporateAction)

    async def splits(self, symbol: str) -> list[CorporateAction]:
        """Return a symbol's splits."""
        return await self._ask_list(f"{_STOCKS}/splits/{_level('symbol', symbol)}", CorporateAction)

    async def supported_functions(self) -> list[SupportedFunction]:
        """Return the vendor's functions that are built here."""
        return await self._ask_list(f"{_STOCKS}/supported-functions", SupportedFunction)

    # ------------------------------------------------------------ companies

    async def resolve(self, ticker: str) -> Company:
        """Return the company of a ticker in any spelling, or of a CIK; raises ProviderNotFoundError."""
        return await self._ask(f"{_EDGAR}/ticker/{_level('ticker', ticker)}/resolve", Company)

    async def company(self, who: str | int) -> Company:
        """Return all that a company's own file tells of it."""
        return await self._ask(_of(who), Company)

    async def companies(self, text: str, limit: int = 20) -> list[Company]:
        """Return companies whose name or ticker matches, best first."""
        return await self._ask_list(f"{_EDGAR}/companies/search", Company, text=text, limit=limit)

    async def filings(
        self,
        who: str | int,
        forms: Sequence[str] = (),
        start: dt.date | None = None,
        end: dt.date | None = None,
        limit: int = 50,
        as_of: dt.date | None = None,
    ) -> FilingList:
        """Return a company's filings, latest first; ``who`` is a ticker in any spelling or a CIK."""
        return await self._ask(
            f"{_of(who)}/filings",
            FilingList,
            forms=_joined(forms),
            start=start,
            end=end,
            limit=limit,
            as_of=as_of,
        )

    async def filing_document(
        self, who: str | int, accession: str, document: str | None = None
    ) -> FilingDocument:
        """Return a filing's primary document, or another of its documents, as text."""
        return await self._ask(
            f"{_of(who)}/filings/{_level('accession', accession)}/document", FilingDocument, document=document
        )

    async def facts(
        self,
        who: str | int,
        metric: str | None = None,
        period: Period | None = None,
        view: View = "restated",
        as_of: dt.date | None = None,
        limit: int | None = None,
    ) -> CompanyFacts:
        """Return reported figures, latest period first."""
        return await self._ask(
            f"{_of(who)}/facts",
            CompanyFacts,
            metric=metric,
            period=period,
            view=view,
            as_of=as_of,
            limit=limit,
        )

    async def insiders(self, who: str | int, limit: int = 20, as_of: dt.date | None = None) -> InsiderReport:
        """Return the transactions of a company's insiders, from its latest ``limit`` filings of them."""
        return await self._ask(f"{_of(who)}/insiders", InsiderReport, limit=limit, as_of=as_of)

    async def holdings(
        self, who: str | int, period: dt.date | None = None, as_of: dt.date | None = None
    ) -> HoldingsReport:
        """Return what a manager reported to hold at the end of a quarter, the latest if not given."""
        return await self._ask(f"{_of(who)}/holdings", HoldingsReport, period=period, as_of=as_of)

    async def edgar_search(
        self,
        text: str,
        forms: Sequence[str] = (),
        start: dt.date | None = None,
        end: dt.date | None = None,
        limit: int = 20,
    ) -> SearchResult:
        """Return companies by name and filings by their text."""
        return await self._ask(
            f"{_EDGAR}/search",
            SearchResult,
            text=text,
            forms=_joined(forms),
            start=start,
            end=end,
            limit=limit,
        )

    async def current_filings(self, form: str = "", limit: int = 100) -> list[Filing]:
        """Return the filings of all companies that came last."""
        return await self._ask_list(f"{_EDGAR}/current", Filing, form=form, limit=limit)

    async def filing_types(self) -> list[FormType]:
        """Return every form and what it is."""
        return await self._ask_list(f"{_EDGAR}/filing-types", FormType)

    async def filing_statistics(self) -> FilingStatistics:
        """Return counts of what the daemon holds about companies."""
        return await self._ask(f"{_EDGAR}/statistics", FilingStatistics)

    async def stored_filings(self, days: int = 30, limit: int = 100) -> list[Filing]:
        """Return the latest filings of what is held or watched, as the daemon has seen them."""
        return await self._ask_list(f"{_EDGAR}/filings", Filing, days=days, limit=limit)

    async def stored_facts(
        self, cik: int, metric: str | None = None, view: View = "restated", limit: int = 1000
    ) -> list[CompanyFact]:
        """Return the figures that the daemon has stored of a company, from earlier answers."""
        path = f"{_EDGAR}/companies/{cik}/facts/stored"
        return await self._ask_list(path, CompanyFact, metric=metric, view=view, limit=limit)

    async def watched(self) -> list[WatchedCompany]:
        """Return whose new filings are looked for, and why."""
        return await self._ask_list(f"{_EDGAR}/watch", WatchedCompany)


def _of(who: str | int) -> str:
    text = str(who)
    return f"{_EDGAR}/{'companies' if text.isdigit() else 'ticker'}/{_level('who', text)}"


def _level(field: str, text: str) -> str:
    """Return text as one level of a path; a share class written with a slash is written with a dot."""
    return level(field, text.replace("/", "."))


def _joined(forms: Sequence[str]) -> str | None:
    return ",".join(forms) or None
