"""Where one has been and how to go back: companies in the order they were looked at.

Pure, as a browser's history is: going somewhere new forgets what lay ahead.
"""

from __future__ import annotations

_MOST = 100


class Trail[T]:
    """Places visited, and which of them one is at."""

    def __init__(self) -> None:
        self._places: list[T] = []
        self._at = -1

    @property
    def here(self) -> T | None:
        """Where one is."""
        return self._places[self._at] if self._places else None

    @property
    def places(self) -> tuple[T, ...]:
        """Every place on the trail, the earliest first."""
        return tuple(self._places)

    @property
    def before(self) -> T | None:
        """Where going back leads."""
        return self._places[self._at - 1] if self._at > 0 else None

    @property
    def ahead(self) -> T | None:
        """Where going forward leads."""
        return self._places[self._at + 1] if self._at + 1 < len(self._places) else None

    def go(self, place: T) -> None:
        """Go somewhere; where one is already nothing changes."""
        if place == self.here:
            return
        self._places = [*self._places[: self._at + 1], place][-_MOST:]
        self._at = len(self._places) - 1

    def back(self) -> T | None:
        """Go back and return where that is; None at the beginning."""
        if self._at <= 0:
            return None
        self._at -= 1
        return self._places[self._at]

    def forward(self) -> T | None:
        """Go forward again and return where that is; None at the end."""
        if self._at + 1 >= len(self._places):
            return None
        self._at += 1
        return self._places[self._at]
