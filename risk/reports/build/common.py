"""What all reports are put together with: words, sentences, figures, and the book as it stands.

This module must not know which report they go into.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from decimal import Decimal
from typing import Final

from risk.portfolio import Portfolio
from risk.reports.document import (
    Column,
    Figure,
    Figures,
    NumberKind,
    Paragraph,
    Plain,
    Table,
    Unknown,
    number,
    table,
)
from risk.reports.facts import Need, ReportFacts

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
