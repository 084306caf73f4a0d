"""What the SQL console answers. This module must not know how a query is run."""

from __future__ import annotations

import msgspec

Value = str | int | float | bool | None


class SqlResult(msgspec.Struct, frozen=True, kw_only=True):
    """A query's answer. Decimals and times are texts: exact, and the same in JSON."""

    columns: tuple[str, ...]
    types: tuple[str, ...]
    rows: list[tuple[Value, ...]]
    truncated: bool  #: there were more rows than asked for
    seconds: float
