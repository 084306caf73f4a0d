"""The daily risk report: where the book stands, what it risks, which limits are used, what was breached."""

from __future__ import annotations

from risk.reports.build import common, limit_parts, profit_parts, risk_parts
from risk.reports.document import Section
from risk.reports.facts import ReportFacts


def sections(facts: ReportFacts) -> tuple[Section, ...]:
    """Return the report's sections."""
    currency = facts.portfolio.currency
    figures = common.exposure_figures(facts.portfolio)
    if facts.risk is not None:
        figures += risk_parts.risk_figures(facts.risk)
    figures += limit_parts.level_figures(facts.limits)
    parts = [
        Section(
            "summary",
            "Summary",
            (
                common.figures("summary", "Summary", figures),
                *([] if facts.risk is not None else [common.missing(facts, "risk", "Value at risk")]),
            ),
        ),
        Section(
            "limits",
            "Limits",
            (*limit_parts.limit_chart(facts.limits), limit_parts.limit_table(facts.limits, currency)),
        ),
    ]
    if facts.risk is not None:
        words = common.told(facts, facts.risk.notes)
        parts.append(
            Section(
                "risk",
                "Value at risk",
                (*words, risk_parts.var_table(facts.risk), risk_parts.component_table(facts.risk)),
            )
        )
    stress = (
        (common.missing(facts, "stress", "Stress"),)
        if facts.stress is None
        else risk_parts.stress_blocks(facts.stress)
    )
    equity = (
        (common.missing(facts, "performance", "Equity over the day"),)
        if facts.performance is None
        else profit_parts.curve_blocks(facts.performance)
    )
    parts += [
        Section("positions", "Positions", (common.positions(facts.portfolio),)),
        Section("stress", "Stress", stress),
        Section("equity", "Equity", equity),
        Section("breaches", "Breaches", (limit_parts.breach_table(facts.breaches, currency, facts.as_of),)),
    ]
    return tuple(parts)
