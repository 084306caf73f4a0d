"""Figures out of the file of Apple's facts and out of small ones, for tests."""

from __future__ import annotations

import datetime as dt
from functools import cache

import msgspec

from data.companies import CompanyFact, Period, View
from providers.edgar.facts import CompanyFactsFile, select
from tests.providers.edgar.loopback import STAMP, company
from tests.providers.replay import recorded

APPLE = 320193


@cache
def apple() -> CompanyFactsFile:
    """Return the file of Apple's facts as it was on 25 March 2026."""
    body = recorded("edgar/companyfacts/CIK0000320193.json")
    return msgspec.json.decode(body, type=CompanyFactsFile)


def of_apple(
    metric: str | None, period: Period | None = None, view: View = "restated", as_of: dt.date | None = None
) -> tuple[CompanyFact, ...]:
    return select(apple(), company(APPLE), metric, period, view, as_of, None, STAMP).facts


def of(
    body: bytes,
    metric: str | None,
    period: Period | None = None,
    view: View = "restated",
    as_of: dt.date | None = None,
) -> tuple[CompanyFact, ...]:
    file = msgspec.json.decode(body, type=CompanyFactsFile)
    return select(file, company(7), metric, period, view, as_of, None, STAMP).facts


def by_year(found: tuple[CompanyFact, ...]) -> dict[int, CompanyFact]:
    years = {fact.fiscal_year: fact for fact in found}
    assert len(years) == len(found), "one value for each year"
    return years


def by_quarter(found: tuple[CompanyFact, ...]) -> dict[tuple[int, int | None], CompanyFact]:
    quarters = {(fact.fiscal_year, fact.fiscal_quarter): fact for fact in found}
    assert len(quarters) == len(found), "one value for each quarter"
    return quarters
