"""The line of a terminal that opens before its daemon is ready: it waits, then starts the default engine.

So the screen is painted first. This module must not know what is on it.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import TYPE_CHECKING

from data.commands import StartEngine
from data.problems import ProblemError
from nautilus_tui.client.ids import mint_command_id
from nautilus_tui.terminal.link import DaemonLink

if TYPE_CHECKING:
    from nautilus_tui.client import Address
    from nautilus_tui.client.stream import StreamEvent

_ACTIVE = frozenset({"starting", "running", "degraded", "stopping"})


class OpeningLink(DaemonLink):
    """A link to a daemon that is being started.

    Args:
        address: where the daemon will be.
        wait: blocks until it answers; raises UnavailableError when it will not.
        engine: started once it answers, unless it runs.
        logs: where to leave word of an engine that was not started.
    """

    def __init__(self, address: Address, wait: Callable[[], None], engine: str, logs: Path) -> None:
        super().__init__(address)
        self._wait = wait
        self._engine = engine
        self._log = logs / "terminal.log"
        self._starting: asyncio.Task[None] | None = None

    async def listen(self) -> AsyncIterator[StreamEvent]:
        """Wait for the daemon, then yield what happens; raises what the wait raises."""
        await asyncio.to_thread(self._wait)
        self._starting = asyncio.create_task(self._start_engine())
        async for event in super().listen():
            yield event

    async def _start_engine(self) -> None:
        """Start the engine unless it runs; the screen shows its state, and the reason if it fails."""
        try:
            states = {engine.id: engine.state for engine in await self.engines()}
            if states.get(self._engine) not in _ACTIVE:
                await self.execute(StartEngine(engine=self._engine), mint_command_id())
        except ProblemError as error:
            with self._log.open("a") as log:
                log.write(f"{time.ctime()} the engine {self._engine} was not started: {error.detail}\n")

    async def close(self) -> None:
        """End it."""
        if self._starting is not None:
            self._starting.cancel()
        await super().close()
