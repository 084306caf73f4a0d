"""The kill switch in the daemon: pulls and releases it for whoever comes through the door, and tells of it.

The switch itself is in `engines.killswitch` and needs no daemon: what is pulled on the command line is
learnt from the latch and its log, told, audited and alerted like what is pulled here. This module must
not know how an engine is reached.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import msgspec

from data import topics
from data.audit import AuditDraft
from data.bus import Bus
from data.commands import Outcome
from data.kill import KillOrder, KillStatus
from data.paths import Home
from data.problems import EngineFailedError, OutcomeUnknownError, ProblemError
from data.risk_commands import Kill, Unlock
from data.state import State
from engines.killswitch import KillSwitch
from engines.latch import KillLog, Latch
from engines.supervisor import Supervisor
from nautilus_tui.daemon.audit import command_name
from nautilus_tui.daemon.present import Present
from nautilus_tui.daemon.principal import Principal
from nautilus_tui.daemon.risk.alerts import AlertBook

#: How often the latch and its log are looked at: a look is two questions to the file system.
LOOK_S = 0.2
#: Of the seconds that a sender waits, those that are left for the answer's way.
_ANSWER_S = 0.2
_ALERT = "kill"

logger = logging.getLogger(__name__)


class KillDesk:
    """Pulls, releases, watches and tells."""

    def __init__(
        self,
        *,
        home: Home,
        supervisor: Supervisor,
        bus: Bus,
        present: Present,
        state: State,
        alerts: AlertBook,
        clock: Callable[[], int],
    ) -> None:
        self._switch = KillSwitch(home)
        self._latch = Latch(home)
        self._read = LogReader(self._latch.log, home.root / "kill.read")
        self._supervisor = supervisor
        self._bus = bus
        self._present = present
        self._state = state
        self._alerts = alerts
        self._clock = clock
        self._own: set[str] = set()  #: kills and releases that the door audits
        self._pulls: set[asyncio.Task[KillStatus]] = set()
        self._watching: asyncio.Task[None] | None = None
        self._told: KillStatus | None = None
        self._trouble: str | None = None  #: what kept the last look from being finished
        self._auditing = asyncio.Lock()

    def status(self) -> KillStatus:
        """Return how the switch stands."""
        if self._pulls and self._told is not None:
            return self._told
        return self._switch.status()

    async def open(self) -> None:
        """Tell how the switch stands and begin to watch it."""
        self._bus.declare(topics.KILL)
        await self._looked()
        self._watching = asyncio.get_running_loop().create_task(self._watch())

    async def close(self) -> None:
        """Stop watching. What is being pulled goes on in the engines."""
        for task in (self._watching, *self._pulls):
            if task is not None:
                task.cancel()
                await asyncio.gather(task, return_exceptions=True)

    # ------------------------------------------------------------ commands

    async def carry_out(
        self, command: Kill | Unlock, done: Outcome, principal: Principal, timeout: float
    ) -> Outcome:
        """Carry a command out and return its outcome once it is confirmed; raises ProblemError."""
        if isinstance(command, Kill):
            return await self.pull(command, done, principal, timeout)
        return await self.unlock(command, done, principal)

    async def pull(self, command: Kill, done: Outcome, principal: Principal, timeout: float) -> Outcome:
        """Pull the switch and answer when every engine is verified.

        Raises
        ------
        EngineFailedError
            If it ended with something left; says what and why.
        OutcomeUnknownError
            If it is still at it when the sender's time is over.

        """
        order = KillOrder(
            id=done.command_id,
            engine=command.engine,
            flatten=command.flatten,
            drill=command.drill,
            by=principal.name,
            via=principal.via,
            reason=command.reason,
            ts=self._clock(),
        )
        self._own.add(order.id)
        task = asyncio.get_running_loop().create_task(self._switch.pull(order, self._tell))
        self._pulls.add(task)
        task.add_done_callback(self._pulls.discard)
        await asyncio.wait({task}, timeout=max(timeout - _ANSWER_S, timeout / 2))
        if not task.done():
            raise OutcomeUnknownError(
                "orders are blocked; the rest is not verified yet",
                rule="a kill is done when every engine is verified",
                fix="nautilus-tui kill --status",
            )
        status = task.result()
        self._tell(status)
        if not status.verified:
            raise EngineFailedError(
                f"the kill switch is latched, but not verified: {status.problem}",
                rule="a kill is done when nothing works and, if asked, nothing is held",
                fix="pull it again to see how it stands",
            )
        return msgspec.structs.replace(done, detail=sentence(status), data=_facts(status))

    async def unlock(self, command: Unlock, done: Outcome, principal: Principal) -> Outcome:
        """Release the switch; raises as `KillSwitch.release`."""
        async with self._auditing:  # the log is not read before it is known whose release it tells of
            status = await self._switch.release(command.phrase, f"{principal.name} ({principal.via})")
            self._own.add(f"release-{status.ts_released}")
        self._tell(status)
        if status.problem is not None:
            raise EngineFailedError(f"the kill switch is released, but {status.problem}")
        return msgspec.structs.replace(done, detail=sentence(status), data=_facts(status))

    # ------------------------------------------------------------ watching

    async def _watch(self) -> None:
        seen: object = None
        while True:
            await asyncio.sleep(LOOK_S)
            now = (_mark(self._latch.path), _mark(self._latch.log))
            if (now != seen or self._ending_hung()) and not await self._looked():
                continue  # what could not be done is done with the next look
            seen = now

    def _ending_hung(self) -> bool:
        """Whether the books of an engine that was ended are being put in order."""
        return self._told is not None and any(e.hung and e.state != "latched" for e in self._told.engines)

    async def _looked(self) -> bool:
        """Look, and return whether all was done; a store or a disk that fails does not end the watch."""
        try:
            await self._look()
        except (ProblemError, OSError) as error:
            said = error.detail if isinstance(error, ProblemError) else str(error)
            if said != self._trouble:
                logger.error("what became of the kill switch could not be told in full: %s", said)
            self._trouble = said
            return False
        self._trouble = None
        return True

    async def _look(self) -> None:
        self._tell(self.status())
        status = self._told
        for engine in () if status is None else status.engines:
            await self._supervisor.look_again(engine.engine)
        async with self._auditing:
            for line, end in self._read.new_lines():
                if line is not None:
                    await self._audit(line)
                self._read.done(end)

    def _tell(self, status: KillStatus) -> None:
        """Tell everyone how it stands, if that is news."""
        before = self._told
        if before is not None and msgspec.structs.replace(status, ts=before.ts) == before:
            return
        self._told = status
        self._present.killed(status)
        self._bus.publish_records((status,))
        if status.state == "armed":
            if before is not None and before.state != "armed":
                self._alerts.resolve(_ALERT, detail=sentence(status))
            return
        drill = status.order is not None and status.order.drill
        statuses = self._supervisor.statuses()
        self._alerts.raise_(
            _ALERT,
            "info" if drill else "emergency",
            "Kill switch drill" if drill else "Kill switch pulled",
            sentence(status),
            synthetic=bool(statuses) and all(one.synthetic for one in statuses),
        )

    async def _audit(self, line: KillLog) -> None:
        """Audit what was done beside the door."""
        order, status = line.status.order, line.status
        released = line.what == "released"
        key = f"release-{status.ts_released}" if released else "" if order is None else order.id
        if order is None or key in self._own or (order.drill and order.id in self._own):
            return
        command: Kill | Unlock = Unlock(phrase="") if released else _command(order)
        outcome = {"pulled": "started", "ended": "done" if status.verified else "failed"}.get(
            line.what, "done"
        )
        entry = await self._state.append_audit(
            AuditDraft(
                command_id=key[:64],
                command=command_name(command),
                actor=(status.released_by or "unknown") if released else order.by,
                via="cli" if released else order.via,
                role="admin",  # who may write the home's files may do anything
                body=msgspec.json.encode(command).decode(),
                outcome=outcome,
                detail=None if line.what == "pulled" else status.problem or sentence(status),
                ts=line.ts,
            )
        )
        self._present.audited(entry)
        self._bus.publish_records((entry,))


def sentence(status: KillStatus) -> str:
    """Return how the switch stands in one line."""
    if status.state == "armed":
        return f"released by {status.released_by}" if status.released_by else "armed"
    order = status.order
    who = "" if order is None else f"pulled by {order.by} ({order.via}): "
    cancelled = sum(engine.cancelled for engine in status.engines)
    closed = sum(engine.flattened for engine in status.engines)
    verified = sum(engine.state == "latched" for engine in status.engines)
    said = f"{verified} of {len(status.engines)} engines verified, {cancelled} orders cancelled"
    return f"{who}{said}, {closed} positions closed" + (f"; {status.problem}" if status.problem else "")


def _facts(status: KillStatus) -> dict[str, str]:
    return {
        "state": status.state,
        "verified": str(status.verified).lower(),
        "engines": str(len(status.engines)),
        "cancelled": str(sum(engine.cancelled for engine in status.engines)),
        "flattened": str(sum(engine.flattened for engine in status.engines)),
    }


def _command(order: KillOrder) -> Kill:
    return Kill(engine=order.engine, flatten=order.flatten, drill=order.drill, reason=order.reason)


def _mark(path: Path) -> tuple[int, int, int] | None:
    """Return what changes when a file does."""
    try:
        facts = path.stat()
    except FileNotFoundError:
        return None
    return facts.st_ino, facts.st_size, facts.st_mtime_ns


class LogReader:
    """Reads the kill switch's log on from where the last daemon had come."""

    def __init__(self, log: Path, mark: Path) -> None:
        self._log = log
        self._mark = mark
        self.at = 0  #: where the next line begins
        with suppress(FileNotFoundError, ValueError):
            self.at = int(mark.read_text())

    def new_lines(self) -> list[tuple[KillLog | None, int]]:
        """Return the whole lines that were not done with, oldest first, each with where it ends.

        None is a line that was cut by a crash: it says nothing any more.
        """
        try:
            with self._log.open("rb") as file:
                file.seek(self.at)
                text = file.read()
        except FileNotFoundError:
            return []
        found: list[tuple[KillLog | None, int]] = []
        end = self.at
        for line in text[: text.rfind(b"\n") + 1].splitlines(keepends=True):
            end += len(line)
            try:
                found.append((msgspec.json.decode(line, type=KillLog), end))
            except msgspec.MsgspecError:
                found.append((None, end))
        return found

    def done(self, end: int) -> None:
        """Remember that what ends there need not be read again."""
        self.at = end
        # Not `with_suffix`: the latch lies beside it, and what is put in place must be this file alone.
        part = self._mark.with_name(f"{self._mark.name}.part")
        part.write_text(str(end))
        part.replace(self._mark)
