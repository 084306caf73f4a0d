"""Actions of the Trade and Engines workspaces that change only what is looked at."""

from __future__ import annotations

from typing import Final

from nautilus_tui.terminal.actions.action import Action
from nautilus_tui.terminal.situation import Situation


def _order_there(situation: Situation) -> str | None:
    return None if situation.order is not None else "no order is under the cursor"


def _one_order_logged(situation: Situation) -> str | None:
    return None if situation.view.log_order is not None else "lines of all orders are shown"


LOOKING: Final = (
    Action(
        id="chart.timeframe_next",
        keys=("]", "t"),
        name="timeframe-next",
        scope="trade",
        label="Longer timeframe",
    ),
    Action(
        id="chart.timeframe_previous",
        keys=("[",),
        name="timeframe-previous",
        scope="trade",
        label="Shorter timeframe",
    ),
    Action(
        id="chart.overlays",
        keys=("o",),
        name="overlays",
        scope="chart",
        label="Show or hide the chart's overlays",
    ),
    Action(
        id="instrument.pick",
        keys=("i",),
        name="instruments",
        scope="trade",
        label="Pick an instrument",
        hint="symbol",
    ),
    Action(
        id="orders.scope",
        keys=("a",),
        name="orders-scope",
        scope="orders",
        label="Orders shown: today, working, all",
        hint="which",
    ),
    Action(
        id="order.logs",
        keys=("l",),
        name="order-logs",
        scope="orders",
        label="The order's events among the engine's log lines",
        hint="log",
        check=_order_there,
    ),
    Action(
        id="logs.level",
        keys=("l",),
        name="log-level",
        scope="engines",
        label="Lowest log level shown",
        hint="level",
    ),
    Action(
        id="logs.all",
        keys=("escape",),
        name="log-all",
        scope="logs",
        label="Log lines of all orders again",
        hint="all",
        check=_one_order_logged,
    ),
)
