"""Amounts in a unit of their size: money in thousands, millions or billions with aligned decimals.

One scale for a row or a column, so that its figures can be compared by eye. Pure and exact
(``Decimal``); it must not know what the amounts are of.
"""

from __future__ import annotations

from collections.abc import Iterable
from decimal import ROUND_HALF_EVEN, Decimal
from typing import NamedTuple

from nautilus_tui.terminal.figures import DASH

#: Sign of the scale, and by which power of ten it divides.
_SCALES: tuple[tuple[str, int], ...] = (("T", 12), ("B", 9), ("M", 6), ("k", 3), ("", 0))


class Scale(NamedTuple):
    """By which power of ten amounts are divided, how that is written, and with how many decimals."""

    sign: str
    power: int
    decimals: int

    def write(self, value: Decimal | None) -> str:
        """Write an amount at this scale; not known is a dash."""
        if value is None:
            return DASH
        quantum = Decimal(1).scaleb(-self.decimals)
        scaled = value.scaleb(-self.power).quantize(quantum, ROUND_HALF_EVEN)
        return f"{scaled if scaled else abs(scaled):,.{self.decimals}f}"


def scale_of(values: Iterable[Decimal | None], *, per_share: bool = False) -> Scale:
    """Return the scale for amounts that stand together.

    The largest is written with one to four digits before the point; amounts below a thousand stay
    as they are, with the decimals they have (two at most, four for amounts a share).
    """
    known = [abs(value) for value in values if value is not None]
    largest = max(known, default=Decimal(0))
    if per_share:
        return Scale("", 0, max(2, min(4, _decimals(known))))
    for sign, power in _SCALES:
        if power and largest >= Decimal(1).scaleb(power):
            whole = largest.scaleb(-power)
            return Scale(sign, power, 2 if whole < 10 else 1 if whole < 1000 else 0)
    return Scale("", 0, min(2, _decimals(known)))


def amount(value: Decimal | None) -> str:
    """Write one amount at its own scale: 391.0B, 4.21M, 12.5k, 950."""
    scale = scale_of((value,))
    return f"{scale.write(value)}{scale.sign}" if value is not None else DASH


def _decimals(values: Iterable[Decimal]) -> int:
    found = 0
    for value in values:
        exponent = value.normalize().as_tuple().exponent
        if isinstance(exponent, int):
            found = max(found, -exponent)
    return found
