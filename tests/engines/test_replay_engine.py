"""Real minute bars through the history, a replay and a real engine process: fills at prices that existed."""

from __future__ import annotations

from collections.abc import AsyncIterator
from decimal import Decimal
from pathlib import Path

import numpy as np
import pytest_asyncio

from data.commands import SetFeed, SubmitOrder
from data.history import History
from data.paths import Home
from data.records import FeedProgress, PriceSide
from data.rows import Number, Rows, Series
from engines.spec import EngineSpec
from tests.engines.floor import Floor, open_floor
from tests.market.records import SCALE, bar_rows, gbpusd_rows

BARS = 1500


def store_bars(home: Home) -> None:
    """Put the first minutes of both sides into the history."""
    history = History(home.history)
    sides: tuple[PriceSide, ...] = ("bid", "ask")
    for side in sides:
        taken = bar_rows(gbpusd_rows(side, BARS), side)
        columns = {"open": taken.open, "high": taken.high, "low": taken.low, "close": taken.close}
        numbers = {name: Number(column, SCALE) for name, column in columns.items()}
        nothing = np.zeros(BARS, np.int64)
        numbers["volume"] = Number(nothing, 0, np.zeros(BARS, np.bool_))
        series = Series(
            kind="bars",
            instrument="GBPUSD.SIM",
            timeframe="1m",
            side=side,
            source="import",
            synthetic=False,
        )
        history.add([(series, Rows("bars", taken.ts, numbers, {"count": nothing}))])


@pytest_asyncio.fixture
async def floor(tmp_path: Path) -> AsyncIterator[Floor]:
    home = Home(tmp_path / "h").ensure()
    store_bars(home)
    async with open_floor(home) as opened:
        yield opened


async def test_a_limit_order_fills_at_a_price_that_existed(floor: Floor) -> None:
    asks = {
        Decimal(row[name]) for row in gbpusd_rows("ask", BARS) for name in ("open", "high", "low", "close")
    }
    limit = sorted(asks)[len(asks) // 10]
    status = await floor.supervisor.start(EngineSpec(engine="r1", feed="replay", speed="max", paused=True))
    assert status.environment == "REPLAY"
    assert not status.synthetic
    # without a price the gate denies: one tick first
    await floor.supervisor.execute(SetFeed(engine="r1", action="step"))
    await floor.sink.quoted("r1", "GBPUSD.SIM")
    reply = await floor.supervisor.execute(
        SubmitOrder(
            engine="r1",
            client_order_id="L-1",
            instrument="GBPUSD.SIM",
            side="buy",
            qty=Decimal(10_000),
            order_type="limit",
            price=limit,
            tif="gtc",
        )
    )
    assert reply.ok
    await floor.supervisor.execute(SetFeed(engine="r1", action="resume"))
    sink = floor.sink
    await sink.until(lambda: bool(sink.fills("r1")))

    def finished() -> bool:
        progress = sink.latest.get(("r1", "FeedProgress", ""))
        return isinstance(progress, FeedProgress) and progress.state == "finished"

    await sink.until(finished)
    (fill,) = sink.fills("r1")
    assert fill.price <= limit
    assert fill.price in asks
    assert str(np.datetime64(fill.ts, "ns")).startswith("2012-")
    assert not fill.synthetic
    assert sink.orders("r1")["L-1"].status == "filled"
    quote = sink.quote("r1", "GBPUSD.SIM")
    assert quote.source == "replay"
    assert not quote.synthetic
