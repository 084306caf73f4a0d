"""What analytics are computed from, gathered for one book: fills, terms, rates, marks, orders.

A book is ``portfolio`` (all engines together) or one engine. This module must not know what is computed.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Final

from data.problems import NotFoundError
from data.records import Fill, Instrument, OrderUpdate
from data.state import State
from nautilus_tui.daemon.risk.portfolio import PortfolioWatch
from risk.portfolio import Portfolio
from risk.terms import Terms

PORTFOLIO: Final = "portfolio"
_PAGE: Final = 1000
#: Instruments whose returns stand for the market, by symbol, the first that is traded.
_MARKET: Final = ("SPY", "SPX", "ES", "VOO", "IVV")


@dataclass(frozen=True, slots=True)
class Account:
    """A book with what turns its fills into money."""

    name: str
    engines: tuple[str, ...]
    portfolio: Portfolio
    terms: Mapping[str, Terms]
    rates: Mapping[tuple[str, str], Decimal]
    marks: Mapping[tuple[str, str], Decimal]

    @property
    def engine(self) -> str | None:
        """The engine; None: all."""
        return None if self.name == PORTFOLIO else self.name

    def rate_of(self, engine: str, currency: str) -> Decimal | None:
        """Return the book's currency for one unit of another, as an engine knows it."""
        return self.rates.get((engine, currency))

    def rate(self, currency: str) -> Decimal | None:
        """Return the book's currency for one unit of another, as the first engine that knows it says."""
        known = (self.rates.get((engine, currency)) for engine in self.engines)
        return next((one for one in known if one is not None), None)

    def mark(self, engine: str, instrument: str) -> Decimal | None:
        """Return the price that an engine's position is marked at."""
        return self.marks.get((engine, instrument))


class Accounts:
    """Gathers books."""

    def __init__(self, state: State, watch: PortfolioWatch) -> None:
        self._state = state
        self._watch = watch

    def engines(self, name: str) -> tuple[str, ...]:
        """Return the engines of a book; raises NotFoundError for one that is not known."""
        known = self._watch.engines()
        if name == PORTFOLIO:
            return tuple(known)
        if name not in known:
            raise NotFoundError(
                f"there is no portfolio {name!r}",
                rule=f"a portfolio is {PORTFOLIO} or an engine",
                fix=f"one of {', '.join([PORTFOLIO, *known])}",
                portfolio_id=name,
            )
        return (name,)

    def snapshot(self, name: str) -> Portfolio:
        """Return what a book holds now; raises NotFoundError."""
        self.engines(name)
        return self._watch.snapshot(None if name == PORTFOLIO else name)

    def market(self, name: str) -> str | None:
        """Return the instrument whose returns stand for the equity market in a book; None: none is traded."""
        by_symbol: dict[str, str] = {}
        for engine in self.engines(name):
            for one in self._watch.instruments(engine).values():
                by_symbol.setdefault(one.symbol, one.id)
        return next((by_symbol[symbol] for symbol in _MARKET if symbol in by_symbol), None)

    def half_spreads(self, portfolio: Portfolio) -> dict[tuple[str, str], Decimal]:
        """Return half of the present spread, in price, of what is held and quoted on both sides."""
        found = {}
        for one in portfolio.holdings:
            quote = self._watch.quote(one.instrument, one.engine)
            if quote is not None and quote.bid is not None and quote.ask is not None:
                found[one.engine, one.instrument] = (quote.ask - quote.bid) / 2
        return found

    async def account(self, name: str) -> Account:
        """Return a book with terms, rates and marks; raises NotFoundError."""
        engines = self.engines(name)
        portfolio = self.snapshot(name)
        terms: dict[str, Terms] = {}
        sheets = {engine: self._watch.instruments(engine) for engine in engines}
        for sheet in sheets.values():
            for one in sheet.values():
                terms.setdefault(one.id, Terms(one.currency, one.multiplier, one.sector))
        for engine in engines:  # of an engine that does not run, its positions tell the terms
            if not sheets[engine]:
                page = await self._state.positions(engine=engine, closed=True, limit=10_000)
                for position in page.items:
                    terms.setdefault(position.instrument, Terms(position.currency, position.multiplier))
        currencies = {one.currency for one in terms.values()} | {portfolio.currency}
        foreign = {one.engine for one in portfolio.money if one.currency != portfolio.currency}
        rates = {
            (engine, currency): rate
            for engine in engines
            if engine not in foreign  # its rates are to another currency
            for currency, rate in self._rates(engine, sheets[engine], currencies, portfolio.currency).items()
        }
        marks = {(one.engine, one.instrument): one.mark for one in portfolio.holdings if one.mark is not None}
        return Account(name, engines, portfolio, terms, rates, marks)

    def _rates(
        self, engine: str, sheet: Mapping[str, Instrument], currencies: set[str], target: str
    ) -> dict[str, Decimal]:
        """Return rates from the engine's marks, and from quotes of currency pairs where it has none."""
        found = {target: Decimal(1), **self._watch.rates(engine)}
        missing = currencies - found.keys()
        for one in sheet.values() if missing else ():
            if one.asset_class != "fx" or one.base_currency is None:
                continue
            pair = {one.base_currency, one.currency}
            other = (pair - {target}) if target in pair else set()
            if not other & missing:
                continue
            quote = self._watch.quote(one.id, engine)
            if quote is None or quote.bid is None or quote.ask is None:
                continue
            mid = (quote.bid + quote.ask) / 2
            if mid > 0:
                found[other.pop()] = mid if one.currency == target else 1 / mid
        return found

    async def fills(self, account: Account) -> list[Fill]:
        """Return all fills of a book, newest first."""
        found: list[Fill] = []
        cursor: str | None = None
        while True:
            page = await self._state.fills(engine=account.engine, limit=_PAGE, cursor=cursor)
            found += page.items
            cursor = page.next
            if cursor is None:
                return found

    async def orders(self, account: Account, limit: int, strategy: str | None = None) -> list[OrderUpdate]:
        """Return the latest orders of a book, newest first, of one strategy if it is named."""
        found: list[OrderUpdate] = []
        cursor: str | None = None
        while len(found) < limit:
            page = await self._state.orders(
                engine=account.engine, limit=min(_PAGE, limit) if strategy is None else _PAGE, cursor=cursor
            )
            found += [one for one in page.items if strategy in (None, one.strategy)]
            cursor = page.next
            if cursor is None:
                break
        return found[:limit]
