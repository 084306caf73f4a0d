"""Routes of engines: state, logs and health; start, stop, restart, settings, feed.

This module must not know how engines are run.
"""

from __future__ import annotations

from typing import Annotated

import msgspec
from litestar.params import Parameter

from data.commands import ConfigureEngine, Outcome, RestartEngine, SetFeed, StartEngine, StopEngine
from data.paging import Page
from data.records import EngineLog, EngineStatus, Instrument, LogLevel
from nautilus_tui.daemon.api.answers import Answer, AnyRequest, answer, context_of
from nautilus_tui.daemon.api.bodies import EngineBody, EngineSettingsBody, FeedBody, read
from nautilus_tui.daemon.api.commands import through_the_door
from nautilus_tui.daemon.api.describe import route
from nautilus_tui.daemon.api.parameters import Cursor, Limit
from nautilus_tui.daemon.health import EngineHealth

_TAG = "Engines"
_BASE = "/api/v1/nautilus/engine"

InstanceId = Annotated[str | None, Parameter(description="one engine; all if left out")]


class EnginesHealth(msgspec.Struct, frozen=True, kw_only=True):
    """How the engines are: ``ok`` if all that should run are well, ``idle`` if none runs."""

    status: str
    items: list[EngineHealth]


@route("GET", f"{_BASE}/status", returns=(EngineStatus, Page[EngineStatus]), tag=_TAG)
async def engine_status(request: AnyRequest, instance_id: InstanceId = None) -> Answer:
    """Return one engine's state, or a list of all, each in the same flat shape."""
    supervisor = context_of(request).supervisor
    if instance_id is not None:
        return answer(request, supervisor.status_of(instance_id))
    return answer(request, Page(supervisor.statuses()))


@route("GET", f"{_BASE}/health", returns=(EngineHealth, EnginesHealth), tag=_TAG)
async def engine_health(request: AnyRequest, instance_id: InstanceId = None) -> Answer:
    """Return whether engines are well, and what is not."""
    context = context_of(request)
    if instance_id is not None:
        return answer(request, context.health.engine(context.supervisor.status_of(instance_id)))
    engines = context.health.engines()
    active = [engine for engine in engines if engine.state != "stopped"]
    status = "idle" if not active else "ok" if all(engine.healthy for engine in active) else "degraded"
    return answer(request, EnginesHealth(status=status, items=engines))


@route("GET", f"{_BASE}/logs", returns=Page[EngineLog], tag=_TAG)
async def engine_logs(
    request: AnyRequest,
    instance_id: InstanceId = None,
    level: Annotated[LogLevel | None, Parameter(description="least severe level shown")] = None,
    client_order_id: Annotated[str | None, Parameter(description="lines of one order")] = None,
    contains: Annotated[str | None, Parameter(description="lines with this text")] = None,
    limit: Limit = 200,
    cursor: Cursor = None,
) -> Answer:
    """Return engines' latest log lines, oldest first; ``next`` leads to older ones."""
    context = context_of(request)
    named = [instance_id] if instance_id is not None else [s.id for s in context.supervisor.statuses()]
    if instance_id is not None:
        context.supervisor.status_of(instance_id)
    page = await context.logs.lines(
        named, level=level, client_order_id=client_order_id, contains=contains, limit=limit, cursor=cursor
    )
    return answer(request, page)


@route("GET", "/api/v1/instruments", returns=Page[Instrument], tag="Market data")
async def instruments(
    request: AnyRequest,
    engine: Annotated[str | None, Parameter(description="one engine; all if left out")] = None,
) -> Answer:
    """Return what engines can trade, with tick sizes, lots and sessions."""
    supervisor = context_of(request).supervisor
    named = [status.id for status in supervisor.statuses()] if engine is None else [engine]
    if engine is not None:
        supervisor.status_of(engine)
    found = {i.id: i for name in named for i in supervisor.instruments(name)}
    return answer(request, Page([found[id_] for id_ in sorted(found)]))


# ---------------------------------------------------------------- changes


@route("POST", f"{_BASE}/start", returns=Outcome, body=EngineSettingsBody, tag=_TAG, role="trader")
async def engine_start(request: AnyRequest) -> Answer:
    """Start an engine and answer once it runs."""
    body = await read(request, EngineSettingsBody)
    return await through_the_door(request, StartEngine(**body.fields()))


@route("PUT", f"{_BASE}/config", returns=Outcome, body=EngineSettingsBody, tag=_TAG, role="trader")
async def engine_configure(request: AnyRequest) -> Answer:
    """Change an engine's settings; they apply at its next start."""
    body = await read(request, EngineSettingsBody)
    return await through_the_door(request, ConfigureEngine(**body.fields()))


@route("POST", f"{_BASE}/stop", returns=Outcome, body=EngineBody, tag=_TAG, role="trader")
async def engine_stop(request: AnyRequest) -> Answer:
    """Stop an engine; its positions and working orders stay in its journal."""
    body = await read(request, EngineBody)
    return await through_the_door(request, StopEngine(engine=body.instance_id))


@route("POST", f"{_BASE}/emergency-stop", returns=Outcome, body=EngineBody, tag=_TAG, role="trader")
async def engine_emergency_stop(request: AnyRequest) -> Answer:
    """Cancel every order, close every position, then stop the engine."""
    body = await read(request, EngineBody)
    return await through_the_door(request, StopEngine(engine=body.instance_id, emergency=True))


@route("POST", f"{_BASE}/restart", returns=Outcome, body=EngineBody, tag=_TAG, role="trader")
async def engine_restart(request: AnyRequest) -> Answer:
    """Stop an engine and start it with its last settings."""
    body = await read(request, EngineBody)
    return await through_the_door(request, RestartEngine(engine=body.instance_id))


@route("POST", f"{_BASE}/feed", returns=Outcome, body=FeedBody, tag=_TAG, role="trader")
async def engine_feed(request: AnyRequest) -> Answer:
    """Pause, resume, step or change the speed of an engine's feed."""
    body = await read(request, FeedBody)
    command = SetFeed(engine=body.instance_id, action=body.action, speed=body.speed)
    return await through_the_door(request, command)


HANDLERS = [
    engine_status,
    engine_health,
    engine_logs,
    instruments,
    engine_start,
    engine_configure,
    engine_stop,
    engine_emergency_stop,
    engine_restart,
    engine_feed,
]
