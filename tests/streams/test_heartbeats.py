"""Heartbeats of many connections: every one is asked in each round, and each that is silent is dead."""

from __future__ import annotations

import asyncio

from data.bus import Bus
from nautilus_tui.daemon.principal import Principal
from nautilus_tui.daemon.streams import StreamHub, StreamLimits
from nautilus_tui.daemon.streams.connection import Connection
from nautilus_tui.daemon.streams.wire import JSON
from tests.streams.test_hub_properties import payload

MANY = 450


async def test_all_of_many_are_asked_and_the_silent_are_dead() -> None:
    hub = StreamHub(Bus("e1"), StreamLimits(heartbeat_s=0.05))
    heard: dict[str, list[str]] = {}
    dead: set[str] = set()
    all_dead = asyncio.Event()

    def join(id_: str, answers: bool) -> None:
        heard[id_] = []

        def write(frame: bytes) -> None:
            heard[id_] += [one["id"] for one in JSON.decode(payload(frame)) if one["type"] == "heartbeat"]
            connection.alive = connection.alive or answers

        def close(code: int, reason: str) -> None:
            if answers:
                assert (code, reason) == (1012, "the daemon is stopping")
                return
            assert (code, reason) == (4002, "2 heartbeats were not answered")
            dead.add(id_)
            if len(dead) == MANY:
                all_dead.set()

        connection = Connection(
            id_,
            Principal(id_, "viewer", "tcp"),
            JSON,
            peer="",
            path="/ws",
            write=write,
            close=close,
            unsent=lambda: 0,
        )
        hub.join(connection)

    for n in range(MANY):
        join(f"silent-{n}", answers=False)
    for n in range(MANY):
        join(f"answering-{n}", answers=True)
    await asyncio.wait_for(all_dead.wait(), 60)
    assert {info.id for info in hub.connections()} == {f"answering-{n}" for n in range(MANY)}
    for id_ in dead:
        assert heard[id_] == ["hb-1", "hb-2"]
    hub.close()
