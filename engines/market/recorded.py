"""Makes a tape of what the history holds: chooses the series to play and infers their instruments.

For each instrument one view of the market is chosen, never a mixture: observed data before synthetic;
then quotes (with the trades that came with them), then trades, then bid and ask bars of the shortest
timeframe, then bars of one side. Of several recordings the one that goes on longest is taken. This
module must not know of NautilusTrader or of processes; it blocks on the disk, so call it in a thread.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from decimal import Decimal
from typing import Final

import numpy as np
import pyarrow.parquet as pq

from data.history import History, Holding, Holdings
from data.problems import NotFoundError
from data.records import Instrument, PriceSide
from data.rows import Number, Rows, Series
from data.scaled import Wholes, common
from data.timeframes import timeframe
from engines.market.inference import infer_instrument
from engines.market.tape import (
    ASSUMED_SIZE,
    BarRows,
    QuoteRows,
    Source,
    Tape,
    TapeNotes,
    TradeRows,
)
from engines.market.tape import Rows as TapeRows

_PRICES: Final = {"quotes": ("bid", "ask"), "trades": ("price",), "bars": ("open", "high", "low", "close")}
_SIZES: Final = {"quotes": ("bid_size", "ask_size"), "trades": ("size",), "bars": ()}
_TICKS_PER_BAR: Final = 4
#: Bars of one side, in order of preference: what was traded says more than what was quoted.
_SIDES: Final[tuple[PriceSide, ...]] = ("last", "mid", "bid", "ask")


def recorded_tape(
    history: History,
    instruments: Sequence[str] | None = None,
    start: int | None = None,
    end: int | None = None,
) -> Tape:
    """Return a tape of the history between ``start`` and ``end`` (ns UTC, the end excluded).

    Parameters
    ----------
    history
        Where the data is.
    instruments
        Ids to play; None: every instrument with observed data, or with any data if there is none.
    start, end
        The stretch to play; None: from the first row, to the last.

    Raises
    ------
    NotFoundError
        If the history has nothing of what is asked for.
    StoreFailedError
        If it cannot be read.

    """
    catalogue = [holding for holding in history.catalogue() if _within(holding, start, end)]
    chosen = {name: choice(catalogue, name) for name in _names(catalogue, instruments)}
    missing = [name for name, holdings in chosen.items() if not holdings]
    if missing or not chosen:
        raise NotFoundError(
            f"the history has nothing to replay of {', '.join(missing) or 'any instrument'}"
            + (" in that stretch of time" if start is not None or end is not None else ""),
            rule="a replay plays history that was imported or recorded",
            fix="import a file first (nautilus-tui import FILE …), or choose another instrument or time",
        )
    holdings = history.holdings()
    found = [_instrument(history, holdings, name, some) for name, some in chosen.items()]
    notes = TapeNotes()
    return Tape(
        instruments=tuple(found),
        sources=[
            source
            for instrument, some in zip(found, chosen.values(), strict=True)
            for source in _sources(history, instrument, some, start, end, notes)
        ],
        ts_start=max(min(h.first for some in chosen.values() for h in some), start or 0),
        ts_end=min(max(_last(h) for some in chosen.values() for h in some), _before(end)),
        ticks_total=_total(list(chosen.values()), start, end),
        sizes_known=frozenset(
            instrument.id
            for instrument, some in zip(found, chosen.values(), strict=True)
            if _has_sizes(history, some, start, end)
        ),
        notes=notes,
    )


def choice(catalogue: Sequence[Holding], instrument: str) -> list[Holding]:
    """Return the series of an instrument to play: one, two that belong together, or none."""
    every = [holding for holding in catalogue if holding.series.instrument == instrument]
    mine = [holding for holding in every if not holding.series.synthetic] or every
    quotes = _longest([h for h in mine if h.series.kind == "quotes"])
    if quotes is not None:
        origin = _origin(quotes.series)
        trades = [h for h in mine if h.series.kind == "trades" and _origin(h.series) == origin]
        return [quotes, *trades[:1]]
    trade = _longest([h for h in mine if h.series.kind == "trades"])
    if trade is not None:
        return [trade]
    bars = sorted((h for h in mine if h.series.kind == "bars"), key=lambda h: (_width(h), -h.last))
    for bid in bars:
        for ask in bars:
            if (bid.series.side, ask.series.side) == ("bid", "ask") and _twins(bid, ask):
                return [bid, ask]
    bars.sort(key=lambda h: (_width(h), _SIDES.index(h.series.side or "mid"), -h.last))
    return bars[:1]


def _names(catalogue: Sequence[Holding], instruments: Sequence[str] | None) -> list[str]:
    if instruments is not None:
        return list(dict.fromkeys(instruments))
    observed = [h.series.instrument for h in catalogue if not h.series.synthetic]
    return sorted(set(observed or [h.series.instrument for h in catalogue]))


def _longest(holdings: Sequence[Holding]) -> Holding | None:
    return max(holdings, key=lambda h: (h.last, h.rows), default=None)


def _origin(series: Series) -> tuple[str, str | None, bool]:
    return series.source, series.engine, series.synthetic


def _twins(bid: Holding, ask: Holding) -> bool:
    return _width(bid) == _width(ask) and _origin(bid.series) == _origin(ask.series)


def _width(holding: Holding) -> int:
    """Return the length of a bar in ns; a tick has none."""
    return 0 if holding.series.timeframe is None else timeframe(holding.series.timeframe).width


def _last(holding: Holding) -> int:
    """Return the time of the last tick: a bar's last tick is at its end."""
    return holding.last + max(0, _width(holding) - 1)


def _before(end: int | None) -> int:
    return 2**63 - 1 if end is None else end - 1


def _within(holding: Holding, start: int | None, end: int | None) -> bool:
    return (start is None or holding.last >= start) and (end is None or holding.first < end)


def _total(chosen: Sequence[Sequence[Holding]], start: int | None, end: int | None) -> int:
    """Return how many ticks will come: exact for whole series of ticks, 0 (not known) for a stretch."""
    if start is not None or end is not None:
        return 0
    total = 0
    for holdings in chosen:
        if holdings[0].series.kind == "bars":
            # of paired bars at most as many as the shorter side has
            total += _TICKS_PER_BAR * min(h.rows for h in holdings)
        else:
            total += sum(h.rows for h in holdings)
    return total


def _instrument(history: History, holdings: Holdings, name: str, chosen: Sequence[Holding]) -> Instrument:
    prices, sizes = 0, 0
    for holding in chosen:
        kind = holding.series.kind
        prices = max(prices, _decimals(history, holdings, holding.series, _PRICES[kind]))
        sizes = max(sizes, _decimals(history, holdings, holding.series, _SIZES[kind]))
    series = chosen[0].series
    return infer_instrument(
        name,
        [Decimal(1).scaleb(-prices)],
        sample_sizes=[Decimal(1).scaleb(-sizes)],
        source="replay",
        synthetic=series.synthetic,
    )


def _decimals(history: History, holdings: Holdings, series: Series, names: Sequence[str]) -> int:
    """Return the most decimals of some columns, from the files' schemas: no row is read."""
    scales = [0]
    for part in holdings.parts.get(series, []):
        schema = pq.read_schema(history.root / part.path)
        scales += [schema.field(name).type.scale for name in names]
    for rows in holdings.live.get(series, []):
        trimmed = rows.trimmed()
        scales += [trimmed.numbers[name].scale for name in names]
    return max(scales)


def _has_sizes(history: History, chosen: Sequence[Holding], start: int | None, end: int | None) -> bool:
    """Return whether the first row of ticks has sizes; bars have none that belong to a tick."""
    series = chosen[0].series
    if not _SIZES[series.kind]:
        return False
    first = next(iter(history.stream(series, start, end, batch_rows=1)), None)
    if first is None:
        return False
    numbers = [first.numbers[name] for name in _SIZES[series.kind]]
    return all((one.valid is None or bool(one.valid.all())) and int(one.wholes[0]) > 0 for one in numbers)


def _sources(
    history: History,
    instrument: Instrument,
    chosen: Sequence[Holding],
    start: int | None,
    end: int | None,
    notes: TapeNotes,
) -> list[Source]:
    if len(chosen) == 2 and chosen[0].series.kind == "bars":
        bids, asks = (_Bars(history, h.series, start, end) for h in chosen)
        return [Source(instrument.id, bids, asks)]
    return [
        Source(instrument.id, _Bars(history, h.series, start, end))
        if h.series.kind == "bars"
        else Source(instrument.id, _Ticks(history, h.series, start, end, notes))
        for h in chosen
    ]


class _Bars:
    """Bars of one series, read from the history each time they are iterated."""

    def __init__(self, history: History, series: Series, start: int | None, end: int | None) -> None:
        self._history = history
        self._series = series
        self._start = start
        self._end = end

    def __iter__(self) -> Iterator[BarRows]:
        series = self._series
        assert series.timeframe is not None
        assert series.side is not None
        width = timeframe(series.timeframe).width
        for rows in self._history.stream(series, self._start, self._end):
            numbers = [rows.numbers[name] for name in _PRICES["bars"]]
            (opened, high, low, closed), scale = common([(one.wholes, one.scale) for one in numbers])
            yield BarRows(series.instrument, series.side, width, rows.ts, opened, high, low, closed, scale)


class _Ticks:
    """Quotes or trades of one series, read from the history each time they are iterated."""

    def __init__(
        self, history: History, series: Series, start: int | None, end: int | None, notes: TapeNotes
    ) -> None:
        self._history = history
        self._series = series
        self._start = start
        self._end = end
        self._notes = notes

    def __iter__(self) -> Iterator[TapeRows]:
        for rows in self._history.stream(self._series, self._start, self._end):
            if self._series.kind == "quotes":
                yield from _quotes(self._series.instrument, rows, self._notes)
            else:
                yield _trades(self._series.instrument, rows)


def _quotes(instrument: str, rows: Rows, notes: TapeNotes) -> Iterator[QuoteRows]:
    both = np.ones(len(rows), np.bool_)
    for name in ("bid", "ask"):
        valid = rows.numbers[name].valid
        if valid is not None:
            both &= valid
    if not both.all():
        notes.one_sided += int((~both).sum())
        rows = rows.take(both)
    if not len(rows):
        return
    (bid, ask), scale = common(
        [(one.wholes, one.scale) for one in (rows.numbers["bid"], rows.numbers["ask"])]
    )
    sizes = [_known(rows.numbers[name], 0) for name in ("bid_size", "ask_size")]
    (bid_size, ask_size), size_scale = common(sizes)
    yield QuoteRows(instrument, rows.ts, bid, ask, scale, bid_size, ask_size, size_scale)


def _trades(instrument: str, rows: Rows) -> TradeRows:
    price = rows.numbers["price"]
    size, size_scale = _known(rows.numbers["size"], ASSUMED_SIZE)
    return TradeRows(
        instrument, rows.ts, price.wholes, price.scale, size, size_scale, rows.integers.get("aggressor")
    )


def _known(number: Number, otherwise: int) -> tuple[Wholes, int]:
    """Return a column with ``otherwise`` units where it is not known."""
    if number.valid is None:
        return number.wholes, number.scale
    return np.where(number.valid, number.wholes, otherwise * 10**number.scale), number.scale
