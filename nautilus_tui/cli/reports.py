"""``risk report``: a report in any format, written where it is wanted; and those that the daemon has written.

This module must not know what is in a report.
"""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from data.durable import replace_whole
from data.problems import InvalidRequestError
from nautilus_tui.cli import output, words
from nautilus_tui.cli.session import Session, session_of

if TYPE_CHECKING:
    from data.reports import Rendered, WrittenReport

_LIST = "list"
_TYPES = (
    "daily_risk, weekly_summary, monthly_summary, regulatory, stress_test, limit_utilization, "
    "breach_analysis, var_backtest, correlation, concentration, performance_attribution, execution_quality"
)


def report(
    context: typer.Context,
    kind: Annotated[str, typer.Argument(metavar="TYPE", help=f"{_TYPES}; or list.", show_default=False)],
    form: Annotated[str, typer.Option("--format", "-f", help="json, csv, xlsx, html or pdf.")] = "pdf",
    out: Annotated[
        str | None,
        typer.Option(
            "--out", "-o", metavar="FILE", help="Where to; - is the standard output.", show_default=False
        ),
    ] = None,
    portfolio: Annotated[
        str, typer.Option("--portfolio", "-p", help="portfolio, or one engine.")
    ] = "portfolio",
    keep: Annotated[
        bool, typer.Option("--keep", help="The daemon writes it into its own folder of reports.")
    ] = False,
) -> None:
    """Write a risk report as things stand now; `list` shows those that the daemon has written."""
    from data.reports import report_format, report_type

    session = session_of(context)
    if kind == _LIST:
        _show_written(session)
        return
    name, form = report_type(kind), report_format(form)
    if keep:
        if out is not None:
            raise InvalidRequestError(
                "--keep and --out are both given", rule="one place to write to", fix="leave one out"
            )
        _keep(session, name, form, portfolio)
        return

    async def question(api: Any) -> Rendered:
        found: Rendered = await api.report(name, form, portfolio)
        return found

    made = session.ask(question)
    if out == "-":
        output.write_bytes(made.content)
        return
    path = (Path(out).expanduser() if out else Path(made.name)).absolute()
    _write(path, made.content)
    facts = {
        "report_type": name,
        "report_format": form,
        "portfolio": portfolio,
        "path": str(path),
        "bytes": len(made.content),
        "sha256": hashlib.sha256(made.content).hexdigest(),
        "synthetic": made.synthetic,
    }
    if session.json:
        output.show_json(facts)
    else:
        output.show(str(path))
        if made.synthetic:
            output.say("SYNTHETIC: from generated prices")


def _keep(session: Session, name: str, form: str, portfolio: str) -> None:
    from data.risk_commands import MakeReport

    command = MakeReport(report_type=name, report_format=form, parameters={"portfolio": portfolio})
    outcome = session.carry_out(command, timeout=60.0)
    if session.json:
        output.show_json(output.outcome_facts(outcome))
    else:
        output.show(outcome.data["path"])


def _show_written(session: Session) -> None:
    async def question(api: Any) -> list[WrittenReport]:
        found: list[WrittenReport] = await api.reports()
        return found

    found = session.ask(question)
    if session.json:
        output.show_json(found)
        return
    if not found:
        output.say("no report has been written yet; see [reports] in the settings, or --keep")
        return
    table = output.columns(
        "Made, UTC", "Report", "Format", "Portfolio", "Bytes", "", "File", right=("Bytes",)
    )
    for one in found:
        told = " ".join(
            [*(["scheduled"] if one.scheduled else []), *(["SYNTHETIC"] if one.synthetic else [])]
        )
        table.add_row(
            words.clock(one.ts),
            one.report_type,
            one.report_format,
            one.portfolio_id,
            words.number(one.bytes),
            told,
            one.name,
        )
    output.show(table)
    if session.url is None:
        output.say(f"in {session.home.reports}")


def _write(path: Path, content: bytes) -> None:
    """Write a whole file or none; raises InvalidRequestError where that cannot be."""
    try:
        replace_whole(path, content)
    except OSError as error:
        raise InvalidRequestError(
            f"{path} cannot be written: {error.strerror}",
            rule="--out names a file in a folder that can be written",
            fix="give another with --out",
        ) from error
