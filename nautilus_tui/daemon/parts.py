"""What the daemon serves, made from its parts, and what of it the settings change while it runs.

This module must not know how the parts are made.
"""

from __future__ import annotations

from data.problems import UnauthorizedError
from nautilus_tui.daemon.api.app import make_app, origins_of
from nautilus_tui.daemon.api.context import Context
from nautilus_tui.daemon.auth import Authenticator
from nautilus_tui.daemon.listening import Server, check_certificate, make_server
from nautilus_tui.daemon.log_lines import set_up_logging
from nautilus_tui.daemon.peers import Bounds, http_protocol
from nautilus_tui.daemon.principal import Principal
from nautilus_tui.daemon.pulse import Pulse
from nautilus_tui.daemon.reload import LIMITS_OF_STREAMS, Reload
from nautilus_tui.daemon.schedule import Schedule
from nautilus_tui.daemon.settings import DaemonSettings
from nautilus_tui.daemon.streams import make_ws_protocol
from nautilus_tui.daemon.streams.protocol import Authenticate


class Parts:
    """What is served, and by what."""

    def __init__(self, context: Context, schedule: Schedule, settings: DaemonSettings, version: str) -> None:
        self.hub = context.hub
        self.door = context.door
        self.pulse = Pulse(context.state.probe, context.hub.unsent_s)
        self.schedule = schedule
        self._context = context
        self._servers: list[Server] = []
        self._app = make_app(context, settings, version=version)
        self._settings = settings
        self._http = http_protocol(
            Bounds(
                header_bytes=settings.max_header_bytes,
                request_s=settings.request_seconds,
                connections=settings.connections_per_peer,
                drained_bytes=settings.max_request_bytes,
            ),
            context.refusals.note,
        )
        self._ws = make_ws_protocol(
            context.hub,
            _stream_door(context.authenticator),
            context.door.execute,
            origins=origins_of(settings),
            note=context.refusals.note,
            record=context.refusals.record,
        )

    def server(self, *, tls: bool = False) -> Server:
        """Return a server for one more socket."""
        server = make_server(self._app, self._ws, self._settings, tls=tls, http=self._http)
        self._servers.append(server)
        return server

    def take_changes(self, reload: Reload[DaemonSettings]) -> None:
        """Say what takes which settings while the daemon runs; the rest takes a restart."""
        on, context = reload.on, self._context
        on("log_level", "log_format", change=lambda new: set_up_logging(new.log_level, new.log_format))
        on(
            "login_attempts_per_minute",
            change=lambda new: context.authenticator.allow(new.login_attempts_per_minute),
        )
        on("requests_per_second", change=lambda new: self._app.allow(new.requests_per_second))
        on(*LIMITS_OF_STREAMS, change=lambda new: setattr(context.hub, "limits", new.streams))
        on("health_seconds", change=lambda new: self.schedule.publish_health_every(new.health_seconds))
        on("compaction_minutes", change=lambda new: self.schedule.compact_every(new.compaction_minutes))
        on("monitor_seconds", change=lambda new: context.risk.monitor.check_every(new.monitor_seconds))
        on("escalation", change=lambda new: context.risk.monitor.escalate_by(new.escalation))
        on(
            "order_authority",
            change=lambda new: context.authority.require(new.order_authority == "required"),
        )
        on("watch", change=lambda new: context.research.filings.always(new.watch))
        on("engine", change=lambda _: None)  # asked for when an engine is started for the first time
        reload.each_time(check=check_certificate, renew=self._renew_certificate)

    def _renew_certificate(self, settings: DaemonSettings) -> None:
        for server in self._servers:
            server.renew(settings)


def _stream_door(authenticator: Authenticator) -> Authenticate:
    """Return how stream connections prove who they are: by token, else by the unix socket's peer."""

    def authenticate(token: str | None, peer_uid: int | None, peer: str = "") -> Principal:
        if token is not None:
            return authenticator.token(token, f"uid {peer_uid}" if peer_uid is not None else peer)
        if peer_uid is not None:
            return authenticator.unix_peer(peer_uid)
        raise UnauthorizedError("no token was given", rule="streams over TCP need a token")

    return authenticate
