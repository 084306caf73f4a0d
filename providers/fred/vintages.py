"""Point in time: which of a series' rows was the known one on a day.

A row stands for one period and for the real-time period in which its value was the published one. A
server may answer for a longer real-time period than it was asked for, so the choice is made here
whatever was asked. This module must not know how rows are fetched.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable

from data.problems import BadPayloadError, ProviderNotFoundError
from providers.fred.wire import Page, Row


def known(page: Page[Row], on: dt.date | None, series_id: str) -> list[Row]:
    """Return for each period the row that stood on a day, oldest period first.

    Args:
        page: all rows of the answer.
        on: the day; None: the last day of which the rows tell, which is the last that the answer is for
            unless its head says more.
        series_id: for messages.

    Raises:
        ProviderNotFoundError: nothing of the series was known on that day yet.
        BadPayloadError: the answer is not for that day, or has two values for one period.
    """
    day = max((row.end for row in page.rows), default=page.end) if on is None else on
    covering(page, day, series_id)
    chosen = _one_a_period((row for row in page.rows if row.start <= day <= row.end), series_id)
    if on is not None and not chosen and page.rows:
        raise unknown_yet(series_id, on, min(row.start for row in page.rows))
    return chosen


def covering(page: Page[Row], day: dt.date, series_id: str) -> Page[Row]:
    """Return an answer that is for a day; raises BadPayloadError for one that is for other days."""
    if not page.start <= day <= page.end:
        raise BadPayloadError(
            f"FRED answered {series_id} for the real-time period {page.start} to {page.end}",
            rule=f"what was known on {day} was asked for",
            fix="nothing of it was used; check FRED's address in the settings",
        )
    return page


def _one_a_period(rows: Iterable[Row], series_id: str) -> list[Row]:
    by_date: dict[dt.date, Row] = {}
    for row in rows:
        other = by_date.setdefault(row.date, row)
        if other.value != row.value:
            raise BadPayloadError(
                f"FRED answered two values of {series_id} for {row.date}: {other.value} and {row.value}",
                rule="one value stands for a period at a time",
            )
    return [by_date[date] for date in sorted(by_date)]


def unknown_yet(series_id: str, on: dt.date, first: dt.date) -> ProviderNotFoundError:
    """Return the error that says that nothing of a series is known to have been known on a day."""
    return ProviderNotFoundError(
        f"what was known of {series_id} on {on} is not known",
        rule=f"its archive begins on {first}",
        fix=f"ask as of {first} or later",
        first=first.isoformat(),
    )
