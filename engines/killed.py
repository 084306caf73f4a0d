"""What the kill switch does with one engine: hear it to its end, end it, put the books it left in order.

A paper engine's venue dies with its process, so the second path to its orders is its journal: a process
restores the books with the gate blocked, cancels, closes, verifies and ends. This module must not know of
the latch or of other engines.
"""

from __future__ import annotations

import asyncio
import fcntl
import os
import signal
import sys
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from decimal import Decimal

import msgspec

from data.kill import EngineKill, KillOrder
from data.paths import Home
from data.problems import EngineFailedError, NotFoundError, ProblemError
from data.records import FINAL_STATUSES, OrderUpdate, PositionUpdate
from engines import books, link, pidfile
from engines.forkserver import bind
from engines.link import KillNow, KillProgress
from engines.pidfile import PidFile, PidRecord
from engines.spec import EngineSpec

#: An engine that has blocked, is not done, and is silent for this long hangs.
SILENCE_S = 5.0
#: How long a process that restores the books may take until it is first heard of.
RESTORE_S = 45.0
#: A process that was sent SIGKILL is gone well within this.
GONE_S = 10.0
_POLL_S = 0.01

OnEngine = Callable[[EngineKill], None]


class Left(msgspec.Struct, frozen=True, kw_only=True):
    """What an engine's journal says is left."""

    orders: int = 0
    positions: dict[str, Decimal] = {}

    def nothing(self, *, flat: bool) -> bool:
        """Whether no order works and, if asked, nothing is held."""
        return not self.orders and not (flat and self.positions)

    def sentence(self) -> str:
        """Return what is left in words."""
        return f"{self.orders} working orders and {len(self.positions)} positions"


async def follow(
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter, on_engine: OnEngine, first_s: float
) -> str | None:
    """Hear an engine until it is latched; return what is wrong if it falls silent or ends before.

    ``first_s`` is how long it may take to say its first word.
    """
    bound = first_s
    try:
        while True:
            async with asyncio.timeout(bound):
                messages = await link.read_from_engine(reader)
            for message in messages:
                if isinstance(message, KillProgress):
                    bound = SILENCE_S
                    on_engine(message.progress)
                    if message.progress.state == "latched":
                        return None
    except TimeoutError:
        return f"silent for {bound:g} s"
    except (asyncio.IncompleteReadError, OSError):
        return "its link closed"
    except ProblemError as error:
        return error.detail
    finally:
        writer.close()


async def end_process(record: PidRecord) -> bool:
    """End the very process that a pid file names, with SIGKILL; return whether it is gone."""
    try:
        descriptor = os.pidfd_open(record.pid)
    except ProcessLookupError:
        return True
    try:
        # The descriptor is of one process, whoever has its number later: looked at first, then killed.
        if pidfile.is_alive(record):
            with suppress(ProcessLookupError):
                signal.pidfd_send_signal(descriptor, signal.SIGKILL)
    finally:
        os.close(descriptor)
    deadline = time.monotonic() + GONE_S
    while pidfile.is_alive(record):
        if time.monotonic() > deadline:
            return False
        await asyncio.sleep(_POLL_S)
    return True


def left_in_journal(home: Home, engine: str) -> Left:
    """Return what a journal says is left; blocking. Raises `JournalFailedError` if it cannot be read."""
    orders: dict[str, bool] = {}
    positions: dict[str, tuple[str, Decimal]] = {}
    with suppress(NotFoundError):
        for record in books.read_records(home.journal(engine), 0):
            if isinstance(record, OrderUpdate):
                orders[record.client_order_id] = record.status not in FINAL_STATUSES
            elif isinstance(record, PositionUpdate):
                positions[record.position_id] = (record.instrument, record.qty)
    held: dict[str, Decimal] = {}
    for instrument, qty in positions.values():
        held[instrument] = held.get(instrument, Decimal(0)) + qty
    return Left(
        orders=sum(orders.values()), positions={name: qty for name, qty in sorted(held.items()) if qty}
    )


async def put_in_order(home: Home, spec: EngineSpec, order: KillOrder, on_engine: OnEngine) -> None:
    """Have the books of an engine that does not run cancelled, closed if asked, and verified.

    Raises
    ------
    EngineFailedError
        If the process that does it fails; says why.

    """
    async with _alone(home, spec.engine):
        left = await asyncio.to_thread(left_in_journal, home, spec.engine)
        if left.nothing(flat=order.flatten):
            return  # another kill has done it meanwhile
        listener = bind(home.engine_socket(spec.engine))
        try:
            process = await _start(home, spec, order, listener.fileno())
        finally:
            listener.close()
        reader, writer = await asyncio.open_unix_connection(home.engine_socket(spec.engine))
        writer.write(link.encode(KillNow(order)))
        wrong = await follow(reader, writer, on_engine, RESTORE_S)
        if wrong is not None and process.returncode is None:
            with suppress(TimeoutError):
                async with asyncio.timeout(GONE_S):
                    await process.wait()
            if process.returncode is None:
                process.kill()
        code = await process.wait()
    if code != 0:
        words = PidFile(home.run, spec.engine).read_failure()
        said = words.detail if words is not None else f"exit code {code}; see {home.engine_log(spec.engine)}"
        raise EngineFailedError(f"its books could not be put in order from its journal: {said}")


async def _start(home: Home, spec: EngineSpec, order: KillOrder, listener: int) -> asyncio.subprocess.Process:
    told = {"spec": spec, "home": str(home.root), "recover": order, "listener": listener}
    home.logs.mkdir(parents=True, exist_ok=True)
    with home.engine_log(spec.engine).open("ab") as log:
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "engines.node.main",
            stdin=asyncio.subprocess.PIPE,
            stdout=log,
            stderr=log,
            pass_fds=(listener,),
            start_new_session=True,  # it goes on when whoever pulled the switch is interrupted
        )
    assert process.stdin is not None
    process.stdin.write(msgspec.json.encode(told))
    process.stdin.close()
    return process


@asynccontextmanager
async def _alone(home: Home, engine: str) -> AsyncIterator[None]:
    """Wait until no other kill sees to the same books."""
    path = home.run / f"engine-{engine}.recovery.lock"
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        while not _locked(descriptor):  # noqa: ASYNC110  # a file's lock tells nobody that it is free
            await asyncio.sleep(0.05)
        yield
    finally:
        os.close(descriptor)


def _locked(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
