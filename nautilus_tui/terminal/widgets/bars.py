"""Bars of a few values over time, with room for a label under each: how a figure went.

Pure drawing on floats; the values' texts come from outside. It must not know what they are of.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from nautilus_tui.terminal.glyphs import Glyphs
from nautilus_tui.terminal.widgets.lines import Part, merged
from nautilus_tui.terminal.widgets.rows import fit

#: The narrowest and the widest a bar is with the blank beside it.
_LEAST, _MOST = 7, 14
#: The widest a bar itself is drawn.
_WIDEST = 6


class Bar(NamedTuple):
    """One bar. ``value`` None: not known, which leaves a gap."""

    label: str
    text: str  #: the value as it is written
    value: float | None
    style: str = "accent"


def room_for(width: int) -> int:
    """Return how many bars fit into a width."""
    return max(0, width // _LEAST)


def bars(values: Sequence[Bar], width: int, height: int, glyphs: Glyphs) -> list[list[Part]]:
    """Return ``height`` lines: bars from a common zero, their values over them and labels under them.

    Values run from left to right; where they do not fit, the last ones are shown. Fewer than four
    lines or no value known give no lines at all.
    """
    known = [bar.value for bar in values if bar.value is not None]
    if height < 4 or not known or width < _LEAST:
        return []
    shown = values[-room_for(width) :]
    pitch = max(_LEAST, min(_MOST, width // len(shown)))
    known = [bar.value for bar in shown if bar.value is not None] or [0.0]
    high, low = max(0.0, *known), min(0.0, *known)
    span = (high - low) or 1.0
    rows = height - 2  # the value of a bar takes a row over it, labels the last one
    zero = round(-low / span * rows) * 8
    columns = [_column(bar, span, zero, rows, pitch, glyphs) for bar in shown]
    lines: list[list[Part]] = []
    for y in range(rows + 1):
        lines.append(merged([part for column in columns for part in column[y]]))
    labels: list[Part] = [(fit(bar.label, pitch, "center", glyphs.ellipsis), "dim") for bar in shown]
    return [*lines, merged(labels)]


def _column(bar: Bar, span: float, zero: int, rows: int, pitch: int, glyphs: Glyphs) -> list[list[Part]]:
    """Return the cells of one bar from top to bottom, its value written where it ends.

    Heights are in eighths of a cell; what hangs below zero is drawn in whole cells.
    """
    cells: list[list[Part]] = [[(" " * pitch, "")]] * (rows + 1)
    if bar.value is None:
        cells[rows - zero // 8] = [(fit(glyphs.dash, pitch, "center", ""), "dim")]
        return cells
    length = round(bar.value / span * rows * 8)
    bottom, top = (zero, zero + length) if length >= 0 else (zero + length, zero)
    for row in range(rows):
        base = (rows - 1 - row) * 8
        filled = max(0, min(8, top - base)) - max(0, min(8, bottom - base))
        if length < 0:
            filled = 8 if filled >= 4 else 0
        if filled > 0:
            drawn = glyphs.spark[filled - 1] * min(_WIDEST, pitch - 2)
            before = (pitch - len(drawn)) // 2
            cells[row + 1] = [
                (" " * before, ""),
                (drawn, bar.style),
                (" " * (pitch - before - len(drawn)), ""),
            ]
    written = "bright" if bar.value >= 0 else "down"
    cells[max(0, rows - -(-top // 8))] = [(fit(bar.text, pitch, "center", glyphs.ellipsis), written)]
    return cells
