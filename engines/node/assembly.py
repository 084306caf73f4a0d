"""Puts a TradingNode together from a spec: configuration, paper venue, feed.

This module must not know of links, journals or commands.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from decimal import Decimal

from nautilus_trader.adapters.sandbox.config import SandboxExecutionClientConfig
from nautilus_trader.config import (
    CacheConfig,
    LiveDataEngineConfig,
    LiveExecEngineConfig,
    LiveRiskEngineConfig,
    LoggingConfig,
    TradingNodeConfig,
)
from nautilus_trader.live.node import TradingNode

from data.forms import parse_iso
from data.paths import Home
from data.records import Instrument
from engines.market.tape import Tape
from engines.node.feed import Feed
from engines.node.replay import ReplayDataClient, ReplayFeedConfig
from engines.node.simulated import SimulatedDataClient, SimulatedFeedConfig
from engines.node.venue import PaperVenue
from engines.spec import EngineSpec, parse_speed

_EVENTS = "ExecEngine.process"
#: NautilusTrader's own submit and modify throttle is set out of the way: the gate limits the rate.
_UNTHROTTLED = "1000000/00:00:01"


def node_config(spec: EngineSpec) -> TradingNodeConfig:
    """Return the configuration of an engine's node, without its clients."""
    return TradingNodeConfig(
        trader_id=f"NTUI-{spec.engine.upper()}",
        logging=LoggingConfig(
            log_level=spec.log_level.upper(),
            log_colors=False,
            # clients are added by hand below; the builder would warn that its lists are empty
            log_component_levels={"TradingNodeBuilder": "ERROR"},
        ),
        cache=CacheConfig(tick_capacity=1000, bar_capacity=100),
        data_engine=LiveDataEngineConfig(),
        exec_engine=LiveExecEngineConfig(
            reconciliation=False, inflight_check_interval_ms=0, graceful_shutdown_on_exception=True
        ),
        risk_engine=LiveRiskEngineConfig(
            # It knows only the wall clock and would call every expiry in replayed time past.
            bypass=not spec.risk_enabled or spec.feed == "replay",
            max_order_submit_rate=_UNTHROTTLED,
            max_order_modify_rate=_UNTHROTTLED,
            graceful_shutdown_on_exception=True,
        ),
        timeout_connection=10.0,
        timeout_disconnection=2.0,
        timeout_post_stop=0.0,
    )


def answer_at_once(node: TradingNode) -> None:
    """Let the paper venue's events be applied as they happen instead of from a queue.

    The venue runs in this very process and looks at orders' states while it matches: with a queue in
    between it would still see an entry as pending when its exits arrive, or a filled order as open.
    Backtests, for which the venue is made, have no queue either.
    """
    kernel = node.kernel
    kernel.msgbus.deregister(endpoint=_EVENTS, handler=kernel.exec_engine.process)
    kernel.msgbus.register(endpoint=_EVENTS, handler=kernel.exec_engine._handle_event)


def start_without_prices(node: TradingNode) -> None:
    """Let the node start before the worth of what it holds is known.

    The kernel waits for NautilusTrader's portfolio, which waits for an exchange rate where a position is
    in another currency than the account; but the feed waits for the node. The gate does not go by that
    portfolio: it denies what it has no price or rate for, and the portfolio catches up with the first quotes.
    """

    async def known() -> bool:
        return True

    node.kernel._await_portfolio_initialization = known  # type: ignore[method-assign]  # as said above


def make_node(spec: EngineSpec, loop: asyncio.AbstractEventLoop) -> TradingNode:
    """Return a node that is built, and to which a feed and venues can be added before it starts."""
    node = TradingNode(config=node_config(spec), loop=loop)
    node.build()
    answer_at_once(node)
    start_without_prices(node)
    return node


async def add_feed(node: TradingNode, spec: EngineSpec, home: Home) -> Feed:
    """Make the feed that the spec asks for and add it to the node.

    Raises
    ------
    NotFoundError
        If the feed does not have what the spec names.

    """
    kernel = node.kernel
    common = (kernel.msgbus, kernel.cache, kernel.clock)
    feed: Feed
    if spec.feed == "replay":
        tape = await asyncio.to_thread(_tape, spec, home)
        feed = ReplayDataClient(kernel.loop, "REPLAY", _replay_config(spec, home), tape, *common)
    else:
        feed = SimulatedDataClient(kernel.loop, "SIM", _simulated_config(spec, home), *common)
    kernel.data_engine.register_client(feed)
    return feed


def _simulated_config(spec: EngineSpec, home: Home) -> SimulatedFeedConfig:
    return SimulatedFeedConfig(
        seed=spec.seed,
        instruments=spec.instruments,
        rate=parse_speed(spec.speed),
        paused=spec.paused,
        checkpoint_path=str(home.market_checkpoint(spec.engine)),
    )


def _replay_config(spec: EngineSpec, home: Home) -> ReplayFeedConfig:
    return ReplayFeedConfig(
        speed=parse_speed(spec.speed),
        paused=spec.paused,
        checkpoint_path=str(home.replay_checkpoint(spec.engine)),
    )


def _tape(spec: EngineSpec, home: Home) -> Tape:
    # The history's libraries are heavy and most engines never replay: imported when they do.
    from data.history import History
    from engines.market.recorded import recorded_tape

    start = None if spec.replay_start is None else parse_iso(spec.replay_start)
    end = None if spec.replay_end is None else parse_iso(spec.replay_end)
    return recorded_tape(History(home.history), spec.instruments, start, end)


def add_venues(
    node: TradingNode, spec: EngineSpec, instruments: Sequence[Instrument]
) -> dict[str, PaperVenue]:
    """Make a paper venue for every venue that the instruments name; return them by venue."""
    kernel = node.kernel
    clients = {}
    for venue in sorted({instrument.venue for instrument in instruments}):
        config = SandboxExecutionClientConfig(
            venue=venue,
            starting_balances=list(spec.starting_balances),
            base_currency=spec.base_currency,
            default_leverage=Decimal(spec.leverage),
            # the simulated market has five levels to fill from; history has the best price at most
            book_type="L1_MBP" if spec.feed == "replay" else "L2_MBP",
            # Ids are random so that no order of this process is named like one of the last.
            use_random_ids=True,
            bar_execution=False,
        )
        client = PaperVenue(
            loop=kernel.loop,
            clock=kernel.clock,
            portfolio=kernel.portfolio,
            msgbus=kernel.msgbus,
            cache=kernel.cache,
            config=config,
            real_time=spec.feed != "replay",
        )
        kernel.exec_engine.register_client(client)
        clients[venue] = client
    return clients
