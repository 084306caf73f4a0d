"""Limits hold when nobody is there to send them: the daemon killed, then the engine, then neither asked."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path

import msgspec
import pytest

from data.commands import SubmitOrder
from data.paths import Home
from data.problems import DeniedError
from engines import pidfile
from engines.connection import Connection
from engines.link import Stop
from tests.daemon.process import DaemonProcess
from tests.engines.floor import KeepingSink

P = "paper-1"
AAPL = "AAPL.SIM"


@pytest.fixture
def daemon(tmp_path: Path) -> Iterator[DaemonProcess]:
    process = DaemonProcess(tmp_path / "home")
    yield process
    for record in pidfile.find(process.home.run):
        os.kill(record.pid, signal.SIGKILL)
    if process.process.poll() is None:
        process.kill()


class Link:
    """A link to an engine that no daemon has."""

    def __init__(self, home: Home) -> None:
        self._home = home
        self._sink = KeepingSink()
        self._running = asyncio.Event()
        self.connection = Connection(P, self._sink, self._heard)
        self._number = 0

    def _heard(self, status: object) -> None:
        if getattr(status, "state", None) == "running":
            self._running.set()

    async def open(self) -> None:
        await self.connection.open(self._home.engine_socket(P))
        async with asyncio.timeout(60):
            await self._running.wait()
        await self._sink.quoted(P, AAPL)

    async def buy(self, qty: int, name: str) -> str:
        order = SubmitOrder(
            engine=P, client_order_id=name, instrument=AAPL, side="buy", qty=Decimal(qty), tif="gtc"
        )
        return (await self.connection.execute(order, 15)).orders[0].status


async def listening(home: Home) -> None:
    """Wait until an engine listens: one that nobody supervises tells nobody else that it does."""
    async with asyncio.timeout(60):
        while True:
            try:
                _, writer = await asyncio.open_unix_connection(home.engine_socket(P))
            except OSError:
                await asyncio.sleep(0.05)
            else:
                writer.close()
                return


async def denies_above_500(home: Home, held: int, name: str) -> None:
    link = Link(home)
    await link.open()
    with pytest.raises(DeniedError) as caught:
        await link.buy(501 - held, f"{name}-over")
    told = caught.value.extra
    assert (told["rule"], told["value"], told["limit"]) == ("position_size", "501", "500")
    assert told["max_quantity"] == str(500 - held)
    assert await link.buy(100, f"{name}-fits") == "filled"
    await link.connection.close()


async def test_limits_hold_with_the_daemon_dead_and_after_the_engine_died_too(daemon: DaemonProcess) -> None:
    home = daemon.home
    started = daemon.post("/api/v1/nautilus/engine/start", {"instance_id": P})
    assert started.status_code == 200, started.text
    body = {"limit_type": "position_size", "scope": f"instrument:{AAPL}", "hard": "500", "unit": "units"}
    made = daemon.post("/api/v1/risk/limits", body)
    assert made.status_code in (200, 201), made.text
    daemon.kill()
    daemon.process.wait()
    await denies_above_500(home, 0, "orphan")

    (record,) = pidfile.find(home.run)
    ended = os.pidfd_open(record.pid)
    os.kill(record.pid, signal.SIGKILL)
    gone = asyncio.Event()
    asyncio.get_running_loop().add_reader(ended, gone.set)
    await gone.wait()
    asyncio.get_running_loop().remove_reader(ended)
    os.close(ended)
    order = msgspec.json.encode({"spec": record.spec, "home": str(home.root)})
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "engines.node.main", stdin=asyncio.subprocess.PIPE
    )
    assert process.stdin is not None
    process.stdin.write(order)
    process.stdin.close()
    await listening(home)
    await denies_above_500(home, 100, "alone")
    link = Link(home)
    await link.open()
    link.connection.ask_to_stop(Stop("the test is over").reason, emergency=False)
    await process.wait()
    await link.connection.close()
