"""Figures of companies: which value of a period counts, and which period it is."""

from __future__ import annotations

import datetime as dt
import json
from collections import Counter
from decimal import Decimal
from functools import cache
from itertools import pairwise
from pathlib import Path
from typing import Any

import msgspec
import pytest

from data.companies import CompanyFact, CompanyFacts, Period, View
from data.problems import BadPayloadError, ProviderBadRequestError, ProviderNotFoundError
from providers.edgar import facts
from providers.edgar.facts import CompanyFactsFile, Concept, select
from providers.edgar.figures import figures, told
from providers.edgar.metrics import METRICS
from providers.edgar.periods import fiscal_calendar
from tests.providers.edgar.loopback import STAMP, company, facts_body, reported, wire_to
from tests.providers.replay import Replay, recorded

DAY = dt.date
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


# ---------------------------------------------------------------- 5: the same period again


def test_trap_5_the_same_period_comes_again_and_425_of_them_were_restated() -> None:
    everything = [
        fact
        for taxonomy in apple().facts.values()
        for concept in taxonomy.values()
        for told_ in concept.units.values()
        for fact in told_
    ]
    calendar = fiscal_calendar(everything)
    restated = again = 0
    for taxonomy, concepts in apple().facts.items():
        for tag, concept in concepts.items():
            for reports in concept.units.values():
                periods = Counter((fact.start, fact.end) for fact in reports)
                again += sum(count > 1 for count in periods.values())
                found = figures(told(reports, (taxonomy, tag), 0), calendar, "restated")
                restated += sum(figure.restated for figure in found.values())
    assert (len(everything), again, restated) == (24_579, 6_964, 425)


def test_trap_5_first_filed_and_restated_differ_where_apple_changed_its_accounts() -> None:
    first = by_year(of_apple("revenue", "annual", "first_filed"))
    last = by_year(of_apple("revenue", "annual", "restated"))
    assert (first[2009].value, first[2009].filed, first[2009].form) == (
        Decimal(36_537_000_000),
        DAY(2009, 10, 27),
        "10-K",
    )
    assert (last[2009].value, last[2009].filed) == (Decimal(42_905_000_000), DAY(2011, 10, 26))
    assert (first[2008].value, last[2008].value) == (Decimal(32_479_000_000), Decimal(37_491_000_000))
    assert last[2007].form == "10-K/A"
    assert {year for year, fact in last.items() if fact.restated} == {2007, 2008, 2009}
    assert {year for year in last if first[year].value != last[year].value} == {2007, 2008, 2009}


def test_trap_5_what_was_filed_later_is_not_known_as_of_a_date() -> None:
    before = by_year(of_apple("revenue", "annual", "restated", DAY(2010, 1, 24)))
    after = by_year(of_apple("revenue", "annual", "restated", DAY(2010, 1, 25)))
    assert (before[2009].value, before[2009].restated) == (Decimal(36_537_000_000), False)
    assert (after[2009].value, after[2009].restated) == (Decimal(42_905_000_000), True)
    known = of_apple(None, "quarter", "restated", DAY(2015, 6, 30))
    assert known
    assert max(fact.filed for fact in known) <= DAY(2015, 6, 30)
    assert of_apple("revenue", "annual", "restated", DAY(2009, 1, 1)) == ()


def test_trap_5_the_year_of_the_filing_is_not_that_of_the_period() -> None:
    quarters = by_quarter(of_apple("revenue", "quarter", "first_filed"))
    # told in the report of the third quarter of 2009 only
    assert quarters[2008, 3].end == DAY(2008, 6, 28)
    assert quarters[2026, 1].end == DAY(2025, 12, 27)
    years = by_year(of_apple("revenue", "annual"))
    assert {year: fact.end.year for year, fact in years.items()} == {year: year for year in range(2007, 2026)}


def test_trap_5_two_filings_of_one_day_the_amendment_is_the_later_one() -> None:
    told_ = [
        reported(2, "2023-01-01", "2023-12-31", "2024-02-01", "10-K/A", accn="0000000007-24-000001"),
        reported(1, "2023-01-01", "2023-12-31", "2024-02-01", "10-K", accn="0000000007-24-000002"),
    ]
    for order in (told_, told_[::-1]):
        body = facts_body({"Revenues": order})
        assert of(body, "revenue", "annual", "first_filed")[0].value == 1
        assert of(body, "revenue", "annual", "restated")[0].value == 2


def test_growth_as_first_filed_is_against_the_year_before_as_it_stood_then() -> None:
    first = by_year(of_apple("eps", "annual", "first_filed"))
    # shares were split 7:1 in 2014 and 4:1 in 2020
    assert (first[2019].value, first[2020].value) == (Decimal("11.89"), Decimal("3.28"))
    assert first[2020].growth == pytest.approx(3.28 / 2.97 - 1)
    last = by_year(of_apple("eps", "annual", "restated"))
    assert (last[2017].value, last[2018].value, last[2018].growth) == (Decimal("9.21"), Decimal("2.98"), None)


# ---------------------------------------------------------------- 6: quarters, years to date, years


def test_trap_6_periods_are_told_by_their_days_and_years_may_have_53_weeks() -> None:
    found = of_apple("net_income")
    days: dict[str, set[int]] = {}
    for fact in found:
        assert fact.start is not None
        days.setdefault(fact.period, set()).add((fact.end - fact.start).days + 1)
    assert days == {"quarter": {91, 98}, "ytd": {182, 189, 273, 280}, "annual": {364, 371}}
    long = [fact.fiscal_year for fact in found if fact.period == "annual" and _days(fact) == 371]
    assert long == [2023, 2017, 2012]


def _days(fact: CompanyFact) -> int:
    assert fact.start is not None
    return (fact.end - fact.start).days + 1


@pytest.mark.parametrize("view", ["first_filed", "restated"])
@pytest.mark.parametrize("metric", ["revenue", "net_income", "operating_cash_flow", "rnd"])
def test_trap_6_the_fourth_quarter_is_the_year_without_the_nine_months_before(
    metric: str, view: View
) -> None:
    years = by_year(of_apple(metric, "annual", view))
    nine = {fact.fiscal_year: fact for fact in of_apple(metric, "ytd", view) if fact.fiscal_quarter == 3}
    quarters = by_quarter(of_apple(metric, "quarter", view))
    derived = [fact for fact in quarters.values() if fact.fiscal_quarter == 4 and fact.derived]
    assert {2021, 2022, 2023, 2024, 2025} <= {fact.fiscal_year for fact in derived}
    for fact in derived:
        year = fact.fiscal_year
        assert fact.derived == "FY - 9M"
        assert fact.value == years[year].value - nine[year].value
        assert fact.end == years[year].end
        assert fact.start == nine[year].end + dt.timedelta(1)
        assert fact.filed == max(years[year].filed, nine[year].filed)
    q4 = quarters[2024, 4]
    if metric == "net_income":
        assert q4.value == Decimal(14_736_000_000)


def test_trap_6_four_quarters_add_up_to_the_year() -> None:
    years = by_year(of_apple("revenue", "annual"))
    quarters = by_quarter(of_apple("revenue", "quarter"))
    for year in range(2009, 2026):
        assert sum(quarters[year, q].value for q in (1, 2, 3, 4)) == years[year].value


def test_trap_6_no_quarter_is_made_of_values_of_different_accounts() -> None:
    # the year 2008 was restated, its nine months never were
    assert (2008, 4) not in by_quarter(of_apple("revenue", "quarter", "restated"))
    # as first filed, the year 2009 is of the old accounts and its first two quarters of the new ones
    years = by_year(of_apple("net_income", "annual", "first_filed"))
    assert years[2009].value == Decimal(5_704_000_000)
    fourth = by_quarter(of_apple("net_income", "quarter", "first_filed"))[2009, 4]
    assert (fourth.value, fourth.derived) == (Decimal(2_532_000_000), "")


@pytest.mark.parametrize("metric", ["eps_diluted", "eps_basic", "shares_diluted", "dividends_per_share"])
def test_trap_6_per_share_figures_and_averages_are_never_derived(metric: str) -> None:
    found = of_apple(metric)
    assert found
    assert all(fact.derived == "" for fact in found)
    assert (2024, 4) not in by_quarter(of_apple(metric, "quarter"))


def test_trap_6_cash_flows_are_told_from_the_start_of_the_year_and_quarters_are_derived() -> None:
    quarters = by_quarter(of_apple("operating_cash_flow", "quarter"))
    assert [quarters[2025, q].derived for q in (1, 2, 3, 4)] == ["", "6M - Q1", "9M - 6M", "FY - 9M"]
    assert sum(quarters[2025, q].value for q in (1, 2, 3, 4)) == Decimal(111_482_000_000)


def test_trap_6_the_fourth_quarter_from_three_quarters_where_no_nine_months_are_told() -> None:
    spans = [("2023-01-01", "2023-03-31"), ("2023-04-01", "2023-06-30"), ("2023-07-01", "2023-09-30")]
    told_ = [reported(10 + n, *span, f"2023-{4 + 3 * n:02d}-20") for n, span in enumerate(spans)]
    told_.append(reported(50, "2023-01-01", "2023-12-31", "2024-02-20", "10-K", fy=2023, fp="FY"))
    quarters = by_quarter(of(facts_body({"NetIncomeLoss": told_}), "net_income", "quarter"))
    assert (quarters[2023, 4].value, quarters[2023, 4].derived) == (Decimal(17), "FY - Q1 - Q2 - Q3")


def test_free_cash_flow_is_derived_and_says_so() -> None:
    flow = by_year(of_apple("free cash flow", "annual"))
    cash, capex = by_year(of_apple("ocf", "annual")), by_year(of_apple("capex", "annual"))
    assert flow[2025].value == cash[2025].value - capex[2025].value
    assert all(fact.derived.startswith("operating_cash_flow - capex") for fact in flow.values())


def test_balances_are_told_at_the_end_of_years_and_quarters() -> None:
    years = by_year(of_apple("assets", "annual"))
    assert (years[2025].value, years[2025].period, years[2025].end) == (
        Decimal(359_241_000_000),
        "instant",
        DAY(2025, 9, 27),
    )
    quarters = by_quarter(of_apple("assets", "quarter"))
    assert (2026, 1) in quarters
    assert all(quarters[year, 4] == fact for year, fact in years.items())


# ---------------------------------------------------------------- 7: tags, taxonomies, units


def test_trap_7_revenue_goes_on_when_its_tag_changes() -> None:
    years = by_year(of_apple("revenue", "annual", "first_filed"))
    assert sorted(years) == list(range(2007, 2026))
    assert [years[year].tag for year in (2017, 2018, 2019)] == [
        "SalesRevenueNet",
        "Revenues",
        "RevenueFromContractWithCustomerExcludingAssessedTax",
    ]
    assert years[2018].growth == pytest.approx(265_595 / 229_234 - 1)
    assert all(fact.growth is not None for year, fact in years.items() if year > 2007)


def test_trap_7_a_tag_that_stops_leaves_no_second_value_and_no_gap() -> None:
    def year(value: int, at: int, filed: int) -> dict[str, Any]:
        return reported(value, f"{at}-01-31", f"{at + 1}-01-29", f"{filed}-03-01", "10-K", fy=at + 1, fp="FY")

    both = {
        "RevenueFromContractWithCustomerExcludingAssessedTax": [year(100, 2020, 2021), year(110, 2021, 2022)],
        "Revenues": [year(100, 2020, 2021), year(110, 2021, 2022), year(120, 2022, 2023)],
    }
    years = by_year(of(facts_body(both), "revenue", "annual"))
    assert {name: fact.value for name, fact in years.items()} == {2021: 100, 2022: 110, 2023: 120}
    assert {fact.tag for fact in years.values()} == {"Revenues"}


def test_trap_7_tags_with_different_values_in_one_filing_are_different_figures() -> None:
    def year(value: int, at: int, filed: int) -> dict[str, Any]:
        return reported(value, f"{at}-01-01", f"{at}-12-31", f"{filed}-03-01", "10-K", fy=at, fp="FY")

    bank = {
        "Revenues": [year(100, 2020, 2021), year(110, 2021, 2022)],
        "InterestAndDividendIncomeOperating": [year(60, 2020, 2021), year(70, 2022, 2023)],
    }
    years = by_year(of(facts_body(bank), "revenue", "annual"))
    assert {name: fact.value for name, fact in years.items()} == {2020: 100, 2021: 110, 2022: 70}
    assert (years[2020].restated, years[2022].growth) == (False, None)


async def test_trap_7_an_ifrs_filer_has_its_own_taxonomy_and_null_labels(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    body = recorded("edgar/companyfacts/snapshot_lpa_facts.json")
    routes = {"/api/xbrl/companyfacts/CIK0001997711.json": body}
    with Replay(routes) as server:
        async with wire_to(server, tmp_path, monkeypatch) as wire:
            lpa = company(1997711, "LPA")
            found = await facts.company_facts(wire, lpa, "revenue", "annual", "restated", None, None)
            rates = await facts.company_facts(
                wire, lpa, "AverageForeignExchangeRate", None, "restated", None, None
            )
    assert {(fact.fiscal_year, fact.value, fact.taxonomy, fact.tag) for fact in found.facts} == {
        (2021, Decimal(25_596_073), "ifrs-full", "Revenue"),
        (2022, Decimal(31_983_567), "ifrs-full", "Revenue"),
        (2023, Decimal(39_436_343), "ifrs-full", "Revenue"),
        (2024, Decimal(43_862_372), "ifrs-full", "Revenue"),
    }
    assert {fact.label for fact in found.facts} == {"Revenue"}
    assert {fact.unit for fact in rates.facts} == {"COP", "CRC", "PEN"}
    assert len(rates.facts) == 12
    assert (found.source, found.synthetic, found.stale) == ("edgar", False, None)
    assert all(fact.as_of == found.as_of and fact.fetched_at == found.fetched_at for fact in found.facts)


def test_trap_7_of_several_currencies_the_one_that_goes_on_is_taken() -> None:
    def year(value: int, at: int) -> dict[str, Any]:
        return reported(value, f"{at}-01-01", f"{at}-12-31", f"{at + 1}-04-01", "20-F", fy=at, fp="FY")

    units = {"USD": [year(3, 2022)], "TWD": [year(80, 2021), year(90, 2022)]}
    concept = {"label": None, "description": None, "units": units}
    body = json.dumps({"cik": "7", "entityName": "x", "facts": {"ifrs-full": {"Revenue": concept}}}).encode()
    assert [(fact.value, fact.unit) for fact in of(body, "revenue")] == [
        (Decimal(90), "TWD"),
        (Decimal(80), "TWD"),
    ]


def test_a_tag_can_be_asked_for_and_agrees_with_what_was_told_under_it_alone() -> None:
    body = recorded("edgar/companyconcept/CIK0000320193_us-gaap_AccountsPayableCurrent.json")
    alone = msgspec.json.decode(body, type=Concept).units["USD"]
    last = max(fact.filed for fact in alone)
    for text in ("us-gaap:AccountsPayableCurrent", "accountspayablecurrent"):
        found = of_apple(text, "instant", "first_filed", last)
        expected: dict[dt.date, Decimal | None] = {}
        for fact in sorted(alone, key=lambda fact: fact.filed):
            expected.setdefault(fact.end, fact.val)
        assert {fact.end: fact.value for fact in found} == expected


def test_all_named_figures_of_a_year_are_a_table_with_one_value_each() -> None:
    found = of_apple(None)
    cells = Counter((fact.metric, fact.fiscal_year) for fact in found)
    assert set(cells.values()) == {1}
    assert {"revenue", "net_income", "eps_diluted", "assets", "free_cash_flow"} <= {f.metric for f in found}
    assert all(later.end >= earlier.end for later, earlier in pairwise(found))
    limited = select(apple(), company(APPLE), None, None, "restated", None, 2, STAMP)
    assert set(Counter(fact.metric for fact in limited.facts).values()) <= {1, 2}
    assert {"revenue", "us-gaap:AccountsPayableCurrent"} <= set(limited.metrics)


def test_an_unknown_figure_names_the_nearest() -> None:
    with pytest.raises(ProviderNotFoundError) as caught:
        of_apple("revenu")
    assert "revenue" in (caught.value.fix or "")
    with pytest.raises(ProviderNotFoundError) as caught:
        of_apple("AccountsPayableCurent")
    assert "AccountsPayableCurrent" in (caught.value.fix or "")


# ---------------------------------------------------------------- fiscal calendars


@pytest.mark.parametrize(("named", "year"), [(2024, 2024), (2023, 2023)])
def test_a_year_that_ends_in_january_is_named_as_the_company_names_it(named: int, year: int) -> None:
    told_ = [
        reported(5, "2023-01-30", "2024-01-28", "2024-03-01", "10-K", fy=named, fp="FY"),
        reported(4, "2022-01-31", "2023-01-29", "2024-03-01", "10-K", fy=named, fp="FY"),
        reported(1, "2024-01-29", "2024-04-28", "2024-06-01", "10-Q", fy=named + 1, fp="Q1"),
    ]
    found = of(facts_body({"NetIncomeLoss": told_}), "net_income")
    assert [(fact.period, fact.fiscal_year, fact.fiscal_quarter) for fact in found] == [
        ("quarter", year + 1, 1),
        ("annual", year, None),
        ("annual", year - 1, None),
    ]


def test_years_that_end_about_the_turn_of_the_year_are_three_years() -> None:
    ends = [("2019-12-29", "2021-01-02"), ("2021-01-03", "2022-01-01"), ("2022-01-02", "2022-12-31")]
    told_ = [
        reported(n, *span, f"{2021 + n}-02-20", "10-K", fy=2020 + n, fp="FY") for n, span in enumerate(ends)
    ]
    years = by_year(of(facts_body({"NetIncomeLoss": told_}), "net_income", "annual"))
    assert {year: fact.value for year, fact in years.items()} == {2020: 0, 2021: 1, 2022: 2}


def test_a_company_that_has_filed_no_annual_report_is_placed_by_its_quarterly_ones() -> None:
    told_ = [
        reported(1, "2024-07-01", "2024-09-30", "2024-11-10", fy=2025, fp="Q1"),
        reported(3, "2024-07-01", "2024-12-31", "2025-02-10", fy=2025, fp="Q2"),
    ]
    found = of(facts_body({"NetIncomeLoss": told_}), "net_income", "quarter")
    assert [(fact.fiscal_year, fact.fiscal_quarter, fact.value) for fact in found] == [
        (2025, 2, Decimal(2)),
        (2025, 1, Decimal(1)),
    ]


def test_a_year_of_which_no_company_year_ends_is_no_annual_figure() -> None:
    told_ = [
        reported(5, "2023-01-01", "2023-12-31", "2024-02-01", "10-K", fy=2023, fp="FY"),
        reported(6, "2023-07-01", "2024-06-30", "2024-08-01", "10-Q", fy=2024, fp="Q2"),
    ]
    assert [fact.value for fact in of(facts_body({"NetIncomeLoss": told_}), "net_income", "annual")] == [5]
    assert [fact.value for fact in of(facts_body({"NetIncomeLoss": told_}), "NetIncomeLoss", "other")] == [6]


def test_a_company_that_moves_the_end_of_its_year_has_months_that_belong_to_none() -> None:
    told_ = [
        reported(40, "2018-07-01", "2019-06-30", "2019-08-20", "10-K", fy=2019, fp="FY"),
        reported(11, "2019-07-01", "2019-09-30", "2020-02-20", "10-KT", fy=2019, fp="FY"),
        reported(12, "2020-01-01", "2020-03-31", "2020-05-10", fy=2020, fp="Q1"),
        reported(13, "2020-04-01", "2020-06-30", "2020-08-10", fy=2020, fp="Q2"),
        reported(14, "2020-07-01", "2020-09-30", "2020-11-10", fy=2020, fp="Q3"),
        reported(54, "2020-01-01", "2020-12-31", "2021-02-20", "10-K", fy=2020, fp="FY"),
    ]
    body = facts_body({"NetIncomeLoss": told_})
    quarters = by_quarter(of(body, "net_income", "quarter"))
    assert {place: fact.value for place, fact in quarters.items()} == {
        (2020, 1): 12,
        (2020, 2): 13,
        (2020, 3): 14,
        (2020, 4): 15,
    }
    assert {year: fact.value for year, fact in by_year(of(body, "net_income", "annual")).items()} == {
        2019: 40,
        2020: 54,
    }
    assert [fact.value for fact in of(body, "NetIncomeLoss", "other")] == [11]


def test_quarters_of_twelve_and_sixteen_weeks_have_their_places() -> None:
    ends = [
        dt.date(2022, 8, 28),
        *(dt.date(2022, 8, 28) + dt.timedelta(7 * weeks) for weeks in (12, 24, 36, 53)),
    ]
    told_ = [
        reported(
            10 + n,
            f"{ends[n] + dt.timedelta(1)}",
            f"{ends[n + 1]}",
            f"{ends[n + 1] + dt.timedelta(30)}",
            fy=2023,
            fp=f"Q{n + 1}",
        )
        for n in range(3)
    ]
    told_.append(
        reported(50, f"{ends[0] + dt.timedelta(1)}", f"{ends[4]}", "2023-10-11", "10-K", fy=2023, fp="FY")
    )
    quarters = by_quarter(of(facts_body({"NetIncomeLoss": told_}), "net_income", "quarter"))
    assert {place: fact.value for place, fact in quarters.items()} == {
        (2023, 1): 10,
        (2023, 2): 11,
        (2023, 3): 12,
        (2023, 4): 17,
    }


def test_a_proxy_statement_restates_nothing() -> None:
    told_ = [
        reported(1234, "2023-01-01", "2023-12-31", "2024-02-01", "10-K", fy=2023, fp="FY"),
        reported(1200, "2023-01-01", "2023-12-31", "2024-04-01", "DEF 14A", fy=2023, fp="FY"),
    ]
    found = of(facts_body({"NetIncomeLoss": told_}), "net_income")
    assert [(fact.value, fact.restated, fact.form) for fact in found] == [(Decimal(1234), False, "10-K")]


# ---------------------------------------------------------------- what is not a file of facts


@pytest.mark.parametrize(
    "body",
    [
        b"{}",
        b"[]",
        b"",
        b"\xff\xfe{",
        b"<html><body>hello</body></html>",
        b'{"cik": 7, "facts": {"us-gaap": {"Revenues": {"units": {"USD": [{"end": "soon"}]}}}}}',
        b'{"cik": 7, "facts": {"us-gaap": []}}',
        facts_body({"Revenues": [reported("many", None, "2023-12-31", "2024-02-01")]}),
        facts_body({"Revenues": [reported("NaN", None, "2023-12-31", "2024-02-01")]}),
        facts_body({"Revenues": [reported("1e999999", None, "2023-12-31", "2024-02-01")]}),
        facts_body({"Revenues": [reported(1, None, "2023-12-31", "2024-02-01")]}, cik=8),
        facts_body({"Revenues": [reported(1, None, "2023-12-31", "2024-02-01")]})[:-40],
    ],
)
async def test_what_is_not_a_file_of_facts_is_a_bad_payload(
    body: bytes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with Replay({"*": body}) as server:
        async with wire_to(server, tmp_path, monkeypatch) as wire:
            with pytest.raises(BadPayloadError):
                await facts.company_facts(wire, company(7), "revenue", None, "restated", None, None)


def test_slips_of_the_pen_and_nulls_do_not_spoil_the_rest() -> None:
    told_ = [
        reported(5, "2023-01-01", "2023-12-31", "2024-02-01", "10-K", fy=2023, fp="FY"),
        reported(6, "0001-01-01", "0001-01-02", "2024-02-01", "10-K", fy=2023, fp="FY"),
        reported(7, None, "9999-12-31", "2024-02-01", "10-K", fy=2023, fp="FY"),
        reported(8, "2023-12-31", "2023-01-01", "2024-02-01", "10-K", fy=2023, fp="FY"),
        {**reported(0, "2022-01-01", "2022-12-31", "2024-02-01", "10-K"), "val": None},
    ]
    assert [fact.value for fact in of(facts_body({"NetIncomeLoss": told_}), "net_income")] == [5]


@pytest.mark.parametrize(("view", "limit"), [("restated", 0), ("latest", None)])
async def test_a_question_that_makes_no_sense_is_not_asked(
    view: Any, limit: int | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with Replay() as server:
        async with wire_to(server, tmp_path, monkeypatch) as wire:
            with pytest.raises(ProviderBadRequestError):
                await facts.company_facts(wire, company(7), None, None, view, None, limit)
        assert server.requests == []


def test_names_of_figures_are_each_used_once() -> None:
    names = [name for metric in METRICS for name in (metric.name, *metric.aliases)]
    assert len(names) == len(set(names))
    assert all(len(set(metric.tags)) == len(metric.tags) for metric in METRICS)


def test_a_file_without_facts_has_none() -> None:
    empty = select(
        CompanyFactsFile(cik="0000000007", facts={}), company(7), None, None, "restated", None, None, STAMP
    )
    assert empty == CompanyFacts(
        cik=7, name="Sample Inc.", view="restated", facts=(), metrics=(), **STAMP._asdict()
    )
