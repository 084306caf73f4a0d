"""What a limit's scope takes in: positions, accounts, orders and trades, and the sums over them.

A scope is ``portfolio``, ``engine:ID``, ``strategy:ID``, ``instrument:ID`` or ``sector:NAME``. Sums are in
the account's currency and None where a part of them is not known. This module must not know of limits.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from decimal import Decimal
from functools import cached_property
from typing import Final, Literal, NamedTuple, Protocol, get_args

from data.problems import InvalidRequestError
from risk.portfolio import EngineMoney, Holding, Portfolio

type ScopeKind = Literal["portfolio", "engine", "strategy", "instrument", "sector"]
KINDS: Final[tuple[ScopeKind, ...]] = get_args(ScopeKind.__value__)
_ZERO: Final = Decimal(0)


class Scope(NamedTuple):
    """A scope taken apart; ``name`` is empty for the portfolio."""

    kind: ScopeKind
    name: str


class Placed(Protocol):
    """Anything that belongs to an engine, an instrument and perhaps a strategy and a sector."""

    @property
    def engine(self) -> str: ...
    @property
    def instrument(self) -> str: ...
    @property
    def strategy(self) -> str | None: ...
    @property
    def sector(self) -> str | None: ...


def scope_of(text: str) -> Scope:
    """Return a scope taken apart; raises InvalidRequestError for what is none."""
    kind, _, name = text.partition(":")
    for known in KINDS:
        if text == "portfolio" or (kind == known != "portfolio" and name):
            return Scope(known, name)
    raise InvalidRequestError(
        f"{text!r} is no scope",
        rule="portfolio, engine:ID, strategy:ID, instrument:ID or sector:NAME",
        fix="for example instrument:AAPL.SIM",
        field="scope",
        value=text,
    )


def by_scope[P: Placed](things: Iterable[P]) -> dict[Scope, list[P]]:
    """Return things by every scope that takes them in."""
    found: dict[Scope, list[P]] = defaultdict(list)
    for one in things:
        found[Scope("portfolio", "")].append(one)
        found[Scope("engine", one.engine)].append(one)
        found[Scope("instrument", one.instrument)].append(one)
        if one.strategy is not None:
            found[Scope("strategy", one.strategy)].append(one)
        if one.sector is not None:
            found[Scope("sector", one.sector)].append(one)
    return found


class Sized(NamedTuple):
    """An amount, and what it is of."""

    amount: Decimal
    subject: str | None


class ScopeBook:
    """The positions that a scope takes in, and what they add up to."""

    def __init__(self, holdings: list[Holding]) -> None:
        self.holdings = [one for one in holdings if one.qty]
        self._values = [one.value for one in self.holdings]

    @cached_property
    def missing(self) -> str | None:
        """Why values are not known; None: they all are."""
        found = sorted(
            {
                f"no price for {one.instrument}"
                if one.mark is None
                else f"no exchange rate for {one.currency}"
                for one, value in zip(self.holdings, self._values, strict=True)
                if value is None
            }
        )
        return "; ".join(found[:3]) + (f" and {len(found) - 3} more" if len(found) > 3 else "") or None

    @cached_property
    def long(self) -> Decimal:
        """The sum of values above zero; of those that are known."""
        return sum((value for value in self._values if value is not None and value > 0), _ZERO)

    @cached_property
    def short(self) -> Decimal:
        """The sum of values below zero, positive; of those that are known."""
        return -sum((value for value in self._values if value is not None and value < 0), _ZERO)

    @cached_property
    def values(self) -> dict[str, Decimal]:
        """The value of each instrument, signed, positions in it netted; of those that are known."""
        found: dict[str, Decimal] = defaultdict(Decimal)
        for one, value in zip(self.holdings, self._values, strict=True):
            if value is not None:
                found[one.instrument] += value
        return dict(found)

    @cached_property
    def largest(self) -> Sized:
        """The largest |value| of an instrument."""
        return _largest(self.values)

    @cached_property
    def largest_quantity(self) -> Sized:
        """The largest |quantity| of an instrument, in its own units."""
        found: dict[str, Decimal] = defaultdict(Decimal)
        for one in self.holdings:
            found[one.instrument] += one.qty
        return _largest(found)

    @cached_property
    def largest_sector(self) -> Sized:
        """The largest gross value of a sector; what has no sector is in none."""
        found: dict[str, Decimal] = defaultdict(Decimal)
        for one, value in zip(self.holdings, self._values, strict=True):
            if one.sector is not None and value is not None:
                found[one.sector] += abs(value)
        return _largest(found)

    @cached_property
    def without_sector(self) -> tuple[str, ...]:
        """Equities whose sector is not known."""
        return tuple(
            sorted({o.instrument for o in self.holdings if o.sector is None and o.asset_class == "equity"})
        )


class ScopeMoney:
    """The accounts that a scope answers for: an engine's own, else those of the whole portfolio."""

    def __init__(self, money: list[EngineMoney], currency: str) -> None:
        self._money = money
        self._currency = currency

    @cached_property
    def missing(self) -> str | None:
        """Why equity is not known; None: it is."""
        if not self._money:
            return "no account is known"
        foreign = [one.engine for one in self._money if one.currency != self._currency]
        if foreign:
            return f"accounts of {', '.join(foreign)} are not in {self._currency}"
        unknown = [one.engine for one in self._money if one.equity is None]
        return f"equity of {', '.join(unknown)} is not known" if unknown else None

    @cached_property
    def equity(self) -> Decimal | None:
        """The sum of equity."""
        return None if self.missing else self._sum("equity")

    @cached_property
    def day_pnl(self) -> Decimal | None:
        """What was gained today (UTC)."""
        return None if self.missing else self._sum("day_pnl")

    @cached_property
    def peak(self) -> Decimal | None:
        """The highest equity; of several accounts the sum of their peaks, never less than the sum's peak."""
        return None if self.missing else self._sum("peak_equity")

    def _sum(self, field: str) -> Decimal | None:
        values: list[Decimal | None] = [getattr(one, field) for one in self._money]
        known = [value for value in values if value is not None]
        return sum(known, _ZERO) if len(known) == len(values) else None


class Scopes:
    """A portfolio by scopes, each put together when first asked for."""

    def __init__(self, portfolio: Portfolio) -> None:
        self._by_scope = by_scope(portfolio.holdings)
        self._portfolio = portfolio
        self._books: dict[Scope, ScopeBook] = {}
        self._money: dict[Scope, ScopeMoney] = {}

    def book(self, scope: Scope) -> ScopeBook:
        """Return the positions of a scope."""
        found = self._books.get(scope)
        if found is None:
            found = self._books[scope] = ScopeBook(self._by_scope.get(scope, []))
        return found

    def money(self, scope: Scope) -> ScopeMoney:
        """Return the accounts of a scope."""
        key = scope if scope.kind == "engine" else Scope("portfolio", "")
        found = self._money.get(key)
        if found is None:
            own = [one for one in self._portfolio.money if key.kind == "portfolio" or one.engine == key.name]
            found = self._money[key] = ScopeMoney(own, self._portfolio.currency)
        return found


def _largest(amounts: dict[str, Decimal]) -> Sized:
    if not amounts:
        return Sized(_ZERO, None)
    subject = max(amounts, key=lambda name: abs(amounts[name]))
    return Sized(abs(amounts[subject]), subject)
