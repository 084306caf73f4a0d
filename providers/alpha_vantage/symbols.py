"""How Alpha Vantage spells symbols: share classes with a dash, foreign exchanges with a suffix.

This module must not know which symbols there are.
"""

from __future__ import annotations

import re

from data.problems import ProviderBadRequestError

_SYMBOL = re.compile(r"[A-Z0-9.:&^$+()/-]{1,32}")
#: A share class, warrants or rights. Suffixes of exchanges have three letters and more.
_CLASS = re.compile(r"[./ ]([A-Z]|WS|WT|RT)$")


def spelling(symbol: str) -> str:
    """Return a symbol as Alpha Vantage spells it: ``brk.b``, ``BRK B`` and ``BRK/B`` are ``BRK-B``.

    Raises ProviderBadRequestError if it cannot be one.
    """
    found = spelled(symbol)
    if not _SYMBOL.fullmatch(found):
        raise ProviderBadRequestError(
            f"{symbol[:40]!r} is not a symbol",
            rule="a symbol has letters, digits, dots and dashes, at most 32",
            fix="search for it by the company's name",
        )
    return found


def spelled(symbol: str) -> str:
    """Return the same without a look at whether it can be one."""
    return _CLASS.sub(r"-\1", " ".join(symbol.upper().split()))


def currency(symbol: str) -> str | None:
    """Return the currency that prices of a symbol are in, where its spelling tells: London is in pence.

    None: only a search tells.
    """
    if symbol.endswith(".LON"):
        return "GBX"
    return None if "." in symbol else "USD"
