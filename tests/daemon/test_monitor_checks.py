"""Checks one by one, over made-up engines and a real store: failures, the unknown, adjustments, warnings."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from data.limits import Alert, AutoAdjust, Limit
from data.problems import StoreFailedError
from data.records import Fill
from data.state import State
from nautilus_tui.bench.risk_cycle import MadeUp, made_up
from nautilus_tui.daemon.risk.responses import UNKNOWN, UNKNOWN_NS, WARN

D = Decimal
POSITIONS, LIMITS = 6, 60


class Clock:
    """A clock that tests turn."""

    now = 1_700_000_000_000_000_000

    def __call__(self) -> int:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
async def made(tmp_path: Path, clock: Clock) -> AsyncIterator[MadeUp]:
    state = State(tmp_path / "state.duckdb")
    state.open()
    one = await made_up(state, POSITIONS, LIMITS, clock)
    yield one
    await one.monitor.close()
    await one.alerts.close()
    state.close()


def alert(made: MadeUp, kind: str, subject: str | None = None) -> Alert | None:
    return made.alerts.open_one(kind, subject)


def only(made: MadeUp, *limits: Limit) -> None:
    made.limits.chosen = limits


def gross(made: MadeUp, **changes: Any) -> Limit:
    found = next(one for one in made.limits.chosen if one.id == "gross_exposure:portfolio:notional")
    return replace(found, hard_actions=(), warn_actions=(), **changes)


def fill(number: int, ts: int) -> Fill:
    return Fill(
        engine="paper-1",
        trade_id=f"t{number}",
        client_order_id=f"o{number}",
        venue_order_id=f"v{number}",
        instrument="S0.SIM",
        side="buy" if number % 2 else "sell",
        qty=D(10),
        price=D(50),
        commission=D(0),
        commission_currency="USD",
        ts=ts,
        synthetic=True,
    )


async def test_every_limit_is_told_once_and_callbacks_see_what_was_found(made: MadeUp) -> None:
    seen: list[tuple[int, int]] = []
    made.monitor.on_cycle(lambda statuses, portfolio: seen.append((len(statuses), len(portfolio.holdings))))
    before = made.bus.seq("risk.limits")
    await made.monitor.check()
    assert seen == [(LIMITS, POSITIONS)]
    assert made.bus.seq("risk.limits") - before == LIMITS
    assert {one.limit.id for one in made.monitor.statuses()} == {one.id for one in made.limits.chosen}
    health = await made.monitor.health()
    assert (health.state, health.cycles, health.failures, health.limits) == ("running", 1, 0, LIMITS)
    assert health.unknown == len(health.unknown_reasons) > 0
    assert all("order_rate" in reason for reason in health.unknown_reasons)


async def test_of_a_limit_that_is_no_more_a_new_reader_is_told_nothing(made: MadeUp) -> None:
    await made.monitor.check()
    assert len(made.bus.latest("risk.limits")) == LIMITS
    only(made, *made.limits.chosen[:3])
    await made.monitor.check()
    assert len(made.bus.latest("risk.limits")) == 3


async def test_a_check_that_fails_is_an_alert_and_not_the_end(made: MadeUp) -> None:
    def broken() -> tuple[Limit, ...]:
        raise StoreFailedError("the limits cannot be read")

    whole = made.limits.limits
    made.limits.limits = broken  # type: ignore[method-assign]  # limits that cannot be had
    await made.monitor.check()
    await made.monitor.check()
    health = await made.monitor.health()
    assert (health.state, health.reason, health.failures) == ("failing", "the limits cannot be read", 2)
    raised = alert(made, "monitor", "failing")
    assert raised is not None
    assert raised.severity == "critical"
    assert made.monitor.problems() == ["the risk monitor fails: the limits cannot be read"]
    made.limits.limits = whole  # type: ignore[method-assign]
    await made.monitor.check()
    assert alert(made, "monitor", "failing") is None
    assert (await made.monitor.health()).state == "running"
    assert made.monitor.problems() == []


async def test_what_cannot_be_judged_for_a_while_is_one_alert_with_the_reasons(
    made: MadeUp, clock: Clock
) -> None:
    await made.monitor.check()
    clock.now += 61_000_000_000  # the windows of orders are known now
    await made.monitor.check()
    assert {one.level for one in made.monitor.statuses()} == {"ok"}
    whole, made.returns.known = made.returns.known, None
    await made.monitor.check()
    assert alert(made, UNKNOWN) is None, "not at once"
    clock.now += UNKNOWN_NS
    await made.monitor.check()
    raised = alert(made, UNKNOWN)
    assert raised is not None
    unknown = [one for one in made.monitor.statuses() if one.level == "unknown"]
    assert raised.title == f"{len(unknown)} limits cannot be judged"
    assert "returns cannot be read: the history cannot be read" in raised.detail
    assert {one.limit.limit_type for one in unknown} == {"var", "volatility", "correlation"}
    made.returns.known = whole
    await made.monitor.check()
    assert alert(made, UNKNOWN) is None


async def test_a_warning_follows_the_value_and_is_over_when_it_is_clearly_less(made: MadeUp) -> None:
    await made.monitor.check()
    value = next(
        o.value for o in made.monitor.statuses() if o.limit.id == "gross_exposure:portfolio:notional"
    )
    assert value is not None
    near = gross(made)

    async def at(use: str) -> Alert | None:
        bound = value / D(use)
        only(made, replace(near, hard=bound, effective=bound))
        await made.monitor.check()
        return alert(made, WARN, near.id)

    assert await at("0.79") is None
    first = await at("0.81")
    assert first is not None
    assert "81 %" in first.detail
    again = await at("0.95")
    assert again is not None
    assert (again.id, "95 %" in again.detail) == (first.id, True)
    assert await at("0.79") is not None, "not for a flicker"
    assert await at("0.77") is None
    assert await at("0.9") is not None
    assert await at("1.2") is None, "it became a breach"
    assert alert(made, "limit.breach", near.id) is not None
    only(made)
    await made.monitor.check()
    assert alert(made, "limit.breach", near.id) is None, "the limit was deleted"


async def test_limits_tighten_with_volatility_never_compound_and_come_back(made: MadeUp) -> None:
    rule = AutoAdjust(target_vol=D("0.01"), floor=D("0.4"))
    only(made, gross(made, auto_adjust=rule))
    for _ in range(3):
        await made.monitor.check()
        (limit,) = made.limits.chosen
        assert limit.effective == limit.hard * D("0.4")
        assert "above the target 1.0 %" in (limit.adjusted or "")
    (status,) = made.monitor.statuses()
    assert status.limit.effective == limit.effective, "the check that tightens goes by what counts then"
    only(made, replace(limit, auto_adjust=replace(rule, target_vol=D(9))))
    await made.monitor.check()
    (limit,) = made.limits.chosen
    assert (limit.effective, limit.adjusted) == (limit.hard, None)
    whole, made.returns.known = made.returns.known, None
    only(made, replace(limit, auto_adjust=rule))
    await made.monitor.check()
    assert made.limits.chosen[0].effective == limit.hard, "what is not known adjusts nothing"
    assert whole is not None


async def test_a_fill_is_checked_at_once_and_not_only_when_it_is_time(tmp_path: Path) -> None:
    state = State(tmp_path / "state.duckdb")
    state.open()
    one = await made_up(state, POSITIONS, LIMITS, every_s=3600)
    checked: asyncio.Queue[int] = asyncio.Queue()
    one.monitor.on_cycle(lambda statuses, _: checked.put_nowait(len(statuses)))
    one.monitor.start()
    try:
        assert await asyncio.wait_for(checked.get(), 60) == LIMITS, "soon after the daemon is ready"
        for _ in range(2):
            one.bus.publish_records((fill(1, time.time_ns()), fill(2, time.time_ns())))
            assert await asyncio.wait_for(checked.get(), 60) == LIMITS
            assert checked.empty(), "fills close behind each other are checked together"
    finally:
        await one.monitor.close()
        await one.alerts.close()
        state.close()


async def test_what_is_traded_today_counts_once_and_ends_with_the_day(made: MadeUp, clock: Clock) -> None:
    (turnover,) = [one for one in made.limits.chosen if one.id == "turnover:portfolio:ratio"]
    only(made, replace(turnover, id="turnover:portfolio:notional", unit="notional"))

    async def value() -> Decimal | None:
        await made.monitor.check()
        return made.monitor.statuses()[0].value

    assert await value() == 0
    made.bus.publish_records((fill(1, clock.now), fill(2, clock.now)))
    assert await value() == 1000
    clock.now += 86_400_000_000_000
    assert await value() == 0
