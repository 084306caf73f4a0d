"""Arithmetic of an order before it is sent: ticks, lots, how many units a wish comes to, what they tie up.

Pure and exact (``Decimal``). It must not know of tickets, of the mirror or of Textual.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal

from data.records import Instrument, Quote, Side
from nautilus_tui.terminal.statements import SizeMode

_HUNDRED = Decimal(100)


def floor_to(value: Decimal, step: Decimal) -> Decimal:
    """Return the greatest multiple of ``step`` that is not above ``value``."""
    rest = value % step
    return value - rest if rest >= 0 else value - rest - step


def ceil_to(value: Decimal, step: Decimal) -> Decimal:
    """Return the smallest multiple of ``step`` that is not below ``value``."""
    return -floor_to(-value, step)


def price_to_tick(price: Decimal, instrument: Instrument, *, up: bool) -> Decimal:
    """Return the price on the instrument's tick grid, with the instrument's number of decimals."""
    rounded = ceil_to(price, instrument.tick_size) if up else floor_to(price, instrument.tick_size)
    return rounded.quantize(Decimal(1).scaleb(-instrument.price_precision))


def limit_to_tick(price: Decimal, side: Side, instrument: Instrument) -> Decimal:
    """Round a limit so that it never pays more or takes less than was typed."""
    return price_to_tick(price, instrument, up=side == "sell")


def stop_to_tick(price: Decimal, side: Side, instrument: Instrument) -> Decimal:
    """Round a stop so that it never triggers before the price that was typed."""
    return price_to_tick(price, instrument, up=side == "buy")


def touch_to_tick(price: Decimal, side: Side, instrument: Instrument) -> Decimal:
    """Round an if-touched trigger so that it never triggers before the price that was typed."""
    return price_to_tick(price, instrument, up=side == "sell")


def qty_to_lot(qty: Decimal, instrument: Instrument) -> Decimal:
    """Return the quantity rounded down to whole lots, with the instrument's number of decimals."""
    return floor_to(qty, instrument.lot_size).quantize(Decimal(1).scaleb(-instrument.size_precision))


def notional(qty: Decimal, price: Decimal, instrument: Instrument) -> Decimal:
    """Return quantity × price × multiplier, in the instrument's currency."""
    return qty * price * instrument.multiplier


def margin(qty: Decimal, price: Decimal, instrument: Instrument) -> Decimal:
    """Return the initial margin of a position of this size, in the instrument's currency."""
    return notional(abs(qty), price, instrument) * instrument.margin_init


def touch(quote: Quote | None, side: Side) -> Decimal | None:
    """Return the price a market order of this side meets: the ask to buy, the bid to sell."""
    if quote is None:
        return None
    return quote.ask if side == "buy" else quote.bid


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """How much is wanted, in whichever way it was said."""

    mode: SizeMode
    value: Decimal
    price: Decimal | None = None  #: the price the order is reckoned at
    distance: Decimal | None = None  #: from that price to the stop, in price units; for ``risk``
    equity: Decimal | None = None  #: of the account, in its currency; for ``equity``
    rate: Decimal | None = None  #: account currency per unit of the instrument's currency


def units(wish: Wish, instrument: Instrument) -> Decimal | str:
    """Return the units a wish comes to, rounded down to lots, or why that cannot be said.

    - notional: ``value / (price × multiplier)``
    - equity: ``equity × value / 100 / (price × multiplier × rate)``
    - risk: ``value / (distance × multiplier × rate)``; value in the account's currency
    """
    if wish.mode == "units":
        return qty_to_lot(wish.value, instrument)
    if wish.mode == "risk":
        if wish.distance is None or wish.distance <= 0:
            return "sizing by risk needs a stop distance"
        per_unit = wish.distance * instrument.multiplier
        budget = wish.value
    else:
        if wish.price is None or wish.price <= 0:
            return "no price to size at"
        per_unit = wish.price * instrument.multiplier
        budget = wish.value
        if wish.mode == "equity":
            if wish.equity is None:
                return "the account's equity is not known"
            budget = wish.equity * wish.value / _HUNDRED
    if wish.mode in ("equity", "risk"):
        if wish.rate is None:
            return f"no rate from {instrument.currency} to the account's currency"
        per_unit *= wish.rate
    if per_unit <= 0 or budget <= 0:
        return "nothing to size with"
    qty = qty_to_lot(budget / per_unit, instrument)
    # A quotient is rounded to 28 digits, which may carry it over a lot.
    return qty if qty * per_unit <= budget else qty - instrument.lot_size


def conversion(source: str, target: str, quotes: Mapping[str, Quote]) -> Decimal | None:
    """Return how many units of ``target`` one unit of ``source`` is, from FX mid prices by pair name.

    ``quotes`` are by six-letter pair, e.g. ``EURUSD``. Direct, inverse, or crossed over USD; None
    where a price is missing.
    """
    if source == target:
        return Decimal(1)
    direct = _mid(quotes.get(source + target))
    if direct is not None:
        return direct
    inverse = _mid(quotes.get(target + source))
    if inverse is not None:
        return 1 / inverse
    if "USD" in (source, target):
        return None
    first, second = conversion(source, "USD", quotes), conversion("USD", target, quotes)
    return None if first is None or second is None else first * second


def _mid(quote: Quote | None) -> Decimal | None:
    if quote is None or quote.bid is None or quote.ask is None:
        return None
    mid = (quote.bid + quote.ask) / 2
    return mid if mid > 0 else None
