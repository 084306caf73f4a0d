"""How a gateway is: whether it answers, whether it may be asked, and how well it follows its daemon.

Alive: it answers. Ready: it has read the daemon's present state and its tokens. Degraded: it serves
what it knows, and does not hear what is new; when that lasts, tokens count no longer and nobody is
answered. This module must not know of HTTP.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Literal

import msgspec

from nautilus_tui.daemon.streams.hub import StreamHub
from nautilus_tui.relay.follower import Follower, RelayStatus


class GatewayHealth(msgspec.Struct, frozen=True, kw_only=True):
    """A gateway's health."""

    alive: bool
    ready: bool
    status: Literal["ok", "degraded", "not ready"]
    problems: tuple[str, ...] = ()
    following: RelayStatus
    stream_clients: int
    commands: str | None  #: the daemon that commands are carried to; None: nowhere
    uptime_s: float
    version: str
    ts: int


class HealthWatch:
    """Looks at the parts of a gateway and says how they are."""

    def __init__(
        self,
        *,
        follower: Follower,
        hub: StreamHub,
        commands: str | None,
        version: str,
        clock: Callable[[], int] = time.time_ns,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._follower = follower
        self._hub = hub
        self._commands = commands
        self._version = version
        self._clock = clock
        self._monotonic = monotonic
        self._began = monotonic()

    def now(self) -> GatewayHealth:
        """Return how the gateway is at this moment."""
        following, ready = self._follower.status(), self._follower.ready.is_set()
        problems = () if following.problem is None else (following.problem,)
        return GatewayHealth(
            alive=True,
            ready=ready,
            status="not ready" if not ready else "degraded" if problems else "ok",
            problems=problems,
            following=following,
            stream_clients=len(self._hub.connections()),
            commands=self._commands,
            uptime_s=round(self._monotonic() - self._began, 3),
            version=self._version,
            ts=self._clock(),
        )
