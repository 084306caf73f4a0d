"""What questions about facts carry: dates, forms and limits, checked before any provider is asked.

This module must not know of routes.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Sequence
from typing import Annotated

from litestar.params import Parameter, PathParameter

from data.paging import Page
from data.problems import InvalidRequestError

AsOf = Annotated[dt.date | None, Parameter(description="as it was known on this date, e.g. 2020-03-31")]
Start = Annotated[dt.date | None, Parameter(description="first date, e.g. 2020-01-01")]
End = Annotated[dt.date | None, Parameter(description="last date")]
Forms = Annotated[str | None, Parameter(description="forms with commas between, e.g. 10-K,8-K")]
Few = Annotated[int, Parameter(ge=1, le=1000, description="how many at most")]
Ticker = Annotated[str, PathParameter(description="a ticker in any spelling, e.g. AAPL or BRK.B")]
Cik = Annotated[str, PathParameter(description="the company's CIK, e.g. 320193")]
Accession = Annotated[str, PathParameter(description="the filing's accession number")]
SeriesId = Annotated[str, PathParameter(description="the series, e.g. DGS10")]
FactorId = Annotated[str, PathParameter(description="the factor's id")]
StockSymbol = Annotated[str, PathParameter(description="the vendor's symbol, e.g. IBM")]

_MAX_TEXT = 200
_MAX_FORMS = 50
_FORM = re.compile(r"[A-Za-z0-9][A-Za-z0-9 ./-]{0,19}")
_CIK = re.compile(r"\d{1,10}")


def known_then(as_of: dt.date | None) -> dt.date | None:
    """Return a date as of which something is asked; raises InvalidRequestError if it lies ahead."""
    today = dt.datetime.now(dt.UTC).date()
    if as_of is not None and as_of > today:
        raise _invalid("as_of", as_of.isoformat(), f"as_of is not after today, {today.isoformat()}")
    return as_of


def span(start: dt.date | None, end: dt.date | None) -> None:
    """Check that a span of time does not end before it begins."""
    if start is not None and end is not None and end < start:
        raise _invalid("end", end.isoformat(), f"end is not before start, {start.isoformat()}")


def forms_of(text: str | None) -> tuple[str, ...]:
    """Return the forms that a parameter names."""
    forms = tuple(dict.fromkeys(part.strip() for part in (text or "").split(",") if part.strip()))
    if len(forms) > _MAX_FORMS:
        raise _invalid("forms", f"{len(forms)} forms", f"at most {_MAX_FORMS} forms are asked for at once")
    for form in forms:
        if not _FORM.fullmatch(form):
            raise _invalid(
                "forms", form[:80], "a form is named like 10-K or SC 13G/A; see /edgar/filing-types"
            )
    return forms


def cik_of(text: str) -> str:
    """Return a CIK from a path."""
    if not _CIK.fullmatch(text) or not int(text):
        raise _invalid("cik", text[:80], "a CIK is a number of at most ten digits")
    return str(int(text))


def named(field: str, text: str) -> str:
    """Return a text that names something: not empty, printable, not endless."""
    cleaned = text.strip()
    if not cleaned or len(cleaned) > _MAX_TEXT or not cleaned.isprintable():
        raise _invalid(field, text[:80], f"{field} is 1 to {_MAX_TEXT} printable characters")
    return cleaned


def page_of[T](items: Sequence[T], limit: int, cursor: str | None) -> Page[T]:
    """Return a page of a list that is known as a whole."""
    if cursor is not None and not cursor.isdigit():
        raise _invalid("cursor", cursor[:80], "a cursor is the `next` of the page before")
    start = int(cursor or 0)
    end = start + limit
    return Page(list(items[start:end]), str(end) if end < len(items) else None)


def _invalid(field: str, value: str, rule: str) -> InvalidRequestError:
    return InvalidRequestError(f"{field} is {value!r}", rule=rule, field=field, value=value)
