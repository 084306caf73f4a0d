"""Every engine: what it is, how it is, what it costs, and how near its bounds it runs."""

from __future__ import annotations

from typing import ClassVar

from data.records import EngineStatus
from nautilus_tui.terminal import figures
from nautilus_tui.terminal.glyphs import Glyphs
from nautilus_tui.terminal.limit_words import RESTRICTIONS
from nautilus_tui.terminal.mirror import Kind, Mirror
from nautilus_tui.terminal.panes.header import STATES
from nautilus_tui.terminal.theme import glyphs_of
from nautilus_tui.terminal.view import View
from nautilus_tui.terminal.widgets.table import Cell, Column, LiveTable, Row

BAR = 6
#: Above this share of a bound the figure turns to a warning.
NEAR = 0.8
#: Above this an engine's event loop answers late, in milliseconds.
LATE_MS = 50.0

COLUMNS = (
    Column("engine", "Engine", "left", least=7, most=20),
    Column("environment", "Env", "left", width=8),
    Column("state", "State", "left", width=10),
    Column("feed", "Feed", "left", least=6, most=22, drop=5),
    Column("rate", "Ticks/s", least=7, drop=3),
    Column("age", "Age ", width=5, drop=1),
    Column("lag", "Lag ms", width=6, drop=7),
    Column("cpu", "CPU", "left", width=5 + BAR, drop=4),
    Column("memory", "Memory", "left", width=9 + BAR, drop=4),
    Column("working", "Orders", width=6, drop=8),
    Column("positions", "Pos", width=3, drop=8),
    Column("uptime", "Up", width=6, drop=6),
    Column("restarts", "Rst", width=3, drop=9),
    Column("pid", "PID", width=7, drop=7),
    Column("reason", "Reason", "left", least=28, drop=2, grow=True),
)


class Engines(LiveTable):
    """The engine table."""

    watches: ClassVar[frozenset[Kind]] = frozenset({"engines", "connection"})
    shows_ages: ClassVar[bool] = True
    TITLE = "Engines"

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(
            COLUMNS,
            id=id,
            empty="No engine is known to the daemon. :engine start paper-1 starts a paper engine.",
        )

    def refresh_from(self, mirror: Mirror, view: View) -> None:
        """Show every engine."""
        self.comfortable = view.density == "comfortable"
        glyphs = glyphs_of(self.app)
        statuses = [mirror.engines[name] for name in sorted(mirror.engines)]
        running = sum(status.state in ("running", "degraded") for status in statuses)
        self.subtitle = f"{len(statuses)} {glyphs.dot} {running} running"
        if mirror.connection.state != "connected" and not statuses:
            self.empty = "No daemon is connected. The status line says when it is tried again."
        self.set_rows([engine_row(s, mirror.feed_age_ms(s.id, view.now_ns), view, glyphs) for s in statuses])
        if view.engine is not None and self.cursor_key is None:
            self.move_to(view.engine, announce=False)


def engine_row(status: EngineStatus, age_ms: float | None, view: View, glyphs: Glyphs) -> Row:
    """Return one line of the engine table."""
    sign, style = STATES[status.state]
    alive = status.state in ("running", "degraded", "starting", "stopping")
    shown_age = age_ms if alive else None
    stale = shown_age is not None and shown_age > view.stale_after_ms
    selected = status.id == view.engine
    late = status.loop_lag_ms is not None and status.loop_lag_ms > LATE_MS
    feed = status.feed if status.feed_detail is None else f"{status.feed} {status.feed_detail}"
    memory = (status.rss_bytes or 0) / (status.max_memory_mb * 2**20) if status.max_memory_mb else None
    cpu = (status.cpu_percent or 0.0) / (status.max_cpu_percent or 100)
    cpu_text = figures.DASH if status.cpu_percent is None else f"{status.cpu_percent:.0f}%"
    return Row(
        status.id,
        (
            Cell(status.id, "accent" if selected else "bright", status.id),
            Cell(f" {status.environment} ", f"env-{status.environment.lower()}", status.environment),
            Cell(f"{getattr(glyphs, sign)} {status.state}", style, status.state),
            Cell(feed, "", feed),
            Cell(figures.compact(status.tick_rate), "", status.tick_rate),
            Cell(
                f"{figures.age(shown_age)}{glyphs.warn if stale else ' '}",
                "warn" if stale else "dim",
                shown_age,
            ),
            Cell(
                figures.DASH if status.loop_lag_ms is None else f"{status.loop_lag_ms:.1f}",
                "warn" if late else "dim",
                status.loop_lag_ms,
            ),
            _gauge(cpu_text, 4, cpu if status.cpu_percent is not None else None, status.cpu_percent, glyphs),
            _gauge(figures.memory(status.rss_bytes), 8, memory, status.rss_bytes, glyphs),
            Cell(_count(status.orders_working), "dim", status.orders_working),
            Cell(_count(status.positions_open), "dim", status.positions_open),
            Cell(figures.duration(status.uptime_s), "dim", status.uptime_s),
            Cell(str(status.restarts), "warn" if status.restarts else "dim", status.restarts),
            Cell(_count(status.pid), "dim", status.pid),
            _reason(status),
        ),
        "" if alive else "stale",
    )


def _reason(status: EngineStatus) -> Cell:
    """Return why an engine is as it is, its restriction first."""
    if status.restriction == "none":
        return Cell(status.reason or "", "error" if status.state == "error" else "dim")
    said = " ".join(word for word in (RESTRICTIONS[status.restriction], status.reason) if word)
    return Cell(said, "error" if status.restriction == "halted" else "warn")


def _gauge(text: str, width: int, share: float | None, value: float | None, glyphs: Glyphs) -> Cell:
    """Return a figure with a bar of how much of its bound is used; without a bound, no bar."""
    if value is None or share is None:
        return Cell(f"{text:>{width}}", "dim", value)
    style = "error" if share >= 1 else "warn" if share >= NEAR else "dim"
    return Cell(f"{text:>{width}} {figures.bar(share, BAR, glyphs.bar)}", style, value)


def _count(value: int | None) -> str:
    return figures.DASH if value is None else str(value)
