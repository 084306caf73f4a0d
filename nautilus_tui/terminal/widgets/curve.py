"""A curve of values in braille dots, drawn by plotext.

For what changes slowly, such as equity: plotext takes some milliseconds a curve and a fifth of a
second to import, so it is imported with the first curve. It must not know what the values are.
"""

from __future__ import annotations

from collections.abc import Sequence

#: Fewer cells than this show no shape.
LEAST_WIDTH, LEAST_HEIGHT = 8, 2


def curve(values: Sequence[float], width: int, height: int) -> list[str]:
    """Return ``height`` lines of ``width`` cells with the values from left to right.

    The lowest value is on the last line and the highest on the first. Fewer than two values, or
    too little room, give no lines at all.
    """
    if len(values) < 2 or width < LEAST_WIDTH or height < LEAST_HEIGHT:
        return []
    import plotext  # type: ignore[import-untyped]  # it has no annotations

    low, high = min(values), max(values)
    if low == high:
        low, high = low - 1, high + 1
    figure = plotext.figure
    figure.clear()
    figure.plot_size(width, height)
    figure.axes(False)
    for side in ("x", "y"):
        figure.ruler(side).ticks([])
    figure.ruler("y").lim(low, high)
    figure.draw(figure.signal(list(range(len(values))), list(values), marker="braille").lines())
    lines = plotext.uncolorize(str(figure.build())).split("\n")[:height]
    return [line[:width].ljust(width) for line in lines]
