"""Routes of the system itself: health, tokens, streams, stopping.

This module must not know how any of it works.
"""

from __future__ import annotations

from data.access import TokenInfo, info_of
from data.commands import (
    CreateToken,
    DropConnection,
    Outcome,
    ReloadSettings,
    RevokeToken,
    SendBroadcast,
    StopDaemon,
)
from data.paging import Page
from data.records import SystemHealth
from nautilus_tui.daemon.api.answers import Answer, AnyRequest, answer, context_of
from nautilus_tui.daemon.api.bodies import BroadcastBody, StopBody, TokenBody, read
from nautilus_tui.daemon.api.commands import through_the_door
from nautilus_tui.daemon.api.describe import route
from nautilus_tui.daemon.api.parameters import ConnectionId, TokenName
from nautilus_tui.daemon.streams.listing import ConnectionInfo, StreamsHealth, SubscriptionInfo

_SYSTEM, _ACCESS, _STREAMS = "System", "Access and audit", "Streams"


@route("GET", "/health", returns=SystemHealth, tag=_SYSTEM)
async def health(request: AnyRequest) -> Answer:
    """Return whether the daemon is alive, ready and truthful, and what is wrong."""
    return answer(request, context_of(request).health.now())


@route("GET", "/api/v1/system/health", returns=SystemHealth, tag=_SYSTEM)
async def system_health(request: AnyRequest) -> Answer:
    """Return whether the daemon is alive, ready and truthful, and what is wrong."""
    return answer(request, context_of(request).health.now())


@route(
    "POST",
    "/api/v1/system/stop",
    returns=Outcome,
    body=StopBody,
    body_required=False,
    tag=_SYSTEM,
    role="admin",
)
async def stop_daemon(request: AnyRequest) -> Answer:
    """Stop the daemon; engines trade on unless asked to stop too."""
    body = await read(request, StopBody)
    return await through_the_door(request, StopDaemon(engines=body.engines))


@route("POST", "/api/v1/system/reload", returns=Outcome, tag=_SYSTEM, role="admin")
async def reload_settings(request: AnyRequest) -> Answer:
    """Read the settings anew; the outcome names what has changed and what needs a restart."""
    return await through_the_door(request, ReloadSettings())


# ---------------------------------------------------------------- access


@route("GET", "/api/v1/tokens", returns=Page[TokenInfo], tag=_ACCESS, role="admin")
async def list_tokens(request: AnyRequest) -> Answer:
    """Return the access tokens by name, never the secrets."""
    context = context_of(request)
    now = context.clock()
    found = [info_of(token, now) for token in await context.state.tokens.all()]
    return answer(request, Page(found))


@route("POST", "/api/v1/tokens", returns=Outcome, body=TokenBody, tag=_ACCESS, role="admin")
async def create_token(request: AnyRequest) -> Answer:
    """Create an access token; the answer's ``data.token`` is the only time it is shown."""
    body = await read(request, TokenBody)
    command = CreateToken(name=body.name, token_role=body.role, expires_days=body.expires_days)
    return await through_the_door(request, command)


@route("DELETE", "/api/v1/tokens/{name:str}", returns=Outcome, tag=_ACCESS, role="admin")
async def revoke_token(request: AnyRequest, name: TokenName) -> Answer:
    """Make an access token worthless from now on."""
    return await through_the_door(request, RevokeToken(name=name))


# ---------------------------------------------------------------- streams


@route("GET", "/api/v1/websocket/health", returns=StreamsHealth, tag=_STREAMS)
async def streams_health(request: AnyRequest) -> Answer:
    """Return the state of the streams as a whole."""
    return answer(request, context_of(request).hub.health())


@route("GET", "/api/v1/websocket/connections", returns=Page[ConnectionInfo], tag=_STREAMS)
async def stream_connections(request: AnyRequest) -> Answer:
    """Return every stream connection with its counters."""
    return answer(request, Page(context_of(request).hub.connections()))


@route("GET", "/api/v1/websocket/subscriptions", returns=Page[SubscriptionInfo], tag=_STREAMS)
async def stream_subscriptions(request: AnyRequest) -> Answer:
    """Return every topic pattern subscribed to and how many read it."""
    return answer(request, Page(context_of(request).hub.subscriptions()))


@route(
    "POST", "/api/v1/websocket/broadcast", returns=Outcome, body=BroadcastBody, tag=_STREAMS, role="trader"
)
async def broadcast_message(request: AnyRequest) -> Answer:
    """Send a message to everyone who is attached."""
    body = await read(request, BroadcastBody)
    return await through_the_door(request, SendBroadcast(message=body.message))


@route(
    "DELETE", "/api/v1/websocket/connections/{connection_id:str}", returns=Outcome, tag=_STREAMS, role="admin"
)
async def drop_connection(request: AnyRequest, connection_id: ConnectionId) -> Answer:
    """Close one stream connection."""
    return await through_the_door(request, DropConnection(connection_id=connection_id))


HANDLERS = [
    health,
    system_health,
    stop_daemon,
    reload_settings,
    list_tokens,
    create_token,
    revoke_token,
    streams_health,
    stream_connections,
    stream_subscriptions,
    broadcast_message,
    drop_connection,
]
