"""Parameters that many routes share.

This module must not know of routes.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Final

from litestar.params import Parameter, PathParameter

from engines.rules import ID_LENGTH
from nautilus_tui.daemon.door import DEFAULT_TIMEOUT_S, MAX_TIMEOUT_S

#: As many items as a page can hold, and as it holds where nothing else is asked for.
LONGEST: Final = 10_000

Limit = Annotated[int, Parameter(ge=1, le=LONGEST, description="items a page holds at most")]
Cursor = Annotated[str | None, Parameter(description="the `next` of the page before")]
Engine = Annotated[str | None, Parameter(description="one engine; all if left out")]
OrderId = Annotated[str, PathParameter(description="the order's client order id")]
PositionId = Annotated[str, PathParameter(description="the position's id")]
Symbol = Annotated[str, PathParameter(description="the instrument, e.g. AAPL.SIM")]
TokenName = Annotated[str, PathParameter(description="the token's name")]
ConnectionId = Annotated[str, PathParameter(description="the connection's id")]
Instrument = Annotated[str | None, Parameter(description="one instrument, e.g. AAPL.SIM")]

#: What every change takes besides its body.
OF_CHANGES: Final[Sequence[Mapping[str, Any]]] = (
    {
        "name": "Idempotency-Key",
        "in": "header",
        "description": "the command's id: sent twice, it is carried out once",
        "required": False,
        "schema": {"type": "string", "maxLength": ID_LENGTH, "pattern": "^[A-Za-z0-9][A-Za-z0-9._:@-]*$"},
    },
    {
        "name": "wait",
        "in": "query",
        "description": "for orders: answer at the venue's first word, or at their last state",
        "required": False,
        "schema": {"type": "string", "enum": ["ack", "final"], "default": "ack"},
    },
    {
        "name": "timeout",
        "in": "query",
        "description": "seconds to wait at most",
        "required": False,
        "schema": {
            "type": "number",
            "exclusiveMinimum": 0,
            "maximum": MAX_TIMEOUT_S,
            "default": DEFAULT_TIMEOUT_S,
        },
    },
)
#: What every list takes that is known as a whole.
OF_LISTS: Final[Sequence[Mapping[str, Any]]] = (
    {
        "name": "limit",
        "in": "query",
        "description": "items a page holds at most",
        "required": False,
        "schema": {"type": "integer", "minimum": 1, "maximum": LONGEST, "default": LONGEST},
    },
    {
        "name": "cursor",
        "in": "query",
        "description": "the `next` of the page before",
        "required": False,
        "schema": {"type": "string"},
    },
)
