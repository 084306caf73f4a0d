"""A denial by the gate as the error that people and programs are answered with.

This module must not know where a denial was found.
"""

from __future__ import annotations

from data.limits import Denial
from data.problems import DeniedError

_AMOUNTS = ("value", "limit", "max_quantity")


def denied_error(subject: str, denial: Denial, **facts: str) -> DeniedError:
    """Return the error of something denied; ``subject`` says what. Its facts are in ``extra``, as text."""
    most = denial.max_quantity
    error = DeniedError(
        f"{subject}: {denial.sentence()}",
        rule=denial.rule,
        fix=None if not most else f"at most {most:f}",
        **facts,
    )
    told = {name: getattr(denial, name) for name in ("limit_id", "scope", "unit")}
    told |= {name: None if (x := getattr(denial, name)) is None else f"{x:f}" for name in _AMOUNTS}
    error.extra |= {"rule": denial.rule} | {name: text for name, text in told.items() if text is not None}
    return error
