"""Resizing panes by keys; each size of screen remembers its own.

The style sheet says how large panes are; what the reader changed lies over it and is kept between
openings. It must not know what panes show.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, NamedTuple

from textual.widget import Widget

if TYPE_CHECKING:
    from nautilus_tui.terminal.app import Terminal

Handler = Callable[[], None]
_COLUMNS = 2
_LINES = 1
#: The least a pane is left with, in columns and in lines.
_LEAST = {"width": 20, "height": 6}


class Lever(NamedTuple):
    """What changes when a pane grows: whose size, and whether by growing or by shrinking."""

    widget: str
    sign: int


#: Which widths and heights a pane takes its room from.
WIDTHS = {
    "watchlist": Lever("watchlist", 1),
    "chart": Lever("watchlist", -1),
    "book": Lever("book", 1),
    "ticket": Lever("ticket", 1),
    "positions": Lever("book", -1),
    "orders": Lever("book", -1),
    **dict.fromkeys(("factors", "calendar"), Lever("factor_chart", -1)),
    **dict.fromkeys(("factor_chart", "curve", "regime"), Lever("factor_chart", 1)),
    **dict.fromkeys(("companies", "overview"), Lever("profile", 1)),
    **dict.fromkeys(("filings", "insiders", "holdings", "facts", "reader"), Lever("profile", -1)),
}
HEIGHTS = {
    "watchlist": Lever("lower", -1),
    "chart": Lever("lower", -1),
    "book": Lever("lower", 1),
    "ticket": Lever("lower", 1),
    "positions": Lever("lower", 1),
    "orders": Lever("lower", 1),
    "engine_table": Lever("machines", 1),
    "logs": Lever("machines", -1),
    "factors": Lever("calendar", -1),
    "calendar": Lever("calendar", 1),
    "factor_chart": Lever("curve", -1),
    "curve": Lever("curve", 1),
    "regime": Lever("regime", 1),
    "companies": Lever("companies", 1),
    "overview": Lever("companies", -1),
    **dict.fromkeys(("filings", "insiders", "holdings"), Lever("figures", -1)),
    "facts": Lever("figures", 1),
}


class Layout:
    """The reader's own sizes over those of the style sheet."""

    def __init__(self, app: Terminal) -> None:
        self._app = app
        self._sizes = app.remembered.widths
        self._applied: set[tuple[str, str]] = set()

    def handlers(self) -> dict[str, Handler]:
        """Return the method of each action."""
        return {
            "layout.wider": lambda: self._pull(WIDTHS, "width", _COLUMNS),
            "layout.narrower": lambda: self._pull(WIDTHS, "width", -_COLUMNS),
            "layout.taller": lambda: self._pull(HEIGHTS, "height", _LINES),
            "layout.shorter": lambda: self._pull(HEIGHTS, "height", -_LINES),
            "layout.reset": self.reset,
        }

    def _widget(self, name: str) -> Widget:
        return self._app.screen_stack[0].query_one(f"#{name}")

    def _key(self, name: str, side: str) -> str:
        """Return the name a size is kept under: which one, on which size of screen."""
        classes = self._app.screen_stack[0].classes
        width = next((c for c in ("-narrow", "-wide") if c in classes), "-normal")
        height = next((c for c in ("-short", "-high") if c in classes), "-tall")
        return f"{name}.{side}{width}{height}"

    def _pull(self, levers: dict[str, Lever], side: str, by: int) -> None:
        pane = self._app.pane
        if pane not in levers:
            return
        lever = levers[pane]
        widget = self._widget(lever.widget)
        parent = widget.parent
        now = widget.outer_size.width if side == "width" else widget.outer_size.height
        if not isinstance(parent, Widget) or not now:
            return
        room = parent.size.width if side == "width" else parent.size.height
        least = _LEAST[side]
        size = max(least, min(room - least, now + by * lever.sign))
        self._sizes[self._key(lever.widget, side)] = size
        self.apply()

    def apply(self) -> None:
        """Give the panes the sizes kept for this size of screen, and no others."""
        self.clear()
        for lever, side in {(lever.widget, "width") for lever in WIDTHS.values()} | {
            (lever.widget, "height") for lever in HEIGHTS.values()
        }:
            size = self._sizes.get(self._key(lever, side))
            there = self._app.screen_stack[0].query(f"#{lever}")
            if size is not None and there:
                setattr(there.first().styles, side, size)
                self._applied.add((lever, side))

    def clear(self) -> None:
        """Leave the panes to the style sheet, for instance while one is maximised."""
        for name, side in self._applied:
            setattr(self._widget(name).styles, side, None)
        self._applied.clear()

    def reset(self) -> None:
        """Forget the sizes kept for this size of screen."""
        suffix = self._key("", "")[1:]
        for key in [key for key in self._sizes if key.endswith(suffix)]:
            del self._sizes[key]
        self.apply()
