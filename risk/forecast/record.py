"""The model's true name, what it tells, and how it did on held-out days of recorded prices.

README.md has the commands that repeat the scores, and a test computes them anew. This module must not load
anything slow.
"""

from __future__ import annotations

from typing import Final

from data.limits import ForecastScore

NAME: Final = "analytic first passage"
HORIZONS: Final = (5, 30, 240)  #: minutes

RECORDED: Final[tuple[ForecastScore, ...]] = ()
