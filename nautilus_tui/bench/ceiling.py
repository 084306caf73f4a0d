"""The ceiling of the stream bench: a C program that writes ready-made frames to the same readers.

It is compiled where there is a C compiler, for the run, and encodes nothing: no server of one process
delivers more on this machine. This module must not know how readers count.
"""

from __future__ import annotations

import shutil
import subprocess
import tempfile
from multiprocessing.connection import Connection as Pipe
from pathlib import Path

from data import topics
from data.bus import Event
from nautilus_tui.bench.servers import Done, Order, event_bytes, quote
from nautilus_tui.daemon.streams.wire import JSON, MSGPACK

_SOURCE = Path(__file__).with_suffix(".c")


def main(pipe: Pipe, batch: int) -> None:
    """Serve until told ``stop``: says its port, then answers an `Order` of quotes in batches of ``batch``
    with a `Done`. Where it cannot be compiled it says why instead, and that is all.
    """
    with tempfile.TemporaryDirectory(prefix="nautilus-tui-bench-") as place:
        program = str(Path(place) / "ceiling")
        problem = _compile(program)
        if problem is not None:
            pipe.send(problem)
            return
        with subprocess.Popen(
            [program, *_frames(Path(place), batch)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        ) as running:
            assert running.stdin is not None, "it is a pipe"
            assert running.stdout is not None, "it is a pipe"
            pipe.send(int(running.stdout.readline()))
            while (order := pipe.recv()) != "stop":
                running.stdin.write(f"{order.seconds:.6f}\n")
                running.stdin.flush()
                pipe.send(_done(running.stdout.readline(), order, batch))


def _compile(program: str) -> str | None:
    """Compile it; returns why that cannot be, None when it is done."""
    compiler = shutil.which("cc") or shutil.which("gcc")
    if compiler is None:
        return "there is no C compiler here, neither cc nor gcc"
    command = [compiler, "-O2", "-o", program, str(_SOURCE)]
    done = subprocess.run(command, check=False, capture_output=True, text=True)
    if done.returncode:
        first = next(iter(done.stderr.splitlines()), f"it ended with {done.returncode}")
        return f"{compiler} could not compile it: {first}"
    return None


def _frames(place: Path, batch: int) -> list[str]:
    """Write a frame of quotes in either format; returns where."""
    records = [quote(n) for n in range(batch)]
    events = [Event(topics.topic_of(one), n, n, one.ts, one, None) for n, one in enumerate(records, 1)]
    for form in (JSON, MSGPACK):
        (place / form.name).write_bytes(form.frame([form.event(event) for event in events]))
    return [str(place / form.name) for form in (JSON, MSGPACK)]


def _done(said: str, order: Order, batch: int) -> Done:
    rounds, seconds, cpu_s = said.split()
    return Done(0, int(rounds) * batch, float(seconds), float(cpu_s), event_bytes(order.kind))
