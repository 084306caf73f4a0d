"""A company of the fixed scene: invented figures of one registrant, the same in every run.

Everything in it is marked as synthetic, because it is.
"""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import Any

import msgspec

from data.companies import (
    Company,
    CompanyFact,
    CompanyFacts,
    Filing,
    FilingDocument,
    FilingHit,
    FilingList,
    Holding,
    HoldingsReport,
    InsiderReport,
    InsiderTransaction,
    SearchResult,
)
from data.facts import ProviderHealth
from data.fundamentals import (
    CompanyOverview,
    Due,
    DueItem,
    Earnings,
    EarningsReport,
    StockQuote,
)
from nautilus_tui.terminal.forms import GROUPS
from nautilus_tui.terminal.questions import Question
from nautilus_tui.terminal.questions.macro import WhatIsDue
from nautilus_tui.terminal.questions.research import (
    CompaniesLike,
    DocumentOf,
    EarningsOf,
    FactsOf,
    FilingsOf,
    FilingsSaying,
    HoldingsOf,
    InsidersOf,
    OneCompany,
    OverviewOf,
    QuoteOf,
)
from tests.terminal.scene import NOW, SECOND

D = Decimal
TODAY = dt.date(2026, 3, 2)
CIK, WHO, NAME = 320193, "AAPL", "Apple Inc."
EDGAR: dict[str, Any] = {
    "source": "edgar-sandbox",
    "as_of": TODAY,
    "fetched_at": NOW - 140 * SECOND,
    "synthetic": True,
}
STOCKS: dict[str, Any] = {**EDGAR, "source": "alpha_vantage-sandbox", "fetched_at": NOW - 3 * 3600 * SECOND}


def company(**changes: object) -> Company:
    """The company looked at."""
    plain = Company(
        **EDGAR,
        cik=CIK,
        name=NAME,
        tickers=(WHO,),
        exchanges=("Nasdaq",),
        entity_type="operating",
        sic="3571",
        industry="Electronic Computers",
        fiscal_year_end="09-26",
        state="CA",
        former_names=("APPLE COMPUTER INC",),
        filings=2211,
    )
    return msgspec.structs.replace(plain, **changes)


def companies() -> list[Company]:
    """What a search for ``ap`` finds."""
    return [
        company(),
        company(cik=1418121, name="Apple Hospitality REIT, Inc.", tickers=("APLE",), exchanges=("NYSE",)),
        company(cik=1801169, name="Aptiv PLC", tickers=("APTV", "APTV-PA"), exchanges=("NYSE",)),
        company(cik=6951, name="APPLIED MATERIALS INC /DE", tickers=("AMAT",)),
        company(cik=1858681, name="Apollo Global Management, Inc.", tickers=("APO",), exchanges=("NYSE",)),
        company(cik=1067983, name="Appaloosa-like Manager LP", tickers=(), exchanges=()),
    ]


_FORMS = {
    "10-K": "Annual report",
    "10-Q": "Quarterly report",
    "8-K": "Current report: something material happened",
    "4": "Insider's transaction",
    "DEF 14A": "Proxy statement for the shareholders' meeting",
    "SCHEDULE 13G/A": "Passive holder of over 5 %, amended",
    "144": "Notice of a proposed sale by an insider",
    "S-8": "Shares for employees' plans registered",
}
_LISTED: tuple[tuple[str, str, str | None, tuple[str, ...], int], ...] = (
    ("4", "2026-02-27", "2026-02-25", (), 6_400),
    ("8-K", "2026-02-24", "2026-02-24", ("5.07",), 214_000),
    ("SCHEDULE 13G/A", "2026-02-12", None, (), 31_000),
    ("4", "2026-02-05", "2026-02-03", (), 9_100),
    ("10-Q", "2026-01-30", "2025-12-27", (), 6_310_000),
    ("8-K", "2026-01-29", "2026-01-29", ("2.02", "9.01"), 402_000),
    ("DEF 14A", "2026-01-08", "2026-02-24", (), 3_120_000),
    ("8-K", "2025-12-19", "2025-12-16", ("5.02", "7.01", "9.01"), 188_000),
    ("144", "2025-11-14", None, (), 5_000),
    ("10-K", "2025-10-31", "2025-09-27", (), 9_870_000),
    ("8-K", "2025-10-30", "2025-10-30", ("2.02", "9.01"), 395_000),
    ("4", "2025-10-17", "2025-10-15", (), 12_300),
    ("10-Q", "2025-08-01", "2025-06-28", (), 6_120_000),
    ("8-K", "2025-07-31", "2025-07-31", ("2.02", "9.01"), 377_000),
    ("S-8", "2025-06-20", None, (), 92_000),
    ("10-Q", "2025-05-02", "2025-03-29", (), 6_040_000),
    ("8-K", "2025-05-01", "2025-05-01", ("2.02", "8.01", "9.01"), 391_000),
    ("10-Q", "2025-01-31", "2024-12-28", (), 5_980_000),
    ("10-K", "2024-11-01", "2024-09-28", (), 9_440_000),
    ("8-K", "2024-10-31", "2024-10-31", ("2.02", "9.01"), 368_000),
)


def filing(number: int) -> Filing:
    """One of the filings."""
    form, filed, period, items, size = _LISTED[number]
    return Filing(
        **EDGAR,
        cik=CIK,
        company=NAME,
        tickers=(WHO,),
        accession=f"0000320193-26-{900 - number:06d}",
        form=form,
        form_title=_FORMS[form],
        filed=dt.date.fromisoformat(filed),
        period=None if period is None else dt.date.fromisoformat(period),
        items=items,
        title=f"{form}",
        document=f"aapl-{filed.replace('-', '')}.htm",
        url=f"https://www.sec.example/Archives/edgar/data/320193/{number}",
        size=size,
        amendment=form.endswith("/A"),
        xbrl=form.startswith("10"),
    )


def filings(forms: tuple[str, ...] = (), **changes: object) -> FilingList:
    """The company's filings."""
    listed = tuple(filing(i) for i in range(len(_LISTED)))
    plain = FilingList(
        **EDGAR,
        cik=CIK,
        name=NAME,
        filings=tuple(f for f in listed if not forms or f.form in forms),
        complete=True,
    )
    return msgspec.structs.replace(plain, **changes)


def new_filing() -> Filing:
    """One that has just come on the stream."""
    return msgspec.structs.replace(
        filing(1),
        accession="0000320193-26-000999",
        filed=TODAY,
        period=TODAY,
        items=("2.02", "9.01"),
        fetched_at=NOW,
    )


_PROSE = (
    "The Company designs, manufactures and markets smartphones, personal computers, tablets, wearables "
    "and accessories, and sells a variety of related services. The Company’s fiscal year is the 52- or "
    "53-week period that ends on the last Saturday of September."
)
_RISK = (
    "The Company’s operations and performance depend significantly on global and regional economic "
    "conditions, and adverse economic conditions can materially adversely affect the Company’s business, "
    "results of operations and financial condition."
)
_CELLS: tuple[tuple[str, ...], ...] = (
    ("", "September 27,", "September 28,", "September 30,"),
    ("", "2025", "2024", "2023"),
    ("",),
    ("Net sales:",),
    ("  Products", "$   307,003", "$   294,866", "$   298,085"),
    ("  Services", "109,158", "96,169", "85,200"),
    ("    Total net sales", "416,161", "391,035", "383,285"),
    ("",),
    ("Cost of sales:",),
    ("  Products", "194,116", "185,233", "189,282"),
    ("  Services", "26,844", "25,119", "24,855"),
    ("    Total cost of sales", "220,960", "210,352", "214,137"),
    ("",),
    ("    Gross margin", "$   195,201", "$   180,683", "$   169,148"),
)
#: As it comes from a page: cells padded to the widest of their column, with empty columns between them.
_TABLE = "\n".join(
    (f"{row[0]:<40}" + "".join(f"{cell:>20}      " for cell in row[1:])).rstrip() for row in _CELLS
)


def document(**changes: object) -> FilingDocument:
    """The text of the annual report."""
    lines: list[str] = ["UNITED STATES", "SECURITIES AND EXCHANGE COMMISSION", "", "FORM 10-K", ""]
    sections: list[tuple[str, int]] = []

    def section(name: str, *paragraphs: str) -> None:
        sections.append((name, len(lines)))
        lines.append(name)
        lines.append("")
        for paragraph in paragraphs:
            lines.extend([*paragraph.split("\n"), ""])

    section("Item 1. Business", _PROSE, "Products", *([_PROSE] * 3))
    section("Item 1A. Risk Factors", *([_RISK] * 12), "•    " + _RISK, "•    " + _RISK)
    section("Item 7. Management’s Discussion and Analysis", _PROSE, _TABLE, _PROSE)
    section("Item 8. Financial Statements", _TABLE, *([_RISK] * 20))
    plain = FilingDocument(
        **EDGAR,
        cik=CIK,
        accession=filing(9).accession,
        form="10-K",
        title="Annual report",
        url="https://www.sec.example/Archives/edgar/data/320193/9/aapl-20250927.htm",
        text="\n".join(lines),
        sections=tuple(sections),
    )
    return msgspec.structs.replace(plain, **changes)


#: metric, label, unit, and values of the fiscal years 2025, 2024 …
_YEARS: tuple[tuple[str, str, str, str], ...] = (
    ("revenue", "Revenue", "USD",
     "416161e6 391035e6 383285e6 394328e6 365817e6 274515e6 260174e6"),
    ("gross_profit", "Gross profit", "USD",
     "195201e6 180683e6 169148e6 170782e6 152836e6 104956e6 98392e6"),
    ("operating_income", "Operating income", "USD",
     "133050e6 123216e6 114301e6 119437e6 108949e6 66288e6 63930e6"),
    ("net_income", "Net income", "USD",
     "112010e6 93736e6 96995e6 99803e6 94680e6 57411e6 55256e6"),
    ("eps_diluted", "EPS, diluted", "USD/shares",
     "7.46 6.08 6.13 6.11 5.61 3.28 2.97"),
    ("shares_diluted", "Shares, diluted", "shares",
     "15004697e3 15408095e3 15812547e3 16325819e3 16864919e3 17528214e3 18595651e3"),
    ("operating_cash_flow", "Operating cash flow", "USD",
     "111482e6 118254e6 110543e6 122151e6 104038e6 80674e6 69391e6"),
    ("investing_cash_flow", "Investing cash flow", "USD",
     "15195e6 2935e6 3705e6 -22354e6 -14545e6 -4289e6 45896e6"),
)  # fmt: skip
_INSTANTS: tuple[tuple[str, str, str, str], ...] = (
    ("total_assets", "Total assets", "USD",
     "359241e6 364980e6 352583e6 352755e6 351002e6 323888e6 338516e6"),
    ("cash", "Cash and equivalents", "USD",
     "35934e6 29943e6 29965e6 23646e6 34940e6 38016e6 48844e6"),
    ("equity", "Shareholders' equity", "USD",
     "73733e6 56950e6 62146e6 50672e6 63090e6 65339e6 90488e6"),
)  # fmt: skip
_QUARTERS: tuple[tuple[str, str, str, str], ...] = (
    ("revenue", "Revenue", "USD",
     "143756e6 102466e6 94036e6 95359e6 124300e6 94930e6 85777e6 90753e6 119575e6"),
    ("net_income", "Net income", "USD",
     "42097e6 27466e6 23434e6 24780e6 36330e6 14736e6 21448e6 23636e6 33916e6"),
    ("eps_diluted", "EPS, diluted", "USD/shares",
     "2.84 1.85 1.57 1.65 2.40 0.97 1.40 1.53 2.18"),
)  # fmt: skip
_QUARTER_ENDS = (
    ("2025-12-27", 2026, 1), ("2025-09-27", 2025, 4), ("2025-06-28", 2025, 3), ("2025-03-29", 2025, 2),
    ("2024-12-28", 2025, 1), ("2024-09-28", 2024, 4), ("2024-06-29", 2024, 3), ("2024-03-30", 2024, 2),
    ("2023-12-30", 2024, 1),
)  # fmt: skip
_YEAR_ENDS = (
    "2025-09-27",
    "2024-09-28",
    "2023-09-30",
    "2022-09-24",
    "2021-09-25",
    "2020-09-26",
    "2019-09-28",
)


def _fact(metric: str, label: str, unit: str, end: dt.date, value: str, **changes: object) -> CompanyFact:
    plain = CompanyFact(
        **EDGAR,
        cik=CIK,
        metric=metric,
        taxonomy="us-gaap",
        tag=metric.title(),
        label=label,
        unit=unit,
        period="annual",
        start=end - dt.timedelta(days=363),
        end=end,
        value=D(value),
        fiscal_year=end.year,
        filed=end + dt.timedelta(days=34),
        form="10-K",
        accession="0000320193-26-000891",
        view="restated",
    )
    return msgspec.structs.replace(plain, **changes)


def facts(view: str = "restated") -> CompanyFacts:
    """Its figures, by year and by quarter."""
    found: list[CompanyFact] = []
    for metric, label, unit, written in _YEARS:
        values = written.split()
        for i, (end, value) in enumerate(zip(_YEAR_ENDS, values, strict=True)):
            before = D(values[i + 1]) if i + 1 < len(values) else None
            growth = None if before is None else float((D(value) - before) / abs(before))
            restated = metric == "operating_income" and i == 1 and view == "restated"
            found.append(
                _fact(
                    metric, label, unit, dt.date.fromisoformat(end), value, growth=growth, restated=restated
                )
            )
    for metric, label, unit, written in _QUARTERS:
        for (end, year, quarter), value in zip(_QUARTER_ENDS, written.split(), strict=True):
            derived = "FY - Q1 - Q2 - Q3" if quarter == 4 and "eps" not in metric else ""
            found.append(
                _fact(metric, label, unit, dt.date.fromisoformat(end), value, period="quarter",
                      fiscal_year=year, fiscal_quarter=quarter, derived=derived)
            )  # fmt: skip
    for metric, label, unit, written in _INSTANTS:
        for end, value in zip(_YEAR_ENDS, written.split(), strict=True):
            found.append(
                _fact(metric, label, unit, dt.date.fromisoformat(end), value, period="instant", start=None)
            )
    return CompanyFacts(
        **EDGAR,
        cik=CIK,
        name=NAME,
        view=view,  # type: ignore[arg-type]  # one of two words
        facts=tuple(found),
        metrics=("revenue", "net_income", "eps_diluted", "inventory"),
    )


_DONE: tuple[tuple[str, str, str, str, bool | None, str | None, str | None, str | None, bool], ...] = (
    ("2026-02-25", "HALE CORWENA D", "officer: CEO", "S", False, "64949", "264.18", "3280180", False),
    ("2026-02-25", "HALE CORWENA D", "officer: CEO", "F", False, "71205", "263.40", "3345129", False),
    ("2026-02-24", "PRENDE KAJSA", "officer: CFO", "S", False, "4199", "262.75", "8765", False),
    ("2026-02-03", "LINDGREN ARVIDA D", "director", "G", False, "1250", None, "4159576", False),
    ("2026-02-03", "GRAY ALBRIN", "director", "P", True, "3000", "258.02", "118420", False),
    ("2025-10-15", "O'NEALE DEIRDRA", "officer: SVP", "M", True, "61019", None, "197560", True),
    (
        "2025-10-15",
        "ADAMS KATHERINE L.",
        "officer: General Counsel",
        "S",
        False,
        "47125",
        "249.01",
        "175408",
        False,
    ),
)
_ACTIONS = {
    "S": "sold in the market",
    "P": "bought in the market",
    "F": "withheld for tax",
    "G": "gave away",
    "M": "exercised a derivative",
}


def insiders(**changes: object) -> InsiderReport:
    """What its insiders did."""
    done = tuple(
        InsiderTransaction(
            **EDGAR,
            cik=CIK,
            issuer=NAME,
            ticker=WHO,
            owners=(owner,),
            relationship=relationship,
            form="4",
            accession=filing(0).accession if i < 3 else filing(3).accession,
            filed=dt.date.fromisoformat(date) + dt.timedelta(days=2),
            date=dt.date.fromisoformat(date),
            code=code,
            action=_ACTIONS[code],
            security="Common Stock",
            derivative=derivative,
            acquired=acquired,
            shares=None if shares is None else D(shares),
            price=None if price is None else D(price),
            value=None if shares is None or price is None else D(shares) * D(price),
            shares_after=None if after is None else D(after),
            direct=True,
        )
        for i, (date, owner, relationship, code, acquired, shares, price, after, derivative) in enumerate(
            _DONE
        )
    )
    plain = InsiderReport(**EDGAR, cik=CIK, name=NAME, transactions=done, filings=30)
    return msgspec.structs.replace(plain, **changes)


_HELD = (
    ("037833100", "APPLE INC", "COM", "", "66639481000", "300000000", 9),
    ("025816109", "AMERICAN EXPRESS CO", "COM", "", "44993000000", "151610700", 4),
    ("060505104", "BANK AMERICA CORP", "COM", "", "29888000000", "680233587", 7),
    ("191216100", "COCA COLA CO", "COM", "", "24904000000", "400000000", 5),
    ("166764100", "CHEVRON CORP NEW", "COM", "", "17179000000", "118610534", 3),
    ("674599105", "OCCIDENTAL PETE CORP", "COM", "Call", "13055000000", "264178414", 2),
    ("023135106", "AMAZON COM INC", "COM", "Put", "2193000000", "10000000", 1),
)


def holdings(**changes: object) -> HoldingsReport:
    """What a manager holds."""
    total = sum((D(value) for _, _, _, _, value, _, _ in _HELD), D(0))
    held = tuple(
        Holding(
            **EDGAR,
            cusip=cusip,
            issuer=issuer,
            title=title,
            put_call=option,
            value=D(value),
            quantity=D(quantity),
            quantity_type="SH",
            rows=rows,
            share=float(D(value) / total),
        )
        for cusip, issuer, title, option, value, quantity, rows in _HELD
    )
    plain = HoldingsReport(
        **EDGAR,
        cik=1067983,
        name="BERKSHIRE HATHAWAY INC",
        form="13F-HR",
        accession="0000950123-26-001234",
        period=dt.date(2025, 12, 31),
        filed=dt.date(2026, 2, 17),
        value_unit="dollars",
        total=total,
        stated_total=total,
        holdings=held,
    )
    return msgspec.structs.replace(plain, **changes)


def quote() -> StockQuote:
    """The vendor's latest day."""
    return StockQuote(
        **STOCKS,
        symbol=WHO,
        open=D("261.50"),
        high=D("265.02"),
        low=D("260.88"),
        price=D("264.18"),
        volume=D("48211034"),
        day=dt.date(2026, 2, 27),
        previous_close=D("262.52"),
        change=D("1.66"),
        change_percent=D("0.6323"),
        currency="USD",
    )


def overview() -> CompanyOverview:
    """The vendor's key figures."""
    return CompanyOverview(
        **STOCKS,
        symbol=WHO,
        name=NAME,
        description=_PROSE,
        exchange="NASDAQ",
        currency="USD",
        country="USA",
        sector="TECHNOLOGY",
        industry="CONSUMER ELECTRONICS",
        fiscal_year_end="September",
        latest_quarter=dt.date(2025, 12, 31),
        market_cap=D("3880000000000"),
        pe=D("33.44"),
        eps=D("7.9"),
        dividend_yield=D("0.0039"),
        beta=D("1.107"),
        high_52w=D("288.35"),
        low_52w=D("168.48"),
        figures={},
    )


def earnings() -> EarningsReport:
    """Earnings a share of the last quarters."""
    rows = (
        ("2025-12-31", "2026-01-29", "2.84", "2.67"),
        ("2025-09-30", "2025-10-30", "1.85", "1.78"),
        ("2025-06-30", "2025-07-31", "1.57", "1.43"),
        ("2025-03-31", "2025-05-01", "1.65", "1.62"),
        ("2024-12-31", "2025-01-30", "2.40", "2.35"),
        ("2024-09-30", "2024-10-31", "1.64", "1.60"),
        ("2024-06-30", "2024-08-01", "1.40", "1.35"),
        ("2024-03-31", "2024-05-02", "1.48", "1.50"),
    )
    quarters = tuple(
        Earnings(
            **STOCKS,
            symbol=WHO,
            period="quarter",
            fiscal_end=dt.date.fromisoformat(end),
            reported=dt.date.fromisoformat(told),
            eps=D(eps),
            estimate=D(expected),
            surprise=D(eps) - D(expected),
            surprise_percent=(D(eps) - D(expected)) / D(expected) * 100,
        )
        for end, told, eps, expected in rows
    )
    return EarningsReport(**STOCKS, symbol=WHO, quarterly=quarters, annual=())


def due() -> Due:
    """When it reports next."""
    item = DueItem(
        **STOCKS,
        kind="earnings",
        date=dt.date(2026, 4, 30),
        title="Apple Inc. reports",
        importance="high",
        instruments=("AAPL.SIM",),
        reference=WHO,
    )
    return Due(items=(item,), held=("AAPL.SIM",), ts=NOW)


def found() -> SearchResult:
    """Filings that say something."""
    hits = tuple(
        FilingHit(
            **EDGAR,
            accession=f"0001045810-26-{number:06d}",
            document=f"doc{number}.htm",
            form=form,
            filed=dt.date.fromisoformat(filed),
            ciks=(1045810,),
            names=("NVIDIA CORP",),
            description=description,
        )
        for number, form, filed, description in (
            (24, "10-K", "2026-02-25", "annual report"),
            (19, "8-K", "2026-02-25", "CFO commentary"),
            (88, "10-Q", "2025-11-19", "quarterly report"),
        )
    )
    return SearchResult(**EDGAR, query="data center demand", companies=(), filings=hits, filings_total=1204)


def vendor(**changes: object) -> ProviderHealth:
    """How the vendor of stocks is: a twin answers."""
    plain = ProviderHealth(
        provider="alpha_vantage",
        label="Alpha Vantage",
        state="ok",
        configured=True,
        synthetic=True,
        quota_limit=25,
        quota_used=3,
        ts=NOW - SECOND,
    )
    return msgspec.structs.replace(plain, **changes)


def answers() -> dict[Question[Any], Any]:
    """Everything that is answered in the scene."""
    read = filing(9)
    return {
        OneCompany(WHO): company(),
        **{FilingsOf(WHO, group.forms): filings(group.forms) for group in GROUPS},
        **{DocumentOf(WHO, filing(i).accession, filing(i).document): document() for i in (9,)},
        DocumentOf(WHO, read.accession): document(),
        FactsOf(WHO, "restated"): facts(),
        FactsOf(WHO, "first_filed"): facts("first_filed"),
        InsidersOf(WHO): insiders(),
        HoldingsOf("1067983"): holdings(),
        QuoteOf(WHO): quote(),
        OverviewOf(WHO): overview(),
        EarningsOf(WHO): earnings(),
        WhatIsDue(): due(),
        FilingsSaying("data center demand"): found(),
        **{CompaniesLike(text): companies() for text in ("a", "ap", "app", "apple")},
    }
