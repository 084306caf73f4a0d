"""Which of the stored series answer a question for bars, and how they are put together.

Ticks give bars of any period; stored bars give bars of their own period and of those it divides. From
the finest to the coarsest, each stored bar counts before one derived for the same period, because it
was made from more than we may have. This module must not know of files: it is given a way to read.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from typing import Final, NamedTuple, Protocol

import numpy as np

from data.bars import Candles, from_bars, from_ticks, midway, overlaid, records, resampled, with_volume
from data.closes import Closes
from data.partitions import Part
from data.problems import NotFoundError
from data.records import Bar, PriceSide
from data.rows import Kind, Rows, Series, joined
from data.timeframes import DAY, Timeframe, timeframe

#: In this order a side is chosen when none is asked for and several reach equally far.
SIDES: Final[tuple[PriceSide, ...]] = ("last", "mid", "bid", "ask")

#: The columns of ticks that bars of each side are made of.
_NEEDED: Final[dict[PriceSide, tuple[str, ...]]] = {
    "last": ("price", "size"),
    "mid": ("bid", "ask"),
    "bid": ("bid",),
    "ask": ("ask",),
}

Read = Callable[[Series, int | None, int | None, Collection[str] | None], Rows | None]
Span = tuple[int, int]


class Held(Protocol):
    """What there is; see ``data.history.Holdings``."""

    @property
    def parts(self) -> dict[Series, list[Part]]: ...
    @property
    def live(self) -> dict[Series, list[Rows]]: ...
    def series(self) -> list[Series]: ...


class Question(NamedTuple):
    """A question for bars; see ``History.bars``."""

    instrument: str
    to: Timeframe
    start: int | None
    end: int | None
    limit: int
    side: PriceSide | None
    engine: str | None
    source: str | None


def chosen(held: Held, kind: Kind, instrument: str, engine: str | None, source: str | None) -> list[Series]:
    """Return the series of a kind that count: imports, and recordings of one engine.

    Two engines may simulate two different markets under one name; their prices are never mixed.
    """
    mine = [
        one
        for one in held.series()
        if one.instrument == instrument and (source is None or one.source == source)
    ]
    if engine is None:
        recorded = [one for one in mine if one.engine is not None]
        engine = max(recorded, key=lambda one: _reach(held, [one])[1]).engine if recorded else None
    return [one for one in mine if one.kind == kind and one.engine in (None, engine)]


def bars(ask: Question, held: Held, read: Read, now: int) -> list[Bar]:
    """Return the last bars that answer the question; see ``History.bars``.

    Raises:
        NotFoundError: Nothing stored can be made into what is asked for.
    """
    candles, side = _answer(ask, held, read)
    return [] if candles is None else records(candles, ask.instrument, ask.to, side, now)


def closes(ask: Question, held: Held, read: Read, now: int) -> Closes:
    """Return the closing prices of the last bars that answer the question and are closed.

    Raises:
        NotFoundError: Nothing stored can be made into what is asked for.
    """
    candles, _ = _answer(ask, held, read)
    if candles is None:
        return Closes(np.empty(0, np.int64), np.empty(0))
    begun = candles.ts - (candles.ts - ask.to.origin) % ask.to.width
    done = candles.take(begun + ask.to.width <= now)
    values = done.prices[3].astype(np.float64) / 10.0**done.scale
    return Closes(done.ts, values, bool(done.synthetic.any()))


def _answer(ask: Question, held: Held, read: Read) -> tuple[Candles | None, PriceSide]:
    """Return the candles that answer a question, as many as it asks for, and of which price."""
    made = {side: usable(ask, held, side) for side in ([ask.side] if ask.side else SIDES)}
    made = {side: found for side, found in made.items() if found}
    if not made:
        raise _nothing(ask, held)
    side = _best(held, made)
    candles = _search(ask, held, read, side, made[side])
    return None if candles is None else candles.take(slice(-ask.limit, None)), side


def usable(ask: Question, held: Held, side: PriceSide) -> list[Series]:
    """Return the series that bars of this side can be made of."""
    ticks: Kind = "trades" if side == "last" else "quotes"
    found = chosen(held, ticks, ask.instrument, ask.engine, ask.source)
    stored = [
        one
        for one in chosen(held, "bars", ask.instrument, ask.engine, ask.source)
        if one.timeframe is not None and timeframe(one.timeframe).divides(ask.to)
    ]
    found += [one for one in stored if one.side == side]
    if side == "mid":
        for period in {one.timeframe for one in stored}:
            pair = [one for one in stored if one.timeframe == period and one.side in ("bid", "ask")]
            if {one.side for one in pair} == {"bid", "ask"}:
                found += pair
    return found


def replaced(stored: Sequence[Rows], fresh: Rows) -> tuple[Rows, int]:
    """Return stored bars with fresh ones in the place of those of the same time, and how many are new."""
    names = [*fresh.numbers, *fresh.integers]
    # Several fresh bars of one time: the last counts.
    latest = {ts: at for at, ts in enumerate(fresh.ts.tolist())}
    fresh = fresh.take(np.array(sorted(latest.values()), np.int64))
    if not stored:
        return fresh.in_order(), len(fresh)
    old = joined(stored)
    known = set(old.keys(names))
    new = np.array([key not in known for key in fresh.keys(names)], np.bool_)
    rest = old.take(~np.isin(old.ts, fresh.ts))
    return joined([rest, fresh]).in_order(), int(new.sum())


def _search(
    ask: Question, held: Held, read: Read, side: PriceSide, found: Sequence[Series]
) -> Candles | None:
    """Go back in time until there are enough bars, or no more data."""
    width = ask.to.width
    found_spans = spans(held, found)
    earliest = min(first for first, _ in found_spans)
    lowest = (
        earliest if ask.start is None else max(ask.start + (-(ask.start - ask.to.origin)) % width, earliest)
    )
    end = max(last for _, last in found_spans) + 1
    if ask.end is not None:
        end = min(ask.to.floor(ask.end - 1) + width, end)
    reach = ask.limit * width
    start = ask.to.floor(end - 1) - reach + width
    while True:
        candles = _compute(ask, held, read, side, found, max(ask.to.floor(start), ask.to.floor(lowest)), end)
        if start <= lowest or (candles is not None and len(candles) >= ask.limit):
            return candles
        # Leap over a stretch without data, else look four times as far.
        before = max((min(last, start) for first, last in found_spans if first < start), default=start)
        reach *= 4
        start = min(ask.to.floor(before) - (ask.limit - 1) * width, end - reach)


def _compute(
    ask: Question, held: Held, read: Read, side: PriceSide, found: Sequence[Series], start: int, end: int
) -> Candles | None:
    stored = [one for one in found if one.kind == "bars"]
    ladder = sorted({timeframe(one.timeframe or "") for one in stored}, key=lambda one: one.width)
    finest = ladder[0] if ladder else ask.to
    candles: Candles | None = None
    for one in found:
        if one.kind != "bars":
            candles = overlaid(candles, _of_ticks(held, read, one, side, finest, start, end))
    for period in ladder:
        if candles is not None:
            candles = resampled(candles, period)
        same = [one for one in stored if one.timeframe == period.text]
        candles = overlaid(candles, _stored(read, same, side, period, start, end))
    if candles is None or len(candles) == 0:
        return None
    candles = resampled(candles, ask.to)
    if side != "last" and candles.volume.valid is not None and not candles.volume.valid.all():
        for one in chosen(held, "trades", ask.instrument, ask.engine, ask.source):
            traded = _of_ticks(held, read, one, "last", ask.to, start, end)
            if traded is not None:
                candles = with_volume(candles, traded)
    return candles


def _stored(
    read: Read, found: Sequence[Series], side: PriceSide, period: Timeframe, start: int, end: int
) -> Candles | None:
    """Return stored bars of one period and side; real ones count before synthetic ones."""

    def of_side(wanted: PriceSide) -> Candles | None:
        candles: Candles | None = None
        for one in sorted(found, key=lambda one: not one.synthetic):
            if one.side == wanted and (rows := read(one, start, end, None)) is not None:
                candles = overlaid(candles, resampled(from_bars(one, rows), period))
        return candles

    if side != "mid":
        return of_side(side)
    bid, ask = of_side("bid"), of_side("ask")
    derived = None if bid is None or ask is None else midway(bid, ask)
    return overlaid(derived, of_side("mid"))


def _of_ticks(
    held: Held, read: Read, one: Series, side: PriceSide, period: Timeframe, start: int, end: int
) -> Candles | None:
    """Return bars of ticks, file by file so that memory stays bounded."""
    found: Candles | None = None
    for first, last in stretches(spans(held, [one]), start, end):
        rows = read(one, first, last, _NEEDED[side])
        some = None if rows is None else from_ticks(one, rows, side, period)
        if some is not None:
            found = some if found is None else _behind(found, some, period)
    return found


def _behind(earlier: Candles, later: Candles, period: Timeframe) -> Candles:
    """Return bars one behind the other; the last of one and the first of the other may be one period."""
    if earlier.ts[-1] != later.ts[0]:
        joint = overlaid(earlier, later)
        assert joint is not None
        return joint
    seam = _apart(earlier.take(slice(-1, None)), later.take(slice(0, 1)))
    middle = resampled(seam, period)
    joint = overlaid(overlaid(earlier.take(slice(None, -1)), middle), later.take(slice(1, None)))
    assert joint is not None
    return joint


def _apart(one: Candles, other: Candles) -> Candles:
    """Return two bars of the same period as neighbours a nanosecond apart, to be resampled into one."""
    later = other.take(slice(None))
    later.ts = later.ts + 1
    both = overlaid(one, later)
    assert both is not None
    return both


def spans(held: Held, found: Sequence[Series]) -> list[Span]:
    """Return the first and last time of every file of some series, and of each one's live rows."""
    stored = [(part.first, part.last) for one in found for part in held.parts.get(one, [])]
    for one in found:
        live = [rows.ts for rows in held.live.get(one, []) if len(rows)]
        if live:
            stored.append((min(int(ts.min()) for ts in live), max(int(ts.max()) for ts in live)))
    return stored


def stretches(found: Sequence[Span], start: int | None, end: int | None) -> list[Span]:
    """Return stretches ``[first, end)`` of time that no file crosses, in order, within the bounds."""
    merged: list[Span] = []
    for first, last in sorted(found):
        if merged and first < merged[-1][1]:
            merged[-1] = (merged[-1][0], max(last + 1, merged[-1][1]))
        else:
            merged.append((first, last + 1))
    low = merged[0][0] if start is None and merged else start or 0
    high = merged[-1][1] if end is None and merged else end or 0
    return [(max(a, low), min(b, high)) for a, b in merged if a < high and b > low]


def _reach(held: Held, found: Sequence[Series]) -> Span:
    there = spans(held, found)
    return min((first for first, _ in there), default=0), max((last for _, last in there), default=0)


def _best(held: Held, made: dict[PriceSide, list[Series]]) -> PriceSide:
    """Return the side that is as current as any and reaches back furthest."""
    reach = {side: _reach(held, found) for side, found in made.items()}
    latest = max(last for _, last in reach.values())
    current = [side for side, (_, last) in reach.items() if last >= latest - DAY]
    return min(current, key=lambda side: reach[side][0])


def _nothing(ask: Question, held: Held) -> NotFoundError:
    there = sorted(
        {
            f"{one.timeframe} {one.side} bars" if one.kind == "bars" else one.kind
            for one in held.series()
            if one.instrument == ask.instrument
        }
    )
    price = f" of {ask.side} prices" if ask.side else ""
    if not there:
        return NotFoundError(
            f"no history of {ask.instrument}",
            fix="record it with an engine or import a file",
            instrument=ask.instrument,
        )
    return NotFoundError(
        f"no {ask.to.text} bars{price} of {ask.instrument}: the history holds {', '.join(there)}",
        rule="bars are made of ticks or of bars whose timeframe divides theirs",
        fix="ask for a longer timeframe or another side, or import finer data",
        instrument=ask.instrument,
    )
