"""Routes of the kill switch.

This module must not know how an engine is reached.
"""

from __future__ import annotations

from data.commands import Outcome
from data.kill import KillStatus
from data.risk_commands import Kill, Unlock
from data.words import Words
from nautilus_tui.daemon.api.answers import Answer, AnyRequest, answer, context_of
from nautilus_tui.daemon.api.bodies import Body, read
from nautilus_tui.daemon.api.commands import through_the_door
from nautilus_tui.daemon.api.describe import route

_TAG = "Risk"


class KillBody(Body, frozen=True, kw_only=True):
    """What the kill switch is to do."""

    engine: str | None = None  #: all engines if left out
    flatten: bool = False
    drill: bool = False  #: paper only: all of it for real, then released again
    reason: Words | None = None


class UnlockBody(Body, frozen=True, kw_only=True):
    """The phrase, as it was typed."""

    phrase: str


@route("GET", "/api/v1/risk/kill", returns=KillStatus, tag=_TAG)
async def kill_status(request: AnyRequest) -> Answer:
    """Return how the kill switch stands."""
    return answer(request, context_of(request).risk.kill.status())


@route(
    "POST",
    "/api/v1/risk/kill",
    returns=Outcome,
    body=KillBody,
    body_required=False,
    tag=_TAG,
    role="trader",
)
async def kill(request: AnyRequest) -> Answer:
    """Pull the kill switch and answer when every engine is verified."""
    body = await read(request, KillBody)
    command = Kill(engine=body.engine, flatten=body.flatten, drill=body.drill, reason=body.reason)
    return await through_the_door(request, command)


@route("POST", "/api/v1/risk/unlock", returns=Outcome, body=UnlockBody, tag=_TAG, role="risk")
async def unlock(request: AnyRequest) -> Answer:
    """Release the kill switch by its phrase."""
    body = await read(request, UnlockBody)
    return await through_the_door(request, Unlock(phrase=body.phrase))


HANDLERS = [kill_status, kill, unlock]
