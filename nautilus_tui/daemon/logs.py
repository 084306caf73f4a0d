"""Engines' log lines as asked for: the latest that were told, or the end of a silent engine's file.

This module must not know of HTTP.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from pathlib import Path
from typing import get_args

from data.paging import Page, cursor_after, keys_of
from data.paths import Home
from data.problems import InvalidRequestError
from data.records import EngineLog, LogLevel
from engines.loglines import parse
from nautilus_tui.daemon.present import Present

LEVELS: tuple[LogLevel, ...] = get_args(LogLevel)
#: How much of a log file's end is read.
TAIL_BYTES = 512 * 1024


class EngineLogs:
    """Answers questions about engines' logs."""

    def __init__(self, home: Home, present: Present) -> None:
        self._home = home
        self._present = present

    async def lines(
        self,
        engines: Sequence[str],
        *,
        level: str | None = None,
        client_order_id: str | None = None,
        contains: str | None = None,
        limit: int = 200,
        cursor: str | None = None,
    ) -> Page[EngineLog]:
        """Return engines' latest lines, oldest first; ``next`` leads to older ones, whatever comes meanwhile.

        One engine's own stay in the order in which it wrote them, those of several are in that of time.
        ``level`` is the least severe level shown; ``client_order_id`` and ``contains`` narrow it down.

        Raises:
            InvalidRequestError: the level or the cursor is none.
        """
        chosen: list[EngineLog] = []
        for engine in engines:
            known = self._present.log(engine)
            if not known:
                known = await asyncio.to_thread(_tail, engine, self._home.engine_log(engine))
            chosen += _chosen(known, level, client_order_id, contains)
        if len(engines) > 1:
            chosen.sort(key=lambda line: line.ts)
        end = len(chosen) if cursor is None else _place(chosen, cursor)
        start = max(end - limit, 0)
        return Page(chosen[start:end], _cursor(chosen, start) if start else None)


def _chosen(
    lines: Sequence[EngineLog], level: str | None, client_order_id: str | None, contains: str | None
) -> list[EngineLog]:
    least = 0
    if level is not None:
        if level not in LEVELS:
            raise InvalidRequestError(
                f"level {level!r} is not a log level",
                rule=f"a level is one of {', '.join(LEVELS)}",
                field="level",
                value=level,
            )
        least = LEVELS.index(level)
    words = (contains or "").lower()
    return [
        line
        for line in lines
        if LEVELS.index(line.level) >= least
        and client_order_id in (None, line.client_order_id)
        and (not words or words in line.message.lower() or words in line.component.lower())
    ]


def _cursor(lines: Sequence[EngineLog], start: int) -> str:
    """Return the cursor of what is older than a line: by its time, and how many of that time follow."""
    ts = lines[start].ts
    return cursor_after((ts, sum(line.ts == ts for line in lines[start:])))


def _place(lines: Sequence[EngineLog], cursor: str) -> int:
    """Return where the line of a cursor stands; 0: it is no longer kept, nor is what is older."""
    ts, follow = keys_of(cursor, ("ts", "seq"))
    for place in range(len(lines) - 1, -1, -1):
        follow -= lines[place].ts == ts
        if lines[place].ts == ts and not follow:
            return place
    return 0


def _tail(engine: str, path: Path) -> list[EngineLog]:
    try:
        with path.open("rb") as file:
            file.seek(0, 2)
            size = file.tell()
            file.seek(max(size - TAIL_BYTES, 0))
            text = file.read().decode("utf-8", "replace")
            changed = path.stat().st_mtime_ns
    except FileNotFoundError:
        return []
    lines = text.splitlines()[1 if size > TAIL_BYTES else 0 :]
    found = [parse(engine, line, min(changed, time.time_ns())) for line in lines]
    return [line for line in found if line is not None]
