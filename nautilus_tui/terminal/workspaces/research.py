"""Workspace Research: companies and who they are at the left, what they file and earn at the right.

Where there is little room one pane is seen at a time, under a line that names them all; the reader
takes the place of the lists. It must not know what panes show.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from textual.app import ComposeResult
from textual.containers import Container, Horizontal, Vertical

from nautilus_tui.terminal.mirror import Kind, Mirror
from nautilus_tui.terminal.panes.research.companies import Companies
from nautilus_tui.terminal.panes.research.factchart import FactChart
from nautilus_tui.terminal.panes.research.facts import FactsTable
from nautilus_tui.terminal.panes.research.filings import Filings
from nautilus_tui.terminal.panes.research.holdings import Holdings
from nautilus_tui.terminal.panes.research.insiders import Insiders
from nautilus_tui.terminal.panes.research.overview import Overview
from nautilus_tui.terminal.panes.research.reader import Reader
from nautilus_tui.terminal.panes.research.tabs import ResearchTabs
from nautilus_tui.terminal.research_view import ResearchView
from nautilus_tui.terminal.view import View

if TYPE_CHECKING:
    from nautilus_tui.terminal.handlers.research import ResearchDesk

#: Screens with fewer columns or lines show one pane at a time.
LEAST_WIDTH, LEAST_HEIGHT = 100, 30
WIDE = 160
PANE_NAMES = ("companies", "overview", "filings", "insiders", "holdings", "facts", "reader")
_LISTS = frozenset({"filings", "insiders", "holdings", "facts"})


class ResearchWorkspace(Vertical):
    """The panes, and which of them are in sight."""

    watches: ClassVar[frozenset[Kind]] = frozenset()
    shows_ages: ClassVar[bool] = False

    def __init__(self, desk: ResearchDesk) -> None:
        super().__init__(id="research", classes="workspace")
        self._desk = desk
        self._view: View | None = None

    def compose(self) -> ComposeResult:
        """Lay out the panes."""
        yield ResearchTabs(id="research_tabs")
        with Horizontal(id="library"):
            with Vertical(id="profile"):
                yield Companies(id="companies")
                yield Overview(id="overview")
            with Container(id="material"):
                with Vertical(id="papers"):
                    yield Filings(id="filings")
                    yield Insiders(id="insiders")
                    yield Holdings(id="holdings")
                with Vertical(id="figures"):
                    yield FactsTable(id="facts")
                    yield FactChart(id="fact_chart")
                yield Reader(id="reader")

    def on_mount(self) -> None:
        """Panes that take turns can be gone to while they are hidden."""
        self.query(", ".join(f"#{name}" for name in PANE_NAMES)).add_class("turns")

    def refresh_from(self, mirror: Mirror, view: View) -> None:
        """Show the panes that are wanted."""
        self._view = view
        self.show(view.research)

    def on_resize(self) -> None:
        """Show what there is room for now."""
        if self._view is not None:
            self.show(self._view.research)

    def show(self, research: ResearchView) -> None:
        """Show those panes for which there is room, and hide the others."""
        width, height = self.app.size
        seen = in_sight(research, width, height)
        self.set_class("fact_chart" in seen, "-charting")
        for name in ("research_tabs", *_PARTS):
            widget = self.query_one(f"#{name}")
            # Only hiding is written over the style sheet, so that maximising still has its way.
            if name not in seen:
                widget.styles.display = "none"
            elif not widget.display:
                widget.styles.display = None

    def on_companies_searched(self, event: Companies.Searched) -> None:
        """Another company is looked for."""
        event.stop()
        self._desk.look_for(event.text)

    def on_filings_grouped(self, event: Filings.Grouped) -> None:
        """Other forms are wanted."""
        event.stop()
        self._desk.forms_by(event.by)


_PARTS = (
    *("profile", "companies", "overview", "material", "papers", "filings", "insiders", "holdings"),
    *("figures", "facts", "fact_chart", "reader"),
)


def in_sight(research: ResearchView, width: int, height: int) -> frozenset[str]:
    """Return the panes, and what they stand in, that are seen on a screen of this size."""
    if width < LEAST_WIDTH or height < LEAST_HEIGHT:
        return _one_at_a_time(research, beside=width >= LEAST_WIDTH)
    seen = {"profile", "companies", "overview", "material"}
    lists = {"papers", "filings", research.side}
    if research.open:
        return frozenset(seen | {"reader"} | (lists if width >= WIDE else set()))
    seen |= lists | {"figures", "facts"}
    if width >= WIDE:
        return frozenset(seen | {"fact_chart"})
    if research.metric is not None:
        seen = (seen | {"fact_chart"}) - {research.side}
    return frozenset(seen)


def _one_at_a_time(research: ResearchView, *, beside: bool) -> frozenset[str]:
    """Return the pane in front; ``beside`` it the company's overview, where that fits."""
    front = research.front
    seen = {"research_tabs", front}
    if front in ("companies", "overview"):
        if not beside:
            return frozenset(seen | {"profile"})
        front = "reader" if research.open else "filings"
        seen |= {front}
    if front == "facts":
        seen |= {"figures"} | ({"fact_chart"} if research.metric is not None else set())
    elif front in _LISTS:
        seen |= {"papers"}
    if beside:
        seen |= {"profile", "companies" if research.front == "companies" else "overview"}
    return frozenset(seen | {"material"})
