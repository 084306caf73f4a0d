"""Follows what a daemon publishes through Redis and feeds it to a mirror, whatever restarts on the way.

A follower first reads the bases of all topics, then the two streams from their beginning: the mirror
drops what it knows. When a number is missing it reads the topic's base again, whose ring fills the
hole; only what that no longer holds is a gap. This module must not know who reads from the mirror.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import msgspec

from data import topics
from data.access import TokenRow
from data.problems import ProblemError, UnavailableError
from nautilus_tui.relay import wire
from nautilus_tui.relay.address import RedisAddress
from nautilus_tui.relay.mirror import Mirror
from nautilus_tui.relay.wire import Base, Head, Keys, LifeKeys

if TYPE_CHECKING:
    from redis.asyncio import Redis

#: Without news for so long a look is taken at what Redis has, seconds.
LOOK_S = 1.0
#: A daemon whose heartbeat has not moved for so long is said to be silent, seconds.
SILENT_S = 5.0
_BLOCK_MS = 250
_ENTRIES = 32
_BASES = 16  #: read at once
_BACKOFF_S = (0.05, 2.0)
#: Events that may wait for their topic's base; past this everything is read anew.
_HELD = 100_000

logger = logging.getLogger(__name__)


class RelayStatus(msgspec.Struct, frozen=True, kw_only=True):
    """How a follower is."""

    connected: bool  #: to Redis, and a daemon's life is being followed
    epoch: str  #: empty: nothing was ever read
    version: str | None  #: the daemon's
    lag_ms: float | None  #: age of the latest event when it arrived, by both machines' clocks
    heartbeat_age_s: float | None  #: since the daemon's heartbeat last moved
    problem: str | None
    events: int  #: that arrived, those told twice included
    gaps: int  #: times that lossless events were missing for good
    missed: int  #: how many these were


class Follower:
    """Feeds a mirror from Redis.

    Args:
        redis_url: where Redis is; may hold a password, which is never shown.
        prefix: under which the daemon publishes.
        mirror: what is fed; on the thread of ``run``.
        on_tokens: called with the daemon's access tokens, hashed, when they are read and when they change.

    Raises:
        InvalidRequestError: the address is not valid.
    """

    def __init__(
        self,
        redis_url: str,
        prefix: str,
        mirror: Mirror,
        on_tokens: Callable[[list[TokenRow]], None],
    ) -> None:
        self.address = RedisAddress(redis_url)
        self.mirror = mirror
        self.ready = asyncio.Event()  #: set once the mirror was at the present for the first time
        self._keys = Keys(prefix)
        self._on_tokens = on_tokens
        self._head: Head | None = None
        self._moved_at = 0.0  #: when the heartbeat last moved; monotonic
        self._heard_at = 0.0  #: when it was last seen that nothing which was published is missing; monotonic
        self._looked_at = 0.0
        self._streams: LifeKeys | None = None  #: of the life that is followed
        self._next: dict[bytes, int] = {}  #: number of the entry that comes next, by stream
        self._goal: dict[bytes, int] = {}  #: those to reach until the mirror is at the present
        self._held: dict[str, list[bytes]] = {}  #: envelopes that wait for their topic's base
        self._problem: ProblemError | None = UnavailableError("Redis has not been asked yet")
        self._lag_ms: float | None = None
        self._events = 0

    def status(self) -> RelayStatus:
        """Return how it is at this moment."""
        head = self._head
        age = time.monotonic() - self._moved_at if head is not None else None
        problem = self._problem.detail if self._problem is not None else None
        if problem is None and head is not None and head.state == "stopped":
            problem = "the daemon has stopped publishing"
        elif problem is None and age is not None and age > SILENT_S:
            problem = f"the daemon has been silent for {age:.0f} s"
        return RelayStatus(
            connected=self._streams is not None,
            epoch=self.mirror.epoch,
            version=head.version if head is not None else None,
            lag_ms=self._lag_ms,
            heartbeat_age_s=round(age, 1) if age is not None else None,
            problem=problem,
            events=self._events,
            gaps=self.mirror.gaps,
            missed=self.mirror.missed,
        )

    def unheard_s(self) -> float:
        """Return for how long the daemon, if it runs, may have said what did not get here; in seconds.

        One that has stopped says nothing more.
        """
        return time.monotonic() - self._heard_at

    async def run(self) -> None:
        """Follow until cancelled. What goes wrong is told by ``status`` and tried again."""
        from redis.exceptions import RedisError

        pause = _BACKOFF_S[0]
        while True:
            client = self.address.connect()
            try:
                await self._follow(client)
            except (RedisError, OSError) as error:
                self._fail(
                    UnavailableError(
                        f"Redis at {self.address}: {self.address.clean(error) or type(error).__name__}",
                        rule="the daemon's events come through Redis",
                        fix="start it; nothing that may not be lost is lost in between",
                    )
                )
            except (msgspec.MsgspecError, ProblemError) as error:
                self._fail(error if isinstance(error, ProblemError) else _unreadable(error))
            finally:
                moved, self._streams = self._streams is not None, None
                with suppress(RedisError, OSError):
                    await client.aclose()
            pause = _BACKOFF_S[0] if moved else min(2 * pause, _BACKOFF_S[1])
            await asyncio.sleep(pause)

    def _fail(self, problem: ProblemError) -> None:
        if self._problem is None or self._problem.detail != problem.detail:
            logger.warning("%s", problem.detail)
        self._problem = problem

    # ------------------------------------------------------------ a conversation with Redis

    async def _follow(self, client: Redis) -> None:
        while True:
            if self._streams is None and not await self._load(client):
                await asyncio.sleep(_BACKOFF_S[0])
                continue
            places: dict[Any, Any] = {name: wire.before(number) for name, number in self._next.items()}
            news: Any = await client.xread(places, count=_ENTRIES, block=_BLOCK_MS)
            for stream, entries in news:
                if wire.number(entries[0][0]) != self._next[stream]:
                    await self._skip(client, stream)
                    continue
                for id_, fields in entries:
                    self._next[stream] = wire.number(id_) + 1
                    self._apply(fields)
                    if len(entries) > 1:
                        await asyncio.sleep(0)  # readers are written to in between
            if self._held:
                await self._mend(client)
            self._note_present()
            if not news or time.monotonic() - self._looked_at > LOOK_S:
                await self._look(client)

    async def _load(self, client: Redis) -> bool:
        """Read the bases of the present life; False when there is none, or it ended meanwhile."""
        head = await self._look(client)
        if head is None:
            return False
        names = self._keys.of(head.life)
        first, goal = {}, {}
        for name in (names.lossless, names.conflated):
            first[name.encode()] = await self._first(client, name)
            latest: Any = await client.xrevrange(name, count=1)
            goal[name.encode()] = wire.number(latest[0][0]) if latest else 0
        bases = await self._bases(client, names, lambda topic: True)
        tokens: Any = await client.get(names.tokens)
        if tokens is None or bases is None:
            self._fail(
                UnavailableError(
                    f"a part of what the daemon published under {self._keys.prefix!r} is gone from Redis",
                    rule="the keys under the prefix are the daemon's alone, and are not to be evicted",
                    fix="nothing: the daemon notices and writes everything anew",
                )
            )
            return False
        rows = wire.read_tokens(tokens)
        self._held.clear()
        self._on_tokens(rows)
        self.mirror.load(head.epoch, bases)
        self._streams, self._next, self._goal = names, first, goal
        self._heard_at = self._looked_at if head.state == "stopped" else self._moved_at
        self._problem = None
        return True

    async def _first(self, client: Redis, stream: str) -> int:
        """Return the number of a stream's first entry. What was before it is in the bases, from now on."""
        found: Any = await client.xrange(stream, count=1)
        return wire.number(found[0][0]) if found else 0

    async def _bases(
        self, client: Redis, names: LifeKeys, wanted: Callable[[str], bool]
    ) -> list[Base] | None:
        """Read the bases of the topics that are wanted; None when one is gone meanwhile."""
        fields: list[Any] = await client.hkeys(names.bases)
        fields = [field for field in fields if wanted(field.decode())]
        found: list[Base] = []
        for first in range(0, len(fields), _BASES):
            values: list[Any] = await client.hmget(names.bases, fields[first : first + _BASES])
            if None in values:
                return None
            found += [wire.read_base(value) for value in values]
        return found

    async def _skip(self, client: Redis, stream: bytes) -> None:
        """Go on although entries were cut off before they were read: what was in them is in the bases."""
        names = self._streams
        if names is None:
            return
        if stream != names.conflated.encode():
            self._streams = None  # all of it is read anew; the rings fill the hole
            return
        first = await self._first(client, names.conflated)
        bases = await self._bases(client, names, _is_conflated)
        if bases is None:
            self._streams = None
            return
        self.mirror.load(self.mirror.epoch, bases)
        self._next[stream] = first

    async def _look(self, client: Redis) -> Head | None:
        """Look which life is the present one; what was followed is left if it is another."""
        raw: Any = await client.get(self._keys.head)
        self._looked_at = time.monotonic()
        if raw is None:
            self._head = self._streams = None
            self._fail(
                UnavailableError(
                    f"no daemon publishes under {self._keys.prefix!r} in Redis at {self.address}",
                    rule="a gateway serves what a daemon publishes under the same prefix",
                    fix="start the daemon with [streams] redis_url and the same redis_prefix",
                )
            )
            return None
        head = wire.read_head(raw)
        if head.wire != wire.VERSION:
            raise UnavailableError(
                f"the daemon ({head.version}) publishes in form {head.wire}, not in form {wire.VERSION}",
                rule="gateways and daemon speak the same form",
                fix="bring both to the same version",
            )
        if self._head is None or head.ts != self._head.ts or head.life != self._head.life:
            self._moved_at = self._looked_at
        if self._head is not None and head.life != self._head.life:
            self._streams = None
        if self._streams is not None:
            self._heard_at = self._looked_at if head.state == "stopped" else self._moved_at
        self._head = head
        return head

    def _apply(self, fields: dict[bytes, bytes]) -> None:
        """Take one entry of a stream."""
        events = fields.get(wire.EVENTS)
        if events is not None:
            batch = wire.unpack(events)
            self._events += len(batch)
            for topic, left in self.mirror.take(batch).items():
                self._held.setdefault(topic, []).extend(left)
            if batch:
                self._lag_ms = max((time.time_ns() - wire.read_envelope(batch[-1]).ts) / 1e6, 0.0)
        forgotten = fields.get(wire.FORGOTTEN)
        if forgotten is not None:
            gone = wire.read_forgotten(forgotten)
            self.mirror.forget_as_of(gone.topic, gone.keys, gone.seq)
        tokens = fields.get(wire.TOKENS)
        if tokens is not None:
            self._on_tokens(wire.read_tokens(tokens))
        if wire.ENDED in fields:
            self._streams = None  # everything was written anew, under other keys

    async def _mend(self, client: Redis) -> None:
        """Restore the topics of which something is missing, then take what waited for that."""
        if self._streams is None:
            return
        values: list[Any] = await client.hmget(self._streams.bases, list(self._held))
        for value in values:
            if value is not None:
                base = wire.read_base(value)
                self.mirror.restore(base.topic, base.seq, base.records, base.events, declared=base.declared)
        self._held = self.mirror.take(raw for held in self._held.values() for raw in held)
        if sum(map(len, self._held.values())) > _HELD:
            self._streams = None
        elif self._held:
            await client.sadd(self._keys.wanted, *self._held)

    def _note_present(self) -> None:
        """Say that the mirror is ready once it has reached what was there when it was loaded."""
        if self.ready.is_set() or self._streams is None or self._held:
            return
        if all(self._next[name] > number for name, number in self._goal.items()):
            self.ready.set()


def _is_conflated(topic: str) -> bool:
    return topics.delivery_of(topic) == "conflated"


def _unreadable(error: Exception) -> UnavailableError:
    return UnavailableError(
        f"what the daemon publishes cannot be read here: {error}",
        rule="gateways and daemon speak the same form",
        fix="bring both to the same version",
    )
