"""Forecasts from looks of the monitor: the store is real, only the clock is the test's."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from decimal import Decimal
from pathlib import Path

import pytest

from data.limits import BreachForecast, Limit, LimitLevel, LimitStatus, LimitType
from data.state import State
from data.use_store import MINUTE_NS
from nautilus_tui.daemon.risk.forecast import BreachForecasts
from risk.forecast import record
from risk.forecast.estimate import NEEDED
from risk.portfolio import EngineMoney, Holding, Portfolio

START = 29_000_000 * MINUTE_NS


class Desk:
    """The keeper over a store, a clock that the test turns, and what was published."""

    def __init__(self, path: Path) -> None:
        self.state = State(path)
        self.state.open()
        self.now = START
        self.published: list[list[BreachForecast]] = []
        self.keeper = self.begin()

    def begin(self) -> BreachForecasts:
        """Return a new keeper over the store, as a restart has it."""
        return BreachForecasts(self.state.use, self.take, lambda: self.now, look_seconds=5.0)

    def take(self, forecasts: Sequence[BreachForecast]) -> None:
        self.published.append(list(forecasts))

    async def minute(self, *statuses: LimitStatus, portfolio: Portfolio | None = None) -> None:
        """Let the monitor look once, and a minute pass."""
        self.keeper.look(statuses, portfolio or book())
        await self.keeper.settled()
        self.now += MINUTE_NS


@pytest.fixture
async def desk(tmp_path: Path) -> AsyncIterator[Desk]:
    desk = Desk(tmp_path / "state.duckdb")
    yield desk
    await desk.keeper.close()
    desk.state.close()


def book(day_pnl: str = "0", equity: str = "1000") -> Portfolio:
    money = EngineMoney(
        engine="paper-1",
        currency="USD",
        equity=Decimal(equity),
        day_pnl=Decimal(day_pnl),
        synthetic=True,
        ts=0,
    )
    holdings = tuple(
        Holding(
            engine="paper-1",
            instrument=name,
            qty=Decimal(qty),
            mark=Decimal(10),
            currency="USD",
            rate=Decimal(1),
            asset_class="equity",
            synthetic=True,
            ts=0,
        )
        for name, qty in (("AAPL.SIM", "30"), ("MSFT.SIM", "-10"))
    )
    return Portfolio(holdings=holdings, money=(money,), synthetic=True, ts=0)


def status(
    value: str | None,
    limit_type: LimitType = "gross_exposure",
    *,
    hard: str = "500",
    level: LimitLevel = "ok",
    version: int = 1,
    reason: str | None = None,
) -> LimitStatus:
    limit = Limit(
        id=f"{limit_type}:portfolio:notional",
        limit_type=limit_type,
        scope="portfolio",
        hard=Decimal(hard),
        unit="notional",
        effective=Decimal(hard),
        version=version,
        ts_created=0,
        ts_updated=0,
        updated_by="test",
    )
    use = None if value is None else Decimal(value) / limit.effective
    return LimitStatus(
        limit=limit,
        value=None if value is None else Decimal(value),
        use=use,
        headroom=None,
        level=level,
        reason=reason,
        synthetic=True,
        ts=0,
    )


async def wander(desk: Desk, count: int) -> None:
    for at in range(count):
        await desk.minute(status(str(300 + 20 * (at % 4))))


async def test_too_few_samples_say_so_and_enough_tell(desk: Desk) -> None:
    await wander(desk, NEEDED)
    (few,) = desk.published[-1]
    assert (few.p5, few.p240, few.minutes_to_breach) == (None, None, None)
    assert few.reason == f"{NEEDED - 2} changes from minute to minute were seen, {NEEDED} are needed"
    await wander(desk, 3)
    (enough,) = desk.published[-1]
    assert enough.model == record.NAME
    assert enough.samples == NEEDED + 1
    assert enough.p5 is not None
    assert enough.p30 is not None
    assert enough.p240 is not None
    assert 0 < enough.p5 < enough.p30 < enough.p240 < 1
    assert {one.name for one in enough.drivers} == {"distance", "volatility", "drift", "position AAPL.SIM"}
    assert enough.synthetic
    assert desk.keeper.forecasts() == [enough]
    assert desk.keeper.chance(enough.limit_id) == Decimal(f"{enough.p240:.6f}")
    assert desk.keeper.chance("another") is None


async def test_a_restart_keeps_the_samples_and_tells_at_the_first_look(desk: Desk) -> None:
    await wander(desk, NEEDED + 3)
    before = desk.published[-1][0]
    kept = await desk.state.use.samples(1000)
    assert [one.minute for one in kept] == [START // MINUTE_NS + at for at in range(NEEDED + 2)]
    assert kept[1].value == 320.0
    desk.keeper = desk.begin()
    assert desk.keeper.forecasts() == []
    desk.keeper.look([status("340")], book())
    (unasked,) = desk.keeper.forecasts()
    assert unasked.p240 is None
    assert unasked.reason is not None
    await desk.keeper.settled()
    (after,) = desk.published[-1]
    assert after.samples == before.samples
    assert after.p240 is not None
    assert len(await desk.state.use.samples(1000)) == len(kept)  # the minute is not over


async def test_a_breach_between_two_minutes_is_seen_and_judged(desk: Desk) -> None:
    await wander(desk, NEEDED + 40)
    desk.keeper.look([status("520", level="breached")], book())
    await wander(desk, 10)
    tally = next(one for one in await desk.state.use.tallies() if one.minutes == 5)
    assert tally.breached == 5
    here = {one.minutes: one for one in desk.keeper.scores() if one.place == "here"}
    assert here[5].brier is None
    assert here[5].reason is not None
    assert "100 are needed" in here[5].reason
    await wander(desk, 70)
    told = next(one for one in desk.keeper.scores() if one.place == "here" and one.minutes == 5)
    assert (told.breached, told.reason) == (5, None)
    assert told.brier is not None
    assert told.base_brier == pytest.approx(5 / told.forecasts * (1 - 5 / told.forecasts))
    assert [one for one in desk.keeper.scores() if one.place == "records"] == list(record.RECORDED)


async def test_a_breach_now_is_certain_and_what_cannot_be_told_says_why(desk: Desk) -> None:
    await desk.minute(
        status("520", level="breached"),
        status("500", "net_exposure"),
        status(None, "drawdown", level="unknown", reason="the highest equity is not known"),
        status("1", "order_notional"),
        status("1", "turnover", level="off"),
    )
    told = {one.limit_id.partition(":")[0]: one for one in desk.published[-1]}
    assert set(told) == {"gross_exposure", "net_exposure", "drawdown", "order_notional"}
    assert (told["gross_exposure"].p5, told["gross_exposure"].reason) == (1.0, "it is breached now")
    assert told["gross_exposure"].minutes_to_breach == 0.0
    assert told["net_exposure"].p5 is None  # at the limit is not over it
    assert told["drawdown"].reason == "the highest equity is not known"
    assert told["order_notional"].reason == "an order brings it about, not time"


async def test_a_days_gain_is_distance_to_a_days_loss(desk: Desk) -> None:
    for at in range(NEEDED + 2):
        gain = Decimal(100 + 10 * (at % 3))
        await desk.minute(status("0", "daily_loss", hard="50"), portfolio=book(day_pnl=f"{gain:f}"))
    kept = await desk.state.use.samples(1000)
    assert [one.value for one in kept[:4]] == pytest.approx([-100.0, -110.0, -120.0, -100.0])
    (told,) = desk.published[-1]
    assert told.p240 is not None
    assert told.reason is None


async def test_a_limit_set_anew_is_not_judged_by_what_was_said_of_the_old_one(desk: Desk) -> None:
    await wander(desk, NEEDED + 8)
    before = await desk.state.use.tallies()
    for at in range(4):
        await desk.minute(status(str(300 + 20 * at), hard="400", version=2))
    after = await desk.state.use.tallies()
    assert sum(one.forecasts for one in after) <= sum(one.forecasts for one in before) + 1
    (told,) = desk.published[-1]
    assert told.samples >= NEEDED  # its value has moved as before


async def test_a_store_that_fails_is_a_problem_and_forecasts_go_on(desk: Desk) -> None:
    await wander(desk, NEEDED + 3)
    desk.state.close()
    await desk.minute(status("340"))
    await desk.minute(status("320"))
    assert desk.published[-1][0].p240 is not None
    (problem,) = desk.keeper.problems()
    assert problem.startswith("samples of limits' use are not kept: ")
