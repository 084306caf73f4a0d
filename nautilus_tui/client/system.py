"""Questions about the daemon itself and its engines, typed. This module must not know of connections."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any

from data.paging import Page
from data.records import EngineLog, EngineStatus, SystemHealth
from nautilus_tui.client import wire


class SystemQuestions(ABC):
    """What can be asked about the daemon, who is connected to it, and its engines."""

    @abstractmethod
    async def _get(self, path: str, **params: Any) -> Any:
        """Return an answer as plain values, soon or not at all."""

    @abstractmethod
    async def _page[T](self, path: str, type_: type[T], **params: Any) -> Page[T]:
        """Return one page of a list."""

    async def health(self) -> SystemHealth:
        """Return the daemon's health."""
        return wire.convert(await self._get("/system/health"), SystemHealth)

    async def tokens(self) -> list[dict[str, Any]]:
        """Return the access tokens by name, never the secrets."""
        return (await self._page("/tokens", dict[str, Any])).items

    async def connections(self) -> list[dict[str, Any]]:
        """Return the stream connections with their counters."""
        return (await self._page("/websocket/connections", dict[str, Any])).items

    async def stream_health(self) -> dict[str, Any]:
        """Return the counters of the stream hub."""
        return wire.convert(await self._get("/websocket/health"), dict[str, Any])

    async def engines(self) -> list[EngineStatus]:
        """Return every engine known, running or not."""
        return (await self._page("/nautilus/engine/status", EngineStatus)).items

    async def engine(self, engine: str) -> EngineStatus:
        """Return one engine; raises NotFoundError."""
        return wire.convert(await self._get("/nautilus/engine/status", instance_id=engine), EngineStatus)

    async def engine_logs(
        self,
        engine: str,
        *,
        limit: int = 200,
        level: str | None = None,
        client_order_id: str | None = None,
        cursor: str | None = None,
    ) -> Page[EngineLog]:
        """Return the latest lines of an engine's log, oldest first."""
        return await self._page(
            "/nautilus/engine/logs",
            EngineLog,
            instance_id=engine,
            limit=limit,
            level=level,
            client_order_id=client_order_id,
            cursor=cursor,
        )
