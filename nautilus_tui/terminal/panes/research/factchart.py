"""The bars of one metric over time: how a figure went, the latest period at the right."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, ClassVar

from textual import events

from nautilus_tui.terminal.factsheet import Measure, Sheet, growth, sheet
from nautilus_tui.terminal.mirror import Kind, Mirror
from nautilus_tui.terminal.panes.provenance import message
from nautilus_tui.terminal.panes.research.facts import all_facts, facts_known, facts_wanted, same
from nautilus_tui.terminal.questions import Question
from nautilus_tui.terminal.theme import glyphs_of
from nautilus_tui.terminal.view import View
from nautilus_tui.terminal.widgets.bars import Bar, bars
from nautilus_tui.terminal.widgets.document import plain
from nautilus_tui.terminal.widgets.lines import Line, Lines


class FactChart(Lines):
    """Bars of the metric that was chosen."""

    watches: ClassVar[frozenset[Kind]] = frozenset({"research", "connection"})
    shows_ages: ClassVar[bool] = False
    TITLE = "Over time"

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._seen: tuple[Mirror, View] | None = None
        self._sheet: tuple[tuple[object, ...], Sheet] | None = None

    def on_resize(self, event: events.Resize) -> None:
        """Draw for the new size."""
        super().on_resize(event)
        if self._seen is not None:
            self.refresh_from(*self._seen)

    def wants(self, mirror: Mirror, view: View) -> Iterator[Question[Any]]:
        """Want the figures the bars are of."""
        if self.region.area:
            yield from facts_wanted(view)

    def refresh_from(self, mirror: Mirror, view: View) -> None:
        """Draw the metric's bars."""
        self._seen = (mirror, view)
        glyphs = glyphs_of(self.app)
        measure, laid = self._measure(mirror, view, view.research.metric)
        metric = view.research.metric or "a metric"
        if measure is None or laid is None:
            self.title, self.subtitle = "Over time", ""
            self.set_lines(message(f"No figures of {metric} are known for these periods.", self.room.width))
            return
        self.title = f"{plain(measure.label)} {glyphs.dot} {measure.written_unit}"
        known = [fact for fact in measure.facts if fact is not None]
        self.subtitle = f"{growth(known[0])} on a year before" if known and growth(known[0]) else ""
        self.set_lines(bar_lines(measure, laid, self.room.width, self.room.height, glyphs_of(self.app)))

    def _measure(self, mirror: Mirror, view: View, metric: str | None) -> tuple[Measure | None, Sheet | None]:
        answers = facts_known(mirror, view)
        made_of = (view.research.cadence, *(known.value for known in answers))
        if self._sheet is None or not same(self._sheet[0], made_of):
            self._sheet = (made_of, sheet(all_facts(answers), view.research.cadence))
        laid = self._sheet[1]
        return next((m for m in laid.measures if metric in (None, m.metric)), None), laid


def bar_lines(measure: Measure, laid: Sheet, width: int, height: int, glyphs: Any) -> list[Line]:
    """Return the bars of a metric, the earliest period first."""
    drawn = [
        Bar(
            span.name,
            measure.scale.write(fact.value) if fact is not None else "",
            float(fact.value) if fact is not None else None,
            "down-bar" if fact is not None and fact.value < 0 else "accent-bar",
        )
        for span, fact in zip(reversed(laid.spans), reversed(measure.facts), strict=True)
    ]
    lines = bars(drawn, max(0, width - 2), height, glyphs)
    return [[(" ", ""), *line] for line in lines] or message("There is no room for bars here.", width)
