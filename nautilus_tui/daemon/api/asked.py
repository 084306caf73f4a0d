"""What questions about facts carry: dates, forms and limits, checked before any provider is asked.

This module must not know of routes.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Sequence
from typing import Annotated

from litestar.params import Parameter, PathParameter

from data import asked
from data.asked import invalid, known_then, named, span
from data.paging import Page

__all__ = ["cik_of", "forms_of", "known_then", "named", "page_of", "span"]

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

_CIK = re.compile(r"\d{1,10}")


def forms_of(text: str | None) -> tuple[str, ...]:
    """Return the forms that a parameter names; raises InvalidRequestError."""
    return asked.forms_of((text or "").split(","))


def cik_of(text: str) -> str:
    """Return a CIK from a path."""
    if not _CIK.fullmatch(text) or not int(text):
        raise invalid("cik", text[:80], "a CIK is a number of at most ten digits")
    return str(int(text))


def page_of[T](items: Sequence[T], limit: int, cursor: str | None) -> Page[T]:
    """Return a page of a list that is known as a whole."""
    if cursor is not None and not cursor.isdigit():
        raise invalid("cursor", cursor[:80], "a cursor is the `next` of the page before")
    start = int(cursor or 0)
    end = start + limit
    return Page(list(items[start:end]), str(end) if end < len(items) else None)
