"""``quote``, ``bars``, ``instruments``: prices and what can be traded.

This module must not know where prices come from.
"""

from __future__ import annotations

import time
from typing import Annotated, Any, Literal

import typer

from data.records import Bar, Instrument, Quote
from nautilus_tui.cli import output, words
from nautilus_tui.cli.orders import Symbol
from nautilus_tui.cli.sending import resolve
from nautilus_tui.cli.session import EngineOption, LimitOption, session_of


def quote(
    context: typer.Context,
    symbol: Annotated[str | None, typer.Argument(help="Instrument, e.g. AAPL.SIM; all if left out.")] = None,
    engine: EngineOption = None,
) -> None:
    """Show the latest quote of an instrument, or of all."""
    session = session_of(context)
    if symbol is None:
        found = session.ask(lambda api: api.quotes(engine))
        session.show(found, lambda: _quotes(found))
        return
    named = resolve(session, session.engine(engine), symbol)
    one = session.ask(lambda api: api.quote(named, engine))
    session.show(one, lambda: _quotes([one]))


def _quotes(found: list[Quote]) -> Any:
    if not found:
        return "no quotes: no engine runs, or its feed has not begun"
    right = ("Bid", "Ask", "BidSize", "AskSize", "Last", "Change", "Age")
    table = output.columns("Instrument", *right, "Engine", "Source", right=right)
    now = time.time_ns()
    for one in found:
        change = (
            f"{(one.last / one.reference - 1) * 100:+.2f} %"
            if one.last is not None and one.reference
            else "—"
        )
        bid, ask, last = words.prices(one.bid, one.ask, one.last)
        table.add_row(
            one.instrument,
            bid,
            ask,
            words.number(one.bid_size),
            words.number(one.ask_size),
            last,
            change,
            f"{max(now - one.ts_recv, 0) / 1e9:.1f} s",
            one.engine,
            one.source + (" SIM" if one.synthetic else ""),
        )
    return table


def bars(
    context: typer.Context,
    symbol: Symbol,
    timeframe: Annotated[str, typer.Option("--timeframe", "-t", help="5s, 1m, 5m, 1h, 1d …")] = "1m",
    start: Annotated[str | None, typer.Option("--start", help="Time of the first bar, ISO 8601.")] = None,
    end: Annotated[str | None, typer.Option("--end", help="Time before which bars begin.")] = None,
    limit: LimitOption = 50,
    side: Annotated[
        Literal["bid", "ask", "mid", "last"] | None, typer.Option("--side", help="Which price.")
    ] = None,
    engine: EngineOption = None,
) -> None:
    """Show bars, oldest first; without --start the latest."""
    session = session_of(context)
    named = resolve(session, session.engine(engine), symbol)
    found = session.ask(
        lambda api: api.bars(named, timeframe, start=start, end=end, limit=limit, side=side, engine=engine)
    )
    session.show(found, lambda: _bars(found))


def _bars(found: list[Bar]) -> Any:
    if not found:
        return "no bars"
    right = ("Open", "High", "Low", "Close", "Volume")
    table = output.columns("Time", *right, "Side", "Source", right=right)
    for one in found:
        table.add_row(
            words.clock(one.ts) + ("" if one.closed else " …"),
            *words.prices(one.open, one.high, one.low, one.close),
            words.number(one.volume),
            one.side,
            one.source + (" SIM" if one.synthetic else ""),
        )
    return table


def instruments(context: typer.Context, engine: EngineOption = None) -> None:
    """Show what can be traded and by which rules."""
    session = session_of(context)
    found = session.ask(lambda api: api.instruments(engine))
    session.show(found, lambda: _instruments(found))


def _instruments(found: list[Instrument]) -> Any:
    if not found:
        return "no instruments: no engine runs"
    right = ("Tick", "Lot", "Multiplier")
    table = output.columns("Id", "Name", "Class", "Currency", *right, "Session", right=right)
    for one in found:
        table.add_row(
            one.id,
            one.name,
            one.asset_class,
            one.currency,
            words.number(one.tick_size),
            words.number(one.lot_size),
            words.number(one.multiplier),
            one.session,
        )
    return table
