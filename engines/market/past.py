"""The simulated market's past: one-minute bars drawn backwards from the present price.

The same seed, listings and present prices give the same past, and a shorter past is the end of a
longer one. Nothing of it happened: everything made of it is marked synthetic. This module must not
know of clocks or of NautilusTrader.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Final

import numpy as np
import numpy.typing as npt

from data.records import Bar
from engines.market.model import Floats, Ints, MarketModel, Parameters, Standing
from engines.market.sessions import Calendar
from engines.market.universe import FACTORS, SOURCE, Listing, calendar, chosen

MINUTE_NS: Final = 60 * 1_000_000_000
_DAY: Final = 1440  # minutes drawn with one generator
_PER_MINUTE: Final = 6  # prices drawn within a minute
_KNOTS: Final = 30  # minutes between draws of volatility
_STREAM: Final = 0x7061_7374  # keeps the past's draws apart from the model's


@dataclass(frozen=True, slots=True)
class Past:
    """Bars of all listings: row = minute in order of time, column = listing; ticks and lots."""

    listings: tuple[Listing, ...]
    open: Ints
    high: Ints
    low: Ints
    close: Ints
    volume: Ints

    def __len__(self) -> int:
        return len(self.close)

    def bars(self, column: int, end_ns: int, calendar: Calendar, engine: str | None = None) -> Iterator[Bar]:
        """Yield one listing's bars as records of ``engine``, the last ending at or before ``end_ns``.

        Minutes in which the listing does not trade are left out.
        """
        listing = self.listings[column]
        start = (end_ns // MINUTE_NS - len(self)) * MINUTE_NS
        columns = (self.open, self.high, self.low, self.close, self.volume)
        rows = zip(*(values[:, column].tolist() for values in columns), strict=True)
        for minute, (opened, high, low, closed, volume) in enumerate(rows):
            ts = start + minute * MINUTE_NS
            if not calendar.is_open(listing.id, ts):
                continue
            yield Bar(
                instrument=listing.id,
                timeframe="1m",
                side="mid",
                open=_price(opened, listing),
                high=_price(high, listing),
                low=_price(low, listing),
                close=_price(closed, listing),
                volume=listing.lot * volume,
                ts=ts,
                synthetic=True,
                source=SOURCE,
                engine=engine,
            )


@dataclass(frozen=True, slots=True)
class Day:
    """One listing's UTC day so far."""

    reference: Decimal  #: the price at which the day before ended
    high: Decimal
    low: Decimal
    volume: Decimal


def day_so_far(listings: Sequence[Listing], seed: int, standing: Standing, now_ns: int) -> dict[str, Day]:
    """Return by instrument id the day that the past of a market tells, up to ``now_ns`` (UTC)."""
    minutes = now_ns // MINUTE_NS % _DAY
    drawn = past(listings, seed, standing, minutes + 1)  # the first minute is the day before's last
    days: dict[str, Day] = {}
    for column, listing in enumerate(listings):
        reference = int(drawn.close[0, column])
        days[listing.id] = Day(
            reference=_price(reference, listing),
            high=_price(int(drawn.high[1:, column].max(initial=reference)), listing),
            low=_price(int(drawn.low[1:, column].min(initial=reference)), listing),
            volume=listing.lot * int(drawn.volume[1:, column].sum()),
        )
    return days


def opening_bars(
    instruments: Sequence[str] | None,
    seed: int,
    minutes: int,
    end_ns: int,
    *,
    engine: str | None = None,
    always_open: bool = True,
) -> Iterator[Bar]:
    """Yield the past of a market that opens at ``end_ns`` (UTC), by instrument and time.

    It joins the prices that a simulated feed of the same seed and instruments begins with.

    Raises
    ------
    NotFoundError
        If the simulated venue does not list one of the instruments.

    """
    listings = chosen(instruments)
    drawn = past(listings, seed, MarketModel(listings, seed).standing, minutes)
    hours = calendar(always_open=always_open)
    for column in range(len(listings)):
        yield from drawn.bars(column, end_ns, hours, engine)


def past(listings: Sequence[Listing], seed: int, standing: Standing, minutes: int) -> Past:
    """Return ``minutes`` of bars that end at the mid prices of ``standing``, rounded down to a tick."""
    parameters = Parameters(listings)
    end = np.log((standing.bid + standing.ask) / 2 * parameters.tick)
    parts: list[tuple[Ints, Ints, Ints, Ints, Ints]] = []
    for day in range(-(-minutes // _DAY)):
        path, volume = _day(parameters, np.random.default_rng([seed, _STREAM, day]))
        log_prices = end + (path - path[-1])  # row 0 is the start of the day's first minute
        parts.append(_candles(log_prices, volume, parameters))
        end = log_prices[0]
    merged = (
        [np.concatenate([part[i] for part in reversed(parts)])[-minutes:] for i in range(5)] if parts else []
    )
    if not merged:
        merged = [np.empty((0, len(listings)), np.int64)] * 5
    # the last close is the present price itself, free of the rounding of logarithms
    if minutes > 0:
        present = (standing.bid + standing.ask) // 2
        merged[3][-1] = present
        merged[1][-1] = np.maximum(merged[1][-1], present)
        merged[2][-1] = np.minimum(merged[2][-1], present)
    return Past(tuple(listings), *merged)


def _day(p: Parameters, rng: np.random.Generator) -> tuple[Floats, Ints]:
    """Return a day's path of log prices, starting at 0, and volumes by minute."""
    count = len(p.tick)
    steps = _DAY * _PER_MINUTE
    knots = rng.standard_normal((_DAY // _KNOTS + 2, count)) * 0.3 - 0.045
    at = np.arange(_DAY) / _KNOTS
    floor = at.astype(np.int64)
    weight = (at - floor)[:, None]
    volatility = np.exp(knots[floor] * (1 - weight) + knots[floor + 1] * weight)
    scale = np.repeat(volatility, _PER_MINUTE, axis=0) * p.sigma * (60 / _PER_MINUTE) ** 0.5
    shared = rng.standard_normal((steps, len(FACTORS))) @ p.loadings
    own = rng.standard_normal((steps, count)) * p.own
    path = np.zeros((steps + 1, count))
    np.cumsum((shared + own) * scale, axis=0, out=path[1:])
    typical = p.share * p.depth * 8.0 * len(p.share)
    volume = typical * volatility * np.exp(0.6 * rng.standard_normal((_DAY, count)))
    return path, 1 + volume.astype(np.int64)


def _candles(log_prices: Floats, volume: Ints, p: Parameters) -> tuple[Ints, Ints, Ints, Ints, Ints]:
    ticks: npt.NDArray[np.int64] = np.maximum(1, np.floor(np.exp(log_prices) / p.tick + 1e-9)).astype(
        np.int64
    )
    opened = ticks[:-1:_PER_MINUTE]
    within = ticks[1:].reshape(_DAY, _PER_MINUTE, -1)
    high = np.maximum(within.max(axis=1), opened)
    low = np.minimum(within.min(axis=1), opened)
    return opened.copy(), high, low, within[:, -1].copy(), volume


def _price(ticks: int, listing: Listing) -> Decimal:
    return listing.tick * ticks
