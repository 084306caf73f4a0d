"""Keeps the books: every order, position and account event goes to the journal before anyone hears of it.

Events of one turn of the event loop are one batch: they are written together, synced once and are
either all there after a crash or none. An order leaves for the venue only after the event that
created it is on disk (`release`). When the journal fails, nothing leaves any more. This module must
not know who listens.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from decimal import Decimal

import msgspec
from nautilus_trader.core.message import Event
from nautilus_trader.model import Position
from nautilus_trader.model.events import (
    AccountState,
    OrderAccepted,
    OrderEvent,
    OrderFilled,
    OrderInitialized,
    PositionEvent,
)
from nautilus_trader.model.identifiers import ClientOrderId
from nautilus_trader.model.orders import Order, OrderUnpacker
from nautilus_trader.serialization.serializer import MsgSpecSerializer
from nautilus_trader.system.kernel import NautilusKernel

from data.journal import Journal
from data.limits import Denial
from data.problems import JournalFailedError
from data.records import (
    AccountUpdate,
    Fill,
    JournalRecord,
    OrderUpdate,
    PositionUpdate,
)
from engines import books
from engines.averages import FilledAverage, OpenAverage, rounded
from engines.books import BookEntry
from engines.node import translate

_DAY_NS = 86_400 * 1_000_000_000

Listener = Callable[[Sequence[JournalRecord]], None]


class Bookkeeper:
    """Turns the node's events into journalled records, in order, without gaps."""

    def __init__(
        self,
        *,
        engine: str,
        synthetic: bool,
        journal: Journal,
        kernel: NautilusKernel,
        listener: Listener,
        on_failure: Callable[[JournalFailedError], None],
    ) -> None:
        self._engine = engine
        self._synthetic = synthetic
        self._journal = journal
        self._kernel = kernel
        self._cache = kernel.cache
        self._listener = listener
        self._on_failure = on_failure
        self._serializer = MsgSpecSerializer(encoding=msgspec.msgpack)
        self._pending: list[BookEntry] = []
        self._outbox: list[Callable[[], None]] = []
        self._flush_scheduled = False
        self._filled: dict[str, FilledAverage] = {}
        self._open: dict[str, OpenAverage] = {}
        self._denials: dict[str, Denial] = {}
        self._traded: dict[tuple[str, str], Decimal] = {}
        self._traded_day = 0
        self.held: dict[tuple[str, str], Decimal] = {}  #: signed quantity by strategy and instrument
        self.failure: JournalFailedError | None = None

    @property
    def last_seq(self) -> int:
        """The sequence number of the newest entry on disk."""
        return self._journal.last_seq

    def attach(self) -> None:
        """Begin to hear the node's events, after the portfolio has dealt with each."""
        self._kernel.msgbus.subscribe(topic="events.order.*", handler=self._on_order_event, priority=5)
        self._kernel.msgbus.subscribe(topic="events.position.*", handler=self._on_position_event, priority=5)
        self._kernel.msgbus.subscribe(topic="events.account.*", handler=self._on_account_event, priority=5)

    # ------------------------------------------------------------ averages, also used to restore

    def note_fill(self, event: OrderFilled) -> None:
        """Bring the exact averages up to a fill."""
        side = translate.SIDES[event.order_side]
        qty, price = event.last_qty.as_decimal(), event.last_px.as_decimal()
        order_id = event.client_order_id.value
        self._filled[order_id] = self._filled.get(order_id, FilledAverage()).add(qty, price)
        instrument = event.instrument_id.value
        self._open[instrument] = self._open.get(instrument, OpenAverage()).add(side, qty, price)
        key = (event.strategy_id.value, instrument)
        self.held[key] = self.held.get(key, Decimal(0)) + (qty if side == "buy" else -qty)
        day = self.day_of(event.ts_event)
        if day > self._traded_day:
            self._traded_day, self._traded = day, {}
        if day == self._traded_day:
            self._traded[key] = self._traded.get(key, Decimal(0)) + qty * price

    @staticmethod
    def day_of(ts: int) -> int:
        """Return the UTC day of a time, counted from the epoch."""
        return ts // _DAY_NS

    def traded_on(self, day: int) -> dict[tuple[str, str], Decimal]:
        """Return quantity × price of a day's fills by strategy and instrument; only the latest is kept."""
        return dict(self._traded) if day == self._traded_day else {}

    def note_denial(self, event: Event, denial: Denial) -> None:
        """Keep why an order was denied, for the record of the event that says so."""
        self._denials[event.id.value] = denial

    def open_average(self, instrument: str) -> OpenAverage:
        """Return the netted position of an instrument as the fills make it."""
        return self._open.get(instrument, OpenAverage())

    def average_shown(self, position: Position) -> Decimal:
        """Return the price a position was opened at, at a precision fit for a screen."""
        average = self.open_average(position.instrument_id.value)
        return rounded(average.price, position.price_precision)

    def record_of(self, order: Order, event: Event, seq: int = 0) -> OrderUpdate:
        """Return the record of an order as it stands after ``event``."""
        order_id = order.client_order_id.value
        average = self._filled.get(order_id)
        price = None
        if average is not None:
            instrument = self._cache.instrument(order.instrument_id)
            price = average.price(instrument.price_precision)
        return translate.order_update(
            self._engine,
            order,
            event,
            price,
            denial=self._denials.get(event.id.value),
            seq=seq,
            synthetic=self._synthetic,
        )

    def find_order(self, client_order_id: str) -> OrderUpdate | None:
        """Return the present state of an order of these books, or None if it has none."""
        order = self._cache.order(ClientOrderId(client_order_id))
        return None if order is None else self.record_of(order, order.last_event)

    # ------------------------------------------------------------ events

    def _next_seq(self) -> int:
        return self._journal.last_seq + len(self._pending) + 1

    def _on_order_event(self, event: OrderEvent) -> None:
        if isinstance(event, OrderInitialized):
            order = OrderUnpacker.from_init(event)
        else:
            order = self._cache.order(event.client_order_id)
            if order is None:
                return
            if order.last_event.id != event.id and isinstance(event, OrderAccepted):
                return  # the venue greets a restored order once more; the books know it already
        if isinstance(event, OrderFilled):
            self.note_fill(event)
        update = self.record_of(order, event, self._next_seq())
        self._add(update, event)
        if isinstance(event, OrderFilled):
            fill = translate.fill(self._engine, event, seq=self._next_seq(), synthetic=self._synthetic)
            self._add(fill, None)

    def _on_position_event(self, event: PositionEvent) -> None:
        position = self._cache.position(event.position_id)
        update = translate.position_update(
            self._engine,
            position,
            self.average_shown(position),
            seq=self._next_seq(),
            synthetic=self._synthetic,
            ts=event.ts_event,
        )
        self._add(update, None)

    def _on_account_event(self, event: AccountState) -> None:
        update = translate.account_update(
            self._engine, event, seq=self._next_seq(), synthetic=self._synthetic
        )
        last = self._pending[-1].record if self._pending else None
        if isinstance(last, AccountUpdate) and last.account_id == update.account_id:
            self._pending.pop()  # only the last of a run of account states is a state anyone can see
            update = msgspec.structs.replace(update, seq=last.seq)
        self._add(update, event)

    def add_record(self, record: AccountUpdate) -> None:
        """Journal a record that no event stands behind, such as the day's opening equity."""
        self._add(msgspec.structs.replace(record, seq=self._next_seq()), None)

    def _add(self, record: OrderUpdate | Fill | PositionUpdate | AccountUpdate, event: Event | None) -> None:
        native = b"" if event is None else self._serializer.serialize(event)
        self._pending.append(BookEntry(record, native))
        self._schedule()

    # ------------------------------------------------------------ to disk, then to the world

    def release(self, action: Callable[[], None]) -> None:
        """Run ``action`` once everything that led to it is on disk; never, if the journal fails."""
        self._outbox.append(action)
        self._schedule()

    def _schedule(self) -> None:
        if not self._flush_scheduled:
            self._flush_scheduled = True
            asyncio.get_running_loop().call_soon(self.flush)

    def flush(self) -> None:
        """Write and sync what is pending, then tell the listener and let waiting orders go."""
        self._flush_scheduled = False
        if self.failure is not None:
            return
        entries, self._pending = self._pending, []
        outbox, self._outbox = self._outbox, []
        if entries:
            try:
                self._journal.append([books.encode(entry) for entry in entries])
            except JournalFailedError as error:
                self.failure = error
                self._on_failure(error)
                return
            self._listener([entry.record for entry in entries])
        for action in outbox:
            action()
