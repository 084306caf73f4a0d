"""The yield curve now, a month ago and a year ago: three lines told apart by sign and colour, and figures."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import ClassVar

from data.macro import YieldCurve
from nautilus_tui.terminal import figures
from nautilus_tui.terminal.glyphs import Glyphs
from nautilus_tui.terminal.mirror import Kind, Mirror
from nautilus_tui.terminal.panes.provenance import entitle, message, why_empty
from nautilus_tui.terminal.panes.redrawn import Redrawn
from nautilus_tui.terminal.questions.macro import YieldCurves
from nautilus_tui.terminal.theme import glyphs_of
from nautilus_tui.terminal.view import View
from nautilus_tui.terminal.widgets.lines import Part
from nautilus_tui.terminal.widgets.plot import Plot, Trace, draw

#: Styles of the curves, the latest first; their signs come from the glyphs.
STYLES = ("bright", "line-0", "line-1")
#: Spreads that are told, as long and short maturity in months.
SPREADS = (("10y-2y", 120, 24), ("10y-3m", 120, 3))
#: Maturities in the order in which they are looked at.
FIRST = ("10Y", "2Y", "3M", "5Y", "30Y", "1Y", "7Y", "20Y", "1M", "3Y", "6M")
#: Cells that a maturity takes in the list of figures.
_CELL = 5
#: Fewer lines than this are for the figures alone.
_LEAST_PLOT = 5

Yields = Sequence[tuple[str, int, Decimal | None]]


class Curve(Redrawn, can_focus=True):
    """The yield curve."""

    watches: ClassVar[frozenset[Kind]] = frozenset({"macro", "connection"})
    shows_ages: ClassVar[bool] = True
    TITLE = "Yield curve"

    def wants(self, mirror: Mirror, view: View) -> list[YieldCurves]:
        """Return what is to be asked."""
        return [YieldCurves(view.macro.as_of)]

    def draw(self, mirror: Mirror, view: View) -> None:
        """Show the three curves."""
        glyphs = glyphs_of(self.app)
        answer = mirror.facts.answer(YieldCurves(view.macro.as_of))
        curves = answer.value or []
        entitle(
            self,
            "Yield curve",
            min(curves, key=lambda c: c.fetched_at, default=None),
            answer,
            view.now_ns,
            glyphs,
            as_of=view.macro.as_of,
        )
        width, height = self.room
        if not curves:
            connected = mirror.connection.state == "connected"
            self.set_lines(message(why_empty(answer, "yield curve", connected=connected), width))
            return
        self.set_lines(curve_lines(curves, glyphs, width, height))


def signs_of(glyphs: Glyphs) -> tuple[str, str, str]:
    """Return the signs of the curves, the latest first."""
    return glyphs.on, glyphs.off, glyphs.mark


def curve_lines(curves: Sequence[YieldCurve], glyphs: Glyphs, width: int, height: int) -> list[list[Part]]:
    """Return what the curve says in words, the plot, and the figures by maturity."""
    words = shape(curves[0], glyphs)
    table = figures_of(curves, glyphs, width)
    if height - 1 - len(table) < _LEAST_PLOT:
        return [words, *table][:height]
    labels = [point.label for point in curves[0].points]
    traces = []
    # The latest is drawn last, over the others.
    for curve, style, sign in reversed(list(zip(curves, STYLES, signs_of(glyphs), strict=False))):
        points = [(float(i), None if p.value is None else float(p.value)) for i, p in enumerate(curve.points)]
        traces.append(Trace(style, points, sign))
    plot = Plot(
        traces=traces,
        x=(-0.4, len(labels) - 0.6),
        x_labels=[(float(i), label) for i, label in enumerate(labels)],
        decimals=2,
        glyphs=glyphs,
    )
    return [words, *draw(plot, width, height - 1 - len(table)), *table]


def shape(curve: YieldCurve, glyphs: Glyphs) -> list[Part]:
    """Say whether the curve is inverted, with the spreads that say so."""
    if curve.problem is not None:
        return [(f" {glyphs.warn} {curve.problem}", "warn")]
    yields = {point.months: point.value for point in curve.points}
    parts: list[Part] = []
    inverted = False
    for name, long, short in SPREADS:
        high, low = yields.get(long), yields.get(short)
        if high is None or low is None:
            parts += [(f"  {name} ", "label"), (figures.DASH, "dim")]
            continue
        spread = high - low
        inverted = inverted or spread < 0
        parts += [(f"  {name} ", "label"), (f"{spread:+.2f} pp", "warn" if spread < 0 else "")]
    word: Part = (f" {glyphs.warn} INVERTED", "warn") if inverted else (" not inverted", "dim")
    return [word, *parts]


def figures_of(curves: Sequence[YieldCurve], glyphs: Glyphs, width: int) -> list[list[Part]]:
    """Return the yields of each curve by maturity; the least looked at go where there is no room."""
    heading = max((len(_heading(curve)) for curve in curves), default=0) + 3
    labels = [point.label for point in curves[0].points]
    ranked = sorted(labels, key=lambda label: FIRST.index(label) if label in FIRST else len(FIRST))
    kept = set(ranked[: max(0, (width - heading) // _CELL)])
    wanted = [label for label in labels if label in kept]
    cell = min(9, (width - heading) // max(1, len(wanted))) if wanted else _CELL
    header: list[Part] = [(" " * heading, ""), *((f"{label:>{cell}}", "label") for label in wanted)]
    lines = [header]
    for curve, style, sign in zip(curves, STYLES, signs_of(glyphs), strict=False):
        yields = {point.label: point.value for point in curve.points}
        line: list[Part] = [(f" {sign} ", style), (f"{_heading(curve):<{heading - 3}}", "label")]
        if curve.problem is not None and curve.date is None:
            lines.append([*line, (f" {glyphs.warn} {curve.problem}", "warn")])
            continue
        for label in wanted:
            value = yields.get(label)
            text = figures.DASH if value is None else f"{value:.2f}"
            line.append((f"{text:>{cell}}", style if value is not None else "dim"))
        lines.append(line)
    return lines


def _heading(curve: YieldCurve) -> str:
    day = figures.DASH if curve.date is None else f"{curve.date:%d %b %y}"
    return f"{curve.label.removesuffix(' ago')} {day}"
