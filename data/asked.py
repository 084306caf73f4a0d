"""What questions about facts carry: days, forms and names, checked before any provider is asked.

The same checks stand before the daemon and before a provider that is asked without one, so that both
give the same answer. This module must not know who asks, or whom.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterable

from data.problems import InvalidRequestError

_MAX_TEXT = 200
_MAX_FORMS = 50
_FORM = re.compile(r"[A-Za-z0-9][A-Za-z0-9 ./-]{0,19}")


#: Nothing was known earlier: the first date that FRED takes for what was known.
_FIRST = dt.date(1776, 7, 4)


def known_then(as_of: dt.date | None) -> dt.date | None:
    """Return a date as of which something is asked; raises InvalidRequestError if nothing was known then."""
    today = dt.datetime.now(dt.UTC).date()
    if as_of is not None and as_of > today:
        raise invalid("as_of", as_of.isoformat(), f"as_of is not after today, {today.isoformat()}")
    if as_of is not None and as_of < _FIRST:
        raise invalid("as_of", as_of.isoformat(), f"as_of is not before {_FIRST.isoformat()}")
    return as_of


def span(start: dt.date | None, end: dt.date | None) -> None:
    """Check that a span of time does not end before it begins; raises InvalidRequestError."""
    if start is not None and end is not None and end < start:
        raise invalid("end", end.isoformat(), f"end is not before start, {start.isoformat()}")


def forms_of(parts: Iterable[str]) -> tuple[str, ...]:
    """Return the forms that are named, each once; raises InvalidRequestError."""
    forms = tuple(dict.fromkeys(part.strip() for part in parts if part.strip()))
    if len(forms) > _MAX_FORMS:
        raise invalid("forms", f"{len(forms)} forms", f"at most {_MAX_FORMS} forms are asked for at once")
    for form in forms:
        if not _FORM.fullmatch(form):
            raise invalid(
                "forms", form[:80], "a form is named like 10-K or SC 13G/A; see /edgar/filing-types"
            )
    return forms


def named(field: str, text: str) -> str:
    """Return a text that names something: with letters or digits, printable, not endless.

    Raises InvalidRequestError for any other; dots alone would be another place in an address.
    """
    cleaned = text.strip()
    tells = any(character.isalnum() for character in cleaned)
    if not tells or len(cleaned) > _MAX_TEXT or not cleaned.isprintable():
        raise invalid(
            field,
            text[:80],
            f"{field} is 1 to {_MAX_TEXT} printable characters, letters or digits among them",
        )
    return cleaned


def invalid(field: str, value: str, rule: str) -> InvalidRequestError:
    """Return the error that names what is wrong with a question, and the rule."""
    return InvalidRequestError(f"{field} is {value!r}", rule=rule, field=field, value=value)
