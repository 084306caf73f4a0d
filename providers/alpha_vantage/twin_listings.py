"""What the sandbox twin lists: well-known symbols with figures that are made up, all of them.

Names and places are plain; prices, shares, earnings and dividends are of a realistic size and say
nothing about the companies. This module must not know how anything is drawn.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from decimal import Decimal
from typing import Final

#: The first day of all histories.
FIRST_DAY: Final = dt.date(2015, 1, 2)


@dataclass(frozen=True, slots=True)
class Twin:
    """One symbol."""

    symbol: str
    name: str
    level: float  #: price around which it moves, in 2026
    volatility: float  #: a year
    shares_m: int = 0  #: millions; 0: a fund, which has no company figures
    eps: float = 0.0  #: a quarter, in 2026
    margin: float = 0.2  #: net income over revenue
    dividend: Decimal = Decimal(0)  #: a quarter
    year_ends: int = 12  #: month
    sector: str = ""
    industry: str = ""
    exchange: str = "NASDAQ"
    kind: str = "Stock"
    region: str = "United States"
    country: str = "USA"
    currency: str = "USD"
    beta: float = 1.0
    split: tuple[dt.date, int] | None = None

    @property
    def is_company(self) -> bool:
        """Whether it has statements and earnings."""
        return self.shares_m > 0


_TECH, _CYCLICAL = "TECHNOLOGY", "CONSUMER CYCLICAL"

LISTED: Final[dict[str, Twin]] = {
    twin.symbol: twin
    for twin in (
        Twin("AAPL", "Apple Inc", 231.5, 0.27, 15_000, 1.7, 0.25, Decimal("0.25"), 9, _TECH,
             "CONSUMER ELECTRONICS", beta=1.1),
        Twin("MSFT", "Microsoft Corporation", 428.2, 0.24, 7_400, 3.3, 0.35, Decimal("0.80"), 6, _TECH,
             "SOFTWARE - INFRASTRUCTURE", beta=0.9),
        Twin("NVDA", "NVIDIA Corporation", 138.4, 0.48, 24_000, 0.8, 0.5, Decimal("0.01"), 1, _TECH,
             "SEMICONDUCTORS", beta=1.7),
        Twin("AMZN", "Amazon.com Inc", 205.8, 0.31, 10_500, 1.4, 0.1, sector=_CYCLICAL,
             industry="INTERNET RETAIL", beta=1.2),
        Twin("GOOGL", "Alphabet Inc - Class A", 176.3, 0.29, 12_000, 2.1, 0.28, Decimal("0.20"),
             sector="COMMUNICATION SERVICES", industry="INTERNET CONTENT & INFORMATION",
             split=(dt.date(2021, 6, 15), 2)),
        Twin("META", "Meta Platforms Inc", 582.6, 0.36, 2_500, 6.0, 0.35, Decimal("0.50"),
             sector="COMMUNICATION SERVICES", industry="INTERNET CONTENT & INFORMATION", beta=1.2),
        Twin("TSLA", "Tesla Inc", 342.1, 0.58, 3_200, 0.6, 0.08, sector=_CYCLICAL,
             industry="AUTO MANUFACTURERS", beta=2.0),
        Twin("JPM", "JPMorgan Chase & Co", 243.7, 0.23, 2_800, 4.6, 0.33, Decimal("1.25"),
             sector="FINANCIAL SERVICES", industry="BANKS - DIVERSIFIED", exchange="NYSE", beta=1.1),
        Twin("XOM", "Exxon Mobil Corp", 118.9, 0.24, 4_300, 1.9, 0.1, Decimal("0.95"),
             sector="ENERGY", industry="OIL & GAS INTEGRATED", exchange="NYSE", beta=0.8),
        Twin("KO", "Coca-Cola Company", 63.4, 0.16, 4_300, 0.7, 0.23, Decimal("0.50"),
             sector="CONSUMER DEFENSIVE", industry="BEVERAGES - NON-ALCOHOLIC", exchange="NYSE", beta=0.6),
        Twin("IBM", "International Business Machines", 228.0, 0.24, 930, 2.6, 0.12, Decimal("1.67"),
             sector=_TECH, industry="INFORMATION TECHNOLOGY SERVICES", exchange="NYSE", beta=0.7),
        Twin("BRK-B", "Berkshire Hathaway Inc - Class B", 468.0, 0.18, 2_150, 5.0, 0.12,
             sector="FINANCIAL SERVICES", industry="INSURANCE - DIVERSIFIED", exchange="NYSE", beta=0.8),
        Twin("SPY", "S&P 500 index fund", 592.3, 0.16, dividend=Decimal("1.75"), exchange="NYSE ARCA",
             kind="ETF"),
        Twin("QQQ", "Nasdaq-100 index fund", 503.1, 0.21, dividend=Decimal("0.75"), kind="ETF"),
        Twin("TSCO.LON", "Tesco PLC", 365.0, 0.2, dividend=Decimal("3.40"), exchange="LSE",
             region="United Kingdom", country="UK", currency="GBX"),
    )
}  # fmt: skip
