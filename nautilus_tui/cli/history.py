"""``import``, ``history``, ``compact``, ``sql``: market data kept, brought in and asked.

This module must not know how the history is stored.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Literal

import typer

from data.commands import CompactHistory, ImportHistory
from data.problems import InvalidRequestError
from nautilus_tui.cli import output, words
from nautilus_tui.cli.session import session_of

_IMPORT_S = 120.0


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
        list[str] | None, typer.Option("--column", "-c", help="FIELD=COLUMN, e.g. ts=Date; repeatable.")
    ] = None,
    timezone: Annotated[str, typer.Option("--timezone", help="Of times without a zone.")] = "UTC",
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what would be done.")] = False,
) -> None:
    """Import ticks or bars; the guessed mapping is shown, bad rows are reported with their lines."""
    session = session_of(context)
    path = file.expanduser().absolute()
    if not session.url and not path.is_file():
        raise InvalidRequestError(f"there is no file {path}", rule="FILE is a CSV or Parquet file")
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
    outcome = session.carry_out(command, timeout=_IMPORT_S)
    session.show(outcome.data, lambda: _facts(outcome.data))


def _mapping(given: list[str]) -> dict[str, str]:
    mapping = {}
    for pair in given:
        field, equals, column = pair.partition("=")
        if not (field and equals and column):
            raise typer.BadParameter(f"{pair!r} is not FIELD=COLUMN, e.g. ts=Date", param_hint="--column")
        mapping[field] = column
    return mapping


def _facts(facts: dict[str, str]) -> Any:
    table = output.columns("Fact", "Value")
    for name, value in facts.items():
        table.add_row(name.replace("_", " "), value)
    return table


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
    outcome = session.carry_out(CompactHistory(), timeout=_IMPORT_S)
    session.show(outcome.data, lambda: outcome.detail or "done")


def sql(
    context: typer.Context,
    query: Annotated[str, typer.Argument(help="One SELECT over quotes, trades, bars.", show_default=False)],
    limit: Annotated[int, typer.Option("--limit", "-n", help="Rows at most.", min=1, max=100_000)] = 1000,
) -> None:
    """Ask the history in SQL, read-only."""
    session = session_of(context)
    found = session.ask(lambda api: api.sql(query, limit=limit))
    if session.json:
        output.show_json([dict(zip(found.columns, row, strict=True)) for row in found.rows])
    else:
        numbers = [
            name
            for index, name in enumerate(found.columns)
            if any(isinstance(row[index], int | float) for row in found.rows[:1])
        ]
        table = output.columns(*found.columns, right=numbers)
        for row in found.rows:
            table.add_row(*("" if value is None else str(value) for value in row))
        output.show(table)
    if found.truncated:
        output.say(f"only the first {limit} rows; see --limit")
