"""Paths of questions: texts from elsewhere as one level of a path each. The only place that builds them.

This module must not know what is asked, or of connections.
"""

from __future__ import annotations

from urllib.parse import quote

from data.problems import InvalidRequestError


def level(field: str, text: str) -> str:
    """Return a text as one level of a path, whatever signs are in it.

    Dots alone are written as escapes: they would be taken for another place.

    Raises:
        InvalidRequestError: the text is empty, which would be another path; names ``field`` and the rule.
    """
    if not text.strip():
        raise InvalidRequestError(
            f"{field} is {text!r}",
            rule=f"{field} is not empty",
            fix=f"say which {field.replace('_', ' ')} is meant",
            field=field,
            value=text,
        )
    if not text.strip("."):
        return "%2E" * len(text)
    return quote(text, safe="")
