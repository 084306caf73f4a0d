"""Routes of orders, fills, positions and accounts.

This module must not know how orders are carried out.
"""

from __future__ import annotations

import uuid
from typing import Annotated

from litestar.params import Parameter

from data.commands import (
    CancelAll,
    CancelOrder,
    ClosePosition,
    ModifyOrder,
    Outcome,
    PreviewOrder,
    SubmitOrder,
)
from data.limits import LimitEffect
from data.paging import Page
from data.problems import InvalidRequestError
from data.records import (
    FINAL_STATUSES,
    WORKING_STATUSES,
    AccountUpdate,
    Fill,
    OrderUpdate,
    PositionUpdate,
)
from nautilus_tui.daemon import rules
from nautilus_tui.daemon.api.answers import Answer, AnyRequest, answer, context_of
from nautilus_tui.daemon.api.bodies import CancelAllBody, CloseBody, ModifyBody, OrderBody, PreviewBody, read
from nautilus_tui.daemon.api.commands import key_of, through_the_door
from nautilus_tui.daemon.api.describe import route
from nautilus_tui.daemon.api.parameters import Cursor, Engine, Instrument, Limit, OrderId, PositionId

_TAG = "Orders and positions"
_GROUPS = {
    "working": WORKING_STATUSES,
    "final": FINAL_STATUSES,
    "open": WORKING_STATUSES | {"sent", "unknown"},
}
_STATUSES = {"sent", "unknown"} | WORKING_STATUSES | FINAL_STATUSES


@route("GET", "/api/v1/orders", returns=Page[OrderUpdate], tag=_TAG)
async def list_orders(
    request: AnyRequest,
    engine: Engine = None,
    status: Annotated[str | None, Parameter(description="a status, or working, open or final")] = None,
    instrument: Instrument = None,
    limit: Limit = 100,
    cursor: Cursor = None,
) -> Answer:
    """Return orders, newest first."""
    page = await context_of(request).state.orders(
        engine=engine, statuses=_statuses(status), instrument=instrument, limit=limit, cursor=cursor
    )
    return answer(request, page)


@route("GET", "/api/v1/orders/{order_id:str}", returns=OrderUpdate, tag=_TAG)
async def get_order(request: AnyRequest, order_id: OrderId, engine: Engine = None) -> Answer:
    """Return one order as it stands."""
    return answer(request, await context_of(request).state.order(order_id, engine))


@route("GET", "/api/v1/fills", returns=Page[Fill], tag=_TAG)
async def list_fills(
    request: AnyRequest,
    engine: Engine = None,
    instrument: Instrument = None,
    client_order_id: Annotated[str | None, Parameter(description="the fills of one order")] = None,
    limit: Limit = 100,
    cursor: Cursor = None,
) -> Answer:
    """Return executions, newest first."""
    page = await context_of(request).state.fills(
        engine=engine, instrument=instrument, client_order_id=client_order_id, limit=limit, cursor=cursor
    )
    return answer(request, page)


@route("GET", "/api/v1/positions", returns=Page[PositionUpdate], tag=_TAG)
async def list_positions(
    request: AnyRequest,
    engine: Engine = None,
    instrument: Instrument = None,
    closed: Annotated[bool, Parameter(description="positions that are flat again, too")] = False,
    limit: Limit = 100,
    cursor: Cursor = None,
) -> Answer:
    """Return open positions at their latest marks."""
    context = context_of(request)
    page = await context.state.positions(
        engine=engine, instrument=instrument, closed=closed, limit=limit, cursor=cursor
    )
    return answer(request, Page(context.market.marked_positions(page.items), page.next))


@route("GET", "/api/v1/account", returns=Page[AccountUpdate], tag=_TAG)
async def list_accounts(request: AnyRequest, engine: Engine = None) -> Answer:
    """Return the accounts with balances, and equity at the latest marks."""
    context = context_of(request)
    return answer(request, Page(context.market.marked_accounts(await context.state.accounts(engine))))


# ---------------------------------------------------------------- changes


@route("POST", "/api/v1/orders", returns=Outcome, body=OrderBody, tag=_TAG, role="trader")
async def submit_order(request: AnyRequest) -> Answer:
    """Send one order. Sent twice under one id, it is one order.

    While another holds the order authority it is refused: 403, type ``order-authority``.
    """
    body = await read(request, OrderBody)
    fields = {name: getattr(body, name) for name in body.__struct_fields__}
    fields["engine"] = _engine(request, body.engine)
    fields["client_order_id"] = _id(request, body.client_order_id)
    return await through_the_door(request, SubmitOrder(**fields))


@route("POST", "/api/v1/orders/preview", returns=Page[LimitEffect], body=PreviewBody, tag=_TAG)
async def preview_order(request: AnyRequest) -> Answer:
    """Return what an order would do to every limit of its engine's gate; nothing is sent."""
    body = await read(request, PreviewBody)
    fields = {name: getattr(body, name) for name in body.__struct_fields__}
    fields["engine"] = _engine(request, body.engine)
    command = PreviewOrder(**fields)
    supervisor = context_of(request).supervisor
    rules.check(command, supervisor)
    reply = await supervisor.execute(command)
    return answer(request, Page(list(reply.effects)))


@route("PATCH", "/api/v1/orders/{order_id:str}", returns=Outcome, body=ModifyBody, tag=_TAG, role="trader")
async def modify_order(request: AnyRequest, order_id: OrderId) -> Answer:
    """Change quantity, price or trigger of a working order.

    While another holds the order authority it is refused: 403, type ``order-authority``.
    """
    body = await read(request, ModifyBody)
    order = await context_of(request).state.order(order_id, body.engine)
    command = ModifyOrder(
        engine=order.engine,
        client_order_id=order_id,
        qty=body.qty,
        price=body.price,
        trigger_price=body.trigger_price,
    )
    return await through_the_door(request, command)


@route("DELETE", "/api/v1/orders/{order_id:str}", returns=Outcome, tag=_TAG, role="trader")
async def cancel_order(request: AnyRequest, order_id: OrderId, engine: Engine = None) -> Answer:
    """Cancel a working order."""
    order = await context_of(request).state.order(order_id, engine)
    return await through_the_door(request, CancelOrder(engine=order.engine, client_order_id=order_id))


@route(
    "POST",
    "/api/v1/orders/cancel-all",
    returns=Outcome,
    body=CancelAllBody,
    body_required=False,
    tag=_TAG,
    role="trader",
)
async def cancel_all_orders(request: AnyRequest) -> Answer:
    """Cancel every working order of an engine, or those of one instrument."""
    body = await read(request, CancelAllBody)
    command = CancelAll(engine=_engine(request, body.engine), instrument=body.instrument)
    return await through_the_door(request, command)


@route(
    "POST",
    "/api/v1/positions/{position_id:str}/close",
    returns=Outcome,
    body=CloseBody,
    body_required=False,
    tag=_TAG,
    role="trader",
)
async def close_position(request: AnyRequest, position_id: PositionId, engine: Engine = None) -> Answer:
    """Close a position at market."""
    body = await read(request, CloseBody)
    position = await context_of(request).state.position(position_id, engine)
    command = ClosePosition(
        engine=position.engine,
        instrument=position.instrument,
        client_order_id=_id(request, body.client_order_id),
    )
    return await through_the_door(request, command)


def _statuses(given: str | None) -> frozenset[str] | None:
    if given is None:
        return None
    if given in _GROUPS:
        return frozenset(_GROUPS[given])
    if given not in _STATUSES:
        raise InvalidRequestError(
            f"status {given!r} is not a status",
            rule=f"a status is one of {', '.join(sorted(_STATUSES | _GROUPS.keys()))}",
            field="status",
            value=given,
        )
    return frozenset({given})


def _engine(request: AnyRequest, given: str | None) -> str:
    if given is not None:
        return given
    known = [status.id for status in context_of(request).supervisor.statuses()]
    if len(known) == 1:
        return known[0]
    raise InvalidRequestError(
        f"there are {len(known)} engines and none is named",
        rule="engine may be left out while there is one only",
        fix=f"give engine, one of {', '.join(known) or '(start one first)'}",
        field="engine",
    )


def _id(request: AnyRequest, given: str | None) -> str:
    """Return the id of the order to send. One that is empty is not none: the door refuses it."""
    return given if given is not None else key_of(request) or f"R-{uuid.uuid4().hex[:20]}"


HANDLERS = [
    list_orders,
    get_order,
    list_fills,
    list_positions,
    list_accounts,
    submit_order,
    preview_order,
    modify_order,
    cancel_order,
    cancel_all_orders,
    close_position,
]
