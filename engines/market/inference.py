"""What an instrument of imported history is, inferred from its name and its prices.

Imported files name neither tick nor class. The rules: the decimals seen in the data set the
precision (never less than what is usual for the class), two currency codes make a pair, a known coin
makes crypto, a known index is an index, and all else is taken for an equity in US dollars. Stablecoins
are counted as dollars, and the name says so. This module must not know of files or of NautilusTrader.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from decimal import Decimal
from typing import Final

from data.problems import InvalidRequestError
from data.records import AssetClass, Instrument
from engines.market.sessions import UTC_DAY
from engines.market.universe import LISTINGS, Listing, decimals

#: Codes that make a six-letter symbol a currency pair.
CURRENCIES: Final = frozenset(
    {
        *("USD", "EUR", "GBP", "JPY", "CHF", "CAD", "AUD", "NZD", "SEK", "NOK", "DKK", "PLN", "CZK"),
        *("HUF", "TRY", "ZAR", "MXN", "SGD", "HKD", "CNH", "CNY", "INR", "KRW", "BRL", "ILS", "THB"),
        *("XAU", "XAG"),
    }
)
COINS: Final = frozenset(
    {
        *("BTC", "XBT", "ETH", "SOL", "XRP", "ADA", "DOGE", "LTC", "BCH", "BNB", "DOT", "LINK"),
        *("AVAX", "TRX", "XLM", "UNI", "ATOM", "ETC", "XMR"),
    }
)
INDICES: Final = frozenset({"SP500", "SPX", "NDX", "DJI", "DJIA", "RUT", "VIX", "FTSE", "DAX", "STOXX50"})
_DOLLARS: Final = ("USDT", "USDC", "BUSD", "USD")
_PRECISE_CURRENCIES: Final = {"JPY": 3, "HUF": 3, "KRW": 3}  # usual decimals of a quote in them
_MARGIN: Final[dict[AssetClass, str]] = {"fx": "0.03", "crypto": "0.5", "equity": "0.25", "index": "0.06"}
_DIGITS: Final = 9  # decimals beyond this are taken for noise of floating point in the file


def infer_instrument(
    instrument_id: str,
    sample_prices: Iterable[Decimal],
    *,
    sample_sizes: Iterable[Decimal] = (),
    source: str = "import",
    synthetic: bool = False,
) -> Instrument:
    """Return what ``instrument_id`` most likely is.

    Parameters
    ----------
    instrument_id
        ``SYMBOL.VENUE``.
    sample_prices, sample_sizes
        Prices and sizes seen in the data: enough of them to show all decimals that occur.
    source, synthetic
        Where the data comes from.

    Raises
    ------
    InvalidRequestError
        If the id is not of the form ``SYMBOL.VENUE``.

    """
    symbol, dot, venue = instrument_id.rpartition(".")
    if not dot or not symbol or not venue:
        raise InvalidRequestError(
            f"{instrument_id!r} is not an instrument id",
            rule="an instrument id is SYMBOL.VENUE",
            fix=f"use {instrument_id.strip('.')}.SIM",
        )
    seen = _most_decimals(sample_prices)
    known = LISTINGS.get(f"{symbol.upper()}.SIM")
    if known is not None:
        return _from_listing(instrument_id, venue, known, seen, source=source, synthetic=synthetic)
    asset_class, base, quote = classify(symbol)
    precision = max(seen, _usual_precision(asset_class, quote))
    size_precision = min(_DIGITS, _most_decimals(sample_sizes))
    if asset_class == "equity":
        size_precision = 0
    elif asset_class == "crypto":
        size_precision = max(size_precision, 4)
    lot = Decimal(1).scaleb(-size_precision)
    return Instrument(
        id=instrument_id,
        symbol=symbol,
        venue=venue,
        name=_name(symbol, asset_class, base, quote),
        asset_class=asset_class,
        currency="USD" if quote in _DOLLARS else quote,
        base_currency=base,
        tick_size=Decimal(1).scaleb(-precision),
        price_precision=precision,
        lot_size=lot,
        size_precision=size_precision,
        min_qty=lot,
        margin_init=Decimal(_MARGIN.get(asset_class, "0.25")),
        session=UTC_DAY.text,
        synthetic=synthetic,
        source=source,
    )


def classify(symbol: str) -> tuple[AssetClass, str | None, str]:
    """Return asset class, base currency and quote currency that a symbol's name suggests."""
    plain = re.sub(r"[^A-Z0-9]", "", symbol.upper())
    if plain in INDICES:
        return "index", None, "USD"
    if len(plain) == 6 and plain[:3] in CURRENCIES and plain[3:] in CURRENCIES:
        return "fx", plain[:3], plain[3:]
    pair = plain.removesuffix("PERP").removesuffix("SWAP")
    for quote in (*_DOLLARS, "EUR", "BTC", ""):
        base = pair.removesuffix(quote)
        if base in COINS and pair == base + quote:
            return "crypto", "BTC" if base == "XBT" else base, quote or "USD"
    return "equity", None, "USD"


def _from_listing(
    instrument_id: str, venue: str, listing: Listing, seen: int, *, source: str, synthetic: bool
) -> Instrument:
    """Return a well-known instrument; its tick gives way where the data is finer."""
    usual = decimals(listing.tick)
    finer = seen > usual
    precision = seen if finer else usual
    return Instrument(
        id=instrument_id,
        symbol=listing.symbol,
        venue=venue,
        name=listing.name,
        asset_class=listing.asset_class,
        currency=listing.currency,
        base_currency=listing.base_currency,
        tick_size=Decimal(1).scaleb(-precision) if finer else listing.tick,
        price_precision=precision,
        lot_size=listing.lot,
        size_precision=decimals(listing.lot),
        min_qty=listing.min_qty,
        multiplier=listing.multiplier,
        margin_init=listing.margin_init,
        session=UTC_DAY.text,
        synthetic=synthetic,
        source=source,
    )


def _usual_precision(asset_class: AssetClass, quote: str) -> int:
    if asset_class == "fx":
        return _PRECISE_CURRENCIES.get(quote, 5)
    return 2


def _most_decimals(values: Iterable[Decimal]) -> int:
    """Return the most decimals that any of the values needs; trailing zeros need none."""
    return min(_DIGITS, max((decimals(value) for value in values if value), default=0))


def _name(symbol: str, asset_class: AssetClass, base: str | None, quote: str) -> str:
    if asset_class in ("fx", "crypto") and base is not None:
        counted = " counted as USD" if quote in _DOLLARS and quote != "USD" else ""
        return f"{base} / {quote}{counted}"
    return symbol
