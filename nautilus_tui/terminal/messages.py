"""What workers tell the application. A worker does I/O and posts these; it touches no widget."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from textual.message import Message

from data.commands import AnyCommand, Outcome, PreviewOrder
from data.limits import LimitEffect
from data.problems import ProblemDocument
from data.records import Bar, EngineLog, EngineStatus, Instrument
from nautilus_tui.terminal.questions.question import Question

if TYPE_CHECKING:
    from nautilus_tui.client.stream import StreamEvent


class StreamHeard(Message):
    """Something came on the stream, or the connection changed.

    The listener waits until it is ``taken`` before it reads on: where the screen cannot keep up, the
    daemon notices and conflates, instead of a queue growing here.
    """

    def __init__(self, event: StreamEvent) -> None:
        super().__init__()
        self.event = event
        self.taken = asyncio.Event()


class StreamEnded(Message):
    """The stream gave up for a reason that trying again does not cure."""

    def __init__(self, problem: ProblemDocument) -> None:
        super().__init__()
        self.problem = problem


class EnginesFetched(Message):
    """All engines the daemon knows."""

    def __init__(self, engines: Sequence[EngineStatus]) -> None:
        super().__init__()
        self.engines = engines


class InstrumentsFetched(Message):
    """What an engine trades."""

    def __init__(self, engine: str, instruments: Sequence[Instrument]) -> None:
        super().__init__()
        self.engine = engine
        self.instruments = instruments


class BarsFetched(Message):
    """Bars of the history."""

    def __init__(self, engine: str, instrument: str, timeframe: str, bars: Sequence[Bar]) -> None:
        super().__init__()
        self.engine = engine
        self.instrument = instrument
        self.timeframe = timeframe
        self.bars = bars


class BarsNotFetched(Message):
    """Bars of the history were asked for and not told."""

    def __init__(self, engine: str, instrument: str, timeframe: str, problem: ProblemDocument) -> None:
        super().__init__()
        self.engine = engine
        self.instrument = instrument
        self.timeframe = timeframe
        self.problem = problem


class LogsFetched(Message):
    """The latest log lines of an engine."""

    def __init__(self, engine: str, lines: Sequence[EngineLog]) -> None:
        super().__init__()
        self.engine = engine
        self.lines = lines


class FetchFailed(Message):
    """A question was not answered."""

    def __init__(self, what: str, problem: ProblemDocument) -> None:
        super().__init__()
        self.what = what
        self.problem = problem


class Answered(Message):
    """A question was answered."""

    def __init__(self, question: Question[Any], value: object) -> None:
        super().__init__()
        self.question = question
        self.value = value


class Unanswered(Message):
    """A question was asked and not answered."""

    def __init__(self, question: Question[Any], problem: ProblemDocument) -> None:
        super().__init__()
        self.question = question
        self.problem = problem


class PreviewAnswered(Message):
    """The gate told what an order would do to its limits, or why it could not be asked."""

    def __init__(
        self, question: PreviewOrder, effects: Sequence[LimitEffect], problem: ProblemDocument | None
    ) -> None:
        super().__init__()
        self.question = question
        self.effects = effects
        self.problem = problem


class CommandAnswered(Message):
    """A command ended: with an outcome, or with the problem that kept it from having one."""

    def __init__(
        self, command: AnyCommand, command_id: str, outcome: Outcome | None, problem: ProblemDocument | None
    ) -> None:
        super().__init__()
        self.command = command
        self.command_id = command_id
        self.outcome = outcome
        self.problem = problem
