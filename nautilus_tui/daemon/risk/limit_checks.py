"""Dry runs: what an order would do to one limit, asked of the engine's own gate; how a limit stands now.

Both are answered by the code that judges anyway. This module must not know how that is done.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from decimal import Decimal
from typing import Protocol

from data.commands import EngineCommand, PreviewOrder
from data.limits import GATED, Limit, LimitEffect, LimitStatus
from data.problems import InvalidRequestError, NotFoundError
from data.records import EngineStatus, Side
from engines.link import Reply


class Limits(Protocol):
    """The limits there are."""

    def limit(self, id_: str) -> Limit:
        """Return one limit; raises NotFoundError."""


class Engines(Protocol):
    """What is asked of the engines."""

    def statuses(self) -> list[EngineStatus]:
        """Return the state of every engine."""

    async def execute(self, command: EngineCommand, timeout: float = 10.0) -> Reply:
        """Have an engine carry out a command; raises what it answers."""


class LimitChecks:
    """Checks limits without anything coming of it.

    Args:
        limits: What there is.
        engines: Whose gates are asked.
        look: Judges limits as the monitor does, now.
    """

    def __init__(
        self,
        limits: Limits,
        engines: Engines,
        look: Callable[[Sequence[Limit]], Awaitable[list[LimitStatus]]],
    ) -> None:
        self._limits = limits
        self._engines = engines
        self._look = look

    async def status(self, limit_id: str) -> LimitStatus:
        """Return how much of a limit is used now; raises NotFoundError."""
        (status,) = await self._look([self._limits.limit(limit_id)])
        return status

    async def effect(
        self,
        limit_id: str,
        *,
        engine: str | None,
        instrument: str,
        side: Side,
        qty: Decimal,
        price: Decimal | None = None,
        reduce_only: bool = False,
    ) -> LimitEffect:
        """Return what an order would do to a limit at its worst; nothing is sent.

        Raises:
            NotFoundError: There is no such limit, engine or instrument.
            InvalidRequestError: No order can break the limit, or this one does not concern it.
            UnavailableError: The engine does not run.
        """
        limit = self._limits.limit(limit_id)
        if limit.limit_type not in GATED:
            raise InvalidRequestError(
                f"{limit.limit_type} is not judged order by order",
                rule=f"the gate judges {', '.join(sorted(GATED))}; the monitor judges the rest",
                fix="check it without an order",
                field="limit_id",
                value=limit_id,
            )
        named = self._engine(limit, engine)
        preview = PreviewOrder(
            engine=named, instrument=instrument, side=side, qty=qty, price=price, reduce_only=reduce_only
        )
        reply = await self._engines.execute(preview)
        effect = next((one for one in reply.effects if one.limit_id == limit.id), None)
        if effect is None:
            raise InvalidRequestError(
                f"an order in {instrument} at {named} does not concern {limit_id}",
                rule="an order is checked against limits whose scope takes it in",
                fix="name an order within its scope",
                field="instrument",
                value=instrument,
            )
        return effect

    def _engine(self, limit: Limit, named: str | None) -> str:
        kind, _, name = limit.scope.partition(":")
        if kind == "engine":
            if named not in (None, name):
                raise InvalidRequestError(
                    f"{limit.id} is over engine {name}, not {named}",
                    rule="an order is checked at an engine that the limit takes in",
                    fix=f"leave engine out, or give {name}",
                    field="engine",
                    value=named or "",
                )
            return name
        if named is not None:
            return named
        known = [one.id for one in self._engines.statuses()]
        if len(known) == 1:
            return known[0]
        if not known:
            raise NotFoundError(
                "there is no engine to ask", rule="a gate judges orders", fix="nautilus-tui engine start"
            )
        raise InvalidRequestError(
            f"there are {len(known)} engines and none is named",
            rule="engine may be left out while there is one only",
            fix=f"give engine, one of {', '.join(known)}",
            field="engine",
        )
