"""Tokens, the users behind unix sockets, and how often one may guess."""

from __future__ import annotations

import hmac

import pytest
from hypothesis import given
from hypothesis import strategies as st

from data.access import TOKEN_PREFIX, digest, info_of
from data.problems import (
    ConflictError,
    ForbiddenError,
    InvalidRequestError,
    RateLimitedError,
    UnauthorizedError,
)
from data.state import State
from nautilus_tui.daemon.auth import Authenticator, Keys, source_of
from tests.daemon.records import T0

DAY = 86_400_000_000_000


class Clock:
    """A clock that stands until it is set."""

    def __init__(self) -> None:
        self.ns = T0
        self.s = 1000.0


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def door(state: State, clock: Clock) -> Authenticator:
    return Authenticator(state, attempts=3, uid=1000, clock=lambda: clock.ns, monotonic=lambda: clock.s)


async def test_a_token_stands_for_its_name_and_role(door: Authenticator, state: State) -> None:
    secret, row = await door.create("ci", "trader", None)
    assert secret.startswith(TOKEN_PREFIX)
    assert len(secret) >= len(TOKEN_PREFIX) + 43  # 256 bits
    assert row.digest == digest(secret) != secret
    principal = door.authorization(f"Bearer {secret}", "10.0.0.1")
    assert (principal.name, principal.role, principal.via) == ("ci", "trader", "tcp")
    later = Authenticator(state)
    await later.load()
    assert later.token(secret, "10.0.0.1").name == "ci"
    with pytest.raises(ConflictError):
        await door.create("ci", "viewer", None)


async def test_two_tokens_are_never_the_same(door: Authenticator) -> None:
    assert len({(await door.create(f"t{n}", "viewer", None))[0] for n in range(20)}) == 20


async def test_an_expired_token_is_refused_and_its_name_stays_its(door: Authenticator, clock: Clock) -> None:
    secret, _ = await door.create("ci", "viewer", 1)
    clock.ns += DAY - 1
    assert door.token(secret, "p").name == "ci"
    clock.ns += 1
    with pytest.raises(UnauthorizedError, match="expired"):
        door.token(secret, "p")
    with pytest.raises(ConflictError, match="has expired"):
        await door.create("ci", "admin", None)
    with pytest.raises(UnauthorizedError):
        door.token(secret, "p")


async def test_a_revoked_token_is_refused_at_once(door: Authenticator) -> None:
    secret, _ = await door.create("ci", "viewer", None)
    await door.revoke("ci")
    with pytest.raises(UnauthorizedError):
        door.token(secret, "p")


@pytest.mark.parametrize("header", [None, "", "Bearer", "Bearer ", "Basic eDp5", "Bearer wrong", "bearer  x"])
def test_anything_else_is_refused(door: Authenticator, header: str | None) -> None:
    with pytest.raises(UnauthorizedError):
        door.authorization(header, "p")


async def test_guessing_is_slowed_down_per_peer(door: Authenticator, clock: Clock) -> None:
    secret, _ = await door.create("ci", "viewer", None)
    for _ in range(3):
        with pytest.raises(UnauthorizedError):
            door.token("guess", "1.2.3.4")
    with pytest.raises(RateLimitedError) as caught:
        door.token("guess", "1.2.3.4")
    assert caught.value.fix
    with pytest.raises(RateLimitedError):
        door.token(secret, "1.2.3.4")
    assert door.token(secret, "5.6.7.8").name == "ci", "others are not affected"
    clock.s += 61
    assert door.token(secret, "1.2.3.4").name == "ci"


def test_many_peers_do_not_fill_the_memory(door: Authenticator) -> None:
    for number in range(5000):
        with pytest.raises(UnauthorizedError):
            door.token("guess", f"peer-{number}")
    assert len(door._failed) <= 4096


def test_the_owner_of_the_daemon_is_admin_on_its_socket_and_nobody_else(door: Authenticator) -> None:
    principal = door.unix_peer(1000)
    assert (principal.name, principal.role, principal.via) == ("local", "admin", "unix")
    for uid in (0, 1001):
        with pytest.raises(ForbiddenError):
            door.unix_peer(uid)


async def test_a_valid_token_is_not_locked_out_by_its_neighbours(door: Authenticator) -> None:
    """Many share an address: a token that was used from it before goes on, and so does this machine."""
    known, _ = await door.create("known", "viewer", None)
    fresh, _ = await door.create("fresh", "viewer", None)
    assert door.token(known, "1.2.3.4").name == "known"
    for peer in ("1.2.3.4", "127.0.0.1", "::1"):
        for _ in range(3):
            with pytest.raises(UnauthorizedError):
                door.token("guess", peer)
        with pytest.raises(RateLimitedError):
            door.token("guess", peer)
    assert door.token(known, "1.2.3.4").name == "known"
    with pytest.raises(RateLimitedError):
        door.token(fresh, "1.2.3.4")
    assert door.token(fresh, "127.0.0.1").name == door.token(fresh, "::1").name == "fresh"
    await door.revoke("known")
    with pytest.raises(RateLimitedError):
        door.token(known, "1.2.3.4")


@pytest.mark.parametrize(
    ("peer", "source"),
    [
        ("10.0.0.1", "10.0.0.1"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("2001:db8:1:2::ffff", "2001:db8:1:2::/64"),
        ("fe80::1%eth0", "fe80::/64"),
        ("::ffff:10.0.0.1", "10.0.0.1"),
        ("::1", "::1"),
        ("uid 1000", "uid 1000"),
        ("", ""),
    ],
)
def test_attempts_are_counted_for_all_addresses_that_one_has(peer: str, source: str) -> None:
    assert source_of(peer) == source


def test_the_addresses_of_one_network_share_their_attempts(door: Authenticator) -> None:
    for number in range(3):
        with pytest.raises(UnauthorizedError):
            door.token("guess", f"2001:db8::{number + 1}")
    with pytest.raises(RateLimitedError):
        door.token("guess", "2001:db8::99")
    with pytest.raises(UnauthorizedError):
        door.token("guess", "2001:db8:0:1::1")


async def test_a_header_of_another_scheme_is_an_attempt_and_is_not_repeated(door: Authenticator) -> None:
    secret, _ = await door.create("ci", "viewer", None)
    for _ in range(3):
        with pytest.raises(UnauthorizedError) as caught:
            door.authorization(secret, "1.2.3.4")
        assert secret not in str(caught.value.document())
    with pytest.raises(RateLimitedError) as limited:
        door.authorization(f"Basic {secret}", "1.2.3.4")
    assert int(limited.value.extra["seconds"]) > 0
    with pytest.raises(UnauthorizedError):
        door.authorization(None, "1.2.3.4")


async def test_secrets_are_never_compared_only_their_digests(
    door: Authenticator, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What takes longer when more of it is right must not be something a guesser can steer: what is
    looked up and compared is a hash, and the comparison takes as long whatever differs.
    """
    compared: list[tuple[str, str]] = []
    genuine = hmac.compare_digest

    def watching(one: str, other: str) -> bool:
        compared.append((one, other))
        return genuine(one, other)

    monkeypatch.setattr(hmac, "compare_digest", watching)
    secret, row = await door.create("ci", "viewer", None)
    assert door.token(secret, "p").name == "ci"
    assert compared == [(row.digest, digest(secret))]
    near = secret[:-1] + ("A" if secret[-1] != "A" else "B")
    with pytest.raises(UnauthorizedError):
        door.token(near, "p")
    kept = [*door._tokens, *(repr(token) for token in door._tokens.values()), repr(door._seen)]
    assert not any(secret in text for text in kept)
    alike = sum(one == other for one, other in zip(digest(near), digest(secret), strict=True))
    assert alike < 32, "a secret that is nearly right has another digest altogether"


@given(st.text())
def test_whatever_is_presented_is_refused_and_nothing_else(secret: str) -> None:
    keys = Keys(attempts=10_000_000)
    with pytest.raises(UnauthorizedError):
        keys.token(secret, "p")
    with pytest.raises(UnauthorizedError):
        keys.token(secret + "\udcff", "p")


@pytest.mark.parametrize(
    ("name", "days"),
    [("a b", None), ("", None), ("x" * 65, None), ("a", 0), ("a", 3651), ("ntui_abcdefgh", 1)],
)
async def test_names_and_lives_have_rules(door: Authenticator, name: str, days: int | None) -> None:
    with pytest.raises(InvalidRequestError) as caught:
        await door.create(name, "viewer", days)
    assert "ntui_abcdefgh" not in str(caught.value.document())
    assert door.tokens() == []


async def test_what_a_token_is_worth_is_listed(door: Authenticator, clock: Clock) -> None:
    await door.create("expires", "viewer", 1)
    _, revoked = await door.create("revoked", "viewer", 1)
    await door.revoke("revoked")
    await door.create("stays", "viewer", None)
    clock.ns += DAY
    worth = {token.name: info_of(token, clock.ns).status for token in door.tokens()}
    assert worth == {"expires": "expired", "revoked": "revoked", "stays": "valid"}
    assert revoked.ts_expires == T0 + DAY
