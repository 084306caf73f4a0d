"""The fiscal calendar of a company, found in what it reports: which quarter of which year a date ends.

What a fact says of fiscal year and quarter describes the filing it was in, not its own period; so
periods are told by their days. Years of 52 and 53 weeks end on a weekday near a date, which is why
nothing here asks for an exact one. This module must not know what is reported.
"""

from __future__ import annotations

import bisect
import math
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from typing import NamedTuple

import msgspec

from data.companies import Period

#: Forms whose latest year is a fiscal year of the company.
_ANNUAL_FORMS = ("10-K", "10-KT", "20-F", "40-F")
_QUARTER_DAYS = 365.25 / 4
#: Quarters of twelve weeks before one of seventeen end almost this far from a quarter of the year.
_TOLERANCE_DAYS = 30.0
#: The same end of a fiscal year lies within so many days, from year to year.
_NEAR = timedelta(days=15)
#: The longest fiscal year, in days, and a few.
_LONG_YEAR = 380
#: Years that end in the first days of January belong to the year before.
_SLACK = timedelta(days=7)


class Reported(msgspec.Struct, frozen=True, gc=False):
    """A figure in a filing, as the provider tells it."""

    end: date
    filed: date
    val: Decimal | None = None
    start: date | None = None  #: None: at ``end``
    accn: str = ""
    fy: int | None = None  #: of the filing
    fp: str | None = None  #: of the filing
    form: str = ""


class Place(NamedTuple):
    """Where a date lies in the fiscal calendar."""

    year: int
    quarter: int
    days_off: float  #: from where the quarter of an even year would end


class Span(NamedTuple):
    """A period in the fiscal calendar."""

    period: Period
    year: int
    quarter: int | None  #: None: of a year, or of no quarter


@dataclass(frozen=True, slots=True)
class FiscalCalendar:
    """The calendar.

    Attributes:
        ends: last days of fiscal years, at least one, in order.
        offset: what is added to the year in which a fiscal year ends to get its name. Companies whose
            year ends in January name it either way; theirs is what their own annual reports say.
        quarter_ends: the date on which a quarter ended, where anything was reported for it.
        usual: how many figures were reported for a period, to tell a usual period from a slip.
    """

    ends: tuple[date, ...]
    offset: int
    quarter_ends: Mapping[tuple[int, int], date]
    usual: Mapping[tuple[date, date], int]

    def place(self, end: date) -> Place:
        """Return the quarter that ends about a date: of the fiscal year that ends next, where that is known.

        A company that moves the end of its year has some months that belong to no fiscal year; they are
        far off any quarter.
        """
        later = bisect.bisect_left(self.ends, end - _NEAR)
        after = self.ends[later] if later < len(self.ends) else None
        before = self.ends[later - 1] if later > 0 else None
        if after is not None and (before is None or (after - end).days <= _LONG_YEAR):
            return _place(end, after, self.offset)
        assert before is not None
        place = _place(end, before, self.offset)
        if after is not None and abs(_off((after - before).days, 365.25)) > _NEAR.days:
            return place._replace(days_off=math.inf)
        return place

    def span(self, start: date | None, end: date) -> Span:
        """Return what a period is.

        80 to 100 days are a quarter, 350 to 380 a year, about 180 or 270 that end with the second or
        third quarter are a year to date. An instant has a quarter if that ends on its date.
        """
        place = self.place(end)
        if start is None:
            quarter = place.quarter if self.quarter_ends.get(place[:2]) == end else None
            return Span("instant", place.year, quarter)
        return _span(start, end, place)


def _off(days: int, length: float) -> float:
    """Return how many days are left of a time that should be several times as long as another."""
    return days - round(days / length) * length


def _place(end: date, anchor: date, offset: int) -> Place:
    quarters = round((end - anchor).days / _QUARTER_DAYS)
    year, quarter = divmod(4 * _label(anchor, offset) + 3 + quarters, 4)
    return Place(year, quarter + 1, _off((end - anchor).days, _QUARTER_DAYS))


def _span(start: date, end: date, place: Place) -> Span:
    days = (end - start).days + 1
    if abs(place.days_off) <= _TOLERANCE_DAYS:
        if 80 <= days <= 100:
            return Span("quarter", place.year, place.quarter)
        if 350 <= days <= 380 and place.quarter == 4:
            return Span("annual", place.year, None)
        if (160 <= days <= 200 and place.quarter == 2) or (245 <= days <= 295 and place.quarter == 3):
            return Span("ytd", place.year, place.quarter)
    return Span("other", place.year, None)


def _label(end: date, offset: int) -> int:
    return (end - _SLACK).year + offset


def is_annual(start: date | None, end: date) -> bool:
    """Say whether a period has the length of a year."""
    return start is not None and 350 <= (end - start).days + 1 <= 380


def fiscal_calendar(facts: Iterable[Reported], fiscal_year_end: str = "") -> FiscalCalendar:
    """Return the calendar of a company.

    Each annual report gives the end of its own year: the latest for which it has more than a few
    figures. Without one, quarterly reports say where in the year they stand; without those it is
    ``fiscal_year_end`` (``MM-DD``), else the end of December.
    """
    usual: Counter[tuple[date, date]] = Counter()
    annual: defaultdict[str, Counter[date]] = defaultdict(Counter)
    quarterly: defaultdict[str, Counter[date]] = defaultdict(Counter)
    said: dict[str, tuple[int | None, str | None]] = {}
    for fact in facts:
        if fact.start is None:
            continue
        usual[fact.start, fact.end] += 1
        said[fact.accn] = fact.fy, fact.fp
        if not fact.form.startswith(_ANNUAL_FORMS):
            quarterly[fact.accn][fact.end] += 1
        elif is_annual(fact.start, fact.end):
            annual[fact.accn][fact.end] += 1
    anchors = {accession: _latest(ends) for accession, ends in annual.items()}
    names = {accession: said[accession][0] for accession in anchors}
    if not anchors:
        for accession, ends in quarterly.items():
            year, quarter = said[accession]
            if year is not None and quarter in ("Q1", "Q2", "Q3"):
                left = round((4 - int(quarter[1])) * _QUARTER_DAYS)
                anchors[accession], names[accession] = _latest(ends) + timedelta(left), year
    ends_of_years = tuple(sorted(set(anchors.values()))) or (_stated(fiscal_year_end),)
    offset = _offset(anchors, names)
    return FiscalCalendar(ends_of_years, offset, _quarter_ends(usual, ends_of_years, offset), usual)


def _latest(ends: Counter[date]) -> date:
    """Return the latest date that more than a few figures have."""
    enough = max(ends.values()) * 0.2
    return max(end for end, count in ends.items() if count >= enough)


def _stated(month_day: str) -> date:
    try:
        return date.fromisoformat(f"2000-{month_day or '12-31'}")
    except ValueError:
        return date(2000, 12, 31)


def _offset(anchors: Mapping[str, date], names: Mapping[str, int | None]) -> int:
    """Return how the company names its years, as most of its reports say; the year of the end, if none do."""
    votes: Counter[int] = Counter()
    latest: dict[int, date] = {}
    for accession, end in anchors.items():
        name = names[accession]
        difference = 0 if name is None else name - _label(end, 0)
        if name is not None and -1 <= difference <= 1:
            votes[difference] += 1
            latest[difference] = max(end, latest.get(difference, end))
    return max(votes, key=lambda vote: (votes[vote], latest[vote]), default=0)


def _quarter_ends(
    usual: Mapping[tuple[date, date], int], ends: tuple[date, ...], offset: int
) -> dict[tuple[int, int], date]:
    """Return for each quarter the date on which most of what was reported for it ended."""
    calendar = FiscalCalendar(ends, offset, {}, {})
    counts: defaultdict[tuple[int, int], Counter[date]] = defaultdict(Counter)
    for (start, end), count in usual.items():
        place = calendar.place(end)
        if _span(start, end, place).period != "other":
            counts[place[:2]][end] += count
    return {
        quarter: max(found, key=lambda end, found=found: (found[end], end))  # type: ignore[misc]
        for quarter, found in counts.items()
    }
