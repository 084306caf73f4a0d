"""From the cursor of a table to what is looked at: each area says what its tables select."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from nautilus_tui.terminal.screens.hints import Hints
from nautilus_tui.terminal.widgets.table import LiveTable

if TYPE_CHECKING:
    from nautilus_tui.terminal.app import Terminal

RowHandler = Callable[[str], None]
#: Following the cursor through a list asks only where it rests.
REST_S = 0.12


class Selecting:
    """Hears of cursors and asks for what they stand on, once they rest."""

    def __init__(self, app: Terminal) -> None:
        self._app = app
        self._rest: object = None
        self._highlighted: dict[str, RowHandler] = {
            "watchlist": app.looking.select_instrument,
            "engine_table": app.looking.select_engine,
            **app.macro.highlighted(),
            **app.research.highlighted(),
            **app.risk.highlighted(),
        }
        self._selected: dict[str, RowHandler] = {
            "watchlist": app.looking.select_instrument,
            "orders": self._order,
            "positions": self._position,
            "engine_table": self._engine,
            **app.macro.selected(),
            **app.research.selected(),
            **app.risk.selected(),
        }

    @property
    def resting(self) -> bool:
        """Whether nothing was selected just now."""
        return self._rest is None

    def changed(self) -> None:
        """Redraw, and ask for what is selected where the cursor rests."""
        self._app.changed()
        token = self._rest = object()
        self._app.set_timer(REST_S, lambda: self._rested(token))

    def _rested(self, token: object) -> None:
        if self._rest is token:
            self._rest = None
            self._app.reception.follow()
            self._app.changed()

    def highlighted(self, event: LiveTable.RowHighlighted) -> None:
        """The cursor came to another row."""
        if not event.table.has_focus or event.key != event.table.cursor_key:
            return  # rows came or went, nobody moved the cursor
        handler = self._highlighted.get(event.table.id or "")
        if handler is not None:
            handler(event.key)
        self._app.screen_stack[0].query_one(Hints).again()

    def selected(self, event: LiveTable.RowSelected) -> None:
        """A row was chosen: go to what it is about."""
        handler = self._selected.get(event.table.id or "")
        if handler is not None:
            handler(event.key)

    def _order(self, _: str) -> None:
        order = self._app.situation().order
        if order is not None:
            self._app.looking.select_instrument(order.instrument)

    def _position(self, _: str) -> None:
        position = self._app.situation().position
        if position is not None:
            self._app.looking.select_instrument(position.instrument)

    def _engine(self, engine: str) -> None:
        self._app.looking.select_engine(engine)
        self._app.looking.workspace("trade")
