"""The past of a simulated market that has just come into being, written once into the history.

The market trades while its past is being written, so whether it has one is asked of its bars, and its
past ends where its first recording begins. This module must not know of engines' processes.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from engines.market.universe import chosen
from engines.spec import EngineSpec

if TYPE_CHECKING:
    from data.history import History


def write_past(history: History, spec: EngineSpec, now_ns: int) -> int:
    """Write the past of what a simulated engine lists and has no bars of; return how many bars.

    Blocks. An engine that replays, or has no past by its settings, gets none.

    Raises:
        StoreFailedError: the history cannot be read or written.
    """
    if spec.feed != "simulated" or not spec.history_minutes:
        return 0
    mine = [
        holding
        for holding in history.catalogue()
        if holding.series.engine == spec.engine and holding.series.synthetic
    ]
    told = {holding.series.instrument for holding in mine if holding.series.kind == "bars"}
    missing = tuple(sorted({listing.id for listing in chosen(spec.instruments)} - told))
    if not missing:
        return 0
    # Models of markets are loaded by the first engine that has one, not by every daemon.
    from engines.market.past import opening_bars

    end = min((holding.first for holding in mine), default=now_ns)
    return history.write_bars(
        list(opening_bars(missing, spec.seed, spec.history_minutes, end, engine=spec.engine))
    )
