"""The vocabulary of reports: which there are, in which formats, and what is known of one that was written.

This module must not know what is in a report or how it is made.
"""

from __future__ import annotations

import re
from difflib import get_close_matches
from typing import Final, Literal, get_args

import msgspec

from data.facts import Record
from data.problems import InvalidRequestError, NotFoundError

ReportType = Literal[
    "daily_risk",
    "weekly_summary",
    "monthly_summary",
    "regulatory",
    "stress_test",
    "limit_utilization",
    "breach_analysis",
    "var_backtest",
    "correlation",
    "concentration",
    "performance_attribution",
    "execution_quality",
]
ReportFormat = Literal["json", "csv", "xlsx", "html", "pdf"]

TYPES: Final[tuple[ReportType, ...]] = get_args(ReportType)
FORMATS: Final[tuple[ReportFormat, ...]] = get_args(ReportFormat)
CONTENT_TYPES: Final[dict[ReportFormat, str]] = {
    "json": "application/json",
    "csv": "text/csv",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "html": "text/html",
    "pdf": "application/pdf",
}
TITLES: Final[dict[ReportType, str]] = {
    "daily_risk": "Daily risk report",
    "weekly_summary": "Weekly summary",
    "monthly_summary": "Monthly summary",
    "regulatory": "Regulatory figures",
    "stress_test": "Stress test",
    "limit_utilization": "Limit utilisation",
    "breach_analysis": "Breach analysis",
    "var_backtest": "Value-at-risk backtest",
    "correlation": "Correlation",
    "concentration": "Concentration",
    "performance_attribution": "Performance attribution",
    "execution_quality": "Execution quality",
}


class WrittenReport(Record, frozen=True, kw_only=True, tag="report"):
    """A report that lies in the home's folder of reports."""

    name: str  #: of the file
    report_type: str
    report_format: str
    portfolio_id: str
    bytes: int
    sha256: str
    synthetic: bool
    scheduled: bool  #: written by the schedule; only these are tidied away
    ts: int  #: as of which it was made


class ReportPlan(msgspec.Struct, frozen=True, kw_only=True):
    """A report that is written by the clock."""

    report_type: ReportType
    report_format: ReportFormat
    when: str  #: five fields as in crontab(5), UTC


class Rendered(msgspec.Struct, frozen=True, kw_only=True):
    """A report as the bytes of a file."""

    name: str  #: that the file should have
    content_type: str
    content: bytes
    synthetic: bool = False
    ts: int = 0  #: as of which it was made; 0: not told


# ---------------------------------------------------------------- reading names and times


def report_type(text: str) -> ReportType:
    """Return a type by its name, dashes and underscores alike; raises NotFoundError with the nearest."""
    name = text.strip().lower().replace("-", "_")
    if name in TYPES:
        return name
    near = get_close_matches(name, TYPES, n=1, cutoff=0.5)
    raise NotFoundError(
        f"there is no report {text[:80]!r}",
        rule=f"a report is one of {', '.join(TYPES)}",
        fix=f"did you mean {near[0]}?" if near else None,
        field="report_type",
        value=text[:80],
    )


def report_format(text: str) -> ReportFormat:
    """Return a format by its name; raises InvalidRequestError with the nearest."""
    name = text.strip().lower()
    if name in FORMATS:
        return name
    near = get_close_matches(name, FORMATS, n=1, cutoff=0.5)
    raise InvalidRequestError(
        f"a report is not written as {text[:80]!r}",
        rule=f"format is one of {', '.join(FORMATS)}",
        fix=f"did you mean {near[0]}?" if near else None,
        field="format",
        value=text[:80],
    )


_DAYS: Final = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_MONTHS: Final = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
#: Fields of a time: what it is called, its least and highest number, and names in place of numbers.
_FIELDS: Final[tuple[tuple[str, int, int, tuple[str, ...]], ...]] = (
    ("minute", 0, 59, ()),
    ("hour", 0, 23, ()),
    ("day of the month", 1, 31, ()),
    ("month", 1, 12, _MONTHS),
    ("day of the week", 0, -1, _DAYS),
)
_PART = re.compile(r"(\*|[a-z0-9]+)(?:-([a-z0-9]+))?(?:/([1-9][0-9]?))?")


def report_plan(text: str) -> ReportPlan:
    """Return what ``daily_risk pdf 30 22 * * mon-fri`` says: type, format, and when, UTC.

    The five fields are those of crontab(5), but days of the week go by their names: their numbers mean
    different days to different programs.

    Raises:
        InvalidRequestError: It says something else; names the field and its rule.
    """
    words = text.split()
    if len(words) != 7:
        raise InvalidRequestError(
            f"reports.schedule: {text[:80]!r} is no schedule of a report",
            rule="TYPE FORMAT MINUTE HOUR DAY MONTH WEEKDAY, UTC",
            fix="for example daily_risk pdf 30 22 * * mon-fri",
            field="reports.schedule",
        )
    try:
        kind, form = report_type(words[0]), report_format(words[1])
    except NotFoundError as error:
        raise InvalidRequestError(
            f"reports.schedule: {error.detail}", rule=error.rule, fix=error.fix, field="reports.schedule"
        ) from error
    for word, (name, low, high, names) in zip(words[2:], _FIELDS, strict=True):
        _check_field(word.lower(), name, low, high, names)
    return ReportPlan(report_type=kind, report_format=form, when=" ".join(words[2:]).lower())


def _check_field(word: str, name: str, low: int, high: int, names: tuple[str, ...]) -> None:
    for part in word.split(","):
        found = _PART.fullmatch(part)
        ends = [] if found is None else [one for one in found.groups()[:2] if one not in (None, "*")]
        places = [_place(one, low, high, names) for one in ends]
        ranged = found is not None and found[2] is not None
        if (
            found is None
            or None in places
            or (ranged and found[1] == "*")
            or (len(places) == 2 and (places[0] or 0) > (places[1] or 0))
            or (found[3] is not None and not ranged and found[1] != "*")
        ):
            numbers = f"{low} to {high}" if high >= low else ""
            rule = " or ".join(one for one in (numbers, ", ".join(names)) if one)
            raise InvalidRequestError(
                f"reports.schedule: {name} {word[:40]!r} is no time",
                rule=f"{name} is *, or {rule}; lists with commas, ranges as a-b, steps as */n or a-b/n",
                fix="for example 30 22 * * mon-fri",
                field="reports.schedule",
                value=word[:40],
            )


def _place(word: str, low: int, high: int, names: tuple[str, ...]) -> int | None:
    """Return the number that a word stands for; None if it stands for none."""
    if word in names:
        return names.index(word)
    return int(word) if word.isdecimal() and low <= int(word) <= high else None
