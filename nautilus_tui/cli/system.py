"""``daemon``, ``status``, ``stop``, ``attach`` and opening the workstation.

This module must not know what the daemon or the terminal do.
"""

from __future__ import annotations

import logging
import os
import sys
from collections.abc import Callable
from typing import Annotated, Any, Literal

import typer

from data.access import OrderAuthority
from data.commands import StopDaemon
from data.problems import InvalidRequestError, ProblemError
from data.records import EngineStatus, SystemHealth
from nautilus_tui.cli import authority, background, engines, output, words
from nautilus_tui.cli.session import Session, session_of
from nautilus_tui.client.problems import NotReachableError

_STOP_S = 60.0
#: What a daemon that stops may take beyond the time for requests: to close its store, and to end.
_TIDY_S = 1.5


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

    settings = _terminal_settings(session)
    session.ask(lambda api: api.health())
    raise typer.Exit(run(session.address, settings, home=session.home.root, no_color=_no_color()))


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
    log_format: Annotated[
        Literal["text", "json"] | None,
        typer.Option("--log-format", help="Form of the log on stderr.", show_default=False),
    ] = None,
    ready_fd: Annotated[int | None, typer.Option("--ready-fd", hidden=True)] = None,
) -> None:
    """Run the daemon in the foreground until interrupted. Engines trade on when it ends.

    SIGTERM stops it within seconds, SIGHUP reads the settings anew. Under a service manager it says when
    it is ready and kicks the watchdog.
    """
    from nautilus_tui.daemon.log_lines import set_up_logging

    session = session_of(context)
    form = log_format or "text"
    try:
        config = session.config
        form = log_format or config.daemon.log_format
        set_up_logging(config.daemon.log_level, form)
        _serve(session, listen, ready_fd)
    except ProblemError as error:
        if form != "json":
            raise
        set_up_logging("info", form)  # also where the settings could not be read
        _log_problem(error)
        raise typer.Exit(output.code_of_problem(error.type)) from error


def _serve(session: Session, listen: str | None, ready_fd: int | None) -> None:
    import uvloop

    from nautilus_tui.config.apply import daemon_settings
    from nautilus_tui.daemon.app import Daemon
    from nautilus_tui.daemon.ending import Ending
    from nautilus_tui.daemon.service import ServiceManager

    settings = daemon_settings(session.config)
    where = _host_and_port(listen or session.config.daemon.listen)
    manager = ServiceManager.take_from()
    ending = Ending(settings.shutdown_seconds + _TIDY_S)

    async def serve() -> None:
        serving = Daemon(session.home, settings, manager=manager, ending=ending)
        await serving.serve(where, _announcer(session, ready_fd))

    uvloop.run(serve())


def _log_problem(error: ProblemError) -> None:
    document = error.document()
    facts = {"problem": document.type, "rule": document.rule, "fix": document.fix}
    logging.getLogger(__name__).critical(document.detail, extra={k: v for k, v in facts.items() if v})


def _announcer(session: Session, ready_fd: int | None) -> Callable[[str], None]:
    def announce(line: str) -> None:
        if session.json:
            output.show_json_line({"ready": True, "pid": os.getpid(), "detail": line})
        else:
            print(line, flush=True)
        if ready_fd is not None:
            os.write(ready_fd, background.READY)
            os.close(ready_fd)

    return announce


def _host_and_port(text: str) -> tuple[str, int] | None:
    if not text:
        return None
    host, _, port = text.rpartition(":")
    if not host or not port.isdigit() or int(port) > 65535:
        raise InvalidRequestError(
            f"{text!r} is not HOST:PORT",
            rule="--listen HOST:PORT",
            fix="for example 127.0.0.1:8787",
            value=text,
        )
    return host.strip("[]"), int(port)


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
        raise ProblemError(f"the daemon (process {pid}) has not ended after {_STOP_S:.0f} s")
    session.show(
        {"stopped": True, "engines": everything, "pid": pid},
        lambda: "daemon and engines stopped" if everything else "daemon stopped; engines trade on",
    )


def _adopt_orphans(session: Session) -> None:
    """Start a daemon for engines that run without one, so that they can be stopped as they should."""
    from engines import pidfile

    if any(pidfile.find(session.home.run)):
        background.begin(session.home)()
