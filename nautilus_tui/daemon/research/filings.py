"""New filings of what is held or watched: looked for, told once, and never lost.

The first look at a company sets a mark: what is there already is no news. The store has a filing as
told before anybody hears of it, so that it is told once, whatever happens. This module must not
know when is looked.
"""

from __future__ import annotations

import asyncio
import datetime as dt
import logging
import time
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

import msgspec

from data.bus import Bus
from data.companies import Company, Filing, WatchedCompany
from data.forms import day_of
from data.knowledge import OLD_NEWS_DAYS, Knowledge, Watched
from data.problems import (
    ConflictError,
    NotConfiguredError,
    ProviderDownError,
    ProviderError,
    ProviderRateLimitedError,
)
from nautilus_tui.daemon.present import FILINGS, Present
from nautilus_tui.daemon.research.desk import Providers
from nautilus_tui.daemon.research.held import Held, spelt

if TYPE_CHECKING:
    from providers.edgar.client import Edgar

#: After these the next company would fare no better.
_FOR_ALL = (NotConfiguredError, ProviderDownError, ProviderRateLimitedError)

logger = logging.getLogger(__name__)


class Looked(msgspec.Struct, frozen=True, kw_only=True):
    """What a look at everyone's filings came to."""

    companies: int
    news: tuple[Filing, ...] = ()
    problems: dict[str, ProviderError] = {}  #: by ticker


class FilingWatch:
    """Knows whose filings are of interest and looks for new ones.

    Args:
        always: tickers that the settings name.
    """

    def __init__(
        self,
        *,
        providers: Providers,
        knowledge: Knowledge,
        held: Held,
        bus: Bus,
        present: Present,
        always: Sequence[str] = (),
        clock: Callable[[], int] = time.time_ns,
    ) -> None:
        self._providers = providers
        self._knowledge = knowledge
        self._held = held
        self._bus = bus
        self._present = present
        self.always(always)
        self._clock = clock
        self._turn = asyncio.Lock()
        self._companies: dict[str, Company] = {}  #: by ticker, as the regulator last told
        self._problems: dict[str, ProviderError] = {}

    @property
    def source(self) -> str:
        """Under which name filings go."""
        return self._providers.source("edgar")

    def always(self, tickers: Sequence[str]) -> None:
        """Watch these companies, because the settings name them."""
        self._always = tuple(dict.fromkeys(spelt(ticker) for ticker in tickers))

    async def load(self) -> None:
        """Begin with the filings that were told of last."""
        told = await self._knowledge.told_filings(self.source, FILINGS)
        self._present.filed(reversed(told))

    # ------------------------------------------------------------ whose

    async def companies(self) -> list[WatchedCompany]:
        """Return whose new filings are looked for, and why, by ticker; asks nobody."""
        watched = {one.ticker: one for one in await self._knowledge.watched(self.source)}
        held: dict[str, list[str]] = {}
        for instrument in await self._held.instruments():
            if instrument.ticker is not None:
                held.setdefault(instrument.ticker, []).append(instrument.id)
        looked = await self._knowledge.looked(self.source)
        found = []
        for ticker in sorted({*watched, *held, *self._always}):
            known, problem = self._companies.get(ticker), self._problems.get(ticker)
            kept = watched.get(ticker)
            cik = known.cik if known else kept.cik if kept else None
            found.append(
                WatchedCompany(
                    ticker=ticker,
                    cik=cik,
                    name=known.name if known else kept.name if kept else "",
                    held=tuple(held.get(ticker, ())),
                    watched=ticker in watched or ticker in self._always,
                    ts_looked=None if cik is None else looked.get(cik),
                    problem=None if problem is None else f"{problem.name}: {problem.detail}",
                )
            )
        return found

    async def watch(self, ticker: str) -> Company:
        """Watch a company from now on; raises ProviderError if the regulator does not know it."""
        company = await self._resolve((await self._providers.desk()).edgar, ticker)
        name = _named(company, ticker)
        kept = Watched(ticker=name, cik=company.cik, name=company.name, ts_added=self._clock())
        await self._knowledge.watch(self.source, kept)
        self._companies[name] = company
        return company

    async def unwatch(self, ticker: str) -> str:
        """Watch a company no longer and return its ticker.

        Raises:
            NotFoundError: it is not watched.
            ConflictError: the settings name it.
        """
        name = spelt(ticker)
        if name in self._always:
            raise ConflictError(
                f"the settings say that {name} is watched",
                rule="what the settings name is watched",
                fix=f"remove {name} from providers.edgar.watch",
                ticker=name,
            )
        held = {instrument.ticker for instrument in await self._held.instruments()}
        await self._knowledge.unwatch(self.source, name, held=name in held)
        return name

    # ------------------------------------------------------------ looking

    async def look(self) -> Looked:
        """Look for new filings of everyone of interest and tell them.

        One company's problem does not keep the others' news away; what would befall all ends the look.
        """
        async with self._turn:
            companies = await self.companies()
            news: list[Filing] = []
            problems: dict[str, ProviderError] = {}
            seen: set[int] = set()
            for company in companies:
                try:
                    news += await self._look_at(company, seen)
                except ProviderError as error:
                    problems[company.ticker] = error
                    if isinstance(error, _FOR_ALL):
                        break
            self._problems = problems
            return Looked(companies=len(companies), news=tuple(news), problems=problems)

    async def _look_at(self, watched: WatchedCompany, seen: set[int]) -> list[Filing]:
        edgar = (await self._providers.desk()).edgar
        company = await self._resolve(edgar, watched.ticker)
        self._companies[watched.ticker] = company
        if company.cik in seen:  # another class of the same company's shares
            return []
        seen.add(company.cik)
        now = self._clock()
        since = day_of(watched.ts_looked or now)
        found = await edgar.new_filings([company], since - dt.timedelta(days=OLD_NEWS_DAYS))
        news = await self._knowledge.news(self.source, company.cik, found, now)
        if news:
            self._present.filed(news)
            self._bus.publish_records(news)
            logger.info("%d new filings of %s", len(news), company.name)
        return news

    async def _resolve(self, edgar: Edgar, ticker: str) -> Company:
        edgar.http.require_configured()
        return await edgar.resolve(ticker)


def _named(company: Company, ticker: str) -> str:
    """Return by which ticker a company is watched: the one that was given, if it is one of its own."""
    name = spelt(ticker)
    return name if name in company.tickers or not company.tickers else company.tickers[0]
