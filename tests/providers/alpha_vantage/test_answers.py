"""What the key may not ask, and answers as they came."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal

from providers.alpha_vantage.client import AlphaVantage
from tests.providers.alpha_vantage.bars import starts
from tests.providers.alpha_vantage.conftest import body, by_function, refusal
from tests.providers.replay import Replay

# ---------------------------------------------------------------- what the key may not ask


async def test_the_whole_history_degrades_to_the_latest_days_and_says_so(
    vantage: AlphaVantage, server: Replay
) -> None:
    server.routes["/query"] = by_function(
        {"TIME_SERIES_DAILY full": refusal("information_outputsize_full_premium")},
        body("time_series__TIME_SERIES_DAILY.csv"),
    )
    series = await vantage.daily("IBM", full=True)
    assert len(series.bars) == 100
    assert series.degraded is not None
    assert "whole history" in series.degraded
    assert "paid keys" in series.degraded
    assert [request.query["outputsize"] for request in server.requests] == ["full", "compact"]
    again = await vantage.daily("IBM", full=True)
    assert again.degraded == series.degraded
    assert len(server.requests) == 2  # neither is asked again


async def test_adjusted_degrades_to_raw_and_says_so(vantage: AlphaVantage, server: Replay) -> None:
    server.routes["/query"] = by_function(
        {
            "TIME_SERIES_DAILY_ADJUSTED": refusal("information_premium_endpoint"),
            "TIME_SERIES_DAILY full": refusal("information_outputsize_full_premium"),
        },
        body("time_series__TIME_SERIES_DAILY.csv"),
    )
    series = await vantage.daily("IBM", full=True, adjusted=True)
    assert not series.adjusted
    assert series.degraded is not None
    assert "not adjusted" in series.degraded
    asked = [(request.query["function"], request.query["outputsize"]) for request in server.requests]
    assert asked == [
        ("TIME_SERIES_DAILY_ADJUSTED", "full"),
        ("TIME_SERIES_DAILY", "full"),
        ("TIME_SERIES_DAILY", "compact"),
    ]
    entitled = {one.function: one.entitled for one in vantage.supported_functions()}
    assert entitled["TIME_SERIES_DAILY_ADJUSTED"] is False
    assert entitled["TIME_SERIES_DAILY"] is True
    assert entitled["OVERVIEW"] is None


async def test_intraday_degrades_to_days_and_says_so(vantage: AlphaVantage, server: Replay) -> None:
    server.routes["/query"] = by_function(
        {"TIME_SERIES_INTRADAY": refusal("information_premium_endpoint")},
        body("time_series__TIME_SERIES_DAILY.csv"),
    )
    series = await vantage.intraday("IBM", "5")
    assert series.interval == "daily"
    assert series.degraded is not None
    assert "5min" in series.degraded
    await vantage.intraday("IBM", "15min", full=True)
    assert len(server.requests) == 2  # it is known by now, and the days are kept


async def test_what_came_short_without_a_refusal_is_said(vantage: AlphaVantage, server: Replay) -> None:
    server.routes["/query"] = body("time_series__TIME_SERIES_DAILY.csv")
    series = await vantage.daily("IBM", full=True)
    assert series.degraded is not None
    assert "100 days" in series.degraded


# ---------------------------------------------------------------- other answers as they came


async def test_weeks_and_months_begin_on_their_first_day(vantage: AlphaVantage, server: Replay) -> None:
    server.routes["/query"] = by_function(
        {
            "TIME_SERIES_WEEKLY": body("time_series__TIME_SERIES_WEEKLY.csv"),
            "TIME_SERIES_MONTHLY": body("time_series__TIME_SERIES_MONTHLY.csv"),
            "TIME_SERIES_WEEKLY_ADJUSTED": body("time_series__TIME_SERIES_WEEKLY_ADJUSTED.csv"),
            "TIME_SERIES_MONTHLY_ADJUSTED": body("time_series__TIME_SERIES_MONTHLY_ADJUSTED.csv"),
        },
        b"{}",
    )
    weekly, monthly = await vantage.weekly("IBM"), await vantage.monthly("IBM")
    assert (weekly.interval, starts(weekly)[-1]) == ("weekly", "2026-05-11 04:00")
    by_week = {bar.date: start for bar, start in zip(weekly.bars, starts(weekly), strict=True)}
    assert by_week[dt.date(2026, 4, 2)] == "2026-03-30 04:00"  # ends on a Thursday, before Good Friday
    assert (monthly.interval, starts(monthly)[-1]) == ("monthly", "2026-05-01 04:00")
    adjusted = await vantage.weekly("IBM", adjusted=True)
    assert adjusted.adjusted
    assert len(adjusted.bars) == len(weekly.bars)
    assert (await vantage.monthly("IBM", adjusted=True)).bars[-1].dividend == Decimal("1.6900")


async def test_an_overview_as_it_came(vantage: AlphaVantage, server: Replay) -> None:
    server.routes["/query"] = body("fundamental__OVERVIEW.json")
    overview = await vantage.overview("ibm")
    assert overview.market_cap == Decimal(206116848000)
    assert overview.latest_quarter == dt.date(2026, 3, 31)
    assert (overview.sector, overview.fiscal_year_end) == ("TECHNOLOGY", "December")
    assert overview.figures["ForwardPE"] == "18.62"
    assert overview.as_of == dt.datetime.fromtimestamp(overview.fetched_at / 1e9, dt.UTC).date()
    assert (overview.source, overview.synthetic, overview.stale) == ("alpha_vantage", False, None)


async def test_estimates_as_they_came(vantage: AlphaVantage, server: Replay) -> None:
    server.routes["/query"] = body("fundamental__EARNINGS_ESTIMATES.json")
    first = (await vantage.estimates("IBM"))[0]
    assert (first.fiscal_end, first.period, first.eps) == (
        dt.date(2027, 12, 31),
        "annual",
        Decimal("13.4537"),
    )
    assert (first.eps_analysts, first.revenue) == (21, Decimal("74618451490.00"))


async def test_the_calendar_is_asked_for_once_for_all_symbols(vantage: AlphaVantage, server: Replay) -> None:
    server.routes["/query"] = body("fundamental__EARNINGS_CALENDAR.csv")
    everyone = await vantage.earnings_calendar()
    assert len(everyone) == 4526
    (due,) = await vantage.earnings_calendar("agys")
    assert (due.date, due.estimate, due.time_of_day) == (dt.date(2026, 5, 18), Decimal("0.37"), "post-market")
    assert len(server.requests) == 1
    assert "symbol" not in server.requests[0].query
