"""A company's reported figures: metrics by periods, with growth, each saying how it came to be."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, ClassVar

from rich.cells import cell_len
from textual.binding import Binding, BindingType

from data.companies import CompanyFact, CompanyFacts
from nautilus_tui.terminal.factsheet import Measure, Sheet, growth, sheet
from nautilus_tui.terminal.figures import DASH
from nautilus_tui.terminal.mirror import Kind, Mirror
from nautilus_tui.terminal.panes.provenance import entitle
from nautilus_tui.terminal.panes.research.subject import absent, name_of
from nautilus_tui.terminal.questions import Question
from nautilus_tui.terminal.questions.question import Answer
from nautilus_tui.terminal.questions.research import FactsOf
from nautilus_tui.terminal.theme import glyphs_of
from nautilus_tui.terminal.view import View
from nautilus_tui.terminal.widgets.document import plain
from nautilus_tui.terminal.widgets.ribbon import RibbonTable, chips
from nautilus_tui.terminal.widgets.rows import fit
from nautilus_tui.terminal.widgets.table import Cell, Column, Row

#: So many periods are columns at once, where there is room.
MOST_PERIODS = 16
_GROWTH = ":growth"
#: A label is not wider than this, so that its unit is always seen.
_LABEL = 22
_ASIDE = re.compile(r"\([^)]*\)")


class FactsTable(RibbonTable):
    """Figures by period, the latest first."""

    watches: ClassVar[frozenset[Kind]] = frozenset({"research", "connection"})
    shows_ages: ClassVar[bool] = True
    TITLE = "Figures"

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("left,h", "periods(-1)", "Later periods", show=False, id="facts.later"),
        Binding("right,l", "periods(1)", "Earlier periods", show=False, id="facts.earlier"),
    ]

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(_columns(None, 0), id=id)
        self.sheet: Sheet | None = None
        self._made_of: tuple[object, ...] = ()
        self._first = 0  #: which period the first column is
        self._seen: tuple[Mirror, View] | None = None

    @property
    def metric(self) -> str | None:
        """The metric under the cursor."""
        return None if self.cursor_key is None else self.cursor_key.removesuffix(_GROWTH).partition("|")[0]

    def action_periods(self, by: int) -> None:
        """Bring earlier or later periods into sight."""
        if self.sheet is not None and self._seen is not None:
            self._first = max(0, min(self._first + by, len(self.sheet.spans) - 1))
            self.refresh_from(*self._seen)

    def wants(self, mirror: Mirror, view: View) -> Iterator[Question[Any]]:
        """Want the company's figures."""
        if self.region.area:
            yield from facts_wanted(view)

    def refresh_from(self, mirror: Mirror, view: View) -> None:
        """Show the figures."""
        self._seen = (mirror, view)
        self.comfortable = view.density == "comfortable"
        research, glyphs = view.research, glyphs_of(self.app)
        answers = facts_known(mirror, view)
        answer = answers[0] if answers else None
        facts = answer.value if answer is not None else None
        made_of = (research.cadence, *(known.value for known in answers))
        if not same(made_of, self._made_of):
            self._made_of, self._first = made_of, 0
            self.sheet = sheet(all_facts(answers), research.cadence) if facts is not None else None
        laid = self.sheet
        self.empty = self._why_empty(mirror, view, answer)
        stood = self.cursor_key
        self.set_columns(_columns(laid, self._first))
        ellipsis, growing = glyphs.ellipsis, research.growth
        rows = _rows(laid, self._first, ellipsis, with_growth=growing) if laid is not None else ()
        self.set_rows(list(rows))
        title = f"Figures {glyphs.dot} {name_of(mirror, view)}" if research.company else "Figures"
        metrics = len(laid.measures) if laid is not None else 0
        entitle(self, title, facts, answer, view.now_ns, glyphs, count=str(metrics))
        self._say_choice(view, laid)
        lost = self.rows and (self.cursor_key is None or self.cursor_key != stood)
        if lost and not self.move_to(stood or "", announce=False):
            self.move_to(self.rows[0].key, announce=False)

    def _why_empty(self, mirror: Mirror, view: View, answer: Answer[CompanyFacts] | None) -> str:
        if answer is not None and answer.value is not None and self.sheet is not None:
            other = "quarterly" if view.research.cadence == "annual" else "annual"
            return f"It reports no {_called(view.research.cadence)} figures. t shows {other} ones."
        return absent(mirror, view, answer, f"figures of {view.research.company}")

    def _say_choice(self, view: View, laid: Sheet | None) -> None:
        research = view.research
        left = chips(("annual", "quarterly"), 0 if research.cadence == "annual" else 1)
        left += chips(("restated", "first filed"), 0 if research.figures == "restated" else 1)
        left += chips(("growth",), 0 if research.growth else None)
        marks = []
        if laid is not None and laid.derived:
            marks.append(("d derived  ", "dim"))
        if laid is not None and laid.restated:
            marks.append(("r restated  ", "dim"))
        self.set_ribbon(left, marks)


def _called(cadence: str) -> str:
    return "annual" if cadence == "annual" else "quarterly"


def facts_wanted(view: View) -> Iterator[FactsOf]:
    """Yield the questions behind the sheet: the usual figures, and one metric that was named."""
    research = view.research
    if research.company is not None:
        yield FactsOf(research.company, research.figures)
        if research.asked_metric is not None:
            yield FactsOf(research.company, research.figures, research.asked_metric)


def facts_known(mirror: Mirror, view: View) -> list[Answer[CompanyFacts]]:
    """Return what is known of those questions."""
    return [mirror.facts.answer(question) for question in facts_wanted(view)]


def same(these: tuple[object, ...], those: tuple[object, ...]) -> bool:
    """Say whether two sheets are made of the very same answers; comparing them by value takes too long."""
    return len(these) == len(those) and all(a is b for a, b in zip(these, those, strict=True))


def all_facts(answers: list[Answer[CompanyFacts]]) -> tuple[CompanyFact, ...]:
    """Return the figures of all answers; those of a metric that is among the usual ones are there once."""
    found: list[CompanyFact] = []
    for answer in answers:
        if answer.value is not None:
            known = {fact.metric for fact in found}
            found += [fact for fact in answer.value.facts if fact.metric not in known]
    return tuple(found)


def _columns(laid: Sheet | None, first: int) -> list[Column]:
    """Return the columns: the metric, its unit, and periods from ``first`` on; the earliest go first."""
    spans = laid.spans[first : first + MOST_PERIODS] if laid is not None else ()
    return [
        Column("metric", "Metric", "left", least=12, most=_LABEL + 14),
        *(Column(f"p{i}", f"{span.name} ", least=7, drop=i) for i, span in enumerate(spans)),
    ]


def short_label(measure: Measure, ellipsis: str) -> str:
    """Return a metric's label where it is short, else our own name of it in words."""
    label = " ".join(_ASIDE.sub(" ", plain(measure.label).partition(":")[0]).split())
    ours = measure.metric.islower()
    if ours and (cell_len(label) > _LABEL or not label):
        label = measure.metric.replace("_", " ").replace("eps", "EPS")
        label = label[0].upper() + label[1:]
    return label if cell_len(label) <= _LABEL else fit(label, _LABEL, "left", ellipsis)


def _rows(laid: Sheet, first: int, ellipsis: str, *, with_growth: bool) -> Iterator[Row]:
    for measure in laid.measures:
        shown = measure.facts[first : first + MOST_PERIODS]
        key = f"{measure.metric}|{measure.unit}"
        name = short_label(measure, ellipsis)
        label = Cell(name, "bright", measure.metric, f"  {measure.written_unit}")
        yield Row(key, (label, *(figure_cell(measure, f) for f in shown)))
        if with_growth:
            grown = (growth_cell(fact) for fact in shown)
            yield Row(key + _GROWTH, (Cell("  on a year before", "dim", measure.metric, "  %"), *grown))


def figure_cell(measure: Measure, fact: CompanyFact | None) -> Cell:
    """Return one figure with a mark of how it came to be: derived, or told otherwise before."""
    if fact is None:
        return Cell(DASH, "faint", None, " ")
    mark = "d" if fact.derived else "r" if fact.restated else " "
    return Cell(measure.scale.write(fact.value), "down" if fact.value < 0 else "", fact.value, mark)


def growth_cell(fact: CompanyFact | None) -> Cell:
    """Return a figure's growth on the year before; nothing where it is not known."""
    text = growth(fact)
    value = fact.growth if fact is not None else None
    style = "flat" if not value else "up" if value > 0 else "down"
    return Cell(text.removesuffix("%"), style, value, " ")
