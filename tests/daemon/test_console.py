"""Long queries of the SQL console: they wait for each other, and nothing else waits for them."""

from __future__ import annotations

import asyncio
import threading
from pathlib import Path

import pytest

from data.history import History
from data.problems import UnavailableError
from nautilus_tui.daemon.console import AT_ONCE, WAITING, SqlConsole


async def test_queries_that_hang_hold_up_each_other_only(tmp_path: Path) -> None:
    held, begun = threading.Event(), threading.Semaphore(0)

    def history() -> History:  # opening it takes as long as the slowest query
        begun.release()
        assert held.wait(30)
        return History(tmp_path)

    console = SqlConsole(history)
    asked = [asyncio.create_task(console.ask("SELECT 1 AS one", 10)) for _ in range(AT_ONCE + WAITING)]
    for _ in range(AT_ONCE):
        assert await asyncio.to_thread(begun.acquire, timeout=30)  # the loop's own threads are free
    assert not begun.acquire(blocking=False)
    with pytest.raises(UnavailableError, match=str(AT_ONCE + WAITING)):
        await console.ask("SELECT 1 AS one", 10)
    held.set()
    answers = await asyncio.gather(*asked)
    assert [answer.rows for answer in answers] == [[(1,)]] * len(asked)
    assert (await console.ask("SELECT 2 AS two", 10)).columns == ("two",)
    console.close()
