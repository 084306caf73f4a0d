"""``risk var``, ``risk backtest``, ``performance``: figures of a file of returns, without a daemon.

This module must not know how a figure is computed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from data.problems import InvalidRequestError
from nautilus_tui.cli import output, words
from nautilus_tui.cli.session import Session, session_of

if TYPE_CHECKING:
    from datetime import date

    from polars import DataFrame

    from risk.backtesting import Backtest
    from risk.measures.methods import Options
    from risk.measures.sample import Measure
    from risk.returns import Returns

risk_app = typer.Typer(help="Value at risk and expected shortfall of returns, and how well they held.")

_METHODS = "historical, normal, student, cornish_fisher, filtered, monte_carlo, evt"
_ALL = "all"
_ROLLED = 10  # rows of a rolling table that people are shown

ReturnsOption = Annotated[
    Path,
    typer.Option(
        "--returns", "-r", metavar="FILE", help="CSV or Parquet with a column return.", show_default=False
    ),
]
MethodOption = Annotated[str, typer.Option("--method", "-m", help=f"{_METHODS}, or all.")]
ConfidenceOption = Annotated[float, typer.Option("--confidence", "-c", help="Between 0.5 and 1.")]
ColumnOption = Annotated[str, typer.Option("--column", help="Where the returns are.")]
DropOption = Annotated[
    bool, typer.Option("--drop-missing", help="Leave out rows without a return, and say how many.")
]
SeedOption = Annotated[int, typer.Option("--seed", help="Of monte_carlo.")]
ThresholdOption = Annotated[float, typer.Option("--threshold", help="Of evt: where the tail begins.")]
DecayOption = Annotated[float, typer.Option("--decay", help="Of filtered: weight of yesterday's variance.")]


@risk_app.callback()
def risk() -> None:
    """Value at risk and expected shortfall of returns, and how well they held."""


@risk_app.command("var")
def value_at_risk(
    context: typer.Context,
    returns: ReturnsOption,
    method: MethodOption = "historical",
    confidence: ConfidenceOption = 0.99,
    horizon: Annotated[int, typer.Option("--horizon", help="Days, 1 to 22.")] = 1,
    column: ColumnOption = "return",
    drop_missing: DropOption = False,
    seed: SeedOption = 1,
    paths: Annotated[int, typer.Option("--paths", help="Of monte_carlo.")] = 100_000,
    threshold: ThresholdOption = 0.90,
    decay: DecayOption = 0.94,
) -> None:
    """Measure VaR and expected shortfall, as positive fractions of the position."""
    from risk import returns as files
    from risk.measures.methods import Options, measure

    session = session_of(context)
    found = files.read(_path(returns), column=column, drop_missing=drop_missing)
    options = Options(decay=decay, seed=seed, paths=paths, threshold=threshold)
    results, refused = _of_each(
        method, lambda name: measure(name, found.values, confidence, horizon, options)
    )
    _show_measures(session, found, [one for _, one in results], refused, alone=method != _ALL)


def _of_each[T](
    method: str, figure: Callable[[str], T]
) -> tuple[list[tuple[str, T]], list[tuple[str, InvalidRequestError]]]:
    """Return a figure of one method, or of all and why some refuse; raises if none can say."""
    from risk.measures.methods import METHODS

    results, refused = [], []
    for name in METHODS if method == _ALL else (method,):
        try:
            results.append((name, figure(name)))
        except InvalidRequestError as error:
            refused.append((name, error))
    if not results:
        raise refused[0][1]
    return results, refused


def _show_measures(
    session: Session,
    found: Returns,
    results: list[Measure],
    refused: list[tuple[str, InvalidRequestError]],
    *,
    alone: bool,
) -> None:
    if session.json:
        facts = [_builtins(one) for one in results]
        source = _source(found)
        if alone:
            facts[0]["notes"] = [*facts[0]["notes"], *source.pop("notes")]
            output.show_json(facts[0] | source)
        else:
            output.show_json(source | {"results": facts, "refused": _refusals(refused)})
        return
    table = output.columns(
        "Method", "Confidence", "Days", "VaR", "ES", "Returns", "Rule", right=("VaR", "ES", "Returns")
    )
    for one in results:
        table.add_row(
            one.method,
            f"{one.confidence:.4g}",
            str(one.horizon),
            _share(one.var),
            _share(one.es),
            words.number(one.n),
            one.rule,
        )
    output.show(table)
    _say_notes(found.notes, found.dropped, ((one.method, one.notes) for one in results), refused)


@risk_app.command("backtest")
def backtest(
    context: typer.Context,
    returns: ReturnsOption,
    method: MethodOption = "historical",
    window: Annotated[int, typer.Option("--window", "-w", help="Returns that each VaR is made of.")] = 500,
    confidence: ConfidenceOption = 0.99,
    column: ColumnOption = "return",
    drop_missing: DropOption = False,
    seed: SeedOption = 1,
    paths: Annotated[int, typer.Option("--paths", help="Of monte_carlo, each day.")] = 10_000,
    threshold: ThresholdOption = 0.90,
    decay: DecayOption = 0.94,
) -> None:
    """Measure one-day VaR every day from the days before it, and test it on what followed."""
    from risk import backtesting
    from risk import returns as files
    from risk.measures.methods import Options

    session = session_of(context)
    found = files.read(_path(returns), column=column, drop_missing=drop_missing)
    options = Options(decay=decay, seed=seed, paths=paths, threshold=threshold)

    def tested(name: str) -> Backtest:
        limits = backtesting.rolling_var(found.values, name, confidence, window, options)
        return backtesting.backtest(found.values[window:], limits, confidence)

    results, refused = _of_each(method, tested)
    if not session.json:
        output.show(_backtests(results), *_lines(results, found, window))
        _say_notes(found.notes, found.dropped, (), refused)
        return
    facts = [_backtest_facts(name, one, found, window, options) for name, one in results]
    output.show_json(
        facts[0] | _source(found)
        if method != _ALL
        else _source(found) | {"results": facts, "refused": _refusals(refused)}
    )


def _backtest_facts(
    name: str, one: Backtest, found: Returns, window: int, options: Options
) -> dict[str, Any]:
    facts = {"method": name, "window": window, "n": len(found.values)} | _builtins(one)
    facts["zone"] = one.zone
    facts["rate"] = one.exceptions / one.days
    facts["exception_days"] = [_day(found.days, window + place) for place in one.exception_days]
    if name == "monte_carlo":
        facts |= {"seed": options.seed, "paths": options.paths}
    return facts


def _backtests(results: list[tuple[str, Backtest]]) -> Any:
    right = ("Days", "Exceptions", "Expected", "Kupiec", "p", "Independence", "p ", "Conditional", "p  ")
    table = output.columns("Method", *right, "Zone", right=right)
    for name, one in results:
        table.add_row(
            name,
            words.number(one.days),
            words.number(one.exceptions),
            f"{one.expected:.1f}",
            *(
                words.number(figure, decimals)
                for test in (one.kupiec, one.christoffersen, one.conditional_coverage)
                for figure, decimals in ((test.statistic, 2), (test.p_value, 4))
            ),
            output.tinted(one.zone, one.zone),
        )
    return table


def _lines(results: list[tuple[str, Backtest]], found: Returns, window: int) -> list[str]:
    """Return what the zones mean, and of one method when it was exceeded last."""
    light = results[0][1].traffic_light
    lines = [f"zones over {light.days:,} days: yellow from {light.yellow_from}, red from {light.red_from}"]
    if len(results) > 1:
        return lines
    one = results[0][1]
    if one.last_250 is not None:
        last = one.last_250
        lines.append(
            f"last 250 days: {last.exceptions} exceptions, {last.zone}, multiplier {last.multiplier:.2f}"
        )
    if one.exception_days:
        days = [str(_day(found.days, window + place)) for place in one.exception_days[-_ROLLED:]]
        lines.append(f"exceeded{'' if found.days else ' at return'}, latest: {', '.join(days)}")
    return lines


def performance(
    context: typer.Context,
    returns: ReturnsOption,
    benchmark: Annotated[
        Path | None, typer.Option("--benchmark", "-b", metavar="FILE", help="Returns to compare with.")
    ] = None,
    risk_free: Annotated[float, typer.Option("--risk-free", help="Per year, a fraction.")] = 0.0,
    periods: Annotated[float, typer.Option("--periods", help="Returns in a year.")] = 252.0,
    window: Annotated[
        int | None, typer.Option("--rolling", help="Figures of so many returns at a time, too.")
    ] = None,
    column: ColumnOption = "return",
    drop_missing: DropOption = False,
) -> None:
    """Return, risk and drawdown of a file of returns, alone and against a benchmark."""
    from risk import performance as figures
    from risk import returns as files
    from risk.rolling import rolling

    session = session_of(context)
    found = files.read(_path(returns), column=column, drop_missing=drop_missing)
    facts = _builtins(figures.performance(found.values, risk_free=risk_free, periods=periods))
    facts |= {"drawdown": _drawdown(figures.drawdown(found.values), found)}
    mine, theirs, days = found.values, None, found.days
    of_benchmark: dict[str, Any] = dict.fromkeys(figures.Relative.__struct_fields__)
    notes = list(found.notes)
    if benchmark is not None:
        other = files.read(_path(benchmark), column=column, drop_missing=drop_missing)
        mine, theirs, days, told = files.aligned(found, other)
        of_benchmark = _builtins(figures.relative(mine, theirs, risk_free=risk_free, periods=periods))
        facts |= {"benchmark": other.name, "benchmark_n": len(theirs)}
        notes += [*other.notes, *told]
        if other.dropped:
            notes.append(f"{other.name}: {other.dropped:,} rows without a return were left out")
    rolled = None
    if window is not None:
        rolled = _rolling(days, rolling(mine, window, theirs, risk_free=risk_free, periods=periods))
    if session.json:
        facts |= of_benchmark | _source(found) | {"notes": notes, "risk_free": risk_free, "periods": periods}
        output.show_json(facts | ({} if rolled is None else {"rolling": rolled}))
        return
    output.show(_figures(facts, found, of_benchmark if benchmark is not None else {}))
    if rolled is not None:
        output.show("", _rolling_table(rolled))
    _say_notes(notes, found.dropped, (), ())


def _rolling(days: Sequence[date] | None, table: DataFrame) -> list[dict[str, Any]]:
    """Return rolling figures, each with the day it ends on; without dates with its number, from 1."""
    return [row | {"end": _day(days, row["end"])} for row in table.to_dicts()]


def _drawdown(one: Any, found: Returns) -> dict[str, Any] | None:
    """Return the deepest drawdown with its days; the start of the first period is ``start``."""
    if one is None:
        return None

    def at(place: int | None) -> Any:
        return None if place is None else "start" if place == 0 else _day(found.days, place - 1)

    return {
        "depth": one.depth,
        "peak": at(one.peak),
        "trough": at(one.trough),
        "recovery": at(one.recovery),
    }


#: Figures that people are shown as percentages.
_FRACTIONS = frozenset(
    {
        "total_return",
        "annual_return",
        "volatility",
        "max_drawdown",
        "win_rate",
        "expectancy",
        "average_win",
        "average_loss",
        "best",
        "worst",
        "alpha",
        "tracking_error",
        "benchmark_total_return",
    }
)


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


# ---------------------------------------------------------------- words


def _figure(name: str, value: Any) -> str:
    if value is None or isinstance(value, int):
        return words.number(value)
    return _share(value) if name in _FRACTIONS else f"{value:,.4f}"


def _share(fraction: float | None) -> str:
    return "—" if fraction is None else f"{fraction * 100:.4f} %"


def _path(given: Path) -> Path:
    return given.expanduser().absolute()


def _day(days: Sequence[date] | None, place: int) -> str | int:
    """Return the day of a return; without dates its number, from 1."""
    return place + 1 if days is None else days[place].isoformat()


def _builtins(value: Any) -> dict[str, Any]:
    import msgspec

    facts: dict[str, Any] = msgspec.to_builtins(value)
    return facts


def _source(found: Returns) -> dict[str, Any]:
    """Return what JSON tells about the file."""
    facts: dict[str, Any] = {"file": found.name, "dropped": found.dropped, "notes": list(found.notes)}
    if found.days is not None:
        facts |= {"first": found.days[0].isoformat(), "last": found.days[-1].isoformat()}
    return facts


def _refusals(refused: Iterable[tuple[str, InvalidRequestError]]) -> list[dict[str, Any]]:
    return [{"method": name, "problem": _builtins(error.document())} for name, error in refused]


def _say_notes(
    notes: Iterable[str],
    dropped: int,
    of_methods: Iterable[tuple[str, tuple[str, ...]]],
    refused: Iterable[tuple[str, InvalidRequestError]],
) -> None:
    """Say on stderr what there is to know about the figures."""
    for note in notes:
        output.say(note)
    if dropped:
        output.say(f"{dropped:,} rows without a return were left out")
    for name, told in of_methods:
        for note in told:
            output.say(f"{name}: {note}")
    for name, error in refused:
        output.say(f"{name}: {error.detail}")
