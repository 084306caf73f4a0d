"""The status line: where one is, whether it lives, what it is worth. It never scrolls away.

From left to right: environment, engine and its state, feed age, focused instrument; equity, day's
profit and loss, alerts, role and order authority, UTC clock. Where there is less room the least
urgent goes first; environment, state and day's profit and loss never go.
"""

from __future__ import annotations

from typing import ClassVar

from textual import events

from data.records import AccountUpdate, EngineState, EngineStatus
from nautilus_tui.terminal import figures
from nautilus_tui.terminal.alarm_rows import count_open
from nautilus_tui.terminal.authority_words import status_parts
from nautilus_tui.terminal.glyphs import Glyphs
from nautilus_tui.terminal.limit_words import RESTRICTIONS
from nautilus_tui.terminal.mirror import Connection, Kind, Mirror, WatchRow
from nautilus_tui.terminal.panes.positions import sign_style
from nautilus_tui.terminal.perils import severity_rank
from nautilus_tui.terminal.theme import glyphs_of
from nautilus_tui.terminal.view import View
from nautilus_tui.terminal.widgets.lines import Lines, Part, spread, width_of

#: How an engine's state is drawn: which sign, which style.
STATES: dict[EngineState, tuple[str, str]] = {
    "running": ("on", "good"),
    "degraded": ("on", "warn"),
    "starting": ("busy", "accent"),
    "stopping": ("busy", "warn"),
    "stopped": ("off", "dim"),
    "error": ("on", "error"),
}
#: From everything shown to the least that must be.
LEVELS = range(9)


class Header(Lines):
    """The status line."""

    watches: ClassVar[frozenset[Kind]] = frozenset(
        (
            *("engines", "account", "quotes", "health", "connection", "instruments"),
            *("alerts", "breaches", "kill", "authority"),
        )
    )
    shows_ages: ClassVar[bool] = True

    DEFAULT_CSS = """
    Header {
        height: 1;
        dock: top;
    }
    """

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(base="on-bar", id=id)
        self._seen: tuple[Mirror, View] | None = None

    def on_resize(self, event: events.Resize) -> None:
        """Say what fits the new width."""
        super().on_resize(event)
        if self._seen is not None:
            self.refresh_from(*self._seen)

    def refresh_from(self, mirror: Mirror, view: View) -> None:
        """Show the state of the selected engine and its account."""
        self._seen = (mirror, view)
        width = self.content_size.width
        if not width:
            return
        status = mirror.engines.get(view.engine or "")
        live = status is not None and status.environment == "LIVE"
        self.set_base("on-live-bar" if live else "on-bar")
        self.set_lines([status_line(mirror, view, glyphs_of(self.app), width)])


def status_line(mirror: Mirror, view: View, glyphs: Glyphs, width: int) -> list[Part]:
    """Return the fullest status line that fits ``width`` cells."""
    status = mirror.engines.get(view.engine or "")
    account = mirror.accounts.get(view.engine or "")
    row = None
    if view.engine is not None and view.instrument is not None:
        row = mirror.watch_row(view.engine, view.instrument)
    line: list[Part] = []
    for level in LEVELS:
        left = [
            *_environment(status, view),
            *_engine(mirror, status, view, glyphs, level),
            *_feed(mirror, view, status, glyphs, level),
            *_instrument(row, glyphs, level),
        ]
        right = [
            *_account(account, glyphs, level),
            *_alerts(mirror, glyphs, level),
            *_role(mirror, view, glyphs, level),
            (f"{figures.clock(view.now_ns)}Z " if level < 7 else "", ""),
        ]
        line = spread(left, right, width)
        if width_of(left) + width_of(right) <= width:
            break
    return line


def _environment(status: EngineStatus | None, view: View) -> list[Part]:
    if status is None:
        return [(" – " if view.engine is None else " ? ", "dim"), (" ", "")]
    return [(f" {status.environment} ", f"env-{status.environment.lower()}"), (" ", "")]


def _engine(
    mirror: Mirror, status: EngineStatus | None, view: View, glyphs: Glyphs, level: int
) -> list[Part]:
    if status is None:
        return [(view.engine or "no engine", "dim"), ("  ", "")]
    sign, style = STATES[status.state]
    state = f" {status.state.upper()}" if level < 6 or status.state != "running" else ""
    parts: list[Part] = [(status.id, "bright"), (f" {getattr(glyphs, sign)}", style), (f"{state} ", style)]
    if mirror.risk.killed(status.id):
        parts.append((" KILLED ", "env-live"))
    elif status.restriction != "none":
        held = "error" if status.restriction == "halted" else "warn"
        parts.append((f"{glyphs.warn}{RESTRICTIONS[status.restriction]}", held))
    return [*parts, (" ", "")]


def _feed(mirror: Mirror, view: View, status: EngineStatus | None, glyphs: Glyphs, level: int) -> list[Part]:
    if mirror.connection.state != "connected":
        return _connection(mirror.connection, view, glyphs, level)
    if view.engine is None or status is None or status.state not in ("running", "degraded"):
        return []
    age = mirror.feed_age_ms(view.engine, view.now_ns)
    paused = status.feed_detail is not None and "paused" in status.feed_detail
    stale = age is None or age > view.stale_after_ms
    word = "feed " if level < 5 else ""
    if paused:
        return [(word, "label"), (f"{glyphs.pause} paused  ", "warn")]
    text = f"{figures.age(age)}{glyphs.warn if stale else ''}"
    return [(word, "label"), (f"{text:<5} ", "warn" if stale else "")]


def _connection(connection: Connection, view: View, glyphs: Glyphs, level: int) -> list[Part]:
    since = figures.age((view.now_ns - connection.since_ns) / 1e6 if connection.since_ns else None)
    words = "connecting" if connection.state == "connecting" else "no daemon"
    attempt = f" {glyphs.dot} try {connection.attempt}" if connection.attempt and level < 4 else ""
    return [(f"{glyphs.warn} {words} {since}{attempt}  ", "warn")]


def _instrument(row: WatchRow | None, glyphs: Glyphs, level: int) -> list[Part]:
    if row is None or level >= 5:
        return []
    parts: list[Part] = [(f"{row.instrument} ", "bright" if level < 3 else "")]
    if level >= 2 or row.quote is None:
        return parts
    style = sign_style(row.change)
    sign = {"up": glyphs.up, "down": glyphs.down, "flat": glyphs.flat}[style]
    parts.append((f"{figures.price(row.quote.last, row.precision)} ", style))
    if level < 1:
        parts.append((f"{sign}{figures.signed_percent(row.change_pct).lstrip('+-')}% ", style))
    else:
        parts.append((f"{sign} ", style))
    return parts


def _account(account: AccountUpdate | None, glyphs: Glyphs, level: int) -> list[Part]:
    if account is None:
        return [("Equity ", "label"), (figures.DASH, "dim"), ("  ", "")] if level < 6 else []
    parts: list[Part] = []
    gap = "  " if level < 5 else " "
    decimals = 2 if level < 4 else 0
    if level < 7:
        parts += [
            ("Equity " if level < 5 else "", "label"),
            (figures.money(account.equity, decimals=decimals), "bright"),
            (gap, ""),
        ]
    style = sign_style(account.day_pnl)
    parts += [("Day ", "label"), (figures.signed_money(account.day_pnl, decimals=decimals), style)]
    sign = {"up": glyphs.up, "down": glyphs.down, "flat": glyphs.flat}[style]
    if account.day_pnl is None:
        return [*parts, (gap, "")]
    start = None if account.equity is None else account.equity - account.day_pnl
    if level < 3 and start:
        percent = figures.signed_percent(account.day_pnl / start * 100).lstrip("+-")
        parts.append((f" {sign}{percent}%", style))
    else:
        parts.append((f" {sign}", style))
    return [*parts, (gap, "")]


def _alerts(mirror: Mirror, glyphs: Glyphs, level: int) -> list[Part]:
    """Return how many limits are breached and how many alerts are open, in the colour of the worst."""
    parts: list[Part] = []
    breaches = mirror.risk.open_breaches()
    if breaches:
        seen = all(breach.status in ("acknowledged", "mitigating") for breach in breaches)
        word = (" breaches" if len(breaches) > 1 else " breach") if level < 5 else ""
        parts.append((f"{glyphs.warn}{len(breaches)}{word}", "warn" if seen else "error"))
        parts.append((" " if level >= 5 else "  ", ""))
    count = count_open(mirror)
    if count:
        word = (" alerts" if count > 1 else " alert") if level < 5 else ""
        worst = max((severity_rank(alert.severity) for alert in mirror.risk.open_alerts()), default=0)
        style = "error" if worst >= severity_rank("critical") else "warn"
        return [*parts, (f"{glyphs.warn}{count}{word}", style), ("  ", "")]
    if level >= 3 or parts:
        return parts
    return [("alerts ", "label"), ("0" if mirror.health is not None else figures.DASH, "dim"), ("  ", "")]


def _role(mirror: Mirror, view: View, glyphs: Glyphs, level: int) -> list[Part]:
    if level >= 8:
        return []
    parts = status_parts(mirror, view, glyphs, short=level >= 4)
    return [*parts, (" " if level >= 5 else "  ", "")] if parts else []
