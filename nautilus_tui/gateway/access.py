"""Who may read from a gateway: the daemon's own tokens, hashed, as they come with the events.

The gateway knows a token's hash only; the token itself it has from the client that showed it, keeps
it in memory while that client is connected, and shows it to nobody but the daemon. This module must
not know of sockets or of Redis.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

from data.access import TokenRow
from data.problems import UnauthorizedError, UnavailableError
from nautilus_tui.daemon.auth import Keys
from nautilus_tui.daemon.principal import Principal


class Bearer(Principal, frozen=True):
    """A client that proved who it is, and the token it did so with, for its commands."""

    secret: str = ""

    def __repr__(self) -> str:
        return f"Bearer(name={self.name!r}, role={self.role!r}, via={self.via!r})"  # tokens are never printed


class Access:
    """Judges tokens by what the daemon told last, unless that was long ago: one that was revoked
    meanwhile must not open anything.

    Args:
        attempts: failed attempts a peer may make per minute.
        ready: tells whether the daemon's present state was read.
        unheard: tells for how long a revocation may have been missed, in seconds.
        trusted_s: for so long tokens are trusted without news.
    """

    def __init__(
        self, attempts: int, ready: Callable[[], bool], unheard: Callable[[], float], trusted_s: float
    ) -> None:
        self._keys = Keys(attempts=attempts)
        self._ready = ready
        self._unheard = unheard
        self._trusted_s = trusted_s
        self._known = False  #: whether the daemon's tokens were ever read
        self._valid: dict[str, str] = {}  #: digests of tokens that were not revoked, and their names

    def allow(self, attempts: int) -> None:
        """Let a peer fail so often per minute from now on."""
        self._keys.allow(attempts)

    def hold(self, tokens: Iterable[TokenRow]) -> frozenset[str]:
        """Know these tokens and no others; return the names of those that count no longer.

        When a token expires is watched by the connection that was opened with it.
        """
        held = list(tokens)
        self._keys.hold(held)
        before = self._valid
        self._valid = {token.digest: token.name for token in held if token.ts_revoked is None}
        self._known = True
        return frozenset(name for digest, name in before.items() if digest not in self._valid)

    def header(self, header: str | None, peer: str) -> Principal:
        """Return who an ``Authorization`` header proves to be there.

        Raises:
            UnavailableError: the tokens, or the daemon's state, are not known yet, or not known to be
                what they were.
            UnauthorizedError: there is no token in it, or none that counts.
            RateLimitedError: the peer has failed too often within a minute.
        """
        self._require_ready()
        return self._keys.authorization(header, peer)

    def authenticate(self, token: str | None, peer_uid: int | None, peer: str = "") -> Bearer:
        """Return who a stream's token proves to be there; raises as ``header``."""
        self._require_ready()
        if token is None:
            raise UnauthorizedError(
                "no token was given",
                rule="a gateway wants a token, whoever asks",
                fix="send Authorization: Bearer …",
            )
        found = self._keys.token(token, peer)
        return Bearer(
            name=found.name, role=found.role, via=found.via, ts_expires=found.ts_expires, secret=token
        )

    def _require_ready(self) -> None:
        if not (self._known and self._ready()):
            raise UnavailableError(
                "this gateway has not read the daemon's state and tokens from Redis yet",
                rule="a gateway serves once it knows what is true and who may read it",
                fix="try again in a moment; if it lasts, see that a daemon publishes under this prefix",
            )
        unheard = self._unheard()
        if unheard > self._trusted_s:
            raise UnavailableError(
                f"this gateway has heard nothing of its daemon for {unheard:.0f} s",
                rule=f"tokens may be revoked meanwhile: they count for {self._trusted_s:g} s without news",
                fix="ask the daemon or another gateway; see that the daemon runs and Redis is reached",
            )
