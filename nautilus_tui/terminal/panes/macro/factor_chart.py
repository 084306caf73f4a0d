"""The chart of one factor or series: its line, the recessions behind it, how far out it is."""

from __future__ import annotations

import datetime as dt
import statistics
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from textual import events
from textual.binding import Binding, BindingType

from data.facts import Fact
from data.macro import FactorHistory, Frequency, MacroFactor, Series
from nautilus_tui.terminal import figures
from nautilus_tui.terminal.glyphs import Glyphs
from nautilus_tui.terminal.macro_view import MacroView
from nautilus_tui.terminal.mirror import Kind, Mirror
from nautilus_tui.terminal.panes.macro import chosen
from nautilus_tui.terminal.panes.macro.factors import period, unusual, way_of
from nautilus_tui.terminal.panes.provenance import entitle, message, why_empty
from nautilus_tui.terminal.questions import Answer, Question
from nautilus_tui.terminal.questions.macro import Factors, History, OneSeries
from nautilus_tui.terminal.theme import glyphs_of
from nautilus_tui.terminal.view import View
from nautilus_tui.terminal.widgets.lines import Line, Lines, Part, spread, width_of
from nautilus_tui.terminal.widgets.plot import Level, Plot, Span, Trace, date_labels, draw

#: A z-score is over this many years, so that many are asked for at least.
STANDING_YEARS = 10
#: Years that stand for all there are.
ALL_YEARS = 120
#: How many standard deviations from the mean the lines are.
BAND = 2.0
_LEAST_FOR_A_BAND = 24
#: In a pane of so many lines there is room to say how a factor is made.
_LEAST_FOR_FORMULA = 12

Points = Sequence[tuple[dt.date, float | None]]


@dataclass(frozen=True, slots=True)
class Subject:
    """What is charted."""

    title: str
    unit: str
    decimals: int
    frequency: Frequency
    points: Points
    recessions: Sequence[tuple[dt.date, dt.date]] = ()
    remark: str = ""


class FactorChart(Lines, can_focus=True):
    """A factor over the years."""

    watches: ClassVar[frozenset[Kind]] = frozenset({"macro", "connection"})
    shows_ages: ClassVar[bool] = True
    TITLE = "Chart"

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("left,h", "back(1)", "Read an earlier value", show=False, id="factor_chart.back"),
        Binding("right,l", "back(-1)", "Read a later value", show=False, id="factor_chart.forth"),
        Binding("pageup", "back(12)", "Twelve values earlier", show=False, id="factor_chart.far_back"),
        Binding("pagedown", "back(-12)", "Twelve values later", show=False, id="factor_chart.far_forth"),
        Binding("end", "latest", "Read the latest value", show=False, id="factor_chart.latest"),
    ]

    def __init__(self, *, id: str | None = None, classes: str | None = None) -> None:
        super().__init__(id=id, classes=classes)
        self._seen: tuple[Mirror, View] | None = None
        self._ago = 0  #: how many values before the latest the crosshair is
        self._about: tuple[object, ...] = ()
        self._shown = 0  #: values in sight

    def on_resize(self, event: events.Resize) -> None:
        """Draw for the new size."""
        super().on_resize(event)
        if self._seen is not None:
            self.refresh_from(*self._seen)

    def action_back(self, by: int) -> None:
        """Move the crosshair."""
        self._ago = max(0, min(self._shown - 1, self._ago + by))
        if self._seen is not None:
            self.refresh_from(*self._seen)

    def action_latest(self) -> None:
        """Put the crosshair away."""
        self._ago = 0
        if self._seen is not None:
            self.refresh_from(*self._seen)

    def wants(self, mirror: Mirror, view: View) -> list[Question[Any]]:
        """Return what is to be asked."""
        question = asked(mirror, view)
        return [] if question is None else [question]

    def refresh_from(self, mirror: Mirror, view: View) -> None:
        """Show the factor under the cursor, or the series that was asked for."""
        self._seen = (mirror, view)
        glyphs, macro = glyphs_of(self.app), view.macro
        if (about := (macro.factor, macro.series, macro.years, macro.as_of)) != self._about:
            self._about, self._ago = about, 0
        width, height = self.room
        question = asked(mirror, view)
        answer: Answer[Any] = Answer() if question is None else mirror.facts.answer(question)
        factor = None if macro.series is not None else chosen.factor(mirror, view)
        value = answer.value
        name = macro.series or (factor.title if factor is not None else macro.factor or "Chart")
        fact = value if isinstance(value, Fact) else None
        if isinstance(value, FactorHistory):
            subject = of_factor(value, factor)
        elif isinstance(value, Series):
            subject, name = of_series(value), value.info.title
        else:
            subject = None
        entitle(
            self,
            name,
            fact,
            answer,
            view.now_ns,
            glyphs,
            as_of=macro.as_of,
            more=years_word(macro),
        )
        if subject is None:
            connected = mirror.connection.state == "connected"
            if question is None:
                question = Factors(macro.as_of)
                answer = mirror.facts.answer(question)
            self.set_lines(message(why_empty(answer, question.words, connected=connected), width))
            return
        self.set_lines(self._drawn(subject, factor, macro, glyphs, width, height))

    def _drawn(
        self,
        subject: Subject,
        factor: MacroFactor | None,
        macro: MacroView,
        glyphs: Glyphs,
        width: int,
        height: int,
    ) -> Sequence[Line]:
        """Return the readout and the plot under it."""
        points = within(subject.points, macro.years)
        self._shown = len(points)
        known = [(day, value) for day, value in points if value is not None]
        if len(known) < 2 or width < 12:
            return message(f"{subject.title} has {len(known)} values in these years: nothing to draw.", width)
        ago = min(self._ago, len(points) - 1)
        day, value = points[-1 - ago] if ago else known[-1]
        head = readout(subject, factor if not ago else None, day, value, glyphs, width)
        remark: list[list[Part]] = [[(f" {glyphs.warn} {subject.remark}", "warn")]] if subject.remark else []
        first, last = points[0][0], points[-1][0]
        plot = Plot(
            traces=[Trace("accent", [(float(d.toordinal()), v) for d, v in points])],
            x=(float(first.toordinal()), float(last.toordinal())),
            x_labels=date_labels(first, last, width - 8),
            spans=spans(subject.recessions, first, last),
            levels=levels(subject.points, glyphs),
            decimals=subject.decimals,
            last=known[-1][1],
            crosshair=float(day.toordinal()) if ago else None,
            glyphs=glyphs,
        )
        told = factor is not None and height >= _LEAST_FOR_FORMULA
        made: list[list[Part]] = [[(f" {factor.formula}", "dim")]] if factor is not None and told else []
        return [head, *remark, *draw(plot, width, height - 1 - len(remark) - len(made)), *made]


def asked(mirror: Mirror, view: View) -> Question[Any] | None:
    """Return the question whose answer is charted; None while no factor is known."""
    macro = view.macro
    if macro.series is not None:
        return OneSeries(macro.series, macro.as_of)
    factor = chosen.factor(mirror, view)
    name = macro.factor or (factor.id if factor is not None else None)
    if name is None:
        return None
    return History(name, max(STANDING_YEARS, macro.years) if macro.years else ALL_YEARS, macro.as_of)


def of_factor(history: FactorHistory, factor: MacroFactor | None) -> Subject:
    """Return a factor as the subject of a chart."""
    points = [(p.date, p.value) for p in history.points]
    unknown = history.recessions_problem
    remark = f"recessions are not known: {unknown}" if unknown else ""
    return Subject(
        history.title,
        history.unit,
        history.decimals,
        factor.frequency if factor is not None else "unknown",
        points,
        history.recessions,
        remark,
    )


def of_series(series: Series) -> Subject:
    """Return a series as the subject of a chart."""
    values = [o.value for o in series.observations if o.value is not None]
    places = [-exponent for v in values[-50:] if isinstance(exponent := v.as_tuple().exponent, int)]
    return Subject(
        series.info.title,
        series.info.units,
        min(4, max(places, default=2)),
        series.info.frequency,
        [(o.date, None if o.value is None else float(o.value)) for o in series.observations],
    )


def within(points: Points, years: int) -> Points:
    """Return the points of the last years; all of them for 0."""
    if not years or not points:
        return points
    last = points[-1][0]
    # A leap day has no namesake in most years.
    first = last.replace(year=last.year - years, day=min(last.day, 28))
    return [point for point in points if point[0] >= first]


def levels(points: Points, glyphs: Glyphs) -> list[Level]:
    """Return the mean and the lines two standard deviations away, over the years of a z-score."""
    values = [value for _, value in within(points, STANDING_YEARS) if value is not None]
    if len(values) < _LEAST_FOR_A_BAND:
        return []
    mean, spread_ = statistics.fmean(values), statistics.stdev(values)
    if spread_ == 0:
        return []
    sign = glyphs.sigma
    return [
        Level(mean, "line-0", "mean"),
        Level(mean + BAND * spread_, "line-0", f"+{BAND:.0f}{sign}"),
        Level(mean - BAND * spread_, "line-0", f"-{BAND:.0f}{sign}"),
    ]


def spans(recessions: Sequence[tuple[dt.date, dt.date]], first: dt.date, last: dt.date) -> list[Span]:
    """Return the recessions that lie in sight."""
    return [
        Span(float(max(start, first).toordinal()), float(min(end, last).toordinal()), "recession")
        for start, end in recessions
        if end >= first and start <= last
    ]


def years_word(macro: MacroView) -> str:
    """Write how many years are charted."""
    return f"{macro.years} years" if macro.years else "all years"


def readout(
    subject: Subject,
    factor: MacroFactor | None,
    day: dt.date,
    value: float | None,
    glyphs: Glyphs,
    width: int,
) -> list[Part]:
    """Write the value under the crosshair, or the latest with how it moved and stands; as much as fits."""
    figure = f"{figures.fixed(value, subject.decimals)} {subject.unit}"
    when: list[Part] = [(f" {period(day, subject.frequency)}  ", "accent"), (figure, "bright")]
    more: list[Part] = []
    if factor is not None:
        style = way_of(factor.change, subject.decimals)
        sign = {"up": glyphs.up, "down": glyphs.down, "flat": glyphs.flat}[style]
        more += [(f"  {sign} {figures.signed(factor.change, subject.decimals)}", style)]
        more += [("  z ", "label"), (figures.signed(factor.zscore, 2), unusual(factor.zscore))]
    legend: list[Part] = [(f"{glyphs.shade} recession ", "dim")] if subject.recessions else []
    band: list[Part] = [
        (f"{glyphs.last} mean, {BAND:.0f}{glyphs.sigma} of {STANDING_YEARS} years ", "line-0")
    ]
    for left, right in (
        ([*when, *more], [*band, *legend]),
        ([*when, *more], legend),
        (when, legend),
        (when, []),
    ):
        if width_of(left) + width_of(right) <= width:
            return spread(left, right, width)
    return spread(when, [], width)
