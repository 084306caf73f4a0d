"""The twin's reports in data: invented, but in the regulator's shapes and consistent with one another."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal

import pytest

from data.companies import View
from data.problems import ProviderNotFoundError
from providers.edgar.client import Edgar
from providers.edgar.sandbox_companies import REGISTRANTS

COMPANIES = [one.tickers[0] for one in REGISTRANTS if one.kind == "company"]


@pytest.mark.parametrize("ticker", COMPANIES)
async def test_quarters_add_up_to_years_and_fourth_quarters_are_derived(twin: Edgar, ticker: str) -> None:
    for metric in ("revenue", "net_income", "operating_cash_flow"):
        found = (await twin.facts(ticker, metric=metric)).facts
        annual = {fact.fiscal_year: fact.value for fact in found if fact.period == "annual"}
        quarters = {(f.fiscal_year, f.fiscal_quarter): f for f in found if f.period == "quarter"}
        whole = [year for year in annual if all((year, q) in quarters for q in (1, 2, 3, 4))]
        assert len(whole) >= 9
        for year in whole:
            assert quarters[year, 4].derived == "FY - 9M"
            assert sum((quarters[year, q].value for q in (1, 2, 3, 4)), Decimal(0)) == annual[year]


async def test_everything_is_marked_as_synthetic(twin: Edgar) -> None:
    facts = await twin.facts("AAPL")
    insiders = await twin.insiders("AAPL", limit=3)
    holdings = await twin.holdings("BRK.B")
    for told in (facts, *facts.facts, insiders, *insiders.transactions, holdings, *holdings.holdings):
        assert (told.source, told.synthetic) == ("edgar-sandbox", True)


@pytest.mark.parametrize(("view", "less"), [("first_filed", False), ("restated", True)])
async def test_one_company_restates_and_changes_its_tag(twin: Edgar, view: View, less: bool) -> None:
    revenue = {
        f.fiscal_year: f for f in (await twin.facts("KO", metric="revenue", period="annual", view=view)).facts
    }
    assert revenue[2018].restated
    assert not revenue[2020].restated
    other: View = "restated" if view == "first_filed" else "first_filed"
    again = {
        f.fiscal_year: f
        for f in (await twin.facts("KO", metric="revenue", period="annual", view=other)).facts
    }
    assert (revenue[2018].value < again[2018].value) is less
    assert {fact.tag for fact in revenue.values()} == {
        "SalesRevenueNet",
        "RevenueFromContractWithCustomerExcludingAssessedTax",
    }
    profit = (await twin.facts("KO", metric="gross_profit", period="annual", view=view)).facts
    assert not any(fact.restated for fact in profit)


async def test_as_of_a_date_is_known_what_was_filed_by_then(twin: Edgar) -> None:
    day = dt.date(2020, 3, 31)
    facts = await twin.facts("MSFT", as_of=day)
    assert facts.as_of == day
    assert max(fact.filed for fact in facts.facts) <= day
    insiders = await twin.insiders("MSFT", as_of=day)
    assert max(line.filed for line in insiders.transactions) <= day
    holdings = await twin.holdings("BRK.B", as_of=day)
    assert (holdings.period, holdings.value_unit) == (dt.date(2019, 12, 31), "thousands")


async def test_insiders_have_footnotes_several_owners_and_amendments(twin: Edgar) -> None:
    insiders = await twin.insiders("AAPL", limit=40)
    lines = insiders.transactions
    assert insiders.problems == ()
    assert any(len(line.owners) == 2 for line in lines)
    assert any(line.code == "P" and line.price is None and line.footnotes for line in lines)
    assert any(line.derivative and line.underlying for line in lines)
    amended = [line for line in lines if line.amends]
    assert amended
    assert not any(
        line.form == "4" and line.date == amended[0].date and line.owners == amended[0].owners
        for line in lines
    )


async def test_a_person_has_the_forms_that_it_signs(twin: Edgar) -> None:
    found = await twin.insiders("9000001", limit=10)
    assert found.filings == 10
    assert all("Sandoval Ada L." in line.owners and line.cik == 320193 for line in found.transactions)


async def test_holdings_are_whole_before_and_after_values_were_in_dollars(twin: Edgar) -> None:
    for period, unit in ((dt.date(2022, 9, 30), "thousands"), (dt.date(2022, 12, 31), "dollars")):
        found = await twin.holdings("BRK.B", period=period)
        assert (found.period, found.value_unit, found.problems) == (period, unit, ())
        assert found.total == found.stated_total == sum(one.value for one in found.holdings)
        assert any(one.rows == 2 for one in found.holdings)
        assert [one.put_call for one in found.holdings if one.put_call] == ["Put"]


async def test_who_reports_nothing_is_not_found(twin: Edgar) -> None:
    with pytest.raises(ProviderNotFoundError):
        await twin.facts("SPY")
    with pytest.raises(ProviderNotFoundError):
        await twin.holdings("KO")
    with pytest.raises(ProviderNotFoundError):
        await twin.facts("AAPL", metric="number_of_stores")
