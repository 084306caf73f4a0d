"""How concentrated a book is: shares of its gross value, and the Herfindahl index of them.

This module must not know what a book is divided by.
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import NamedTuple


class Concentration(NamedTuple):
    """Shares of the gross value, largest first, and what they come to."""

    shares: tuple[tuple[str, Decimal, float], ...]  #: name, gross value, share
    gross: Decimal
    herfindahl: float  #: Σ share²; 1: all in one, 1/n: evenly in n
    effective: float  #: 1 / Herfindahl: as many equal parts would be as concentrated
    largest: float
    top5: float


def concentration(values: Mapping[str, Decimal]) -> Concentration | None:
    """Return how concentrated values are; None where there is nothing, because nothing has no shares.

    Signs do not matter: a short position concentrates as much as a long one. The index is that of
    Herfindahl and Hirschman, Σ (|v| / Σ|v|)², as a fraction.

    Args:
        values: Net value of each part in one currency.
    """
    gross = sum((abs(value) for value in values.values()), Decimal(0))
    if not gross:
        return None
    parts = sorted(((name, abs(value)) for name, value in values.items()), key=lambda one: (-one[1], one[0]))
    shares = tuple((name, value, float(value / gross)) for name, value in parts)
    index = float(sum((value / gross) ** 2 for _, value in parts))
    return Concentration(
        shares=shares,
        gross=gross,
        herfindahl=index,
        effective=1.0 / index,
        largest=shares[0][2],
        top5=float(sum(value for _, value in parts[:5]) / gross),
    )
