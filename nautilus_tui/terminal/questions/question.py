"""A question to the daemon as a value, and what is known of its answer.

It must not know of Textual, nor when a question is asked or how often.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Literal

from data.problems import ProblemDocument

if TYPE_CHECKING:
    from nautilus_tui.client.api import ApiClient

#: ``none`` was not asked yet, ``asking`` waits for its first answer, ``there`` is answered, ``failed``
#: was never answered, ``stale`` was answered once and could not be learnt again since.
State = Literal["none", "asking", "there", "failed", "stale"]
#: The kind of change a pane watches to learn of an answer.
QuestionKind = Literal["macro", "research", "risk"]


@dataclass(frozen=True, slots=True)
class Question[T]:
    """Something to ask, with everything it is about in its fields, so that equal questions are one.

    ``fresh_s`` is after how many seconds it is asked again while a pane still wants it, ``retry_s``
    the same after it failed; ``kept`` is how many answers to questions of this kind are kept.
    """

    kind: ClassVar[QuestionKind] = "research"
    fresh_s: ClassVar[float] = 300.0
    retry_s: ClassVar[float] = 60.0
    kept: ClassVar[int] = 400

    @property
    def words(self) -> str:
        """What is asked, in words."""
        raise NotImplementedError

    async def put_to(self, client: ApiClient) -> T:
        """Ask it.

        Raises:
            ProblemError: there is no answer.
        """
        raise NotImplementedError


@dataclass(frozen=True, slots=True)
class Answer[T]:
    """What is known of a question's answer."""

    value: T | None = None  #: the latest answer; None: there was none yet
    problem: ProblemDocument | None = None  #: why it was not answered when it was asked last
    asking: bool = False  #: it is on its way
    ts: int = 0  #: when ``value`` came, UTC ns
    ts_asked: int = 0  #: when it was last answered or failed, UTC ns; 0: never

    @property
    def state(self) -> State:
        """Where it stands."""
        if self.value is not None:
            return "stale" if self.problem is not None else "there"
        if self.problem is not None:
            return "failed"
        return "asking" if self.asking else "none"

    def wanting(self, question: Question[T], now_ns: int) -> bool:
        """Say whether it is time to ask (again)."""
        if self.asking:
            return False
        if not self.ts_asked:
            return True
        wait = question.fresh_s if self.problem is None else question.retry_s
        return now_ns - self.ts_asked >= wait * 1e9
