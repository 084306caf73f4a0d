"""Use of limits in the store: kept over a restart, the latest of each, forgotten after their time."""

from __future__ import annotations

from pathlib import Path

from data.state import State
from data.use_store import KEPT_DAYS, KEPT_FORECASTS, Foretold, Tally, UseSample

NOW = 30_000_000


def sample(limit_id: str, minute: int, value: float = 1.0) -> UseSample:
    return UseSample(limit_id=limit_id, minute=minute, value=value, limit=4.0, worst=value / 4 + 0.1)


def tally(forecasts: int) -> Tally:
    return Tally(limit_id="a", minutes=5, forecasts=forecasts, breached=1, squares=0.5, until=NOW)


async def test_what_is_kept_is_there_after_a_restart(tmp_path: Path) -> None:
    state = State(tmp_path / "state.duckdb")
    state.open()
    samples = [sample(name, NOW + at, at / 7) for name in ("a", "b") for at in range(20)]
    foretold = [Foretold(limit_id="a", minute=NOW, chances=(0.1, 1 / 3, 1.0))]
    await state.use.put(samples, foretold, [tally(1)])
    await state.use.put([], (), [tally(2)])
    state.close()
    again = State(tmp_path / "state.duckdb")
    again.open()
    assert await again.use.samples(100) == samples
    assert await again.use.samples(3) == [*samples[17:20], *samples[-3:]]
    await again.use.put([sample("a", NOW + 1450)])
    assert [one.minute for one in await again.use.samples(100)][:10] == [
        *range(NOW + 11, NOW + 20),
        NOW + 1450,
    ]
    assert await again.use.foretold(NOW) == foretold
    assert await again.use.foretold(NOW + 1) == []
    assert await again.use.tallies() == [tally(2)]
    again.close()


async def test_what_is_old_is_forgotten_and_how_it_came_out_is_not(tmp_path: Path) -> None:
    state = State(tmp_path / "state.duckdb")
    state.open()
    edge = NOW - KEPT_DAYS * 1440
    assert edge < NOW - 1440
    late = NOW - KEPT_FORECASTS
    await state.use.put(
        [sample("a", edge - 1), sample("a", edge)],
        [Foretold(limit_id="a", minute=at, chances=(0.0, 0.0, 0.0)) for at in (late - 1, late)],
        [tally(1)],
    )
    await state.use.forget(NOW)
    assert [one.minute for one in await state.use.samples(10)] == [edge]
    assert [one.minute for one in await state.use.foretold(0)] == [late]
    assert await state.use.tallies() == [tally(1)]
    state.close()
