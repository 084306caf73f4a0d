"""What limits are judged by besides positions: working orders, today's trades, orders sent lately.

This module must not know of limits.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Sequence
from decimal import Decimal
from itertools import takewhile
from typing import Final, NamedTuple

from data import topics
from data.bus import Bus, Event
from data.records import WORKING_STATUSES, Instrument, OrderUpdate
from nautilus_tui.daemon.present import Present
from nautilus_tui.daemon.risk.portfolio import PortfolioWatch
from nautilus_tui.daemon.risk.traded import TradedToday
from risk.evaluate import Dealt, Sent, Working

#: Orders sent are remembered for a day, the longest window there is, and so many at most.
KEPT_NS: Final = 86_400 * 1_000_000_000
MOST: Final = 200_000
#: What an engine's journal tells of an order or a modification on its way to the venue.
_SENDING: Final = frozenset({"OrderSubmitted", "OrderPendingUpdate"})


class _Sending(NamedTuple):
    engine: str
    instrument: str
    strategy: str | None
    ts: int


class FigureSource:
    """Gathers figures from what was told.

    Args:
        bus, present: What was told.
        portfolio: Instruments and rates.
        traded: The day's fills.
        clock: UTC ns.
    """

    def __init__(
        self,
        *,
        bus: Bus,
        present: Present,
        portfolio: PortfolioWatch,
        traded: TradedToday,
        clock: Callable[[], int] = time.time_ns,
    ) -> None:
        self._present = present
        self._portfolio = portfolio
        self._traded = traded
        self._clock = clock
        self._since = clock()
        self._sent: deque[_Sending] = deque()
        self._end = bus.subscribe(self._hear)

    def close(self) -> None:
        """Listen no longer."""
        self._end()

    @property
    def sent_since(self) -> int:
        """From when on every order that was sent is known, UTC ns."""
        return self._since

    def sent(self, seconds: int) -> tuple[Sent, ...]:
        """Return orders and modifications sent within the last so many seconds, latest first."""
        self._forget()
        begin = self._clock() - seconds * 1_000_000_000
        found = takewhile(lambda one: one.ts >= begin, reversed(self._sent))
        return tuple(
            Sent(
                engine=one.engine,
                instrument=one.instrument,
                strategy=one.strategy,
                sector=_sector(self._portfolio.instruments(one.engine).get(one.instrument)),
                ts=one.ts,
            )
            for one in found
        )

    def working(self) -> tuple[Working, ...]:
        """Return every working order at its own price, else where it could be done now."""
        found = []
        for engine in self._portfolio.engines():
            orders = [
                one
                for one in self._present.snapshot(topics.orders(engine))
                if isinstance(one, OrderUpdate) and one.status in WORKING_STATUSES
            ]
            if not orders:
                continue
            sheet, rates = self._portfolio.instruments(engine), self._portfolio.rates(engine)
            for one in orders:
                instrument = sheet.get(one.instrument)
                rate = None if instrument is None else rates.get(instrument.currency)
                found.append(
                    Working(
                        engine=engine,
                        instrument=one.instrument,
                        strategy=one.strategy,
                        sector=_sector(instrument),
                        notional=_worth(one, self._price(one), instrument, rate),
                    )
                )
        return tuple(found)

    def dealt(self) -> tuple[Dealt, ...] | None:
        """Return what was traded today; None while it is not counted yet."""
        traded = self._traded.traded()
        if traded is None:
            return None
        return tuple(
            Dealt(
                engine=one.engine,
                instrument=one.instrument,
                strategy=one.strategy,
                sector=_sector(self._portfolio.instruments(one.engine).get(one.instrument)),
                amount=amount,
            )
            for one, amount in self._portfolio.money_of(traded).items()
        )

    def _price(self, order: OrderUpdate) -> Decimal | None:
        if order.price is not None or order.trigger_price is not None:
            return order.price if order.price is not None else order.trigger_price
        quote = self._portfolio.quote(order.instrument, order.engine)
        if quote is None:
            return None
        touch = quote.ask if order.side == "buy" else quote.bid
        return touch if touch is not None else quote.last

    def _hear(self, events: Sequence[Event]) -> None:
        for event in events:
            order = event.record
            if isinstance(order, OrderUpdate) and order.event in _SENDING:
                self._sent.append(_Sending(order.engine, order.instrument, order.strategy, order.ts))
                if len(self._sent) > MOST:
                    self._since = self._sent.popleft().ts

    def _forget(self) -> None:
        before = self._clock() - KEPT_NS
        self._since = max(self._since, before)
        while self._sent and self._sent[0].ts <= before:
            self._sent.popleft()


def _worth(
    order: OrderUpdate, price: Decimal | None, instrument: Instrument | None, rate: Decimal | None
) -> Decimal | None:
    """Return what the open quantity of an order is worth in the account's currency, if that is known."""
    if price is None or instrument is None or rate is None:
        return None
    return (order.qty - order.filled_qty) * abs(price) * instrument.multiplier * rate


def _sector(instrument: Instrument | None) -> str | None:
    return None if instrument is None else instrument.sector
