"""Charts as SVG: lines, bars, VaR with its exceptions, a heat map. The same drawing goes into HTML and PDF.

Colours are classes, so that whoever embeds a drawing may give it their own; what is drawn are the cells of a
table of the report, nothing is computed but places. This module must not know of reports' types.
"""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Callable, Iterable, Sequence
from html import escape
from typing import Final, NamedTuple

from risk.reports.document import Cell, Chart, Number, Table, writable
from risk.reports.render.tones import tone

#: Colours and letters for whoever has none of their own; a style sheet with longer selectors goes before it.
STYLE: Final = """<style>
svg text {font-family: "Libertinus Serif"; font-size: 11px; fill: #1a1d21}
svg .note {fill: #5c6570; font-size: 10px}
svg .on {fill: #ffffff}
svg .grid {stroke: #d5dae0; stroke-width: .6}
svg .axis {stroke: #5c6570; stroke-width: .9}
svg .mark {stroke: #b42318; stroke-width: .9; stroke-dasharray: 4 3}
svg .a {fill: #1f5fa8}
svg .b {fill: #b5651d}
svg .c {fill: #4b7f52}
svg .d {fill: #7b4f9e}
svg .e {fill: #5c6570}
svg .good {fill: #4b7f52}
svg .poor {fill: #c98a1b}
svg .bad {fill: #b42318}
svg .hot {fill: #b5651d}
svg .cold {fill: #1f5fa8}
svg .none {fill: none; stroke: #d5dae0}
svg .area {opacity: .13}
svg .line {fill: none; stroke-width: 1.4}
svg .line.a {stroke: #1f5fa8}
svg .line.b {stroke: #b5651d}
svg .line.c {stroke: #4b7f52}
svg .line.d {stroke: #7b4f9e}
svg .line.e {stroke: #5c6570}
</style>"""
WIDTH: Final = 680.0
_TOP, _RIGHT, _BOTTOM, _LEFT = 14.0, 16.0, 26.0, 74.0
_HEIGHT: Final = 210.0
_BAR: Final = 18.0
MOST_BARS: Final = 16
_LABEL: Final = 210.0
_TICKS: Final = 4
_READABLE: Final = 30.0  #: width of a cell of a heat map from which there is room for words in it
#: Width of a character of the labels, on average; the fonts of HTML and PDF differ a little.
_CHARACTER: Final = 5.6
_SERIES: Final = ("a", "b", "c", "d", "e")


class Axis(NamedTuple):
    """Values from ``low`` to ``high`` with round ticks in between."""

    low: float
    high: float
    ticks: tuple[float, ...]
    step: float


def draw(chart: Chart, table: Table) -> str:
    """Return a chart as an SVG element."""
    drawing = {"lines": _lines, "bars": _bars, "exceptions": _exceptions, "heat": _heat}[chart.kind]
    body, height = drawing(chart, table)
    if not body:
        body, height = [_text(WIDTH / 2, 24, "There is nothing to draw.", "middle")], 40.0
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH:g} {height:g}" role="img">'
        f"<title>{_safe(chart.title)}</title>{STYLE}{''.join(body)}</svg>"
    )


def axis(low: float, high: float, ticks: int = _TICKS) -> Axis:
    """Return an axis over ``low`` to ``high`` with ticks at 1, 2 or 5 times a power of ten."""
    if high - low <= 1e-9 * max(abs(low), abs(high), 1e-200):  # closer than can be drawn apart
        pad = max(abs(low), abs(high)) * 0.1
        pad = pad if pad > 1e-200 else 1.0
        low, high = low - pad, high + pad
    rough = (high - low) / ticks
    power = 10.0 ** math.floor(math.log10(rough))
    step = next(size * power for size in (1.0, 2.0, 5.0, 10.0) if size * power >= rough * 0.999)
    first, last = math.floor(low / step + 1e-9), math.ceil(high / step - 1e-9)
    digits = max(0, 2 - math.floor(math.log10(step)))
    marks = tuple(round(place * step, digits) for place in range(first, last + 1))
    return Axis(marks[0], marks[-1], marks, step)


# ---------------------------------------------------------------- kinds


def _lines(chart: Chart, table: Table) -> tuple[list[str], float]:
    times, columns = _points(chart, table)
    known = [value for column in columns for value in column if value is not None]
    if len(times) < 2 or not known:
        return [], 0.0
    scale = axis(min([*known, *(one.value for one in chart.marks)]), max([*known, *_values(chart)]))
    across, up = _places(times, scale)
    kind = _kind(table, chart.y[0])
    body = _grid(scale, up, kind) + _dates(times, across)
    body += [_mark(one.value, one.label, up) for one in chart.marks]
    for name, column in zip(_SERIES, columns, strict=False):
        body += [f'<path class="line {name}" d="{path}"/>' for path in _paths(times, column, across, up)]
    if len(columns) == 1:
        body.append(_area(times, columns[0], across, up, scale))
    return body + _legend([table.columns[table.place(key)].title for key in chart.y]), _HEIGHT


def _exceptions(chart: Chart, table: Table) -> tuple[list[str], float]:
    times, columns = _points(chart, table)
    outcomes, losses = columns[0], columns[1]
    below = [None if value is None else -value for value in losses]
    known = [value for value in [*outcomes, *below] if value is not None]
    if len(times) < 2 or not known:
        return [], 0.0
    scale = axis(min(known), max(known))
    across, up = _places(times, scale)
    body = _grid(scale, up, _kind(table, chart.y[0])) + _dates(times, across)
    for time, outcome, bound in zip(times, outcomes, below, strict=True):
        if outcome is None:
            continue
        x, y = across(time), up(outcome)
        if bound is not None and outcome < bound:
            body.append(f'<circle class="dot bad" cx="{x:.1f}" cy="{y:.1f}" r="3.2"/>')
        else:
            body.append(f'<circle class="dot a" cx="{x:.1f}" cy="{y:.1f}" r="1.3"/>')
    body += [f'<path class="line b" d="{path}"/>' for path in _paths(times, below, across, up)]
    return body + _legend(["outcome", "−VaR", "exception"], ("a", "b", "bad")), _HEIGHT


def _bars(chart: Chart, table: Table) -> tuple[list[str], float]:
    label, value = table.place(chart.x), table.place(chart.y[0])
    known = [row for row in table.rows if isinstance(row[value], Number)]
    rows = known[:MOST_BARS]
    if not rows:
        return [], 0.0
    sizes = [_float(row[value]) or 0.0 for row in rows]
    scale = axis(min([0.0, *sizes]), max([0.0, *sizes, *_values(chart)]))
    room = WIDTH - _LABEL - 80.0
    bottom = _TOP + len(rows) * _BAR

    def across(size: float) -> float:
        return _LABEL + (size - scale.low) / (scale.high - scale.low) * room

    body = [_line(across(0.0), _TOP - 4, across(0.0), bottom + 2, "axis")]
    for one in chart.marks:  # below the bars and their numbers
        body.append(_line(across(one.value), _TOP - 4, across(one.value), bottom + 2, "mark"))
        body.append(_text(across(one.value), bottom + 14, one.label, "middle", "note"))
    for place, (row, size) in enumerate(zip(rows, sizes, strict=True)):
        y = _TOP + place * _BAR
        name = _tone_of(chart, table, row) or ("bad" if size < 0 else "a")
        x, width = min(across(0.0), across(size)), abs(across(size) - across(0.0))
        body.append(
            f'<rect class="bar {name}" x="{x:.1f}" y="{y + 3:.1f}" width="{width:.1f}" '
            f'height="{_BAR - 6:.1f}"/>'
        )
        body.append(_text(_LABEL - 8, y + 13, _cut(_shown(row[label]), _LABEL - 12), "end"))
        body.append(_text(across(max(size, 0.0)) + 5, y + 13, _shown(row[value]), "start", "value"))
    if len(known) > len(rows):
        body.append(_text(_LABEL - 8, bottom + 14, f"and {len(known) - len(rows):,} more", "end", "note"))
    return body, bottom + (22.0 if chart.marks or len(known) > len(rows) else 8.0)


def _heat(chart: Chart, table: Table) -> tuple[list[str], float]:
    label, places = table.place(chart.x), [table.place(key) for key in chart.y]
    if not table.rows or not places:
        return [], 0.0
    side = min((WIDTH - 130.0) / len(places), 84.0)
    high = min(side, 24.0, 460.0 / len(table.rows))
    left, top = 120.0, 20.0
    body: list[str] = []
    for across, place in enumerate(places if side >= _READABLE else ()):  # the rows are in the same order
        name = _cut(table.columns[place].title, side)
        body.append(_text(left + (across + 0.5) * side, top - 6, name, "middle", "note"))
    for down, row in enumerate(table.rows):
        y = top + down * high
        body.append(_text(left - 6, y + high / 2 + 4, _cut(_shown(row[label]), left - 8), "end"))
        for across, place in enumerate(places):
            value = _float(row[place])
            x = left + across * side
            name = "none" if value is None else "hot" if value >= 0 else "cold"
            strength = 0.0 if value is None else min(abs(value), 1.0)
            body.append(
                f'<rect class="cell {name}" x="{x:.1f}" y="{y:.1f}" width="{side - 1:.1f}" '
                f'height="{high - 1:.1f}" fill-opacity="{strength:.3f}"/>'
            )
            if side >= _READABLE:
                ink = "on" if strength > 0.6 else "value"
                body.append(_text(x + side / 2, y + high / 2 + 4, _shown(row[place]), "middle", ink))
    return body, top + len(table.rows) * high + 8.0


# ---------------------------------------------------------------- pieces


def _points(chart: Chart, table: Table) -> tuple[list[float], list[list[float | None]]]:
    at = table.place(chart.x)
    places = [table.place(key) for key in chart.y]
    rows = [row for row in table.rows if isinstance(row[at], Number)]
    times = [_float(row[at]) or 0.0 for row in rows]
    return times, [[_float(row[place]) for row in rows] for place in places]


def _float(cell: Cell) -> float | None:
    if not isinstance(cell, Number):
        return None
    if isinstance(cell.value, dt.date):
        return dt.datetime.combine(cell.value, dt.time(), dt.UTC).timestamp() * 1e9
    return float(cell.value)


def _values(chart: Chart) -> list[float]:
    return [one.value for one in chart.marks]


def _places(times: Sequence[float], scale: Axis) -> tuple[Callable[[float], float], Callable[[float], float]]:
    first, last = times[0], times[-1]
    width, height = WIDTH - _LEFT - _RIGHT, _HEIGHT - _TOP - _BOTTOM

    def across(time: float) -> float:
        return _LEFT + (time - first) / ((last - first) or 1.0) * width

    def up(value: float) -> float:
        return _TOP + (scale.high - value) / (scale.high - scale.low) * height

    return across, up


def _paths(
    times: Sequence[float],
    values: Sequence[float | None],
    across: Callable[[float], float],
    up: Callable[[float], float],
) -> list[str]:
    """Return a path for each stretch of values that are known: a gap is a gap."""
    found: list[str] = []
    current: list[str] = []
    for time, value in [*zip(times, values, strict=True), (0.0, None)]:
        if value is None:
            if len(current) > 1:
                found.append("M" + "L".join(current))
            current = []
        else:
            current.append(f"{across(time):.1f} {up(value):.1f}")
    return found


def _area(
    times: Sequence[float],
    values: Sequence[float | None],
    across: Callable[[float], float],
    up: Callable[[float], float],
    scale: Axis,
) -> str:
    """Return the area between a line and zero, where zero is on the axis."""
    if not scale.low <= 0.0 <= scale.high or any(value is None for value in values):
        return ""
    corners = [f"{across(t):.1f} {up(v):.1f}" for t, v in zip(times, values, strict=True) if v is not None]
    ends = f"{across(times[-1]):.1f} {up(0.0):.1f}L{across(times[0]):.1f} {up(0.0):.1f}"
    return f'<path class="area a" d="M{"L".join(corners)}L{ends}Z"/>'


def _grid(scale: Axis, up: Callable[[float], float], kind: str) -> list[str]:
    found = []
    for tick in scale.ticks:
        y = up(tick)
        found.append(_line(_LEFT, y, WIDTH - _RIGHT, y, "axis" if tick == 0 else "grid"))
        found.append(_text(_LEFT - 6, y + 3.5, _tick(tick, scale.step, kind), "end", "note"))
    return found


def _tick(value: float, step: float, kind: str) -> str:
    factor = 100.0 if kind == "percent" else 1.0
    decimals = max(0, -math.floor(math.log10(step * factor) + 1e-9))
    text = format(value * factor, f",.{decimals}f").replace("-", "−")
    return f"{text} %" if kind == "percent" else text


def _dates(times: Sequence[float], across: Callable[[float], float]) -> list[str]:
    """Return labels of the time axis: days, or hours where it is short."""
    short = times[-1] - times[0] < 3 * 86_400e9
    count = 6 if len(times) > 6 else len(times)
    chosen = [times[0] + place * (times[-1] - times[0]) / (count - 1) for place in range(count)]
    found = []
    for place, time in enumerate(chosen):
        when = dt.datetime.fromtimestamp(time / 1e9, dt.UTC)
        anchor = "start" if place == 0 else "end" if place == count - 1 else "middle"
        form = "%m-%d %H:%M" if short else "%Y-%m-%d"
        found.append(_text(across(time), _HEIGHT - 8, when.strftime(form), anchor, "note"))
    return found


def _legend(names: Iterable[str], classes: Sequence[str] = _SERIES) -> list[str]:
    found, x = [], _LEFT
    shown = list(names)
    if len(shown) < 2:
        return []
    for name, style in zip(shown, classes, strict=False):
        found.append(f'<rect class="bar {style}" x="{x:.1f}" y="1" width="10" height="4"/>')
        found.append(_text(x + 14, 7, name, "start", "note"))
        x += 26 + len(name) * _CHARACTER
    return found


def _mark(value: float, label: str, up: Callable[[float], float]) -> str:
    y = up(value)
    return _line(_LEFT, y, WIDTH - _RIGHT, y, "mark") + _text(WIDTH - _RIGHT, y - 3, label, "end", "note")


def _kind(table: Table, key: str) -> str:
    return table.columns[table.place(key)].kind


def _tone_of(chart: Chart, table: Table, row: Sequence[Cell]) -> str:
    return "" if chart.status is None else tone(_shown(row[table.place(chart.status)]))


def _shown(cell: Cell) -> str:
    return cell.shown if isinstance(cell, Number) else writable(cell) if isinstance(cell, str) else "–"


def _cut(text: str, width: float) -> str:
    """Return as much of a label as has room."""
    room = max(int(width / _CHARACTER), 2)
    return text if len(text) <= room else text[: room - 1] + "…"


def _line(x1: float, y1: float, x2: float, y2: float, style: str) -> str:
    return f'<line class="{style}" x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}"/>'


def _text(x: float, y: float, text: str, anchor: str, style: str = "label") -> str:
    return f'<text class="{style}" x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}">{_safe(text)}</text>'


def _safe(text: str) -> str:
    return escape(writable(text).replace("\n", " "))
