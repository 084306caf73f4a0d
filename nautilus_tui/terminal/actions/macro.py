"""Actions of the Macro workspace: what of its series is looked at, and as of when."""

from __future__ import annotations

from typing import Final

from data.commands import RefreshProviders
from nautilus_tui.terminal.actions.action import Action
from nautilus_tui.terminal.situation import Situation


def _as_of_set(situation: Situation) -> str | None:
    return None if situation.view.macro.as_of is not None else "what is known today is shown"


MACRO: Final = (
    Action(
        id="macro.years_more",
        keys=("]", "t"),
        name="years-more",
        scope="macro",
        label="More years in the chart",
        hint="years",
    ),
    Action(
        id="macro.years_less", keys=("[",), name="years-less", scope="macro", label="Fewer years in the chart"
    ),
    Action(
        id="macro.as_of",
        keys=("a",),
        name="as-of",
        scope="macro",
        label="Show what was known on a date",
        hint="as-of",
    ),
    Action(
        id="macro.today",
        keys=("escape",),
        name="as-of-today",
        scope="macro",
        label="Show what is known today again",
        hint="today",
        check=_as_of_set,
    ),
    Action(
        id="macro.due",
        keys=("c",),
        name="calendar-scope",
        scope="macro",
        label="Calendar: what matters, all of it, or what is due for what is held",
        hint="calendar",
    ),
    Action(
        id="macro.refresh",
        keys=("r",),
        name="macro-refresh",
        scope="macro",
        command=RefreshProviders,
        label="Ask FRED for everything here again",
        hint="refresh",
    ),
)
