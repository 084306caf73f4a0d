"""How the engine's own process fares: memory, processor, event-loop lag, tick rate.

This module must not know what the engine trades.
"""

from __future__ import annotations

import asyncio
import time

import psutil

from engines.busy import Busy

#: How often the loop is asked whether it comes round in time.
_PROBE_S = 0.05


class Telemetry:
    """Measures the process it runs in."""

    def __init__(self) -> None:
        self._process = psutil.Process()
        self._busy = Busy(time.process_time)
        self._worst_lag_s = 0.0
        self._ticks = 0
        self._ticks_at = time.monotonic()
        self.started_ns = time.time_ns()

    async def watch_loop(self) -> None:
        """Probe the event loop for ever; lag is how much later than asked it came round."""
        while True:
            asked = time.monotonic()
            await asyncio.sleep(_PROBE_S)
            self._worst_lag_s = max(self._worst_lag_s, time.monotonic() - asked - _PROBE_S)

    def take_lag_ms(self) -> float:
        """Return the worst lag since the last call, in milliseconds."""
        lag, self._worst_lag_s = self._worst_lag_s, 0.0
        return lag * 1000

    def tick_rate(self, ticks: int) -> float:
        """Return ticks per second since the last call, given the running count."""
        now = time.monotonic()
        rate = (ticks - self._ticks) / max(now - self._ticks_at, 1e-9)
        self._ticks, self._ticks_at = ticks, now
        return rate

    def rss_bytes(self) -> int:
        """Return resident memory in bytes."""
        return int(self._process.memory_info().rss)

    def cpu_percent(self) -> float | None:
        """Return processor use of late, in percent of one core; None: too little time passed to tell."""
        return self._busy.percent()
