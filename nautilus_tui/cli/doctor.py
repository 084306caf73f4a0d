"""``doctor``: is everything in order on this machine, and what to do where it is not.

Each check states a fact that was looked up when it ran. This module must not mend anything.
"""

from __future__ import annotations

import os
import shutil
import socket
import stat
import sys
import time
from collections.abc import Callable, Iterator
from importlib.metadata import version
from typing import TYPE_CHECKING, Literal

import msgspec
import typer

from data.paths import Home
from data.problems import ProblemError, UnavailableError
from nautilus_tui.cli import background, output
from nautilus_tui.cli.session import Session, session_of

if TYPE_CHECKING:
    from nautilus_tui.client import ApiClient
    from nautilus_tui.config.settings import Config

_PACKAGES = ("nautilus_trader", "textual", "litestar", "msgspec", "duckdb", "polars")
_LOW_DISK = 1_000_000_000
_MARKS = {"ok": "✓", "warn": "!", "fail": "✗"}
_PLAIN_MARKS = {"ok": "ok", "warn": "warn", "fail": "FAIL"}
_COLOURS = {"ok": "green", "warn": "yellow", "fail": "red"}


class Finding(msgspec.Struct, frozen=True, omit_defaults=True):
    """What one check found."""

    check: str
    result: Literal["ok", "warn", "fail"]
    detail: str
    fix: str | None = None


def doctor(context: typer.Context) -> None:
    """Check this machine, the home folder, the daemon and the terminal; fails if anything is broken."""
    session = session_of(context)
    findings = [finding for check in CHECKS for finding in check(session)]
    if session.json:
        output.show_json(findings)
    else:
        _show(findings)
    if any(finding.result == "fail" for finding in findings):
        raise typer.Exit(output.ExitCode.FAILED)


def _show(findings: list[Finding]) -> None:
    marks = _MARKS if _speaks_unicode() else _PLAIN_MARKS
    table = output.columns("", "Check", "Finding", last_wraps=True)
    for finding in findings:
        mark = output.tinted(marks[finding.result], _COLOURS[finding.result])
        table.add_row(mark, finding.check, finding.detail)
        if finding.fix:
            table.add_row("", "", output.tinted(f"fix: {finding.fix}", "dim"))
    output.show(table)


# ---------------------------------------------------------------- the checks


def _python(_: Session) -> Iterator[Finding]:
    found = ".".join(map(str, sys.version_info[:3]))
    right = sys.version_info[:2] == (3, 13)
    yield Finding("python", "ok" if right else "fail", found, None if right else "use Python 3.13")
    packages = ", ".join(f"{name} {version(name)}" for name in _PACKAGES)
    yield Finding("packages", "ok", f"nautilus-tui {version('nautilus-tui')}, {packages}")


def _home(session: Session) -> Iterator[Finding]:
    root = session.home.root
    try:
        facts = root.stat()
    except FileNotFoundError:
        yield Finding("home", "ok", f"{root} is not there yet; the first start makes it")
        return
    except OSError as error:
        yield Finding("home", "fail", f"{root}: {error.strerror}", "give another folder with --home")
        return
    mode = stat.S_IMODE(facts.st_mode)
    if facts.st_uid != os.getuid() or not os.access(root, os.W_OK):
        yield Finding("home", "fail", f"{root} is not yours to write", f"sudo chown -R $USER {root}")
    elif mode & 0o077:
        yield Finding("home", "warn", f"{root} can be read by others (mode {mode:o})", f"chmod 700 {root}")
    else:
        yield Finding("home", "ok", f"{root}, private")


def _disk(session: Session) -> Iterator[Finding]:
    place = next(path for path in (session.home.root, *session.home.root.parents) if path.exists())
    free = shutil.disk_usage(place).free
    detail = f"{free / 1e9:,.1f} GB free at {place}"
    if free < _LOW_DISK:
        yield Finding("disk", "fail", detail, "free some: engines stop trading when their journal is full")
    else:
        yield Finding("disk", "ok", detail)


def _settings(session: Session) -> Iterator[Finding]:
    from nautilus_tui.config.listing import differences

    path = session.home.config_file
    try:
        changed = differences(session.config)
    except ProblemError as error:
        yield Finding("settings", "fail", error.detail, error.fix or error.rule)
        return
    said = f"{path}: {len(changed)} of your own" if path.exists() else "defaults"
    yield Finding("settings", "ok", said)


def _sockets(session: Session) -> Iterator[Finding]:
    folder = session.home.sockets
    if not folder.exists():
        yield Finding("sockets", "ok", f"{folder} is not there yet; the first start makes it")
        return
    mode = stat.S_IMODE(folder.stat().st_mode)
    if mode & 0o077:
        yield Finding("sockets", "fail", f"{folder} is open to others (mode {mode:o})", f"chmod 700 {folder}")
    else:
        yield Finding("sockets", "ok", str(folder))


def _daemon(session: Session) -> Iterator[Finding]:
    if not session.url and not background.answers(session.home):
        yield Finding("daemon", "warn", "none runs", "nautilus-tui, or nautilus-tui daemon")
        yield from _orphans(session.home)
        return

    async def look(api: ApiClient) -> list[Finding]:
        health = await api.health()
        result: Literal["ok", "warn"] = "ok" if health.ready and not health.problems else "warn"
        said = "; ".join(health.problems) or f"{health.version}, ready, up {health.uptime_s:,.0f} s"
        ours = version("nautilus-tui")
        findings = [Finding("daemon", result, said)]
        if health.version != ours:
            said = f"the daemon is {health.version}, this is {ours}"
            findings.append(Finding("versions", "warn", said, "nautilus-tui stop, and open it again"))
        for engine in await api.engines():
            broken = engine.state in ("error", "degraded")
            detail = " ".join(filter(None, (engine.id, engine.state, engine.reason)))
            fix = f"nautilus-tui engine logs {engine.id}" if broken else None
            findings.append(Finding("engine", "warn" if broken else "ok", detail, fix))
        return findings

    try:
        yield from session.ask(look)
    except ProblemError as error:
        yield Finding("daemon", "fail", error.detail, error.fix)


def _orphans(home: Home) -> Iterator[Finding]:
    from engines import pidfile

    for one in pidfile.find(home.run):
        said = f"{one.spec.engine} (pid {one.pid}) trades without a daemon"
        yield Finding("engine", "warn", said, "nautilus-tui daemon adopts it")


def _speaks_unicode() -> bool:
    return "utf" in (sys.stdout.encoding or "").lower()


def _terminal(session: Session) -> Iterator[Finding]:
    if not sys.stdout.isatty():
        yield Finding("terminal", "ok", "output is not a terminal")
        return
    size = shutil.get_terminal_size()
    term, depth = os.environ.get("TERM", ""), os.environ.get("COLORTERM", "")
    said = f"{term} {size.columns}×{size.lines} {depth}".rstrip()
    if term in ("", "dumb"):
        yield Finding("terminal", "fail", f"TERM is {term!r}", "set TERM, for example xterm-256color")
    elif size.columns < 80 or size.lines < 24:
        yield Finding("terminal", "warn", said, "80×24 is the least that shows a workspace")
    elif depth not in ("truecolor", "24bit") and "256" not in term:
        yield Finding("terminal", "warn", f"{said}: few colours", "set TERM or COLORTERM, or theme = mono")
    else:
        yield Finding("terminal", "ok", said)
    if not _speaks_unicode() and not session.config.terminal.ascii:
        fix = "use a UTF-8 locale, or ascii = true in [terminal]"
        yield Finding("unicode", "warn", f"the encoding is {sys.stdout.encoding}", fix)


def _clock(_: Session) -> Iterator[Finding]:
    resolution = time.get_clock_info("time").resolution
    built = 1_767_225_600  # 2026-01-01: a clock before it is wrong
    if time.time() < built:
        yield Finding("clock", "fail", f"it says {time.ctime()}", "set the system's clock")
    else:
        yield Finding(
            "clock", "ok", f"{time.strftime('%Y-%m-%d %H:%M:%SZ', time.gmtime())}, ±{resolution:g} s"
        )


def _loopback(_: Session) -> Iterator[Finding]:
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        try:
            probe.bind(("127.0.0.1", 0))
        except OSError as error:
            yield Finding("loopback", "warn", f"127.0.0.1: {error.strerror}", "only unix sockets can be used")
        else:
            yield Finding("loopback", "ok", "127.0.0.1 can be listened on")


def _config(session: Session) -> Config | None:
    """Return the settings; None: they are not valid, as the check of them says."""
    try:
        return session.config
    except ProblemError:
        return None


def _port(session: Session) -> Iterator[Finding]:
    """Check that the settings' port can be had, or that it is the daemon's own already."""
    from nautilus_tui.cli.serving import host_and_port
    from nautilus_tui.config.apply import daemon_settings
    from nautilus_tui.daemon.listening import tcp_socket

    config = _config(session)
    if config is None or session.url:
        return
    own = config.daemon
    where = host_and_port(own.listen)
    if where is None:
        return
    try:
        sock, tls = tcp_socket(*where, daemon_settings(config))
    except UnavailableError as error:
        if error.extra.get("pid") == str(background.pid_of(session.home)):
            yield Finding("port", "ok", f"{own.listen}, the daemon listens there")
        else:
            yield Finding("port", "fail", error.detail, error.fix)
    except ProblemError as error:
        yield Finding("port", "fail", error.detail, error.fix or error.rule)
    else:
        sock.close()
        yield Finding("port", "ok", f"{own.listen} is free, {'with' if tls else 'without'} TLS")


def _certificate(session: Session) -> Iterator[Finding]:
    from nautilus_tui.config.apply import daemon_settings
    from nautilus_tui.daemon.tls import server_context

    config = _config(session)
    if config is None:
        return
    settings = daemon_settings(config)
    if settings.tls_certificate is None and settings.tls_key is None:
        return
    if settings.tls_certificate is None or settings.tls_key is None:
        fix = "set both tls_certificate and tls_key"
        yield Finding("certificate", "fail", "a certificate serves with its key only", fix)
        return
    try:
        server_context(settings.tls_certificate, settings.tls_key)
    except ProblemError as error:
        yield Finding("certificate", "fail", error.detail, error.fix or error.rule)
    else:
        yield Finding("certificate", "ok", f"{settings.tls_certificate} and its key serve")


def _open_files(session: Session) -> Iterator[Finding]:
    import resource

    from nautilus_tui.daemon.descriptors import RESERVE

    config = _config(session)
    if config is None:
        return
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = config.streams.max_connections
    if hard != resource.RLIM_INFINITY and hard < wanted + RESERVE:
        said = f"at most {hard:,}, for {wanted:,} stream connections and {RESERVE} of the daemon's own"
        fix = "raise it (LimitNOFILE= of a unit, ulimit -Hn), or lower max_connections in [streams]"
        yield Finding("open files", "warn", said, fix)
    else:
        yield Finding("open files", "ok", f"enough for {wanted:,} stream connections")


def _redis(session: Session) -> Iterator[Finding]:
    import asyncio

    from nautilus_tui.relay.address import RedisAddress, redis_url

    config = _config(session)
    url = "" if config is None else redis_url(config.streams.redis_url)
    if not url:
        return
    try:
        address = RedisAddress(url)
    except ProblemError as error:
        yield Finding("redis", "fail", error.detail, error.fix or error.rule)
        return

    async def ping() -> str | None:
        from redis.exceptions import RedisError

        client = address.connect()
        try:
            await client.ping()
        except (RedisError, OSError) as error:
            return address.clean(error)
        finally:
            await client.aclose()
        return None

    failure = asyncio.run(ping())
    if failure is None:
        yield Finding("redis", "ok", f"{address} answers")
    else:
        yield Finding("redis", "fail", f"{address}: {failure}", "start Redis, or set [streams] redis_url")


CHECKS: tuple[Callable[[Session], Iterator[Finding]], ...] = (
    _python,
    _home,
    _disk,
    _settings,
    _sockets,
    _loopback,
    _port,
    _certificate,
    _open_files,
    _redis,
    _daemon,
    _terminal,
    _clock,
)
