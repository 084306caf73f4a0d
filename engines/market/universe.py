"""The listings of the simulated venue: what each instrument is, and how its price behaves.

Prices are made up but of a realistic size; nothing here is market data. Everything is data: this
module must not know how prices are drawn or who trades.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Final

from data.problems import NotFoundError
from data.records import AssetClass, Instrument
from engines.market.sessions import FUTURES, FX, US_EQUITY, UTC_DAY, Calendar, Session

VENUE: Final = "SIM"
SOURCE: Final = "simulated"

#: Independent drivers that prices share. A listing's loading is its correlation with the factor.
FACTORS: Final = ("equity", "tech", "dollar", "rates", "oil", "metals", "crypto")


@dataclass(frozen=True, slots=True)
class Fees:
    """Commission as a fraction of notional."""

    maker: Decimal
    taker: Decimal


#: Commission charged by the paper venue; of the size that retail brokers ask.
FEES: Final[dict[AssetClass, Fees]] = {
    "equity": Fees(Decimal("0.00005"), Decimal("0.00005")),
    "fx": Fees(Decimal("0.00002"), Decimal("0.00002")),
    "future": Fees(Decimal("0.00001"), Decimal("0.00001")),
    "crypto": Fees(Decimal("0.0002"), Decimal("0.0005")),
    "commodity": Fees(Decimal("0.00005"), Decimal("0.00005")),
    "index": Fees(Decimal("0.00001"), Decimal("0.00001")),
    "rate": Fees(Decimal("0.00001"), Decimal("0.00001")),
}


@dataclass(frozen=True, slots=True)
class Listing:
    """One instrument of the simulated venue and the parameters of its price."""

    symbol: str
    name: str
    asset_class: AssetClass
    tick: Decimal
    start_price: Decimal  #: also the level that prices are slowly drawn back to
    annual_volatility: float
    loadings: tuple[tuple[str, float], ...]  #: correlation with factors; squares sum to less than 1
    session: Session
    currency: str = "USD"
    base_currency: str | None = None
    lot: Decimal = Decimal(1)
    min_qty: Decimal = Decimal(1)
    multiplier: Decimal = Decimal(1)
    margin_init: Decimal = Decimal("0.25")
    spread_ticks: float = 1.0  #: typical spread
    depth_lots: float = 300.0  #: typical size of the best level, in lots
    activity: float = 1.0  #: share of the market's ticks, relative to the others
    sector: str | None = None  #: of an equity

    @property
    def id(self) -> str:
        """``SYMBOL.SIM``."""
        return f"{self.symbol}.{VENUE}"


def _equity(
    symbol: str,
    name: str,
    sector: str,
    price: str,
    volatility: float,
    *,
    tech: float,
    depth: float,
    activity: float = 1.0,
) -> Listing:
    return Listing(
        symbol,
        name,
        "equity",
        Decimal("0.01"),
        Decimal(price),
        volatility,
        (("equity", 0.55), ("tech", tech)),
        US_EQUITY,
        spread_ticks=2.0,
        depth_lots=depth,
        activity=activity,
        sector=sector,
    )


def _fx(
    symbol: str, name: str, tick: str, price: str, volatility: float, dollar: float, *, equity: float = 0.0
) -> Listing:
    return Listing(
        symbol,
        name,
        "fx",
        Decimal(tick),
        Decimal(price),
        volatility,
        (("dollar", dollar), ("equity", equity)),
        FX,
        currency=symbol[3:],
        base_currency=symbol[:3],
        lot=Decimal(1000),
        min_qty=Decimal(1000),
        margin_init=Decimal("0.03"),
        spread_ticks=6.0,
        depth_lots=1500.0,
    )


def _future(
    symbol: str,
    name: str,
    tick: str,
    multiplier: str,
    price: str,
    volatility: float,
    loadings: tuple[tuple[str, float], ...],
    margin: str,
    depth: float,
) -> Listing:
    return Listing(
        symbol,
        f"{name} (continuous contract)",
        "future",
        Decimal(tick),
        Decimal(price),
        volatility,
        loadings,
        FUTURES,
        multiplier=Decimal(multiplier),
        margin_init=Decimal(margin),
        spread_ticks=1.0,
        depth_lots=depth,
    )


def _crypto(
    symbol: str, name: str, tick: str, lot: str, price: str, volatility: float, depth: float
) -> Listing:
    return Listing(
        symbol,
        name,
        "crypto",
        Decimal(tick),
        Decimal(price),
        volatility,
        (("crypto", 0.85), ("equity", 0.25)),
        UTC_DAY,
        base_currency=symbol[:-3],
        lot=Decimal(lot),
        min_qty=Decimal(lot),
        margin_init=Decimal("0.5"),
        spread_ticks=4.0,
        depth_lots=depth,
    )


UNIVERSE: Final[tuple[Listing, ...]] = (
    _equity("AAPL", "Apple Inc.", "Technology", "231.50", 0.27, tech=0.45, depth=400, activity=1.6),
    _equity(
        "MSFT", "Microsoft Corporation", "Technology", "428.20", 0.24, tech=0.50, depth=250, activity=1.4
    ),
    _equity("NVDA", "NVIDIA Corporation", "Technology", "138.40", 0.48, tech=0.55, depth=600, activity=1.8),
    _equity(
        "AMZN",
        "Amazon.com Inc.",
        "Consumer Discretionary",
        "205.80",
        0.31,
        tech=0.45,
        depth=350,
        activity=1.2,
    ),
    _equity("GOOGL", "Alphabet Inc. Class A", "Communication Services", "176.30", 0.29, tech=0.45, depth=350),
    _equity("META", "Meta Platforms Inc.", "Communication Services", "582.60", 0.36, tech=0.48, depth=180),
    _equity(
        "TSLA", "Tesla Inc.", "Consumer Discretionary", "342.10", 0.58, tech=0.35, depth=300, activity=1.5
    ),
    _equity("JPM", "JPMorgan Chase & Co.", "Financials", "243.70", 0.23, tech=-0.10, depth=300),
    _equity("XOM", "Exxon Mobil Corporation", "Energy", "118.90", 0.24, tech=-0.15, depth=450),
    _equity(
        "KO", "The Coca-Cola Company", "Consumer Staples", "63.40", 0.16, tech=-0.15, depth=900, activity=0.7
    ),
    Listing(
        "SPY",
        "S&P 500 index fund",
        "equity",
        Decimal("0.01"),
        Decimal("592.30"),
        0.16,
        (("equity", 0.90), ("tech", 0.30)),
        US_EQUITY,
        spread_ticks=1.0,
        depth_lots=1200.0,
        activity=1.8,
        sector="Index Funds",
    ),
    Listing(
        "QQQ",
        "Nasdaq-100 index fund",
        "equity",
        Decimal("0.01"),
        Decimal("503.10"),
        0.21,
        (("equity", 0.70), ("tech", 0.65)),
        US_EQUITY,
        spread_ticks=1.0,
        depth_lots=900.0,
        activity=1.4,
        sector="Index Funds",
    ),
    _fx("EURUSD", "Euro / US dollar", "0.00001", "1.08450", 0.075, -0.85),
    _fx("GBPUSD", "British pound / US dollar", "0.00001", "1.26730", 0.085, -0.75, equity=0.15),
    _fx("AUDUSD", "Australian dollar / US dollar", "0.00001", "0.65210", 0.105, -0.65, equity=0.40),
    _fx("NZDUSD", "New Zealand dollar / US dollar", "0.00001", "0.59340", 0.110, -0.62, equity=0.38),
    _fx("USDJPY", "US dollar / Japanese yen", "0.001", "151.420", 0.095, 0.60, equity=0.30),
    _fx("USDCHF", "US dollar / Swiss franc", "0.00001", "0.88260", 0.080, 0.75, equity=0.10),
    _fx("USDCAD", "US dollar / Canadian dollar", "0.00001", "1.39150", 0.065, 0.60, equity=-0.35),
    _future(
        "ES", "E-mini S&P 500", "0.25", "50", "5940.25", 0.16, (("equity", 0.90), ("tech", 0.30)), "0.06", 60
    ),
    _future(
        "NQ",
        "E-mini Nasdaq-100",
        "0.25",
        "20",
        "20850.50",
        0.21,
        (("equity", 0.70), ("tech", 0.65)),
        "0.07",
        20,
    ),
    _future(
        "CL", "WTI crude oil", "0.01", "1000", "70.85", 0.34, (("oil", 0.92), ("equity", 0.15)), "0.09", 25
    ),
    _future("NG", "Henry Hub natural gas", "0.001", "10000", "3.120", 0.62, (("oil", 0.30),), "0.15", 15),
    _future("GC", "Gold", "0.1", "100", "2665.40", 0.15, (("metals", 0.80), ("dollar", -0.40)), "0.06", 20),
    _future(
        "SI", "Silver", "0.005", "5000", "31.120", 0.28, (("metals", 0.80), ("dollar", -0.30)), "0.10", 15
    ),
    _future(
        "ZN", "10-year US Treasury note", "0.015625", "1000", "110.50", 0.06, (("rates", -0.92),), "0.02", 800
    ),
    _crypto("BTCUSD", "Bitcoin / US dollar", "0.1", "0.0001", "97450.0", 0.52, 8000),
    _crypto("ETHUSD", "Ether / US dollar", "0.01", "0.001", "3415.00", 0.66, 9000),
    _crypto("SOLUSD", "Solana / US dollar", "0.01", "0.01", "238.50", 0.85, 8000),
    _crypto("XRPUSD", "XRP / US dollar", "0.0001", "1", "1.4350", 0.95, 6000),
)

#: Listings by instrument id.
LISTINGS: Final[dict[str, Listing]] = {listing.id: listing for listing in UNIVERSE}


def chosen(ids: Sequence[str] | None) -> tuple[Listing, ...]:
    """Return the listings with these instrument ids, in the universe's order; all of them for None.

    Raises
    ------
    NotFoundError
        If an id is not listed, or none is given.

    """
    if ids is None:
        return UNIVERSE
    missing = [name for name in ids if name not in LISTINGS]
    if missing or not ids:
        raise NotFoundError(
            f"the simulated venue does not list {', '.join(missing) or 'nothing'}",
            rule="instruments of the simulated feed are listings of the simulated venue",
            fix=f"choose among {', '.join(LISTINGS)}",
        )
    return tuple(listing for listing in UNIVERSE if listing.id in ids)


def decimals(step: Decimal) -> int:
    """Return how many decimals a multiple of ``step`` can have."""
    exponent = step.normalize().as_tuple().exponent
    return max(0, -int(exponent))


def calendar(*, always_open: bool = True) -> Calendar:
    """Return the venue's calendar; without ``always_open`` the real venues' weekly hours are kept."""
    return Calendar({listing.id: listing.session for listing in UNIVERSE}, always_open=always_open)


def instrument(listing: Listing, *, hours: str | None = None) -> Instrument:
    """Return the listing as the record that is shown and sent; ``hours`` are its trading hours in words."""
    return Instrument(
        id=listing.id,
        symbol=listing.symbol,
        venue=VENUE,
        name=listing.name,
        asset_class=listing.asset_class,
        currency=listing.currency,
        base_currency=listing.base_currency,
        tick_size=listing.tick,
        price_precision=decimals(listing.tick),
        lot_size=listing.lot,
        size_precision=decimals(listing.lot),
        min_qty=listing.min_qty,
        multiplier=listing.multiplier,
        margin_init=listing.margin_init,
        sector=listing.sector,
        session=listing.session.text if hours is None else hours,
        synthetic=True,
        source=SOURCE,
    )
