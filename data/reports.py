"""The vocabulary of reports: which there are, in which formats, and what is known of one that was written.

This module must not know what is in a report or how it is made.
"""

from __future__ import annotations

from typing import Final, Literal, get_args

import msgspec

from data.facts import Record

ReportType = Literal[
    "daily_risk",
    "weekly_summary",
    "monthly_summary",
    "regulatory",
    "stress_test",
    "limit_utilization",
    "breach_analysis",
    "var_backtest",
    "correlation",
    "concentration",
    "performance_attribution",
    "execution_quality",
]
ReportFormat = Literal["json", "csv", "xlsx", "html", "pdf"]

TYPES: Final[tuple[ReportType, ...]] = get_args(ReportType)
FORMATS: Final[tuple[ReportFormat, ...]] = get_args(ReportFormat)
CONTENT_TYPES: Final[dict[ReportFormat, str]] = {
    "json": "application/json",
    "csv": "text/csv; charset=utf-8; header=present",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "html": "text/html; charset=utf-8",
    "pdf": "application/pdf",
}
TITLES: Final[dict[ReportType, str]] = {
    "daily_risk": "Daily risk report",
    "weekly_summary": "Weekly summary",
    "monthly_summary": "Monthly summary",
    "regulatory": "Regulatory figures",
    "stress_test": "Stress test",
    "limit_utilization": "Limit utilisation",
    "breach_analysis": "Breach analysis",
    "var_backtest": "Value-at-risk backtest",
    "correlation": "Correlation",
    "concentration": "Concentration",
    "performance_attribution": "Performance attribution",
    "execution_quality": "Execution quality",
}


class WrittenReport(Record, frozen=True, kw_only=True, tag="report"):
    """A report that lies in the home's folder of reports."""

    name: str  #: of the file
    report_type: str
    report_format: str
    portfolio_id: str
    bytes: int
    sha256: str
    synthetic: bool
    scheduled: bool  #: written by the schedule; only these are tidied away
    ts: int  #: as of which it was made


class ReportPlan(msgspec.Struct, frozen=True, kw_only=True):
    """A report that is written by the clock."""

    report_type: ReportType
    report_format: ReportFormat
    when: str  #: five fields as in crontab(5), UTC
