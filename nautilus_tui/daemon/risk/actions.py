"""What is done about a breach, in order, each done only when its confirming event came.

A restriction is confirmed by the engine's heartbeat, a cancellation by the orders' own events, a closed
position by the position's. What is not confirmed in time is unknown; what could not be asked has failed. Both
are tried again while the breach lasts, at once when the engine was started anew. A ``halt`` beside a
``flatten`` comes last, because a halted gate lets nothing close; until then only what reduces passes. This
module must not know what a breach is judged by.
"""

from __future__ import annotations

import asyncio
import logging
import time
import uuid
from collections.abc import Callable, Sequence
from typing import Final, NamedTuple

from data import topics
from data.bus import Bus
from data.commands import AnyCommand, CancelAll, CancelOrder, Flatten
from data.limits import ACTIONS, ActionName, BreachAction, Limit
from data.records import FINAL_STATUSES, WORKING_STATUSES, OrderUpdate, PositionUpdate
from nautilus_tui.daemon.present import Present
from nautilus_tui.daemon.risk.holds import MONITOR, Ended, Execute, HoldBook, until
from nautilus_tui.daemon.risk.portfolio import PortfolioWatch
from risk.scopes import Scope, scope_of

#: How long a confirming event is waited for.
CONFIRM_S: Final = 10.0
FLAT_S: Final = 20.0
#: What failed or is unknown is tried again after so long, while the breach lasts.
AGAIN_NS: Final = 30 * 1_000_000_000
_UP: Final = frozenset({"running", "degraded"})

logger = logging.getLogger(__name__)


class Cause(NamedTuple):
    """Why something is done: a breach, or a limit that is near."""

    id: str  #: of the breach or alert
    limit: Limit
    actions: tuple[ActionName, ...]
    reason: str
    known: Callable[[ActionName, str | None], BreachAction | None]  #: what was done before
    note: Callable[[BreachAction], None]  #: takes what is being done and how it ended
    lasts: Callable[[], bool]  #: whether there is still a reason to do anything


class ActionRunner:
    """Does what limits ask for.

    Args:
        execute: The one door.
        bus, present, portfolio: What engines tell.
        holds: Restrictions that the monitor sets.
        clock: UTC ns.
    """

    def __init__(
        self,
        *,
        execute: Execute,
        bus: Bus,
        present: Present,
        portfolio: PortfolioWatch,
        holds: HoldBook,
        clock: Callable[[], int] = time.time_ns,
    ) -> None:
        self._execute = execute
        self._bus = bus
        self._present = present
        self._portfolio = portfolio
        self._holds = holds
        self._clock = clock
        self._under_way: dict[str, asyncio.Task[None]] = {}

    def ensure(self, cause: Cause) -> None:
        """See to it that everything is done that has to be; what is under way or done is left alone."""
        if cause.id in self._under_way or not self._left(cause):
            return
        task = asyncio.create_task(self._run(cause))
        self._under_way[cause.id] = task
        task.add_done_callback(lambda done: self._ended(cause.id, done))

    async def close(self) -> None:
        """Wait for nothing more; what is under way is done again by the next daemon."""
        tasks = list(self._under_way.values())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def engines_of(self, limit: Limit) -> list[str]:
        """Return the engines that a limit's actions concern: those that its scope touches."""
        scope = scope_of(limit.scope)
        if scope.kind == "engine":
            return [scope.name]
        return [name for name in self._portfolio.engines() if self._touches(scope, name)]

    def _touches(self, scope: Scope, engine: str) -> bool:
        status = self._portfolio.status(engine)
        if scope.kind == "portfolio" and status is not None and status.state in _UP:
            return True
        return bool(self._orders(scope, engine) or self._positions(scope, engine))

    def _left(self, cause: Cause) -> list[tuple[ActionName, str]]:
        """Return what is to be done now, in order."""
        now, engines = self._clock(), self.engines_of(cause.limit)
        found: list[tuple[ActionName, str]] = []
        for action in _sequence(cause.actions):
            for engine in engines:
                before = cause.known(action, engine)
                again = before is not None and before.status in ("failed", "unknown")
                if before is None or before.status == "requested":
                    again = True  # what was asked for by a daemon before this one is asked for again
                elif again:
                    began = self._began(engine)
                    again = now - before.ts_requested >= AGAIN_NS or began > before.ts_requested
                if again:
                    found.append((action, engine))
        return found

    def _began(self, engine: str) -> int:
        """Return when an engine that runs was started, UTC ns; 0: it does not run."""
        status = self._portfolio.status(engine)
        return 0 if status is None or status.state not in _UP else status.ts_started or 0

    async def _run(self, cause: Cause) -> None:
        left = self._left(cause)
        for action in _sequence(cause.actions):
            engines = [engine for name, engine in left if name == action]
            if not cause.lasts():
                return
            await asyncio.gather(*(self._do(cause, action, engine) for engine in engines))

    def _ended(self, id_: str, task: asyncio.Task[None]) -> None:
        self._under_way.pop(id_, None)
        if not task.cancelled() and (error := task.exception()) is not None:
            logger.error("what is done about %s failed", id_, exc_info=error)

    async def _do(self, cause: Cause, action: ActionName, engine: str) -> None:
        asked = BreachAction(action=action, engine=engine, status="requested", ts_requested=self._clock())
        cause.note(asked)
        match action:
            case "deny_increase":
                ended = await self._holds.restrict(engine, "reduce_only", cause.reason, CONFIRM_S)
            case "halt":
                ended = await self._halt(cause, engine)
            case "cancel_orders":
                ended = await self._cancel(scope_of(cause.limit.scope), engine)
            case _:
                ended = await self._flatten(scope_of(cause.limit.scope), engine)
        cause.note(
            BreachAction(
                action=action,
                engine=engine,
                status=ended.status,
                detail=ended.detail,
                ts_requested=asked.ts_requested,
                ts_done=self._clock() if ended.status == "done" else None,
            )
        )

    # ------------------------------------------------------------ one action on one engine

    async def _halt(self, cause: Cause, engine: str) -> Ended:
        if "flatten" in cause.actions and self._positions(scope_of(cause.limit.scope), engine):
            meanwhile = await self._holds.restrict(engine, "reduce_only", cause.reason, CONFIRM_S)
            return Ended("unknown", f"not before it is flat; until then reduce_only: {meanwhile.detail}")
        return await self._holds.restrict(engine, "halted", cause.reason, CONFIRM_S)

    async def _cancel(self, scope: Scope, engine: str) -> Ended:
        ids = [order.client_order_id for order in self._orders(scope, engine)]
        if not ids:
            return Ended("done", "no order was working")
        failed = await self._ask(self._cancellations(scope, engine, ids))
        if failed is not None:
            return failed

        def final() -> bool:
            return all(self._is_final(engine, id_) for id_ in ids)

        if not await self._until(topics.orders(engine), final, CONFIRM_S):
            left = sum(not self._is_final(engine, id_) for id_ in ids)
            return Ended("unknown", f"no word of {left} of {len(ids)} orders within {CONFIRM_S:.0f} s")
        return Ended("done", _how_they_ended([self._present.order(engine, id_) for id_ in ids]))

    def _cancellations(self, scope: Scope, engine: str, ids: Sequence[str]) -> list[AnyCommand]:
        match scope.kind:
            case "portfolio" | "engine":
                return [CancelAll(engine=engine)]
            case "instrument":
                return [CancelAll(engine=engine, instrument=scope.name)]
            case _:
                return [CancelOrder(engine=engine, client_order_id=id_) for id_ in ids]

    async def _flatten(self, scope: Scope, engine: str) -> Ended:
        held = self._positions(scope, engine)
        if not held:
            return Ended("done", "nothing was held")
        instruments = sorted({one.instrument for one in held})
        if scope.kind == "strategy":
            shared = {one.instrument for one in self._positions(Scope("portfolio", ""), engine)}
            others = [
                name
                for name in sorted(shared & set(instruments))
                if len(self._positions(Scope("instrument", name), engine))
                > len([one for one in held if one.instrument == name])
            ]
            if others:
                return Ended("failed", f"others hold {', '.join(others)} as well: close it by hand")
        id_ = f"mon-{uuid.uuid4().hex[:12]}"
        commands: list[AnyCommand] = (
            [Flatten(engine=engine, client_order_id=id_)]
            if scope.kind in ("portfolio", "engine")
            else [
                Flatten(engine=engine, client_order_id=f"{id_}-{number}", instrument=name)
                for number, name in enumerate(instruments, 1)
            ]
        )
        failed = await self._ask(commands)
        if failed is not None:
            return failed

        def flat() -> bool:
            return not self._positions(scope, engine)

        if not await self._until(topics.positions(engine), flat, FLAT_S):
            left = sorted({one.instrument for one in self._positions(scope, engine)})
            return Ended("unknown", f"{', '.join(left[:5])} not closed within {FLAT_S:.0f} s")
        return Ended("done", f"{len(held)} positions closed, each by its event")

    async def _ask(self, commands: Sequence[AnyCommand]) -> Ended | None:
        """Send commands; return what became of it unless all were carried out."""
        for command in commands:
            outcome = await self._execute(command, MONITOR)
            if outcome.outcome != "done":
                said = outcome.problem.detail if outcome.problem is not None else outcome.outcome
                return Ended("unknown" if outcome.outcome == "unknown" else "failed", said)
        return None

    async def _until(self, topic: str, true: Callable[[], bool], seconds: float) -> bool:
        """Wait until something is true, looking at each event of a topic; return whether it became so."""
        return await until(self._bus, topic, true, seconds)

    # ------------------------------------------------------------ what a scope takes in

    def _orders(self, scope: Scope, engine: str) -> list[OrderUpdate]:
        found = [
            one
            for one in self._present.snapshot(topics.orders(engine))
            if isinstance(one, OrderUpdate) and one.status in WORKING_STATUSES
        ]
        return [one for one in found if self._is_in(scope, engine, one.instrument, one.strategy)]

    def _positions(self, scope: Scope, engine: str) -> list[PositionUpdate]:
        found = [
            one
            for one in self._present.snapshot(topics.positions(engine))
            if isinstance(one, PositionUpdate) and one.qty
        ]
        if scope.kind in ("portfolio", "engine"):
            return found if scope.kind == "portfolio" or scope.name == engine else []
        strategies = self._portfolio.strategies_of(engine)
        return [
            one
            for one in found
            if self._is_in(scope, engine, one.instrument, strategies.get(one.position_id))
        ]

    def _is_in(self, scope: Scope, engine: str, instrument: str, strategy: str | None) -> bool:
        match scope.kind:
            case "portfolio":
                return True
            case "engine":
                return engine == scope.name
            case "instrument":
                return instrument == scope.name
            case "strategy":
                return strategy == scope.name
            case _:
                listed = self._portfolio.instruments(engine).get(instrument)
                return listed is not None and listed.sector == scope.name

    def _is_final(self, engine: str, id_: str) -> bool:
        order = self._present.order(engine, id_)
        return order is None or order.status in FINAL_STATUSES


def _sequence(actions: Sequence[ActionName]) -> list[ActionName]:
    """Return what is done on engines, in order; a halt comes after a flatten, which it would not let pass."""
    found = [one for one in ACTIONS if one in actions and one not in ("notify", "warn")]
    if "halt" in found and "flatten" in found:
        found = [one for one in found if one != "halt"] + ["halt"]
    return found


def _how_they_ended(orders: Sequence[OrderUpdate | None]) -> str:
    counts: dict[str, int] = {}
    for order in orders:
        status = "ended" if order is None else order.status
        counts[status] = counts.get(status, 0) + 1
    return ", ".join(f"{count} {status}" for status, count in counts.items())
