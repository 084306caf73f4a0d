"""What every pane is to the application: something that redraws itself from mirror and view.

The application calls ``refresh_from`` on the frame tick, only when something a pane watches is in
``mirror.dirty``, or the view changed, or (every second) ages have to move on.
"""

from __future__ import annotations

from typing import ClassVar, Protocol

from nautilus_tui.terminal.mirror import Kind, Mirror
from nautilus_tui.terminal.view import View
from nautilus_tui.terminal.widgets.rows import Cell


class Pane(Protocol):
    """A part of a workspace.

    One that shows what has to be asked for also has ``wants(mirror, view)``, which returns the
    questions it wants answered as things stand; they are asked for it while it is in sight.
    """

    #: Kinds of change this pane shows; ``clock`` panes also show ages or the time.
    watches: ClassVar[frozenset[Kind]]
    shows_ages: ClassVar[bool]

    def refresh_from(self, mirror: Mirror, view: View) -> None:
        """Show what the mirror holds for this view. Cheap when nothing changed."""


def instrument_cell(instrument: str) -> Cell:
    """Return an instrument's name with its venue toned down."""
    symbol, _, venue = instrument.rpartition(".")
    return Cell(symbol or instrument, "bright", instrument, f".{venue}" if symbol else "")
