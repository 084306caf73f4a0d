"""Figures that reports need, by hand: concentration, correlation, breach statistics, backtests of a book."""

from __future__ import annotations

import math
from decimal import Decimal

import msgspec
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from data.equity_store import EquitySample
from data.series import combined
from risk import backtesting, book_backtest
from risk.breach_statistics import counted, statistics
from risk.concentration import concentration
from risk.correlation import correlations, diversification
from risk.frames import DAY_NS, ReturnsFrame
from risk.portfolio import Portfolio
from tests.risk.reports import world

MINUTE = 60 * 10**9


def test_concentration_by_hand() -> None:
    found = concentration({"a": Decimal(50), "b": Decimal(-30), "c": Decimal(20)})
    assert found is not None
    assert [(name, share) for name, _, share in found.shares] == [("a", 0.5), ("b", 0.3), ("c", 0.2)]
    assert found.gross == 100
    assert math.isclose(found.herfindahl, 0.25 + 0.09 + 0.04)
    assert math.isclose(found.effective, 1 / 0.38)
    assert concentration({"a": Decimal(0)}) is None
    assert concentration({}) is None


@given(st.dictionaries(st.text(max_size=5), st.decimals(-(10**9), 10**9, places=2), min_size=1, max_size=20))
@settings(max_examples=60, deadline=None)
def test_concentration_lies_between_even_and_all_in_one(values: dict[str, Decimal]) -> None:
    found = concentration(values)
    if found is None:
        assert not any(values.values())
        return
    assert 1 / len(values) - 1e-9 <= found.herfindahl <= 1 + 1e-9
    assert math.isclose(sum(share for _, _, share in found.shares), 1.0)
    assert found.largest == max(share for _, _, share in found.shares) <= found.top5 + 1e-12


def frame(*columns: list[float]) -> ReturnsFrame:
    values = np.column_stack([np.array(column) for column in columns])
    return ReturnsFrame(
        instruments=tuple("ABCDE"[: len(columns)]),
        basis="1d",
        periods_per_year=252.0,
        periods_per_day=1.0,
        times=np.arange(len(values), dtype=np.int64) * DAY_NS,
        values=values,
        missing={},
    )


def test_correlation_by_hand() -> None:
    one = [0.01, -0.02, 0.03, 0.00]
    found = correlations(frame(one, [2 * r for r in one], [-r for r in one], [0.01] * 4))
    assert found is not None
    assert [(p.one, p.other) for p in found.pairs] == [("A", "B"), ("A", "C"), ("B", "C")]
    assert [round(p.correlation, 12) for p in found.pairs] == [1.0, -1.0, -1.0]
    assert found.average is not None
    assert math.isclose(found.average, -1 / 3)
    assert found.first_share is not None
    assert math.isclose(found.first_share, 1.0), "three that move as one"
    assert np.isnan(found.matrix[3]).all(), "what does not move correlates with nothing"
    assert correlations(frame(one)) is None


def test_diversification_by_hand() -> None:
    returns = np.array([[0.01, 0.01], [-0.01, 0.01], [0.01, -0.01], [-0.01, -0.01]])
    ratio = diversification(np.array([100.0, 100.0]), returns)
    assert ratio is not None
    assert math.isclose(ratio, math.sqrt(2)), "two of the same volatility that do not correlate"
    assert diversification(np.array([100.0, -100.0]), returns[:, [0, 0]]) is None, "nothing moves"


def test_breaches_are_summed_up() -> None:
    found = statistics(world.breaches(), world.NOW)
    assert (found.total, found.open, found.acknowledged, found.escalated) == (5, 4, 3, 1)
    assert found.median_to_acknowledge == 1.5
    assert found.median_to_resolve == 30.0
    assert found.longest == pytest.approx(5 * 3700 / 60)
    assert found.worst_use == pytest.approx(2.3)
    assert (found.actions, found.actions_failed) == (10, 5)
    none = statistics((), world.NOW)
    assert (none.total, none.longest, none.median_to_resolve, none.worst_use) == (0, None, None, None)
    rows = counted(world.breaches(), lambda one: one.limit_type, world.NOW)
    assert [(row.name, row.total, row.open) for row in rows] == [
        ("position_size", 3, 2),
        ("gross_exposure", 2, 2),
    ]
    assert rows[0].minutes == pytest.approx((5 + 3) * 3700 / 60 + 30)


def test_a_backtest_of_the_book_is_that_of_its_own_returns() -> None:
    book, returns = world.portfolio(), world.frame()
    found = book_backtest.of_book(book, returns, 0.99, ("historical", "normal"))
    assert not isinstance(found, str)
    weights = {one.instrument: float(one.value or 0) / float(book.equity or 1) for one in book.holdings}
    own = returns.columns(list(weights)) @ np.array(list(weights.values()))
    assert (found.window, found.base) == (200, "equity")
    assert np.allclose(found.returns, own[200:], rtol=0, atol=1e-15)
    for one in found.tests:
        losses = backtesting.rolling_var(own, one.method, 0.99, 200)
        assert one.losses is not None
        assert np.allclose(one.losses, losses, rtol=1e-12)
        assert one.result == backtesting.backtest(found.returns, one.losses, 0.99)
        beyond = np.flatnonzero(found.returns < -one.losses)
        assert one.result is not None
        assert list(one.result.exception_days) == list(beyond)


def test_a_backtest_that_cannot_be_says_why() -> None:
    book = world.portfolio()
    assert "nothing is held" in str(
        book_backtest.of_book(Portfolio(holdings=(), money=(), ts=0), world.frame())
    )
    few = book_backtest.of_book(book, world.frame(count=80))
    assert few == "80 returns of the book are known, more than 100 are needed"
    poor = msgspec.structs.replace(book, money=())
    of_gross = book_backtest.of_book(poor, world.frame(), methods=("evt", "historical"))
    assert not isinstance(of_gross, str)
    assert of_gross.base == "gross value"
    assert all((one.result is None) == (one.reason is not None) for one in of_gross.tests)


def test_the_record_is_each_days_var_against_the_next_days_gain() -> None:
    values = ["1000000", "995000", "980000", "990000"]
    closes = combined(
        [
            EquitySample(
                engine="a",
                ts=world.NOW + place * DAY_NS,
                equity=Decimal(value),
                currency="USD",
                synthetic=True,
            )
            for place, value in enumerate(values)
        ],
        DAY_NS,
    )
    history = [msgspec.structs.replace(one, var_99=10_000.0) for one in world.var_days(closes)]
    found = book_backtest.of_record(history, closes)
    assert [(one.gain, one.exceeded) for one in found] == [
        (-5000.0, False),
        (-15000.0, True),
        (10000.0, False),
    ]
