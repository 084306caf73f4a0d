"""Actions of the Research workspace: which company is looked at, and which of its filings."""

from __future__ import annotations

from typing import Final

from nautilus_tui.terminal.actions.action import Action

RESEARCH: Final[tuple[Action, ...]] = ()
