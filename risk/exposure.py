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

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from decimal import Decimal
from typing import Final, NamedTuple

import msgspec

from data.records import Side

_ZERO: Final = Decimal(0)
#: The key of everything an engine has; the others are ``strategy:NAME`` and ``sector:NAME``.
ALL: Final = ""


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


class Worst(msgspec.Struct, frozen=True, gc=False):
    """One instrument at its worst. Quantities are signed; values are None-free and 0 where unknown."""

    position: Decimal
    buying: Flow
    selling: Flow
    high: Decimal  #: the largest position that can come of it
    low: Decimal  #: the smallest
    long: Decimal
    short: Decimal
    gross: Decimal
    up: Decimal  #: the value of ``high``, signed
    down: Decimal  #: the value of ``low``, signed
    turn: Decimal
    unknown: Unknown | None = None

    def reducible(self, side: Side) -> Decimal:
        """Return how much an order of a side can be and only reduce, net of what works to reduce already."""
        held = self.position if side == "sell" else -self.position
        working = self.selling.reduces if side == "sell" else self.buying.reduces
        return max(held - working, _ZERO)


def worst_of(position: Decimal, buying: Flow, selling: Flow, traded: Decimal, quoted: Quoted) -> Worst:
    """Return an instrument at its worst; ``traded`` is today's quantity × price."""
    high, low = position + buying.opens, position - selling.opens
    unit, bid, ask = quoted.unit, quoted.bid, quoted.ask
    exposed = position or buying.opens or selling.opens
    blind = position and (bid is None or ask is None)
    if unit is None or blind or buying.blind or selling.blind:
        known = not (exposed or traded or buying.turn or selling.turn)
        nothing = (_ZERO,) * 6
        return Worst(position, buying, selling, high, low, *nothing, None if known else quoted.unknown)
    turn = (traded + buying.turn + selling.turn) * unit
    if not exposed:
        return Worst(position, buying, selling, high, low, _ZERO, _ZERO, _ZERO, _ZERO, _ZERO, turn)
    close_at = (bid if position > 0 else ask) or _ZERO
    held = position * close_at * unit
    bought, sold = buying.cost * unit, selling.cost * unit
    if position >= 0:
        long = up = held + bought
        short = min(sold, -low * selling.top * unit) if low < 0 else _ZERO
        down = -short if low < 0 else low * close_at * unit
    else:
        short = -held + sold
        down = -short
        long = min(bought, high * buying.top * unit) if high > 0 else _ZERO
        up = long if high > 0 else high * close_at * unit
    return Worst(position, buying, selling, high, low, long, short, max(long, short), up, down, turn)


def flow_of(lines: Iterable[Line], touch: Decimal | None, start: Flow | None = None) -> Flow:
    """Return orders of one side added up; of a group the larger counts. ``touch`` is what they would meet."""
    opens, cost, top, reduces, turn, blind = start or Flow()
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


class Sums(msgspec.Struct):
    """What the instruments of a scope add up to. Mutable: kept up to date, part by part."""

    gross: Decimal = _ZERO
    long: Decimal = _ZERO
    short: Decimal = _ZERO
    up: Decimal = _ZERO
    down: Decimal = _ZERO
    turn: Decimal = _ZERO
    unknown: dict[str, Unknown] = {}

    def exchange(self, instrument: str, before: Worst | None, after: Worst | None) -> None:
        """Take an instrument's part out and put another in."""
        for part, sign in ((before, -1), (after, 1)):
            if part is None:
                continue
            self.gross += sign * part.gross
            self.long += sign * part.long
            self.short += sign * part.short
            self.up += sign * part.up
            self.down += sign * part.down
            self.turn += sign * part.turn
        self.unknown.pop(instrument, None)
        if after is not None and after.unknown is not None:
            self.unknown[instrument] = after.unknown


class ExposureBook:
    """Positions, orders and today's trades of one engine, with their worst case kept up to date.

    ``quoted`` gives an instrument's prices as they are now. Sums hold each instrument at the prices of when
    it last changed or was refreshed; the instrument of an order is looked at anew each time.
    """

    def __init__(self, terms: Mapping[str, Terms], quoted: Callable[[str], Quoted]) -> None:
        self.terms = terms
        self._quoted = quoted
        self._positions: dict[str, dict[str, Decimal]] = defaultdict(dict)
        self._traded: dict[str, dict[str, Decimal]] = defaultdict(dict)
        self._lines: dict[str, dict[str, Line]] = defaultdict(dict)
        self._where: dict[str, str] = {}
        self._dirty: set[str] = set()
        self._strategies: frozenset[str] = frozenset()
        self._prices: dict[str, Quoted] = {}
        self._worst: dict[str, dict[str, Worst]] = defaultdict(dict)
        self._sums: dict[str, Sums] = defaultdict(Sums)

    # ------------------------------------------------------------ what is known

    def follow(self, strategies: Iterable[str]) -> None:
        """Keep sums of these strategies too."""
        self._strategies = frozenset(strategies)
        self.refresh()

    def hold(self, strategy: str, instrument: str, qty: Decimal) -> None:
        """Take note of a strategy's position, signed."""
        self._positions[instrument][strategy] = qty
        self._dirty.add(instrument)

    def trade(self, strategy: str, instrument: str, amount: Decimal) -> None:
        """Take note of a trade of today: quantity × price, in the instrument's own currency and units."""
        mine = self._traded[instrument]
        mine[strategy] = mine.get(strategy, _ZERO) + amount
        self._dirty.add(instrument)

    def begin_day(self) -> None:
        """Forget what was traded: a new day has begun."""
        self._traded.clear()
        self.refresh()

    def put(self, line: Line) -> None:
        """Take note of an order, new or as it is now."""
        self._where[line.id] = line.instrument
        self._lines[line.instrument][line.id] = line
        self._dirty.add(line.instrument)

    def remove(self, line_id: str) -> None:
        """Take note that an order is over; one that is not known is none."""
        instrument = self._where.pop(line_id, None)
        if instrument is not None:
            del self._lines[instrument][line_id]
            self._dirty.add(instrument)

    def line(self, line_id: str) -> Line | None:
        """Return an order as it is counted."""
        instrument = self._where.get(line_id)
        return None if instrument is None else self._lines[instrument][line_id]

    def lines(self) -> Iterator[Line]:
        """Yield every order that is counted."""
        for found in self._lines.values():
            yield from found.values()

    def prices(self, instrument: str) -> Quoted:
        """Return an instrument's prices as it was valued last."""
        found = self._prices.get(instrument)
        if found is None:
            found = self._prices[instrument] = self._quoted(instrument)
        return found

    def refresh(self) -> None:
        """Value everything anew, because prices have moved."""
        self._worst.clear()
        self._sums.clear()
        self._prices.clear()
        for known in (self._positions, self._traded, self._lines):
            self._dirty.update(name for name, has in known.items() if has)
        self._settle()

    # ------------------------------------------------------------ what it comes to

    def sums(self, key: str) -> Sums:
        """Return what a scope adds up to."""
        if self._dirty:
            self._settle()
        return self._sums[key]

    def worst(self, key: str, instrument: str) -> Worst | None:
        """Return an instrument as it stands in the sums of a scope."""
        if self._dirty:
            self._settle()
        return self._worst[key].get(instrument)

    def instruments(self, key: str) -> Mapping[str, Worst]:
        """Return every instrument of a scope as it stands in its sums."""
        if self._dirty:
            self._settle()
        return self._worst[key]

    def touch(self, instrument: str) -> None:
        """Value an instrument anew, if its prices have moved."""
        quoted = self._quoted(instrument)
        if quoted != self._prices.get(instrument):
            self._prices[instrument] = quoted
            self._dirty.add(instrument)

    def with_change(
        self, key: str, instrument: str, add: Iterable[Line], drop: frozenset[str] = frozenset()
    ) -> Worst:
        """Return an instrument as it would stand with some orders more and some less."""
        mine = [line for line in add if self._is_of(line, key)]
        quoted = self.prices(instrument)
        now = self.worst(key, instrument)
        groups = {line.group for line in mine if line.group is not None}
        if now is not None and not drop and not (groups and self._has_group(instrument, groups)):
            buying = flow_of((o for o in mine if o.side == "buy"), quoted.ask, now.buying)
            selling = flow_of((o for o in mine if o.side == "sell"), quoted.bid, now.selling)
            return worst_of(now.position, buying, selling, self._traded_of(key, instrument), quoted)
        kept = (o for o in self._lines[instrument].values() if o.id not in drop and self._is_of(o, key))
        return self._at_worst(key, instrument, [*kept, *mine], quoted)

    def _has_group(self, instrument: str, groups: set[str]) -> bool:
        return any(line.group in groups for line in self._lines[instrument].values())

    def _is_of(self, line: Line, key: str) -> bool:
        return not key.startswith("strategy:") or line.strategy == key[9:]

    def _traded_of(self, key: str, instrument: str) -> Decimal:
        return _of_key(self._traded.get(instrument), key)

    def _at_worst(self, key: str, instrument: str, lines: list[Line], quoted: Quoted) -> Worst:
        return worst_of(
            _of_key(self._positions.get(instrument), key),
            flow_of((line for line in lines if line.side == "buy"), quoted.ask),
            flow_of((line for line in lines if line.side == "sell"), quoted.bid),
            self._traded_of(key, instrument),
            quoted,
        )

    def _settle(self) -> None:
        dirty, self._dirty = self._dirty, set()
        for instrument in dirty:
            quoted = self.prices(instrument)
            lines = list(self._lines[instrument].values())
            whole = self._at_worst(ALL, instrument, lines, quoted)
            terms = self.terms.get(instrument)
            sector = None if terms is None else terms.sector
            self._exchange((ALL,) if sector is None else (ALL, f"sector:{sector}"), instrument, whole)
            for strategy in self._strategies:
                key = f"strategy:{strategy}"
                own = [line for line in lines if line.strategy == strategy]
                if not own and not self._has(strategy, instrument) and instrument not in self._worst[key]:
                    continue
                self._exchange((key,), instrument, self._at_worst(key, instrument, own, quoted))

    def _has(self, strategy: str, instrument: str) -> bool:
        known = (self._positions.get(instrument), self._traded.get(instrument))
        return any(found is not None and strategy in found for found in known)

    def _exchange(self, keys: tuple[str, ...], instrument: str, worst: Worst) -> None:
        for key in keys:
            self._sums[key].exchange(instrument, self._worst[key].get(instrument), worst)
            self._worst[key][instrument] = worst


def _of_key(by_strategy: Mapping[str, Decimal] | None, key: str) -> Decimal:
    if not by_strategy:
        return _ZERO
    if key.startswith("strategy:"):
        return by_strategy.get(key[9:], _ZERO)
    return sum(by_strategy.values(), _ZERO)
