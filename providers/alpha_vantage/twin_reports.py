"""Company figures of the sandbox twin: earnings, statements and their dates, all of them made up.

They agree with one another: a year is the sum of its quarters, income is earnings times shares, and
assets are liabilities and equity. This module must not know how they are told.
"""

from __future__ import annotations

import calendar
import datetime as dt
import random
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

from providers.alpha_vantage.functions import is_session
from providers.alpha_vantage.twin_listings import FIRST_DAY, LISTED, Twin

_GROWTH = 0.02  #: of earnings, a quarter
_BASE = dt.date(2026, 9, 30)
#: Quarters after the running one for which there are estimates.
_AHEAD = 3


@dataclass(frozen=True, slots=True)
class Quarter:
    """One fiscal quarter."""

    end: dt.date
    reports: dt.date  #: the day of the report, expected or past
    before_market: bool
    eps: float  #: what is reported then
    estimate: float
    shares: int
    revenue: int
    net_income: int
    ends_year: bool


@lru_cache(maxsize=64)
def quarters(symbol: str, last: dt.date) -> tuple[Quarter, ...]:
    """Return the quarters of a company that end up to a day, oldest first."""
    twin = LISTED[symbol]
    if not twin.is_company:
        return ()
    return tuple(_quarter(twin, end) for end in _ends(twin, last))


def ahead(today: dt.date) -> dt.date:
    """Return the day up to which there are quarters with an estimate."""
    return today + dt.timedelta(days=92 * _AHEAD)


def years(found: tuple[Quarter, ...]) -> list[tuple[Quarter, ...]]:
    """Return quarters by fiscal year, oldest first; the first and the last may have fewer than four."""
    grouped: list[list[Quarter]] = [[]]
    for quarter in found:
        grouped[-1].append(quarter)
        if quarter.ends_year:
            grouped.append([])
    return [tuple(group) for group in grouped if group]


def _ends(twin: Twin, last: dt.date) -> Iterator[dt.date]:
    for year in range(FIRST_DAY.year, last.year + 1):
        for month in range(1, 13):
            if (month - twin.year_ends) % 3 == 0:
                end = dt.date(year, month, calendar.monthrange(year, month)[1])
                if end <= last:
                    yield end


def _quarter(twin: Twin, end: dt.date) -> Quarter:
    draw = random.Random(f"report of {twin.symbol} for {end}")
    since = (end - _BASE).days / 91.3
    expected = twin.eps * (1 + _GROWTH) ** since * (1.15 if end.month == 12 else 1.0)
    estimate = round(expected * (1 + 0.03 * draw.gauss()), 2)
    eps = round(estimate * (1 + 0.05 * draw.gauss()), 2)
    reports = end + dt.timedelta(days=draw.randint(18, 36))
    while not is_session(reports):
        reports += dt.timedelta(days=1)
    shares = twin.shares_m * 1_000_000
    net_income = int(eps * shares / 1_000_000) * 1_000_000
    return Quarter(
        end=end,
        reports=reports,
        before_market=draw.random() < 0.4,
        eps=eps,
        estimate=estimate,
        shares=shares,
        revenue=int(net_income / twin.margin / 1_000_000) * 1_000_000,
        net_income=net_income,
        ends_year=end.month == twin.year_ends,
    )


def statement(function: str, twin: Twin, group: tuple[Quarter, ...]) -> dict[str, str]:
    """Return a statement of one or several quarters as it is told: every item is text."""
    head = {"fiscalDateEnding": group[-1].end.isoformat(), "reportedCurrency": twin.currency}
    revenue = sum(quarter.revenue for quarter in group)
    income = sum(quarter.net_income for quarter in group)
    items = {
        "INCOME_STATEMENT": _income,
        "BALANCE_SHEET": _balance,
        "CASH_FLOW": _cash_flow,
    }[function](twin, group[-1], revenue, income)
    return head | {name: "None" if value is None else str(value) for name, value in items.items()}


def _income(twin: Twin, last: Quarter, revenue: int, income: int) -> dict[str, int | None]:
    before_tax = income * 100 // 80
    interest = revenue // 100
    depreciation = revenue // 20
    cost = (revenue - before_tax - interest) * 7 // 10
    return {
        "grossProfit": revenue - cost,
        "totalRevenue": revenue,
        "costOfRevenue": cost,
        "operatingIncome": before_tax + interest,
        "sellingGeneralAndAdministrative": revenue - cost - before_tax - interest,
        "researchAndDevelopment": None,
        "interestExpense": interest,
        "depreciationAndAmortization": depreciation,
        "incomeBeforeTax": before_tax,
        "incomeTaxExpense": before_tax - income,
        "ebit": before_tax + interest,
        "ebitda": before_tax + interest + depreciation,
        "netIncome": income,
    }


def _balance(twin: Twin, last: Quarter, revenue: int, income: int) -> dict[str, int | None]:
    assets = last.revenue * 6
    current = assets * 2 // 5
    equity = assets * 9 // 20
    liabilities = assets - equity
    return {
        "totalAssets": assets,
        "totalCurrentAssets": current,
        "cashAndCashEquivalentsAtCarryingValue": current // 3,
        "inventory": None,
        "totalNonCurrentAssets": assets - current,
        "totalLiabilities": liabilities,
        "totalCurrentLiabilities": liabilities * 2 // 5,
        "totalNonCurrentLiabilities": liabilities - liabilities * 2 // 5,
        "totalShareholderEquity": equity,
        "commonStockSharesOutstanding": last.shares,
    }


def _cash_flow(twin: Twin, last: Quarter, revenue: int, income: int) -> dict[str, int | None]:
    operating = income * 5 // 4
    spent = revenue // 15
    return {
        "operatingCashflow": operating,
        "capitalExpenditures": spent,
        "changeInInventory": None,
        "cashflowFromInvestment": -spent,
        "cashflowFromFinancing": spent - operating,
        "dividendPayout": int(float(twin.dividend) * last.shares) if twin.dividend else None,
        "netIncome": income,
    }
