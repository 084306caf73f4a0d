"""Which cells glow because they have just changed, and until when.

Pure: the clock comes from outside. A cell that changes many times a second glows once a second
and not all the time: a screen that never rests tells nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from nautilus_tui.terminal.widgets.rows import Column, Row, direction

#: How long a changed cell glows, and how long it then stays calm, in seconds.
GLOW_S = 0.4
CALM_S = 0.6

Spot = tuple[str, int]  #: row key and column index


class Glows:
    """The glowing cells of one table."""

    def __init__(self, clock: Callable[[], float], duration: float = GLOW_S) -> None:
        self.clock = clock
        self.duration = duration  #: seconds; 0 turns glowing off
        self._glowing: dict[Spot, tuple[float, str]] = {}
        self._calm_until: dict[Spot, float] = {}

    def __bool__(self) -> bool:
        return bool(self._glowing)

    def light(self, columns: Sequence[Column], old: Row, new: Row, changed: Sequence[int]) -> None:
        """Let changed cells of glowing columns glow, unless they have only just done so."""
        if not self.duration:
            return
        now = self.clock()
        for index in changed:
            if not columns[index].glow or old.cells[index].text == new.cells[index].text:
                continue
            spot = (new.key, index)
            if self._calm_until.get(spot, 0.0) > now:
                continue
            moved = direction(old.cells[index].value, new.cells[index].value)
            self._glowing[spot] = (now + self.duration, ("glow", "glow-up", "glow-down")[moved])
            self._calm_until[spot] = now + self.duration + CALM_S

    def style_of(self, key: str, index: int) -> str | None:
        """Return the style key of a glowing cell, None for a calm one."""
        glow = self._glowing.get((key, index))
        return None if glow is None else glow[1]

    def cool(self) -> list[Spot]:
        """Put out the glows whose time is over and return where they were."""
        now = self.clock()
        over = [spot for spot, (until, _) in self._glowing.items() if until <= now]
        for spot in over:
            del self._glowing[spot]
        return over

    def forget(self, key: str, columns: int) -> None:
        """Forget a row that is gone."""
        for index in range(columns):
            self._glowing.pop((key, index), None)
            self._calm_until.pop((key, index), None)
