"""Lines of cells as Textual strips: how a row, a header and an empty table look.

Functions of what they are given; the widget decides when to call them.
"""

from __future__ import annotations

import textwrap
from collections.abc import Callable, Iterable, Sequence
from functools import lru_cache

from rich.segment import Segment
from rich.style import Style
from textual.strip import Strip

from data.words import shown
from nautilus_tui.terminal.glyphs import Glyphs
from nautilus_tui.terminal.theme import Palette, RowState
from nautilus_tui.terminal.widgets.rows import Column, Row, Slot, fit, fit_cell

Piece = tuple[str, Style]


def joined(pieces: Iterable[Piece], width: int) -> Strip:
    """Return a strip of ``width`` cells; neighbours that look alike become one segment.

    Blanks join whatever stands before them on the same background: nobody sees the colour of a
    blank. Fewer segments are less to do for everyone down the line.

    All that is painted comes by here, and some of it others wrote: no terminal obeys it. Control
    characters in it are written as escapes; such a line is cut where it has become too long.
    """
    segments: list[Segment] = []
    text, style = "", None
    for piece, piece_style in pieces:
        if piece_style is style or (style is not None and piece.isspace() and _alike(style, piece_style)):
            text += piece
            continue
        if text:
            segments.append(Segment(text, style))
        text, style = piece, piece_style
    if text:
        segments.append(Segment(text, style))
    if all(segment.text.isprintable() for segment in segments):
        return Strip(segments, width)
    escaped = [Segment(shown(one.text, len(one.text)), one.style) for one in segments]
    return Strip(escaped).adjust_cell_length(width, segments[-1].style)


@lru_cache(4096)
def _alike(style: Style, other: Style) -> bool:
    """Say whether blanks look the same in both styles."""
    return style.bgcolor == other.bgcolor and not (
        style.underline or style.reverse or style.strike or other.underline or other.reverse or other.strike
    )


def row_strip(
    row: Row,
    columns: Sequence[Column],
    slots: Sequence[Slot],
    width: int,
    *,
    palette: Palette,
    glyphs: Glyphs,
    state: RowState = "",
    marked: bool = False,
    glow_of: Callable[[str, int], str | None] | None = None,
) -> Strip:
    """Return a row as a strip: a gutter for cursor and mark, then the cells in their slots."""
    plain = palette.style(row.style, state)
    accent = palette.style("accent", state)
    if marked:
        pieces: list[Piece] = [(glyphs.mark, accent)]
    elif state == "cursor":
        pieces = [(glyphs.cursor, accent)]
    else:
        pieces = [(" ", plain)]
    x = 0
    across = len(row.cells) - 1 if len(row.cells) < len(columns) else None
    for slot in slots:
        if across is not None and slot.column >= across:
            gap = max(0, slot.x - x)
            last = row.cells[across]
            text = fit(last.text, max(0, width - 2 - x - gap), "left", glyphs.ellipsis)
            pieces += [(" " * gap, plain), (text, palette.style(last.style, state))]
            x += gap + len(text)
            break
        if slot.x > x:
            pieces.append((" " * (slot.x - x), plain))
        cell = row.cells[slot.column]
        keys = f"{row.style} {cell.style}" if row.style else cell.style
        glow = glow_of(row.key, slot.column) if glow_of is not None else None
        if glow is not None:
            keys = f"{keys} {glow}"
        text, tail = fit_cell(cell, slot.width, columns[slot.column].align, glyphs.ellipsis)
        pieces.append((text, palette.style(keys, state)))
        if tail:
            pieces.append((tail, palette.style("dim", state)))
        x = slot.x + slot.width
    pieces.append((" " * max(0, width - x - 1), plain))
    return joined(pieces, width)


def header_strip(
    columns: Sequence[Column],
    slots: Sequence[Slot],
    width: int,
    *,
    palette: Palette,
    glyphs: Glyphs,
    sort: tuple[int, bool] | None = None,
) -> Strip:
    """Return the titles of the columns; the one rows are ordered by has an arrow."""
    label = palette.style("label")
    pieces: list[Piece] = [(" ", label)]
    x = 0
    for slot in slots:
        column = columns[slot.column]
        title, style = column.title, label
        if sort is not None and sort[0] == slot.column:
            arrow = glyphs.sort_down if sort[1] else glyphs.sort_up
            title, style = f"{title[: max(0, slot.width - 1)]}{arrow}", palette.style("accent")
        pieces.append((" " * (slot.x - x), label))
        pieces.append((fit(title, slot.width, column.align, glyphs.ellipsis), style))
        x = slot.x + slot.width
    pieces.append((" " * max(0, width - x - 1), label))
    return joined(pieces, width)


def message_strip(text: str, y: int, width: int, height: int, palette: Palette) -> Strip:
    """Return line ``y`` of a message set in the middle of ``height`` lines, a little above centre."""
    style = palette.style("dim")
    lines = textwrap.wrap(text, max(1, width - 4))
    top = max(0, (height - len(lines)) // 3)
    if top <= y < top + len(lines):
        return joined([(fit(lines[y - top], width, "center", ""), style)], width)
    return Strip([Segment(" " * width, style)], width)
