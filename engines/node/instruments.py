"""Instruments as NautilusTrader knows them, made from our records and back.

Which class stands for what, on a margin account with one base currency and netting:

- equity → ``Equity``; fx and crypto spot → ``CurrencyPair`` (it also gives the exchange rates that
  turn profits in yen into the account's dollars);
- everything with a multiplier and no expiry (continuous futures, commodities, indices, rates) →
  ``PerpetualContract``: it settles in its quote currency and the venue never expires it.

This module must not know where instruments come from.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Final

from nautilus_trader.model.enums import AssetClass as NautilusAssetClass
from nautilus_trader.model.identifiers import InstrumentId, Symbol
from nautilus_trader.model.instruments import CurrencyPair, Equity, PerpetualContract
from nautilus_trader.model.instruments import Instrument as NautilusInstrument
from nautilus_trader.model.objects import Currency, Price, Quantity

from data.problems import InvalidRequestError
from data.records import AssetClass, Instrument
from engines.market.universe import FEES

_PERPETUAL_CLASSES: Final[dict[AssetClass, NautilusAssetClass]] = {
    "future": NautilusAssetClass.INDEX,
    "commodity": NautilusAssetClass.COMMODITY,
    "index": NautilusAssetClass.INDEX,
    "rate": NautilusAssetClass.DEBT,
}


def to_nautilus(instrument: Instrument, ts_ns: int = 0) -> NautilusInstrument:
    """Return the NautilusTrader instrument for a record; ``ts_ns`` is when it became known.

    Raises
    ------
    InvalidRequestError
        If the record cannot be an instrument of its class.

    """
    if instrument.asset_class in ("fx", "crypto"):
        return _currency_pair(instrument, ts_ns)
    if instrument.asset_class == "equity":
        return _equity(instrument, ts_ns)
    return _perpetual(instrument, ts_ns)


def _equity(instrument: Instrument, ts_ns: int) -> Equity:
    if instrument.size_precision:
        raise InvalidRequestError(
            f"{instrument.id}: fractional shares are not supported",
            rule="an equity is traded in whole shares",
            fix="give the instrument a size precision of 0",
        )
    fees = FEES[instrument.asset_class]
    return Equity(
        instrument_id=InstrumentId.from_str(instrument.id),
        raw_symbol=Symbol(instrument.symbol),
        currency=_currency(instrument.currency),
        price_precision=instrument.price_precision,
        price_increment=_price(instrument.tick_size, instrument.price_precision),
        lot_size=_quantity(instrument.lot_size, 0),
        min_quantity=_quantity(instrument.min_qty, 0),
        max_quantity=_optional(instrument.max_qty, 0),
        margin_init=instrument.margin_init,
        margin_maint=instrument.margin_init,
        maker_fee=fees.maker,
        taker_fee=fees.taker,
        ts_event=ts_ns,
        ts_init=ts_ns,
        info=_info(instrument),
    )


def _currency_pair(instrument: Instrument, ts_ns: int) -> CurrencyPair:
    if instrument.base_currency is None:
        raise InvalidRequestError(
            f"{instrument.id}: the base currency is not known",
            rule="an fx or crypto instrument has a base and a quote currency",
            fix="name it by both, e.g. GBPUSD",
        )
    fees = FEES[instrument.asset_class]
    precision = instrument.size_precision
    return CurrencyPair(
        instrument_id=InstrumentId.from_str(instrument.id),
        raw_symbol=Symbol(instrument.symbol),
        base_currency=_currency(instrument.base_currency),
        quote_currency=_currency(instrument.currency),
        price_precision=instrument.price_precision,
        size_precision=precision,
        price_increment=_price(instrument.tick_size, instrument.price_precision),
        size_increment=_quantity(_size_step(instrument), precision),
        lot_size=_quantity(instrument.lot_size, precision),
        min_quantity=_quantity(instrument.min_qty, precision),
        max_quantity=_optional(instrument.max_qty, precision),
        margin_init=instrument.margin_init,
        margin_maint=instrument.margin_init,
        maker_fee=fees.maker,
        taker_fee=fees.taker,
        ts_event=ts_ns,
        ts_init=ts_ns,
        info=_info(instrument),
    )


def _perpetual(instrument: Instrument, ts_ns: int) -> PerpetualContract:
    fees = FEES[instrument.asset_class]
    precision = instrument.size_precision
    currency = _currency(instrument.currency)
    return PerpetualContract(
        instrument_id=InstrumentId.from_str(instrument.id),
        raw_symbol=Symbol(instrument.symbol),
        underlying=instrument.symbol,
        asset_class=_PERPETUAL_CLASSES[instrument.asset_class],
        quote_currency=currency,
        settlement_currency=currency,
        is_inverse=False,
        price_precision=instrument.price_precision,
        size_precision=precision,
        price_increment=_price(instrument.tick_size, instrument.price_precision),
        size_increment=_quantity(_size_step(instrument), precision),
        multiplier=Quantity.from_str(str(instrument.multiplier)),
        lot_size=_quantity(instrument.lot_size, precision),
        min_quantity=_quantity(instrument.min_qty, precision),
        max_quantity=_optional(instrument.max_qty, precision),
        margin_init=instrument.margin_init,
        margin_maint=instrument.margin_init,
        maker_fee=fees.maker,
        taker_fee=fees.taker,
        ts_event=ts_ns,
        ts_init=ts_ns,
        info=_info(instrument),
    )


def from_nautilus(instrument: NautilusInstrument) -> Instrument:
    """Return the record of a NautilusTrader instrument, also of one that was not made here."""
    facts: dict[str, str] = instrument.info or {}
    base = instrument.get_base_currency()
    lot = instrument.lot_size or instrument.size_increment
    return Instrument(
        id=str(instrument.id),
        symbol=str(instrument.raw_symbol),
        venue=str(instrument.venue),
        name=facts.get("name", str(instrument.raw_symbol)),
        asset_class=_asset_class(instrument, facts),
        currency=instrument.quote_currency.code,
        base_currency=None if base is None else base.code,
        tick_size=instrument.price_increment.as_decimal(),
        price_precision=instrument.price_precision,
        lot_size=lot.as_decimal(),
        size_precision=instrument.size_precision,
        min_qty=(instrument.min_quantity or instrument.size_increment).as_decimal(),
        max_qty=None if instrument.max_quantity is None else instrument.max_quantity.as_decimal(),
        multiplier=instrument.multiplier.as_decimal(),
        margin_init=instrument.margin_init,
        sector=facts.get("sector"),
        session=facts.get("session", "unknown"),
        synthetic=facts.get("synthetic") == "yes",
        source=facts.get("source", ""),
    )


_ASSET_CLASSES: Final[dict[NautilusAssetClass, AssetClass]] = {
    NautilusAssetClass.FX: "fx",
    NautilusAssetClass.EQUITY: "equity",
    NautilusAssetClass.COMMODITY: "commodity",
    NautilusAssetClass.DEBT: "rate",
    NautilusAssetClass.INDEX: "index",
    NautilusAssetClass.CRYPTOCURRENCY: "crypto",
}
_BY_NAME: Final[dict[str, AssetClass]] = {name: name for name in FEES}


def _asset_class(instrument: NautilusInstrument, facts: dict[str, str]) -> AssetClass:
    named = _BY_NAME.get(facts.get("asset_class", ""))
    return named or _ASSET_CLASSES.get(instrument.asset_class, "equity")


def _info(instrument: Instrument) -> dict[str, str]:
    """Return the facts that NautilusTrader's classes have no field for."""
    return {
        "name": instrument.name,
        "asset_class": instrument.asset_class,
        "session": instrument.session,
        "synthetic": "yes" if instrument.synthetic else "no",
        "source": instrument.source,
    } | ({} if instrument.sector is None else {"sector": instrument.sector})


def _size_step(instrument: Instrument) -> Decimal:
    return Decimal(1).scaleb(-instrument.size_precision)


def _currency(code: str) -> Currency:
    return Currency.from_str(code)


def _price(value: Decimal, precision: int) -> Price:
    return Price.from_str(f"{value:.{precision}f}")


def _quantity(value: Decimal, precision: int) -> Quantity:
    return Quantity.from_str(f"{value:.{precision}f}")


def _optional(value: Decimal | None, precision: int) -> Quantity | None:
    return None if value is None else _quantity(value, precision)
