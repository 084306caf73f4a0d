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
    Jump > Static.named { width: 23; content-align: left middle; }
    """

    def __init__(self, panes: Mapping[str, Widget]) -> None:
        super().__init__()
        self._panes = dict(panes)
        self._answered = False

    def compose(self) -> ComposeResult:
        """Put a letter on each pane."""
        hidden = 0
        for letter, pane in self._panes.items():
            if pane.region.area:
                label, at = Static(f" {letter} "), Offset(pane.region.x + 2, pane.region.y)
            else:
                # It lies under another: its letter stands with its name at the lower right.
                name = getattr(pane, "title", "") or pane.id or ""
                label = Static(f" {letter}  {name[:18]:<18} ", classes="named")
                at = Offset(self.app.size.width - 25, self.app.size.height - 3 - hidden)
                hidden += 1
            label.styles.offset = at
            yield label

    def on_key(self, event: events.Key) -> None:
        """Go to the pane of the letter."""
        event.stop()
        event.prevent_default()
        if self._answered:
            return  # a key typed ahead of the screen
        self._answered = True
        pane = self._panes.get(event.character or "")
        self.dismiss(None if pane is None else pane.id)
