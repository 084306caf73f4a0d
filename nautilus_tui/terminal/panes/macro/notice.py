"""What has to be said wherever FRED's data is shown."""

from __future__ import annotations

import textwrap
from typing import ClassVar

from textual import events

from nautilus_tui.terminal.mirror import Kind, Mirror
from nautilus_tui.terminal.theme import glyphs_of
from nautilus_tui.terminal.view import View
from nautilus_tui.terminal.widgets.lines import Lines

NOTICE = (
    "This product uses the FRED® API but is not endorsed or certified by the "
    "Federal Reserve Bank of St. Louis."
)


class Notice(Lines):
    """The sentence, whole: on two lines where one is too short."""

    watches: ClassVar[frozenset[Kind]] = frozenset({"connection"})
    shows_ages: ClassVar[bool] = False

    DEFAULT_CSS = "Notice { height: 1; }"

    def on_resize(self, event: events.Resize) -> None:
        """Break the sentence for the new width."""
        super().on_resize(event)
        self._say()

    def refresh_from(self, mirror: Mirror, view: View) -> None:
        """Say it."""
        self._say()

    def _say(self) -> None:
        width = self.content_size.width
        if width:
            said = NOTICE.replace("®", "(R)") if glyphs_of(self.app).name == "ascii" else NOTICE
            lines = textwrap.wrap(said, max(20, width - 2))
            self.styles.height = len(lines)
            self.set_lines([[(f" {line}", "dim")] for line in lines])
