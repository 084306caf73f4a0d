"""What an answer says, apart from where it comes from: the stamp is put on when it is handed out.

This module must not know what is read.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass

from data.forms import day_of
from data.problems import ProviderNotFoundError
from providers.alpha_vantage import shapes, symbols
from providers.core.http import Answer, Stamp


@dataclass(frozen=True, slots=True)
class Reading[T]:
    """An answer that was read without error."""

    make: Callable[[Stamp], T]  #: makes the facts, all of them with this stamp
    as_of: dt.date | None = None  #: the day that the answer names; None: it names none


def facts[T](answer: Answer[Reading[T]]) -> T:
    """Return what was read as facts; of an answer that names no day, the day it was fetched."""
    return answer.value.make(answer.stamp(answer.value.as_of or day_of(answer.fetched_at)))


def of_symbol(answered: object, asked: str) -> str:
    """Return the symbol that an answer is about; raises BadPayloadError if another was asked about."""
    if answered and symbols.spelled(str(answered)) != asked:
        raise shapes.bad(
            f"answered {str(answered)[:20]!r} when {asked} was asked",
            "an answer is about the symbol that was asked",
        )
    return asked


def nothing(function: str, symbol: str) -> ProviderNotFoundError:
    """Return the error for an answer that is well formed and empty."""
    return ProviderNotFoundError(
        f"Alpha Vantage has no {function} of {symbol}",
        rule="Alpha Vantage has this for the symbol",
        fix="search for the symbol; funds and foreign symbols have no company figures",
        symbol=symbol,
    )
