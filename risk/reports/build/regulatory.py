"""Regulatory figures: market-risk capital, leverage, and the backtest that the multiplier rests on.

Computed from the book by the formulas named beside each; what does not apply says why.
"""

from __future__ import annotations

from data.analytics import CapitalFigure
from risk.reports.build import common, risk_parts
from risk.reports.document import Cell, Column, Paragraph, Section, Table, Unknown, number, table
from risk.reports.facts import ReportFacts

_ABOUT = (
    "These figures are computed from this book alone, by the published formulas. They are not a filing, and "
    "no supervisor has approved a model."
)


def sections(facts: ReportFacts) -> tuple[Section, ...]:
    """Return the report's sections."""
    from risk.reports.build.backtest import record_blocks

    figures = common.exposure_figures(facts.portfolio)
    if facts.risk is None:
        capital = (Paragraph(_ABOUT), common.missing(facts, "risk", "Capital"))
        return (
            Section("summary", "The book", (common.figures("summary", "The book", figures),)),
            Section("capital", "Capital", capital),
            Section("backtest", "Backtest of record", record_blocks(facts)),
        )
    risk = facts.risk
    return (
        Section(
            "summary",
            "The book",
            (common.figures("summary", "The book", [*figures, *risk_parts.risk_figures(risk)]),),
        ),
        Section(
            "capital",
            "Capital and leverage",
            (Paragraph(_ABOUT), _capital(risk.capital, risk.currency), _parts(risk.capital)),
        ),
        Section("backtest", "Backtest of record", record_blocks(facts)),
        Section("risk", "Value at risk", (*common.told(facts, risk.notes), risk_parts.var_table(risk))),
    )


def _capital(found: tuple[CapitalFigure, ...], currency: str) -> Table:
    rows = []
    for one in found:
        value: Cell
        if one.value is None:
            value = Unknown(one.not_applicable or "not applicable")
        elif one.unit == "money":
            value = number(one.value, "money", "", unit=currency)
        else:
            value = number(one.value, "percent", "")
        rows.append((common.words(one.name), value, currency if one.unit == "money" else "%", one.rule))
    return table(
        "capital",
        "Capital and leverage",
        (
            Column("figure", "Figure"),
            Column("value", "Value", "number"),
            Column("unit", "Unit"),
            Column("rule", "Formula and source"),
        ),
        rows,
        empty="No figure was computed.",
    )


def _parts(found: tuple[CapitalFigure, ...]) -> Table:
    rows = [
        (common.words(one.name), common.words(part), value)
        for one in found
        for part, value in sorted(one.parts.items())
    ]
    return table(
        "capital_parts",
        "What the figures are made of",
        (Column("figure", "Figure"), Column("part", "Part"), Column("value", "Value", "quantity")),
        rows,
        empty="No figure has parts: none was computed.",
    )
