"""Where analytics are computed: called in threads, each function loads its libraries when it is called.

The daemon begins without NumPy, and its loop does not wait while libraries are loaded. This module must not
know of the loop, of stores or of formulas.
"""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import TYPE_CHECKING, NamedTuple

from data.analytics import (
    AggregateAnswer,
    ComponentMethod,
    Dimension,
    ExecutionAnswer,
    ExposureAnswer,
    PerformanceAnswer,
    RiskMeasures,
    StrategyAnswer,
    StressAnswer,
)
from data.equity_store import VarDay
from data.problems import InvalidRequestError
from data.records import Fill
from data.series import EquitySeries
from nautilus_tui.daemon.risk.accounts import Account
from risk.portfolio import Portfolio

if TYPE_CHECKING:
    from risk.execution import OrderFacts
    from risk.frames import ReturnsFrame
    from risk.measures.book import Wanted
    from risk.stress import Scenario
    from risk.track import Track


class Asked(NamedTuple):
    """What was asked about performance."""

    benchmark: str | None
    risk_free: float
    rolling: int | None
    since: int
    ts: int


def risk(
    name: str,
    portfolio: Portfolio,
    frame: ReturnsFrame,
    wanted: Wanted | None,
    history: Sequence[VarDay],
    closes: EquitySeries,
) -> RiskMeasures:
    """Return a book measured, with its regulatory figures."""
    from risk.measures.book import held, measure_book, totals
    from risk.measures.regulatory import capital_figures, followed

    figures = capital_figures(
        held(portfolio, frame),
        frame,
        portfolio.equity,
        totals(portfolio).gross,
        history,
        followed(history, closes),
    )
    return measure_book(portfolio, frame, portfolio_id=name, wanted=wanted, capital=figures)


def wanted(
    methods: Sequence[str] | None,
    confidences: Sequence[float] | None,
    horizons: Sequence[int] | None,
    components: ComponentMethod,
) -> Wanted:
    """Return what is to be measured; None: as usual. What makes no sense is refused whatever is held.

    Raises:
        InvalidRequestError: There is no such method, or a confidence or horizon is out of range.
    """
    from risk.measures.book import CONFIDENCES, HORIZONS, Wanted, checked_method
    from risk.measures.methods import METHODS
    from risk.measures.sample import checked_confidence, checked_horizon

    for method in methods or ():
        checked_method(method)
    for confidence in confidences or ():
        checked_confidence(confidence)
    for horizon in horizons or ():
        checked_horizon(horizon)

    return Wanted(
        methods=methods or METHODS,
        confidences=confidences or CONFIDENCES,
        horizons=horizons or HORIZONS,
        component_method=components,
    )


def exposures(
    name: str,
    portfolio: Portfolio,
    frames: dict[str, ReturnsFrame],
    market: str | None,
    spreads: dict[tuple[str, str], Decimal],
) -> ExposureAnswer:
    """Return what a book is exposed to; ``frames`` are by engine: its market's returns and its holdings'."""
    from risk import factors

    known = factors.betas_at(frames, market)
    return factors.exposures(portfolio, portfolio_id=name, beta=known, half_spreads=spreads, market=market)


def scenarios(shocks: Sequence[str], scenario: str | None) -> tuple[Scenario, ...] | None:
    """Return the scenario that shocks make together, or the one named; None: all there are.

    Raises:
        InvalidRequestError: A shock makes no sense, or there is no such scenario.
    """
    from risk.factors import shock
    from risk.stress import SCENARIOS, user_defined

    if shocks:
        return (user_defined("user_defined", [shock(one) for one in shocks], ", ".join(shocks)),)
    if scenario is None:
        return None
    if scenario not in SCENARIOS:
        raise InvalidRequestError(
            f"there is no scenario {scenario!r}",
            rule=f"one of {', '.join(SCENARIOS)}",
            fix="or give shocks of your own, such as equity=-0.2",
            field="scenario",
            value=scenario,
        )
    return (SCENARIOS[scenario],)


def stress(answer: ExposureAnswer, chosen: tuple[Scenario, ...] | None) -> StressAnswer:
    """Return a book under scenarios; None: all."""
    from risk import factors

    return factors.stress(answer, chosen)


def tracked(days: EquitySeries, minutes: EquitySeries) -> Track:
    """Return the record of an account."""
    from risk import track

    return track.track(days, minutes)


def performance(
    account: Account,
    fills: Sequence[Fill],
    days: EquitySeries,
    minutes: EquitySeries,
    found: Track,
    asked: Asked,
    other: ReturnsFrame | None,
) -> PerformanceAnswer:
    """Return how a book did; raises InvalidRequestError for a rolling window that does not fit."""
    from nautilus_tui.daemon.risk import answers

    return answers.performance(account, fills, days, minutes, found, asked, other)


def summary(name: str, facts: Sequence[OrderFacts], ts: int, notes: Sequence[str]) -> ExecutionAnswer:
    """Return how orders were executed."""
    from risk import execution

    return execution.summary(name, facts, ts=ts, notes=notes)


def strategy(
    strategy_id: str, account: Account, fills: Sequence[Fill], execution: ExecutionAnswer, ts: int
) -> StrategyAnswer:
    """Return what one strategy did."""
    from nautilus_tui.daemon.risk import answers

    return answers.strategy(strategy_id, account, fills, execution, ts)


def aggregate(
    account: Account,
    fills: Sequence[Fill],
    by: tuple[Dimension, ...],
    instrument: str | None,
    span: tuple[int | None, int | None],
    ts: int,
) -> AggregateAnswer:
    """Return fills of a span of time summed up by dimensions."""
    from nautilus_tui.daemon.risk import answers

    return answers.aggregate(account, fills, by, instrument, span, ts)
