"""What is looked at in the Macro workspace: plain state, written by its actions, read by its panes."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Literal

#: Years a factor's chart offers, in the order ``[`` and ``]`` walk them; 0 is all there are.
YEARS: tuple[int, ...] = (5, 10, 20, 0)
#: Releases that matter, all of them, or what is due for what is held.
CalendarScope = Literal["main", "all", "due"]
CALENDAR_SCOPES: tuple[CalendarScope, ...] = ("main", "all", "due")


@dataclass(slots=True)
class MacroView:
    """The selection in the Macro workspace."""

    as_of: dt.date | None = None  #: show what was known on this date; None: today
    factor: str | None = None  #: charted
    series: str | None = None  #: charted instead of the factor
    years: int = 10
    scope: CalendarScope = "main"
