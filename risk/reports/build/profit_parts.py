"""Parts of reports about what was made: equity over time, profit, and who contributed.

This module must not know which report they go into.
"""

from __future__ import annotations

from collections.abc import Iterable

from data.analytics import Contribution, PerformanceAnswer
from risk.reports.build import common
from risk.reports.document import (
    Block,
    Chart,
    Column,
    Figure,
    Paragraph,
    Table,
    table,
)


def curve_blocks(performance: PerformanceAnswer) -> tuple[Block, ...]:
    """Return equity and drawdown over time, with the data that they are drawn from."""
    if len(performance.curve) < 2:
        return (Paragraph("Equity over time cannot be drawn: fewer than two samples of it are kept."),)
    data = table(
        "equity",
        "Data of the charts: equity",
        (
            Column("time", "Time, UTC", "time"),
            Column("equity", "Equity", "money", performance.currency),
            Column("index", "Index", "ratio", decimals=6),
            Column("drawdown", "Drawdown", "percent"),
        ),
        [(one.ts, one.equity, one.index, one.drawdown) for one in performance.curve],
        printed=False,
    )
    return (
        Chart(
            key="equity_chart",
            title=f"Equity, {performance.currency}",
            kind="lines",
            table="equity",
            x="time",
            y=("equity",),
        ),
        Chart(
            key="drawdown_chart",
            title="Drawdown from the highest before",
            kind="lines",
            table="equity",
            x="time",
            y=("drawdown",),
            caption="Time-weighted: what was brought in or taken out is neither a gain nor a loss.",
        ),
        data,
    )


def profit_figures(performance: PerformanceAnswer) -> list[Figure]:
    """Return equity at both ends and what was made in between."""
    unit = performance.currency
    lacking = "no equity is kept of the time"
    first, last = performance.equity_first, performance.equity
    metrics, reasons = performance.metrics, performance.reasons
    return [
        common.figure("Equity at the beginning", first, "money", lacking, unit=unit),
        common.figure("Equity now", last, "money", "it is not known", unit=unit),
        common.figure("Brought in, less taken out", performance.flows, "money", lacking, unit=unit),
        common.figure(
            "Realised, after commission", performance.realized, "money", "it is not known", unit=unit
        ),
        common.figure(
            "Unrealised",
            performance.unrealized,
            "money",
            reasons.get("unrealized", "it is not known"),
            unit=unit,
        ),
        common.figure("Commission", performance.commission, "money", "it is not known", unit=unit),
        common.figure(
            "Return, time-weighted",
            metrics.get("total_return"),
            "percent",
            reasons.get("total_return", lacking),
        ),
        common.figure(
            "Largest drawdown", metrics.get("max_drawdown"), "percent", reasons.get("max_drawdown", lacking)
        ),
        common.figure(
            "Returns",
            performance.returns,
            "count",
            "",
            note={"1d": "daily", "5m": "of five minutes"}.get(performance.basis or "", "none"),
        ),
    ]


def contribution_table(key: str, title: str, rows: Iterable[Contribution], currency: str | None) -> Table:
    """Return what each strategy, instrument, sector, engine or day contributed, the most first."""
    found = sorted(rows, key=lambda one: (-(one.total or one.realized), one.key))
    if found and found[0].dimension == "day":
        found.sort(key=lambda one: one.key)
    lacking = "a price or an exchange rate is not known"
    return table(
        key,
        title,
        (
            Column("name", common.words(found[0].dimension) if found else "Name"),
            Column("realized", "Realised", "money", currency),
            Column("unrealized", "Unrealised", "money", currency, reason=lacking),
            Column("commission", "Commission", "money", currency),
            Column("total", "Total", "money", currency, reason=lacking),
            Column("of_equity", "Of equity", "percent", reason="equity at the beginning is not known"),
            Column("fills", "Fills", "count"),
        ),
        [
            (one.key, one.realized, one.unrealized, one.commission, one.total, one.of_equity, one.fills)
            for one in found
        ],
        empty="There were no fills.",
    )
