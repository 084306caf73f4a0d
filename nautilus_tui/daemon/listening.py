"""The sockets the daemon is reached at, and the uvicorn servers on them.

This module must not know what is served.
"""

from __future__ import annotations

import asyncio
import errno
import ipaddress
import logging
import os
import socket
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import uvicorn

from data.problems import InvalidRequestError, OutcomeUnknownError, ProblemError, UnavailableError
from nautilus_tui.daemon.peers import PeerHttpProtocol
from nautilus_tui.daemon.remedies import PROBLEM, body_of
from nautilus_tui.daemon.streams.parting import cut
from nautilus_tui.daemon.streams.protocol import BACKLOG
from nautilus_tui.daemon.tls import server_context

if TYPE_CHECKING:
    from litestar.types import ASGIApp, Message, Receive, Scope, Send

_KEEP_ALIVE_S = 75
#: How long streams have for their closing handshake, and requests that are cut off to hear of it.
_GOODBYE_S = 1.0
_LOOK_S = 0.02
_SOCKET_PATH_BYTES = 107

logger = logging.getLogger(__name__)


class Serving(Protocol):
    """What a server is told, whoever serves: part of the settings of a daemon, or of a gateway."""

    @property
    def tls_certificate(self) -> Path | None: ...
    @property
    def tls_key(self) -> Path | None: ...
    @property
    def shutdown_seconds(self) -> float: ...


class Server(uvicorn.Server):
    """A uvicorn server that leaves signals alone, says when it listens, and ends in a time that is set."""

    def __init__(self, config: uvicorn.Config, patience: float) -> None:
        super().__init__(config)
        self.listening = asyncio.Event()
        self._patience = patience  #: seconds
        self._leave_at: float | None = None  #: loop time

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Listen, then say so."""
        await super().startup(sockets)
        self.listening.set()

    def renew(self, settings: Serving) -> None:
        """Show the certificate as its files have it now to whoever connects from now on; it was checked
        with `check_certificate` before.
        """
        certificate, key = settings.tls_certificate, settings.tls_key
        if self.config.ssl is not None and certificate is not None and key is not None:
            self.config.ssl.load_cert_chain(certificate, key)

    def stop_listening(self) -> None:
        """Take nobody new in; those who are connected stay."""
        for server in getattr(self, "servers", ()):
            server.close()

    def leave(self, at: float) -> None:
        """Let requests come to their end and streams say goodbye, until ``at`` (loop time) at most."""
        self._leave_at = at
        self.should_exit = True

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Wait for answers and goodbyes as long as `leave` allows, then cut whoever is left."""
        self.stop_listening()
        for sock in sockets or []:
            sock.close()
        loop = asyncio.get_running_loop()
        connections, tasks = self.server_state.connections, self.server_state.tasks
        for connection in list(connections):
            connection.shutdown()
        goodbye = loop.time() + _GOODBYE_S
        leave_at = loop.time() + self._patience if self._leave_at is None else self._leave_at
        while (connections or tasks) and loop.time() < leave_at:
            if loop.time() > goodbye:
                _cut(one for one in connections if not isinstance(one, PeerHttpProtocol))
            await asyncio.sleep(_LOOK_S)
        cut = list(tasks)
        for task in cut:
            task.cancel()
        if cut:
            await asyncio.wait(cut, timeout=_GOODBYE_S)
        if cut or connections:
            logger.warning(
                "who was still connected is cut off",
                extra={"requests": len(cut), "connections": len(connections)},
            )
        _cut(connections)

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Signals are the daemon's own business."""
        yield


class _ToTheEnd:
    """Around the application: a request that is cut off because the daemon stops is told so.

    What would have changed something may have happened: that is unknown, and not refused.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        begun = False

        async def noting(message: Message) -> None:
            nonlocal begun
            begun = True
            await send(message)

        try:
            await self._app(scope, receive, noting)
        except asyncio.CancelledError:
            task = asyncio.current_task()
            if task is None or not task.cancelling():
                raise  # something within was cancelled, not the request
            if not begun:
                await _tell_stopping(send, asks=scope.get("method") in ("GET", "HEAD", "OPTIONS"))


async def _tell_stopping(send: Send, *, asks: bool) -> None:
    said = "the daemon is stopping and did not wait for this answer"
    error: ProblemError = UnavailableError(
        said, rule="a daemon that stops takes no more requests", fix="ask again in a moment"
    )
    if not asks:
        error = OutcomeUnknownError(
            said,
            rule="what was begun may have happened",
            fix="send it again in a moment under the same id or Idempotency-Key: it is carried out once",
        )
    body = body_of(error.document())
    headers = [
        (b"content-type", PROBLEM.encode()),
        (b"content-length", str(len(body)).encode()),
        (b"connection", b"close"),
    ]
    await send({"type": "http.response.start", "status": error.status, "headers": headers})
    await send({"type": "http.response.body", "body": body, "more_body": False})


def _cut(connections: Iterable[Any]) -> None:
    for connection in list(connections):
        cut(connection.transport)


def make_server(
    app: ASGIApp,
    ws: type[asyncio.Protocol],
    settings: Serving,
    *,
    tls: bool = False,
    http: type[PeerHttpProtocol] = PeerHttpProtocol,
) -> Server:
    """Return a server of HTTP and WebSocket on one port or socket; raises as `server_context`."""
    context = None
    if tls and settings.tls_certificate is not None and settings.tls_key is not None:
        context = server_context(settings.tls_certificate, settings.tls_key)
    config = uvicorn.Config(
        _ToTheEnd(app),
        http=http,
        ws=ws,
        lifespan="off",
        log_config=None,
        access_log=False,
        proxy_headers=False,  # a header must not say who is there
        server_header=False,
        backlog=BACKLOG,
        timeout_keep_alive=_KEEP_ALIVE_S,
        ssl_context_factory=None if context is None else lambda _config, _default: context,
    )
    return Server(config, settings.shutdown_seconds)


def check_certificate(settings: Serving) -> bool:
    """Tell whether a certificate is to be shown; raises as `server_context` if it does not serve."""
    if settings.tls_certificate is None or settings.tls_key is None:
        return False
    server_context(settings.tls_certificate, settings.tls_key)
    return True


def unix_socket(path: Path) -> socket.socket:
    """Return a socket at a path that its owner alone can reach; one left behind is replaced.

    Raises:
        UnavailableError: it cannot be made there.
    """
    length = len(os.fsencode(path))
    if length > _SOCKET_PATH_BYTES:
        raise UnavailableError(
            f"the socket's path {path} has {length} bytes",
            rule=f"the kernel takes at most {_SOCKET_PATH_BYTES} bytes",
            fix="give a shorter home folder with --home",
            path=str(path),
        )
    sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    before = os.umask(0o177)
    try:
        with suppress(FileNotFoundError):
            path.unlink()
        sock.bind(str(path))
    except OSError as error:
        sock.close()
        raise UnavailableError(f"cannot listen at {path}: {error.strerror}", path=str(path)) from error
    finally:
        os.umask(before)
    return sock


def tcp_socket(host: str, port: int, settings: Serving) -> tuple[socket.socket, bool]:
    """Return a bound TCP socket, and whether it speaks TLS.

    Raises:
        InvalidRequestError: the address reaches beyond this machine and there is no TLS certificate,
            or the certificate does not serve.
        UnavailableError: it cannot be bound.
    """
    tls = check_certificate(settings)  # told now, before anything is opened
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
    except OSError as error:
        raise InvalidRequestError(
            f"{host}:{port} is not an address: {error.strerror}", rule="--listen HOST:PORT", value=host
        ) from error
    if not tls and not ipaddress.ip_address(str(address[0]).split("%")[0]).is_loopback:
        raise InvalidRequestError(
            f"{host} reaches beyond this machine and there is no TLS certificate",
            rule="without TLS the daemon listens on loopback only",
            fix="use 127.0.0.1, or set tls_certificate and tls_key",
            value=host,
        )
    sock = socket.socket(family, kind, protocol)
    try:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        sock.bind(address)
    except OSError as error:
        sock.close()
        raise _not_bound(host, port, error) from error
    return sock, tls


def _not_bound(host: str, port: int, error: OSError) -> UnavailableError:
    """Return why an address cannot be listened at, and who has it if that can be found out."""
    said = f"cannot listen at {host}:{port}: {error.strerror}"
    if error.errno == errno.EADDRINUSE:
        holder = _holder(port)
        return UnavailableError(
            said if holder is None else f"{said}: process {holder[0]} ({holder[1]}) has it",
            rule="the port is free",
            fix="choose another port, or stop what uses it",
            port=str(port),
            **({} if holder is None else {"pid": str(holder[0])}),
        )
    if error.errno == errno.EACCES:
        return UnavailableError(
            said, rule="ports below 1024 want privileges", fix="choose a port from 1024 on", port=str(port)
        )
    return UnavailableError(said, rule="the address is one of this machine's", fix="127.0.0.1 always is")


def _holder(port: int) -> tuple[int, str] | None:
    """Return the process that listens on a port, if this user may know."""
    import psutil

    try:
        for one in psutil.net_connections("tcp"):
            if one.status == psutil.CONN_LISTEN and one.laddr.port == port and one.pid is not None:
                return one.pid, psutil.Process(one.pid).name()
    except psutil.Error:  # it has ended meanwhile, or is none of ours to look at
        return None
    return None


def url_of(sock: socket.socket, tls: bool) -> str:
    """Return where a TCP socket is reached."""
    host, port = sock.getsockname()[:2]
    shown = f"[{host}]" if ":" in host else host
    return f"{'https' if tls else 'http'}://{shown}:{port}"
