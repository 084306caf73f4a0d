"""A portfolio as it stands: what is held at which price, what there is to lose, and what is not known.

The one shape from which limits across engines, measures, stress, forecasts and reports are computed.
This module must not know where the facts come from.
"""

from __future__ import annotations

from decimal import Decimal

import msgspec


class Holding(msgspec.Struct, frozen=True, kw_only=True):
    """An open position at its latest mark."""

    engine: str
    instrument: str
    qty: Decimal  #: signed, in the instrument's units
    mark: Decimal | None  #: None: no price
    multiplier: Decimal = Decimal(1)
    currency: str
    rate: Decimal | None  #: account currency for one unit of ``currency``; None: not known
    asset_class: str
    sector: str | None = None
    strategy: str | None = None
    synthetic: bool = False
    ts: int  #: of the mark, UTC ns

    @property
    def value(self) -> Decimal | None:
        """Signed value in the account's currency; None where price or rate is missing."""
        if self.mark is None or self.rate is None:
            return None
        return self.qty * self.mark * self.multiplier * self.rate


class EngineMoney(msgspec.Struct, frozen=True, kw_only=True):
    """What one engine's accounts are worth, in their currency. None: not known."""

    engine: str
    currency: str
    equity: Decimal | None
    day_pnl: Decimal | None = None  #: since the start of the UTC day
    peak_equity: Decimal | None = None  #: the highest it has been, now included
    synthetic: bool = False
    ts: int


class Portfolio(msgspec.Struct, frozen=True, kw_only=True):
    """Everything that is held, by all engines or one. ``problems`` says what is missing, in words."""

    holdings: tuple[Holding, ...]
    money: tuple[EngineMoney, ...]
    currency: str = "USD"
    problems: tuple[str, ...] = ()
    synthetic: bool = False
    ts: int

    @property
    def equity(self) -> Decimal | None:
        """The sum of the engines' equity; None where one is not known, or is in another currency."""
        total = Decimal(0)
        for one in self.money:
            if one.equity is None or one.currency != self.currency:
                return None
            total += one.equity
        return total if self.money else None
