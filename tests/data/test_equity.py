"""Equity in the store: samples, days, peaks, and several engines as one series."""

from __future__ import annotations

import asyncio
import datetime as dt
from decimal import Decimal
from pathlib import Path

from data.equity_store import EquitySample, Peak, VarDay
from data.series import combined
from data.state import State

MINUTE = 60 * 1_000_000_000
DAY = 1440 * MINUTE
START = 20_000 * DAY


def sample(engine: str, ts: int, equity: str, *, currency: str = "USD") -> EquitySample:
    return EquitySample(
        engine=engine,
        ts=ts,
        equity=Decimal(equity),
        currency=currency,
        realized=Decimal("1.5"),
        synthetic=True,
    )


def test_what_was_kept_is_there_after_a_restart(tmp_path: Path) -> None:
    async def story() -> None:
        state = State(tmp_path / "state.duckdb")
        state.open()
        samples = [sample("a", START + n * MINUTE, f"{100 + n}.10") for n in range(3)]
        samples += [sample("a", START + DAY, "99.00")]
        peak = Peak(engine="a", ts=START + 2 * MINUTE, equity=Decimal("102.10"), currency="USD")
        await state.equity.put(samples, [peak])
        await state.equity.put([sample("a", START, "7")])  # a sample is told once
        var = VarDay(
            book="a", day=dt.date(2024, 10, 4), var_99=3.5, equity=Decimal(100), currency="USD", basis="1d",
            synthetic=True,
        )  # fmt: skip
        await state.equity.put_var([var])
        state.close()
        again = State(tmp_path / "state.duckdb")
        again.open()
        assert await again.equity.samples("a") == samples
        assert await again.equity.samples("a", START + MINUTE) == samples[1:]
        assert await again.equity.samples("b") == []
        assert [one.equity for one in await again.equity.days("a")] == [Decimal(7), Decimal("99.00")]
        assert await again.equity.peaks() == [peak]
        assert await again.equity.engines() == ["a"]
        assert await again.equity.var_days("a") == [var]
        await again.equity.forget(START + MINUTE)
        assert len(await again.equity.samples("a")) == 3
        assert len(await again.equity.days("a")) == 2
        again.close()

    asyncio.run(story())


def test_engines_together_count_when_all_are_known() -> None:
    one = [sample("a", START + n * MINUTE, str(100 + n)) for n in range(5)]
    other = [sample("b", START + n * MINUTE, str(50 + n)) for n in (1, 3)]
    series = combined([*one, *other], MINUTE)
    assert series.times == tuple(START + n * MINUTE for n in (0, 1, 3, 4))  # b is not known at 2
    assert series.equity == (Decimal(100), Decimal(152), Decimal(156), Decimal(104))
    assert series.flows == (Decimal(0), Decimal(51), Decimal(0), Decimal(-53))
    assert series.engines == ("a", "b")
    assert series.currency == "USD"
    assert series.synthetic
    assert series.notes == ("1 periods are left out: not every engine's equity is known in them",)
    assert series.peak == Decimal(156)


def test_another_currency_is_left_out_and_said() -> None:
    series = combined([sample("a", START, "1"), sample("b", START, "2", currency="EUR")], MINUTE)
    assert series.equity == (Decimal(1),)
    assert series.notes == ("b is left out: its equity is not in USD",)


def test_of_several_in_one_period_the_last_counts() -> None:
    series = combined([sample("a", START + 5, "1"), sample("a", START + 9, "2")], DAY)
    assert series.equity == (Decimal(2),)
    assert series.times == (START + 9,)
    assert len(combined([], DAY)) == 0
    assert combined([], DAY).currency is None
