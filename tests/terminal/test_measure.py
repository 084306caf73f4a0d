"""The benches of the terminal run and count; what they say about time is nobody's failure."""

from __future__ import annotations

import pytest

from nautilus_tui.bench.terminal import _Market, _prepare, _quote
from nautilus_tui.terminal.measure import (
    OwnTable,
    PeerTable,
    key_to_paint,
    percentile,
    screen_cost,
    table_cost,
)
from nautilus_tui.terminal.mirror import Mirror

GRIDS = [[[f"{turn}{row}.{cell}0" for cell in range(4)] for row in range(10)] for turn in range(3)]


@pytest.mark.parametrize("table", [OwnTable, PeerTable])
def test_a_table_is_measured_with_all_it_writes(table: type[OwnTable] | type[PeerTable]) -> None:
    cost = table_cost(table(4), GRIDS, rate=10, seconds=0.5, size=(80, 20))
    assert cost.bytes_per_s > 0
    assert cost.writes_per_s > 0
    assert cost.cpu_percent > 0


def test_the_trade_workspace_writes_less_through_its_thrift() -> None:
    def measured(*, thrift: bool) -> float:
        market = _Market(1)

        def step(mirror: Mirror, turn: int) -> None:
            market.move()
            mirror.apply_records(_quote(i, market, turn + 1) for i in range(24))

        cost = screen_cost(_prepare, step, rate=10, seconds=1, size=(100, 30), fps=10, thrift=thrift)
        return cost.bytes_per_s

    assert 0 < measured(thrift=True) < measured(thrift=False)


def test_every_press_is_answered_by_a_paint() -> None:
    taken = key_to_paint(_prepare, None, rate=1, presses=4, size=(100, 30))
    assert len(taken) == 4
    assert all(milliseconds > 0 for milliseconds in taken)


def test_percentiles_are_values_that_were_measured() -> None:
    assert percentile([3.0, 1.0, 2.0], 0.5) == 2.0
    assert percentile(range(1, 101), 0.99) == 99
    assert percentile([7.0], 0.99) == 7.0
    with pytest.raises(ValueError, match="no values"):
        percentile([], 0.5)
