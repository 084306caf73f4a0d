"""The vocabulary of companies as they report to the regulator: filings, facts, insiders, holdings.

Money and share counts are ``Decimal``. This module must not know where the facts come from.
"""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import Literal

import msgspec

from data.facts import Fact, Record

Period = Literal["quarter", "ytd", "annual", "instant", "other"]
View = Literal["first_filed", "restated"]


class Company(Fact, frozen=True, kw_only=True, tag="company"):
    """A registrant. What only its own file tells is empty in lists."""

    cik: int
    name: str
    tickers: tuple[str, ...] = ()  #: all share classes, with a dash as the regulator writes them
    exchanges: tuple[str, ...] = ()
    entity_type: str = ""
    sic: str = ""
    industry: str = ""
    fiscal_year_end: str = ""  #: MM-DD
    state: str = ""
    former_names: tuple[str, ...] = ()
    filings: int | None = None  #: how many there are; None: not known


class Filing(Fact, frozen=True, kw_only=True, tag="filing"):
    """One filing."""

    cik: int
    company: str
    tickers: tuple[str, ...] = ()
    accession: str
    form: str
    form_title: str  #: what the form is, in plain words
    filed: dt.date
    period: dt.date | None = None  #: what it reports on
    accepted: str = ""  #: as told, e.g. ``2026-02-26T18:34:19.000Z``; UTC in some rows and Eastern in others
    items: tuple[str, ...] = ()  #: of an 8-K
    title: str = ""  #: of the primary document
    document: str = ""  #: file name of the primary document
    url: str = ""
    size: int | None = None
    amendment: bool = False
    xbrl: bool = False


class FilingList(Fact, frozen=True, kw_only=True, tag="filings"):
    """Filings of one company, latest first."""

    cik: int
    name: str
    filings: tuple[Filing, ...]
    complete: bool  #: everything that was asked for was looked at; ``problems`` says what was not
    problems: tuple[str, ...] = ()


class FilingDocument(Fact, frozen=True, kw_only=True, tag="filing_document"):
    """The text of a filing's document, for reading."""

    cik: int
    accession: str
    form: str
    title: str
    url: str
    text: str
    sections: tuple[tuple[str, int], ...] = ()  #: headings and the lines they stand on, from 0
    truncated: bool = False


class CompanyFact(Fact, frozen=True, kw_only=True, tag="company_fact"):
    """One reported figure of one period."""

    cik: int
    metric: str  #: our name, e.g. ``revenue``, or the tag's
    taxonomy: str
    tag: str
    label: str
    unit: str
    period: Period
    start: dt.date | None = None  #: None: an instant
    end: dt.date
    value: Decimal
    fiscal_year: int  #: of the period, not of the filing
    fiscal_quarter: int | None = None
    filed: dt.date
    form: str
    accession: str
    view: View
    restated: bool = False  #: a later filing told another value than the first
    derived: str = ""  #: how it was computed where it was not reported, e.g. ``FY - Q1 - Q2 - Q3``
    growth: float | None = None  #: against the same period a year before, as a fraction


class CompanyFacts(Fact, frozen=True, kw_only=True, tag="company_facts"):
    """Figures of one company, latest period first."""

    cik: int
    name: str
    view: View
    facts: tuple[CompanyFact, ...]
    metrics: tuple[str, ...] = ()  #: what can be asked for of this company


class InsiderTransaction(Fact, frozen=True, kw_only=True, tag="insider_transaction"):
    """One line of a Form 3, 4 or 5. None: not told, or told in a footnote only."""

    cik: int
    issuer: str
    ticker: str = ""
    owners: tuple[str, ...]
    relationship: str  #: e.g. ``director, officer: CFO``
    form: str
    accession: str
    filed: dt.date
    date: dt.date | None = None  #: of the transaction; None: a holding
    code: str = ""  #: P, S, A, M, F, G …
    action: str = ""  #: the code in plain words
    security: str
    derivative: bool
    acquired: bool | None = None
    shares: Decimal | None = None
    price: Decimal | None = None
    value: Decimal | None = None  #: shares times price
    shares_after: Decimal | None = None
    direct: bool | None = None
    footnotes: tuple[str, ...] = ()
    amends: bool = False  #: it replaces an earlier filing
    owner_ciks: tuple[int, ...] = ()
    nature: str = ""  #: of what is held indirectly, e.g. ``By Trust``
    underlying: str = ""  #: the security under a derivative
    underlying_shares: Decimal | None = None
    exercise_price: Decimal | None = None
    expires: dt.date | None = None
    planned: bool | None = None  #: under a Rule 10b5-1 plan; None: from before there was the box to tick


class InsiderReport(Fact, frozen=True, kw_only=True, tag="insiders"):
    """Insider transactions of one company, latest first."""

    cik: int
    name: str
    transactions: tuple[InsiderTransaction, ...]
    filings: int  #: how many filings were read
    problems: tuple[str, ...] = ()  #: filings that could not be read


class Holding(Fact, frozen=True, kw_only=True, tag="holding"):
    """One security that a manager holds, summed over the rows of its report."""

    cusip: str
    issuer: str
    title: str  #: the class
    put_call: str = ""  #: ``Put``, ``Call`` or empty
    value: Decimal  #: US dollars
    quantity: Decimal
    quantity_type: str  #: ``SH`` shares, ``PRN`` principal
    rows: int = 1
    share: float | None = None  #: of the report's total value, as a fraction


class HoldingsReport(Fact, frozen=True, kw_only=True, tag="holdings"):
    """A manager's 13F report, largest holding first."""

    cik: int
    name: str
    form: str
    accession: str
    period: dt.date | None
    filed: dt.date
    value_unit: Literal["thousands", "dollars"]  #: in which the report states values; they are dollars here
    total: Decimal  #: US dollars
    stated_total: Decimal | None = None  #: of the cover page, US dollars
    stated_entries: int | None = None
    amendment: str = ""  #: ``RESTATEMENT``, ``NEW HOLDINGS`` or empty
    holdings: tuple[Holding, ...]
    problems: tuple[str, ...] = ()


class FilingHit(Fact, frozen=True, kw_only=True, tag="filing_hit"):
    """A filing whose text matches a search."""

    accession: str
    document: str
    form: str
    filed: dt.date | None
    period: dt.date | None = None
    ciks: tuple[int, ...]
    names: tuple[str, ...]
    description: str = ""
    url: str = ""


class SearchResult(Fact, frozen=True, kw_only=True, tag="search_result"):
    """What a text was found in: names and tickers of companies, and the text of filings."""

    query: str
    companies: tuple[Company, ...]
    filings: tuple[FilingHit, ...]
    filings_total: int | None = None  #: how many there are; None: not known
    problems: tuple[str, ...] = ()


class FormType(msgspec.Struct, frozen=True, kw_only=True):
    """A form and what it is."""

    form: str
    title: str
    about: str
    category: str


class WatchedCompany(Record, frozen=True, kw_only=True, tag="watched_company"):
    """A company whose new filings are looked for, and why."""

    ticker: str
    cik: int | None = None  #: None: it is not known to the regulator, or not looked up yet
    name: str = ""
    held: tuple[str, ...] = ()  #: the instruments of open positions it stands for
    watched: bool = False  #: somebody asked for it
    ts_looked: int | None = None  #: when its filings were last looked for
    problem: str | None = None  #: the typed error's name and what was wrong, when that failed


class FormCount(msgspec.Struct, frozen=True, kw_only=True):
    """How many filings of a form are held, and over which time."""

    form: str
    filings: int
    first: dt.date
    last: dt.date


class FilingStatistics(Record, frozen=True, kw_only=True, tag="filing_statistics"):
    """What is held about companies, counted; nothing is asked of the regulator for it."""

    source: str
    synthetic: bool
    companies: int
    filings: int
    facts: int
    forms: tuple[FormCount, ...]  #: most frequent first
    first_filed: dt.date | None = None
    last_filed: dt.date | None = None
    watched: int = 0
    ts: int
