"""Workspace Macro: factors and the chart of one, the yield curve, the regime, the calendar."""

from __future__ import annotations

from textual.app import ComposeResult
from textual.containers import Container, Vertical

from nautilus_tui.terminal.panes.macro.calendar import Calendar
from nautilus_tui.terminal.panes.macro.curve import Curve
from nautilus_tui.terminal.panes.macro.factor_chart import FactorChart
from nautilus_tui.terminal.panes.macro.factors import Factors
from nautilus_tui.terminal.panes.macro.notice import Notice
from nautilus_tui.terminal.panes.macro.regime import RegimePane


class MacroWorkspace(Vertical):
    """What there is to know at the left, what it looks like at the right.

    Where there is little room the panes of class ``deck`` share one place: the one gone to last is
    seen.
    """

    def __init__(self) -> None:
        super().__init__(id="macro", classes="workspace")

    def compose(self) -> ComposeResult:
        """Lay out the panes."""
        with Container(id="economy"):
            with Vertical(id="known"):
                yield Factors(id="factors")
                yield Calendar(id="calendar", classes="deck")
            with Vertical(id="seen"):
                yield FactorChart(id="factor_chart", classes="deck -shown")
                yield Curve(id="curve", classes="deck")
                yield RegimePane(id="regime", classes="deck")
        yield Notice(id="notice")
