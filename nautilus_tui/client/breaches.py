"""Questions about limits' use, breaches, alerts and the monitor, typed.

This module must not know of connections.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any

from data.limits import Alert, Breach, LimitStatus, MonitorHealth
from data.paging import Page


class BreachQuestions(ABC):
    """What can be asked about what the monitor found; breaches and alerts are acknowledged by commands."""

    @abstractmethod
    async def _ask[T](self, path: str, type_: type[T], **params: Any) -> T:
        """Return one record."""

    @abstractmethod
    async def _ask_list[T](self, path: str, type_: type[T], **params: Any) -> list[T]:
        """Return the records of a list."""

    @abstractmethod
    async def _page[T](self, path: str, type_: type[T], **params: Any) -> Page[T]:
        """Return one page of a list."""

    async def limit_statuses(self) -> list[LimitStatus]:
        """Return how much of each limit was used at the last check."""
        return await self._ask_list("/risk/status", LimitStatus)

    async def monitor_health(self) -> MonitorHealth:
        """Return whether limits are being checked."""
        return await self._ask("/risk/health", MonitorHealth)

    async def breaches(
        self,
        *,
        every: bool = False,
        limit_id: str | None = None,
        limit: int = 100,
        cursor: str | None = None,
    ) -> Page[Breach]:
        """Return breaches, newest first: those that are open, or ``every`` one."""
        return await self._page(
            "/risk/breaches", Breach, every=every, limit_id=limit_id, limit=limit, cursor=cursor
        )

    async def alerts(
        self, *, every: bool = False, kind: str | None = None, limit: int = 100, cursor: str | None = None
    ) -> Page[Alert]:
        """Return alerts, newest first: those that are not over, or ``every`` one."""
        return await self._page("/risk/alerts", Alert, every=every, kind=kind, limit=limit, cursor=cursor)
