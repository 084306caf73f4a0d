"""``daemon``, ``status``, ``stop``, ``attach`` and opening the workstation.

This module must not know what the daemon or the terminal do.
"""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING, Annotated, Any

import typer

from data.access import OrderAuthority
from data.commands import StopDaemon
from data.problems import InvalidRequestError, ProblemError
from data.records import EngineStatus, SystemHealth
from nautilus_tui.cli import authority, background, engines, output, serving, words
from nautilus_tui.cli.session import Session, session_of
from nautilus_tui.client.problems import NotReachableError

if TYPE_CHECKING:
    from nautilus_tui.config.settings import Config
    from nautilus_tui.daemon.log_lines import LogFormat
    from nautilus_tui.daemon.settings import DaemonSettings

_STOP_S = 60.0


# ---------------------------------------------------------------- the terminal


def open_workstation(session: Session) -> None:
    """Open the terminal on this machine's daemon, started with the default engine if need be."""
    if session.url:
        attach_terminal(session)
        return
    _require_terminal()
    settings = _terminal_settings(session)
    # The daemon starts while the terminal loads and paints.
    wait = background.begin(session.home, session.profile)
    from nautilus_tui.cli.opening import OpeningLink
    from nautilus_tui.terminal.app import run

    link = OpeningLink(session.address, wait, session.config.engine.default, session.home.logs)
    raise typer.Exit(run(session.address, settings, home=session.home.root, no_color=_no_color(), link=link))


def attach_terminal(session: Session) -> None:
    """Open the terminal on a daemon that runs already."""
    _require_terminal()
    from nautilus_tui.terminal.app import run
    from nautilus_tui.terminal.link import DaemonLink

    link = DaemonLink(session.address, session.addresses)
    settings = _terminal_settings(session)
    session.ask(lambda api: api.health())
    raise typer.Exit(run(session.address, settings, home=session.home.root, no_color=_no_color(), link=link))


def attach(
    context: typer.Context,
    url: Annotated[
        str | None, typer.Argument(help="https://HOST:PORT or wss://HOST:PORT; this machine's if left out.")
    ] = None,
) -> None:
    """Attach a terminal to a daemon that runs; a remote one wants a token in NAUTILUS_TUI_TOKEN."""
    session = session_of(context)
    if url is not None:
        session.url = url
    attach_terminal(session)


def _terminal_settings(session: Session) -> Any:
    from nautilus_tui.config.apply import terminal_settings

    return terminal_settings(session.config)


def _require_terminal() -> None:
    """Refuse to paint where nobody would see it. The screen is drawn on stderr, keys come from stdin."""
    if not (sys.stdin.isatty() and sys.stderr.isatty()):
        raise InvalidRequestError(
            "the workstation opens in a terminal, and this is none",
            rule="stdin and stderr are a terminal",
            fix="nautilus-tui --help lists the commands that work without one",
        )


def _no_color() -> bool:
    return bool(os.environ.get("NO_COLOR"))


# ---------------------------------------------------------------- the daemon


def daemon(
    context: typer.Context,
    listen: Annotated[
        str | None, typer.Option("--listen", help="HOST:PORT to serve on TCP too.", show_default=False)
    ] = None,
    log_format: serving.LogFormatOption = None,
    ready_fd: serving.ReadyFdOption = None,
) -> None:
    """Run the daemon in the foreground until interrupted. Engines trade on when it ends.

    SIGTERM stops it within seconds, SIGHUP reads the settings anew unless the log is a terminal. Under
    a service manager it says when it is ready and kicks the watchdog.
    """
    session = session_of(context)
    os.umask(0o077)  # orders and hashes of tokens are for the daemon's user alone; its engines inherit it
    with serving.logging_to_stderr(session, log_format):
        _serve(session, listen, log_format, ready_fd)


def _serve(session: Session, listen: str | None, log_format: LogFormat | None, ready_fd: int | None) -> None:
    import uvloop
    from msgspec.structs import replace

    from nautilus_tui.config.apply import daemon_settings
    from nautilus_tui.daemon.app import Daemon
    from nautilus_tui.daemon.descriptors import make_room
    from nautilus_tui.daemon.ending import Ending
    from nautilus_tui.daemon.service import ServiceManager

    def told(config: Config) -> DaemonSettings:
        written = daemon_settings(config)
        return replace(written, listen=listen or written.listen, log_format=log_format or written.log_format)

    settings = told(session.config)
    where = serving.host_and_port(settings.listen)
    make_room(settings.streams.max_connections)
    manager = ServiceManager.take_from()
    ending = Ending(settings.shutdown_seconds + serving.TIDY_S)

    async def serve() -> None:
        one = Daemon(
            session.home, settings, manager=manager, ending=ending, reread=lambda: told(session.reread())
        )
        await one.serve(where, serving.announcer(session, ready_fd))

    uvloop.run(serve())
    ending.over()


def status(context: typer.Context) -> None:
    """Show the daemon's health and the engines."""
    session = session_of(context)

    async def all_of_it(api: Any) -> tuple[SystemHealth, OrderAuthority, list[EngineStatus]]:
        return await api.health(), await api.order_authority(), await api.engines()

    try:
        health, holding, known = session.ask(all_of_it)
    except NotReachableError as error:
        if session.url:
            raise
        _status_without_daemon(session, error)
        raise typer.Exit(output.ExitCode.NOT_REACHABLE) from error
    if session.json:
        output.show_json(
            {
                "daemon": health,
                "address": str(session.address),
                "order_authority": holding,
                "engines": known,
            }
        )
        return
    state = "ready" if health.ready else "not ready"
    output.show(
        f"daemon {health.version} {state} at {session.address}, up {health.uptime_s:,.0f} s, "
        f"{words.megabytes(health.rss_bytes)}, {health.stream_clients} stream clients"
    )
    output.show(authority.described(holding))
    for problem in health.problems:
        output.show(output.tinted(f"! {problem}", "yellow"))
    output.show(engines.table(known))


def _status_without_daemon(session: Session, error: ProblemError) -> None:
    from engines import pidfile

    alive = list(pidfile.find(session.home.run))
    trading = [{"id": one.spec.engine, "pid": one.pid, "state": None} for one in alive]
    if session.json:
        output.show_json({"daemon": None, "engines": trading, "problem": error.document()})
        return
    output.say_problem(error.document())
    for one in trading:
        output.show(f"{one['id']} trades on without it, pid {one['pid']}")


def stop(
    context: typer.Context,
    everything: Annotated[bool, typer.Option("--all", help="The engines too.")] = False,
) -> None:
    """Stop the daemon. Engines trade on unless --all is given."""
    session = session_of(context)
    if everything and not session.url and not background.answers(session.home):
        _adopt_orphans(session)
    pid = None if session.url else background.pid_of(session.home)
    session.carry_out(StopDaemon(engines=everything))
    if pid is not None and not background.wait_until_gone(pid, _STOP_S):
        raise ProblemError(
            f"the daemon (process {pid}) has not ended after {_STOP_S:.0f} s",
            rule="a daemon that was told to stop ends",
            fix=f"see {session.home.daemon_log}; engines trade on if it is ended with kill {pid}",
        )
    session.show(
        {"stopped": True, "engines": everything, "pid": pid},
        lambda: "daemon and engines stopped" if everything else "daemon stopped; engines trade on",
    )


def _adopt_orphans(session: Session) -> None:
    """Start a daemon for engines that run without one, so that they can be stopped as they should."""
    from engines import pidfile

    if any(pidfile.find(session.home.run)):
        background.begin(session.home)()
