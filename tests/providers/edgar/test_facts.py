"""Figures of companies: which value of a period counts, and under which tag it is found."""

from __future__ import annotations

import datetime as dt
import json
from collections import Counter
from decimal import Decimal
from itertools import pairwise
from pathlib import Path
from typing import Any

import msgspec
import pytest

from data.companies import CompanyFacts
from data.problems import BadPayloadError, ProviderBadRequestError, ProviderNotFoundError
from providers.edgar import facts
from providers.edgar.facts import CompanyFactsFile, Concept, select
from providers.edgar.figures import figures, told
from providers.edgar.metrics import METRICS
from providers.edgar.periods import fiscal_calendar
from tests.providers.edgar.asked import APPLE, apple, by_quarter, by_year, of, of_apple
from tests.providers.edgar.loopback import STAMP, company, facts_body, reported, wire_to
from tests.providers.replay import Replay, recorded

DAY = dt.date


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
