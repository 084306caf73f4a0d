"""How long from the key to the block: the kill switch from within a process, and as the program people type.

Each round pulls the real switch on an engine that trades, and releases it. This module must not know how
a kill is carried out.
"""

from __future__ import annotations

import asyncio
import sys
import time
from collections.abc import Sequence

import msgspec

from data.kill import UNLOCK_PHRASE, KillOrder, KillStatus
from data.paths import Home
from data.problems import EngineFailedError
from engines.killswitch import KillSwitch
from engines.spec import EngineSpec
from nautilus_tui.bench.engines import bench_supervisor, percentile
from nautilus_tui.bench.rows import BenchRow, row

ROUNDS, PROGRAM_ROUNDS = 40, 8
_ENGINE = "bench-1"


def run(scale: int = 1) -> list[BenchRow]:
    """Measure both; ``scale`` multiplies the rounds."""
    return asyncio.run(_measure(ROUNDS * scale, PROGRAM_ROUNDS * scale))


async def _measure(rounds: int, program_rounds: int) -> list[BenchRow]:
    async with bench_supervisor() as (supervisor, _, home):
        await supervisor.start(EngineSpec(engine=_ENGINE, record=False))
        within = [await _within(home, number) for number in range(rounds)]
        typed = [await _typed(home) for _ in range(program_rounds)]
    return [
        *_rows("kill switch pulled → blocked", within, 100.0, f"{rounds} pulls, the latch synced first"),
        *_rows(
            "nautilus-tui kill: process start → blocked",
            typed,
            1000.0,
            f"{program_rounds} runs of the program",
        ),
    ]


def _rows(name: str, values: Sequence[float], limit: float, detail: str) -> list[BenchRow]:
    return [
        row(f"{name}, p50", percentile(values, 0.5), "ms", better="less", detail=detail),
        row(
            f"{name}, p95",
            percentile(values, 0.95),
            "ms",
            better="less",
            limit=limit,
            goal=f"≤ {limit:g} ms",
            detail=detail,
        ),
    ]


async def _within(home: Home, number: int) -> float:
    """Return the milliseconds from the pull to the engine's block."""
    begun = time.time_ns()
    order = KillOrder(id=f"bench-{number}-{begun}", by="bench", via="bench", ts=begun)
    return await _released(home, begun, await KillSwitch(home).pull(order))


async def _typed(home: Home) -> float:
    """Return the milliseconds from the start of the program to the engine's block."""
    begun = time.time_ns()
    program = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "nautilus_tui.cli.main",
        "--home",
        str(home.root),
        "--json",
        "kill",
        stdout=asyncio.subprocess.PIPE,
    )
    await program.communicate()
    return await _released(home, begun, KillSwitch(home).status())


async def _released(home: Home, begun: int, status: KillStatus) -> float:
    """Release the switch and return how long after ``begun`` the engine had blocked, in milliseconds."""
    blocked = [engine.ts_blocked for engine in status.engines if engine.engine == _ENGINE]
    if not status.verified or not blocked or blocked[0] is None:
        raise EngineFailedError(f"the kill is not verified: {msgspec.json.encode(status).decode()}")
    await KillSwitch(home).release(UNLOCK_PHRASE, "bench")
    return (blocked[0] - begun) / 1e6
