"""Every macro factor: its value, how it moved and how unusual it is."""

from __future__ import annotations

from typing import ClassVar

from nautilus_tui.terminal.mirror import Kind, Mirror
from nautilus_tui.terminal.questions.macro import Factors as AskFactors
from nautilus_tui.terminal.view import View
from nautilus_tui.terminal.widgets.table import Column, LiveTable

COLUMNS = (Column("factor", "Factor", "left", least=8, most=30), Column("value", "Value", least=6))


class Factors(LiveTable):
    """The factors by group."""

    watches: ClassVar[frozenset[Kind]] = frozenset({"macro", "connection"})
    shows_ages: ClassVar[bool] = True
    TITLE = "Factors"

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(COLUMNS, id=id)

    def wants(self, mirror: Mirror, view: View) -> list[AskFactors]:
        """Return what is to be asked."""
        return [AskFactors(view.macro.as_of)]

    def refresh_from(self, mirror: Mirror, view: View) -> None:
        """Show every factor."""
