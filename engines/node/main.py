"""The first and last lines of an engine process: descriptors, signals, pid file, exit code.

Called in a freshly forked child of the warm forkserver, or as `python -m engines.node.main` for a
cold start; the kill switch starts it so to put the books of an engine in order that it had to end. An
engine that the kill switch's latch holds does not start otherwise. It never returns to the code that
forked it. This module must not know of orders.
"""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import sys
import traceback
from pathlib import Path
from typing import NoReturn

import msgspec
import psutil
import uvloop

from data.kill import KillOrder
from data.paths import Home
from data.problems import EngineFailedError, ProblemError
from engines.forkserver import bind
from engines.latch import Latch
from engines.link import Stop
from engines.node.engine import Engine
from engines.pidfile import PidFile
from engines.spec import EngineSpec

#: The exit code of an engine that the kill switch holds.
LATCHED_EXIT = 3


class ColdStart(msgspec.Struct, frozen=True, kw_only=True):
    """What a cold start is told on standard input."""

    spec: EngineSpec
    home: str
    recover: KillOrder | None = None  #: restore the books, carry this out, verify, and end
    listener: int | None = None  #: the descriptor of a socket that listens already


def run_forked(spec: EngineSpec, home: Home, listener: socket.socket) -> NoReturn:
    """Run an engine in this process, which was forked for it, and exit."""
    code = 1
    try:
        os.setsid()
        _redirect(home.engine_log(spec.engine))
        code = run(spec, home, listener)
    except BaseException:
        traceback.print_exc()
        raise
    finally:
        os._exit(code)  # not sys.exit: the forkserver's own clean-up is not ours to run


def run(spec: EngineSpec, home: Home, listener: socket.socket, *, recover: KillOrder | None = None) -> int:
    """Run an engine until it stops; return the exit code.

    With ``recover`` its books are only restored, cancelled, closed if asked, and verified.
    """
    pidfile = PidFile(home.run, spec.engine)
    pidfile.write(spec, psutil.Process().create_time())
    try:
        # Behind the pid file: the kill switch writes the latch, then looks for pid files.
        latched = None if recover is not None else Latch(home).problem(spec.engine)
        if latched is not None:
            return _ended_by(latched, pidfile, spec, LATCHED_EXIT)
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            runner.run(_live(spec, home, listener, recover))
    except ProblemError as error:
        return _ended_by(error, pidfile, spec, 1)
    except BaseException as error:
        pidfile.write_failure(EngineFailedError(f"{type(error).__name__}: {error}").document())
        raise
    pidfile.remove()
    return 0


def _ended_by(error: ProblemError, pidfile: PidFile, spec: EngineSpec, code: int) -> int:
    """Leave word of why the engine does not run, and return the exit code."""
    pidfile.write_failure(error.document())
    sys.stderr.write(f"{spec.engine}: {error.detail}\n")
    return code


async def _live(spec: EngineSpec, home: Home, listener: socket.socket, recover: KillOrder | None) -> None:
    engine = Engine(spec, home, listener, recover=recover)
    loop = asyncio.get_running_loop()
    running = loop.create_task(engine.run())
    await asyncio.sleep(0)
    # NautilusTrader takes these signals when its node is made; an engine must stop its own way.
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, engine.ask_to_stop, Stop(f"signal {number.name}"))
    await running


def _redirect(log: Path) -> None:
    """Give the process no input and let what it prints go to its log."""
    log.parent.mkdir(parents=True, exist_ok=True)
    null = os.open(os.devnull, os.O_RDONLY)
    out = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    os.dup2(null, 0)
    os.dup2(out, 1)
    os.dup2(out, 2)
    os.close(null)
    os.close(out)


def main() -> None:
    """Run one engine described on standard input as JSON: its spec, its home, what to recover it for."""
    order = msgspec.json.decode(sys.stdin.buffer.read(), type=ColdStart)
    home = Home(Path(order.home))
    if order.listener is None:
        listener = bind(home.engine_socket(order.spec.engine))
    else:
        listener = socket.socket(fileno=order.listener)
    raise SystemExit(run(order.spec, home, listener, recover=order.recover))


if __name__ == "__main__":
    main()
