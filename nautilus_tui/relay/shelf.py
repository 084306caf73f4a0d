"""What a publisher writes in Redis, every write of it under its lease.

Two daemons never write under one prefix: each write is a script that first looks whether the lease is
still the writer's, so that one that was stopped for a while and goes on cannot write into another's
life. This module must not know of the bus or of when anything is written.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any, Final

import msgspec

from data.problems import ConflictError, ProblemError
from nautilus_tui.relay import wire
from nautilus_tui.relay.wire import Keys, LifeKeys

if TYPE_CHECKING:
    from redis.asyncio import Redis

#: What is written of a life before it becomes the present one ends by itself after so long, seconds.
_UNFINISHED_S: Final = 120
#: What is left of a life that ended: followers may be reading it.
_ENDED_S: Final = 30

#: Every script begins with this. KEYS[1] is the lease; ARGV[1] its owner, ARGV[2] how long it lasts, ms.
_FENCE = """
local held = redis.call('GET', KEYS[1])
if held ~= ARGV[1] then return redis.error_reply('LEASE ' .. (held or '')) end
redis.call('PEXPIRE', KEYS[1], ARGV[2])
"""

#: Take the lease if it is free, or held by a former self: ARGV[3], the house, if that may be replaced.
_ACQUIRE = """
local held = redis.call('GET', KEYS[1])
if held and held ~= ARGV[1] then
  local house = string.match(held, '^(.*)/[^/]*$')
  if ARGV[3] == '' or house ~= ARGV[3] then return redis.error_reply('LEASE ' .. held) end
end
redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])
return redis.call('GET', KEYS[2])
"""

#: Append entries of one field each. ARGV: how many to the first stream, then field and value of each.
_APPEND = (
    _FENCE
    + """
local first, ids = tonumber(ARGV[3]), {'', ''}
for i = 4, #ARGV, 2 do
  local which = ((i - 4) / 2 < first) and 1 or 2
  local id = redis.call('XADD', KEYS[1 + which], 'NOMKSTREAM', '1-*', ARGV[i], ARGV[i + 1])
  if not id then return redis.error_reply('GONE ' .. KEYS[1 + which]) end
  ids[which] = id
end
return ids
"""
)

#: Make a life: streams that exist and tokens; all of it ends by itself unless it becomes the present one.
_BEGIN = (
    _FENCE
    + """
redis.call('SET', KEYS[3], ARGV[4])
for i = 4, 5 do redis.call('XADD', KEYS[i], '1-*', 'b', '') end
for i = 3, 5 do redis.call('EXPIRE', KEYS[i], ARGV[3]) end
return 1
"""
)

#: Put bases into the hash. ARGV: how long it lasts, seconds (0: for good), whether it is there already,
#: then topic and base of each.
_PUT = (
    _FENCE
    + """
if ARGV[4] == '1' and redis.call('EXISTS', KEYS[2]) == 0 then return redis.error_reply('GONE ' .. KEYS[2]) end
for i = 5, #ARGV, 2 do redis.call('HSET', KEYS[2], ARGV[i], ARGV[i + 1]) end
if ARGV[3] ~= '0' then redis.call('EXPIRE', KEYS[2], ARGV[3]) end
return 1
"""
)

#: Make a life the present one. KEYS: lease, head, four of the life, four of the one before if any.
_SWITCH = (
    _FENCE
    + """
for i = 3, 6 do redis.call('PERSIST', KEYS[i]) end
redis.call('SET', KEYS[2], ARGV[4])
for i = 7, #KEYS do
  if i >= 9 then redis.call('XADD', KEYS[i], 'NOMKSTREAM', '1-*', ARGV[5], '') end
  redis.call('EXPIRE', KEYS[i], ARGV[3])
end
return 1
"""
)

#: Beat: the head, whether all of the life's keys (KEYS[4] …) are there, and what followers want.
_BEAT = (
    _FENCE
    + """
for i = 4, #KEYS do
  if redis.call('EXISTS', KEYS[i]) == 0 then return redis.error_reply('GONE ' .. KEYS[i]) end
end
redis.call('SET', KEYS[2], ARGV[3])
local wanted = redis.call('SMEMBERS', KEYS[3])
redis.call('DEL', KEYS[3])
return wanted
"""
)

#: Set new tokens and tell them in the lossless stream.
_TOKENS = (
    _FENCE
    + """
redis.call('SET', KEYS[2], ARGV[3])
if not redis.call('XADD', KEYS[3], 'NOMKSTREAM', '1-*', ARGV[4], ARGV[3]) then
  return redis.error_reply('GONE ' .. KEYS[3])
end
return 1
"""
)

_TRIM = _FENCE + "return redis.call('XTRIM', KEYS[2], 'MINID', ARGV[3])"

_RELEASE = _FENCE + "redis.call('SET', KEYS[2], ARGV[3]); redis.call('DEL', KEYS[1]); return 1"


class LeaseHeldError(ConflictError):
    """Another daemon publishes under the prefix."""

    type, title = "relay-held", "Another daemon publishes here"


class LostError(ProblemError):
    """Redis no longer has what was written there."""

    type, title, status = "relay-lost", "Redis lost what was written", 503


class Shelf:
    """The keys under a prefix, written by one owner.

    Every method raises LeaseHeldError when another daemon has the lease, LostError when the lease or a
    part of what was written is gone, and what the client raises.

    Args:
        prefix: of all keys.
        house: names the daemon's home; of one house there is never more than one daemon.
        epoch: names the daemon's life.
        lease_s: how long the lease lasts without a write.
    """

    def __init__(self, prefix: str, house: str, epoch: str, lease_s: float) -> None:
        self.keys = Keys(prefix)
        self._house = house
        self._me = f"{house}/{epoch}"
        self._lease_ms = round(lease_s * 1000)
        self._may_succeed = True  #: a daemon before us of the same house is dead, for we hold its lock

    async def acquire(self, client: Redis) -> wire.Head | None:
        """Take the lease; returns the head that is there."""
        house = self._house if self._may_succeed else ""
        raw = await self._run(client, _ACQUIRE, (self.keys.head,), (house,))
        self._may_succeed = False
        try:
            return None if raw is None else wire.read_head(raw)
        except msgspec.MsgspecError:  # of another version: it is replaced
            return None

    async def begin(self, client: Redis, names: LifeKeys, tokens: bytes) -> None:
        """Make the keys of a life that is not the present one yet."""
        keys = (names.bases, names.tokens, names.lossless, names.conflated)
        await self._run(client, _BEGIN, keys, (_UNFINISHED_S, tokens))

    async def put(
        self,
        client: Redis,
        names: LifeKeys,
        bases: Sequence[tuple[str, bytes]],
        *,
        first: bool,
        unfinished: bool = False,
    ) -> None:
        """Write topics' bases, the first of a life or some more."""
        pairs = [part for pair in bases for part in pair]
        lasts = _UNFINISHED_S if unfinished else 0
        await self._run(client, _PUT, (names.bases,), (lasts, "0" if first else "1", *pairs))

    async def switch(self, client: Redis, names: LifeKeys, head: wire.Head, before: LifeKeys | None) -> None:
        """Make a life the present one and tell the followers of the one before."""
        keys = (self.keys.head, *names.all(), *(before.all() if before is not None else ()))
        await self._run(client, _SWITCH, keys, (_ENDED_S, wire.write(head), wire.ENDED))

    async def append(
        self,
        client: Redis,
        names: LifeKeys,
        lossless: Sequence[tuple[bytes, bytes]],
        conflated: Sequence[tuple[bytes, bytes]],
    ) -> tuple[bytes, bytes]:
        """Append entries of one field each; returns the last ids, empty where nothing was appended."""
        parts = [part for entries in (lossless, conflated) for entry in entries for part in entry]
        ids: Any = await self._run(
            client, _APPEND, (names.lossless, names.conflated), (len(lossless), *parts)
        )
        return ids[0], ids[1]

    async def tell_tokens(self, client: Redis, names: LifeKeys, tokens: bytes) -> None:
        """Write the access tokens anew."""
        await self._run(client, _TOKENS, (names.tokens, names.lossless), (tokens, wire.TOKENS))

    async def beat(self, client: Redis, there: Sequence[str], head: wire.Head) -> list[str]:
        """Keep the lease and the head fresh; returns the topics whose base followers miss.

        ``there`` are the keys that must exist.
        """
        keys = (self.keys.head, self.keys.wanted, *there)
        wanted: Any = await self._run(client, _BEAT, keys, (wire.write(head),))
        return [topic.decode() for topic in wanted]

    async def trim(self, client: Redis, stream: str, before: bytes) -> None:
        """Drop a stream's entries before an id."""
        await self._run(client, _TRIM, (stream,), (before,))

    async def release(self, client: Redis, head: wire.Head) -> None:
        """Say that nothing more comes, and give the lease back."""
        await self._run(client, _RELEASE, (self.keys.head,), (wire.write(head),))

    async def holds(self, client: Redis, life: str, last: Iterable[tuple[str, bytes]]) -> bool:
        """Take the lease again and tell whether Redis has what was written: a life that is the present
        one and its streams up to these ids.
        """
        head = await self.acquire(client)
        if head is None or head.life != life:
            return False
        for stream, id_ in last:
            latest: Any = await client.xrevrange(stream, count=1)
            if not latest or wire.number(latest[0][0]) < wire.number(id_):
                return False
        return True

    async def _run(self, client: Redis, script: str, keys: Sequence[str], args: Sequence[Any]) -> Any:
        from redis.exceptions import ResponseError

        given = (self.keys.lease, *keys)
        try:
            return await client.eval(script, len(given), *given, self._me, str(self._lease_ms), *args)
        except ResponseError as error:
            what, _, more = str(error).partition(" ")
            if what == "LEASE" and more:
                raise LeaseHeldError(
                    f"the daemon of {more.rpartition('/')[0]} publishes under {self.keys.prefix!r}",
                    rule="one daemon publishes under a prefix",
                    fix="give this daemon its own: [streams] redis_prefix",
                ) from None
            if what in ("LEASE", "GONE"):
                raise LostError(f"Redis lost what was written: {more or 'the lease'}") from None
            raise
