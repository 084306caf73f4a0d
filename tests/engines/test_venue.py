"""The paper venue keeps the promises of its order types, on a market that stands still."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from nautilus_trader.model.enums import ContingencyType, OrderSide, OrderStatus, TimeInForce
from nautilus_trader.model.events import OrderAccepted, OrderExpired, OrderFilled
from nautilus_trader.model.identifiers import InstrumentId
from nautilus_trader.model.objects import Price, Quantity

from engines.node.feed import Feed
from engines.node.simulated import SimulatedDataClient, SimulatedFeedConfig
from tests.engines.nodes import Listener, Trader, running_node

AAPL = InstrumentId.from_str("AAPL.SIM")
CENT = Decimal("0.01")


class Standing:
    """A market that stands still until it is stepped, and the orders sent to it."""

    def __init__(self, node: Any, feed: Feed, heard: Listener, trader: Trader) -> None:
        self.node, self.feed, self.heard, self.trader = node, feed, heard, trader
        self.factory = trader.order_factory

    @property
    def bids(self) -> list[tuple[Decimal, int]]:
        return [(o.price.as_decimal(), int(o.size)) for o in self.heard.depths[-1].bids if o.size > 0]

    @property
    def asks(self) -> list[tuple[Decimal, int]]:
        return [(o.price.as_decimal(), int(o.size)) for o in self.heard.depths[-1].asks if o.size > 0]

    async def send(self, order: Any) -> Any:
        """Submit an order and wait for the venue's answer."""
        self.trader.submit_order(order)
        await self.heard.until(lambda: order.status not in (OrderStatus.INITIALIZED, OrderStatus.SUBMITTED))
        return order

    def limit(self, side: OrderSide, quantity: int, price: Decimal, **more: Any) -> Any:
        return self.factory.limit(
            AAPL, side, Quantity.from_int(quantity), Price.from_str(f"{price:.2f}"), **more
        )

    async def step_until(self, condition: Any) -> None:
        self.feed.control("resume")
        await self.heard.until(condition)
        self.feed.control("pause")


@asynccontextmanager
async def standing_market() -> AsyncIterator[Standing]:
    config = SimulatedFeedConfig(rate=Decimal(0), instruments=("AAPL.SIM",), paused=True)

    def make(loop: asyncio.AbstractEventLoop, name: str, *common: Any) -> Feed:
        return SimulatedDataClient(loop, name, config, *common)

    async with running_node(make, book_type="L2_MBP") as (node, feed, heard, trader):
        feed.begin()
        await heard.until(lambda: bool(heard.depths))
        yield Standing(node, feed, heard, trader)


async def test_an_ioc_order_takes_what_there_is_and_is_cancelled() -> None:
    async with standing_market() as market:
        price, size = market.asks[0]
        order = await market.send(
            market.limit(OrderSide.BUY, size + 100, price, time_in_force=TimeInForce.IOC)
        )
        await market.heard.until(lambda: order.is_closed)
        assert order.status == OrderStatus.CANCELED
        assert int(order.filled_qty) == size


@pytest.mark.parametrize("extra", [0, 1])
async def test_an_fok_order_is_filled_whole_or_not_at_all(extra: int) -> None:
    async with standing_market() as market:
        price, size = market.asks[0]
        order = await market.send(
            market.limit(OrderSide.BUY, size + extra, price, time_in_force=TimeInForce.FOK)
        )
        await market.heard.until(lambda: order.is_closed)
        assert order.status == (OrderStatus.CANCELED if extra else OrderStatus.FILLED)
        assert int(order.filled_qty) == (0 if extra else size)


async def test_a_limit_order_rests_and_fills_when_the_market_comes() -> None:
    async with standing_market() as market:
        order = await market.send(market.limit(OrderSide.BUY, 10, market.bids[0][0] - 2 * CENT))
        assert order.status == OrderStatus.ACCEPTED
        await market.step_until(lambda: order.is_closed)
        assert order.status == OrderStatus.FILLED
        fills = [event for event in market.heard.orders if isinstance(event, OrderFilled)]
        assert all(fill.last_px <= order.price for fill in fills)


async def test_nothing_is_accepted_before_it_was_sent() -> None:
    async with standing_market() as market:
        for _ in range(3):
            order = await market.send(market.limit(OrderSide.BUY, 10, market.bids[0][0] - 50 * CENT))
            (accepted,) = (
                event
                for event in market.heard.orders
                if isinstance(event, OrderAccepted) and event.client_order_id == order.client_order_id
            )
            assert accepted.ts_event >= order.ts_init


async def test_of_two_orders_that_cancel_each_other_one_fills() -> None:
    async with standing_market() as market:
        bid = market.bids[0][0]
        await market.send(market.factory.market(AAPL, OrderSide.BUY, Quantity.from_int(100)))
        await market.heard.until(lambda: not market.node.portfolio.is_flat(AAPL))
        entry = market.factory.bracket(
            AAPL,
            OrderSide.BUY,
            Quantity.from_int(100),
            entry_order_type=market.factory.market(AAPL, OrderSide.BUY, Quantity.from_int(1)).order_type,
            tp_price=Price.from_str(f"{bid + 5 * CENT:.2f}"),
            sl_trigger_price=Price.from_str(f"{bid - 5 * CENT:.2f}"),
        )
        parent, stop, profit = entry.orders
        assert {stop.contingency_type, profit.contingency_type} <= {ContingencyType.OCO, ContingencyType.OUO}
        market.trader.submit_order_list(entry)
        await market.heard.until(lambda: parent.is_closed and stop.is_open and profit.is_open)
        await market.step_until(lambda: stop.is_closed and profit.is_closed)
        assert {stop.status, profit.status} == {OrderStatus.FILLED, OrderStatus.CANCELED}
        await market.heard.until(lambda: market.node.portfolio.net_position(AAPL) == 100)


async def test_an_order_expires_at_its_time() -> None:
    async with standing_market() as market:
        order = await market.send(
            market.limit(
                OrderSide.BUY,
                10,
                market.bids[0][0] - 100 * CENT,
                time_in_force=TimeInForce.GTD,
                expire_time=datetime.now(UTC) + timedelta(milliseconds=300),
            )
        )
        await market.step_until(lambda: any(isinstance(event, OrderExpired) for event in market.heard.orders))
        assert order.status == OrderStatus.EXPIRED
