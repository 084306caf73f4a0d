"""The tape as a NautilusTrader data client: history played in order of time, at any pace, with pause.

Ticks carry the market's time both as event and as receipt time, because the paper venue's clock
follows the receipt time: fills then carry the time of the market they happened in. The venue must be
of book type ``L1_MBP``: the history has no depth. The feed does nothing until ``begin``, so that a
node runs before the first tick; made paused it waits for ``resume``. A position on the tape is kept in
a checkpoint, so that a restarted engine plays on where it was. This module must not know of orders or
of where the tape comes from.
"""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any, Final

import msgspec
from nautilus_trader.config import LiveDataClientConfig
from nautilus_trader.model.data import QuoteTick, TradeTick
from nautilus_trader.model.enums import AggressorSide
from nautilus_trader.model.identifiers import InstrumentId, TradeId
from nautilus_trader.model.objects import FIXED_PRECISION

from data.records import FeedProgress, Instrument
from engines.market.sessions import Calendar
from engines.market.tape import BUYER, QUOTE, SELLER, Tape, TapeTicks
from engines.node.feed import BATCH, Feed

_NANOS: Final = 1_000_000_000
_CHECKPOINT_S: Final = 1.0
_AGGRESSORS: Final = {BUYER: AggressorSide.BUYER, SELLER: AggressorSide.SELLER}


class ReplayFeedConfig(LiveDataClientConfig, frozen=True):
    """Settings of the replay feed."""

    speed: Decimal = Decimal(0)  #: times real time; 0: as fast as it goes
    paused: bool = False
    skip_gap_s: int = 3600  #: stretches without ticks longer than this are passed over
    checkpoint_path: str | None = None  #: where the position on the tape is kept between runs


class _Position(msgspec.Struct, frozen=True):
    """How far which tape was played."""

    instruments: tuple[str, ...]
    ts_start: int
    ts_end: int
    played: int
    finished: bool


class _Units:
    """What turns an instrument's whole numbers into NautilusTrader's raw integers."""

    __slots__ = ("id", "price_factor", "price_precision", "quote", "size_factor", "size_precision")

    def __init__(self, instrument: Instrument) -> None:
        self.id = InstrumentId.from_str(instrument.id)
        self.price_precision = instrument.price_precision
        self.size_precision = instrument.size_precision
        self.price_factor: int = 10 ** (FIXED_PRECISION - instrument.price_precision)
        self.size_factor: int = 10 ** (FIXED_PRECISION - instrument.size_precision)
        self.quote: tuple[int, int, int, int] | None = None  # the standing quote, if there are quotes


class ReplayDataClient(Feed):
    """Plays a `Tape`."""

    def __init__(
        self,
        loop: asyncio.AbstractEventLoop,
        name: str,
        config: ReplayFeedConfig,
        tape: Tape,
        msgbus: Any,
        cache: Any,
        clock: Any,
    ) -> None:
        super().__init__(
            loop,
            name,
            msgbus,
            cache,
            clock,
            instruments=tape.instruments,
            calendar=Calendar({}, always_open=True),
            speed=config.speed,
            paused=config.paused,
            ts_start=tape.ts_start,
        )
        self._tape = tape
        self._units = [_Units(instrument) for instrument in tape.instruments]
        self._path = None if config.checkpoint_path is None else Path(config.checkpoint_path)
        self._checkpoint_due = 0.0
        self._skip_gap_ns = config.skip_gap_s * _NANOS
        self._ts_market = 0
        self._anchor: tuple[float, int] | None = None  # wall clock and market time that coincide
        self._played = 0  # ticks of the tape, also of earlier runs
        self._resume_at = self._load()
        self.resumed = self._resume_at > 0  #: whether the tape goes on where an earlier run stopped

    @property
    def market_ns(self) -> int:
        """Market time of the last tick played; the tape's start before the first."""
        return self._ts_market or self._tape.ts_start

    def sizes_known(self, instrument_id: str) -> bool:
        """Return whether an instrument's sizes are facts; if not, a stated large size stands in."""
        return instrument_id in self._tape.sizes_known

    def progress(self, engine: str) -> FeedProgress:
        """Return where the tape stands."""
        return FeedProgress(
            engine=engine,
            feed="replay",
            state=self.state,
            speed=float(self._speed),
            ts_market=self._ts_market,
            ts_start=self._tape.ts_start,
            ts_end=self._tape.ts_end,
            ticks_played=self._played,
            # what was left out is known only at the end
            ticks_total=self._played if self._finished else self._tape.ticks_total,
        )

    # ------------------------------------------------------------ the loop

    async def _pump(self) -> None:
        runs = iter(self._tape)
        coming = asyncio.ensure_future(asyncio.to_thread(_next, runs))  # read ahead, off the loop
        try:
            while (run := await coming) is not None:
                coming = asyncio.ensure_future(asyncio.to_thread(_next, runs))
                await self._play(self._unplayed(run))
        finally:
            coming.cancel()
        self._finished = True
        self._keep(now=True)
        skipped = self._tape.notes.text()
        self._log.info(
            f"The tape is finished: {self._played} ticks played"
            + (f"; left out: {skipped}" if skipped else "")
        )

    def _unplayed(self, run: TapeTicks) -> TapeTicks:
        """Leave out what an earlier run of the engine has played."""
        if self._resume_at <= self._played:
            return run
        skip = min(len(run), self._resume_at - self._played)
        self._played += skip
        return run.rows(slice(skip, None))

    async def _play(self, run: TapeTicks) -> None:
        at = 0
        while at < len(run):
            if await self._may_publish():
                self._anchor = None
                at += self._publish(run.rows(slice(at, at + 1)))
            else:
                at += await self._play_on(run, at)
            self._keep()

    async def _play_on(self, run: TapeTicks, at: int) -> int:
        """Publish what is due, at most one batch; return how many ticks that was."""
        due = len(run) - at
        speed = float(self._speed)
        if speed == 0:
            self._anchor = None
        else:
            due = self._due(run, at, speed)
            if due == 0:
                wait = (int(run.ts[at]) - self._market_now(speed)) / speed / _NANOS
                if await self._sleep(wait):
                    self._anchor = None  # control: the pace or the pause may have changed
                return 0
        count = self._publish(run.rows(slice(at, at + min(due, BATCH))))
        await asyncio.sleep(0)
        return count

    def _due(self, run: TapeTicks, at: int, speed: float) -> int:
        """Return how many of the ticks from ``at`` on are due by now."""
        ts = int(run.ts[at])
        if self._anchor is None or ts - self._ts_market > self._skip_gap_ns > 0:
            self._anchor = (time.monotonic(), ts)
        now = self._market_now(speed)
        return int(run.ts[at : at + BATCH].searchsorted(now, "right"))

    def _market_now(self, speed: float) -> int:
        if self._anchor is None:
            return self._ts_market
        wall, market = self._anchor
        return market + int((time.monotonic() - wall) * speed * _NANOS)

    def _publish(self, ticks: TapeTicks) -> int:
        rows = zip(
            ticks.ts.tolist(),
            ticks.instrument.tolist(),
            ticks.kind.tolist(),
            ticks.price.tolist(),
            ticks.ask.tolist(),
            ticks.size.tolist(),
            ticks.ask_size.tolist(),
            ticks.aggressor.tolist(),
            strict=True,
        )
        for ts, instrument, kind, price, ask, size, ask_size, aggressor in rows:
            units = self._units[instrument]
            self._played += 1
            if kind == QUOTE:
                units.quote = (price, ask, size, ask_size)
                self._publish_quote(units, units.quote, ts)
            else:
                self._publish_trade(units, price, size, aggressor, ts)
        self._ts_market = int(ticks.ts[-1])
        self.ticks += len(ticks)
        self.last_tick_ns = self._clock.timestamp_ns()
        return len(ticks)

    def _publish_quote(self, units: _Units, quote: tuple[int, int, int, int], ts: int) -> None:
        bid, ask, bid_size, ask_size = quote
        self._handle_data(
            QuoteTick.from_raw(
                units.id,
                bid * units.price_factor,
                ask * units.price_factor,
                units.price_precision,
                units.price_precision,
                bid_size * units.size_factor,
                ask_size * units.size_factor,
                units.size_precision,
                units.size_precision,
                ts,
                ts,
            )
        )

    def _publish_trade(self, units: _Units, price: int, size: int, aggressor: int, ts: int) -> None:
        self._handle_data(
            TradeTick.from_raw(
                units.id,
                price * units.price_factor,
                units.price_precision,
                size * units.size_factor,
                units.size_precision,
                _AGGRESSORS.get(aggressor, AggressorSide.NO_AGGRESSOR),
                TradeId(f"R{self._played}"),
                ts,
                ts,
            )
        )
        if units.quote is not None:
            # the venue's one-level book takes a trade's price for both sides: the quote still stands
            self._publish_quote(units, units.quote, ts)

    # ------------------------------------------------------------ the checkpoint

    def _position(self) -> _Position:
        tape = self._tape
        ids = tuple(instrument.id for instrument in tape.instruments)
        return _Position(ids, tape.ts_start, tape.ts_end, self._played, self._finished)

    def _load(self) -> int:
        """Return how many ticks of this very tape were played before; 0 to start at its beginning."""
        if self._path is None or not self._path.exists():
            return 0
        try:
            saved = msgspec.json.decode(self._path.read_bytes(), type=_Position)
        except (msgspec.MsgspecError, OSError) as error:
            self._log.warning(f"The replay starts at the beginning: {error}")
            return 0
        fresh = self._position()
        same = (saved.instruments, saved.ts_start, saved.ts_end) == (
            fresh.instruments,
            fresh.ts_start,
            fresh.ts_end,
        )
        return saved.played if same and not saved.finished else 0

    def _keep(self, *, now: bool = False) -> None:
        """Write the position, at most once a second unless ``now``."""
        clock = time.monotonic()
        if self._path is None or (not now and clock < self._checkpoint_due):
            return
        self._checkpoint_due = clock + _CHECKPOINT_S
        part = self._path.with_suffix(".part")
        try:
            part.write_bytes(msgspec.json.encode(self._position()))
            os.replace(part, self._path)
        except OSError as error:
            self._log.error(f"The replay's position cannot be written: {error}")

    async def _disconnect(self) -> None:
        await super()._disconnect()
        if self._begun:
            self._keep(now=True)


def _next(runs: Iterator[TapeTicks]) -> TapeTicks | None:
    return next(runs, None)
