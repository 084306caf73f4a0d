"""The grid that charts are drawn on: cells with a sign and a style, and lines of braille dots over them.

Pure. It must not know what a line stands for.
"""

from __future__ import annotations

from collections.abc import Sequence

from nautilus_tui.terminal.widgets.lines import Part, merged

#: Braille dots by column (0, 1) and row (0…3) of a cell.
_DOTS = ((0x01, 0x02, 0x04, 0x40), (0x08, 0x10, 0x20, 0x80))

#: A dot: two to a cell across and four down, from the upper left.
Dot = tuple[int, int]


class Grid:
    """Cells of a plot, each a sign and a style key."""

    def __init__(self, width: int, height: int) -> None:
        self.width, self.height = width, height
        self.signs = [[" "] * width for _ in range(height)]
        self.styles = [[""] * width for _ in range(height)]

    def put(self, x: int, y: int, sign: str, style: str) -> None:
        """Write a cell."""
        self.signs[y][x] = sign
        self.styles[y][x] = style

    def empty(self, x: int, y: int) -> bool:
        """Say whether nothing is written there yet."""
        return self.signs[y][x] == " "

    def line(self, y: int) -> list[Part]:
        """Return a row as parts."""
        return merged(list(zip(self.signs[y], self.styles[y], strict=True)))

    def trace(self, points: Sequence[Dot | None], style: str, *, ascii_only: bool, sign: str = ".") -> None:
        """Draw a line through the points, broken where there is none; ``sign`` draws it in ASCII."""
        dots: dict[tuple[int, int], int] = {}
        previous: Dot | None = None
        for here in points:
            if here is None:
                previous = None
                continue
            for dot_x, dot_y in between(previous, here):
                if 0 <= dot_x < self.width * 2 and 0 <= dot_y < self.height * 4:
                    cell = (dot_x // 2, dot_y // 4)
                    dots[cell] = dots.get(cell, 0) | _DOTS[dot_x % 2][dot_y % 4]
            previous = here
        for (x, y), bits in dots.items():
            self.put(x, y, sign if ascii_only else chr(0x2800 + bits), style)


def between(start: tuple[int, int] | None, end: tuple[int, int]) -> list[tuple[int, int]]:
    """Return the dots from one point (left out) to the next (included), without holes."""
    if start is None:
        return [end]
    (x0, y0), (x1, y1) = start, end
    if x1 == x0:
        step = 1 if y1 > y0 else -1
        return [(x0, y) for y in range(y0 + step, y1 + step, step)] if y1 != y0 else []
    points: list[tuple[int, int]] = []
    y = y0
    for x in range(x0 + 1, x1 + 1):
        target = y0 + round((y1 - y0) * (x - x0) / (x1 - x0))
        step = 1 if target > y else -1
        # Walk down or up the column so that a steep line stays one line.
        points.extend((x, between) for between in range(y + step, target, step))
        points.append((x, target))
        y = target
    return points
