"""Terminals on a real daemon by role: what each may do, and how each hears of a hand-over."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from nautilus_tui.client import Address
from nautilus_tui.terminal.app import Terminal
from nautilus_tui.terminal.link import DaemonLink
from nautilus_tui.terminal.widgets.lines import Lines
from tests.daemon.process import DaemonProcess
from tests.terminal.desk import until

PATH = "/api/v1/authority"


@pytest.fixture(scope="module")
def daemon(tmp_path_factory: pytest.TempPathFactory) -> Iterator[DaemonProcess]:
    made = DaemonProcess(tmp_path_factory.mktemp("attached") / "home")
    yield made
    made.stop_all()


def attached(daemon: DaemonProcess, name: str, role: str) -> tuple[Terminal, dict[str, str]]:
    """Return a terminal of a new token over TCP, and the header that carries the token."""
    header = daemon.token(name, role)
    secret = header["Authorization"].removeprefix("Bearer ")
    address = Address.remote(f"http://127.0.0.1:{daemon.port}", secret)
    return Terminal(DaemonLink(address)), header


def said(app: Terminal) -> list[str]:
    return [notification.message for notification in app._notifications]


async def test_a_viewer_sees_who_holds_it_and_is_told_of_each_hand_over(daemon: DaemonProcess) -> None:
    app, _ = attached(daemon, "looker", "viewer")
    desk = daemon.token("desk", "trader")
    async with app.run_test(size=(160, 40)) as pilot:
        header = app.query_one("#header", Lines)
        await until(pilot, lambda: "read-only · free" in header.text)
        assert app.view.actor == "looker"
        assert daemon.tcp.post(PATH, json={"reason": "night"}, headers=desk).status_code == 200
        await until(pilot, lambda: "read-only · desk" in header.text)
        assert daemon.post(PATH).status_code == 200
        await until(pilot, lambda: "local took the order authority from desk" in said(app))
        assert "desk took the order authority: night" in said(app)
        await pilot.press("H")
        await until(pilot, lambda: any("needs the role trader; you are viewer" in line for line in said(app)))
        assert daemon.get(PATH)["holder"] == "local"


async def test_a_trader_takes_it_by_its_key_and_the_revocation_of_the_token_frees_it(
    daemon: DaemonProcess,
) -> None:
    app, _ = attached(daemon, "tina", "trader")
    daemon.post(PATH)
    async with app.run_test(size=(160, 40)) as pilot:
        header = app.query_one("#header", Lines)
        await until(pilot, lambda: "trader · local" in header.text)
        await pilot.press("H")
        await until(pilot, lambda: len(app.screen_stack) > 1)
        await pilot.press("ctrl+o")
        await until(pilot, lambda: "trader · you" in header.text)
        assert said(app) == ["you took the order authority from local"]
        assert daemon.get(PATH)["holder"] == "tina"
        assert daemon.http.delete("/api/v1/tokens/tina").status_code == 200
        assert daemon.get(PATH)["reason"] == "the token tina was revoked"
        await until(pilot, lambda: app.mirror.connection.state == "disconnected")
