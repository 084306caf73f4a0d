"""Parts of reports about limits: how much is used, and what was breached.

This module must not know which report they go into.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from decimal import Decimal
from typing import Final

from data.limits import Breach, LimitStatus, Unit
from risk.breach_statistics import minutes, worst_use
from risk.reports.build import common
from risk.reports.document import (
    Block,
    Cell,
    Chart,
    Column,
    Figure,
    Mark,
    NumberKind,
    Plain,
    Table,
    Unknown,
    number,
    table,
)

_KINDS: Final[dict[Unit, NumberKind]] = {
    "notional": "money",
    "shares": "quantity",
    "ratio": "percent",
    "orders": "count",
}


def in_unit(value: Plain | None, unit: Unit, currency: str, reason: str) -> Cell:
    """Return a value of a limit in the limit's unit."""
    return number(value, _KINDS[unit], reason, unit=None if unit == "ratio" else unit_of(unit, currency))


def unit_of(unit: Unit, currency: str) -> str:
    """Return what a limit's unit is called beside its numbers."""
    return currency if unit == "notional" else "%" if unit == "ratio" else unit


def by_use(limits: Iterable[LimitStatus]) -> list[LimitStatus]:
    """Return limits, the most used first, those that cannot be judged after them."""
    return sorted(limits, key=lambda one: (one.use is None, -(one.use or Decimal(0)), one.limit.id))


def limit_table(limits: Sequence[LimitStatus], currency: str) -> Table:
    """Return how much of each limit is used."""
    rows = [
        (
            common.words(one.limit.limit_type),
            one.limit.scope,
            unit_of(one.limit.unit, currency),
            in_unit(one.value, one.limit.unit, currency, one.reason or "not known"),
            in_unit(one.limit.effective, one.limit.unit, currency, ""),
            Unknown(one.reason or "not known") if one.use is None else one.use,
            one.level,
            one.subject or "",
        )
        for one in by_use(limits)
    ]
    return table(
        "limits",
        "Limits",
        (
            Column("limit", "Limit"),
            Column("scope", "Scope"),
            Column("unit", "Unit"),
            Column("value", "Value", "number"),
            Column("effective", "Limit", "number"),
            Column("use", "Use", "percent", decimals=1),
            Column("level", "Level", "status"),
            Column("subject", "Largest"),
        ),
        rows,
        empty="No limit is set.",
    )


def limit_chart(limits: Sequence[LimitStatus]) -> tuple[Block, ...]:
    """Return the use of limits as bars, with the data that they are drawn from."""
    rows = [
        (f"{one.limit.limit_type} · {one.limit.scope}", one.use, one.level)
        for one in by_use(limits)
        if one.use is not None
    ]
    if not rows:
        return ()
    data = table(
        "limit_bars",
        "Data of the chart: use of limits",
        (
            Column("limit", "Limit"),
            Column("use", "Use", "percent", decimals=1),
            Column("level", "Level", "status"),
        ),
        rows,
        printed=False,
    )
    chart = Chart(
        key="limit_chart",
        title="Use of limits",
        kind="bars",
        table="limit_bars",
        x="limit",
        y=("use",),
        status="level",
        marks=(Mark("80 %", 0.8), Mark("100 %", 1.0)),
    )
    return chart, data


def level_figures(limits: Sequence[LimitStatus]) -> list[Figure]:
    """Return how many limits stand how."""
    counts = {
        level: sum(one.level == level for one in limits) for level in ("ok", "warn", "breached", "unknown")
    }
    return [
        common.figure("Limits", len(limits), "count", ""),
        common.figure("Breached", counts["breached"], "count", ""),
        common.figure("At their warning level", counts["warn"], "count", ""),
        common.figure("Cannot be judged", counts["unknown"], "count", ""),
    ]


def breach_table(breaches: Sequence[Breach], currency: str, now: int) -> Table:
    """Return breaches, the latest first."""
    rows = [
        (
            one.ts_detected,
            common.words(one.limit_type),
            one.scope,
            one.severity,
            one.status,
            unit_of(one.unit, currency),
            in_unit(one.limit, one.unit, currency, ""),
            in_unit(one.worst, one.unit, currency, ""),
            worst_use(one),
            minutes(one, now),
        )
        for one in sorted(breaches, key=lambda one: (-one.ts_detected, one.id))
    ]
    return table(
        "breaches",
        "Breaches",
        (
            Column("detected", "Detected, UTC", "time"),
            Column("limit_type", "Limit"),
            Column("scope", "Scope"),
            Column("severity", "Severity", "status"),
            Column("status", "Status", "status"),
            Column("unit", "Unit"),
            Column("limit", "Limit", "number"),
            Column("worst", "Worst", "number"),
            Column("worst_use", "Worst use", "percent", decimals=0, reason="the limit is zero"),
            Column("minutes", "Minutes", "number", decimals=1),
        ),
        rows,
        empty="No limit was breached.",
    )
