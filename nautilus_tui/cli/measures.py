"""``risk var``, ``risk backtest``, ``performance``: figures of a file of returns, without a daemon.

Without a file ``risk var`` and ``performance`` are about the book, which the daemon is asked of.

This module must not know how a figure is computed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from data.limits import VAR_METHODS
from data.problems import InvalidRequestError
from nautilus_tui.cli import analytics, of_files, output, words
from nautilus_tui.cli.analytics import BookOption
from nautilus_tui.cli.session import Session, session_of

if TYPE_CHECKING:
    from risk.backtesting import Backtest
    from risk.measures.methods import Options
    from risk.measures.sample import Measure
    from risk.returns import Returns

risk_app = typer.Typer(
    help="What the book risks: value at risk, stress, exposures, forecasts, reports; of files of returns too."
)

_METHODS = ", ".join(VAR_METHODS)
_ALL = "all"
_LATEST = 10  # exceptions that people are shown

ReturnsOption = Annotated[
    Path,
    typer.Option(
        "--returns", "-r", metavar="FILE", help="CSV or Parquet with a column return.", show_default=False
    ),
]
MethodOption = Annotated[str, typer.Option("--method", "-m", help=f"{_METHODS}, or all.")]
ConfidenceOption = Annotated[float, typer.Option("--confidence", "-c", help="Between 0.5 and 1.")]
SeedOption = Annotated[int, typer.Option("--seed", help="Of monte_carlo.")]
ThresholdOption = Annotated[float, typer.Option("--threshold", help="Of evt: where the tail begins.")]
DecayOption = Annotated[float, typer.Option("--decay", help="Of filtered: weight of yesterday's variance.")]


@risk_app.callback()
def risk() -> None:
    """What the book risks: value at risk, stress, exposures, forecasts, reports; of files of returns too."""


@risk_app.command("var")
def value_at_risk(
    context: typer.Context,
    returns: of_files.MaybeReturnsOption = None,
    method: Annotated[
        str | None,
        typer.Option(
            "--method",
            "-m",
            help=f"{_METHODS}, or all. Of a file historical if left out, of the book all.",
            show_default=False,
        ),
    ] = None,
    confidence: Annotated[
        float | None,
        typer.Option(
            "--confidence",
            "-c",
            help="Between 0.5 and 1. Of a file 0.99 if left out, of the book 0.95 and 0.99.",
            show_default=False,
        ),
    ] = None,
    horizon: Annotated[
        int | None,
        typer.Option(
            "--horizon",
            help="Days, 1 to 22. Of a file 1 if left out, of the book 1 and 10.",
            show_default=False,
        ),
    ] = None,
    engine: BookOption = None,
    components: Annotated[
        str,
        typer.Option("--components", help="How the book's is shared out: normal, historical, monte_carlo."),
    ] = "normal",
    column: of_files.ColumnOption = "return",
    drop_missing: of_files.DropOption = False,
    seed: SeedOption = 1,
    paths: Annotated[int, typer.Option("--paths", help="Of monte_carlo.")] = 100_000,
    threshold: ThresholdOption = 0.90,
    decay: DecayOption = 0.94,
) -> None:
    """Measure VaR and expected shortfall: of the book, or of a file as fractions of the position."""
    session = session_of(context)
    if returns is None:
        of_files.only_of_files(context, "column", "drop_missing", "seed", "paths", "threshold", "decay")
        analytics.show_risk(session, engine, method, confidence, horizon, components)
        return
    of_files.only_of_books(context, "engine", "components")
    from risk import returns as files
    from risk.measures.methods import Options, measure

    method = "historical" if method is None else method
    confidence = 0.99 if confidence is None else confidence
    horizon = 1 if horizon is None else horizon
    found = files.read(of_files.path(returns), column=column, drop_missing=drop_missing)
    options = Options(decay=decay, seed=seed, paths=paths, threshold=threshold)
    results, refused = _of_each(
        method, lambda name: measure(name, found.values, confidence, horizon, options)
    )
    _show_measures(session, found, [one for _, one in results], refused, alone=method != _ALL)


risk_app.command("stress")(analytics.stress)
risk_app.command("exposures")(analytics.exposures)


def _of_each[T](
    method: str, figure: Callable[[str], T]
) -> tuple[list[tuple[str, T]], list[tuple[str, InvalidRequestError]]]:
    """Return a figure of one method, or of all and why some refuse; raises if none can say."""
    results, refused = [], []
    for name in VAR_METHODS if method == _ALL else (method,):
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
        facts = [of_files.builtins(one) for one in results]
        source = of_files.source(found)
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
            of_files.share(one.var),
            of_files.share(one.es),
            words.number(one.n),
            one.rule,
        )
    output.show(table)
    of_files.say_notes(found.notes, found.dropped, ((one.method, one.notes) for one in results), refused)


@risk_app.command("backtest")
def backtest(
    context: typer.Context,
    returns: ReturnsOption,
    method: MethodOption = "historical",
    window: Annotated[int, typer.Option("--window", "-w", help="Returns that each VaR is made of.")] = 500,
    confidence: ConfidenceOption = 0.99,
    column: of_files.ColumnOption = "return",
    drop_missing: of_files.DropOption = False,
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
    found = files.read(of_files.path(returns), column=column, drop_missing=drop_missing)
    options = Options(decay=decay, seed=seed, paths=paths, threshold=threshold)

    def tested(name: str) -> Backtest:
        limits = backtesting.rolling_var(found.values, name, confidence, window, options)
        return backtesting.backtest(found.values[window:], limits, confidence)

    results, refused = _of_each(method, tested)
    if not session.json:
        output.show(_backtests(results), *_lines(results, found, window))
        of_files.say_notes(found.notes, found.dropped, (), refused)
        return
    facts = [_backtest_facts(name, one, found, window, options) for name, one in results]
    output.show_json(
        facts[0] | of_files.source(found)
        if method != _ALL
        else of_files.source(found) | {"results": facts, "refused": _refusals(refused)}
    )


def _backtest_facts(
    name: str, one: Backtest, found: Returns, window: int, options: Options
) -> dict[str, Any]:
    facts = {"method": name, "window": window, "n": len(found.values)} | of_files.builtins(one)
    facts["zone"] = one.zone
    facts["rate"] = one.exceptions / one.days
    facts["exception_days"] = [of_files.day(found.days, window + place) for place in one.exception_days]
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
        days = [str(of_files.day(found.days, window + place)) for place in one.exception_days[-_LATEST:]]
        lines.append(f"exceeded{'' if found.days else ' at return'}, latest: {', '.join(days)}")
    return lines


def _refusals(refused: Iterable[tuple[str, InvalidRequestError]]) -> list[dict[str, Any]]:
    return [{"method": name, "problem": of_files.builtins(error.document())} for name, error in refused]
