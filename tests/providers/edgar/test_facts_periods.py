"""Which period a figure is of: quarters, years to date and years, and what is derived of them."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal

import pytest

from data.companies import CompanyFact, View
from tests.providers.edgar.asked import by_quarter, by_year, of, of_apple
from tests.providers.edgar.loopback import facts_body, reported

DAY = dt.date

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
