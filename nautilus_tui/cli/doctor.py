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
from data.problems import ProblemError
from nautilus_tui.cli import background, output
from nautilus_tui.cli.session import Session, session_of

if TYPE_CHECKING:
    from nautilus_tui.client import ApiClient

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


CHECKS: tuple[Callable[[Session], Iterator[Finding]], ...] = (
    _python,
    _home,
    _disk,
    _settings,
    _sockets,
    _loopback,
    _daemon,
    _terminal,
    _clock,
)
