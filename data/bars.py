"""Bars from ticks, bars from finer bars, and how several sources of bars become one series.

All arithmetic is on whole numbers (see ``data.scaled``): nothing is rounded. This module must not know
of files or of what is stored.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from data.records import Bar, PriceSide
from data.rows import Number, Rows, Series
from data.scaled import Wholes, common, decimals, fits
from data.timeframes import Timeframe

_INT64_SAFE = 1 << 62
PRICES = ("open", "high", "low", "close")


@dataclass(slots=True)
class Candles:
    """Bars in order of time, one a period. ``series`` says for each bar which of ``sources`` it came from."""

    ts: NDArray[np.int64]
    prices: tuple[Wholes, ...]  #: open, high, low, close
    scale: int
    volume: Number
    count: NDArray[np.int64]
    synthetic: NDArray[np.bool_]
    source: NDArray[np.int32]  #: index into ``sources``; the first source of the bar
    sources: tuple[tuple[str, str | None], ...]  #: (source, engine)

    def __len__(self) -> int:
        return len(self.ts)

    def take(self, which: NDArray[Any] | slice) -> Candles:
        """Return the bars that an index array, mask or slice names."""
        volume = self.volume
        valid = None if volume.valid is None else volume.valid[which]
        return Candles(
            self.ts[which],
            tuple(price[which] for price in self.prices),
            self.scale,
            Number(volume.wholes[which], volume.scale, valid),
            self.count[which],
            self.synthetic[which],
            self.source[which],
            self.sources,
        )


def from_ticks(series: Series, rows: Rows, side: PriceSide, to: Timeframe) -> Candles | None:
    """Return bars of quotes' bid, ask or mid, or of trades; None if there is no such price.

    Volume is the traded size for trades and not known for quotes; count is the number of ticks.
    """
    price = _tick_price(rows, side)
    if price is None:
        return None
    known = slice(None) if price.valid is None else price.valid
    ts, values = rows.ts[known], price.wholes[known]
    if len(ts) == 0:
        return None
    starts, first, last = _groups(ts, to)
    count = last - first
    volume = _summed(rows.numbers["size"], first, len(ts)) if rows.kind == "trades" else unknown(len(first))
    return Candles(
        starts,
        _shape((values, values, values, values), first, last),
        price.scale,
        volume,
        count,
        np.full(len(first), series.synthetic),
        np.zeros(len(first), np.int32),
        ((series.source, series.engine),),
    )


def from_bars(series: Series, rows: Rows) -> Candles:
    """Return stored bars as they are; of several with one time the last counts."""
    rows = rows.in_order()
    keep = np.ones(len(rows), np.bool_)
    keep[:-1] = rows.ts[1:] != rows.ts[:-1]
    if not keep.all():
        rows = rows.take(keep)
    prices, scale = common([rows.numbers[name][:2] for name in PRICES])
    return Candles(
        rows.ts,
        tuple(prices),
        scale,
        rows.numbers["volume"],
        rows.integers["count"],
        np.full(len(rows), series.synthetic),
        np.zeros(len(rows), np.int32),
        ((series.source, series.engine),),
    )


def resampled(candles: Candles, to: Timeframe) -> Candles:
    """Return bars of a longer period. A volume is known if that of every finer bar is."""
    if len(candles) == 0:
        return candles
    starts, first, last = _groups(candles.ts, to)
    known = candles.count > 0
    every = np.add.reduceat(known.astype(np.int64), first) == last - first
    return Candles(
        starts,
        _shape(candles.prices, first, last),
        candles.scale,
        _summed(candles.volume, first, len(candles)),
        np.where(every, np.add.reduceat(candles.count, first), 0),
        np.logical_or.reduceat(candles.synthetic, first),
        candles.source[first],
        candles.sources,
    )


def overlaid(base: Candles | None, top: Candles | None) -> Candles | None:
    """Return bars of both; where both have a bar for a period, that of ``top`` counts."""
    if base is None or len(base) == 0:
        return top
    if top is None or len(top) == 0:
        return base
    rest = base.take(~np.isin(base.ts, top.ts))
    both = _joined(rest, top)
    return both.take(np.argsort(both.ts, kind="stable"))


def midway(bid: Candles, ask: Candles) -> Candles:
    """Return the mid of bid and ask bars, for times that have both.

    Each price is halfway between those of the two bars. That is exact for open and close where both
    sides were quoted at that moment; high and low of the true mid may lie inside.
    """
    ts, left, right = np.intersect1d(bid.ts, ask.ts, assume_unique=True, return_indices=True)
    one, other = bid.take(left), ask.take(right)
    prices, scale = common([(price, side.scale) for side in (one, other) for price in side.prices])
    halves = tuple(_half(low, high) for low, high in zip(prices[:4], prices[4:], strict=True))
    same = one.count == other.count
    return Candles(
        ts.astype(np.int64),
        halves,
        scale + 1,
        unknown(len(ts)),
        np.where(same, one.count, 0),
        one.synthetic | other.synthetic,
        one.source,
        one.sources,
    )


def with_volume(candles: Candles, trades: Candles) -> Candles:
    """Return bars whose unknown volume is taken from bars of trades of the same periods."""
    missing = ~_known(candles.volume)
    _, here, there = np.intersect1d(candles.ts, trades.ts, assume_unique=True, return_indices=True)
    (mine, theirs), scale = common([candles.volume[:2], trades.volume[:2]])
    wholes, valid = mine.copy(), ~missing
    fill = missing[here] & _known(trades.volume)[there]
    if mine.dtype != theirs.dtype:
        wholes, theirs = wholes.astype(object), theirs.astype(object)
    wholes[here[fill]] = theirs[there[fill]]
    valid[here[fill]] = True
    filled = candles.take(slice(None))
    filled.volume = Number(wholes, scale, valid)
    return filled


def records(candles: Candles, instrument: str, to: Timeframe, side: PriceSide, now: int) -> list[Bar]:
    """Return bars as records; the one whose period holds ``now`` is not closed."""
    prices = [decimals(price, candles.scale) for price in candles.prices]
    known = _known(candles.volume).tolist()
    volume = decimals(candles.volume.wholes, candles.volume.scale)
    rest = zip(
        candles.ts.tolist(),
        candles.count.tolist(),
        candles.synthetic.tolist(),
        candles.source.tolist(),
        strict=True,
    )
    return [
        Bar(
            instrument=instrument,
            timeframe=to.text,
            side=side,
            open=prices[0][at],
            high=prices[1][at],
            low=prices[2][at],
            close=prices[3][at],
            volume=volume[at] if known[at] else None,
            count=count,
            ts=ts,
            closed=to.floor(ts) + to.width <= now,
            synthetic=synthetic,
            source=candles.sources[source][0],
            engine=candles.sources[source][1],
        )
        for at, (ts, count, synthetic, source) in enumerate(rest)
    ]


def unknown(count: int) -> Number:
    """Return a decimal column of which nothing is known."""
    return Number(np.zeros(count, np.int64), 0, np.zeros(count, np.bool_))


def _tick_price(rows: Rows, side: PriceSide) -> Number | None:
    if rows.kind == "trades":
        return rows.numbers["price"] if side == "last" else None
    if side == "last":
        return None
    if side != "mid":
        return rows.numbers[side]
    bid, ask = rows.numbers["bid"], rows.numbers["ask"]
    (low, high), scale = common([bid[:2], ask[:2]])
    valid = None if bid.valid is None and ask.valid is None else _known(bid) & _known(ask)
    return Number(_half(low, high), scale + 1, valid)


def _half(low: Wholes, high: Wholes) -> Wholes:
    """Return the mid of two columns at one more decimal place: exact."""
    if not (fits(low, 10) and fits(high, 10)):
        low, high = low.astype(object), high.astype(object)
    result: Wholes = (low + high) * 5
    return result


def _shape(
    prices: tuple[Wholes, ...], first: NDArray[np.int64], last: NDArray[np.int64]
) -> tuple[Wholes, ...]:
    """Return open, high, low and close of each group of rows."""
    opened, high, low, close = prices
    return opened[first], np.maximum.reduceat(high, first), np.minimum.reduceat(low, first), close[last - 1]


def _groups(
    ts: NDArray[np.int64], to: Timeframe
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
    """Return for each period that occurs its start, its first row, and the row behind its last."""
    begin, end = to.floor(int(ts[0])), int(ts[-1])
    if (end - begin) // to.width < len(ts):  # dense: looking periods up is cheaper than dividing each time
        # Counted, not stepped: NumPy finds the length of a range of ns by division of floats.
        edges = begin + np.arange((end - begin) // to.width + 1) * to.width
        places = np.searchsorted(ts, edges, "left")
        first = places[np.diff(places, append=len(ts)) > 0]
    else:
        starts = ts - (ts - to.origin) % to.width
        first = np.concatenate(([0], np.flatnonzero(starts[1:] != starts[:-1]) + 1)).astype(np.int64)
    last = np.concatenate((first[1:], [len(ts)])).astype(np.int64)
    return ts[first] - (ts[first] - to.origin) % to.width, first, last


def _summed(number: Number, first: NDArray[np.int64], count: int) -> Number:
    wholes = number.wholes
    if wholes.dtype != object and len(wholes) and int(np.abs(wholes).max()) * count >= _INT64_SAFE:
        wholes = wholes.astype(object)
    total = np.add.reduceat(wholes, first)
    if number.valid is None:
        return Number(total, number.scale)
    return Number(total, number.scale, np.logical_and.reduceat(number.valid, first))


def _joined(one: Candles, other: Candles) -> Candles:
    prices, scale = common([(price, side.scale) for side in (one, other) for price in side.prices])
    volumes, volume_scale = common([one.volume[:2], other.volume[:2]])
    sources = tuple(dict.fromkeys(one.sources + other.sources))
    return Candles(
        np.concatenate((one.ts, other.ts)),
        tuple(np.concatenate(pair) for pair in zip(prices[:4], prices[4:], strict=True)),
        scale,
        Number(
            np.concatenate(volumes), volume_scale, np.concatenate((_known(one.volume), _known(other.volume)))
        ),
        np.concatenate((one.count, other.count)),
        np.concatenate((one.synthetic, other.synthetic)),
        np.concatenate((_renumbered(one, sources), _renumbered(other, sources))),
        sources,
    )


def _renumbered(candles: Candles, sources: Sequence[tuple[str, str | None]]) -> NDArray[np.int32]:
    places = np.array([sources.index(one) for one in candles.sources], np.int32)
    return places[candles.source]


def _known(number: Number) -> NDArray[np.bool_]:
    return np.ones(len(number.wholes), np.bool_) if number.valid is None else number.valid
