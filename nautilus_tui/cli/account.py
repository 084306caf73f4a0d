"""``account``, ``fills``: what there is and what was traded.

This module must not know how any of it is computed.
"""

from __future__ import annotations

from typing import Annotated, Any

import typer

from data.records import AccountUpdate, Fill
from nautilus_tui.cli import output, words
from nautilus_tui.cli.session import EngineOption, InstrumentOption, LimitOption, session_of


def account(
    context: typer.Context,
    engine: EngineOption = None,
    everyone: Annotated[bool, typer.Option("--all", help="The accounts of all engines.")] = False,
) -> None:
    """Show an account: balances, equity, profit and margin."""
    session = session_of(context)
    named = None if everyone else session.engine(engine)
    found = session.ask(lambda api: api.account(named))
    if session.json:
        output.show_json(found if everyone else found[0] if found else None)
    else:
        output.show(_accounts(found))


def _accounts(found: list[AccountUpdate]) -> Any:
    if not found:
        return "no account yet: it begins with the engine's first start"
    names = "Engine Account Currency Equity Day Unrealised Realised Margin Balances"
    table = output.columns(*names.split(), right=("Equity", "Day", "Unrealised", "Realised", "Margin"))
    for one in found:
        balances = ", ".join(f"{words.number(b.total, 2)} {b.currency}" for b in one.balances)
        table.add_row(
            one.engine,
            one.account_id,
            one.currency,
            words.number(one.equity, 2),
            words.number(one.day_pnl, 2, sign=True),
            words.number(one.unrealized_pnl, 2, sign=True),
            words.number(one.realized_pnl, 2, sign=True),
            words.number(one.margin_used, 2),
            balances,
        )
    return table


def fills(
    context: typer.Context,
    engine: EngineOption = None,
    instrument: InstrumentOption = None,
    limit: LimitOption = 200,
) -> None:
    """Show fills, newest first."""
    session = session_of(context)
    page = session.ask(lambda api: api.fills(engine, instrument=instrument, limit=limit))
    session.show(page.items, lambda: _fills(page.items))
    if page.next is not None:
        output.say(f"there are more than {limit}; see --limit")


def _fills(found: list[Fill]) -> Any:
    if not found:
        return "no fills"
    names = "Time Engine Order Side Qty Instrument Price Commission Liquidity"
    table = output.columns(*names.split(), right=("Qty", "Price", "Commission"))
    for one in found:
        table.add_row(
            words.clock(one.ts),
            one.engine,
            one.client_order_id,
            one.side,
            words.number(one.qty),
            one.instrument,
            words.number(one.price),
            f"{words.number(one.commission)} {one.commission_currency}",
            one.liquidity,
        )
    return table
