"""The first and last lines of an engine process: descriptors, signals, pid file, exit code.

Called in a freshly forked child of the warm forkserver, or as `python -m engines.node.main` for a
cold start. It never returns to the code that forked it. This module must not know of orders.
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

from data.paths import Home
from data.problems import EngineFailedError, ProblemError
from engines.forkserver import bind
from engines.link import Stop
from engines.node.engine import Engine
from engines.pidfile import PidFile
from engines.spec import EngineSpec


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


def run(spec: EngineSpec, home: Home, listener: socket.socket) -> int:
    """Run an engine until it stops; return the exit code."""
    pidfile = PidFile(home.run, spec.engine)
    pidfile.write(spec, psutil.Process().create_time())
    try:
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            runner.run(_live(spec, home, listener))
    except ProblemError as error:
        pidfile.write_failure(error.document())
        sys.stderr.write(f"{spec.engine}: {error.detail}\n")
        return 1
    except BaseException as error:
        pidfile.write_failure(EngineFailedError(f"{type(error).__name__}: {error}").document())
        raise
    pidfile.remove()
    return 0


async def _live(spec: EngineSpec, home: Home, listener: socket.socket) -> None:
    engine = Engine(spec, home, listener)
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
    """Run one engine described on standard input as JSON: its spec and its home."""
    order = msgspec.json.decode(sys.stdin.buffer.read(), type=dict[str, msgspec.Raw])
    spec = msgspec.json.decode(order["spec"], type=EngineSpec)
    home = Home(Path(msgspec.json.decode(order["home"], type=str)))
    raise SystemExit(run(spec, home, bind(home.engine_socket(spec.engine))))


if __name__ == "__main__":
    main()
