"""What was learnt from providers of facts: what the stream told, and what came of each question.

A part of the mirror. It must not know of Textual, of I/O or of how anything is shown.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Hashable
from dataclasses import replace
from typing import Any, Literal

from data.companies import Filing
from data.facts import ProviderHealth
from data.macro import MacroFactor, MacroRegime
from data.problems import ProblemDocument
from nautilus_tui.terminal.questions.macro import Factors, Regime
from nautilus_tui.terminal.questions.question import Answer, Question

FactKind = Literal["macro", "research", "filings", "providers", "risk"]
Mark = Callable[[FactKind, Hashable], None]

MAX_FILINGS = 500
#: Answers kept; those not looked at longest are forgotten first.
MAX_ANSWERS = 400


class Facts:
    """Facts by what they are about, and answers by their question."""

    def __init__(self, mark: Mark) -> None:
        self._mark = mark
        self.factors: dict[str, MacroFactor] = {}  #: as they are now, whether told or asked for
        self.regime: MacroRegime | None = None  #: as it is now
        self.filings: deque[Filing] = deque(maxlen=MAX_FILINGS)  #: new ones, oldest first
        self.providers: dict[str, ProviderHealth] = {}
        self._answers: dict[Question[Any], Answer[Any]] = {}

    def appliers(self) -> dict[type, Callable[[Any], None]]:
        """Return the method for each record of the stream."""
        return {
            MacroFactor: self.put_factor,
            MacroRegime: self.put_regime,
            Filing: self.put_filing,
            ProviderHealth: self.put_health,
        }

    # ------------------------------------------------------------ told by the stream

    def put_factor(self, factor: MacroFactor) -> None:
        """Take in a factor as it is now, unless a later one is known."""
        known = self.factors.get(factor.id)
        if known is None or factor.ts >= known.ts:
            self.factors[factor.id] = factor
            self._mark("macro", factor.id)

    def put_regime(self, regime: MacroRegime) -> None:
        """Take in the regime as it is now, unless a later one is known."""
        if self.regime is None or regime.ts >= self.regime.ts:
            self.regime = regime
            self._mark("macro", "regime")

    def put_filing(self, filing: Filing) -> None:
        """Take in a new filing once."""
        if all(known.accession != filing.accession for known in self.filings):
            self.filings.append(filing)
            self._mark("filings", filing.accession)

    def put_health(self, health: ProviderHealth) -> None:
        """Take in how a provider is."""
        known = self.providers.get(health.provider)
        if known is None or health.ts >= known.ts:
            self.providers[health.provider] = health
            self._mark("providers", health.provider)

    # ------------------------------------------------------------ asked

    def answer[T](self, question: Question[T]) -> Answer[T]:
        """Return what is known of a question's answer."""
        return self._answers.get(question, Answer())

    def put_asking(self, question: Question[Any]) -> None:
        """Say that a question is on its way."""
        self._put(question, replace(self.answer(question), asking=True))

    def put_answer[T](self, question: Question[T], value: T, now_ns: int) -> None:
        """Take in an answer; what is known as of now replaces what the stream told before."""
        self._put(question, Answer(value, None, False, now_ns, now_ns))
        if isinstance(question, Factors) and question.as_of is None and isinstance(value, list):
            for factor in value:
                self.put_factor(factor)
        elif isinstance(question, Regime) and question.as_of is None and isinstance(value, MacroRegime):
            self.put_regime(value)

    def put_problem(self, question: Question[Any], problem: ProblemDocument, now_ns: int) -> None:
        """Say that a question was not answered; the last answer stays, as the last good one."""
        known = self.answer(question)
        self._put(question, replace(known, problem=problem, asking=False, ts_asked=now_ns))

    def ask_again(self, kind: FactKind | None = None) -> None:
        """Let every answer (of a kind) be asked for again; what is known stays until then."""
        for question, answer in self._answers.items():
            if kind in (None, question.kind):
                self._answers[question] = replace(answer, ts_asked=0)
                self._mark(question.kind, question)

    def left_unanswered(self) -> None:
        """What was on its way is not any more: the connection was lost."""
        for question, answer in self._answers.items():
            if answer.asking:
                self._answers[question] = replace(answer, asking=False)
                self._mark(question.kind, question)

    def _put(self, question: Question[Any], answer: Answer[Any]) -> None:
        self._answers.pop(question, None)
        self._answers[question] = answer
        alike = [known for known in self._answers if type(known) is type(question)]
        for oldest in alike[: max(0, len(alike) - question.kept)]:
            del self._answers[oldest]
        while len(self._answers) > MAX_ANSWERS:
            del self._answers[next(iter(self._answers))]
        self._mark(question.kind, question)
