"""Questions about the audit chain, typed. This module must not know of connections."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import AsyncIterator
from typing import Any

from data.audit import ChainReport
from data.paging import Page
from data.records import AuditEntry


class AuditQuestions(ABC):
    """What can be asked about who commanded what; the role is ``risk``."""

    @abstractmethod
    async def _ask[T](self, path: str, type_: type[T], **params: Any) -> T:
        """Return one record."""

    @abstractmethod
    async def _page[T](self, path: str, type_: type[T], **params: Any) -> Page[T]:
        """Return one page of a list."""

    @abstractmethod
    def _stream(self, path: str, **params: Any) -> AsyncIterator[bytes]:
        """Return a file piece by piece."""

    async def audit(
        self, *, limit: int = 100, cursor: str | None = None, command: str | None = None
    ) -> Page[AuditEntry]:
        """Return audited commands, newest first."""
        return await self._page("/audit", AuditEntry, limit=limit, cursor=cursor, command=command)

    async def verify_audit(self, head: str | None = None) -> ChainReport:
        """Have the whole chain checked, and that it reaches a head (SEQ:HASH) that was noted elsewhere.

        Raises:
            InvalidRequestError: ``head`` is none.
            StoreFailedError: the daemon's store is damaged.
        """
        return await self._ask("/audit/verify", ChainReport, head=head)

    def export_audit(self, start: str | None = None, end: str | None = None) -> AsyncIterator[bytes]:
        """Return the chain as JSON Lines, piece by piece; ``start`` and ``end`` are ISO dates or times.

        The last line says how many entries there are: without it the file is not whole.

        Raises:
            InvalidRequestError: a time is none.
            NotReachableError: the connection broke before the end.
        """
        params = {"from": start, "to": end}
        return self._stream("/audit/export", **params)
