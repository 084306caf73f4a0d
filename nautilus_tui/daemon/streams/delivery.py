"""Delivery: every event encoded once, one frame for all who want the same, and what slow readers missed.

Every few milliseconds one frame per distinct subscription set is built, and the same bytes are
written to all of its readers. A reader that cannot keep up is set aside and costs nothing; when it can
take more it gets the latest value per key of conflated topics and every event of lossless ones, or is
given up when too many of these pile up. Bars that closed come one by one too; of those that are too many it
is told a gap. This module must not know what clients ask for, nor of sockets.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Sequence

from data.bus import Bus, Event, is_final
from data.problems import ProblemDocument, UnavailableError
from nautilus_tui.daemon.streams.connection import Connection
from nautilus_tui.daemon.streams.group import Append, Group, GroupKey
from nautilus_tui.daemon.streams.limits import StreamLimits
from nautilus_tui.daemon.streams.states import GapReason, States
from nautilus_tui.daemon.streams.wire import FORMATS, Format, frames


class Delivery:
    """Brings what a bus publishes to connections, each a member of the group that wants the same.

    Args:
        bus: where events come from; all of this lives on one thread.
        limits: what a connection may cost.
        give_up: called with a reader for whom too many lossless events wait, once it was told why.
    """

    def __init__(self, bus: Bus, limits: StreamLimits, give_up: Callable[[Connection, str], None]) -> None:
        self.limits = limits
        self.groups: dict[GroupKey, Group] = {}
        self.behind: dict[Connection, None] = {}
        self.names = 0  #: characters of all patterns that groups remember
        self.delivered = 0
        self.overflows = 0
        self.flush_ms = 0.0
        self.longest_flush_ms = 0.0
        self._give_up = give_up
        self._routes: dict[str, dict[Format, dict[Group, Append]]] = {}
        self._first_ts = 0  #: publication time of the oldest event that waits for its frame; 0: none
        self._interval = limits.flush_s
        self._flushed_at = 0.0  #: loop time
        self._flush_timer: asyncio.TimerHandle | None = None
        self.listen(bus)

    def listen(self, bus: Bus) -> None:
        """Read from a bus, when there are no connections."""
        self.bus = bus
        self.states = States(bus)
        self._routes.clear()
        self._bound = min(self.limits.lossless_bound, bus.ring_size)
        self.deafen = bus.subscribe(self._publish)  #: ends it

    def end(self) -> None:
        """Flush no more."""
        if self._flush_timer is not None:
            self._flush_timer.cancel()

    # ------------------------------------------------------------ groups and routes

    def move(self, connection: Connection, patterns: frozenset[str]) -> list[str]:
        """Give a connection another subscription set, between two frames and with nothing missed.

        Returns the topics it reads now and did not read before: they begin with a snapshot. A topic
        may be fresh under an old pattern: declared since, and yet without an event. Raises
        UnavailableError, changing nothing, when more names would have to be remembered than is allowed.
        """
        if (size := self._names_added(connection, patterns)) > self.limits.subscription_bytes:
            raise UnavailableError(
                f"the names of all subscriptions together would have {size} characters",
                rule=f"at most {self.limits.subscription_bytes}",
                fix="use wildcards such as quotes.>",
            )
        if connection.behind:
            self._catch_up(connection, everything=True)
        before = connection.group
        self.take_out(connection)
        group = self.enter(connection, patterns)
        if before is None:
            return list(group.topics)
        return [topic for topic in group.topics if topic not in before.topics and not before.told(topic)]

    def _names_added(self, connection: Connection, patterns: frozenset[str]) -> int:
        """Return how many characters of names there would be if a connection had these patterns."""
        if (patterns, connection.form.name, connection.principal.role) in self.groups:
            return 0  # a set that others have costs nothing
        group = connection.group
        freed = group.names if group is not None and len(group.members) == 1 else 0
        return self.names - freed + sum(map(len, patterns))

    def take_out(self, connection: Connection) -> None:
        """Take a connection out of its group, after what it was to be given with the next frame."""
        waiting = self.exit(connection)
        self.write(connection, waiting, len(waiting))

    def enter(self, connection: Connection, patterns: frozenset[str]) -> Group:
        """Let a connection read from now on; nobody else is written to for that."""
        key = (patterns, connection.form.name, connection.principal.role)
        group = self.groups.get(key)
        if group is None:
            group = self.groups[key] = Group(patterns, connection.form, connection.principal.role)
            group.written_index = self.bus.published
            self.names += group.names
            exact, known = group.matcher.exact, self.bus.topics()
            for topic in known if group.matcher.wild else exact.intersection(known):
                if group.wants(topic):
                    self._route(topic, group)
        connection.patterns = group.patterns  # one set for all of the group
        connection.group = group
        if connection.acked:
            connection.acked = {
                topic: seq for topic, seq in connection.acked.items() if topic in group.topics
            }
        group.members.add(connection)
        if connection.blocked:
            self._set_aside(connection)
        else:
            group.admit(connection, self.bus.published)
        return group

    def exit(self, connection: Connection) -> list[bytes]:
        """Take a connection out of its group; returns what it was to be given with the next frame."""
        group = connection.group
        if group is None:
            return []
        waiting = group.waiting_for(connection)
        connection.group = None
        connection.behind_since = None
        self.behind.pop(connection, None)
        group.members.discard(connection)
        group.ready.discard(connection)
        group.joining.pop(connection, None)
        if not group.members:
            del self.groups[group.key]
            self.names -= group.names
            for topic in group.topics:
                del self._routes[topic][group.form][group]
        return waiting

    def _route(self, topic: str, group: Group) -> None:
        routes = self._routes.setdefault(topic, {})
        routes.setdefault(group.form, {})[group] = group.append
        group.topics[topic] = self.bus.published

    def _new_topic(self, event: Event, told: Sequence[Event]) -> dict[Format, dict[Group, Append]]:
        """Route a topic at its first event: to those who asked for it before it was there, after its state
        if they were not told that when they asked.
        """
        routes = self._routes.setdefault(event.topic, {})
        for form in FORMATS:
            snapshot: bytes | None = None
            for group in tuple(self.groups.values()):
                if group.form is not form or event.topic in group.topics or not group.wants(event.topic):
                    continue
                self._route(event.topic, group)
                if group.told(event.topic):
                    continue
                snapshot = snapshot or self.states.before(form, event, told)
                group.append(snapshot)
        return routes

    # ------------------------------------------------------------ events

    def _publish(self, events: Sequence[Event]) -> None:
        """Encode events and put them down for the next frame of every group that wants them."""
        for event in events:
            topic = event.topic
            routes = self._routes.get(topic)
            if routes is None or event.seq == 1:
                routes = self._new_topic(event, events)
            for form, groups in routes.items():
                if not groups:
                    continue
                part = form.event(event)
                for append in groups.values():  # the hottest line: events times subscription sets
                    append(part)
                if event.key is None:
                    for group in groups:
                        group.lossless += 1
                elif is_final(event.record):
                    for group in groups:
                        group.finals.append(event)
                self._first_ts = self._first_ts or event.ts
        if self._first_ts:
            self._plan_flush()

    def gap(self, topic: str, after: int, reason: GapReason) -> None:
        """Tell readers of a topic that events after ``after`` are missing, and its state."""
        self.states.forget()
        for group in tuple(self.groups.values()):
            if topic not in group.topics:
                if not group.wants(topic):
                    continue
                self._route(topic, group)
            for connection in group.members:
                if connection.behind:
                    connection.restate(topic, after, reason)
            for part in self.states.gap(group.form, topic, after, reason):
                group.append(part)
            self._flush_group(group)  # at once: who is set aside from now on was told

    def unsent_s(self) -> float:
        """Return how long the oldest event has waited for its frame."""
        return (time.time_ns() - self._first_ts) / 1e9 if self._first_ts else 0.0

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
        for group in tuple(self.groups.values()):
            self._flush_group(group)
        self._first_ts = 0
        for connection in tuple(self.behind):
            if connection.queue() > self._bound:
                self._overflow(connection)
            elif not connection.blocked:
                self._catch_up(connection)
        took = time.perf_counter() - started
        self.flush_ms = took * 1000
        self.longest_flush_ms = max(self.longest_flush_ms, self.flush_ms)
        self._interval = max(self.limits.flush_s, min(took, self.limits.flush_max_s))
        self._flushed_at = asyncio.get_running_loop().time()
        if any(not connection.blocked for connection in self.behind):
            self._plan_flush()

    def _flush_group(self, group: Group) -> None:
        if not group.parts:
            return
        group.lag_ms = (time.time_ns() - self._first_ts) / 1e6 if self._first_ts else 0.0
        parts, readers = group.take(self.bus.published)
        for old, connections in readers.items():
            self._write_all(connections, list(frames(group.form, parts[old:], self.limits.frame_bytes)))
        if group.finals:
            group.cut_finals(self._bound)

    def _write_all(self, readers: list[Connection], made: list[tuple[bytes, int]]) -> None:
        """Write the same frames to many readers."""
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
        if connection.group is not None and not connection.behind:
            self._set_aside(connection)

    def unblock(self, connection: Connection) -> None:
        """Go on writing to a connection, with the next frames, beginning with what it missed."""
        connection.blocked = False
        if not connection.asked:
            connection.alive = True  # its client has read, and could not be asked
        if connection.behind:
            self._plan_flush()

    def _set_aside(self, connection: Connection) -> None:
        group = connection.group
        assert group is not None, "a connection is set aside within its group"
        group.set_aside(connection, self.bus.published)
        connection.behind_since = asyncio.get_running_loop().time()
        connection.covered.clear()
        connection.torn = None
        self.behind[connection] = None

    def _catch_up(self, connection: Connection, *, everything: bool = False) -> None:
        """Give a connection what it missed, a frame's worth at a time unless ``everything`` is asked."""
        group = connection.group
        assert group is not None, "only a member of a group can be behind"
        found: dict[int, Event] = {}  #: by index
        whole = {event.topic for event in group.missed_finals(connection)}
        parts: list[bytes] = []
        for topic, routed in group.topics.items():
            torn = connection.torn.pop(topic, None) if connection.torn else None
            if torn is not None:
                parts += self.states.gap(connection.form, topic, *torn)
                connection.covered[topic] = self.bus.published
                continue
            if routed > connection.aside_index and topic not in connection.covered:
                if topic not in whole:
                    parts.append(self.states.snapshot(connection.form, topic))  # it appeared in the meantime
                    connection.covered[topic] = self.bus.published
                    continue
                parts.append(self.states.nothing(connection.form, topic))
                connection.covered[topic] = connection.aside_index
            after = max(connection.mark_index, connection.covered.get(topic, 0))
            found.update((event.index, event) for event in self.bus.after(topic, after))
        found.update((event.index, event) for event in group.missed_finals(connection))
        missed = [found[index] for index in sorted(found)]
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
            skipped = group.total + len(group.parts) - connection.mark_total - taken
            connection.conflated += max(0, skipped)
            connection.behind_since = None
            connection.covered.clear()
            connection.torn = None
            self.behind.pop(connection, None)
            group.admit(connection, self.bus.published)
        else:
            connection.mark_index = missed[taken - 1].index
            connection.mark_total += taken
            connection.mark_lossless += lossless
        self.write(connection, parts, taken)

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
        self._give_up(connection, f"too slow: {waiting} events waited; resume by seq")

    def write(self, connection: Connection, parts: list[bytes], events: int = 0) -> None:
        """Write envelopes to one connection in as few frames as the limit allows."""
        self.delivered += events
        connection.sent += events
        for frame, _ in frames(connection.form, parts, self.limits.frame_bytes):
            connection.send(frame)
