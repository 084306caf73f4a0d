"""What all feeds of paper engines have in common: lifecycle, pace, control, counters, subscriptions.

A feed is a NautilusTrader data client that publishes its whole market, whether or not anybody has
subscribed: the paper venue's matching listens to everything. This module must not know where the
ticks come from.
"""

from __future__ import annotations

import asyncio
from abc import abstractmethod
from collections.abc import Sequence
from decimal import Decimal
from typing import Any, Final, Literal

from nautilus_trader.common.providers import InstrumentProvider
from nautilus_trader.live.data_client import LiveMarketDataClient
from nautilus_trader.model.identifiers import ClientId, Venue

from data.problems import InvalidRequestError
from data.records import FeedProgress, Instrument
from engines.market.sessions import Calendar
from engines.node.instruments import to_nautilus

FeedState = Literal["waiting", "playing", "paused", "finished"]
FeedAction = Literal["pause", "resume", "step", "speed"]

#: How many ticks may be handed over before the loop gets a turn: a few milliseconds of work.
BATCH: Final = 64


class Feed(LiveMarketDataClient):
    """Base of the feeds. Subclasses implement ``_pump``, the loop that publishes.

    ``begin`` starts publishing; until then the state is ``waiting``. All methods belong to the
    node's event loop.
    """

    def __init__(
        self,
        loop: asyncio.AbstractEventLoop,
        name: str,
        msgbus: Any,
        cache: Any,
        clock: Any,
        *,
        instruments: Sequence[Instrument],
        calendar: Calendar,
        speed: Decimal,
        paused: bool,
        ts_start: int,
    ) -> None:
        provider = InstrumentProvider()
        venues = {instrument.venue for instrument in instruments}
        super().__init__(
            loop=loop,
            client_id=ClientId(name),
            venue=Venue(venues.pop()) if len(venues) == 1 else None,
            msgbus=msgbus,
            cache=cache,
            clock=clock,
            instrument_provider=provider,
        )
        self.instruments = tuple(instruments)
        self.calendar = calendar
        self.ticks = 0  #: quotes and trades published
        self.last_tick_ns = 0  #: wall clock at the last one
        self.failure: str | None = None  #: why the feed died, if it did
        self.resumed_ns = 0  #: when it was paused or resumed last: while it stands, no price grows old
        self._speed = speed
        self._paused = paused
        self._finished = False
        self._steps_asked = 0
        self._begun = False
        self._changed = asyncio.Event()  # set by every control action
        self._pump_task: asyncio.Task[None] | None = None
        for instrument in self.instruments:
            known = to_nautilus(instrument, ts_start)
            provider.add(known)
            cache.add_instrument(known)  # the paper venue looks for its instruments before we connect

    # ------------------------------------------------------------ what the engine asks

    @property
    def speed(self) -> Decimal:
        """The pace: ticks per second (simulated) or times real time (replay); 0 is as fast as it goes."""
        return self._speed

    @property
    def state(self) -> FeedState:
        """Where the feed stands."""
        if self._finished:
            return "finished"
        if not self._begun:
            return "waiting"
        return "paused" if self._paused else "playing"

    def begin(self) -> None:
        """Start publishing (or, if made paused, start waiting for ``resume``). Harmless if repeated."""
        if not self._begun:
            self._begun = True
            self._pump_task = self._loop.create_task(self._guarded_pump(), name=f"feed {self.id}")

    async def ended(self) -> None:
        """Wait until the feed, which must have begun, publishes no more: finished, failed or stopped."""
        if self._pump_task is not None:
            await asyncio.wait([self._pump_task])

    def control(self, action: FeedAction, speed: Decimal | None = None) -> None:
        """Pause, resume, publish one tick and pause again, or change the pace.

        Raises
        ------
        InvalidRequestError
            If a speed is missing or negative.

        """
        if action == "speed":
            if speed is None or speed < 0:
                raise InvalidRequestError(
                    f"speed {speed} is not a speed",
                    rule="a speed is a positive number, or 0 for as fast as it goes",
                    fix="give a speed such as 50 or max",
                )
            self._speed = speed
        elif action == "step":
            self._paused = True
            self._steps_asked += 1
        else:
            self._paused = action == "pause"
            self.resumed_ns = self._clock.timestamp_ns()
        self._changed.set()

    @property
    def market_ns(self) -> int:
        """The market's time now, ns UTC: the wall clock, unless the market is of another time."""
        now: int = self._clock.timestamp_ns()
        return now

    @abstractmethod
    def progress(self, engine: str) -> FeedProgress:
        """Return where the feed stands, as a record of ``engine``."""

    @abstractmethod
    async def _pump(self) -> None:
        """Publish until cancelled or finished."""

    def quiet_s(self) -> float | None:
        """Return how long it may say nothing of an instrument while all is well; None: any time."""
        return None

    def sizes_known(self, instrument_id: str) -> bool:
        """Return whether an instrument's sizes are facts and not a stand-in that lets orders match."""
        return True

    def session_close_ns(self, instrument_id: str, now_ns: int) -> int:
        """Return when a DAY order sent at ``now_ns`` (the market's time) expires."""
        return self.calendar.session_close_ns(instrument_id, now_ns)

    # ------------------------------------------------------------ for subclasses

    async def _may_publish(self) -> bool:
        """Wait while paused; return whether only one tick may be published (a step was asked for)."""
        while self._paused and not self._steps_asked:
            self._changed.clear()
            await self._changed.wait()
        if self._paused:
            self._steps_asked -= 1
            return True
        self._steps_asked = 0
        return False

    async def _sleep(self, seconds: float) -> bool:
        """Wait so long or until a control action; return whether there was one."""
        if seconds <= 0:
            await asyncio.sleep(0)
            return False
        try:
            async with asyncio.timeout(seconds):
                await self._changed.wait()
        except TimeoutError:
            return False
        self._changed.clear()
        return True

    async def _guarded_pump(self) -> None:
        try:
            await self._pump()
        except asyncio.CancelledError:
            raise
        except Exception as error:
            self.failure = str(error) or type(error).__name__
            self._log.exception("The feed failed; no more ticks will come", error)
            raise

    # ------------------------------------------------------------ the data client's side

    async def _connect(self) -> None:
        for instrument in self._instrument_provider.list_all():
            # its ts_init also sets the paper venue's clock, so that an order sent before the
            # first tick is stamped with the market's time
            self._handle_data(instrument)

    async def _disconnect(self) -> None:
        if self._pump_task is not None:
            self._pump_task.cancel()
            await asyncio.gather(self._pump_task, return_exceptions=True)

    async def _accept(self, command: Any) -> None:
        """Accept a subscription: everything is published anyway."""

    _subscribe = _accept
    _subscribe_instruments = _accept
    _subscribe_instrument = _accept
    _subscribe_order_book_deltas = _accept
    _subscribe_order_book_depth = _accept
    _subscribe_quote_ticks = _accept
    _subscribe_trade_ticks = _accept
    _subscribe_bars = _accept
    _subscribe_instrument_status = _accept
    _subscribe_instrument_close = _accept
    _unsubscribe = _accept
    _unsubscribe_instruments = _accept
    _unsubscribe_instrument = _accept
    _unsubscribe_order_book_deltas = _accept
    _unsubscribe_order_book_depth = _accept
    _unsubscribe_quote_ticks = _accept
    _unsubscribe_trade_ticks = _accept
    _unsubscribe_bars = _accept
    _unsubscribe_instrument_status = _accept
    _unsubscribe_instrument_close = _accept
