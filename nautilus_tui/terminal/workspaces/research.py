"""Workspace Research: search, company, filings with a reader, facts, insiders, holdings."""

from __future__ import annotations

from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical

from nautilus_tui.terminal.panes.research.companies import Companies
from nautilus_tui.terminal.panes.research.facts import FactsTable
from nautilus_tui.terminal.panes.research.filings import Filings
from nautilus_tui.terminal.panes.research.holdings import Holdings
from nautilus_tui.terminal.panes.research.insiders import Insiders
from nautilus_tui.terminal.panes.research.overview import Overview
from nautilus_tui.terminal.panes.research.reader import Reader


class ResearchWorkspace(Vertical):
    """Companies and their filings at the left, what they say at the right."""

    def __init__(self) -> None:
        super().__init__(id="research", classes="workspace")

    def compose(self) -> ComposeResult:
        """Lay out the panes."""
        with Horizontal(id="library"):
            with Vertical(id="shelves"):
                yield Companies(id="companies")
                yield Filings(id="filings")
            with Vertical(id="desk"):
                yield Overview(id="overview")
                yield Reader(id="reader")
        with Horizontal(id="ledgers"):
            yield FactsTable(id="facts")
            yield Insiders(id="insiders")
            yield Holdings(id="holdings")
