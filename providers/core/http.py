"""Asking a provider: cache, pace, circuit breaker, retries, judgement, and the last good value.

Each provider says what its answers mean (``judge``), each question how its answer is read and how
long it is fresh. An answer is kept only after it was read without error. This module must not know
what any provider is asked for.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, replace
from datetime import date
from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.parse import urlencode, urlsplit

import httpx
import stamina

from data import forms
from data.facts import ProviderHealth, ProviderState
from data.problems import (
    BadPayloadError,
    NotConfiguredError,
    NotEntitledError,
    ProviderBadRequestError,
    ProviderDownError,
    ProviderError,
    ProviderNotFoundError,
    ProviderRateLimitedError,
    QuotaExhaustedError,
)
from providers.core import secrets
from providers.core.cache import Cache, Kept
from providers.core.exchange import ACCEPT_ENCODING, Body, exchange
from providers.core.ledger import Ledger
from providers.core.spec import ProviderSpec

if TYPE_CHECKING:
    from purgatory import AsyncCircuitBreakerFactory

#: Seconds for which answers of different kinds are fresh.
MINUTE, HOUR, DAY = 60.0, 3600.0, 86_400.0
FOREVER = 400 * DAY
#: How long a question may wait for its turn.
PATIENCE_S = 240.0
#: Failures in a row after which nothing is asked for a while.
_BREAKER_FAILURES = 5
_BREAKER_S = 30.0
#: A provider that wants to be left alone for longer is not waited for.
_LONGEST_RETRY_S = 30.0
#: Bodies above this are read in a thread, so that the loop goes on.
_LARGE = 200_000
#: Errors for which the last good value may stand in.
_PASSING = (ProviderDownError, BadPayloadError, ProviderRateLimitedError, QuotaExhaustedError)
#: Errors that are an answer.
_PLAIN_NO = (ProviderNotFoundError, ProviderBadRequestError, NotEntitledError)
_LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})


class Stamp(NamedTuple):
    """Where a fact comes from; ``**stamp._asdict()`` are the fields that every fact has."""

    source: str
    as_of: date
    fetched_at: int
    synthetic: bool
    stale: str | None = None


@dataclass(frozen=True, slots=True)
class Answer[T]:
    """What a provider said, read."""

    value: T
    fetched_at: int
    source: str
    synthetic: bool
    problem: ProviderError | None = None  #: why this is the last good value and not a new one

    def stamp(self, as_of: date) -> Stamp:
        """Return where facts made of this come from."""
        stale = None if self.problem is None else self.problem.name
        return Stamp(self.source, as_of, self.fetched_at, self.synthetic, stale)


@dataclass(slots=True)
class _Counts:
    requests: int = 0
    errors: int = 0
    cache_hits: int = 0
    ts_success: int | None = None
    ts_error: int | None = None
    error: ProviderError | None = None


Judge = Callable[[Body], None]


class ProviderHttp:
    """Questions to one provider.

    Args:
        spec: what the provider is.
        judge: raises the typed error that an answer stands for, else returns.
        ledger: paces and quotas.
        cache: kept answers.
        sandbox: the provider's twin; given, nothing leaves this process.
        credential: instead of what the environment or the keyring has.
    """

    def __init__(
        self,
        spec: ProviderSpec,
        judge: Judge,
        *,
        ledger: Ledger,
        cache: Cache,
        sandbox: Any = None,
        credential: str | None = None,
        clock: Callable[[], int] = time.time_ns,
    ) -> None:
        self.spec = spec
        self.synthetic = sandbox is not None
        self.source = f"{spec.name}-sandbox" if self.synthetic else spec.name
        self._paced = replace(spec, name=self.source)  #: a twin has a pace and a quota of its own
        self.clock = clock
        self._judge = judge
        self._ledger = ledger
        self._cache = cache
        self._counts = _Counts()
        self._flights: dict[str, asyncio.Task[tuple[Any, Kept]]] = {}
        self._breakers: AsyncCircuitBreakerFactory | None = None
        self._open_until: int | None = None
        found = spec.credential.sandbox if self.synthetic else credential or secrets.find(spec.credential)
        if not self.synthetic:
            secrets.redact.learn(found)
        self._credential = found
        limits = httpx.Limits(max_connections=8, max_keepalive_connections=4, keepalive_expiry=20)
        timeout = httpx.Timeout(spec.deadline_s, connect=min(10.0, spec.deadline_s))
        transport = httpx.ASGITransport(app=sandbox) if self.synthetic else None
        self._client = httpx.AsyncClient(transport=transport, limits=limits, timeout=timeout)
        self._direct = httpx.AsyncClient(limits=limits, timeout=timeout, trust_env=False)

    async def close(self) -> None:
        """Close the connections."""
        for flight in list(self._flights.values()):
            flight.cancel()
        await self._client.aclose()
        await self._direct.aclose()

    @property
    def configured(self) -> bool:
        """Whether there is a credential."""
        return self._credential is not None

    def require_configured(self) -> str:
        """Return the credential; raises NotConfiguredError."""
        return secrets.require(self.spec.credential, self.spec.label, self._credential)

    async def get[T](
        self,
        url: str,
        params: Mapping[str, str] | None = None,
        *,
        read: Callable[[Body], T],
        fresh_s: float,
        refresh: bool = False,
        max_bytes: int | None = None,
    ) -> Answer[T]:
        """Ask, or take a kept answer that is fresh; where asking fails, take the last good one.

        Args:
            url: the address, without the credential.
            params: the query, without the credential.
            read: makes the value of a body; raises BadPayloadError if it is not what it should be.
            fresh_s: age in seconds up to which a kept answer will do.
            refresh: ask even if a kept answer is fresh.
            max_bytes: of the decompressed body; None: as the provider's spec says.

        Raises:
            NotConfiguredError: there is no credential; nothing was asked.
            ProviderError: what the provider said, and there is no last good value that may stand in.
            StoreFailedError: requests cannot be counted or kept.
        """
        credential = self.require_configured()
        question = dict(params or {})
        key = self._key(url, question)
        kept = await asyncio.to_thread(self._cache.get, key)
        if kept is not None and not refresh and self._is_fresh(kept, fresh_s):
            self._counts.cache_hits += 1
            return await self._reread(kept, url, read)
        try:
            value, new = await self._shared(
                key, lambda: self._ask(url, question, credential, key, read, max_bytes or self.spec.max_bytes)
            )
        except _PASSING as error:
            if kept is None:
                raise
            last = await self._reread(kept, url, read)
            return Answer(last.value, last.fetched_at, last.source, last.synthetic, error)
        return Answer(value, new.fetched_at, self.source, self.synthetic)

    def _is_fresh(self, kept: Kept, fresh_s: float) -> bool:
        return kept.fresh and self.clock() - kept.fetched_at < fresh_s * forms.NANOS

    def _key(self, url: str, params: Mapping[str, str]) -> str:
        """Return what an answer is kept under: the question, and whether a twin was asked."""
        return f"{self.source} {url}?{urlencode(sorted(params.items()))}"

    async def _reread[T](self, kept: Kept, url: str, read: Callable[[Body], T]) -> Answer[T]:
        body = Body(kept.content, kept.content_type, 200, url)
        return Answer(await _read(read, body), kept.fetched_at, self.source, self.synthetic)

    async def _shared[T](self, key: str, ask: Callable[[], Awaitable[tuple[T, Kept]]]) -> tuple[T, Kept]:
        """Ask once for all who ask the same at the same time."""
        flight = self._flights.get(key)
        if flight is None:

            async def fly() -> tuple[Any, Kept]:
                return await ask()

            flight = asyncio.create_task(fly())
            self._flights[key] = flight
            flight.add_done_callback(lambda done: self._landed(key, done))
        return await asyncio.shield(flight)

    def _landed(self, key: str, done: asyncio.Task[Any]) -> None:
        self._flights.pop(key, None)
        if not done.cancelled():
            done.exception()  # whoever waited has it; if all have left, it is of no interest

    async def _ask[T](
        self,
        url: str,
        params: Mapping[str, str],
        credential: str,
        key: str,
        read: Callable[[Body], T],
        max_bytes: int,
    ) -> tuple[T, Kept]:
        """Ask with retries where they can help; keep the answer."""

        async def once() -> tuple[T, Body]:
            body = await self._once(url, params, credential, max_bytes)
            return await _read(read, body), body

        value, body = await self._counted(lambda: self._guarded(once), key=secrets.digest(credential))
        kept = Kept(body.content, body.content_type, self.clock())
        await asyncio.to_thread(self._cache.put, key, self.source, kept)
        return value, kept

    async def _guarded[T](self, once: Callable[[], Awaitable[T]]) -> T:
        """Try up to the number of attempts, behind the circuit breaker."""
        async for attempt in stamina.retry_context(
            on=_backoff, attempts=self.spec.attempts, timeout=2 * PATIENCE_S, wait_initial=0.3, wait_max=5.0
        ):
            with attempt:
                return await self._behind_breaker(once)
        raise AssertionError("stamina ends by returning or raising")

    async def _behind_breaker[T](self, once: Callable[[], Awaitable[T]]) -> T:
        if self._breakers is None:
            breakers = await asyncio.to_thread(_load_breakers)
            self._breakers = self._breakers or breakers  # another question may have been as early
        from purgatory.domain.model import OpenedState

        breaker = await self._breakers.get_breaker(self.spec.name, exclude=_SAYS_NOTHING)
        try:
            async with breaker:
                value = await once()
        except OpenedState as error:
            left = self._left_s()
            raise ProviderDownError(
                f"{self.spec.label} failed {_BREAKER_FAILURES} times in a row: left alone for {left:.0f} s",
                rule="a provider that fails is left alone for a while",
                fix="ask again later",
            ) from error
        except ProviderDownError:
            if breaker.context.state == "opened" and self._left_s() == 0:
                self._open_until = self.clock() + int(_BREAKER_S * forms.NANOS)
            raise
        self._open_until = None
        return value

    def _left_s(self) -> float:
        return max(0.0, ((self._open_until or 0) - self.clock()) / forms.NANOS)

    async def _once(self, url: str, params: Mapping[str, str], credential: str, max_bytes: int) -> Body:
        """Wait for a turn and ask once; raises what the answer stands for."""
        spec, counted_by = self.spec, secrets.digest(credential)
        await self._ledger.take(self._paced, counted_by, PATIENCE_S)
        headers = {"Accept-Encoding": ACCEPT_ENCODING, **(spec.headers or {})}
        query = dict(params)
        place = query if spec.credential.place == "query" else headers
        place[spec.credential.field] = credential
        direct = not self.synthetic and (urlsplit(url).hostname or "") in _LOOPBACK
        self._counts.requests += 1
        left = asyncio.Event()

        async def sent() -> None:
            left.set()
            await asyncio.to_thread(self._ledger.sent, self._paced)

        try:
            body = await exchange(
                self._direct if direct else self._client,
                spec.label,
                url,
                query,
                headers,
                deadline_s=spec.deadline_s,
                max_bytes=max_bytes,
                sent=sent,
            )
            if not left.is_set():  # a twin is asked without a wire
                await sent()
        finally:
            if not left.is_set():
                await asyncio.to_thread(self._ledger.give_back, self._paced, counted_by)
        try:
            self._judge(body)
        except ProviderRateLimitedError as error:
            await self._hold_back(error)
            raise
        return body

    async def _hold_back(self, error: ProviderRateLimitedError) -> None:
        """Let every process of the home wait as long as the provider wants."""
        seconds = error.retry_after or self.spec.spacing_s
        error.extra["until"] = forms.iso(self.clock() + int(seconds * forms.NANOS))
        await asyncio.to_thread(self._ledger.hold_back, self._paced, seconds)

    async def _counted[T](self, ask: Callable[[], Awaitable[T]], *, key: str) -> T:
        """Ask, and note how it went: for health, and for the limits that all processes share."""
        try:
            value = await ask()
        except _PLAIN_NO:  # it answered: that says nothing against it
            self._counts.ts_success, self._counts.error = self.clock(), None
            raise
        except ProviderError as error:
            self._counts.errors += 1
            self._counts.ts_error, self._counts.error = self.clock(), error
            if isinstance(error, QuotaExhaustedError):
                await asyncio.to_thread(self._ledger.use_up, self._paced, key)
            raise
        self._counts.ts_success, self._counts.error = self.clock(), None
        return value

    def expire(self) -> int:
        """Let no kept answer count as fresh; return how many there are."""
        return self._cache.expire(self.source)

    # ------------------------------------------------------------ health

    def health(self) -> ProviderHealth:
        """Return how the provider is, from what was asked of it anyway."""
        spec, counts = self.spec, self._counts
        quota = None
        if self._credential is not None:
            quota = self._ledger.quota(self._paced, secrets.digest(self._credential))
        state, reason = self._state()
        is_open = self._left_s() > 0
        return ProviderHealth(
            provider=spec.name,
            label=spec.label,
            state=state,
            configured=self.configured,
            synthetic=self.synthetic,
            reason=reason,
            error=None if counts.error is None else counts.error.name,
            breaker="open" if is_open else "closed",
            ts_retry=self._open_until if is_open else None,
            requests=counts.requests,
            errors=counts.errors,
            cache_hits=counts.cache_hits,
            ts_success=counts.ts_success,
            ts_error=counts.ts_error,
            pace=spec.pace,
            quota_limit=None if quota is None else quota.limit,
            quota_used=None if quota is None else quota.used,
            ts_quota_reset=None if quota is None else quota.ts_reset,
            ts=self.clock(),
        )

    def _state(self) -> tuple[ProviderState, str | None]:
        error = self._counts.error
        try:
            self.require_configured()
        except NotConfiguredError as missing:
            error = missing
        if error is None:
            return ("ok" if self._counts.ts_success is not None else "unknown"), None
        if isinstance(error, NotConfiguredError):
            return "not_configured", f"{error.detail}: {error.fix}"
        return ("down" if isinstance(error, ProviderDownError) else "degraded"), error.detail


def _load_breakers() -> AsyncCircuitBreakerFactory:
    """Return circuit breakers; their library loads a client of Redis, so not before there is a question."""
    from purgatory import AsyncCircuitBreakerFactory

    return AsyncCircuitBreakerFactory(_BREAKER_FAILURES, _BREAKER_S)


def _backoff(error: Exception) -> bool | float:
    """Say after how many seconds asking again may help; True: after the usual ones, False: never."""
    if not isinstance(error, ProviderError) or error.retry_after is None:
        return False
    if isinstance(error, ProviderRateLimitedError):
        return error.retry_after <= _LONGEST_RETRY_S  # the wait itself is the ledger's, for all processes
    return True


def _not_down(error: ProviderError) -> bool:
    """Say whether an error tells nothing about the provider being there."""
    return not isinstance(error, ProviderDownError)


#: What leaves the breaker as it is: the provider answered, or we left.
_SAYS_NOTHING: list[type[BaseException] | tuple[type[BaseException], Callable[..., bool]]] = [
    asyncio.CancelledError,
    (ProviderError, _not_down),
]


async def _read[T](read: Callable[[Body], T], body: Body) -> T:
    if len(body.content) > _LARGE:
        return await asyncio.to_thread(read, body)
    return read(body)
