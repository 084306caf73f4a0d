"""Questions about reports, typed. This module must not know of connections."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any

from data.reports import Rendered, WrittenReport
from nautilus_tui.client.paths import level


class ReportQuestions(ABC):
    """What can be asked about reports."""

    @abstractmethod
    async def _ask_list[T](self, path: str, type_: type[T], **params: Any) -> list[T]:
        """Return the records of a list."""

    @abstractmethod
    async def _download(self, path: str, **params: Any) -> Rendered:
        """Return a file."""

    async def report(
        self, report_type: str, report_format: str = "json", portfolio: str = "portfolio"
    ) -> Rendered:
        """Return a report of a book as it stands, as a file.

        Raises:
            NotFoundError: there is no such report or book.
            InvalidRequestError: there is no such format.
        """
        return await self._download(
            f"/risk/reports/{level('report_type', report_type)}", format=report_format, portfolio=portfolio
        )

    async def reports(self) -> list[WrittenReport]:
        """Return the reports that lie in the home's folder, the latest first."""
        return await self._ask_list("/risk/reports", WrittenReport)
