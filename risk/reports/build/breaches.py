"""Breach analysis: which limits were breached, how badly, how long, and what was done about it."""

from __future__ import annotations

from risk import breach_statistics
from risk.reports.build import common, limit_parts
from risk.reports.document import Block, Chart, Column, Figure, Section, Table, table
from risk.reports.facts import ReportFacts


def sections(facts: ReportFacts) -> tuple[Section, ...]:
    """Return the report's sections."""
    currency = facts.portfolio.currency
    if "breaches" in facts.reasons:
        return (Section("summary", "Summary", (common.missing(facts, "breaches", "Breaches"),)),)
    return (
        Section("summary", "Summary", (common.figures("summary", "Summary", _figures(facts)),)),
        Section("counts", "How often", _counts(facts)),
        Section(
            "breaches", "Each breach", (limit_parts.breach_table(facts.breaches, currency, facts.as_of),)
        ),
        Section("actions", "What was done", (_actions(facts), _people(facts))),
    )


def _figures(facts: ReportFacts) -> list[Figure]:
    found = breach_statistics.statistics(facts.breaches, facts.as_of)
    none = "no breach was"
    return [
        common.figure("Breaches", found.total, "count", ""),
        common.figure("Open", found.open, "count", ""),
        common.figure("Acknowledged by a person", found.acknowledged, "count", ""),
        common.figure("Escalated", found.escalated, "count", ""),
        common.figure("Worst use", found.worst_use, "percent", "there was no breach", decimals=0),
        common.figure("Longest", found.longest, "number", "there was no breach", unit="min", decimals=1),
        common.figure(
            "Median time to acknowledge",
            found.median_to_acknowledge,
            "number",
            f"{none} acknowledged",
            unit="min",
            decimals=1,
        ),
        common.figure(
            "Median time to resolve",
            found.median_to_resolve,
            "number",
            f"{none} resolved",
            unit="min",
            decimals=1,
        ),
        common.figure(
            "Actions", found.actions, "count", "", note=f"{found.actions_failed} failed or not known"
        ),
    ]


def _counts(facts: ReportFacts) -> tuple[Block, ...]:
    by = (
        ("limit_type", "limit", "By limit", lambda one: common.words(one.limit_type)),
        ("severity", "severity", "By severity", lambda one: one.severity),
        ("scope", "scope", "By scope", lambda one: one.scope),
    )
    tables: list[Block] = []
    for key, name, title, of in by:
        rows = breach_statistics.counted(facts.breaches, of, facts.as_of)
        tables.append(
            table(
                f"by_{key}",
                title,
                (
                    Column(name, common.words(name), "status" if key == "severity" else "text"),
                    Column("count", "Breaches", "count"),
                    Column("open", "Open", "count"),
                    Column("worst_use", "Worst use", "percent", decimals=0, reason="the limit is zero"),
                    Column("minutes", "Minutes together", "number", decimals=1),
                ),
                rows,
                empty="No limit was breached.",
            )
        )
    if not facts.breaches:
        return tuple(tables[:1])
    chart = Chart(
        key="breach_chart",
        title="Breaches by limit",
        kind="bars",
        table="by_limit_type",
        x="limit",
        y=("count",),
    )
    return chart, *tables


def _actions(facts: ReportFacts) -> Table:
    rows = [
        (
            action.ts_requested,
            one.limit_id,
            action.action.replace("_", " "),
            action.engine or "",
            action.status,
            action.ts_done,
            action.detail or "",
        )
        for one in sorted(facts.breaches, key=lambda one: -one.ts_detected)
        for action in one.actions
    ]
    return table(
        "actions",
        "Actions",
        (
            Column("requested", "Requested, UTC", "time"),
            Column("limit", "Limit"),
            Column("action", "Action"),
            Column("engine", "Engine"),
            Column("status", "Status", "status"),
            Column("done", "Confirmed, UTC", "time", reason="no confirming event came"),
            Column("detail", "Detail"),
        ),
        rows,
        note="An action is done when its confirming event came.",
        empty="Nothing was done by itself.",
    )


def _people(facts: ReportFacts) -> Table:
    rows = [
        (
            one.ts_detected,
            one.limit_id,
            one.acknowledged_by or "",
            one.ts_acknowledged,
            one.escalated_to or "",
            one.ts_resolved,
            one.note or "",
        )
        for one in sorted(facts.breaches, key=lambda one: -one.ts_detected)
    ]
    return table(
        "people",
        "Who saw to them",
        (
            Column("detected", "Detected, UTC", "time"),
            Column("limit", "Limit"),
            Column("acknowledged_by", "Acknowledged by"),
            Column("acknowledged", "Acknowledged, UTC", "time", reason="not acknowledged"),
            Column("escalated_to", "Told last"),
            Column("resolved", "Resolved, UTC", "time", reason="not resolved"),
            Column("note", "Note"),
        ),
        rows,
        empty="No limit was breached.",
    )
