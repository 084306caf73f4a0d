"""The banner under the status line: while the kill switch is pulled, and while there is no connection.

Each says since when, why, and what follows or helps; on every workspace.
"""

from __future__ import annotations

from typing import ClassVar

from nautilus_tui.terminal import figures, kill_words
from nautilus_tui.terminal.mirror import Kind, Mirror
from nautilus_tui.terminal.theme import glyphs_of
from nautilus_tui.terminal.view import View
from nautilus_tui.terminal.widgets.lines import Lines, Part

#: A connection that takes no longer than this to come is not worth a banner.
_PATIENCE_NS = 1_000_000_000


class Banner(Lines):
    """A line for each, hidden while there is neither."""

    watches: ClassVar[frozenset[Kind]] = frozenset({"connection", "engines", "kill"})
    shows_ages: ClassVar[bool] = True

    DEFAULT_CSS = "Banner { height: 1; display: none; }"

    def refresh_from(self, mirror: Mirror, view: View) -> None:
        """Show what stands in the way of trading."""
        killed = kill_words.banner(mirror.risk.kill, view.now_ns, self.app.size.width, glyphs_of(self.app))
        lost = connection_line(mirror, view)
        lines = [line for line in (killed, lost) if line is not None]
        self.display = bool(lines)
        if lines:
            self.styles.height = len(lines)
            self.set_lines(lines)


def connection_line(mirror: Mirror, view: View) -> list[Part] | None:
    """Return how the terminal stands with the daemon, None while it is connected."""
    connection = mirror.connection
    age_ns = view.now_ns - connection.since_ns
    age = figures.age(max(0, age_ns) / 1e6)
    if connection.state == "connected" or (connection.state == "connecting" and age_ns <= _PATIENCE_NS):
        return None
    if connection.state == "connecting":
        return [(f" Connecting to {connection.target} since {age}", "warn")]
    parts: list[Part] = [(f" Disconnected {age} ", "error"), (f" {connection.problem or ''} ", "warn")]
    if connection.retry_at_ns is not None:
        left = max(0.0, (connection.retry_at_ns - view.now_ns) / 1e9)
        parts.append((f" attempt {connection.attempt} in {left:.0f} s ", ""))
    parts.append((" Engines trade on; nothing can be sent from here.", "dim"))
    return parts
