"""What the daemon remembers of the kill switch's log, beside a latch that is written at the same time."""

from __future__ import annotations

import threading
import time
from pathlib import Path

from data.kill import KillOrder
from data.paths import Home
from engines.latch import Latch
from nautilus_tui.daemon.risk.kill import LogReader

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
