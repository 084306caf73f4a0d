"""``positions``, ``close``, ``flatten``: what is held, and how to be rid of it.

This module must not know how any of it is computed or carried out.
"""

from __future__ import annotations

from typing import Any

import typer

from data.commands import ClosePosition, Flatten
from data.records import PositionUpdate
from nautilus_tui.cli import output, words
from nautilus_tui.cli.orders import Id, Symbol, Timeout, Wait
from nautilus_tui.cli.sending import resolve, send, send_many
from nautilus_tui.cli.session import EngineOption, InstrumentOption, session_of
from nautilus_tui.client.ids import mint_order_id


def positions(context: typer.Context, engine: EngineOption = None) -> None:
    """Show open positions, of all engines unless one is named."""
    session = session_of(context)
    found = session.ask(lambda api: api.positions(engine))
    session.show(found, lambda: _positions(found))


def _positions(found: list[PositionUpdate]) -> Any:
    if not found:
        return "no open positions"
    names = "Engine Instrument Qty Avg Mark Unrealised Realised Currency Since"
    table = output.columns(*names.split(), right=("Qty", "Avg", "Mark", "Unrealised", "Realised"))
    for one in found:
        average, mark = words.prices(one.avg_open, one.mark)
        table.add_row(
            one.engine,
            one.instrument,
            words.number(one.qty, sign=True),
            average,
            mark,
            words.number(one.unrealized_pnl, 2, sign=True),
            words.number(one.realized_pnl, 2, sign=True),
            one.currency,
            words.clock(one.ts_opened),
        )
    return table


def close(
    context: typer.Context,
    symbol: Symbol,
    engine: EngineOption = None,
    order_id: Id = None,
    wait: Wait = False,
    timeout: Timeout = 10.0,
) -> None:
    """Close the position in one instrument at market."""
    session = session_of(context)
    named, id_ = session.engine(engine), order_id or mint_order_id()
    instrument = resolve(session, named, symbol)
    command = ClosePosition(engine=named, instrument=instrument, client_order_id=id_)
    send(session, command, id_, key=id_, wait=wait, timeout=timeout)


def flatten(
    context: typer.Context,
    instrument: InstrumentOption = None,
    engine: EngineOption = None,
    order_id: Id = None,
    wait: Wait = False,
    timeout: Timeout = 10.0,
) -> None:
    """Cancel every working order and close every position at market."""
    session = session_of(context)
    id_ = order_id or mint_order_id()
    command = Flatten(engine=session.engine(engine), client_order_id=id_, instrument=instrument)
    send_many(session, command, key=id_, wait=wait, timeout=timeout)
