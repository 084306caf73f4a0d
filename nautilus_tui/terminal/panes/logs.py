"""Engine logs: followed as they come, filtered by level, text or order, the order's own events among them.

Lines are drawn as they scroll into sight; thousands cost nothing until they are looked at.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import ClassVar

from textual import events
from textual.binding import Binding, BindingType
from textual.geometry import Size
from textual.scroll_view import ScrollView
from textual.strip import Strip

from data.records import EngineLog, LogLevel, OrderUpdate
from nautilus_tui.terminal import figures
from nautilus_tui.terminal.mirror import MAX_LOGS, Kind, Mirror
from nautilus_tui.terminal.panes.logstrip import LEVELS, log_parts
from nautilus_tui.terminal.theme import glyphs_of, palette_of
from nautilus_tui.terminal.view import View
from nautilus_tui.terminal.widgets.rows import fit
from nautilus_tui.terminal.widgets.strips import joined, message_strip
from nautilus_tui.terminal.widgets.titled import Titled


class Logs(Titled, ScrollView, can_focus=True):
    """Log lines of one engine, or of all."""

    watches: ClassVar[frozenset[Kind]] = frozenset({"logs", "orders", "fills"})
    shows_ages: ClassVar[bool] = False
    ALLOW_SELECT = False
    TITLE = "Logs"

    DEFAULT_CSS = """
    Logs {
        overflow-x: hidden;
        overflow-y: auto;
        scrollbar-size-vertical: 0;
        background: $background;
    }
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up,k", "line_up", "Up", show=False, id="logs.up"),
        Binding("down,j", "line_down", "Down", show=False, id="logs.down"),
        Binding("pageup", "page_up_lines", "Page up", show=False, id="logs.page_up"),
        Binding("pagedown", "page_down_lines", "Page down", show=False, id="logs.page_down"),
        Binding("home", "oldest", "Oldest line", show=False, id="logs.oldest"),
        Binding("end,G", "follow", "Follow", show=False, id="logs.follow"),
    ]

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self.following = True
        self._filter = ""
        self._lines: list[EngineLog] = []  #: what passes the view's engine, level and order
        self._shown: list[EngineLog] = []  #: and the text filter
        self._choice: tuple[object, ...] = ()
        self._seen = 0
        self._order_events: tuple[int, int] = (0, 0)

    # ------------------------------------------------------------ what it shows

    @property
    def filter(self) -> str:
        """Only lines with this text are shown; empty shows all. Case does not matter."""
        return self._filter

    @filter.setter
    def filter(self, text: str) -> None:
        if text != self._filter:
            self._filter = text
            self._shown = [line for line in self._lines if self._passes(line)]
            self._grow()

    @property
    def shown(self) -> Sequence[EngineLog]:
        """The lines that pass every filter, oldest first."""
        return self._shown

    def refresh_from(self, mirror: Mirror, view: View) -> None:
        """Take in lines that came since, or start over when the view asks for other ones."""
        engine = view.log_engine or view.engine
        choice = (engine, view.log_level, view.log_order, mirror.logs_begun)
        events_known = _count_events(mirror, view)
        new = mirror.logs_seen - self._seen
        if choice != self._choice or new > len(mirror.logs) or events_known != self._order_events:
            self._choice, self._order_events = choice, events_known
            self._lines = _select(mirror.logs, engine, view)
            if view.log_order is not None and engine is not None:
                self._lines += order_lines(mirror, engine, view.log_order)
                self._lines.sort(key=lambda line: line.ts)
            self._shown = [line for line in self._lines if self._passes(line)]
        elif new:
            latest = list(mirror.logs)[-new:]
            added = _select(latest, engine, view)
            self._lines += added
            self._shown += [line for line in added if self._passes(line)]
            del self._lines[: max(0, len(self._lines) - MAX_LOGS)]
            del self._shown[: max(0, len(self._shown) - MAX_LOGS)]
        else:
            return
        self._seen = mirror.logs_seen
        self._name_it(view)
        self._grow()

    def _passes(self, line: EngineLog) -> bool:
        if not self._filter:
            return True
        wanted = self._filter.casefold()
        return wanted in line.message.casefold() or wanted in line.component.casefold()

    def _name_it(self, view: View) -> None:
        glyphs = glyphs_of(self.app)
        words = ["Logs", view.log_engine or view.engine or "no engine", f"{view.log_level} and above"]
        if view.log_order is not None:
            words.append(f"order {view.log_order}")
        self.title = f" {glyphs.dot} ".join(words)

    def _grow(self) -> None:
        self.virtual_size = Size(0, len(self._shown) + self.title_lines)
        glyphs = glyphs_of(self.app)
        state = f"{glyphs.play} following" if self.following else f"{glyphs.pause} end follows"
        self.subtitle = f"{len(self._shown)} lines {glyphs.dot} {state}"
        if self.following:
            self.scroll_to(y=self.max_scroll_y, animate=False, force=True)
        self.refresh()

    # ------------------------------------------------------------ painting

    def render_line(self, y: int) -> Strip:
        """Draw one log line."""
        palette, glyphs = palette_of(self.app), glyphs_of(self.app)
        width = self.scrollable_content_region.width
        if y < self.title_lines:
            return self.title_strip(width)
        y -= self.title_lines
        if not self._shown:
            text = "No log lines yet at this level." if not self._filter else "No line has this text."
            return message_strip(text, y, width, self.room.height, palette)
        index = y + round(self.scroll_offset.y)
        if index >= len(self._shown):
            return Strip.blank(width, palette.style(""))
        pieces, room = [], width
        for text, keys in log_parts(self._shown[index], with_engine=False):
            if room <= 0:
                break
            piece = fit(text, min(len(text), room), "left", glyphs.ellipsis)
            pieces.append((piece, palette.style(keys)))
            room -= len(piece)
        pieces.append((" " * max(0, room), palette.style("")))
        return joined(pieces, width)

    def on_mount(self) -> None:
        """Draw anew when the theme changes."""
        self.app.theme_changed_signal.subscribe(self, lambda _: self.refresh())

    def on_focus(self) -> None:
        """Show that keys come here."""
        self._refresh_title()

    def on_blur(self) -> None:
        """Show that keys go elsewhere."""
        self._refresh_title()

    def on_resize(self, event: events.Resize) -> None:
        """Keep to the end when following."""
        self._grow()

    def on_mouse_scroll_up(self, event: events.MouseScrollUp) -> None:
        """Scrolling back stops following."""
        self._unfollow()

    # ------------------------------------------------------------ actions

    def _unfollow(self) -> None:
        if self.following:
            self.following = False
            self._grow()

    def _by(self, lines: int) -> None:
        if lines < 0:
            self._unfollow()
        self.scroll_to(y=self.scroll_offset.y + lines, animate=False, force=True)

    def action_line_up(self) -> None:
        """Scroll up a line and stop following."""
        self._by(-1)

    def action_line_down(self) -> None:
        """Scroll down a line."""
        self._by(1)

    def action_page_up_lines(self) -> None:
        """Scroll up a page and stop following."""
        self._by(-max(1, self.size.height - 1))

    def action_page_down_lines(self) -> None:
        """Scroll down a page."""
        self._by(max(1, self.size.height - 1))

    def action_oldest(self) -> None:
        """Go to the oldest line and stop following."""
        self._by(-len(self._shown))

    def action_follow(self) -> None:
        """Go to the newest line and stay there."""
        self.following = True
        self._grow()


def _select(lines: Iterable[EngineLog], engine: str | None, view: View) -> list[EngineLog]:
    """Return the lines of an engine at or above the view's level, or of the view's order at any."""
    lowest = LEVELS.index(_level(view.log_level))
    return [
        line
        for line in lines
        if line.engine == engine
        and (
            line.client_order_id == view.log_order
            if view.log_order is not None
            else LEVELS.index(line.level) >= lowest
        )
    ]


def _level(word: str) -> LogLevel:
    return next((level for level in LEVELS if level == word), "info")


def _count_events(mirror: Mirror, view: View) -> tuple[int, int]:
    engine = view.log_engine or view.engine
    if view.log_order is None or engine is None:
        return (0, 0)
    history = mirror.order_history.get((engine, view.log_order), ())
    return len(history), len(mirror.fills_of(engine, view.log_order))


def order_lines(mirror: Mirror, engine: str, client_order_id: str) -> list[EngineLog]:
    """Return an order's own events as log lines, to stand among those the engine wrote."""
    lines = [
        _event_line(engine, update) for update in mirror.order_history.get((engine, client_order_id), ())
    ]
    for done in mirror.fills_of(engine, client_order_id):
        size = figures.quantity(done.qty)
        text = f"fill {done.side} {size} {done.instrument} @ {done.price} ({done.trade_id})"
        lines.append(_line(engine, client_order_id, text, done.ts))
    return lines


def _event_line(engine: str, order: OrderUpdate) -> EngineLog:
    text = f"{order.event or 'order'} → {order.status.replace('_', ' ')}"
    if order.reason:
        text += f": {order.reason}"
    level: LogLevel = "warning" if order.status in ("denied", "rejected", "unknown") else "info"
    return _line(engine, order.client_order_id, text, order.ts, level)


def _line(engine: str, order: str, text: str, ts: int, level: LogLevel = "info") -> EngineLog:
    return EngineLog(
        engine=engine, level=level, component="Order", message=text, client_order_id=order, ts=ts
    )
