"""Where the reader stands: workspace, pane, what is under the cursor, what is being typed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual.widgets import ContentSwitcher

from nautilus_tui.terminal.panes.positions import Positions
from nautilus_tui.terminal.places import BY_PLACE, PANES, PLACES
from nautilus_tui.terminal.situation import Situation

if TYPE_CHECKING:
    from nautilus_tui.terminal.app import Terminal


class Standing:
    """Looks at the screen and says what the user is in the middle of."""

    def __init__(self, app: Terminal) -> None:
        self._app = app
        self._last: dict[str, str] = {}  #: workspace → the pane that had the focus last

    @property
    def workspace(self) -> str:
        """The workspace shown."""
        current = self._app.query_one("#workspaces", ContentSwitcher).current
        return current if current in BY_PLACE else PLACES[0].id

    @property
    def pane(self) -> str | None:
        """The pane that has the focus."""
        screens = self._app.screen_stack
        focused = screens[0].focused if screens else None
        nodes = () if focused is None else focused.ancestors_with_self
        return next((node.id for node in nodes if node.id in PANES), None)

    @property
    def last_pane(self) -> str:
        """The pane of this workspace that had the focus last."""
        workspace = self.workspace
        return self._last.get(workspace, BY_PLACE[workspace].first)

    def focused(self, pane: str | None) -> None:
        """Remember which pane has the focus."""
        if pane in PANES:
            self._last[PANES[pane]] = pane

    @property
    def typing(self) -> bool:
        """Whether printable keys are text where the focus is."""
        screens = self._app.screen_stack
        return bool(getattr(screens[0].focused, "typing", False)) if screens else False

    def situation(self) -> Situation:
        """Return what the user is in the middle of."""
        app = self._app
        engine = app.view.engine or ""
        orders, ticket = app.orders, app.ticket_pane
        known = app.mirror.orders.get(engine, {})
        positions = app.screen_stack[0].query_one(Positions)
        rows = app.mirror.position_rows(engine)
        under = (r.position for r in rows if r.position.position_id == positions.cursor_key)
        return Situation(
            app.view,
            app.mirror,
            workspace=self.workspace,
            pane=self.pane,
            order=known.get(orders.cursor_key or ""),
            marked=tuple(known[key] for key in orders.marked if key in known),
            position=next(under, None),
            ticket_open=ticket.ticket is not None,
            typing=self.typing,
            ticket_sendable=ticket.sendable,
            no_largest=ticket.no_largest,
        )
