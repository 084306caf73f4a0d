"""A question before something dangerous: it says exactly what will happen, as things stand now.

Only the chord confirms; no printable key, no enter and nothing pasted does.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from textual import events
from textual.app import ComposeResult
from textual.containers import VerticalScroll
from textual.screen import ModalScreen

from nautilus_tui.terminal.screens.ticket_form import keys_line
from nautilus_tui.terminal.widgets.lines import Line, Lines

Describe = Callable[[], Sequence[Line]]


class Confirm(ModalScreen[bool]):
    """Answers true when the chord was pressed, false when it was left."""

    DEFAULT_CSS = """
    Confirm { align: center middle; }
    Confirm > VerticalScroll {
        scrollbar-size-vertical: 1;
        width: 72; max-width: 96%; height: auto; max-height: 90%;
        border: round $warning; border-title-color: $warning; background: $background; padding: 0 1;
    }
    """

    def __init__(self, title: str, describe: Describe, chords: Sequence[str], verb: str) -> None:
        """Take what will happen as a function: it is asked again as things change."""
        super().__init__()
        self._title = title
        self._describe = describe
        self._chords = tuple(chords)
        self._verb = verb

    def compose(self) -> ComposeResult:
        """Lay out the question."""
        with VerticalScroll() as box:
            box.border_title = self._title
            yield Lines()

    def on_mount(self) -> None:
        """Say it, and keep it true."""
        self.say()
        self.set_interval(0.5, self.say)

    def say(self) -> None:
        """Write what would happen now."""
        first = self._chords[0] if self._chords else ""
        hints = keys_line([(first, self._verb), ("esc", "leave everything as it is")])
        said: list[Line] = [[], *self._describe(), [], hints]
        lines = self.query_one(Lines)
        lines.styles.height = len(said)
        lines.set_lines(said)

    def on_key(self, event: events.Key) -> None:
        """Confirm by chord, leave by escape; every other key does nothing."""
        event.stop()
        event.prevent_default()
        if event.key in self._chords:
            self.dismiss(True)
        elif event.key == "escape":
            self.dismiss(False)
