"""Parts that several reports have: limits, positions, value at risk, stress, breaches, equity, key figures.

This module must not know which report they go into.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from typing import Final

from data.analytics import Contribution, PerformanceAnswer, RiskMeasures, StressAnswer
from data.limits import Breach, LimitStatus, Unit
from risk.breach_statistics import minutes, worst_use
from risk.portfolio import Portfolio
from risk.reports.document import (
    Block,
    Cell,
    Chart,
    Column,
    Figure,
    Figures,
    Mark,
    NumberKind,
    Paragraph,
    Plain,
    Table,
    Unknown,
    number,
    table,
)
from risk.reports.facts import Need, ReportFacts

_KINDS: Final[dict[Unit, NumberKind]] = {
    "notional": "money",
    "shares": "quantity",
    "ratio": "percent",
    "orders": "count",
}


_WORDS: Final = {
    "var": "VaR",
    "cornish_fisher": "Cornish–Fisher",
    "monte_carlo": "Monte Carlo",
    "evt": "Extreme value",
    "student": "Student-t",
    "filtered": "Filtered historical",
    "covid_2020": "COVID-2020",
    "rates_up_200": "Rates +200 bp",
    "expected_shortfall_97_5": "Expected shortfall, 97.5 %",
    "var_backtest": "VaR backtest",
}


def words(name: str) -> str:
    """Return a name of the vocabulary as words: ``max_drawdown`` as ``Max drawdown``."""
    if name in _WORDS:
        return _WORDS[name]
    plain = name.replace("_", " ")
    return plain[:1].upper() + plain[1:]


def missing(facts: ReportFacts, need: Need, what: str) -> Paragraph:
    """Return a sentence that says what a report lacks and why."""
    return Paragraph(f"{what} cannot be told: {facts.reason(need)}.")


def told(facts: ReportFacts, notes: Iterable[str]) -> tuple[Paragraph, ...]:
    """Return what is to be known of figures, a paragraph each; not what the report's head says already."""
    said = set(facts.portfolio.problems)
    return tuple(Paragraph(sentence(one)) for one in dict.fromkeys(notes) if one not in said)


def sentence(text: str) -> str:
    """Return a note as a sentence."""
    whole = text[:1].upper() + text[1:]
    return whole if whole.endswith((".", "!", "?")) else f"{whole}."


def figures(key: str, title: str, items: Sequence[Figure]) -> Figures:
    """Return labelled numbers."""
    return Figures(key=key, title=title, items=tuple(items))


def figure(
    label: str,
    value: Plain | None,
    kind: NumberKind,
    reason: str,
    *,
    unit: str | None = None,
    note: str | None = None,
    decimals: int | None = None,
) -> Figure:
    """Return a labelled number, or that it is not known."""
    return Figure(label, number(value, kind, reason, unit=unit, decimals=decimals), note)


# ---------------------------------------------------------------- the book


def exposure_figures(portfolio: Portfolio) -> list[Figure]:
    """Return equity, what was gained today, and how much is held."""
    currency = portfolio.currency
    values = [one.value for one in portfolio.holdings if one.qty]
    known = [one for one in values if one is not None]
    whole = len(known) == len(values)
    lacking = "a price or an exchange rate of what is held is not known"
    gross = sum((abs(one) for one in known), Decimal(0)) if whole else None
    net = sum(known, Decimal(0)) if whole else None
    equity = portfolio.equity
    day = [one.day_pnl for one in portfolio.money if one.currency == currency]
    gained = None if None in day or not day else sum((one for one in day if one is not None), Decimal(0))
    no_equity = "the equity of an engine is not known" if portfolio.money else "no engine has an account"
    leverage = None if gross is None or not equity else gross / equity
    return [
        figure("Equity", equity, "money", no_equity, unit=currency),
        figure(
            "Profit of the UTC day",
            gained,
            "money",
            "equity at the start of the day is not known",
            unit=currency,
        ),
        figure("Positions", len(values), "count", ""),
        figure("Gross exposure", gross, "money", lacking, unit=currency),
        figure("Net exposure", net, "money", lacking, unit=currency),
        figure("Leverage", leverage, "ratio", no_equity if gross is not None else lacking),
    ]


def positions(portfolio: Portfolio) -> Table:
    """Return what is held, the largest first."""
    equity = portfolio.equity
    rows = []
    for one in sorted(
        (one for one in portfolio.holdings if one.qty), key=lambda one: -abs(one.value or Decimal(0))
    ):
        value = one.value
        why = "no price" if one.mark is None else f"no exchange rate for {one.currency}"
        weight: Plain | Unknown
        if value is None:
            weight = Unknown(why)
        else:
            weight = value / equity if equity else Unknown("equity is not known")
        rows.append(
            (
                one.instrument,
                one.engine,
                one.sector or one.asset_class,
                one.qty,
                Unknown("no price") if one.mark is None else one.mark,
                Unknown(why) if value is None else value,
                weight,
            )
        )
    return table(
        "positions",
        "Positions",
        (
            Column("instrument", "Instrument"),
            Column("engine", "Engine"),
            Column("sector", "Sector"),
            Column("qty", "Quantity", "quantity"),
            Column("mark", "Mark", "price"),
            Column("value", "Value", "money", portfolio.currency),
            Column("weight", "Of equity", "percent"),
        ),
        rows,
        empty="Nothing is held.",
    )


# ---------------------------------------------------------------- limits and breaches


def in_unit(value: Plain | None, unit: Unit, currency: str, reason: str) -> Cell:
    """Return a value of a limit in the limit's unit."""
    return number(value, _KINDS[unit], reason, unit=unit_of(unit, currency))


def unit_of(unit: Unit, currency: str) -> str:
    """Return what a limit's unit is called beside its numbers."""
    return currency if unit == "notional" else "fraction" if unit == "ratio" else unit


def by_use(limits: Iterable[LimitStatus]) -> list[LimitStatus]:
    """Return limits, the most used first, those that cannot be judged after them."""
    return sorted(limits, key=lambda one: (one.use is None, -(one.use or Decimal(0)), one.limit.id))


def limit_table(limits: Sequence[LimitStatus], currency: str) -> Table:
    """Return how much of each limit is used."""
    rows = [
        (
            words(one.limit.limit_type),
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
        figure("Limits", len(limits), "count", ""),
        figure("Breached", counts["breached"], "count", ""),
        figure("At their warning level", counts["warn"], "count", ""),
        figure("Cannot be judged", counts["unknown"], "count", ""),
    ]


def breach_table(breaches: Sequence[Breach], currency: str, now: int) -> Table:
    """Return breaches, the latest first."""
    rows = [
        (
            one.ts_detected,
            words(one.limit_type),
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


# ---------------------------------------------------------------- measures


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
        found.append(figure(f"VaR {label}", var, "money", why, unit=risk.currency))
        found.append(figure(f"ES {label}", es, "money", why, unit=risk.currency))
    reasons = risk.reasons
    few = "there are too few returns"
    found += [
        figure("Volatility, a year", risk.volatility, "percent", reasons.get("volatility", few)),
        figure("Average correlation", risk.correlation, "ratio", reasons.get("correlation", few)),
    ]
    return found


def var_table(risk: RiskMeasures) -> Table:
    """Return VaR and ES by method, confidence and horizon."""
    rows = []
    for one in risk.measures:
        why = Unknown(one.reason or "equity is not known")
        rows.append(
            (
                words(one.method),
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
    method = f" by the {words(risk.component_method).lower()} method" if risk.component_method else ""
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
        empty=sentence(risk.reasons.get("components", "no component can be told")),
    )


def stress_blocks(stress: StressAnswer) -> tuple[Block, ...]:
    """Return the outcome of every scenario, as bars and as a table."""
    rows = [
        (
            words(one.scenario),
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


# ---------------------------------------------------------------- performance


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
        figure("Equity at the beginning", first, "money", lacking, unit=unit),
        figure("Equity now", last, "money", "it is not known", unit=unit),
        figure("Brought in, less taken out", performance.flows, "money", lacking, unit=unit),
        figure("Realised, after commission", performance.realized, "money", "it is not known", unit=unit),
        figure(
            "Unrealised",
            performance.unrealized,
            "money",
            reasons.get("unrealized", "it is not known"),
            unit=unit,
        ),
        figure("Commission", performance.commission, "money", "it is not known", unit=unit),
        figure(
            "Return, time-weighted",
            metrics.get("total_return"),
            "percent",
            reasons.get("total_return", lacking),
        ),
        figure(
            "Largest drawdown", metrics.get("max_drawdown"), "percent", reasons.get("max_drawdown", lacking)
        ),
        figure(
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
            Column("name", words(found[0].dimension) if found else "Name"),
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


def named(values: Mapping[str, Decimal], key: str, title: str, name: str, currency: str) -> Table:
    """Return amounts by name, the largest first."""
    rows = sorted(values.items(), key=lambda one: (-abs(one[1]), one[0]))
    return table(key, title, (Column("name", name), Column("value", "Value", "money", currency)), rows)
