"""Restrictions that the monitor sets on engines' gates, and takes back when their reason is over.

Only what the monitor set does it take back: a restriction that somebody changed meanwhile is left as it is,
and that is said. A restriction counts as set when the engine's heartbeat tells it. This module must not know
of limits or breaches.
"""

from __future__ import annotations

import asyncio
import time
from collections import defaultdict
from collections.abc import Awaitable, Callable, Sequence
from typing import Final, Literal, NamedTuple, get_args

from data import topics
from data.breach_store import BreachStore, Hold
from data.bus import Bus, Event
from data.commands import AnyCommand, Outcome
from data.limit_store import EngineRestriction
from data.limits import Restriction
from data.records import EngineStatus
from data.risk_commands import RestrictEngine
from nautilus_tui.daemon.principal import Principal
from nautilus_tui.daemon.risk.alerts import AlertBook

MONITOR: Final = Principal(name="monitor", role="risk", via="monitor")
RANKS: Final[tuple[Restriction, ...]] = get_args(Restriction)
_WORDS: Final[dict[Restriction, str]] = {
    "none": "passes what the limits allow",
    "reduce_only": "passes only what reduces",
    "halted": "passes nothing",
}
_ALERT: Final = "restriction"
_UP: Final = frozenset({"running", "degraded"})

type Execute = Callable[[AnyCommand, Principal], Awaitable[Outcome]]


class Ended(NamedTuple):
    """How something that was asked for ended."""

    status: Literal["done", "failed", "unknown"]
    detail: str


async def until(bus: Bus, topic: str, true: Callable[[], bool], seconds: float) -> bool:
    """Wait until something is true, looking at each event of a topic; return whether it became so."""
    came = asyncio.get_running_loop().create_future()

    def look(events: Sequence[Event]) -> None:
        if not came.done() and any(event.topic == topic for event in events):
            came.get_loop().call_soon(settle)

    def settle() -> None:
        if not came.done() and true():
            came.set_result(None)

    end = bus.subscribe(look)
    try:
        settle()
        await asyncio.wait([came], timeout=seconds)
        return came.done()
    finally:
        end()
        came.cancel()


class HoldBook:
    """The restrictions of the monitor.

    Args:
        store: Where they are kept.
        bus: Where heartbeats are told.
        status: An engine's state now; None: not known.
        said: What restricts an engine by the daemon's word, and whose word it was.
        execute: The one door.
        alerts: Where it is said.
        clock: UTC ns.
    """

    def __init__(
        self,
        *,
        store: BreachStore,
        bus: Bus,
        status: Callable[[str], EngineStatus | None],
        said: Callable[[str], EngineRestriction | None],
        execute: Execute,
        alerts: AlertBook,
        clock: Callable[[], int] = time.time_ns,
    ) -> None:
        self._store = store
        self._bus = bus
        self._status = status
        self._said = said
        self._execute = execute
        self._alerts = alerts
        self._clock = clock
        self._holds: dict[str, Hold] = {}
        self._locks: defaultdict[str, asyncio.Lock] = defaultdict(asyncio.Lock)

    async def load(self) -> None:
        """Go on with what was set before."""
        self._holds = await self._store.holds()

    def holds(self) -> list[Hold]:
        """Return the restrictions that the monitor set."""
        return list(self._holds.values())

    async def restrict(self, engine: str, restriction: Restriction, reason: str, seconds: float) -> Ended:
        """Restrict an engine at least so far, and return once its heartbeat tells it, or nothing does."""
        async with self._locks[engine]:
            status, before = self._status(engine), self._holds.get(engine)
            present: Restriction = "none" if status is None else status.restriction
            said = self._said(engine)
            # What was said since may not have reached it yet.
            told: Restriction = "none" if said is None else said.restriction
            up = status is not None and status.state in _UP
            if up and min(_rank(present), _rank(told)) >= _rank(restriction):
                whose = "set by the monitor before" if before is not None else "not set by the monitor"
                return Ended("done", f"{engine} is {present} already, {whose}")
            hold = Hold(
                engine=engine,
                restriction=restriction,
                before=before.before if before is not None else told,
                reason=reason,
                ts=self._clock(),
            )
            await self._keep(hold)  # before it is asked for: whoever comes later takes it back
            ended = await self._set(engine, restriction, reason, seconds)
            if self._is_ours(engine):
                self._say(hold)
            elif before is None:
                await self._forget(engine)
            else:
                await self._keep(before)
            return ended

    async def lift(
        self, engine: str, still: Callable[[str], Restriction], why: str, seconds: float
    ) -> Ended | None:
        """Take a restriction back as far as ``still`` lets it; None: there is nothing to take back."""
        async with self._locks[engine]:
            hold, status, wanted = self._holds.get(engine), self._status(engine), still(engine)
            if hold is None or _rank(wanted) >= _rank(hold.restriction):
                return None
            if not self._is_ours(engine):
                await self._forget(engine)
                said = f"somebody else has said since what {engine} may do: left as it is"
                self._alerts.resolve(_ALERT, engine, said)
                return Ended("done", said)
            if status is None or status.state not in _UP:
                return Ended("failed", f"{engine} does not run: its restriction is lifted when it does")
            target = max(wanted, hold.before, key=_rank)
            ended = await self._set(engine, target, why, seconds)
            if ended.status != "done":
                return ended
            if target == hold.before:
                await self._forget(engine)
                self._alerts.resolve(_ALERT, engine, f"lifted by the monitor, which had set it: {why}")
            else:
                after = Hold(
                    engine=engine, restriction=target, before=hold.before, reason=why, ts=self._clock()
                )
                await self._keep(after)
                self._say(after)
            return ended

    async def _set(self, engine: str, restriction: Restriction, reason: str, seconds: float) -> Ended:
        command = RestrictEngine(engine=engine, restriction=restriction, reason=reason)
        outcome = await self._execute(command, MONITOR)
        if outcome.outcome in ("refused", "failed"):
            said = outcome.problem.detail if outcome.problem is not None else outcome.outcome
            return Ended("failed", said)

        def told() -> bool:
            status = self._status(engine)
            return status is not None and status.state in _UP and status.restriction == restriction

        status = self._status(engine)
        if status is None or status.state not in _UP:
            return Ended("unknown", f"{engine} does not run; it is restricted from its next start on")
        if await until(self._bus, topics.engine_status(engine), told, seconds):
            return Ended("done", f"{engine} {_WORDS[restriction]}, its heartbeat says so")
        return Ended("unknown", f"no heartbeat of {engine} told it within {seconds:.0f} s")

    def _is_ours(self, engine: str) -> bool:
        """Tell whether it was the monitor that said last what an engine may do."""
        said = self._said(engine)
        return said is not None and said.by == MONITOR.name

    async def _keep(self, hold: Hold) -> None:
        await self._store.put_hold(hold)
        self._holds[hold.engine] = hold

    async def _forget(self, engine: str) -> None:
        await self._store.drop_hold(engine)
        self._holds.pop(engine, None)

    def _say(self, hold: Hold) -> None:
        status = self._status(hold.engine)
        self._alerts.raise_(
            _ALERT,
            "warning",
            f"{hold.engine} {_WORDS[hold.restriction]}",
            f"set by the monitor, which lifts it when its reason is over: {hold.reason}",
            hold.engine,
            status is not None and status.synthetic,
        )


def _rank(restriction: Restriction) -> int:
    return RANKS.index(restriction)
