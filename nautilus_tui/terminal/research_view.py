"""What is looked at in the Research workspace: plain state, written by its actions, read by its panes."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import NamedTuple

from data.companies import View
from nautilus_tui.terminal.factsheet import Cadence
from nautilus_tui.terminal.trail import Trail


class Reading(NamedTuple):
    """The document that is read."""

    who: str  #: ticker or CIK of the company
    accession: str
    document: str | None = None  #: None: the primary one
    title: str = ""  #: form and date, as far as known


@dataclass(slots=True)
class ResearchView:
    """The selection in the Research workspace."""

    text: str = ""  #: what is searched for among companies
    phrase: str = ""  #: what is searched for in the text of filings; empty: the company's own are listed
    trail: Trail[str] = field(default_factory=Trail)  #: companies looked at, by ticker or CIK
    forms: tuple[str, ...] = ()  #: only these are listed; empty: all
    reading: Reading | None = None
    open: bool = False  #: the reader is in sight
    cadence: Cadence = "annual"
    figures: View = "restated"
    growth: bool = False  #: growth is shown under each figure
    metric: str | None = None  #: the metric whose bars are shown
    asked_metric: str | None = None  #: one that was asked for by name, beside the usual ones
    manager: str | None = None  #: whose holdings are shown; None: the company's own
    asked: set[str] = field(default_factory=set)  #: symbols the vendor is asked about, whose requests are few
    front: str = "filings"  #: the pane that is seen where there is room for one only
    side: str = "insiders"  #: which of ``insiders`` and ``holdings`` is seen where they share a place

    @property
    def company(self) -> str | None:
        """Ticker or CIK of the company looked at."""
        return self.trail.here

    def look_at(self, who: str) -> None:
        """Look at a company; what was chosen of the one before does not hold for it."""
        if who == self.company:
            return
        self.trail.go(who)
        self.arrived()

    def arrived(self) -> None:
        """Begin anew with the company one has come to."""
        self.forms, self.reading, self.metric, self.asked_metric = (), None, None, None
        self.phrase, self.manager, self.side, self.open = "", None, "insiders", False


def symbol_asked(instrument: str) -> str:
    """Return the symbol under which an instrument's company is looked for: ``AAPL`` of ``AAPL.SIM``."""
    symbol, _, venue = instrument.rpartition(".")
    return (symbol if symbol and len(venue) > 1 else instrument).upper()
