"""Brings what a gate goes by to the engines that run, and goes on until each of them has it on its own disk.

An engine that does not run gets it when it is connected, before it counts as running. This module must not
know what is in a book, or who changed it.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Iterable
from typing import Final, Literal, Protocol

import msgspec

from data.limits import GateBook
from data.problems import OutcomeUnknownError, ProblemError, UnavailableError
from data.records import EngineStatus

#: States in which an engine can be told something.
_UP: Final = frozenset({"running", "degraded"})
#: States in which there is nobody to tell.
_DOWN: Final = frozenset({"stopped", "error"})
_ROUND_S: Final = 1.0

logger = logging.getLogger(__name__)


class Engines(Protocol):
    """What is asked of the engines."""

    def statuses(self) -> list[EngineStatus]:
        """Return the state of every engine."""

    async def set_limits(self, book: GateBook) -> None:
        """Return when the engine has a book on its disk.

        Raises:
            UnavailableError: It does not run, or cannot write.
            OutcomeUnknownError: It did not answer.
            ProblemError: It could not keep it.
        """


class Delivery(msgspec.Struct, frozen=True, kw_only=True):
    """Whether an engine goes by a change."""

    engine: str
    state: Literal["in_force", "at_next_start", "unknown", "failed"]
    detail: str | None = None


class Deliveries:
    """What each engine goes by, as far as it has confirmed it.

    Args:
        engines: Who is told.
        book_of: What an engine's gate is to go by now.
        behind: Called with an engine that runs without the latest, and why; with None once it has it.
    """

    def __init__(
        self,
        engines: Engines,
        book_of: Callable[[str], GateBook],
        behind: Callable[[str, str | None], None],
    ) -> None:
        self._engines = engines
        self._book_of = book_of
        self._behind = behind
        self._wanted: dict[str, int] = {}
        self._confirmed: dict[str, int] = {}
        self._late: set[str] = set()
        self._locks: dict[str, asyncio.Lock] = {}
        self._rounds: asyncio.Task[None] | None = None

    def open(self) -> None:
        """Begin to look after engines that have not confirmed."""
        self._rounds = asyncio.get_running_loop().create_task(self._make_rounds())

    async def close(self) -> None:
        """Stop looking after them."""
        if self._rounds is not None:
            self._rounds.cancel()
            await asyncio.gather(self._rounds, return_exceptions=True)

    async def deliver(self, engines: Iterable[str], version: int) -> tuple[Delivery, ...]:
        """Tell engines, all at once, what they go by from ``version`` on; return how each stands."""
        named = sorted(engines)
        for engine in named:
            self._wanted[engine] = max(self._wanted.get(engine, 0), version)
        return tuple(await asyncio.gather(*(self._tell(engine, version) for engine in named)))

    async def _tell(self, engine: str, version: int) -> Delivery:
        if self._state(engine) in _DOWN:
            return self._later(engine)
        async with self._locks.setdefault(engine, asyncio.Lock()):
            if self._confirmed.get(engine, -1) >= version:
                return Delivery(engine=engine, state="in_force")
            book = self._book_of(engine)
            try:
                await self._engines.set_limits(book)
            except OutcomeUnknownError as error:
                return self._not_yet(engine, "unknown", error)
            except ProblemError as error:
                if isinstance(error, UnavailableError) and self._state(engine) not in _UP:
                    return self._later(engine)
                return self._not_yet(engine, "failed", error)
            self._confirmed[engine] = book.version
        if engine in self._late:
            self._late.discard(engine)
            self._behind(engine, None)
        return Delivery(engine=engine, state="in_force")

    def _later(self, engine: str) -> Delivery:
        self._confirmed.pop(engine, None)
        return Delivery(
            engine=engine,
            state="at_next_start",
            detail=f"{engine} is {self._state(engine)} and gets it before it runs",
        )

    def _not_yet(self, engine: str, state: Literal["unknown", "failed"], error: ProblemError) -> Delivery:
        self._confirmed.pop(engine, None)
        self._late.add(engine)
        self._behind(engine, error.detail)
        return Delivery(engine=engine, state=state, detail=error.detail)

    def _state(self, engine: str) -> str:
        return next((one.state for one in self._engines.statuses() if one.id == engine), "stopped")

    async def _make_rounds(self) -> None:
        while True:
            await asyncio.sleep(_ROUND_S)
            for status in self._engines.statuses():
                if status.state in _DOWN:
                    self._confirmed.pop(status.id, None)  # it is told all of it when it is connected
            behind = [one for one in self._engines.statuses() if one.state in _UP and self._is_behind(one)]
            for delivery in await asyncio.gather(
                *(self._tell(one.id, self._wanted[one.id]) for one in behind)
            ):
                logger.info("limits of engine %s: %s", delivery.engine, delivery.detail or delivery.state)

    def _is_behind(self, status: EngineStatus) -> bool:
        has = max(self._confirmed.get(status.id, -1), status.limits_version or -1)
        if status.id in self._late:
            return True
        return has < self._wanted.get(status.id, -1)
