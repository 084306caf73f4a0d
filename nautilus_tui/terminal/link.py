"""The terminal's line to a daemon: one stream to listen to, one client to ask and command with.

All input and output of the terminal goes through here. ``Link`` is what the application needs;
``DaemonLink`` is the real one. It must not know of Textual or of what is done with the answers.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Collection, Sequence
from importlib import import_module
from typing import TYPE_CHECKING, Protocol

from data.commands import AnyCommand, Outcome, PreviewOrder
from data.limits import LimitEffect
from data.problems import NotFoundError
from data.records import Bar, EngineLog, EngineStatus, Instrument
from nautilus_tui.terminal.questions.question import Question

if TYPE_CHECKING:
    from nautilus_tui.client import Address, ApiClient
    from nautilus_tui.client.stream import StreamClient, StreamEvent

#: What every terminal listens to, whatever is selected.
ALWAYS = (
    "quotes.>",
    "marks.*",
    "orders.*",
    "fills.*",
    "positions.*",
    "account.*",
    "engines.*.status",
    "engines.*.feed",
    "engines.*.log",
    "system.health",
    "system.broadcast",
    "system.authority",
    "macro.factors",
    "macro.regime",
    "filings",
    "providers.*.health",
    "risk.limits",
    "risk.breaches",
    "risk.alerts",
    "risk.forecast",
    "risk.kill",
)
_BARS = 600
_LOG_LINES = 300


class Link(Protocol):
    """What the application asks of a line to a daemon. Failures are ``ProblemError``."""

    @property
    def target(self) -> str:
        """Where the daemon is, in words."""

    def listen(self) -> AsyncIterator[StreamEvent]:
        """Yield what happens, reconnecting until closed."""

    async def watch(self, topics: Collection[str]) -> None:
        """Listen to these besides what is always listened to, and to no other."""

    async def execute(self, command: AnyCommand, command_id: str) -> Outcome:
        """Send a command and return how it ended."""

    async def preview(self, order: PreviewOrder) -> Sequence[LimitEffect]:
        """Return what an order would do to every limit of its engine's gate; nothing is sent."""

    async def engines(self) -> Sequence[EngineStatus]:
        """Return every engine known."""

    async def instruments(self, engine: str) -> Sequence[Instrument]:
        """Return what an engine trades."""

    async def bars(self, engine: str, instrument: str, timeframe: str) -> Sequence[Bar]:
        """Return the latest bars, oldest first."""

    async def logs(self, engine: str) -> Sequence[EngineLog]:
        """Return the latest log lines, oldest first."""

    async def ask[T](self, question: Question[T]) -> T:
        """Return the answer to a question."""

    async def close(self) -> None:
        """End it."""


class DaemonLink:
    """A link to a real daemon. Clients are loaded on first use, so that the screen is painted before.

    Args:
        address: where the daemon is asked and commanded.
        streams: where it is listened to, in turn; the daemon alone if left out.
    """

    def __init__(self, address: Address, streams: Sequence[Address] = ()) -> None:
        self.address = address
        self._streams = tuple(streams) or (address,)
        self._api: ApiClient | None = None
        self._stream: StreamClient | None = None
        self._watched: set[str] = set()

    @property
    def target(self) -> str:
        """Where the daemon is, in words."""
        return str(self.address)

    async def _client(self) -> ApiClient:
        if self._api is None:
            # Loading takes a fifth of a second, in which the screen must not stand still.
            await asyncio.to_thread(import_module, "nautilus_tui.client.api")
            from nautilus_tui.client.api import ApiClient

            self._api = self._api or ApiClient(self.address)
        return self._api

    async def listen(self) -> AsyncIterator[StreamEvent]:
        """Yield what happens, reconnecting until closed."""
        await asyncio.to_thread(import_module, "nautilus_tui.client.stream")
        from nautilus_tui.client.stream import StreamClient

        self._stream = StreamClient(self._streams, {*ALWAYS, *self._watched})
        async for event in self._stream:
            yield event

    async def watch(self, topics: Collection[str]) -> None:
        """Listen to these besides what is always listened to, and to no other."""
        wanted = set(topics)
        gone, new = self._watched - wanted, wanted - self._watched
        self._watched = wanted
        if self._stream is not None:
            if gone:
                await self._stream.unsubscribe(*gone)
            if new:
                await self._stream.subscribe(*new)

    async def execute(self, command: AnyCommand, command_id: str) -> Outcome:
        """Send a command and return how it ended."""
        return await (await self._client()).execute(command, command_id=command_id)

    async def preview(self, order: PreviewOrder) -> Sequence[LimitEffect]:
        """Return what an order would do to every limit of its engine's gate; nothing is sent."""
        return await (await self._client()).preview(order)

    async def engines(self) -> Sequence[EngineStatus]:
        """Return every engine known."""
        return await (await self._client()).engines()

    async def instruments(self, engine: str) -> Sequence[Instrument]:
        """Return what an engine trades."""
        return await (await self._client()).instruments(engine)

    async def bars(self, engine: str, instrument: str, timeframe: str) -> Sequence[Bar]:
        """Return the latest bars, oldest first; none where there is no history yet."""
        try:
            return await (await self._client()).bars(instrument, timeframe, limit=_BARS, engine=engine)
        except NotFoundError:
            return ()

    async def logs(self, engine: str) -> Sequence[EngineLog]:
        """Return the latest log lines, oldest first."""
        return (await (await self._client()).engine_logs(engine, limit=_LOG_LINES)).items

    async def ask[T](self, question: Question[T]) -> T:
        """Return the answer to a question."""
        return await question.put_to(await self._client())

    async def close(self) -> None:
        """End it."""
        if self._stream is not None:
            await self._stream.close()
        if self._api is not None:
            await self._api.close()
