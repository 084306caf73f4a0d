"""What holds for the figures of any company, however often it restates and in whatever order it is told."""

from __future__ import annotations

import datetime as dt
import json
import random
from collections import Counter
from decimal import Decimal
from typing import Any, cast, get_args

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from data.companies import CompanyFact, View
from data.problems import ProviderError
from providers.core.exchange import Body
from providers.edgar.facts import CompanyFactsFile, select
from providers.edgar.periods import fiscal_calendar
from providers.edgar.wire import json_of
from tests.providers.edgar.loopback import STAMP, company, facts_body, reported

VIEWS = cast(tuple[View, ...], get_args(View))
FIRST_YEAR = 2015
amounts = st.integers(-(10**12), 10**12)
#: Values of the quarters of some years, and by how much each year's report restates the year before.
years = st.lists(
    st.tuples(st.tuples(amounts, amounts, amounts, amounts), st.sampled_from([0, 0, 7, -3])),
    min_size=1,
    max_size=4,
)
months = st.sampled_from([1, 3, 6, 9, 12])


def _ends(month: int) -> list[dt.date]:
    """Return the last days of five years of quarters; the fourth of each ends in a month."""
    ends = []
    for place in range(-4, 21):
        index = FIRST_YEAR * 12 + month + 3 * place
        ends.append(dt.date(index // 12, index % 12 + 1, 1) - dt.timedelta(1))
    return ends


def _told(told: list[tuple[tuple[int, ...], int]], month: int, *, ytd: bool) -> list[dict[str, Any]]:
    """Return what a company tells: quarters or years to date, years, and the year before again."""
    ends = _ends(month)
    result = []
    for year, (values, _) in enumerate(told):
        restate = told[year + 1][1] if year + 1 < len(told) else 0
        place = 4 * year + 1  # of the first quarter's end
        for again, change in ((0, 0), (1, restate)):
            if again and year + 1 >= len(told):
                continue
            for quarter in range(4):
                start = ends[place - 1] + dt.timedelta(1)
                end = ends[place + quarter]
                filed = ends[place + quarter + 4 * again] + dt.timedelta(40)
                quarters = [value + change for value in values[: quarter + 1]]
                form = "10-K" if quarter == 3 else "10-Q"
                about = {"fy": FIRST_YEAR + year + again, "fp": "FY" if quarter == 3 else f"Q{quarter + 1}"}
                if ytd or quarter in (0, 3):
                    result.append(reported(sum(quarters), f"{start}", f"{end}", f"{filed}", form, **about))
                if not ytd and 0 < quarter < 3:
                    alone = ends[place + quarter - 1] + dt.timedelta(1)
                    result.append(reported(quarters[-1], f"{alone}", f"{end}", f"{filed}", form, **about))
    return result


def _found(told: list[dict[str, Any]], view: View, as_of: dt.date | None = None) -> tuple[CompanyFact, ...]:
    file = msgspec.json.decode(facts_body({"NetIncomeLoss": told}), type=CompanyFactsFile)
    return select(file, company(7), "net_income", None, view, as_of, None, STAMP).facts


@given(years, months, st.booleans(), st.sampled_from(VIEWS))
def test_quarters_with_the_derived_ones_add_up_to_the_year(
    told: list[tuple[tuple[int, ...], int]], month: int, ytd: bool, view: View
) -> None:
    found = _found(_told(told, month, ytd=ytd), view)
    annual = {fact.fiscal_year: fact.value for fact in found if fact.period == "annual"}
    quarters = {(f.fiscal_year, f.fiscal_quarter): f for f in found if f.period == "quarter"}
    assert len(annual) == len(told)
    for year in annual:
        assert sum((quarters[year, q].value for q in (1, 2, 3, 4)), Decimal(0)) == annual[year]
        assert quarters[year, 4].derived == ("FY - 9M" if ytd else "FY - Q1 - Q2 - Q3")


@given(years, months, st.booleans(), st.sampled_from(VIEWS), st.randoms())
def test_the_order_in_which_facts_are_told_changes_nothing(
    told: list[tuple[tuple[int, ...], int]], month: int, ytd: bool, view: View, dice: random.Random
) -> None:
    facts = _told(told, month, ytd=ytd)
    shuffled = dice.sample(facts, len(facts))
    assert _found(shuffled, view) == _found(facts, view)


@given(years, months, st.sampled_from(VIEWS), st.integers(0, 2500))
def test_as_of_a_date_is_what_was_told_by_then(
    told: list[tuple[tuple[int, ...], int]], month: int, view: View, days: int
) -> None:
    facts = _told(told, month, ytd=True)
    day = dt.date(FIRST_YEAR, 1, 1) + dt.timedelta(days)
    by_then = [fact for fact in facts if fact["filed"] <= day.isoformat()]
    assert _found(facts, view, day) == (_found(by_then, view) if by_then else ())


@given(years, months, st.sampled_from(VIEWS))
def test_a_period_has_one_value(told: list[tuple[tuple[int, ...], int]], month: int, view: View) -> None:
    found = _found(_told(told, month, ytd=True) + _told(told, month, ytd=False), view)
    places = Counter((fact.period, fact.fiscal_year, fact.fiscal_quarter) for fact in found)
    assert set(places.values()) == {1}


json_values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.sampled_from(["", "NaN", "1e400", "0001-01-01", "9999-12-31", "10-K", "Q5", "us-gaap", "USD"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=5,
)


def _replaced(value: Any, path: list[int], new: Any) -> Any:
    """Return JSON with one of its parts replaced."""
    if not path or not isinstance(value, dict | list) or not value:
        return new
    if isinstance(value, list):
        place = path[0] % len(value)
        return [*value[:place], _replaced(value[place], path[1:], new), *value[place + 1 :]]
    key = sorted(value)[path[0] % len(value)]
    return {**value, key: _replaced(value[key], path[1:], new)}


@given(years, months, st.lists(st.integers(0, 50), max_size=7), json_values, st.sampled_from(VIEWS))
def test_a_file_with_anything_in_place_of_a_part_is_read_or_refused(
    told: list[tuple[tuple[int, ...], int]], month: int, path: list[int], new: Any, view: View
) -> None:
    whole = json.loads(facts_body({"NetIncomeLoss": _told(told, month, ytd=True)}))
    body = Body(json.dumps(_replaced(whole, path, new)).encode(), "application/json", 200, "")
    try:
        file = json_of(CompanyFactsFile, "the file")(body)
        found = select(file, company(7), "NetIncomeLoss", None, view, None, None, STAMP)
    except ProviderError:
        return
    assert all(fact.value.is_finite() for fact in found.facts)


@given(st.dates(dt.date(1995, 1, 1), dt.date(2040, 1, 1)), st.integers(80, 100), st.integers(-1500, 1500))
def test_every_quarter_has_a_place_beside_the_one_before(anchor: dt.date, days: int, away: int) -> None:
    calendar = fiscal_calendar([], f"{anchor:%m-%d}")
    end = anchor + dt.timedelta(away)
    place = calendar.place(end)
    before = calendar.place(end - dt.timedelta(91))
    assert 1 <= place.quarter <= 4
    assert (4 * place.year + place.quarter) - (4 * before.year + before.quarter) in (0, 1, 2)
    assert calendar.span(end - dt.timedelta(days - 1), end).period in ("quarter", "other")
