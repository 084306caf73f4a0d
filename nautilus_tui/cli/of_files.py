"""What commands about a file of returns share: its options, what is told about it, its words.

This module must not know how a figure is computed.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from data.problems import InvalidRequestError
from nautilus_tui.cli import output

if TYPE_CHECKING:
    from datetime import date

    from risk.returns import Returns

MaybeReturnsOption = Annotated[
    Path | None,
    typer.Option(
        "--returns",
        "-r",
        metavar="FILE",
        help="CSV or Parquet with a column return; without it the figures are of the book.",
        show_default=False,
    ),
]
ColumnOption = Annotated[str, typer.Option("--column", help="Where the returns are.")]
DropOption = Annotated[
    bool, typer.Option("--drop-missing", help="Leave out rows without a return, and say how many.")
]


def only_of_files(context: typer.Context, *names: str) -> None:
    """Refuse options that are about a file where there is none."""
    for name in names:
        if _is_given(context, name):
            raise InvalidRequestError(
                f"--{name.replace('_', '-')} is about a file of returns",
                rule="without --returns the figures are of the book",
                fix="give --returns FILE, or leave it out",
                field=name,
            )


def only_of_books(context: typer.Context, *names: str) -> None:
    """Refuse options that are about the book where a file is given."""
    for name in names:
        if _is_given(context, name):
            raise InvalidRequestError(
                f"--{name.replace('_', '-')} is about the book",
                rule="with --returns the figures are of the file",
                fix="leave --returns out, or the option",
                field=name,
            )


def _is_given(context: typer.Context, name: str) -> bool:
    """Tell whether an option stands on the command line, whatever its value."""
    source = context.get_parameter_source(name)
    return source is not None and not source.name.startswith("DEFAULT")


def share(fraction: float | None) -> str:
    return "—" if fraction is None else f"{fraction * 100:.4f} %"


def path(given: Path) -> Path:
    return given.expanduser().absolute()


def day(days: Sequence[date] | None, place: int) -> str | int:
    """Return the day of a return; without dates its number, from 1."""
    return place + 1 if days is None else days[place].isoformat()


def builtins(value: Any) -> dict[str, Any]:
    import msgspec

    facts: dict[str, Any] = msgspec.to_builtins(value)
    return facts


def source(found: Returns) -> dict[str, Any]:
    """Return what JSON tells about the file."""
    facts: dict[str, Any] = {"file": found.name, "dropped": found.dropped, "notes": list(found.notes)}
    if found.days is not None:
        facts |= {"first": found.days[0].isoformat(), "last": found.days[-1].isoformat()}
    return facts


def say_notes(
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
