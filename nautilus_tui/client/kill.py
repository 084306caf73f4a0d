"""Questions about the kill switch, typed. This module must not know of connections."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any

from data.kill import KillStatus


class KillQuestions(ABC):
    """What can be asked about the kill switch; it is pulled and released by commands."""

    @abstractmethod
    async def _ask[T](self, path: str, type_: type[T], **params: Any) -> T:
        """Return one record."""

    async def kill_status(self) -> KillStatus:
        """Return how the kill switch stands."""
        return await self._ask("/risk/kill", KillStatus)
