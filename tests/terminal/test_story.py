"""The main job by keys alone, on a real daemon with a real paper engine: nothing here is played."""

from __future__ import annotations

import asyncio
import os
import re
import shutil
import signal
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from textual.pilot import Pilot

from data.paths import Home
from nautilus_tui.client import Address
from nautilus_tui.terminal.app import Terminal
from nautilus_tui.terminal.link import DaemonLink
from nautilus_tui.terminal.screens.confirm import Confirm
from nautilus_tui.terminal.settings import TerminalSettings
from nautilus_tui.terminal.widgets.lines import Lines
from tests.cli.driving import CommandLine

ENGINE = "paper-1"


class House:
    """A home whose daemons are children of the test."""

    def __init__(self, home: Home) -> None:
        self.home = home
        self.daemons: list[subprocess.Popen[str]] = []

    def start(self) -> subprocess.Popen[str]:
        """Start a daemon and wait until it serves."""
        with (self.home.root / "daemon.err").open("a") as errors:
            process = subprocess.Popen(
                CommandLine(self.home).command("daemon", "--listen", "127.0.0.1:0"),
                stdout=subprocess.PIPE,
                stderr=errors,
                text=True,
            )
        assert process.stdout is not None
        self.daemons.append(process)
        line = process.stdout.readline()
        assert "ready" in line, (self.home.root / "daemon.err").read_text()
        return process

    def stop(self) -> None:
        """Stop the daemon with its engines."""
        with subprocess.Popen(CommandLine(self.home).command("stop", "--all")) as stopping:
            for daemon in self.daemons:
                daemon.wait(60)
                if daemon.stdout is not None:
                    daemon.stdout.close()
            stopping.wait(60)


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    """A home whose daemon and engines are stopped at the end."""
    home = Home(tmp_path / "home").ensure()
    home.config_file.write_text('[simulator]\nrate = "200"\nhistory_minutes = 60\n')
    made = House(home)
    yield made
    made.stop()
    if home.sockets != home.run:
        shutil.rmtree(home.sockets, ignore_errors=True)


async def until(pilot: Pilot[int], what: Callable[[], object], seconds: float = 30) -> None:
    """Let the application run until something is so; fail when it never is."""
    for _ in range(int(seconds / 0.05)):
        if what():
            return
        await pilot.pause(0.05)
    raise AssertionError(f"it never came to be:\n{screen(pilot.app)}")


def screen(app: object) -> str:
    """Return what the panes of lines say, for a failure's message."""
    assert isinstance(app, Terminal)
    return "\n".join(lines.text for lines in app.screen_stack[0].query(Lines))


def terminal(home: Home) -> Terminal:
    """Return a terminal on the home's daemon."""
    return Terminal(
        DaemonLink(Address.local(home)),
        TerminalSettings(engine=ENGINE, glow=False),
        state_file=home.root / "terminal.json",
    )


async def say(pilot: Pilot[int], line: str) -> None:
    """Type a line after ``:`` and enter it."""
    await pilot.press("colon")
    await pilot.press(*("space" if c == " " else c for c in line), "enter")


async def send_ticket(app: Terminal, pilot: Pilot[int], verdict: str) -> None:
    """Send the open ticket by its chord and wait for the verdict; then put it away."""
    await until(pilot, lambda: app.ticket_pane.has_focus and app.ticket_pane.sendable is None)
    await pilot.press("ctrl+o")
    await until(pilot, lambda: verdict in app.ticket_pane.text)
    await pilot.press("escape")
    await until(pilot, lambda: app.ticket_pane.ticket is None)


def quoted(app: Terminal) -> bool:
    """Say whether the selected instrument can be traded."""
    quote = app.mirror.quote(app.view.engine, app.view.instrument)
    return quote is not None and app.situation().instrument is not None


async def test_buy_watch_protect_flatten_detach_and_come_back(house: House) -> None:
    daemon, home = house.start(), house.home
    app = terminal(home)
    async with app.run_test(size=(120, 40)) as pilot:
        await until(pilot, lambda: app.mirror.connection.state == "connected")
        await pilot.press("6")
        await say(pilot, f"engine start {ENGINE}")
        await until(
            pilot, lambda: ENGINE in app.mirror.engines and app.mirror.engines[ENGINE].state == "running"
        )
        await pilot.press("1")
        await until(pilot, lambda: quoted(app))
        await say(pilot, "symbol AAPL")
        await until(pilot, lambda: app.view.instrument == "AAPL.SIM" and quoted(app))

        await pilot.press("b")
        await until(pilot, lambda: app.ticket_pane.has_focus)
        await pilot.press("tab", "m")
        await until(pilot, lambda: re.search(r"position_size +0 → [1-9].* / .*%", app.ticket_pane.text))
        await send_ticket(app, pilot, "FILLED 100 @")
        await until(pilot, lambda: app.mirror.position_of(ENGINE, "AAPL.SIM"))
        position = app.mirror.position_of(ENGINE, "AAPL.SIM")
        assert position is not None
        assert position.position.qty == 100
        first = position.unrealized
        await until(pilot, lambda: _unrealized(app) not in (None, first))

        bid = app.mirror.quotes[(ENGINE, "AAPL.SIM")].bid
        assert bid is not None
        await say(pilot, f"sell 100 AAPL stop {bid - 5} gtc")
        await send_ticket(app, pilot, "WORKING 100 @")
        [stop] = app.mirror.working_orders(ENGINE)
        app.looking.focus("orders")
        app.orders.move_to(stop.client_order_id)
        await pilot.press("m")
        await until(pilot, lambda: app.ticket_pane.has_focus)
        await pilot.press("tab", *str(bid - 6))
        await send_ticket(app, pilot, f"@ {bid - 6:.2f}")
        await until(pilot, lambda: app.mirror.orders[ENGINE][stop.client_order_id].trigger_price == bid - 6)

        await pilot.press("f")
        await until(pilot, lambda: isinstance(app.screen, Confirm))
        await pilot.press("ctrl+o")
        await until(
            pilot, lambda: not app.mirror.position_rows(ENGINE) and not app.mirror.working_orders(ENGINE)
        )
        known = {o: s.status for o, s in app.mirror.orders[ENGINE].items()}
        assert sorted(known.values()) == ["cancelled", "filled", "filled"]
        await pilot.press("q")
    assert app.return_code == 0

    listed = await asyncio.to_thread(CommandLine(home).process, "--json", "engine", "list")
    assert [(e["id"], e["state"]) for e in listed.json] == [(ENGINE, "running")]

    again = terminal(home)
    async with again.run_test(size=(120, 40)) as pilot:
        await until(pilot, lambda: again.mirror.orders.get(ENGINE) and quoted(again))
        assert again.view.instrument == "AAPL.SIM"
        assert {o: s.status for o, s in again.mirror.orders[ENGINE].items()} == known
        assert again.mirror.position_rows(ENGINE) == []

        # The daemon dies under the open terminal: the screen says so, sends nothing, and comes back.
        os.kill(daemon.pid, signal.SIGKILL)
        await asyncio.to_thread(daemon.wait)
        banner = again.query_one("#banner", Lines)
        await until(pilot, lambda: "Disconnected" in banner.text and banner.display)
        await pilot.press("b")
        await pilot.pause(0.2)
        assert again.ticket_pane.ticket is None
        await asyncio.to_thread(house.start)
        await until(pilot, lambda: again.mirror.connection.state == "connected")
        await until(pilot, lambda: not banner.display and again.mirror.engines[ENGINE].state == "running")
        await until(pilot, lambda: quoted(again) and again.blocked() is None)
        await pilot.press("b")
        await send_ticket(again, pilot, "100 @")
        await pilot.press("q")


def _unrealized(app: Terminal) -> object:
    row = app.mirror.position_of(ENGINE, "AAPL.SIM")
    return None if row is None else row.unrealized
