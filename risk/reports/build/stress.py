"""Stress test: the book under every scenario, by factor and by position, with where the shocks are from."""

from __future__ import annotations

from data.analytics import StressAnswer
from risk.reports.build import common, risk_parts
from risk.reports.document import Block, Column, NumberKind, Section, Table, number, table
from risk.reports.facts import ReportFacts

_UNITS: dict[str, tuple[NumberKind, str | None, int]] = {
    "relative": ("percent", None, 2),
    "basis_points": ("bps", "bp", 0),
    "multiple": ("ratio", "times", 2),
}


def sections(facts: ReportFacts) -> tuple[Section, ...]:
    """Return the report's sections."""
    summary = common.figures("summary", "Summary", common.exposure_figures(facts.portfolio))
    found = facts.stress
    if found is None:
        return (Section("summary", "Summary", (summary, common.missing(facts, "stress", "Stress"))),)
    return (
        Section("summary", "Summary", (summary, *common.told(facts, found.notes))),
        Section("outcomes", "Outcomes", risk_parts.stress_blocks(found)),
        Section("factors", "By factor", (_by_factor(found),)),
        Section("positions", "By position", (_by_position(found), *_left_out(found))),
        Section("exposures", "Exposures", _exposures(facts)),
        Section("shocks", "Shocks and their sources", (_shocks(found),)),
    )


def _shocks(found: StressAnswer) -> Table:
    rows = []
    for outcome in found.outcomes:
        for one in outcome.shocks:
            kind, unit, decimals = _UNITS.get(one.unit, ("number", one.unit, 4))
            size = number(one.size, kind, "", unit=unit, decimals=decimals)
            rows.append(
                (
                    common.words(outcome.scenario),
                    common.words(one.factor),
                    size,
                    words_of(one.unit),
                    one.source,
                )
            )
    return table(
        "shocks",
        "Shocks",
        (
            Column("scenario", "Scenario"),
            Column("factor", "Factor"),
            Column("size", "Size", "number"),
            Column("unit", "Unit"),
            Column("source", "Source"),
        ),
        rows,
    )


def words_of(unit: str) -> str:
    """Return what a shock's unit means."""
    return {"relative": "of the price", "basis_points": "bp", "multiple": "times what it was"}.get(unit, unit)


def _by_factor(found: StressAnswer) -> Table:
    rows = [
        (common.words(outcome.scenario), common.words(factor), pnl)
        for outcome in found.outcomes
        for factor, pnl in sorted(outcome.by_factor.items(), key=lambda one: one[1])
    ]
    return table(
        "by_factor",
        "Profit or loss by factor",
        (
            Column("scenario", "Scenario"),
            Column("factor", "Factor"),
            Column("pnl", "Profit or loss", "money", found.currency),
        ),
        rows,
        empty="No scenario touches anything that is held.",
    )


def _by_position(found: StressAnswer) -> Table:
    rows = [
        (common.words(outcome.scenario), name, pnl)
        for outcome in found.outcomes
        for name, pnl in sorted(outcome.by_position.items(), key=lambda one: one[1])
    ]
    return table(
        "by_position",
        "Profit or loss by position",
        (
            Column("scenario", "Scenario"),
            Column("position", "Position"),
            Column("pnl", "Profit or loss", "money", found.currency),
        ),
        rows,
        empty="No scenario touches anything that is held.",
    )


def _left_out(found: StressAnswer) -> tuple[Block, ...]:
    rows = [
        (common.words(outcome.scenario), name, reason)
        for outcome in found.outcomes
        for name, reason in sorted(outcome.left_out.items())
    ]
    if not rows:
        return ()
    return (
        table(
            "left_out",
            "What a scenario says nothing about",
            (Column("scenario", "Scenario"), Column("position", "Position"), Column("reason", "Reason")),
            rows,
        ),
    )


def _exposures(facts: ReportFacts) -> tuple[Block, ...]:
    found = facts.exposures
    if found is None:
        return (common.missing(facts, "exposures", "Exposures"),)
    rows = [
        (
            one.instrument,
            one.engine,
            one.factor or "",
            number(one.beta, "ratio", "taken as 1: its returns with the market's are too few"),
            number(one.value, "money", one.reason or "no price or no exchange rate", unit=found.currency),
            number(one.sensitivity, "money", one.reason or "no factor is known", unit=found.currency),
            number(one.half_spread, "money", "no quote on both sides", unit=found.currency),
        )
        for one in found.rows
    ]
    return (
        table(
            "exposures",
            "What each position is exposed to",
            (
                Column("instrument", "Instrument"),
                Column("engine", "Engine"),
                Column("factor", "Factor"),
                Column("beta", "Beta", "ratio"),
                Column("value", "Value", "money", found.currency),
                Column("sensitivity", "Sensitivity", "money", found.currency),
                Column("half_spread", "Half spread", "money", found.currency),
            ),
            rows,
            note="Sensitivity: what is gained if the factor rises by all of itself.",
            empty="Nothing is held.",
        ),
        *common.told(facts, found.notes),
    )
