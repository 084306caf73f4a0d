"""The exposure book of one engine: positions, orders and trades of today, their worst case kept up to date.

What changes is marked and worked out anew when it is next asked for. This module must not know of limits.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from decimal import Decimal
from typing import Final

from risk.exposure import NOTHING, Flow, Line, Quoted, Terms, Unknown, Valued, Worst, flow_of, worst_of

_ZERO: Final = Decimal(0)
#: The key of everything an engine has; the others are ``strategy:NAME``, ``sector:NAME`` and, of a
#: strategy's part of a sector, ``strategy:NAME/sector:NAME``.
ALL: Final = ""


class Sums(Valued):
    """What the instruments of a scope add up to, kept up to date part by part."""

    __slots__ = ("unknown", "values")

    def __init__(self) -> None:
        self.values = NOTHING
        self.unknown: dict[str, Unknown] = {}  #: by instrument, what its part is unknown for

    def exchange(self, instrument: str, more: tuple[Decimal, ...], after: Worst) -> None:
        """Put an instrument's part in place of the one before, which is so much less."""
        a, b, c, d, e, f = self.values
        u, v, w, x, y, z = more
        self.values = (a + u, b + v, c + w, d + x, e + y, f + z)
        if after.unknown is not None:
            self.unknown[instrument] = after.unknown
        elif self.unknown:
            self.unknown.pop(instrument, None)


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
        self._made: tuple[Line, Worst, Worst] | None = None  #: what an order was worked out to lead to
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

    def settle(self) -> None:
        """Work out what has changed, now rather than when it is next asked for."""
        if self._dirty:
            self._settle()

    # ------------------------------------------------------------ what it comes to

    def sums(self, key: str) -> Sums:
        """Return what a scope adds up to."""
        self.settle()
        return self._sums[key]

    def every_sum(self) -> Mapping[str, Sums]:
        """Return what every scope adds up to; a scope that is not there adds up to nothing."""
        self.settle()
        return self._sums

    def worst(self, key: str, instrument: str) -> Worst | None:
        """Return an instrument as it stands in the sums of a scope."""
        self.settle()
        return self._worst[key].get(instrument)

    def instruments(self, key: str) -> Mapping[str, Worst]:
        """Return every instrument of a scope as it stands in its sums."""
        self.settle()
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
            buying = flow_of([o for o in mine if o.side == "buy"], quoted.ask, now.buying)
            selling = flow_of([o for o in mine if o.side == "sell"], quoted.bid, now.selling)
            return worst_of(now.position, buying, selling, now.traded, quoted)
        kept = (o for o in self._lines[instrument].values() if o.id not in drop and self._is_of(o, key))
        return self._at_worst(key, instrument, [*kept, *mine], quoted)

    def with_line(self, now: Worst, line: Line) -> Worst:
        """Return an instrument with one order more, which is of no group and could open; ``now``: without."""
        made = self._made
        if made is not None and made[0] is line and made[1] is now:
            return made[2]
        quoted = self.prices(line.instrument)
        buys = line.side == "buy"
        flow = now.buying if buys else now.selling
        price = quoted.ask if buys else quoted.bid
        if line.price is not None and (price is None or line.price > price):
            price = line.price
        if price is None:
            more = flow._replace(blind=True)
        else:
            qty = line.qty
            cost = qty * price
            more = Flow(
                flow.opens + qty,
                flow.cost + cost,
                price if price > flow.top else flow.top,
                flow.reduces + qty,
                flow.turn + cost,
                flow.blind,
            )
        buying, selling = (more, now.selling) if buys else (now.buying, more)
        found = worst_of(now.position, buying, selling, now.traded, quoted)
        self._made = (line, now, found)
        return found

    def _has_group(self, instrument: str, groups: set[str]) -> bool:
        return any(line.group in groups for line in self._lines[instrument].values())

    def _is_of(self, line: Line, key: str) -> bool:
        return not key.startswith("strategy:") or line.strategy == _strategy_of(key)

    def _traded_of(self, key: str, instrument: str) -> Decimal:
        return _of_key(self._traded.get(instrument), key)

    def _at_worst(self, key: str, instrument: str, lines: list[Line], quoted: Quoted) -> Worst:
        return worst_of(
            _of_key(self._positions.get(instrument), key),
            flow_of([line for line in lines if line.side == "buy"], quoted.ask),
            flow_of([line for line in lines if line.side == "sell"], quoted.bid),
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
            self._exchange(ALL, sector, instrument, whole)
            for strategy in self._strategies:
                key = f"strategy:{strategy}"
                own = [line for line in lines if line.strategy == strategy]
                if not own and not self._has(strategy, instrument) and instrument not in self._worst[key]:
                    continue
                if len(own) == len(lines) and self._only(strategy, instrument):
                    part = whole
                else:
                    part = self._at_worst(key, instrument, own, quoted)
                self._exchange(key, sector, instrument, part)

    def _only(self, strategy: str, instrument: str) -> bool:
        """Whether an instrument is held and traded by one strategy only."""
        known = (self._positions.get(instrument), self._traded.get(instrument))
        return all(not found or (len(found) == 1 and strategy in found) for found in known)

    def _has(self, strategy: str, instrument: str) -> bool:
        known = (self._positions.get(instrument), self._traded.get(instrument))
        return any(found is not None and strategy in found for found in known)

    def _exchange(self, key: str, sector: str | None, instrument: str, worst: Worst) -> None:
        before = self._worst[key].get(instrument)
        more = worst.values
        if before is not None:
            more = tuple([new - old for new, old in zip(worst.values, before.values, strict=True)])
        for one in (key,) if sector is None else (key, sector_key(key, sector)):
            self._sums[one].exchange(instrument, more, worst)
            self._worst[one][instrument] = worst


def sector_key(key: str, sector: str) -> str:
    """Return the key of the part of a scope that is of a sector."""
    return f"{key}/sector:{sector}" if key.startswith("strategy:") else f"sector:{sector}"


def _strategy_of(key: str) -> str:
    return key[9:].partition("/sector:")[0]


def _of_key(by_strategy: Mapping[str, Decimal] | None, key: str) -> Decimal:
    if not by_strategy:
        return _ZERO
    if key.startswith("strategy:"):
        return by_strategy.get(_strategy_of(key), _ZERO)
    return sum(by_strategy.values(), _ZERO)
