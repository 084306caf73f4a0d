"""Routes of market data and history: quotes, books, bars, what the history holds, compaction.

This module must not know where prices come from.
"""

from __future__ import annotations

import asyncio
import re
from typing import TYPE_CHECKING, Annotated

import msgspec
from litestar.params import Parameter

from data.commands import CompactHistory, ImportHistory, Outcome
from data.console import SqlResult
from data.paging import Page, bad_cursor
from data.records import Bar, Book, PriceSide, Quote
from nautilus_tui.daemon.api.answers import Answer, AnyRequest, answer, context_of
from nautilus_tui.daemon.api.asked import moments
from nautilus_tui.daemon.api.bodies import ImportBody, SqlBody, read
from nautilus_tui.daemon.api.commands import through_the_door
from nautilus_tui.daemon.api.describe import route
from nautilus_tui.daemon.api.parameters import Cursor, Engine, Limit, Symbol

if TYPE_CHECKING:
    from data.history import Holding

_TAG = "Market data"
_TIME = re.compile(r"-?[0-9]{1,19}")


class CatalogueItem(msgspec.Struct, frozen=True, kw_only=True):
    """One series that the history holds."""

    instrument: str
    kind: str
    timeframe: str | None = None
    side: str | None = None
    rows: int
    ts_first: int
    ts_last: int
    source: str
    engine: str | None = None
    synthetic: bool
    size_bytes: int
    live_rows: int  #: of ``rows``: those that are not compacted yet


@route("GET", "/api/v1/market-data/quotes", returns=Page[Quote], tag=_TAG)
async def list_quotes(request: AnyRequest, engine: Engine = None) -> Answer:
    """Return the latest quote of every instrument."""
    return answer(request, Page(context_of(request).market.quotes(engine)))


@route("GET", "/api/v1/market-data/quotes/{symbol:str}", returns=Quote, tag=_TAG)
async def get_quote(request: AnyRequest, symbol: Symbol, engine: Engine = None) -> Answer:
    """Return an instrument's latest quote."""
    return answer(request, context_of(request).market.quote(symbol, engine))


@route("GET", "/api/v1/market-data/book/{symbol:str}", returns=Book, tag=_TAG)
async def get_book(request: AnyRequest, symbol: Symbol, engine: Engine = None) -> Answer:
    """Return an instrument's order book."""
    return answer(request, context_of(request).market.book(symbol, engine))


@route("GET", "/api/v1/market-data/historical/bars", returns=Page[Bar], tag=_TAG)
async def list_bars(
    request: AnyRequest,
    symbol: Annotated[str, Parameter(description="the instrument, e.g. AAPL.SIM")],
    timeframe: Annotated[str, Parameter(description="e.g. 5s, 1m, 1h, 1d")] = "1m",
    start: Annotated[str | None, Parameter(description="ISO 8601 time of the first bar")] = None,
    end: Annotated[str | None, Parameter(description="ISO 8601 time before which bars begin")] = None,
    side: Annotated[PriceSide | None, Parameter(description="one side; any if left out")] = None,
    source: Annotated[str | None, Parameter(description="only this source, e.g. import")] = None,
    engine: Engine = None,
    limit: Limit = 500,
    cursor: Cursor = None,
) -> Answer:
    """Return the latest bars of the time asked for, oldest first, from what was imported and recorded.

    Of an engine that replays, bars end where its replay stands. ``next`` leads to older bars.
    """
    context = context_of(request)
    after, before = moments(start=start, end=end)
    if cursor is not None:
        before = _earlier(cursor) if before is None else min(_earlier(cursor), before)
    replayed = None if engine is None else context.market.replayed_until(engine)
    if replayed is not None:
        before = replayed + 1 if before is None else min(before, replayed + 1)
    bars = await asyncio.to_thread(
        lambda: context.history().bars(
            symbol,
            timeframe,
            start=after,
            end=before,
            limit=limit,
            side=side,
            engine=engine,
            source=source,
        )
    )
    return answer(request, Page(bars, str(bars[0].ts) if len(bars) == limit else None))


@route("GET", "/api/v1/history", returns=Page[CatalogueItem], tag="History")
async def list_history(request: AnyRequest) -> Answer:
    """Return every series the history holds."""
    context = context_of(request)
    holdings = await asyncio.to_thread(lambda: context.history().catalogue())
    return answer(request, Page([_item(holding) for holding in holdings]))


@route("POST", "/api/v1/sql", returns=SqlResult, body=SqlBody, tag="History")
async def query_history(request: AnyRequest) -> Answer:
    """Run one read-only query over the history's views ``quotes``, ``trades`` and ``bars``."""
    body = await read(request, SqlBody)
    return answer(request, await context_of(request).console.ask(body.query, body.limit))


@route("POST", "/api/v1/history/import", returns=Outcome, body=ImportBody, tag="History", role="trader")
async def import_history(request: AnyRequest) -> Answer:
    """Import a file of ticks or bars; ``data`` tells what was guessed, stored and left out, and why."""
    body = await read(request, ImportBody)
    command = ImportHistory(**{name: getattr(body, name) for name in body.__struct_fields__})
    return await through_the_door(request, command)


@route("POST", "/api/v1/history/compact", returns=Outcome, tag="History", role="admin")
async def compact_history(request: AnyRequest) -> Answer:
    """Compact recorded ticks into partitions now."""
    return await through_the_door(request, CompactHistory())


def _earlier(cursor: str) -> int:
    """Return the time before which the bars of the page begin that a cursor leads to."""
    if not _TIME.fullmatch(cursor):
        raise bad_cursor(cursor[:80])
    return int(cursor)


def _item(holding: Holding) -> CatalogueItem:
    series = holding.series
    return CatalogueItem(
        instrument=series.instrument,
        kind=series.kind,
        timeframe=series.timeframe,
        side=series.side,
        rows=holding.rows,
        ts_first=holding.first,
        ts_last=holding.last,
        source=series.source,
        engine=series.engine,
        synthetic=series.synthetic,
        size_bytes=holding.size,
        live_rows=holding.live_rows,
    )


HANDLERS = [
    list_quotes,
    get_quote,
    get_book,
    list_bars,
    list_history,
    query_history,
    import_history,
    compact_history,
]
