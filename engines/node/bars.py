"""Bars as they form, from ticks, in exact integers.

Ticks build five-second bars; minute bars are folded from those, so that a tick costs one comparison
and not two. This module must not know NautilusTrader or where prices come from.
"""

from __future__ import annotations

from decimal import Decimal

from data.records import Bar, PriceSide

_SECOND_NS = 1_000_000_000
FAST_NS = 5 * _SECOND_NS
SLOW_NS = 60 * _SECOND_NS


class Forming:
    """One bar being built; prices and volume are integers of the caller's scale."""

    __slots__ = ("close", "count", "high", "low", "open", "ts", "volume")

    def __init__(self, ts: int, price: int) -> None:
        self.ts = ts
        self.open = self.high = self.low = self.close = price
        self.volume = 0
        self.count = 0

    def fold(self, other: Forming) -> None:
        """Take in a later part of the same period."""
        self.high = max(self.high, other.high)
        self.low = min(self.low, other.low)
        self.close = other.close
        self.volume += other.volume
        self.count += other.count

    def copy(self) -> Forming:
        """Return the same bar, to be folded into without touching this one."""
        twin = Forming(self.ts, self.open)
        twin.high, twin.low, twin.close = self.high, self.low, self.close
        twin.volume, twin.count = self.volume, self.count
        return twin


class BarBuilder:
    """Builds the five-second and minute bars of one instrument."""

    __slots__ = ("_fast", "_slow", "closed", "side", "touched")

    def __init__(self) -> None:
        self._fast: Forming | None = None
        self._slow: Forming | None = None  # closed five-second bars of the present minute
        self.closed: list[tuple[str, Forming, PriceSide]] = []
        self.side: PriceSide = "mid"  # of quotes, where there are quotes; else of trades
        self.touched = False

    def add(self, ts: int, price: int, size: int) -> None:
        """Take one tick. A tick older than the bar being built belongs to it as to no other."""
        fast = self._fast
        if fast is None or ts >= fast.ts + FAST_NS:
            self._roll(ts)
            fast = self._fast = Forming(ts - ts % FAST_NS, price)
        elif price > fast.high:
            fast.high = price
        elif price < fast.low:
            fast.low = price
        fast.close = price
        fast.volume += size
        fast.count += 1
        self.touched = True

    def add_volume(self, size: int) -> None:
        """Take a trade of an instrument whose bars are built from its quotes."""
        if self._fast is not None:
            self._fast.volume += size

    def build_from(self, side: PriceSide) -> None:
        """Build from other prices from now on; what was built from the old ones is not mixed in."""
        if side != self.side:
            self.side = side
            self._fast = self._slow = None
            self.closed.clear()

    def _roll(self, now: int) -> None:
        fast = self._fast
        if fast is None:
            return
        self.closed.append(("5s", fast, self.side))
        slow = self._slow
        minute = fast.ts - fast.ts % SLOW_NS
        if slow is None:
            slow = self._slow = fast.copy()
            slow.ts = minute
        else:
            slow.fold(fast)
        if now >= slow.ts + SLOW_NS:
            self.closed.append(("1m", slow, self.side))
            self._slow = None

    def forming(self) -> list[tuple[str, Forming, PriceSide]]:
        """Return the bars as they stand."""
        fast, slow = self._fast, self._slow
        if fast is None:
            return []
        if slow is None:
            minute = fast.copy()
            minute.ts = fast.ts - fast.ts % SLOW_NS
        else:
            minute = slow.copy()
            minute.fold(fast)
        return [("5s", fast, self.side), ("1m", minute, self.side)]


def record(
    bar: Forming,
    *,
    instrument: str,
    timeframe: str,
    side: PriceSide,
    price_scale: int,
    size_scale: int,
    price_step: Decimal,
    size_step: Decimal,
    closed: bool,
    volume_known: bool,
    synthetic: bool,
    source: str,
    engine: str,
) -> Bar:
    """Return the bar as a record; a price is its integer at ``price_scale`` decimals."""

    def price(value: int) -> Decimal:
        exact = Decimal(value).scaleb(-price_scale)
        coarse = exact.quantize(price_step)
        return coarse if coarse == exact else exact.normalize()

    return Bar(
        instrument=instrument,
        timeframe=timeframe,
        side=side,
        open=price(bar.open),
        high=price(bar.high),
        low=price(bar.low),
        close=price(bar.close),
        volume=Decimal(bar.volume).scaleb(-size_scale).quantize(size_step) if volume_known else None,
        count=bar.count,
        ts=bar.ts,
        closed=closed,
        synthetic=synthetic,
        source=source,
        engine=engine,
    )
