"""Panes that handle keys themselves (moving a cursor, scrolling), so that these can be rebound."""

from __future__ import annotations

from typing import Final

from textual.binding import Binding
from textual.widget import Widget

from nautilus_tui.terminal.panes.chart import ChartPane
from nautilus_tui.terminal.panes.logs import Logs
from nautilus_tui.terminal.panes.macro.factor_chart import FactorChart
from nautilus_tui.terminal.panes.research.facts import FactsTable
from nautilus_tui.terminal.panes.research.filings import Filings
from nautilus_tui.terminal.widgets.scrolled import ScrolledLines
from nautilus_tui.terminal.widgets.table import LiveTable
from nautilus_tui.terminal.widgets.textview import TextView

PANE_CLASSES: Final[tuple[type[Widget], ...]] = (
    *(LiveTable, Logs, ChartPane, FactorChart),
    *(Filings, FactsTable, TextView, ScrolledLines),
)


def pane_key_ids() -> set[str]:
    """Return the ids of the keys that panes handle themselves."""
    found = (b for cls in PANE_CLASSES for b in cls.BINDINGS if isinstance(b, Binding))
    return {binding.id for binding in found if binding.id is not None}
