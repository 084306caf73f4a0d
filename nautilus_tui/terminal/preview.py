"""What the engine's gate says to a ticket that is not sent yet: the question, and its latest answer.

Plain state without Textual and without I/O. An answer belongs to the question it was given to: once
the ticket has changed it is no longer the answer, and says so. Nothing here can stop a send; the
gate alone decides.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from data.commands import PreviewOrder
from data.limits import LimitEffect
from data.problems import ProblemDocument
from nautilus_tui.terminal.assessment import Assessment
from nautilus_tui.terminal.ticket import PRICES, Ticket

#: The limits of a gate, in the order they are shown; one it adds to these is shown after them.
RULES = ("order_notional", "position_size", "order_rate")


def question_of(ticket: Ticket | None, result: Assessment | None) -> PreviewOrder | None:
    """Return what to ask the gate about a ticket, None while it does not come to an order.

    The price is the dearest of the order's own, None for one that takes the touch. Of a change of a
    working order the gate is told which one, so that it does not count both.
    """
    if ticket is None or result is None or result.qty is None:
        return None
    if ticket.phase != "editing" or result.errors.keys() - {"expire"}:
        return None
    own = [result.sent[n] for n in PRICES[ticket.kind] if n in ("price", "trigger") and n in result.sent]
    return PreviewOrder(
        engine=ticket.engine,
        instrument=ticket.instrument,
        side=ticket.side,
        qty=result.qty,
        price=max(own, default=None),
        reduce_only=ticket.reduce,
        client_order_id=None if ticket.modifies is None else ticket.modifies.client_order_id,
    )


@dataclass(slots=True)
class Preview:
    """The question of the open ticket and what was answered last."""

    question: PreviewOrder | None = None
    answered: PreviewOrder | None = None  #: the question that ``effects`` or ``problem`` answers
    effects: tuple[LimitEffect, ...] = ()
    problem: ProblemDocument | None = None  #: why there was no answer
    ts_answered: int = 0  #: UTC ns

    def ask(self, question: PreviewOrder | None) -> bool:
        """Make this the question; false when it is the one already asked.

        An answer about another engine, instrument or side is forgotten. One about another quantity
        or price stays, as an old one, until the new one comes.
        """
        if question == self.question:
            return False
        self.question = question
        if question is None or not _alike(question, self.answered):
            self.answered, self.effects, self.problem = None, (), None
        return True

    def take(
        self,
        question: PreviewOrder,
        effects: Sequence[LimitEffect],
        problem: ProblemDocument | None,
        now_ns: int,
    ) -> None:
        """Take an answer; one about another engine, instrument or side than is asked about is dropped."""
        if self.question is not None and _alike(self.question, question):
            self.answered, self.effects, self.problem = question, tuple(effects), problem
            self.ts_answered = now_ns

    def old(self, now_ns: int, stale_after_ns: int) -> bool:
        """Whether what was answered is about the ticket as it was before, or of too long ago."""
        return self.answered != self.question or now_ns - self.ts_answered > stale_after_ns

    def warnings(self) -> list[LimitEffect]:
        """Return the effects on the ticket as it is now that the gate would not let pass."""
        if self.answered is None or self.answered != self.question:
            return []
        return [effect for effect in self.effects if not effect.passes]


def _alike(one: PreviewOrder, other: PreviewOrder | None) -> bool:
    """Say whether two questions are about one engine, instrument and side, and the change of one order."""
    return other is not None and (one.engine, one.instrument, one.side, one.client_order_id) == (
        other.engine,
        other.instrument,
        other.side,
        other.client_order_id,
    )
