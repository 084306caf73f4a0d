"""Who may use which route, and how a request that was refused is told from a command that was.

A route that makes a command has no guard: the door refuses whoever may not send it, so that the audit
chain has the command. This module must not know of routes.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any, cast

from litestar.connection import ASGIConnection
from litestar.handlers import BaseRouteHandler
from litestar.types import Scope

from data.access import Role
from data.problems import ForbiddenError
from nautilus_tui.daemon.principal import Principal

#: Where a route says that it makes a command, and whom it is for.
CHANGE, ROLE = "change", "role"
_AUDITED = "nautilus_tui.audited"

type Connection = ASGIConnection[Any, Any, Any, Any]


def needs(role: Role) -> Callable[[Connection, BaseRouteHandler], Awaitable[None]]:
    """Return a guard that lets those through who have at least ``role``."""

    async def guard(connection: Connection, _: BaseRouteHandler) -> None:
        principal: Principal = connection.user
        if not principal.may(role):
            raise _not_for(principal, role, connection.url.path)

    return guard


def refused_first(connection: Connection) -> ForbiddenError | None:
    """Return why whoever asks may not send a command of this route at all, whatever else is wrong with it.

    None: it may, or the route makes no command, or the door has said so already.
    """
    if not makes_a_command(connection.scope) or audited(connection.scope):
        return None
    principal: Principal = connection.user
    role: Role = connection.route_handler.opt[ROLE]
    return None if principal.may(role) else _not_for(principal, role, connection.url.path)


def makes_a_command(scope: Scope) -> bool:
    """Tell whether a request is to a route that makes a command."""
    handler: BaseRouteHandler | None = cast("dict[str, Any]", scope).get("route_handler")
    return handler is not None and bool(handler.opt.get(CHANGE))


def audited_by_the_door(connection: Connection) -> None:
    """Say that a request became a command, so that the door has its audit entries."""
    cast("dict[str, Any]", connection.scope)[_AUDITED] = True


def audited(scope: Scope) -> bool:
    """Tell whether a request became a command."""
    return bool(cast("dict[str, Any]", scope).get(_AUDITED))


def _not_for(principal: Principal, role: Role, path: str) -> ForbiddenError:
    return ForbiddenError(
        f"{principal.name} has the role {principal.role}",
        rule=f"{path} is for the role {role} and above",
        fix=f"use a token of role {role}",
        role=principal.role,
    )
