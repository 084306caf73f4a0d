"""Workspace Risk: limits, breaches and the row looked at; forecast, value at risk, stress, exposures."""

from __future__ import annotations

from textual.app import ComposeResult
from textual.containers import Container, Vertical
from textual.widget import Widget

from nautilus_tui.terminal.panes.risk.breaches import Breaches
from nautilus_tui.terminal.panes.risk.detail import Detail
from nautilus_tui.terminal.panes.risk.exposures import Exposures
from nautilus_tui.terminal.panes.risk.forecast import Forecast
from nautilus_tui.terminal.panes.risk.limits import Limits
from nautilus_tui.terminal.panes.risk.stress import Stress
from nautilus_tui.terminal.panes.risk.tabs import RiskTabs
from nautilus_tui.terminal.panes.risk.var import ValueAtRisk


class RiskWorkspace(Vertical):
    """What is limited at the left, what may come at the right.

    Where there is little room the panes of class ``deck`` share one place under the limits: the one
    gone to last is seen.
    """

    def __init__(self) -> None:
        super().__init__(id="risk", classes="workspace")

    def compose(self) -> ComposeResult:
        """Lay out the panes."""
        with Container(id="perils"):
            with Vertical(id="bounds"):
                yield Limits(id="limits")
                yield RiskTabs(id="risk_tabs")
                yield Breaches(id="breaches", classes="deck")
                yield _in_deck(Detail(id="limit_detail"), shown=True)
            with Container(id="prospects"):
                with Vertical(id="chances"):
                    yield _in_deck(Forecast(id="forecast"))
                    yield _in_deck(ValueAtRisk(id="var"))
                with Vertical(id="losses"):
                    yield _in_deck(Stress(id="stress"))
                    yield Exposures(id="exposures", classes="deck")


def _in_deck(pane: Widget, *, shown: bool = False) -> Widget:
    """Let a pane join the deck; one is on top of it first."""
    pane.add_class("deck")
    pane.set_class(shown, "-shown")
    return pane
