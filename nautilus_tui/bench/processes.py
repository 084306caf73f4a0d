"""Child processes of a bench and talking to them over a pipe. Must not know what they do."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from multiprocessing import get_context
from multiprocessing.connection import Connection as Pipe
from typing import Any

PATIENCE_S = 60.0


@contextmanager
def child(target: Any, *args: Any) -> Iterator[Pipe]:
    """Run a function in a fresh process that holds the other end of a pipe, until told ``stop``."""
    context = get_context("spawn")
    mine, theirs = context.Pipe()
    process = context.Process(target=target, args=(theirs, *args), daemon=True)
    process.start()
    theirs.close()
    try:
        yield mine
    finally:
        with suppress(BrokenPipeError):  # it ended by itself: whoever waits for its answer says why
            mine.send("stop")
        process.join(5)
        if process.is_alive():
            process.kill()
            process.join()
        mine.close()


def answer(pipe: Pipe, question: object = None) -> Any:
    """Ask and wait; raises TimeoutError or EOFError when nothing comes."""
    if question is not None:
        pipe.send(question)
    if not pipe.poll(PATIENCE_S):
        raise TimeoutError(f"the bench's process did not answer {question!r}")
    return pipe.recv()
