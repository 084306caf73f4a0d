"""The end of a process that serves: signals, and the time within which it is over.

The first SIGTERM or SIGINT asks it to stop, the second ends it at once, and so does the time when it
is up, whatever still hangs: a loop that does not turn, a thread in a library, a peer that does not
read. What is cut off then is what a crash would cut off, and nothing that was reported as done is
lost by a crash. Daemon and gateway both use it. This module must not know what is served.
"""

from __future__ import annotations

import asyncio
import logging
import math
import os
import signal
import sys
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from types import FrameType
from typing import NoReturn

_SIGNALS = (signal.SIGTERM, signal.SIGINT)
#: A second signal so soon after the first is the same one, passed on by a parent or sent to the group.
_SAME_S = 0.5

logger = logging.getLogger(__name__)


class Ending:
    """Sees to it that this process ends in time once it is told to. Use it on the main thread.

    Args:
        seconds: from the first word to the end.
    """

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._timer: threading.Timer | None = None
        self._ends = math.inf  #: of monotonic time
        self._told_at: float | None = None  #: monotonic time

    def hear(self, stop: Callable[[], None], reload: Callable[[], None] | None = None) -> None:
        """Call ``stop`` on the running loop when a signal asks for it, and ``reload`` on SIGHUP.

        To a process that logs to a terminal SIGHUP says that the terminal is gone: it stops.
        The signals come to this process's own handlers, not to the loop's: one that hangs is ended too.
        """
        loop = asyncio.get_running_loop()

        def told_to_stop(number: int, _: FrameType | None) -> None:
            name = signal.Signals(number).name
            now = time.monotonic()
            if self._told_at is not None:
                if now - self._told_at < _SAME_S:
                    return
                # Neither the log nor a lock is touched in here: the thread it interrupts may hold them.
                os.write(2, f"{name} again: ended at once\n".encode())
                os._exit(128 + number)
            self._told_at = now
            self.begin(name)
            loop.call_soon_threadsafe(stop)

        for number in _SIGNALS:
            signal.signal(number, told_to_stop)
        if os.isatty(2):
            signal.signal(signal.SIGHUP, told_to_stop)
        elif reload is not None:
            signal.signal(signal.SIGHUP, lambda *_: loop.call_soon_threadsafe(reload) and None)

    def begin(self, reason: str, seconds: float | None = None) -> None:
        """Let the time run, ``seconds`` instead of the usual ones; begun again, the sooner end counts."""
        within = self._seconds if seconds is None else seconds
        ends = time.monotonic() + within
        if ends >= self._ends:
            return
        if self._timer is not None:
            self._timer.cancel()
        self._ends = ends
        self._timer = threading.Timer(within, _time_is_up, (reason, within))
        self._timer.daemon = True
        self._timer.start()

    def over(self) -> NoReturn:
        """End the process, now that all it served is closed.

        The interpreter would still look over all that was loaded: a second on a busy machine, for nothing.
        """
        _exit()


def _time_is_up(reason: str, seconds: float) -> None:
    """End the process, and say what it did not wait for."""
    still = sorted(
        thread.name
        for thread in threading.enumerate()
        if thread is not threading.current_thread() and thread is not threading.main_thread()
    )
    logger.warning(
        "not everything ended in time; the process ends without it",
        extra={"after": reason, "seconds": seconds, "threads": still},
    )
    _exit()


def _exit() -> NoReturn:
    logging.shutdown()
    for stream in (sys.stdout, sys.stderr):
        with suppress(OSError, ValueError):  # nobody reads it any more, or it is closed
            stream.flush()
    os._exit(0)
