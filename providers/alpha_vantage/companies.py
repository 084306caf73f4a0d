"""What a company is, earns and reports. This module must not know how any of it is asked for.

A bare ``0`` in a statement or an estimate stands for nothing told: it is written for items that a
company has and does not break out. Such items are left out.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from decimal import Decimal
from typing import Any, Literal

from data.fundamentals import (
    CompanyOverview,
    Earnings,
    EarningsEstimate,
    EarningsReport,
    StatementPeriod,
)
from providers.alpha_vantage import shapes, values
from providers.alpha_vantage.reading import Reading, nothing, of_symbol
from providers.core.exchange import Body
from providers.core.http import Stamp

Statement = Literal["income", "balance", "cash_flow"]
#: The function of each statement.
STATEMENTS: dict[Statement, str] = {
    "income": "INCOME_STATEMENT",
    "balance": "BALANCE_SHEET",
    "cash_flow": "CASH_FLOW",
}
#: A year of 52 weeks has 364 days; what lies closer to the year before is not a year.
_LEAST_YEAR = dt.timedelta(days=350)
#: The ends of a year and of its last quarter may be told by month or by day.
_SAME_END = dt.timedelta(days=20)
_QUARTERS = 4


def read_overview(body: Body, symbol: str) -> Reading[CompanyOverview]:
    """Read OVERVIEW; raises ProviderNotFoundError if it is empty, BadPayloadError if it is none."""
    answer = _of(body, symbol, "OVERVIEW", "Symbol", "Name")
    told = {name: values.text(value) for name, value in answer.items()}
    figures = {name: value for name, value in told.items() if value}
    latest_quarter = values.date(answer.get("LatestQuarter"), "LatestQuarter")
    market_cap, pe, dividend_yield, high, low = (
        values.some(answer.get(name), name)
        for name in ("MarketCapitalization", "PERatio", "DividendYield", "52WeekHigh", "52WeekLow")
    )
    eps, beta = (values.number(answer.get(name), name) for name in ("EPS", "Beta"))

    def make(stamp: Stamp) -> CompanyOverview:
        return CompanyOverview(
            **stamp._asdict(),
            symbol=symbol,
            name=told.get("Name", ""),
            description=told.get("Description", ""),
            exchange=told.get("Exchange", ""),
            currency=told.get("Currency", ""),
            country=told.get("Country", ""),
            sector=told.get("Sector", ""),
            industry=told.get("Industry", ""),
            fiscal_year_end=told.get("FiscalYearEnd", ""),
            latest_quarter=latest_quarter,
            market_cap=market_cap,
            pe=pe,
            eps=eps,
            dividend_yield=dividend_yield,
            beta=beta,
            high_52w=high,
            low_52w=low,
            figures=figures,
        )

    return Reading(make)


def read_earnings(body: Body, symbol: str) -> Reading[EarningsReport]:
    """Read EARNINGS, latest first; raises ProviderNotFoundError or BadPayloadError."""
    answer = _of(body, symbol, "EARNINGS", "annualEarnings", "quarterlyEarnings")
    quarters = _latest_first(answer["quarterlyEarnings"], "quarterlyEarnings")
    years = _latest_first(answer["annualEarnings"], "annualEarnings")
    reported = [
        day for day, row in quarters if values.number(row.get("reportedeps"), "reportedEPS") is not None
    ]
    partial = _running([day for day, _ in years], reported)
    quarterly = [_quarter(day, row) for day, row in quarters]
    annual = [_year(day, row, partial and at == 0) for at, (day, row) in enumerate(years)]

    def make(stamp: Stamp) -> EarningsReport:
        source = {**stamp._asdict(), "symbol": symbol}
        return EarningsReport(
            **source,
            quarterly=tuple(Earnings(**source, **row) for row in quarterly),
            annual=tuple(Earnings(**source, **row) for row in annual),
        )

    return Reading(make)


def _quarter(day: dt.date, row: dict[str, object]) -> dict[str, Any]:
    eps = values.number(row.get("reportedeps"), "reportedEPS")
    estimate = values.number(row.get("estimatedeps"), "estimatedEPS")
    surprise = values.number(row.get("surprise"), "surprise")
    in_percent = values.number(row.get("surprisepercentage"), "surprisePercentage")
    known = eps is not None and estimate is not None  # else a surprise of 0 stands for none told
    return {
        "period": "quarter",
        "fiscal_end": day,
        "reported": values.date(row.get("reporteddate"), "reportedDate"),
        "eps": eps,
        "estimate": estimate,
        "surprise": surprise if known else None,
        "surprise_percent": in_percent if known else None,
        "time_of_day": values.text(row.get("reporttime")),
    }


def _year(day: dt.date, row: dict[str, object], partial: bool) -> dict[str, Any]:
    eps = values.number(row.get("reportedeps"), "reportedEPS")
    return {"period": "annual", "fiscal_end": day, "eps": eps, "partial": partial}


def _running(years: Sequence[dt.date], quarters: Sequence[dt.date]) -> bool:
    """Say whether the latest year is not over, given the ends of years and reported quarters, latest first.

    It is not if it is no year since the one before, or ends after the latest quarter that was reported.
    """
    if not years:
        return False
    if len(years) == 1:
        return len(quarters) < _QUARTERS
    return years[0] - years[1] < _LEAST_YEAR or (bool(quarters) and quarters[0] < years[0] - _SAME_END)


def read_estimates(body: Body, symbol: str) -> Reading[list[EarningsEstimate]]:
    """Read EARNINGS_ESTIMATES, latest period first; raises ProviderNotFoundError or BadPayloadError."""
    answer = _of(body, symbol, "EARNINGS_ESTIMATES", "estimates")
    rows = shapes.rows(answer["estimates"], "estimates", "date")
    told = sorted(
        ((values.the_date(row["date"], "date"), _estimate(row)) for row in rows),
        key=lambda one: one[0],
        reverse=True,
    )
    return Reading(
        lambda stamp: [
            EarningsEstimate(**stamp._asdict(), symbol=symbol, fiscal_end=day, **row) for day, row in told
        ]
    )


def _estimate(row: dict[str, object]) -> dict[str, Any]:
    def some(what: str) -> Decimal | None:
        return values.some(row.get(what), what)

    def count(what: str) -> int | None:
        found = values.number(row.get(what), what)
        return None if found is None else int(found)

    horizon = values.text(row.get("horizon")).lower()
    return {
        "period": "quarter" if "quarter" in horizon else "annual",
        "eps": values.number(row.get("eps_estimate_average"), "eps_estimate_average"),
        "eps_high": values.number(row.get("eps_estimate_high"), "eps_estimate_high"),
        "eps_low": values.number(row.get("eps_estimate_low"), "eps_estimate_low"),
        "eps_analysts": count("eps_estimate_analyst_count"),
        "revenue": some("revenue_estimate_average"),
        "revenue_high": some("revenue_estimate_high"),
        "revenue_low": some("revenue_estimate_low"),
        "revenue_analysts": count("revenue_estimate_analyst_count"),
    }


def read_statement(body: Body, symbol: str, statement: Statement) -> Reading[list[StatementPeriod]]:
    """Read a statement's years and quarters, each latest first; ProviderNotFoundError, BadPayloadError."""
    answer = _of(body, symbol, STATEMENTS[statement], "annualReports", "quarterlyReports")
    told = [
        {"period": period, "fiscal_end": day, **_items(row)}
        for period, name in (("annual", "annualReports"), ("quarter", "quarterlyReports"))
        for day, row in _latest_first(answer[name], name, spelled=True)
    ]

    def make(stamp: Stamp) -> list[StatementPeriod]:
        source = {**stamp._asdict(), "symbol": symbol, "statement": statement}
        return [StatementPeriod(**source, **period) for period in told]

    return Reading(make)


def _items(row: dict[str, object]) -> dict[str, Any]:
    items = {
        name: values.some(value, name)
        for name, value in row.items()
        if name not in ("fiscalDateEnding", "reportedCurrency")
    }
    return {
        "currency": values.text(row.get("reportedCurrency")),
        "items": {name: value for name, value in items.items() if value is not None},
    }


def _latest_first(value: object, what: str, *, spelled: bool = False) -> list[tuple[dt.date, dict[str, Any]]]:
    """Return the periods of a list, latest first; ``spelled``: under the vendor's names, else plain ones."""
    found = []
    for one, row in zip(
        value if isinstance(value, list) else [], shapes.rows(value, what, "fiscaldateending"), strict=True
    ):
        day = values.the_date(row["fiscaldateending"], "fiscalDateEnding")
        found.append((day, dict(one) if spelled else row))
    return sorted(found, key=lambda period: period[0], reverse=True)


def _of(body: Body, symbol: str, function: str, *names: str) -> dict[str, Any]:
    """Return a JSON answer about a symbol; raises if it is empty, about another or lacks a name."""
    if shapes.is_table(body):
        raise shapes.bad("answered CSV", f"{function} is answered in JSON")
    answer = shapes.record(body)
    if not any(value not in (None, "", [], {}) for value in answer.values()):
        raise nothing(function, symbol)
    missing = [name for name in names if name not in answer]
    if missing:
        raise shapes.bad(
            f"answered {function} without {', '.join(missing)}", f"{function} has {', '.join(names)}"
        )
    of_symbol(answer.get("symbol", answer.get("Symbol")), symbol)
    return answer
