"""The words of a ``:`` line, read left to right against the names that mean something now.

Raises nothing but :class:`CommandLineError`; remembers what it would have taken at the end of the line, which
is what completion offers. It must not know the grammar, nor of Textual or the mirror.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from difflib import get_close_matches
from typing import NamedTuple

_PLAIN_NUMBER = re.compile(r"(\d{1,18})?(\.\d{1,18})?")


class CommandLineError(Exception):
    """A line that means nothing: what is wrong, at which column, and what could stand there."""

    def __init__(self, message: str, at: int, wanted: Sequence[str] = ()) -> None:
        super().__init__(message)
        self.message = message
        self.at = at
        self.wanted = tuple(wanted)


@dataclass(frozen=True, slots=True)
class Known:
    """The names that mean something now. An empty tuple of names means: not known, take any."""

    instruments: tuple[str, ...] = ()
    orders: tuple[str, ...] = ()  #: working orders
    positions: tuple[str, ...] = ()  #: instruments with an open position
    engines: tuple[str, ...] = ()
    timeframes: tuple[str, ...] = ()
    themes: tuple[str, ...] = ()
    factors: tuple[str, ...] = ()
    series: tuple[str, ...] = ()  #: ids of series that are worth naming; others are taken too
    companies: tuple[str, ...] = ()  #: tickers that are worth naming; others are taken too
    metrics: tuple[str, ...] = ()  #: of the company looked at; others are taken too
    limits: tuple[str, ...] = ()  #: ids of limits
    scopes: tuple[str, ...] = ()  #: of limits, beside the portfolio; others are taken too
    changes: tuple[str, ...] = ()  #: ids of changes of limits that wait for a second person
    acknowledgeable: tuple[str, ...] = ()  #: ids of breaches and alerts nobody has acknowledged
    factors_shocked: tuple[str, ...] = ()  #: names that a stress test knows; others are taken too
    actions: tuple[str, ...] = ()  #: names of all other actions


class Token(NamedTuple):
    """A word and its column."""

    text: str
    at: int


@dataclass(slots=True)
class Reader:
    """The words of a line and how far they have been read."""

    tokens: list[Token]
    end: int
    known: Known
    position: int = 0
    wanted: list[str] = field(default_factory=list)

    def peek(self) -> str | None:
        """Return the next word in lower case, None at the end."""
        return self.tokens[self.position].text.lower() if self.position < len(self.tokens) else None

    def take(self, what: str, wanted: Iterable[str] = ()) -> Token:
        """Return the next word, or fail saying ``what`` is missing."""
        if self.position >= len(self.tokens):
            self.wanted.extend(wanted)
            raise CommandLineError(f"{what} is missing", self.end, self.wanted)
        self.position += 1
        return self.tokens[self.position - 1]

    def word(self, what: str, words: Sequence[str]) -> str:
        """Return one of ``words``, whatever the case it was typed in."""
        token = self.take(what, words)
        lowered = token.text.lower()
        if lowered in words:
            return lowered
        near = get_close_matches(lowered, words, n=1)
        hint = f"did you mean {near[0]}?" if near else "one of " + ", ".join(words)
        raise CommandLineError(f"{what}: {token.text!r} is not known; {hint}", token.at, words)

    def option(self, words: Sequence[str]) -> str | None:
        """Take the next word if it is one of ``words``; at the end, note that they could follow."""
        if self.position >= len(self.tokens):
            self.wanted.extend(words)
            return None
        lowered = self.peek()
        if lowered in words:
            self.position += 1
            return lowered
        return None

    def name(self, what: str, names: tuple[str, ...], *, upper: bool = False) -> str:
        """Return a known name from its whole, or from a beginning or end that fits only one."""
        token = self.take(what, names)
        if not names:
            return token.text.upper() if upper else token.text
        typed = token.text.lower()
        whole = [n for n in names if n.lower() == typed]
        fits = whole or [n for n in names if n.lower().partition(".")[0] == typed]
        fits = fits or [n for n in names if n.lower().startswith(typed) or n.lower().endswith(typed)]
        if len(fits) == 1:
            return fits[0]
        if fits:
            raise CommandLineError(
                f"{what}: {token.text!r} fits {', '.join(fits[:4])}; type more of it", token.at, fits
            )
        near = get_close_matches(typed, [n.lower() for n in names], n=1, cutoff=0.5)
        hint = (
            f"did you mean {next(n for n in names if n.lower() == near[0])}?" if near else "it is not known"
        )
        raise CommandLineError(f"{what}: {token.text!r}; {hint}", token.at, names)

    def number(self, what: str, *, negative: bool = False) -> Decimal:
        """Return a plain positive number (a price may be negative: spreads and oil have been)."""
        token = self.take(what)
        return plain_number(token.text, what, token.at, negative=negative)

    def finish(self) -> None:
        """Fail when words are left over."""
        if self.position < len(self.tokens):
            token = self.tokens[self.position]
            near = get_close_matches(token.text.lower(), self.wanted, n=1)
            hint = f"; did you mean {near[0]}?" if near else ""
            raise CommandLineError(f"{token.text!r} is one word too many{hint}", token.at)


def plain_number(text: str, what: str, at: int, *, negative: bool = False) -> Decimal:
    """Return the number a word is.

    Raises:
        CommandLineError: when it is not digits with at most one point, or not more than zero.
    """
    sign, digits = (-1, text[1:]) if negative and text.startswith("-") else (1, text)
    if not digits.isascii() or digits in ("", ".") or not _PLAIN_NUMBER.fullmatch(digits):
        hint = "; write it without commas" if "," in text else ""
        raise CommandLineError(f"{what}: {text!r} is not a plain number{hint}", at)
    value = sign * Decimal(digits)
    if value == 0 or (value < 0 and not negative):
        raise CommandLineError(f"{what} must be more than zero", at)
    return value
