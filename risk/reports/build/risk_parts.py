"""Parts of reports about what a book risks: value at risk, its components, stress.

This module must not know which report they go into.
"""

from __future__ import annotations

from data.analytics import RiskMeasures, StressAnswer
from risk.reports.build import common
from risk.reports.document import (
    Block,
    Chart,
    Column,
    Figure,
    Table,
    Unknown,
    table,
)


def risk_figures(risk: RiskMeasures) -> list[Figure]:
    """Return VaR, ES, volatility and correlation in a few numbers."""
    found = []
    for confidence in (0.95, 0.99):
        row = next(
            (
                one
                for one in risk.measures
                if one.method == "historical" and one.confidence == confidence and one.horizon == 1
            ),
            None,
        )
        why = "it was not measured" if row is None else row.reason or "equity is not known"
        label = f"{confidence * 100:g} %, one day, historical"
        var, es = (None, None) if row is None else (row.var_money, row.es_money)
        found.append(common.figure(f"VaR {label}", var, "money", why, unit=risk.currency))
        found.append(common.figure(f"ES {label}", es, "money", why, unit=risk.currency))
    reasons = risk.reasons
    few = "there are too few returns"
    found += [
        common.figure("Volatility, a year", risk.volatility, "percent", reasons.get("volatility", few)),
        common.figure("Average correlation", risk.correlation, "ratio", reasons.get("correlation", few)),
    ]
    return found


def var_table(risk: RiskMeasures) -> Table:
    """Return VaR and ES by method, confidence and horizon."""
    rows = []
    for one in risk.measures:
        why = Unknown(one.reason or "equity is not known")
        rows.append(
            (
                common.words(one.method),
                one.confidence,
                one.horizon,
                *(
                    why if value is None else value
                    for value in (one.var, one.es, one.var_money, one.es_money)
                ),
                one.n,
            )
        )
    return table(
        "value_at_risk",
        "Value at risk and expected shortfall",
        (
            Column("method", "Method"),
            Column("confidence", "Confidence", "percent", decimals=1),
            Column("horizon", "Days", "count"),
            Column("var", "VaR of equity", "percent"),
            Column("es", "ES of equity", "percent"),
            Column("var_money", "VaR", "money", risk.currency),
            Column("es_money", "ES", "money", risk.currency),
            Column("returns", "Returns", "count"),
        ),
        rows,
        note="Losses are positive. The book as it stands, on past returns, as if it had been held all along.",
        empty="Nothing was measured.",
    )


def component_table(risk: RiskMeasures) -> Table:
    """Return what each position adds to the book's VaR."""
    rows = [
        (
            one.instrument,
            one.engine,
            one.value,
            one.weight,
            one.marginal_var,
            one.component_var,
            one.component_es,
            one.share,
        )
        for one in sorted(risk.components, key=lambda one: -abs(one.component_var))
    ]
    method = f" by the {common.words(risk.component_method).lower()} method" if risk.component_method else ""
    return table(
        "components",
        "Components of value at risk",
        (
            Column("instrument", "Instrument"),
            Column("engine", "Engine"),
            Column("value", "Value", "money", risk.currency),
            Column("weight", "Of equity", "percent"),
            Column("marginal_var", "Marginal VaR", "number", decimals=5),
            Column("component_var", "Component VaR", "money", risk.currency),
            Column("component_es", "Component ES", "money", risk.currency),
            Column("share", "Share", "percent", reason="the book has no VaR to share"),
        ),
        rows,
        note=f"Components add up to the book's VaR{method}; a negative one hedges.",
        empty=common.sentence(risk.reasons.get("components", "no component can be told")),
    )


def stress_blocks(stress: StressAnswer) -> tuple[Block, ...]:
    """Return the outcome of every scenario, as bars and as a table."""
    rows = [
        (
            common.words(one.scenario),
            one.description,
            Unknown("the scenario touches nothing that is held") if one.pnl is None else one.pnl,
            Unknown("nothing is touched, or equity is not known") if one.of_equity is None else one.of_equity,
            len(one.left_out),
        )
        for one in stress.outcomes
    ]
    outcomes = table(
        "scenarios",
        "Outcome of each scenario",
        (
            Column("scenario", "Scenario"),
            Column("description", "What happens"),
            Column("pnl", "Profit or loss", "money", stress.currency),
            Column("of_equity", "Of equity", "percent"),
            Column("left_out", "Left out", "count"),
        ),
        rows,
        note="To first order, the book as it stands. Left out: positions that a scenario says nothing about.",
        empty="There is no scenario.",
    )
    if all(one.pnl is None for one in stress.outcomes):
        return (outcomes,)
    chart = Chart(
        key="stress_chart",
        title="Profit or loss by scenario",
        kind="bars",
        table="scenarios",
        x="scenario",
        y=("pnl",),
    )
    return chart, outcomes
