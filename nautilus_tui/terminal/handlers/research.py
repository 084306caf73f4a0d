"""Doing what concerns the Research workspace: which company, which filing, which figures. No I/O."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

from data.companies import Filing
from nautilus_tui.terminal.forms import GROUPS, forms_called, group_of
from nautilus_tui.terminal.panes.research.facts import FactsTable
from nautilus_tui.terminal.panes.research.reader import Reader
from nautilus_tui.terminal.panes.research.subject import symbol_of
from nautilus_tui.terminal.questions.research import (
    CompaniesLike,
    FactsOf,
    FilingsOf,
    FilingsSaying,
)
from nautilus_tui.terminal.research_lines import ResearchLine
from nautilus_tui.terminal.research_view import Reading, ResearchView, symbol_asked
from nautilus_tui.terminal.screens.picker import Entry, Picker
from nautilus_tui.terminal.widgets.document import Place, plain
from nautilus_tui.terminal.workspaces.research import WIDE, ResearchWorkspace

if TYPE_CHECKING:
    from nautilus_tui.terminal.app import Terminal

Handler = Callable[[], None]
RowHandler = Callable[[str], None]
#: What is opened at once, without looking for it among names.
_TICKER_OR_CIK = re.compile(r"\d{1,10}|[A-Za-z]{1,5}([.\-/][A-Za-z]{1,2})?")


class ResearchDesk:
    """Looks at companies."""

    def __init__(self, app: Terminal) -> None:
        self._app = app
        self._awaited: str | None = None  #: the pane to go to when the workspace is there

    @property
    def _view(self) -> ResearchView:
        return self._app.view.research

    def handlers(self) -> dict[str, Handler]:
        """Return the method of each action."""
        return {
            "research.instrument": self.open_instrument,
            "research.find": lambda: self._app.looking.filter("companies"),
            "research.back": lambda: self._walk(self._view.trail.back()),
            "research.forward": lambda: self._walk(self._view.trail.forward()),
            "research.stock": self.ask_stock,
            "research.refresh": self.refresh,
            "companies.all": lambda: self.look_for(""),
            "filings.forms": lambda: self.forms_by(1),
            "filings.all": self.all_filings,
            "facts.cadence": self.turn_cadence,
            "facts.view": self.turn_view,
            "facts.growth": self.turn_growth,
            "facts.close": lambda: self.chart(None),
            "reader.close": self.close_reader,
            "reader.sections": self.pick_section,
        }

    def highlighted(self) -> dict[str, RowHandler]:
        """Return what the cursor of each table selects."""
        return {"facts": self._chart_follows}

    def selected(self) -> dict[str, RowHandler]:
        """Return what enter does in each table."""
        return {
            "companies": self.open_company,
            "filings": self._open_listed,
            "insiders": lambda key: self._open_own(key.partition("#")[0]),
            "facts": self._chart_or_not,
        }

    # ------------------------------------------------------------ companies

    def arrive(self) -> None:
        """Come to the pane one left or asked for; the first time, to the selected instrument's company."""
        self._begin()
        nobody = self._view.company is None and not self._view.phrase
        pane, self._awaited = self._awaited, None
        self._app.looking.focus(pane or ("companies" if nobody else self._app.standing.last_pane))

    def _begin(self) -> None:
        """Look at the company of the selected instrument, where none was looked at yet."""
        rules = self._app.situation().instrument
        if self._view.company is None and rules is not None and rules.asset_class == "equity":
            self._view.look_at(symbol_asked(rules.id))
            self._app.selection_changed()

    def open_instrument(self) -> None:
        """Look at the company of the position or order under the cursor, else of the selected instrument."""
        situation = self._app.situation()
        subject = {"positions": situation.position, "orders": situation.order}.get(situation.pane or "")
        instrument = subject.instrument if subject is not None else situation.view.instrument
        if instrument is not None:
            self.open_company(symbol_asked(instrument))

    def open_company(self, who: str) -> None:
        """Look at a company and list its filings."""
        self._view.look_at(who)
        self._go_to("filings")

    def look_for(self, text: str) -> None:
        """Search companies by a text; none shows those looked at and traded."""
        if text != self._view.text:
            self._view.text = text
            self._app.selection_changed()

    def _walk(self, who: str | None) -> None:
        if who is not None:
            self._view.arrived()
            self._app.selection_changed()

    def ask_stock(self) -> None:
        """Ask the vendor about the company's stock: its requests are few, so nobody else does."""
        symbol = symbol_of(self._app.mirror, self._app.view)
        if symbol is None:
            self._app.tell("its ticker is not known, so there is no stock to ask about", "warning")
            return
        self._view.asked.add(symbol)
        self._app.selection_changed()

    def refresh(self) -> None:
        """Ask for everything again."""
        self._app.mirror.facts.ask_again("research")
        self._app.selection_changed()

    # ------------------------------------------------------------ filings

    def forms_by(self, by: int) -> None:
        """List the next group of forms, or the one before."""
        group = group_of(self._view.forms)
        at = GROUPS.index(group) if group is not None else 0
        self._view.forms = GROUPS[(at + by) % len(GROUPS)].forms
        self._app.selection_changed()

    def all_filings(self) -> None:
        """List every filing of the company again."""
        self._view.phrase, self._view.forms = "", ()
        self._app.selection_changed()

    def open_filing(self, company: str, accession: str) -> None:
        """Go to a filing of a company."""
        self._view.look_at(company)
        self._read(Reading(company, accession))

    def _open_listed(self, key: str) -> None:
        """Read the filing under the cursor: one of the company's own, or one that was found by its text."""
        if self._view.phrase:
            found = self._app.mirror.facts.answer(FilingsSaying(self._view.phrase, self._view.forms)).value
            hits = found.filings if found is not None else ()
            hit = next((h for h in hits if f"{h.accession}/{h.document}" == key), None)
            if hit is not None and hit.ciks:
                title = f"{hit.form} {hit.filed}" if hit.filed is not None else hit.form
                self._read(Reading(str(hit.ciks[0]), hit.accession, hit.document or None, title))
        else:
            self._open_own(key)

    def _open_own(self, accession: str) -> None:
        who = self._view.company
        if who is not None:
            filing = next((f for f in self._filings() if f.accession == accession), None)
            title = f"{filing.form} {filing.filed}" if filing is not None else ""
            document = filing.document or None if filing is not None else None
            self._read(Reading(who, accession, document, title))

    def _filings(self) -> Iterator[Filing]:
        """Yield the filings of the company that are known, by list or by stream."""
        who, facts = self._view.company or "", self._app.mirror.facts
        for forms in {self._view.forms, *(group.forms for group in GROUPS)}:
            listed = facts.answer(FilingsOf(who, forms)).value
            yield from listed.filings if listed is not None else ()
        yield from facts.filings

    def _read(self, reading: Reading) -> None:
        self._view.reading = reading
        self._go_to("reader")

    def close_reader(self) -> None:
        """Go back to the list; the reader keeps its place."""
        self._view.open = False
        self._app.looking.unmaximise()
        self._go_to("filings")

    def pick_section(self) -> None:
        """Go to a section of the document by its name."""
        reader = self._app.screen_stack[0].query_one(Reader)
        sections = reader.document.sections if reader.document is not None else ()
        if not sections:
            self._app.tell("this document has no sections that could be told", "warning")
            return
        entries = [
            Entry(str(i), plain(name), f"line {line + 1:,}") for i, (name, line) in enumerate(sections)
        ]

        def picked(key: str | None) -> None:
            if key is not None:
                reader.go_to(Place(sections[int(key)][1]))

        current = None if reader.section is None else str(reader.section)
        self._app.push_screen(Picker("Section", entries, current=current), picked)

    # ------------------------------------------------------------ figures

    def turn_cadence(self) -> None:
        """Show figures of years or of quarters."""
        self._view.cadence = "quarter" if self._view.cadence == "annual" else "annual"
        self._app.selection_changed()

    def turn_view(self) -> None:
        """Show figures as restated last or as filed first."""
        self._view.figures = "first_filed" if self._view.figures == "restated" else "restated"
        self._app.selection_changed()

    def turn_growth(self) -> None:
        """Show or hide growth under the figures."""
        self._view.growth = not self._view.growth
        self._app.selection_changed()

    def chart(self, metric: str | None) -> None:
        """Show the bars of a metric, or of none."""
        if metric != self._view.metric:
            self._view.metric = metric
            self._app.selection_changed()

    def _chart_or_not(self, _: str) -> None:
        metric = self._app.screen_stack[0].query_one(FactsTable).metric
        seen = self._view.metric is not None and self._app.size.width < WIDE
        self.chart(None if seen and metric == self._view.metric else metric)

    def _chart_follows(self, _: str) -> None:
        if self._view.metric is not None or self._app.size.width >= WIDE:
            self.chart(self._app.screen_stack[0].query_one(FactsTable).metric)

    # ------------------------------------------------------------ the screen

    def reveal(self, pane: str) -> None:
        """Bring a pane into sight, if it is not."""
        view = self._view
        view.front = pane
        if pane in ("insiders", "holdings"):
            view.side = pane
            view.metric = None if self._app.size.width < WIDE else view.metric
        if pane == "reader":
            view.open = True
        elif pane == "facts" or (pane in ("filings", "insiders", "holdings") and self._app.size.width < WIDE):
            view.open = False
        self._app.screen_stack[0].query_one(ResearchWorkspace).show(view)

    def _go_to(self, pane: str) -> None:
        """Go to a pane of the workspace, once that is there."""
        self._awaited = pane
        self._app.looking.workspace("research")
        if self._app.workspace == "research":
            self._awaited = None
            self._app.looking.focus(pane)
        self._app.selection_changed()

    # ------------------------------------------------------------ the command line

    def known_companies(self) -> tuple[str, ...]:
        """Return tickers that are worth naming: looked at, found, traded."""
        facts, view = self._app.mirror.facts, self._view
        found = facts.answer(CompaniesLike(view.text)).value or [] if view.text else []
        names = [*reversed(view.trail.places), *(t for c in found for t in c.tickers)]
        rules = self._app.mirror.instruments.get(self._app.view.engine or "", {}).values()
        names += [symbol_asked(r.id) for r in rules if r.asset_class == "equity"]
        return tuple(dict.fromkeys(names))

    def known_metrics(self) -> tuple[str, ...]:
        """Return the metrics there are of the company looked at."""
        view = self._view
        known = self._app.mirror.facts.answer(FactsOf(view.company or "", view.figures)).value
        if known is None:
            return ()
        return tuple(dict.fromkeys([*(fact.metric for fact in known.facts), *known.metrics]))

    def say(self, line: ResearchLine) -> None:
        """Do what a line says."""
        view = self._view
        match line.verb:
            case "research":
                self._say_research(line.query)
            case "filings":
                view.look_at(line.query)
                view.phrase = ""
                view.forms = forms_called(line.detail) if line.detail else ()
                self._go_to("filings")
            case "facts":
                view.look_at(line.query)
                view.metric = view.asked_metric = line.detail or None
                self._go_to("facts")
            case "insiders":
                view.look_at(line.query)
                self._go_to("insiders")
            case "holdings":
                self._begin()
                if line.query != view.company:
                    view.manager = line.query
                self._go_to("holdings")
            case "search":
                self._begin()
                view.phrase, view.forms = line.query, ()
                self._go_to("filings")

    def _say_research(self, query: str) -> None:
        if not query:
            self._app.looking.workspace("research")
            return
        self._view.text = query
        if _TICKER_OR_CIK.fullmatch(query):
            self._view.look_at(query.upper())
            self._go_to("filings")
        else:
            self._go_to("companies")
