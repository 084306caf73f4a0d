"""What routes say about themselves: what each takes and answers, and for whom it is.

This module must not know what any route does, or what is made of what it says.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import msgspec
from litestar import delete, get, patch, post, put
from litestar.handlers import HTTPRouteHandler

from data.access import Role
from data.commands import Outcome
from data.paging import Page
from nautilus_tui.daemon.api.answers import JSON, MSGPACK
from nautilus_tui.daemon.api.queries import LIST, WHOLE_LIST, well_asked
from nautilus_tui.daemon.api.roles import CHANGE, ROLE, needs

_METHODS = {"GET": get, "POST": post, "PUT": put, "PATCH": patch, "DELETE": delete}
#: Besides what any route may answer: what a provider of facts may.
OF_PROVIDERS = (404, 502)


class Described(msgspec.Struct, frozen=True, kw_only=True):
    """What a route takes and answers."""

    returns: tuple[Any, ...]  #: the kinds of answer there are
    body: Any = None
    body_required: bool = True
    content: tuple[str, ...] = (JSON, MSGPACK)  #: the media types of the answer
    headers: Mapping[str, str] = {}  #: of the answer: name, what it says
    problems: tuple[int, ...] = ()  #: statuses that not every route answers with

    @property
    def is_change(self) -> bool:
        """Whether it is a command's way through the door."""
        return Outcome in self.returns

    @property
    def is_list(self) -> bool:
        """Whether it answers with pages, always or if no single thing is asked for."""
        return any(getattr(kind, "__origin__", None) is Page for kind in self.returns)


#: Every route by its operation's id.
described: dict[str, Described] = {}

type Handler = Callable[..., Any]


def route(
    method: str,
    path: str,
    *,
    returns: Any,
    tag: str,
    body: Any = None,
    body_required: bool = True,
    role: Role = "viewer",
    content: tuple[str, ...] = (JSON, MSGPACK),
    headers: Mapping[str, str] | None = None,
    problems: tuple[int, ...] = (),
) -> Callable[[Handler], HTTPRouteHandler]:
    """Make a handler a route. Its name is the operation's id, its docstring the text."""

    def made(handler: Handler) -> HTTPRouteHandler:
        operation = handler.__name__
        described[operation] = one = Described(
            returns=returns if isinstance(returns, tuple) else (returns,),
            body=body,
            body_required=body_required,
            content=content,
            headers=headers or {},
            problems=problems,
        )
        summary = (handler.__doc__ or operation).strip().splitlines()[0]
        decorate = _METHODS[method](
            path,
            operation_id=operation,
            summary=summary,
            description=(handler.__doc__ or "").strip(),
            tags=[tag],
            # a change has no guard for its role: the door refuses it, and has it audited
            guards=[well_asked] if one.is_change else [needs(role), well_asked],
            status_code=200,
            opt={
                ROLE: role,
                CHANGE: one.is_change,
                LIST: one.is_list,
                WHOLE_LIST: one.is_list and "cursor" not in handler.__annotations__,
            },
        )
        made_route: HTTPRouteHandler = decorate(handler)
        return made_route

    return made
