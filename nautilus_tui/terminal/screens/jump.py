"""Jump mode: every pane wears a letter; the letter pressed is where the focus goes."""

from __future__ import annotations

from collections.abc import Mapping

from textual import events
from textual.app import ComposeResult
from textual.geometry import Offset
from textual.screen import ModalScreen
from textual.widget import Widget
from textual.widgets import Static


class Jump(ModalScreen[str | None]):
    """Answers the id of the pane jumped to, None when any other key was pressed."""

    DEFAULT_CSS = """
    Jump { layers: base; }
    Jump > Static {
        position: absolute; width: 5; height: 1; background: $accent; color: $background;
        text-style: bold; content-align: center middle;
    }
    """

    def __init__(self, panes: Mapping[str, Widget]) -> None:
        super().__init__()
        self._panes = dict(panes)

    def compose(self) -> ComposeResult:
        """Put a letter on each pane."""
        for letter, pane in self._panes.items():
            label = Static(f" {letter} ")
            label.styles.offset = Offset(pane.region.x + 2, pane.region.y)
            yield label

    def on_key(self, event: events.Key) -> None:
        """Go to the pane of the letter."""
        event.stop()
        event.prevent_default()
        pane = self._panes.get(event.character or "")
        self.dismiss(None if pane is None else pane.id)
