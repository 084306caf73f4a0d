"""Workspace Macro: factors and the chart of one, the yield curve, the regime, the calendar."""

from __future__ import annotations

from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical

from nautilus_tui.terminal.panes.macro.calendar import Calendar
from nautilus_tui.terminal.panes.macro.curve import Curve
from nautilus_tui.terminal.panes.macro.factor_chart import FactorChart
from nautilus_tui.terminal.panes.macro.factors import Factors
from nautilus_tui.terminal.panes.macro.regime import RegimePane


class MacroWorkspace(Vertical):
    """The economy at the left, what it amounts to at the right."""

    def __init__(self) -> None:
        super().__init__(id="macro", classes="workspace")

    def compose(self) -> ComposeResult:
        """Lay out the panes."""
        with Horizontal(id="economy"):
            yield Factors(id="factors")
            with Vertical(id="charts"):
                yield FactorChart(id="factor_chart")
                yield Curve(id="curve")
        with Horizontal(id="outlook"):
            yield RegimePane(id="regime")
            yield Calendar(id="calendar")
