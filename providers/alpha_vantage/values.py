"""Single values as Alpha Vantage writes them: everything is text, and "nothing" has many spellings.

Each function takes what stood in a field and returns a value, None where nothing was told, or raises
BadPayloadError. This module must not know which answer a field is from.
"""

from __future__ import annotations

import datetime as dt
import html
import re
from decimal import Decimal

from data.problems import BadPayloadError

_NOTHING = frozenset({"", "none", "null", "-", "--", "n/a", "."})
_NO_DATE = frozenset({"0000-00-00"})
_NUMBER = re.compile(r"[+-]?(\d{1,30}(\.\d{0,30})?|\.\d{1,30})([eE][+-]?\d{1,2})?")
_DATE = re.compile(r"\d{4}-\d{2}-\d{2}")


def text(value: object) -> str:
    """Return a text with HTML entities resolved and single blanks; empty where nothing was told."""
    if value is None:
        return ""
    cleaned = _plain(str(value))
    return "" if cleaned.lower() in _NOTHING else cleaned


def symbol(value: object) -> str:
    """Return a symbol as it was told: there are companies whose symbol spells "nothing"."""
    written = "" if value is None else str(value).strip()
    if not written:
        raise _not(value, "symbol", "a symbol")
    return written


def _plain(value: str) -> str:
    # Some names have their entities in capitals, which only HTML's own spelling resolves.
    entities = re.sub(r"&[A-Z]+;", lambda found: found.group().lower(), value)
    return " ".join(html.unescape(entities).split())


def number(value: object, what: str) -> Decimal | None:
    """Return a number exactly as it was told.

    Args:
        value: text, or a number that came as one.
        what: the name of the field, for the error.
    """
    written = "" if value is None else str(value).strip()
    if written.lower() in _NOTHING:
        return None
    if not _NUMBER.fullmatch(written):
        raise _not(value, what, "a number")
    return Decimal(written)


def some(value: object, what: str) -> Decimal | None:
    """Return a number where a bare ``0`` stands for nothing: a price, an item of a statement."""
    found = number(value, what)
    return found or None


def percent(value: object, what: str) -> Decimal | None:
    """Return the number before a per cent sign."""
    return number(value.strip().removesuffix("%") if isinstance(value, str) else value, what)


def date(value: object, what: str) -> dt.date | None:
    """Return a date, YYYY-MM-DD; None where nothing was told."""
    written = "" if value is None else str(value).strip()
    if written.lower() in _NOTHING or written in _NO_DATE:
        return None
    if not _DATE.fullmatch(written):
        raise _not(value, what, "a date")
    try:
        return dt.date.fromisoformat(written)
    except ValueError as error:
        raise _not(value, what, "a date") from error


def the_date(value: object, what: str) -> dt.date:
    """Return a date that has to be there."""
    found = date(value, what)
    if found is None:
        raise _not(value, what, "a date")
    return found


def moment(value: str) -> dt.datetime:
    """Return the label of an intraday bar as it was told: a date and a time without a zone."""
    try:
        return dt.datetime.strptime(value.strip(), "%Y-%m-%d %H:%M:%S")
    except ValueError as error:
        raise _not(value, "the time of a bar", "a time") from error


def _not(value: object, what: str, kind: str) -> BadPayloadError:
    return BadPayloadError(
        f"Alpha Vantage answered {str(value)[:40]!r} for {what}, which is not {kind}",
        rule=f"{what} is {kind}",
        fix="nothing of this answer was used; ask again later",
    )
