"""Use of limits over time as the store sums it up, against the same sums by hand."""

from __future__ import annotations

import math
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from data.state import State
from data.use_store import MINUTE_NS, UseSample
from data.use_summary import POINTS, UseHistory

START = 30_000_000


@pytest.fixture
def state(tmp_path: Path) -> Iterator[State]:
    found = State(tmp_path / "state.duckdb")
    found.open()
    yield found
    found.close()


def sample(limit_id: str, minute: int, value: float, limit: float = 100.0) -> UseSample:
    worst = 0.0 if limit == 0 else value / limit * 1.05
    return UseSample(limit_id=limit_id, minute=START + minute, value=value, limit=limit, worst=worst)


async def test_of_nothing_there_is_nothing(state: State) -> None:
    assert await state.use_summary.history(0) == UseHistory()


async def test_use_is_summed_up_by_limit_the_most_used_first(state: State) -> None:
    low = [sample("leverage:engine:a:ratio", minute, minute % 50) for minute in range(1000)]
    high = [sample("var:portfolio:ratio", minute, 20 + minute % 90) for minute in range(1000)]
    zero = [sample("net_exposure:portfolio:ratio", minute, 5, 0.0) for minute in range(10)]
    await state.use.put([*low, *high, *zero])
    found = await state.use_summary.history(START + 100)
    assert [one.limit_id for one in found.limits] == ["var:portfolio:ratio", "leverage:engine:a:ratio"]
    first = found.limits[0]
    uses = [one.value / 100 for one in high[100:]]
    assert first.minutes == 900
    assert math.isclose(first.mean, sum(uses) / 900)
    assert math.isclose(first.p95, sorted(uses)[math.ceil(0.95 * 900) - 1])
    assert math.isclose(first.highest, max(uses) * 1.05)
    assert math.isclose(first.latest, uses[-1])
    assert math.isclose(first.warned, sum(use * 1.05 >= 0.8 for use in uses) / 900)
    assert math.isclose(first.over, sum(use * 1.05 >= 1 for use in uses) / 900)
    assert found.width == 5
    assert len({one.ts for one in found.points}) == 180 <= POINTS
    of_first = [one for one in found.points if one.limit_id == first.limit_id]
    assert of_first[0].ts == (START + 100) * MINUTE_NS
    assert math.isclose(of_first[0].highest, max(uses[:5]) * 1.05)
    only = await state.use_summary.history(0, scope="engine:a")
    assert [one.limit_id for one in only.limits] == ["leverage:engine:a:ratio"]


@given(st.dictionaries(st.integers(0, 3000), st.floats(0, 300), min_size=1, max_size=40))
@settings(max_examples=15, deadline=None, suppress_health_check=list(HealthCheck))
async def test_points_hold_the_highest_and_no_more_than_can_be_drawn(
    tmp_path_factory: pytest.TempPathFactory, rows: dict[int, float]
) -> None:
    state = State(tmp_path_factory.mktemp("use") / "state.duckdb")
    state.open()
    try:
        await state.use.put([sample("a:b:c", minute, value) for minute, value in rows.items()])
        found = await state.use_summary.history(0)
    finally:
        state.close()
    assert len(found.points) <= POINTS
    assert math.isclose(max(one.highest for one in found.points), found.limits[0].highest)
    starts = [one.ts // MINUTE_NS for one in found.points]
    for minute in rows:
        assert any(start <= START + minute < start + found.width for start in starts)
