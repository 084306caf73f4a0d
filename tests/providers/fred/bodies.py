"""Bodies in FRED's shapes for the tests that have no recorded one."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Callable, Mapping, Sequence

from tests.providers.replay import JSON, Given, Request

START, END = dt.date(2026, 11, 27), dt.date(2026, 11, 27)


def observations(
    values: Mapping[dt.date, str], start: dt.date = START, end: dt.date = END, **more: object
) -> bytes:
    """Return observations that all stood in one real-time period."""
    rows = [
        {"realtime_start": str(start), "realtime_end": str(end), "date": str(date), "value": value}
        for date, value in values.items()
    ]
    return listing("observations", rows, start, end, units="lin", **more)


def listing(
    key: str, rows: Sequence[object], start: dt.date = START, end: dt.date = END, **more: object
) -> bytes:
    """Return a list as FRED does."""
    told = {
        "realtime_start": str(start),
        "realtime_end": str(end),
        "sort_order": "asc",
        "count": len(rows),
        "offset": 0,
        "limit": 100_000,
        key: rows,
    }
    return json.dumps({**told, **more}).encode()


def refusal(message: str, status: int = 400) -> Given:
    """Return an error as FRED does."""
    return status, JSON, json.dumps({"error_code": status, "error_message": message}).encode()


def by_series(values: Mapping[str, Mapping[dt.date, str]]) -> Callable[[Request], Given]:
    """Return a route that answers the observations of some series, and FRED's error for others."""

    def answer(request: Request) -> Given:
        known = values.get(request.query.get("series_id", ""))
        if known is None:
            return refusal("Bad Request.  The series does not exist.")
        return observations(known)

    return answer


def months(first: dt.date, values: Sequence[float | str]) -> dict[dt.date, str]:
    """Return values by month."""
    result = {}
    for index, value in enumerate(values):
        year, month = divmod(first.year * 12 + first.month - 1 + index, 12)
        result[dt.date(year, month + 1, 1)] = str(value)
    return result
