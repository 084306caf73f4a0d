"""Positions and equity at the latest prices: quantity × (mark − average) × multiplier, in decimals.

A long is marked at the bid and a short at the ask, where each could be closed. What has no price or
no exchange rate is None and makes the sum None: unknown is not zero. This module must not know who
shows the result.
"""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

import msgspec
from nautilus_trader.cache.base import CacheFacade
from nautilus_trader.model import Position
from nautilus_trader.model.enums import PriceType
from nautilus_trader.model.identifiers import InstrumentId, Venue
from nautilus_trader.model.objects import Currency

from data.records import AccountUpdate, PositionUpdate
from engines.node import translate
from engines.node.bookkeeper import Bookkeeper

_CENTS = Decimal("0.01")


class Marker:
    """Marks the books to the market."""

    def __init__(
        self, engine: str, synthetic: bool, cache: CacheFacade, books: Bookkeeper, currency: str
    ) -> None:
        self._engine = engine
        self._currency = currency
        self._synthetic = synthetic
        self._cache = cache
        self._books = books

    def positions(self, ts: int) -> list[PositionUpdate]:
        """Return every open position at its mark."""
        return [self._marked(position, ts) for position in self._cache.positions_open()]

    def _marked(self, position: Position, ts: int) -> PositionUpdate:
        mark = self.closing_price(position.instrument_id, long=position.is_long)
        average = self._books.open_average(position.instrument_id.value)
        unrealized = None
        if mark is not None:
            gain = average.qty * (mark - average.price) * position.multiplier.as_decimal()
            unrealized = gain.quantize(_money_step(position.settlement_currency))
        return translate.position_update(
            self._engine,
            position,
            self._books.average_shown(position),
            seq=0,
            synthetic=self._synthetic,
            ts=ts,
            unrealized_pnl=unrealized,
            mark=mark,
            rate=self.rate(position.settlement_currency.code, self._currency, position.instrument_id.venue),
        )

    def closing_price(self, instrument_id: InstrumentId, *, long: bool) -> Decimal | None:
        """Return the price at which a long or short position could be closed now, if any is known."""
        quote = self._cache.quote_tick(instrument_id)
        if quote is not None:
            return _decimal(quote.bid_price if long else quote.ask_price)
        trade = self._cache.trade_tick(instrument_id)
        return None if trade is None else _decimal(trade.price)

    def rate(self, currency: str, target: str, venue: Venue) -> Decimal | None:
        """Return how much of ``target`` one unit of ``currency`` is worth at the middle, if known."""
        if currency == target:
            return Decimal(1)
        rate = self._cache.get_xrate(
            venue, Currency.from_str(currency), Currency.from_str(target), PriceType.MID
        )
        return None if not rate else Decimal(repr(rate))

    def equity(self, account: AccountUpdate, marks: Sequence[PositionUpdate]) -> AccountUpdate:
        """Return the account with unrealised P&L and equity in its currency; None where not known."""
        balance = next((b.total for b in account.balances if b.currency == account.currency), None)
        total = Decimal(0)
        for mark in marks:
            venue = InstrumentId.from_str(mark.instrument).venue
            rate = self.rate(mark.currency, account.currency, venue)
            if mark.unrealized_pnl is None or rate is None:
                return msgspec.structs.replace(account, seq=0, equity=None, unrealized_pnl=None)
            total += mark.unrealized_pnl * rate
        total = total.quantize(_CENTS)
        equity = None if balance is None else balance + total
        return msgspec.structs.replace(account, seq=0, equity=equity, unrealized_pnl=total)


def _money_step(currency: Currency) -> Decimal:
    return Decimal(1).scaleb(-currency.precision)


def _decimal(price: object) -> Decimal:
    return price.as_decimal()  # type: ignore[attr-defined,no-any-return]  # a Price without type stubs
