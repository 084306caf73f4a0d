"""Where engines tell what happened: store, then remember as present, then publish.

Orders that an engine was sent and its journal does not know are followed here too: they become
``unknown`` when the engine is lost, and are resolved by its journal or, once it has told its whole
journal again, denied. This module must not know of commands or HTTP.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Coroutine, Sequence
from typing import Any, cast

import msgspec

from data.bus import Bus
from data.problems import ProblemError
from data.records import (
    AnyRecord,
    EngineLog,
    EngineStatus,
    JournalRecord,
    OrderUpdate,
    Record,
)
from data.state import State
from engines.spec import EngineSpec
from nautilus_tui.daemon.present import Present
from nautilus_tui.daemon.watch import OrderWatch

NEVER_JOURNALLED = "never reached the engine's journal"
_DOWN = frozenset({"stopped", "error", "starting"})
#: Heartbeats of a running engine, all of its journal told, after which an order it does not know is denied.
_BEATS = 2

logger = logging.getLogger(__name__)


class _Lost(msgspec.Struct):
    """An engine that was lost: since when, and how often it has been heard of, well and up to date, since."""

    ts: int
    beats: int = 0


class Sink:
    """Takes everything engines say."""

    def __init__(
        self,
        state: State,
        bus: Bus,
        present: Present,
        watch: OrderWatch,
        clock: Callable[[], int] = time.time_ns,
    ) -> None:
        self._state = state
        self._bus = bus
        self._present = present
        self._watch = watch
        self._clock = clock
        self._up: dict[str, int | None] = {}  # pid of each engine last heard of as up
        self._lost: dict[str, _Lost] = {}
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
        while self._chores:
            await asyncio.gather(*self._chores, return_exceptions=True)

    # ------------------------------------------------------------ EngineSink

    def last_seq(self, engine: str) -> int:
        """Return the last journal sequence number stored of an engine."""
        return self._state.last_seq(engine)

    async def journalled(self, engine: str, records: Sequence[JournalRecord]) -> None:
        """Store a journalled batch, then publish what it added."""
        folded = await self._state.fold(engine, records)
        if folded.missing is not None:
            first, last = folded.missing
            self.problems[engine] = f"journal entries {first} to {last} of {engine} are missing"
            self.log(engine, [self._line(engine, self.problems[engine])])
        self.told(folded.records)

    def told(self, records: Sequence[JournalRecord]) -> None:
        """Remember, publish and pass on records that are stored."""
        self._present.journalled(records)
        self._bus.publish_records(records)
        self._watch.notify(record for record in records if isinstance(record, OrderUpdate))

    def conflated(self, engine: str, records: Sequence[Record]) -> None:
        """Publish what only matters in its latest state."""
        self._bus.publish_records(cast("Sequence[AnyRecord]", records))  # the link carries no others

    def status(self, status: EngineStatus) -> None:
        """Publish an engine's state, and follow whether it is lost or back."""
        self._bus.publish_records((status,))
        engine = status.id
        if status.state in _DOWN:
            if engine in self._up:
                del self._up[engine]
                self._begin(self._lose(engine, f"the engine was lost: {status.reason or status.state}"))
            return
        before = self._up.get(engine, status.pid)
        self._up[engine] = status.pid
        if before != status.pid:
            self._begin(self._lose(engine, "the engine was restarted before it answered"))
        elif engine in self._lost:
            self._note_beat(status)

    def log(self, engine: str, lines: Sequence[EngineLog]) -> None:
        """Publish log lines."""
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
