"""What is due for what is held or watched: releases, earnings, and filings that have just come.

Each part may fail without the others; what is missing is said. This module must not know of HTTP.
"""

from __future__ import annotations

import asyncio
import datetime as dt
import time
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

from data import forms
from data.companies import WatchedCompany
from data.facts import Fact
from data.fundamentals import Due, DueItem, EarningsDate
from data.knowledge import Knowledge
from data.macro import ReleaseDate
from data.problems import NotConfiguredError, ProblemError, ProviderError
from data.records import AssetClass
from nautilus_tui.daemon.research.desk import Providers
from nautilus_tui.daemon.research.filings import FilingWatch
from nautilus_tui.daemon.research.held import Held, HeldInstrument, spelt

DAYS_AHEAD = 14
DAYS_BACK = 7  #: filings that came so many days ago are still of interest
#: The calendar of earnings is one of few requests a day: asked for once, and not again soon if that failed.
_EARNINGS_FRESH_NS = 24 * 3600 * forms.NANOS
_EARNINGS_RETRY_NS = 6 * 3600 * forms.NANOS
#: Which instruments a release of less than high importance moves, by the series it updates.
_MOVES: dict[str, frozenset[AssetClass]] = {
    "DEXUSEU": frozenset({"fx"}),
    "DTWEXBGS": frozenset({"fx", "commodity"}),
    "DCOILWTICO": frozenset({"commodity", "future"}),
    "VIXCLS": frozenset({"index", "equity"}),
    "BAMLH0A0HYM2": frozenset({"index", "equity"}),
    "DGS2": frozenset({"rate", "fx", "future"}),
    "DGS10": frozenset({"rate", "fx", "future"}),
    "FEDFUNDS": frozenset({"rate", "fx"}),
}
#: Forms of which a company's holders should know at once.
_WEIGHTY = frozenset({"8-K", "10-K", "10-Q", "SC 13D", "SCHEDULE 13D", "25", "15-12B", "NT 10-K", "NT 10-Q"})


class DueList:
    """Puts together what is due."""

    def __init__(
        self,
        *,
        providers: Providers,
        knowledge: Knowledge,
        held: Held,
        filings: FilingWatch,
        clock: Callable[[], int] = time.time_ns,
    ) -> None:
        self._providers = providers
        self._knowledge = knowledge
        self._held = held
        self._filings = filings
        self._clock = clock
        self._earnings: list[EarningsDate] = []
        self._earnings_problem: ProviderError | None = None
        self._ts_earnings = 0  #: when asking for earnings makes sense again
        self._turn = asyncio.Lock()

    async def now(self) -> Due:
        """Return what is due, earliest first, and what could not be found out."""
        held = await self._held.instruments()
        companies = await self._filings.companies()
        parts: tuple[tuple[str, Awaitable[list[DueItem]]], ...] = (
            ("releases", self._releases(held)),
            ("earnings", self._earnings_due(companies)),
            ("filings", self._filed(companies)),
        )
        answers = await asyncio.gather(*(part for _, part in parts), return_exceptions=True)
        items: list[DueItem] = []
        problems = []
        for (name, _), answer in zip(parts, answers, strict=True):
            if isinstance(answer, ProblemError):
                named = answer.name if isinstance(answer, ProviderError) else answer.title
                problems.append(f"{name}: {named}: {answer.detail}")
            elif isinstance(answer, BaseException):
                raise answer
            else:
                items += answer
        problems += [f"filings: {one.ticker}: {one.problem}" for one in companies if one.problem]
        return Due(
            items=tuple(sorted(items, key=lambda item: (item.date, item.ts_due or 0, item.kind, item.title))),
            problems=tuple(problems),
            held=tuple(instrument.id for instrument in held),
            watched=tuple(one.ticker for one in companies if one.watched),
            ts=self._clock(),
        )

    def _today(self) -> dt.date:
        return forms.day_of(self._clock())

    # ------------------------------------------------------------ the parts

    async def _releases(self, held: Sequence[HeldInstrument]) -> list[DueItem]:
        desk = await self._providers.desk()
        desk.fred.http.require_configured()
        found = []
        for release in await desk.fred.calendar(days_ahead=DAYS_AHEAD):
            instruments = moved_by(release, held)
            if instruments is not None:
                found.append(_of_release(release, instruments))
        return found

    async def _earnings_due(self, companies: Sequence[WatchedCompany]) -> list[DueItem]:
        if not companies:
            return []
        await self.ask_earnings()
        if self._earnings_problem is not None and not self._earnings:
            raise self._earnings_problem
        wanted = {company.ticker: company for company in companies}
        today, last = self._today(), self._today() + dt.timedelta(days=DAYS_AHEAD)
        return [
            _of_earnings(date, wanted[spelt(date.symbol)])
            for date in self._earnings
            if spelt(date.symbol) in wanted and today <= date.date <= last
        ]

    async def ask_earnings(self) -> None:
        """Ask for the calendar of earnings, unless that was done today or failed a while ago.

        What goes wrong is remembered and told with what is due.
        """
        async with self._turn:
            now = self._clock()
            if now < self._ts_earnings:
                return
            desk = await self._providers.desk()
            try:
                self._earnings = await desk.alpha_vantage.earnings_calendar()
            except NotConfiguredError as error:
                self._earnings_problem = error
            except ProviderError as error:
                self._earnings_problem, self._ts_earnings = error, now + _EARNINGS_RETRY_NS
            else:
                self._earnings_problem, self._ts_earnings = None, now + _EARNINGS_FRESH_NS

    async def _filed(self, companies: Sequence[WatchedCompany]) -> list[DueItem]:
        by_cik: dict[int, list[str]] = {}
        for company in companies:
            if company.cik is not None:
                by_cik.setdefault(company.cik, []).extend(company.held or (company.ticker,))
        since = self._today() - dt.timedelta(days=DAYS_BACK)
        filings = await self._knowledge.filings_since(self._filings.source, list(by_cik), since)
        return [
            DueItem(
                kind="filing",
                date=filing.filed,
                title=f"{filing.company}: {filing.form} {filing.form_title}".strip(),
                importance="high" if filing.form.removesuffix("/A") in _WEIGHTY else "low",
                instruments=tuple(by_cik[filing.cik]),
                reference=filing.accession,
                **_provenance(filing),
            )
            for filing in filings
        ]


def moved_by(release: ReleaseDate, held: Sequence[HeldInstrument]) -> tuple[str, ...] | None:
    """Return the held instruments that a release is about, empty for all; None: it is of no interest."""
    if release.importance == "high":
        return ()
    classes = frozenset[AssetClass]().union(*(_MOVES.get(series, frozenset()) for series in release.series))
    moved = tuple(instrument.id for instrument in held if instrument.asset_class in classes)
    if moved:
        return moved
    return () if not held and release.importance == "medium" else None


def _provenance(fact: Fact) -> dict[str, Any]:
    """Return where a fact comes from, for what is made of it."""
    return {name: getattr(fact, name) for name in Fact.__struct_fields__}


def _of_release(release: ReleaseDate, instruments: tuple[str, ...]) -> DueItem:
    return DueItem(
        kind="release",
        date=release.date,
        ts_due=release.ts_release,
        title=release.name,
        importance=release.importance,
        instruments=instruments,
        reference=release.series[0] if release.series else "",
        **_provenance(release),
    )


def _of_earnings(date: EarningsDate, company: WatchedCompany) -> DueItem:
    when = f" ({date.time_of_day})" if date.time_of_day else ""
    return DueItem(
        kind="earnings",
        date=date.date,
        title=f"{date.name or date.symbol} reports{when}",
        importance="high",
        instruments=company.held or (company.ticker,),
        reference=date.symbol,
        **_provenance(date),
    )
