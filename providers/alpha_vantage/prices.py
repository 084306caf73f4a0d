"""Quotes and days, weeks and months of prices. This module must not know how they are asked for."""

from __future__ import annotations

import datetime as dt
from typing import Any, Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from data.forms import NANOS
from data.fundamentals import PriceBar, PriceSeries, StockQuote
from providers.alpha_vantage import series, shapes, symbols, values
from providers.alpha_vantage.reading import Reading, nothing, of_symbol
from providers.core.exchange import Body
from providers.core.http import Stamp

Period = Literal["daily", "weekly", "monthly"]
#: Rows of the short form of a series.
COMPACT = 100


def read_quote(body: Body, symbol: str) -> Reading[StockQuote]:
    """Read GLOBAL_QUOTE; raises ProviderNotFoundError if it is empty, BadPayloadError if it is none."""
    told: dict[str, Any]
    if shapes.is_table(body):
        table = shapes.table(body, "symbol", "open", "high", "low", "price", "latestday")
        told = {**table[0]} if table else {}
    else:
        answer = shapes.record(body)
        name = next((name for name in answer if name.startswith("Global Quote")), "")
        if answer and not name:
            raise shapes.bad("answered no quote", "an answer has a Global Quote")
        told = shapes.fields(answer.get(name, {}), "Global Quote")
    if not any(values.text(value) for value in told.values()):
        raise nothing("GLOBAL_QUOTE", symbol)
    asked = of_symbol(told.get("symbol"), symbol)
    told = {name.replace("_", ""): value for name, value in told.items()}
    day = values.date(told.get("latesttradingday", told.get("latestday")), "latest trading day")
    figures: dict[str, Any] = {
        "open": values.some(told.get("open"), "open"),
        "high": values.some(told.get("high"), "high"),
        "low": values.some(told.get("low"), "low"),
        "price": values.some(told.get("price"), "price"),
        "volume": values.number(told.get("volume"), "volume"),
        "previous_close": values.some(told.get("previousclose"), "previous close"),
        "change": values.number(told.get("change"), "change"),
        "change_percent": values.percent(told.get("changepercent"), "change percent"),
    }

    def make(stamp: Stamp) -> StockQuote:
        return StockQuote(
            **stamp._asdict(), symbol=asked, currency=symbols.currency(asked), day=day, **figures
        )

    return Reading(make, day)


def read_periods(
    body: Body, symbol: str, period: Period, *, adjusted: bool, most: int | None
) -> Reading[PriceSeries]:
    """Read a daily, weekly or monthly series.

    Args:
        body: the answer.
        symbol: what was asked for.
        period: what a row is.
        adjusted: scale prices by adjusted close over close.
        most: keep the latest of this many rows; None: all.

    Raises:
        ProviderNotFoundError: there are no rows.
        BadPayloadError: it is no such series.
    """
    told = series.read(body, symbol)
    if not told.rows:
        raise nothing(f"{period} prices", symbol)
    zone = zone_of(told.timezone)
    if adjusted and all(row.adjusted_close is None for row in told.rows):
        raise shapes.bad(
            "answered raw prices when adjusted ones were asked",
            "an adjusted series has an adjusted close",
        )
    kept = told.rows[-most:] if most else told.rows
    bars = [
        (values.the_date(row.label, "the date of a row"), row.adjusted() if adjusted else row) for row in kept
    ]
    starts = [start_of(day, period, zone) for day, _ in bars]

    def make(stamp: Stamp) -> PriceSeries:
        source = stamp._asdict()
        return PriceSeries(
            **source,
            symbol=symbol,
            interval=period,
            timezone=told.timezone,
            currency=symbols.currency(symbol),
            adjusted=adjusted,
            bars=tuple(bar(source, day, start, row) for (day, row), start in zip(bars, starts, strict=True)),
        )

    return Reading(make, told.refreshed)


def bar(source: dict[str, Any], day: dt.date, start: int, row: series.Row) -> PriceBar:
    """Return a row as a fact."""
    return PriceBar(
        **source,
        date=day,
        ts=start,
        open=row.open,
        high=row.high,
        low=row.low,
        close=row.close,
        volume=row.volume,
        adjusted_close=row.adjusted_close,
        dividend=row.dividend,
        split=row.split,
    )


def start_of(day: dt.date, period: Period, zone: ZoneInfo) -> int:
    """Return the UTC ns at which the period begins whose last day this is: local midnight."""
    if period == "weekly":
        day -= dt.timedelta(days=day.weekday())
    elif period == "monthly":
        day = day.replace(day=1)
    return nanos(dt.datetime.combine(day, dt.time()), zone)


def nanos(local: dt.datetime, zone: ZoneInfo) -> int:
    """Return a local time as UTC ns."""
    return int(local.replace(tzinfo=zone).timestamp()) * NANOS


def zone_of(name: str) -> ZoneInfo:
    """Return a time zone by the name that Alpha Vantage gives it; raises BadPayloadError."""
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise shapes.bad(
            f"answered in the time zone {name[:40]!r}, which is not known",
            "a series names its time zone",
        ) from error
