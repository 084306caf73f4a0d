"""What the market was doing at a moment, from recorded quotes and trades: the touch, the VWAP of an interval.

A quote counts for a moment if it was the latest then and no older than a minute. Everything blocks on the
disk: called in a thread. This module must not know of orders.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Iterable
from decimal import Decimal
from typing import TYPE_CHECKING, Final, NamedTuple

from data.problems import StoreFailedError
from risk.execution import Touch

if TYPE_CHECKING:
    from data.history import History, Holdings
    from data.rows import Rows, Series

MINUTE_NS: Final = 60 * 1_000_000_000
#: A quote older than this says nothing of a moment.
FRESH_NS: Final = MINUTE_NS
#: Trades of a long interval are read in pieces of this length.
_PIECE_NS: Final = 60 * MINUTE_NS
_RETRIES: Final = 8
#: Decimals of an average beyond those of its prices.
_EXTRA_DIGITS: Final = 4


class Traded(NamedTuple):
    """What was traded in an interval."""

    vwap: Decimal
    volume: Decimal


class Tape:
    """One engine's recordings of one instrument, as they are now."""

    def __init__(self, history: History, holdings: Holdings, instrument: str, engine: str) -> None:
        from data import derive

        self._history = history
        self._holdings = holdings
        self._quotes = derive.chosen(holdings, "quotes", instrument, engine, None)
        self._trades = derive.chosen(holdings, "trades", instrument, engine, None)
        self._starts: list[int] = []
        self._windows: list[tuple[int, list[Rows]]] = []  #: end, and rows of each series

    def prepare(self, moments: Iterable[int]) -> None:
        """Read the quotes around moments at once: from a minute before each to a minute after."""
        windows: list[list[int]] = []
        for moment in sorted(moments):
            if windows and moment - FRESH_NS <= windows[-1][1]:
                windows[-1][1] = moment + FRESH_NS
            else:
                windows.append([moment - FRESH_NS, moment + FRESH_NS])
        self._starts = [start for start, _ in windows]
        self._windows = []
        for start, end in windows:
            read = (self._read(series, start, end, ("bid", "ask")) for series in self._quotes)
            self._windows.append((end, [rows for rows in read if rows is not None and len(rows)]))

    def at(self, moment: int) -> Touch | None:
        """Return the touch at a moment; None if no whole quote was recorded in the minute before."""
        return self._nearest(moment, after=False)

    def after(self, moment: int) -> Touch | None:
        """Return the first touch after a moment; None if none was recorded in the minute after."""
        return self._nearest(moment, after=True)

    def _nearest(self, moment: int, *, after: bool) -> Touch | None:
        best: Touch | None = None
        window = bisect_right(self._starts, moment) - 1
        if window < 0 or moment > self._windows[window][0]:
            return None
        for rows in self._windows[window][1]:
            place = bisect_right(rows.ts, moment)
            places = range(place, len(rows)) if after else range(place - 1, -1, -1)
            for at in places:
                ts = int(rows.ts[at])
                if abs(ts - moment) > FRESH_NS:
                    break
                found = _touch(rows, at)
                if found is not None:
                    nearer = best is None or abs(found.ts - moment) < abs(best.ts - moment)
                    best = found if nearer else best
                    break
        return best

    def traded(self, start: int, end: int) -> Traded | None:
        """Return what was traded from ``start`` to ``end`` (ns, both included); None if nothing was."""
        volume, value, digits = Decimal(0), Decimal(0), 0
        for series in self._trades:
            at = start
            while at <= end:
                rows = self._read(series, at, min(at + _PIECE_NS, end + 1), ("price", "size"))
                at += _PIECE_NS
                if rows is None or not len(rows):
                    continue
                price, size = rows.numbers["price"], rows.numbers["size"]
                # Whole numbers of any size: products of prices and sizes may be beyond 64 bits.
                known = range(len(rows)) if size.valid is None else size.valid.nonzero()[0].tolist()
                sizes = [int(size.wholes[n]) for n in known]
                digits = max(digits, price.scale)
                products = sum(int(price.wholes[n]) * one for n, one in zip(known, sizes, strict=True))
                volume += Decimal(sum(sizes)).scaleb(-size.scale)
                value += Decimal(products).scaleb(-price.scale - size.scale)
        if not volume:
            return None
        return Traded((value / volume).quantize(Decimal(1).scaleb(-digits - _EXTRA_DIGITS)), volume)

    def _read(self, series: Series, start: int, end: int, columns: tuple[str, ...]) -> Rows | None:
        from data.history import read_series

        return read_series(self._history.root, self._holdings, series, start, end, columns)


def retried[T](history: History, ask: Callable[[Holdings], T]) -> T:
    """Answer from what the history holds now; again if compaction replaced a file under the question.

    Raises:
        StoreFailedError: The history cannot be read.
    """
    for _ in range(_RETRIES):
        try:
            return ask(history.holdings())
        except FileNotFoundError:
            continue
    raise StoreFailedError("the history changes faster than it can be read", fix="try again")


def _touch(rows: Rows, at: int) -> Touch | None:
    sides = []
    for name in ("bid", "ask"):
        number = rows.numbers[name]
        if number.valid is not None and not number.valid[at]:
            return None
        sides.append(Decimal(int(number.wholes[at])).scaleb(-number.scale))
    return Touch(bid=sides[0], ask=sides[1], ts=int(rows.ts[at]))
