"""The model's true name, what it tells, and how it did on held-out days of recorded prices.

README.md has the commands that repeat the scores, and a test computes them anew. This module must not load
anything slow.
"""

from __future__ import annotations

from typing import Final

from data.limits import ForecastScore

NAME: Final = "analytic first passage"
HORIZONS: Final = (5, 30, 240)  #: minutes

_BTC: Final = "BTC-PERP by the minute, 20 January to 1 February 2022"
_GBP: Final = "GBP/USD by the minute, 20 February to 1 March 2012"
_EUR: Final = "EUR/USD by the hour, 12 October 2017 to 7 February 2018"
#: Sample, horizon, forecasts, breached, Brier, Brier of the training days' base rate.
_FIGURES: Final = (
    (_BTC, 5, 29286, 272, 0.00646, 0.00917),
    (_BTC, 30, 29076, 1189, 0.02684, 0.03836),
    (_BTC, 240, 27293, 5300, 0.09875, 0.13473),
    (_GBP, 5, 19572, 92, 0.00346, 0.00466),
    (_GBP, 30, 19409, 431, 0.01624, 0.02131),
    (_GBP, 240, 18089, 2216, 0.06680, 0.09349),
    (_EUR, 240, 15508, 1287, 0.05859, 0.07099),
)
RECORDED: Final = tuple(
    ForecastScore(
        model=NAME,
        minutes=minutes,
        place="records",
        sample=sample,
        forecasts=forecasts,
        breached=breached,
        brier=brier,
        base_brier=base,
    )
    for sample, minutes, forecasts, breached, brier, base in _FIGURES
)
