"""Tokens, the users behind unix sockets, and how often one may guess."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from data.access import TOKEN_PREFIX, digest
from data.problems import ConflictError, ForbiddenError, RateLimitedError, UnauthorizedError
from data.state import State
from nautilus_tui.daemon.auth import Authenticator
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
async def state(tmp_path: Path) -> AsyncIterator[State]:
    store = State(tmp_path / "state.duckdb")
    store.open()
    yield store
    store.close()


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


async def test_an_expired_token_is_refused_and_its_name_free_again(door: Authenticator, clock: Clock) -> None:
    secret, _ = await door.create("ci", "viewer", 1)
    clock.ns += DAY - 1
    assert door.token(secret, "p").name == "ci"
    clock.ns += 1
    with pytest.raises(UnauthorizedError, match="expired"):
        door.token(secret, "p")
    fresh, _ = await door.create("ci", "admin", None)
    assert door.token(fresh, "p").role == "admin"
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
