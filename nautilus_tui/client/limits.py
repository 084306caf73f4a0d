"""Questions about limits, typed. They are set, deleted and approved by commands.

This module must not know of connections.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any, Literal

from data.commands import PreviewOrder
from data.limits import Limit, LimitChange, LimitEffect, LimitStatus
from nautilus_tui.client.paths import level


class LimitQuestions(ABC):
    """What can be asked about limits."""

    @abstractmethod
    async def _ask[T](self, path: str, type_: type[T], **params: Any) -> T:
        """Return one record."""

    @abstractmethod
    async def _ask_list[T](self, path: str, type_: type[T], **params: Any) -> list[T]:
        """Return the records of a list."""

    @abstractmethod
    async def _put_to[T](self, path: str, body: dict[str, Any], type_: type[T]) -> T:
        """Return one record that is asked for with a body; nothing is changed by it."""

    async def limits(self, *, scope: str | None = None, limit_type: str | None = None) -> list[Limit]:
        """Return every limit, by id, or those of one scope or type."""
        return await self._ask_list("/risk/limits", Limit, scope=scope, limit_type=limit_type)

    async def limit(self, limit_id: str) -> Limit:
        """Return one limit as it counts now; raises NotFoundError."""
        return await self._ask(_of(limit_id), Limit)

    async def check_limit(self, limit_id: str) -> LimitStatus:
        """Return how much of a limit is used now, judged as the monitor does; raises NotFoundError."""
        return await self._put_to(f"{_of(limit_id)}/check", {}, LimitStatus)

    async def check_order(self, limit_id: str, order: PreviewOrder, *, at: str | None = None) -> LimitEffect:
        """Return what an order would do to one limit, by the gate itself; nothing is sent.

        ``at`` is the engine asked; None: the one that the limit names, or the only one there is.

        Raises:
            NotFoundError: there is no such limit, engine or instrument.
            InvalidRequestError: no order can break the limit, or this one does not concern it.
            UnavailableError: the engine does not run.
        """
        body = {
            "engine": at,
            "instrument": order.instrument,
            "side": order.side,
            "qty": order.qty,
            "price": order.price,
            "reduce_only": order.reduce_only,
        }
        return await self._put_to(f"{_of(limit_id)}/check", body, LimitEffect)

    async def limit_changes(
        self, status: Literal["pending", "approved", "rejected"] | None = "pending"
    ) -> list[LimitChange]:
        """Return changes that need a second person, newest first: those that wait, or all with None."""
        return await self._ask_list("/risk/limits/changes", LimitChange, status=status)


def _of(limit_id: str) -> str:
    return f"/risk/limits/{level('limit_id', limit_id)}"
