"""The daemon's end of the link to one engine: stores what is journalled, passes on the rest.

This module must not know how engines are started or restarted.
"""

from __future__ import annotations

import asyncio
import time
import uuid
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Protocol

from data.commands import EngineCommand
from data.facts import Record
from data.limits import GateBook
from data.problems import OutcomeUnknownError, UnavailableError, from_document
from data.records import EngineLog, EngineStatus, JournalRecord
from engines import link
from engines.link import (
    Ack,
    Conflated,
    Heartbeat,
    Hello,
    Journalled,
    Logs,
    Reply,
    Request,
    SetLimits,
    Stop,
    Welcome,
)
from engines.spec import EngineSpec


class EngineSink(Protocol):
    """Where everything that engines say goes."""

    def last_seq(self, engine: str) -> int:
        """Return the last journal sequence number that is stored for an engine."""

    async def journalled(self, engine: str, records: Sequence[JournalRecord]) -> None:
        """Take records for the store and publish them; they count as delivered when this returns."""

    def conflated(self, engine: str, records: Sequence[Record]) -> None:
        """Publish the latest of things of which only the latest matters."""

    def status(self, status: EngineStatus) -> None:
        """Publish an engine's state."""

    def log(self, engine: str, lines: Sequence[EngineLog]) -> None:
        """Publish log lines."""

    def spec_changed(self, spec: EngineSpec) -> None:
        """Keep an engine's settings."""


class Connection:
    """One living connection to one engine."""

    def __init__(self, engine: str, sink: EngineSink, on_status: Callable[[EngineStatus], None]) -> None:
        self._engine = engine
        self._sink = sink
        self._on_status = on_status
        self._writer: asyncio.StreamWriter | None = None
        self._waiting: dict[str, asyncio.Future[Reply]] = {}
        self._reading: asyncio.Task[None] | None = None
        self.welcome: Welcome | None = None
        self.heard_at = time.monotonic()
        self.closed = asyncio.Event()
        self.failure: str | None = None

    async def open(self, path: Path) -> Welcome:
        """Connect, introduce the daemon and return the engine's welcome.

        Raises
        ------
        UnavailableError
            If nobody listens, or what answers is no engine of this version.

        """
        try:
            reader, self._writer = await asyncio.open_unix_connection(path)
        except OSError as error:
            raise UnavailableError(
                f"engine {self._engine} cannot be reached: {error}", fix="start the engine"
            ) from error
        hello = Hello(link.PROTOCOL_VERSION, self._sink.last_seq(self._engine), "daemon")
        self._writer.write(link.encode(hello))
        try:
            (message, *rest) = await link.read_from_engine(reader)
        except (asyncio.IncompleteReadError, ConnectionError) as error:
            raise UnavailableError(f"engine {self._engine} closed the link before it answered") from error
        if not isinstance(message, Welcome):
            raise UnavailableError(f"engine {self._engine} did not say welcome")
        self.welcome = message
        self._reading = asyncio.get_running_loop().create_task(self._read(reader, rest))
        self._on_status(message.status)
        self._sink.log(self._engine, message.logs)
        return message

    async def _read(self, reader: asyncio.StreamReader, first: Sequence[link.FromEngine]) -> None:
        try:
            for message in first:
                await self._take(message)
            while True:
                for message in await link.read_from_engine(reader):
                    await self._take(message)
                self.heard_at = time.monotonic()
        except (asyncio.IncompleteReadError, ConnectionError) as error:
            self.failure = f"the link closed ({type(error).__name__})"
        except UnavailableError as error:
            self.failure = error.detail
        finally:
            self._fail_waiting()
            if self._writer is not None:
                self._writer.close()
            self.closed.set()

    async def _take(self, message: link.FromEngine) -> None:
        match message:
            case Journalled(records):
                await self._sink.journalled(self._engine, records)
                self._write(link.encode(Ack(records[-1].seq)))
            case Conflated(records):
                self._sink.conflated(self._engine, records)
            case Heartbeat(status):
                self._on_status(status)
            case Logs(lines):
                self._sink.log(self._engine, lines)
            case Reply(command_id):
                future = self._waiting.pop(command_id, None)
                if future is not None and not future.done():
                    future.set_result(message)
            case Welcome():
                raise UnavailableError("engine link: welcome is said once")

    async def execute(self, command: EngineCommand, timeout: float) -> Reply:
        """Have a command carried out and return the engine's reply.

        Raises
        ------
        OutcomeUnknownError
            If no reply came: the command may or may not have been carried out.
        ProblemError
            What the engine answered, if it did not do it.

        """
        fix = "look at the order's state before sending anything else"
        return await self._ask(Request(uuid.uuid4().hex, command), timeout, fix)

    async def set_limits(self, book: GateBook, timeout: float) -> None:
        """Have the engine's gate go by a book; returns when it is on the engine's disk.

        Raises
        ------
        OutcomeUnknownError
            If no reply came.
        ProblemError
            What the engine answered, if it could not keep it.

        """
        fix = "the limits are sent again when the engine is reached"
        await self._ask(SetLimits(uuid.uuid4().hex, book), timeout, fix)

    async def _ask(self, message: Request | SetLimits, timeout: float, fix: str) -> Reply:
        future: asyncio.Future[Reply] = asyncio.get_running_loop().create_future()
        if self.closed.is_set():
            raise UnavailableError(f"engine {self._engine}: the link is lost", fix=fix)
        self._waiting[message.id] = future
        self._write(link.encode(message))
        try:
            async with asyncio.timeout(timeout):
                reply = await future
        except TimeoutError:
            raise OutcomeUnknownError(
                f"engine {self._engine} did not answer within {timeout:g} s",
                rule="silence is not a rejection",
                fix=fix,
            ) from None
        finally:
            self._waiting.pop(message.id, None)
        if not reply.ok and reply.problem is not None:
            raise from_document(reply.problem)
        return reply

    def ask_to_stop(self, reason: str, *, emergency: bool) -> None:
        """Ask the engine to stop."""
        self._write(link.encode(Stop(reason, emergency)))

    def _write(self, frame: bytes) -> None:
        if self._writer is not None and not self._writer.is_closing():
            self._writer.write(frame)

    def _fail_waiting(self) -> None:
        waiting, self._waiting = self._waiting, {}
        for future in waiting.values():
            if not future.done():
                future.set_exception(
                    OutcomeUnknownError(
                        f"engine {self._engine}: the link was lost before it answered",
                        rule="silence is not a rejection",
                        fix="look at the order's state once the engine is back",
                    )
                )

    async def close(self) -> None:
        """Leave the engine alone from now on."""
        if self._reading is not None:
            self._reading.cancel()
            await asyncio.gather(self._reading, return_exceptions=True)
