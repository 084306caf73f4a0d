"""A stand-in for a service manager: what it does of `Type=notify` and `WatchdogSec=`."""

from __future__ import annotations

import asyncio
import os
import socket
import sys
import time
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import psutil

from data.paths import Home
from engines import pidfile
from nautilus_tui.client import Address, ApiClient

READY_S = 120.0


class Manager:
    """Runs ``nautilus-tui daemon`` over a home, as systemd would.

    Args:
        home: the daemon's.
        watchdog_s: without a kick for so long, a daemon that was ready is killed and started again.
        abstract: whether its socket has a name in the abstract namespace instead of a path.
    """

    def __init__(
        self,
        home: Home,
        *arguments: str,
        watchdog_s: float | None = None,
        abstract: bool = False,
        environment: Mapping[str, str] | None = None,
    ) -> None:
        self.home = home.ensure()
        self.log = home.root / "service.err"
        self.said: list[dict[str, str]] = []  #: by the process that runs now
        self.starts = 0
        self.kills = 0  #: by the watchdog
        self.process: asyncio.subprocess.Process | None = None
        self._arguments = arguments
        self._watchdog_s = watchdog_s
        self._environment = environment or {}
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._socket.setblocking(False)
        name = f"nautilus-test-{os.getpid()}-{id(self)}"
        self._name = f"@{name}" if abstract else str(home.sockets / "notify")
        self._socket.bind(f"\0{name}" if abstract else self._name)
        self._changed = asyncio.Condition()
        self._watching: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Start the daemon and wait until it says that it is ready."""
        self.said = []
        self.starts += 1
        asyncio.get_running_loop().remove_reader(self._socket)
        while self._datagram() is not None:  # of the one before
            continue
        asyncio.get_running_loop().add_reader(self._socket, self._hear)
        told = {"NOTIFY_SOCKET": self._name, **self._environment}
        if self._watchdog_s is not None:
            told["WATCHDOG_USEC"] = str(round(self._watchdog_s * 1e6))
        command = [sys.executable, "-m", "nautilus_tui.cli.main", "--home", str(self.home.root), "daemon"]
        with self.log.open("ab") as log:
            # the shell names the process that becomes the daemon, as systemd does
            self.process = await asyncio.create_subprocess_exec(
                *("sh", "-c", 'export WATCHDOG_PID=$$; exec "$@"', "sh", *command, *self._arguments),
                env={**os.environ, **told},
                stdin=asyncio.subprocess.DEVNULL,
                stdout=asyncio.subprocess.PIPE,
                stderr=log,
            )
        await self.until(lambda: "READY" in self.facts(), READY_S)
        assert self.facts()["MAINPID"] == str(self.process.pid)
        if self._watchdog_s is not None:
            self._watching = asyncio.create_task(self._watch(self.process, self._watchdog_s))

    async def _watch(self, process: asyncio.subprocess.Process, patience: float) -> None:
        """Kill a daemon that does not kick any more, and start it again."""
        while True:
            kicks = self.kicks()
            try:
                await self.until(
                    lambda kicks=kicks: self.kicks() > kicks or "STOPPING" in self.facts(), patience
                )
            except TimeoutError:
                break
            if "STOPPING" in self.facts():
                return
        self.kills += 1
        process.kill()
        await process.wait()
        await self.start()

    # ------------------------------------------------------------ what is heard

    def _datagram(self) -> bytes | None:
        try:
            return self._socket.recv(4096)
        except BlockingIOError:
            return None

    def _hear(self) -> None:
        while (datagram := self._datagram()) is not None:
            self.said.append(dict(line.split("=", 1) for line in datagram.decode().splitlines()))
        asyncio.ensure_future(self._tell()).add_done_callback(lambda done: done.result())

    async def _tell(self) -> None:
        async with self._changed:
            self._changed.notify_all()

    def facts(self) -> dict[str, str]:
        """Return everything said, the latest of each name."""
        return {name: value for one in self.said for name, value in one.items()}

    def kicks(self) -> int:
        """Return how often the watchdog was kicked."""
        return sum("WATCHDOG" in one for one in self.said)

    async def until(self, test: Callable[[], bool], seconds: float = READY_S) -> None:
        """Wait until a fact about what was said holds, or the daemon has ended."""
        async with asyncio.timeout(seconds), self._changed:
            await self._changed.wait_for(test)

    # ------------------------------------------------------------ the end

    async def stop(self, number: int) -> tuple[int, float]:
        """Send a signal; return the exit code and how many seconds it took to end."""
        assert self.process is not None
        began = time.monotonic()
        self.process.send_signal(number)
        code = await self.process.wait()
        return code, time.monotonic() - began

    def written(self) -> str:
        """Return what the daemons wrote to stderr."""
        return self.log.read_text()

    def client(self) -> ApiClient:
        """Return a client of the daemon, as its own user."""
        return ApiClient(Address.local(self.home))

    async def close(self) -> None:
        """End everything of the home; the daemon first, or it would revive its engines."""
        if self._watching is not None:
            self._watching.cancel()
            await asyncio.gather(self._watching, return_exceptions=True)
        if self.process is not None and self.process.returncode is None:
            self.process.kill()
            await self.process.wait()
        for record in pidfile.find(self.home.run):
            with suppress(psutil.NoSuchProcess):
                process = psutil.Process(record.pid)
                process.kill()
                await asyncio.to_thread(process.wait, 10)
        asyncio.get_running_loop().remove_reader(self._socket)
        self._socket.close()


@asynccontextmanager
async def managed(
    root: Path,
    *arguments: str,
    watchdog_s: float | None = None,
    abstract: bool = False,
    environment: Mapping[str, str] | None = None,
) -> AsyncIterator[Manager]:
    """A daemon under a manager, and the end of everything afterwards."""
    manager = Manager(
        Home(root), *arguments, watchdog_s=watchdog_s, abstract=abstract, environment=environment
    )
    try:
        await manager.start()
        yield manager
    finally:
        await manager.close()
