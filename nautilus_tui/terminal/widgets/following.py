"""A table whose cursor follows a selection made elsewhere, and is never pulled back by its own.

What the reader chose here comes back through the view a little later; by then the cursor may be
further on, and must stay there. It must not know what is selected.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence

from nautilus_tui.terminal.widgets.table import Column, LiveTable


class FollowingTable(LiveTable):
    """A live table that is told what is selected."""

    def __init__(self, columns: Sequence[Column], *, empty: str = "", id: str | None = None) -> None:
        super().__init__(columns, empty=empty, id=id)
        self._followed: str | None = None
        self._announced: deque[str] = deque(maxlen=64)  #: chosen here, not come back by the view yet

    def follow(self, key: str | None) -> None:
        """Put the cursor on a row that was chosen elsewhere."""
        if key is None or key == self._followed:
            return
        if key in self._announced:
            while self._announced.popleft() != key:
                pass
            self._followed = key
        elif self.move_to(key, announce=False):
            self._followed = key

    def move_to(self, key: str, *, announce: bool = True) -> bool:
        """Put the cursor on a row; see :meth:`LiveTable.move_to`."""
        if announce and key != self.cursor_key:
            self._announced.append(key)
        return super().move_to(key, announce=announce)
