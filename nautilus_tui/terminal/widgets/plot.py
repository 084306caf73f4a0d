"""Lines over a horizontal axis: braille traces, shaded spans, level lines, labels on both axes.

Pure: from numbers to lines of styled text. It must not know what the lines stand for.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from nautilus_tui.terminal.glyphs import Glyphs
from nautilus_tui.terminal.widgets.grid import Dot, Grid
from nautilus_tui.terminal.widgets.lines import Part
from nautilus_tui.terminal.widgets.scale import PriceScale, price_labels, price_scale

#: Fewer cells than these show no shape.
LEAST_WIDTH, LEAST_HEIGHT = 12, 4
#: Cells between the middles of two labels of the horizontal axis, at least.
_APART = 8
_MONTHS_OF_A_YEAR = 12


class Trace(NamedTuple):
    """A line; ``sign`` marks its points, and draws the whole line where there is no braille."""

    style: str
    points: Sequence[tuple[float, float | None]]  #: x and y, by rising x; None breaks the line
    sign: str = ""


class Span(NamedTuple):
    """A part of the horizontal axis that is shaded, with a word at its top where there is room."""

    start: float
    end: float
    word: str = ""


class Level(NamedTuple):
    """A level with a meaning."""

    y: float
    style: str
    word: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Plot:
    """What is drawn."""

    traces: Sequence[Trace]
    x: tuple[float, float]  #: from the left edge to the right
    x_labels: Sequence[tuple[float, str]] = ()
    spans: Sequence[Span] = ()
    levels: Sequence[Level] = ()
    decimals: int = 2
    last: float | None = None  #: told on the axis
    crosshair: float | None = None  #: an x
    glyphs: Glyphs = field(kw_only=True)


def draw(plot: Plot, width: int, height: int) -> list[list[Part]]:
    """Return the plot as ``height`` lines of ``width`` cells; none where there is nothing to draw on."""
    values = [y for trace in plot.traces for _, y in trace.points if y is not None]
    axis = axis_width(values, plot)
    room, rows = width - axis, height - 1
    if not values or room < LEAST_WIDTH or height < LEAST_HEIGHT:
        return []
    scale = price_scale(values, values, 10.0**-plot.decimals, rows * 4)
    grid = Grid(room, rows)
    labels = price_labels(scale, 10.0**-plot.decimals, max(2, rows // 2))
    _shade(grid, plot)
    _rules(grid, scale, labels, plot)
    for trace in plot.traces:
        _trace(grid, scale, trace, plot)
    _name_spans(grid, plot)
    _crosshair(grid, plot)
    beside = _axis(scale, labels, plot, rows, axis)
    lines = [[*grid.line(y), *beside[y]] for y in range(rows)]
    return [*lines, _below(plot, room)]


def axis_width(values: Sequence[float], plot: Plot) -> int:
    """Return how many cells the labels of the vertical axis take."""
    texts = [_number(v, plot.decimals) for v in (min(values, default=0.0), max(values, default=0.0))]
    return max(len(text) for text in (*texts, *(level.word for level in plot.levels))) + 2


def column_of(plot: Plot, x: float, room: int) -> int:
    """Return the cell of an x, 0 at the left."""
    return _dot_of(plot, x, room) // 2


def _dot_of(plot: Plot, x: float, room: int) -> int:
    low, high = plot.x
    return round((x - low) / ((high - low) or 1.0) * (room * 2 - 1))


def _number(value: float, decimals: int) -> str:
    text = f"{value:,.{decimals}f}"
    return text.lstrip("-") if float(text.replace(",", "")) == 0 else text


def _shade(grid: Grid, plot: Plot) -> None:
    for span in plot.spans:
        first = max(0, column_of(plot, span.start, grid.width))
        last = min(grid.width - 1, column_of(plot, span.end, grid.width))
        for x in range(first, last + 1):
            for y in range(grid.height):
                grid.put(x, y, plot.glyphs.shade, "rule")


def _name_spans(grid: Grid, plot: Plot) -> None:
    """Write the word of a span at its top, or at its bottom where the line is in the way."""
    for span in plot.spans:
        first = max(0, column_of(plot, span.start, grid.width))
        last = min(grid.width - 1, column_of(plot, span.end, grid.width))
        start = first + (last - first + 1 - len(span.word)) // 2
        if not 0 < len(span.word) <= last - first + 1:
            continue
        places = range(start, start + len(span.word))
        for y in (0, grid.height - 1):
            if all(grid.styles[y][x] in ("", "rule") for x in places):
                for x, letter in zip(places, span.word, strict=True):
                    grid.put(x, y, letter, "dim")
                break


def _rules(grid: Grid, scale: PriceScale, labels: Sequence[float], plot: Plot) -> None:
    ascii_only = plot.glyphs.name == "ascii"
    for label in labels:
        y = scale.at(label) // 4
        for x in range(0, grid.width, 4 if ascii_only else 1):
            if 0 <= y < grid.height and grid.empty(x, y):
                grid.put(x, y, "." if ascii_only else "┈", "rule")
    for level in plot.levels:
        y = scale.at(level.y) // 4
        if 0 <= y < grid.height:
            for x in range(0, grid.width, 2):
                grid.put(x, y, plot.glyphs.last, level.style)


def _trace(grid: Grid, scale: PriceScale, trace: Trace, plot: Plot) -> None:
    dots: list[Dot | None] = [
        None if y is None else (_dot_of(plot, x, grid.width), scale.at(y)) for x, y in trace.points
    ]
    grid.trace(dots, trace.style, ascii_only=plot.glyphs.name == "ascii")
    if trace.sign:
        for dot in dots:
            if dot is not None and 0 <= dot[1] // 4 < grid.height:
                grid.put(min(grid.width - 1, dot[0] // 2), dot[1] // 4, trace.sign, trace.style)


def _crosshair(grid: Grid, plot: Plot) -> None:
    if plot.crosshair is None:
        return
    x = column_of(plot, plot.crosshair, grid.width)
    for y in range(grid.height):
        if 0 <= x < grid.width and grid.styles[y][x] in ("", "rule"):
            grid.put(x, y, plot.glyphs.axis, "accent")


def _axis(scale: PriceScale, labels: Sequence[float], plot: Plot, rows: int, width: int) -> list[list[Part]]:
    axis: list[list[Part]] = [[(" " * width, "")] for _ in range(rows)]

    def write(y: float, text: str, style: str) -> None:
        row = scale.at(y) // 4
        if 0 <= row < rows:
            axis[row] = [(f" {text:>{width - 2}} "[:width], style)]

    for label in labels:
        write(label, _number(label, plot.decimals), "dim")
    for level in plot.levels:
        write(level.y, level.word, level.style)
    if plot.last is not None:
        write(plot.last, _number(plot.last, plot.decimals), "tag-flat")
    return axis


def _below(plot: Plot, room: int) -> list[Part]:
    """Return the horizontal axis; a label that would run into the one before it is left out."""
    parts: list[Part] = []
    x = 0
    for at, text in plot.x_labels:
        start = max(0, min(room - len(text), column_of(plot, at, room) - len(text) // 2))
        if parts and start < x + 1:
            continue
        parts += [(" " * (start - x), ""), (text, "dim")]
        x = start + len(text)
    return parts


def date_labels(first: dt.date, last: dt.date, room: int) -> list[tuple[float, str]]:
    """Return the labels of an axis of dates: years as far apart as there is room for, or months."""
    most = max(1, room // _APART)
    months = (last.year - first.year) * _MONTHS_OF_A_YEAR + last.month - first.month + 1
    step = next((s for s in (1, 3, 6, 12, 24, 60, 120, 240, 480) if months / s <= most), 1200)
    found = []
    for index in range(first.year * 12 + first.month - 1, last.year * 12 + last.month):
        if index % step == 0:
            day = dt.date(index // 12, index % 12 + 1, 1)
            if first <= day <= last:
                text = str(day.year) if step >= _MONTHS_OF_A_YEAR else f"{day:%Y-%m}"
                found.append((float(day.toordinal()), text))
    return found
