"""How much was traded today: the fills of the UTC day, by engine, instrument and strategy.

Begun from the store, carried on with each fill that is told. Amounts are kept in the instrument's own
currency, because rates move. This module must not know what the sums are for.
"""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable, Sequence
from decimal import Decimal
from typing import Final, NamedTuple

from data.bus import Bus, Event
from data.paging import Page
from data.records import Fill

DAY_NS: Final = 86_400 * 1_000_000_000
_PIECE: Final = 500


class Traded(NamedTuple):
    """What was traded of one thing: quantity × price summed over both sides, without the multiplier."""

    engine: str
    instrument: str
    strategy: str | None
    amount: Decimal


class TradedToday:
    """Sums up the day's fills.

    Args:
        bus: Tells of each fill once.
        fills: Gives a page of stored fills, newest first: (limit, cursor).
        clock: UTC ns.
    """

    def __init__(
        self,
        bus: Bus,
        fills: Callable[[int, str | None], Awaitable[Page[Fill]]],
        clock: Callable[[], int] = time.time_ns,
    ) -> None:
        self._fills = fills
        self._clock = clock
        self._day = self._today()
        self._sums: dict[tuple[str, str, str | None], Decimal] = {}
        self._heard: set[tuple[str, str, str]] | None = set()  # until the store's are counted too
        self.known = False  #: the store's fills are counted
        self._end = bus.subscribe(self._hear)

    async def load(self) -> None:
        """Count the fills of today that the store has; before that nothing is known."""
        cursor: str | None = None
        start = self._day * DAY_NS
        while True:
            page = await self._fills(_PIECE, cursor)
            for fill in page.items:
                key = (fill.engine, fill.trade_id, fill.client_order_id)
                if fill.ts >= start and self._heard is not None and key not in self._heard:
                    self._add(fill)
            cursor = page.next
            if cursor is None or (page.items and page.items[-1].ts < start):
                break
        self._heard = None
        self.known = True

    def close(self) -> None:
        """Listen no longer."""
        self._end()

    def traded(self) -> list[Traded] | None:
        """Return what was traded today; None while the store's fills are not counted yet."""
        self._turn()
        if not self.known:
            return None
        return [Traded(*key, amount) for key, amount in self._sums.items()]

    def _today(self) -> int:
        return self._clock() // DAY_NS

    def _turn(self) -> None:
        if self._today() != self._day:
            self._day = self._today()
            self._sums.clear()

    def _hear(self, events: Sequence[Event]) -> None:
        for event in events:
            fill = event.record
            if isinstance(fill, Fill):
                self._turn()
                if fill.ts // DAY_NS == self._day:
                    if self._heard is not None:
                        self._heard.add((fill.engine, fill.trade_id, fill.client_order_id))
                    self._add(fill)

    def _add(self, fill: Fill) -> None:
        key = (fill.engine, fill.instrument, fill.strategy)
        self._sums[key] = self._sums.get(key, Decimal(0)) + fill.qty * abs(fill.price)
