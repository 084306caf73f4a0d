"""The series that we know by heart: what they are, which release updates them, whether they are revised.

This module must not know how series are fetched or what is made of them.
"""

from __future__ import annotations

from typing import NamedTuple

from data.macro import Category, Frequency

_SA, _SAAR, _NSA = "Seasonally Adjusted", "Seasonally Adjusted Annual Rate", "Not Seasonally Adjusted"


class Entry(NamedTuple):
    """One series.

    ``market`` are prices, yields and spreads of a day, fixed with it: they are not revised, so what
    was known of them on a day can be told without an archive. ``archived``: FRED keeps vintages.
    """

    id: str
    title: str
    category: Category
    frequency: Frequency
    units: str
    adjustment: str
    release: int
    market: bool = False
    archived: bool = True


def _daily(
    id: str, title: str, category: Category, units: str, release: int, *, archived: bool = True
) -> Entry:
    return Entry(id, title, category, "daily", units, _NSA, release, True, archived)


def _treasury(id: str, maturity: str) -> Entry:
    title = f"Market Yield on U.S. Treasury Securities at {maturity} Constant Maturity"
    return _daily(id, f"{title}, Quoted on an Investment Basis", "monetary", "Percent", 18)


ENTRIES: tuple[Entry, ...] = (
    # growth
    Entry("GDP", "Gross Domestic Product", "growth", "quarterly", "Billions of Dollars", _SAAR, 53),
    Entry(
        "GDPC1",
        "Real Gross Domestic Product",
        "growth",
        "quarterly",
        "Billions of Chained 2017 Dollars",
        _SAAR,
        53,
    ),
    Entry(
        "GDPPOT",
        "Real Potential Gross Domestic Product",
        "growth",
        "quarterly",
        "Billions of Chained 2017 Dollars",
        _NSA,
        99,
    ),
    Entry("INDPRO", "Industrial Production: Total Index", "growth", "monthly", "Index 2017=100", _SA, 13),
    Entry(
        "RSAFS",
        "Advance Retail Sales: Retail Trade and Food Services",
        "growth",
        "monthly",
        "Millions of Dollars",
        _SA,
        9,
    ),
    Entry(
        "HOUST",
        "New Privately-Owned Housing Units Started: Total Units",
        "growth",
        "monthly",
        "Thousands of Units",
        _SAAR,
        27,
    ),
    Entry(
        "UMCSENT",
        "University of Michigan: Consumer Sentiment",
        "growth",
        "monthly",
        "Index 1966:Q1=100",
        _NSA,
        91,
    ),
    # employment
    Entry("UNRATE", "Unemployment Rate", "employment", "monthly", "Percent", _SA, 50),
    Entry("PAYEMS", "All Employees, Total Nonfarm", "employment", "monthly", "Thousands of Persons", _SA, 50),
    Entry("CIVPART", "Labor Force Participation Rate", "employment", "monthly", "Percent", _SA, 50),
    Entry(
        "AHETPI",
        "Average Hourly Earnings of Production and Nonsupervisory Employees, Total Private",
        "employment",
        "monthly",
        "Dollars per Hour",
        _SA,
        50,
    ),
    Entry("ICSA", "Initial Claims", "employment", "weekly", "Number", _SA, 180),
    Entry("JTSJOL", "Job Openings: Total Nonfarm", "employment", "monthly", "Level in Thousands", _SA, 192),
    Entry(
        "SAHMREALTIME",
        "Real-time Sahm Rule Recession Indicator",
        "employment",
        "monthly",
        "Percentage Points",
        _SA,
        456,
    ),
    # inflation
    Entry(
        "CPIAUCSL",
        "Consumer Price Index for All Urban Consumers: All Items in U.S. City Average",
        "inflation",
        "monthly",
        "Index 1982-1984=100",
        _SA,
        10,
    ),
    Entry(
        "CPILFESL",
        "Consumer Price Index for All Urban Consumers: All Items Less Food and Energy in U.S. City Average",
        "inflation",
        "monthly",
        "Index 1982-1984=100",
        _SA,
        10,
    ),
    Entry(
        "PCEPI",
        "Personal Consumption Expenditures: Chain-type Price Index",
        "inflation",
        "monthly",
        "Index 2017=100",
        _SA,
        54,
    ),
    Entry(
        "PCEPILFE",
        "Personal Consumption Expenditures Excluding Food and Energy (Chain-Type Price Index)",
        "inflation",
        "monthly",
        "Index 2017=100",
        _SA,
        54,
    ),
    _daily("T5YIE", "5-Year Breakeven Inflation Rate", "inflation", "Percent", 304),
    _daily("T10YIE", "10-Year Breakeven Inflation Rate", "inflation", "Percent", 304),
    # monetary
    Entry("FEDFUNDS", "Federal Funds Effective Rate", "monetary", "monthly", "Percent", _NSA, 18),
    _treasury("DGS1MO", "1-Month"),
    _treasury("DGS3MO", "3-Month"),
    _treasury("DGS6MO", "6-Month"),
    _treasury("DGS1", "1-Year"),
    _treasury("DGS2", "2-Year"),
    _treasury("DGS3", "3-Year"),
    _treasury("DGS5", "5-Year"),
    _treasury("DGS7", "7-Year"),
    _treasury("DGS10", "10-Year"),
    _treasury("DGS20", "20-Year"),
    _treasury("DGS30", "30-Year"),
    _daily(
        "T10Y2Y",
        "10-Year Treasury Constant Maturity Minus 2-Year Treasury Constant Maturity",
        "monetary",
        "Percent",
        304,
    ),
    _daily(
        "T10Y3M",
        "10-Year Treasury Constant Maturity Minus 3-Month Treasury Constant Maturity",
        "monetary",
        "Percent",
        304,
    ),
    Entry("M2SL", "M2", "monetary", "monthly", "Billions of Dollars", _SA, 21),
    # financial
    _daily(
        "BAMLH0A0HYM2",
        "ICE BofA US High Yield Index Option-Adjusted Spread",
        "financial",
        "Percent",
        209,
        archived=False,
    ),
    _daily(
        "BAA10Y",
        "Moody's Seasoned Baa Corporate Bond Yield Relative to Yield on 10-Year Treasury Constant Maturity",
        "financial",
        "Percent",
        304,
    ),
    _daily("VIXCLS", "CBOE Volatility Index: VIX", "financial", "Index", 200),
    Entry(
        "DTWEXBGS", "Nominal Broad U.S. Dollar Index", "financial", "daily", "Index Jan 2006=100", _NSA, 17
    ),
    _daily("DEXUSEU", "U.S. Dollars to Euro Spot Exchange Rate", "financial", "U.S. Dollars to One Euro", 17),
    _daily(
        "DCOILWTICO",
        "Crude Oil Prices: West Texas Intermediate (WTI) - Cushing, Oklahoma",
        "financial",
        "Dollars per Barrel",
        212,
    ),
    Entry(
        "NFCI", "Chicago Fed National Financial Conditions Index", "financial", "weekly", "Index", _NSA, 221
    ),
    Entry("STLFSI4", "St. Louis Fed Financial Stress Index", "financial", "weekly", "Index", _NSA, 187),
    # scoring
    Entry(
        "USREC",
        "NBER based Recession Indicators for the United States from the Period following the Peak"
        " through the Trough",
        "scoring",
        "monthly",
        "+1 or 0",
        _NSA,
        242,
    ),
)

_BY_ID = {entry.id: entry for entry in ENTRIES}


def find(series_id: str) -> Entry | None:
    """Return a series by its id; None if we do not know it by heart."""
    return _BY_ID.get(series_id)


def of_release(release_id: int) -> tuple[str, ...]:
    """Return the ids of our series that a release updates."""
    return tuple(entry.id for entry in ENTRIES if entry.release == release_id)
