"""A desk: the whole terminal over the fixed scene, on a line whose other end the test plays."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Collection, Sequence
from dataclasses import replace
from typing import Any, cast

from textual.pilot import Pilot

from data.commands import AnyCommand, Outcome, PreviewOrder
from data.limits import LimitEffect
from data.problems import ProblemError, UnavailableError
from data.records import Bar, EngineLog, EngineStatus, Instrument
from nautilus_tui.client.stream import ConnectionChanged, StreamEvent
from nautilus_tui.terminal.app import Terminal
from nautilus_tui.terminal.link import Link
from nautilus_tui.terminal.questions import Question
from nautilus_tui.terminal.settings import TerminalSettings
from tests.terminal import scene

CONNECTED = ConnectionChanged(
    "connected", scene.NOW - 600 * scene.SECOND, epoch="one", role="trader", name="you"
)


class Line(Link):
    """The other end of the line: what the test lets it say, and what it was asked."""

    target = "the scene"

    def __init__(self) -> None:
        self.events: asyncio.Queue[StreamEvent | None] = asyncio.Queue()
        self.role = "trader"  #: as whom the daemon answers
        self.commands: list[tuple[AnyCommand, str]] = []
        self.answers: asyncio.Queue[Outcome | ProblemError] = asyncio.Queue()
        self.previews: list[PreviewOrder] = []
        self.many_limits = False  #: more than those an engine begins with
        self.no_preview: ProblemError | None = None  #: raised instead of an answer
        self.watched: list[tuple[str, ...]] = []
        self.asked: list[Question[Any]] = []
        self.facts: dict[Question[Any], Any] = {}  #: what is answered; a ``ProblemError`` is raised

    async def listen(self) -> AsyncIterator[StreamEvent]:
        yield replace(CONNECTED, role=self.role)
        while (event := await self.events.get()) is not None:
            yield event

    async def watch(self, topics: Collection[str]) -> None:
        self.watched.append(tuple(topics))

    async def execute(self, command: AnyCommand, command_id: str) -> Outcome:
        self.commands.append((command, command_id))
        answer = await self.answers.get()
        if isinstance(answer, ProblemError):
            raise answer
        return answer

    async def preview(self, order: PreviewOrder) -> Sequence[LimitEffect]:
        self.previews.append(order)
        if self.no_preview is not None:
            raise self.no_preview
        return scene.effects(order, many=self.many_limits)

    async def engines(self) -> Sequence[EngineStatus]:
        return scene.engines()

    async def instruments(self, engine: str) -> Sequence[Instrument]:
        return scene.instruments() if engine == scene.ENGINE else []

    async def bars(self, engine: str, instrument: str, timeframe: str) -> Sequence[Bar]:
        return [] if instrument != "AAPL.SIM" else scene.bars(timeframe=timeframe)

    async def logs(self, engine: str) -> Sequence[EngineLog]:
        return []

    async def ask[T](self, question: Question[T]) -> T:
        self.asked.append(question)
        answer = self.facts.get(question)
        if answer is None:
            answer = UnavailableError(f"the scene has no {question.words}")
        if isinstance(answer, ProblemError):
            raise answer
        return cast("T", answer)

    async def close(self) -> None:
        self.events.put_nowait(None)


class Desk(Terminal):
    """The terminal, looking at the scene at its moment."""

    def __init__(self, line: Line | None = None, settings: TerminalSettings | None = None) -> None:
        self.line = line or Line()
        super().__init__(
            self.line,
            settings or TerminalSettings(timeframe="5m", engine=scene.ENGINE, glow=False),
            clock=lambda: scene.NOW,
        )
        self.mirror = scene.mirror()
        self.view.instrument = "AAPL.SIM"
        self.view.role = "trader"

    async def settled(self, pilot: Pilot[int]) -> None:
        """Wait until nothing is on its way that the panes in sight have asked for."""
        for _ in range(2000):
            self.changed()
            self.frame()
            await pilot.pause()
            facts = self.mirror.facts
            wanted = [q for q in self.frames.wanted() if facts.answer(q).state in ("none", "asking")]
            if not wanted and self.selecting.resting:
                self.changed()
                self.frame()
                await pilot.pause()
                return
            await pilot.pause(0.005)
        raise AssertionError(f"never answered: {wanted}")


async def until(pilot: Pilot[int], what: Callable[[], object]) -> None:
    """Let the application run until something is so; fail when it never is."""
    for _ in range(3000):
        if what():
            return
        await pilot.pause(0.005)
    raise AssertionError("it never came to be")
