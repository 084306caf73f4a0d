"""Questions about breach forecasts, typed. This module must not know of connections."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any

from data.limits import BreachForecast, ForecastScore


class ForecastQuestions(ABC):
    """What can be asked about what is foretold of limits."""

    @abstractmethod
    async def _ask_list[T](self, path: str, type_: type[T], **params: Any) -> list[T]:
        """Return the records of a list."""

    async def breach_forecasts(self) -> list[BreachForecast]:
        """Return how likely each limit is breached soon, the likeliest first."""
        return await self._ask_list("/risk/forecast", BreachForecast)

    async def forecast_scores(self) -> list[ForecastScore]:
        """Return how forecasts have done here, and on held-out days of recorded prices."""
        return await self._ask_list("/risk/forecast/scores", ForecastScore)
