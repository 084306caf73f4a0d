"""What analytics answer: risk measures, stress, exposures, performance and execution of a book.

Money is in the currency that the answer names, as ``Decimal``; statistics are floats; fractions are of the
book's equity unless said otherwise. A figure that cannot be told is None, and why stands in ``reasons``,
``missing`` or beside it: nothing is padded. This module must not know how a figure is computed.
"""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import Final, Literal

import msgspec

from data.facts import Record

#: How a book's value at risk is shared out among its positions.
ComponentMethod = Literal["normal", "historical", "monte_carlo"]
Grade = Literal["A", "B", "C", "D", "F"]
Dimension = Literal["engine", "instrument", "strategy", "sector", "day"]

# ---------------------------------------------------------------- value at risk


class VarRow(msgspec.Struct, frozen=True, kw_only=True):
    """VaR and expected shortfall of the book by one method, as losses; without figures: ``reason``."""

    method: str
    confidence: float
    horizon: int  #: days
    var: float | None = None  #: fraction of equity, positive for a loss
    es: float | None = None
    var_money: Decimal | None = None
    es_money: Decimal | None = None
    n: int = 0  #: returns it is made of
    rule: str = ""  #: how the horizon was reached
    reason: str | None = None
    notes: tuple[str, ...] = ()


class Component(msgspec.Struct, frozen=True, kw_only=True):
    """What one position adds to the book's VaR; negative: it hedges. Components add up to the VaR."""

    engine: str
    instrument: str
    qty: Decimal
    value: Decimal  #: signed
    weight: float  #: value as a fraction of equity
    marginal_var: float  #: VaR, in money, that one unit of money more in the position adds
    component_var: Decimal
    component_es: Decimal
    share: float | None  #: of the book's VaR


class CapitalFigure(msgspec.Struct, frozen=True, kw_only=True):
    """One regulatory figure, or not applicable with the reason."""

    name: str
    value: float | None
    unit: Literal["money", "ratio"]
    rule: str  #: the formula, and where it is written
    not_applicable: str | None = None
    parts: dict[str, float] = {}


class RiskMeasures(Record, frozen=True, kw_only=True, tag="risk_measures"):
    """What a book risks, measured from the returns of what it holds now."""

    portfolio_id: str  #: ``portfolio`` or an engine
    currency: str
    equity: Decimal | None
    gross: Decimal | None
    net: Decimal | None
    leverage: float | None  #: gross / equity
    basis: str | None  #: ``1d`` or ``5m``; None: there are no returns
    returns: int  #: how many the measures are made of
    periods_per_year: float | None
    ts_first: int | None  #: of the returns
    ts_last: int | None
    volatility: float | None  #: of the book, per year
    correlation: float | None  #: average over pairs of held instruments
    measures: tuple[VarRow, ...]
    component_method: str | None
    components: tuple[Component, ...]
    capital: tuple[CapitalFigure, ...]
    missing: dict[str, str] = msgspec.field(
        default_factory=dict
    )  #: instruments whose returns are not known, and why
    covered: float | None = None  #: part of the gross value whose returns are known
    reasons: dict[str, str] = msgspec.field(default_factory=dict)  #: why a figure above is None
    notes: tuple[str, ...] = ()
    synthetic: bool
    ts: int


# ---------------------------------------------------------------- stress and exposures


class StressShock(msgspec.Struct, frozen=True, kw_only=True):
    """How far a scenario moves one factor, and where the size is from."""

    factor: str
    unit: str  #: ``relative``, ``basis_points`` or ``multiple``
    size: float
    source: str


class StressItem(msgspec.Struct, frozen=True, kw_only=True):
    """What one position gains (positive) or loses by one factor's shock."""

    engine: str
    instrument: str
    factor: str
    shock: float
    unit: str
    sensitivity: Decimal
    pnl: Decimal


class StressOutcome(msgspec.Struct, frozen=True, kw_only=True):
    """What a book gains or loses under one scenario."""

    scenario: str
    description: str
    start: dt.date | None = None
    end: dt.date | None = None
    shocks: tuple[StressShock, ...]
    pnl: Decimal | None  #: None: the scenario touches nothing that is held
    of_equity: float | None
    by_factor: dict[str, Decimal]
    by_position: dict[str, Decimal]
    items: tuple[StressItem, ...]
    left_out: dict[str, str]  #: what the scenario says nothing about, and why


class StressAnswer(Record, frozen=True, kw_only=True, tag="stress"):
    """Every scenario, computed on the book as it stands; to first order."""

    portfolio_id: str
    currency: str
    equity: Decimal | None
    outcomes: tuple[StressOutcome, ...]
    notes: tuple[str, ...] = ()
    synthetic: bool
    ts: int


class ExposureRow(msgspec.Struct, frozen=True, kw_only=True):
    """One position and what it is exposed to."""

    engine: str
    instrument: str
    strategy: str | None
    asset_class: str
    sector: str | None
    currency: str
    qty: Decimal
    mark: Decimal | None
    value: Decimal | None  #: signed; None: no price or no exchange rate
    weight: float | None  #: of equity
    factor: str | None  #: what a shock to it moves; None: not known, see ``reason``
    beta: float | None  #: to the factor; None: taken as 1
    sensitivity: Decimal | None  #: gain for a rise of the factor by all of itself
    half_spread: Decimal | None  #: cost of closing at today's spread; None: no quote
    reason: str | None = None
    synthetic: bool


class ExposureAnswer(Record, frozen=True, kw_only=True, tag="exposures"):
    """What a book is exposed to, by position and summed up."""

    portfolio_id: str
    currency: str
    equity: Decimal | None
    gross: Decimal | None
    net: Decimal | None
    long: Decimal | None
    short: Decimal | None  #: positive
    leverage: float | None
    rows: tuple[ExposureRow, ...]
    sums: dict[
        str, dict[str, Decimal]
    ]  #: net value by asset_class, sector, engine, strategy, currency, factor
    notes: tuple[str, ...] = ()
    synthetic: bool
    ts: int


# ---------------------------------------------------------------- performance


class TradeStatistics(msgspec.Struct, frozen=True, kw_only=True):
    """Round trips: stretches from flat to flat of one instrument and strategy, after commission."""

    closed: int
    won: int
    lost: int
    win_rate: float | None
    profit_factor: float | None
    expectancy: Decimal | None  #: mean result of those that won or lost
    average_win: Decimal | None
    average_loss: Decimal | None
    average_hours: float | None


class Contribution(msgspec.Struct, frozen=True, kw_only=True):
    """What a strategy, an instrument, a sector, an engine or a day contributed."""

    dimension: Dimension
    key: str  #: ``unknown`` where the fills do not tell
    realized: Decimal  #: after commission
    unrealized: Decimal | None  #: None: a price or rate is missing
    commission: Decimal
    total: Decimal | None
    of_equity: float | None  #: total as a fraction of equity at the beginning
    fills: int


class FactorContribution(msgspec.Struct, frozen=True, kw_only=True):
    """What a factor contributed to the return: its loading times its return."""

    factor: str  #: the benchmark's instrument, or ``specific`` for what is left
    loading: float | None
    contribution: float


class EquityPoint(msgspec.Struct, frozen=True, kw_only=True):
    """Equity at a moment, and the time-weighted index of it (1 at the beginning)."""

    ts: int
    equity: Decimal
    index: float
    drawdown: float


class RollingPoint(msgspec.Struct, frozen=True, kw_only=True):
    """Figures of the window of returns whose last begins at ``ts``."""

    ts: int
    figures: dict[str, float | None]  #: by name, as in ``risk.rolling``


class DrawdownTimes(msgspec.Struct, frozen=True, kw_only=True):
    """The deepest drawdown."""

    depth: float
    ts_peak: int
    ts_trough: int
    ts_recovery: int | None  #: None: not yet


#: Figures of performance that people are shown as percentages; the rest are counts and plain numbers.
PERCENTAGES: Final = frozenset(
    {
        "total_return",
        "annual_return",
        "volatility",
        "max_drawdown",
        "win_rate",
        "expectancy",
        "average_win",
        "average_loss",
        "best",
        "worst",
        "alpha",
        "tracking_error",
        "benchmark_total_return",
    }
)


class PerformanceAnswer(Record, frozen=True, kw_only=True, tag="performance"):
    """How an engine, or all together, did: from equity as it was kept, and from fills."""

    portfolio_id: str
    currency: str | None
    basis: str | None  #: of the statistics: ``1d`` or ``5m``; None: too little
    returns: int
    periods_per_year: float | None
    ts_first: int | None
    ts_last: int | None
    equity_first: Decimal | None
    equity: Decimal | None
    flows: Decimal | None  #: brought in (negative: taken out) in between
    realized: Decimal | None
    unrealized: Decimal | None
    commission: Decimal | None
    metrics: dict[str, float | None]  #: by name, as in ``risk.performance``
    reasons: dict[str, str] = msgspec.field(default_factory=dict)  #: why a metric is None
    drawdown: DrawdownTimes | None = None
    trades: TradeStatistics | None = None
    benchmark: str | None = None
    attribution: tuple[Contribution, ...] = ()
    factors: tuple[FactorContribution, ...] = ()
    rolling: tuple[RollingPoint, ...] = ()
    curve: tuple[EquityPoint, ...] = ()
    notes: tuple[str, ...] = ()
    synthetic: bool
    ts: int


# ---------------------------------------------------------------- execution


class ExecutionRow(msgspec.Struct, frozen=True, kw_only=True):
    """How one order was executed. Slippage and cost are positive where they cost."""

    engine: str
    client_order_id: str
    instrument: str
    venue: str
    side: str
    order_type: str
    status: str
    strategy: str | None
    qty: Decimal
    filled_qty: Decimal
    avg_price: Decimal | None
    limit_price: Decimal | None
    arrival_bid: Decimal | None = None
    arrival_ask: Decimal | None = None
    arrival_mid: Decimal | None = None
    interval_vwap: Decimal | None = None
    interval_volume: Decimal | None = None
    slippage_arrival_bps: float | None = None  #: average price against the mid when the order was made
    slippage_limit_bps: float | None = None  #: negative: better than the limit
    slippage_vwap_bps: float | None = None
    shortfall: Decimal | None = None  #: implementation shortfall in ``currency``, commission included
    shortfall_bps: float | None = None  #: of quantity × arrival mid
    spreads: float | None = None  #: slippage to arrival in half spreads
    participation: float | None = None  #: own quantity / traded quantity of the interval
    impact_bps: float | None = (
        None  #: mid after the last fill against the arrival mid, in the order's direction
    )
    commission: Decimal | None = None
    fills: int = 0
    maker_fills: int = 0
    ack_ms: float | None = None
    first_fill_ms: float | None = None
    grade: Grade | None = None
    currency: str | None = None
    reasons: dict[str, str] = {}
    ts_init: int
    synthetic: bool


class VenueRow(msgspec.Struct, frozen=True, kw_only=True):
    """Orders of one venue together."""

    venue: str
    orders: int
    filled_orders: int
    fill_rate: float | None  #: filled quantity by value, of what was ordered
    slippage_arrival_bps: float | None  #: weighted by value
    shortfall_bps: float | None
    median_ack_ms: float | None
    median_first_fill_ms: float | None
    maker_share: float | None  #: of fills
    rejected: int
    grade: Grade | None


class ImpactRow(msgspec.Struct, frozen=True, kw_only=True):
    """Orders of one range of participation together."""

    participation: str
    orders: int
    slippage_arrival_bps: float | None
    impact_bps: float | None


class ExecutionAnswer(Record, frozen=True, kw_only=True, tag="execution"):
    """How one order, or the orders of an engine or of all, were executed."""

    execution_id: str  #: a client order id, ``portfolio`` or an engine
    orders: int
    filled_orders: int
    fill_rate: float | None
    slippage_arrival_bps: float | None
    slippage_limit_bps: float | None
    slippage_vwap_bps: float | None
    shortfall_bps: float | None
    median_ack_ms: float | None
    median_first_fill_ms: float | None
    participation: float | None  #: own quantity / traded quantity, over all orders that tell
    grade: Grade | None
    grade_rule: str
    commission: dict[str, Decimal] = msgspec.field(default_factory=dict)  #: by currency
    venues: tuple[VenueRow, ...] = ()
    impact: tuple[ImpactRow, ...] = ()
    rows: tuple[ExecutionRow, ...] = ()
    unknown: dict[str, int] = msgspec.field(
        default_factory=dict
    )  #: why figures are missing, and in how many orders
    notes: tuple[str, ...] = ()
    synthetic: bool
    ts: int


# ---------------------------------------------------------------- strategies and sums


class StrategyAnswer(Record, frozen=True, kw_only=True, tag="strategy_analytics"):
    """What one strategy did: profit by instrument, round trips, and its orders' execution."""

    strategy_id: str
    currency: str
    realized: Decimal
    unrealized: Decimal | None
    commission: Decimal
    total: Decimal | None
    trades: TradeStatistics
    by_instrument: tuple[Contribution, ...]
    execution: ExecutionAnswer
    notes: tuple[str, ...] = ()
    synthetic: bool
    ts: int


class AggregateRow(msgspec.Struct, frozen=True, kw_only=True):
    """Fills of one combination of the dimensions asked for."""

    keys: dict[str, str]
    fills: int
    orders: int
    bought: Decimal  #: value
    sold: Decimal
    traded: Decimal
    commission: Decimal
    realized: Decimal  #: by these fills, after commission


class AggregateAnswer(Record, frozen=True, kw_only=True, tag="aggregate"):
    """Fills summed up by dimensions."""

    by: tuple[Dimension, ...]
    currency: str
    rows: tuple[AggregateRow, ...]
    notes: tuple[str, ...] = ()
    synthetic: bool
    ts: int


class AnalyticsHealth(Record, frozen=True, kw_only=True, tag="analytics_health"):
    """Whether there is anything to compute from."""

    ok: bool
    engines: tuple[str, ...]  #: whose equity is kept
    days: int  #: of equity that are kept, of the engine with the most
    ts_sample: int | None  #: the latest sample
    fills: int
    problems: tuple[str, ...] = ()
    ts: int
