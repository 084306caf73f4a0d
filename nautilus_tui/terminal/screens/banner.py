"""The banner under the status line while there is no connection: since when, why, and what follows."""

from __future__ import annotations

from typing import ClassVar

from nautilus_tui.terminal import figures
from nautilus_tui.terminal.mirror import Kind, Mirror
from nautilus_tui.terminal.view import View
from nautilus_tui.terminal.widgets.lines import Lines, Part

#: A connection that takes no longer than this to come is not worth a banner.
_PATIENCE_NS = 1_000_000_000


class Banner(Lines):
    """One line, hidden while connected."""

    watches: ClassVar[frozenset[Kind]] = frozenset({"connection", "engines"})
    shows_ages: ClassVar[bool] = True

    DEFAULT_CSS = "Banner { height: 1; display: none; }"

    def refresh_from(self, mirror: Mirror, view: View) -> None:
        """Show how the terminal stands with the daemon."""
        connection = mirror.connection
        age_ns = view.now_ns - connection.since_ns
        waiting = connection.state == "connecting" and age_ns > _PATIENCE_NS
        self.display = connection.state == "disconnected" or waiting
        if not self.display:
            return
        age = figures.age(max(0, age_ns) / 1e6)
        if connection.state == "connecting":
            self.set_lines([[(f" Connecting to {connection.target} since {age}", "warn")]])
            return
        parts: list[Part] = [(f" Disconnected {age} ", "error"), (f" {connection.problem or ''} ", "warn")]
        if connection.retry_at_ns is not None:
            left = max(0.0, (connection.retry_at_ns - view.now_ns) / 1e9)
            parts.append((f" attempt {connection.attempt} in {left:.0f} s ", ""))
        parts.append((" Engines trade on; nothing can be sent from here.", "dim"))
        self.set_lines([parts])
