"""Performance attribution: what was made, by strategy, instrument, sector, engine and factor, and how."""

from __future__ import annotations

from typing import Final

from data.analytics import PERCENTAGES, PerformanceAnswer
from risk.reports.build import common, profit_parts
from risk.reports.document import (
    Block,
    Cell,
    Column,
    NumberKind,
    Paragraph,
    Section,
    number,
    table,
)
from risk.reports.facts import ReportFacts

_COUNTS: Final = frozenset({"n", "max_drawdown_duration"})
_NAMES: Final = {
    "n": "Returns",
    "win_rate": "Returns above zero",
    "expectancy": "Mean return of those that won or lost",
    "max_drawdown_duration": "Longest drawdown, periods",
}


def sections(facts: ReportFacts) -> tuple[Section, ...]:
    """Return the report's sections."""
    from risk.reports.build.summaries import contributions

    found = facts.performance
    if found is None:
        return (Section("summary", "Summary", (common.missing(facts, "performance", "Performance"),)),)
    parts = [
        Section(
            "summary",
            "Summary",
            (
                common.figures("summary", "Summary", profit_parts.profit_figures(found)),
                *common.told(facts, found.notes),
            ),
        ),
        Section("attribution", "Attribution", (*contributions(found), *_factors(found))),
        Section("equity", "Equity", profit_parts.curve_blocks(found)),
        Section("statistics", "Statistics", metrics(found)),
    ]
    parts.append(Section("trades", "Round trips", (trades(found),)))
    return tuple(parts)


def metrics(found: PerformanceAnswer) -> tuple[Block, ...]:
    """Return every metric that is defined, and in words which are not and why."""
    rows: list[tuple[str, Cell]] = []
    undefined: dict[str, list[str]] = {}
    for name, value in found.metrics.items():
        label = _NAMES.get(name, common.words(name))
        if value is None:
            undefined.setdefault(found.reasons.get(name, "not defined"), []).append(label)
            continue
        kind: NumberKind = "percent" if name in PERCENTAGES else "count" if name in _COUNTS else "ratio"
        rows.append((label, number(int(value) if kind == "count" else value, kind, "not defined")))
    return (
        table(
            "metrics",
            "Metrics",
            (Column("metric", "Metric"), Column("value", "Value", "number")),
            rows,
            note="Per year where the name says so.",
            empty="No metric is defined yet.",
        ),
        *(
            Paragraph(common.sentence(f"Not told: {', '.join(names)}; {reason}"))
            for reason, names in undefined.items()
        ),
    )


def trades(found: PerformanceAnswer) -> Block:
    """Return what became of positions that were closed."""
    one, unit = found.trades, found.currency
    if one is None or not one.closed:
        return Paragraph("No position was closed.")
    none = "no position was closed at a gain or a loss"
    items = [
        common.figure("Closed", one.closed, "count", ""),
        common.figure("Won", one.won, "count", ""),
        common.figure("Lost", one.lost, "count", ""),
        common.figure("Share that won", one.win_rate, "percent", none),
        common.figure("Profit factor", one.profit_factor, "ratio", "no position was closed at a loss"),
        common.figure("Mean result", one.expectancy, "money", none, unit=unit),
        common.figure("Mean gain", one.average_win, "money", "none won", unit=unit),
        common.figure("Mean loss", one.average_loss, "money", "none lost", unit=unit),
        common.figure(
            "Mean time held", one.average_hours, "number", "nothing was closed", unit="h", decimals=1
        ),
    ]
    return common.figures("trades", "Round trips", items)


def _factors(found: PerformanceAnswer) -> tuple[Block, ...]:
    if not found.factors:
        return ()
    rows = [(one.factor, one.loading, one.contribution) for one in found.factors]
    return (
        table(
            "by_factor",
            "By factor",
            (
                Column("factor", "Factor"),
                Column("loading", "Loading", "ratio", reason="what is left has no loading"),
                Column("contribution", "Contribution to the return", "percent"),
            ),
            rows,
        ),
    )
