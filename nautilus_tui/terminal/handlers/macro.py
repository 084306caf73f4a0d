"""Doing what concerns the Macro workspace: which factor, how many years, as of when. No I/O."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from data.commands import RefreshProviders
from nautilus_tui.terminal.macro_view import CALENDAR_SCOPES, YEARS
from nautilus_tui.terminal.panes.macro.calendar import entries
from nautilus_tui.terminal.research_lines import ResearchLine
from nautilus_tui.terminal.statements import MacroLine
from nautilus_tui.terminal.ticket import mint_command_id

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
            "macro.refresh": self.refresh,
        }

    def highlighted(self) -> dict[str, RowHandler]:
        """Return what the cursor of each table selects."""
        return {"factors": self.select_factor}

    def selected(self) -> dict[str, RowHandler]:
        """Return what enter does in each table."""
        return {"factors": self.chart_factor, "calendar": self.go}

    def chart_factor(self, factor: str) -> None:
        """Chart a factor and go to its chart."""
        self.select_factor(factor)
        self._app.looking.focus("factor_chart")

    def go(self, key: str) -> None:
        """Go to what a line of the calendar is about: a factor, a series or a filing."""
        found = (e for e in entries(self._app.mirror, self._app.view) if e.key == key)
        entry = next(found, None)
        if entry is None or not entry.reference:
            self._app.tell("none of the series looked at comes with this release", "warning")
        elif entry.kind == "release":
            self.chart_series(entry.reference)
        elif entry.kind == "filing":
            self._app.research.open_filing(entry.about[0].partition(".")[0], entry.reference)
        else:
            self._app.research.say(ResearchLine("research", entry.reference))

    def chart_series(self, series: str) -> None:
        """Chart the first factor that is made of a series, or the series itself."""
        made = (f.id for f in self._app.mirror.facts.factors.values() if series in f.inputs)
        macro = self._app.view.macro
        factor = next(made, None)
        macro.factor, macro.series = factor or macro.factor, None if factor else series
        self._app.looking.focus("factor_chart")
        self._app.selection_changed()

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
        """Show the releases that matter, all of them, or what is due for what is held."""
        macro = self._app.view.macro
        at = CALENDAR_SCOPES.index(macro.scope)
        macro.scope = CALENDAR_SCOPES[(at + 1) % len(CALENDAR_SCOPES)]
        self._app.selection_changed()

    def refresh(self) -> None:
        """Have the daemon ask FRED anew; what it learns is asked for when it is done."""
        self._app.inquiry.execute(RefreshProviders(provider="fred"), mint_command_id())
        self._app.tell("asking FRED again")

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
                self._app.perform("macro.refresh")
            case "show":
                pass
        self._app.looking.workspace("macro")
        self._app.selection_changed()
