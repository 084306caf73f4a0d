"""Doing what concerns the Macro workspace: which factor, how many years, as of when. No I/O."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from nautilus_tui.terminal.macro_view import YEARS
from nautilus_tui.terminal.statements import MacroLine

if TYPE_CHECKING:
    from nautilus_tui.terminal.app import Terminal

Handler = Callable[[], None]
RowHandler = Callable[[str], None]


class MacroDesk:
    """Looks at series and factors."""

    def __init__(self, app: Terminal) -> None:
        self._app = app

    def handlers(self) -> dict[str, Handler]:
        """Return the method of each action."""
        return {
            "macro.years_more": lambda: self.years_by(1),
            "macro.years_less": lambda: self.years_by(-1),
            "macro.as_of": lambda: self._app.looking.command("macro as-of "),
            "macro.today": lambda: self.say(MacroLine("as-of")),
            "macro.due": self.calendar_scope,
            "macro.refresh": lambda: self.say(MacroLine("refresh")),
        }

    def highlighted(self) -> dict[str, RowHandler]:
        """Return what the cursor of each table selects."""
        return {"factors": self.select_factor}

    def selected(self) -> dict[str, RowHandler]:
        """Return what enter does in each table."""
        return {"factors": self.select_factor}

    def select_factor(self, factor: str) -> None:
        """Chart another factor."""
        macro = self._app.view.macro
        if (macro.factor, macro.series) != (factor, None):
            macro.factor, macro.series = factor, None
            self._app.selection_changed()

    def years_by(self, by: int) -> None:
        """Chart more years or fewer."""
        macro = self._app.view.macro
        at = YEARS.index(macro.years) if macro.years in YEARS else 1
        macro.years = YEARS[max(0, min(len(YEARS) - 1, at + by))]
        self._app.selection_changed()

    def calendar_scope(self) -> None:
        """Show all releases, or what is due for what is held."""
        macro = self._app.view.macro
        macro.scope = "due" if macro.scope == "all" else "all"
        self._app.selection_changed()

    def say(self, line: MacroLine) -> None:
        """Do what a ``macro`` line says."""
        macro = self._app.view.macro
        match line.verb:
            case "as-of":
                macro.as_of = line.as_of
            case "series":
                macro.series = line.name
            case "factor":
                macro.factor, macro.series = line.name, None
            case "years":
                macro.years = line.years or 0
            case "refresh":
                self._app.mirror.facts.ask_again("macro")
            case "show":
                pass
        self._app.looking.workspace("macro")
        self._app.selection_changed()
