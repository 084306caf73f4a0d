"""``macro …``: factors, regime, series, yield curve, calendar, and how well the regime's rule does.

This module must not know how any of it is computed or fetched.
"""

from __future__ import annotations

from typing import Annotated, Any

import msgspec
import typer

from data.asked import span
from data.macro import (
    FactorHistory,
    MacroFactor,
    MacroRegime,
    RegimeScore,
    ReleaseDate,
    Series,
    SeriesInfo,
    YieldCurve,
)
from nautilus_tui.cli import output, words
from nautilus_tui.cli.asking import AsOfOption, ask, provenance_of, show, show_all
from nautilus_tui.cli.session import LimitOption, session_of

app = typer.Typer(invoke_without_command=True, help="Macro factors, series, yield curve, calendar.")


@app.callback()
def macro(context: typer.Context, as_of: AsOfOption = None) -> None:
    """Show the macro factors and the regime; with a command, something in particular."""
    if context.invoked_subcommand is not None:
        return
    session = session_of(context)

    async def of_daemon(api: Any) -> tuple[list[MacroFactor], MacroRegime]:
        return await api.macro_factors(as_of=as_of), await api.macro_regime(as_of=as_of)

    async def of_providers(desk: Any) -> tuple[list[MacroFactor], MacroRegime]:
        return await desk.fred.factors(as_of=as_of), await desk.fred.regime(as_of=as_of)

    factors, regime = ask(session, of_daemon, of_providers)
    if session.json:
        output.show_json({**provenance_of(regime), "regime": regime, "factors": factors})
        return
    show(session, regime, lambda: _factors(factors), _regime(regime))


def _factors(found: list[MacroFactor]) -> Any:
    right = ("Value", "Change", "1 year", "z", "Pct")
    table = output.columns(
        "Id", "Factor", *right, "Unit", "Observed", "Problem", right=right, last_wraps=True
    )
    for one in found:
        table.add_row(
            one.id,
            one.title,
            words.number(one.value, one.decimals),
            words.number(one.change, one.decimals, sign=True),
            words.number(one.change_year, one.decimals, sign=True),
            words.number(one.zscore, 1, sign=True),
            words.number(one.percentile, 0),
            one.unit,
            str(one.observed or "—"),
            one.problem or "",
        )
    return table


def _regime(regime: MacroRegime) -> str:
    likely = regime.recession_probability
    said = f"regime {regime.quadrant or 'unknown'}, recession within 12 months "
    said += "unknown" if likely is None else f"{likely * 100:.0f} %"
    return said + (f": {regime.problem}" if regime.problem else "")


@app.command("regime")
def regime(context: typer.Context, as_of: AsOfOption = None) -> None:
    """Show the regime, the recession probability and the rule behind them."""
    session = session_of(context)
    found = ask(
        session,
        lambda api: api.macro_regime(as_of=as_of),
        lambda desk: desk.fred.regime(as_of=as_of),
    )
    show(session, found, lambda: [_regime(found), found.rule])


@app.command("series")
def series(
    context: typer.Context,
    series_id: Annotated[
        str, typer.Argument(parser=words.name_of("series_id"), metavar="ID", help="A FRED series, e.g. GDP.")
    ],
    as_of: AsOfOption = None,
    start: Annotated[Any, typer.Option("--start", parser=words.day, metavar="DATE")] = None,
    end: Annotated[Any, typer.Option("--end", parser=words.day, metavar="DATE")] = None,
) -> None:
    """Show a series' observations, as they are known now or were known on a day."""
    session = session_of(context)
    span(start, end)
    found: Series = ask(
        session,
        lambda api: api.series(series_id, as_of=as_of, start=start, end=end),
        lambda desk: desk.fred.series(series_id, as_of=as_of, start=start, end=end),
    )
    show(session, found, lambda: _series(found))


def _series(found: Series) -> Any:
    table = output.columns("Date", "Value", "Since", right=("Value",))
    table.title = f"{found.id}: {found.info.title} ({found.info.units})"
    for one in found.observations:
        table.add_row(
            str(one.date), "missing" if one.value is None else f"{one.value:,}", str(one.published or "—")
        )
    return table


@app.command("factor")
def factor(
    context: typer.Context,
    factor_id: Annotated[
        str,
        typer.Argument(parser=words.name_of("factor_id"), metavar="ID", help="A factor, e.g. slope_10y2y."),
    ],
    years: Annotated[int, typer.Option("--years", min=1, max=100)] = 10,
) -> None:
    """Show a factor's history and the recessions of that time."""
    session = session_of(context)
    found: FactorHistory = ask(
        session,
        lambda api: api.factor_history(factor_id, years=years),
        lambda desk: desk.fred.factor_history(factor_id, years=years),
    )
    show(session, found, lambda: _history(found))


def _history(found: FactorHistory) -> Any:
    table = output.columns("Date", "Value", "", right=("Value",))
    table.title = f"{found.title} ({found.unit})"
    for point in found.points:
        during = any(first <= point.date <= last for first, last in found.recessions)
        table.add_row(
            str(point.date), words.number(point.value, found.decimals), "recession" if during else ""
        )
    return table


@app.command("curve")
def curve(context: typer.Context, as_of: AsOfOption = None) -> None:
    """Show the yield curve now, a month ago and a year ago."""
    session = session_of(context)
    found: list[YieldCurve] = ask(
        session,
        lambda api: api.yield_curves(as_of=as_of),
        lambda desk: desk.fred.yield_curves(as_of=as_of),
    )
    show_all(session, found, lambda: _curves(found))


def _curves(found: list[YieldCurve]) -> Any:
    names = [f"{one.label} ({one.date or 'none'})" for one in found]
    table = output.columns("Maturity", *names, right=names)
    for row in zip(*(one.points for one in found), strict=True):
        table.add_row(row[0].label, *(words.number(point.value, 2) for point in row))
    return table


@app.command("calendar")
def calendar(
    context: typer.Context,
    days: Annotated[int, typer.Option("--days", "-d", min=1, max=365, help="How far ahead.")] = 14,
) -> None:
    """Show what is released when."""
    session = session_of(context)
    found: list[ReleaseDate] = ask(
        session,
        lambda api: api.economic_calendar(days_ahead=days),
        lambda desk: desk.fred.calendar(days_ahead=days),
    )
    show_all(session, found, lambda: _calendar(found))


def _calendar(found: list[ReleaseDate]) -> Any:
    table = output.columns("Date", "Time (UTC)", "Importance", "Release", "Series", last_wraps=True)
    for one in found:
        at = "—" if one.ts_release is None else words.clock(one.ts_release)
        table.add_row(str(one.date), at, one.importance, one.name, " ".join(one.series))
    return table


@app.command("search")
def search(
    context: typer.Context,
    text: Annotated[str, typer.Argument(parser=words.name_of("text"), metavar="TEXT")],
    limit: LimitOption = 20,
) -> None:
    """Search FRED for series."""
    session = session_of(context)
    found: list[SeriesInfo] = ask(
        session,
        lambda api: api.series_search(text, limit=limit),
        lambda desk: desk.fred.search(text, limit=limit),
    )
    show_all(session, found, lambda: _infos(found))


def _infos(found: list[SeriesInfo]) -> Any:
    table = output.columns("Id", "Title", "Frequency", "Units", "Last", last_wraps=True)
    for one in found:
        table.add_row(one.id, one.title, one.frequency, one.units, str(one.last or "—"))
    return table


@app.command("score")
def score(
    context: typer.Context,
    horizon: Annotated[int, typer.Option("--horizon", min=1, max=36, help="Months ahead.")] = 12,
    threshold: Annotated[float, typer.Option("--threshold", min=0.01, max=0.99, help="Of a signal.")] = 0.5,
) -> None:
    """Score the recession probability against USREC: AUC, Brier score, lead, false alarms."""
    session = session_of(context)
    found: RegimeScore = ask(
        session,
        lambda api: api.regime_score(horizon_months=horizon, threshold=threshold),
        lambda desk: desk.fred.score(horizon_months=horizon, threshold=threshold),
    )
    show(session, found, lambda: _score(found))


def _score(found: RegimeScore) -> Any:
    table = output.columns("", "", right=("",))
    facts = msgspec.structs.asdict(found)
    hidden = {"source", "as_of", "fetched_at", "synthetic", "stale", "rule"}
    for name, value in facts.items():
        if name not in hidden:
            shown = f"{value:.3f}" if isinstance(value, float) else str("—" if value is None else value)
            table.add_row(name.replace("_", " "), shown)
    return table
