"""What is not worth one of the day's few requests: what was refused or absent a while ago.

It is kept in memory only: after a restart everything may be tried once more. This module must not
know how anything is asked for.
"""

from __future__ import annotations

from data.forms import NANOS
from data.problems import NotEntitledError, ProviderError, ProviderNotFoundError
from providers.alpha_vantage.functions import FUNCTIONS
from providers.core.http import DAY, MINUTE

#: How long it is remembered that the key may not ask something, and that there is nothing to be had.
_REFUSED_NS = int(DAY) * NANOS
_ABSENT_NS = int(10 * MINUTE) * NANOS


class Memory:
    """What was answered by function, form and symbol; all times are UTC ns."""

    def __init__(self) -> None:
        self._refused: dict[tuple[str, bool], tuple[int, NotEntitledError]] = {}
        self._absent: dict[tuple[str, str], tuple[int, ProviderNotFoundError]] = {}
        self._answered: set[str] = set()

    def recall(self, function: str, symbol: str, *, full: bool, now: int) -> None:
        """Raise what was answered a while ago if it still holds; else it is worth asking."""
        until, refused = self._refused.get((function, full), (0, None))
        if refused is not None and now < until:
            raise _again(refused)
        until, absent = self._absent.get((function, symbol), (0, None))
        if absent is not None and now < until:
            raise _again(absent)

    def answered(self, function: str) -> None:
        """Note that the key may ask this."""
        self._answered.add(function)

    def refused(self, function: str, error: NotEntitledError, *, full: bool, now: int) -> None:
        """Note that the key may not: of what is premium nothing, of the rest this form only."""
        self._answered.discard(function)
        for form in (True, False) if FUNCTIONS[function].premium else (full,):
            self._refused[function, form] = now + _REFUSED_NS, error

    def absent(self, function: str, symbol: str, error: ProviderNotFoundError, *, now: int) -> None:
        """Note that there is nothing of a symbol."""
        self._absent[function, symbol] = now + _ABSENT_NS, error

    def entitled(self, function: str) -> bool | None:
        """Return whether the key was seen to be entitled to a function; None: not tried."""
        if function in self._answered:
            return True
        return False if any(name == function for name, _ in self._refused) else None


def _again[E: ProviderError](error: E) -> E:
    """Return the same error as one of its own: the one raised before carries where that was."""
    copy = type(error)(error.detail, rule=error.rule, fix=error.fix)
    copy.extra = dict(error.extra)
    return copy
