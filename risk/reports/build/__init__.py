"""Builders: facts in, a document out, one for each type of report; pure functions.

`build` is the way in. A builder that lacks facts still makes a true report, which says what is missing.
"""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from typing import Final

from data.reports import TITLES, ReportType
from risk.reports.document import Report, Section
from risk.reports.facts import ReportFacts

#: The module of each type; it is loaded by the first report of its kind.
_MODULES: Final[dict[ReportType, str]] = {
    "daily_risk": "daily",
    "weekly_summary": "summaries",
    "monthly_summary": "summaries",
    "regulatory": "regulatory",
    "stress_test": "stress",
    "limit_utilization": "limits",
    "breach_analysis": "breaches",
    "var_backtest": "backtest",
    "correlation": "correlation",
    "concentration": "concentration",
    "performance_attribution": "performance",
    "execution_quality": "execution",
}
type Builder = Callable[[ReportFacts], tuple[Section, ...]]


def build(kind: ReportType, facts: ReportFacts) -> Report:
    """Return the report of a type made from facts."""
    sections: Builder = import_module(f"risk.reports.build.{_MODULES[kind]}").sections
    notes = [*facts.portfolio.problems]
    if facts.synthetic:
        notes.insert(0, "SYNTHETIC: prices are generated; nothing in this report is about the world.")
    return Report(
        type=kind,
        title=TITLES[kind],
        as_of=facts.as_of,
        start=facts.start,
        portfolio=facts.portfolio_id,
        currency=facts.portfolio.currency,
        environment=facts.environment,
        synthetic=facts.synthetic,
        sections=sections(facts),
        notes=tuple(notes),
        sources=facts.sources,
    )
