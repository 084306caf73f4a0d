"""What a service manager is told: that we are ready, reload, stop, and that we are well.

The protocol is sd_notify(3): datagrams on the socket that $NOTIFY_SOCKET names. Without the variable
nobody asked and nothing is sent. Daemon and gateway both use it. This module must not know what
"well" means or what is served.
"""

from __future__ import annotations

import asyncio
import logging
import os
import socket
import time
from collections.abc import Awaitable, Callable, MutableMapping

_SOCKET, _WATCHDOG_USEC, _WATCHDOG_PID = "NOTIFY_SOCKET", "WATCHDOG_USEC", "WATCHDOG_PID"
#: A kick is due twice in the time after which the manager loses patience, as sd_watchdog_enabled(3) asks.
_KICKS = 2

logger = logging.getLogger(__name__)


class ServiceManager:
    """What started this process, told how it is.

    Args:
        address: a path, or a name in the abstract namespace after ``@``; None: nobody wants to know.
        watchdog_s: seconds without a kick after which the manager restarts us; None: it does not.
    """

    def __init__(self, address: str | None = None, watchdog_s: float | None = None) -> None:
        self.watchdog_s = watchdog_s if address else None
        self._address = address
        self._last_failure: str | None = None
        self._status = ""

    @classmethod
    def take_from(cls, environment: MutableMapping[str, str] | None = None) -> ServiceManager:
        """Return the manager that the environment names, and take it out of there.

        Processes we start must not speak for us. A watchdog that is set for another process is none of ours.
        """
        where = os.environ if environment is None else environment
        address = where.pop(_SOCKET, "") or None
        usec, pid = where.pop(_WATCHDOG_USEC, ""), where.pop(_WATCHDOG_PID, "")
        if address is not None and address[0] not in "/@":
            logger.warning("$%s is not a path and not an abstract name; nothing is told", _SOCKET)
            address = None
        if not usec or (pid and pid != str(os.getpid())):
            return cls(address)
        if not usec.isdigit() or int(usec) == 0:
            logger.warning("$%s is %r and not a number of microseconds; no watchdog", _WATCHDOG_USEC, usec)
            return cls(address)
        return cls(address, int(usec) / 1e6)

    @property
    def listens(self) -> bool:
        """Whether anybody wants to know."""
        return self._address is not None

    # ------------------------------------------------------------ what is told

    def ready(self, status: str = "") -> None:
        """We answer; also said when a reload is done."""
        self._tell("READY=1", f"MAINPID={os.getpid()}", self._note(status))

    def reloading(self) -> None:
        """We read the settings anew; `ready` is said when that is done."""
        self._tell("RELOADING=1", f"MONOTONIC_USEC={time.clock_gettime_ns(time.CLOCK_MONOTONIC) // 1000}")

    def stopping(self, status: str = "") -> None:
        """We stop."""
        self._tell("STOPPING=1", self._note(status))

    def status(self, text: str) -> None:
        """Say in one line how we are; the same line is not said twice."""
        if text != self._status:
            self._tell(self._note(text))

    def kick(self) -> None:
        """We are well at this moment."""
        self._tell("WATCHDOG=1")

    async def watch(self, trouble: Callable[[], Awaitable[str | None]]) -> None:
        """Kick the watchdog from this event loop for as long as ``trouble`` finds none; never returns.

        ``trouble`` says what is wrong, or None. One that does not answer within an interval is trouble
        as well. Returns at once when nobody set a watchdog.
        """
        if self.watchdog_s is None:
            return
        interval = self.watchdog_s / _KICKS
        loop = asyncio.get_running_loop()
        said: str | None = None
        due, before = loop.time(), ""
        while True:
            try:
                async with asyncio.timeout(interval):
                    wrong = await trouble()
            except TimeoutError:
                wrong = f"no answer within {interval:g} s to whether all is well"
            if wrong is None:
                self.kick()
            if wrong != said:
                before = self._status if said is None else before
                said = wrong
                if wrong is not None:
                    logger.error("the watchdog is not kicked: %s", wrong, extra={"reason": wrong})
                    self.status(f"not well: {wrong}")
                else:
                    logger.info("the watchdog is kicked again")
                    self.status(before)
            due = max(due + interval, loop.time())  # a loop that was held up does not make up for it
            await asyncio.sleep(due - loop.time())

    def _note(self, text: str) -> str:
        """Remember the status that is told last, and return the line that tells it."""
        if not text:
            return ""
        self._status = text
        return f"STATUS={' '.join(text.split())}"

    def _tell(self, *lines: str) -> None:
        if self._address is None:
            return
        body = "\n".join(line for line in lines if line).encode()
        address = "\0" + self._address[1:] if self._address[0] == "@" else self._address
        try:
            with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK) as sock:
                sock.sendto(body, address)
        except OSError as error:  # a manager that cannot be told is no reason to stop; it is said once
            failure = error.strerror or str(error)
            if failure != self._last_failure:
                logger.warning("the service manager was not told: %s", failure, extra={"said": lines[0]})
            self._last_failure = failure
        else:
            self._last_failure = None
