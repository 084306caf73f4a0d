"""Clients that have seen more than this server has: what they ask waits until it has caught up.

A gateway lags behind its daemon and behind other gateways by some milliseconds, so whoever comes from one
of these may resume after a number that is yet to arrive. Until then, or until it has taken too long,
nothing is subscribed; what else the client says of its subscriptions waits behind that. This module must
not know of sockets or of how messages look.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections import deque
from collections.abc import Callable, Iterable, Mapping

from data import topics
from data.access import Role
from data.bus import Bus
from data.problems import InvalidRequestError, RateLimitedError
from nautilus_tui.daemon.streams.connection import Connection
from nautilus_tui.daemon.streams.matching import Matcher

logger = logging.getLogger(__name__)

#: How often a look is taken at how far the server is, and how long messages are carried out at once; seconds.
_LOOK_S, _SLICE_S = 0.01, 0.002
#: Messages of one client that may wait behind its first.
_BEHIND = 16


class Ahead:
    """Holds back what clients say until a bus has caught up with them.

    Args:
        bus: gives the one that is read from.
    """

    def __init__(self, bus: Callable[[], Bus]) -> None:
        self._bus = bus
        self._waiting: dict[Connection, _Wait] = {}
        self._planned = False

    def awaited(
        self, role: Role, patterns: Iterable[str], resume: Mapping[str, int], epoch: str | None
    ) -> dict[str, int]:
        """Return the topics of a subscription on which more was seen than is known here, and how much."""
        bus = self._bus()
        if not bus.catch_up_s or epoch not in (None, bus.epoch):
            return {}
        further = {topic: seq for topic, seq in resume.items() if seq > bus.seq(topic)}
        if not further:
            return {}
        matcher = Matcher(patterns)
        return {
            topic: seq for topic, seq in further.items() if matcher.names(topic) and _resumes(role, topic)
        }

    def until(self) -> float:
        """Return until when a message that came now may wait; loop time."""
        return asyncio.get_running_loop().time() + self._bus().catch_up_s

    def waits(self, connection: Connection) -> bool:
        """Tell whether something that a client said waits."""
        return connection in self._waiting

    def hold(
        self, connection: Connection, awaited: Mapping[str, int], until: float, go_on: Callable[[], None]
    ) -> bool:
        """Call ``go_on`` once the topics have come as far as is ``awaited``, or at ``until``; False if
        there is nothing to wait for.
        """
        if not awaited or asyncio.get_running_loop().time() >= until:
            return False
        self._waiting[connection] = _Wait(list(awaited.items()), until, deque((go_on,)))
        self._plan(_LOOK_S)
        return True

    def queue(self, connection: Connection, go_on: Callable[[], None]) -> None:
        """Call ``go_on`` after what waits already; raises RateLimitedError if that is too much."""
        held = self._waiting[connection].held
        if len(held) > _BEHIND:
            raise RateLimitedError(
                f"{_BEHIND} messages wait for a subscription that resumes after what has yet to arrive here",
                rule=f"it is answered within {self._bus().catch_up_s:g} s, and the others in their order",
                fix="wait for its answer; several topics fit in one subscribe",
            )
        held.append(go_on)

    def forget(self, connection: Connection) -> None:
        """Forget what a client said: it is gone."""
        self._waiting.pop(connection, None)

    def _plan(self, seconds: float) -> None:
        if not self._planned:
            self._planned = True
            asyncio.get_running_loop().call_later(seconds, self._look)

    def _look(self) -> None:
        """Carry out what has waited long enough, for a slice of time."""
        self._planned = False
        now, bus = asyncio.get_running_loop().time(), self._bus()
        stop = time.perf_counter() + _SLICE_S
        for connection, wait in tuple(self._waiting.items()):
            if connection.blocked or not (wait.caught_up(bus) or now >= wait.until):
                continue  # who does not read is not answered
            del self._waiting[connection]
            for go_on in wait.held:
                if connection.group is not None:  # it has not left
                    _call(go_on)
            if time.perf_counter() > stop:
                break
        if self._waiting:
            self._plan(_LOOK_S)


class _Wait:
    """What one client said, and for what it waits."""

    __slots__ = ("_awaited", "held", "until")

    def __init__(self, awaited: list[tuple[str, int]], until: float, held: deque[Callable[[], None]]) -> None:
        self._awaited = awaited
        self.until = until
        self.held = held

    def caught_up(self, bus: Bus) -> bool:
        """Tell whether everything has come that is waited for; what has is not asked for again."""
        awaited = self._awaited
        while awaited and bus.seq(awaited[-1][0]) >= awaited[-1][1]:
            awaited.pop()
        return not awaited


def _call(go_on: Callable[[], None]) -> None:
    """Carry one message out; whatever comes of it, the next is heard."""
    try:
        go_on()
    except Exception:  # the fault is ours
        logger.exception("what a client said, and had to wait, failed")


def _resumes(role: Role, topic: str) -> bool:
    """Tell whether a topic is one that a role may read and resume."""
    try:
        return topics.delivery_of(topic) == "lossless" and topics.may_read(role, topic)
    except InvalidRequestError:  # it does not exist: nothing will come
        return False
