"""Bench of measures: a book of 500 positions measured from 1,000 days of returns, as the daemon does it.

Positions and returns are drawn with a seed; measuring is the product's own. This module must not know of
processes, stores or screens.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from decimal import Decimal
from typing import Final

import numpy as np

from nautilus_tui.bench.rows import BenchRow, row
from risk.factors import betas_at, exposures, stress
from risk.frames import DAY_NS, ReturnsFrame
from risk.measures.book import Wanted, measure_book
from risk.measures.methods import METHODS
from risk.portfolio import EngineMoney, Holding, Portfolio

_POSITIONS: Final = 500
_DAYS: Final = 1_000
_ROUNDS: Final = 7
_MARKET: Final = "I0.SIM"
_ONE: Final = Wanted(methods=("historical",), confidences=(0.99,), horizons=(1,))


def run(scale: int = 1) -> list[BenchRow]:
    """Measure; ``scale`` multiplies positions."""
    positions = _POSITIONS * scale
    portfolio, frame = _book(positions), _returns(positions)
    size = f"{positions:,} positions, {_DAYS:,} days"

    def under_stress() -> object:
        return stress(exposures(portfolio, beta=betas_at({"paper-1": frame}, _MARKET), market=_MARKET))

    return [
        row(
            "VaR and ES by one method, with components",
            _median_ms(lambda: measure_book(portfolio, frame, wanted=_ONE)),
            "ms",
            better="less",
            limit=100.0 * scale,
            goal=f"≤ {100 * scale} ms",
            detail=size,
        ),
        row(
            "VaR and ES by all methods, 95 and 99 %, 1 and 10 days",
            _median_ms(lambda: measure_book(portfolio, frame)),
            "ms",
            better="less",
            detail=f"{size}, {len(METHODS)} methods, 100,000 simulated paths",
        ),
        row("every stress scenario, with betas", _median_ms(under_stress), "ms", better="less", detail=size),
    ]


def _median_ms(work: Callable[[], object]) -> float:
    work()
    times = []
    for _ in range(_ROUNDS):
        begun = time.perf_counter()
        work()
        times.append(time.perf_counter() - begun)
    return statistics.median(times) * 1e3


def _book(positions: int) -> Portfolio:
    holdings = tuple(
        Holding(
            engine="paper-1",
            instrument=f"I{at}.SIM",
            qty=Decimal(100 if at % 3 else -50),
            mark=Decimal("101.50"),
            currency="USD",
            rate=Decimal(1),
            asset_class="equity",
            synthetic=True,
            ts=0,
        )
        for at in range(positions)
    )
    money = EngineMoney(
        engine="paper-1", currency="USD", equity=Decimal(20_000 * positions), synthetic=True, ts=0
    )
    return Portfolio(holdings=holdings, money=(money,), synthetic=True, ts=0)


def _returns(positions: int) -> ReturnsFrame:
    generator = np.random.default_rng(1)
    market = 0.008 * generator.standard_t(5, (_DAYS, 1))
    return ReturnsFrame(
        instruments=tuple(f"I{at}.SIM" for at in range(positions)),
        basis="1d",
        periods_per_year=252.0,
        periods_per_day=1.0,
        times=np.arange(_DAYS, dtype=np.int64) * DAY_NS,
        values=market + 0.01 * generator.standard_normal((_DAYS, positions)),
        missing={},
        synthetic=True,
    )
