"""Bringing in the workspaces that are not seen first, once the first picture is painted.

Making the widgets of every workspace would make everyone wait for what few look at first. Whoever
asks for one that is not there yet gets it as soon as it is.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual.widgets import ContentSwitcher

if TYPE_CHECKING:
    from nautilus_tui.terminal.app import Terminal


class Furnishing:
    """Makes workspaces, and knows which are there."""

    def __init__(self, app: Terminal) -> None:
        self._app = app
        self._wanted: str | None = None

    def there(self, workspace: str) -> bool:
        """Say whether a workspace is there; one that is not is gone to when it is."""
        found = bool(self._app.screen_stack[0].query(f"#workspaces > #{workspace}"))
        self._wanted = None if found else workspace
        return found

    async def bring(self) -> None:
        """Make what is missing."""
        from nautilus_tui.terminal.workspaces.macro import MacroWorkspace
        from nautilus_tui.terminal.workspaces.research import ResearchWorkspace
        from nautilus_tui.terminal.workspaces.risk import RiskWorkspace

        switcher = self._app.screen_stack[0].query_one("#workspaces", ContentSwitcher)
        for made in (RiskWorkspace(), MacroWorkspace(), ResearchWorkspace(self._app.research)):
            if not self._app.is_running:
                return  # left again before the first look
            await switcher.add_content(made)
        self._app.frames.again()
        self._app.layout_sizes.apply()
        if self._wanted is not None:
            self._app.looking.workspace(self._wanted)
