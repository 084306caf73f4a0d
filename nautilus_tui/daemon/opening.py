"""The parts of a daemon made, tied together and opened, in the order in which they need each other.

First what the daemon stands on (store, bus and what overhears it), then what it works with (engines,
facts, risk), then the doorway that commands come through, last what is served. The only module that
knows all parts; what each does is written elsewhere. This module must not know where the daemon
listens or when it ends.
"""

from __future__ import annotations

import logging
import secrets
import socket
import time
from collections.abc import Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING

import msgspec

from data import topics
from data.bus import Bus
from data.paths import Home
from data.records import JournalRecord
from data.state import State
from engines import books
from engines.spec import EngineSpec
from engines.supervisor import Supervisor
from nautilus_tui.daemon.api.context import Context
from nautilus_tui.daemon.auth import Authenticator
from nautilus_tui.daemon.authority import Authority
from nautilus_tui.daemon.console import SqlConsole
from nautilus_tui.daemon.door import Door
from nautilus_tui.daemon.executors import Executors
from nautilus_tui.daemon.health import HealthWatch
from nautilus_tui.daemon.holding import history_in
from nautilus_tui.daemon.imports import Imports
from nautilus_tui.daemon.logs import EngineLogs
from nautilus_tui.daemon.market import Market
from nautilus_tui.daemon.news import News
from nautilus_tui.daemon.parts import Parts
from nautilus_tui.daemon.present import Present
from nautilus_tui.daemon.refusals import Refusals
from nautilus_tui.daemon.reload import Reload
from nautilus_tui.daemon.research.parts import Research
from nautilus_tui.daemon.risk.parts import Risk, RiskWorld
from nautilus_tui.daemon.schedule import Schedule
from nautilus_tui.daemon.settings import DaemonSettings
from nautilus_tui.daemon.sink import Sink
from nautilus_tui.daemon.streams import StreamHub
from nautilus_tui.daemon.watch import OrderWatch
from nautilus_tui.relay.address import redis_url

if TYPE_CHECKING:
    from data.history import History
    from nautilus_tui.relay.publisher import Publisher

_JOURNAL_BATCH = 512

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Ground:
    """What a daemon stands on: what is stored, what is so now, and who is told of what happens."""

    state: State
    authenticator: Authenticator
    present: Present
    watch: OrderWatch
    bus: Bus
    relay: Publisher | None  #: None: there is no Redis to publish to
    sink: Sink
    history: Callable[[], History]  #: opens it; call it in a thread


@dataclass(frozen=True, slots=True, kw_only=True)
class Works:
    """What a daemon works with: engines, facts and risk, who follows them and how they are."""

    supervisor: Supervisor
    hub: StreamHub
    health: HealthWatch
    research: Research
    risk: Risk


@dataclass(frozen=True, slots=True, kw_only=True)
class Doorway:
    """Who may trade, what lets commands through, and where it is noted who was not let through."""

    authority: Authority
    door: Door
    refusals: Refusals


class Opening:
    """Opens the parts once.

    Args:
        home: the daemon's folder.
        settings: what it was told.
        stack: closes the parts, in reverse.
        reload: what the command that rereads the settings carries out.
        stop: asks the daemon to stop, and its engines too if it is called with True.
        engines_too: tells, as the parts are closed, whether the engines are to stop.
        version: of the daemon.
    """

    def __init__(
        self,
        home: Home,
        settings: DaemonSettings,
        stack: AsyncExitStack,
        *,
        reload: Reload[DaemonSettings],
        stop: Callable[[bool], None],
        engines_too: Callable[[], bool],
        version: str,
    ) -> None:
        self._home = home
        self._settings = settings
        self._stack = stack
        self._reload = reload
        self._stop = stop
        self._engines_too = engines_too
        self._version = version

    async def parts(self) -> Parts:
        """Return what is served; raises StoreHeldError and StoreFailedError."""
        ground = await self._ground()
        works = await self._works(ground)
        doorway = await self._doorway(ground, works)
        works.risk.enter(doorway.door.execute)
        doorway.authority.open(doorway.door.execute)
        self._stack.push_async_callback(doorway.authority.close)
        works.health.also(lambda: ground.state.trail.problems)
        works.health.also(works.risk.monitor.problems)
        works.health.also(works.risk.forecast.problems)
        if ground.relay is not None:
            works.health.also(ground.relay.problems)
            ground.authenticator.on_change(ground.relay.tokens_changed)
            ground.relay.open()
        # what is fetched anew does not hold the door up
        self._stack.push_async_callback(works.research.executors.close)
        parts = self._served(ground, works, doorway)
        parts.take_changes(self._reload)
        return parts

    # ------------------------------------------------------------ the ground

    async def _ground(self) -> Ground:
        stack = self._stack
        state = State(self._home.state_db)
        state.open()
        stack.callback(state.close)
        authenticator = Authenticator(state, attempts=self._settings.login_attempts_per_minute)
        await authenticator.load()
        present, watch = Present(), OrderWatch()
        await present.load(state)
        bus = Bus(secrets.token_hex(8), present.snapshot)
        bus.subscribe(present.overhear)
        relay = self._relay(bus, present, authenticator)
        if relay is not None:
            stack.push_async_callback(relay.close)  # last of all that publish
        stack.callback(News(bus).close)
        sink = Sink(state, bus, present, watch, self._journal)
        await sink.open()
        stack.push_async_callback(sink.close)
        return Ground(
            state=state,
            authenticator=authenticator,
            present=present,
            watch=watch,
            bus=bus,
            relay=relay,
            sink=sink,
            history=history_in(self._home.history),
        )

    def _relay(self, bus: Bus, present: Present, authenticator: Authenticator) -> Publisher | None:
        """Return what publishes the bus through Redis; None: there is none to publish to."""
        url = redis_url(self._settings.redis_url)
        if not url:
            return None
        from nautilus_tui.relay.publisher import Publisher  # with Redis only

        return Publisher(
            bus,
            stored=present.topics,
            tokens=authenticator.tokens,
            redis_url=url,
            prefix=self._settings.redis_prefix,
            house=f"{socket.gethostname()}:{self._home.root.resolve()}",
            version=self._version,
        )

    def _journal(self, engine: str, after: int) -> list[JournalRecord]:
        """Return the next records of an engine's journal, as many as fit one transaction well."""
        return list(islice(books.read_records(self._home.journal(engine), after), _JOURNAL_BATCH))

    # ------------------------------------------------------------ the works

    async def _works(self, ground: Ground) -> Works:
        written = await ground.state.engine_specs()
        specs = [msgspec.json.decode(body, type=EngineSpec) for body in written.values()]
        for engine in {spec.engine for spec in specs} | set(ground.present.engines()):
            _declare(ground.bus, engine)
        supervisor = Supervisor(self._home, ground.sink, specs, lambda spec: risk.limits.gate_book(spec))
        hub = StreamHub(ground.bus, self._settings.streams, version=self._version)
        health = HealthWatch(
            state=ground.state,
            supervisor=supervisor,
            sink=ground.sink,
            stream_clients=lambda: len(hub.connections()),
            version=self._version,
        )
        research = await self._research(ground, supervisor, health)
        risk = self._risk(ground, supervisor)
        await risk.load()
        await supervisor.open()  # engines that run are sent their limits as they are found
        self._stack.push_async_callback(self._close_supervisor, supervisor)
        _tell_adopted(supervisor)
        await risk.open()
        return Works(supervisor=supervisor, hub=hub, health=health, research=research, risk=risk)

    async def _research(self, ground: Ground, supervisor: Supervisor, health: HealthWatch) -> Research:
        research = Research(
            self._home.providers,
            self._settings,
            state=ground.state,
            supervisor=supervisor,
            present=ground.present,
            bus=ground.bus,
            health=health,
            clock=time.time_ns,
        )
        self._stack.push_async_callback(research.close)
        await research.filings.load()
        ground.bus.declare(topics.FILINGS)
        return research

    def _risk(self, ground: Ground, supervisor: Supervisor) -> Risk:
        world = RiskWorld(
            home=self._home,
            settings=self._settings,
            state=ground.state,
            supervisor=supervisor,
            present=ground.present,
            bus=ground.bus,
            history=ground.history,
            clock=time.time_ns,
        )
        risk = Risk(world)
        self._stack.push_async_callback(risk.close)
        return risk

    async def _close_supervisor(self, supervisor: Supervisor) -> None:
        await supervisor.close(stop_engines=self._engines_too())

    # ------------------------------------------------------------ the doorway

    async def _doorway(self, ground: Ground, works: Works) -> Doorway:
        authority = Authority(
            store=ground.state.authority,
            bus=ground.bus,
            present=ground.present,
            tokens=ground.authenticator.tokens,
            required=self._settings.order_authority == "required",
        )
        await authority.load()
        ground.authenticator.on_change(authority.look)
        door = Door(
            state=ground.state,
            bus=ground.bus,
            present=ground.present,
            sink=ground.sink,
            watch=ground.watch,
            supervisor=works.supervisor,
            authority=authority,
            execute=self._executors(ground, works, authority).execute,
        )
        self._stack.push_async_callback(door.close)
        refusals = Refusals(ground.state, door.audited)
        self._stack.push_async_callback(refusals.close)
        return Doorway(authority=authority, door=door, refusals=refusals)

    def _executors(self, ground: Ground, works: Works, authority: Authority) -> Executors:
        return Executors(
            state=ground.state,
            supervisor=works.supervisor,
            history=ground.history,
            imports=Imports(ground.history, ground.bus),
            authenticator=ground.authenticator,
            authority=authority,
            hub=works.hub,
            sink=ground.sink,
            research=works.research.executors,
            risk=works.risk.executors,
            limits=works.risk.limit_desk,
            reload=self._reload,
            stop=self._stop,
        )

    # ------------------------------------------------------------ what is served

    def _served(self, ground: Ground, works: Works, doorway: Doorway) -> Parts:
        schedule = Schedule(
            bus=ground.bus,
            health=works.health,
            execute=doorway.door.execute,
            health_seconds=self._settings.health_seconds,
            compaction_minutes=self._settings.compaction_minutes,
            more=[works.research.jobs.plan, works.risk.plan],
        )
        console = SqlConsole(ground.history)
        self._stack.callback(console.close)
        context = Context(
            state=ground.state,
            market=Market(ground.bus),
            history=ground.history,
            console=console,
            supervisor=works.supervisor,
            door=doorway.door,
            authenticator=ground.authenticator,
            refusals=doorway.refusals,
            authority=doorway.authority,
            health=works.health,
            logs=EngineLogs(self._home, ground.present),
            hub=works.hub,
            research=works.research,
            risk=works.risk,
            clock=time.time_ns,
        )
        return Parts(context, schedule, self._settings, self._version)


def _declare(bus: Bus, engine: str) -> None:
    """Make an engine's topics known, so that wildcards reach them before anything happens."""
    for topic in (topics.orders, topics.fills, topics.positions, topics.account, topics.engine_log):
        bus.declare(topic(engine))


def _tell_adopted(supervisor: Supervisor) -> None:
    """Name the engines that ran already, in the log."""
    for status in supervisor.statuses():
        if status.pid is not None:
            facts = {"engine": status.id, "engine_pid": status.pid, "state": status.state}
            logger.info("engine %s is adopted", status.id, extra=facts | {"journal_seq": status.journal_seq})
