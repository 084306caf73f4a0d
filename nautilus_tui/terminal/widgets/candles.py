"""Candles, volume and lines over them, drawn with box and braille signs on a grid of cells.

Pure: from numbers to lines of styled text. A candle is one cell wide and drawn to half a cell of
height; lines over it to a quarter. plotext draws curves elsewhere, but its candles are whole cells
high, take 16 ms for sixty bars and bring their own colours and axes; these take two. It must not
know where bars come from.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from nautilus_tui.terminal import figures
from nautilus_tui.terminal.glyphs import Glyphs
from nautilus_tui.terminal.widgets.grid import Grid
from nautilus_tui.terminal.widgets.lines import Part
from nautilus_tui.terminal.widgets.scale import PriceScale, price_labels, price_scale, time_labels


class Candle(NamedTuple):
    """A bar as floats, for drawing."""

    ts: int
    open: float
    high: float
    low: float
    close: float
    volume: float | None

    @property
    def style(self) -> str:
        """Up when it closed at or above its open."""
        return "up" if self.close >= self.open else "down"


class Overlay(NamedTuple):
    """A line over the candles: one value a candle, None where it has none."""

    name: str
    style: str
    values: Sequence[float | None]


class Mark(NamedTuple):
    """A price with a meaning: a working order, a position's average."""

    price: float
    style: str
    sign: str


@dataclass(frozen=True, slots=True)
class Chart:
    """What is drawn: the last candle is at the right edge."""

    candles: Sequence[Candle]
    overlays: Sequence[Overlay] = ()
    marks: Sequence[Mark] = ()
    precision: int = 2
    tick: float = 0.01
    bar_seconds: int = 60
    pitch: int = 1  #: cells from one candle to the next
    last: float | None = None
    last_style: str = "flat"
    crosshair: int | None = None  #: index of a candle
    glyphs: Glyphs = field(kw_only=True)


def axis_width(candles: Sequence[Candle], precision: int) -> int:
    """Return how many cells the price axis takes."""
    highest = max((c.high for c in candles), default=0.0)
    return len(f"{highest:.{precision}f}") + 2


def capacity(candles: Sequence[Candle], precision: int, pitch: int, width: int) -> int:
    """Return how many candles fit, at most as many as there are."""
    room = width - axis_width(candles[-width:] if width > 0 else (), precision)
    return max(0, min(len(candles), (room + pitch - 1) // pitch))


def draw(chart: Chart, width: int, height: int) -> list[list[Part]]:
    """Return a chart as ``height`` lines of ``width`` cells.

    Candles that do not fit must have been left out by the caller (see :func:`capacity`).
    """
    plot_width = width - axis_width(chart.candles, chart.precision)
    if not chart.candles or plot_width < 4 or height < 4:
        return [[] for _ in range(height)]
    volumes = [c.volume or 0.0 for c in chart.candles]
    volume_rows = max(1, min(5, height // 6)) if max(volumes) > 0 and height >= 9 else 0
    rows = height - 1 - volume_rows
    scale = price_scale([c.low for c in chart.candles], [c.high for c in chart.candles], chart.tick, rows * 2)
    columns = _columns(chart, plot_width)
    grid = Grid(plot_width, rows)
    labels = price_labels(scale, chart.tick, max(2, rows // 3))
    _rules(grid, chart, scale, labels)
    for overlay in chart.overlays:
        _overlay(grid, chart, scale, overlay, columns)
    for candle, x in zip(chart.candles, columns, strict=True):
        _candle(grid, scale, candle, x, chart.glyphs)
    if chart.crosshair is not None:
        _crosshair(grid, columns[chart.crosshair], chart.glyphs)
    axis = _axis(chart, scale, labels, rows, width - plot_width)
    lines = [[*grid.line(y), *axis[y]] for y in range(rows)]
    lines += _volume(chart, columns, volumes, plot_width, volume_rows, width - plot_width)
    lines.append(_times(chart, columns, plot_width))
    return lines


def _columns(chart: Chart, plot_width: int) -> list[int]:
    last = plot_width - 1
    count = len(chart.candles)
    return [last - (count - 1 - i) * chart.pitch for i in range(count)]


def _rules(grid: Grid, chart: Chart, scale: PriceScale, labels: Sequence[float]) -> None:
    """Draw faint lines at the labels, and stronger ones at marks and the last price."""
    ascii_only = chart.glyphs.name == "ascii"
    for label in labels:
        y = scale.at(label) // 2
        if 0 <= y < grid.height:
            for x in range(0, grid.width, 4 if ascii_only else 1):
                grid.put(x, y, "." if ascii_only else "┈", "rule")
    for mark in chart.marks:
        y = scale.at(mark.price) // 2
        if 0 <= y < grid.height:
            for x in range(0, grid.width, 2):
                grid.put(x, y, chart.glyphs.last, f"{mark.style}-bar")
    if chart.last is not None:
        y = scale.at(chart.last) // 2
        if 0 <= y < grid.height:
            for x in range(grid.width):
                grid.put(x, y, chart.glyphs.last, "faint")


def _overlay(grid: Grid, chart: Chart, scale: PriceScale, overlay: Overlay, columns: Sequence[int]) -> None:
    """Draw a line with braille dots, two a cell across and four down."""
    fine = PriceScale(scale.low, scale.high, grid.height * 4)
    points = [
        None if value is None else (x * 2, fine.at(value))
        for value, x in zip(overlay.values, columns, strict=True)
    ]
    grid.trace(points, overlay.style, ascii_only=chart.glyphs.name == "ascii")


def _candle(grid: Grid, scale: PriceScale, candle: Candle, x: int, glyphs: Glyphs) -> None:
    high, low = scale.at(candle.high), scale.at(candle.low)
    top, bottom = sorted((scale.at(candle.open), scale.at(candle.close)))
    signs = {
        (1, 1): glyphs.wick,
        (2, 2): glyphs.body,
        (1, 0): glyphs.wick_upper,
        (0, 1): glyphs.wick_lower,
        (2, 0): glyphs.body_upper,
        (0, 2): glyphs.body_lower,
        (1, 2): glyphs.wick_over_body,
        (2, 1): glyphs.body_over_wick,
    }

    def weight(half: int) -> int:
        return 2 if top <= half <= bottom else 1 if high <= half <= low else 0

    for y in range(max(0, high // 2), min(grid.height - 1, low // 2) + 1):
        sign = signs.get((weight(2 * y), weight(2 * y + 1)))
        if sign is not None:
            grid.put(x, y, sign, candle.style)


def _crosshair(grid: Grid, x: int, glyphs: Glyphs) -> None:
    for y in range(grid.height):
        if grid.empty(x, y) or grid.styles[y][x] in ("rule", "faint"):
            grid.put(x, y, glyphs.axis, "accent")


def _axis(
    chart: Chart, scale: PriceScale, labels: Sequence[float], rows: int, width: int
) -> list[list[Part]]:
    """Return the price axis by row: labels, then marks, then the last price over them."""
    axis: list[list[Part]] = [[(" " * width, "")] for _ in range(rows)]

    def write(price: float, style: str, sign: str = " ") -> None:
        y = scale.at(price) // 2
        if 0 <= y < rows:
            text = f"{price:.{chart.precision}f}"
            axis[y] = [(f"{sign}{text:>{width - 2}} "[:width], style)]

    for label in labels:
        write(label, "dim")
    for mark in chart.marks:
        write(mark.price, mark.style, mark.sign)
    if chart.last is not None:
        write(chart.last, f"tag-{chart.last_style}")
    return axis


def _volume(
    chart: Chart, columns: Sequence[int], volumes: Sequence[float], plot_width: int, rows: int, axis: int
) -> list[list[Part]]:
    if not rows:
        return []
    grid = Grid(plot_width, rows)
    most = max(volumes)
    for candle, volume, x in zip(chart.candles, volumes, columns, strict=True):
        eighths = round(volume / most * rows * 8) or (1 if volume else 0)
        full, rest = divmod(eighths, 8)
        for i in range(full):
            grid.put(x, rows - 1 - i, chart.glyphs.spark[7], f"{candle.style}-bar")
        if rest:
            grid.put(x, rows - 1 - full, chart.glyphs.spark[rest - 1], f"{candle.style}-bar")
    lines = [[*grid.line(y), (" " * axis, "")] for y in range(rows)]
    lines[0][-1] = (f" {figures.compact(most):>{axis - 2}} ", "faint")
    return lines


def _times(chart: Chart, columns: Sequence[int], plot_width: int) -> list[Part]:
    """Return the time axis."""
    parts: list[Part] = []
    x = 0
    for index, text, new_day in time_labels([c.ts for c in chart.candles], chart.bar_seconds, chart.pitch):
        start = columns[index] - len(text) // 2
        start = max(start, x + (2 if parts else 0))
        if start + len(text) > plot_width:
            break
        parts.append((" " * (start - x), ""))
        parts.append((text, "" if new_day else "dim"))
        x = start + len(text)
    return parts
