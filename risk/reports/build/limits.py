"""Limit utilisation: how much of every limit is used, was used over time, and what waits to be changed."""

from __future__ import annotations

from data.use_summary import UseHistory
from risk.reports.build import common, limit_parts
from risk.reports.document import Block, Chart, Column, Mark, Raw, Section, Table, table
from risk.reports.facts import ReportFacts


def sections(facts: ReportFacts) -> tuple[Section, ...]:
    """Return the report's sections."""
    currency = facts.portfolio.currency
    figures = [*limit_parts.level_figures(facts.limits), *common.exposure_figures(facts.portfolio)]
    return (
        Section("summary", "Summary", (common.figures("summary", "Summary", figures),)),
        Section(
            "use",
            "Use now",
            (*limit_parts.limit_chart(facts.limits), limit_parts.limit_table(facts.limits, currency)),
        ),
        Section("history", "Use over time", _history(facts)),
        Section("settings", "How limits are set", (_settings(facts),)),
        Section("changes", "Changes that wait for a second person", (_changes(facts),)),
    )


def _history(facts: ReportFacts) -> tuple[Block, ...]:
    if "use" in facts.reasons:
        return (common.missing(facts, "use", "Use over time"),)
    rows = [
        (one.limit_id, one.minutes, one.latest, one.mean, one.p95, one.highest, one.warned, one.over)
        for one in facts.use.limits
    ]
    statistics = table(
        "use_over_time",
        "Use over time",
        (
            Column("limit", "Limit"),
            Column("minutes", "Minutes", "count"),
            Column("latest", "Latest", "percent", decimals=1),
            Column("mean", "Mean", "percent", decimals=1),
            Column("p95", "95 % below", "percent", decimals=1),
            Column("highest", "Highest", "percent", decimals=1),
            Column("warned", "Minutes from 80 %", "percent", decimals=1),
            Column("over", "Minutes from 100 %", "percent", decimals=1),
        ),
        rows,
        note="By the minutes in which the monitor looked; minutes without a look are not counted.",
        empty="No use of a limit has been kept yet: the monitor keeps it minute by minute.",
    )
    return *_lines(facts.use), statistics


def _lines(found: UseHistory) -> tuple[Block, ...]:
    """Return the use of the most used limits as lines."""
    drawn = list(dict.fromkeys(one.limit_id for one in found.limits if _drawn(found, one.limit_id)))
    by_time: dict[int, dict[str, float]] = {}
    for one in found.points:
        by_time.setdefault(one.ts, {})[one.limit_id] = one.highest
    if len(by_time) < 2:
        return ()
    rows: list[list[Raw]] = [[ts, *(row.get(name) for name in drawn)] for ts, row in sorted(by_time.items())]
    columns = [
        Column("time", "Time, UTC", "time"),
        *(
            Column(f"use_{place}", name, "percent", decimals=1, reason="the monitor did not look")
            for place, name in enumerate(drawn, 1)
        ),
    ]
    data = table("use_lines", "Data of the chart: use over time", columns, rows, printed=False)
    chart = Chart(
        key="use_chart",
        title="Highest use of the most used limits",
        kind="lines",
        table="use_lines",
        x="time",
        y=tuple(column.key for column in columns[1:]),
        marks=(Mark("100 %", 1.0),),
        caption=f"The highest within each {found.width:,} minutes." if found.width > 1 else "",
    )
    return chart, data


def _drawn(found: UseHistory, limit_id: str) -> bool:
    return any(one.limit_id == limit_id for one in found.points)


def _settings(facts: ReportFacts) -> Table:
    currency = facts.portfolio.currency
    rows = []
    for status in sorted(facts.limits, key=lambda one: one.limit.id):
        one = status.limit
        actions = ", ".join(name.replace("_", " ") for name in one.hard_actions)
        rows.append(
            (
                one.id,
                limit_parts.in_unit(one.hard, one.unit, currency, ""),
                limit_parts.in_unit(one.effective, one.unit, currency, ""),
                one.warn,
                "on" if one.enabled else "off",
                actions,
                one.adjusted or "",
                one.version,
            )
        )
    return table(
        "settings",
        "Settings",
        (
            Column("limit", "Limit"),
            Column("hard", "As set", "number"),
            Column("effective", "In force", "number"),
            Column("warn", "Warns from", "percent", decimals=0),
            Column("enabled", "Is"),
            Column("actions", "At 100 %"),
            Column("adjusted", "Adjusted because"),
            Column("version", "Version", "count"),
        ),
        rows,
        empty="No limit is set.",
    )


def _changes(facts: ReportFacts) -> Table:
    rows = [
        (one.ts_asked, one.limit_id, one.status, one.asked_by, one.reason)
        for one in sorted(facts.changes, key=lambda one: -one.ts_asked)
    ]
    return table(
        "changes",
        "Changes",
        (
            Column("asked", "Asked, UTC", "time"),
            Column("limit", "Limit"),
            Column("status", "Status", "status"),
            Column("by", "By"),
            Column("reason", "Why it waits"),
        ),
        rows,
        empty="No change waits.",
    )
