"""Badly behaved clients of a real server process: the others lose nothing, and nothing of them is kept."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from nautilus_tui.bench import abuse, servers
from nautilus_tui.bench.guests import Guest
from nautilus_tui.bench.processes import answer, child
from nautilus_tui.bench.streams import Server


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with child(servers.main, "hub") as pipe:
        yield Server(pipe, answer(pipe))


@pytest.mark.parametrize(
    "guest",
    ["good", "stalled", "dripping", "subscribing", "chattering", "talking nonsense", "coming and going"],
)
def test_others_read_on_and_guests_are_forgotten(server: Server, guest: Guest) -> None:
    visit = abuse.visit(server, guest, 10, 1.0, most=2)
    assert visit.deeds > 0
    assert (visit.wrong, visit.closed) == (0, 0)
    assert visit.kept == servers.Kept()
