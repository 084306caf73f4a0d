"""Who is at the door: access tokens, and the user behind a unix socket.

Tokens are random 256 bits, shown once and stored as their SHA-256. `Keys` judges credentials and
knows nothing of a store, so that a gateway can use it too; `Authenticator` keeps the tokens. This
module must not know how a credential travels (header, message) or what its owner then wants.
"""

from __future__ import annotations

import hmac
import ipaddress
import os
import secrets
import time
from collections import deque
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

from data.access import TOKEN_PREFIX, Role, TokenRow, check_token, digest
from data.problems import ForbiddenError, RateLimitedError, UnauthorizedError
from nautilus_tui.daemon.headers import bearer
from nautilus_tui.daemon.principal import Principal

if TYPE_CHECKING:
    from data.state import State

TOKEN_BYTES = 32
_WINDOW_S = 60.0
#: Peers whose failed attempts, and pairs of peer and token, that are remembered; the oldest are
#: forgotten beyond this.
_PEERS = 4096
#: Whoever has one address of IPv6 has as a rule the other 2^64 with the same beginning.
_V6_PREFIX = 64


def source_of(peer: str) -> str:
    """Return what a peer's failed attempts are counted under: its address, or its network of IPv6."""
    try:
        address = ipaddress.ip_address(peer.split("%")[0])
    except ValueError:
        return peer
    if isinstance(address, ipaddress.IPv6Address):
        if address.ipv4_mapped is not None:
            return str(address.ipv4_mapped)
        if not address.is_loopback:
            return str(ipaddress.ip_network((address, _V6_PREFIX), strict=False))
    return str(address)


def _is_loopback(source: str) -> bool:
    try:
        return ipaddress.ip_address(source).is_loopback
    except ValueError:
        return False


class Keys:
    """Turns credentials into principals.

    A peer that failed too often within a minute is locked out: it is refused before its token is
    looked at twice. Since many may share an address, two are let through nevertheless with a valid
    token: whoever used that token from that address before, and programs of this machine. A token
    has 256 random bits, so guessing goes no faster for it.

    Args:
        attempts: failed attempts a peer may make per minute.
        uid: the user who owns the daemon.
        clock: UTC ns.
    """

    def __init__(
        self,
        *,
        attempts: int = 10,
        uid: int | None = None,
        clock: Callable[[], int] = time.time_ns,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._attempts = attempts
        self._uid = os.getuid() if uid is None else uid
        self._clock = clock
        self._monotonic = monotonic
        self._tokens: dict[str, TokenRow] = {}
        self._failed: dict[str, deque[float]] = {}
        self._seen: dict[tuple[str, str], None] = {}  #: addresses and the digests of tokens used there

    def allow(self, attempts: int) -> None:
        """Let a peer fail so often per minute from now on."""
        self._attempts = attempts

    def hold(self, tokens: Iterable[TokenRow]) -> None:
        """Know these tokens and no others."""
        self._tokens = {token.digest: token for token in tokens}

    # ------------------------------------------------------------ who is it

    def unix_peer(self, uid: int) -> Principal:
        """Return the principal of a process on this machine.

        Raises:
            ForbiddenError: it runs as another user than the daemon.
        """
        if uid != self._uid:
            raise ForbiddenError(
                f"user {uid} may not use the daemon's socket",
                rule="the socket serves the user who runs the daemon",
                fix="connect over TCP with a token",
            )
        return Principal(name="local", role="admin", via="unix")

    def token(self, secret: str, peer: str) -> Principal:
        """Return the principal that a token stands for. ``peer`` (an address) is who presents it.

        Raises:
            UnauthorizedError: there is no such token, or it has expired or was revoked.
            RateLimitedError: the peer has failed too often within a minute.
        """
        source = source_of(peer)
        token = self._find(secret)
        fault = self._fault(token)
        if token is None or fault is not None:
            self._require_attempts_left(source)
            self._note_failure(source)
            raise fault or _not_valid()
        pair = (source, token.digest)
        if pair not in self._seen and not _is_loopback(source):
            self._require_attempts_left(source)
        self._see(pair)
        return Principal(name=token.name, role=token.role, via="tcp", ts_expires=token.ts_expires)

    def _fault(self, token: TokenRow | None) -> UnauthorizedError | None:
        """Return why a token does not count, if it does not."""
        if token is None:
            return _not_valid()
        if token.ts_revoked is not None:
            return UnauthorizedError(
                f"the token {token.name} was revoked",
                rule="a token is used until it is revoked",
                fix="create a new one: nautilus-tui token create",
                token=token.name,
            )
        if token.ts_expires is not None and token.ts_expires <= self._clock():
            return UnauthorizedError(
                f"the token {token.name} has expired",
                rule="a token is used before it expires",
                fix="create a new one: nautilus-tui token create",
                token=token.name,
            )
        return None

    def _see(self, pair: tuple[str, str]) -> None:
        """Remember that a token was used from an address."""
        self._seen.pop(pair, None)
        self._seen[pair] = None
        while len(self._seen) > _PEERS:
            self._seen.pop(next(iter(self._seen)))

    def authorization(self, header: str | None, peer: str) -> Principal:
        """Return the principal behind an ``Authorization`` header; raises as ``token``.

        A header that is not understood counts as a failed attempt, a missing one does not.
        """
        if header is None:
            raise UnauthorizedError(
                "no token was given",
                rule="requests over TCP carry `Authorization: Bearer <token>`",
                fix="nautilus-tui token create NAME --role viewer",
            )
        try:
            secret = bearer(header)
        except UnauthorizedError:
            source = source_of(peer)
            self._require_attempts_left(source)
            self._note_failure(source)
            raise
        return self.token(secret, peer)

    def _require_attempts_left(self, source: str) -> None:
        failed = self._failed.get(source)
        if failed is None:
            return
        now = self._monotonic()
        while failed and now - failed[0] > _WINDOW_S:
            failed.popleft()
        if len(failed) >= self._attempts:
            seconds = max(1, round(_WINDOW_S - (now - failed[0])))
            raise RateLimitedError(
                f"{len(failed)} failed attempts within a minute",
                rule=f"at most {self._attempts} failed attempts a minute",
                fix=f"wait {seconds} s",
                seconds=str(seconds),
            )

    def _note_failure(self, source: str) -> None:
        failed = self._failed.pop(source, None) or deque(maxlen=self._attempts)
        failed.append(self._monotonic())
        self._failed[source] = failed
        while len(self._failed) > _PEERS:
            self._failed.pop(next(iter(self._failed)))

    def _find(self, secret: str) -> TokenRow | None:
        """Return the token a secret belongs to. What is looked up is its hash, which a guesser cannot
        steer; the comparison of the rest takes the same time whatever differs.
        """
        given = digest(secret)
        token = self._tokens.get(given)
        return token if token is not None and hmac.compare_digest(token.digest, given) else None


def _not_valid() -> UnauthorizedError:
    return UnauthorizedError(
        "the token is not valid",
        rule="a request carries a token in use",
        fix="nautilus-tui token create",
    )


class Authenticator(Keys):
    """The keys of a daemon, kept in its store.

    Args:
        state: where tokens are kept; ``load`` reads them before the first question.
        attempts, uid, clock, monotonic: as of `Keys`.
    """

    def __init__(
        self,
        state: State,
        *,
        attempts: int = 10,
        uid: int | None = None,
        clock: Callable[[], int] = time.time_ns,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        super().__init__(attempts=attempts, uid=uid, clock=clock, monotonic=monotonic)
        self._state = state
        self._watchers: list[Callable[[], None]] = []

    async def load(self) -> None:
        """Read the tokens that are in use."""
        self.hold(await self._state.tokens.all())

    def tokens(self) -> list[TokenRow]:
        """Return the tokens as they stand now, hashed."""
        return list(self._tokens.values())

    def on_change(self, watcher: Callable[[], None]) -> None:
        """Call ``watcher`` after each change of the tokens."""
        self._watchers.append(watcher)

    def _changed(self) -> None:
        for watcher in self._watchers:
            watcher()

    async def create(self, name: str, role: Role, expires_days: int | None) -> tuple[str, TokenRow]:
        """Make a token and return its secret, which is not kept.

        Raises:
            InvalidRequestError: the name or the days are not as they should be.
            ConflictError: a token has or had the name.
        """
        check_token(name, expires_days)
        secret = TOKEN_PREFIX + secrets.token_urlsafe(TOKEN_BYTES)
        now = self._clock()
        token = TokenRow(
            name=name,
            digest=digest(secret),
            role=role,
            ts_created=now,
            ts_expires=None if expires_days is None else now + expires_days * 86_400_000_000_000,
        )
        await self._state.tokens.add(token)
        self._tokens[token.digest] = token
        self._changed()
        return secret, token

    async def revoke(self, name: str) -> TokenRow:
        """Make a token worthless from now on; raises NotFoundError."""
        token = await self._state.tokens.revoke(name, self._clock())
        self._tokens[token.digest] = token
        self._changed()
        return token
