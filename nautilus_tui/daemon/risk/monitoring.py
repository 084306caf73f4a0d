"""The monitor and all that belongs to it, tied together.

This module must not know what any of the parts does.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING

from data.commands import AnyCommand, Outcome
from nautilus_tui.daemon.principal import Principal
from nautilus_tui.daemon.risk.actions import ActionRunner
from nautilus_tui.daemon.risk.alerts import AlertBook
from nautilus_tui.daemon.risk.breaches import BreachBook
from nautilus_tui.daemon.risk.figures import FigureSource
from nautilus_tui.daemon.risk.holds import HoldBook
from nautilus_tui.daemon.risk.limits import LimitBook
from nautilus_tui.daemon.risk.monitor import Monitor
from nautilus_tui.daemon.risk.notify import Notifier
from nautilus_tui.daemon.risk.portfolio import PortfolioWatch
from nautilus_tui.daemon.risk.responses import Responses
from nautilus_tui.daemon.risk.returns import ReturnsSource
from nautilus_tui.daemon.risk.traded import TradedToday

if TYPE_CHECKING:
    from nautilus_tui.daemon.risk.parts import RiskWorld


def monitoring(
    world: RiskWorld,
    *,
    limits: LimitBook,
    portfolio: PortfolioWatch,
    returns: ReturnsSource,
    traded: TradedToday,
    alerts: AlertBook,
    execute: Callable[[AnyCommand, Principal], Awaitable[Outcome]],
) -> Monitor:
    """Return the monitor of a daemon; it checks nothing before it is started."""
    chain, store = world.settings.escalation, world.state.breaches
    breaches = BreachBook(store, world.bus, world.present, world.clock)
    notifier = Notifier()
    holds = HoldBook(
        store=store,
        bus=world.bus,
        status=portfolio.status,
        said=limits.restriction,
        execute=execute,
        alerts=alerts,
        clock=world.clock,
    )
    runner = ActionRunner(
        execute=execute,
        bus=world.bus,
        present=world.present,
        portfolio=portfolio,
        holds=holds,
        clock=world.clock,
    )
    responses = Responses(
        alerts=alerts,
        breaches=breaches,
        runner=runner,
        holds=holds,
        notifier=notifier,
        chain=chain,
        clock=world.clock,
    )
    return Monitor(
        limits=limits,
        portfolio=portfolio,
        figures=FigureSource(
            bus=world.bus, present=world.present, portfolio=portfolio, traded=traded, clock=world.clock
        ),
        returns=returns,
        traded=traded,
        breaches=breaches,
        alerts=alerts,
        responses=responses,
        holds=holds,
        notifier=notifier,
        store=store,
        bus=world.bus,
        roles=[step.role for step in chain],
        every_s=world.settings.monitor_seconds,
        clock=world.clock,
    )
