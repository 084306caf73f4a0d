"""The sandbox twin's registrants and the calendar of what they file, all of it invented.

Names and tickers are those of the simulated market, so that its instruments can be researched; what
they file is drawn from fixed rules and a date, never from the world. A later date adds filings and
changes none. This module must not know how a filing is answered.
"""

from __future__ import annotations

import calendar
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from functools import lru_cache
from itertools import groupby
from typing import Literal

#: The first day on which anybody filed.
FIRST = date(2014, 1, 2)
#: On this day the regulator renamed a form.
_RENAMED = date(2024, 12, 18)
#: Since this day there are pricing supplements.
_NOTES_SINCE = date(2024, 1, 2)


@dataclass(frozen=True, slots=True, kw_only=True)
class Registrant:
    """Who files."""

    cik: int
    name: str
    tickers: tuple[str, ...] = ()
    exchange: str = "Nasdaq"
    kind: Literal["company", "fund", "person"] = "company"
    sic: str = ""
    industry: str = ""
    state: str = "DE"
    year_end: int = 12  #: month in which the fiscal year ends, on its last day
    revenue: int = 0  #: of the year 2014, in millions of US dollars
    growth: float = 0.0  #: of revenue, a year
    margin: float = 0.0  #: net income as a fraction of revenue
    shares: int = 0  #: millions
    manager: bool = False  #: reports holdings every quarter
    notes: int = 0  #: pricing supplements on every working day
    insider_of: int | None = None  #: CIK of the company whose Forms 4 a person signs
    former: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Filed:
    """A filing."""

    cik: int  #: of the subject: the issuer of a Form 4
    accession: str
    form: str
    filed: date
    period: date | None
    items: str = ""
    document: str = ""  #: as the list of filings has it: with the folder of the style sheet
    title: str = ""
    number: int = 0  #: counts the filings of the same form of a registrant

    @property
    def accepted(self) -> str:
        """When it was accepted, as the list of filings has it."""
        return f"{self.filed.isoformat()}T00:00:{self.number % 60:02d}.000Z"


REGISTRANTS: tuple[Registrant, ...] = (
    Registrant(
        cik=320193, name="Apple Inc.", tickers=("AAPL",), sic="3571", industry="Electronic Computers",
        state="CA", year_end=9, revenue=180_000, growth=0.07, margin=0.23, shares=15_800,
        former=("APPLE COMPUTER INC",),
    ),
    Registrant(
        cik=789019, name="MICROSOFT CORP", tickers=("MSFT",), sic="7372",
        industry="Services-Prepackaged Software", state="WA", year_end=6, revenue=88_000, growth=0.10,
        margin=0.33, shares=7_500,
    ),
    Registrant(
        cik=1045810, name="NVIDIA CORP", tickers=("NVDA",), sic="3674",
        industry="Semiconductors & Related Devices", state="CA", year_end=1, revenue=4_500, growth=0.34,
        margin=0.36, shares=24_600,
    ),
    Registrant(
        cik=1018724, name="AMAZON COM INC", tickers=("AMZN",), sic="5961",
        industry="Retail-Catalog & Mail-Order Houses", state="WA", revenue=90_000, growth=0.19, margin=0.06,
        shares=10_400,
    ),
    Registrant(
        cik=1652044, name="Alphabet Inc.", tickers=("GOOGL", "GOOG"), sic="7370",
        industry="Services-Computer Programming, Data Processing, Etc.", state="CA", revenue=66_000,
        growth=0.16, margin=0.25, shares=12_300,
    ),
    Registrant(
        cik=1326801, name="Meta Platforms, Inc.", tickers=("META",), sic="7370",
        industry="Services-Computer Programming, Data Processing, Etc.", state="CA", revenue=12_500,
        growth=0.26, margin=0.30, shares=2_550, former=("Facebook Inc",),
    ),
    Registrant(
        cik=1318605, name="Tesla, Inc.", tickers=("TSLA",), sic="3711",
        industry="Motor Vehicles & Passenger Car Bodies", state="TX", revenue=3_200, growth=0.37, margin=0.08,
        shares=3_180, former=("TESLA MOTORS INC",),
    ),
    Registrant(
        cik=19617, name="JPMORGAN CHASE & CO", tickers=("JPM",), exchange="NYSE", sic="6021",
        industry="National Commercial Banks", state="DE", revenue=94_000, growth=0.05, margin=0.28,
        shares=2_800, notes=4,
    ),
    Registrant(
        cik=34088, name="EXXON MOBIL CORP", tickers=("XOM",), exchange="NYSE", sic="2911",
        industry="Petroleum Refining", state="NJ", revenue=365_000, growth=-0.005, margin=0.08, shares=4_200,
    ),
    Registrant(
        cik=21344, name="COCA COLA CO", tickers=("KO",), exchange="NYSE", sic="2080", industry="Beverages",
        state="DE", revenue=46_000, growth=0.01, margin=0.22, shares=4_310,
    ),
    Registrant(
        cik=1067983, name="BERKSHIRE HATHAWAY INC", tickers=("BRK-B", "BRK-A"), exchange="NYSE", sic="6331",
        industry="Fire, Marine & Casualty Insurance", state="DE", revenue=194_000, growth=0.06, margin=0.14,
        shares=2_160, manager=True,
    ),
    Registrant(
        cik=884394, name="SPDR S&P 500 ETF TRUST", tickers=("SPY",), exchange="NYSE", kind="fund", year_end=9,
        state="NY",
    ),
    Registrant(
        cik=1067839, name="INVESCO QQQ TRUST, SERIES 1", tickers=("QQQ",), kind="fund", year_end=9,
        state="IL",
    ),
    Registrant(cik=9000001, name="Sandoval Ada L.", kind="person", insider_of=320193),
    Registrant(cik=9000002, name="Brightwater Noel", kind="person", insider_of=1045810),
)  # fmt: skip

BY_CIK = {registrant.cik: registrant for registrant in REGISTRANTS}


def filings(registrant: Registrant, today: date) -> list[Filed]:
    """Return what a registrant filed up to a date, latest first."""
    return [filed for filed in _all(registrant.cik, today.year) if filed.filed <= today]


@lru_cache(maxsize=64)
def _all(cik: int, last_year: int) -> tuple[Filed, ...]:
    """Return the filings up to the end of a year, latest first, with their numbers."""
    registrant = BY_CIK[cik]
    if registrant.insider_of is not None:
        company = _all(registrant.insider_of, last_year)
        return tuple(filed for filed in company if filed.form == "4" and filed.number % 2 == 0)
    drafts = sorted(_drafts(registrant, last_year), key=lambda filed: (filed.filed, filed.form))
    numbered: list[Filed] = []
    counts: dict[str, int] = {}
    for year, group in groupby(drafts, key=lambda filed: filed.filed.year):
        for sequence, draft in enumerate(group, start=1):
            number = counts[draft.form] = counts.get(draft.form, 0) + 1
            accession = f"{cik:010d}-{year % 100:02d}-{sequence:06d}"
            numbered.append(_finished(draft, accession, number))
    return tuple(reversed(numbered))


def _finished(draft: Filed, accession: str, number: int) -> Filed:
    return Filed(
        cik=draft.cik,
        accession=accession,
        form=draft.form,
        filed=draft.filed,
        period=draft.period,
        items=draft.items,
        document=draft.document,
        title=draft.title,
        number=number,
    )


def _drafts(registrant: Registrant, last_year: int) -> Iterator[Filed]:
    """Yield everything that is filed between the first day and the end of a year."""
    last = date(last_year, 12, 31)
    for year in range(FIRST.year, last_year + 1):
        for month in range(1, 13):
            for filed in _of_month(registrant, year, month):
                if FIRST <= filed.filed <= last:
                    yield filed


def _of_month(registrant: Registrant, year: int, month: int) -> Iterator[Filed]:
    """Yield what is filed about a month that ends, and in it."""
    end = month_end(year, month)
    if registrant.kind == "fund":
        if month == registrant.year_end:
            yield _draft(registrant, "N-CSR", end + timedelta(65), end, "annual-report.htm", "ANNUAL REPORT")
        return
    if (month - registrant.year_end) % 3 == 0:
        yield from _of_quarter(registrant, end)
    if registrant.manager and month % 3 == 0:
        yield _draft(registrant, "13F-HR", end + timedelta(45), end, "xslForm13F_X02/primary_doc.xml")
    yield from _insiders(registrant, year, month)
    if month == 2:
        renamed = date(year, 2, 14) >= _RENAMED
        form = "SCHEDULE 13G/A" if renamed else "SC 13G/A"
        document = "xslSCHEDULE_13G_X01/primary_doc.xml" if renamed else "sc13ga.htm"
        yield _draft(registrant, form, date(year, 2, 14), date(year - 1, 12, 31), document)
    for day in range(1, end.day + 1):
        today = date(year, month, day)
        if registrant.notes and today >= _NOTES_SINCE and today.weekday() < 5:
            for _ in range(registrant.notes):
                yield _draft(registrant, "424B2", today, None, "pricing-supplement.htm", "PRELIMINARY")


def _of_quarter(registrant: Registrant, end: date) -> Iterator[Filed]:
    annual = end.month == registrant.year_end
    ticker = registrant.tickers[0].lower().replace("-", "")
    results = working(end + timedelta(28))
    yield _draft(registrant, "8-K", results, results, f"{ticker}-8k.htm", "8-K", items="2.02,9.01")
    if annual:
        yield _draft(registrant, "10-K", end + timedelta(50), end, f"{ticker}-{end:%Y%m%d}.htm", "10-K")
        if end.year % 5 == 0:
            yield _draft(registrant, "10-K/A", end + timedelta(110), end, f"{ticker}-10ka.htm", "10-K/A")
        yield _draft(registrant, "DEF 14A", end + timedelta(95), end + timedelta(130), "proxy.htm", "DEF 14A")
    else:
        yield _draft(registrant, "10-Q", end + timedelta(34), end, f"{ticker}-{end:%Y%m%d}.htm", "10-Q")


def _insiders(registrant: Registrant, year: int, month: int) -> Iterator[Filed]:
    traded = working(date(year, month, 13))
    document = "xslF345X05/form4.xml"
    yield _draft(registrant, "4", traded + timedelta(1), traded, document, "FORM 4")
    if month in (3, 9):
        yield _draft(registrant, "4", traded + timedelta(1), traded, document, "FORM 4")
    if month == 4:
        yield _draft(registrant, "4/A", traded + timedelta(6), traded, document, "FORM 4/A")


def _draft(
    registrant: Registrant,
    form: str,
    filed: date,
    period: date | None,
    document: str,
    title: str = "",
    *,
    items: str = "",
) -> Filed:
    return Filed(
        cik=registrant.cik,
        accession="",
        form=form,
        filed=working(filed),
        period=period,
        items=items,
        document=document,
        title=title,
    )


def month_end(year: int, month: int) -> date:
    """Return the last day of a month."""
    return date(year, month, calendar.monthrange(year, month)[1])


def working(day: date) -> date:
    """Return a day, or the Monday after it if it is on a week-end."""
    return day + timedelta(max(0, 7 - day.weekday()) if day.weekday() >= 5 else 0)
