"""The weekly and the monthly summary: what was made, by whom and with what, and what went over its limit."""

from __future__ import annotations

from data.analytics import Contribution, ExecutionAnswer, PerformanceAnswer
from risk.reports.build import common, limit_parts, profit_parts, risk_parts
from risk.reports.build.performance import metrics, trades
from risk.reports.document import Block, Figure, Section, Unknown
from risk.reports.facts import ReportFacts

_DIMENSIONS = (
    ("engine", "By engine"),
    ("strategy", "By strategy"),
    ("instrument", "By instrument"),
    ("sector", "By sector"),
    ("day", "By day"),
)


def sections(facts: ReportFacts) -> tuple[Section, ...]:
    """Return the report's sections."""
    currency = facts.portfolio.currency
    found = facts.performance
    summary: list[Block] = []
    if found is None:
        summary.append(common.missing(facts, "performance", "Performance"))
    else:
        summary += [common.figures("period", "The period", profit_parts.profit_figures(found))]
        summary += common.told(facts, found.notes)
    parts = [Section("summary", "The period", tuple(summary))]
    if found is not None:
        parts += [
            Section("equity", "Equity", profit_parts.curve_blocks(found)),
            Section("profit", "Profit and loss", contributions(found)),
            Section("statistics", "Statistics", metrics(found)),
        ]
        parts.append(Section("trades", "Round trips", (trades(found),)))
    standing = common.exposure_figures(facts.portfolio)
    if facts.risk is not None:
        standing += risk_parts.risk_figures(facts.risk)
    parts += [
        Section(
            "risk",
            "Risk at the end",
            (common.figures("risk", "Risk", standing), common.positions(facts.portfolio)),
        ),
        Section(
            "limits",
            "Limits and breaches",
            (
                common.figures("levels", "Limits", limit_parts.level_figures(facts.limits)),
                *limit_parts.limit_chart(facts.limits),
                limit_parts.breach_table(facts.breaches, currency, facts.as_of),
            ),
        ),
    ]
    execution = (
        common.missing(facts, "execution", "Execution")
        if facts.execution is None
        else common.figures("execution", "Execution", execution_figures(facts.execution))
    )
    parts.append(Section("execution", "Execution of the latest orders", (execution,)))
    return tuple(parts)


def contributions(found: PerformanceAnswer) -> tuple[Block, ...]:
    """Return what contributed, by every dimension that has more to say than one row of the same sum."""
    rows: dict[str, list[Contribution]] = {}
    for one in found.attribution:
        rows.setdefault(one.dimension, []).append(one)
    tables = [
        profit_parts.contribution_table(f"by_{name}", title, rows[name], found.currency)
        for name, title in _DIMENSIONS
        if rows.get(name)
    ]
    if tables:
        return tuple(tables)
    return (profit_parts.contribution_table("by_instrument", "By instrument", (), found.currency),)


def execution_figures(found: ExecutionAnswer) -> list[Figure]:
    """Return the orders' execution in a few numbers."""
    none = "no order tells"
    return [
        common.figure("Orders", found.orders, "count", ""),
        common.figure("Filled", found.filled_orders, "count", ""),
        common.figure("Fill rate, by value", found.fill_rate, "percent", none),
        common.figure("Slippage to arrival", found.slippage_arrival_bps, "bps", none, unit="bp"),
        common.figure("Slippage to limit", found.slippage_limit_bps, "bps", none, unit="bp"),
        common.figure("Slippage to interval VWAP", found.slippage_vwap_bps, "bps", none, unit="bp"),
        common.figure("Implementation shortfall", found.shortfall_bps, "bps", none, unit="bp"),
        common.figure(
            "Median time to acknowledge", found.median_ack_ms, "number", none, unit="ms", decimals=1
        ),
        common.figure(
            "Median time to first fill", found.median_first_fill_ms, "number", none, unit="ms", decimals=1
        ),
        common.figure("Participation", found.participation, "percent", "no traded volume is recorded"),
        Figure("Grade", found.grade or Unknown(none)),
        *(
            common.figure("Commission", value, "money", none, unit=name)
            for name, value in sorted(found.commission.items())
        ),
    ]
