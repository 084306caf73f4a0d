"""Every limit type on a small portfolio computed by hand: at 79, 80, 100 and 101 % of its limit."""

from __future__ import annotations

import math
from decimal import Decimal

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from data.limits import UNITS, Limit, LimitType, Unit
from data.problems import InvalidRequestError
from risk.evaluate import Dealt, Figures, Sent, Working, evaluate, volatilities
from risk.frames import ReturnsFrame
from risk.measures.empirical import historical
from risk.portfolio import EngineMoney, Holding, Portfolio
from risk.scopes import scope_of

D = Decimal
NOW = 1_700_000_000_000_000_000
SECOND = 1_000_000_000


def limit(
    type_: LimitType, hard: str, unit: Unit | None = None, scope: str = "portfolio", **more: object
) -> Limit:
    chosen = unit or UNITS[type_][0]
    return Limit(
        id=f"{type_}:{scope}:{chosen}",
        limit_type=type_,
        scope=scope,
        hard=D(hard),
        effective=D(hard),
        unit=chosen,
        window_s=60 if type_ == "order_rate" else None,
        ts_created=0,
        ts_updated=0,
        updated_by="t",
        **more,  # type: ignore[arg-type]  # fields of a limit
    )


def holding(instrument: str, qty: str, mark: str | None, **more: object) -> Holding:
    facts = {
        "engine": "paper-1",
        "currency": "USD",
        "rate": D(1),
        "asset_class": "equity",
        "sector": "Technology",
        "strategy": "S1",
        "ts": NOW,
    }
    return Holding(
        instrument=instrument,
        qty=D(qty),
        mark=None if mark is None else D(mark),
        **(facts | more),  # type: ignore[arg-type]  # fields of a holding
    )


#: Long 300 A at 100 (30,000), short 100 B at 200 (−20,000), long 10 contracts of C at 25 × 40 × 1 (10,000).
HOLDINGS = (
    holding("A", "300", "100"),
    holding("B", "-100", "200", sector="Energy", strategy="S2"),
    holding("C", "10", "25", multiplier=D(40), asset_class="future", sector=None, engine="paper-2"),
)
MONEY = (
    EngineMoney(
        engine="paper-1",
        currency="USD",
        equity=D(80_000),
        day_pnl=D(-4_000),
        peak_equity=D(100_000),
        ts=NOW,
    ),
    EngineMoney(
        engine="paper-2", currency="USD", equity=D(20_000), day_pnl=D(1_000), peak_equity=D(25_000), ts=NOW
    ),
)
PORTFOLIO = Portfolio(holdings=HOLDINGS, money=MONEY, ts=NOW)
_RETURNS = np.random.default_rng(3).normal(0.0, 0.01, (250, 3))
FRAME = ReturnsFrame(
    instruments=("A", "B", "C"),
    basis="1d",
    periods_per_year=252.0,
    periods_per_day=1.0,
    times=np.arange(250, dtype=np.int64),
    values=_RETURNS,
    missing={},
)
FIGURES = Figures(
    working=(
        Working(engine="paper-1", instrument="A", strategy="S1", sector="Technology", notional=D(5_000)),
        Working(engine="paper-2", instrument="C", notional=D(8_000)),
    ),
    dealt=(
        Dealt(engine="paper-1", instrument="A", strategy="S1", sector="Technology", amount=D(30_000)),
        Dealt(engine="paper-2", instrument="C", amount=D(20_000)),
    ),
    sent=tuple(
        Sent(engine="paper-1", instrument="A", strategy="S1", sector="Technology", ts=NOW - back * SECOND)
        for back in (0, 10, 59, 60, 90)
    ),
    sent_since=NOW - 100 * SECOND,
    returns=FRAME,
)
_PROFITS = _RETURNS @ np.array([30_000.0, -20_000.0, 10_000.0])
_VAR = round(historical(_PROFITS / 1e5, 0.99).var * 1e5, 2)
_DEVIATION = round(float(_PROFITS.std(ddof=1)) * math.sqrt(252), 6)
_MATRIX = np.asarray(np.corrcoef(_RETURNS, rowvar=False))
_PAIRS = _MATRIX[np.triu_indices(3, 1)]

#: What each limit's value is, computed by hand, by type, unit and scope.
BY_HAND: list[tuple[LimitType, Unit, str, Decimal]] = [
    ("order_notional", "notional", "portfolio", D(8_000)),
    ("order_notional", "notional", "engine:paper-1", D(5_000)),
    ("order_notional", "notional", "strategy:S1", D(5_000)),
    ("order_notional", "notional", "sector:Energy", D(0)),
    ("order_rate", "orders", "portfolio", D(3)),
    ("order_rate", "orders", "engine:paper-2", D(0)),
    ("position_size", "notional", "portfolio", D(30_000)),
    ("position_size", "shares", "portfolio", D(300)),
    ("position_size", "shares", "instrument:B", D(100)),
    ("position_size", "notional", "instrument:B", D(20_000)),
    ("gross_exposure", "notional", "portfolio", D(60_000)),
    ("gross_exposure", "ratio", "portfolio", D("0.6")),
    ("gross_exposure", "ratio", "engine:paper-1", D("0.625")),
    ("gross_exposure", "notional", "strategy:S2", D(20_000)),
    ("net_exposure", "notional", "portfolio", D(20_000)),
    ("net_exposure", "ratio", "portfolio", D("0.2")),
    ("net_exposure", "notional", "instrument:B", D(20_000)),
    ("long_exposure", "notional", "portfolio", D(40_000)),
    ("long_exposure", "ratio", "engine:paper-2", D("0.5")),
    ("short_exposure", "notional", "portfolio", D(20_000)),
    ("short_exposure", "ratio", "portfolio", D("0.2")),
    ("short_exposure", "notional", "engine:paper-2", D(0)),
    ("leverage", "ratio", "portfolio", D("0.6")),
    ("leverage", "ratio", "engine:paper-2", D("0.5")),
    ("concentration", "ratio", "portfolio", D("0.3")),
    ("concentration", "ratio", "strategy:S2", D("0.2")),
    ("sector_exposure", "notional", "portfolio", D(30_000)),
    ("sector_exposure", "ratio", "sector:Energy", D("0.2")),
    ("sector_exposure", "notional", "sector:Energy", D(20_000)),
    ("daily_loss", "notional", "portfolio", D(3_000)),
    ("daily_loss", "ratio", "portfolio", D("0.03")),
    ("daily_loss", "notional", "engine:paper-1", D(4_000)),
    ("daily_loss", "notional", "engine:paper-2", D(0)),
    ("drawdown", "ratio", "portfolio", D("0.2")),
    ("drawdown", "ratio", "engine:paper-2", D("0.2")),
    ("drawdown", "notional", "engine:paper-1", D(20_000)),
    ("var", "notional", "portfolio", D(repr(_VAR))),
    ("var", "ratio", "portfolio", D(repr(_VAR)) / 100_000),
    ("volatility", "ratio", "portfolio", (D(repr(_DEVIATION)) / 100_000).quantize(D("1E-10"))),
    ("correlation", "ratio", "portfolio", D(repr(round(float(_PAIRS.mean()), 8)))),
    ("turnover", "ratio", "portfolio", D("0.5")),
    ("turnover", "notional", "portfolio", D(50_000)),
    ("turnover", "ratio", "engine:paper-1", D("0.375")),
    ("turnover", "notional", "strategy:S1", D(30_000)),
]


def test_every_type_and_unit_is_computed_by_hand() -> None:
    told = {(type_, unit) for type_, unit, _, _ in BY_HAND}
    assert told == {(type_, unit) for type_, units in UNITS.items() for unit in units}


@pytest.mark.parametrize(("type_", "unit", "scope", "value"), BY_HAND)
def test_a_value_is_what_it_is_by_hand(type_: LimitType, unit: Unit, scope: str, value: Decimal) -> None:
    (status,) = evaluate(PORTFOLIO, [limit(type_, "1", unit, scope)], FIGURES)
    assert status.reason is None
    assert status.value == value
    assert status.headroom == 1 - value


@pytest.mark.parametrize(
    ("share", "level"), [("79", "ok"), ("80", "warn"), ("100", "warn"), ("101", "breached")]
)
@pytest.mark.parametrize("type_", list(UNITS))
def test_a_limit_warns_from_80_percent_and_is_breached_above_100(
    type_: LimitType, share: str, level: str
) -> None:
    unit, scope, value = next(
        (u, s, v) for t, u, s, v in BY_HAND if t == type_ and (v > 0 or t == "correlation")
    )
    if value <= 0:  # correlations of independent returns may come out below zero: tried on a book of one mind
        portfolio, figures, value = _of_one_mind()
    else:
        portfolio, figures = PORTFOLIO, FIGURES
    bound = value * 100 / D(share)
    (status,) = evaluate(
        portfolio, [replace(limit(type_, "1", unit, scope), hard=bound, effective=bound)], figures
    )
    assert status.level == level
    assert status.use is not None
    assert abs(status.use - D(share) / 100) <= D("0.000001")


def _of_one_mind() -> tuple[Portfolio, Figures, Decimal]:
    values = np.column_stack([_RETURNS[:, 0], 2.0 * _RETURNS[:, 0], 3.0 * _RETURNS[:, 0]])
    return PORTFOLIO, replace(FIGURES, returns=replace_frame(FRAME, values=values)), D(1)


def replace_frame(frame: ReturnsFrame, **changes: object) -> ReturnsFrame:
    found: ReturnsFrame = replace(frame, **changes)
    return found


def test_the_limit_that_counts_is_the_effective_one() -> None:
    one = replace(limit("gross_exposure", "100000"), effective=D(50_000))
    (status,) = evaluate(PORTFOLIO, [one], FIGURES)
    assert status.level == "breached"
    assert status.use == D("1.2")
    assert status.headroom == D(-10_000)


def test_what_makes_the_value_is_named() -> None:
    found = evaluate(
        PORTFOLIO,
        [limit("concentration", "1"), limit("sector_exposure", "1"), limit("order_notional", "1")],
        FIGURES,
    )
    assert [one.subject for one in found] == ["A", "Technology", "C"]


def test_a_limit_that_is_off_is_told_as_off() -> None:
    (status,) = evaluate(PORTFOLIO, [limit("gross_exposure", "1", enabled=False)], FIGURES)
    assert status.level == "off"


# ---------------------------------------------------------------- what is not known

_NO_PRICE = replace(PORTFOLIO, holdings=(*HOLDINGS, holding("D", "1", None)))
_NO_RATE = replace(PORTFOLIO, holdings=(*HOLDINGS, holding("D", "1", "5", currency="EUR", rate=None)))
_NO_EQUITY = replace(PORTFOLIO, money=(MONEY[0], replace(MONEY[1], equity=None)))
_NO_MONEY = replace(PORTFOLIO, money=())
_BROKE = replace(PORTFOLIO, money=(replace(MONEY[0], equity=D(-5)),))
_NO_SECTOR = replace(PORTFOLIO, holdings=(*HOLDINGS, holding("D", "1", "5", sector=None)))


@pytest.mark.parametrize(
    ("portfolio", "one", "reason"),
    [
        (_NO_PRICE, limit("gross_exposure", "1"), "no price for D"),
        (_NO_PRICE, limit("var", "1"), "no price for D"),
        (_NO_RATE, limit("position_size", "1"), "no exchange rate for EUR"),
        (_NO_EQUITY, limit("leverage", "1"), "equity of paper-2 is not known"),
        (_NO_EQUITY, limit("drawdown", "1"), "equity of paper-2 is not known"),
        (_NO_EQUITY, limit("daily_loss", "1"), "equity of paper-2 is not known"),
        (_NO_MONEY, limit("turnover", "1"), "no account is known"),
        (_BROKE, limit("leverage", "1"), "equity is not above zero"),
        (_NO_SECTOR, limit("sector_exposure", "1"), "the sector of D is not known"),
        (_NO_SECTOR, limit("sector_exposure", "1", scope="sector:Energy"), "the sector of D is not known"),
        (_NO_SECTOR, limit("volatility", "1"), "no returns of D"),
        (PORTFOLIO, limit("daily_loss", "1", scope="strategy:S1"), "results are known of accounts"),
        (PORTFOLIO, limit("drawdown", "1", scope="sector:Energy"), "equity is known of accounts"),
        (
            replace(PORTFOLIO, money=(replace(MONEY[0], peak_equity=None),)),
            limit("drawdown", "1"),
            "the highest equity is not known",
        ),
        (
            replace(PORTFOLIO, money=(replace(MONEY[0], currency="EUR"),)),
            limit("leverage", "1"),
            "accounts of paper-1 are not in USD",
        ),
        (PORTFOLIO, limit("var", "1", confidence=D("0.999")), "needs 1,000 returns"),
    ],
)
def test_what_is_not_known_is_unknown_and_says_why(portfolio: Portfolio, one: Limit, reason: str) -> None:
    (status,) = evaluate(portfolio, [one], FIGURES)
    assert status.level == "unknown"
    assert status.value is None
    assert status.use is None
    assert status.headroom is None
    assert reason in (status.reason or "")


def test_figures_that_are_not_there_are_unknown() -> None:
    bare = Figures(no_returns="the history is read")
    found = {
        one.limit.limit_type: one.reason
        for one in evaluate(
            PORTFOLIO, [limit(type_, "1") for type_ in ("turnover", "order_rate", "var", "correlation")], bare
        )
    }
    assert found["turnover"] == "the fills of today are not counted yet"
    assert found["order_rate"] == "orders have not been counted for the length of the window yet"
    assert found["var"] == found["correlation"] == "the history is read"
    unpriced = replace(FIGURES, working=(Working(engine="paper-1", instrument="A", notional=None),))
    (status,) = evaluate(PORTFOLIO, [limit("order_notional", "1")], unpriced)
    assert status.reason == "no price for a working order of A"


def test_an_instrument_without_a_price_leaves_other_scopes_known() -> None:
    scopes = ["portfolio", "instrument:A", "instrument:D"]
    found = evaluate(_NO_PRICE, [limit("position_size", "1", scope=scope) for scope in scopes], FIGURES)
    assert [one.value for one in found] == [None, D(30_000), None]


def test_an_empty_portfolio_uses_nothing_and_has_no_pair() -> None:
    empty = Portfolio(holdings=(), money=MONEY, ts=NOW)
    found = evaluate(empty, [limit(type_, "1") for type_ in UNITS], Figures(dealt=(), sent_since=0))
    values = {one.limit.limit_type: one.value for one in found}
    assert values.pop("correlation") is None
    assert values.pop("daily_loss") == D(3_000)
    assert values.pop("drawdown") == D("0.2")
    assert set(values.values()) == {D(0)}
    (pair,) = evaluate(empty, [limit("correlation", "1")], FIGURES)
    assert (pair.level, pair.reason) == ("ok", "fewer than two instruments are held: there is no pair")


def test_holdings_of_one_instrument_by_two_engines_are_one_position_and_two_exposures() -> None:
    both = replace(
        PORTFOLIO, holdings=(holding("A", "100", "10"), holding("A", "-60", "10", engine="paper-2"))
    )
    limits = [
        limit("position_size", "1", "shares"),
        limit("gross_exposure", "1"),
        limit("position_size", "1", "shares", "engine:paper-2"),
    ]
    assert [one.value for one in evaluate(both, limits, FIGURES)] == [D(40), D(1_600), D(60)]


# ---------------------------------------------------------------- measured on returns


@pytest.mark.parametrize("horizon", [1, 5, 10])
@pytest.mark.parametrize("method", ["historical", "normal", "student", "cornish_fisher", "filtered"])
def test_var_is_the_measure_of_the_book_by_the_limits_own_method(method: str, horizon: int) -> None:
    from risk.measures.methods import measure

    one = limit("var", "1", method=method, horizon_days=horizon, confidence=D("0.95"))
    (status,) = evaluate(PORTFOLIO, [one], FIGURES)
    wanted = measure(method, _PROFITS / 60_000.0, 0.95, horizon).var * 60_000.0
    assert float(status.value or 0) == pytest.approx(wanted, abs=0.01)


@pytest.mark.parametrize("method", ["historical", "normal", "filtered"])
def test_what_is_long_at_one_engine_and_as_short_at_another_has_no_value_at_risk(method: str) -> None:
    book = Portfolio(
        holdings=(holding("A", "10", "100"), holding("A", "-10", "100", engine="paper-2")),
        money=MONEY,
        ts=NOW,
    )
    (status,) = evaluate(book, [limit("var", "1", method=method, confidence=D("0.95"))], FIGURES)
    assert (status.value, status.reason) == (0, None)


def test_var_of_five_minute_returns_grows_with_the_root_of_their_number() -> None:
    fine = replace_frame(FRAME, basis="5m", periods_per_day=78.0, periods_per_year=78.0 * 252)
    (status,) = evaluate(PORTFOLIO, [limit("var", "1", horizon_days=10)], replace(FIGURES, returns=fine))
    assert float(status.value or 0) == pytest.approx(_VAR * math.sqrt(780), rel=1e-4)


def test_a_book_that_gains_at_its_quantile_has_no_value_at_risk() -> None:
    up = replace_frame(FRAME, values=np.abs(_RETURNS))
    (status,) = evaluate(PORTFOLIO, [limit("var", "1", scope="instrument:A")], replace(FIGURES, returns=up))
    assert status.value == 0


def test_volatility_of_what_is_held_does_not_depend_on_how_much() -> None:
    found = volatilities(PORTFOLIO, ["portfolio", "instrument:A", "strategy:none"], FRAME)
    assert found.keys() == {"portfolio", "instrument:A"}
    twice = replace(PORTFOLIO, holdings=tuple(replace(one, qty=2 * one.qty) for one in HOLDINGS))
    assert volatilities(twice, ["portfolio"], FRAME)["portfolio"] == pytest.approx(
        found["portfolio"], abs=D("1E-9")
    )
    assert float(found["instrument:A"]) == pytest.approx(
        float(_RETURNS[:, 0].std(ddof=1)) * math.sqrt(252), abs=1e-8
    )


# ---------------------------------------------------------------- for any portfolio

_QTY = st.decimals(-1_000, 1_000, places=2)
_PRICE = st.decimals("0.01", 1_000, places=2)
_BOOKS = st.lists(
    st.tuples(st.sampled_from("ABCDE"), _QTY, _PRICE, st.sampled_from(["paper-1", "paper-2"])), max_size=8
)


@given(_BOOKS)
def test_exposures_belong_together(rows: list[tuple[str, Decimal, Decimal, str]]) -> None:
    prices = {name: price for name, _, price, _ in rows}
    book = replace(
        PORTFOLIO,
        holdings=tuple(
            holding(name, str(qty), str(prices[name]), engine=engine) for name, qty, _, engine in rows
        ),
    )

    def value(type_: LimitType) -> Decimal:
        return evaluate(book, [limit(type_, "1", "notional")])[0].value or D(0)

    long, short = value("long_exposure"), value("short_exposure")
    assert value("gross_exposure") == long + short
    assert value("net_exposure") == abs(long - short)
    assert D(0) <= value("position_size") <= value("gross_exposure")
    engines = [
        evaluate(book, [limit("gross_exposure", "1", scope=f"engine:{name}")])[0].value
        for name in ("paper-1", "paper-2")
    ]
    assert sum((one or D(0) for one in engines), D(0)) == value("gross_exposure")


@pytest.mark.parametrize("text", ["", "portfolio:", "engine", "engine:", "venue:SIM", "Portfolio"])
def test_what_is_no_scope_is_refused(text: str) -> None:
    with pytest.raises(InvalidRequestError):
        scope_of(text)
