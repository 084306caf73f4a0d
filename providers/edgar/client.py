"""Questions to EDGAR, answered in the vocabulary: companies, filings and what they say.

Companies are named by a ticker in any spelling or by their CIK. This module must not know how an
answer looks on the wire.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from datetime import date
from typing import Self

from data.companies import (
    Company,
    CompanyFacts,
    Filing,
    FilingDocument,
    FilingList,
    FormType,
    HoldingsReport,
    InsiderReport,
    Period,
    SearchResult,
    View,
)
from providers.core.cache import Cache
from providers.core.http import ProviderHttp
from providers.core.ledger import Ledger
from providers.edgar import facts, feed, form_types, fulltext, holdings, ownership, reader, submissions
from providers.edgar.tickers import Tickers
from providers.edgar.wire import EdgarWire, judge, spec
from providers.settings import ProviderSettings

_INSIDER_FORMS = ("3", "3/A", "4", "4/A", "5", "5/A")
_HOLDINGS_FORMS = ("13F-HR", "13F-HR/A", "13F-NT", "13F-NT/A")
#: Reports of a manager to choose a period from: five years of quarters and their amendments; of a period
#: that was asked for, all that were filed since it ended.
_HOLDINGS_FILINGS, _HOLDINGS_SINCE = 40, 400


class Edgar:
    """The client. All methods that ask raise ProviderError."""

    def __init__(self, http: ProviderHttp, settings: ProviderSettings) -> None:
        self.http = http
        self.wire = EdgarWire(http, settings)
        self.tickers = Tickers(self.wire)

    @classmethod
    def open(
        cls,
        settings: ProviderSettings,
        *,
        ledger: Ledger,
        cache: Cache,
        clock: Callable[[], int] = time.time_ns,
    ) -> Self:
        """Return a client of the provider, or of its twin in the demo profile; the twin goes by the clock."""
        twin = None
        if settings.profile == "demo":
            from providers.edgar import sandbox  # the twin is loaded where it is wanted

            twin = sandbox.application(clock)
        http = ProviderHttp(spec(settings), judge, ledger=ledger, cache=cache, sandbox=twin, clock=clock)
        return cls(http, settings)

    # ------------------------------------------------------------ companies

    async def resolve(self, who: str) -> Company:
        """Return the company that a ticker or CIK stands for, as the list of tickers has it.

        Raises:
            ProviderNotFoundError: no company has this ticker; the nearest ones are named.
        """
        return await self.tickers.resolve(who)

    async def companies(self, text: str, *, limit: int = 20) -> list[Company]:
        """Return companies by ticker or name, best match first, each with all its tickers."""
        return await self.tickers.companies(text, limit)

    async def company(self, who: str) -> Company:
        """Return a company as its own file describes it."""
        return await submissions.company(self.wire, (await self.resolve(who)).cik)

    # ------------------------------------------------------------ filings

    async def filings(
        self,
        who: str,
        *,
        forms: Sequence[str] = (),
        start: date | None = None,
        end: date | None = None,
        limit: int = 50,
        as_of: date | None = None,
    ) -> FilingList:
        """Return a company's filings, latest first.

        Args:
            who: ticker or CIK.
            forms: only these; an amendment is asked for by its own name, ``10-K/A``. Renamed forms are
                found under either name.
            start: filed on this date or later.
            end: filed on this date or earlier.
            limit: at most so many.
            as_of: only what was filed by then.
        """
        company = await self.resolve(who)
        return await submissions.filings(
            self.wire, company, forms=tuple(forms), start=start, end=end, limit=limit, as_of=as_of
        )

    async def document(self, who: str, accession: str, *, document: str | None = None) -> FilingDocument:
        """Return the text of a filing's primary document, or of another one by its file name."""
        return await reader.document(self.wire, await self.resolve(who), accession, document)

    # ------------------------------------------------------------ what filings say

    async def facts(
        self,
        who: str,
        *,
        metric: str | None = None,
        period: Period | None = None,
        view: View = "restated",
        as_of: date | None = None,
        limit: int | None = None,
    ) -> CompanyFacts:
        """Return reported figures, latest period first.

        Args:
            who: ticker or CIK.
            metric: only this one; None: the usual ones.
            period: only periods of this kind.
            view: as first filed, or as last restated.
            as_of: only what was filed by then.
            limit: at most so many of each metric.
        """
        company = await self.resolve(who)
        return await facts.company_facts(self.wire, company, metric, period, view, as_of, limit)

    async def insiders(self, who: str, *, limit: int = 20, as_of: date | None = None) -> InsiderReport:
        """Return what insiders traded, from a company's latest ``limit`` ownership filings."""
        company = await self.resolve(who)
        found = await submissions.filings(self.wire, company, forms=_INSIDER_FORMS, limit=limit, as_of=as_of)
        return await ownership.insider_report(self.wire, company, found, as_of)

    async def holdings(
        self, who: str, *, period: date | None = None, as_of: date | None = None
    ) -> HoldingsReport:
        """Return a manager's holdings at the end of a quarter; None: the latest reported."""
        company = await self.resolve(who)
        found = await submissions.filings(
            self.wire,
            company,
            forms=_HOLDINGS_FORMS,
            start=period,
            limit=_HOLDINGS_FILINGS if period is None else _HOLDINGS_SINCE,
            as_of=as_of,
        )
        return await holdings.holdings_report(self.wire, company, found, period, as_of)

    # ------------------------------------------------------------ search and news

    async def search(
        self,
        text: str,
        *,
        forms: Sequence[str] = (),
        start: date | None = None,
        end: date | None = None,
        limit: int = 20,
    ) -> SearchResult:
        """Return companies by name and filings by their text; one may fail without the other."""
        return await fulltext.search(
            self.wire, self.tickers, text, forms=tuple(forms), start=start, end=end, limit=limit
        )

    async def current(self, *, form: str = "", limit: int = 100) -> list[Filing]:
        """Return what was filed last, over all companies, latest first."""
        return await feed.current(self.wire, self.tickers, form=form, limit=limit)

    async def new_filings(self, companies: Sequence[Company], since: date) -> list[Filing]:
        """Return what some companies filed on a date or later, oldest first."""
        return await submissions.new_filings(self.wire, companies, since)

    def form_types(self) -> tuple[FormType, ...]:
        """Return the forms with what they are, without asking."""
        return form_types.FORM_TYPES
