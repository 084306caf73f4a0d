"""Routes of limits: those there are, changes of them, what an order or the present does to one; restrictions.

This module must not know how limits are judged, kept or brought to engines.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated, Any, Literal

import msgspec
from litestar.params import Parameter, PathParameter, QueryParameter

from data.commands import Outcome
from data.limits import (
    ActionName,
    AutoAdjust,
    Limit,
    LimitChange,
    LimitEffect,
    LimitStatus,
    LimitType,
    Restriction,
)
from data.paging import Page
from data.problems import InvalidRequestError
from data.records import Side
from data.risk_commands import DecideLimitChange, DeleteLimit, RestrictEngine, SetLimit
from data.words import Words
from nautilus_tui.daemon.api.answers import Answer, AnyRequest, answer, context_of
from nautilus_tui.daemon.api.asked import page_of
from nautilus_tui.daemon.api.bodies import Body, read
from nautilus_tui.daemon.api.commands import through_the_door
from nautilus_tui.daemon.api.describe import route
from nautilus_tui.daemon.api.parameters import Cursor
from nautilus_tui.daemon.api.parameters import Limit as PageSize
from nautilus_tui.daemon.limit_rules import unit_named
from risk.scopes import scope_of

_TAG = "Risk"
_BASE = "/api/v1/risk/limits"
_UNIT = msgspec.Meta(
    description="shares (units, contracts), notional (money, a currency), ratio (x, fraction, equity), orders"
)

LimitId = Annotated[
    str, PathParameter(description="<type>:<scope>:<unit>, e.g. position_size:instrument:AAPL.SIM:shares")
]
ChangeId = Annotated[str, PathParameter(description="the change's id")]


class LimitTerms(Body, frozen=True, kw_only=True):
    """What a limit says; terms left out are as a new limit has them."""

    hard: Decimal
    warn: Decimal = Decimal("0.8")  #: share of the limit from which it warns
    window_s: int | None = None  #: order_rate only; 1 if left out
    confidence: Decimal = Decimal("0.99")  #: var only, as the next two
    horizon_days: int = 1
    method: str = "historical"
    warn_actions: tuple[ActionName, ...] = ("notify", "warn")
    hard_actions: tuple[ActionName, ...] = ("notify", "deny_increase")
    auto_adjust: AutoAdjust | None = None
    enabled: bool = True


class LimitBody(LimitTerms, frozen=True, kw_only=True):
    """A new limit."""

    limit_type: LimitType
    scope: str = "portfolio"
    unit: Annotated[str, _UNIT] | None = None  #: the type's first if left out


class LimitCheckBody(Body, frozen=True, kw_only=True):
    """An order that is thought about; nothing is sent. Empty: how the limit stands now."""

    engine: str | None = None  #: may be left out if the limit names it, or there is one engine only
    instrument: str | None = None
    side: Side | None = None
    qty: Decimal | None = None
    price: Decimal | None = None  #: None: at the touch
    reduce_only: bool = False


class RestrictBody(Body, frozen=True, kw_only=True):
    """What an engine's gate lets pass besides its limits."""

    engine: str
    restriction: Restriction
    reason: Words | None = None


@route("GET", _BASE, returns=Page[Limit], tag=_TAG)
async def list_limits(
    request: AnyRequest,
    of_scope: Annotated[
        str | None, QueryParameter(name="scope", description="limits of one scope, e.g. engine:paper-1")
    ] = None,
    limit_type: Annotated[LimitType | None, Parameter(description="limits of one type")] = None,
    limit: PageSize = 10_000,
    cursor: Cursor = None,
) -> Answer:
    """Return every limit, by id. How much of each is used is at /api/v1/risk/status."""
    if of_scope is not None:
        scope_of(of_scope)
    found = [
        one
        for one in context_of(request).risk.limits.limits()
        if of_scope in (None, one.scope) and limit_type in (None, one.limit_type)
    ]
    return answer(request, page_of(found, limit, cursor))


@route("POST", _BASE, returns=Outcome, body=LimitBody, tag=_TAG, role="risk")
async def create_limit(request: AnyRequest) -> Answer:
    """Make a limit; one of its type, scope and unit must not be there."""
    body = await read(request, LimitBody)
    unit = None if body.unit is None else unit_named(body.unit)
    command = SetLimit(
        limit_type=body.limit_type, scope=body.scope, unit=unit, create_only=True, **_terms(body)
    )
    return await through_the_door(request, command)


@route("GET", f"{_BASE}/changes", returns=Page[LimitChange], tag=_TAG)
async def list_limit_changes(
    request: AnyRequest,
    status: Annotated[
        Literal["pending", "approved", "rejected"] | None, Parameter(description="all if left out")
    ] = None,
    limit: PageSize = 100,
    cursor: Cursor = None,
) -> Answer:
    """Return changes that loosen a limit and need a second person, newest first."""
    book = context_of(request).risk.limits
    return answer(request, await book.changes(status=status, limit=limit, cursor=cursor))


@route("POST", f"{_BASE}/changes/{{change_id:str}}/approve", returns=Outcome, tag=_TAG, role="risk")
async def approve_limit_change(request: AnyRequest, change_id: ChangeId) -> Answer:
    """Approve a change that another person asked for; it is in force then."""
    return await through_the_door(request, DecideLimitChange(change_id=change_id, approve=True))


@route("POST", f"{_BASE}/changes/{{change_id:str}}/reject", returns=Outcome, tag=_TAG, role="risk")
async def reject_limit_change(request: AnyRequest, change_id: ChangeId) -> Answer:
    """Reject a change, or take one's own back; the limit stays as it is."""
    return await through_the_door(request, DecideLimitChange(change_id=change_id, approve=False))


@route("GET", f"{_BASE}/{{limit_id:str}}", returns=Limit, tag=_TAG)
async def get_limit(request: AnyRequest, limit_id: LimitId) -> Answer:
    """Return one limit as it counts now."""
    return answer(request, context_of(request).risk.limits.limit(limit_id))


@route("PUT", f"{_BASE}/{{limit_id:str}}", returns=Outcome, body=LimitTerms, tag=_TAG, role="risk")
async def replace_limit(request: AnyRequest, limit_id: LimitId) -> Answer:
    """Put new terms in place of all that a limit has."""
    body = await read(request, LimitTerms)
    limit = context_of(request).risk.limits.limit(limit_id)
    terms = _terms(body)
    if limit.limit_type == "order_rate" and body.window_s is None:
        terms["window_s"] = 1
    command = SetLimit(
        limit_type=limit.limit_type,
        scope=limit.scope,
        unit=limit.unit,
        remove_auto_adjust=body.auto_adjust is None,
        **terms,
    )
    return await through_the_door(request, command)


@route("DELETE", f"{_BASE}/{{limit_id:str}}", returns=Outcome, tag=_TAG, role="risk")
async def delete_limit(request: AnyRequest, limit_id: LimitId) -> Answer:
    """Delete a limit."""
    return await through_the_door(request, DeleteLimit(limit_id=limit_id))


@route(
    "POST",
    f"{_BASE}/{{limit_id:str}}/check",
    returns=(LimitEffect, LimitStatus),
    body=LimitCheckBody,
    body_required=False,
    tag=_TAG,
)
async def check_limit(request: AnyRequest, limit_id: LimitId) -> Answer:
    """Return what an order would do to a limit, by the gate itself; without an order, how it stands now."""
    body = await read(request, LimitCheckBody)
    checks = context_of(request).risk.limit_checks
    given = (body.instrument, body.side, body.qty)
    if body.instrument is None or body.side is None or body.qty is None:
        if any(one is not None for one in (*given, body.price)):
            raise InvalidRequestError(
                "the order is not whole",
                rule="an order has instrument, side and qty; without one, the limit itself is checked",
                fix="give all three",
                field=next(name for name in ("instrument", "side", "qty") if getattr(body, name) is None),
            )
        return answer(request, await checks.status(limit_id))
    effect = await checks.effect(
        limit_id,
        engine=body.engine,
        instrument=body.instrument,
        side=body.side,
        qty=body.qty,
        price=body.price,
        reduce_only=body.reduce_only,
    )
    return answer(request, effect)


@route("POST", "/api/v1/risk/restrict", returns=Outcome, body=RestrictBody, tag=_TAG, role="risk")
async def restrict_engine(request: AnyRequest) -> Answer:
    """Have an engine's gate pass only what reduces, or nothing, or what its limits allow again."""
    body = await read(request, RestrictBody)
    command = RestrictEngine(engine=body.engine, restriction=body.restriction, reason=body.reason)
    return await through_the_door(request, command)


def _terms(body: LimitTerms) -> dict[str, Any]:
    """Return the terms as a command has them."""
    return {name: getattr(body, name) for name in LimitTerms.__struct_fields__}


HANDLERS = [
    list_limits,
    create_limit,
    list_limit_changes,
    approve_limit_change,
    reject_limit_change,
    get_limit,
    replace_limit,
    delete_limit,
    check_limit,
    restrict_engine,
]
