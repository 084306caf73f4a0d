"""``risk var|stress|exposures`` of the book: what the daemon computes of what is held.

This module must not know how a figure is computed.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Annotated, Any

import typer

from nautilus_tui.cli import output, words
from nautilus_tui.cli.session import Session, session_of

if TYPE_CHECKING:
    from data.analytics import ExposureAnswer, RiskMeasures, StressAnswer, StressOutcome

PORTFOLIO = "portfolio"

BookOption = Annotated[
    str | None,
    typer.Option("--engine", "-e", help="Of one engine; of all together if left out.", show_default=False),
]


# ---------------------------------------------------------------- value at risk


def show_risk(
    session: Session,
    engine: str | None,
    method: str | None,
    confidence: float | None,
    horizon: int | None,
    components: str,
) -> None:
    """Show VaR and ES of the book by all methods, or by one."""
    found = session.ask(
        lambda api: api.risk_measures(
            engine or PORTFOLIO,
            method=None if method == "all" else method,
            confidence=confidence,
            horizon=horizon,
            components=components,  # type: ignore[arg-type]  # the daemon says which there are
        )
    )
    if session.json:
        output.show_json(found)
        return
    output.show(_headline(found), "", _measures(found))
    if found.components:
        output.show("", _components(found))
    output.show("", _capital(found))
    say(found.notes, found.synthetic)
    say_reasons(found.reasons | {f"{name} is left out": why for name, why in found.missing.items()})
    say_reasons({one.method: one.reason for one in found.measures if one.reason is not None})


def _headline(found: RiskMeasures) -> Any:
    table = output.columns("Figure", "Value", right=("Value",))
    money = found.currency
    table.add_row("book", found.portfolio_id)
    table.add_row(f"equity {money}", words.number(found.equity, 2))
    table.add_row(f"gross {money}", words.number(found.gross, 2))
    table.add_row(f"net {money}", words.number(found.net, 2))
    table.add_row("leverage", "—" if found.leverage is None else f"{found.leverage:.3f}")
    basis = "—" if found.basis is None else f"{found.returns:,} returns of {found.basis} bars"
    table.add_row("basis", basis)
    if found.ts_first is not None:
        table.add_row("from", words.clock(found.ts_first))
        table.add_row("to", words.clock(found.ts_last))
    table.add_row("volatility a year", share(found.volatility))
    table.add_row("average correlation", "—" if found.correlation is None else f"{found.correlation:.3f}")
    if found.covered is not None:
        table.add_row("part of gross measured", share(found.covered))
    return table


def _measures(found: RiskMeasures) -> Any:
    right = ("VaR", "ES", f"VaR {found.currency}", f"ES {found.currency}")
    table = output.columns("Method", "Confidence", "Days", *right, "Returns", right=(*right, "Returns"))
    for one in found.measures:
        table.add_row(
            one.method,
            f"{one.confidence:.4g}",
            str(one.horizon),
            share(one.var),
            share(one.es),
            words.number(one.var_money, 2),
            words.number(one.es_money, 2),
            words.number(one.n),
        )
    if not found.measures:
        return f"no VaR: {found.reasons.get('measures', 'not known')}"
    return table


def _components(found: RiskMeasures) -> Any:
    right = ("Quantity", "Value", "Weight", "Marginal", "Component VaR", "Component ES", "Share")
    table = output.columns("Position", "Engine", *right, right=right)
    for one in sorted(found.components, key=lambda one: -one.component_var):
        table.add_row(
            one.instrument,
            one.engine,
            words.number(one.qty),
            words.number(one.value, 2),
            share(one.weight),
            f"{one.marginal_var:+.5f}",
            words.number(one.component_var, 2, sign=True),
            words.number(one.component_es, 2, sign=True),
            share(one.share),
        )
    return table


def _capital(found: RiskMeasures) -> Any:
    table = output.columns("Basel", "Value", "Not applicable, because", right=("Value",), last_wraps=True)
    for one in found.capital:
        value = (
            "—" if one.value is None else f"{one.value:,.2f}" if one.unit == "money" else f"{one.value:.4f}"
        )
        table.add_row(one.name.replace("_", " "), value, one.not_applicable or "")
    return table


# ---------------------------------------------------------------- stress and exposures


def stress(
    context: typer.Context,
    engine: BookOption = None,
    scenario: Annotated[
        str | None,
        typer.Option("--scenario", "-s", help="One scenario; all if left out.", show_default=False),
    ] = None,
    shock: Annotated[
        list[str] | None,
        typer.Option(
            "--shock",
            metavar="FACTOR=SIZE",
            help="equity=-0.2, equity:Energy=-15%, crypto=-0.5, rates=+100bp, volatility=2x, liquidity=3x; "
            "several together are one scenario of your own.",
            show_default=False,
        ),
    ] = None,
) -> None:
    """Show what the book gains or loses under every scenario, by factor and position."""
    session = session_of(context)
    found = session.ask(lambda api: api.stress(engine or PORTFOLIO, shocks=shock or (), scenario=scenario))
    if session.json:
        output.show_json(found)
        return
    output.show(_outcomes(found))
    for one in found.outcomes:
        if one.items:
            output.show("", f"{one.scenario}: {one.description}", _items(one))
    say(found.notes, found.synthetic)
    left_out: dict[str, list[str]] = {}
    for one in found.outcomes:
        for name, why in one.left_out.items():
            left_out.setdefault(f"{name}: {why}", []).append(one.scenario)
    for told, scenarios in left_out.items():
        output.say(f"left out of {', '.join(scenarios)}: {told}")


def _outcomes(found: StressAnswer) -> Any:
    right = (f"P&L {found.currency}", "Of equity")
    table = output.columns("Scenario", *right, "By factor", right=right, last_wraps=True)
    for one in found.outcomes:
        factors = ", ".join(
            f"{name} {words.number(pnl, 2, sign=True)}" for name, pnl in one.by_factor.items()
        )
        table.add_row(
            one.scenario,
            words.number(one.pnl, 2, sign=True),
            words.percent(one.of_equity, 2),
            factors or "touches nothing that is held",
        )
    return table


def _items(one: StressOutcome) -> Any:
    right = ("Shock", "Sensitivity", "P&L")
    table = output.columns("Position", "Engine", "Factor", *right, right=right)
    for item in sorted(one.items, key=lambda item: item.pnl):
        size = {"relative": f"{item.shock:+.2%}", "basis_points": f"{item.shock:+.0f} bp"}
        table.add_row(
            item.instrument,
            item.engine,
            item.factor,
            size.get(item.unit, f"{item.shock:.2f} ×"),
            words.number(item.sensitivity, 2, sign=True),
            words.number(item.pnl, 2, sign=True),
        )
    return table


def exposures(context: typer.Context, engine: BookOption = None) -> None:
    """Show what the book is exposed to, by position and summed up."""
    session = session_of(context)
    found = session.ask(lambda api: api.exposures(engine or PORTFOLIO))
    if session.json:
        output.show_json(found)
        return
    if not found.rows:
        output.say("nothing is held")
        return
    output.show(_exposed(found))
    for name in ("asset_class", "sector", "strategy"):
        by = found.sums.get(name, {})
        told = ", ".join(f"{key} {words.number(value, 2, sign=True)}" for key, value in by.items())
        output.show(f"by {name.replace('_', ' ')}: {told}")
    say(found.notes, found.synthetic)
    say_reasons({one.instrument: one.reason for one in found.rows if one.reason is not None})


def _exposed(found: ExposureAnswer) -> Any:
    right = ("Quantity", f"Value {found.currency}", "Weight", "Beta", "Sensitivity", "Half spread")
    table = output.columns("Position", "Engine", "Factor", *right, right=right)
    for one in found.rows:
        table.add_row(
            one.instrument,
            one.engine,
            words.text(one.factor),
            words.number(one.qty),
            words.number(one.value, 2),
            words.percent(one.weight, 2),
            "—" if one.beta is None else f"{one.beta:.3f}",
            words.number(one.sensitivity, 2),
            words.number(one.half_spread, 2),
        )
    return table


# ---------------------------------------------------------------- words


def share(fraction: float | None) -> str:
    """Write a fraction as a percentage; ``—`` for what is not known."""
    return "—" if fraction is None else f"{fraction * 100:.4f} %"


def say(notes: Iterable[str], synthetic: bool) -> None:
    """Say on stderr what there is to know about figures."""
    if synthetic:
        output.say("SYNTHETIC: computed from a simulated market")
    for note in dict.fromkeys(notes):
        output.say(note)


def say_reasons(reasons: Mapping[str, str | None]) -> None:
    """Say on stderr why figures are not known."""
    for name, reason in reasons.items():
        output.say(f"{name}: {reason}")
