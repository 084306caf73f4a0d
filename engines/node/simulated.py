"""The simulated market as a NautilusTrader data client: quotes, trades and a five-level book.

Orders are matched against the book, so the paper venue must be of book type ``L2_MBP``. While an
instrument has working orders every change of a best price is published as depth; otherwise only the
latest book counts, and one a batch suffices. Changes of size alone are published a few times a second.
The model draws the path; this client paces it, stamps it with the wall clock, and keeps a checkpoint
so that a restarted engine's prices go on where they were. It must not know of the recorder.
"""

from __future__ import annotations

import asyncio
import os
import time
from decimal import Decimal
from pathlib import Path
from typing import Any, Final

from nautilus_trader.config import LiveDataClientConfig
from nautilus_trader.model.data import BookOrder, OrderBookDepth10, QuoteTick, TradeTick
from nautilus_trader.model.enums import AggressorSide, OrderSide
from nautilus_trader.model.identifiers import InstrumentId, TradeId
from nautilus_trader.model.objects import Price, Quantity

from data.problems import ConflictError
from data.records import FeedProgress
from engines.market.model import LEVELS, MarketModel, Steps
from engines.market.past import Day, day_so_far
from engines.market.universe import Listing, calendar, chosen, decimals, instrument
from engines.node.feed import BATCH, Feed

_NANOS: Final = 1_000_000_000
_STAMP_GAP_NS: Final = 1_000  # between the ticks of one batch
_SHORTEST_SLEEP_S: Final = 0.02
_CHECKPOINT_S: Final = 1.0
_DEPTH_FLAGS: Final = 32 | 128  # snapshot, last
#: Behind the levels that are shown lies the rest of the market: one level this many gaps away, of
#: this many times the best level's size, so that a large market order is filled, and pays for it.
_REST_GAPS: Final = 12
_REST_TIMES: Final = 10_000
#: In the time of so many ticks per instrument each has been heard of, but for one in ten thousand.
_QUIET_ROUNDS: Final = 20


class SimulatedFeedConfig(LiveDataClientConfig, frozen=True):
    """Settings of the simulated feed."""

    seed: int = 7
    instruments: tuple[str, ...] | None = None  #: instrument ids; None: all listings
    rate: Decimal = Decimal(50)  #: ticks per second of the whole market; 0: as fast as it goes
    paused: bool = False
    always_open: bool = True
    checkpoint_path: str | None = None  #: where the model's state is kept between runs
    depth_ms: int = 250  #: publish a book whose prices have not changed at most this often


class _Units:
    """What turns a listing's ticks and lots into NautilusTrader's raw integers."""

    __slots__ = ("depth_ns", "id", "lot", "price_precision", "size_precision", "text", "tick", "top")

    def __init__(self, listing: Listing) -> None:
        self.text = listing.id
        self.id = InstrumentId.from_str(listing.id)
        self.price_precision = decimals(listing.tick)
        self.size_precision = decimals(listing.lot)
        self.tick: int = Price.from_str(str(listing.tick)).raw
        self.lot: int = Quantity.from_str(str(listing.lot)).raw
        self.top = (0, 0)  # best prices of the depth published last
        self.depth_ns = 0  # and when


class SimulatedDataClient(Feed):
    """Publishes a `MarketModel` at a chosen pace."""

    def __init__(
        self,
        loop: asyncio.AbstractEventLoop,
        name: str,
        config: SimulatedFeedConfig,
        msgbus: Any,
        cache: Any,
        clock: Any,
    ) -> None:
        self._listings = chosen(config.instruments)
        hours = calendar(always_open=config.always_open)
        super().__init__(
            loop,
            name,
            msgbus,
            cache,
            clock,
            instruments=[instrument(x, hours=hours.text(x.id)) for x in self._listings],
            calendar=hours,
            speed=config.rate,
            paused=config.paused,
            ts_start=clock.timestamp_ns(),
        )
        self._always_open = config.always_open
        self._depth_ns = config.depth_ms * 1_000_000
        self._path = None if config.checkpoint_path is None else Path(config.checkpoint_path)
        self._units = [_Units(x) for x in self._listings]
        self._last_ts = 0
        self._checkpoint_due = 0.0
        self.resumed = False  #: whether prices go on from a checkpoint
        self._model = self._load(config.seed)

    @property
    def model(self) -> MarketModel:
        """The market behind the feed."""
        return self._model

    def progress(self, engine: str) -> FeedProgress:
        """Return where the feed stands. A simulated market has neither start nor end: those are 0."""
        return FeedProgress(
            engine=engine,
            feed="simulated",
            state=self.state,
            speed=float(self._speed),
            ts_market=self._last_ts,
            ts_start=0,
            ts_end=0,
            ticks_played=self.ticks,
            ticks_total=0,
        )

    def quiet_s(self) -> float | None:
        """Return how long it may say nothing of an instrument: many times what its pace makes likely."""
        if self._paused:
            return None
        return float(_QUIET_ROUNDS * len(self._units) / self._speed) if self._speed else 0.0

    def day_so_far(self, now_ns: int) -> dict[str, Day]:
        """Return by instrument id what the market's made-up past says of the UTC day until now."""
        return day_so_far(self._listings, self._model.seed, self._model.standing, now_ns)

    # ------------------------------------------------------------ the loop

    async def _pump(self) -> None:
        self._publish_standing()
        credit = 0.0  # ticks that are due
        before = time.monotonic()
        while True:
            if await self._may_publish():
                self._publish(1)
                before = time.monotonic()
                continue
            rate = float(self._speed)
            if rate == 0:
                self._publish(BATCH)
                await asyncio.sleep(0)
                before, credit = time.monotonic(), 0.0
            else:
                now = time.monotonic()
                # what cannot be kept up with is let go: a market does not hurry after a pause
                credit = min(credit + (now - before) * rate, max(1.0, rate * 0.5))
                before = now
                while credit >= 1 and not self._changed.is_set():
                    credit -= self._publish(min(BATCH, int(credit)))
                    await asyncio.sleep(0)
                await self._sleep(max(_SHORTEST_SLEEP_S, (1 - credit) / rate))
            self._keep()

    def _publish_standing(self) -> None:
        """Publish the whole market once, so that every instrument has a price from the start."""
        now = self._next_stamp()
        standing = self._model.standing
        for index, units in enumerate(self._units):
            if self._is_open(units, now):
                bids, asks = standing.bid_sizes[index].tolist(), standing.ask_sizes[index].tolist()
                bid, ask = int(standing.bid[index]), int(standing.ask[index])
                self._publish_quote(units, bid, ask, bids[0], asks[0], now)
                self._publish_depth(units, bid, ask, bids, asks, int(standing.gap[index]), now)
                self.ticks += 1
        self.last_tick_ns = now

    def _publish(self, limit: int) -> int:
        """Publish up to ``limit`` steps of the model; return the number of ticks."""
        steps = self._model.take(limit)
        return self._publish_steps(steps)

    def _publish_steps(self, steps: Steps) -> int:
        stamp = self._next_stamp()
        ticks = 0
        working = self._with_working_orders()
        books: dict[_Units, tuple[Any, ...]] = {}  # the latest of each instrument without orders
        rows = zip(
            steps.listing.tolist(),
            steps.bid.tolist(),
            steps.ask.tolist(),
            steps.bid_sizes.tolist(),
            steps.ask_sizes.tolist(),
            steps.gap.tolist(),
            steps.trade_size.tolist(),
            steps.trade_price.tolist(),
            steps.buyer.tolist(),
            strict=True,
        )
        for row, (listing, bid, ask, bids, asks, gap, size, price, buyer) in enumerate(rows):
            units = self._units[listing]
            if not self._is_open(units, stamp):
                continue  # closed: the price moves on unseen and the next session opens with a gap
            if size:
                self._publish_trade(units, price, size, buyer, f"S{steps.first + row}", stamp)
                ticks += 1
            self._publish_quote(units, bid, ask, bids[0], asks[0], stamp)
            if units.id in working:
                self._publish_depth(units, bid, ask, bids, asks, gap, stamp)
            else:
                books[units] = (bid, ask, bids, asks, gap, stamp)
            ticks += 1
            stamp += _STAMP_GAP_NS
        for units, book in books.items():
            self._publish_depth(units, *book)
        self.ticks += ticks
        if ticks:
            self.last_tick_ns = self._last_ts = stamp - _STAMP_GAP_NS
        return max(1, ticks)  # never zero, or a closed market would spin

    def _with_working_orders(self) -> set[InstrumentId]:
        """Return the instruments of which an order may be matched by the next change of price."""
        orders = [*self._cache.orders_open(), *self._cache.orders_inflight()]
        return {order.instrument_id for order in orders}

    def _next_stamp(self) -> int:
        """Return the stamp of the next tick: the wall clock, in microseconds, and never backwards."""
        now: int = self._clock.timestamp_ns()
        return max(now - now % _STAMP_GAP_NS, self._last_ts + _STAMP_GAP_NS)

    def _is_open(self, units: _Units, now: int) -> bool:
        return self._always_open or self.calendar.is_open(units.text, now)

    def _publish_trade(
        self, units: _Units, price: int, size: int, buyer: bool, trade_id: str, ts: int
    ) -> None:
        self._handle_data(
            TradeTick.from_raw(
                units.id,
                price * units.tick,
                units.price_precision,
                size * units.lot,
                units.size_precision,
                AggressorSide.BUYER if buyer else AggressorSide.SELLER,
                TradeId(trade_id),
                ts,
                ts,
            )
        )

    def _publish_quote(
        self, units: _Units, bid: int, ask: int, bid_size: int, ask_size: int, ts: int
    ) -> None:
        price_precision, size_precision = units.price_precision, units.size_precision
        self._handle_data(
            QuoteTick.from_raw(
                units.id,
                bid * units.tick,
                ask * units.tick,
                price_precision,
                price_precision,
                bid_size * units.lot,
                ask_size * units.lot,
                size_precision,
                size_precision,
                ts,
                ts,
            )
        )

    def _publish_depth(
        self, units: _Units, bid: int, ask: int, bids: list[int], asks: list[int], gap: int, ts: int
    ) -> None:
        """Publish the book if its best prices have changed, or its sizes and it is time."""
        top = (bid, ask)
        if top != units.top or ts - units.depth_ns >= self._depth_ns:
            units.top = top
            units.depth_ns = ts
            self._handle_data(_depth(units, bid, ask, bids, asks, gap, ts))

    # ------------------------------------------------------------ the checkpoint

    def _load(self, seed: int) -> MarketModel:
        if self._path is not None and self._path.exists():
            try:
                model = MarketModel.restore(self._listings, seed, self._path.read_bytes())
            except (ConflictError, OSError) as error:
                self._log.warning(f"The market starts anew: {error}")
            else:
                self.resumed = True
                return model
        return MarketModel(self._listings, seed)

    def _keep(self, *, now: bool = False) -> None:
        """Write the checkpoint, at most once a second unless ``now``."""
        clock = time.monotonic()
        if self._path is None or (not now and clock < self._checkpoint_due):
            return
        self._checkpoint_due = clock + _CHECKPOINT_S
        part = self._path.with_suffix(".part")
        try:
            part.write_bytes(self._model.checkpoint())
            os.replace(part, self._path)
        except OSError as error:
            self._log.error(f"The market's checkpoint cannot be written: {error}")

    async def _disconnect(self) -> None:
        await super()._disconnect()
        if self._begun:
            self._keep(now=True)


def _depth(
    units: _Units, bid: int, ask: int, bids: list[int], asks: list[int], gap: int, ts: int
) -> OrderBookDepth10:
    tick, lot = units.tick, units.lot
    price_precision, size_precision = units.price_precision, units.size_precision
    rest = min(_REST_GAPS * gap, bid - 1)
    offsets = [i * gap for i in range(LEVELS) if i * gap < rest] + [rest]  # no level below one tick
    bids = [*bids[: len(offsets) - 1], bids[0] * _REST_TIMES]
    asks = [*asks[: len(offsets) - 1], asks[0] * _REST_TIMES]
    return OrderBookDepth10(
        units.id,
        [
            BookOrder.from_raw(
                OrderSide.BUY, (bid - at) * tick, price_precision, size * lot, size_precision, 0
            )
            for at, size in zip(offsets, bids, strict=True)
        ],
        [
            BookOrder.from_raw(
                OrderSide.SELL, (ask + at) * tick, price_precision, size * lot, size_precision, 0
            )
            for at, size in zip(offsets, asks, strict=True)
        ],
        [1] * len(offsets),
        [1] * len(offsets),
        _DEPTH_FLAGS,
        0,
        ts,
        ts,
    )
