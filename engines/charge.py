"""One engine as the daemon sees it: settings, process, link, limits and budget of restarts.

States and their reasons are decided here; this module must not know of other engines.
"""

from __future__ import annotations

import asyncio
import os
import signal
import time
from collections import deque
from collections.abc import Callable
from contextlib import suppress

import msgspec
import psutil

from data.limits import GateBook
from data.paths import Home
from data.problems import EngineFailedError, NotFoundError, ProblemError, UnavailableError
from data.records import EngineState, EngineStatus, Instrument
from engines import books, link, pidfile
from engines.connection import Connection, EngineSink
from engines.pidfile import PidFile, PidRecord
from engines.spec import EngineSpec

START_TIMEOUT_S = 30.0
STOP_TIMEOUT_S = 8.0
TERM_TIMEOUT_S = 3.0
#: A hung engine is killed after this much silence.
HUNG_AFTER_S = 20.0
#: Processor use above the limit for this long stops an engine; shorter bursts are its own affair.
CPU_PATIENCE_S = 15.0
CATCH_UP_BATCH = 512
#: An engine has its limits on its disk within this long; it is milliseconds unless it hangs.
LIMITS_TIMEOUT_S = 5.0


class RestartBudget:
    """So many restarts in so long, each after a longer pause."""

    def __init__(self, restarts: int = 5, window_s: float = 600.0) -> None:
        self._restarts = restarts
        self._window_s = window_s
        self._times: deque[float] = deque()
        self.total = 0

    def pause(self, now: float) -> float | None:
        """Return how many seconds to wait before the next restart, or None if the budget is spent."""
        while self._times and self._times[0] < now - self._window_s:
            self._times.popleft()
        if len(self._times) >= self._restarts:
            return None
        pause = 0.1 * 3.0 ** len(self._times)
        self._times.append(now)
        self.total += 1
        return pause


class Charge:
    """An engine that the supervisor looks after."""

    def __init__(
        self, spec: EngineSpec, home: Home, sink: EngineSink, gate_book: Callable[[EngineSpec], GateBook]
    ) -> None:
        self.spec = spec
        self._gate_book = gate_book
        self._home = home
        self._sink = sink
        self._pidfile = PidFile(home.run, spec.engine)
        self.record: PidRecord | None = None
        self.connection: Connection | None = None
        self.instruments: list[Instrument] = []
        self.budget = RestartBudget()
        self.wanted = False  #: whether it should run: a crash is then followed by a restart
        self.gone = asyncio.Event()  #: set when there is no process
        self.gone.set()
        self._process: psutil.Process | None = None
        self._over_cpu_since: float | None = None
        self._changed = asyncio.Event()
        self.stopping_reason: str | None = None
        self._status = self._blank("stopped", None)

    # ------------------------------------------------------------ state

    @property
    def status(self) -> EngineStatus:
        """How it is, as last heard or decided."""
        return msgspec.structs.replace(self._status, restarts=self.budget.total)

    def _blank(self, state: EngineState, reason: str | None) -> EngineStatus:
        spec = self.spec
        return EngineStatus(
            id=spec.engine,
            state=state,
            reason=reason,
            environment=spec.environment,
            feed=spec.feed,
            pid=None if self.record is None else self.record.pid,
            max_memory_mb=spec.max_memory_mb,
            max_cpu_percent=spec.max_cpu_percent,
            risk_enabled=spec.risk_enabled,
            ts=time.time_ns(),
            synthetic=spec.synthetic,
        )

    def enter(self, state: EngineState, reason: str | None) -> None:
        """Decide a state that the engine itself cannot tell."""
        self._take_status(self._blank(state, reason))

    def _take_status(self, status: EngineStatus) -> None:
        self._status = status
        self._changed.set()
        self._sink.status(self.status)

    def on_heartbeat(self, status: EngineStatus) -> None:
        """Take what the engine says of itself; that it is stopped is said when its process is gone."""
        if status.state == "stopped":
            status = msgspec.structs.replace(status, state="stopping")
        self._take_status(status)

    # ------------------------------------------------------------ life

    def born(self, pid: int) -> None:
        """Take note of the process."""
        self._process = psutil.Process(pid)
        self.record = PidRecord(pid, self._process.create_time(), self.spec)
        self.gone.clear()

    def adopted(self, record: PidRecord) -> None:
        """Take over a process that another daemon started."""
        self.spec = record.spec
        self.record = record
        self._process = psutil.Process(record.pid)
        self.gone.clear()
        self.wanted = True

    async def connect(self) -> None:
        """Open the link and send the limits; everything missed since the last record stored comes first.

        Raises
        ------
        UnavailableError
            If nobody listens.
        EngineFailedError
            If the engine did not take its limits: it goes by those on its own disk, if any.

        """
        connection = Connection(self.spec.engine, self._sink, self.on_heartbeat)
        welcome = await connection.open(self._home.engine_socket(self.spec.engine))
        self.connection = connection
        self.instruments = list(welcome.instruments)
        try:
            await self.set_limits(self._gate_book(self.spec))
        except ProblemError as error:
            if connection.closed.is_set():
                raise UnavailableError(f"engine {self.spec.engine} closed the link") from error
            raise EngineFailedError(
                f"engine {self.spec.engine} did not take its limits: {error.detail}", fix=error.fix
            ) from error

    async def set_limits(self, book: GateBook) -> None:
        """Have the gate go by a book; returns when it is on the engine's disk.

        Raises
        ------
        UnavailableError
            If the engine does not run, or cannot write.
        OutcomeUnknownError
            If it does not answer.

        """
        connection = self.connection
        if connection is None or connection.closed.is_set():
            raise UnavailableError(
                f"engine {self.spec.engine} is {self._status.state}",
                rule="limits are sent to a running engine; one that starts is sent them then",
                fix=f"nautilus-tui engine start {self.spec.engine}",
            )
        await connection.set_limits(book, LIMITS_TIMEOUT_S)

    async def running(self) -> EngineStatus:
        """Wait until the engine runs.

        Raises
        ------
        EngineFailedError
            If its process ends first, or it takes too long; the reason is in the message.

        """
        try:
            async with asyncio.timeout(START_TIMEOUT_S):
                while self._status.state not in ("running", "degraded"):
                    if self.gone.is_set():
                        raise EngineFailedError(self.last_words())
                    self._changed.clear()
                    await self._first_of(self._changed, self.gone)
        except TimeoutError:
            self.kill()
            raise EngineFailedError(
                f"engine {self.spec.engine} did not run within {START_TIMEOUT_S:g} s; it was killed"
            ) from None
        return self.status

    @staticmethod
    async def _first_of(*events: asyncio.Event) -> None:
        tasks = [asyncio.ensure_future(event.wait()) for event in events]
        try:
            await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in tasks:
                task.cancel()

    async def stop(self, reason: str, *, emergency: bool) -> None:
        """Stop it gracefully within a bound, then less gracefully, then for certain."""
        self.wanted = False
        self.stopping_reason = reason
        if self.gone.is_set():
            return
        if self.connection is not None and not self.connection.closed.is_set():
            self.connection.ask_to_stop(reason, emergency=emergency)
            if await self._is_gone_within(STOP_TIMEOUT_S):
                return
        self._signal(signal.SIGTERM)
        if not await self._is_gone_within(TERM_TIMEOUT_S):
            self.stopping_reason = f"{reason}; killed, because it did not stop within its bound"
            self.kill()
            await self._is_gone_within(TERM_TIMEOUT_S)

    async def _is_gone_within(self, seconds: float) -> bool:
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self.gone.wait()
        return self.gone.is_set()

    def kill(self) -> None:
        """End the process for certain."""
        self._signal(signal.SIGKILL)

    def _signal(self, number: signal.Signals) -> None:
        if self.record is not None and pidfile.is_alive(self.record):
            with suppress(ProcessLookupError):
                os.kill(self.record.pid, number)

    async def bury(self) -> None:
        """Take leave of a process that is gone: hear what it still had to say, from its journal."""
        if self.connection is not None:
            await self.connection.closed.wait()
            self.connection = None
        await self.catch_up()
        self.record = self._process = None
        self.gone.set()
        self._changed.set()

    async def catch_up(self) -> None:
        """Store what the journal has beyond what is stored. The engine may be dead or not yet asked."""
        path = self._home.journal(self.spec.engine)
        if not path.exists():
            return
        batch = []
        with suppress(NotFoundError):
            for record in books.read_records(path, self._sink.last_seq(self.spec.engine)):
                batch.append(record)
                if len(batch) == CATCH_UP_BATCH:
                    await self._sink.journalled(self.spec.engine, batch)
                    batch = []
        if batch:
            await self._sink.journalled(self.spec.engine, batch)

    def last_words(self) -> str:
        """Return why the process ended, as far as anyone knows."""
        problem = self._pidfile.read_failure()
        if problem is not None:
            return f"engine {self.spec.engine} failed: {problem.detail}"
        if self.stopping_reason is not None:  # it was made to end, perhaps before it ran
            return f"engine {self.spec.engine} was stopped: {self.stopping_reason}"
        log = self._home.engine_log(self.spec.engine)
        return f"engine {self.spec.engine} ended without a word; its log is {log}"

    # ------------------------------------------------------------ limits, checked once a second

    def overstep(self, now: float) -> str | None:
        """Return which limit the process has broken, measured from outside, or None."""
        if self._process is None or self.gone.is_set():
            return None
        try:
            memory = self._process.memory_info().rss
            busy = self._process.cpu_percent()
        except psutil.NoSuchProcess:
            return None
        limit = self.spec.max_memory_mb
        if limit is not None and memory > limit * 1024 * 1024:
            return f"memory {memory / 1048576:.0f} MB is above the limit of {limit} MB"
        return self._overstep_cpu(busy, now)

    def _overstep_cpu(self, busy: float, now: float) -> str | None:
        limit = self.spec.max_cpu_percent
        if limit is None or busy <= limit:
            self._over_cpu_since = None
            return None
        if self._over_cpu_since is None:
            self._over_cpu_since = now
        if now - self._over_cpu_since < CPU_PATIENCE_S:
            return None
        return f"processor {busy:.0f} % has been above the limit of {limit} % for {CPU_PATIENCE_S:.0f} s"

    def judge_silence(self, now: float) -> None:
        """Call a silent engine degraded, and kill it when it has been silent for too long."""
        connection = self.connection
        if connection is None or self.gone.is_set() or self._status.state == "starting":
            return
        silent = now - connection.heard_at
        if silent > HUNG_AFTER_S:
            self.enter("error", f"hung: silent for {silent:.0f} s; killed")
            self.kill()
        elif silent > link.DEAD_AFTER_S and self._status.state == "running":
            degraded = msgspec.structs.replace(
                self._status, state="degraded", reason=f"silent for {silent:.0f} s", ts=time.time_ns()
            )
            self._take_status(degraded)
