"""The hub: takes every event once from the bus and writes it to everyone who wants it.

Each event is encoded once per format. Every few milliseconds the hub builds one frame per distinct
subscription set and writes the same bytes to all of its readers. A reader that cannot keep up is
set aside and costs nothing; when it can take more it gets the latest value per key of conflated
topics and every event of lossless ones, or is disconnected when too many of these pile up.
This module must not know of sockets, handshakes or how messages from clients are parsed.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterable, Mapping, Sequence

from data import topics
from data.bus import Bus, Event
from data.problems import InvalidRequestError, NotFoundError, ProblemDocument, ProblemError
from data.records import Broadcast
from nautilus_tui.daemon.streams.access import check_patterns
from nautilus_tui.daemon.streams.connection import Connection
from nautilus_tui.daemon.streams.group import Append, Group, GroupKey
from nautilus_tui.daemon.streams.limits import StreamLimits
from nautilus_tui.daemon.streams.listing import (
    ConnectionInfo,
    StreamsHealth,
    SubscriptionInfo,
    count_patterns,
    describe,
)
from nautilus_tui.daemon.streams.states import GapReason, States
from nautilus_tui.daemon.streams.wire import FORMATS, Format, frames

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
        self.bus = bus
        self.limits = limits or StreamLimits()
        self.version = version
        self.delivered = 0
        self.overflows = 0
        self.flush_ms = 0.0
        self.longest_flush_ms = 0.0
        self._bound = min(self.limits.lossless_bound, bus.ring_size)
        self._connections: dict[str, Connection] = {}
        self._behind: dict[Connection, None] = {}
        self._groups: dict[GroupKey, Group] = {}
        self._routes: dict[str, dict[Format, dict[Group, Append]]] = {}
        self._first_ts = 0  #: publication time of the oldest event that waits for its frame; 0: none
        self._interval = self.limits.flush_s
        self._flushed_at = 0.0  #: loop time
        self._flush_timer: asyncio.TimerHandle | None = None
        self._heartbeat_timer: asyncio.TimerHandle | None = None
        self._heartbeats = 0
        self._states = States(bus)
        self._unsubscribe = bus.subscribe(self._publish)

    # ------------------------------------------------------------ connections

    def join(self, connection: Connection) -> None:
        """Take a new connection in. It reads nothing but broadcasts until it subscribes."""
        self._connections[connection.id] = connection
        group = self._enter(connection, frozenset((topics.BROADCAST,)))
        self._write(connection, [self._states.snapshot(group.form, topic) for topic in group.topics])
        if self._heartbeat_timer is None:
            self._plan_heartbeat()

    def leave(self, connection: Connection) -> None:
        """Forget a connection that is gone."""
        self._connections.pop(connection.id, None)
        self._behind.pop(connection, None)
        self._exit(connection)

    def drop(self, connection_id: str, reason: str = "closed by an operator") -> None:
        """Close a connection; raises NotFoundError."""
        connection = self._connections.get(connection_id)
        if connection is None:
            raise NotFoundError(f"no stream connection {connection_id!r}", fix="list them first")
        self._shut(connection, CLOSE_DROPPED, reason)

    def _shut(self, connection: Connection, code: int, reason: str) -> None:
        """Close a connection for our own reasons; nothing more is written to it."""
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
        self._states.forget()
        for group in tuple(self._groups.values()):
            if topic not in group.topics and not group.wants(topic):
                continue
            if topic not in group.topics:
                self._route(topic, group)
            for part in self._states.gap(group.form, topic, after, reason):
                group.append(part)
            for connection in group.members - group.ready:
                connection.restate(topic, after, reason)
            self._first_ts = self._first_ts or time.time_ns()
        if self._first_ts:
            self._plan_flush()

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
            self._unsubscribe()
            self.bus = bus
            self._states = States(bus)
            self._routes.clear()
            self._bound = min(self.limits.lossless_bound, bus.ring_size)
            self._unsubscribe = bus.subscribe(self._publish)

    def close(self) -> None:
        """Write what waits, close every connection and stop listening to the bus."""
        self._unsubscribe()
        self.restart("the daemon is stopping")
        for timer in (self._flush_timer, self._heartbeat_timer):
            if timer is not None:
                timer.cancel()

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
        had, fresh = connection.patterns, self._move(connection, wanted)
        form = connection.form
        confirmed = {"topics": sorted(added), "subscriptions": count, "withheld": withheld}
        answer = [form.message("subscription_confirmed", confirmed, id_=id_)]
        resume = resume or {}
        try:
            for topic in _reached(connection, added, fresh):
                asked = resume.get(topic)
                if asked is None:
                    answer.append(self._states.snapshot(form, topic))
                else:
                    answer += self._states.resumed(form, topic, asked, epoch)
        except ProblemError:  # the store cannot say what is: then nothing was subscribed to
            self._move(connection, had)
            raise
        self._write(connection, answer)

    def unsubscribe(
        self, connection: Connection, patterns: Sequence[str], *, id_: str | int | None = None
    ) -> None:
        """Take patterns from a connection and confirm what is left.

        Raises InvalidRequestError, changing nothing, when one of them was not subscribed to.
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
        fresh = self._move(connection, left)
        form = connection.form
        confirmed = {"topics": [], "removed": sorted(gone), "subscriptions": len(left) - 1}
        answer = [form.message("subscription_confirmed", confirmed, id_=id_)]
        self._write(connection, answer + [self._states.snapshot(form, topic) for topic in fresh])

    # ------------------------------------------------------------ groups and routes

    def _move(self, connection: Connection, patterns: frozenset[str]) -> list[str]:
        """Give a connection another subscription set, between two frames and with nothing missed.

        Returns the topics it reads now and did not read before: they begin with a snapshot. A topic
        may be fresh under an old pattern: declared since, and yet without an event.
        """
        if connection.behind:
            self._catch_up(connection, everything=True)
        before = connection.group.topics if connection.group else {}
        self._exit(connection)
        group = self._enter(connection, patterns)
        return [topic for topic in group.topics if topic not in before]

    def _enter(self, connection: Connection, patterns: frozenset[str]) -> Group:
        key = (patterns, connection.form.name, connection.principal.role)
        group = self._groups.get(key)
        if group is None:
            group = self._groups[key] = Group(patterns, connection.form, connection.principal.role)
            for topic in self.bus.topics():
                if group.wants(topic):
                    self._route(topic, group)
        else:
            self._flush_group(group)  # what waits was published before this connection came
        connection.patterns = patterns
        connection.group = group
        group.members.add(connection)
        if connection.blocked:
            self._set_aside(connection)
        else:
            group.ready.add(connection)
        return group

    def _exit(self, connection: Connection) -> None:
        group = connection.group
        if group is None:
            return
        self._flush_group(group)
        connection.group = None
        group.members.discard(connection)
        group.ready.discard(connection)
        if not group.members:
            del self._groups[group.key]
            for topic in group.topics:
                del self._routes[topic][group.form][group]

    def _route(self, topic: str, group: Group) -> None:
        routes = self._routes.setdefault(topic, {})
        routes.setdefault(group.form, {})[group] = group.append
        group.topics[topic] = self.bus.published

    def _new_topic(self, event: Event) -> dict[Format, dict[Group, Append]]:
        """Route a topic at its first event: to those who asked for it before it was there."""
        routes = self._routes.setdefault(event.topic, {})
        for form in FORMATS:
            snapshot: bytes | None = None
            for group in tuple(self._groups.values()):
                if group.form is not form or event.topic in group.topics or not group.wants(event.topic):
                    continue
                self._route(event.topic, group)
                snapshot = snapshot or self._states.before(form, event)
                group.append(snapshot)
        return routes

    # ------------------------------------------------------------ events

    def _publish(self, events: Sequence[Event]) -> None:
        """Encode events and put them down for the next frame of every group that wants them."""
        for event in events:
            topic = event.topic
            routes = self._routes.get(topic)
            if routes is None or event.seq == 1:
                routes = self._new_topic(event)
            for form, groups in routes.items():
                if not groups:
                    continue
                part = form.event(event)
                for append in groups.values():  # the hottest line: events times subscription sets
                    append(part)
                if event.key is None:
                    for group in groups:
                        group.lossless += 1
                self._first_ts = self._first_ts or event.ts
        if self._first_ts:
            self._plan_flush()

    def _plan_flush(self) -> None:
        """Flush soon: at once after a lull, else one interval after the flush before."""
        if self._flush_timer is not None:
            return
        loop = asyncio.get_running_loop()
        self._flush_timer = loop.call_at(self._flushed_at + self._interval, self.flush)

    def flush(self) -> None:
        """Write one frame per group that has events, then let those behind catch up."""
        self._flush_timer = None
        started = time.perf_counter()
        for group in tuple(self._groups.values()):
            self._flush_group(group)
        self._first_ts = 0
        for connection in tuple(self._behind):
            if connection.queue() > self._bound:
                self._overflow(connection)
            elif not connection.blocked:
                self._catch_up(connection)
        took = time.perf_counter() - started
        self.flush_ms = took * 1000
        self.longest_flush_ms = max(self.longest_flush_ms, self.flush_ms)
        self._interval = max(self.limits.flush_s, min(took, self.limits.flush_max_s))
        self._flushed_at = asyncio.get_running_loop().time()
        if any(not connection.blocked for connection in self._behind):
            self._plan_flush()

    def _flush_group(self, group: Group) -> None:
        parts = group.parts
        if not parts:
            return
        group.total += len(parts)
        group.lag_ms = (time.time_ns() - self._first_ts) / 1e6 if self._first_ts else 0.0
        readers = tuple(group.ready)
        made = list(frames(group.form, parts, self.limits.frame_bytes)) if readers else []
        parts.clear()  # before writing: a transport that is full says so from within
        for frame, count in made:
            size = len(frame)
            self.delivered += count * len(readers)
            for connection in readers:
                connection.write(frame)
                connection.sent += count
                connection.frames += 1
                connection.sent_bytes += size

    # ------------------------------------------------------------ slow readers

    def block(self, connection: Connection) -> None:
        """Stop writing to a connection: its client does not read as fast as it is written to."""
        connection.blocked = True
        group = connection.group
        if group is None or connection.behind:
            return
        self._flush_group(group)
        self._set_aside(connection)

    def unblock(self, connection: Connection) -> None:
        """Go on writing to a connection, beginning with what it missed."""
        connection.blocked = False
        connection.alive = True  # its client has read
        if connection.behind:
            self._catch_up(connection)
            if connection.behind:
                self._plan_flush()

    def _set_aside(self, connection: Connection) -> None:
        group = connection.group
        assert group is not None, "a connection is set aside within its group"
        group.ready.discard(connection)
        connection.behind_since = asyncio.get_running_loop().time()
        connection.aside_index = connection.mark_index = self.bus.published
        connection.covered.clear()
        connection.mark_total = group.total
        connection.mark_lossless = group.lossless
        self._behind[connection] = None

    def _catch_up(self, connection: Connection, *, everything: bool = False) -> None:
        """Give a connection what it missed, a frame's worth at a time unless ``everything`` is asked."""
        group = connection.group
        assert group is not None, "only a member of a group can be behind"
        self._flush_group(group)
        missed: list[Event] = []
        parts: list[bytes] = []
        for topic, routed in group.topics.items():
            covered = connection.covered.get(topic, 0)
            torn = connection.torn.pop(topic, None) if connection.torn else None
            if torn is not None:
                parts += self._states.gap(connection.form, topic, *torn)
                connection.covered[topic] = self.bus.published
            elif routed > connection.aside_index and not covered:
                parts.append(self._states.snapshot(connection.form, topic))  # it appeared in the meantime
                connection.covered[topic] = self.bus.published
            else:
                missed += self.bus.after(topic, max(connection.mark_index, covered))
        missed.sort(key=lambda event: event.index)
        limit = self.limits.frame_bytes
        size = taken = lossless = 0
        for event in missed:
            part = connection.form.event(event)
            size += len(part)
            if size > limit and taken and not everything:
                break
            parts.append(part)
            taken += 1
            lossless += event.key is None
        if taken == len(missed):
            connection.conflated += max(0, group.total - connection.mark_total - taken)
            connection.behind_since = None
            connection.covered.clear()
            connection.torn = None
            self._behind.pop(connection, None)
            group.ready.add(connection)
        else:
            connection.mark_index = missed[taken - 1].index
            connection.mark_total += taken
            connection.mark_lossless += lossless
        self._write(connection, parts, taken)

    def _overflow(self, connection: Connection) -> None:
        """Disconnect a reader for whom too many lossless events wait, and tell it why."""
        waiting = connection.queue()
        connection.dropped += waiting
        self.overflows += 1
        document = ProblemDocument(
            type="too-slow",
            title="Reading too slowly",
            status=429,
            detail=f"{waiting} events that may not be skipped waited to be read",
            rule=f"at most {self._bound} events of lossless topics wait for a reader",
            fix="read faster or subscribe to less; connect again and resume by seq and epoch",
            extra={"epoch": self.bus.epoch},
        )
        connection.send(connection.form.frame([connection.form.message("error", document)]))
        self._shut(connection, CLOSE_TOO_SLOW, f"too slow: {waiting} events waited; resume by seq")

    def _write(self, connection: Connection, parts: list[bytes], events: int = 0) -> None:
        """Write envelopes to one connection in as few frames as the limit allows."""
        self.delivered += events
        connection.sent += events
        for frame, _ in frames(connection.form, parts, self.limits.frame_bytes):
            connection.send(frame)

    # ------------------------------------------------------------ heartbeats

    def _plan_heartbeat(self) -> None:
        loop = asyncio.get_running_loop()
        self._heartbeat_timer = loop.call_later(self.limits.heartbeat_s, self._heartbeat)

    def _heartbeat(self) -> None:
        """Ask every connection for a sign of life and close those that missed too many."""
        self._heartbeat_timer = None
        self._heartbeats += 1
        self._states.forget()
        beat = {"epoch": self.bus.epoch, "interval_s": self.limits.heartbeat_s}
        encoded = {
            form: form.frame([form.message("heartbeat", beat, id_=f"hb-{self._heartbeats}")])
            for form in FORMATS
        }
        for connection in tuple(self._connections.values()):
            connection.missed = 0 if connection.alive else connection.missed + 1
            connection.alive = False
            if connection.missed >= self.limits.heartbeats_missed:
                self._shut(connection, CLOSE_DEAD, f"{connection.missed} heartbeats were not answered")
            elif not connection.blocked:
                connection.send(encoded[connection.form])
        if self._connections:
            self._plan_heartbeat()

    # ------------------------------------------------------------ for people

    def connections(self) -> list[ConnectionInfo]:
        """Return every connection with its counters."""
        return [describe(connection) for connection in self._connections.values()]

    def subscriptions(self) -> list[SubscriptionInfo]:
        """Return every pattern subscribed to and how many connections read it."""
        return count_patterns(self._connections.values())

    def waiting(self) -> int:
        """Return how many events wait for the next frame, in the group with the most."""
        return max((len(group.parts) for group in self._groups.values()), default=0)

    def unsent_s(self) -> float:
        """Return how long the oldest event has waited for its frame."""
        return (time.time_ns() - self._first_ts) / 1e9 if self._first_ts else 0.0

    def health(self) -> StreamsHealth:
        """Return the state of the streams as a whole."""
        return StreamsHealth(
            status="degraded" if self._behind else "ok",
            epoch=self.bus.epoch,
            connections=len(self._connections),
            behind=len(self._behind),
            groups=len(self._groups),
            topics=len(self.bus.topics()),
            published=self.bus.published,
            delivered=self.delivered,
            overflows=self.overflows,
            flush_ms=round(self.flush_ms, 3),
            longest_flush_ms=round(self.longest_flush_ms, 3),
        )


def _reached(connection: Connection, patterns: Iterable[str], fresh: list[str]) -> list[str]:
    """Return the topics to bring a connection to the present on: those that the patterns just
    subscribed to reach, known or named in full, and those that are fresh to it.
    """
    reached = dict.fromkeys(fresh)
    wild = []
    for pattern in sorted(patterns):
        if "*" in pattern or ">" in pattern:
            wild.append(pattern)
        else:
            reached[pattern] = None
    if wild and connection.group is not None:
        for topic in connection.group.topics:
            if any(topics.matches(pattern, topic) for pattern in wild):
                reached[topic] = None
    return list(reached)
