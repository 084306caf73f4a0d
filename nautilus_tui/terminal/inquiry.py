"""Asking the daemon: every wait of the terminal happens here, in workers that only post messages."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Collection
from functools import partial
from typing import TYPE_CHECKING, Any

from textual.message import Message
from textual.worker import WorkType

from data.commands import AnyCommand, PreviewOrder
from data.problems import OutcomeUnknownError, ProblemError
from nautilus_tui.terminal.link import Link
from nautilus_tui.terminal.messages import (
    Answered,
    BarsFetched,
    BarsNotFetched,
    CommandAnswered,
    EnginesFetched,
    FetchFailed,
    InstrumentsFetched,
    LogsFetched,
    PreviewAnswered,
    StreamEnded,
    StreamHeard,
    Unanswered,
)
from nautilus_tui.terminal.questions.question import Question

if TYPE_CHECKING:
    from textual.widget import Widget

Work = WorkType[None]

#: How long a ticket may go on changing before its limits are asked about.
PREVIEW_REST_S = 0.15
#: How long an answer about limits is good for: other orders and prices move them too.
PREVIEW_AGAIN_S = 2.0


class Inquiry:
    """Starts workers on a link and lets them post what they learn to the node that owns them."""

    def __init__(self, node: Widget, link: Link) -> None:
        self._node = node
        self._link = link
        self._previewed: PreviewOrder | None = None  #: what the ticket is now
        self._previewed_anew = asyncio.Event()
        self._previewing = False

    def _start(self, work: Work, group: str, *, alone: bool = False) -> None:
        """Start a worker; ``alone`` ends those of its group. One that breaks does not end the screen."""
        self._node.run_worker(work, group=group, exclusive=alone, exit_on_error=False)

    def listen(self) -> None:
        """Listen to the stream until it ends for good."""
        self._start(self._listen, "stream", alone=True)

    async def _listen(self) -> None:
        try:
            async for event in self._link.listen():
                heard = StreamHeard(event)
                if self._node.post_message(heard):
                    await heard.taken.wait()
        except ProblemError as error:
            self._node.post_message(StreamEnded(error.document()))

    def execute(self, command: AnyCommand, command_id: str) -> None:
        """Send a command; its end is told in :class:`CommandAnswered`, whatever it is."""
        self._start(partial(self._execute, command, command_id), "commands")

    async def _execute(self, command: AnyCommand, command_id: str) -> None:
        try:
            outcome = await self._link.execute(command, command_id)
        except ProblemError as error:
            self._node.post_message(CommandAnswered(command, command_id, None, error.document()))
        except Exception as error:
            # Whatever broke, the order may be out: unknown is the only true answer.
            unknown = OutcomeUnknownError(f"{type(error).__name__}: {error}")
            self._node.post_message(CommandAnswered(command, command_id, None, unknown.document()))
            raise
        else:
            self._node.post_message(CommandAnswered(command, command_id, outcome, None))

    def preview(self, question: PreviewOrder | None) -> None:
        """Ask the gate about an order, and again now and then, until another or none is asked about.

        One question is on its way at a time, however fast a ticket changes; the next is always about
        the latest. Answers are told in :class:`PreviewAnswered`.
        """
        self._previewed = question
        self._previewed_anew.set()
        if question is not None and not self._previewing:
            self._previewing = True
            self._start(self._preview, "preview")

    async def _preview(self) -> None:
        try:
            while True:
                await asyncio.sleep(PREVIEW_REST_S)
                self._previewed_anew.clear()
                question = self._previewed
                if question is None:
                    return
                self._node.post_message(await self._previewed_now(question))
                try:
                    async with asyncio.timeout(PREVIEW_AGAIN_S):
                        await self._previewed_anew.wait()
                except TimeoutError:
                    continue  # nothing changed here; elsewhere it may have
        finally:
            self._previewing = False

    async def _previewed_now(self, question: PreviewOrder) -> PreviewAnswered:
        try:
            return PreviewAnswered(question, await self._link.preview(question), None)
        except ProblemError as error:
            return PreviewAnswered(question, (), error.document())
        except Exception as error:
            broken = ProblemError(f"{type(error).__name__}: {error}")
            self._node.post_message(PreviewAnswered(question, (), broken.document()))
            raise

    def watch(self, topics: Collection[str]) -> None:
        """Listen to other topics besides those always listened to."""
        self._start(partial(self._link.watch, topics), "watch")

    def engines(self) -> None:
        """Ask for all engines."""

        async def ask() -> Message:
            return EnginesFetched(await self._link.engines())

        self._ask("engines", ask)

    def instruments(self, engine: str) -> None:
        """Ask what an engine trades."""

        async def ask() -> Message:
            return InstrumentsFetched(engine, await self._link.instruments(engine))

        self._ask(f"instruments of {engine}", ask)

    def bars(self, engine: str, instrument: str, timeframe: str) -> None:
        """Ask for the latest bars; an earlier question not answered yet is dropped."""

        async def ask() -> Message:
            try:
                bars = await self._link.bars(engine, instrument, timeframe)
            except ProblemError as error:
                return BarsNotFetched(engine, instrument, timeframe, error.document())
            return BarsFetched(engine, instrument, timeframe, bars)

        self._ask(f"bars of {instrument}", ask, only="bars")

    def logs(self, engine: str) -> None:
        """Ask for the latest log lines."""

        async def ask() -> Message:
            return LogsFetched(engine, await self._link.logs(engine))

        self._ask(f"log of {engine}", ask)

    def ask(self, question: Question[Any]) -> None:
        """Ask a question; what comes of it is told in :class:`Answered` or :class:`Unanswered`."""
        self._start(partial(self._put, question), "questions")

    async def _put(self, question: Question[Any]) -> None:
        try:
            self._node.post_message(Answered(question, await self._link.ask(question)))
        except ProblemError as error:
            self._node.post_message(Unanswered(question, error.document()))
        except Exception as error:
            broken = ProblemError(f"{type(error).__name__}: {error}")
            self._node.post_message(Unanswered(question, broken.document()))
            raise

    def _ask(self, what: str, question: Callable[[], Awaitable[Message]], *, only: str | None = None) -> None:
        async def work() -> None:
            try:
                answer = await question()
            except ProblemError as error:
                answer = FetchFailed(what, error.document())
            self._node.post_message(answer)

        self._start(work, only or "questions", alone=only is not None)
