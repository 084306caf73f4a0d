"""The record of an account: basis, totals over gaps, drawdown, and what a short record does not tell."""

from __future__ import annotations

from decimal import Decimal

import numpy as np
import pytest

from data.series import EquitySeries
from risk import performance, track
from risk.frames import DAY_NS, FINE_NS

MINUTE = 60 * 1_000_000_000
START = 20_000 * DAY_NS


def series(
    values: list[float], width: int, *, at: list[int] | None = None, flows: dict[int, int] | None = None
) -> EquitySeries:
    places = list(range(len(values))) if at is None else at
    return EquitySeries(
        times=tuple(START + place * width + 2 for place in places),
        equity=tuple(Decimal(repr(value)) for value in values),
        flows=tuple(Decimal((flows or {}).get(n, 0)) for n in range(len(values))),
        engines=("e",),
        currency="USD",
        synthetic=True,
    )


def wealth(count: int) -> list[float]:
    generator = np.random.default_rng(3)
    return [round(float(one), 2) for one in 1e6 * np.cumprod(1.0 + 0.001 * generator.standard_normal(count))]


def test_sixty_days_are_measured_by_the_day() -> None:
    values = wealth(61)
    found = track.track(series(values, DAY_NS), series(values[:3], MINUTE))
    assert found.basis == "1d"
    returns = np.array(values[1:]) / np.array(values[:-1]) - 1.0
    assert found.returns == pytest.approx(returns, abs=1e-15)
    metrics, reasons = track.metrics(found)
    alone = performance.performance(returns, periods=found.periods_per_year or 0.0)
    assert metrics["sharpe"] == pytest.approx(alone.sharpe)
    assert metrics["total_return"] == pytest.approx(values[-1] / values[0] - 1.0)
    assert metrics["max_drawdown"] == pytest.approx(alone.max_drawdown)
    assert metrics["annual_return"] == pytest.approx(alone.annual_return)
    assert reasons["beta"] == "no benchmark was chosen"
    assert set(reasons) == set(track.RELATIVE)


def test_hours_are_measured_by_five_minutes_and_not_made_into_years() -> None:
    values = wealth(601)
    found = track.track(series([values[0]], DAY_NS), series(values, MINUTE))
    assert found.basis == "5m"
    assert len(found.returns) == 120
    metrics, reasons = track.metrics(found)
    assert metrics["volatility"] is not None
    assert metrics["total_return"] == pytest.approx(values[-1] / values[0] - 1.0)
    for name in track.YEARLY:
        assert metrics[name] is None
        assert "made of hours" in reasons[name]
    lost = track.drawdown(found)
    assert lost is not None
    assert lost.depth == pytest.approx(metrics["max_drawdown"])
    assert lost.ts_peak < lost.ts_trough
    points = track.curve(found, 50)
    assert len(points) == 50
    assert (points[0].index, points[-1].equity) == (1.0, Decimal(repr(values[-1])))


def test_too_little_is_said() -> None:
    found = track.track(series([1.0], DAY_NS), series([100.0, 99.0, 101.0], MINUTE))
    assert found.basis is None
    metrics, reasons = track.metrics(found)
    assert metrics["sharpe"] is None
    assert reasons["sharpe"] == "0 daily and 0 5-minute returns of equity are kept; 60 or 100 are needed"
    assert metrics["total_return"] == pytest.approx(0.01)
    assert metrics["max_drawdown"] == pytest.approx(-0.01)
    nothing = track.track(EquitySeries(), EquitySeries())
    assert track.metrics(nothing)[0]["total_return"] is None
    assert track.drawdown(nothing) is None
    assert track.curve(nothing) == ()


def test_a_gap_counts_for_the_total_but_is_no_return_of_a_period() -> None:
    values = [100.0] * 300 + [90.0] * 300
    places = [*range(300), *range(900, 1200)]  # ten hours of nothing, and ten percent less
    found = track.track(EquitySeries(), series(values, MINUTE, at=places))
    assert found.basis == "5m"
    assert len(found.returns) == 59 + 59
    assert not found.returns.any()
    assert track.metrics(found)[0]["total_return"] == pytest.approx(-0.1)
    assert track.metrics(found)[0]["max_drawdown"] == pytest.approx(-0.1)


def test_what_is_paid_in_is_no_profit() -> None:
    values = [100.0, 101.0, 151.0, 151.0]
    found = track.track(EquitySeries(), series(values, MINUTE, flows={2: 50}))
    assert found.growth.tolist() == pytest.approx([1.0, 1.01, 1.01, 1.01])


def test_a_benchmark_counts_on_the_periods_that_both_have() -> None:
    values = wealth(71)
    found = track.track(series(values, DAY_NS), EquitySeries())
    benchmark = (found.periods[:65], found.returns[:65] * 0.5)
    metrics, _ = track.metrics(found, benchmark=benchmark)
    assert metrics["beta"] == pytest.approx(2.0)
    assert metrics["correlation"] == pytest.approx(1.0)
    few, reasons = track.metrics(found, benchmark=(found.periods[:10], found.returns[:10]))
    assert few["beta"] is None
    assert reasons["beta"] == "10 returns in common with the benchmark; 60 are needed"
    rows = track.rolled(found, 20, benchmark)
    assert len(rows) == 46
    assert rows[0].ts == int(found.periods[19])
    assert rows[-1].figures["beta"] == pytest.approx(2.0)


def test_five_minutes_are_counted_from_the_epoch() -> None:
    found = track.track(EquitySeries(), series(wealth(600), MINUTE))
    assert (found.periods % FINE_NS == 0).all()


def test_an_account_without_equity_has_no_returns() -> None:
    found = track.track(EquitySeries(), series([100.0, 50.0, -1.0, 20.0], MINUTE))
    assert found.basis is None
    metrics, reasons = track.metrics(found)
    assert metrics["total_return"] is None
    assert reasons["total_return"] == "equity was -1.0: a return needs positive equity"
    assert track.drawdown(found) is None
    assert track.curve(found) == ()
