"""What questions about facts carry: dates, forms and limits, checked before any provider is asked.

This module must not know of routes.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Sequence
from typing import Annotated, NamedTuple

from litestar.params import Parameter, PathParameter

from data import asked
from data.asked import invalid, known_then, named, span
from data.paging import Page

__all__ = ["cik_of", "forms_of", "known_then", "named", "page_asked", "page_of", "span", "window"]

AsOf = Annotated[dt.date | None, Parameter(description="as it was known on this date, e.g. 2020-03-31")]
Start = Annotated[dt.date | None, Parameter(description="first date, e.g. 2020-01-01")]
End = Annotated[dt.date | None, Parameter(description="last date")]
Forms = Annotated[str | None, Parameter(description="forms with commas between, e.g. 10-K,8-K")]
Few = Annotated[int, Parameter(ge=1, le=10_000, description="how many at most")]
Ticker = Annotated[str, PathParameter(description="a ticker in any spelling, e.g. AAPL or BRK.B")]
Cik = Annotated[str, PathParameter(description="the company's CIK, e.g. 320193")]
Accession = Annotated[str, PathParameter(description="the filing's accession number")]
SeriesId = Annotated[str, PathParameter(description="the series, e.g. DGS10")]
FactorId = Annotated[str, PathParameter(description="the factor's id")]
StockSymbol = Annotated[str, PathParameter(description="the vendor's symbol, e.g. IBM")]

#: As many items as a page can hold, and as it holds where nothing else is asked for.
LONGEST = 10_000
_CIK = re.compile(r"\d{1,10}")
_CURSOR = re.compile(r"[0-9]{1,9}")


def forms_of(text: str | None) -> tuple[str, ...]:
    """Return the forms that a parameter names; raises InvalidRequestError."""
    return asked.forms_of((text or "").split(","))


def cik_of(text: str) -> str:
    """Return a CIK from a path."""
    if not _CIK.fullmatch(text) or not int(text):
        raise invalid("cik", text[:80], "a CIK is a number of at most ten digits")
    return str(int(text))


class Window(NamedTuple):
    """Which items of a list a page holds, counted from the list's beginning."""

    start: int
    end: int

    def of[T](self, items: Sequence[T]) -> Page[T]:
        """Return the page of a list that holds ``end`` items, if there are so many."""
        return Page(list(items[self.start : self.end]), str(self.end) if len(items) >= self.end else None)


def window(limit: int, cursor: str | None) -> Window:
    """Return which items to look for; raises InvalidRequestError."""
    if cursor is not None and not _CURSOR.fullmatch(cursor):
        raise invalid("cursor", cursor[:80], "a cursor is the `next` of the page before")
    start = int(cursor or 0)
    return Window(start, start + limit)


def page_of[T](items: Sequence[T], limit: int, cursor: str | None) -> Page[T]:
    """Return a page of a list that is known as a whole."""
    start, end = window(limit, cursor)
    return Page(list(items[start:end]), str(end) if end < len(items) else None)


def page_asked[T](items: Sequence[T], limit: str | None, cursor: str | None) -> Page[T]:
    """Return a page of a list that is known as a whole, for parameters as they came."""
    size = int(limit) if limit is not None and _CURSOR.fullmatch(limit) else 0
    if limit is None:
        size = LONGEST
    if not 1 <= size <= LONGEST:
        raise invalid("limit", str(limit)[:80], f"a whole number from 1 to {LONGEST}")
    return page_of(items, size, cursor)
