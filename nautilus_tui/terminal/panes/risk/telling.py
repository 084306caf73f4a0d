"""What titles of the Risk workspace tell: whether figures are synthetic, how many, how old.

It must not know what a pane shows.
"""

from __future__ import annotations

from nautilus_tui.terminal import figures
from nautilus_tui.terminal.glyphs import Glyphs
from nautilus_tui.terminal.mirror import Mirror
from nautilus_tui.terminal.panes.provenance import SYNTHETIC
from nautilus_tui.terminal.widgets.titled import Titled

#: The monitor looks every five seconds, forecasts are made every minute; what is older than this is old.
OLD_S, OLD_FORECAST_S = 15.0, 150.0


def entitle(pane: Titled, title: str, glyphs: Glyphs, *, synthetic: bool = False, told: str = "") -> None:
    """Write a pane's title line; synthetic figures colour the whole of it."""
    words = [title, SYNTHETIC] if synthetic else [title]
    pane.title = f" {glyphs.dot} ".join(words)
    pane.title_style = "sim" if synthetic else ""
    pane.subtitle = told


def seen_ago(ts: int | None, now_ns: int, glyphs: Glyphs, *, old_s: float = OLD_S) -> str:
    """Return how long ago something was looked at, with a sign where that is longer than it should be."""
    if ts is None:
        return ""
    seconds = max(0, now_ns - ts) / 1e9
    return f"{figures.age(seconds * 1000)}{glyphs.warn if seconds > old_s else ''}"


def offline(mirror: Mirror, words: str) -> str | None:
    """Return why nothing is known while there is no connection."""
    if mirror.connection.state == "connected":
        return None
    return f"No daemon is connected, so there are no {words}. The status line says when it is tried again."
