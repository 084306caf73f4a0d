"""The order book of the selected instrument: five levels a side, sizes as bars, the spread between."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import ClassVar

from textual import events

from data.records import Book as BookRecord
from data.records import Instrument, Level
from nautilus_tui.terminal import figures
from nautilus_tui.terminal.glyphs import Glyphs
from nautilus_tui.terminal.mirror import Kind, Mirror
from nautilus_tui.terminal.theme import glyphs_of
from nautilus_tui.terminal.view import View
from nautilus_tui.terminal.widgets.lines import Lines, Part, width_of

MOST_LEVELS = 10


class Book(Lines, can_focus=True):
    """The best levels of a book, asks above bids."""

    watches: ClassVar[frozenset[Kind]] = frozenset({"books", "quotes", "instruments"})
    shows_ages: ClassVar[bool] = True
    TITLE = "Book"

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._seen: tuple[Mirror, View] | None = None

    def on_resize(self, event: events.Resize) -> None:
        """Draw the book for the new size."""
        super().on_resize(event)
        if self._seen is not None:
            self.refresh_from(*self._seen)

    def refresh_from(self, mirror: Mirror, view: View) -> None:
        """Show the book of the selected instrument."""
        self._seen = (mirror, view)
        width, height = self.room
        if not width or not height:
            return
        glyphs = glyphs_of(self.app)
        book = mirror.book(view.engine, view.instrument)
        rules = mirror.instrument(view.engine, view.instrument)
        self.subtitle = ""
        if book is None or not (book.bids or book.asks):
            why = "No instrument is selected." if view.instrument is None else "No book received."
            self.set_lines([[], [(f" {why}", "dim")]])
            return
        age_ms = max(0.0, (view.now_ns - book.ts_recv) / 1e6)
        stale = age_ms > view.stale_after_ms
        if stale:
            self.subtitle = f"{figures.age(age_ms)}{glyphs.warn}"
        precision = mirror.precision(book.engine, book.instrument)
        self.set_lines(book_lines(book, rules, precision, width, height, glyphs, stale=stale))


def book_lines(
    book: BookRecord,
    rules: Instrument | None,
    precision: int,
    width: int,
    height: int,
    glyphs: Glyphs,
    *,
    stale: bool = False,
) -> list[list[Part]]:
    """Return a book as lines, the spread in the middle."""
    levels = max(1, min(MOST_LEVELS, (height - 1) // 2, max(len(book.bids), len(book.asks))))
    asks, bids = book.asks[:levels], book.bids[:levels]
    most = max((level.size for level in (*asks, *bids)), default=Decimal(0))
    sizes = [figures.quantity(level.size) for level in (*asks, *bids)]
    if max(map(len, sizes), default=0) > 9:
        sizes = [figures.compact(level.size) for level in (*asks, *bids)]
    size_width = max(5, *map(len, sizes)) if sizes else 5
    price_width = max(len(figures.price(level.price, precision)) for level in (*asks, *bids))

    def line(level: Level, size: str, style: str) -> list[Part]:
        room = max(0, width - size_width - price_width - 5)
        share = float(level.size / most) if most else 0.0
        return [
            (f" {size:>{size_width}}", "stale" if stale else ""),
            (f"  {figures.price(level.price, precision):>{price_width}} ", "stale" if stale else style),
            (f" {figures.bar(share, room, glyphs.bar)}", "faint" if stale else f"{style}-bar"),
        ]

    upper = [line(level, size, "down") for level, size in zip(asks, sizes, strict=False)]
    lower = [line(level, size, "up") for level, size in zip(bids, sizes[len(asks) :], strict=True)]
    blank: list[list[Part]] = [[] for _ in range(levels - len(asks))]
    return [*blank, *reversed(upper), _spread(asks, bids, rules, precision, width, glyphs), *lower]


def _spread(
    asks: Sequence[Level],
    bids: Sequence[Level],
    rules: Instrument | None,
    precision: int,
    width: int,
    glyphs: Glyphs,
) -> list[Part]:
    """Write the spread in price, ticks and basis points of the mid price."""
    if not asks or not bids:
        return [(" one-sided ", "warn")]
    spread = asks[0].price - bids[0].price
    mid = (asks[0].price + bids[0].price) / 2
    words: list[Part] = [(f" {figures.price(spread, precision)} ", "bright")]
    if rules is not None and rules.tick_size:
        words.append((f"{figures.quantity(spread / rules.tick_size)}t ", "dim"))
    if mid:
        words.append((f"{spread / mid * 10000:.1f} bp ", "dim"))
    room = max(0, width - width_of(words) - 2)
    left = room // 2
    return [
        (" " + glyphs.rule * left, "rule"),
        *words,
        (glyphs.rule * (room - left), "rule"),
    ]
