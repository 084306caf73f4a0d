"""The frame tick: panes redraw when facts they show changed, and not otherwise.

At most so often as the application calls it; an idle frame looks at one dictionary. It must not
know what panes show.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, cast

from textual.widget import Widget

from nautilus_tui.terminal.panes.pane import Pane
from nautilus_tui.terminal.places import PANES
from nautilus_tui.terminal.questions.question import Question

if TYPE_CHECKING:
    from nautilus_tui.terminal.app import Terminal

#: Kinds of change that an answer to a question is.
_ANSWERS = frozenset({"macro", "research", "risk"})


class Frames:
    """Paints the panes of the application that need it."""

    def __init__(self, app: Terminal) -> None:
        self._app = app
        self._panes: list[tuple[Pane, str | None]] = []
        self._second = -1
        self.whole = True  #: the next frame redraws every pane

    def again(self) -> None:
        """Look for panes again: there are others now."""
        self._panes, self.whole = [], True

    def _gather(self) -> list[tuple[Pane, str | None]]:
        """Return the panes with the workspace each is in, None for those always seen."""
        found = [w for w in self._app.screen_stack[0].query(Widget) if hasattr(w, "refresh_from")]
        return [(cast("Pane", w), PANES.get(w.id or "")) for w in found]

    def paint(self) -> None:
        """Let the panes redraw whose facts changed; ages move on every second."""
        app = self._app
        view, dirty = app.view, app.mirror.dirty.keys()
        view.now_ns = app.now_ns()
        second = view.now_ns // 1_000_000_000
        tick = second != self._second
        if not (dirty or tick or self.whole):
            return
        whole, self.whole, self._second = self.whole, False, second
        if not self._panes:
            self._panes = self._gather()
        here = app.workspace
        for pane, workspace in self._panes:
            if workspace is not None and workspace != here:
                continue
            if whole or (tick and pane.shows_ages) or not pane.watches.isdisjoint(dirty):
                pane.refresh_from(app.mirror, view)
        answered = not _ANSWERS.isdisjoint(dirty)
        app.mirror.clear_dirty()
        if (whole or tick or answered) and app.selecting.resting:
            app.reception.wonder(self.wanted())

    def wanted(self) -> Iterator[Question[Any]]:
        """Yield what the panes in sight want to know."""
        here = self._app.workspace
        for pane, workspace in self._panes:
            if workspace in (None, here):
                yield from getattr(pane, "wants", _nothing)(self._app.mirror, self._app.view)


def _nothing(*_: object) -> tuple[()]:
    return ()
