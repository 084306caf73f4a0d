"""Bench of the gate: how long an order is judged by many limits, in a real engine of its own process.

Beside it stands what NautilusTrader's RiskEngine takes over the same orders. This module must not know how an
order is judged.
"""

from __future__ import annotations

import json
import subprocess
import sys
from typing import Final

from nautilus_tui.bench.rows import BenchRow, row

_LIMITS: Final = 500
_ORDERS: Final = 4_000
_PEER: Final = "NautilusTrader's RiskEngine, the same orders"


def run(scale: int = 1) -> list[BenchRow]:
    """Measure the gate with 500 limits; ``scale`` multiplies them, as far as there are scopes."""
    command = [sys.executable, "-m", "engines.node.gauge", str(_LIMITS * scale), str(_ORDERS)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    found = json.loads(done.stdout.strip().splitlines()[-1])
    detail = f"{found['limits']:,} limits, positions and working orders in every instrument, prices moving"
    return [
        row(
            "gate, an order, p50",
            found["gate_wall_p50"],
            "µs",
            better="less",
            peer=(_PEER, found["node_wall_p50"]),
            detail=detail,
        ),
        row(
            "gate, an order, p99",
            found["gate_wall_p99"],
            "µs",
            better="less",
            limit=50,
            goal="p99 ≤ 50 µs",
            peer=(_PEER, found["node_wall_p99"]),
            detail=detail,
        ),
        row(
            "gate, an order, p99 of its own work",
            found["gate_work_p99"],
            "µs",
            better="less",
            peer=(_PEER, found["node_work_p99"]),
            detail="processor time of the thread: others on the machine do not count",
        ),
    ]
