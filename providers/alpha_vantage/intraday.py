"""Bars within the day: New York time without an offset, labelled by start or by end, made one of it.

Old series label a bar by its end, newer ones by its start. The first and last minute of the extended
session tell: a bar cannot end when trading begins (04:00), nor begin when it is over (20:00); the same
goes for series of regular hours only. Bars without a trade are absent. This module must not know how a
series is asked for.
"""

from __future__ import annotations

import datetime as dt
import itertools
from collections.abc import Sequence

from data.fundamentals import PriceSeries
from data.problems import ProviderBadRequestError
from providers.alpha_vantage import series, shapes, symbols, values
from providers.alpha_vantage.prices import bar, nanos, zone_of
from providers.alpha_vantage.reading import Reading, nothing
from providers.core.exchange import Body
from providers.core.http import Stamp

#: Minutes of a bar.
INTERVALS = {"1min": 1, "5min": 5, "15min": 15, "30min": 30, "60min": 60}
_OPENS, _CLOSES = dt.time(4), dt.time(20)
_REGULAR_OPENS, _REGULAR_CLOSES = dt.time(9, 30), dt.time(16)


def interval_of(text: str) -> str:
    """Return an interval as Alpha Vantage spells it: ``5``, ``5m`` and ``5min`` are ``5min``.

    Raises ProviderBadRequestError if there is none such.
    """
    digits = text.strip().lower().removesuffix("utes").removesuffix("in").removesuffix("m")
    interval = f"{digits.strip()}min"
    if interval not in INTERVALS:
        raise ProviderBadRequestError(
            f"there are no bars of {text[:20]!r}",
            rule=f"an interval is one of {', '.join(INTERVALS)}",
            fix="choose one of these",
        )
    return interval


def labelled_by_end(labels: Sequence[dt.datetime]) -> bool:
    """Say whether the labels of a series are the ends of its bars; if nothing tells, they are starts."""
    times = [label.time() for label in labels]
    days = {label.date() for label in labels}
    for opens, closes, fewest in ((_OPENS, _CLOSES, 1), (_REGULAR_OPENS, _REGULAR_CLOSES, 2)):
        # That there is nothing outside the regular hours is only plain from several days.
        if len(days) >= fewest and all(opens <= time <= closes for time in times):
            begins, ends = times.count(opens), times.count(closes)
            if begins != ends:
                return ends > begins
    return False


def read(
    body: Body, symbol: str, interval: str, *, month: str | None, most: int | None
) -> Reading[PriceSeries]:
    """Read an intraday series; bars are dated by their start.

    Args:
        body: the answer.
        symbol: what was asked for.
        interval: one of `INTERVALS`.
        month: YYYY-MM, of which bars are kept; None: all.
        most: keep the latest of this many bars; None: all.

    Raises:
        ProviderNotFoundError: there are no bars.
        BadPayloadError: it is no such series.
    """
    told = series.read(body, symbol)
    if not told.rows:
        raise nothing(f"{interval} bars", symbol)
    minutes = INTERVALS[interval]
    labels = [values.moment(row.label) for row in told.rows]
    _check_interval(told.interval, labels, interval)
    zone = zone_of(told.timezone)
    back = dt.timedelta(minutes=minutes if labelled_by_end(labels) else 0)
    bars = [(label - back, row) for label, row in zip(labels, told.rows, strict=True)]
    if month is not None:
        bars = [(start, row) for start, row in bars if f"{start:%Y-%m}" == month]
        if not bars:
            raise shapes.bad(f"answered no bar of {month}", "the bars are of the month that was asked")
    bars = bars[-most:] if most else bars

    def make(stamp: Stamp) -> PriceSeries:
        source = stamp._asdict()
        return PriceSeries(
            **source,
            symbol=symbol,
            interval=interval,
            timezone=told.timezone,
            currency=symbols.currency(symbol),
            adjusted=False,
            bars=tuple(bar(source, start.date(), nanos(start, zone), row) for start, row in bars),
        )

    return Reading(make, told.refreshed)


def _check_interval(told: str, labels: Sequence[dt.datetime], interval: str) -> None:
    """Raise BadPayloadError if these are bars of another length than was asked."""
    step = dt.timedelta(minutes=INTERVALS[interval])
    gaps = [later - earlier for earlier, later in itertools.pairwise(labels)]
    if (told and told != interval) or any(gap < step for gap in gaps):
        raise shapes.bad(
            f"answered other bars than those of {interval}",
            "the bars have the length that was asked",
        )
