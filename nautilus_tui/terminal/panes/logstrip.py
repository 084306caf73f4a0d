"""The latest log line of the selected engine, or the daemon's latest message to everyone, on one line."""

from __future__ import annotations

from typing import ClassVar

from data.records import EngineLog, LogLevel
from nautilus_tui.terminal import figures
from nautilus_tui.terminal.mirror import Kind, Mirror
from nautilus_tui.terminal.view import View
from nautilus_tui.terminal.widgets.lines import Lines, Part

#: Levels from least to most urgent.
LEVELS: tuple[LogLevel, ...] = ("debug", "info", "warning", "error", "critical")
#: How a level is written and in which style.
LEVEL_WORDS: dict[LogLevel, tuple[str, str]] = {
    "debug": ("DEBUG", "faint"),
    "info": ("INFO ", "dim"),
    "warning": ("WARN ", "warn"),
    "error": ("ERROR", "error"),
    "critical": ("CRIT ", "error"),
}
#: How long a message to everyone stands before log lines come back.
BROADCAST_NS = 30_000_000_000


class LogStrip(Lines):
    """One line of what has just happened."""

    watches: ClassVar[frozenset[Kind]] = frozenset({"logs", "broadcasts"})
    shows_ages: ClassVar[bool] = True

    DEFAULT_CSS = """
    LogStrip {
        height: 1;
    }
    """

    def refresh_from(self, mirror: Mirror, view: View) -> None:
        """Show the newest line worth reading."""
        if mirror.broadcasts:
            latest = mirror.broadcasts[-1]
            if view.now_ns - latest.ts < BROADCAST_NS:
                self.set_lines([[(f" {latest.sender} ", "accent"), (latest.message, "bright")]])
                return
        line = next(
            (line for line in reversed(mirror.logs) if line.engine == view.engine and line.level != "debug"),
            None,
        )
        self.set_lines([log_parts(line) if line is not None else []])


def log_parts(line: EngineLog, *, with_engine: bool = True) -> list[Part]:
    """Return a log line as parts: time, engine, level, component, message."""
    word, style = LEVEL_WORDS[line.level]
    text = style if line.level in ("warning", "error", "critical") else ""
    return [
        (f" {figures.clock(line.ts)} ", "dim"),
        (f"{line.engine} " if with_engine else "", "dim"),
        (f"{word} ", style),
        (f"{line.component} " if line.component else "", "dim"),
        (line.message.replace("\n", " "), text),
    ]
