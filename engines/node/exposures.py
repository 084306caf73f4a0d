"""Keeps the gate's exposure book up to the node's: positions, orders wherever they are, trades, prices.

An order counts from the moment the gate lets it pass until its last event. While changes of an order are
not all answered, the largest of what it was and what they would make it counts. This module must not know
of limits.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable
from decimal import Decimal
from typing import Any, Final

import msgspec
from nautilus_trader.common.component import MessageBus
from nautilus_trader.model.enums import ContingencyType, OrderStatus
from nautilus_trader.model.events import OrderInitialized, OrderModifyRejected, OrderUpdated
from nautilus_trader.model.identifiers import ClientOrderId, InstrumentId
from nautilus_trader.model.orders import Order

from data.records import Instrument
from engines.node import translate
from engines.node.bookkeeper import Bookkeeper
from engines.node.marks import Marker
from risk.exposure import Line, Quoted, Terms, Unknown
from risk.exposure_book import ExposureBook

_ZERO: Final = Decimal(0)
#: Behind the books (5), before strategies (0): whoever acts on an event is judged by what it did.
_PRIORITY: Final = 4


class _Waiting(msgspec.Struct):
    """Changes of one order that were let pass. An answer does not say which of them it answers."""

    changes: list[tuple[Decimal, Decimal | None]] = []  #: total quantity, and price of its own
    unanswered: int = 0


class Exposures:
    """The exposure book of one node."""

    def __init__(
        self,
        *,
        cache: Any,
        books: Bookkeeper,
        marker: Marker,
        instruments: dict[str, Instrument],
        currency: str,
        stale: Callable[[str, int], str | None],
    ) -> None:
        self._cache = cache
        self._books = books
        self._marker = marker
        self._instruments = instruments
        self._currency = currency
        self._stale = stale
        self._ids = {name: InstrumentId.from_str(name) for name in instruments}
        self._rates: dict[str, Decimal | None] = {currency: Decimal(1)}
        self._seen: dict[str, tuple[Any, Decimal | None, Quoted]] = {}
        self._waiting: dict[str, _Waiting] = {}
        self._day = 0
        self._settling = False
        terms = {found.id: _terms(found) for found in instruments.values()}
        self.book = ExposureBook(terms, self.quoted)

    def attach(self, bus: MessageBus, now_ns: int) -> None:
        """Take over what the restored books hold, and follow the node's events from now on."""
        for (strategy, instrument), qty in self._books.held.items():
            self.book.hold(strategy, instrument, qty)
        self._count_trades(now_ns)
        for order in self._cache.orders():
            if not order.is_closed and order.status != OrderStatus.INITIALIZED:
                self.book.put(self.line_of(order))
        bus.subscribe(topic="events.order.*", handler=self._on_order_event, priority=_PRIORITY)

    def refresh(self, now_ns: int) -> None:
        """Value everything at the prices of now."""
        self._rates = {self._currency: Decimal(1)}
        self._count_trades(now_ns)
        self.book.refresh()

    def _count_trades(self, now_ns: int) -> None:
        day = self._books.day_of(now_ns)
        if day != self._day:
            self._day = day
            self.book.begin_day()
            for (strategy, instrument), amount in self._books.traded_on(day).items():
                self.book.trade(strategy, instrument, amount)

    # ------------------------------------------------------------ orders

    def leave(self, lines: Iterable[Line]) -> None:
        """Count orders that have just been let pass."""
        for line in lines:
            self.book.put(line)

    def change(self, order: Order, total: Decimal, price: Decimal | None) -> None:
        """Count a change that has just been let pass beside what the order is, until it is answered."""
        waiting = self._waiting.setdefault(order.client_order_id.value, _Waiting())
        waiting.changes.append((total, price))
        waiting.unanswered += 1
        self.book.put(self.line_of(order))

    def refuse(self, order: Order) -> None:
        """Expect the answer of a change that was not let pass: it answers none of those that were."""
        self._waiting.setdefault(order.client_order_id.value, _Waiting()).unanswered += 1

    def line_of(self, order: Order) -> Line:
        """Return an order as it counts, changes that are not answered included."""
        line = self.as_it_is(order)
        waiting = self._waiting.get(line.id)
        for total, price in () if waiting is None else waiting.changes:
            larger = self.changed(order, total, price)
            dearest = max((p for p in (line.price, larger.price) if p is not None), default=None)
            line = line._replace(
                qty=max(line.qty, larger.qty), acts=max(line.acts, larger.acts), price=dearest
            )
        return line

    def changed(self, order: Order, total: Decimal, price: Decimal | None) -> Line:
        """Return an order as it would count with another quantity and price of its own."""
        line = self.as_it_is(order)
        more = total - order.quantity.as_decimal()
        return line._replace(qty=max(line.qty + more, _ZERO), acts=max(line.acts + more, _ZERO), price=price)

    def as_it_is(self, order: Order) -> Line:
        """Return an order as the venue knows it."""
        leaves: Decimal = order.leaves_qty.as_decimal()
        linked = order.linked_order_ids or ()
        exclusive = order.contingency_type in (ContingencyType.OCO, ContingencyType.OUO)
        own = order.client_order_id.value
        return Line(
            id=own,
            instrument=order.instrument_id.value,
            strategy=order.strategy_id.value,
            side=translate.SIDES[order.side],
            qty=leaves,
            acts=self._acts(order, leaves),
            price=own_price(order),
            reduce_only=order.is_reduce_only,
            group=min(own, *(one.value for one in linked)) if exclusive and linked else None,
        )

    def _acts(self, order: Order, leaves: Decimal) -> Decimal:
        """Return how much could fill on what is held now: an entry's exit no more than the entry filled."""
        if order.parent_order_id is None:
            return leaves
        parent = self._cache.order(order.parent_order_id)
        if parent is None or parent.side == order.side:
            return leaves
        opened: Decimal = parent.filled_qty.as_decimal() - order.filled_qty.as_decimal()
        return min(leaves, max(opened, _ZERO))

    def _on_order_event(self, event: Any) -> None:
        if isinstance(event, OrderInitialized):
            return  # it counts once the gate has let it pass
        name = event.client_order_id.value
        order = self._cache.order(event.client_order_id)
        if order is None:
            return
        if isinstance(event, OrderUpdated | OrderModifyRejected):
            self._answered(name)
        instrument, strategy = event.instrument_id.value, event.strategy_id.value
        if order.is_closed:
            self._waiting.pop(name, None)
            self.book.remove(name)
        elif order.status != OrderStatus.INITIALIZED:
            self.book.put(self.line_of(order))
        if event.__class__.__name__ == "OrderFilled":
            self.book.hold(strategy, instrument, self._books.held[strategy, instrument])
            self._note_trade(event, strategy, instrument)
            self._recount(order.linked_order_ids or ())
        self.settle_soon()

    def _answered(self, name: str) -> None:
        waiting = self._waiting.get(name)
        if waiting is not None:
            waiting.unanswered -= 1
            if not waiting.unanswered:
                del self._waiting[name]

    def settle_soon(self) -> None:
        """Work out what has changed before the next order comes, not while it waits."""
        if not self._settling:
            self._settling = True
            asyncio.get_running_loop().call_soon(self._settle)

    def _settle(self) -> None:
        self._settling = False
        self.book.settle()

    def _note_trade(self, event: Any, strategy: str, instrument: str) -> None:
        if self._books.day_of(event.ts_event) == self._day:
            amount = event.last_qty.as_decimal() * event.last_px.as_decimal()
            self.book.trade(strategy, instrument, amount)
        else:
            self._count_trades(event.ts_event)

    def _recount(self, linked: Iterable[ClientOrderId]) -> None:
        """Count the exits of an entry anew: what it has filled they can close."""
        for one in linked:
            order = self._cache.order(one)
            if order is not None and not order.is_closed and self.book.line(one.value) is not None:
                self.book.put(self.line_of(order))

    # ------------------------------------------------------------ prices

    def quoted(self, instrument: str) -> Quoted:
        """Return an instrument's prices as they are now."""
        record = self._instruments.get(instrument)
        if record is None:
            return Quoted(None, None, None, Unknown("price", f"{instrument} is not traded by this engine"))
        instrument_id = self._ids[instrument]
        tick = self._cache.quote_tick(instrument_id) or self._cache.trade_tick(instrument_id)
        rate = self._rate(record, instrument_id)
        seen = self._seen.get(instrument)
        if seen is None or seen[0] is not tick or seen[1] != rate:
            seen = self._seen[instrument] = (tick, rate, self._priced(record, instrument_id, rate))
        if tick is None:
            return seen[2]
        stale = self._stale(instrument, tick.ts_init)
        return seen[2] if stale is None else seen[2]._replace(stale=stale)

    def _priced(self, record: Instrument, instrument_id: InstrumentId, rate: Decimal | None) -> Quoted:
        bid = self._marker.closing_price(instrument_id, long=True)
        ask = self._marker.closing_price(instrument_id, long=False)
        unknown = None
        if rate is None:
            detail = f"no exchange rate from {record.currency} to {self._currency} for {record.id}"
            unknown = Unknown("rate", detail)
        elif not bid or not ask:
            bid = ask = None
            unknown = Unknown("price", f"no price for {record.id}")
        unit = None if rate is None else record.multiplier * rate
        return Quoted(bid, ask, unit, unknown)

    def _rate(self, record: Instrument, instrument_id: InstrumentId) -> Decimal | None:
        code = record.currency
        if self._rates.get(code) is None:
            self._rates[code] = self._marker.rate(code, self._currency, instrument_id.venue)
        return self._rates[code]


def own_price(order: Order, price: Any = None, trigger: Any = None) -> Decimal | None:
    """Return the dearest price that an order names itself, or would with another price or trigger."""
    if order.has_price:
        price = order.price if price is None else price
    if order.has_trigger_price:
        trigger = order.trigger_price if trigger is None else trigger
    return max((one.as_decimal() for one in (price, trigger) if one is not None), default=None)


def _terms(instrument: Instrument) -> Terms:
    return Terms(
        id=instrument.id,
        lot=instrument.lot_size,
        min_qty=instrument.min_qty,
        max_qty=instrument.max_qty,
        sector=instrument.sector,
        needs_sector=instrument.asset_class == "equity",
    )
