"""Which value of a period counts, and what can be computed where none was reported.

The same period is told again in later filings, sometimes with another value: as it was first filed,
or as it was last restated. Values are only computed from one another if they were told under the same
accounts. This module must not know metrics, or how facts are fetched.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from decimal import Decimal
from typing import NamedTuple

from data.companies import View
from data.problems import BadPayloadError
from providers.edgar.metrics import Tag
from providers.edgar.periods import FiscalCalendar, Reported, Span

#: A period first told so long after its end stands beside a later one for comparison.
_LATE = timedelta(days=330)
#: Money and shares have at most so many digits before or after the point.
_MOST_DIGITS = 30
#: A quarter that is left over when others are subtracted has about so many days.
_LEFT_DAYS = range(60, 131)


class Told(NamedTuple):
    """A value in a filing. The order is that of filing: an amendment after what it amends."""

    filed: date
    amendment: bool
    accession: str
    rank: int  #: of the tag
    digits: int  #: significant ones, negative: the more exact value first
    value: Decimal
    form: str
    tag: Tag

    @property
    def filing(self) -> tuple[date, bool, str]:
        """Which filing it is in."""
        return self[:3]


@dataclass(frozen=True, slots=True)
class Figure:
    """The value of a period that counts.

    Attributes:
        told: where it stands; of a computed one, the latest of what it was computed from.
        first: when this value was first told.
        last: when it was last told.
        superseded: when another value was told after it.
        original: it is the first value that was told for the period, and not long after it.
        changed: it is not the first value that was told for the period.
        restated: another value was told too.
        derived: how it was computed.
        history: all that was told of the period, in order.
    """

    start: date | None
    end: date
    value: Decimal
    told: Told
    first: date
    last: date
    superseded: date | None
    original: bool
    changed: bool
    restated: bool
    derived: str = ""
    history: tuple[Told, ...] = ()

    def value_on(self, day: date) -> Decimal | None:
        """Return the value as it stood on a date; None: not told by then."""
        known = [told for told in self.history if told.filed <= day]
        if not self.history:
            return self.value if self.first <= day else None
        return _lead(known)[-1].value if known else None


#: Figures by their place in the fiscal calendar; an instant that ends no quarter also by its date.
Key = tuple[Span, date | None]
Figures = Mapping[Key, Figure]


Telling = tuple[tuple[date | None, date], Told]


def told(facts: Iterable[Reported], tag: Tag, rank: int) -> list[Telling]:
    """Return the values of a tag with their periods; raises BadPayloadError for what is no amount."""
    return [
        ((fact.start, fact.end), _told(fact, fact.val, tag, rank)) for fact in facts if fact.val is not None
    ]


def _told(fact: Reported, value: Decimal, tag: Tag, rank: int) -> Told:
    if not value.is_finite() or abs(value.adjusted()) > _MOST_DIGITS:
        raise BadPayloadError(
            f"EDGAR: what is told under {tag[1][:80]} is no amount",
            rule="a figure is a number of ordinary size",
            fix="nothing of it was used",
        )
    digits = len(value.normalize().as_tuple().digits)
    return Told(fact.filed, fact.form.endswith("/A"), fact.accn, rank, -digits, value, fact.form, tag)


#: What a filing tells of a period.
_Values = dict[tuple[tuple[date | None, date], str], Decimal]


def pools(series: Sequence[list[Telling]]) -> list[list[Telling]]:
    """Join the tags that are the same figure under successive names.

    Two tags are not the same figure if a filing tells both for a period with different values. Then the
    one that is preferred keeps its periods and the other only has those that are left.
    """
    joined: list[tuple[_Values, list[Telling]]] = []
    for tellings in series:
        values: _Values = {(period, one.accession): one.value for period, one in tellings}
        for known, pool in joined:
            if all(known.get(key, value) == value for key, value in values.items()):
                known.update(values)
                pool.extend(tellings)
                break
        else:
            joined.append((values, list(tellings)))
    return [pool for _, pool in joined]


def figures(pool: Iterable[Telling], calendar: FiscalCalendar, view: View) -> dict[Key, Figure]:
    """Return the value that counts for each period: exactly one for a year, quarter or year to date.

    Of periods that are the same one in the calendar, the usual one stands, see `FiscalCalendar.usual`.
    """
    periods: dict[tuple[date | None, date], list[Told]] = {}
    for period, telling in pool:
        periods.setdefault(period, []).append(telling)
    chosen: dict[Key, tuple[tuple[int, date, date], Figure]] = {}
    for (start, end), tellings in periods.items():
        span = calendar.span(start, end)
        loose = span.period == "other" or (span.period == "instant" and span.quarter is None)
        if span.period == "other":
            key: Key = span._replace(quarter=(end - (start or end)).days), end  # each is one of its own
        else:
            key = span, end if loose else None
        figure = _figure(start, end, tellings, view)
        weight = (calendar.usual.get((start or end, end), 0), figure.last, end)
        if key not in chosen or weight > chosen[key][0]:
            chosen[key] = weight, figure
    return {
        (span if span.period != "other" else span._replace(quarter=None), end): figure
        for (span, end), (_, figure) in chosen.items()
    }


def _lead(tellings: Iterable[Told]) -> list[Told]:
    """Return one value of each filing, in order of filing: the preferred tag's, and the more exact one."""
    leads: dict[tuple[date, bool, str], Told] = {}
    for telling in sorted(tellings):
        leads.setdefault(telling.filing, telling)
    return list(leads.values())


def _figure(start: date | None, end: date, tellings: list[Told], view: View) -> Figure:
    history = _lead(tellings)
    ordered = history if view == "first_filed" else history[::-1]
    value = ordered[0].value
    run: list[Told] = []
    for telling in ordered:
        if telling.value != value:
            break
        run.append(telling)
    after = ordered[len(run) :]
    dates = [telling.filed for telling in run]
    changed = view == "restated" and bool(after)
    return Figure(
        start,
        end,
        value,
        ordered[0],
        min(dates),
        max(dates),
        after[0].filed if after and view == "first_filed" else None,
        not changed and min(dates) - end <= _LATE,
        changed,
        bool(after),
        history=tuple(history),
    )


# ---------------------------------------------------------------- what was not reported


def consistent(parts: Sequence[Figure]) -> bool:
    """Say whether values were told under the same accounts.

    At the time when the last of them was told, none may have been told otherwise yet; and where one is
    a restated value, the others must have been told again with it or after it, or been restated too, as
    reports of the following year do one after the other.
    """
    known = max(part.first for part in parts)
    if any(part.superseded is not None and part.superseded <= known for part in parts):
        return False
    return all(part.original or all(_follows(other, part) for other in parts) for part in parts)


def _follows(other: Figure, restated: Figure) -> bool:
    """Say whether a value was told under the accounts under which another one was restated."""
    return other.last >= restated.first or (other.changed and restated.first - other.first <= _LATE)


def with_quarters(reported: Figures) -> dict[Key, Figure]:
    """Return figures that add up over time with the quarters that were not reported on their own.

    A quarter is what a year, or a year to date, has more than the year to date before it or the
    quarters before it.
    """
    result = dict(reported)
    for year in sorted({key[0].year for key in reported}):
        for quarter in (2, 3, 4):
            key: Key = Span("quarter", year, quarter), None
            if key not in result:
                left = _left_over(result, year, quarter)
                if left is not None:
                    result[key] = left
    return result


def _left_over(known: Figures, year: int, quarter: int) -> Figure | None:
    whole_key: Key = (Span("annual", year, None) if quarter == 4 else Span("ytd", year, quarter)), None
    whole = known.get(whole_key)
    if whole is None:
        return None
    name = "FY" if quarter == 4 else f"{3 * quarter}M"
    before: list[tuple[str, list[Figure | None]]] = []
    if quarter > 2:
        before.append((f"{3 * quarter - 3}M", [known.get((Span("ytd", year, quarter - 1), None))]))
    quarters = range(1, quarter)
    before.append(
        (
            " - ".join(f"Q{q}" for q in quarters),
            [known.get((Span("quarter", year, q), None)) for q in quarters],
        )
    )
    for names, maybe in before:
        parts = [part for part in maybe if part is not None]
        if len(parts) == len(maybe):
            found = difference(whole, parts, f"{name} - {names}")
            if found is not None:
                return found
    return None


def difference(whole: Figure, parts: Sequence[Figure], derived: str) -> Figure | None:
    """Return what a period has more than the parts that it begins with; None: they do not fit together."""
    start = parts[-1].end + timedelta(1)
    first = parts[0].start
    if whole.start is None or first is None or abs((whole.start - first).days) > 7:
        return None
    if (whole.end - start).days + 1 not in _LEFT_DAYS or not consistent([whole, *parts]):
        return None
    value = whole.value - sum((part.value for part in parts), Decimal(0))
    return replace(combined([whole, *parts], value, derived), start=start, end=whole.end)


def combined(parts: Sequence[Figure], value: Decimal, derived: str) -> Figure:
    """Return a figure that was computed from others, over the period of the first."""
    return Figure(
        parts[0].start,
        parts[0].end,
        value,
        max((part.told for part in parts), key=lambda telling: telling.filing),
        max(part.first for part in parts),
        min(part.last for part in parts),
        min((part.superseded for part in parts if part.superseded is not None), default=None),
        all(part.original for part in parts),
        all(part.changed for part in parts),
        any(part.restated for part in parts),
        derived,
    )


def growth(known: Figures, key: Key, view: View) -> float | None:
    """Return the growth against the same period a year before, as a fraction; None: there is nothing to say.

    As first filed, the year before counts as it stood when the later period was filed: a company that
    split its shares or changed its accounts tells both years alike then. As restated, both must have been
    told under the same accounts. What was not positive has no growth.
    """
    span, loose = key
    if loose is not None:
        return None
    now, before = known[key], known.get((span._replace(year=span.year - 1), None))
    if before is None:
        return None
    if view == "first_filed":
        base = before.value_on(now.told.filed)
    else:
        base = before.value if consistent([before, now]) else None
    if base is None or base <= 0:
        return None
    return float((now.value - base) / base)
