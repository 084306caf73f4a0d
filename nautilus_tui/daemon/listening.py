"""The sockets the daemon is reached at, and the uvicorn servers on them.

This module must not know what is served.
"""

from __future__ import annotations

import asyncio
import ipaddress
import math
import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

import uvicorn

from data.problems import InvalidRequestError, UnavailableError
from nautilus_tui.daemon.peers import PeerHttpProtocol
from nautilus_tui.daemon.streams.protocol import BACKLOG

if TYPE_CHECKING:
    from litestar.types import ASGIApp

_KEEP_ALIVE_S = 75


class Serving(Protocol):
    """What a server is told, whoever serves: part of the settings of a daemon, or of a gateway."""

    @property
    def tls_certificate(self) -> Path | None: ...
    @property
    def tls_key(self) -> Path | None: ...
    @property
    def shutdown_seconds(self) -> float: ...


class Server(uvicorn.Server):
    """A uvicorn server that leaves signals alone and says when it listens."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.listening = asyncio.Event()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Listen, then say so."""
        await super().startup(sockets)
        self.listening.set()

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Signals are the daemon's own business."""
        yield


def make_server(app: ASGIApp, ws: type[asyncio.Protocol], settings: Serving, *, tls: bool = False) -> Server:
    """Return a server of HTTP and WebSocket on one port or socket."""
    config = uvicorn.Config(
        app,
        http=PeerHttpProtocol,
        ws=ws,
        lifespan="off",
        log_config=None,
        access_log=False,
        proxy_headers=False,  # a header must not say who is there
        server_header=False,
        backlog=BACKLOG,
        timeout_keep_alive=_KEEP_ALIVE_S,
        timeout_graceful_shutdown=math.ceil(settings.shutdown_seconds),
        ssl_certfile=settings.tls_certificate if tls else None,
        ssl_keyfile=settings.tls_key if tls else None,
    )
    return Server(config)


def unix_socket(path: Path) -> socket.socket:
    """Return a socket at a path that its owner alone can reach; one left behind is replaced."""
    with suppress(FileNotFoundError):
        path.unlink()
    sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    before = os.umask(0o177)
    try:
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
        InvalidRequestError: the address reaches beyond this machine and there is no TLS certificate.
        UnavailableError: it cannot be bound.
    """
    tls = settings.tls_certificate is not None and settings.tls_key is not None
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
        raise UnavailableError(
            f"cannot listen at {host}:{port}: {error.strerror}",
            rule="the port is free",
            fix="choose another port, or stop what uses it",
        ) from error
    return sock, tls


def url_of(sock: socket.socket, tls: bool) -> str:
    """Return where a TCP socket is reached."""
    host, port = sock.getsockname()[:2]
    shown = f"[{host}]" if ":" in host else host
    return f"{'https' if tls else 'http'}://{shown}:{port}"
