"""``execution``: how orders were executed, one or all together.

This module must not know how a figure is computed.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from nautilus_tui.cli import output, words
from nautilus_tui.cli.analytics import PORTFOLIO, BookOption, say, share
from nautilus_tui.cli.session import session_of

if TYPE_CHECKING:
    from data.analytics import ExecutionAnswer, ExecutionRow

_SHOWN = 20  # orders that people are shown


def execution(
    context: typer.Context,
    order: Annotated[
        str | None, typer.Argument(help="One order, by its client order id; all if left out.")
    ] = None,
    engine: BookOption = None,
    orders: Annotated[
        int, typer.Option("--orders", help="Of the latest so many orders.", min=1, max=5_000)
    ] = 500,
) -> None:
    """Show slippage, shortfall, fill rate, times, participation and grade of orders."""
    session = session_of(context)
    found = session.ask(
        lambda api: api.execution(
            order or engine or PORTFOLIO, engine=engine if order is not None else None, orders=orders
        )
    )
    if session.json:
        output.show_json(found)
        return
    if not found.orders:
        output.say("no orders were sent")
        return
    output.show(_executed(found))
    if order is not None:
        output.show("", _order(found.rows[0]))
    else:
        output.show("", _venues(found))
        if found.impact:
            output.show("", _impact(found))
        output.show("", _orders(found))
    say(found.notes, found.synthetic)
    output.say(f"grade: {found.grade_rule}")
    for reason, count in found.unknown.items():
        output.say(f"{reason} ({count:,} orders)")


def _executed(found: ExecutionAnswer) -> Any:
    table = output.columns("Figure", "Value", right=("Value",))
    paid = ", ".join(f"{words.number(value, 2)} {name}" for name, value in found.commission.items())
    for name, value in (
        ("orders", f"{found.orders:,} ({found.filled_orders:,} filled)"),
        ("fill rate", share(found.fill_rate)),
        ("slippage to arrival mid, bp", _bps(found.slippage_arrival_bps)),
        ("slippage to limit, bp", _bps(found.slippage_limit_bps)),
        ("slippage to interval VWAP, bp", _bps(found.slippage_vwap_bps)),
        ("implementation shortfall, bp", _bps(found.shortfall_bps)),
        ("time to acknowledgement, ms", words.number(found.median_ack_ms, 1)),
        ("time to first fill, ms", words.number(found.median_first_fill_ms, 1)),
        ("participation", share(found.participation)),
        ("commission", paid or "—"),
        ("grade", words.text(found.grade)),
    ):
        table.add_row(name, value)
    return table


def _order(one: ExecutionRow) -> Any:
    table = output.columns("Order", "Value", right=("Value",))
    for name, value in (
        ("order", f"{one.side} {words.number(one.qty)} {one.instrument}, {one.order_type}, {one.status}"),
        ("filled", f"{words.number(one.filled_qty)} in {one.fills} fills"),
        ("average price", words.number(one.avg_price)),
        ("limit", words.number(one.limit_price)),
        (
            "bid, mid, ask at arrival",
            " ".join(map(words.number, (one.arrival_bid, one.arrival_mid, one.arrival_ask))),
        ),
        ("interval VWAP", words.number(one.interval_vwap)),
        ("shortfall", f"{words.number(one.shortfall, 2)} {one.currency}"),
        ("half spreads paid", "—" if one.spreads is None else f"{one.spreads:+.2f}"),
        ("impact, bp", _bps(one.impact_bps)),
    ):
        table.add_row(name, value)
    return table


def _venues(found: ExecutionAnswer) -> Any:
    right = (
        "Orders",
        "Filled",
        "Fill rate",
        "Slippage bp",
        "Shortfall bp",
        "Ack ms",
        "First fill ms",
        "Maker",
    )
    table = output.columns("Venue", *right, "Grade", right=right)
    for one in found.venues:
        table.add_row(
            one.venue,
            words.number(one.orders),
            words.number(one.filled_orders),
            share(one.fill_rate),
            _bps(one.slippage_arrival_bps),
            _bps(one.shortfall_bps),
            words.number(one.median_ack_ms, 1),
            words.number(one.median_first_fill_ms, 1),
            share(one.maker_share),
            words.text(one.grade),
        )
    return table


def _impact(found: ExecutionAnswer) -> Any:
    right = ("Orders", "Slippage bp", "Impact bp")
    table = output.columns("Participation", *right, right=right)
    for one in found.impact:
        table.add_row(
            one.participation,
            words.number(one.orders),
            _bps(one.slippage_arrival_bps),
            _bps(one.impact_bps),
        )
    return table


def _orders(found: ExecutionAnswer) -> Any:
    right = ("Filled", "Price", "Arrival", "Slip bp", "VWAP bp", "Shortfall bp", "Ack ms", "Fill ms")
    table = output.columns("Time", "Order", "Side", "Instrument", *right, "Grade", right=right)
    for one in found.rows[:_SHOWN]:
        table.add_row(
            words.clock(one.ts_init),
            one.client_order_id,
            one.side,
            one.instrument,
            f"{words.number(one.filled_qty)}/{words.number(one.qty)}",
            words.number(one.avg_price),
            words.number(one.arrival_mid),
            _bps(one.slippage_arrival_bps),
            _bps(one.slippage_vwap_bps),
            _bps(one.shortfall_bps),
            words.number(one.ack_ms, 1),
            words.number(one.first_fill_ms, 1),
            words.text(one.grade),
        )
    return table


def _bps(value: float | None) -> str:
    return "—" if value is None else f"{value:+.2f}"
