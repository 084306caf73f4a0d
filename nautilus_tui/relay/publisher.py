"""Publishes every event of the bus once, to Redis, for any number of followers.

The bus is listened to and never waits: what it publishes goes to an outbox, and a task writes that in
batches. Followers who come late read the topics' bases and what came after them; bases are written
anew whenever so many events have come that the streams can be cut. When Redis was away, what waited is
written; when it lost its memory, or too much waited, everything is written anew as another life, with
each topic's ring in its base, and followers drop what they know. Only what the rings no longer hold is
a gap, which is told. This module must not know who follows.
"""

from __future__ import annotations

import asyncio
import logging
import secrets
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from typing import TYPE_CHECKING, Final, Literal

import msgspec

from data import topics
from data.access import TokenRow
from data.bus import Bus, Event
from data.problems import ProblemError, UnavailableError
from nautilus_tui.relay import wire
from nautilus_tui.relay.address import RedisAddress
from nautilus_tui.relay.outbox import Outbox
from nautilus_tui.relay.shelf import LostError, Shelf
from nautilus_tui.relay.wire import LifeKeys

if TYPE_CHECKING:
    from redis.asyncio import Redis

#: Events of one round trip.
_PER_TRIP: Final = 1024
#: Bytes of bases that are written at once.
_BASES_BYTES: Final = 262_144
#: A stream is not cut before it holds so many times the events that the bases' rings repeat.
_RINGS: Final = 2
_BACKOFF_S: Final = (0.05, 1.0)
#: How long health speaks of events that followers were told a gap for, seconds.
_GAP_SAID_S: Final = 300.0
#: What a stopping daemon gives to the last events, seconds.
_LAST_S: Final = 2.0

logger = logging.getLogger(__name__)


class Pace(msgspec.Struct, frozen=True, kw_only=True):
    """Intervals and bounds of a publisher."""

    flush_s: float = 0.003  #: batches are this far apart, the first after a lull is written at once
    beat_s: float = 1.0
    lease_s: float = 5.0
    waiting: int = 65_536  #: events that may wait; past this everything is written anew
    lossless: int = (
        65_536  #: events of lossless topics after which their bases are written and the stream cut
    )
    conflated: int = 65_536


class Publisher:
    """Tells Redis what the bus tells.

    Args:
        bus: whose events are told; on the thread of the loop.
        stored: gives the topics that have a present state, told of before or not.
        tokens: gives the access tokens, hashed.
        redis_url: where Redis is; may hold a password, which is never shown.
        prefix: of all keys.
        house: names the daemon's home; of one house there is never more than one daemon.
        version: the daemon's.

    Raises:
        InvalidRequestError: the address is not valid.
    """

    def __init__(
        self,
        bus: Bus,
        *,
        stored: Callable[[], Iterable[str]],
        tokens: Callable[[], Iterable[TokenRow]],
        redis_url: str,
        prefix: str,
        house: str,
        version: str,
        pace: Pace | None = None,
    ) -> None:
        self.address = RedisAddress(redis_url)
        self.problem: ProblemError | None = None  #: why nothing is published now
        self.gaps = 0  #: times that events of a lossless topic were forgotten before they could be told
        self.missed = 0  #: how many these were
        self.published = 0  #: events that Redis has confirmed
        self._bus = bus
        self._stored = stored
        self._tokens = tokens
        self._version = version
        self._pace = pace or Pace()
        self._shelf = Shelf(prefix, house, bus.epoch, self._pace.lease_s)
        self._outbox = Outbox(self._pace.waiting)
        self._news = asyncio.Event()
        self._names: LifeKeys | None = None  #: of the life that followers read
        self._life = ""
        self._told: dict[str, int] = {}  #: last number that Redis confirmed, by lossless topic
        self._based: set[str] = set()  #: topics that have a base
        self._streams: dict[str, _Stream] = {}
        self._tokens_changed = False
        self._beat_at = 0.0
        self._flushed_at = 0.0
        self._gap_at: float | None = None
        self._ends: list[Callable[[], None]] = []
        self._task: asyncio.Task[None] | None = None

    # ------------------------------------------------------------ the life of the daemon

    def open(self) -> None:
        """Begin; returns at once."""
        self._told = {topic: self._bus.seq(topic) for topic in self._lossless()}
        self._ends = [self._bus.subscribe(self._heard), self._bus.on_forget(self._forgotten)]
        self._task = asyncio.create_task(self._run(), name="relay")
        self._task.add_done_callback(self._ended)

    async def close(self) -> None:
        """Write what waits, if Redis takes it at once, say that nothing more comes and end."""
        for end in self._ends:
            end()
        if self._task is None:
            return
        self._task.cancel()
        await asyncio.wait([self._task])  # one that ended by a fault has said so
        if self._names is not None and self.problem is None:
            try:
                async with asyncio.timeout(_LAST_S):
                    await self._leave()
            except Exception as error:  # noqa: BLE001 - it is said, and the daemon has to stop
                logger.warning("the last events were not published: %s", self.address.clean(error))

    async def _leave(self) -> None:
        client = self.address.connect()
        try:
            if self._names is not None:
                for _ in range(0, len(self._outbox), _PER_TRIP):
                    await self._flush(client, self._names)
            await self._shelf.release(client, self._head("stopped"))
        finally:
            await client.aclose()

    def _ended(self, task: asyncio.Task[None]) -> None:
        if not task.cancelled() and (error := task.exception()) is not None:
            logger.error("publishing has ended", exc_info=error)
            self._fail(UnavailableError(f"publishing has ended: {self.address.clean(repr(error))}"))

    def tokens_changed(self) -> None:
        """Tell followers the access tokens anew."""
        self._tokens_changed = True
        self._news.set()

    @property
    def waiting(self) -> int:
        """How many events Redis has not confirmed yet."""
        return len(self._outbox)

    def problems(self) -> list[str]:
        """Return what is wrong, for the daemon's health."""
        found = []
        if self.problem is not None:
            waits = "too much waits to be kept" if self._outbox.overflown else f"{self.waiting} events wait"
            found.append(f"relay: {self.problem.detail}; {waits}")
            over = [topic for topic in self._lossless() if self._beyond(topic)]
            if over:
                found.append(
                    f"relay: gateways will be told a gap of {', '.join(sorted(over)[:3])}"
                    f"{f' and {len(over) - 3} more' if len(over) > 3 else ''}: Redis is away for too long"
                )
        if self._gap_at is not None and time.monotonic() - self._gap_at < _GAP_SAID_S:
            found.append(
                f"relay: {self.missed} lossless events did not reach Redis while it was away; "
                "gateways were told a gap"
            )
        return found

    # ------------------------------------------------------------ hearing the bus

    def _heard(self, events: Sequence[Event]) -> None:
        self._outbox.put(events)
        self._news.set()

    def _forgotten(self, topic: str, keys: Sequence[tuple[str | bool | None, ...]], seq: int) -> None:
        self._outbox.forget(topic, keys, seq)
        self._news.set()

    def _lossless(self) -> Iterator[str]:
        return (topic for topic in self._bus.topics() if topics.delivery_of(topic) == "lossless")

    def _beyond(self, topic: str) -> int:
        """Return how many events of a lossless topic are forgotten and were never told."""
        untold = self._bus.seq(topic) - self._told.get(topic, 0)
        return max(untold - self._bus.remembered(topic), 0)

    # ------------------------------------------------------------ a conversation with Redis

    async def _run(self) -> None:
        from redis.exceptions import RedisError

        pause = _BACKOFF_S[0]
        while True:
            client, began = self.address.connect(), self._life
            try:
                await self._converse(client)
            except ProblemError as error:
                self._names = None
                self._fail(error)
            except (RedisError, OSError) as error:
                said = self.address.clean(error) or type(error).__name__
                self._fail(
                    UnavailableError(
                        f"Redis at {self.address}: {said}",
                        rule="with [streams] redis_url every event is published there",
                        fix="start it, version 7 or later; what waits is then published",
                    )
                )
            finally:
                with suppress(RedisError, OSError):
                    await client.aclose()
            pause = _BACKOFF_S[0] if began != self._life else min(2 * pause, _BACKOFF_S[1])
            await asyncio.sleep(pause)

    def _fail(self, problem: ProblemError) -> None:
        if self.problem is None or self.problem.detail != problem.detail:
            logger.warning("not published: %s", problem.detail)
        self.problem = problem

    async def _converse(self, client: Redis) -> None:
        """Publish until something goes wrong."""
        names = self._names
        if names is None or not await self._goes_on(client):
            names = await self._begin(client)
        self.problem = None
        while not self._outbox.overflown:
            await self._wait()
            for _ in range(0, len(self._outbox), _PER_TRIP):
                await self._flush(client, names)
            await self._cut(client, names)
            if self._tokens_changed:
                await self._tell_tokens(client, names)
            if time.monotonic() - self._beat_at >= self._pace.beat_s:
                await self._beat(client, names)
        raise LostError("more was published than Redis took; everything is written anew")

    async def _wait(self) -> None:
        """Wait for news or the next heartbeat, and an interval after the last flush unless much waits."""
        now = time.monotonic()
        due = max(self._beat_at + self._pace.beat_s - now, 0.0)
        with suppress(TimeoutError):
            await asyncio.wait_for(self._news.wait(), due)
        self._news.clear()
        rest = self._flushed_at + self._pace.flush_s - time.monotonic()
        if rest > 0 and len(self._outbox) < _PER_TRIP:
            await asyncio.sleep(rest)

    async def _goes_on(self, client: Redis) -> bool:
        """Tell whether everything that was written is still there, and all that came since waits."""
        if self._outbox.overflown:
            return False
        last = [(name, stream.last) for name, stream in self._streams.items() if stream.last]
        return await self._shelf.holds(client, self._life, last)

    async def _flush(self, client: Redis, names: LifeKeys) -> bool:
        """Write one batch of what waits; False when there is nothing."""
        batch = self._outbox.give(_PER_TRIP)
        if batch is None:
            return False
        ids = await self._shelf.append(client, names, batch.lossless, batch.conflated)
        self._outbox.confirm()
        self._flushed_at = time.monotonic()
        self._told.update(batch.lossless_topics)
        self.published += sum(batch.events)
        changed = (batch.lossless_topics, batch.conflated_topics)
        streams = (self._streams[names.lossless], self._streams[names.conflated])
        for stream, id_, events, where in zip(streams, ids, batch.events, changed, strict=True):
            stream.last = id_ or stream.last
            stream.events += events
            stream.changed.update(where)
        return True

    async def _beat(self, client: Redis, names: LifeKeys) -> None:
        """Keep the lease, write the bases that followers miss and those of topics that are new."""
        there = names.all() if self._based else (names.tokens, names.lossless, names.conflated)
        wanted = await self._shelf.beat(client, there, self._head("publishing"))
        self._beat_at = time.monotonic()
        new = self._known() - self._based
        await self._put(client, names, new.union(wanted) & self._known())

    async def _tell_tokens(self, client: Redis, names: LifeKeys) -> None:
        self._tokens_changed = False
        try:
            await self._shelf.tell_tokens(client, names, wire.write(list(self._tokens())))
        except BaseException:
            self._tokens_changed = True
            raise

    def _head(self, state: Literal["publishing", "stopped"]) -> wire.Head:
        return wire.Head(
            wire=wire.VERSION,
            life=self._life,
            epoch=self._bus.epoch,
            version=self._version,
            state=state,
            ts=time.time_ns(),
        )

    # ------------------------------------------------------------ bases

    async def _begin(self, client: Redis) -> LifeKeys:
        """Write everything anew and make it what followers read."""
        before = await self._shelf.acquire(client)
        self._life = secrets.token_hex(6)
        names = self._shelf.keys.of(self._life)
        self._names = None
        self._outbox.reset()  # from here on events wait again; what was before is in the rings
        self._tokens_changed = False
        self._based.clear()
        self._streams = {names.lossless: _Stream(), names.conflated: _Stream()}
        told = dict(self._told)
        lost: dict[str, int] = {}
        try:
            await self._shelf.begin(client, names, wire.write(list(self._tokens())))
            await self._put(client, names, self._known(), lost)
            if self._outbox.overflown:
                raise LostError("more was published than Redis took while everything was written anew")
            old = None if before is None else self._shelf.keys.of(before.life)
            await self._shelf.switch(client, names, self._head("publishing"), old)
        except BaseException:
            self._told = told  # nobody reads of a life that is not the present one
            raise
        self._beat_at = time.monotonic()
        self._names = names
        self._note_gaps(lost)
        return names

    async def _put(
        self, client: Redis, names: LifeKeys, wanted: Iterable[str], lost: dict[str, int] | None = None
    ) -> None:
        """Write the bases of topics, and what is published meanwhile.

        ``lost`` is given when a life begins: it is filled with what the rings no longer hold of what was
        never told.
        """
        bases: list[tuple[str, bytes]] = []
        size = 0
        for topic in wanted:
            if lost is not None and topics.delivery_of(topic) == "lossless":
                lost[topic] = self._beyond(topic)
                self._told[topic] = self._bus.seq(topic)
            bases.append((topic, self._base(topic)))
            size += len(bases[-1][1])
            if size > _BASES_BYTES:
                await self._write(client, names, bases, unfinished=lost is not None)
                bases, size = [], 0
                for _ in range(0, len(self._outbox), _PER_TRIP):
                    await self._flush(client, names)
        if bases:
            await self._write(client, names, bases, unfinished=lost is not None)

    async def _write(
        self, client: Redis, names: LifeKeys, bases: Sequence[tuple[str, bytes]], *, unfinished: bool
    ) -> None:
        await self._shelf.put(client, names, bases, first=not self._based, unfinished=unfinished)
        self._based.update(topic for topic, _ in bases)

    def _known(self) -> set[str]:
        """Return the topics there is anything to tell of."""
        return set(self._bus.topics()).union(self._stored())

    def _base(self, topic: str) -> bytes:
        """Return everything there is to know of a topic now."""
        bus = self._bus
        if topics.delivery_of(topic) == "conflated":
            return wire.base(topic, bus.seq(topic), True, (), bus.latest(topic))
        state = bus.state(topic)
        ring = bus.since(topic, state.seq - bus.remembered(topic)) or ()
        return wire.base(topic, state.seq, bus.knows(topic), state.records, ring)

    def _note_gaps(self, lost: dict[str, int]) -> None:
        """Count what was forgotten before it could be told; its base says what is true now."""
        for topic, many in lost.items():
            if many:
                self.gaps += 1
                self.missed += many
                self._gap_at = time.monotonic()
                logger.warning("%d events of %s were not published: Redis was away too long", many, topic)

    async def _cut(self, client: Redis, names: LifeKeys) -> None:
        """Write the bases of what changed once a stream is long, and cut what was before the last time."""
        for name, most in ((names.lossless, self._pace.lossless), (names.conflated, self._pace.conflated)):
            stream = self._streams[name]
            if stream.events < most or stream.events < _RINGS * sum(
                map(self._bus.remembered, stream.changed)
            ):
                continue
            mark, changed, stream.changed, stream.events = stream.last, stream.changed, set(), 0
            try:
                await self._put(client, names, changed)
                if stream.mark:
                    await self._shelf.trim(client, name, stream.mark)
            except BaseException:
                stream.changed |= changed
                stream.events = max(stream.events, most)
                raise
            stream.mark = mark


class _Stream:
    """What is known of a stream."""

    def __init__(self) -> None:
        self.last = b""  #: id of the last entry that was confirmed
        self.mark = b""  #: all topics' bases are newer than this entry
        self.events = 0  #: since bases were last written
        self.changed: set[str] = set()  #: topics of these
