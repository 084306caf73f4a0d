"""Refusals that never reach the door of commands, made entries of the audit chain, or lines of a log.

Whoever is not known, may not do what it asks, asks from a strange page or sends what cannot be read
is refused before there is a command. Each refusal is written, a flood of them as a count: an entry
is kept for ever, and nobody may fill the disk by knocking. Noting one never waits for the store.
This module must not know how requests travel.
"""

from __future__ import annotations

import asyncio
import logging
import time
import uuid
from abc import ABC, abstractmethod
from collections import deque
from collections.abc import Callable
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
#: Peers whose further refusals within a minute have a counted entry each; the rest share one.
COUNTED = 20
#: Peers told apart within a minute; refusals of more than these count as of one.
_PEERS = 4096
_WINDOW_S = 60.0
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


class _Tally:
    """What one peer was refused within the minute."""

    __slots__ = ("last", "more", "singly")

    def __init__(self) -> None:
        self.singly = 0
        self.more = 0
        self.last: Refusal | None = None


class CountedRefusals(ABC):
    """Writes refusals somewhere, floods of them as a count; where is said by who inherits from it.

    Args:
        clock: UTC ns.
        window_s: what is a minute.
    """

    def __init__(self, *, clock: Callable[[], int] = time.time_ns, window_s: float = _WINDOW_S) -> None:
        self._clock = clock
        self._window_s = window_s
        self._tallies: dict[tuple[str, str], _Tally] = {}
        self._singly = 0
        self._window: asyncio.TimerHandle | None = None

    @abstractmethod
    def _write(self, draft: AuditDraft) -> None:
        """Write one entry, or see to it that it is written; returns at once."""

    def note(self, refusal: Refusal) -> None:
        """Take note of a refusal."""
        key = (refusal.peer, refusal.actor)
        tally = self._tallies.get(key)
        if tally is None:
            key = key if len(self._tallies) < _PEERS else (OTHERS, UNKNOWN)
            tally = self._tallies.setdefault(key, _Tally())
        if self._window is None:
            self._window = asyncio.get_running_loop().call_later(self._window_s, self._turn)
        if tally.singly < SINGLES and self._singly < SINGLES_OF_ALL:
            tally.singly += 1
            self._singly += 1
            self._write(self._draft(refusal))
        else:
            tally.more += 1
            tally.last = refusal

    def _turn(self) -> None:
        """End the minute: write what was counted in it."""
        if self._window is not None:
            self._window.cancel()
            self._window = None
        tallies = [tally for tally in self._tallies.values() if tally.more]
        tallies.sort(key=lambda tally: tally.more, reverse=True)
        self._tallies = {}
        self._singly = 0
        for tally in tallies[:COUNTED]:
            if tally.last is not None:
                self._write(self._draft(tally.last, tally.more))
        rest = tallies[COUNTED:]
        if rest and rest[0].last is not None:
            last = msgspec.structs.replace(rest[0].last, actor=UNKNOWN, role="", peer=f"{len(rest)} {OTHERS}")
            self._write(self._draft(last, sum(tally.more for tally in rest)))

    def _draft(self, refusal: Refusal, times: int = 1) -> AuditDraft:
        problem = refusal.problem
        facts: dict[str, object] = {"asked": refusal.asked[:_LENGTH], "peer": refusal.peer[:_LENGTH]}
        detail = f"{problem.type}: {problem.detail[:_LENGTH]}"
        if times > 1:
            facts["times"] = times
            detail = f"{times} more within a minute, the last of them {detail}"
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
        clock, window_s: as of `CountedRefusals`.
    """

    def __init__(
        self,
        state: State,
        told: Callable[[AuditEntry], None],
        *,
        clock: Callable[[], int] = time.time_ns,
        window_s: float = _WINDOW_S,
    ) -> None:
        super().__init__(clock=clock, window_s=window_s)
        self._state = state
        self._told = told
        self._drafts: deque[AuditDraft] = deque()
        self._writing: asyncio.Task[None] | None = None

    async def close(self) -> None:
        """Write what was counted so far, and wait until all is written."""
        self._turn()
        while self._writing is not None:
            await self._writing

    def _write(self, draft: AuditDraft) -> None:
        self._drafts.append(draft)
        if self._writing is None:
            self._writing = asyncio.create_task(self._write_all())

    async def _write_all(self) -> None:
        try:
            while self._drafts:
                draft = self._drafts.popleft()
                try:
                    self._told(await self._state.append_audit(draft))
                except StoreFailedError as error:  # the store's health says so too
                    logger.error("a refusal could not be stored: %s: %s", draft.detail, error.detail)
        finally:
            self._writing = None
