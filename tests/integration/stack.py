"""The whole product as a user has it: a daemon process, engine processes, clients on real sockets."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import psutil

from data.paths import Home
from engines import pidfile
from nautilus_tui.client import Address, ApiClient
from nautilus_tui.client.stream import Batch, ConnectionChanged, StreamClient
from nautilus_tui.terminal.mirror import Mirror

READY_S = 120.0


class Stack:
    """One home with its daemon; both may be killed and started again."""

    def __init__(self, home: Home) -> None:
        self.home = home
        self.daemon: asyncio.subprocess.Process | None = None

    async def start_daemon(self) -> None:
        """Start the daemon as the command line does, and wait for its ready line."""
        log = (self.home.root / "daemon.out").open("ab")
        self.daemon = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "nautilus_tui.cli.main",
            "--home",
            str(self.home.root),
            "daemon",
            stdout=asyncio.subprocess.PIPE,
            stderr=log,
        )
        log.close()
        assert self.daemon.stdout is not None
        async with asyncio.timeout(READY_S):
            line = await self.daemon.stdout.readline()
        assert b"ready" in line, (self.home.root / "daemon.out").read_text()

    async def kill_daemon(self) -> None:
        """End the daemon without a warning."""
        assert self.daemon is not None
        self.daemon.kill()
        await self.daemon.wait()

    def address(self) -> Address:
        """Where the daemon's own user reaches it."""
        return Address.local(self.home)

    async def close(self) -> None:
        """End everything that belongs to the home; the daemon first, or it would revive its engines."""
        if self.daemon is not None and self.daemon.returncode is None:
            await self.kill_daemon()
        for record in pidfile.find(self.home.run):
            process = psutil.Process(record.pid)
            process.kill()
            await asyncio.to_thread(process.wait, 10)


@asynccontextmanager
async def open_stack(home: Home) -> AsyncIterator[Stack]:
    """Start a daemon over a home and end everything of it afterwards."""
    stack = Stack(home.ensure())
    await stack.start_daemon()
    try:
        yield stack
    finally:
        await stack.close()


class Watcher:
    """What a terminal knows: a mirror fed by a stream that reconnects and resumes."""

    def __init__(self, address: Address) -> None:
        self.mirror = Mirror()
        self._stream = StreamClient(
            address, ("orders.*", "fills.*", "positions.*", "account.*", "engines.*.status")
        )
        self._changed = asyncio.Condition()
        self._task = asyncio.get_running_loop().create_task(self._follow())
        self.connections = 0

    async def _follow(self) -> None:
        async for event in self._stream:
            async with self._changed:
                match event:
                    case Batch(envelopes):
                        self.mirror.apply(envelopes)
                    case ConnectionChanged(state="connected", epoch=epoch):
                        self.connections += 1
                        if epoch is not None:
                            self.mirror.put_epoch(epoch)
                self._changed.notify_all()

    async def until(self, test: Callable[[], bool], seconds: float = 30.0) -> None:
        """Wait until a fact holds."""
        async with asyncio.timeout(seconds), self._changed:
            await self._changed.wait_for(test)

    async def close(self) -> None:
        """Stop watching."""
        await self._stream.close()
        self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)


def client(stack: Stack) -> ApiClient:
    """Return a client of the stack's daemon."""
    return ApiClient(stack.address())


def cli(stack: Stack, *words: str) -> subprocess.CompletedProcess[str]:
    """Run the command line against the stack."""
    command = [sys.executable, "-m", "nautilus_tui.cli.main", "--home", str(stack.home.root), *words]
    return subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
