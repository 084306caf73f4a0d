"""Routes of the monitor: how much of limits is used, breaches, alerts, and whether limits are checked.

This module must not know how any of it is found out.
"""

from __future__ import annotations

from typing import Annotated

from litestar.params import Parameter, PathParameter

from data.commands import Outcome
from data.limits import Alert, Breach, LimitStatus, MonitorHealth
from data.paging import Page
from data.risk_commands import AcknowledgeAlert, AcknowledgeBreach, SetMonitor
from data.words import Words
from nautilus_tui.daemon.api.answers import Answer, AnyRequest, answer, context_of, told
from nautilus_tui.daemon.api.bodies import Body, read
from nautilus_tui.daemon.api.commands import through_the_door
from nautilus_tui.daemon.api.describe import route
from nautilus_tui.daemon.api.parameters import Cursor, Limit

_TAG = "Risk"
_BASE = "/api/v1/risk"

Every = Annotated[bool, Parameter(description="those that are over too")]
LimitId = Annotated[str | None, Parameter(description="of one limit")]
Kind = Annotated[str | None, Parameter(description="one kind, e.g. limit.breach")]
BreachId = Annotated[str, PathParameter(description="the breach's id")]
AlertId = Annotated[str, PathParameter(description="the alert's id")]


class AcknowledgeBody(Body, frozen=True, kw_only=True):
    """What goes with an acknowledgement."""

    note: Words | None = None
    mitigating: bool = False  #: something is being done about it


class NoBody(Body, frozen=True, kw_only=True):
    """Nothing."""


@route("GET", f"{_BASE}/status", returns=Page[LimitStatus], tag=_TAG)
async def limit_status(request: AnyRequest) -> Answer:
    """Return how much of each limit was used at the monitor's last check, and what is not known."""
    return await told(request, Page(context_of(request).risk.monitor.statuses()))


@route("GET", f"{_BASE}/health", returns=MonitorHealth, tag=_TAG)
async def monitor_health(request: AnyRequest) -> Answer:
    """Return whether limits are being checked, how long that takes, and what cannot be judged."""
    return answer(request, await context_of(request).risk.monitor.health())


@route("GET", f"{_BASE}/breaches", returns=Page[Breach], tag=_TAG)
async def breaches(
    request: AnyRequest,
    every: Every = False,
    limit_id: LimitId = None,
    limit: Limit = 100,
    cursor: Cursor = None,
) -> Answer:
    """Return breaches, newest first: those that are open, or all."""
    book = context_of(request).risk.monitor.breaches
    return answer(request, await book.page(every=every, limit_id=limit_id, limit=limit, cursor=cursor))


@route("GET", f"{_BASE}/alerts", returns=Page[Alert], tag=_TAG)
async def alerts(
    request: AnyRequest, every: Every = False, kind: Kind = None, limit: Limit = 100, cursor: Cursor = None
) -> Answer:
    """Return alerts, newest first: those that are not over, or all."""
    book = context_of(request).risk.alerts
    return answer(request, await book.page(every=every, kind=kind, limit=limit, cursor=cursor))


# ---------------------------------------------------------------- changes


@route(
    "POST",
    f"{_BASE}/breaches/{{breach_id:str}}/acknowledge",
    returns=Outcome,
    body=AcknowledgeBody,
    body_required=False,
    tag=_TAG,
    role="trader",
)
async def acknowledge_breach(request: AnyRequest, breach_id: BreachId) -> Answer:
    """Say that a breach has been seen, or that something is done about it; nobody further up is told."""
    body = await read(request, AcknowledgeBody)
    command = AcknowledgeBreach(breach_id=breach_id, note=body.note, mitigating=body.mitigating)
    return await through_the_door(request, command)


@route(
    "POST",
    f"{_BASE}/alerts/{{alert_id:str}}/acknowledge",
    returns=Outcome,
    body=NoBody,
    body_required=False,
    tag=_TAG,
    role="trader",
)
async def acknowledge_alert(request: AnyRequest, alert_id: AlertId) -> Answer:
    """Say that an alert has been seen."""
    await read(request, NoBody)
    return await through_the_door(request, AcknowledgeAlert(alert_id=alert_id))


@route(
    "POST",
    f"{_BASE}/monitor/start",
    returns=Outcome,
    body=NoBody,
    body_required=False,
    tag=_TAG,
    role="risk",
)
async def start_monitor(request: AnyRequest) -> Answer:
    """Check limits again."""
    await read(request, NoBody)
    return await through_the_door(request, SetMonitor(running=True))


@route(
    "POST", f"{_BASE}/monitor/stop", returns=Outcome, body=NoBody, body_required=False, tag=_TAG, role="risk"
)
async def stop_monitor(request: AnyRequest) -> Answer:
    """Check limits no more until started; the gates in the engines go on, and an alert says so."""
    await read(request, NoBody)
    return await through_the_door(request, SetMonitor(running=False))


HANDLERS = [
    limit_status,
    monitor_health,
    breaches,
    alerts,
    acknowledge_breach,
    acknowledge_alert,
    start_monitor,
    stop_monitor,
]
