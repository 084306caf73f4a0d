"""The tape: historical ticks and bars of several instruments, merged by time into one run of ticks.

Every price on the tape existed in the history. Bars become ticks at prices they name: bid and ask
bars of the same period become quotes at the open, the two extremes (the one nearer to the open first)
and the close; bars of trades or of mid prices become trades at those four, because no spread is
known. Where the history has no sizes a large stated size stands in, which the paper venue needs to
match at all; such instruments are named in ``Tape.sizes_known``. This module must not know of
NautilusTrader or of where the history is kept.

Numbers are whole numbers at a scale: value = whole × 10^-scale.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from data.problems import InvalidRequestError
from data.records import Instrument, PriceSide
from data.scaled import Wholes, rescaled

Ints = npt.NDArray[np.int64]

QUOTE: Final = 0
TRADE: Final = 1
#: Units of an instrument that stand in for a size the history does not have.
ASSUMED_SIZE: Final = 1_000_000
NO_AGGRESSOR: Final = 0
BUYER: Final = 1
SELLER: Final = 2


@dataclass(frozen=True, slots=True)
class QuoteRows:
    """Quotes of one instrument in order of time; sizes None where the history has none."""

    instrument: str
    ts: Ints
    bid: Wholes
    ask: Wholes
    price_scale: int
    bid_size: Wholes | None = None
    ask_size: Wholes | None = None
    size_scale: int = 0


@dataclass(frozen=True, slots=True)
class TradeRows:
    """Trades of one instrument in order of time; aggressor 0 unknown, 1 buyer, 2 seller."""

    instrument: str
    ts: Ints
    price: Wholes
    price_scale: int
    size: Wholes | None = None
    size_scale: int = 0
    aggressor: npt.NDArray[np.integer[Any]] | None = None


@dataclass(frozen=True, slots=True)
class BarRows:
    """Bars of one instrument and side in order of time; ``ts`` is the start of the period."""

    instrument: str
    side: PriceSide
    period_ns: int
    ts: Ints
    open: Wholes
    high: Wholes
    low: Wholes
    close: Wholes
    price_scale: int


@dataclass(frozen=True, slots=True)
class TapeTicks:
    """A run of ticks in order of time, one row each.

    A quote has bid, ask and their sizes in ``price``, ``ask``, ``size``, ``ask_size``; a trade has its
    price and size and an ``aggressor``. Numbers are at the instrument's precisions.
    """

    ts: Ints
    instrument: Ints  #: index into the tape's instruments
    kind: Ints
    price: Ints
    ask: Ints
    size: Ints
    ask_size: Ints
    aggressor: Ints

    def __len__(self) -> int:
        return len(self.ts)

    def rows(self, chosen: slice | npt.NDArray[np.bool_] | Ints) -> TapeTicks:
        """Return some of the rows."""
        return TapeTicks(
            self.ts[chosen],
            self.instrument[chosen],
            self.kind[chosen],
            self.price[chosen],
            self.ask[chosen],
            self.size[chosen],
            self.ask_size[chosen],
            self.aggressor[chosen],
        )


@dataclass(slots=True)
class TapeNotes:
    """What could not be played, counted: nothing is dropped in silence."""

    crossed: int = 0  #: quotes with the bid above the ask
    one_sided: int = 0  #: quotes without a bid or without an ask
    unpaired: int = 0  #: bars of one side without a bar of the other
    sizeless_trades: int = 0  #: trades whose size is zero or less
    backwards: int = 0  #: ticks older than the one before them

    @property
    def total(self) -> int:
        """All of them."""
        return self.crossed + self.one_sided + self.unpaired + self.sizeless_trades + self.backwards

    def text(self) -> str:
        """Return the counts in words, empty if there are none."""
        parts = {
            "crossed quotes": self.crossed,
            "one-sided quotes": self.one_sided,
            "bars without their other side": self.unpaired,
            "trades without a size": self.sizeless_trades,
            "ticks out of order": self.backwards,
        }
        return ", ".join(f"{count} {name}" for name, count in parts.items() if count)


Rows = QuoteRows | TradeRows | BarRows


@dataclass(frozen=True, slots=True)
class Source:
    """One run of rows of one instrument in order of time. Two sides of bars go in ``rows`` and ``asks``."""

    instrument: str
    rows: Iterable[Rows]
    asks: Iterable[BarRows] | None = None  #: ask bars; ``rows`` are then the bid bars


@dataclass(slots=True)
class Tape:
    """What a replay plays, once, from start to end.

    Parameters
    ----------
    instruments
        What is on the tape; their precisions hold every price and size of the sources.
    sources
        Where the ticks come from; each in order of time.
    ts_start, ts_end
        Market time of the first and the last tick, ns UTC; 0 if the tape is empty.
    ticks_total
        How many ticks the tape should have; 0 if that is not known.
    sizes_known
        Ids of the instruments whose sizes are facts.

    """

    instruments: tuple[Instrument, ...]
    sources: Sequence[Source]
    ts_start: int
    ts_end: int
    ticks_total: int = 0
    sizes_known: frozenset[str] = frozenset()
    notes: TapeNotes = field(default_factory=TapeNotes)

    def __iter__(self) -> Iterator[TapeTicks]:
        """Yield the ticks in runs, merged by time; at equal times in the order of the sources."""
        index = {instrument.id: i for i, instrument in enumerate(self.instruments)}
        streams = [
            self._ticks(source, index[source.instrument], self.instruments[index[source.instrument]])
            for source in self.sources
        ]
        last = 0
        for ticks in merged(streams):
            forward = np.maximum.accumulate(np.concatenate(([last], ticks.ts)))
            late = ticks.ts < forward[:-1]
            if late.any():
                self.notes.backwards += int(late.sum())
                ticks = ticks.rows(~late)
            if len(ticks):
                last = int(ticks.ts[-1])
                yield ticks

    def _ticks(self, source: Source, index: int, instrument: Instrument) -> Iterator[TapeTicks]:
        if source.asks is not None:
            for bid, ask in paired(source.rows, source.asks, self.notes):
                yield self._checked(_quotes_of_bars(bid, ask, index, instrument))
            return
        for rows in source.rows:
            if isinstance(rows, QuoteRows):
                yield self._checked(_quotes(rows, index, instrument))
            elif isinstance(rows, TradeRows):
                yield self._checked(_trades(rows, index, instrument))
            else:
                yield self._checked(_trades_of_bars(rows, index, instrument))

    def _checked(self, ticks: TapeTicks) -> TapeTicks:
        """Leave out what no venue could have sent, and count it."""
        quotes = ticks.kind == QUOTE
        crossed = quotes & (ticks.price > ticks.ask)
        sizeless = ~quotes & (ticks.size <= 0)
        bad = crossed | sizeless
        if not bad.any():
            return ticks
        self.notes.crossed += int(crossed.sum())
        self.notes.sizeless_trades += int(sizeless.sum())
        return ticks.rows(~bad)


def merged(streams: Sequence[Iterator[TapeTicks]]) -> Iterator[TapeTicks]:
    """Merge runs by time; ticks of equal time keep the order of the streams, however runs are cut."""
    inputs = [_Input(stream) for stream in streams]
    while True:
        # before this time every stream is known: what follows in any of them is not earlier
        bound = min((one.last for one in inputs if not one.ended), default=None)
        parts = [part for one in inputs if (part := one.before(bound)) is not None]
        if parts:
            together = _concatenated(parts)
            yield together.rows(np.argsort(together.ts, kind="stable"))
        if bound is None:
            return
        for one in inputs:
            if one.last <= bound:
                one.read()


class _Input:
    """One stream being merged: what has been read of it and not been passed on."""

    __slots__ = ("ended", "head", "last", "stream")

    def __init__(self, stream: Iterator[TapeTicks]) -> None:
        self.stream = stream
        self.head: TapeTicks | None = None
        self.last = -1  # time of the last tick read
        self.ended = False
        self.read()

    def read(self) -> None:
        """Read the next run that has ticks."""
        for ticks in self.stream:
            if len(ticks):
                self.head = ticks if self.head is None else _concatenated([self.head, ticks])
                self.last = int(ticks.ts[-1])
                return
        self.ended = True

    def before(self, bound: int | None) -> TapeTicks | None:
        """Take out the ticks before ``bound``; all of them without one."""
        head = self.head
        cut = (
            0
            if head is None
            else len(head)
            if bound is None
            else int(np.searchsorted(head.ts, bound, "left"))
        )
        if head is None or cut == 0:
            return None
        self.head = head.rows(slice(cut, None)) if cut < len(head) else None
        return head.rows(slice(0, cut))


def _concatenated(parts: list[TapeTicks]) -> TapeTicks:
    if len(parts) == 1:
        return parts[0]
    return TapeTicks(
        np.concatenate([part.ts for part in parts]),
        np.concatenate([part.instrument for part in parts]),
        np.concatenate([part.kind for part in parts]),
        np.concatenate([part.price for part in parts]),
        np.concatenate([part.ask for part in parts]),
        np.concatenate([part.size for part in parts]),
        np.concatenate([part.ask_size for part in parts]),
        np.concatenate([part.aggressor for part in parts]),
    )


def paired(
    bids: Iterable[Rows], asks: Iterable[BarRows], notes: TapeNotes
) -> Iterator[tuple[BarRows, BarRows]]:
    """Join bid and ask bars of the same period; count those that have no other side."""
    bid_runs, ask_runs = (row for row in bids if isinstance(row, BarRows)), iter(asks)
    bid, ask = next(bid_runs, None), next(ask_runs, None)
    while bid is not None and ask is not None:
        safe = min(int(bid.ts[-1]), int(ask.ts[-1]))
        bid_cut = int(np.searchsorted(bid.ts, safe, "right"))
        ask_cut = int(np.searchsorted(ask.ts, safe, "right"))
        _, left, right = np.intersect1d(bid.ts[:bid_cut], ask.ts[:ask_cut], return_indices=True)
        notes.unpaired += bid_cut + ask_cut - 2 * len(left)
        if len(left):
            yield _bar_rows(bid, left), _bar_rows(ask, right)
        bid = _bar_rows(bid, slice(bid_cut, None)) if bid_cut < len(bid.ts) else next(bid_runs, None)
        ask = _bar_rows(ask, slice(ask_cut, None)) if ask_cut < len(ask.ts) else next(ask_runs, None)
    for rest in (bid, *bid_runs, ask, *ask_runs):
        notes.unpaired += 0 if rest is None else len(rest.ts)


def _bar_rows(bars: BarRows, chosen: slice | npt.NDArray[np.intp]) -> BarRows:
    return BarRows(
        bars.instrument,
        bars.side,
        bars.period_ns,
        bars.ts[chosen],
        bars.open[chosen],
        bars.high[chosen],
        bars.low[chosen],
        bars.close[chosen],
        bars.price_scale,
    )


def _quotes(rows: QuoteRows, index: int, instrument: Instrument) -> TapeTicks:
    count = len(rows.ts)
    precision = instrument.price_precision
    return TapeTicks(
        rows.ts,
        np.full(count, index, np.int64),
        np.full(count, QUOTE, np.int64),
        _prices(rows.bid, rows.price_scale, precision, instrument),
        _prices(rows.ask, rows.price_scale, precision, instrument),
        _sizes(rows.bid_size, rows.size_scale, count, instrument, assume_zero=True),
        _sizes(rows.ask_size, rows.size_scale, count, instrument, assume_zero=True),
        np.zeros(count, np.int64),
    )


def _trades(rows: TradeRows, index: int, instrument: Instrument) -> TapeTicks:
    count = len(rows.ts)
    zeros = np.zeros(count, np.int64)
    return TapeTicks(
        rows.ts,
        np.full(count, index, np.int64),
        np.full(count, TRADE, np.int64),
        _prices(rows.price, rows.price_scale, instrument.price_precision, instrument),
        zeros,
        _sizes(rows.size, rows.size_scale, count, instrument, assume_zero=False),
        zeros,
        zeros if rows.aggressor is None else rows.aggressor.astype(np.int64),
    )


def _quotes_of_bars(bid: BarRows, ask: BarRows, index: int, instrument: Instrument) -> TapeTicks:
    precision = instrument.price_precision
    bids = [
        _prices(x, bid.price_scale, precision, instrument) for x in (bid.open, bid.high, bid.low, bid.close)
    ]
    asks = [
        _prices(x, ask.price_scale, precision, instrument) for x in (ask.open, ask.high, ask.low, ask.close)
    ]
    mids = [b + a for b, a in zip(bids, asks, strict=True)]
    high_first = mids[1] - mids[0] <= mids[0] - mids[2]
    count = 4 * len(bid.ts)
    size = _sizes(None, 0, count, instrument, assume_zero=True)
    return TapeTicks(
        _bar_times(bid.ts, bid.period_ns),
        np.full(count, index, np.int64),
        np.full(count, QUOTE, np.int64),
        _in_bar_order(bids, high_first),
        _in_bar_order(asks, high_first),
        size,
        size,
        np.zeros(count, np.int64),
    )


def _trades_of_bars(bars: BarRows, index: int, instrument: Instrument) -> TapeTicks:
    precision = instrument.price_precision
    prices = [
        _prices(x, bars.price_scale, precision, instrument)
        for x in (bars.open, bars.high, bars.low, bars.close)
    ]
    high_first = prices[1] - prices[0] <= prices[0] - prices[2]
    count = 4 * len(bars.ts)
    zeros = np.zeros(count, np.int64)
    return TapeTicks(
        _bar_times(bars.ts, bars.period_ns),
        np.full(count, index, np.int64),
        np.full(count, TRADE, np.int64),
        _in_bar_order(prices, high_first),
        zeros,
        _sizes(None, 0, count, instrument, assume_zero=False),
        zeros,
        zeros,
    )


def _bar_times(ts: Ints, period_ns: int) -> Ints:
    """Return four times in each period: its start, two thirds, and its last nanosecond."""
    offsets = np.array([0, period_ns // 3, 2 * period_ns // 3, period_ns - 1], np.int64)
    return (ts[:, None] + offsets).reshape(-1)


def _in_bar_order(prices: list[Ints], high_first: npt.NDArray[np.bool_]) -> Ints:
    """Return open, the nearer extreme, the other, close of each bar, one after the other."""
    opened, high, low, closed = prices
    first, second = np.where(high_first, high, low), np.where(high_first, low, high)
    return np.stack([opened, first, second, closed], axis=1).reshape(-1)


def _prices(wholes: Wholes, scale: int, precision: int, instrument: Instrument) -> Ints:
    if scale > precision:
        raise InvalidRequestError(
            f"{instrument.id}: the history has prices with {scale} decimals",
            rule=f"the instrument's price precision is {precision}",
            fix="infer the instrument from all of its history",
        )
    return _int64(rescaled(wholes, scale, precision), instrument)


def _sizes(
    wholes: Wholes | None, scale: int, count: int, instrument: Instrument, *, assume_zero: bool
) -> Ints:
    """Return sizes at the instrument's precision; the assumed size where none is known.

    With ``assume_zero`` a size of zero or less counts as not known. Decimals that the instrument's
    sizes do not have are cut off.
    """
    precision = instrument.size_precision
    assumed = ASSUMED_SIZE * 10**precision
    if wholes is None:
        return np.full(count, assumed, np.int64)
    if scale > precision:
        wholes, scale = wholes // 10 ** (scale - precision), precision
    sizes = _int64(rescaled(wholes, scale, precision), instrument)
    return np.where(sizes > 0, sizes, assumed) if assume_zero else sizes


def _int64(wholes: Wholes, instrument: Instrument) -> Ints:
    try:
        return wholes.astype(np.int64)
    except OverflowError as error:
        raise InvalidRequestError(
            f"{instrument.id}: a number of the history has too many digits",
            rule="prices and sizes fit 64 bits at the instrument's precision",
        ) from error
