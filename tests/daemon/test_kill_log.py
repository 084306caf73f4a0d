"""What the daemon remembers of the kill switch's log, on disks that are written to by others or fail."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import cast

from data.bus import Bus
from data.kill import KillOrder
from data.paths import Home
from data.records import EngineStatus
from data.state import State
from engines.latch import Latch
from engines.supervisor import Supervisor
from nautilus_tui.daemon.present import Present
from nautilus_tui.daemon.risk.alerts import AlertBook
from nautilus_tui.daemon.risk.kill import KillDesk, LogReader

ROUNDS = 300


def test_the_daemons_mark_and_the_latch_are_written_beside_each_other(tmp_path: Path) -> None:
    """The command line writes the latch while the daemon writes how far it has read."""
    home = Home(tmp_path)
    latch, mark = Latch(home), home.root / "kill.read"
    reader, failed = LogReader(latch.log, mark), list[BaseException]()

    def remember() -> None:
        try:
            for end in range(ROUNDS):
                reader.done(end)
        except OSError as error:
            failed.append(error)

    daemon = threading.Thread(target=remember)
    daemon.start()
    while daemon.is_alive():
        latch.add(KillOrder(id=f"k{time.time_ns()}", by="ann", via="test", ts=time.time_ns()))
        found = latch.read()
        assert found is not None
        assert found.damage is None
        latch.release()
    daemon.join()
    assert not failed
    assert LogReader(latch.log, mark).at == ROUNDS - 1


class NoEngines:
    """A supervisor of none."""

    def statuses(self) -> list[EngineStatus]:
        return []

    async def look_again(self, _: str) -> None:
        raise AssertionError("there is no engine")


async def test_a_disk_that_fails_does_not_end_the_watch_of_the_switch(tmp_path: Path) -> None:
    home = Home(tmp_path)
    state = State(tmp_path / "state.duckdb")
    state.open()
    bus, present = Bus("t"), Present()
    alerts = AlertBook(state.breaches, bus, present)
    desk = KillDesk(
        home=home,
        supervisor=cast(Supervisor, NoEngines()),
        bus=bus,
        present=present,
        state=state,
        alerts=alerts,
        clock=time.time_ns,
    )
    latch = Latch(home)

    await desk.open()
    try:
        (tmp_path / "kill.read.part").mkdir()  # where it has read to cannot be written
        latch.add(KillOrder(id="k1", by="ann", via="cli", ts=1))
        latch.note("pulled", desk.status())
        await until(lambda: alerts.open_one("kill", None) is not None)
        latch.release()
        await until(lambda: alerts.open_one("kill", None) is None)
    finally:
        await desk.close()
        await alerts.close()
        state.close()


async def until(true: Callable[[], bool]) -> None:
    """Wait until something is true."""
    async with asyncio.timeout(60):
        while not true():  # noqa: ASYNC110
            await asyncio.sleep(0.02)
