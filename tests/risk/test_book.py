"""A book measured: weights, methods, components, what is missing, capital; and under stress."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal

import numpy as np
import pytest

from data.equity_store import VarDay
from data.problems import InvalidRequestError
from data.series import EquitySeries
from risk.factors import betas, exposures, shock, stress
from risk.frames import DAY_NS, ReturnsFrame
from risk.measures.book import Wanted, average_correlation, held, measure_book, totals
from risk.measures.methods import METHODS, measure
from risk.measures.regulatory import capital_figures, followed
from risk.measures.simulated import book_paths, scenarios
from risk.portfolio import EngineMoney, Holding, Portfolio
from risk.stress import user_defined
from tests.risk.samples import drawn

NAMES = ("A.X", "B.X", "C.X")


def returns() -> np.ndarray:
    market = drawn(1, 500)
    return np.column_stack([market + 0.4 * drawn(seed, 500) for seed in (2, 3, 4)])


def frame(basis: str = "1d", instruments: tuple[str, ...] = NAMES) -> ReturnsFrame:
    return ReturnsFrame(
        instruments=instruments,
        basis=basis,
        periods_per_year=252.0 if basis == "1d" else 252.0 * 78,
        periods_per_day=1.0 if basis == "1d" else 78.0,
        times=np.arange(500, dtype=np.int64) * DAY_NS,
        values=returns()[:, : len(instruments)],
        missing={"Z.X": "12 daily returns"},
    )


def holding(instrument: str, qty: int, mark: str | None = "50", **given: object) -> Holding:
    base: dict[str, object] = {"currency": "USD", "rate": Decimal(1), "asset_class": "equity"}
    return Holding(
        engine="e",
        instrument=instrument,
        qty=Decimal(qty),
        mark=None if mark is None else Decimal(mark),
        ts=1,
        **(base | given),
    )


def book(*holdings: Holding, equity: str | None = "10000") -> Portfolio:
    worth = None if equity is None else Decimal(equity)
    money = EngineMoney(engine="e", currency="USD", equity=worth, ts=1)
    return Portfolio(holdings=holdings, money=(money,), ts=1)


LONG_SHORT = book(holding("A.X", 100), holding("B.X", -40), holding("C.X", 60))


def test_every_method_measures_the_weighted_returns() -> None:
    told = measure_book(LONG_SHORT, frame())
    assert len(told.measures) == len(METHODS) * 4
    weighted = returns() @ np.array([0.5, -0.2, 0.3])
    for one in told.measures:
        if one.method != "monte_carlo":
            same = measure(one.method, weighted, one.confidence, one.horizon)
            assert one.var == pytest.approx(same.var, rel=1e-7)  # as far as a fit of t is exact
            assert one.es == pytest.approx(same.es, rel=1e-7)
        assert one.var_money == pytest.approx(Decimal(repr(round(one.var * 10_000, 2))), abs=Decimal("0.01"))
        assert one.n == 500
    assert (told.gross, told.net, told.leverage) == (Decimal(10_000), Decimal(6_000), 1.0)
    assert told.volatility == pytest.approx(weighted.std(ddof=1) * 252**0.5)
    assert told.covered == 1.0


def test_components_add_up_to_the_var_of_the_same_method() -> None:
    for method in ("normal", "historical"):
        wanted = Wanted(methods=(method,), confidences=(0.99,), horizons=(1,), component_method=method)
        told = measure_book(LONG_SHORT, frame(), wanted=wanted)
        (whole,) = told.measures
        assert whole.var_money is not None
        assert float(sum(one.component_var for one in told.components)) == pytest.approx(
            float(whole.var_money), abs=0.03
        )
        assert sum(one.share or 0.0 for one in told.components) == pytest.approx(1.0)
        assert [one.weight for one in told.components] == pytest.approx([0.5, -0.2, 0.3])
        # One unit of money more in a position adds its marginal.
        more = book(holding("A.X", 101), holding("B.X", -40), holding("C.X", 60))
        grown = measure_book(more, frame(), wanted=wanted).measures[0].var_money
        if method == "normal":
            step = float(grown - whole.var_money) / 50.0
            assert step == pytest.approx(told.components[0].marginal_var, rel=0.02)


def test_a_simulated_book_is_distributed_as_its_simulated_positions() -> None:
    weights = np.array([0.5, -0.2, 0.3])
    whole, parameters = book_paths(returns(), weights, 5, paths=100_000)
    positions = scenarios(returns(), weights, 5, paths=100_000)
    assert parameters == positions.parameters
    quick, slow = np.sort(whole), np.sort(positions.returns @ weights)
    at = (np.array([0.01, 0.05, 0.25, 0.5, 0.75, 0.95, 0.99]) * 100_000).astype(int)
    assert quick[at] == pytest.approx(slow[at], abs=0.06 * slow.std())


def test_five_minutes_are_scaled_by_the_root_of_time_and_it_is_said() -> None:
    wanted = Wanted(methods=("historical",), confidences=(0.99,), horizons=(1, 10))
    day, ten = measure_book(LONG_SHORT, frame("5m"), wanted=wanted).measures
    weighted = returns() @ np.array([0.5, -0.2, 0.3])
    one = measure("historical", weighted, 0.99, 1)
    assert day.var == pytest.approx(one.var * 78**0.5)
    assert ten.es == pytest.approx(one.es * 780**0.5)
    assert day.rule == "one 5-minute return times sqrt(78)"


def test_what_is_missing_is_left_out_and_said() -> None:
    mixed = book(holding("A.X", 100), holding("Z.X", 100), equity=None)
    told = measure_book(mixed, frame())
    assert told.missing == {"Z.X": "12 daily returns"}
    assert told.covered == 0.5
    assert told.equity is None
    assert told.reasons["equity"] == "equity of e is not known"
    assert all(one.var is None and one.var_money is not None for one in told.measures)
    unpriced = measure_book(book(holding("A.X", 1, None)), frame())
    assert unpriced.measures == ()
    assert unpriced.reasons["measures"] == "A.X: no price"
    assert totals(book(holding("A.X", 1, None))).gross is None
    assert measure_book(book(), frame()).reasons["measures"] == "nothing is held"
    short = measure_book(LONG_SHORT, frame(), wanted=Wanted(methods=("historical",), confidences=(0.999,)))
    assert short.measures[0].var is None
    assert "1,000 returns" in (short.measures[0].reason or "")


def test_what_makes_no_sense_is_refused() -> None:
    for wanted in (Wanted(methods=("guess",)), Wanted(confidences=(1.5,)), Wanted(horizons=(40,))):
        with pytest.raises(InvalidRequestError):
            measure_book(LONG_SHORT, frame(), wanted=wanted)


def test_average_correlation_is_the_mean_over_pairs() -> None:
    mean = np.corrcoef(returns().T)[np.triu_indices(3, 1)].mean()
    assert average_correlation(frame(), held(LONG_SHORT, frame())) == pytest.approx(mean)
    assert average_correlation(frame(), held(book(holding("A.X", 1)), frame())) is None


# ---------------------------------------------------------------- capital


def var_days(count: int, var: float = 100.0) -> list[VarDay]:
    return [
        VarDay(
            book="e",
            day=dt.date(2024, 1, 1) + dt.timedelta(days=n),
            var_99=var,
            es_975_10d=400.0,
            equity=Decimal(10_000),
            currency="USD",
            basis="1d",
            synthetic=False,
        )
        for n in range(count)
    ]


def test_capital_is_not_applicable_before_there_is_a_year_of_own_var() -> None:
    of = held(LONG_SHORT, frame())
    figures = {one.name: one for one in capital_figures(of, frame(), Decimal(10_000), Decimal(20_000), [])}
    for name in ("internal_model_capital", "shortfall_capital"):
        assert figures[name].value is None
        assert figures[name].not_applicable == "250 days of the book's own VaR are needed; 0 are kept"
    assert figures["leverage_ratio"].value == 0.5
    assert figures["expected_shortfall_97_5"].value is not None
    few = capital_figures(of, frame("5m"), None, None, [])
    assert few[0].not_applicable == "it is of daily returns; there are too few"
    assert few[-1].not_applicable == "there is no capital"


def test_capital_after_a_year_by_hand() -> None:
    history = var_days(252)
    midnight = int(dt.datetime(2024, 1, 1, tzinfo=dt.UTC).timestamp()) * 1_000_000_000
    # 150 lost on six days is beyond a VaR of 100; a flow is no profit.
    equity, flows = [10_000.0], [0.0]
    for day in range(1, 253):
        flow = 5_000.0 if day == 50 else 0.0
        equity.append(equity[-1] + flow - (150.0 if day % 40 == 0 else -10.0))
        flows.append(flow)
    closes = EquitySeries(
        times=tuple(midnight + n * DAY_NS + 86_340 * 1_000_000_000 for n in range(253)),
        equity=tuple(Decimal(repr(value)) for value in equity),
        flows=tuple(Decimal(repr(value)) for value in flows),
        currency="USD",
    )
    pairs = followed(history, closes)
    assert len(pairs) == 252
    assert pairs[49][1] == Decimal(10)
    of = held(LONG_SHORT, frame())
    figures = {one.name: one for one in capital_figures(of, frame(), None, None, history, pairs)}
    models = figures["internal_model_capital"]
    assert models.parts["multiplier"] == 3.5  # six exceptions: yellow
    assert models.value == pytest.approx(3.5 * 100.0 * 10**0.5)
    assert figures["shortfall_capital"].value == pytest.approx((1.5 + 0.26) * 400.0)


# ---------------------------------------------------------------- exposures and stress


MIXED = book(
    holding("A.X", 100, sector="Energy"),
    holding("B.X", -40),
    holding("ESZ6.CME", 1, "5000", asset_class="future", multiplier=Decimal(50)),
    holding("ZN.X", 1, "110", asset_class="future", multiplier=Decimal(1000)),
    holding("BTCUSD.X", 1, "90000", asset_class="crypto"),
    holding("USDJPY.X", 1000, "150", asset_class="fx", currency="JPY", rate=None),
    equity="1000000",
)


def test_exposures_by_hand() -> None:
    told = exposures(
        MIXED,
        beta={("e", "A.X"): 1.5},
        half_spreads={("e", "A.X"): Decimal("0.01"), ("e", "ESZ6.CME"): Decimal("0.125")},
    )
    rows = {one.instrument: one for one in told.rows}
    assert (rows["A.X"].factor, rows["A.X"].sensitivity) == ("equity:Energy", Decimal("7500.00"))
    assert (rows["B.X"].factor, rows["B.X"].beta, rows["B.X"].sensitivity) == (
        "equity",
        None,
        Decimal("-2000.00"),
    )
    assert (rows["ESZ6.CME"].factor, rows["ESZ6.CME"].value) == ("equity", Decimal(250_000))
    assert (rows["ZN.X"].factor, rows["ZN.X"].reason) == (
        None,
        "its gain per basis point (DV01) is not known",
    )
    assert rows["BTCUSD.X"].factor == "crypto:BTCUSD"
    assert rows["USDJPY.X"].reason == "no exchange rate for JPY"
    assert (rows["A.X"].half_spread, rows["ESZ6.CME"].half_spread) == (Decimal("1.00"), Decimal("6.25"))
    assert told.gross is None
    assert told.sums["asset_class"] == {
        "crypto": Decimal(90_000),
        "equity": Decimal(3_000),
        "future": Decimal(360_000),
    }
    assert told.sums["sector"]["Energy"] == Decimal(5_000)
    assert "beta taken as 1, because returns are not known: B.X, ESZ6.CME" in told.notes


def test_beta_is_of_the_returns() -> None:
    found = betas(frame(), "A.X")
    values = returns()
    assert found["A.X"] == pytest.approx(1.0)
    assert found["B.X"] == pytest.approx(np.cov(values[:, 0], values[:, 1])[0, 1] / values[:, 0].var(ddof=1))
    assert betas(frame(), "SPY.X") == {}
    assert betas(frame(), None) == {}


def test_stress_by_hand() -> None:
    answer = exposures(MIXED, beta={("e", "A.X"): 1.5}, half_spreads={("e", "A.X"): Decimal("0.01")})
    own = user_defined("own", [shock("equity=-20%"), shock("equity:Energy=-0.5"), shock("liquidity=3x")])
    (told,) = stress(answer, [own]).outcomes
    assert told.by_position == {
        "e/A.X": Decimal("-3752.00"),  # half of 7500 by its sector's own shock, and twice 1.00
        "e/B.X": Decimal("400.00"),
        "e/ESZ6.CME": Decimal("-50000.00"),
    }
    assert told.by_factor == {
        "equity:Energy": Decimal("-3750.00"),
        "equity": Decimal("-49600.00"),
        "liquidity": Decimal("-2.00"),
    }
    assert told.pnl == Decimal("-53352.00")
    assert told.of_equity == pytest.approx(-0.053352)
    assert told.left_out["e/ZN.X"].startswith("its gain per basis point (DV01) is not known")
    assert told.left_out["e/BTCUSD.X"] == (
        "there is no quote to tell its spread; the scenario says nothing about crypto:BTCUSD"
    )
    everything = stress(answer)
    assert [one.scenario for one in everything.outcomes] == [
        "2008",
        "covid_2020",
        "rates_up_200",
        "volatility_doubled",
        "liquidity",
    ]
    by_name = {one.scenario: one for one in everything.outcomes}
    assert by_name["rates_up_200"].pnl is None
    assert by_name["liquidity"].pnl == Decimal("-2.00")


@pytest.mark.parametrize(
    ("text", "factor", "unit", "size"),
    [
        ("equity=-0.2", "equity", "relative", -0.2),
        ("Equity:Health Care = -15%", "equity:Health Care", "relative", -0.15),
        ("rates=+100bp", "rates", "basis_points", 100.0),
        ("volatility=2x", "volatility", "multiple", 2.0),
        ("liquidity=3", "liquidity", "multiple", 3.0),
        ("crypto:BTCUSD=-.5", "crypto:BTCUSD", "relative", -0.5),
    ],
)
def test_shocks_are_read(text: str, factor: str, unit: str, size: float) -> None:
    found = shock(text)
    assert (found.factor, found.unit, found.size) == (factor, unit, pytest.approx(size))


@pytest.mark.parametrize(
    "text", ["equity", "equity=", "equity=x", "rates=0.01", "equity=50bp", "volatility=20%", "=1"]
)
def test_what_is_no_shock_is_refused_with_examples(text: str) -> None:
    with pytest.raises(InvalidRequestError) as refused:
        shock(text)
    assert "equity=-0.2" in (refused.value.fix or "")
