"""The SQL console's own two threads: whoever asks long questions waits for others who do, not the daemon.

All else that blocks shares the event loop's threads: charts, the risk monitor, reports. This module
must not know of HTTP or of how a query is run.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

from data.console import SqlResult
from data.problems import UnavailableError

if TYPE_CHECKING:
    from data.history import History

AT_ONCE = 2
#: So many more may wait for their turn.
WAITING = 16


class SqlConsole:
    """Answers queries over the history, few at once.

    Args:
        history: opens the history; called in a thread.
    """

    def __init__(self, history: Callable[[], History]) -> None:
        self._history = history
        self._threads = ThreadPoolExecutor(AT_ONCE, thread_name_prefix="sql")
        self._asked = 0

    async def ask(self, query: str, limit: int) -> SqlResult:
        """Return a query's answer.

        Raises:
            UnavailableError: too many queries wait already.
            InvalidRequestError, StoreFailedError: as of `History.sql`.
        """
        if self._asked >= AT_ONCE + WAITING:
            raise UnavailableError(
                f"{self._asked} queries are being answered or wait for it",
                rule=f"at most {AT_ONCE} queries run at once, and {WAITING} wait",
                fix="try again in a moment",
            )
        self._asked += 1
        answered = self._threads.submit(lambda: self._history().sql(query, limit=limit))
        loop = asyncio.get_running_loop()
        answered.add_done_callback(lambda _: loop.call_soon_threadsafe(self._done))
        return await asyncio.wrap_future(answered)

    def _done(self) -> None:
        self._asked -= 1

    def close(self) -> None:
        """Take no more queries; one that runs ends within its own time limit."""
        self._threads.shutdown(wait=False, cancel_futures=True)
