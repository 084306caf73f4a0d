"""The vocabulary of stocks as a data vendor tells it: quotes, prices, overviews, statements, earnings.

Prices and money are ``Decimal``, in the currency that is named. This module must not know where the
facts come from.
"""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import Literal

from data.facts import Fact, Record


class StockQuote(Fact, frozen=True, kw_only=True, tag="stock_quote"):
    """The latest trading day of a symbol, as the vendor has it."""

    symbol: str
    open: Decimal | None
    high: Decimal | None
    low: Decimal | None
    price: Decimal | None
    volume: Decimal | None
    day: dt.date | None  #: latest trading day
    previous_close: Decimal | None
    change: Decimal | None
    change_percent: Decimal | None
    currency: str | None = None  #: of the prices, ``GBX`` is pence; None: not told


class PriceBar(Fact, frozen=True, kw_only=True, tag="price_bar"):
    """One period of a symbol."""

    date: dt.date
    ts: int  #: start of the period, UTC
    open: Decimal | None
    high: Decimal | None
    low: Decimal | None
    close: Decimal | None
    volume: Decimal | None = None  #: None: not told, as for currencies
    adjusted_close: Decimal | None = None
    dividend: Decimal | None = None
    split: Decimal | None = None


class PriceSeries(Fact, frozen=True, kw_only=True, tag="price_series"):
    """Prices of a symbol, oldest first. ``degraded`` says what was asked for and why this is less."""

    symbol: str
    interval: str  #: ``1min`` … ``60min``, ``daily``, ``weekly``, ``monthly``
    timezone: str
    adjusted: bool
    bars: tuple[PriceBar, ...]
    degraded: str | None = None
    currency: str | None = None  #: of the prices, ``GBX`` is pence; None: not told


class SymbolMatch(Fact, frozen=True, kw_only=True, tag="symbol_match"):
    """A symbol that matches a search, best first."""

    symbol: str
    name: str
    kind: str
    region: str
    currency: str
    timezone: str
    score: float


class CompanyOverview(Fact, frozen=True, kw_only=True, tag="company_overview"):
    """What a company is and its key figures; ``figures`` has all that were told, by the vendor's names."""

    symbol: str
    name: str
    description: str
    exchange: str
    currency: str
    country: str
    sector: str
    industry: str
    fiscal_year_end: str
    latest_quarter: dt.date | None
    market_cap: Decimal | None
    pe: Decimal | None
    eps: Decimal | None
    dividend_yield: Decimal | None
    beta: Decimal | None
    high_52w: Decimal | None
    low_52w: Decimal | None
    figures: dict[str, str]


class Earnings(Fact, frozen=True, kw_only=True, tag="earnings_period"):
    """Earnings of one period. None: not reported (yet)."""

    symbol: str
    period: Literal["quarter", "annual"]
    fiscal_end: dt.date
    reported: dt.date | None = None
    eps: Decimal | None = None
    estimate: Decimal | None = None
    surprise: Decimal | None = None
    surprise_percent: Decimal | None = None
    partial: bool = False  #: the running year, of which not all quarters are in
    time_of_day: str = ""  #: when it was reported, e.g. ``post-market``


class EarningsReport(Fact, frozen=True, kw_only=True, tag="earnings"):
    """Earnings of a company, latest first."""

    symbol: str
    quarterly: tuple[Earnings, ...]
    annual: tuple[Earnings, ...]


class EarningsEstimate(Fact, frozen=True, kw_only=True, tag="earnings_estimate"):
    """What analysts expect of one period. None: not told."""

    symbol: str
    period: Literal["quarter", "annual"]
    fiscal_end: dt.date
    eps: Decimal | None  #: the average of the analysts
    eps_high: Decimal | None
    eps_low: Decimal | None
    eps_analysts: int | None
    revenue: Decimal | None
    revenue_high: Decimal | None
    revenue_low: Decimal | None
    revenue_analysts: int | None


class StatementPeriod(Fact, frozen=True, kw_only=True, tag="statement_period"):
    """One period of a statement; items without a value are left out."""

    symbol: str
    statement: Literal["income", "balance", "cash_flow"]
    period: Literal["quarter", "annual"]
    fiscal_end: dt.date
    currency: str
    items: dict[str, Decimal]


class EarningsDate(Fact, frozen=True, kw_only=True, tag="earnings_date"):
    """When a company is expected to report."""

    symbol: str
    name: str
    date: dt.date
    fiscal_end: dt.date | None
    estimate: Decimal | None
    currency: str
    time_of_day: str = ""


class IpoDate(Fact, frozen=True, kw_only=True, tag="ipo_date"):
    """When a company is expected to be listed. A range of prices that is not set yet is None."""

    symbol: str
    name: str
    date: dt.date
    price_low: Decimal | None
    price_high: Decimal | None
    currency: str
    exchange: str


class Listing(Fact, frozen=True, kw_only=True, tag="listing"):
    """A listed or delisted symbol."""

    symbol: str
    name: str
    exchange: str
    kind: str
    ipo: dt.date | None
    delisted: dt.date | None
    status: str


class CorporateAction(Fact, frozen=True, kw_only=True, tag="corporate_action"):
    """A dividend or a split."""

    symbol: str
    kind: Literal["dividend", "split"]
    date: dt.date  #: ex-dividend or effective date
    amount: Decimal | None = None  #: a share, of a dividend
    factor: Decimal | None = None  #: new shares for an old one, of a split; as the vendor tells it
    declared: dt.date | None = None  #: these three of a dividend
    recorded: dt.date | None = None
    paid: dt.date | None = None


class SupportedFunction(Fact, frozen=True, kw_only=True, tag="supported_function"):
    """One function of the vendor that is built here, and whether the key was seen to be entitled to it."""

    function: str
    about: str
    premium: bool  #: the vendor asks a paid key for it
    entitled: bool | None = None  #: None: not tried yet


class DueItem(Fact, frozen=True, kw_only=True, tag="due_item"):
    """Something that is due or has just come, of interest for what is held or watched."""

    kind: Literal["release", "earnings", "filing"]
    date: dt.date
    ts_due: int | None = None
    title: str
    importance: Literal["high", "medium", "low"]
    instruments: tuple[str, ...]  #: which of those held or watched it is about; empty: all
    reference: str = ""  #: a series, an accession or a symbol to go to


class Due(Record, frozen=True, kw_only=True, tag="due"):
    """What is due for what is held or watched, earliest first, and what could not be found out."""

    items: tuple[DueItem, ...]
    problems: tuple[str, ...] = ()  #: the typed error's name and what was wrong, a source each
    held: tuple[str, ...] = ()  #: the instruments it was asked for
    watched: tuple[str, ...] = ()  #: the tickers beside them
    ts: int
