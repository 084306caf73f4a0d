"""Looks after every engine on this machine: starts, adopts, stops, restarts, and holds them to their limits.

Engines outlive the supervisor: the next one finds them by their pid files and sockets and goes on
where this one stopped. This module must not know of HTTP, tokens or screens.
"""

from __future__ import annotations

import asyncio
import logging
import os
import time
from collections.abc import Callable, Coroutine, Sequence
from contextlib import suppress

from data.commands import EngineCommand
from data.limits import GateBook
from data.paths import Home
from data.problems import ConflictError, EngineFailedError, NotFoundError, ProblemError, UnavailableError
from data.records import EngineStatus, Instrument
from engines import pidfile
from engines.charge import Charge
from engines.connection import EngineSink
from engines.gatebook import seeded
from engines.latch import Latch
from engines.link import Reply
from engines.nursery import Nursery
from engines.spec import EngineSpec, validated

__all__ = ["EngineSink", "Supervisor"]

logger = logging.getLogger(__name__)

_ROUND_S = 1.0


class Supervisor:
    """The engines of one home.

    ``gate_book`` says what an engine's gate goes by; an engine has it before it counts as running.
    """

    def __init__(
        self,
        home: Home,
        sink: EngineSink,
        specs: Sequence[EngineSpec],
        gate_book: Callable[[EngineSpec], GateBook] = seeded,
    ) -> None:
        self._home = home
        self._sink = sink
        self._gate_book = gate_book
        self._charges = {spec.engine: self._new_charge(spec) for spec in specs}
        self._nursery = Nursery(home, self._on_exit)
        self._locks: dict[str, asyncio.Lock] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._rounds: asyncio.Task[None] | None = None
        self._closing = False
        self._watched: set[int] = set()
        self._latch = Latch(home)

    async def open(self) -> None:
        """Start the forkserver, adopt every engine that runs, and catch up with those that do not."""
        await self._nursery.open()
        for record in pidfile.find(self._home.run):
            charge = self._charges.setdefault(record.spec.engine, self._new_charge(record.spec))
            charge.adopted(record)
            self._watch(charge)
            try:
                await charge.connect()
            except UnavailableError as error:
                charge.enter("degraded", f"runs as pid {record.pid} but does not answer: {error.detail}")
            except EngineFailedError as error:
                logger.warning("%s", error.detail)  # it goes by the limits on its own disk
        for charge in self._charges.values():
            if charge.gone.is_set():
                await charge.catch_up()
                charge.enter("stopped", self._held(charge.spec.engine))
        self._rounds = asyncio.get_running_loop().create_task(self._make_rounds())

    async def close(self, *, stop_engines: bool) -> None:
        """Leave; engines trade on unless they are to stop too."""
        self._closing = True
        if stop_engines:
            await asyncio.gather(
                *(charge.stop("asked to stop all", emergency=False) for charge in self._charges.values())
            )
            # What is buried has told all it had to say.
            await asyncio.gather(*self._tasks, return_exceptions=True)
        if self._rounds is not None:
            self._rounds.cancel()
        for descriptor in list(self._watched):
            self._unwatch(descriptor)
        for task in self._tasks:
            task.cancel()
        for charge in self._charges.values():
            if charge.connection is not None:
                await charge.connection.close()
        await self._nursery.close()

    # ------------------------------------------------------------ commands

    async def start(self, spec: EngineSpec) -> EngineStatus:
        """Start an engine and return its status once it runs.

        Raises
        ------
        ConflictError
            If it runs already, or the kill switch holds it.
        EngineFailedError
            If it does not come up; the message says why.

        """
        spec = validated(spec)
        async with self._lock(spec.engine):
            charge = self._charges.get(spec.engine)
            if charge is not None and not charge.gone.is_set():
                raise ConflictError(
                    f"engine {spec.engine} is {charge.status.state} already",
                    rule="an engine is started when it is stopped",
                    fix=f"nautilus-tui engine restart {spec.engine}",
                )
            self._require_free(spec.engine)
            if charge is None:
                charge = self._charges[spec.engine] = self._new_charge(spec)
            charge.spec = spec
            # Started anew, a replay begins at the beginning; restarted, it goes on where it was.
            self._home.replay_checkpoint(spec.engine).unlink(missing_ok=True)
            self._sink.spec_changed(spec)
            return await self._bring_up(charge)

    def _require_free(self, engine: str) -> None:
        problem = self._latch.problem(engine)
        if problem is not None:
            raise problem

    def _held(self, engine: str) -> str | None:
        """Return why the kill switch keeps an engine from starting, if it does."""
        latched = self._latch.held(engine)
        return None if latched is None else f"held: {latched.sentence(engine)}; nautilus-tui unlock"

    async def look_again(self, engine: str) -> None:
        """See what became of an engine that others had their hands on: adopt what runs, hear what is told.

        The kill switch puts the books of an engine in order in a process that this supervisor did not start.
        """
        charge = self._charges.get(engine)
        if charge is None or not charge.gone.is_set() or self._lock(engine).locked():
            return
        async with self._lock(engine):
            record = next((r for r in pidfile.find(self._home.run) if r.spec.engine == engine), None)
            if record is None:
                await charge.catch_up()
                if charge.status.state == "stopped":
                    charge.enter("stopped", self._held(engine))
                return
            charge.adopted(record)
            charge.wanted = False
            self._watch(charge)
            with suppress(UnavailableError, EngineFailedError):
                await charge.connect()  # it ended, or has only begun: its journal tells the rest

    async def _bring_up(self, charge: Charge) -> EngineStatus:
        self._require_free(charge.spec.engine)
        charge.wanted = True
        charge.stopping_reason = None
        charge.enter("starting", None)
        try:
            charge.born(await self._nursery.fork(charge.spec))
            self._watch(charge)
            try:
                await charge.connect()
            except UnavailableError:
                await charge.gone.wait()  # it died before it spoke; its last words are the reason
                raise EngineFailedError(charge.last_words()) from None
            except EngineFailedError:
                charge.kill()  # without its limits it is not let run
                raise
            return await charge.running()
        except ProblemError as error:
            charge.wanted = False
            charge.enter("error", error.detail)
            raise

    async def stop(self, engine: str, *, emergency: bool = False) -> EngineStatus:
        """Stop an engine; returns when its process is gone."""
        charge = self._charge(engine)
        async with self._lock(engine):
            if charge.gone.is_set():
                charge.wanted = False
                charge.enter("stopped", None)
            else:
                await charge.stop("emergency stop" if emergency else "asked to stop", emergency=emergency)
            return charge.status

    async def restart(self, engine: str) -> EngineStatus:
        """Stop an engine, if it runs, and start it with the same settings."""
        charge = self._charge(engine)
        self._require_free(engine)
        await self.stop(engine)
        async with self._lock(engine):
            return await self._bring_up(charge)

    async def execute(self, command: EngineCommand, timeout: float = 10.0) -> Reply:
        """Have an engine carry out a command; raises what the engine answers, typed."""
        charge = self._charge(command.engine)
        connection = charge.connection
        if connection is None or connection.closed.is_set():
            raise UnavailableError(
                f"engine {command.engine} is {charge.status.state}",
                rule="commands go to a running engine",
                fix=f"nautilus-tui engine start {command.engine}",
            )
        return await connection.execute(command, timeout)

    async def set_limits(self, book: GateBook) -> None:
        """Have an engine's gate go by a book; returns when it is on the engine's disk.

        Raises
        ------
        UnavailableError
            If the engine does not run, or cannot write.
        OutcomeUnknownError
            If it does not answer.

        """
        await self._charge(book.engine).set_limits(book)

    # ------------------------------------------------------------ queries

    def statuses(self) -> list[EngineStatus]:
        """Return the state of every engine known, by name."""
        return [self._charges[name].status for name in sorted(self._charges)]

    def status_of(self, engine: str) -> EngineStatus:
        """Return the state of one engine; raises `NotFoundError`."""
        return self._charge(engine).status

    def instruments(self, engine: str) -> list[Instrument]:
        """Return what an engine trades, in its own order; raises `NotFoundError`."""
        return list(self._charge(engine).instruments)

    def _new_charge(self, spec: EngineSpec) -> Charge:
        return Charge(spec, self._home, self._sink, self._gate_book)

    def _charge(self, engine: str) -> Charge:
        charge = self._charges.get(engine)
        if charge is None:
            known = ", ".join(sorted(self._charges)) or "none yet"
            raise NotFoundError(
                f"there is no engine {engine}", rule=f"engines known: {known}", fix="nautilus-tui engine list"
            )
        return charge

    def _lock(self, engine: str) -> asyncio.Lock:
        return self._locks.setdefault(engine, asyncio.Lock())

    # ------------------------------------------------------------ ends

    def _on_exit(self, pid: int, status: int) -> None:
        logger.info("engine process %d ended with %d", pid, status)

    def _watch(self, charge: Charge) -> None:
        """Have the kernel say when the engine's process ends, whoever is its parent."""
        assert charge.record is not None
        loop = asyncio.get_running_loop()
        try:
            descriptor = os.pidfd_open(charge.record.pid)
        except ProcessLookupError:
            self._run(self._ended(charge))
            return

        def ended() -> None:
            self._unwatch(descriptor)
            self._run(self._ended(charge))

        self._watched.add(descriptor)
        loop.add_reader(descriptor, ended)

    def _unwatch(self, descriptor: int) -> None:
        self._watched.discard(descriptor)
        asyncio.get_running_loop().remove_reader(descriptor)
        os.close(descriptor)

    def _run(self, job: Coroutine[None, None, None]) -> None:
        task = asyncio.get_running_loop().create_task(job)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _ended(self, charge: Charge) -> None:
        await charge.bury()
        held = self._held(charge.spec.engine)
        if held is not None:
            charge.wanted = False
            charge.enter("stopped", held)
            return
        if not charge.wanted:
            if charge.status.state != "error":
                charge.enter("stopped", charge.stopping_reason)
            return
        reason = charge.last_words()
        charge.enter("error", reason)
        if self._closing or self._lock(charge.spec.engine).locked():
            return  # whoever is starting it hears of the end and tells
        await self._revive(charge, reason)

    async def _revive(self, charge: Charge, reason: str) -> None:
        while charge.wanted and not self._closing:
            pause = charge.budget.pause(time.monotonic())
            if pause is None:
                charge.wanted = False
                charge.enter("error", f"{reason}; the restart budget is spent")
                return
            await asyncio.sleep(pause)
            async with self._lock(charge.spec.engine):
                if not charge.wanted or not charge.gone.is_set():
                    return
                held = self._held(charge.spec.engine)
                if held is not None:
                    charge.wanted = False
                    charge.enter("stopped", held)
                    return
                try:
                    await self._bring_up(charge)
                except ProblemError as error:
                    reason = error.detail
                    charge.wanted = True
                    logger.warning("restart of %s failed: %s", charge.spec.engine, error.detail)
                else:
                    return

    async def _make_rounds(self) -> None:
        while True:
            await asyncio.sleep(_ROUND_S)
            now = time.monotonic()
            for charge in list(self._charges.values()):
                charge.judge_silence(now)
                broken = charge.overstep(now)
                if broken is not None and charge.wanted:
                    self._run(self._stop_for(charge, broken))

    async def _stop_for(self, charge: Charge, reason: str) -> None:
        logger.warning("engine %s: %s", charge.spec.engine, reason)
        await charge.stop(reason, emergency=False)
        await charge.gone.wait()
        charge.enter("error", f"stopped: {reason}")
