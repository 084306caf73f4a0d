"""Benches of engines: how fast one starts, how fast orders go through it, how fast ticks do.

Everything is measured on real engine processes in a home of its own that is removed afterwards.
This module must not know of HTTP or screens.
"""

from __future__ import annotations

import asyncio
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from decimal import Decimal
from pathlib import Path

import msgspec

from data.commands import SubmitOrder
from data.facts import Record
from data.paths import Home
from data.problems import EngineFailedError
from data.records import EngineLog, EngineStatus, JournalRecord
from engines import link
from engines.link import Heartbeat, Hello
from engines.spec import EngineSpec
from engines.supervisor import Supervisor
from nautilus_tui.bench.rows import BenchRow, row
from risk.limits import GateLimits, OrderRate

_UNLIMITED = GateLimits(order_notional=None, position_size=None, order_rate=OrderRate(1_000_000, 1))
_ENGINE = "bench"


class _Sink:
    """Counts what engines say; keeps the latest status and the journal's position."""

    def __init__(self) -> None:
        self.seq: dict[str, int] = {}
        self.records = 0
        self.statuses: dict[str, EngineStatus] = {}
        self.beat = asyncio.Event()

    def last_seq(self, engine: str) -> int:
        return self.seq.get(engine, 0)

    async def journalled(self, engine: str, records: Sequence[JournalRecord]) -> None:
        self.seq[engine] = records[-1].seq
        self.records += len(records)

    def conflated(self, engine: str, records: Sequence[Record]) -> None:
        self.records += len(records)

    def status(self, status: EngineStatus) -> None:
        self.statuses[status.id] = status
        self.beat.set()

    def log(self, engine: str, lines: Sequence[EngineLog]) -> None:
        self.records += len(lines)

    def spec_changed(self, spec: EngineSpec) -> None:
        """Settings of a bench are not kept."""


@asynccontextmanager
async def bench_supervisor() -> AsyncIterator[tuple[Supervisor, _Sink, Home]]:
    """Yield a supervisor over a home of its own, with what it tells."""
    with tempfile.TemporaryDirectory(prefix="ntui-bench-") as folder:
        home = Home(Path(folder)).ensure()
        sink = _Sink()
        supervisor = Supervisor(home, sink, [])
        await supervisor.open()
        try:
            yield supervisor, sink, home
        finally:
            await supervisor.close(stop_engines=True)


def percentile(values: Sequence[float], share: float) -> float:
    """Return the value that ``share`` of the values do not pass."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]


# ---------------------------------------------------------------- start


def run_start(scale: int = 1) -> list[BenchRow]:
    """Measure engine start → RUNNING from the warm forkserver against a cold process."""
    return asyncio.run(_start(20 * scale))


async def _start(rounds: int) -> list[BenchRow]:
    async with bench_supervisor() as (supervisor, _, home):
        await supervisor.start(EngineSpec(engine="warm-up", record=False))
        times = []
        for number in range(rounds):
            begun = time.perf_counter()
            await supervisor.start(EngineSpec(engine=f"b{number}", record=False))
            times.append((time.perf_counter() - begun) * 1000)
            await supervisor.stop(f"b{number}")
        cold = [await _cold_start(home, f"cold{n}") for n in range(3)]
    warm = statistics.median(times)
    peer = statistics.median(cold)
    return [
        row(
            "engine start → RUNNING, p95",
            percentile(times, 0.95),
            "ms",
            better="less",
            limit=150,
            goal="p95 ≤ 150 ms",
            detail=f"{rounds} starts, one after the other",
        ),
        row(
            "engine start → RUNNING, median",
            warm,
            "ms",
            better="less",
            peer=("cold python -m engines.node.main", peer),
            least_ratio=20,
            goal="≥ 20 ×",
            detail="cold: median of 3",
        ),
    ]


async def _cold_start(home: Home, engine: str) -> float:
    """Start an engine as a process of its own and return the milliseconds until it runs."""
    order = msgspec.json.encode({"spec": EngineSpec(engine=engine, record=False), "home": str(home.root)})
    begun = time.perf_counter()
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "engines.node.main",
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.DEVNULL,
    )
    assert process.stdin is not None
    process.stdin.write(order)
    process.stdin.close()
    path = home.engine_socket(engine)
    while not path.exists():
        if process.returncode is not None:
            raise EngineFailedError(f"the cold engine ended with {process.returncode}")
        await asyncio.sleep(0.005)
    reader, writer = await asyncio.open_unix_connection(path)
    writer.write(link.encode(Hello(link.PROTOCOL_VERSION, 0, "bench")))
    state = ""
    while state != "running":
        for message in await link.read_from_engine(reader):
            if isinstance(message, link.Welcome | Heartbeat):
                state = message.status.state
    elapsed = (time.perf_counter() - begun) * 1000
    writer.write(link.encode(link.Stop("bench")))
    await process.wait()
    writer.close()
    return elapsed


# ---------------------------------------------------------------- orders


def run_orders(scale: int = 1) -> list[BenchRow]:
    """Measure orders through link, desk, gate, journal and paper venue and back."""
    return asyncio.run(_orders(300 * scale))


async def _orders(count: int) -> list[BenchRow]:
    async with bench_supervisor() as (supervisor, sink, _):
        spec = EngineSpec(engine=_ENGINE, speed="50", record=False, limits=_UNLIMITED, log_level="warning")
        await supervisor.start(spec)
        await _next_beat(sink)
        alone = [await _one(supervisor, n) for n in range(count)]
        begun = time.perf_counter()
        await asyncio.gather(*(_one(supervisor, count + n) for n in range(count)))
        together = count / (time.perf_counter() - begun)
    return [
        row(
            "order → fill confirmed, journalled and synced, p50",
            statistics.median(alone),
            "ms",
            better="less",
            detail=f"{count} market orders, one after the other",
        ),
        row(
            "order → fill confirmed, journalled and synced, p99",
            percentile(alone, 0.99),
            "ms",
            better="less",
            limit=25,
            goal="p99 ≤ 25 ms",
            detail="without the screen",
        ),
        row(
            "orders confirmed, sent together", together, "orders/s", better="more", detail=f"{count} at once"
        ),
    ]


async def _one(supervisor: Supervisor, number: int) -> float:
    command = SubmitOrder(
        engine=_ENGINE,
        client_order_id=f"B-{number}",
        instrument="EURUSD.SIM",
        side="buy" if number % 2 else "sell",
        qty=Decimal(1000),
    )
    begun = time.perf_counter()
    await supervisor.execute(command)
    return (time.perf_counter() - begun) * 1000


async def _next_beat(sink: _Sink) -> None:
    sink.beat.clear()
    await sink.beat.wait()


# ---------------------------------------------------------------- ticks


def run_engine(scale: int = 1) -> list[BenchRow]:
    """Measure ticks per second through an engine with gate, recorder and link on, against a bare node."""
    return asyncio.run(_ticks(5 * scale))


async def _ticks(seconds: int) -> list[BenchRow]:
    bare = await asyncio.to_thread(_bare_rate, seconds)
    async with bench_supervisor() as (supervisor, sink, _):
        await supervisor.start(EngineSpec(engine=_ENGINE, speed="max", log_level="error"))
        await _next_beat(sink)
        seen = []
        for _round in range(seconds):
            await _next_beat(sink)
            rate = sink.statuses[_ENGINE].tick_rate
            if rate is not None:
                seen.append(rate)
    again = await asyncio.to_thread(_bare_rate, seconds)
    return [
        row(
            "ticks through an engine, gate, recorder and link on",
            statistics.median(seen),
            "ticks/s",
            better="more",
            peer=("the same NautilusTrader node bare, before and after", (bare + again) / 2),
            least_ratio=0.9,
            goal="≥ 0.9 ×",
            detail="quotes and trades of the simulated venue, with book",
        )
    ]


def _bare_rate(seconds: int) -> float:
    command = [sys.executable, "-m", "engines.node.bare", str(seconds)]
    run = subprocess.run(command, capture_output=True, text=True, check=True)
    return float(run.stdout.strip().splitlines()[-1])
