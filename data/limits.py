"""The vocabulary of risk: limits and how much of them is used, denials, breaches, alerts, forecasts.

A limit is kept as it was set; auto-adjustment lowers ``effective``, never ``hard``, so that lifting it
gives the limit back. This module must not know who checks a limit, when, or against what.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Final, Literal, get_args

import msgspec

from data.facts import Record

LimitType = Literal[
    "order_notional",
    "order_rate",
    "position_size",
    "gross_exposure",
    "net_exposure",
    "long_exposure",
    "short_exposure",
    "leverage",
    "concentration",
    "sector_exposure",
    "daily_loss",
    "drawdown",
    "var",
    "correlation",
    "volatility",
    "turnover",
]
#: shares: the instrument's own units; notional: money in the account's currency; ratio: a fraction, of
#: equity where the type has no other base (0.2 is 20 %); orders: order commands within ``window_s``.
Unit = Literal["shares", "notional", "ratio", "orders"]
#: How value at risk is measured.
VarMethod = Literal["historical", "normal", "student", "cornish_fisher", "filtered", "monte_carlo", "evt"]
#: What is done at a level, in this order. deny_increase: only what reduces passes; halt: nothing passes.
ActionName = Literal["notify", "warn", "deny_increase", "halt", "cancel_orders", "flatten"]
Restriction = Literal["none", "reduce_only", "halted"]
LimitLevel = Literal["ok", "warn", "breached", "unknown", "off"]
Severity = Literal["minor", "major", "critical", "emergency"]
BreachStatus = Literal["detected", "acknowledged", "mitigating", "escalated", "resolved"]
AlertSeverity = Literal["info", "warning", "minor", "major", "critical", "emergency"]

ACTIONS: Final[tuple[ActionName, ...]] = (
    "notify",
    "warn",
    "deny_increase",
    "halt",
    "cancel_orders",
    "flatten",
)
#: The units that each type can be stated in; the first is the one it has when none is given.
UNITS: Final[dict[LimitType, tuple[Unit, ...]]] = {
    "order_notional": ("notional",),
    "order_rate": ("orders",),
    "position_size": ("notional", "shares"),
    "gross_exposure": ("notional", "ratio"),
    "net_exposure": ("notional", "ratio"),
    "long_exposure": ("notional", "ratio"),
    "short_exposure": ("notional", "ratio"),
    "leverage": ("ratio",),
    "concentration": ("ratio",),
    "sector_exposure": ("notional", "ratio"),
    "daily_loss": ("notional", "ratio"),
    "drawdown": ("ratio", "notional"),
    "var": ("notional", "ratio"),
    "correlation": ("ratio",),
    "volatility": ("ratio",),
    "turnover": ("ratio", "notional"),
}
#: What people may call a unit.
UNIT_NAMES: Final[dict[str, Unit]] = {
    "shares": "shares",
    "units": "shares",
    "contracts": "shares",
    "notional": "notional",
    "money": "notional",
    "usd": "notional",
    "ratio": "ratio",
    "x": "ratio",
    "fraction": "ratio",
    "equity": "ratio",
    "orders": "orders",
}
#: Types whose ratio people say in per cent; a ratio of the others is a multiple.
IN_PERCENT: Final[frozenset[str]] = frozenset(
    {"concentration", "sector_exposure", "daily_loss", "drawdown", "var", "volatility"}
)
VAR_METHODS: Final[tuple[VarMethod, ...]] = get_args(VarMethod)
#: Types that no single order can break: the monitor judges them, from returns.
_NOT_GATED: Final[frozenset[LimitType]] = frozenset({"var", "correlation", "volatility"})
#: Types that an order can break: the gate in the engine judges them before the order leaves.
GATED: Final[frozenset[LimitType]] = frozenset(get_args(LimitType)) - _NOT_GATED
PORTFOLIO: Final = "portfolio"


def unit_called(text: str) -> Unit | None:
    """Return the unit that a word means, None if it means none; a currency's code means money."""
    is_currency = len(text) == 3 and text.isascii() and text.isalpha() and text.isupper()
    return UNIT_NAMES.get(text.lower()) or ("notional" if is_currency else None)


class AutoAdjust(msgspec.Struct, frozen=True, kw_only=True):
    """Tighten with volatility: effective = hard × clamp(target_vol ÷ realised_vol, floor, 1)."""

    target_vol: Decimal  #: annualised, a fraction
    floor: Decimal = Decimal("0.25")  #: the least share of ``hard`` that is left


class Limit(Record, frozen=True, kw_only=True, tag="limit"):
    """A limit as it was set. ``id`` is ``<type>:<scope>:<unit>``: there is one of each.

    ``scope`` is ``portfolio``, ``engine:paper-1``, ``strategy:NAME``, ``instrument:AAPL.SIM`` or
    ``sector:Energy``. Of position_size and concentration over a wider scope, the largest counts.
    """

    id: str
    limit_type: LimitType
    scope: str
    hard: Decimal
    unit: Unit
    warn: Decimal = Decimal("0.8")  #: share of the limit from which it warns
    window_s: int | None = None  #: order_rate only: orders within so many seconds
    confidence: Decimal = Decimal("0.99")  #: var only
    horizon_days: int = 1  #: var only
    method: str = "historical"  #: var only
    warn_actions: tuple[ActionName, ...] = ("notify", "warn")
    hard_actions: tuple[ActionName, ...] = ("notify", "deny_increase")
    auto_adjust: AutoAdjust | None = None
    enabled: bool = True
    effective: Decimal  #: what counts now: ``hard``, or less while volatility is high
    adjusted: str | None = None  #: why ``effective`` is not ``hard``
    version: int = 1
    origin: str = "user"  #: ``user``, or ``engine``: what an engine was first started with
    ts_created: int
    ts_updated: int
    updated_by: str


class LimitChange(Record, frozen=True, kw_only=True, tag="limit_change"):
    """A change that loosens a limit where a second person has to agree: waits, is approved or rejected."""

    id: str
    limit_id: str
    before: Limit | None
    after: Limit | None  #: None: the limit would be deleted
    reason: str  #: why it waits
    status: Literal["pending", "approved", "rejected"]
    asked_by: str
    ts_asked: int
    decided_by: str | None = None
    ts_decided: int | None = None


class LimitStatus(Record, frozen=True, kw_only=True, tag="risk_limit"):
    """How much of a limit is used, as last looked at."""

    limit: Limit
    value: Decimal | None  #: None: cannot be told, ``reason`` says why
    use: Decimal | None  #: value ÷ effective
    headroom: Decimal | None  #: effective − value, in the limit's unit; negative when breached
    level: LimitLevel
    subject: str | None = None  #: what makes the value, e.g. the largest position's instrument
    reason: str | None = None
    breach_id: str | None = None  #: the open breach, if there is one
    forecast: Decimal | None = None  #: probability of a breach within 240 minutes, if one can be told
    synthetic: bool
    ts: int


class Denial(msgspec.Struct, frozen=True, kw_only=True):
    """Why an order may not leave, what it would lead to, and what would pass. None: does not apply."""

    rule: str  #: a limit's type; or ``gate``, ``price``, ``equity``, ``rate``, ``limits``, ``kill_switch`` …
    detail: str
    limit_id: str | None = None
    scope: str | None = None
    unit: Unit | None = None
    value: Decimal | None = None  #: what the order would lead to
    limit: Decimal | None = None
    max_quantity: Decimal | None = None  #: the largest quantity that would pass, in whole lots

    def sentence(self) -> str:
        """Return the reason in one line, the rule first."""
        tail = "" if self.max_quantity is None else f"; largest quantity that passes: {self.max_quantity:f}"
        return f"{self.rule}: {self.detail}{tail}"


class GateBook(msgspec.Struct, frozen=True, kw_only=True):
    """All that the gate of one engine goes by. The daemon sends it, the engine keeps it on its own disk."""

    engine: str
    version: int
    limits: tuple[Limit, ...]
    restriction: Restriction = "none"
    restriction_reason: str | None = None
    peak_equity: Decimal | None = None  #: highest equity before the engine's own time, if known
    ts: int


class LimitEffect(Record, frozen=True, kw_only=True, tag="limit_effect"):
    """What an order would do to one limit, at its worst; a preview, nothing is sent."""

    rule: str
    scope: str  #: as in `Limit`
    used: Decimal | None  #: now; None: cannot be judged
    after: Decimal | None  #: with the order, everything working on its side counted as filled
    limit: Decimal | None  #: None: switched off
    unit: str  #: a currency, ``shares``, ``ratio`` or ``orders``
    passes: bool
    limit_id: str | None = None
    warn: Decimal = Decimal("0.8")
    max_quantity: Decimal | None = None  #: the largest quantity that this limit would let pass
    reason: str | None = None  #: why it cannot be judged, or does not pass


# ---------------------------------------------------------------- what was found


class BreachAction(msgspec.Struct, frozen=True, kw_only=True):
    """Something done about a breach. ``done`` is said when its confirming event came, never before."""

    action: ActionName
    engine: str | None = None
    status: Literal["requested", "done", "failed", "unknown"]
    detail: str | None = None  #: the confirming event, or what went wrong
    ts_requested: int
    ts_done: int | None = None


class Breach(Record, frozen=True, kw_only=True, tag="breach_alert"):
    """One stretch of time over a limit: one record however often it is checked."""

    id: str
    limit_id: str
    limit_type: LimitType
    scope: str
    unit: Unit
    status: BreachStatus
    severity: (
        Severity  #: by the worst: minor 100–125 %, major 125–150 %, critical 150–200 %, emergency from 200 %
    )
    value: Decimal
    worst: Decimal
    limit: Decimal
    use: Decimal
    subject: str | None = None
    checks: int = 1  #: how often it was found
    actions: tuple[BreachAction, ...] = ()
    escalated_to: str | None = None  #: the step of the chain that was told last
    acknowledged_by: str | None = None
    note: str | None = None
    synthetic: bool
    ts_detected: int
    ts_acknowledged: int | None = None
    ts_escalated: int | None = None
    ts_resolved: int | None = None
    ts: int


class Alert(Record, frozen=True, kw_only=True, tag="alert"):
    """Something a person should know. Open until it is acknowledged, or what it was about is over."""

    id: str
    kind: str  #: ``limit.warn``, ``limit.breach``, ``limit.adjusted``, ``kill``, ``monitor`` …
    severity: AlertSeverity
    title: str
    detail: str
    subject: str | None = None  #: the limit, breach or engine it is about
    status: Literal["open", "acknowledged", "resolved"]
    told: tuple[str, ...] = ()  #: who was notified, and how it went
    acknowledged_by: str | None = None
    ts_raised: int
    ts_acknowledged: int | None = None
    ts_resolved: int | None = None
    ts: int
    synthetic: bool


class Driver(msgspec.Struct, frozen=True, kw_only=True):
    """What a forecast rests on most."""

    name: str
    value: float
    effect: float  #: how much it moves the probability of 240 minutes


class BreachForecast(Record, frozen=True, kw_only=True, tag="risk_forecast"):
    """How likely a limit is breached within 5, 30 and 240 minutes. None: too little is known."""

    limit_id: str
    model: str  #: the true name of what computed it
    p5: float | None
    p30: float | None
    p240: float | None
    minutes_to_breach: float | None = None  #: median of those that breach; None: beyond what can be told
    drivers: tuple[Driver, ...] = ()
    samples: int
    reason: str | None = None
    synthetic: bool
    ts: int


class ForecastScore(msgspec.Struct, frozen=True, kw_only=True):
    """How well forecasts over one horizon did, against the share of breaches known only afterwards."""

    model: str
    minutes: int  #: the horizon
    place: Literal["here", "records"]  #: on this daemon's own limits; or on held-out days of recorded prices
    sample: str  #: what was scored, in words
    forecasts: int
    breached: int  #: of these, how many were followed by a breach in time
    brier: float | None  #: mean (probability − outcome)², 0 at best; None: ``reason`` says why
    base_brier: float | None  #: of saying the base rate every time
    reason: str | None = None


class MonitorHealth(msgspec.Struct, frozen=True, kw_only=True):
    """Whether limits are being checked. None: not yet, or not known."""

    state: Literal["starting", "running", "failing", "stopped"]
    reason: str | None = None  #: why it fails, or who stopped it
    every_s: float  #: how often all limits are checked; a fill is checked at once
    cycles: int  #: since the daemon began
    failures: int
    ts_cycle: int | None = None  #: when the last check that succeeded began
    cycle_ms: float | None = None  #: how long it took
    worst_ms: float | None = None  #: the longest since the daemon began
    limits: int  #: that are checked
    warning: int
    breached: int
    unknown: int  #: whose value cannot be told
    unknown_reasons: tuple[str, ...] = ()
    open_breaches: int
    open_alerts: int
    holds: tuple[str, ...] = ()  #: restrictions that the monitor set, in words
    notified: dict[str, bool] = {}  #: whether there is an address for each role of the chain
    problems: tuple[str, ...] = ()
    ts: int
