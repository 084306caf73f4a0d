"""Where news arrives: messages of the workers are written into the mirror here, and only here.

An invisible widget, so that it can own workers and receive messages. It asks for what the stream
does not bring (engines, rules of instruments, bars of the past) when it becomes needed.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from textual import on
from textual.widget import Widget

from data.access import ROLES
from data.problems import ProblemDocument
from data.records import EngineStatus
from nautilus_tui.terminal.inquiry import Inquiry
from nautilus_tui.terminal.link import Link
from nautilus_tui.terminal.messages import (
    Answered,
    BarsFetched,
    BarsNotFetched,
    EnginesFetched,
    FetchFailed,
    InstrumentsFetched,
    LogsFetched,
    PreviewAnswered,
    StreamEnded,
    StreamHeard,
    Unanswered,
)
from nautilus_tui.terminal.mirror import Connection, Mirror
from nautilus_tui.terminal.questions.question import Question
from nautilus_tui.terminal.view import View

if TYPE_CHECKING:
    from nautilus_tui.client.stream import ConnectionChanged
    from nautilus_tui.terminal.app import Terminal

_ALIVE = ("running", "degraded")
#: A chart with fewer bars of the past than this asks for them again after these seconds.
FEW_BARS = 30
PAST_WAITS_S = (1.0, 3.0, 8.0)


class Reception(Widget):
    """Receives, writes down, and asks on."""

    DEFAULT_CSS = "Reception { display: none; }"

    def __init__(self, link: Link, terminal: Terminal) -> None:
        super().__init__(id="reception")
        self._link = link
        self._terminal = terminal
        self.inquiry = Inquiry(self, link)
        self._asked: dict[str, int | None] = {}  #: engine → start time of the run whose rules were asked for
        self._logs_asked: set[str] = set()
        self._followed: tuple[str, ...] = ()
        self._bars_asked = 0  #: how often bars of the selection were asked for again

    @property
    def _mirror(self) -> Mirror:
        return self._terminal.mirror

    @property
    def _view(self) -> View:
        return self._terminal.view

    def on_mount(self) -> None:
        """Begin to listen once the first picture is painted."""
        now = self._terminal.now_ns()
        self._mirror.put_connection(Connection("connecting", now, target=self._link.target))
        self.call_after_refresh(self.inquiry.listen)

    # ------------------------------------------------------------ the stream

    @on(StreamHeard)
    def heard(self, message: StreamHeard) -> None:
        """Write down what the stream brought."""
        message.stop()
        message.taken.set()
        from nautilus_tui.client.stream import Batch  # loaded by the link by now, not before

        event = message.event
        if not isinstance(event, Batch):
            self._connection(event)
            return
        self._mirror.apply(event.envelopes)
        if self._followed and not self._mirror.take_missed().isdisjoint(self._followed):
            self._bars_asked = 0
            self._ask_bars()
        if "authority" in self._mirror.dirty:
            self._terminal.authority.heard()
        if "engines" in self._mirror.dirty or self._view.engine is None:
            self._look_for_engine()
        if self._view.instrument is None and "quotes" in self._mirror.dirty:
            self._look_for_instrument()

    def _connection(self, change: ConnectionChanged) -> None:
        self._mirror.put_connection(
            Connection(
                state=change.state,
                since_ns=change.since_ns,
                attempt=change.attempt,
                retry_at_ns=change.retry_at_ns,
                problem=change.problem,
                target=self._link.target,
            )
        )
        if change.state == "connected":
            if change.epoch is not None:
                self._mirror.put_epoch(change.epoch)
            self._view.role = change.role if change.role in ROLES else None
            self._view.actor = change.name
            self._asked.clear()
            self._logs_asked.clear()
            self._followed = ()
            self.inquiry.engines()
            self.follow()
            self._mirror.facts.ask_again()
        else:
            self._mirror.facts.left_unanswered()
        self._terminal.changed()

    @on(StreamEnded)
    def ended(self, message: StreamEnded) -> None:
        """Say why there will be no connection."""
        message.stop()
        now = self._terminal.now_ns()
        words = message.problem.detail + (f"; {message.problem.fix}" if message.problem.fix else "")
        self._mirror.put_connection(Connection("disconnected", now, problem=words, target=self._link.target))

    # ------------------------------------------------------------ answers

    @on(EnginesFetched)
    def engines_fetched(self, message: EnginesFetched) -> None:
        """Write down the engines."""
        message.stop()
        self._mirror.apply_records(message.engines)
        self._look_for_engine()

    @on(InstrumentsFetched)
    def instruments_fetched(self, message: InstrumentsFetched) -> None:
        """Write down an engine's instruments."""
        message.stop()
        self._mirror.put_instruments(message.engine, message.instruments)
        if message.engine == self._view.engine:
            self._look_for_instrument()
        self._terminal.changed()

    @on(BarsFetched)
    def bars_fetched(self, message: BarsFetched) -> None:
        """Write down bars of the past."""
        message.stop()
        self._mirror.put_bars(message.engine, message.instrument, message.timeframe, message.bars)
        if len(message.bars) < FEW_BARS and self._bars_asked < len(PAST_WAITS_S):
            # The past of a market that has just come into being is written while it already runs.
            self.set_timer(PAST_WAITS_S[self._bars_asked], self._ask_bars)
            self._bars_asked += 1

    def _ask_bars(self) -> None:
        view = self._view
        if view.engine is not None and view.instrument is not None:
            self._mirror.put_bars_state(view.engine, view.instrument, view.timeframe, "asked")
            self.inquiry.bars(view.engine, view.instrument, view.timeframe)

    @on(BarsNotFetched)
    def bars_not_fetched(self, message: BarsNotFetched) -> None:
        """Say in the chart that bars may be missing, and why in words."""
        message.stop()
        self._mirror.put_bars_state(message.engine, message.instrument, message.timeframe, "unknown")
        self._could_not_learn(f"bars of {message.instrument}", message.problem)
        self._terminal.changed()

    @on(LogsFetched)
    def logs_fetched(self, message: LogsFetched) -> None:
        """Write down log lines that are older than those the stream brought."""
        message.stop()
        first = next((line.ts for line in self._mirror.logs if line.engine == message.engine), None)
        if first is None:
            self._mirror.apply_records(message.lines)

    @on(PreviewAnswered)
    def preview_answered(self, message: PreviewAnswered) -> None:
        """Give the ticket what the gate says to it."""
        message.stop()
        self._terminal.trading.previewed(message)

    @on(FetchFailed)
    def fetch_failed(self, message: FetchFailed) -> None:
        """Say what could not be learnt; it is asked again with the next connection or selection."""
        message.stop()
        if message.what.startswith("instruments of "):
            self._asked.pop(message.what.removeprefix("instruments of "), None)
        self._could_not_learn(message.what, message.problem)

    def _could_not_learn(self, what: str, problem: ProblemDocument) -> None:
        if problem.type not in ("not-reachable", "not-found"):
            self._terminal.tell(f"{what}: {problem.detail}", "warning")

    # ------------------------------------------------------------ questions of the panes

    def wonder(self, questions: Iterable[Question[Any]]) -> None:
        """Ask those of the questions that were not asked yet, or whose answers have grown old."""
        if self._mirror.connection.state != "connected":
            return
        facts, now = self._mirror.facts, self._terminal.now_ns()
        for question in questions:
            if facts.answer(question).wanting(question, now):
                facts.put_asking(question)
                self.inquiry.ask(question)

    @on(Answered)
    def answered(self, message: Answered) -> None:
        """Write an answer down."""
        message.stop()
        self._mirror.facts.put_answer(message.question, message.value, self._terminal.now_ns())
        self._mirror.risk.take_answer(message.question, message.value)

    @on(Unanswered)
    def unanswered(self, message: Unanswered) -> None:
        """Write down why there is no answer; the panes that want it say so."""
        message.stop()
        self._mirror.facts.put_problem(message.question, message.problem, self._terminal.now_ns())

    # ------------------------------------------------------------ what to look at

    def _look_for_engine(self) -> None:
        """Select an engine if none is, and ask for the rules of those that have come to run."""
        engines = self._mirror.engines
        view = self._view
        if engines and view.engine not in engines:
            ordered = sorted(engines.values(), key=lambda s: (s.state not in _ALIVE, s.id))
            view.engine = ordered[0].id
            self._terminal.selection_changed()
        for status in engines.values():
            self._ask_rules(status)
        if view.engine in engines and view.engine not in self._logs_asked:
            self._logs_asked.add(view.engine)
            self.inquiry.logs(view.engine)

    def _ask_rules(self, status: EngineStatus) -> None:
        if status.state in _ALIVE and self._asked.get(status.id, 0) != status.ts_started:
            self._asked[status.id] = status.ts_started
            self.inquiry.instruments(status.id)
            if status.id == self._view.engine:
                self._followed = ()
                self.follow()

    def _look_for_instrument(self) -> None:
        engine, view = self._view.engine, self._view
        if engine is None:
            return
        known = self._mirror.instrument_ids(engine)
        if view.instrument not in known and known:
            view.instrument = next((i for i in view.watched if i in known), known[0])
            self._terminal.selection_changed()

    def follow(self) -> None:
        """Listen to the book, trades and bars of what is selected, and ask for its past."""
        view = self._view
        if view.engine is None or view.instrument is None:
            return
        wanted = (
            f"book.{view.instrument}",
            f"trades.{view.instrument}",
            f"bars.{view.timeframe}.{view.instrument}",
        )
        if (view.engine, *wanted) == self._followed:
            return
        self._followed = (view.engine, *wanted)
        self.inquiry.watch(wanted)
        self._bars_asked = 0
        self._ask_bars()
