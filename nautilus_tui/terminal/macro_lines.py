"""What can be said of the economy on the ``:`` line: ``macro`` and what follows it.

It must not know of Textual, of the mirror or of how a statement is carried out.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable
from typing import cast, get_args

from nautilus_tui.terminal.macro_view import YEARS
from nautilus_tui.terminal.statements import MacroLine, MacroVerb
from nautilus_tui.terminal.words import CommandLineError, Reader

_SERIES = re.compile(r"[A-Z0-9_]{1,40}")
#: The first day of which there are vintages of anything.
_FIRST = dt.date(1927, 1, 1)


def read_macro(reader: Reader) -> MacroLine:
    """Read what follows ``macro``; nothing at all goes to the workspace."""
    verbs = tuple(verb for verb in get_args(MacroVerb) if verb != "show")
    if reader.peek() is None:
        reader.wanted.extend(verbs)
        return MacroLine("show")
    verb = cast("MacroVerb", reader.word("what of macro", verbs))
    match verb:
        case "factor":
            return MacroLine(verb, name=reader.name("factor", reader.known.factors))
        case "series":
            return MacroLine(verb, name=_series(reader))
        case "as-of":
            return MacroLine(verb, as_of=_as_of(reader))
        case "years":
            words = tuple(str(years) if years else "max" for years in YEARS)
            word = reader.word("years", words)
            return MacroLine(verb, years=0 if word == "max" else int(word))
        case _:
            return MacroLine(verb)


def _series(reader: Reader) -> str:
    token = reader.take("series id (DGS10)", reader.known.series)
    name = token.text.upper()
    if not _SERIES.fullmatch(name):
        raise CommandLineError(
            f"series: {token.text!r} is not a series id like DGS10 or CPIAUCSL", token.at, reader.known.series
        )
    return name


def _as_of(reader: Reader) -> dt.date | None:
    token = reader.take("date (2024-12-01), or today", ("today",))
    if token.text.lower() in ("today", "now", "off"):
        return None
    try:
        day = dt.date.fromisoformat(token.text)
    except ValueError as error:
        raise CommandLineError(
            f"as-of: {token.text!r} is not a date like 2024-12-01, nor today", token.at, ("today",)
        ) from error
    if not _FIRST <= day < dt.date(2200, 1, 1):
        raise CommandLineError(
            f"as-of: nothing is known of {day}; the first vintages are of {_FIRST.year}", token.at
        )
    return day


#: Verbs of this area: how each reads its words, and how it is written in help.
MACRO_VERBS: dict[str, tuple[Callable[[Reader], MacroLine], str]] = {
    "macro": (
        read_macro,
        "macro factor slope_10y2y · series DGS10 · as-of 2024-12-01 · refresh",
    ),
}
