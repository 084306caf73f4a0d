"""What is held and what is on its way, counted at its worst, by instrument and summed by scope.

Of an instrument with position P, buy orders B and sell orders S that could open or add (open quantities;
of orders of which one cancels the other the larger; what only reduces is left out) the position can come
to lie anywhere from P − S to P + B. Hence

- long = the value of max(P + B, 0); short = the value of max(S − P, 0);
- gross = max(long, short), which is the value of max(|P + B|, |P − S|);
- net of a scope = max(Σ (P + B), −Σ (P − S)), each in value;
- turnover = what was traded today and all that works, both sides.

What is held is valued where it could be closed (a long at the bid, a short at the ask), an order at the
dearest price known for it: its own, or the touch it would meet. All values are in the account's currency.
What has no price is unknown, and so is every sum it is part of. This module must not know of limits.
"""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import Final, NamedTuple

import msgspec

from data.records import Side

_ZERO: Final = Decimal(0)


class Terms(msgspec.Struct, frozen=True, kw_only=True):
    """What must be known of an instrument."""

    id: str
    lot: Decimal = Decimal(1)
    min_qty: Decimal = Decimal(0)
    max_qty: Decimal | None = None
    sector: str | None = None
    needs_sector: bool = False  #: an equity: one without a known sector cannot be judged by sectors


class Unknown(NamedTuple):
    """What is not known, and the rule that cannot be judged for want of it."""

    rule: str
    detail: str


class Quoted(NamedTuple):
    """An instrument's prices; ``unit`` is the account's currency for a price of one: multiplier × rate."""

    bid: Decimal | None
    ask: Decimal | None
    unit: Decimal | None
    unknown: Unknown | None = None  #: why something is missing
    stale: str | None = None  #: why the prices are too old to judge a new order by


class Line(NamedTuple):
    """An order that works or is on its way."""

    id: str
    instrument: str
    strategy: str
    side: Side
    qty: Decimal  #: open quantity
    acts: Decimal  #: what of it could fill on what is held now; less than ``qty`` for an entry's exits
    price: Decimal | None = None  #: its own dearest; None: it has none
    reduce_only: bool = False
    group: str | None = None  #: of one group only one fills


class Flow(NamedTuple):
    """The orders of one side of an instrument, added up. Prices are the instrument's own."""

    opens: Decimal = _ZERO  #: quantity that could open or add
    cost: Decimal = _ZERO  #: that quantity × the dearest price of each
    top: Decimal = _ZERO  #: the dearest of these prices
    reduces: Decimal = _ZERO  #: quantity that could fill on what is held, also of what only reduces
    turn: Decimal = _ZERO  #: quantity × price of all of it
    blind: bool = False  #: an order that could open has no price


_EMPTY: Final = Flow()

#: Where each value stands in `Worst.values` and `Sums.values`.
GROSS, LONG, SHORT, UP, DOWN, TURN = range(6)
NOTHING: Final = (_ZERO,) * 6


class Valued:
    """Values by name. ``up`` and ``down`` are those of the largest and the smallest position, signed."""

    __slots__ = ()
    values: tuple[Decimal, ...]

    @property
    def gross(self) -> Decimal:
        """The larger of long and short."""
        return self.values[GROSS]

    @property
    def long(self) -> Decimal:
        """What it is worth if all that buys fills."""
        return self.values[LONG]

    @property
    def short(self) -> Decimal:
        """What it is worth if all that sells fills, positive."""
        return self.values[SHORT]

    @property
    def up(self) -> Decimal:
        """The largest position's value."""
        return self.values[UP]

    @property
    def down(self) -> Decimal:
        """The smallest position's value."""
        return -self.values[DOWN]

    @property
    def turn(self) -> Decimal:
        """What was traded today and all that works."""
        return self.values[TURN]


class Worst(Valued):
    """One instrument at its worst. Quantities are signed; values are 0 where ``unknown`` says why."""

    __slots__ = ("buying", "high", "low", "position", "selling", "traded", "unknown", "values")

    def __init__(
        self,
        position: Decimal,
        buying: Flow,
        selling: Flow,
        traded: Decimal,
        values: tuple[Decimal, ...] = NOTHING,
        unknown: Unknown | None = None,
    ) -> None:
        self.position = position
        self.buying = buying
        self.selling = selling
        self.high = position + buying.opens  #: the largest position that can come of it
        self.low = position - selling.opens  #: the smallest
        self.traded = traded  #: today's quantity × price
        self.values = values
        self.unknown = unknown

    def reducible(self, side: Side) -> Decimal:
        """Return how much an order of a side can be and only reduce, net of what works to reduce already."""
        held = self.position if side == "sell" else -self.position
        working = self.selling.reduces if side == "sell" else self.buying.reduces
        return max(held - working, _ZERO)


def worst_of(position: Decimal, buying: Flow, selling: Flow, traded: Decimal, quoted: Quoted) -> Worst:
    """Return an instrument at its worst; ``traded`` is today's quantity × price."""
    unit, bid, ask = quoted.unit, quoted.bid, quoted.ask
    exposed = position or buying.opens or selling.opens
    blind = position and (bid is None or ask is None)
    if unit is None or blind or buying.blind or selling.blind:
        if not (exposed or traded or buying.turn or selling.turn):
            return Worst(position, buying, selling, traded)
        unknown = quoted.unknown or Unknown("price", "there is no price")
        return Worst(position, buying, selling, traded, NOTHING, unknown)
    turn = (traded + buying.turn + selling.turn) * unit
    if not exposed:
        values = (_ZERO, _ZERO, _ZERO, _ZERO, _ZERO, turn)
    elif position >= 0:
        values = (*_from(position * (bid or _ZERO) * unit, position, buying, selling, unit), turn)
    else:
        held = -position * (ask or _ZERO) * unit
        gross, short, long, fall, rise = _from(held, -position, selling, buying, unit)
        values = (gross, long, short, rise, fall, turn)
    return Worst(position, buying, selling, traded, values)


def _from(
    held: Decimal, position: Decimal, adding: Flow, against: Flow, unit: Decimal
) -> tuple[Decimal, Decimal, Decimal, Decimal, Decimal]:
    """Return gross and the values on the side that is held, on the other, and of the two ends, signed so."""
    own = held + adding.cost * unit
    over = against.opens - position
    if over > 0:
        other = min(against.cost, over * against.top) * unit
        return (own if own > other else other), own, other, own, other
    far = held * over / position if position else _ZERO
    return own, own, _ZERO, own, far


def flow_of(lines: Sequence[Line], touch: Decimal | None, start: Flow | None = None) -> Flow:
    """Return orders of one side added up; of a group the larger counts. ``touch`` is what they would meet."""
    if not lines:
        return start or _EMPTY
    opens, cost, top, reduces, turn, blind = start or _EMPTY
    groups: dict[str, list[Decimal]] = {}
    for line in lines:
        price = line.price
        if touch is not None and (price is None or touch > price):
            price = touch
        acts = line.acts
        adds = _ZERO if line.reduce_only else acts
        if price is None:
            blind = blind or bool(adds)
            price = _ZERO
        amount = line.qty * price
        if line.group is not None:
            mine = (adds, price if adds else _ZERO, acts, amount)
            most = groups.get(line.group)
            groups[line.group] = [*mine] if most is None else [*map(max, most, mine)]
            continue
        if adds:
            opens += adds
            cost += adds * price
            top = max(top, price)
        reduces += acts
        turn += amount
    for adds, price, acts, amount in groups.values():
        opens += adds
        cost += adds * price
        top = max(top, price)
        reduces += acts
        turn += amount
    return Flow(opens, cost, top, reduces, turn, blind)
