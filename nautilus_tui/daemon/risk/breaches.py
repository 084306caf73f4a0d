"""The breaches that are open: found, followed, acknowledged, over; kept in the store and told.

There is one open breach per limit. It is told, once it is on the disk, when something about it changes, and
every few seconds while its value moves. What becomes of a breach by itself is in `risk.breaches`. This
module must not know who checks limits or what is done about a breach.
"""

from __future__ import annotations

import asyncio
import logging
import time
import uuid
from collections.abc import Callable, Collection, Sequence
from typing import Final

from data import topics
from data.breach_store import BreachStore
from data.bus import Bus
from data.limits import Breach, BreachAction, LimitStatus
from data.paging import Page
from data.problems import NotFoundError
from nautilus_tui.daemon.present import Present
from risk import breaches as life

#: A breach of which only the value moves is told so often.
TELL_NS: Final = 5 * 1_000_000_000

logger = logging.getLogger(__name__)


class Changes:
    """What a round of checks changed."""

    def __init__(self) -> None:
        self.begun: list[Breach] = []
        self.worse: list[Breach] = []  #: of a higher severity than before
        self.over: list[Breach] = []


class BreachBook:
    """The breaches.

    Args:
        store: Where they are kept.
        bus, present: Who is told.
        clock: UTC ns.
    """

    def __init__(
        self, store: BreachStore, bus: Bus, present: Present, clock: Callable[[], int] = time.time_ns
    ) -> None:
        self._store = store
        self._bus = bus
        self._present = present
        self._clock = clock
        self._open: dict[str, Breach] = {}
        self._of_limit: dict[str, str] = {}
        self._ending: dict[str, Breach] = {}  # over, while an action's result is still to come
        self._back_since: dict[str, int] = {}
        self._told: dict[str, int] = {}
        self._writing: set[asyncio.Future[None]] = set()
        self.problem: str | None = None  #: why breaches are not stored at present

    async def load(self) -> None:
        """Go on with the breaches that were open."""
        self._bus.declare(topics.BREACHES)
        recent = (await self._store.page_of_breaches(limit=100)).items
        found = {one.id: one for one in reversed(recent)}
        found |= {one.id: one for one in await self._store.open_breaches()}
        self._open = {id_: one for id_, one in found.items() if one.status != "resolved"}
        self._of_limit = {one.limit_id: one.id for one in self._open.values()}
        self._present.breached(sorted(found.values(), key=lambda one: (one.ts_detected, one.id)))

    async def close(self) -> None:
        """Wait for what is being written."""
        while self._writing:
            await asyncio.wait(list(self._writing))
            await asyncio.sleep(0)

    # ------------------------------------------------------------ what is open

    def open(self) -> list[Breach]:
        """Return the breaches that are not resolved, oldest first."""
        return list(self._open.values())

    def get(self, id_: str) -> Breach | None:
        """Return an open breach."""
        return self._open.get(id_)

    def of_limit(self, limit_id: str) -> Breach | None:
        """Return the open breach of a limit."""
        return self._open.get(self._of_limit.get(limit_id, ""))

    async def page(
        self,
        *,
        every: bool = False,
        statuses: Collection[str] | None = None,
        limit_id: str | None = None,
        limit: int = 100,
        cursor: str | None = None,
    ) -> Page[Breach]:
        """Return breaches, newest first: those that are open, those of some states, or ``every`` one."""
        wanted = statuses
        if wanted is None and not every:
            wanted = {"detected", "acknowledged", "mitigating", "escalated"}
        return await self._store.page_of_breaches(
            statuses=wanted, limit_id=limit_id, limit=limit, cursor=cursor
        )

    # ------------------------------------------------------------ checks

    def check(self, statuses: Sequence[LimitStatus]) -> Changes:
        """Take the result of a round: every limit there is, each once."""
        now = self._clock()
        changes = Changes()
        seen: set[str] = set()
        for status in statuses:
            seen.add(status.limit.id)
            known = self.of_limit(status.limit.id)
            if known is None:
                if status.level == "breached":
                    begun = life.detected(f"br-{uuid.uuid4().hex[:12]}", status, now)
                    self._put(begun)
                    changes.begun.append(begun)
                continue
            self._follow(known, status, now, changes)
        for breach in self.open():
            if breach.limit_id not in seen:
                over = life.resolved(breach, now, "the limit was deleted")
                self._put(over)
                changes.over.append(over)
        return changes

    def _follow(self, known: Breach, status: LimitStatus, now: int, changes: Changes) -> None:
        after, back = life.checked(known, status, self._back_since.get(known.id), now)
        if back is None:
            self._back_since.pop(known.id, None)
        else:
            self._back_since[known.id] = back
        if after.status == "resolved":
            changes.over.append(after)
        elif after.severity != known.severity:
            changes.worse.append(after)
        important = (after.status, after.severity) != (known.status, known.severity)
        if important or now - self._told.get(known.id, 0) >= TELL_NS:
            if after != known:
                self._put(after)
        else:
            self._open[known.id] = after  # told with the next

    # ------------------------------------------------------------ what is done

    async def acknowledge(self, id_: str, by: str, *, note: str | None, mitigating: bool) -> Breach:
        """Note that somebody has seen a breach; returns when it is on disk.

        Raises:
            NotFoundError: There is none of this id.
            ConflictError: It is over, or this was said already.
        """
        known = self._open.get(id_) or await self._store.breach(id_)
        after = life.acknowledged(known, by, self._clock(), note=note, mitigating=mitigating)
        if id_ not in self._open:  # resolved while it was looked for
            raise NotFoundError(f"no breach {id_} is open", breach_id=id_)
        await self._put(after)
        return after

    def act(self, id_: str, action: BreachAction) -> None:
        """Note what is being done about a breach, or how it ended."""
        known = self._open.get(id_) or self._ending.get(id_)
        if known is not None:
            self._put(life.with_action(known, action, self._clock()))

    def escalate(self, id_: str, to: str, *, first: bool) -> None:
        """Note whom of the chain was told last."""
        known = self._open.get(id_)
        if known is not None:
            self._put(life.escalated(known, to, self._clock(), first=first))

    def _put(self, breach: Breach) -> asyncio.Future[None]:
        if breach.status == "resolved":
            self._open.pop(breach.id, None)
            if self._of_limit.get(breach.limit_id) == breach.id:
                del self._of_limit[breach.limit_id]
            if any(one.status == "requested" for one in breach.actions):
                self._ending[breach.id] = breach
            else:
                self._ending.pop(breach.id, None)
            self._back_since.pop(breach.id, None)
            self._told.pop(breach.id, None)
        else:
            self._open[breach.id] = breach
            self._of_limit[breach.limit_id] = breach.id
            self._told[breach.id] = self._clock()
        writing = self._store.put_breaches([breach])
        self._writing.add(writing)
        writing.add_done_callback(lambda written: self._tell(breach, written))
        return writing

    def _tell(self, breach: Breach, writing: asyncio.Future[None]) -> None:
        """Tell of a breach that is on the disk; one that the store could not take must be told as well."""
        self._writing.discard(writing)
        self._present.breached([breach])
        self._bus.publish_records((breach,))
        error = None if writing.cancelled() else writing.exception()
        self.problem = None if error is None else f"breaches are not stored: {error}"
        if error is not None:
            logger.error("a breach could not be stored: %s", error)
