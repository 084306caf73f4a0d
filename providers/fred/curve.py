"""The yield curve of a day, and of a month and a year before it.

A day without yields gives way to the nearest one before it; yields of different days are never mixed.
This module must not know how series are fetched.
"""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import NamedTuple

from data.macro import CurvePoint, YieldCurve
from data.problems import ProviderError
from providers.core.http import Stamp
from providers.fred.archive import Reading
from providers.fred.factors import Readings, oldest
from providers.fred.timeline import shifted

#: A day's yields may be so many days before the day that is wanted.
_NEAR = dt.timedelta(days=7)


class Maturity(NamedTuple):
    """One point of the curve."""

    label: str
    months: int
    series: str


MATURITIES = (
    Maturity("1M", 1, "DGS1MO"),
    Maturity("3M", 3, "DGS3MO"),
    Maturity("6M", 6, "DGS6MO"),
    Maturity("1Y", 12, "DGS1"),
    Maturity("2Y", 24, "DGS2"),
    Maturity("3Y", 36, "DGS3"),
    Maturity("5Y", 60, "DGS5"),
    Maturity("7Y", 84, "DGS7"),
    Maturity("10Y", 120, "DGS10"),
    Maturity("20Y", 240, "DGS20"),
    Maturity("30Y", 360, "DGS30"),
)
INPUTS = tuple(maturity.series for maturity in MATURITIES)

#: Label and months before the latest day.
_TIMES = (("now", 0), ("1 month ago", 1), ("1 year ago", 12))

_Yields = dict[str, dict[dt.date, Decimal]]


def curves(readings: Readings, unknown: Stamp) -> list[YieldCurve]:
    """Return the curves of the latest day, a month and a year before; what is missing says why."""
    came = [reading for reading in readings.values() if isinstance(reading, Reading)]
    stamp = oldest([reading.stamp for reading in came], unknown)
    yields: _Yields = {reading.id: dict(reading.values()) for reading in came}
    failed = "; ".join(
        f"{series}: {found.name}: {found.detail}"
        for series, found in readings.items()
        if isinstance(found, ProviderError)
    )
    latest = max((date for one in yields.values() for date in one), default=None)
    return [_curve(label, latest, back, yields, failed, stamp) for label, back in _TIMES]


def _curve(
    label: str, latest: dt.date | None, back: int, yields: _Yields, failed: str, stamp: Stamp
) -> YieldCurve:
    wanted = None if latest is None else shifted(latest, -back)
    day = None if wanted is None else _day(wanted, yields)
    problem = failed
    if day is None:
        none = "NotFound: there are no yields" if wanted is None else f"NotFound: no yields near {wanted}"
        problem = f"{none}; {failed}" if failed else none
    return YieldCurve(
        **stamp._asdict(),
        label=label,
        date=day,
        points=tuple(
            CurvePoint(label=one.label, months=one.months, series=one.series, value=_yield(yields, one, day))
            for one in MATURITIES
        ),
        problem=problem or None,
    )


def _day(wanted: dt.date, yields: _Yields) -> dt.date | None:
    """Return the day up to the wanted one, and near it, that has the most yields; the latest of equals."""
    days = [wanted - dt.timedelta(days=back) for back in range(_NEAR.days + 1)]
    counts = {day: sum(day in one for one in yields.values()) for day in days}
    best = max(days, key=lambda day: counts[day])  # the first of equals, which is the latest
    return best if counts[best] > 0 else None


def _yield(yields: _Yields, maturity: Maturity, day: dt.date | None) -> Decimal | None:
    return None if day is None else yields.get(maturity.series, {}).get(day)
