"""Questions to Alpha Vantage, answered in the vocabulary.

What the key may not ask degrades to what it may, and the answer says so. What was refused, or found
to be absent, is remembered for a while, because every question costs one of the day's few requests.
This module must not know what bodies look like.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Self

import msgspec

from data.forms import NANOS, day_of
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
from data.problems import (
    NotEntitledError,
    ProviderBadRequestError,
    ProviderNotFoundError,
)
from providers.alpha_vantage import companies, intraday, listings, prices, shapes, symbols
from providers.alpha_vantage.functions import FUNCTIONS, NEW_YORK, fresh_prices_s
from providers.alpha_vantage.memory import Memory
from providers.alpha_vantage.prices import COMPACT, Period
from providers.alpha_vantage.reading import Reading, facts
from providers.alpha_vantage.sandbox import SANDBOX_QUOTA, application
from providers.core.cache import Cache
from providers.core.exchange import Body
from providers.core.http import Answer, ProviderHttp
from providers.core.ledger import Ledger
from providers.core.spec import Credential, ProviderSpec
from providers.settings import ProviderSettings

HORIZONS = ("3month", "6month", "12month")
_FIRST_MONTH = "2000-01"
#: Days of the calendar that the short form of a daily series goes back at most.
_COMPACT_REACHES = 160
_FIRST_LISTINGS = dt.date(2010, 1, 1)


@dataclass(frozen=True, slots=True)
class _Way:
    """One way to ask for prices; each is less than the one before."""

    function: str
    full: bool
    adjusted: bool


class AlphaVantage:
    """The client. All methods raise what `ProviderHttp.get` raises; symbols are taken in any spelling."""

    def __init__(self, http: ProviderHttp, settings: ProviderSettings) -> None:
        self.http = http
        base = settings.alpha_vantage_url.strip().rstrip("/")
        self._url = base if base.endswith("/query") else f"{base}/query"
        self._memory = Memory()

    @classmethod
    def open(cls, settings: ProviderSettings, *, ledger: Ledger, cache: Cache) -> Self:
        """Return a client of the provider, or of its twin in the demo profile."""
        demo = settings.profile == "demo"
        return cls(
            ProviderHttp(
                spec(settings),
                shapes.judge,
                ledger=ledger,
                cache=cache,
                sandbox=application() if demo else None,
            ),
            settings,
        )

    # ------------------------------------------------------------ prices

    async def quote(self, symbol: str) -> StockQuote:
        """Return the latest price of a symbol; free keys have it as of the end of the day."""
        return await self._of("GLOBAL_QUOTE", symbol, prices.read_quote, {"datatype": "json"})

    async def daily(self, symbol: str, *, full: bool = False, adjusted: bool = False) -> PriceSeries:
        """Return days of prices, at least the latest 100.

        Args:
            symbol: in any spelling.
            full: the whole history, of which a free key has the latest 100 days.
            adjusted: for splits and dividends, which a free key does not have.
        """
        ways = [_Way("TIME_SERIES_DAILY", full=False, adjusted=False)]
        if full:
            ways.insert(0, _Way("TIME_SERIES_DAILY", full=True, adjusted=False))
        if adjusted:
            ways.insert(0, _Way("TIME_SERIES_DAILY_ADJUSTED", full=False, adjusted=True))
        if adjusted and full:
            ways.insert(0, _Way("TIME_SERIES_DAILY_ADJUSTED", full=True, adjusted=True))
        asked = f"{'the whole history' if full else 'the latest days'}{', adjusted' if adjusted else ''}"
        return await self._best(symbol, ways, asked)

    async def weekly(self, symbol: str, *, adjusted: bool = False) -> PriceSeries:
        """Return all weeks of a symbol, the running one last."""
        return await self._long(symbol, "weekly", adjusted)

    async def monthly(self, symbol: str, *, adjusted: bool = False) -> PriceSeries:
        """Return all months of a symbol, the running one last."""
        return await self._long(symbol, "monthly", adjusted)

    async def _long(self, symbol: str, period: Period, adjusted: bool) -> PriceSeries:
        function = f"TIME_SERIES_{period.upper()}{'_ADJUSTED' if adjusted else ''}"

        def read(body: Body, spelled: str) -> Reading[PriceSeries]:
            return prices.read_periods(body, spelled, period, adjusted=adjusted, most=None)

        return await self._of(function, symbol, read, {"datatype": "json"})

    async def intraday(
        self, symbol: str, interval: str, *, month: str | None = None, full: bool = False
    ) -> PriceSeries:
        """Return raw bars within the day, extended hours included; days where the key may not have them.

        Args:
            symbol: in any spelling.
            interval: ``1min``, ``5min``, ``15min``, ``30min`` or ``60min``.
            month: ``YYYY-MM``; None: the latest bars.
            full: all bars of the month, or of the latest 30 days, instead of the latest 100.
        """
        chosen, spelled = intraday.interval_of(interval), symbols.spelling(symbol)
        chosen_month = None if month is None else self._month(month)
        params = {
            "interval": chosen,
            "adjusted": "false",
            "extended_hours": "true",
            "outputsize": "full" if full else "compact",
            "datatype": "json",
            **({} if chosen_month is None else {"month": chosen_month}),
        }

        def read(body: Body, asked: str) -> Reading[PriceSeries]:
            return intraday.read(body, asked, chosen, month=chosen_month, most=None if full else COMPACT)

        try:
            return await self._of("TIME_SERIES_INTRADAY", spelled, read, params, full=full)
        except NotEntitledError as error:
            return await self._days_instead(spelled, chosen, chosen_month, error)

    async def _days_instead(
        self, symbol: str, interval: str, month: str | None, error: NotEntitledError
    ) -> PriceSeries:
        if month is not None and month < self._month_ago(_COMPACT_REACHES):
            raise error
        series = await self.daily(symbol)
        bars = tuple(bar for bar in series.bars if month is None or f"{bar.date:%Y-%m}" == month)
        if not bars:
            raise error
        asked = f"bars of {interval}" + (f" of {month}" if month else "")
        said = f"{asked} were asked for; {error.detail}: these are days"
        return msgspec.structs.replace(series, bars=bars, degraded=said)

    def _month_ago(self, days: int) -> str:
        then = dt.datetime.fromtimestamp(self.http.clock() // NANOS, NEW_YORK) - dt.timedelta(days=days)
        return f"{then:%Y-%m}"

    def _month(self, text: str) -> str:
        month = text.strip()
        if not re.fullmatch(r"[0-9]{4}-(0[1-9]|1[0-2])", month) or not (
            _FIRST_MONTH <= month <= self._month_ago(0)
        ):
            raise ProviderBadRequestError(
                f"there are no bars of the month {text[:20]!r}",
                rule=f"a month is YYYY-MM, from {_FIRST_MONTH} to the running one",
                fix="choose such a month",
            )
        return month

    async def _best(self, symbol: str, ways: Sequence[_Way], asked: str) -> PriceSeries:
        """Return the first of several ways that the key is entitled to, saying what it is less than."""
        refused: NotEntitledError | None = None
        for way in ways:
            try:
                series = await self._days(symbol, way)
            except NotEntitledError as error:
                refused = refused or error
                continue
            if refused is None:
                return series
            got = f"{'the whole history' if way.full else f'the latest {len(series.bars)} days'}"
            got += ", adjusted" if way.adjusted else ", not adjusted" if ways[0].adjusted else ""
            said = f"{asked} was asked for; {refused.detail}: these are {got}"
            return msgspec.structs.replace(series, degraded=said)
        raise refused or AssertionError("there is at least one way")

    async def _days(self, symbol: str, way: _Way) -> PriceSeries:
        def read(body: Body, spelled: str) -> Reading[PriceSeries]:
            most = None if way.full else COMPACT
            return prices.read_periods(body, spelled, "daily", adjusted=way.adjusted, most=most)

        params = {"outputsize": "full" if way.full else "compact", "datatype": "json"}
        series = await self._of(way.function, symbol, read, params, full=way.full)
        if way.full and len(series.bars) == COMPACT:
            said = f"the whole history was asked for; {COMPACT} days came, as many as the short form has"
            return msgspec.structs.replace(series, degraded=said)
        return series

    # ------------------------------------------------------------ companies

    async def overview(self, symbol: str) -> CompanyOverview:
        """Return what a company is; funds and foreign symbols have none."""
        return await self._of("OVERVIEW", symbol, companies.read_overview)

    async def earnings(self, symbol: str) -> EarningsReport:
        """Return earnings a share, by quarter and by year."""
        return await self._of("EARNINGS", symbol, companies.read_earnings)

    async def estimates(self, symbol: str) -> list[EarningsEstimate]:
        """Return what analysts expect, latest period first."""
        return await self._of("EARNINGS_ESTIMATES", symbol, companies.read_estimates)

    async def statements(self, symbol: str, statement: str) -> list[StatementPeriod]:
        """Return the years and the quarters of a statement: ``income``, ``balance`` or ``cash_flow``."""
        kind: companies.Statement
        for kind in companies.STATEMENTS:
            if kind == statement:
                break
        else:
            raise ProviderBadRequestError(
                f"there is no statement {statement[:40]!r}",
                rule=f"a statement is one of {', '.join(companies.STATEMENTS)}",
                fix="choose one of these",
            )

        def read(body: Body, spelled: str) -> Reading[list[StatementPeriod]]:
            return companies.read_statement(body, spelled, kind)

        return await self._of(companies.STATEMENTS[kind], symbol, read)

    async def dividends(self, symbol: str) -> list[CorporateAction]:
        """Return the dividends of a symbol, oldest first."""
        return await self._of("DIVIDENDS", symbol, listings.read_dividends, {"datatype": "json"})

    async def splits(self, symbol: str) -> list[CorporateAction]:
        """Return the splits of a symbol as told, oldest first; a spin-off may be among them."""
        return await self._of("SPLITS", symbol, listings.read_splits, {"datatype": "json"})

    # ------------------------------------------------------------ symbols and dates

    async def search(self, keywords: str) -> list[SymbolMatch]:
        """Return symbols that match, best first; none is an empty list."""
        words = " ".join(keywords.lower().split())
        if not words or len(words) > 100 or not words.isprintable():
            raise ProviderBadRequestError(
                "a search wants words", rule="1 to 100 characters", fix="give a part of a name or symbol"
            )
        params = {"keywords": words, "datatype": "json"}
        return facts(await self._ask("SYMBOL_SEARCH", params, listings.read_search))

    async def earnings_calendar(
        self, symbol: str | None = None, *, horizon: str = "3month"
    ) -> list[EarningsDate]:
        """Return when companies are expected to report, soonest first.

        The whole calendar is asked for, once a day, because it costs as much as one symbol of it.
        """
        if horizon not in HORIZONS:
            raise ProviderBadRequestError(
                f"there is no horizon {horizon[:20]!r}",
                rule=f"a horizon is one of {', '.join(HORIZONS)}",
                fix="choose one of these",
            )
        wanted = None if symbol is None else symbols.spelling(symbol)
        dates = facts(
            await self._ask("EARNINGS_CALENDAR", {"horizon": horizon}, listings.read_earnings_calendar)
        )
        return [due for due in dates if wanted is None or symbols.spelled(due.symbol) == wanted]

    async def ipo_calendar(self) -> list[IpoDate]:
        """Return the companies about to be listed, soonest first."""
        return facts(await self._ask("IPO_CALENDAR", {}, listings.read_ipo_calendar))

    async def listings(self, date: dt.date | None = None, state: str = "active") -> list[Listing]:
        """Return the listed symbols of the US.

        Args:
            date: as of this day, from 2010 on; None: the latest.
            state: ``active`` or ``delisted``.
        """
        if state not in ("active", "delisted") or (date is not None and date < _FIRST_LISTINGS):
            raise ProviderBadRequestError(
                f"there are no listings of state {state[:20]!r} on {date or 'the latest day'}",
                rule=f"a state is active or delisted, a day is {_FIRST_LISTINGS} or later",
                fix="choose such a state and day",
            )
        params = {"state": state, **({} if date is None else {"date": date.isoformat()})}

        def read(body: Body) -> Reading[list[Listing]]:
            return listings.read_listings(body, state=state, day=date)

        return facts(await self._ask("LISTING_STATUS", params, read))

    def supported_functions(self) -> list[SupportedFunction]:
        """Return the functions that are built, and what was seen of the key's entitlement."""
        now = self.http.clock()
        today = day_of(now)
        return [
            SupportedFunction(
                source=self.http.source,
                as_of=today,
                fetched_at=now,
                synthetic=self.http.synthetic,
                function=function.name,
                about=function.about,
                premium=function.premium,
                entitled=self._memory.entitled(function.name),
            )
            for function in FUNCTIONS.values()
        ]

    # ------------------------------------------------------------ asking

    async def _of[T](
        self,
        function: str,
        symbol: str,
        read: Callable[[Body, str], Reading[T]],
        params: Mapping[str, str] | None = None,
        *,
        full: bool = False,
    ) -> T:
        """Ask about a symbol, unless it is remembered that this is in vain."""
        spelled = symbols.spelling(symbol)
        now = self.http.clock()
        self._memory.recall(function, spelled, full=full, now=now)
        try:
            answer = await self._ask(
                function,
                {"symbol": spelled, **(params or {})},
                lambda body: read(body, spelled),
                fresh_prices_s(function, spelled, now) if _is_price(function) else None,
            )
        except NotEntitledError as error:
            self._memory.refused(function, error, full=full, now=now)
            raise
        except ProviderNotFoundError as error:
            self._memory.absent(function, spelled, error, now=now)
            raise
        return facts(answer)

    async def _ask[T](
        self,
        function: str,
        params: Mapping[str, str],
        read: Callable[[Body], Reading[T]],
        fresh_s: float | None = None,
    ) -> Answer[Reading[T]]:
        answer = await self.http.get(
            self._url,
            {"function": function, **params},
            read=read,
            fresh_s=FUNCTIONS[function].fresh_s if fresh_s is None else fresh_s,
        )
        if answer.problem is None:
            self._memory.answered(function, params.get("symbol", ""))
        return answer


def _is_price(function: str) -> bool:
    return function == "GLOBAL_QUOTE" or function.startswith("TIME_SERIES")


def spec(settings: ProviderSettings) -> ProviderSpec:
    """Return what the core has to know; a twin needs no pace, and has a quota of its own that suffices."""
    demo = settings.profile == "demo"
    return ProviderSpec(
        name="alpha_vantage",
        label="Alpha Vantage",
        credential=Credential(
            variable="ALPHA_VANTAGE_API_KEY",
            place="query",
            field="apikey",
            fix=shapes.KEY_FIX,
            sandbox="sandbox",
        ),
        spacing_s=0.0 if demo else settings.alpha_vantage_spacing_s,
        pace=f"sandbox, {SANDBOX_QUOTA} a day" if demo else _pace(settings),
        daily_quota=SANDBOX_QUOTA if demo else settings.alpha_vantage_daily_quota,
        quota_timezone=shapes.QUOTA_TIMEZONE,
        deadline_s=settings.deadline_s,
    )


def _pace(settings: ProviderSettings) -> str:
    a_second = max(1, int(1 / settings.alpha_vantage_spacing_s)) if settings.alpha_vantage_spacing_s else 1
    return f"{a_second}/s, {settings.alpha_vantage_daily_quota} a day"
