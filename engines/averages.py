"""Exact averages: what an order was filled at and what a position was opened at.

NautilusTrader keeps these two as binary floats; money on a screen is decimal, so they are computed
here from the fills. This module must not know where fills come from.
"""

from __future__ import annotations

from decimal import ROUND_HALF_EVEN, Context, Decimal

import msgspec

from data.records import Side

#: Division happens at this precision and is rounded once, for show, by `rounded`.
_EXACT = Context(prec=40)
_EXTRA_DIGITS = 4


class FilledAverage(msgspec.Struct, frozen=True):
    """Quantity filled so far and what it cost."""

    qty: Decimal = Decimal(0)
    cost: Decimal = Decimal(0)

    def add(self, qty: Decimal, price: Decimal) -> FilledAverage:
        """Return the average with one more fill."""
        return FilledAverage(self.qty + qty, self.cost + qty * price)

    def price(self, precision: int) -> Decimal | None:
        """Return the quantity-weighted price, or None before the first fill."""
        if not self.qty:
            return None
        return rounded(_EXACT.divide(self.cost, self.qty), precision)


class OpenAverage(msgspec.Struct, frozen=True):
    """A netted position: signed quantity and the average price it was opened at.

    Adding to a position averages the price, reducing it leaves the price alone, and going through
    zero opens a new position at the price of the fill (average cost method).
    """

    qty: Decimal = Decimal(0)
    price: Decimal = Decimal(0)

    def add(self, side: Side, qty: Decimal, price: Decimal) -> OpenAverage:
        """Return the position after a fill."""
        signed = qty if side == "buy" else -qty
        total = self.qty + signed
        if not total:
            return OpenAverage()
        if not self.qty or (self.qty > 0) != (total > 0):
            return OpenAverage(total, price)
        if (self.qty > 0) == (signed > 0):
            cost = abs(self.qty) * self.price + qty * price
            return OpenAverage(total, _EXACT.divide(cost, abs(total)))
        return OpenAverage(total, self.price)


def rounded(value: Decimal, precision: int) -> Decimal:
    """Return an average at a price's precision and, where it is not exact there, four digits more."""
    coarse = value.quantize(Decimal(1).scaleb(-precision), ROUND_HALF_EVEN)
    if coarse == value:
        return coarse
    return value.quantize(Decimal(1).scaleb(-precision - _EXTRA_DIGITS), ROUND_HALF_EVEN)
