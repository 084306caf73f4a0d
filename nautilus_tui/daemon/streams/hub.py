"""The hub: who is connected, what each reads, and what everyone is told.

Connections join and leave, add patterns and take them back; each is brought to the present on what it
asks for, then `Delivery` brings it the events. This module must not know of sockets, handshakes or how
messages from clients are parsed.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping, Sequence

from data import topics
from data.bus import Bus, Event
from data.problems import InvalidRequestError, NotFoundError
from data.records import Broadcast
from nautilus_tui.daemon.streams.access import check_patterns
from nautilus_tui.daemon.streams.ahead import Ahead
from nautilus_tui.daemon.streams.connection import Connection
from nautilus_tui.daemon.streams.delivery import Delivery
from nautilus_tui.daemon.streams.heartbeats import Heartbeats
from nautilus_tui.daemon.streams.limits import StreamLimits
from nautilus_tui.daemon.streams.listing import (
    ConnectionInfo,
    Pending,
    StreamsHealth,
    SubscriptionInfo,
    count_patterns,
    describe,
)
from nautilus_tui.daemon.streams.matching import Matcher
from nautilus_tui.daemon.streams.states import GapReason

#: WebSocket close codes of our own (RFC 6455 leaves 4000 to 4999 to applications).
CLOSE_TOO_SLOW, CLOSE_DEAD, CLOSE_UNAUTHENTICATED, CLOSE_DROPPED = 4001, 4002, 4003, 4004
CLOSE_RESTART = 1012


class StreamHub:
    """Fans the bus out to connections.

    Args:
        bus: where events come from; the hub lives on the same thread.
        limits: what a connection may cost.
        version: the product's version, told to clients.
    """

    def __init__(self, bus: Bus, limits: StreamLimits | None = None, *, version: str = "") -> None:
        self.limits = limits or StreamLimits()
        self.version = version
        self._connections: dict[str, Connection] = {}
        self._delivery = Delivery(
            bus, self.limits, lambda connection, reason: self._shut(connection, CLOSE_TOO_SLOW, reason)
        )
        self.ahead = Ahead(lambda: self.bus)
        self._heartbeats = Heartbeats(
            self._connections,
            self.limits,
            epoch=lambda: self.bus.epoch,
            before=lambda: self._delivery.states.forget(),
            dead=lambda connection, reason: self._shut(connection, CLOSE_DEAD, reason),
        )

    @property
    def bus(self) -> Bus:
        """What is read from."""
        return self._delivery.bus

    def flush(self) -> None:
        """Write what waits for its frame."""
        self._delivery.flush()

    def block(self, connection: Connection) -> None:
        """Stop writing to a connection: its client does not read as fast as it is written to."""
        self._delivery.block(connection)

    def unblock(self, connection: Connection) -> None:
        """Go on writing to a connection, with the next frames, beginning with what it missed."""
        self._delivery.unblock(connection)

    # ------------------------------------------------------------ connections

    def join(self, connection: Connection) -> None:
        """Take a new connection in. It reads nothing but broadcasts until it subscribes."""
        self._connections[connection.id] = connection
        delivery = self._delivery
        group = delivery.enter(connection, frozenset((topics.BROADCAST,)))
        delivery.write(connection, [delivery.states.snapshot(group.form, topic) for topic in group.topics])
        self._heartbeats.begin()

    def leave(self, connection: Connection) -> None:
        """Forget a connection that is gone."""
        self._connections.pop(connection.id, None)
        self.ahead.forget(connection)
        self._delivery.exit(connection)

    def drop(self, connection_id: str, reason: str = "closed by an operator") -> None:
        """Close a connection; raises NotFoundError."""
        connection = self._connections.get(connection_id)
        if connection is None:
            raise NotFoundError(f"no stream connection {connection_id!r}", fix="list them first")
        self._shut(connection, CLOSE_DROPPED, reason)

    def _shut(self, connection: Connection, code: int, reason: str) -> None:
        """Close a connection for our own reasons, after what waits for it."""
        self._delivery.take_out(connection)
        self.leave(connection)
        connection.close(code, reason)

    def broadcast(self, sender: str, message: str) -> Event:
        """Tell everyone who is attached."""
        return self.bus.publish(
            topics.BROADCAST, Broadcast(sender=sender, message=message, ts=time.time_ns())
        )

    def gap(self, topic: str, *, after: int = 0, reason: GapReason = "missed") -> None:
        """Tell all readers of a topic that events are missing from it, and what is true now.

        For whoever fills the bus from somewhere and lost the thread: call it once the bus has the
        topic's present state and number, before the next event. Readers of a lossless topic get a gap
        and a snapshot, those of a conflated one the snapshot; who is behind gets both in its turn.

        Args:
            after: the last number that was published before events went missing.
            reason: what readers are told.
        """
        self._delivery.gap(topic, after, reason)

    def restart(self, reason: str, *, bus: Bus | None = None) -> None:
        """Write what waits and send every connection away to come back; new ones are welcome at once.

        Args:
            reason: what readers are told, in a few words.
            bus: read from this one from now on, for another epoch; None: the same as before.
        """
        self.flush()
        for connection in tuple(self._connections.values()):
            self._shut(connection, CLOSE_RESTART, reason)
        if bus is not None:
            self._delivery.deafen()
            self._delivery.listen(bus)

    def close(self) -> None:
        """Write what waits, close every connection and stop listening to the bus."""
        self._delivery.deafen()
        self.restart("the daemon is stopping")
        self._heartbeats.end()
        self._delivery.end()

    # ------------------------------------------------------------ subscriptions

    def subscribe(
        self,
        connection: Connection,
        patterns: Sequence[str],
        *,
        id_: str | int | None = None,
        resume: Mapping[str, int] | None = None,
        epoch: str | None = None,
    ) -> None:
        """Add patterns to a connection, confirm, and bring it to the present on every topic they reach.

        A topic in ``resume`` is continued after the sequence number given there if the bus still
        holds what came since; otherwise a gap is told and a snapshot sent. All or nothing: raises
        InvalidRequestError (malformed, unknown, too many), ForbiddenError or what the store raises, and
        changes nothing.
        """
        added = frozenset(patterns)
        withheld = check_patterns(added, connection.principal.role)
        wanted = connection.patterns | added
        count = len(wanted) - 1  # broadcasts are everyone's
        if count > self.limits.max_subscriptions:
            raise InvalidRequestError(
                f"{count} subscriptions on one connection",
                rule=f"at most {self.limits.max_subscriptions} subscriptions a connection",
                fix="use wildcards such as quotes.>, or a second connection",
                value=str(count),
                limit=str(self.limits.max_subscriptions),
            )
        had, fresh = connection.patterns, self._delivery.move(connection, wanted)
        form = connection.form
        reached = _reached(connection, added, fresh)
        confirmed = {
            "topics": sorted(added),
            "subscriptions": count,
            "withheld": withheld,
            "reached": len(reached),
        }
        answer = [form.message("subscription_confirmed", confirmed, id_=id_)]
        resume = resume or {}
        try:
            for topic in reached:
                asked = resume.get(topic)
                if asked is None:
                    answer.append(self._delivery.states.snapshot(form, topic))
                else:
                    answer += self._delivery.states.resumed(form, topic, asked, epoch)
        except Exception:  # the store cannot say what is: then nothing was subscribed to
            self._delivery.move(connection, had)  # there was room for it until now
            raise
        self._delivery.write(connection, answer)

    def unsubscribe(
        self, connection: Connection, patterns: Sequence[str], *, id_: str | int | None = None
    ) -> None:
        """Take patterns from a connection and confirm what is left.

        Raises InvalidRequestError, changing nothing, when one of them was not subscribed to, and
        UnavailableError when what is left is yet another set to remember and there is no room for it.
        """
        gone = frozenset(patterns)
        unknown = gone - connection.patterns | gone & {topics.BROADCAST}
        if unknown:
            raise InvalidRequestError(
                f"not subscribed to {', '.join(sorted(unknown))}",
                rule="only what was subscribed to can be unsubscribed from, pattern by pattern",
                fix="subscribed to: " + ", ".join(sorted(connection.patterns - {topics.BROADCAST})),
            )
        left = connection.patterns - gone
        fresh = self._delivery.move(connection, left)
        form = connection.form
        confirmed = {"topics": [], "removed": sorted(gone), "subscriptions": len(left) - 1}
        answer = [form.message("subscription_confirmed", confirmed, id_=id_)]
        self._delivery.write(
            connection, answer + [self._delivery.states.snapshot(form, topic) for topic in fresh]
        )

    # ------------------------------------------------------------ for people

    def connections(self) -> list[ConnectionInfo]:
        """Return every connection with its counters."""
        pending = Pending(self.bus)
        return [describe(connection, pending) for connection in self._connections.values()]

    def subscriptions(self) -> list[SubscriptionInfo]:
        """Return every pattern subscribed to and how many connections read it."""
        return count_patterns(self._connections.values())

    def waiting(self) -> int:
        """Return how many events wait for the next frame, in the group with the most."""
        return max((len(group.parts) for group in self._delivery.groups.values()), default=0)

    def unsent_s(self) -> float:
        """Return how long the oldest event has waited for its frame."""
        return self._delivery.unsent_s()

    def health(self) -> StreamsHealth:
        """Return the state of the streams as a whole."""
        delivery = self._delivery
        return StreamsHealth(
            status="degraded" if delivery.behind else "ok",
            epoch=self.bus.epoch,
            connections=len(self._connections),
            behind=len(delivery.behind),
            groups=len(delivery.groups),
            topics=len(self.bus.topics()),
            names=delivery.names,
            published=self.bus.published,
            delivered=delivery.delivered,
            overflows=delivery.overflows,
            flush_ms=round(delivery.flush_ms, 3),
            longest_flush_ms=round(delivery.longest_flush_ms, 3),
        )


def _reached(connection: Connection, patterns: Iterable[str], fresh: list[str]) -> list[str]:
    """Return the topics to bring a connection to the present on: those that the patterns just
    subscribed to reach, known or named in full, and those that are fresh to it.
    """
    matcher = Matcher(patterns)
    reached = dict.fromkeys([*fresh, *sorted(matcher.exact)])
    if matcher.wild and connection.group is not None:
        reached |= dict.fromkeys(topic for topic in connection.group.topics if matcher.names(topic))
    return list(reached)
