"""The simulated feed in a real node: quotes in the cache, orders against the book, a past that goes on."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from nautilus_trader.model.enums import OrderSide
from nautilus_trader.model.events import OrderFilled
from nautilus_trader.model.identifiers import InstrumentId
from nautilus_trader.model.objects import Price, Quantity

from data.problems import InvalidRequestError, NotFoundError
from engines.market.model import MarketModel
from engines.market.universe import UNIVERSE, calendar, instrument
from engines.node.feed import Feed
from engines.node.instruments import from_nautilus, to_nautilus
from engines.node.simulated import SimulatedDataClient, SimulatedFeedConfig
from tests.engines.nodes import running_node

IDS = [listing.id for listing in UNIVERSE]


def making(**settings: Any) -> Callable[..., Feed]:
    def make(loop: asyncio.AbstractEventLoop, name: str, *common: Any) -> Feed:
        return SimulatedDataClient(loop, name, SimulatedFeedConfig(**settings), *common)

    return make


async def test_every_instrument_has_a_price_at_once_and_ticks_go_on() -> None:
    async with running_node(making(rate=Decimal(2000)), book_type="L2_MBP") as (node, feed, heard, _):
        assert feed.state == "waiting"
        assert not heard.quotes
        feed.begin()
        await heard.until(lambda: feed.ticks > 500 and len(heard.trades) > 20)
        for name in IDS:
            quote = node.cache.quote_tick(InstrumentId.from_str(name))
            assert quote is not None
            assert 0 < quote.bid_price < quote.ask_price
            assert quote.bid_size > 0
        assert feed.progress("e").state == "playing"
        assert feed.last_tick_ns > 0
        stamps = [quote.ts_init for quote in heard.quotes]
        assert stamps == sorted(stamps)
        assert len({(quote.instrument_id, quote.ts_event) for quote in heard.quotes}) == len(stamps)
        assert len({trade.trade_id for trade in heard.trades}) == len(heard.trades)


async def test_the_book_has_five_levels_and_agrees_with_the_quote() -> None:
    feed_settings = making(rate=Decimal(2000), instruments=("AAPL.SIM", "BTCUSD.SIM"))
    async with running_node(feed_settings, book_type="L2_MBP") as (_, feed, heard, _):
        feed.begin()
        await heard.until(lambda: len(heard.depths) > 50)
        tops = {(q.instrument_id, q.ts_event): (q.bid_price, q.ask_price, q.bid_size) for q in heard.quotes}
        for depth in heard.depths:
            bids = [order for order in depth.bids if order.size > 0]
            asks = [order for order in depth.asks if order.size > 0]
            assert len(bids) == len(asks) == 6  # five that are shown, and the rest of the market
            assert [o.price for o in bids] == sorted((o.price for o in bids), reverse=True)
            assert [o.price for o in asks] == sorted(o.price for o in asks)
            assert tops[depth.instrument_id, depth.ts_event] == (bids[0].price, asks[0].price, bids[0].size)


async def test_a_market_order_larger_than_the_best_level_walks_the_book() -> None:
    settings = making(rate=Decimal(50), instruments=("AAPL.SIM",), paused=True)
    async with running_node(settings, book_type="L2_MBP") as (node, feed, heard, strategy):
        feed.begin()
        await heard.until(lambda: bool(heard.depths))
        asks = [order for order in heard.depths[-1].asks if order.size > 0]
        quantity = Quantity.from_int(int(asks[0].size + asks[1].size))
        order = strategy.order_factory.market(InstrumentId.from_str("AAPL.SIM"), OrderSide.BUY, quantity)
        strategy.submit_order(order)
        await heard.until(lambda: order.is_closed)
        fills = [event for event in heard.orders if isinstance(event, OrderFilled)]
        assert [fill.last_px for fill in fills] == [asks[0].price, asks[1].price]
        assert order.filled_qty == quantity
        assert node.portfolio.net_position(order.instrument_id) == quantity.as_decimal()


async def test_a_market_order_larger_than_the_book_is_filled_and_pays_for_it() -> None:
    settings = making(instruments=("AAPL.SIM",), paused=True)
    async with running_node(settings, book_type="L2_MBP") as (_, feed, heard, strategy):
        feed.begin()
        await heard.until(lambda: bool(heard.depths))
        shown = sum(int(order.size) for order in heard.depths[-1].asks[:5])
        order = strategy.order_factory.market(
            InstrumentId.from_str("AAPL.SIM"), OrderSide.BUY, Quantity.from_int(shown + 100_000)
        )
        strategy.submit_order(order)
        await heard.until(lambda: order.is_closed)
        fills = [event for event in heard.orders if isinstance(event, OrderFilled)]
        assert len(fills) == 6
        assert order.filled_qty == order.quantity
        assert fills[-1].last_px > fills[-2].last_px


async def test_profit_in_yen_becomes_dollars() -> None:
    settings = making(rate=Decimal(0), instruments=("USDJPY.SIM",))
    async with running_node(settings, book_type="L2_MBP") as (node, feed, heard, strategy):
        feed.begin()
        usdjpy = InstrumentId.from_str("USDJPY.SIM")
        await heard.until(lambda: bool(heard.depths))
        for side in (OrderSide.BUY, OrderSide.SELL):
            order = strategy.order_factory.market(usdjpy, side, Quantity.from_int(100_000))
            strategy.submit_order(order)
            await heard.until(lambda order=order: order.is_closed)
        account = node.portfolio.account(
            strategy.portfolio.account(usdjpy.venue).id.get_issuer() and usdjpy.venue
        )
        balances = account.balances_total()
        assert [currency.code for currency in balances] == ["USD"]
        (total,) = balances.values()
        assert total.as_decimal() != Decimal(1_000_000)


async def test_pause_step_resume_and_speed() -> None:
    settings = making(rate=Decimal(1000), instruments=("AAPL.SIM", "MSFT.SIM"), paused=True)
    async with running_node(settings, book_type="L2_MBP") as (_, feed, heard, _):
        feed.begin()
        await heard.until(lambda: len(heard.quotes) == 2)  # the standing market
        assert feed.state == "paused"
        model = feed.model  # type: ignore[attr-defined]  # the feed is a simulated one
        feed.control("step")
        await heard.until(lambda: len(heard.quotes) == 3)
        assert model.step == 1
        feed.control("resume")
        await heard.until(lambda: len(heard.quotes) > 50)
        feed.control("pause")
        await asyncio.sleep(0)
        feed.control("speed", Decimal(0))
        assert feed.state == "paused"
        feed.control("resume")
        await heard.until(lambda: len(heard.quotes) > 3000)
        assert feed.progress("e").speed == 0
        with pytest.raises(InvalidRequestError):
            feed.control("speed", Decimal(-1))


async def test_a_restarted_feed_goes_on_where_it_was(tmp_path: Path) -> None:
    path = tmp_path / "market.checkpoint"
    settings = making(rate=Decimal(0), seed=3, checkpoint_path=str(path))
    async with running_node(settings, book_type="L2_MBP") as (_, feed, heard, _):
        feed.begin()
        await heard.until(lambda: len(heard.quotes) > 3000)
    stopped_at = feed.model.step  # type: ignore[attr-defined]
    assert stopped_at > 2000
    async with running_node(settings, book_type="L2_MBP") as (_, again, heard, _):
        assert again.resumed  # type: ignore[attr-defined]
        assert again.model.step == stopped_at  # type: ignore[attr-defined]
        again.control("pause")
        again.begin()
        await heard.until(lambda: len(heard.quotes) == len(UNIVERSE))
    uninterrupted = MarketModel(UNIVERSE, 3)
    while uninterrupted.step < stopped_at:
        uninterrupted.take(stopped_at - uninterrupted.step)
    assert (again.model.standing.bid == uninterrupted.standing.bid).all()  # type: ignore[attr-defined]
    assert [q.bid_price.as_decimal() for q in heard.quotes] == [
        listing.tick * int(bid) for listing, bid in zip(UNIVERSE, uninterrupted.standing.bid, strict=True)
    ]


async def test_a_damaged_checkpoint_starts_the_market_anew(tmp_path: Path) -> None:
    path = tmp_path / "market.checkpoint"
    path.write_bytes(b"torn")
    async with running_node(making(checkpoint_path=str(path)), book_type="L2_MBP") as (_, feed, _, _):
        assert not feed.resumed  # type: ignore[attr-defined]
        assert feed.model.step == 0  # type: ignore[attr-defined]


async def test_closed_instruments_are_silent_when_hours_are_kept() -> None:
    hours = calendar(always_open=False)
    async with running_node(making(rate=Decimal(0), always_open=False), book_type="L2_MBP") as (
        node,
        feed,
        heard,
        _,
    ):
        feed.begin()
        await heard.until(lambda: feed.model.step > 2000)  # type: ignore[attr-defined]
        for name in IDS:
            quote = node.cache.quote_tick(InstrumentId.from_str(name))
            now = node.kernel.clock.timestamp_ns()
            span = hours.span(name, now)
            if quote is None:
                assert not span.contains(now)
            else:
                assert hours.is_open(name, quote.ts_event)
        assert node.cache.quote_tick(InstrumentId.from_str("BTCUSD.SIM")) is not None


async def test_depth_follows_every_price_while_an_order_works() -> None:
    settings = making(rate=Decimal(0), instruments=("AAPL.SIM", "MSFT.SIM"), paused=True)
    async with running_node(settings, book_type="L2_MBP") as (_, feed, heard, strategy):
        feed.begin()
        await heard.until(lambda: len(heard.depths) == 2)
        aapl = InstrumentId.from_str("AAPL.SIM")
        far = Price.from_str("100.00")
        order = strategy.order_factory.limit(aapl, OrderSide.BUY, Quantity.from_int(1), far)
        strategy.submit_order(order)
        await heard.until(lambda: order.is_open)
        feed.control("resume")
        await heard.until(lambda: len(heard.quotes) > 1000)
        feed.control("pause")
        prices: dict[str, list[tuple[Any, Any]]] = {name: [] for name in ("AAPL.SIM", "MSFT.SIM")}
        for quote in heard.quotes:
            seen = prices[str(quote.instrument_id)]
            if not seen or seen[-1] != (quote.bid_price, quote.ask_price):
                seen.append((quote.bid_price, quote.ask_price))
        books: dict[str, list[tuple[Any, Any]]] = {name: [] for name in prices}
        for depth in heard.depths:
            seen = books[str(depth.instrument_id)]
            if not seen or seen[-1] != (depth.bids[0].price, depth.asks[0].price):
                seen.append((depth.bids[0].price, depth.asks[0].price))
        assert books["AAPL.SIM"] == prices["AAPL.SIM"]
        assert len(books["MSFT.SIM"]) < len(prices["MSFT.SIM"])  # nothing to match: the latest suffices


async def test_the_day_has_a_past_from_the_first_tick_on() -> None:
    async with running_node(making(paused=True), book_type="L2_MBP") as (node, feed, _, _):
        days = feed.day_so_far(node.kernel.clock.timestamp_ns())  # type: ignore[attr-defined]
        assert set(days) == set(IDS)
        assert all(day.low <= day.reference <= day.high for day in days.values())


async def test_unknown_instruments_are_refused() -> None:
    with pytest.raises(NotFoundError, match=r"NOPE\.SIM"):
        async with running_node(making(instruments=("NOPE.SIM",)), book_type="L2_MBP"):
            pytest.fail("it started")


@pytest.mark.parametrize("listing", UNIVERSE, ids=lambda listing: listing.symbol)
def test_an_instrument_survives_the_way_there_and_back(listing: Any) -> None:
    record = instrument(listing)
    assert from_nautilus(to_nautilus(record)) == record
