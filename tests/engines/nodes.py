"""A bare trading node on a feed, for as long as a test needs it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

from nautilus_trader.adapters.sandbox.config import SandboxExecutionClientConfig
from nautilus_trader.config import (
    LiveExecEngineConfig,
    LiveRiskEngineConfig,
    LoggingConfig,
    TradingNodeConfig,
)
from nautilus_trader.live.node import TradingNode
from nautilus_trader.model.data import QuoteTick, TradeTick
from nautilus_trader.trading.strategy import Strategy

from engines.node.assembly import answer_at_once
from engines.node.feed import Feed
from engines.node.venue import PaperVenue


class Listener:
    """Everything a node says that a test may want to see."""

    def __init__(self) -> None:
        self.quotes: list[QuoteTick] = []
        self.trades: list[TradeTick] = []
        self.depths: list[Any] = []
        self.orders: list[Any] = []
        self._changed = asyncio.Event()

    def attach(self, bus: Any) -> None:
        bus.subscribe("data.quotes.*", self._keeping(self.quotes))
        bus.subscribe("data.trades.*", self._keeping(self.trades))
        bus.subscribe("data.book.depth.*", self._keeping(self.depths))
        bus.subscribe("events.order.*", self._keeping(self.orders))

    def _keeping(self, seen: list[Any]) -> Callable[[Any], None]:
        def keep(message: Any) -> None:
            seen.append(message)
            self._changed.set()

        return keep

    async def until(self, condition: Callable[[], bool]) -> None:
        """Wait for messages until the condition holds."""
        async with asyncio.timeout(60):
            while not condition():
                self._changed.clear()
                await self._changed.wait()


class Trader(Strategy):
    """Sends orders for a test and says when the node has started."""

    def __init__(self) -> None:
        super().__init__()
        self.started = asyncio.Event()

    def on_start(self) -> None:
        self.started.set()


@asynccontextmanager
async def running_node(
    make_feed: Callable[..., Feed], *, book_type: str, venue: str = "SIM"
) -> AsyncIterator[tuple[TradingNode, Feed, Listener, Trader]]:
    """Run a node with the feed that ``make_feed(loop, name, msgbus, cache, clock)`` makes."""
    loop = asyncio.get_running_loop()
    node = TradingNode(
        config=TradingNodeConfig(
            trader_id="TEST-001",
            logging=LoggingConfig(log_level="ERROR"),
            exec_engine=LiveExecEngineConfig(reconciliation=False),
            risk_engine=LiveRiskEngineConfig(bypass=True),
            timeout_post_stop=0.0,
        ),
        loop=loop,
    )
    node.build()
    kernel = node.kernel
    feed = make_feed(loop, venue, kernel.msgbus, kernel.cache, kernel.clock)
    kernel.data_engine.register_client(feed)
    answer_at_once(node)
    paper = PaperVenue(
        loop=loop,
        clock=kernel.clock,
        portfolio=kernel.portfolio,
        msgbus=kernel.msgbus,
        cache=kernel.cache,
        real_time=book_type != "L1_MBP",  # the simulated feed's book; a replay has none
        config=SandboxExecutionClientConfig(
            venue=venue,
            starting_balances=["1000000 USD"],
            base_currency="USD",
            book_type=book_type,
            bar_execution=False,
        ),
    )
    kernel.exec_engine.register_client(paper)
    strategy = Trader()
    node.trader.add_strategy(strategy)
    listener = Listener()
    listener.attach(kernel.msgbus)
    running = loop.create_task(node.run_async())
    try:
        async with asyncio.timeout(60):
            await strategy.started.wait()
        yield node, feed, listener, strategy
    finally:
        await node.stop_async()
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
