"""A bare NautilusTrader node on the simulated market: the peer that an engine is measured against.

`python -m engines.node.bare SECONDS` prints ticks per second: the same feed at full speed and the same
paper venue, without gate, books, recorder or link.
"""

from __future__ import annotations

import asyncio
import sys
import tempfile
import time
from pathlib import Path

import uvloop

from data.paths import Home
from engines.node import assembly
from engines.spec import EngineSpec

_WARM_UP_S = 1.0


async def rate(seconds: float) -> float:
    """Return the ticks per second that a bare node takes in over so many seconds."""
    with tempfile.TemporaryDirectory(prefix="ntui-bare-") as folder:
        home = Home(Path(folder)).ensure()
        spec = EngineSpec(engine="bare", speed="max", log_level="error")
        node = assembly.make_node(spec, asyncio.get_running_loop())
        feed = await assembly.add_feed(node, spec, home)
        assembly.add_venues(node, spec, feed.instruments)
        running = asyncio.get_running_loop().create_task(node.run_async())
        while not node.trader.is_running:  # noqa: ASYNC110  # a node tells nobody that it runs
            await asyncio.sleep(0.01)
        feed.begin()
        await asyncio.sleep(_WARM_UP_S)
        ticks, begun = feed.ticks, time.perf_counter()
        await asyncio.sleep(seconds)
        found = (feed.ticks - ticks) / (time.perf_counter() - begun)
        await node.stop_async()
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
    return found


def main() -> None:
    """Measure for as many seconds as the only argument says, and print the figure."""
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        print(f"{runner.run(rate(float(sys.argv[1]))):.1f}")


if __name__ == "__main__":
    main()
