"""The mirror: what the terminal knows, as plain state with one writer, and ways to look at it.

Stream envelopes and answers to queries go in through :meth:`Mirror.apply` and the ``put_…``
methods; panes read attributes and the selectors below. It joins records that belong together (a
position and its latest mark, an order and its fills) and does nothing else: no I/O, no Textual, no
rules of the business.

Whoever paints frames calls :meth:`Mirror.clear_dirty` when all panes have looked.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from decimal import Decimal
from typing import NamedTuple

from data.records import (
    FINAL_STATUSES,
    WORKING_STATUSES,
    Bar,
    Book,
    Fill,
    Instrument,
    OrderUpdate,
    PositionUpdate,
    Quote,
)
from nautilus_tui.terminal.received import (
    MAX_LOGS,
    TRAIL_NS,
    BarsState,
    Connection,
    ConnectionState,
    Envelope,
    Kind,
    Records,
)

__all__ = [
    "MAX_LOGS",
    "TRAIL_NS",
    "BarsState",
    "Connection",
    "ConnectionState",
    "Envelope",
    "Kind",
    "Mirror",
    "OrderRow",
    "PositionRow",
    "WatchRow",
]

OrderFilter = Callable[[OrderUpdate], bool]


class WatchRow(NamedTuple):
    """One line of the watchlist."""

    instrument: str
    quote: Quote | None
    change: Decimal | None  #: last less reference
    change_pct: Decimal | None
    precision: int
    trail: tuple[float, ...]


class PositionRow(NamedTuple):
    """A position joined with its mark and its share of equity's day."""

    position: PositionUpdate
    mark: Decimal | None
    unrealized: Decimal | None
    change_pct: Decimal | None  #: of the instrument, today
    precision: int


class OrderRow(NamedTuple):
    """An order joined with the precision of its instrument."""

    order: OrderUpdate
    precision: int


class Mirror(Records):
    """Everything received, and how panes ask for it."""

    def instrument(self, engine: str | None, instrument: str | None) -> Instrument | None:
        """Return the rules of an instrument on an engine, or None where not known."""
        if engine is None or instrument is None:
            return None
        return self.instruments.get(engine, {}).get(instrument)

    def quote(self, engine: str | None, instrument: str | None) -> Quote | None:
        """Return the latest quote of an instrument on an engine."""
        return None if engine is None or instrument is None else self.quotes.get((engine, instrument))

    def book(self, engine: str | None, instrument: str | None) -> Book | None:
        """Return the latest book of an instrument on an engine."""
        return None if engine is None or instrument is None else self.books.get((engine, instrument))

    def series(self, engine: str | None, instrument: str | None, timeframe: str) -> Sequence[Bar]:
        """Return the bars known of an instrument, oldest first."""
        if engine is None or instrument is None:
            return ()
        return self.bars.get((engine, instrument, timeframe), ())

    def series_state(self, engine: str | None, instrument: str | None, timeframe: str) -> BarsState:
        """Return how far those bars may be trusted."""
        if engine is None or instrument is None:
            return "known"
        return self.bars_states.get((engine, instrument, timeframe), "known")

    def precision(self, engine: str, instrument: str) -> int:
        """Return how many decimals a price of this instrument has."""
        rules = self.instrument(engine, instrument)
        if rules is not None:
            return rules.price_precision
        quote = self.quotes.get((engine, instrument))
        if quote is None:
            return 2
        return max(_decimals(quote.bid), _decimals(quote.ask), _decimals(quote.last))

    def instrument_ids(self, engine: str) -> list[str]:
        """Return the instruments of an engine in the order it names them, then those only quoted."""
        named = list(self.instruments.get(engine, ()))
        known = set(named)
        return named + sorted(i for e, i in self.quotes if e == engine and i not in known)

    def watch_row(self, engine: str, instrument: str) -> WatchRow:
        """Return one line of the watchlist."""
        quote = self.quotes.get((engine, instrument))
        change, change_pct = _change(quote)
        trail = self.trails.get((engine, instrument), ())
        return WatchRow(
            instrument,
            quote,
            change,
            change_pct,
            self.precision(engine, instrument),
            tuple(price for _, price in trail),
        )

    def watch_rows(self, engine: str, instruments: Sequence[str] = ()) -> list[WatchRow]:
        """Return the watchlist of an engine: the instruments given, or all it knows."""
        return [self.watch_row(engine, i) for i in (instruments or self.instrument_ids(engine))]

    def order(self, engine: str, client_order_id: str) -> OrderUpdate | None:
        """Return an order by its client order id."""
        return self.orders.get(engine, {}).get(client_order_id)

    def order_rows(self, engine: str, wanted: OrderFilter | None = None) -> list[OrderRow]:
        """Return the orders of an engine, working ones first, then newest first."""
        orders = [o for o in self.orders.get(engine, {}).values() if wanted is None or wanted(o)]
        orders.sort(key=lambda o: (o.status in FINAL_STATUSES, -o.ts_init))
        return [OrderRow(o, self.precision(engine, o.instrument)) for o in orders]

    def working_orders(self, engine: str, instrument: str | None = None) -> list[OrderUpdate]:
        """Return the orders resting at the venue."""
        return [
            o
            for o in self.orders.get(engine, {}).values()
            if o.status in WORKING_STATUSES and instrument in (None, o.instrument)
        ]

    def fills_of(self, engine: str, client_order_id: str) -> list[Fill]:
        """Return the executions of one order, oldest first."""
        return sorted(
            (f for f in self.fills.get(engine, {}).values() if f.client_order_id == client_order_id),
            key=lambda f: f.ts,
        )

    def position_rows(self, engine: str, *, closed: bool = False) -> list[PositionRow]:
        """Return positions joined with their marks; closed ones too when asked."""
        marks = self.marks.get(engine, {})
        journalled = self.positions.get(engine, {})
        rows = []
        for position_id, position in journalled.items():
            # A mark alone is no position: it may have been closed since it was marked.
            mark = marks.get(position_id)
            if not closed and position.qty == 0:
                continue
            # A mark made of another quantity belongs to the position as it was.
            current = mark if mark is not None and mark.qty == position.qty else position
            quote = self.quotes.get((engine, position.instrument))
            rows.append(
                PositionRow(
                    position,
                    current.mark,
                    current.unrealized_pnl,
                    _change(quote)[1],
                    self.precision(engine, position.instrument),
                )
            )
        rows.sort(key=lambda r: (r.position.qty == 0, r.position.instrument))
        return rows

    def position_of(self, engine: str | None, instrument: str | None) -> PositionRow | None:
        """Return the open position in an instrument."""
        if engine is None or instrument is None:
            return None
        return next((r for r in self.position_rows(engine) if r.position.instrument == instrument), None)

    def equity(self, engine: str) -> Decimal | None:
        """Return the equity of an engine's account, None where a price or a rate is missing."""
        account = self.accounts.get(engine)
        return None if account is None else account.equity

    def feed_age_ms(self, engine: str, now_ns: int) -> float | None:
        """Return the milliseconds since the engine's feed last said anything, None where unknown."""
        ages = []
        status = self.engines.get(engine)
        if status is not None and status.feed_age_ms is not None:
            ages.append(status.feed_age_ms + max(0.0, (now_ns - status.ts) / 1e6))
        newest = self.newest_recv.get(engine)
        if newest is not None:
            ages.append(max(0.0, (now_ns - newest) / 1e6))
        return min(ages, default=None)

    def problems(self) -> tuple[str, ...]:
        """Return what the daemon says is wrong."""
        return () if self.health is None else self.health.problems


def _change(quote: Quote | None) -> tuple[Decimal | None, Decimal | None]:
    if quote is None or quote.last is None or not quote.reference:
        return None, None
    change = quote.last - quote.reference
    return change, change / quote.reference * 100


def _decimals(price: Decimal | None) -> int:
    if price is None:
        return 0
    exponent = price.as_tuple().exponent
    return -exponent if isinstance(exponent, int) and exponent < 0 else 0
