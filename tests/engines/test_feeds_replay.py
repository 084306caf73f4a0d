"""The replay in a real node: only prices that existed, market time on every fill, pause and position."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from decimal import Decimal
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
from nautilus_trader.model.enums import OrderSide
from nautilus_trader.model.events import OrderAccepted, OrderFilled
from nautilus_trader.model.identifiers import InstrumentId
from nautilus_trader.model.objects import Price, Quantity

from data.problems import StoreFailedError
from engines.market.inference import infer_instrument
from engines.market.tape import BUYER, BarRows, QuoteRows, Source, Tape, TradeRows
from engines.node.feed import Feed
from engines.node.replay import ReplayDataClient, ReplayFeedConfig
from tests.engines.nodes import running_node
from tests.market.records import bar_rows, gbpusd_rows, nanoseconds

GBPUSD = InstrumentId.from_str("GBPUSD.SIM")
MINUTE = 60_000_000_000
YEAR_2012 = range(nanoseconds("2012-01-01T00:00:00+00:00"), nanoseconds("2013-01-01T00:00:00+00:00"))


def making(tape: Tape, **settings: Any) -> Callable[..., Feed]:
    def make(loop: asyncio.AbstractEventLoop, name: str, *common: Any) -> Feed:
        return ReplayDataClient(loop, name, ReplayFeedConfig(**settings), tape, *common)

    return make


def gbpusd_tape(bars: int) -> Tape:
    """Return a tape of the first minutes of the file."""
    bid, ask = bar_rows(gbpusd_rows("bid", bars), "bid"), bar_rows(gbpusd_rows("ask", bars), "ask")
    return Tape(
        (infer_instrument("GBPUSD.SIM", [Decimal("1.57608")], source="replay"),),
        [Source("GBPUSD.SIM", [bid], [ask])],
        ts_start=int(bid.ts[0]),
        ts_end=int(bid.ts[-1]) + MINUTE - 1,
        ticks_total=4 * bars,
    )


def prices(side: str, bars: int) -> set[Decimal]:
    rows = gbpusd_rows(side, bars)
    return {Decimal(row[name]) for row in rows for name in ("open", "high", "low", "close")}


async def test_a_replay_of_real_bars_has_only_prices_of_the_file() -> None:
    bars = 2000
    tape = gbpusd_tape(bars)
    async with running_node(making(tape), book_type="L1_MBP") as (node, feed, heard, _):
        assert feed.state == "waiting"
        feed.begin()
        await feed.ended()
        await heard.until(lambda: len(heard.quotes) == feed.ticks)
        bids, asks = prices("bid", bars), prices("ask", bars)
        assert len(heard.quotes) + tape.notes.crossed + 2 * tape.notes.unpaired == 4 * bars
        assert all(quote.bid_price.as_decimal() in bids for quote in heard.quotes)
        assert all(quote.ask_price.as_decimal() in asks for quote in heard.quotes)
        assert all(quote.ts_init == quote.ts_event for quote in heard.quotes)
        assert all(a.ts_event <= b.ts_event for a, b in pairwise(heard.quotes))
        progress = feed.progress("r1")
        assert progress.state == "finished"
        assert progress.ticks_played == len(heard.quotes)
        assert progress.ts_market == heard.quotes[-1].ts_event
        assert node.cache.quote_tick(GBPUSD) == heard.quotes[-1]  # the last quote stays, with its age
        assert not feed.sizes_known("GBPUSD.SIM")  # type: ignore[attr-defined]  # a replay


async def test_orders_placed_before_the_first_tick_fill_at_prices_that_existed() -> None:
    bars = 600
    tape = gbpusd_tape(bars)
    lowest = min(Decimal(row["low"]) for row in gbpusd_rows("ask", bars))
    limit = lowest + Decimal("0.00100")
    async with running_node(making(tape, paused=True), book_type="L1_MBP") as (_, feed, heard, strategy):
        feed.begin()
        order = strategy.order_factory.limit(
            GBPUSD, OrderSide.BUY, Quantity.from_int(10_000), Price.from_str(str(limit))
        )
        strategy.submit_order(order)
        await heard.until(lambda: any(isinstance(event, OrderAccepted) for event in heard.orders))
        assert not heard.quotes
        assert feed.session_close_ns("GBPUSD.SIM", feed.progress("r").ts_start) in YEAR_2012
        feed.control("resume")
        await feed.ended()
        await heard.until(lambda: order.is_closed)
        (accepted,) = (event for event in heard.orders if isinstance(event, OrderAccepted))
        (fill,) = (event for event in heard.orders if isinstance(event, OrderFilled))
        assert accepted.ts_event == tape.ts_start  # stamped with the market's time, not with 1970
        assert fill.ts_event in YEAR_2012
        assert fill.last_px.as_decimal() <= limit
        standing = [quote for quote in heard.quotes if quote.ts_event <= fill.ts_event]
        assert min(quote.ask_price for quote in standing) <= order.price
        assert fill.last_qty == order.quantity


async def test_step_plays_one_tick_and_speed_keeps_market_time() -> None:
    tape = gbpusd_tape(30)
    async with running_node(making(tape, paused=True), book_type="L1_MBP") as (_, feed, heard, _):
        feed.begin()
        for count in range(1, 4):
            feed.control("step")
            await heard.until(lambda count=count: len(heard.quotes) == count)
            assert feed.state == "paused"
            assert feed.progress("r").ticks_played == count
        feed.control("speed", Decimal(3000))  # a minute in 20 ms
        feed.control("resume")
        await feed.ended()
        await heard.until(lambda: len(heard.quotes) == feed.ticks)
        assert len(heard.quotes) == 120 - tape.notes.crossed


async def test_long_stretches_without_ticks_are_passed_over() -> None:
    day = 86_400_000_000_000
    ts = np.array([day, day + 1000, 4 * day, 4 * day + 1000], np.int64)
    price = np.array([100_000, 100_001, 100_002, 100_003], np.int64)
    instrument = infer_instrument("GBPUSD.SIM", [Decimal("1.00001")])
    tape = Tape(
        (instrument,),
        [Source(instrument.id, [QuoteRows(instrument.id, ts, price, price + 2, 5)])],
        day,
        4 * day + 1000,
    )
    async with running_node(making(tape, speed=Decimal(1)), book_type="L1_MBP") as (_, feed, heard, _):
        feed.begin()
        await heard.until(lambda: len(heard.quotes) == 4)  # three days at real time would never come


async def test_a_restarted_replay_goes_on_where_it_was(tmp_path: Path) -> None:
    settings = {"checkpoint_path": str(tmp_path / "replay.checkpoint")}
    tape = gbpusd_tape(200)
    whole: list[Any] = []
    async with running_node(making(gbpusd_tape(200)), book_type="L1_MBP") as (_, feed, heard, _):
        feed.begin()
        await feed.ended()
        await heard.until(lambda: len(heard.quotes) == feed.ticks)
        whole += heard.quotes
    async with running_node(making(tape, paused=True, **settings), book_type="L1_MBP") as (_, feed, heard, _):
        feed.begin()
        for _ in range(5):
            feed.control("step")
        await heard.until(lambda: len(heard.quotes) == 5)
        first = list(heard.quotes)
    async with running_node(making(tape, **settings), book_type="L1_MBP") as (_, feed, heard, _):
        assert feed.resumed  # type: ignore[attr-defined]  # a replay
        feed.begin()
        await feed.ended()
        await heard.until(lambda: len(heard.quotes) == feed.ticks)
        assert first + heard.quotes == whole
        assert feed.progress("r").ticks_played == len(whole)
    async with running_node(making(tape, **settings), book_type="L1_MBP") as (_, feed, _, _):
        assert not feed.resumed  # type: ignore[attr-defined]  # finished: it plays anew


async def test_history_of_trades_alone_trades_at_the_last_price() -> None:
    shares = infer_instrument("ZZZ.SIM", [Decimal("10.25")])
    ts = np.arange(1, 4, dtype=np.int64) * MINUTE
    o, h, low, c = (
        np.array(column, np.int64)
        for column in ([1000, 1010, 1005], [1015, 1012, 1020], [990, 1001, 1000], [1010, 1005, 1018])
    )
    tape = Tape(
        (shares,),
        [Source(shares.id, [BarRows(shares.id, "last", MINUTE, ts, o, h, low, c, 2)])],
        MINUTE,
        4 * MINUTE,
    )
    async with running_node(making(tape), book_type="L1_MBP") as (_, feed, heard, strategy):
        feed.begin()
        await heard.until(lambda: len(heard.trades) == 12)
        assert not heard.quotes  # no spread is known, none is made up
        order = strategy.order_factory.market(
            InstrumentId.from_str(shares.id), OrderSide.BUY, Quantity.from_int(100)
        )
        strategy.submit_order(order)
        await heard.until(lambda: order.is_closed)
        assert order.avg_px == 10.18
        assert feed.failure is None


async def test_a_trade_does_not_move_the_standing_quote() -> None:
    shares = infer_instrument("ZZZ.SIM", [Decimal("10.25")])
    one = np.array([MINUTE], np.int64)
    quotes = QuoteRows(
        shares.id, one, np.array([1000]), np.array([1004]), 2, np.array([500]), np.array([500])
    )
    trades = TradeRows(shares.id, one + 1, np.array([1004]), 2, np.array([7]), 0, np.array([BUYER]))
    tape = Tape((shares,), [Source(shares.id, [quotes]), Source(shares.id, [trades])], MINUTE, MINUTE + 1)
    async with running_node(making(tape), book_type="L1_MBP") as (_, feed, heard, strategy):
        feed.begin()
        await heard.until(lambda: len(heard.trades) == 1 and len(heard.quotes) == 2)
        assert feed.ticks == 2
        order = strategy.order_factory.market(
            InstrumentId.from_str(shares.id), OrderSide.SELL, Quantity.from_int(100)
        )
        strategy.submit_order(order)
        await heard.until(lambda: order.is_closed)
        assert order.avg_px == 10.00  # the bid, not the trade at the ask
        assert order.filled_qty == order.quantity


async def test_a_history_that_cannot_be_read_fails_the_feed_and_says_why() -> None:
    def torn() -> Any:
        yield quotes
        raise StoreFailedError("the partition cannot be read")

    shares = infer_instrument("ZZZ.SIM", [Decimal("10.25")])
    quotes = QuoteRows(
        shares.id, np.array([MINUTE, 2 * MINUTE]), np.array([1000, 1001]), np.array([1004, 1005]), 2
    )
    tape = Tape((shares,), [Source(shares.id, torn())], MINUTE, 2 * MINUTE)
    async with running_node(making(tape), book_type="L1_MBP") as (_, feed, _, _):
        feed.begin()
        await feed.ended()
        assert feed.failure == "the partition cannot be read"
        assert feed.state == "playing"  # it did not finish


async def test_a_position_of_another_tape_is_not_taken_up(tmp_path: Path) -> None:
    path = tmp_path / "replay.checkpoint"
    for content in (b"torn", b'{"instruments":["X.Y"],"ts_start":1,"ts_end":2,"played":7,"finished":false}'):
        path.write_bytes(content)
        settings = {"checkpoint_path": str(path)}
        async with running_node(making(gbpusd_tape(5), **settings), book_type="L1_MBP") as (_, feed, _, _):
            assert not feed.resumed  # type: ignore[attr-defined]  # a replay
