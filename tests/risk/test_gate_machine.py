"""No sequence of orders, fills, changes and cancels takes the worst case over a hard limit.

The worst case is worked out anew and naively: every set of working orders that could fill is tried.
"""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from itertools import product

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from data.limits import Limit, LimitType, Unit
from risk.exposure import Line
from tests.risk.gates import MONEY, TERMS, D, Gate, limit

PRICE = 100
INSTRUMENTS = ("A", "B", "C")
MOST_WORKING = 7
#: Amounts of a hundred units; several of them may be switched on together.
LIMITS: list[tuple[LimitType, Unit, str, str]] = [
    ("position_size", "shares", "portfolio", "60"),
    ("position_size", "notional", "instrument:A", "4000"),
    ("gross_exposure", "notional", "portfolio", "10000"),
    ("net_exposure", "notional", "portfolio", "7000"),
    ("long_exposure", "notional", "portfolio", "8000"),
    ("short_exposure", "ratio", "portfolio", "0.12"),
    ("leverage", "ratio", "engine:e", "0.22"),
    ("concentration", "ratio", "portfolio", "0.11"),
    ("sector_exposure", "notional", "sector:Tech", "9000"),
    ("gross_exposure", "notional", "strategy:S", "9500"),
    ("turnover", "notional", "portfolio", "30000"),
]
sides = st.sampled_from(["buy", "sell"])
amounts = st.integers(min_value=1, max_value=80)
instruments = st.sampled_from(INSTRUMENTS)


class _Order:
    """An order as the naive model keeps it."""

    def __init__(self, line: Line, entry: str | None = None) -> None:
        self.line = line
        self.entry = entry  #: of an exit: the order that opens what it closes
        self.filled = D(0)


class GateMachine(RuleBasedStateMachine):
    """Sends whatever comes to mind; what the gate lets pass is filled, changed and cancelled at will."""

    @initialize(chosen=st.lists(st.sampled_from(LIMITS), min_size=1, max_size=4, unique=True))
    def begin(self, chosen: list[tuple[LimitType, Unit, str, str]]) -> None:
        self.limits = [limit(kind, hard, unit, scope) for kind, unit, scope, hard in chosen]
        self.gate = Gate(*self.limits)
        self.held = dict.fromkeys(INSTRUMENTS, D(0))
        self.traded = D(0)
        self.orders: dict[str, _Order] = {}

    def _working(self) -> list[_Order]:
        return list(self.orders.values())

    # ------------------------------------------------------------ what may happen

    @precondition(lambda self: len(self.orders) < MOST_WORKING)
    @rule(side=sides, qty=amounts, instrument=instruments)
    def send(self, side: str, qty: int, instrument: str) -> None:
        line = self.gate.line(side, qty, instrument)  # type: ignore[arg-type]
        if self.gate.send(line) is None:
            self.orders[line.id] = _Order(line)

    @precondition(lambda self: len(self.orders) < MOST_WORKING)
    @rule(side=sides, qty=amounts, instrument=instruments)
    def send_pair(self, side: str, qty: int, instrument: str) -> None:
        pair = [self.gate.line(side, qty, instrument) for _ in range(2)]  # type: ignore[arg-type]
        pair = [line._replace(group=pair[0].id) for line in pair]
        if self.gate.send(*pair) is None:
            self.orders |= {line.id: _Order(line) for line in pair}

    @precondition(lambda self: len(self.orders) < MOST_WORKING)
    @rule(side=sides, qty=amounts, instrument=instruments)
    def send_bracket(self, side: str, qty: int, instrument: str) -> None:
        entry = self.gate.line(side, qty, instrument)  # type: ignore[arg-type]
        other = "sell" if side == "buy" else "buy"
        leg = self.gate.line(other, qty, instrument, exit=True)  # type: ignore[arg-type]
        if self.gate.send(entry, leg) is None:
            self.orders |= {entry.id: _Order(entry), leg.id: _Order(leg, entry.id)}

    @precondition(lambda self: len(self.orders) < MOST_WORKING)
    @rule(first=amounts, second=amounts, side=sides)
    def send_list(self, first: int, second: int, side: str) -> None:
        lines = [self.gate.line(side, first, "A"), self.gate.line(side, second, "B")]  # type: ignore[arg-type]
        if self.gate.send(*lines) is None:
            self.orders |= {line.id: _Order(line) for line in lines}

    @precondition(lambda self: self.orders)
    @rule(data=st.data())
    def fill(self, data: st.DataObject) -> None:
        order = data.draw(st.sampled_from(self._working()))
        most = order.line.acts
        if not most:
            return  # an exit whose entry has not filled
        qty = D(data.draw(st.integers(min_value=1, max_value=int(most))))
        line = order.line
        self.held[line.instrument] += qty if line.side == "buy" else -qty
        self.traded += qty * PRICE
        self.gate.hold(line.instrument, int(self.held[line.instrument]))
        self.gate.book.trade("S", line.instrument, qty * PRICE)
        order.filled += qty
        for other in self._working():
            if other is not order and line.group is not None and other.line.group == line.group:
                self._end(other)
        self._keep(order, line._replace(qty=line.qty - qty, acts=line.acts - qty))
        for leg in self._working():
            if leg.entry == line.id:
                acts = order.filled - leg.filled
                self._keep(leg, leg.line._replace(acts=min(leg.line.qty, acts)))

    @precondition(lambda self: self.orders)
    @rule(data=st.data(), qty=amounts)
    def change(self, data: st.DataObject, qty: int) -> None:
        order = data.draw(st.sampled_from(self._working()))
        if order.entry is not None or any(leg.entry == order.line.id for leg in self._working()):
            return
        line = order.line._replace(qty=D(qty), acts=D(qty))
        if self.gate.ask(line, drop=(line.id,)) is None:
            self._keep(order, line)

    @precondition(lambda self: self.orders)
    @rule(data=st.data())
    def cancel(self, data: st.DataObject) -> None:
        order = data.draw(st.sampled_from(self._working()))
        self._end(order)
        for leg in self._working():
            if leg.entry == order.line.id and not order.filled:
                self._end(leg)

    def _keep(self, order: _Order, line: Line) -> None:
        order.line = line
        if line.qty:
            self.gate.book.put(line)
        else:
            self._end(order)

    def _end(self, order: _Order) -> None:
        self.gate.book.remove(order.line.id)
        del self.orders[order.line.id]

    # ------------------------------------------------------------ the naive worst case

    def _outcomes(self, instrument: str) -> Iterator[Decimal]:
        """Yield where the position could come to lie: every set of orders that could fill is tried."""
        mine = [o for o in self._working() if o.line.instrument == instrument]
        for chosen in product((False, True), repeat=len(mine)):
            fills = [order for order, fill in zip(mine, chosen, strict=True) if fill]
            groups = [o.line.group for o in fills if o.line.group is not None]
            if len(groups) != len(set(groups)):
                continue  # one cancels the other
            opened = {o.line.id for o in fills}
            position = self.held[instrument]
            for order in fills:
                whole = order.entry is None or order.entry in opened
                qty = order.line.qty if whole else order.line.acts
                position += qty if order.line.side == "buy" else -qty
            yield position

    def _worst(self) -> dict[str, tuple[Decimal, Decimal]]:
        found = {}
        for instrument in INSTRUMENTS:
            outcomes = list(self._outcomes(instrument))
            found[instrument] = (min(outcomes) * PRICE, max(outcomes) * PRICE)
        return found

    def _value(self, one: Limit) -> Decimal:
        worst = self._worst()
        within = [
            bounds
            for name, bounds in worst.items()
            if one.scope in ("portfolio", "engine:e", "strategy:S", f"instrument:{name}")
            or one.scope == f"sector:{TERMS[name].sector}"
        ]
        gross = [max(abs(low), abs(high)) for low, high in within]
        amount = {
            "position_size": max(gross),
            "concentration": max(gross),
            "gross_exposure": sum(gross),
            "leverage": sum(gross),
            "sector_exposure": sum(gross),
            "long_exposure": sum(max(high, 0) for _, high in within),
            "short_exposure": sum(max(-low, 0) for low, _ in within),
            "net_exposure": max(sum(high for _, high in within), -sum(low for low, _ in within)),
            "turnover": self.traded + self._could_trade(),
        }[one.limit_type]
        if one.unit == "shares":
            return D(amount) / PRICE
        assert MONEY.equity is not None
        return D(amount) / MONEY.equity if one.unit == "ratio" else D(amount)

    def _could_trade(self) -> Decimal:
        alone = sum((o.line.qty for o in self._working() if o.line.group is None), D(0))
        groups: dict[str, Decimal] = {}
        for order in self._working():
            if order.line.group is not None:
                groups[order.line.group] = max(groups.get(order.line.group, D(0)), order.line.qty)
        return (alone + sum(groups.values(), D(0))) * PRICE

    @invariant()
    def no_limit_can_be_broken(self) -> None:
        for one in getattr(self, "limits", ()):
            assert self._value(one) <= one.hard, one.id

    @invariant()
    def the_books_hold_what_was_tried_out(self) -> None:
        if not hasattr(self, "limits"):
            return
        worst, sums = self._worst(), self.gate.book.sums("")
        assert sums.gross == sum(max(abs(low), abs(high)) for low, high in worst.values())
        assert sums.up == sum(high for _, high in worst.values())
        assert sums.down == sum(low for low, _ in worst.values())
        assert sums.turn == self.traded + self._could_trade()


TestGateMachine = GateMachine.TestCase
TestGateMachine.settings = settings(max_examples=60, stateful_step_count=25, deadline=None)
