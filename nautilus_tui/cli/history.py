"""``import``, ``history``, ``compact``, ``sql``: market data kept, brought in and asked.

This module must not know how the history is stored.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import msgspec
import typer

from data.commands import CompactHistory, ImportHistory
from data.problems import InvalidRequestError
from nautilus_tui.cli import background, output, words
from nautilus_tui.cli.session import Session, session_of
from nautilus_tui.client.problems import NotReachableError

if TYPE_CHECKING:
    from nautilus_tui.client.api import Table

_LONG_S = 120.0  # the longest a command may take to be answered


def import_file(
    context: typer.Context,
    file: Annotated[Path, typer.Argument(help="CSV or Parquet file of ticks or bars.", show_default=False)],
    instrument: Annotated[str, typer.Option("--instrument", "-i", help="What it is of, e.g. GBPUSD.SIM.")],
    kind: Annotated[
        Literal["bars", "quotes", "trades"] | None, typer.Option("--kind", help="Guessed if left out.")
    ] = None,
    timeframe: Annotated[str | None, typer.Option("--timeframe", "-t", help="Of bars: 1m, 1h, 1d …")] = None,
    side: Annotated[
        Literal["bid", "ask", "mid", "last"] | None, typer.Option("--side", help="Which price bars are of.")
    ] = None,
    column: Annotated[
        list[str] | None, typer.Option("--column", "-c", help="FIELD=COLUMN, e.g. time=Date; repeatable.")
    ] = None,
    timezone: Annotated[
        str | None,
        typer.Option(
            "--timezone", help="Of times without a zone; default what is known of the format, else UTC."
        ),
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what would be done.")] = False,
) -> None:
    """Import ticks or bars; the guessed mapping is shown, bad rows are reported with their lines."""
    session = session_of(context)
    path = file.expanduser().absolute()
    if not session.url and not path.is_file():
        raise InvalidRequestError(
            f"there is no file {path}", rule="FILE is a CSV or Parquet file", fix="check the name"
        )
    command = ImportHistory(
        path=str(path),
        instrument=instrument,
        kind=kind,
        timeframe=timeframe,
        side=side,
        columns=_mapping(column or []),
        timezone=timezone,
        dry_run=dry_run,
    )
    try:
        told = session.carry_out(command, timeout=_LONG_S, until_answered=True).data
        report = {name: msgspec.json.decode(value) for name, value in told.items()}
    except NotReachableError:
        if session.url:
            raise
        report = _import_here(session, command)
    session.show(report, lambda: _told(report))
    if report["bad"] and not session.json:
        _tell_bad_rows(report)


def _import_here(session: Session, command: ImportHistory) -> dict[str, Any]:
    """Import without a daemon."""
    from data.history import History
    from data.importing import import_file

    with background.instead_of_daemon(session.home):
        report = import_file(
            History(session.home.history),
            Path(command.path),
            command.instrument,
            kind=command.kind,
            period=command.timeframe,
            side=command.side,
            columns=command.columns,
            timezone=command.timezone,
            dry_run=command.dry_run,
        )
    found: dict[str, Any] = msgspec.to_builtins(report)
    return found


def _mapping(given: list[str]) -> dict[str, str]:
    mapping = {}
    for pair in given:
        field, equals, column = pair.partition("=")
        if not (field and equals and column):
            raise typer.BadParameter(f"{pair!r} is not FIELD=COLUMN, e.g. time=Date", param_hint="--column")
        mapping["time" if field == "ts" else field] = column
    return mapping


def _told(report: dict[str, Any]) -> Any:
    """Return what was guessed and what was done, a fact a line."""
    plan = report["plan"]
    verb = "would be imported" if report["dry_run"] else "imported"
    what = " ".join(filter(None, (plan["instrument"], plan.get("timeframe"), plan["kind"], plan.get("side"))))
    mapping = ", ".join(f"{field} ← {column}" for field, column in plan["columns"].items())
    table = output.columns("", "", last_wraps=True)
    table.show_header = False
    table.add_row(_label("what"), what)
    table.add_row(_label("columns"), mapping)
    table.add_row(_label("rows"), f"{report['rows_read']:,} read, {report['imported']:,} {verb}")
    for name in ("already_there", "duplicates", "other_symbols", "out_of_order", "bad"):
        if report[name]:
            table.add_row(_label(name.replace("_", " ")), f"{report[name]:,}")
    if report["first"] is not None:
        table.add_row(_label("from"), f"{words.clock(report['first'])} to {words.clock(report['last'])} UTC")
    for note in dict.fromkeys([*plan["notes"], *report["notes"]]):
        table.add_row(_label("note"), note)
    return table


def _label(text: str) -> Any:
    return output.tinted(text, "dim")


def _tell_bad_rows(report: dict[str, Any]) -> None:
    for one in report["bad_rows"]:
        output.say(f"line {one['line']}: {one['reason']}: {one['text']}")
    if report["bad"] > len(report["bad_rows"]):
        output.say(f"… and {report['bad'] - len(report['bad_rows']):,} more bad rows")


def catalogue(context: typer.Context) -> None:
    """List what the history holds."""
    session = session_of(context)
    found = session.ask(lambda api: api.catalogue())
    session.show(found, lambda: _catalogue(found))


def _catalogue(found: list[dict[str, Any]]) -> Any:
    if not found:
        return "the history is empty"
    table = output.columns("Instrument", "Kind", "Side", "Rows", "First", "Last", "Source", right=("Rows",))
    for one in found:
        table.add_row(
            str(one["instrument"]),
            " ".join(filter(None, (str(one["kind"]), one.get("timeframe")))),
            words.text(one.get("side")),
            words.number(one["rows"]),
            words.clock(one.get("ts_first")),
            words.clock(one.get("ts_last")),
            str(one.get("source", "")) + (" SIM" if one.get("synthetic") else ""),
        )
    return table


def compact(context: typer.Context) -> None:
    """Compact recorded ticks into Parquet now instead of on schedule."""
    session = session_of(context)
    outcome = session.carry_out(CompactHistory(), timeout=_LONG_S)
    session.show(outcome.data, lambda: outcome.detail or "done")


def sql(
    context: typer.Context,
    query: Annotated[str, typer.Argument(help="One SELECT over quotes, trades, bars.", show_default=False)],
    limit: Annotated[int, typer.Option("--limit", "-n", help="Rows at most.", min=1, max=100_000)] = 1000,
) -> None:
    """Ask the history in SQL, read-only."""
    session = session_of(context)
    try:
        found = session.ask(lambda api: api.sql(query, limit=limit))
    except NotReachableError:
        if session.url or not session.home.history.exists():
            raise
        found = _ask_here(session, query, limit)
    if session.json:
        output.show_json([dict(zip(found.columns, row, strict=True)) for row in found.rows])
    else:
        first = found.rows[0] if found.rows else []
        numbers = [
            name for name, value in zip(found.columns, first, strict=False) if isinstance(value, int | float)
        ]
        table = output.columns(*found.columns, right=numbers)
        for row in found.rows:
            table.add_row(*("" if value is None else str(value) for value in row))
        output.show(table)
    if found.truncated:
        output.say(f"only the first {limit} rows; see --limit")


def _ask_here(session: Session, query: str, limit: int) -> Table:
    """Ask the history without a daemon."""
    from data.history import History
    from nautilus_tui.client.api import Table

    found = History(session.home.history).sql(query, limit=limit)
    return Table(list(found.columns), [list(row) for row in found.rows], found.truncated)
