"""A snapshot tells its topic whole: what ended while nobody listened is not shown any more."""

from __future__ import annotations

from dataclasses import dataclass

from data.records import PositionUpdate
from tests.terminal import scene


@dataclass
class Said:
    """One message of a stream."""

    type: str
    topic: str
    seq: int
    data: object


def test_a_position_closed_meanwhile_is_gone_and_its_last_mark_is_no_position() -> None:
    mirror = scene.mirror()
    assert len(mirror.position_rows(scene.ENGINE)) == 3
    left = [p for p in scene.positions() if p.seq and p.instrument == "ES.SIM"]
    mirror.apply([Said("snapshot", "positions.paper-1", 9, left)])
    assert [r.position.instrument for r in mirror.position_rows(scene.ENGINE)] == ["ES.SIM"]
    stale = next(p for p in scene.positions() if p.seq == 0)
    assert isinstance(stale, PositionUpdate)
    mirror.apply([Said("position_update", "marks.paper-1", 10, stale)])
    assert [r.position.instrument for r in mirror.position_rows(scene.ENGINE)] == ["ES.SIM"]


def test_orders_that_ended_meanwhile_are_not_working_any_more() -> None:
    mirror = scene.mirror()
    assert len(mirror.working_orders(scene.ENGINE)) == 4
    known = [o for o in scene.orders() if o.status in ("accepted", "filled")][:2]
    mirror.apply([Said("snapshot", "orders.paper-1", 9, known)])
    assert {o.client_order_id for o in mirror.working_orders(scene.ENGINE)} == {
        o.client_order_id for o in known if o.status == "accepted"
    }


def test_log_lines_told_again_are_not_shown_twice() -> None:
    mirror = scene.mirror()
    mirror.apply([Said("snapshot", "engines.paper-1.log", 9, scene.logs())])
    assert len([line for line in mirror.logs if line.engine == scene.ENGINE]) == len(scene.logs())
