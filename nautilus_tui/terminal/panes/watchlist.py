"""The watchlist: every instrument of the engine with its last price, change, touch and age."""

from __future__ import annotations

from typing import ClassVar

from data.records import Quote
from nautilus_tui.terminal import figures
from nautilus_tui.terminal.glyphs import Glyphs
from nautilus_tui.terminal.mirror import Kind, Mirror, WatchRow
from nautilus_tui.terminal.panes.pane import instrument_cell
from nautilus_tui.terminal.theme import glyphs_of
from nautilus_tui.terminal.view import View
from nautilus_tui.terminal.widgets.following import FollowingTable
from nautilus_tui.terminal.widgets.table import Cell, Column, Row

TRAIL_WIDTH = 12

COLUMNS = (
    Column("symbol", "Symbol", "left", least=6, most=20),
    Column("last", "Last", least=7, glow=True),
    Column("change", "Chg%", least=7),
    Column("bid", "Bid", least=6, drop=3),
    Column("ask", "Ask", least=6, drop=3),
    Column("spread", "Spread", least=5, drop=6),
    Column("range", "Day range", "left", width=17, drop=8),
    Column("volume", "Vol", least=5, drop=7),
    Column("trail", "Last 5m", "left", width=TRAIL_WIDTH, drop=5),
    Column("age", "Age ", width=5, drop=2),
    Column("source", "Src", "left", width=3, drop=4),
)
#: How a source is written in three letters.
SOURCES = {"simulated": "sim", "replay": "rpl", "import": "imp"}


class Watchlist(FollowingTable):
    """Quotes of the selected engine's instruments."""

    watches: ClassVar[frozenset[Kind]] = frozenset({"quotes", "instruments", "engines", "connection"})
    shows_ages: ClassVar[bool] = True
    TITLE = "Watchlist"

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(COLUMNS, id=id)
        self._engine: str | None = None
        self._clock = -1

    def refresh_from(self, mirror: Mirror, view: View) -> None:
        """Show the quotes of the selected engine; only those that changed are written anew."""
        engine = view.engine
        self.comfortable = view.density == "comfortable"
        self.empty = _why_empty(mirror, engine)
        if engine is None:
            self.set_rows(())
            return
        glyphs = glyphs_of(self.app)
        second = view.now_ns // 1_000_000_000
        whole = engine != self._engine or second != self._clock or "instruments" in mirror.dirty
        known = {row.key for row in self.rows}
        changed = [
            key[1] for key in mirror.dirty.get("quotes", ()) if isinstance(key, tuple) and key[0] == engine
        ]
        if whole or self.filter or not known.issuperset(changed):
            self._engine, self._clock = engine, second
            rows = mirror.watch_rows(engine, view.watched)
            self.set_rows([quote_row(row, view, glyphs) for row in rows])
            synthetic = any(row.quote is not None and row.quote.synthetic for row in rows)
            self.subtitle = f"{len(rows)} {glyphs.dot} SIM" if synthetic else f"{len(rows)}"
        elif changed:
            self.update_rows(quote_row(mirror.watch_row(engine, i), view, glyphs) for i in changed)
        self.follow(view.instrument)


def quote_row(row: WatchRow, view: View, glyphs: Glyphs) -> Row:
    """Return one line of the watchlist."""
    name = instrument_cell(row.instrument)
    quote = row.quote
    if quote is None:
        return Row(row.instrument, (name, *(Cell(t, "faint") for t in _unknown())), "")
    age_ms = max(0.0, (view.now_ns - quote.ts_recv) / 1e6)
    stale = age_ms > view.stale_after_ms
    way, style = _way(row, glyphs)
    spread = quote.ask - quote.bid if quote.ask is not None and quote.bid is not None else None
    age_style = "warn" if stale else "dim"
    percent = figures.signed_percent(row.change_pct)
    return Row(
        row.instrument,
        (
            name._replace(style="stale") if stale else name,
            Cell(figures.price(quote.last, row.precision), "stale" if stale else "bright", quote.last),
            Cell(f"{way} {percent:>5}", "stale" if stale else style, row.change_pct),
            Cell(figures.price(quote.bid, row.precision), "stale" if stale else "", quote.bid),
            Cell(figures.price(quote.ask, row.precision), "stale" if stale else "", quote.ask),
            Cell(figures.price(spread, row.precision), "dim", spread),
            Cell(_range(quote, glyphs), "dim"),
            Cell(figures.compact(quote.volume), "dim", quote.volume),
            # Without the highest column, so that rows do not grow into each other.
            Cell(
                figures.sparkline(row.trail, TRAIL_WIDTH, glyphs.spark[:-1]),
                "faint" if stale or style == "flat" else f"{style}-bar",
            ),
            Cell(f"{figures.age(age_ms)}{glyphs.warn if stale else ' '}", age_style, age_ms),
            Cell(SOURCES.get(quote.source, quote.source[:3]), "sim" if quote.synthetic else "dim"),
        ),
        "stale" if stale else "",
    )


def _unknown() -> tuple[str, ...]:
    return (*[figures.DASH] * 4, *[""] * 6)


def _way(row: WatchRow, glyphs: Glyphs) -> tuple[str, str]:
    if row.change is None or row.change == 0:
        return glyphs.flat, "flat"
    return (glyphs.up, "up") if row.change > 0 else (glyphs.down, "down")


def _range(quote: Quote, glyphs: Glyphs) -> str:
    """Draw where the last price is between the day's low and high."""
    low, high, last = quote.day_low, quote.day_high, quote.last
    if low is None or high is None or last is None or high <= low:
        return ""
    at = round(float((last - low) / (high - low)) * 16)
    return glyphs.rule * max(0, at) + glyphs.on + glyphs.rule * max(0, 16 - at)


def _why_empty(mirror: Mirror, engine: str | None) -> str:
    if mirror.connection.state != "connected":
        return "No daemon is connected, so there are no quotes. The status line says when it is tried again."
    if engine is None:
        return "No engine is selected. Press 6 for the engines and start one."
    status = mirror.engines.get(engine)
    if status is None or status.state in ("stopped", "error"):
        return f"{engine} is not running, so nothing is quoted. :engine start {engine} starts it."
    return f"{engine} is {status.state} and has not quoted anything yet."
