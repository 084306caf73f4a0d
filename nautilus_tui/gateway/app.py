"""The composition root of a gateway: follows a daemon through Redis, serves its streams, and ends in time.

The only module of the gateway that knows all its parts.
"""

from __future__ import annotations

import asyncio
import gc
import logging
import os
from collections.abc import Callable, Sequence
from importlib.metadata import version as package_version

from data.access import TokenRow
from data.problems import ProblemError
from nautilus_tui.daemon.ending import Ending
from nautilus_tui.daemon.listening import Server, check_certificate, make_server, tcp_socket, url_of
from nautilus_tui.daemon.log_lines import set_up_logging
from nautilus_tui.daemon.origins import Origins
from nautilus_tui.daemon.peers import http_protocol
from nautilus_tui.daemon.reload import LIMITS_OF_STREAMS, Reload
from nautilus_tui.daemon.service import ServiceManager
from nautilus_tui.daemon.streams import StreamHub, make_ws_protocol
from nautilus_tui.gateway.access import Access
from nautilus_tui.gateway.forwarding import Forwarder
from nautilus_tui.gateway.health import HealthWatch
from nautilus_tui.gateway.refusals import LoggedRefusals
from nautilus_tui.gateway.settings import GatewaySettings
from nautilus_tui.gateway.web import Application
from nautilus_tui.relay.follower import Follower
from nautilus_tui.relay.mirror import Mirror

#: How often the service manager and the log are told how following goes, in seconds, if it changed.
_LOOK_S = 1.0
#: So long a start waits until Redis was read, before it says that it was not, in seconds.
_FIRST_READ_S = 2.0
#: An event that waits this long for its frame waits for something that hangs.
_UNSENT_S = 5.0

logger = logging.getLogger(__name__)


class Gateway:
    """One gateway.

    Args:
        settings: what it was told.
        manager: what started it and wants to hear how it is.
        ending: sees to it that the process ends in time; None: the process is not the gateway's own.
        reread: gives the settings as they are written now; None: they cannot be read anew.
    """

    def __init__(
        self,
        settings: GatewaySettings,
        *,
        manager: ServiceManager | None = None,
        ending: Ending | None = None,
        reread: Callable[[], GatewaySettings] | None = None,
    ) -> None:
        self.settings = settings
        self.version = package_version("nautilus-tui")
        self._manager = manager or ServiceManager()
        self._ending = ending
        self._reload = Reload(settings, reread)
        self._hung_up = asyncio.Event()
        self._stopping = asyncio.Event()
        self._mirror = Mirror()
        self._hub = StreamHub(self._mirror, settings.streams, version=self.version)
        self._follower = Follower(settings.redis_url, settings.prefix, self._mirror, self._tokens)
        self._access = Access(
            settings.login_attempts_per_minute,
            self._follower.ready.is_set,
            self._follower.unheard_s,
            settings.trusted_seconds,
        )
        self._refusals = LoggedRefusals()
        self._mirror.on_renew = self._renewed
        self._mirror.on_gap = self._torn

    def stop(self) -> None:
        """Ask the gateway to stop; returns at once."""
        if self._ending is not None:
            self._ending.begin("stop")
        self._stopping.set()

    async def serve(self, listen: tuple[str, int], told: Callable[[str, bool], None]) -> None:
        """Serve until told to stop.

        ``told`` is called once, when requests are answered, with a line that says where and whether Redis
        was read: until then the answer is that the gateway is not ready (503).

        Raises:
            InvalidRequestError: ``listen`` is not an address, or not loopback and without TLS.
            UnavailableError: the socket cannot be bound.
        """
        settings = self.settings
        logger.info("starting", extra={"version": self.version, "pid": os.getpid()})
        sock, tls = tcp_socket(*listen, settings)
        origins = Origins(settings.allowed_origins, settings.allowed_hosts)
        daemon = settings.daemon
        health = HealthWatch(
            follower=self._follower,
            hub=self._hub,
            commands=None if daemon is None else str(daemon),
            version=self.version,
        )
        app = Application(
            self._hub,
            self._access,
            health,
            daemon=daemon,
            origins=origins,
            requests_per_second=settings.requests_per_second,
            note=self._refusals.note,
        )
        ws = make_ws_protocol(
            self._hub,
            self._access.authenticate,
            Forwarder(daemon),
            origins=origins,
            note=self._refusals.note,
        )
        http = http_protocol(settings.bounds, self._refusals.note)
        server = make_server(app, ws, settings, tls=tls, http=http)
        if self._ending is not None:
            self._ending.hear(self.stop, self._hung_up.set)
        self._take_changes(app, server)
        gc.freeze()  # what is loaded stays: looking it over for garbage again and again holds the loop up
        async with asyncio.TaskGroup() as group:
            group.create_task(server.serve(sockets=[sock]))
            await server.listening.wait()
            logger.info("listening", extra={"at": url_of(sock, tls)})
            tasks = [
                group.create_task(self._follower.run()),
                group.create_task(self._tell_how_it_goes()),
                group.create_task(self._manager.watch(self._trouble)),
            ]
            said, ready = await self._first_word(url_of(sock, tls))
            told(f"nautilus-tui gateway {said}", ready)
            self._manager.ready(said)
            tasks.append(group.create_task(self._reload_when_asked()))
            await self._stopping.wait()
            await self._drain(server, tasks)
        self._refusals.close()
        logger.info("stopped")

    async def _first_word(self, where: str) -> tuple[str, bool]:
        """Return what is said of the start, and whether readers are served already."""
        waits = [asyncio.create_task(one.wait()) for one in (self._follower.ready, self._stopping)]
        await asyncio.wait(waits, timeout=_FIRST_READ_S, return_when=asyncio.FIRST_COMPLETED)
        for one in waits:
            one.cancel()
        if self._follower.ready.is_set():
            return f"ready at {where}", True
        problem = self._follower.status().problem or "Redis was not read yet"
        return f"at {where}, not ready yet: {problem}", False

    async def _drain(self, server: Server, tasks: Sequence[asyncio.Task[None]]) -> None:
        """Take nobody new in, hear nothing more, say goodbye to everyone."""
        logger.info("stopping", extra={"streams": len(self._hub.connections())})
        self._manager.stopping("clients go to another server")
        server.stop_listening()
        for task in tasks:
            task.cancel()
        self._hub.restart("this gateway is stopping")
        self._hub.close()
        server.leave(asyncio.get_running_loop().time() + self.settings.shutdown_seconds)

    # ------------------------------------------------------------ settings read anew

    def _take_changes(self, app: Application, server: Server) -> None:
        """Say what takes which settings while the gateway runs; the rest takes a restart."""
        on = self._reload.on
        on("log_level", "log_format", change=lambda new: set_up_logging(new.log_level, new.log_format))
        on("login_attempts_per_minute", change=lambda new: self._access.allow(new.login_attempts_per_minute))
        on("requests_per_second", change=lambda new: app.allow(new.requests_per_second))
        on(*LIMITS_OF_STREAMS, change=lambda new: setattr(self._hub, "limits", new.streams))
        self._reload.each_time(check=check_certificate, renew=server.renew)

    async def _reload_when_asked(self) -> None:
        """Read the settings anew at every SIGHUP."""
        while True:
            await self._hung_up.wait()
            self._hung_up.clear()
            self._manager.reloading()
            try:
                done = await self._reload.carry_out()
            except ProblemError as error:  # the log has it
                self._manager.ready(f"settings not read: {error.detail}")
            else:
                self._manager.ready(f"settings read: {done}")

    # ------------------------------------------------------------ what the follower tells

    def _tokens(self, tokens: Sequence[TokenRow]) -> None:
        gone = self._access.hold(tokens)
        for connection in self._hub.connections() if gone else ():
            if connection.name in gone:
                self._hub.drop(connection.id, "its token was revoked")

    def _renewed(self) -> None:
        logger.info("the daemon started anew", extra={"streams": len(self._hub.connections())})
        self._hub.restart("the daemon started anew", bus=self._mirror)

    def _torn(self, topic: str, after: int) -> None:
        logger.error("events are missing for good; readers are told", extra={"topic": topic, "after": after})
        self._hub.gap(topic, after=after)

    # ------------------------------------------------------------ what is told of it

    async def _tell_how_it_goes(self) -> None:
        """Say in the log, and to the service manager, when following fails and when it goes on."""
        said: str | None = ""
        while True:
            await asyncio.sleep(_LOOK_S)
            status = self._follower.status()
            now = status.problem
            if now != said:
                if now is not None:
                    logger.warning("not following: %s", now, extra={"ready": self._follower.ready.is_set()})
                else:
                    logger.info("following", extra={"epoch": status.epoch})
                self._manager.status(f"not following: {now}" if now is not None else "following")
                said = now

    async def _trouble(self) -> str | None:
        """Return what a restart of the process would mend. Redis being away is not among it."""
        unsent = self._hub.unsent_s()
        return f"events have waited {unsent:.0f} s for their frame" if unsent > _UNSENT_S else None
