"""``order …``: sending, changing and listing orders.

This module must not know what the daemon does with them.
"""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Annotated, Any, Literal, cast

import typer

from data.commands import (
    CancelAll,
    CancelOrder,
    ModifyOrder,
    PreviewOrder,
    SubmitBracket,
    SubmitOco,
    SubmitOrder,
)
from data.limits import LimitEffect
from data.problems import NotFoundError
from data.records import OrderType, OrderUpdate, Side, TimeInForce
from nautilus_tui.cli import output, words
from nautilus_tui.cli.sending import resolve, send, send_many, sentence
from nautilus_tui.cli.session import EngineOption, InstrumentOption, LimitOption, Session, session_of
from nautilus_tui.client.ids import mint_order_id

app = typer.Typer(no_args_is_help=True, help="Send, change and list orders.")

_TYPE_HELP = "market, limit, stop-market, stop-limit, trailing-stop, market-if-touched, limit-if-touched."

Symbol = Annotated[
    str, typer.Argument(help="Instrument, e.g. AAPL.SIM.", metavar="SYMBOL", show_default=False)
]
OrderId = Annotated[str, typer.Argument(help="Client order id.", metavar="ID", show_default=False)]
Qty = Annotated[Decimal, typer.Argument(help="Quantity.", parser=words.amount, metavar="QTY")]
Type = Annotated[
    str | None,
    typer.Option(
        "--type",
        "-t",
        help=f"{_TYPE_HELP} Left out: what the prices given amount to.",
        parser=words.order_type,
        metavar="TYPE",
    ),
]
Tif = Annotated[
    str | None,
    typer.Option("--tif", help="day (default), gtc, gtd, ioc or fok.", parser=words.tif, metavar="TIF"),
]
Price = Annotated[
    Decimal | None, typer.Option("--price", "-p", help="Limit price.", parser=words.amount, metavar="PRICE")
]
Trigger = Annotated[
    Decimal | None,
    typer.Option("--trigger", help="Price that triggers it.", parser=words.amount, metavar="PRICE"),
]
Trail = Annotated[
    Decimal | None,
    typer.Option(
        "--trail", help="Distance a trailing stop keeps, in price.", parser=words.amount, metavar="OFFSET"
    ),
]
Expire = Annotated[
    int | None,
    typer.Option(
        "--expire", help="When it expires, ISO 8601; makes it gtd.", parser=words.moment, metavar="TIME"
    ),
]
ReduceOnly = Annotated[bool, typer.Option("--reduce-only", help="Only ever make the position smaller.")]
Id = Annotated[
    str | None,
    typer.Option("--id", help="Client order id; the same one twice is one order.", show_default=False),
]
Wait = Annotated[bool, typer.Option("--wait", help="Wait until the order will not change again.")]
Timeout = Annotated[float, typer.Option("--timeout", help="Seconds to wait at most.", min=0.1, max=120)]


def implied_type(price: Decimal | None, trigger: Decimal | None, trail: Decimal | None) -> OrderType:
    """Return the order type that the prices given amount to."""
    if trail is not None:
        return "trailing_stop"
    if trigger is not None:
        return "stop_market" if price is None else "stop_limit"
    return "market" if price is None else "limit"


def _order_command(side: Side) -> Callable[..., None]:
    """Return the command that sends orders of one side."""

    def order(
        context: typer.Context,
        symbol: Symbol,
        qty: Qty,
        kind: Type = None,
        price: Price = None,
        trigger: Trigger = None,
        trail: Trail = None,
        tif: Tif = None,
        expire: Expire = None,
        reduce_only: ReduceOnly = False,
        engine: EngineOption = None,
        order_id: Id = None,
        wait: Wait = False,
        timeout: Timeout = 10.0,
    ) -> None:
        session = session_of(context)
        named, id_ = session.engine(engine), mint_order_id() if order_id is None else order_id
        command = SubmitOrder(
            engine=named,
            client_order_id=id_,
            instrument=resolve(session, named, symbol),
            side=side,
            qty=qty,
            order_type=cast(OrderType, kind or implied_type(price, trigger, trail)),
            tif=_tif(tif, expire, "day"),
            price=price,
            trigger_price=trigger,
            trailing_offset=trail,
            ts_expire=expire,
            reduce_only=reduce_only,
        )
        send(session, command, id_, key=id_, wait=wait, timeout=timeout)

    return order


def _tif(given: str | None, expire: int | None, default: TimeInForce) -> TimeInForce:
    return cast(TimeInForce, given or (default if expire is None else "gtd"))


_WITHOUT_WAIT = "Without --wait it returns with the venue's first answer."
app.command("buy", help=f"Buy. {_WITHOUT_WAIT}")(_order_command("buy"))
app.command("sell", help=f"Sell. {_WITHOUT_WAIT}")(_order_command("sell"))


@app.command("preview")
def preview(
    context: typer.Context,
    side: Annotated[Literal["buy", "sell"], typer.Argument(help="Side of the order.")],
    symbol: Symbol,
    qty: Qty,
    price: Price = None,
    reduce_only: ReduceOnly = False,
    change: Annotated[
        str | None,
        typer.Option("--change", metavar="ID", help="Of a working order that it would change."),
    ] = None,
    engine: EngineOption = None,
) -> None:
    """Show what an order would do to every limit; nothing is sent. Exits with 3 if one would deny it."""
    session = session_of(context)
    named = session.engine(engine)
    question = PreviewOrder(
        engine=named,
        instrument=resolve(session, named, symbol),
        side=side,
        qty=qty,
        price=price,
        reduce_only=reduce_only,
        client_order_id=change,
    )
    effects = session.ask(lambda api: api.preview(question))
    session.show(effects, lambda: _effects(effects))
    if not all(effect.passes for effect in effects):
        raise typer.Exit(output.ExitCode.DENIED)


def _effects(effects: list[LimitEffect]) -> Any:
    right = ("Used", "After", "Limit", "At most")
    table = output.columns("Limit on", "Scope", *right, "Unit", "", right=right)
    for one in effects:
        limit = "off" if one.limit is None else words.number(one.limit)
        verdict = output.tinted("passes", "green") if one.passes else output.tinted("denied", "red")
        used, after = words.number(one.used), words.number(one.after)
        most = words.number(one.max_quantity)
        table.add_row(one.rule, one.scope, used, after, limit, most, one.unit, verdict)
        if one.reason is not None and one.after is None:
            table.add_row("", one.reason, "", "", "", "", "", "")
    return table


@app.command("bracket")
def bracket(
    context: typer.Context,
    side: Annotated[Literal["buy", "sell"], typer.Argument(help="Side of the entry.")],
    symbol: Symbol,
    qty: Qty,
    take_profit: Annotated[
        Decimal, typer.Option(parser=words.amount, metavar="PRICE", help="Limit of the exit in profit.")
    ],
    stop_loss: Annotated[
        Decimal, typer.Option(parser=words.amount, metavar="PRICE", help="Stop of the exit in loss.")
    ],
    price: Price = None,
    tif: Tif = None,
    expire: Expire = None,
    engine: EngineOption = None,
    order_id: Id = None,
    timeout: Timeout = 10.0,
) -> None:
    """Enter at market (or --price) with a take-profit and a stop-loss, of which one cancels the other."""
    session = session_of(context)
    named, id_ = session.engine(engine), mint_order_id() if order_id is None else order_id
    command = SubmitBracket(
        engine=named,
        client_order_id=id_,
        instrument=resolve(session, named, symbol),
        side=side,
        qty=qty,
        order_type="market" if price is None else "limit",
        tif=_tif(tif, expire, "gtc"),
        price=price,
        take_profit=take_profit,
        stop_loss=stop_loss,
        ts_expire=expire,
    )
    ids = [id_, f"{id_}-TP", f"{id_}-SL"]
    send_many(session, command, ids=ids, key=id_, timeout=timeout)


@app.command("oco")
def oco(
    context: typer.Context,
    side: Annotated[Literal["buy", "sell"], typer.Argument(help="Side of both orders.")],
    symbol: Symbol,
    qty: Qty,
    limit: Annotated[
        Decimal, typer.Option(parser=words.amount, metavar="PRICE", help="Price of the limit order.")
    ],
    stop: Annotated[
        Decimal, typer.Option(parser=words.amount, metavar="PRICE", help="Trigger of the stop order.")
    ],
    tif: Tif = None,
    expire: Expire = None,
    reduce_only: ReduceOnly = False,
    engine: EngineOption = None,
    order_id: Id = None,
    timeout: Timeout = 10.0,
) -> None:
    """Send a limit and a stop order, of which one cancels the other."""
    session = session_of(context)
    named, id_ = session.engine(engine), mint_order_id() if order_id is None else order_id
    command = SubmitOco(
        engine=named,
        client_order_id=id_,
        instrument=resolve(session, named, symbol),
        side=side,
        qty=qty,
        limit_price=limit,
        stop_price=stop,
        tif=_tif(tif, expire, "gtc"),
        ts_expire=expire,
        reduce_only=reduce_only,
    )
    send_many(session, command, ids=[f"{id_}-A", f"{id_}-B"], key=id_, timeout=timeout)


@app.command("modify")
def modify(
    context: typer.Context,
    order_id: OrderId,
    qty: Annotated[
        Decimal | None, typer.Option("--qty", parser=words.amount, metavar="QTY", help="New quantity.")
    ] = None,
    price: Price = None,
    trigger: Trigger = None,
    engine: EngineOption = None,
    timeout: Timeout = 10.0,
) -> None:
    """Change quantity, price or trigger of a working order; what is left out stays."""
    session = session_of(context)
    command = ModifyOrder(
        engine=_engine_of(session, order_id, engine),
        client_order_id=order_id,
        qty=qty,
        price=price,
        trigger_price=trigger,
    )
    send(session, command, order_id, wait=False, timeout=timeout)


@app.command("cancel")
def cancel(
    context: typer.Context, order_id: OrderId, engine: EngineOption = None, timeout: Timeout = 10.0
) -> None:
    """Cancel a working order."""
    session = session_of(context)
    command = CancelOrder(engine=_engine_of(session, order_id, engine), client_order_id=order_id)
    send(session, command, order_id, wait=False, timeout=timeout)


def _engine_of(session: Session, order_id: str, named: str | None) -> str:
    """Return the engine of an order, which says so itself."""
    if named is not None:
        return named
    try:
        return session.ask(lambda api: api.order(order_id)).engine
    except NotFoundError:
        return session.engine(None)  # which refuses it, on the record


@app.command("cancel-all")
def cancel_all(
    context: typer.Context,
    instrument: InstrumentOption = None,
    engine: EngineOption = None,
    timeout: Timeout = 10.0,
) -> None:
    """Cancel every working order of an engine."""
    session = session_of(context)
    send_many(session, CancelAll(engine=session.engine(engine), instrument=instrument), timeout=timeout)


@app.command("show")
def show(context: typer.Context, order_id: OrderId, engine: EngineOption = None) -> None:
    """Show one order."""
    session = session_of(context)
    order = session.ask(lambda api: api.order(order_id, engine))
    session.show(order, lambda: sentence(order))


@app.command("list")
def list_orders(
    context: typer.Context,
    status: Annotated[
        str | None,
        typer.Option("--status", "-s", help="A status, or working, open or final.", show_default=False),
    ] = None,
    instrument: InstrumentOption = None,
    limit: LimitOption = 200,
    engine: EngineOption = None,
) -> None:
    """List orders, newest first."""
    session = session_of(context)
    page = session.ask(lambda api: api.orders(engine, status=status, instrument=instrument, limit=limit))
    session.show(page.items, lambda: _table(page.items))
    if page.next is not None:
        output.say(f"there are more than {limit}; see --limit")


def _table(orders: list[OrderUpdate]) -> Any:
    if not orders:
        return "no orders"
    right = ("Qty", "Filled", "Price", "Trigger", "Avg")
    names = "Time Id Side Qty Instrument Type Price Trigger Tif Status Filled Avg Engine Reason"
    table = output.columns(*names.split(), right=right, last_wraps=True)
    for order in orders:
        table.add_row(
            words.clock(order.ts),
            order.client_order_id,
            order.side,
            words.number(order.qty),
            order.instrument,
            order.order_type.replace("_", "-"),
            words.number(order.price),
            words.number(order.trigger_price if order.trailing_offset is None else order.trailing_offset),
            order.tif,
            order.status.replace("_", " "),
            words.number(order.filled_qty),
            words.number(order.avg_price),
            order.engine,
            order.reason or "",
        )
    return table
