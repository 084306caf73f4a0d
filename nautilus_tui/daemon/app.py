"""The life of a daemon: it opens its parts, serves on its sockets until told to stop, and takes leave.

This module must not know what the parts do or how they are tied together.
"""

from __future__ import annotations

import asyncio
import gc
import logging
import os
import signal
import socket
import time
from collections.abc import Callable, Sequence
from contextlib import AsyncExitStack, suppress
from importlib.metadata import version as package_version

import msgspec

from data.commands import ReloadSettings
from data.paths import Home
from data.problems import ProblemError
from nautilus_tui.daemon.door import Door
from nautilus_tui.daemon.ending import Ending
from nautilus_tui.daemon.listening import Server, tcp_socket, unix_socket, url_of
from nautilus_tui.daemon.lock import DaemonLock
from nautilus_tui.daemon.opening import Opening
from nautilus_tui.daemon.parts import Parts
from nautilus_tui.daemon.principal import Principal
from nautilus_tui.daemon.reload import Reload, Reloaded
from nautilus_tui.daemon.service import ServiceManager
from nautilus_tui.daemon.settings import DaemonSettings
from providers.core.secrets import keep_out_of_logs

#: Time that the answer to the command that stops the daemon has to leave the house.
_LAST_WORD_S = 0.1
#: Share of the time for stopping that commands under way may take; the rest is for goodbyes.
_FOR_COMMANDS = 0.6
_SIGNAL = Principal(name="service manager", role="admin", via="signal")
#: Engines that are to stop too cancel their orders first.
_ENGINES_STOP_S = 60.0

logger = logging.getLogger(__name__)


class Daemon:
    """One daemon over one home folder.

    Args:
        home: its folder.
        settings: what it was told.
        manager: what started it and wants to hear how it is.
        ending: sees to it that the process ends in time; None: the process is not the daemon's own.
        reread: gives the settings as they are written now; None: they cannot be read anew.
    """

    def __init__(
        self,
        home: Home,
        settings: DaemonSettings | None = None,
        *,
        manager: ServiceManager | None = None,
        ending: Ending | None = None,
        reread: Callable[[], DaemonSettings] | None = None,
    ) -> None:
        self.home = home
        self.settings = settings or DaemonSettings()
        self.version = package_version("nautilus-tui")
        self._manager = manager or ServiceManager()
        self._ending = ending
        self._reload = Reload(self.settings, reread)
        self._hung_up = asyncio.Event()
        self._stopping = asyncio.Event()
        self._stop_engines = False

    def stop(self, engines: bool = False) -> None:
        """Ask the daemon to stop, and its engines too if asked; returns at once."""
        self._stop_engines = self._stop_engines or engines
        if self._ending is not None:
            self._ending.begin("stop", _ENGINES_STOP_S if self._stop_engines else None)
        self._stopping.set()

    async def reload(self) -> Reloaded:
        """Read the settings anew, as the command does; raises ProblemError when they do not serve."""
        return await self._reload.carry_out()

    async def serve(self, listen: tuple[str, int] | None, ready: Callable[[str], None]) -> None:
        """Serve on the unix socket, and on TCP if ``listen`` is given, until told to stop.

        ``ready`` is called once with a line that says where, when requests are answered.

        Raises:
            ConflictError: a daemon runs for this home.
            StoreHeldError, StoreFailedError: the store cannot be opened.
            InvalidRequestError: ``listen`` is not an address, or not loopback and without TLS.
            UnavailableError: a socket cannot be bound.
        """
        keep_out_of_logs()
        began = time.monotonic()
        logger.info(
            "starting", extra={"version": self.version, "pid": os.getpid(), "home": str(self.home.root)}
        )
        async with AsyncExitStack() as stack:
            self.home.ensure()
            lock = DaemonLock(self.home)
            lock.acquire()
            stack.callback(lock.release)
            self._hear_signals(stack)
            tcp = None if listen is None else tcp_socket(*listen, self.settings)
            if tcp is not None:
                stack.callback(tcp[0].close)
            if listen is not None:  # the name it is told to listen at is one of its own
                own = (*self.settings.allowed_hosts, listen[0])
                self.settings = msgspec.structs.replace(self.settings, allowed_hosts=own)
            opening = Opening(
                self.home,
                self.settings,
                stack,
                reload=self._reload,
                stop=self.stop,
                engines_too=lambda: self._stop_engines,
                version=self.version,
            )
            parts = await opening.parts()
            unix = unix_socket(self.home.daemon_socket)
            stack.callback(lambda: self.home.daemon_socket.unlink(missing_ok=True))
            stack.callback(unix.close)
            servers = [(parts.server(), unix)]
            if tcp is not None:
                servers.append((parts.server(tls=tcp[1]), tcp[0]))
            where = [str(self.home.daemon_socket)] + ([url_of(*tcp)] if tcp is not None else [])
            gc.freeze()  # what is loaded stays: looking it over for garbage again and again holds the loop up
            stack.callback(gc.unfreeze)
            await self._run(servers, parts, lambda: self._tell_ready(where, began, ready))
        logger.info("stopped", extra={"engines_stopped": self._stop_engines})

    def _tell_ready(self, where: Sequence[str], began: float, ready: Callable[[str], None]) -> None:
        said = f"ready at {' and '.join(where)}"
        logger.info("listening", extra={"at": where, "seconds": round(time.monotonic() - began, 3)})
        ready(f"nautilus-tui daemon {said}")
        self._manager.ready(said)

    async def _run(
        self, servers: Sequence[tuple[Server, socket.socket]], parts: Parts, ready: Callable[[], None]
    ) -> None:
        """Serve until told to stop; then let what is under way come to its end and close every connection."""
        async with asyncio.TaskGroup() as group:
            for server, sock in servers:
                group.create_task(server.serve(sockets=[sock]))
            for server, _ in servers:
                await server.listening.wait()
            servants = [
                group.create_task(self._manager.watch(parts.pulse.trouble)),
                group.create_task(self._reload_when_asked(parts.door)),
            ]
            if not self._stopping.is_set():
                ready()
                await parts.schedule.start()
                await self._stopping.wait()
            for servant in servants:
                servant.cancel()
            await self._drain([server for server, _ in servers], parts)

    async def _drain(self, servers: Sequence[Server], parts: Parts) -> None:
        """Take nobody new in, let commands come to their end, then say goodbye to everyone."""
        loop = asyncio.get_running_loop()
        patience = self._reload.settings.shutdown_seconds
        until = loop.time() + patience
        under_way = parts.door.under_way()
        facts = {"commands": len(under_way), "streams": len(parts.hub.connections())}
        logger.info("stopping", extra=facts | {"engines_too": self._stop_engines})
        self._manager.stopping("engines stop too" if self._stop_engines else "engines trade on")
        for server in servers:
            server.stop_listening()
        parts.schedule.stop()
        if under_way:
            _, still = await asyncio.wait(under_way, timeout=patience * _FOR_COMMANDS)
            if still:
                logger.warning("commands are still under way", extra={"commands": len(still)})
        await asyncio.sleep(_LAST_WORD_S)
        parts.hub.close()
        for server in servers:
            server.leave(until)

    async def _reload_when_asked(self, door: Door) -> None:
        """Read the settings anew at every SIGHUP, through the door like everyone's commands."""
        while True:
            await self._hung_up.wait()
            self._hung_up.clear()
            self._manager.reloading()
            try:
                outcome = await door.execute(ReloadSettings(), _SIGNAL)
            except ProblemError as error:  # not even a refusal could be audited
                logger.error("the settings were not read: %s", error.detail)
                self._manager.ready(f"settings not read: {error.detail}")
                continue
            if outcome.problem is None:
                self._manager.ready(f"settings read: {outcome.detail}")
            else:
                self._manager.ready(f"settings not read: {outcome.problem.detail}")

    def _hear_signals(self, stack: AsyncExitStack) -> None:
        if self._ending is not None:
            self._ending.hear(self.stop, self._hung_up.set)
            return
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            with suppress(ValueError, RuntimeError):  # not the main thread: whoever runs us stops us
                loop.add_signal_handler(number, self.stop)
                stack.callback(loop.remove_signal_handler, number)
