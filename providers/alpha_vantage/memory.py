"""What is not worth one of the day's few requests: what was refused or absent a while ago.

It is kept in memory only: after a restart everything may be tried once more. This module must not
know how anything is asked for.
"""

from __future__ import annotations

from data.forms import NANOS
from data.problems import NotEntitledError, ProviderError, ProviderNotFoundError
from providers.alpha_vantage.functions import FUNCTIONS
from providers.core.http import HOUR

#: How long it is remembered.
_HOLDS_NS = int(HOUR) * NANOS
#: An empty answer may be a mishap, so that once is not enough to believe it.
_BELIEVED = 2


class Memory:
    """What was answered by function, form and symbol; all times are UTC ns."""

    def __init__(self) -> None:
        self._refused: dict[tuple[str, bool], tuple[int, NotEntitledError]] = {}
        self._absent: dict[tuple[str, str], tuple[int, int, ProviderNotFoundError]] = {}
        self._answered: set[str] = set()

    def recall(self, function: str, symbol: str, *, full: bool, now: int) -> None:
        """Raise what was answered a while ago if it still holds; else it is worth asking."""
        if (function, full) in self._refused and _is_premium(function, full=full):
            until, refused = self._refused[function, full]
            if now < until:
                raise _again(refused)
        if (function, symbol) in self._absent:
            until, times, absent = self._absent[function, symbol]
            if now < until and times >= _BELIEVED:
                raise _again(absent)

    def answered(self, function: str, symbol: str = "") -> None:
        """Note that the key may ask this, and that there is something of the symbol."""
        self._answered.add(function)
        self._absent.pop((function, symbol), None)

    def refused(self, function: str, error: NotEntitledError, *, full: bool, now: int) -> None:
        """Note that the key may not: of what is premium nothing, of the rest this form only."""
        self._answered.discard(function)
        for form in (True, False) if FUNCTIONS[function].premium else (full,):
            self._refused[function, form] = now + _HOLDS_NS, error

    def absent(self, function: str, symbol: str, error: ProviderNotFoundError, *, now: int) -> None:
        """Note that there is nothing of a symbol."""
        _, times, _ = self._absent.get((function, symbol), (0, 0, error))
        self._absent[function, symbol] = now + _HOLDS_NS, times + 1, error

    def entitled(self, function: str) -> bool | None:
        """Return whether the key was seen to be entitled to a function; None: not tried."""
        if function in self._answered:
            return True
        return False if any(name == function for name, _ in self._refused) else None


def _is_premium(function: str, *, full: bool) -> bool:
    """Say whether a refusal is what a free key has to expect, and not a mishap."""
    return FUNCTIONS[function].premium or full


def _again[E: ProviderError](error: E) -> E:
    """Return the same error as one of its own: the one raised before carries where that was."""
    copy = type(error)(error.detail, rule=error.rule, fix=error.fix)
    copy.extra = dict(error.extra)
    return copy
