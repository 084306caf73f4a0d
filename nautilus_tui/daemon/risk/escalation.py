"""Who is told of a breach that nobody acknowledges: step by step up a chain, until somebody does.

A step that a daemon before this one told is not told again. This module must not know how people are
reached or what a breach is.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Sequence
from typing import Final

from data.limits import Breach
from nautilus_tui.daemon.risk.breaches import BreachBook
from nautilus_tui.daemon.risk.notify import Told
from nautilus_tui.daemon.settings import EscalationStep

_SECOND_NS: Final = 1_000_000_000
#: Nobody has acknowledged a breach in one of these states.
_WAITING: Final = frozenset({"detected", "escalated"})

logger = logging.getLogger(__name__)


class Escalation:
    """Climbs the chain.

    Args:
        chain: The steps, each a role and the time after which it is told.
        book: The breaches.
        tell: Tells a role of a breach.
        follows: Whether anybody is to be told of a breach at all.
        note: Takes how telling a role went.
        clock: UTC ns.
    """

    def __init__(
        self,
        chain: Sequence[EscalationStep],
        *,
        book: BreachBook,
        tell: Callable[[str, Breach], Awaitable[Told]],
        follows: Callable[[Breach], bool],
        note: Callable[[Breach, Told], None],
        clock: Callable[[], int] = time.time_ns,
    ) -> None:
        self._chain = _in_order(chain)
        self._book = book
        self._tell = tell
        self._follows = follows
        self._note = note
        self._clock = clock
        self._woken = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Begin, on the running loop."""
        self._task = asyncio.create_task(self._run())

    async def close(self) -> None:
        """Tell nobody any more."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    def follow(self, chain: Sequence[EscalationStep]) -> None:
        """Tell by this chain, of as many steps as before, from now on."""
        self._chain = _in_order(chain)
        self.wake()

    def wake(self) -> None:
        """Look again: a breach has begun or was acknowledged."""
        self._woken.set()

    async def _run(self) -> None:
        while True:
            self._woken.clear()
            await self._climb()
            try:
                await asyncio.wait_for(self._woken.wait(), self._pause())
            except TimeoutError:
                continue

    async def _climb(self) -> None:
        for breach in self._book.open():
            while (place := self._due(breach.id)) is not None:
                await self._take(breach.id, place)

    async def _take(self, id_: str, place: int) -> None:
        breach, step = self._book.get(id_), self._chain[place]
        if breach is None:
            return
        # Noted before it is sent: told twice is worse than a message that a crash cut short, which the
        # next step makes good.
        self._book.escalate(id_, step.role, first=place == 0)
        self._note(breach, await self._tell(step.role, breach))

    def _due(self, id_: str) -> int | None:
        """Return the step that is to be told of a breach now."""
        breach = self._book.get(id_)
        if breach is None:
            return None
        place = self._next(breach)
        if place is None or self._clock() < self._at(breach, place):
            return None
        return place

    def _next(self, breach: Breach) -> int | None:
        """Return the step after the one that was told last; None: nobody is to be told (any more)."""
        if breach.status not in _WAITING or not self._follows(breach):
            return None
        roles = [step.role for step in self._chain]
        last = breach.escalated_to
        place = roles.index(last) + 1 if last in roles else 0  # a chain that was changed begins anew
        return place if place < len(self._chain) else None

    def _at(self, breach: Breach, place: int) -> int:
        return breach.ts_detected + round(self._chain[place].after_s * _SECOND_NS)

    def _pause(self) -> float | None:
        """Return the seconds until the next step of any breach; None: until woken."""
        waits = [
            self._at(breach, place) - self._clock()
            for breach in self._book.open()
            if (place := self._next(breach)) is not None
        ]
        return max(min(waits) / _SECOND_NS, 0.0) if waits else None


def _in_order(chain: Sequence[EscalationStep]) -> tuple[EscalationStep, ...]:
    return tuple(sorted(chain, key=lambda step: step.after_s))
