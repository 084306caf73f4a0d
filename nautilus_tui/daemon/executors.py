"""How each command is carried out, once it is through the door.

This module must not know who sent a command or through what.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from typing import TYPE_CHECKING

import msgspec

from data.commands import (
    AnyCommand,
    CompactHistory,
    ConfigureEngine,
    CreateToken,
    DropConnection,
    EngineCommand,
    ImportHistory,
    Outcome,
    RefreshProviders,
    ReleaseAuthority,
    ReloadSettings,
    RestartEngine,
    RevokeToken,
    SendBroadcast,
    StartEngine,
    StopDaemon,
    StopEngine,
    TakeAuthority,
    UnwatchCompany,
    WatchCompany,
)
from data.problems import NotFoundError, from_document
from data.records import EngineStatus
from data.risk_commands import RiskCommand
from data.state import State
from engines.spec import EngineSpec, with_command
from engines.supervisor import Supervisor
from nautilus_tui.daemon.audit import command_name
from nautilus_tui.daemon.auth import Authenticator
from nautilus_tui.daemon.authority import Authority
from nautilus_tui.daemon.imports import Imports
from nautilus_tui.daemon.past import write_past
from nautilus_tui.daemon.principal import Principal
from nautilus_tui.daemon.reload import Reload
from nautilus_tui.daemon.research.commands import ResearchExecutors
from nautilus_tui.daemon.risk.commands import RiskExecutors
from nautilus_tui.daemon.risk.limit_desk import LimitDesk
from nautilus_tui.daemon.settings import DaemonSettings
from nautilus_tui.daemon.sink import Sink
from nautilus_tui.daemon.streams.hub import StreamHub

if TYPE_CHECKING:
    from data.history import History


class Executors:
    """Carries out commands with the parts of the daemon."""

    def __init__(
        self,
        *,
        state: State,
        supervisor: Supervisor,
        history: Callable[[], History],
        imports: Imports,
        authenticator: Authenticator,
        authority: Authority,
        hub: StreamHub,
        sink: Sink,
        research: ResearchExecutors,
        risk: RiskExecutors,
        limits: LimitDesk,
        reload: Reload[DaemonSettings],
        stop: Callable[[bool], None],
    ) -> None:
        self._state = state
        self._supervisor = supervisor
        self._history = history
        self._imports = imports
        self._authenticator = authenticator
        self._authority = authority
        self._hub = hub
        self._sink = sink
        self._research = research
        self._risk = risk
        self._limits = limits
        self._reload = reload
        self._stop = stop

    async def execute(
        self, command: AnyCommand, command_id: str, principal: Principal, timeout: float
    ) -> Outcome:
        """Carry a command out and return its outcome once it is confirmed.

        Raises:
            ProblemError: it was not carried out, or nobody knows (OutcomeUnknownError).
        """
        done = Outcome(command_id=command_id, command=command_name(command), outcome="done")
        replace = msgspec.structs.replace
        if isinstance(command, RiskCommand):
            return await self._risk.execute(command, done, principal, timeout)
        match command:
            case ConfigureEngine():
                return replace(done, detail=await self._configure(command, principal))
            case StartEngine():
                return await self._start(command, done, principal)
            case StopEngine():
                stopped = await self._supervisor.stop(command.engine, emergency=command.emergency)
                return replace(done, engine=stopped)
            case RestartEngine():
                return replace(done, engine=await self._supervisor.restart(command.engine))
            case RefreshProviders() | WatchCompany() | UnwatchCompany():
                return await self._research.execute(command, done, timeout)
            case ImportHistory():
                return replace(done, data=texts(await self._imports.run(command, command_id)))
            case CompactHistory():
                report = await asyncio.to_thread(lambda: self._history().compact())
                return replace(done, detail=f"{report.rows} rows", data=texts(report))
            case CreateToken():
                secret, _ = await self._authenticator.create(
                    command.name, command.token_role, command.expires_days
                )
                told = {"token": secret, "name": command.name, "role": command.token_role}
                return replace(done, data=told, detail="the token is shown this once")
            case RevokeToken():
                await self._authenticator.revoke(command.name)
                self._drop_connections_of(command.name)
                await self._authority.settle()  # the order authority, if it was its holder's
                return done
            case TakeAuthority() | ReleaseAuthority():
                return await self._hand_over(command, done, principal, timeout)
            case SendBroadcast():
                self._hub.broadcast(principal.name, command.message)
                return done
            case DropConnection():
                self._hub.drop(command.connection_id)
                return done
            case ReloadSettings():
                reloaded = await self._reload.carry_out()
                return replace(done, detail=str(reloaded), data=texts(reloaded))
            case StopDaemon():
                self._stop(command.engines)
                return replace(done, detail="the daemon is stopping")
            case _:
                return await self._order(command, done, timeout)

    async def _order(self, command: EngineCommand, done: Outcome, timeout: float) -> Outcome:
        reply = await self._supervisor.execute(command, timeout)
        if reply.problem is not None:
            raise from_document(reply.problem)
        return msgspec.structs.replace(done, orders=reply.orders)

    async def _hand_over(
        self, command: TakeAuthority | ReleaseAuthority, done: Outcome, principal: Principal, timeout: float
    ) -> Outcome:
        """Hand the order authority over, and say from whom and to whom."""
        before = self._authority.now
        if isinstance(command, TakeAuthority):
            now, left = await self._authority.take(command, principal, timeout / 2)
            said = f"{now.holder} took the order authority{_from(now.before)}"
        else:
            now, left = await self._authority.release(command, principal, timeout / 2)
            said = f"the order authority is free{_from(now.before)}"
        if now is before:
            said = f"{now.holder} holds it already" if now.holder else "the order authority is free already"
        if now.reason and now is not before:
            said = f"{said}: {now.reason}"
        if left:
            said = f"{said}; sent before and not answered yet: {', '.join(sorted(left))}"
        facts = {"holder": now.holder, "before": now.before, "by": now.by, "reason": now.reason}
        if left:
            facts["unanswered"] = ",".join(sorted(left))
        return msgspec.structs.replace(
            done, detail=said, data={name: fact for name, fact in facts.items() if fact is not None}
        )

    async def _spec(self, engine: str) -> EngineSpec:
        """Return an engine's last settings, or those a new one begins with."""
        kept = (await self._state.engine_specs()).get(engine)
        if kept is None:
            return msgspec.structs.replace(self._reload.settings.engine, engine=engine)
        return msgspec.json.decode(kept, type=EngineSpec)

    async def _start(self, command: StartEngine, done: Outcome, principal: Principal) -> Outcome:
        spec = with_command(await self._spec(command.engine), command)
        waits = None
        if self._running(command.engine) is None:  # else it is not started, and nothing changes
            waits = await self._limits.begin_engine(command, spec, principal)
        status = await self._supervisor.start(spec)
        await asyncio.to_thread(lambda: write_past(self._history(), spec, time.time_ns()))
        return msgspec.structs.replace(done, engine=status, detail=waits)

    async def _configure(self, command: ConfigureEngine, principal: Principal) -> str:
        spec = with_command(await self._spec(command.engine), command)
        waits = await self._limits.begin_engine(command, spec, principal)
        await self._state.put_engine_spec(spec.engine, msgspec.json.encode(spec).decode())
        running = self._running(command.engine)
        said = "kept" if running is None else f"kept; the engine is {running.state}, restart it to apply"
        return said if waits is None else f"{said}; {waits}"

    def _running(self, engine: str) -> EngineStatus | None:
        try:
            status = self._supervisor.status_of(engine)
        except NotFoundError:
            return None
        return None if status.state in ("stopped", "error") else status

    def _drop_connections_of(self, token: str) -> None:
        """Close the streams of a token that is worth nothing any more."""
        for connection in self._hub.connections():
            if connection.name == token and connection.via != "unix":
                self._hub.drop(connection.id, "its token was revoked")


def _from(holder: str | None) -> str:
    return "" if holder is None else f", from {holder}"


def texts(report: msgspec.Struct) -> dict[str, str]:
    """Return a report's facts as text, for an outcome."""
    found = msgspec.to_builtins(report)
    return {
        name: value if isinstance(value, str) else msgspec.json.encode(value).decode()
        for name, value in found.items()
    }
