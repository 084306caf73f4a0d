"""``performance``: of the book as the daemon has kept it, or of a file of returns.

This module must not know how a figure is computed.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from nautilus_tui.cli import of_files, output, words
from nautilus_tui.cli.analytics import PORTFOLIO, BookOption, say, say_reasons, share
from nautilus_tui.cli.session import Session, session_of

if TYPE_CHECKING:
    from datetime import date

    from polars import DataFrame

    from data.analytics import Contribution, PerformanceAnswer
    from risk.returns import Returns

_ROLLED = 10  # rows of a rolling table that people are shown
_SHOWN = 20  # contributions that people are shown


def performance(
    context: typer.Context,
    returns: of_files.MaybeReturnsOption = None,
    benchmark: Annotated[
        str | None,
        typer.Option(
            "--benchmark",
            "-b",
            help="To compare with: of a file another file, of the book an instrument.",
            show_default=False,
        ),
    ] = None,
    engine: BookOption = None,
    start: Annotated[
        str | None,
        typer.Option("--start", help="Of the book: from this ISO 8601 time on.", show_default=False),
    ] = None,
    risk_free: Annotated[float, typer.Option("--risk-free", help="Per year, a fraction.")] = 0.0,
    periods: Annotated[float, typer.Option("--periods", help="Returns in a year.")] = 252.0,
    window: Annotated[
        int | None, typer.Option("--rolling", help="Figures of so many returns at a time, too.")
    ] = None,
    column: of_files.ColumnOption = "return",
    drop_missing: of_files.DropOption = False,
) -> None:
    """Return, risk and drawdown of the book with what contributed to it, or of a file of returns."""
    session = session_of(context)
    if returns is None:
        of_files.only_of_files(context, "periods", "column", "drop_missing")
        _show_book(session, engine, benchmark, risk_free, window, start)
        return
    of_files.only_of_books(context, "engine", "start")
    from risk import performance as figures
    from risk import returns as files
    from risk.rolling import rolling

    found = files.read(of_files.path(returns), column=column, drop_missing=drop_missing)
    facts = of_files.builtins(figures.performance(found.values, risk_free=risk_free, periods=periods))
    facts |= {"drawdown": _drawdown(figures.drawdown(found.values), found)}
    mine, theirs, days = found.values, None, found.days
    of_benchmark: dict[str, Any] = dict.fromkeys(figures.Relative.__struct_fields__)
    notes = list(found.notes)
    if benchmark is not None:
        other = files.read(of_files.path(Path(benchmark)), column=column, drop_missing=drop_missing)
        mine, theirs, days, told = files.aligned(found, other)
        of_benchmark = of_files.builtins(figures.relative(mine, theirs, risk_free=risk_free, periods=periods))
        facts |= {"benchmark": other.name, "benchmark_n": len(theirs)}
        notes += [*other.notes, *told]
        if other.dropped:
            notes.append(f"{other.name}: {other.dropped:,} rows without a return were left out")
    rolled = None
    if window is not None:
        rolled = _rolling(days, rolling(mine, window, theirs, risk_free=risk_free, periods=periods))
    if session.json:
        facts |= (
            of_benchmark
            | of_files.source(found)
            | {"notes": notes, "risk_free": risk_free, "periods": periods}
        )
        output.show_json(facts | ({} if rolled is None else {"rolling": rolled}))
        return
    output.show(_figures(facts, found, of_benchmark if benchmark is not None else {}))
    if rolled is not None:
        output.show("", _rolling_table(rolled))
    of_files.say_notes(notes, found.dropped, (), ())


def _rolling(days: Sequence[date] | None, table: DataFrame) -> list[dict[str, Any]]:
    """Return rolling figures, each with the day it ends on; without dates with its number, from 1."""
    return [row | {"end": of_files.day(days, row["end"])} for row in table.to_dicts()]


def _drawdown(one: Any, found: Returns) -> dict[str, Any] | None:
    """Return the deepest drawdown with its days; the start of the first period is ``start``."""
    if one is None:
        return None

    def at(place: int | None) -> Any:
        return None if place is None else "start" if place == 0 else of_files.day(found.days, place - 1)

    return {
        "depth": one.depth,
        "peak": at(one.peak),
        "trough": at(one.trough),
        "recovery": at(one.recovery),
    }


def _figures(facts: dict[str, Any], found: Returns, of_benchmark: dict[str, Any]) -> Any:
    table = output.columns("Figure", "Value", right=("Value",))
    table.add_row("returns", words.number(facts["n"]))
    if found.days is not None:
        table.add_row("days", f"{found.days[0]} to {found.days[-1]}")
    skipped = {"n", "drawdown", "benchmark", "benchmark_n"} | of_benchmark.keys()
    for name, value in [*((k, v) for k, v in facts.items() if k not in skipped), *of_benchmark.items()]:
        table.add_row(name.replace("_", " "), _figure(name, value))
    lost = facts["drawdown"]
    if lost is not None and lost["depth"] < 0:
        back = lost["recovery"] or "not yet recovered"
        table.add_row("deepest drawdown", f"{lost['peak']} → {lost['trough']} → {back}")
    return table


def _rolling_table(rows: list[dict[str, Any]]) -> Any:
    names = list(rows[0])
    table = output.columns(
        *(name.replace("_", " ") for name in names), right=[n.replace("_", " ") for n in names[1:]]
    )
    for row in rows[-_ROLLED:]:
        table.add_row(str(row["end"]), *(_figure(name, row[name]) for name in names[1:]))
    return table


# ---------------------------------------------------------------- of the book


def _show_book(
    session: Session,
    engine: str | None,
    benchmark: str | None,
    risk_free: float,
    window: int | None,
    start: str | None,
) -> None:
    """Show how an engine or all together did."""
    found = session.ask(
        lambda api: api.performance(
            engine or PORTFOLIO, benchmark=benchmark, risk_free=risk_free, rolling=window, start=start
        )
    )
    if session.json:
        output.show_json(found)
        return
    output.show(_book_figures(found))
    for dimension in ("strategy", "instrument", "sector", "engine", "day"):
        rows = [one for one in found.attribution if one.dimension == dimension]
        if rows:
            output.show("", _contributions(dimension, rows))
    if found.factors:
        output.show("", _factors(found))
    if found.rolling:
        output.show("", _book_rolling(found))
    say(found.notes, found.synthetic)
    say_reasons(_grouped(found.reasons))


def _book_figures(found: PerformanceAnswer) -> Any:
    table = output.columns("Figure", "Value", right=("Value",))
    table.add_row("book", found.portfolio_id)
    basis = "—" if found.basis is None else f"{found.returns:,} returns of {found.basis}"
    table.add_row("basis", basis)
    if found.ts_first is not None:
        table.add_row("from", words.clock(found.ts_first))
        table.add_row("to", words.clock(found.ts_last))
    money = found.currency or ""
    for name in ("equity_first", "equity", "flows", "realized", "unrealized", "commission"):
        value = getattr(found, name)
        table.add_row(f"{name.replace('_', ' ')} {money}", words.number(value, 2))
    for name, figure in found.metrics.items():
        table.add_row(name.replace("_", " "), _figure(name, figure))
    if found.drawdown is not None and found.drawdown.depth < 0:
        one = found.drawdown
        back = "not yet recovered" if one.ts_recovery is None else words.clock(one.ts_recovery)
        table.add_row(
            "deepest drawdown", f"{words.clock(one.ts_peak)} → {words.clock(one.ts_trough)} → {back}"
        )
    if found.trades is not None:
        trades = found.trades
        table.add_row("round trips", f"{trades.closed} ({trades.won} won, {trades.lost} lost)")
        table.add_row("win rate of trips", share(trades.win_rate))
        table.add_row("profit factor of trips", words.number(trades.profit_factor, 3))
        table.add_row(f"expectancy of trips {money}", words.number(trades.expectancy, 2, sign=True))
    return table


def _contributions(dimension: str, rows: list[Contribution]) -> Any:
    right = ("Total", "Realised", "Unrealised", "Commission", "Of equity", "Fills")
    table = output.columns(f"By {dimension}", *right, right=right)
    for one in rows[:_SHOWN]:
        table.add_row(
            one.key,
            words.number(one.total, 2, sign=True),
            words.number(one.realized, 2, sign=True),
            words.number(one.unrealized, 2, sign=True),
            words.number(one.commission, 2),
            words.percent(one.of_equity, 3),
            words.number(one.fills),
        )
    if len(rows) > _SHOWN:
        output.say(f"the first {_SHOWN} of {len(rows)} by {dimension}; --json shows all")
    return table


def _factors(found: PerformanceAnswer) -> Any:
    table = output.columns("By factor", "Loading", "Contribution", right=("Loading", "Contribution"))
    for one in found.factors:
        table.add_row(one.factor, words.number(one.loading, 3), words.percent(one.contribution, 3))
    return table


def _book_rolling(found: PerformanceAnswer) -> Any:
    names = list(found.rolling[0].figures)
    shown = [name.replace("_", " ") for name in names]
    table = output.columns("From", *shown, right=shown)
    for row in found.rolling[-10:]:
        table.add_row(words.clock(row.ts), *(_figure(name, row.figures[name]) for name in names))
    return table


def _figure(name: str, value: float | None) -> str:
    if value is None:
        return "—"
    if name in ("n", "max_drawdown_duration"):
        return f"{value:,.0f}"
    from data.analytics import PERCENTAGES

    return share(value) if name in PERCENTAGES else f"{value:,.4f}"


def _grouped(reasons: Mapping[str, str]) -> dict[str, str]:
    """Return reasons with the names that share one."""
    by: dict[str, list[str]] = {}
    for name, reason in reasons.items():
        by.setdefault(reason, []).append(name.replace("_", " "))
    return {", ".join(names): reason for reason, names in by.items()}
