"""Routes of the order authority: who holds it, taking it, releasing it.

This module must not know what the authority allows.
"""

from __future__ import annotations

from typing import Annotated

from litestar.params import Parameter

from data.access import OrderAuthority
from data.commands import Outcome, ReleaseAuthority, TakeAuthority
from data.words import Words
from nautilus_tui.daemon.api.answers import Answer, AnyRequest, answer, context_of
from nautilus_tui.daemon.api.bodies import Body, read
from nautilus_tui.daemon.api.commands import through_the_door
from nautilus_tui.daemon.api.describe import route

_TAG = "Access and audit"
_PATH = "/api/v1/authority"


class TakeBody(Body, frozen=True, kw_only=True):
    """Why it is taken; told to everyone."""

    reason: Words | None = None


@route("GET", _PATH, returns=OrderAuthority, tag=_TAG)
async def get_authority(request: AnyRequest) -> Answer:
    """Return who holds the order authority, since when, and who held it before."""
    return answer(request, context_of(request).authority.now)


@route("POST", _PATH, returns=Outcome, body=TakeBody, body_required=False, tag=_TAG, role=TakeAuthority.role)
async def take_authority(request: AnyRequest) -> Answer:
    """Take the order authority, from whoever holds it: from now on nobody else may send orders."""
    body = await read(request, TakeBody)
    return await through_the_door(request, TakeAuthority(reason=body.reason))


@route("DELETE", _PATH, returns=Outcome, tag=_TAG, role=ReleaseAuthority.role)
async def release_authority(
    request: AnyRequest,
    reason: Annotated[str | None, Parameter(description="why; told to everyone")] = None,
    holder: Annotated[str | None, Parameter(description="only if it is this one who holds it")] = None,
) -> Answer:
    """Release the order authority: its holder's right, and that of the role risk and above."""
    return await through_the_door(request, ReleaseAuthority(reason=reason, holder=holder))


HANDLERS = [get_authority, take_authority, release_authority]
