"""The market as this engine sees it: every tick is recorded, the latest of everything is told.

A tick costs a dictionary look-up, a reference kept and 56 bytes to the recorder; records are made
only when they are sent. This module must not know who receives them.
"""

from __future__ import annotations

import datetime as dt
import os
from collections.abc import Callable, Mapping
from decimal import Decimal
from pathlib import Path
from typing import Any

import msgspec
from nautilus_trader.common.component import MessageBus
from nautilus_trader.model.data import OrderBookDepth10, QuoteTick, TradeTick
from nautilus_trader.model.enums import AggressorSide
from nautilus_trader.model.identifiers import InstrumentId
from nautilus_trader.model.objects import FIXED_PRECISION

from data.records import Bar, Book, Instrument, Level, Quote, Trade
from data.segments import AGGRESSORS, SegmentWriter
from engines.market.past import Day
from engines.node.bars import BarBuilder, Forming, record

_AGGRESSORS = {
    AggressorSide.BUYER: AGGRESSORS.index("buyer"),
    AggressorSide.SELLER: AGGRESSORS.index("seller"),
    AggressorSide.NO_AGGRESSOR: AGGRESSORS.index("none"),
}
_LEVELS = 5
#: Books and forming bars cost more to make than quotes and are read more slowly: every so many turns.
_BOOK_TURNS = 4
_BAR_TURNS = 5


class DayFacts(msgspec.Struct):
    """One instrument's day so far; prices and volume are raw integers of the engine."""

    reference: int = 0
    high: int = 0
    low: int = 0
    volume: int = 0


class SavedDay(msgspec.Struct):
    """The day of every instrument, kept on disk so that a restart does not forget the morning."""

    date: str
    instruments: dict[str, DayFacts]


class View:
    """What is known of one instrument now."""

    __slots__ = (
        "bars",
        "book",
        "day",
        "depth",
        "dirty",
        "instrument",
        "price_div",
        "quote",
        "size_div",
        "sizes_known",
        "text",
        "trade",
        "trade_fresh",
        "ts_recv",
    )

    def __init__(self, instrument: Instrument, day: DayFacts, sizes_known: bool) -> None:
        self.sizes_known = sizes_known
        self.instrument = instrument
        self.text = instrument.id
        self.price_div = 10 ** (FIXED_PRECISION - instrument.price_precision)
        self.size_div = 10 ** (FIXED_PRECISION - instrument.size_precision)
        self.quote: QuoteTick | None = None
        self.trade: TradeTick | None = None
        self.trade_fresh = False
        self.depth: OrderBookDepth10 | None = None
        self.bars = BarBuilder()
        self.day = day
        self.dirty = False
        self.ts_recv = 0


class Market:
    """Follows every instrument of the engine."""

    def __init__(
        self,
        *,
        engine: str,
        source: str,
        synthetic: bool,
        instruments: dict[str, Instrument],
        recorder: SegmentWriter | None,
        day_file: Path,
        today: str,
        session_open: Callable[[str, int], bool],
        sizes_known: Callable[[str], bool],
    ) -> None:
        self._engine = engine
        self._source = source
        self._synthetic = synthetic
        self._record_quote = None if recorder is None else recorder.quote
        self._record_trade = None if recorder is None else recorder.trade
        self._day_file = day_file
        self._session_open = session_open
        self._date = today
        self._day_end = _midnight_after(today)
        saved = self._load_day(today)
        self._views = {
            InstrumentId.from_str(name): View(instrument, saved.get(name, DayFacts()), sizes_known(name))
            for name, instrument in instruments.items()
        }
        self._dirty: list[View] = []
        self._turn = 0
        self.ticks = 0
        if recorder is not None:
            for name, instrument in instruments.items():
                recorder.instrument(name, instrument.price_precision, instrument.size_precision)

    def begin_with(self, days: Mapping[str, Day]) -> None:
        """Begin with a day that is under way, for instruments of which nothing is known yet."""
        for view in self._views.values():
            day = days.get(view.text)
            if day is not None and not view.day.reference:
                raw = [
                    int(value.scaleb(FIXED_PRECISION))
                    for value in (day.reference, day.high, day.low, day.volume)
                ]
                view.day = DayFacts(*raw)

    def attach(self, bus: MessageBus) -> None:
        """Begin to hear the node's market data."""
        bus.subscribe(topic="data.quotes.*", handler=self.on_quote)
        bus.subscribe(topic="data.trades.*", handler=self.on_trade)
        bus.subscribe(topic="data.book.depth.*", handler=self.on_depth)

    # ------------------------------------------------------------ ticks: keep these short

    def on_quote(self, tick: QuoteTick) -> None:
        """Take a quote."""
        view = self._views[tick.instrument_id]
        view.quote = tick
        self.ticks += 1
        if not view.dirty:
            view.dirty = True
            self._dirty.append(view)
        bid, ask = tick.bid_price.raw, tick.ask_price.raw
        ts = tick.ts_event
        if ts >= self._day_end:
            self._begin_day(ts)
        if self._record_quote is not None:
            self._record_quote(
                view.text,
                bid // view.price_div,
                ask // view.price_div,
                tick.bid_size.raw // view.size_div,
                tick.ask_size.raw // view.size_div,
                ts,
                tick.ts_init,
            )
        mid = (bid + ask) // 2
        bars = view.bars
        if bars.side != "mid":
            bars.build_from("mid")
        bars.add(ts, mid, 0)
        if view.trade is None:
            _note(view.day, mid)

    def on_trade(self, tick: TradeTick) -> None:
        """Take a trade."""
        view = self._views[tick.instrument_id]
        view.trade = tick
        view.trade_fresh = True
        self.ticks += 1
        if not view.dirty:
            view.dirty = True
            self._dirty.append(view)
        price, size = tick.price.raw, tick.size.raw
        if tick.ts_event >= self._day_end:
            self._begin_day(tick.ts_event)
        if self._record_trade is not None:
            self._record_trade(
                view.text,
                price // view.price_div,
                size // view.size_div,
                _AGGRESSORS[tick.aggressor_side],
                tick.trade_id.value,
                tick.ts_event,
                tick.ts_init,
            )
        if view.quote is None:
            view.bars.build_from("last")
            view.bars.add(tick.ts_event, price, size)
        else:
            view.bars.add_volume(size)
        _note(view.day, price)
        view.day.volume += size

    def on_depth(self, depth: OrderBookDepth10) -> None:
        """Take a book."""
        view = self._views[depth.instrument_id]
        view.depth = depth

    # ------------------------------------------------------------ records, a few times a second

    def drain(self, now: int) -> list[Quote | Trade | Bar | Book]:
        """Return what has changed since the last call, each thing once."""
        dirty, self._dirty = self._dirty, []
        self._turn += 1
        found: list[Quote | Trade | Bar | Book] = []
        for view in dirty:
            view.dirty = False
            view.ts_recv = now
            quote = self._quote(view, now)
            if quote is not None:
                found.append(quote)
            if view.trade_fresh and view.trade is not None:
                view.trade_fresh = False
                found.append(self._trade(view, view.trade))
            found += self._closed_bars(view)
        if self._turn % _BOOK_TURNS == 0:
            for view in self._views.values():
                if view.depth is not None:
                    found.append(self._book(view, view.depth, now))
                    view.depth = None
        if self._turn % _BAR_TURNS == 0:
            for view in self._views.values():
                if view.bars.touched:
                    view.bars.touched = False
                    found += [self._bar(view, *part, closed=False) for part in view.bars.forming()]
        return found

    def everything(self, now: int) -> list[Quote | Trade | Bar | Book]:
        """Return the latest of every instrument, for a reader that has just come."""
        found: list[Quote | Trade | Bar | Book] = []
        for view in self._views.values():
            quote = self._quote(view, view.ts_recv or now)
            if quote is not None:
                found.append(quote)
            found += [self._bar(view, *part, closed=False) for part in view.bars.forming()]
        return found

    def _quote(self, view: View, now: int) -> Quote | None:
        quote, trade, day = view.quote, view.trade, view.day
        if quote is None and trade is None:
            return None
        instrument = view.instrument
        last = None
        if trade is not None:
            last = trade.price.as_decimal()
        elif quote is not None:
            last = (quote.bid_price.as_decimal() + quote.ask_price.as_decimal()) / 2
        price = Decimal(1).scaleb(-instrument.price_precision)
        ts = max(0 if quote is None else quote.ts_event, 0 if trade is None else trade.ts_event)
        return Quote(
            instrument=view.text,
            bid=None if quote is None else quote.bid_price.as_decimal(),
            ask=None if quote is None else quote.ask_price.as_decimal(),
            bid_size=None if quote is None or not view.sizes_known else quote.bid_size.as_decimal(),
            ask_size=None if quote is None or not view.sizes_known else quote.ask_size.as_decimal(),
            last=last,
            last_size=None if trade is None or not view.sizes_known else trade.size.as_decimal(),
            reference=_decimal(day.reference, price),
            day_high=_decimal(day.high, price),
            day_low=_decimal(day.low, price),
            volume=None
            if trade is None or not view.sizes_known
            else Decimal(day.volume).scaleb(-FIXED_PRECISION).normalize(),
            session_open=self._session_open(view.text, now),
            ts=ts,
            ts_recv=now,
            synthetic=self._synthetic,
            source=self._source,
            engine=self._engine,
        )

    def _trade(self, view: View, tick: TradeTick) -> Trade:
        return Trade(
            instrument=view.text,
            price=tick.price.as_decimal(),
            size=tick.size.as_decimal(),
            aggressor=AGGRESSORS[_AGGRESSORS[tick.aggressor_side]],
            trade_id=tick.trade_id.value,
            ts=tick.ts_event,
            synthetic=self._synthetic,
            source=self._source,
            engine=self._engine,
        )

    def _book(self, view: View, depth: OrderBookDepth10, now: int) -> Book:
        return Book(
            instrument=view.text,
            bids=_levels(depth.bids),
            asks=_levels(depth.asks),
            ts=depth.ts_event,
            ts_recv=now,
            synthetic=self._synthetic,
            source=self._source,
            engine=self._engine,
        )

    def _closed_bars(self, view: View) -> list[Bar]:
        if not view.bars.closed:
            return []
        closed, view.bars.closed = view.bars.closed, []
        return [self._bar(view, *part, closed=True) for part in closed]

    def _bar(self, view: View, timeframe: str, bar: Forming, side: Any, *, closed: bool) -> Bar:
        return record(
            bar,
            instrument=view.text,
            timeframe=timeframe,
            side=side,
            price_scale=FIXED_PRECISION,
            size_scale=FIXED_PRECISION,
            price_step=Decimal(1).scaleb(-view.instrument.price_precision),
            size_step=Decimal(1).scaleb(-view.instrument.size_precision),
            closed=closed,
            volume_known=view.trade is not None and view.sizes_known,
            synthetic=self._synthetic,
            source=self._source,
            engine=self._engine,
        )

    # ------------------------------------------------------------ the day

    def _load_day(self, today: str) -> dict[str, DayFacts]:
        try:
            saved = msgspec.json.decode(self._day_file.read_bytes(), type=SavedDay)
        except FileNotFoundError:
            return {}
        except msgspec.MsgspecError:
            return {}  # half written by a dying machine: the day begins anew at the next price
        return saved.instruments if saved.date == today else {}

    def _begin_day(self, ts: int) -> None:
        """Begin a new day for every instrument: the market's own date has changed."""
        self._date = utc_date(ts)
        self._day_end = _midnight_after(self._date)
        for view in self._views.values():
            view.day = DayFacts()

    def keep_day(self) -> None:
        """Write the day's facts, atomically."""
        facts = {view.text: view.day for view in self._views.values() if view.day.reference}
        part = self._day_file.with_suffix(".part")
        part.write_bytes(msgspec.json.encode(SavedDay(self._date, facts)))
        os.replace(part, self._day_file)


def _midnight_after(date: str) -> int:
    day = dt.datetime.fromisoformat(date).replace(tzinfo=dt.UTC) + dt.timedelta(days=1)
    return int(day.timestamp()) * 1_000_000_000


def utc_date(ts: int) -> str:
    """Return the UTC date of a time in nanoseconds, ISO."""
    return dt.datetime.fromtimestamp(ts // 1_000_000_000, dt.UTC).date().isoformat()


def _note(day: DayFacts, price: int) -> None:
    if price > day.high:
        day.high = price
    if price < day.low or not day.low:
        day.low = price
    if not day.reference:
        day.reference = price


def _decimal(raw: int, step: Decimal) -> Decimal | None:
    if not raw:
        return None
    exact = Decimal(raw).scaleb(-FIXED_PRECISION)
    coarse = exact.quantize(step)
    return coarse if coarse == exact else exact.normalize()  # a middle may lie between two ticks


def _levels(side: list[Any]) -> tuple[Level, ...]:
    return tuple(
        Level(order.price.as_decimal(), order.size.as_decimal()) for order in side[:_LEVELS] if order.size.raw
    )
