"""What questions about facts carry: dates, forms and limits, checked before any provider is asked.

This module must not know of routes.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Sequence
from typing import Annotated, NamedTuple

from litestar.params import Parameter, PathParameter

from data import asked, forms
from data.asked import invalid, known_then, named, span
from data.paging import Page
from data.problems import InvalidRequestError
from data.words import shown
from nautilus_tui.daemon.api.parameters import LONGEST

__all__ = ["cik_of", "forms_of", "known_then", "moments", "named", "page_asked", "page_of", "span", "window"]

AsOf = Annotated[dt.date | None, Parameter(description="as it was known on this date, e.g. 2020-03-31")]
Start = Annotated[dt.date | None, Parameter(description="first date, e.g. 2020-01-01")]
End = Annotated[dt.date | None, Parameter(description="last date")]
Forms = Annotated[str | None, Parameter(description="forms with commas between, e.g. 10-K,8-K")]
Few = Annotated[int, Parameter(ge=1, le=LONGEST, description="how many at most")]
Ticker = Annotated[str, PathParameter(description="a ticker in any spelling, e.g. AAPL or BRK.B")]
Cik = Annotated[str, PathParameter(description="the company's CIK, e.g. 320193")]
Accession = Annotated[str, PathParameter(description="the filing's accession number")]
SeriesId = Annotated[str, PathParameter(description="the series, e.g. DGS10")]
FactorId = Annotated[str, PathParameter(description="the factor's id")]
StockSymbol = Annotated[str, PathParameter(description="the vendor's symbol, e.g. IBM")]

#: What the store can compare times with.
_LATEST = 2**63 - 1
_CIK = re.compile(r"\d{1,10}")
_CURSOR = re.compile(r"[0-9]{1,9}")


def forms_of(text: str | None) -> tuple[str, ...]:
    """Return the forms that a parameter names; raises InvalidRequestError."""
    return asked.forms_of((text or "").split(","))


def moments(**given: str | None) -> tuple[int | None, ...]:
    """Return times (ns UTC) from a request, the earlier ones first; names say which field is which.

    Those that the store cannot hold are the outermost that it can: nothing lies beyond.

    Raises:
        InvalidRequestError: one is no time, or before the one that it follows.
    """
    found: list[int | None] = []
    before: tuple[str, int] | None = None
    for field, text in given.items():
        if text is None:
            found.append(None)
            continue
        try:
            time = min(max(forms.parse_iso(text), -_LATEST), _LATEST)
        except InvalidRequestError as error:
            error.extra |= {"field": field, "value": shown(text)}
            error.detail = f"{field}: {error.detail}"
            raise
        if before is not None and time < before[1]:
            raise invalid(field, shown(text), f"{field} is not before {before[0]}, {given[before[0]]}")
        before = (field, time)
        found.append(time)
    return tuple(found)


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


def size_asked(limit: str | None) -> int:
    """Return how many items a page of a list holds that is known as a whole; raises InvalidRequestError."""
    size = LONGEST if limit is None else int(limit) if _CURSOR.fullmatch(limit) else 0
    if not 1 <= size <= LONGEST:
        raise invalid("limit", shown(str(limit)), f"limit is a whole number from 1 to {LONGEST}")
    return size


def page_asked[T](items: Sequence[T], limit: str | None, cursor: str | None) -> Page[T]:
    """Return a page of a list that is known as a whole, for parameters as they came."""
    return page_of(items, size_asked(limit), cursor)
