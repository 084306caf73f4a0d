"""What panes of lines share that fit what they say to their size: they draw it anew when that changes."""

from __future__ import annotations

from textual import events

from nautilus_tui.terminal.mirror import Mirror
from nautilus_tui.terminal.view import View
from nautilus_tui.terminal.widgets.lines import Lines


class Redrawn(Lines):
    """Lines that are drawn from mirror and view by :meth:`draw`, and again for another size."""

    _seen: tuple[Mirror, View] | None = None

    def refresh_from(self, mirror: Mirror, view: View) -> None:
        """Draw what the mirror holds for this view."""
        self._seen = (mirror, view)
        if self.content_size.width:
            self.draw(mirror, view)

    def draw(self, mirror: Mirror, view: View) -> None:
        """Write title and lines for the size there is."""
        raise NotImplementedError

    def on_resize(self, event: events.Resize) -> None:
        """Draw for the new size."""
        super().on_resize(event)
        if self._seen is not None:
            self.refresh_from(*self._seen)
