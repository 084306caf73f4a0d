"""Importing a file into the history on behalf of a command, told as it goes on ``history.backfill``.

This module must not know of HTTP or of how files are read.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from data import topics
from data.bus import Bus, key_of
from data.commands import ImportHistory
from data.problems import ProblemError
from data.work import BackfillProgress

if TYPE_CHECKING:
    from data.history import History
    from data.importing import ImportReport

#: How long a backfill that has ended is told to those who come later.
_REMEMBERED = 20


class Imports:
    """Imports files, each in a thread of its own.

    Args:
        history: opens the history; called in a thread.
        bus: where progress is told.
        clock: UTC ns.
    """

    def __init__(
        self, history: Callable[[], History], bus: Bus, clock: Callable[[], int] = time.time_ns
    ) -> None:
        self._history = history
        self._bus = bus
        self._clock = clock
        self._ended: list[BackfillProgress] = []

    async def run(self, command: ImportHistory, command_id: str) -> ImportReport:
        """Import a file and return the report; raises what reading and storing raise, having told it."""
        progress = BackfillProgress(
            id=command_id,
            source="file",
            instrument=command.instrument,
            kind=command.kind,
            timeframe=command.timeframe,
            state="running",
            ts=self._clock(),
        )
        told = [progress]
        loop = asyncio.get_running_loop()

        def tell(**changed: object) -> None:
            """Tell how far it is; called in the thread."""
            told.append(msgspec.structs.replace(told[-1], ts=self._clock(), **changed))
            loop.call_soon_threadsafe(self._bus.publish, topics.BACKFILL, told[-1])

        try:
            report = await asyncio.to_thread(self._import, command, tell)
        except ProblemError as error:
            self._end(msgspec.structs.replace(told[-1], state="failed", problem=error.detail))
            raise
        self._end(
            msgspec.structs.replace(
                told[-1], state="done", rows_read=report.rows_read, rows_stored=_stored(report)
            )
        )
        return report

    def _import(self, command: ImportHistory, tell: Callable[..., None]) -> ImportReport:
        # Readers of files are loaded by the first import, not by every daemon.
        from data import importing, tabular

        path = Path(command.path)
        plan = importing.plan(
            path,
            command.instrument,
            kind=command.kind,
            period=command.timeframe,
            side=command.side,
            columns=command.columns,
            timezone=command.timezone,
        )
        unit = "rows" if plan.shape.kind == "parquet" else "bytes"
        tell(kind=plan.kind, timeframe=plan.timeframe, total=tabular.length(path, plan.shape), unit=unit)
        return importing.run(
            plan,
            self._history(),
            dry_run=command.dry_run,
            watch=lambda rows, done: tell(rows_read=rows, done=done),
        )

    def _end(self, progress: BackfillProgress) -> None:
        """Tell how it ended. Later readers are told of the latest that ended, not of all there ever were."""
        ended = msgspec.structs.replace(progress, ts=self._clock())
        self._bus.publish(topics.BACKFILL, ended)
        self._ended.append(ended)
        gone, self._ended = self._ended[:-_REMEMBERED], self._ended[-_REMEMBERED:]
        self._bus.forget(topics.BACKFILL, [key_of(one) for one in gone])


def _stored(report: ImportReport) -> int:
    return 0 if report.dry_run else report.imported
