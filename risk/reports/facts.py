"""What reports are made from, gathered beforehand: builders look nowhere else.

A fact that is None could not be gathered; ``reasons`` says why. This module must not know where facts
come from.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Literal

import msgspec

from data.analytics import ExecutionAnswer, ExposureAnswer, PerformanceAnswer, RiskMeasures, StressAnswer
from data.equity_store import VarDay
from data.limits import Breach, LimitChange, LimitStatus
from data.reports import ReportType
from data.series import EquitySeries
from data.use_summary import UseHistory
from risk.portfolio import Portfolio

if TYPE_CHECKING:
    from risk.frames import ReturnsFrame

Need = Literal[
    "limits",
    "breaches",
    "changes",
    "use",
    "risk",
    "exposures",
    "stress",
    "performance",
    "execution",
    "frame",
    "days",
    "var_days",
]
#: What each type of report is made from, besides the portfolio.
NEEDS: Final[dict[ReportType, frozenset[Need]]] = {
    "daily_risk": frozenset({"limits", "breaches", "risk", "stress", "performance"}),
    "weekly_summary": frozenset({"limits", "breaches", "risk", "performance", "execution"}),
    "monthly_summary": frozenset({"limits", "breaches", "risk", "performance", "execution"}),
    "regulatory": frozenset({"risk", "days", "var_days"}),
    "stress_test": frozenset({"stress", "exposures"}),
    "limit_utilization": frozenset({"limits", "use", "changes"}),
    "breach_analysis": frozenset({"breaches"}),
    "var_backtest": frozenset({"frame", "days", "var_days"}),
    "correlation": frozenset({"frame"}),
    "concentration": frozenset({"exposures"}),
    "performance_attribution": frozenset({"performance"}),
    "execution_quality": frozenset({"execution"}),
}
#: How many days back from its time a report looks; None: from the beginning of what is kept.
DAYS_BACK: Final[dict[ReportType, int | None]] = {
    "daily_risk": 1,
    "weekly_summary": 7,
    "monthly_summary": 30,
    "regulatory": None,
    "stress_test": None,
    "limit_utilization": 7,
    "breach_analysis": 30,
    "var_backtest": None,
    "correlation": None,
    "concentration": None,
    "performance_attribution": None,
    "execution_quality": None,
}


class ReportFacts(msgspec.Struct, frozen=True, kw_only=True):
    """The facts of one book. Times are UTC ns."""

    portfolio_id: str
    as_of: int
    start: int | None = None  #: of the period; None: from the beginning
    environment: str
    portfolio: Portfolio
    limits: tuple[LimitStatus, ...] = ()
    breaches: tuple[Breach, ...] = ()  #: that were open at any time of the period
    changes: tuple[LimitChange, ...] = ()
    use: UseHistory = UseHistory()
    risk: RiskMeasures | None = None
    exposures: ExposureAnswer | None = None
    stress: StressAnswer | None = None
    performance: PerformanceAnswer | None = None  #: of the period
    execution: ExecutionAnswer | None = None
    frame: ReturnsFrame | None = None
    days: EquitySeries = EquitySeries()
    var_days: tuple[VarDay, ...] = ()
    sources: tuple[str, ...] = ()
    reasons: dict[str, str] = {}  #: why a fact could not be gathered, by its name

    def reason(self, name: Need) -> str:
        """Return why a fact is not there."""
        return self.reasons.get(name, "it was not gathered")

    @property
    def synthetic(self) -> bool:
        """Tell whether any fact is of generated prices."""
        answers = (self.risk, self.exposures, self.stress, self.performance, self.execution)
        return (
            self.portfolio.synthetic
            or any(one.synthetic for one in answers if one is not None)
            or (self.frame is not None and self.frame.synthetic)
            or any(one.synthetic for one in self.limits)
            or any(one.synthetic for one in self.breaches)
            or any(one.synthetic for one in self.var_days)
            or self.days.synthetic
        )
