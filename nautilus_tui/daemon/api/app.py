"""The HTTP application: routes, errors, limits, the OpenAPI document, authentication around it all.

This module must not know how the parts of the daemon are made.
"""

from __future__ import annotations

from litestar import Litestar
from litestar.exceptions import HTTPException
from litestar.openapi.config import OpenAPIConfig
from litestar.openapi.spec import Components, SecurityScheme
from litestar.plugins import PluginProtocol
from litestar.plugins.core import MsgspecDIPlugin

from data.problems import ProblemError
from nautilus_tui.daemon.api import (
    analytics,
    auditing,
    authority,
    breaches,
    commands,
    companies,
    document,
    engines,
    forecast,
    kill,
    limits,
    macro,
    market,
    orders,
    reports,
    stocks,
    system,
    watching,
)
from nautilus_tui.daemon.api.access import Authenticated
from nautilus_tui.daemon.api.answers import (
    keep_out_of_caches,
    on_http_error,
    on_problem,
    on_unforeseen,
    tell_methods,
)
from nautilus_tui.daemon.api.context import Context
from nautilus_tui.daemon.api.document import Unserved
from nautilus_tui.daemon.origins import Origins
from nautilus_tui.daemon.settings import DaemonSettings
from nautilus_tui.daemon.streams.paths import ADDRESSES

_ABOUT = (
    "The daemon's API. Changes are commands and take an Idempotency-Key; errors are problem documents "
    "(RFC 9457); decimals are strings; times are UTC, ISO 8601 with nanoseconds in JSON and integers in "
    "msgpack (Accept: application/vnd.msgpack). Streams, over WebSocket, are at "
    + ", ".join(ADDRESSES)
    + "; what is said there, topics and how to resume are in nautilus_tui/daemon/streams/README.md."
)


#: Every route.
HANDLERS = [
    *commands.HANDLERS,
    *breaches.HANDLERS,
    *engines.HANDLERS,
    *orders.HANDLERS,
    *kill.HANDLERS,
    *authority.HANDLERS,
    *limits.HANDLERS,
    *forecast.HANDLERS,
    *analytics.HANDLERS,
    *reports.HANDLERS,
    *market.HANDLERS,
    *macro.HANDLERS,
    *stocks.HANDLERS,
    *companies.HANDLERS,
    *watching.HANDLERS,
    *auditing.HANDLERS,
    *system.HANDLERS,
    *document.HANDLERS,
]


class _Application(Litestar):
    """The framework for structs of msgspec only: pydantic, if it is installed, is a quarter of a second."""

    @staticmethod
    def _get_default_plugins(plugins: list[PluginProtocol]) -> list[PluginProtocol]:
        return [*plugins, MsgspecDIPlugin()]


def make_app(context: Context, settings: DaemonSettings, *, version: str) -> Authenticated:
    """Return the application over the daemon's parts."""
    app = _Application(
        route_handlers=HANDLERS,
        before_send=[tell_methods, keep_out_of_caches],
        exception_handlers={
            ProblemError: on_problem,
            HTTPException: on_http_error,
            Exception: on_unforeseen,
        },
        openapi_config=OpenAPIConfig(
            title="Nautilus TUI",
            version=version,
            description=_ABOUT,
            path="/api/v1/docs",
            openapi_router=Unserved("/api/v1/docs", route_handlers=[]),
            components=Components(security_schemes={"token": SecurityScheme(type="http", scheme="bearer")}),
            security=[{"token": []}],
        ),
        request_max_body_size=settings.max_request_bytes,
        logging_config=None,
    )
    app.state["context"] = context
    return Authenticated(
        app,
        context.authenticator,
        settings.requests_per_second,
        max_headers=settings.max_headers,
        max_header_bytes=settings.max_header_bytes,
        origins=origins_of(settings),
        note=context.refusals.note,
        record=context.refusals.record,
    )


def origins_of(settings: DaemonSettings) -> Origins:
    """Return which web pages may ask, and under which names the daemon answers."""
    return Origins(settings.allowed_origins, settings.allowed_hosts)
