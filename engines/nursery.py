"""The daemon's handle on its warm forkserver: start it, ask it for engines, hear of exits.

This module must not know what happens to an engine once it lives.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import socket
import sys
from collections.abc import Callable

from data.paths import Home
from data.problems import EngineFailedError
from engines import forkserver
from engines.forkserver import Exited, NotSpawned, Ready, Spawn, Spawned
from engines.spec import EngineSpec

#: A cold import of NautilusTrader on a slow disk stays well below this.
WARM_TIMEOUT_S = 60.0
FORK_TIMEOUT_S = 10.0
#: A process with threads cannot be forked safely, and numeric libraries like to start some.
_SINGLE_THREADED = {
    "OPENBLAS_NUM_THREADS": "1",
    "OMP_NUM_THREADS": "1",
    "JE_ARROW_MALLOC_CONF": "background_thread:false",
    "POLARS_MAX_THREADS": "1",
}


class Nursery:
    """One forkserver at a time; a dead one is replaced when the next engine is asked for."""

    def __init__(self, home: Home, on_exit: Callable[[int, int], None]) -> None:
        self._home = home
        self._on_exit = on_exit
        self._process: asyncio.subprocess.Process | None = None
        self._writer: asyncio.StreamWriter | None = None
        self._reading: asyncio.Task[None] | None = None
        self._ready = asyncio.Event()
        self._forks: dict[str, asyncio.Future[int]] = {}
        self._lock = asyncio.Lock()

    @property
    def pid(self) -> int | None:
        """The forkserver's pid, if there is one."""
        return None if self._process is None else self._process.pid

    async def open(self) -> None:
        """Start the forkserver; it warms up in the background."""
        ours, theirs = socket.socketpair()
        self._home.logs.mkdir(parents=True, exist_ok=True)
        # Not the daemon's own output: whoever reads that must see it end when the daemon ends, and
        # engines, which live on, keep what they inherit.
        log = (self._home.logs / "forkserver.log").open("ab")
        environment = os.environ | _SINGLE_THREADED
        self._ready.clear()
        self._process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "engines.forkserver",
            str(theirs.fileno()),
            pass_fds=(theirs.fileno(),),
            stdin=asyncio.subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            env=environment,
            start_new_session=True,
        )
        theirs.close()
        log.close()
        reader, self._writer = await asyncio.open_connection(sock=ours)
        self._reading = asyncio.get_running_loop().create_task(self._read(reader))

    async def _read(self, reader: asyncio.StreamReader) -> None:
        try:
            while line := await reader.readline():
                self._take(forkserver.decode_answer(line))
        finally:
            for future in self._forks.values():
                if not future.done():
                    future.set_exception(ConnectionError("the forkserver died"))
            self._forks.clear()
            self._ready.clear()
            self._writer = None

    def _take(self, answer: forkserver.Answer) -> None:
        match answer:
            case Ready():
                self._ready.set()
            case Spawned(engine, pid):
                self._forks.pop(engine).set_result(pid)
            case NotSpawned(engine, reason):
                self._forks.pop(engine).set_exception(EngineFailedError(f"engine {engine}: {reason}"))
            case Exited(pid, status):
                self._on_exit(pid, status)

    async def fork(self, spec: EngineSpec) -> int:
        """Have an engine forked and return its pid; its socket listens already.

        Raises
        ------
        EngineFailedError
            If the forkserver does not warm up or cannot fork.

        """
        async with self._lock:
            try:
                return await self._fork(spec)
            except ConnectionError:  # it died between two engines, and that is noticed only now
                try:
                    return await self._fork(spec)
                except ConnectionError as error:
                    raise EngineFailedError(
                        "the forkserver did not come up: it died",
                        rule="a forkserver lives as long as its daemon",
                        fix=f"{self._home.logs / 'forkserver.log'} says why",
                    ) from error

    async def _fork(self, spec: EngineSpec) -> int:
        if self._writer is None:
            await self.close()
            await self.open()
        await self._warm()
        assert self._writer is not None
        future: asyncio.Future[int] = asyncio.get_running_loop().create_future()
        self._forks[spec.engine] = future
        self._writer.write(forkserver.encode(Spawn(spec, str(self._home.root))))
        try:
            async with asyncio.timeout(FORK_TIMEOUT_S):
                return await future
        except TimeoutError:
            raise EngineFailedError(f"engine {spec.engine}: the forkserver did not answer") from None

    async def _warm(self) -> None:
        """Wait until the forkserver takes orders; raises ConnectionError when it dies instead."""
        assert self._process is not None
        ready = asyncio.ensure_future(self._ready.wait())
        died = asyncio.ensure_future(self._process.wait())
        await asyncio.wait({ready, died}, timeout=WARM_TIMEOUT_S, return_when=asyncio.FIRST_COMPLETED)
        dead = died.done() or self._writer is None
        died.cancel()
        ready.cancel()
        if not self._ready.is_set():
            if dead:
                raise ConnectionError("the forkserver died")
            raise EngineFailedError(
                "the forkserver did not come up",
                rule=f"NautilusTrader is imported within {WARM_TIMEOUT_S:g} s",
                fix=f"{self._home.logs / 'forkserver.log'} says why",
            )

    async def close(self) -> None:
        """Let the forkserver go; the engines it forked stay."""
        if self._process is not None and not self._ready.is_set():
            # It still imports and would notice only then that nobody needs it; it has forked nothing yet.
            with contextlib.suppress(ProcessLookupError):
                self._process.kill()
        if self._writer is not None:
            self._writer.close()
        if self._process is not None:
            try:
                async with asyncio.timeout(2.0):
                    await self._process.wait()
            except TimeoutError:
                with contextlib.suppress(ProcessLookupError):
                    self._process.kill()
                await self._process.wait()
        if self._reading is not None:
            await asyncio.gather(self._reading, return_exceptions=True)
        self._process = self._reading = self._writer = None
