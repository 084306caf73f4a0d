"""``gateway``: serves a daemon's streams, read from Redis, in the foreground.

This module must not know how they are read or served.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from data.problems import InvalidRequestError
from nautilus_tui.cli import serving
from nautilus_tui.cli.session import Session, session_of
from nautilus_tui.relay.address import VARIABLE

if TYPE_CHECKING:
    from nautilus_tui.config.settings import Config
    from nautilus_tui.daemon.log_lines import LogFormat
    from nautilus_tui.gateway.settings import GatewaySettings


def gateway(
    context: typer.Context,
    listen: Annotated[
        str | None, typer.Option("--listen", help="HOST:PORT to serve on.", show_default=False)
    ] = None,
    redis: Annotated[
        str | None,
        typer.Option(
            "--redis",
            envvar=VARIABLE,
            show_envvar=True,
            metavar="URL",
            help="Redis that the daemon publishes to. A password belongs into the environment: "
            "arguments are seen by every user of the machine.",
            show_default=False,
        ),
    ] = None,
    prefix: Annotated[
        str | None,
        typer.Option("--prefix", help="What the daemon's keys in Redis begin with.", show_default=False),
    ] = None,
    daemon: Annotated[
        str | None,
        typer.Option(
            "--daemon", metavar="URL", help="Daemon that commands are carried to.", show_default=False
        ),
    ] = None,
    tls_certificate: Annotated[
        Path | None,
        typer.Option("--tls-certificate", metavar="FILE", help="PEM file.", show_default=False),
    ] = None,
    tls_key: Annotated[
        Path | None, typer.Option("--tls-key", metavar="FILE", help="PEM file.", show_default=False)
    ] = None,
    log_format: serving.LogFormatOption = None,
    ready_fd: serving.ReadyFdOption = None,
) -> None:
    """Serve a daemon's streams from Redis, in the foreground, until interrupted.

    Clients use the daemon's own tokens. Without --daemon it carries no commands. Until it has read the
    daemon's state from Redis it answers that it is not ready; SIGTERM stops it within seconds, SIGHUP
    reads settings and certificate anew unless the log is a terminal.
    """
    session = session_of(context, own=("prefix",))
    with serving.logging_to_stderr(session, log_format):
        where = serving.host_and_port(listen or "")
        if where is None:
            raise InvalidRequestError(
                "it was not said where to listen",
                rule="a gateway listens at --listen HOST:PORT",
                fix="for example --listen 127.0.0.1:8788",
            )

        def told(config: Config) -> GatewaySettings:
            return _settings(config, redis, prefix, daemon, tls_certificate, tls_key, log_format)

        _serve(session, told, where, ready_fd)


def _settings(
    config: Config,
    redis: str | None,
    prefix: str | None,
    daemon: str | None,
    tls_certificate: Path | None,
    tls_key: Path | None,
    log_format: LogFormat | None,
) -> GatewaySettings:
    """Return what the gateway is told: by its options, else by the settings."""
    from nautilus_tui.client.address import Address
    from nautilus_tui.config.apply import stream_limits
    from nautilus_tui.daemon.peers import Bounds
    from nautilus_tui.gateway.settings import GatewaySettings

    own, streams = config.daemon, config.streams
    url = redis or streams.redis_url
    if not url:
        raise InvalidRequestError(
            "it was not said where Redis is",
            rule="a gateway reads what a daemon publishes to Redis",
            fix=f"set {VARIABLE}, or [streams] redis_url in the settings, or give --redis URL",
        )
    certificate = tls_certificate or (Path(own.tls_certificate) if own.tls_certificate else None)
    key = tls_key or (Path(own.tls_key) if own.tls_key else None)
    return GatewaySettings(
        redis_url=url,
        prefix=streams.redis_prefix if prefix is None else _checked(prefix),
        log_level=own.log_level,
        log_format=log_format or own.log_format,
        daemon=Address.remote(daemon) if daemon else None,
        tls_certificate=certificate,
        tls_key=key,
        login_attempts_per_minute=own.login_attempts_per_minute,
        requests_per_second=own.requests_per_second,
        shutdown_seconds=own.shutdown_seconds,
        allowed_origins=own.allowed_origins,
        allowed_hosts=own.allowed_hosts,
        bounds=Bounds(
            header_bytes=own.max_header_bytes,
            request_s=own.request_seconds,
            connections=own.connections_per_peer,
            drained_bytes=own.max_request_bytes,
        ),
        streams=stream_limits(config),
    )


def _checked(prefix: str) -> str:
    """Return a prefix that is as the setting has to be; raises InvalidRequestError."""
    from nautilus_tui.config.load import ConfigError, parse

    try:  # JSON's texts are TOML's
        parse(f"[streams]\nredis_prefix = {json.dumps(prefix)}".encode(), "--prefix")
    except ConfigError as error:
        raise InvalidRequestError(
            f"--prefix is {prefix!r}",
            rule=error.rule,
            fix="for example nautilus",
            field="prefix",
            value=prefix,
        ) from None
    return prefix


def _serve(
    session: Session,
    told: Callable[[Config], GatewaySettings],
    where: tuple[str, int],
    ready_fd: int | None,
) -> None:
    import uvloop

    from nautilus_tui.daemon.descriptors import make_room
    from nautilus_tui.daemon.ending import Ending
    from nautilus_tui.daemon.service import ServiceManager
    from nautilus_tui.gateway.app import Gateway

    settings = told(session.config)
    make_room(settings.streams.max_connections)
    manager = ServiceManager.take_from()
    ending = Ending(settings.shutdown_seconds + serving.TIDY_S)

    async def serve() -> None:
        one = Gateway(settings, manager=manager, ending=ending, reread=lambda: told(session.reread()))
        await one.serve(where, serving.announcer(session, ready_fd))

    uvloop.run(serve())
    ending.over()
