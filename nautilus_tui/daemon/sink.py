"""Where engines tell what happened: queued for the store, remembered as present, published.

What is journalled is on the engine's disk already, so it is published while it is being stored;
questions to the store wait for what is queued, so nobody is told one thing and reads another. A
daemon that dies in between is told again from where its store ends.

Orders that an engine was sent and its journal does not know are followed here too: they become
``unknown`` when the engine is lost, and are resolved by its journal or, once it has told its whole
journal again, denied. This module must not know of commands or HTTP.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections import deque
from collections.abc import Callable, Coroutine, Iterable, Sequence
from contextlib import suppress
from typing import Any, cast

import msgspec

from data.bus import Bus
from data.facts import Record
from data.fold import Folded
from data.problems import NotFoundError, ProblemError
from data.records import (
    AnyRecord,
    Bar,
    EngineLog,
    EngineStatus,
    Fill,
    JournalRecord,
    OrderUpdate,
)
from data.state import State
from engines.spec import EngineSpec
from nautilus_tui.daemon.present import FillKey, Present
from nautilus_tui.daemon.watch import OrderWatch

NEVER_JOURNALLED = "never reached the engine's journal"
_DOWN = frozenset({"stopped", "error", "starting"})
#: Heartbeats of a running engine, all of its journal told, after which an order it does not know is denied.
_BEATS = 2
_NEVER = -1  #: the pid of no process
#: Batches of one engine that may be on their way into the store before the engine has to wait.
_AHEAD = 256
#: A store that failed is tried again after so many seconds.
_RETRY_S = 1.0
#: Fills of one engine that are remembered, so that one told twice is published once.
_FILLS = 10_000

type _Series = tuple[str, str, str]  #: instrument, timeframe, price side of bars

logger = logging.getLogger(__name__)


class _Told:
    """How far an engine's journal was heard, and what of it is still on its way into the store."""

    def __init__(self, seq: int, fills: Iterable[FillKey]) -> None:
        self.seq = seq
        self.storing: deque[asyncio.Future[Folded]] = deque()
        self._fills = dict.fromkeys(fills)

    def fresh(self, records: Sequence[JournalRecord]) -> list[JournalRecord]:
        """Return the records that were not heard before, and note them."""
        found = []
        for record in records:
            if record.seq <= self.seq:
                continue
            self.seq = record.seq
            if isinstance(record, Fill) and not self._is_first(record):
                continue
            found.append(record)
        return found

    def _is_first(self, fill: Fill) -> bool:
        key = (fill.trade_id, fill.client_order_id)
        if key in self._fills:
            return False
        self._fills[key] = None
        if len(self._fills) > _FILLS:
            del self._fills[next(iter(self._fills))]
        return True


class _Lost(msgspec.Struct):
    """An engine that was lost: since when, and how often it has been heard of, well and up to date, since."""

    ts: int
    beats: int = 0


class Sink:
    """Takes everything engines say.

    Args:
        state: where journals are folded.
        bus, present, watch: who is told.
        journal: reads the next records of an engine's journal file after a sequence number; blocks.
        clock: UTC ns.
    """

    def __init__(
        self,
        state: State,
        bus: Bus,
        present: Present,
        watch: OrderWatch,
        journal: Callable[[str, int], Sequence[JournalRecord]],
        clock: Callable[[], int] = time.time_ns,
    ) -> None:
        self._state = state
        self._bus = bus
        self._present = present
        self._watch = watch
        self._clock = clock
        self._journal = journal
        self._closing = asyncio.Event()
        self._behind: set[str] = set()  # engines whose journal is being stored from its file
        self._told: dict[str, _Told] = {}
        self._up: dict[str, int | None] = {}  # pid of each engine last heard of as up
        self._lost: dict[str, _Lost] = {}
        self._runs: dict[str, int] = {}  # when each engine was started last
        self._closed: dict[str, dict[_Series, int]] = {}  # start of the last bar that closed, in that run
        self._chores: set[asyncio.Task[None]] = set()
        self.problems: dict[str, str] = {}  #: what went wrong for good, by engine

    # ------------------------------------------------------------ the life of the daemon

    async def open(self) -> None:
        """Mark orders that were sent by a daemon before this one and got no answer as unknown."""
        orders = (await self._state.orders(statuses={"sent", "unknown"}, limit=100_000)).items
        for engine in {order.engine for order in orders if not order.seq}:
            await self._lose(engine, "the daemon was restarted before the engine answered")

    async def close(self) -> None:
        """Wait for what is still being written."""
        self._closing.set()
        for told in self._told.values():
            if told.storing:
                await asyncio.wait(told.storing)
        while self._chores:
            await asyncio.gather(*self._chores, return_exceptions=True)
            await asyncio.sleep(0)  # those that ended are taken out by the loop, which a gather need not run

    # ------------------------------------------------------------ EngineSink

    def last_seq(self, engine: str) -> int:
        """Return the last journal sequence number stored of an engine."""
        return self._state.last_seq(engine)

    async def journalled(self, engine: str, records: Sequence[JournalRecord]) -> None:
        """Queue a journalled batch for the store and publish what is new in it.

        What was heard before is not published again. A store that fails does not cut the engine off:
        its journal is read again, from where the store ends, until the store has all of it.
        """
        told = self._told.get(engine)
        if told is None:
            told = self._told[engine] = _Told(self.last_seq(engine), self._present.fill_keys(engine))
        if engine not in self._behind:
            storing = self._state.fold(engine, records)
            storing.add_done_callback(lambda done: self._on_stored(engine, done))
            told.storing.append(storing)
        self.told(told.fresh(records))
        while told.storing and (told.storing[0].done() or len(told.storing) > _AHEAD):
            await asyncio.wait([told.storing.popleft()])

    def _on_stored(self, engine: str, stored: asyncio.Future[Folded]) -> None:
        error = stored.exception()
        if error is not None:
            if engine not in self._behind:
                self._behind.add(engine)
                self.problems[f"store of {engine}"] = f"the journal of {engine} is not stored: {error}"
                self._begin(self._catch_up(engine))
            return
        missing = stored.result().missing
        if missing is not None:
            first, last = missing
            self.problems[engine] = f"journal entries {first} to {last} of {engine} are missing"
            self.log(engine, [self._line(engine, self.problems[engine])])

    async def _catch_up(self, engine: str) -> None:
        """Store what an engine's journal has beyond the store, until there is nothing more of it."""
        told = self._told[engine]
        while self.last_seq(engine) < told.seq:
            try:
                records = await asyncio.to_thread(self._journal, engine, self.last_seq(engine))
                if not records:
                    raise NotFoundError(f"the journal ends before entry {told.seq}")
                await self._state.fold(engine, records)
            except ProblemError as error:
                logger.warning("the journal of %s is not stored: %s", engine, error.detail)
                if self._closing.is_set():
                    return
                await self._pause()
        self._behind.discard(engine)
        self.problems.pop(f"store of {engine}", None)

    async def _pause(self) -> None:
        with suppress(TimeoutError):
            await asyncio.wait_for(self._closing.wait(), _RETRY_S)

    def told(self, records: Sequence[JournalRecord]) -> None:
        """Remember, publish and pass on records that are stored or queued for it."""
        self._present.journalled(records)
        self._bus.publish_records(records)
        self._watch.notify(record for record in records if isinstance(record, OrderUpdate))

    def conflated(self, engine: str, records: Sequence[Record]) -> None:
        """Publish what only matters in its latest state, and bars that closed.

        An engine begins each conversation with the bars that closed last, told before or not.
        """
        told = self._closed.setdefault(engine, {})
        news = [record for record in records if not (isinstance(record, Bar) and _is_old(record, told))]
        self._bus.publish_records(cast("Sequence[AnyRecord]", news))  # the link carries no others

    def status(self, status: EngineStatus) -> None:
        """Publish an engine's state, and follow whether it is lost or back."""
        self._bus.publish_records((status,))
        engine = status.id
        if status.ts_started is not None and self._runs.get(engine) != status.ts_started:
            # Another run may be of another time: a replay that begins again closes the same bars again.
            self._runs[engine] = status.ts_started
            self._closed.pop(engine, None)
        if status.state in _DOWN:
            reason = f"the engine was lost: {status.reason or status.state}"
            was_up = self._up.pop(engine, _NEVER) != _NEVER
            if status.state == "stopped" and (was_up or engine in self._lost):
                self._begin(self._bury(engine, reason))
            elif was_up:
                self._begin(self._lose(engine, reason))
            return
        before = self._up.get(engine, status.pid)
        self._up[engine] = status.pid
        if before != status.pid:
            self._begin(self._lose(engine, "the engine was restarted before it answered"))
        elif engine in self._lost:
            self._note_beat(status)

    def log(self, engine: str, lines: Sequence[EngineLog]) -> None:
        """Publish log lines; an engine begins each conversation with its latest, told before or not."""
        known = self._present.log(engine)
        if lines and known and lines[0].ts <= known[-1].ts:
            told = set(known)
            lines = [line for line in lines if line not in told]
        self._present.logged(engine, lines)
        self._bus.publish_records(lines)

    def spec_changed(self, spec: EngineSpec) -> None:
        """Keep an engine's settings."""
        self._begin(self._state.put_engine_spec(spec.engine, msgspec.json.encode(spec).decode()))

    # ------------------------------------------------------------ lost and found

    async def _lose(self, engine: str, reason: str) -> None:
        now = self._clock()
        self.told(await self._state.lose(engine, reason, now))
        self._lost[engine] = _Lost(now)

    async def _bury(self, engine: str, reason: str) -> None:
        """Deny what an engine that is gone never journalled: its whole journal has been told."""
        await self._lose(engine, reason)
        await self._find(engine, self._lost.pop(engine).ts)

    def _note_beat(self, status: EngineStatus) -> None:
        lost = self._lost[status.id]
        up_to_date = status.journal_seq is not None and status.journal_seq <= self.last_seq(status.id)
        lost.beats = lost.beats + 1 if up_to_date else 0
        if lost.beats >= _BEATS:
            del self._lost[status.id]
            self._begin(self._find(status.id, lost.ts))

    async def _find(self, engine: str, lost_ts: int) -> None:
        self.told(
            await self._state.deny_unjournalled(
                engine, None, NEVER_JOURNALLED, self._clock(), lost_before=lost_ts
            )
        )

    def _line(self, engine: str, message: str) -> EngineLog:
        return EngineLog(engine=engine, level="error", component="daemon", message=message, ts=self._clock())

    def _begin(self, work: Coroutine[Any, Any, None]) -> None:
        """Do something that must be written, while the caller goes on."""
        task = asyncio.get_running_loop().create_task(self._guarded(work))
        self._chores.add(task)
        task.add_done_callback(self._chores.discard)

    async def _guarded(self, work: Coroutine[Any, Any, None]) -> None:
        try:
            await work
        except ProblemError as error:
            logger.error("not written: %s", error.detail)
            self.problems["store"] = error.detail


def _is_old(bar: Bar, told: dict[_Series, int]) -> bool:
    """Tell whether a bar that closed was told before, and note it if not."""
    if not bar.closed:
        return False
    series = (bar.instrument, bar.timeframe, bar.side)
    if bar.ts <= told.get(series, -1):
        return True
    told[series] = bar.ts
    return False
