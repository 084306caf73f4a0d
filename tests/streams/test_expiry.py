"""A stream ends when the token it was opened with expires, and not before."""

from __future__ import annotations

import asyncio
import time
from pathlib import Path

import pytest

from nautilus_tui.daemon.principal import Principal
from nautilus_tui.daemon.streams import protocol
from nautilus_tui.daemon.streams.hub import CLOSE_UNAUTHENTICATED
from tests.streams import serving as harness
from tests.streams.serving import serving

S = 1_000_000_000


def holding(monkeypatch: pytest.MonkeyPatch, name: str, seconds: float) -> None:
    expires = time.time_ns() + round(seconds * S)
    monkeypatch.setitem(harness.TOKENS, name, Principal(name, "viewer", "tcp", ts_expires=expires))


@pytest.mark.parametrize("first_message", [False, True])
async def test_a_stream_ends_with_its_token(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, first_message: bool
) -> None:
    holding(monkeypatch, "t-short", 0.5)
    holding(monkeypatch, "t-long", 3600)
    async with serving(tmp_path) as service, service.tcp(token="t-long") as stays:
        token = None if first_message else "t-short"
        async with service.tcp(token=token, established=not first_message) as client:
            if first_message:
                await client.say("authenticate", token="t-short")
                assert (await client.next())["type"] == "connection_established"
            _, code, reason = await client.until_closed()
            assert time.time_ns() >= harness.TOKENS["t-short"].ts_expires  # type: ignore[operator]  # it has one
            assert (code, reason) == (CLOSE_UNAUTHENTICATED, "its token has expired")
        assert (await stays.subscribe("system.health"))["type"] == "subscription_confirmed"


async def test_the_clock_is_asked_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A token whose life ends in a year ends at once when the clock is set a year ahead."""
    monkeypatch.setattr(protocol, "_CLOCK_S", 0.05)
    holding(monkeypatch, "t-year", 365 * 86_400)
    async with serving(tmp_path) as service, service.tcp(token="t-year") as client:
        assert (await client.subscribe("system.health"))["type"] == "subscription_confirmed"
        ahead = time.time_ns() + 366 * 86_400 * S
        monkeypatch.setattr(protocol.time, "time_ns", lambda: ahead)
        _, code, _ = await client.until_closed()
        assert code == CLOSE_UNAUTHENTICATED


async def test_a_stream_that_is_left_leaves_no_timer(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    holding(monkeypatch, "t-long", 3600)
    async with serving(tmp_path) as service:
        async with service.tcp(token="t-long"):
            assert len(service.hub.connections()) == 1
            loop = asyncio.get_running_loop()
            assert [timer for timer in loop._scheduled if "_end_when_expired" in repr(timer)]  # type: ignore[attr-defined]
        async with service.tcp() as later:  # served after the goodbye of the one before
            await later.subscribe("system.health")
        waiting = [timer for timer in loop._scheduled if "_end_when_expired" in repr(timer)]  # type: ignore[attr-defined]
        assert all(timer.cancelled() for timer in waiting)
