"""What the sandbox twin's companies earn, own and owe: invented figures of a quarter, always the same.

Quarters of a fiscal year add up to the year. This module must not know how figures are reported.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import date, timedelta
from functools import lru_cache

from providers.edgar.sandbox_companies import BY_CIK, Registrant, month_end

_MILLION = 1_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Figures:
    """A fiscal quarter in US dollars and shares."""

    start: date
    end: date
    fiscal_year: int
    fiscal_quarter: int
    revenue: int
    cost: int  #: of revenue
    operating: int  #: income
    net: int  #: income
    diluted: int  #: average shares
    cash_flow: int  #: from operations
    assets: int  #: at the end
    liabilities: int
    equity: int
    cash: int
    debt: int

    @property
    def eps(self) -> float:
        """Diluted earnings per share, in dollars and cents."""
        return round(self.net / self.diluted, 2)


def quarters(registrant: Registrant, today: date) -> list[Figures]:
    """Return the quarters that ended by a date, oldest first; none of a fund or a person."""
    if registrant.kind != "company":
        return []
    return [
        figures(registrant, end)
        for year in range(2013, today.year + 1)
        for month in range(1, 13)
        if (month - registrant.year_end) % 3 == 0 and (end := month_end(year, month)) <= today
    ]


def figures(registrant: Registrant, end: date) -> Figures:
    """Return the figures of the quarter that ends on a date."""
    return _figures(registrant.cik, end)


@lru_cache(maxsize=4096)
def _figures(cik: int, end: date) -> Figures:
    registrant = BY_CIK[cik]
    months = end.year * 12 + end.month - 1
    age = (months - 2014 * 12) / 12  # years since the start of 2014
    quarter = ((end.month - registrant.year_end) % 12) // 3 or 4
    wave = math.sin(age * 1.7 + cik % 7)
    season = (0.23, 0.24, 0.25, 0.28)[quarter - 1]
    revenue = _round(registrant.revenue * (1 + registrant.growth) ** age * season * (1 + 0.05 * wave))
    net = _round(revenue / _MILLION * registrant.margin * (1 + 0.12 * wave))
    operating = _round(net / _MILLION / 0.81)
    assets = _round(revenue / _MILLION * 5.5)
    debt = _round(assets / _MILLION * 0.22)
    liabilities = _round(assets / _MILLION * 0.58)
    return Figures(
        start=_start(end),
        end=end,
        fiscal_year=end.year if end.month <= registrant.year_end else end.year + 1,
        fiscal_quarter=quarter,
        revenue=revenue,
        cost=_round(revenue / _MILLION * (0.72 - registrant.margin * 0.6)),
        operating=operating,
        net=net,
        diluted=_round(registrant.shares * (1 - 0.012 * age)),
        cash_flow=_round(net / _MILLION * 1.25),
        assets=assets,
        liabilities=liabilities,
        equity=assets - liabilities,
        cash=_round(assets / _MILLION * 0.11),
        debt=debt,
    )


def _start(end: date) -> date:
    months = end.year * 12 + end.month - 3
    return month_end(months // 12, months % 12 or 12) + timedelta(1) if months % 12 else date(end.year, 1, 1)


def _round(millions: float) -> int:
    return round(millions) * _MILLION
