"""Parameters that many routes share.

This module must not know of routes.
"""

from __future__ import annotations

from typing import Annotated

from litestar.params import Parameter, PathParameter

Limit = Annotated[int, Parameter(ge=1, le=10_000, description="items a page holds at most")]
Cursor = Annotated[str | None, Parameter(description="the `next` of the page before")]
Engine = Annotated[str | None, Parameter(description="one engine; all if left out")]
OrderId = Annotated[str, PathParameter(description="the order's client order id")]
PositionId = Annotated[str, PathParameter(description="the position's id")]
Symbol = Annotated[str, PathParameter(description="the instrument, e.g. AAPL.SIM")]
TokenName = Annotated[str, PathParameter(description="the token's name")]
ConnectionId = Annotated[str, PathParameter(description="the connection's id")]
Instrument = Annotated[str | None, Parameter(description="one instrument, e.g. AAPL.SIM")]
