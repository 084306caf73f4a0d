"""Refusals that do not reach the door of commands, made entries of the audit chain, or lines of a log.

A command of somebody who is known that a route or a stream refuses has an entry for itself, on the disk
before the answer. An entry is kept for ever, and nobody may fill the disk by knocking: of one token's
there are at most 200 a second; who sends more waits for its turn, and what would wait longer than a
second is noted. All else (who is not known, or may not read what it asks for, comes from a strange page,
talks too fast) is noted without waiting for the store, and a flood of it as a count, which is on the disk
two seconds later. Whatever comes, these are at most 100 entries of their own and 30 × 4 counts a minute:
13,200 entries or some 10 MB an hour, 2,400 of them for one peer that never stops. This module must not
know how requests travel.
"""

from __future__ import annotations

import asyncio
import logging
import time
import uuid
from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Protocol

import msgspec

from data.audit import AuditDraft
from data.problems import ProblemDocument, StoreFailedError
from providers.core.secrets import redact

if TYPE_CHECKING:
    from data.records import AuditEntry
    from data.state import State
    from nautilus_tui.daemon.principal import Principal

#: Refusals of one peer, and of all peers together, that have an entry each within a minute.
SINGLES, SINGLES_OF_ALL = 10, 100
#: Refused commands of one token that have an entry each: so many a second, after so many at once …
COMMANDS_A_SECOND, COMMANDS_AT_ONCE = 200, 200
#: … and how long one waits for its turn at most, in seconds: no more wait than have theirs in that time.
WAIT_S = 1.0
#: How long further ones are counted before the count is written, in seconds: what a power cut may cost.
COUNT_S = 2.0
#: Peers that have a count of their own each time; the rest share one, which names as many.
COUNTED, NAMED = 3, 20
#: Peers told apart while they are counted; refusals of more than these count as of one.
_PEERS = 4096
_MINUTE_S = 60.0
_LENGTH = 300
OTHERS = "others"
UNKNOWN = "unknown"

logger = logging.getLogger(__name__)


class Refusal(msgspec.Struct, frozen=True, kw_only=True):
    """One refusal. Nothing in it may be a secret."""

    what: str  #: ``http.refused`` or ``stream.refused``
    asked: str  #: what was asked for, e.g. ``GET /api/v1/tokens``; never with a query
    peer: str  #: an address, or ``uid 1000``
    via: str  #: ``tcp`` or ``unix``
    problem: ProblemDocument
    actor: str = UNKNOWN  #: the token's name, if the token is known
    role: str = ""


def refusal_of(
    what: str, asked: str, peer: tuple[str, int | None], problem: ProblemDocument, known: Principal | None
) -> Refusal:
    """Return what is noted of a refusal; ``peer`` is an address and, on the unix socket, a user id."""
    address, uid = peer
    return Refusal(
        what=what,
        asked=asked,
        peer=address if uid is None else f"uid {uid}",
        via="tcp" if uid is None else "unix",
        problem=problem,
        actor=problem.extra.get("token", UNKNOWN) if known is None else known.name,
        role="" if known is None else known.role,
    )


class Note(Protocol):
    """Takes note of a refusal; returns at once."""

    def __call__(self, refusal: Refusal) -> None: ...


def unnoted(refusal: Refusal) -> None:
    """Note nothing: for those who have no audit chain."""


class Record(Protocol):
    """Writes a refused command; returns when it is written."""

    async def __call__(self, refusal: Refusal) -> None: ...


def noting(note: Note) -> Record:
    """Return what only takes note of refused commands, at once: for those who have no audit chain."""

    async def record(refusal: Refusal) -> None:
        note(refusal)

    return record


class _Tally:
    """What one peer was refused since counts were written last."""

    __slots__ = ("last", "times")

    def __init__(self, first: Refusal) -> None:
        self.times = 0
        self.last = first


class CountedRefusals(ABC):
    """Writes refusals somewhere, floods of them as a count; where is said by who inherits from it.

    Args:
        clock: UTC ns.
        count_s: how long refusals are counted before the count is written.
        minute_s: what is a minute.
    """

    def __init__(
        self,
        *,
        clock: Callable[[], int] = time.time_ns,
        count_s: float = COUNT_S,
        minute_s: float = _MINUTE_S,
    ) -> None:
        self._clock = clock
        self._count_s = count_s
        self._minute_s = minute_s
        self._next_minute = 0.0
        self._singles: Counter[tuple[str, str]] = Counter()  #: entries within the minute, by peer and actor
        self._tallies: dict[tuple[str, str], _Tally] = {}
        self._turn: asyncio.TimerHandle | None = None

    @abstractmethod
    def _write(self, draft: AuditDraft) -> None:
        """Write one entry, or see to it that it is written; returns at once."""

    def note(self, refusal: Refusal) -> None:
        """Take note of a refusal that may be one of a flood."""
        loop = asyncio.get_running_loop()
        if loop.time() >= self._next_minute:
            self._next_minute = loop.time() + self._minute_s
            self._singles.clear()
        key = (refusal.peer, refusal.actor)
        if self._singles[key] < SINGLES and self._singles.total() < SINGLES_OF_ALL:
            self._singles[key] += 1
            self._write(self._draft(refusal))
            return
        if key not in self._tallies and len(self._tallies) >= _PEERS:
            key = (OTHERS, UNKNOWN)
        tally = self._tallies.setdefault(key, _Tally(refusal))
        tally.times += 1
        tally.last = refusal
        if self._turn is None:
            self._turn = loop.call_later(self._count_s, self._write_counts)

    def _write_counts(self) -> None:
        """Write what was counted: those who were refused most each for themselves, all others as one."""
        if self._turn is not None:
            self._turn.cancel()
            self._turn = None
        tallies = sorted(self._tallies.values(), key=lambda tally: tally.times, reverse=True)
        self._tallies = {}
        for tally in tallies[:COUNTED]:
            self._write(self._draft(tally.last, tally.times))
        rest = tallies[COUNTED:]
        if len(rest) == 1:
            self._write(self._draft(rest[0].last, rest[0].times))
        elif rest:
            last = msgspec.structs.replace(rest[0].last, actor=UNKNOWN, role="", peer=f"{len(rest)} {OTHERS}")
            who = {f"{one.last.actor} at {one.last.peer}": one.times for one in rest[:NAMED]}
            self._write(self._draft(last, sum(tally.times for tally in rest), who))

    def _draft(
        self, refusal: Refusal, times: int | None = None, who: Mapping[str, int] | None = None
    ) -> AuditDraft:
        problem = refusal.problem
        facts: dict[str, object] = {"asked": refusal.asked[:_LENGTH], "peer": refusal.peer[:_LENGTH]}
        detail = f"{problem.type}: {problem.detail[:_LENGTH]}"
        if times is not None:
            facts["times"] = times
            detail = f"{times} more within {self._count_s:g} s, the last of them {detail}"
        if who is not None:
            facts["who"] = {name[:_LENGTH]: count for name, count in who.items()}
        return AuditDraft(
            command_id=uuid.uuid4().hex,
            command=refusal.what,
            actor=refusal.actor,
            via=refusal.via,
            role=refusal.role,
            body=redact(msgspec.json.encode(facts).decode()),
            outcome="refused",
            detail=redact(detail),
            ts=self._clock(),
        )


class Refusals(CountedRefusals):
    """Writes refusals into the audit chain, behind the answers.

    Args:
        state: where the chain is.
        told: called with each entry when it is written.
        clock, count_s, minute_s: as of `CountedRefusals`.
    """

    def __init__(
        self,
        state: State,
        told: Callable[[AuditEntry], None],
        *,
        clock: Callable[[], int] = time.time_ns,
        count_s: float = COUNT_S,
        minute_s: float = _MINUTE_S,
    ) -> None:
        super().__init__(clock=clock, count_s=count_s, minute_s=minute_s)
        self._state = state
        self._told = told
        self._turns = Turns()
        self._writing: set[asyncio.Task[None]] = set()

    async def close(self) -> None:
        """Write what was counted so far, and wait until all is written."""
        self._write_counts()
        await asyncio.gather(*self._writing)

    async def record(self, refusal: Refusal) -> None:
        """Write a refused command; returns when it is on the disk, or it is told that it cannot be.

        It is written whether or not somebody goes on waiting for it.
        """
        now = asyncio.get_running_loop().time()
        turn = self._turns.next(refusal.actor, now)
        if turn > now + WAIT_S:
            self.note(refusal)
            return
        await asyncio.shield(self._begin(self._draft(refusal), turn - now))

    def _write(self, draft: AuditDraft) -> None:
        self._begin(draft)

    def _begin(self, draft: AuditDraft, wait: float = 0.0) -> asyncio.Task[None]:
        task = asyncio.create_task(self._append(draft, wait))
        self._writing.add(task)
        task.add_done_callback(self._writing.discard)
        return task

    async def _append(self, draft: AuditDraft, wait: float) -> None:
        if wait > 0.0:
            await asyncio.sleep(wait)
        try:
            self._told(await self._state.append_audit(draft))
        except StoreFailedError as error:  # the store's health says so too
            logger.error("a refusal could not be stored: %s: %s", draft.detail, error.detail)


class Turns:
    """Whose entry may be written when: a token has some at once, then one after the other."""

    def __init__(self) -> None:
        self._due: dict[str, float] = {}  #: by actor: until when its entries reach at that pace, loop time

    def next(self, actor: str, now: float) -> float:
        """Return when a token may have its next entry, loop time; it is taken unless that is too late."""
        if len(self._due) >= _PEERS:  # who is not due any more is as one that never came
            self._due = {name: due for name, due in self._due.items() if due > now}
        due = max(self._due.get(actor, 0.0), now) + 1.0 / COMMANDS_A_SECOND
        turn = due - COMMANDS_AT_ONCE / COMMANDS_A_SECOND
        if turn <= now + WAIT_S:
            self._due[actor] = due
        return turn
