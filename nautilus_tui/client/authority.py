"""Questions about the order authority, typed. This module must not know of connections."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any

from data.access import OrderAuthority


class AuthorityQuestions(ABC):
    """What can be asked about the order authority; it is taken and released by commands."""

    @abstractmethod
    async def _ask[T](self, path: str, type_: type[T], **params: Any) -> T:
        """Return one record."""

    async def order_authority(self) -> OrderAuthority:
        """Return who holds the order authority, since when, and who held it before."""
        return await self._ask("/authority", OrderAuthority)
