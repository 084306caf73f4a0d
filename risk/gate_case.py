"""What orders would lead to, limit by limit: the amount before and after, or why it is not known.

Amounts are in the account's currency, or in the instrument's units for a limit in shares; a limit in
``ratio`` is compared with its share of equity, a drawdown with its share of the highest equity. This module
must not know what is done about it.
"""

from __future__ import annotations

from collections.abc import Callable
from decimal import ROUND_HALF_EVEN, Decimal
from functools import cached_property
from typing import Final, NamedTuple

import msgspec

from data.limits import Limit, LimitType, Unit
from data.records import Side
from risk.exposure import Line, Terms, Unknown, Worst, flow_of
from risk.exposure_book import ALL, ExposureBook, sector_key

_ZERO: Final = Decimal(0)
_CENTS: Final = Decimal("0.01")
_RATIO: Final = Decimal("1E-10")
_FIELDS: Final[dict[LimitType, str]] = {
    "gross_exposure": "gross",
    "leverage": "gross",
    "long_exposure": "long",
    "short_exposure": "short",
}


class Money(NamedTuple):
    """What the engine's accounts are worth. None: not known, ``unknown`` says why."""

    equity: Decimal | None
    day_pnl: Decimal | None = None
    peak: Decimal | None = None
    unknown: str | None = None


class Pair(NamedTuple):
    """An amount before and after; ``base`` is what a ratio is of. ``at``: a limit that is met denies."""

    before: Decimal
    after: Decimal
    base: Decimal | None = None
    unknown: Unknown | None = None
    at: bool = False


_NOTHING: Final = Pair(_ZERO, _ZERO)


class Rule(msgspec.Struct, frozen=True):
    """A limit as it applies to one instrument: which sums it looks at."""

    limit: Limit
    key: str  #: of the exposure book; or ``instrument:ID``
    terms: Terms
    sector_unknown: bool = False  #: nobody knows whether it applies

    @property
    def needs_money(self) -> bool:
        """Whether equity is asked for."""
        return self.limit.unit == "ratio" or self.limit.limit_type in ("daily_loss", "drawdown")


class Proposal(msgspec.Struct, frozen=True, kw_only=True):
    """Orders that would leave together, in place of those that ``drop`` names."""

    lines: tuple[Line, ...]
    drop: frozenset[str] = frozenset()
    filled: Decimal = _ZERO  #: of the one order that is changed

    @property
    def only_flagged(self) -> bool:
        """Whether every order is marked to reduce only: the venue sees to it that it does."""
        return all(line.reduce_only for line in self.lines)

    @property
    def uniform(self) -> bool:
        """Whether one quantity says how large it is."""
        first = self.lines[0]
        return all(line.qty == first.qty and line.instrument == first.instrument for line in self.lines)

    @property
    def places(self) -> list[tuple[str, str, Side]]:
        """Each instrument, strategy and side that something could be opened on."""
        found = [(line.instrument, line.strategy, line.side) for line in self.lines if line.acts]
        return list(dict.fromkeys(found))

    def of(self, qty: Decimal) -> Proposal:
        """Return the same orders of another open quantity."""
        lines = tuple(
            line._replace(qty=qty, acts=qty if line.acts == line.qty else line.acts) for line in self.lines
        )
        return msgspec.structs.replace(self, lines=lines)


class Case:
    """Orders laid over the books: each instrument before and after."""

    def __init__(self, book: ExposureBook, proposal: Proposal) -> None:
        self.book = book
        self.proposal = proposal
        self._mine: dict[str, list[Line]] = {}
        for line in proposal.lines:
            self._mine.setdefault(line.instrument, []).append(line)
        for instrument in self._mine:
            book.touch(instrument)
        self._before: dict[tuple[str, str], Worst] = {}
        self._after: dict[tuple[str, str], Worst] = {}

    def before(self, key: str, instrument: str) -> Worst:
        """Return an instrument as it stands."""
        found = self._before.get((key, instrument))
        if found is None:
            found = self.book.worst(key, instrument) or self.book.with_change(key, instrument, ())
            self._before[key, instrument] = found
        return found

    def after(self, key: str, instrument: str) -> Worst:
        """Return an instrument as it would stand."""
        found = self._after.get((key, instrument))
        if found is None:
            found = self.book.with_change(key, instrument, self._mine[instrument], self.proposal.drop)
            self._after[key, instrument] = found
        return found

    def widened(self, key: str, instrument: str) -> bool:
        """Whether the position could come to lie where it could not before."""
        before, after = self.before(key, instrument), self.after(key, instrument)
        return after.high > before.high or after.low < before.low

    @cached_property
    def increases(self) -> bool:
        """Whether it does more than reduce what is held, net of what works to reduce already."""
        if self._shrinks():
            return False
        for instrument, mine in self._mine.items():
            for side in ("buy", "sell"):
                flow = flow_of([line for line in mine if line.side == side and not line.reduce_only], None)
                if flow.reduces and flow.reduces > self._room(instrument, side):
                    return True
        return False

    def reducible(self, line: Line) -> Decimal:
        """Return how much of an order would only reduce."""
        return self._room(line.instrument, line.side)

    def _room(self, instrument: str, side: Side) -> Decimal:
        return self.book.with_change(ALL, instrument, (), self.proposal.drop).reducible(side)

    def _shrinks(self) -> bool:
        """Whether an order that works is only made smaller, at no dearer price."""
        dropped = [self.book.line(name) for name in self.proposal.drop]
        if len(dropped) != 1 or len(self.proposal.lines) != 1 or dropped[0] is None:
            return False
        old, new = dropped[0], self.proposal.lines[0]
        return new.acts <= old.acts and (new.price or _ZERO) <= (old.price or _ZERO)

    def moved(self, key: str, instrument: str, field: str) -> Pair:
        """Return a sum of a scope before and after; ``instrument:ID`` is the instrument by itself."""
        if key.startswith("instrument:"):
            before, after = self.before(ALL, instrument), self.after(ALL, instrument)
            if after.unknown is not None:
                return _unknown(after.unknown) if self.widened(ALL, instrument) else _NOTHING
            return Pair(getattr(before, field), getattr(after, field))
        sums, delta, touched = self.book.sums(key), _ZERO, set()
        for name in self._mine:
            terms = self.book.terms.get(name)
            if "sector:" in key and (terms is None or not key.endswith(f"sector:{terms.sector}")):
                continue
            touched.add(name)
            before, after = self.before(key, name), self.after(key, name)
            if after.unknown is not None and self.widened(key, name):
                return _unknown(after.unknown)
            delta += getattr(after, field) - getattr(before, field)
        base: Decimal = getattr(sums, field)
        if sums.unknown and (delta < 0 if field == "down" else delta > 0):
            other = next((u for name, u in sums.unknown.items() if name not in touched), None)
            if other is not None:
                return _unknown(other)
        return Pair(base, base + delta if delta else base)

    def notional(self, instrument: str) -> Decimal | None:
        """Return the largest order at its dearest price; None where there is no price."""
        return self._largest_of(instrument, self._mine[instrument])

    def notional_before(self, instrument: str) -> Decimal:
        """Return the same of the orders that are changed."""
        dropped = [line for name in self.proposal.drop if (line := self.book.line(name)) is not None]
        return self._largest_of(instrument, dropped) or _ZERO

    def _largest_of(self, instrument: str, lines: list[Line]) -> Decimal | None:
        quoted = self.book.prices(instrument)
        largest = _ZERO
        for line in lines:
            if line.reduce_only or not line.acts:
                continue
            touch = quoted.ask if line.side == "buy" else quoted.bid
            price = max((p for p in (touch, line.price) if p is not None), default=None)
            if price is None or quoted.unit is None:
                return None
            largest = max(largest, line.qty * price * quoted.unit)
        return largest


# ---------------------------------------------------------------- type by type


def pair_of(rule: Rule, case: Case, instrument: str, side: Side, money: Money | None) -> Pair:
    """Return what a limit looks at, before and after."""
    if rule.sector_unknown:
        return _sector_unknown(rule, case, instrument)
    pair = _PAIRS[rule.limit.limit_type](rule, case, instrument, side, money)
    if pair.unknown is not None or (pair.after <= pair.before and not pair.at):
        return _with_base(rule, pair, money)
    quoted = case.book.prices(instrument)
    if quoted.stale is not None and rule.limit.unit != "shares":
        return _unknown(Unknown("stale_quote", quoted.stale))
    if rule.limit.unit != "ratio" or pair.base is not None:
        return pair
    if money is None or money.equity is None:
        why = None if money is None else money.unknown
        return _unknown(Unknown("equity", why or "equity is not known"))
    if money.equity <= 0:
        return _unknown(Unknown("equity", "equity is not above zero"))
    return pair._replace(base=money.equity)


def _with_base(rule: Rule, pair: Pair, money: Money | None) -> Pair:
    """Return a pair that the orders do not raise with what its ratio is of, where that is known."""
    known = money is not None and money.equity is not None and money.equity > 0
    if rule.limit.unit != "ratio" or pair.base is not None or not known or money is None:
        return pair
    return pair._replace(base=money.equity)


def _order_notional(rule: Rule, case: Case, instrument: str, side: Side, money: Money | None) -> Pair:
    if case.proposal.only_flagged:
        return _NOTHING
    after = case.notional(instrument)
    if after is None:
        missing = case.book.prices(instrument).unknown
        return _unknown(missing or Unknown("price", f"there is no price for {instrument}"))
    return Pair(case.notional_before(instrument), after)


def _position_size(rule: Rule, case: Case, instrument: str, side: Side, money: Money | None) -> Pair:
    key = rule.key if rule.key.startswith("strategy:") else ALL
    before, after = case.before(key, instrument), case.after(key, instrument)
    if rule.limit.unit == "shares":
        if side == "buy":
            return Pair(max(before.high, _ZERO), max(after.high, _ZERO))
        return Pair(max(-before.low, _ZERO), max(-after.low, _ZERO))
    if after.unknown is not None:
        return _unknown(after.unknown) if case.widened(key, instrument) else _NOTHING
    if side == "buy":
        return Pair(before.long, after.long)
    return Pair(before.short, after.short)


def _exposure(rule: Rule, case: Case, instrument: str, side: Side, money: Money | None) -> Pair:
    return case.moved(rule.key, instrument, _FIELDS[rule.limit.limit_type])


def _net(rule: Rule, case: Case, instrument: str, side: Side, money: Money | None) -> Pair:
    pair = case.moved(rule.key, instrument, "up" if side == "buy" else "down")
    if side == "sell":
        pair = pair._replace(before=-pair.before, after=-pair.after)
    return pair._replace(before=max(pair.before, _ZERO), after=max(pair.after, _ZERO))


def _sector(rule: Rule, case: Case, instrument: str, side: Side, money: Money | None) -> Pair:
    sector = rule.terms.sector
    if sector is None:
        return _sector_unknown(rule, case, instrument) if rule.terms.needs_sector else _NOTHING
    return case.moved(sector_key(rule.key, sector), instrument, "gross")


def _sector_unknown(rule: Rule, case: Case, instrument: str) -> Pair:
    if not case.widened(ALL, instrument):
        return _NOTHING
    return _unknown(Unknown("sector", f"the sector of {instrument} is not known"))


def _turnover(rule: Rule, case: Case, instrument: str, side: Side, money: Money | None) -> Pair:
    if not case.increases:
        pair = case.moved(rule.key, instrument, "turn")
        return pair._replace(after=pair.before)
    return case.moved(rule.key, instrument, "turn")


def _daily_loss(rule: Rule, case: Case, instrument: str, side: Side, money: Money | None) -> Pair:
    if money is None or money.day_pnl is None:
        if not case.increases:
            return _NOTHING
        why = None if money is None else money.unknown
        return _unknown(Unknown("equity", why or "the day's result is not known"))
    lost = max(-money.day_pnl, _ZERO)
    return Pair(lost, lost, at=case.increases)


def _drawdown(rule: Rule, case: Case, instrument: str, side: Side, money: Money | None) -> Pair:
    if money is None or money.equity is None or money.peak is None or money.peak <= 0:
        if not case.increases:
            return _NOTHING
        why = None if money is None else money.unknown
        return _unknown(Unknown("equity", why or "the highest equity is not known"))
    lost = max(money.peak - money.equity, _ZERO)
    base = money.peak if rule.limit.unit == "ratio" else None
    return Pair(lost, lost, base, at=case.increases)


_PAIRS: Final[dict[LimitType, Callable[[Rule, Case, str, Side, Money | None], Pair]]] = {
    "order_notional": _order_notional,
    "position_size": _position_size,
    "gross_exposure": _exposure,
    "net_exposure": _net,
    "long_exposure": _exposure,
    "short_exposure": _exposure,
    "leverage": _exposure,
    "concentration": _position_size,
    "sector_exposure": _sector,
    "daily_loss": _daily_loss,
    "drawdown": _drawdown,
    "turnover": _turnover,
}


def bound_of(rule: Rule, pair: Pair) -> Decimal:
    """Return the limit as an amount: a ratio times what it is of."""
    if rule.limit.unit == "ratio" and pair.base is not None:
        return rule.limit.effective * pair.base
    return rule.limit.effective


def shown(amount: Decimal, base: Decimal | None, unit: Unit) -> Decimal:
    """Return an amount in the limit's unit: money to the cent, a ratio to ten digits."""
    if unit == "ratio":
        return _plain((amount / base).quantize(_RATIO, ROUND_HALF_EVEN)) if base else _ZERO
    return amount.quantize(_CENTS, ROUND_HALF_EVEN) if unit == "notional" else amount


def _plain(value: Decimal) -> Decimal:
    """Return a number without zeros at its end, and never with an exponent."""
    short = value.normalize()
    return short if short.as_tuple().exponent <= 0 else short.quantize(Decimal(1))  # type: ignore[operator]


def _unknown(unknown: Unknown) -> Pair:
    return Pair(_ZERO, _ZERO, None, unknown)
