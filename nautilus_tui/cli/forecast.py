"""``risk forecast``: how likely limits are breached soon, and how well such forecasts do.

``risk forecast`` asks the daemon; ``risk forecast score`` repeats the scoring on any file, without one.
This module must not know how a figure is computed.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from data.problems import InvalidRequestError
from nautilus_tui.cli import output, words
from nautilus_tui.cli.session import session_of

if TYPE_CHECKING:
    from data.limits import BreachForecast, Driver, ForecastScore
    from risk.forecast.scoring import Difference, OfHorizon, Scored

app = typer.Typer(help="How likely limits are breached within 5, 30 and 240 minutes.")

_DRIVERS = 2  # that people are shown


@app.callback(invoke_without_command=True)
def forecast(context: typer.Context) -> None:
    """Show how likely each limit is breached soon, what that rests on, and how the model has done."""
    if context.invoked_subcommand is not None:
        return
    session = session_of(context)

    async def question(api: Any) -> tuple[list[BreachForecast], list[ForecastScore]]:
        return await api.breach_forecasts(), await api.forecast_scores()

    found, scores = session.ask(question)
    if session.json:
        output.show_json({"forecasts": found, "scores": scores})
        return
    if not found:
        output.say("there is no limit to forecast")
    else:
        output.show(_forecasts(found))
        if any(one.synthetic for one in found):
            output.say("SYNTHETIC: from simulated prices")
        output.say(f"model: {found[0].model}")
    output.show("", _told_scores(scores))


def _forecasts(found: list[BreachForecast]) -> Any:
    right = ("5 min", "30 min", "4 h", "In about")
    table = output.columns("Limit", *right, "Rests on", right=right, last_wraps=True)
    for one in found:
        rests = ", ".join(_driver(driver) for driver in one.drivers[:_DRIVERS])
        table.add_row(
            one.limit_id,
            *(_percent(chance) for chance in (one.p5, one.p30, one.p240)),
            "—" if one.minutes_to_breach is None else f"{one.minutes_to_breach:,.0f} min",
            one.reason or rests,
        )
    return table


def _driver(one: Driver) -> str:
    return f"{one.name} {one.value:.3g} ({one.effect * 100:+.1f} points)"


def _percent(chance: float | None) -> str:
    return "—" if chance is None else f"{chance * 100:.1f} %"


def _told_scores(scores: list[ForecastScore]) -> Any:
    right = ("Within", "Forecasts", "Breached", "Brier", "Base rate")
    table = output.columns("Scored on", *right, "Better", right=right, last_wraps=True)
    for one in scores:
        better = ""
        if one.brier is not None and one.base_brier is not None:
            better = one.model if one.brier < one.base_brier else "the base rate is better"
        table.add_row(
            "here" if one.place == "here" else one.sample,
            f"{one.minutes} min",
            words.number(one.forecasts),
            words.number(one.breached),
            words.number(one.brier, 5),
            words.number(one.base_brier, 5),
            one.reason or better,
        )
    return table


# ---------------------------------------------------------------- scoring a file


@app.command("score")
def score(
    context: typer.Context,
    prices: Annotated[
        Path,
        typer.Option(
            "--prices", "-p", metavar="FILE", help="CSV or Parquet: times, and prices or a column return."
        ),
    ],
    limit: Annotated[
        list[str] | None,
        typer.Option(
            "--limit",
            "-l",
            metavar="TYPE=VALUE",
            help="drawdown=0.02, daily_loss=0.01 or gross_exposure=1.02; repeat it. Else at usual moves.",
            show_default=False,
        ),
    ] = None,
    held_out: Annotated[float, typer.Option("--held-out", help="Share of the days that is scored.")] = 0.4,
    train: Annotated[
        Path | None,
        typer.Option(
            "--train",
            metavar="FILE",
            help="Fit the candidate to this file instead of the first days.",
            show_default=False,
        ),
    ] = None,
) -> None:
    """Score the forecasts on held-out days: Brier, log loss, calibration, against both baselines."""
    from risk.forecast import paths
    from risk.forecast.scoring import score_file

    session = session_of(context)
    watched = [paths.parse(text) for text in limit or ()]
    found = score_file(_path(prices), watched, held_out, None if train is None else _path(train))
    if session.json:
        output.show_json(found)
    else:
        _show(found)


def _show(found: Scored) -> None:
    output.show(
        f"{found.file}: {found.rows:,} rows, {found.training_days} days to train, "
        f"{found.held_out_days} held out ({found.held_out_from} to {found.held_out_to})",
        f"limits: {', '.join(found.limits)}",
        f"ships: {found.ships}; the candidate is fitted to {found.trained_on}",
    )
    for one in found.horizons:
        output.show("")
        if one.reason is not None:
            output.show(f"within {one.minutes} minutes: {one.reason}")
            continue
        observed = _percent(one.observed)
        output.show(
            f"within {one.minutes} minutes: {one.forecasts:,} forecasts, {observed} breached, "
            f"{one.left_out:,} left out for missing prices",
            _models(one),
            *(_difference(each) for each in one.differences),
            f"better: {one.better}",
            _calibration(one, found.ships),
        )
    for note in found.notes:
        output.say(note)


def _models(one: OfHorizon) -> Any:
    right = ("Brier", "Log loss", "Mean")
    table = output.columns("Model", *right, right=right)
    for each in one.scores:
        table.add_row(each.model, f"{each.brier:.5f}", f"{each.log_loss:.4f}", _percent(each.mean))
    return table


def _difference(one: Difference) -> str:
    verdict = f"{one.better} is better" if one.better else "it cannot be told which is better"
    interval = f"{one.low:+.5f} to {one.high:+.5f}"
    return f"{one.model} less {one.against}: {one.mean:+.5f} (95 %: {interval}), {verdict}"


def _calibration(one: OfHorizon, ships: str) -> Any:
    shown = next(each for each in one.scores if each.model == ships)
    right = ("Forecasts", "Mean", "Breached")
    table = output.columns("Foretold", *right, right=right)
    for place in shown.calibration:
        table.add_row(
            f"{place.low * 100:.0f} to {place.high * 100:.0f} %",
            words.number(place.count),
            _percent(place.forecast),
            _percent(place.observed),
        )
    return table


def _path(given: Path) -> Path:
    if given == Path():  # of an empty text
        raise InvalidRequestError(
            "no file is named", rule="FILE is a CSV or Parquet file", fix="name one: is a variable not set?"
        )
    return given.expanduser().absolute()
