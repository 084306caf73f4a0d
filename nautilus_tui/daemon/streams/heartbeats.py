"""Heartbeats: every connection is asked for a sign of life, and those that give none are dead.

Thousands are asked a few at a time: one round at once would hold up everybody's events. This module
must not know of sockets, of the bus or of what is subscribed.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping

from nautilus_tui.daemon.streams.connection import Connection
from nautilus_tui.daemon.streams.limits import StreamLimits
from nautilus_tui.daemon.streams.wire import FORMATS, Format

#: Connections asked at once, and the pause before the next, in seconds.
_SLICE, _PAUSE_S = 200, 0.005


class Heartbeats:
    """Asks all connections once an interval.

    Args:
        connections: those that live, by id; the caller's own.
        limits: the interval, and how many may be missed.
        epoch: the bus's, told with each.
        before: called before each round.
        dead: called with a connection that missed too many, and the reason.
    """

    def __init__(
        self,
        connections: Mapping[str, Connection],
        limits: StreamLimits,
        *,
        epoch: Callable[[], str],
        before: Callable[[], None],
        dead: Callable[[Connection, str], None],
    ) -> None:
        self._connections = connections
        self._limits = limits
        self._epoch = epoch
        self._before = before
        self._dead = dead
        self._count = 0
        self._timer: asyncio.TimerHandle | None = None

    def begin(self) -> None:
        """Ask after an interval and from then on, as long as there is anyone to ask."""
        if self._timer is None:
            self._timer = asyncio.get_running_loop().call_later(self._limits.heartbeat_s, self._round)

    def end(self) -> None:
        """Ask no more."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _round(self) -> None:
        self._timer = None
        self._before()
        if not self._connections:
            return
        self.begin()
        self._count += 1
        beat = {"epoch": self._epoch(), "interval_s": self._limits.heartbeat_s}
        id_ = f"hb-{self._count}"
        encoded = {form: form.frame([form.message("heartbeat", beat, id_=id_)]) for form in FORMATS}
        self._ask(list(self._connections.values()), encoded)

    def _ask(self, rest: list[Connection], encoded: Mapping[Format, bytes]) -> None:
        for connection in rest[:_SLICE]:
            if self._connections.get(connection.id) is not connection:
                continue  # it left meanwhile
            connection.missed = 0 if connection.alive else connection.missed + 1
            connection.alive = False
            connection.asked = not connection.blocked
            if connection.missed >= self._limits.heartbeats_missed:
                self._dead(connection, f"{connection.missed} heartbeats were not answered")
            elif connection.asked:
                connection.send(encoded[connection.form])
        if len(rest) > _SLICE:
            asyncio.get_running_loop().call_later(_PAUSE_S, self._ask, rest[_SLICE:], encoded)
