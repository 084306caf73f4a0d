"""Routes of breach forecasts: what is foretold of each limit, and how such forecasts have done.

This module must not know how a forecast is computed.
"""

from __future__ import annotations

from data.limits import BreachForecast, ForecastScore
from data.paging import Page
from nautilus_tui.daemon.api.answers import Answer, AnyRequest, answer, context_of
from nautilus_tui.daemon.api.describe import route

_TAG = "Risk"


@route("GET", "/api/v1/risk/forecast", returns=Page[BreachForecast], tag=_TAG)
async def risk_forecast(request: AnyRequest) -> Answer:
    """Return how likely each limit is breached within 5, 30 and 240 minutes, the likeliest first."""
    return answer(request, Page(context_of(request).risk.forecast.forecasts()))


@route("GET", "/api/v1/risk/forecast/scores", returns=Page[ForecastScore], tag=_TAG)
async def risk_forecast_scores(request: AnyRequest) -> Answer:
    """Return how forecasts have done here, and on held-out days of recorded prices, against the base rate."""
    return answer(request, Page(context_of(request).risk.forecast.scores()))


HANDLERS = [risk_forecast, risk_forecast_scores]
