"""Pictures of the screen: the app's own SVG export redrawn so that every viewer shows it aligned.

Textual's export leans on one web font and on viewers that stretch text; others misplace words and
leave seams between block signs. Here every word has its own place, blocks and lines are drawn as
shapes, and any monospaced font will do. It must not know what is on the screen.
"""

from __future__ import annotations

import html
import re
from dataclasses import dataclass
from xml.sax.saxutils import escape

from textual.app import App

#: A cell, in the units of the picture.
CELL_WIDTH = 9.0
CELL_HEIGHT = 19.0
FONT_SIZE = 15.0
MARGIN = 12.0
FONTS = "'Fira Code','JetBrains Mono','DejaVu Sans Mono',Menlo,Consolas,monospace"
#: Geometry of the export that is read.
_SOURCE_WIDTH = 12.2
_SOURCE_HEIGHT = 24.4

_TEXT = re.compile(r'<text class="[\w-]+-r(\d+)" x="([\d.]+)" y="([\d.]+)"[^>]*>([^<]*)</text>')
_RECT = re.compile(r'<rect fill="(#\w+)" x="([\d.]+)" y="([\d.]+)" width="([\d.]+)"')
_RULE = re.compile(r"-r(\d+) \{ ([^}]*) \}")
_WORD = re.compile(r"[^ ]+(?: [^ ]+)*")

#: Part of a cell that a block sign fills: left, top, width, height.
_BLOCKS: dict[str, tuple[float, float, float, float]] = {
    **{sign: (0, 1 - (i + 1) / 8, 1, (i + 1) / 8) for i, sign in enumerate("▁▂▃▄▅▆▇█")},
    **{sign: (0, 0, (i + 1) / 8, 1) for i, sign in enumerate("▏▎▍▌▋▊▉")},
    "▀": (0, 0, 1, 0.5),
    "▔": (0, 0, 1, 1 / 8),
    "▕": (7 / 8, 0, 1 / 8, 1),
    "▐": (0.5, 0, 0.5, 1),
}
#: Box signs as strokes from the middle of a cell: up, right, down, left; 1 light, 2 heavy.
_STROKES: dict[str, tuple[int, int, int, int]] = {
    "─": (0, 1, 0, 1), "━": (0, 2, 0, 2), "│": (1, 0, 1, 0), "┃": (2, 0, 2, 0), "╵": (1, 0, 0, 0),
    "╷": (0, 0, 1, 0), "╹": (2, 0, 0, 0), "╻": (0, 0, 2, 0), "╽": (1, 0, 2, 0), "╿": (2, 0, 1, 0),
    "┌": (0, 1, 1, 0), "┐": (0, 0, 1, 1), "└": (1, 1, 0, 0), "┘": (1, 0, 0, 1), "├": (1, 1, 1, 0),
    "┤": (1, 0, 1, 1), "┬": (0, 1, 1, 1), "┴": (1, 1, 0, 1), "┼": (1, 1, 1, 1), "╭": (0, 1, 1, 0),
    "╮": (0, 0, 1, 1), "╰": (1, 1, 0, 0), "╯": (1, 0, 0, 1), "╴": (0, 0, 0, 1), "╶": (0, 1, 0, 0),
}  # fmt: skip
_DASHES = {"┈": 4, "╌": 2, "┄": 3}
#: A quarter of a cell filled, as a raster of squares.
_SHADE = "░"
_SHAPES = frozenset(_BLOCKS) | frozenset(_STROKES) | frozenset(_DASHES) | {_SHADE}


@dataclass(frozen=True, slots=True)
class _Run:
    x: int
    y: int
    text: str
    rule: str


def picture(app: App[object], *, background: str) -> str:
    """Return the app's current screen as an SVG document.

    Args:
        app: A running app.
        background: Colour of the margin around the screen, ``#rrggbb``.
    """
    source = app.export_screenshot()
    rules = dict(_RULE.findall(source))
    width, height = app.size
    body: list[str] = []
    for fill, x, y, length in _RECT.findall(source):
        column, row = round(float(x) / _SOURCE_WIDTH), round((float(y) - 1.5) / _SOURCE_HEIGHT)
        cells = round(float(length) / _SOURCE_WIDTH)
        if fill.lower() != background.lower():
            body.append(_box(column, row, cells, fill))
    for rule, x, y, text in _TEXT.findall(source):
        column, row = round(float(x) / _SOURCE_WIDTH), round((float(y) - 20) / _SOURCE_HEIGHT)
        plain = html.unescape(text).replace("\xa0", " ").rstrip("\n")
        body += _signs(_Run(column, row, plain, rules.get(rule, "")))
    total_width, total_height = width * CELL_WIDTH + 2 * MARGIN, height * CELL_HEIGHT + 2 * MARGIN
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {total_width:g} {total_height:g}" '
        f'width="{total_width:g}" height="{total_height:g}">\n'
        f"<style>text{{font-family:{FONTS};font-size:{FONT_SIZE:g}px;white-space:pre}}</style>\n"
        f'<rect width="100%" height="100%" rx="8" fill="{background}"/>\n'
        f'<g transform="translate({MARGIN:g},{MARGIN:g})">\n' + "\n".join(body) + "\n</g>\n</svg>\n"
    )


def _box(column: int, row: int, cells: int, fill: str) -> str:
    return (
        f'<rect x="{column * CELL_WIDTH:g}" y="{row * CELL_HEIGHT:g}" width="{cells * CELL_WIDTH:g}" '
        f'height="{CELL_HEIGHT:g}" fill="{fill}" shape-rendering="crispEdges"/>'
    )


def _signs(run: _Run) -> list[str]:
    """Return the shapes and words of a run of one style."""
    fill = _fill(run.rule)
    drawn: list[str] = []
    letters = []
    path: list[str] = []
    for i, sign in enumerate(run.text):
        if sign in _SHAPES or 0x2800 <= ord(sign) < 0x2900:
            path.append(_shape(sign, (run.x + i) * CELL_WIDTH, run.y * CELL_HEIGHT))
            letters.append(" ")
        else:
            letters.append(sign)
    if path:
        drawn.append(f'<path d="{"".join(path)}" fill="{fill}" shape-rendering="geometricPrecision"/>')
    weight = ' font-weight="bold"' if "font-weight: bold" in run.rule else ""
    if "font-style: italic" in run.rule:
        weight += ' font-style="italic"'
    if "underline" in run.rule:
        weight += ' text-decoration="underline"'
    for found in _WORD.finditer("".join(letters)):
        word = found.group()
        x, y = (run.x + found.start()) * CELL_WIDTH, run.y * CELL_HEIGHT + FONT_SIZE * 0.95
        drawn.append(
            f'<text x="{x:g}" y="{y:g}" textLength="{len(word) * CELL_WIDTH:g}" fill="{fill}"{weight}>'
            f"{escape(word)}</text>"
        )
    return drawn


def _fill(rule: str) -> str:
    found = re.search(r"fill: (#\w+)", rule)
    return found.group(1) if found else "#c5c8c6"


def _shape(sign: str, x: float, y: float) -> str:
    """Return a sign as an SVG path."""
    if sign in _BLOCKS:
        left, top, width, height = _BLOCKS[sign]
        return _rectangle(
            x + left * CELL_WIDTH, y + top * CELL_HEIGHT, width * CELL_WIDTH, height * CELL_HEIGHT
        )
    middle_x, middle_y = x + CELL_WIDTH / 2, y + CELL_HEIGHT / 2
    if sign in _DASHES:
        count = _DASHES[sign]
        length = CELL_WIDTH / count
        return "".join(
            _rectangle(x + i * length + length * 0.2, middle_y - 0.5, length * 0.6, 1) for i in range(count)
        )
    if sign == _SHADE:
        step_x, step_y = CELL_WIDTH / 4, CELL_HEIGHT / 8
        return "".join(
            _rectangle(x + (2 * i + j % 2) * step_x, y + j * step_y, step_x / 2, step_y / 2)
            for j in range(8)
            for i in range(2)
        )
    if sign not in _STROKES:
        return _braille(ord(sign) - 0x2800, x, y)
    up, right, down, left = _STROKES[sign]
    parts = []
    for weight, box in (
        (up, (middle_x, y, 0, CELL_HEIGHT / 2)),
        (down, (middle_x, middle_y, 0, CELL_HEIGHT / 2)),
        (left, (x, middle_y, CELL_WIDTH / 2, 0)),
        (right, (middle_x, middle_y, CELL_WIDTH / 2, 0)),
    ):
        thick = (0.0, 1.1, 3.6)[weight]
        if weight:
            px, py, w, h = box
            across = (px - thick / 2, py, thick, h) if h else (px, py - thick / 2, w, thick)
            parts.append(_rectangle(*across))
    return "".join(parts)


def _braille(bits: int, x: float, y: float) -> str:
    places = ((0, 0), (0, 1), (0, 2), (1, 0), (1, 1), (1, 2), (0, 3), (1, 3))
    parts = []
    for bit, (column, row) in enumerate(places):
        if bits & (1 << bit):
            px, py = x + (column + 0.5) * CELL_WIDTH / 2, y + (row + 0.5) * CELL_HEIGHT / 4
            parts.append(_rectangle(px - 0.9, py - 0.9, 1.8, 1.8))
    return "".join(parts)


def _rectangle(x: float, y: float, width: float, height: float) -> str:
    return f"M{x:.2f} {y:.2f}h{width:.2f}v{height:.2f}h{-width:.2f}z"
